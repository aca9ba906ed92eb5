/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `certdir placeholders export --sids`: which account's SID a CA has to write into which device's certificate. */
#ifndef CERTDIR_CLI_PLACEHOLDERS_EXPORT_H
#define CERTDIR_CLI_PLACEHOLDERS_EXPORT_H

#include "cli/placeholders_report.h"

/* The CSV's first line. */
void certdir_cli_placeholders_export_header(void);

/*
 * Prints a line for each own account of the section as the directory has it now: CSV, or with `json` an object. What no SID can be told of
 * is said on stderr. NOTHING (0) when all is well, FAILED when the directory cannot be read.
 */
enum certdir_cli_placeholders_exit
certdir_cli_placeholders_export_section(const struct certdir_placeholders_config *config, bool json);

#endif
