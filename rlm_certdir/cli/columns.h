/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables for people: a line each, in columns that fit into the terminal. Who reads a pipe gets all of them, and nothing is cut. */
#ifndef CERTDIR_CLI_COLUMNS_H
#define CERTDIR_CLI_COLUMNS_H

#include <stddef.h>

struct certdir_cli_column {
	const char *title;
	int width; /* that most values need, in cells of the terminal */
	int least; /* to which longer values may be cut at a terminal; 0: they are never cut, as ids */
};

enum { CERTDIR_CLI_COLUMNS_MAX = 16 };

struct certdir_cli_columns {
	const struct certdir_cli_column *columns;
	size_t count; /* that are shown */
	int widths[CERTDIR_CLI_COLUMNS_MAX];
	int room; /* cells of a line; 0: it may be as long as it likes */
};

/*
 * Prints the line of titles for `count` columns, which stay the caller's. At a terminal (its width, or that of COLUMNS when it has none)
 * the last columns are left out where even the least widths of all do not fit.
 */
void certdir_cli_columns_begin(struct certdir_cli_columns *table, const struct certdir_cli_column *columns,
			       size_t count);

/* Prints a line; `cells` has a UTF-8 text for each column, those that are left out included. */
void certdir_cli_columns_print(const struct certdir_cli_columns *table, const char *const *cells);

#endif
