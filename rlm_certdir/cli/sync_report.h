/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a sync did: for people, for programs, and as an exit code. */
#ifndef CERTDIR_CLI_SYNC_REPORT_H
#define CERTDIR_CLI_SYNC_REPORT_H

#include <jansson.h>

#include "sync/sync.h"

/* Exit codes of `certdir sync` beside those of sysexits.h. */
enum certdir_cli_sync_exit {
	CERTDIR_CLI_SYNC_DONE = 0,
	CERTDIR_CLI_SYNC_SOME = 1, /* some tenant or part failed, others were published */
	CERTDIR_CLI_SYNC_NONE = 2, /* nothing could be published */
	CERTDIR_CLI_SYNC_SHRUNK = 3, /* the shrink guard refused something */
	CERTDIR_CLI_SYNC_STOPPED = 5 /* by a signal, before all was done */
};

struct certdir_cli_sync_run {
	const struct certdir_sync_config *config;
	const struct certdir_sync_report *report;
	const struct certdir_sync *sync;
	bool idle; /* nothing is under way */
	bool stopped; /* a signal asked for the end */
	bool dry_run;
	bool quiet; /* one round of many: what has not changed is not told on stdout */
	int64_t milliseconds; /* that the round has taken so far */
};

/* The exit code of a run that is over. */
enum certdir_cli_sync_exit certdir_cli_sync_exit(const struct certdir_cli_sync_run *run);
/*
 * What is new: a line for each part, tenant and edition on stdout, fit for a journal, unless json; failures and warnings on
 * stderr.
 */
void certdir_cli_sync_print(const struct certdir_cli_sync_run *run, bool json);
/* The whole report as a new object; NULL when memory is out. */
json_t *certdir_cli_sync_json(const struct certdir_cli_sync_run *run);

#endif
