/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the list is doing, tenant by tenant: what configuration, list, and the reports of sync and placeholders say together. */
#ifndef CERTDIR_CLI_STATUS_GATHER_H
#define CERTDIR_CLI_STATUS_GATHER_H

#include <jansson.h>

#include "cli/conf_file.h"
#include "list/list.h"
#include "sync/sync.h"

enum { CERTDIR_CLI_DELTA_OLD = 6 * 86400 }; /* seconds; Graph forgets a delta link after about 7 days */

/* What configuration, list and the last report say about one tenant, or LDAP directory, that a sync lists. */
struct certdir_cli_tenant_status {
	const char *name;
	bool ldap; /* an LDAP directory, which has the devices part alone */
	const char *tenant_id; /* or NULL */
	bool configured; /* it stands in certdir.conf; else in the list alone */
	bool wanted[CERTDIR_SYNC_PARTS]; /* parts that certdir.conf asks for */
	int64_t interval
		[CERTDIR_SYNC_PARTS]; /* seconds between two listings of a part that has a pace of its own; 0: each time */
	bool has_numbers; /* the list could be read */
	int64_t synced[CERTDIR_SYNC_PARTS]; /* Unix seconds, 0 = never; with has_numbers */
	size_t certificates; /* rows of its table of issued ones */
	int64_t delta_since; /* 0 = none */
	struct certdir_list_numbers numbers;
	int64_t attempted; /* the last time, 0 = not known */
	enum certdir_tristate up; /* whether that went well */
	char note[CERTDIR_TEXT_MAX]; /* why it failed, or what was skipped; or "" */
	int64_t credential_expires; /* 0 = not known */
	bool renews; /* certdir.conf has `renew = yes` for it */
};

/* All of it. Strings are borrowed from the configuration and the list, which it owns. */
struct certdir_cli_status {
	const char *list; /* file name */
	int64_t now;
	char list_error[CERTDIR_TEXT_MAX]; /* why it cannot be read, or "" */
	int64_t last_good; /* when the edition was published that a server which starts now has instead, 0 = there is none */
	char run_error[CERTDIR_TEXT_MAX]; /* why the last run could not publish anything, or "" */
	int64_t published;
	size_t devices;
	struct certdir_list_shared shared;
	struct certdir_cli_tenant_status *tenants;
	size_t tenant_count;
	const struct certdir_list_source *sources; /* all */
	size_t source_count;
	bool sessions; /* there is a server's file of sessions: what follows is of it */
	char sessions_error[CERTDIR_TEXT_MAX]; /* why it cannot be read, or "" */
	size_t held; /* sessions that its guard holds */
	json_t *sections; /* of placeholders, as certdir_cli_placeholders_kept() has them */
	struct certdir_cli_conf conf;
	struct certdir_list_snapshot *snapshot; /* NULL when there is no list */
	struct certdir_list_reader *reader;
	json_t *last; /* the report of the last sync, or NULL */
};

/*
 * Gathers it by the configuration `conf`, and the server's `sessions`, NULL = its default, where it is no mistake that there is none; a
 * list that cannot be read is a part of it. Returns 0, or the exit code after saying on stderr what is wrong. certdir_cli_status_clear()
 * follows in any case.
 */
int certdir_cli_status_gather(struct certdir_cli_status *status, const char *conf, const char *sessions);
void certdir_cli_status_clear(struct certdir_cli_status *status);

/* Whether the tenant needs somebody: the last attempt failed, it was never synced, or its delta link, or LDAP listing, is old. */
bool certdir_cli_tenant_needs_help(const struct certdir_cli_status *status,
				   const struct certdir_cli_tenant_status *tenant);

/* Whether an apply of a section failed or was refused. */
bool certdir_cli_section_needs_help(const json_t *section);

/* What is kept of a plan or an apply: a text, or ""; a number, or 0. The file may be anybody's work. */
const char *certdir_cli_section_text(const json_t *run, const char *key);
int64_t certdir_cli_section_number(const json_t *run, const char *key);
/* When it was, or 0. */
int64_t certdir_cli_section_time(const json_t *run);

enum { CERTDIR_CLI_SECTION_RUNS = 2, CERTDIR_CLI_SECTION_KINDS = 6 };

/* The keys of a section's runs, and of what one does. */
extern const char *const certdir_cli_section_runs[CERTDIR_CLI_SECTION_RUNS];
extern const char *const certdir_cli_section_kinds[CERTDIR_CLI_SECTION_KINDS];

#endif
