/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One change of the list, printed. */
#ifndef CERTDIR_CLI_CHANGE_H
#define CERTDIR_CLI_CHANGE_H

#include "list/list.h"

/* "2026-11-22T10:00:00Z  contoso  DESKTOP-1 (3f2504e0-..)  compliance  compliant -> noncompliant" */
void certdir_cli_change_print(const struct certdir_list_change *change);
/* "contoso: would remove DESKTOP-1 (3f2504e0-..)": of a dry run. */
void certdir_cli_change_print_would(const struct certdir_list_change *change);
/* {"at":..,"source":..,"device":..,"name":..,"what":..,"before":..,"after":..} on a line; false when that fails. */
bool certdir_cli_change_print_json(const struct certdir_list_change *change);

#endif
