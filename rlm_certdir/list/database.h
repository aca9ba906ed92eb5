/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How this room opens SQLite: a connection belongs to one thread at a time and shares nothing with others. */
#ifndef CERTDIR_LIST_DATABASE_H
#define CERTDIR_LIST_DATABASE_H

#include "list/vfs.h"

/*
 * Opens a database that is there and whose content we did not write ourselves, or ":memory:". Nothing that its schema says is run: no
 * trigger, view or function of its own; no extension is loaded. `writes`: a file that is to be changed, in a directory without symbolic
 * links on the way. False: sqlite3_errmsg(*db) says why; *db is to be closed either way.
 */
bool certdir_list_database_open(const char *filename, bool writes, sqlite3 **db);

/*
 * Opens what `pages` says, with `context`, which outlives the connection: a content that we did not write ourselves. Nothing that its
 * schema says is run: no trigger, view or function of its own; no extension is loaded. `writes`: it is to be changed, with a journal
 * whose name begins with `name`. False: sqlite3_errmsg(*db) says why; *db is to be closed either way.
 */
bool certdir_list_database_pages(const struct certdir_list_pages *pages, void *context, const char *name, bool writes,
				 sqlite3 **db);
/* Another one beside the main database of such a connection, as `schema`, a word. */
bool certdir_list_database_attach(sqlite3 *db, const struct certdir_list_pages *pages, void *context,
				  const char *schema);

/*
 * Whether the tables and indexes of `database` ("main", or an attached one) are those that this program makes, to the letter. A seal
 * says that a file is as it was left, and not by whom: with a trigger or a view in it, it would be somebody else's program. False with
 * `error`, which says what differs; `filename` is for it.
 */
bool certdir_list_database_is_ours(sqlite3 *db, const char *database, const char *filename,
				   struct certdir_error *error);

/*
 * How far a query may go: in an image that is damaged, or made to, pages can lead in circles, and to more rows than could ever be read.
 * When `thousands` of SQLite's instructions have been used up, whatever runs ends with SQLITE_INTERRUPT. The connection uses `steps`
 * until it is closed, or bound to NULL.
 */
struct certdir_list_steps {
	int64_t thousands; /* that are left */
};
void certdir_list_database_bound(sqlite3 *db, struct certdir_list_steps *steps);

/* The same of a file that nobody writes into: reads it without locks and without a look at a journal. `filename` is absolute. */
bool certdir_list_database_look(const char *filename, sqlite3 **db);

/*
 * Has SQLite put its temporary files into `directory`, or again where it likes when NULL. That is one place for the whole
 * process: for programs that write lists, not for servers that read them. False when memory is out.
 */
bool certdir_list_database_temporary(const char *directory);

#endif
