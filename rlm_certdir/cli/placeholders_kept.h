/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The summary of the last plan and of the last apply of each section, kept beside its undo files as .NAME.plan and .NAME.apply, for
 * `certdir status`.
 */
#ifndef CERTDIR_CLI_PLACEHOLDERS_KEPT_H
#define CERTDIR_CLI_PLACEHOLDERS_KEPT_H

#include "placeholders/config.h"

#include <jansson.h>

/*
 * Keeps `summary`, whole or not at all. A plan is for everybody who may read the directory: that it cannot be kept is no failure, and
 * what is kept of an apply says no more than its undo file.
 */
void certdir_cli_placeholders_keep(const struct certdir_placeholders_config *config, bool apply, json_t *summary);

/* A new reference to what is kept; NULL when there is nothing, or nothing that can be read. */
json_t *certdir_cli_placeholders_kept(const struct certdir_placeholders_config *config, bool apply);

#endif
