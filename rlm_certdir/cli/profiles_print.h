/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `certdir profiles` prints. */
#ifndef CERTDIR_CLI_PROFILES_PRINT_H
#define CERTDIR_CLI_PROFILES_PRINT_H

#include "profiles/report.h"

/* For people. False when memory is out. */
bool certdir_cli_profiles_text(const struct certdir_profiles *profiles, const struct certdir_profiles_report *report);
/* As one JSON object. False when it could not be made or printed. */
bool certdir_cli_profiles_json(const struct certdir_profiles *profiles, const struct certdir_profiles_report *report);

#endif
