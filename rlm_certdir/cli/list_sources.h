/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a list says of its sources. */
#ifndef CERTDIR_CLI_LIST_SOURCES_H
#define CERTDIR_CLI_LIST_SOURCES_H

#include <jansson.h>

#include "list/list.h"

/* An array with an object for each source, the caller's; incomplete when memory is out. */
json_t *certdir_cli_list_sources_json(const struct certdir_list_snapshot *snapshot);
/* Prints them for people, a line for each. */
void certdir_cli_list_sources_print(const struct certdir_list_snapshot *snapshot);

#endif
