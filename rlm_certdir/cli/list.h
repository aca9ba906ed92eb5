/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `certdir list ..`: look into the device list, fill it, verify it. */
#ifndef CERTDIR_CLI_LIST_H
#define CERTDIR_CLI_LIST_H

#include "list/list.h"

#define CERTDIR_CLI_LIST_DEFAULT "/var/lib/certdir/devices.db"

/* argv[0] is "list". Returns the exit code: 0, 1 nothing found or not in order, 3 shrink guard, 64 usage, 66 no input, 73 cannot write. */
int certdir_cli_list(int argc, char **argv);

/* What every sub-command takes; each has those of the others that make no sense for it refused. */
struct certdir_cli_list_options {
	const char *list;
	bool json;
	const char *source; /* import, remove */
	const char *tenant; /* import */
	const char *format; /* import, export: "json", "csv" or NULL */
	const char *good_for; /* import: as it was typed, or NULL */
	bool replace; /* import */
	bool force; /* import */
	bool dry_run; /* import, remove */
	const char *since; /* changes: as it was typed, or NULL */
	const char *operand; /* VALUE or FILE, or NULL */
};

/* The sub-commands: each prints, and returns the exit code. */
int certdir_cli_list_show(const struct certdir_cli_list_options *options);
int certdir_cli_list_find(const struct certdir_cli_list_options *options);
int certdir_cli_list_stats(const struct certdir_cli_list_options *options);
int certdir_cli_list_changes(const struct certdir_cli_list_options *options);
int certdir_cli_list_import(const struct certdir_cli_list_options *options);
int certdir_cli_list_export(const struct certdir_cli_list_options *options);
int certdir_cli_list_sources(const struct certdir_cli_list_options *options);
int certdir_cli_list_remove(const struct certdir_cli_list_options *options);
int certdir_cli_list_verify(const struct certdir_cli_list_options *options);

/* Loads options->list and gets a reader; says on stderr why it cannot. Both are the caller's to give back. */
bool certdir_cli_list_open(const struct certdir_cli_list_options *options, struct certdir_list_snapshot **snapshot,
			   struct certdir_list_reader **reader);
void certdir_cli_list_close(struct certdir_list_snapshot *snapshot, struct certdir_list_reader *reader);

#endif
