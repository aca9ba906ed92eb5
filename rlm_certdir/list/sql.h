/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Statements and what is bound to their parameters, in order:
 *
 *	certdir_sql_run(db, "UPDATE device SET name=?2 WHERE id=?1", SQL_VALUES(SQL_NUMBER(row), SQL_TEXT(name)))
 *
 * Texts are borrowed until the statement is bound anew or finalized.
 */
#ifndef CERTDIR_LIST_SQL_H
#define CERTDIR_LIST_SQL_H

#include "base/certdir.h"

#include <sqlite3.h>

struct certdir_sql_value {
	int type; /* SQLITE_INTEGER, SQLITE_TEXT or SQLITE_NULL */
	int64_t number;
	const char *text;
};

struct certdir_sql_values {
	const struct certdir_sql_value *items;
	size_t count;
};

static inline struct certdir_sql_value certdir_sql_number(int64_t number)
{
	return (struct certdir_sql_value){.type = SQLITE_INTEGER, .number = number};
}

/* NULL is NULL. */
static inline struct certdir_sql_value certdir_sql_text(const char *text)
{
	return (struct certdir_sql_value){.type = text ? SQLITE_TEXT : SQLITE_NULL, .text = text};
}

/* Unix seconds, of which 0 is "not known": NULL. */
static inline struct certdir_sql_value certdir_sql_time(int64_t seconds)
{
	return (struct certdir_sql_value){.type = seconds ? SQLITE_INTEGER : SQLITE_NULL, .number = seconds};
}

/* 1, 0, or NULL for "not known". */
static inline struct certdir_sql_value certdir_sql_tristate(enum certdir_tristate value)
{
	return (struct certdir_sql_value){.type = value == CERTDIR_UNKNOWN ? SQLITE_NULL : SQLITE_INTEGER,
					  .number = value == CERTDIR_YES};
}

#define SQL_NUMBER certdir_sql_number
#define SQL_TEXT certdir_sql_text
#define SQL_TIME certdir_sql_time
#define SQL_TRISTATE certdir_sql_tristate
#define SQL_NOTHING ((struct certdir_sql_values){NULL, 0})
/* sizeof evaluates nothing: each argument is evaluated once. */
#define SQL_VALUES(...)                                                                                                \
	((struct certdir_sql_values){(const struct certdir_sql_value[]){__VA_ARGS__},                                  \
				     sizeof((const struct certdir_sql_value[]){__VA_ARGS__}) /                         \
					     sizeof(struct certdir_sql_value)})

/* SQLITE_OK, or why not. */
int certdir_sql_bind(sqlite3_stmt *stmt, struct certdir_sql_values values);
/* A statement for the caller to step and finalize; NULL, and sqlite3_errmsg(db) says why. */
sqlite3_stmt *certdir_sql_prepare(sqlite3 *db, const char *sql, struct certdir_sql_values values);
/* Runs one that gives nothing. False, and sqlite3_errmsg(db) says why. */
bool certdir_sql_run(sqlite3 *db, const char *sql, struct certdir_sql_values values);
/* Runs one that gives a whole number: 1 with it, 0 when it gives no row, -1, and sqlite3_errmsg(db) says why. */
int certdir_sql_ask(sqlite3 *db, const char *sql, struct certdir_sql_values values, int64_t *number);

#endif
