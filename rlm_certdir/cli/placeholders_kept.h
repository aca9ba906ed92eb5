/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The summary of the last plan and of the last apply of each section, kept beside its undo files as NAME.plan and NAME.apply, for
 * `certdir status`.
 */
#ifndef CERTDIR_CLI_PLACEHOLDERS_KEPT_H
#define CERTDIR_CLI_PLACEHOLDERS_KEPT_H

#include "cli/placeholders_report.h"

/* Keeps it, whole or not at all. That it cannot be kept is no failure: a plan is for everybody who may read the directory. */
void certdir_cli_placeholders_keep(const struct certdir_cli_placeholders_run *run);

/*
 * What is kept of the sections: [{"name": .., "plan": summary or null, "apply": ..}], each summary with "time" and "outcome". A new
 * reference, NULL when memory is out.
 */
json_t *certdir_cli_placeholders_kept(const struct certdir_placeholders_configs *configs);

#endif
