/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices of the list as lines: of a table, or of JSON. */
#ifndef CERTDIR_CLI_LIST_TABLE_H
#define CERTDIR_CLI_LIST_TABLE_H

#include "cli/columns.h"
#include "cli/list_filter.h"
#include "list/list.h"

/* Prints the titles; those of what found a device only when something did. */
void certdir_cli_list_table_begin(struct certdir_cli_columns *table, bool found);
/* A line; `by` says what found it, `only_against` is NULL or why the record only speaks against its device. */
void certdir_cli_list_table_print(const struct certdir_cli_columns *table, const struct certdir_device *device,
				  const char *by, const char *only_against);
/* The same as JSON. False when it cannot be printed. */
bool certdir_cli_list_table_print_json(const struct certdir_device *device, const struct certdir_list_source *source,
				       const char *by, const char *only_against);

/*
 * Prints the listed devices that `filter` takes and whose name, serial number or one of whose ids begins with the first `length` bytes of
 * `prefix`, without regard to case, in order of name; all of them where `length` is 0. Returns the exit code; `error` says why when it is
 * 66.
 */
int certdir_cli_list_table_each(struct certdir_list_reader *reader, const char *prefix, size_t length,
				const struct certdir_cli_list_filter *filter, bool json, struct certdir_error *error);

#endif
