/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `certdir placeholders undo`. */
#ifndef CERTDIR_CLI_PLACEHOLDERS_UNDO_H
#define CERTDIR_CLI_PLACEHOLDERS_UNDO_H

#include <stdbool.h>

/*
 * Takes back what the undo file says, by the configuration `conf`, or with `dry_run` only shows what that would be; *stop not 0 ends
 * it. Returns the exit code: those of certdir_cli_placeholders_exit, 78 configuration.
 */
int certdir_cli_placeholders_undo_file(const char *conf, const char *filename, bool json, bool dry_run,
				       const volatile int *stop);

#endif
