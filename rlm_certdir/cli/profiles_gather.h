/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `certdir profiles` looks at: a tenant's profiles, its devices in the list, and the server's side. */
#ifndef CERTDIR_CLI_PROFILES_GATHER_H
#define CERTDIR_CLI_PROFILES_GATHER_H

#include "cli/conf_file.h"
#include "cli/options.h"
#include "cli/raddb_file.h"
#include "profiles/report.h"

/* Certificates of a file. */
struct certdir_cli_chain {
	struct certdir_certificate *items;
	size_t count;
	bool failed;
};

struct certdir_cli_profiles {
	const struct certdir_cli_options *options;
	struct certdir_cli_conf loaded;
	const struct certdir_tenant_config *tenant; /* NULL: saved answers */
	struct certdir_profiles profiles;
	struct certdir_cli_chain server, authorities;
	struct certdir_rules rules;
	struct certdir_profiles_world world;
	struct certdir_fleet *fleet;
};

/*
 * Reads what the options name, but not --raddb; from Graph within `seconds`, or less where the tenant has a shorter deadline. Returns 0,
 * or the exit code after saying on stderr what is wrong. certdir_cli_profiles_clear() follows in any case.
 */
int certdir_cli_profiles_gather(struct certdir_cli_profiles *gathered, const struct certdir_cli_options *options,
				int64_t seconds);
/* Takes the server's side from its configuration, which was entered and outlives this. */
void certdir_cli_profiles_server(struct certdir_cli_profiles *gathered, const struct raddb_file *raddb);
/* False when memory is out. The caller calls certdir_report_clear() either way, and before certdir_cli_profiles_clear(). */
bool certdir_cli_profiles_judge(struct certdir_cli_profiles *gathered, struct certdir_profiles_report *report);
void certdir_cli_profiles_clear(struct certdir_cli_profiles *gathered);

#endif
