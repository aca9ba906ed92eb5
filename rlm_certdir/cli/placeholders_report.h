/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `certdir placeholders` says of one section: for people a line each, for programs one JSON object a line. */
#ifndef CERTDIR_CLI_PLACEHOLDERS_REPORT_H
#define CERTDIR_CLI_PLACEHOLDERS_REPORT_H

#include <jansson.h>

#include "cli/placeholders_alike.h"
#include "placeholders/placeholders.h"

enum certdir_cli_placeholders_exit {
	CERTDIR_CLI_PLACEHOLDERS_NOTHING = 0, /* nothing is to be done; all is done */
	CERTDIR_CLI_PLACEHOLDERS_FAILED = 1, /* also in the middle */
	CERTDIR_CLI_PLACEHOLDERS_TO_DO = 2, /* plan: there is something to be done */
	CERTDIR_CLI_PLACEHOLDERS_REFUSED = 3, /* by a guard; nothing was changed */
	CERTDIR_CLI_PLACEHOLDERS_PROBLEMS = 4, /* nothing more is to be done, but somebody has to look at a device */
	CERTDIR_CLI_PLACEHOLDERS_STOPPED = 5 /* apply: by a signal */
};

/* One section's run. */
struct certdir_cli_placeholders_run {
	const struct certdir_placeholders *placeholders;
	enum certdir_placeholders_outcome outcome; /* of planning */
	bool apply, force, json;
	bool tried; /* apply was begun */
	bool ok; /* and came to its end */
	struct certdir_apply_report report;
	struct certdir_cli_alike left; /* what is to be printed of actions that are not done */
	struct certdir_error aside; /* why the first entry was set aside; "" = none was */
	struct certdir_error error; /* of planning or applying; "" = none */
};

/* The exit code of one section's run. */
enum certdir_cli_placeholders_exit certdir_cli_placeholders_exit(const struct certdir_cli_placeholders_run *run);

/* Such a text as JSON (certdir_cli_visible_copy()); null for NULL. */
json_t *certdir_cli_placeholders_json(const char *text);

/* What --json prints last; a new reference, NULL when memory is out. */
json_t *certdir_cli_placeholders_summary(const struct certdir_cli_placeholders_run *run);

/* Each prints on stdout, errors on stderr. False when printing failed. */
bool certdir_cli_placeholders_print_plan(const struct certdir_cli_placeholders_run *run);
/* An action that apply has done. */
bool certdir_cli_placeholders_print_done(const struct certdir_cli_placeholders_run *run,
					 const struct certdir_action *action);
/* Of an action that was set aside or is done in part. For people it is kept in run->left, which certdir_cli_alike_print() prints. */
bool certdir_cli_placeholders_print_left(struct certdir_cli_placeholders_run *run, const struct certdir_action *action,
					 const char *why, const char *left);
/* How many of what: the last line, or with json the last object. */
bool certdir_cli_placeholders_print_summary(const struct certdir_cli_placeholders_run *run);

#endif
