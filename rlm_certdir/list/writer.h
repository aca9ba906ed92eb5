/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of the list: the edition that is being written, which imports and syncs write into. */
#ifndef CERTDIR_LIST_WRITER_H
#define CERTDIR_LIST_WRITER_H

#include "list/database.h"
#include "list/edition.h"
#include "list/list.h"
#include "list/sql.h"

struct certdir_list_writer {
	struct certdir_list_edition edition;
	struct certdir_sql sql; /* no transaction is open between calls, so that a part can be rolled back alone */
	unsigned failures; /* how often SQLite could not do what it was asked */
	int64_t source; /* row of the imported source, 0 = none named */
	char tenant[CERTDIR_VALUE_MAX + 1]; /* of the source, "" = none */
	bool says_enabled; /* the source has a column for it */
	struct {
		int64_t source; /* row of the source whose table of issued certificates is exchanged */
		int64_t last; /* row of the last certificate that was there before, of any source */
		int64_t next; /* row that the next certificate stands in, if the table comes in the order of the last time */
	} issued;
	int64_t had; /* devices of all sources before the current one was begun */
	int64_t logged; /* row of the last change before this edition */
};

/* "FILE cannot be written: what SQLite says"; always false. */
bool certdir_list_writer_fail(struct certdir_list_writer *writer, struct certdir_error *error);
/* Whether the tables of what is open are those that this program makes, before anything is asked of it; in bounded time. */
bool certdir_list_writer_check(struct certdir_list_writer *writer, const char *filename, struct certdir_error *error);
/* A statement of certdir_sql_ask(): as certdir_sql_next(), but -1 with `error`. */
int certdir_list_writer_next(struct certdir_list_writer *writer, sqlite3_stmt *stmt, struct certdir_error *error);
/* Runs one that takes `values` and gives nothing. */
bool certdir_list_writer_do(struct certdir_list_writer *writer, const char *text, struct certdir_sql_values values,
			    struct certdir_error *error);
/* Runs one that gives a whole number, which is 0 when there is no row. */
bool certdir_list_writer_number(struct certdir_list_writer *writer, int64_t *number, const char *text,
				struct certdir_sql_values values, struct certdir_error *error);
/* Runs SQL that takes and gives nothing. */
bool certdir_list_writer_run(struct certdir_list_writer *writer, const char *sql, struct certdir_error *error);

/* The source that was named last, if any, has all its devices. */
bool certdir_list_writer_end_source(struct certdir_list_writer *writer, struct certdir_error *error);

/*
 * Notes which devices the source `name` has, in a temporary table, for certdir_list_write_compare(): those of the published
 * list, where there is one that can be read, when this edition began without its content. Within no transaction. False with
 * `error`, among others when the source is a tenant that is synced.
 */
bool certdir_list_writer_note(struct certdir_list_writer *writer, const char *name, struct certdir_error *error);

#endif
