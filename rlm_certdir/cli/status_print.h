/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status for people, and as JSON. */
#ifndef CERTDIR_CLI_STATUS_PRINT_H
#define CERTDIR_CLI_STATUS_PRINT_H

#include "cli/status_gather.h"

/* Each prints all of it on stdout; false when that failed. */
bool certdir_cli_status_print(const struct certdir_cli_status *status);
bool certdir_cli_status_print_json(const struct certdir_cli_status *status);

#endif
