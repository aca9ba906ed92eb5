/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How this room opens SQLite: a connection belongs to one thread at a time and shares nothing with others. */
#ifndef CERTDIR_LIST_DATABASE_H
#define CERTDIR_LIST_DATABASE_H

#include <sqlite3.h>
#include <stdbool.h>

/* Opens a database that is there, or ":memory:". False: sqlite3_errmsg(*db) says why; *db is to be closed either way. */
bool certdir_list_database_open(const char *filename, sqlite3 **db);

/*
 * Has SQLite put its temporary files into `directory`, or again where it likes when NULL. That is one place for the whole
 * process: for programs that write lists, not for servers that read them. False when memory is out.
 */
bool certdir_list_database_temporary(const char *directory);

#endif
