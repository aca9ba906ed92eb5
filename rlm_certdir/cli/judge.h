/* SPDX-License-Identifier: GPL-2.0-or-later */
/* By what certificates are judged: the server's configuration, or a list and the default policy. What --raddb, --module and --list say. */
#ifndef CERTDIR_CLI_JUDGE_H
#define CERTDIR_CLI_JUDGE_H

#include "checker.h"
#include "cli/options.h"
#include "wiring.h"

struct certdir_cli_judge {
	const struct certdir_checker *checker;
	const struct certdir_finding *findings; /* of the server's configuration, or NULL */
	size_t finding_count;
	bool observes; /* policy { mode = observe } */
	struct certdir_checker own; /* of the list */
	struct raddb_file *raddb; /* or NULL */
};

/*
 * max_age: seconds for which the list that --list names is fresh, 0 = always. Returns 0, or the exit code, with what is wrong on stderr; then
 * nothing is to be closed. Run by root, the process is the server's user from here on, see raddb_file_open().
 */
int certdir_cli_judge_open(struct certdir_cli_judge *judge, const struct certdir_cli_options *options,
			   uint32_t max_age);
/* Where the server's configuration is when --raddb does not say so; NULL when it is in none of the usual places. A literal. */
const char *certdir_cli_default_raddb(void);
void certdir_cli_judge_close(struct certdir_cli_judge *judge);

#endif
