/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of the list: the edition that is being written, shared by writer.c (imports) and tenant.c (syncs). */
#ifndef CERTDIR_LIST_WRITER_H
#define CERTDIR_LIST_WRITER_H

#include "list/database.h"
#include "list/edition.h"
#include "list/list.h"
#include "list/sql.h"
#include "list/written.h"

enum certdir_list_write_statement {
	CERTDIR_ADD_DEVICE,
	CERTDIR_ADD_DNS_NAME,
	CERTDIR_ADD_FORMER_NAME,
	CERTDIR_FIND_TWIN,
	CERTDIR_FIND_GROUP,
	CERTDIR_ADD_GROUP,
	CERTDIR_ADD_MEMBERSHIP,
	CERTDIR_WRITE_STATEMENTS
};

struct certdir_list_writer {
	struct certdir_list_edition edition;
	struct certdir_list_written written; /* notes in edition.seal what SQLite changes */
	sqlite3 *db; /* no transaction is open between calls, so that a part can be rolled back alone */
	sqlite3_stmt *statements[CERTDIR_WRITE_STATEMENTS];
	bool failed; /* SQLite could not do what it was asked */
	int64_t source; /* row of the imported source, 0 = none named */
	char tenant[CERTDIR_VALUE_MAX + 1]; /* of the source, "" = none */
	bool says_enabled; /* the source has a column for it */
	int64_t logged; /* row of the last change before this edition */
};

/* "FILE cannot be written: what SQLite says"; always false. */
bool certdir_list_writer_fail(struct certdir_list_writer *writer, struct certdir_error *error);
/* Whether the tables of what is open are those that this program makes, before anything is asked of it; in bounded time. */
bool certdir_list_writer_check(struct certdir_list_writer *writer, const char *filename, struct certdir_error *error);
/* Runs one statement that takes `values` and gives nothing. */
bool certdir_list_writer_do(struct certdir_list_writer *writer, const char *sql, struct certdir_sql_values values,
			    struct certdir_error *error);
/* Runs SQL that takes and gives nothing. */
bool certdir_list_writer_run(struct certdir_list_writer *writer, const char *sql, struct certdir_error *error);

/*
 * Notes which devices the source `name` has, in a temporary table, for certdir_list_write_compare(): those of the published
 * list, where there is one that can be read, when this edition began without its content. Within no transaction. False with
 * `error`, among others when the source is a tenant that is synced.
 */
bool certdir_list_writer_note(struct certdir_list_writer *writer, const char *name, struct certdir_error *error);

#endif
