/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `certdir list ..`: look into the device list, fill it, verify it. */
#ifndef CERTDIR_CLI_LIST_H
#define CERTDIR_CLI_LIST_H

#include <jansson.h>

#include "cli/commands.h"
#include "list/list.h"

/* Loads options->list and gets a reader; says on stderr why it cannot. Both are the caller's to give back. */
bool certdir_cli_list_open(const struct certdir_cli_options *options, struct certdir_list_snapshot **snapshot,
			   struct certdir_list_reader **reader);
/* Gives both back; NULL is allowed. */
void certdir_cli_list_close(struct certdir_list_snapshot *snapshot, struct certdir_list_reader *reader);

/* Begins a change of options->list, signed with --signing-key if that is given, or a look at what it would do. NULL with `error`. */
struct certdir_list_writer *certdir_cli_list_change(const struct certdir_cli_options *options, bool fresh,
						    struct certdir_error *error);

/* What is laid over the list by its file of changes, as a line; nothing when there is none. */
void certdir_cli_list_print_laid(const struct certdir_list_snapshot *snapshot);
/* The same as JSON; null when there is none, or `snapshot` is NULL. */
json_t *certdir_cli_list_laid_json(const struct certdir_list_snapshot *snapshot);

enum {
	CERTDIR_CLI_LIST_SHRUNK = 3
}; /* exit code of an import that would lose too much, the same as that of `certdir sync` */

/* `certdir list import --certificates`. Returns the exit code. */
int certdir_cli_list_import_certificates(const struct certdir_cli_options *options);

#endif
