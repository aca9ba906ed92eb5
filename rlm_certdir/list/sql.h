/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection with its statements, each of which is prepared where it is used first, and kept. They take values in order:
 *
 *	certdir_sql_run(sql, "UPDATE device SET name=?2 WHERE id=?1", SQL_VALUES(SQL_NUMBER(row), SQL_TEXT(name)))
 *
 * The text of a statement is a constant of the program: it is known by its address, and the same text in two places may be one. So none is
 * asked again while its rows are being read. Texts that are bound are borrowed until the statement
 * is bound anew.
 */
#ifndef CERTDIR_LIST_SQL_H
#define CERTDIR_LIST_SQL_H

#include <sqlite3.h>

#include "base/certdir.h"

struct certdir_sql_value {
	int type; /* SQLITE_INTEGER, SQLITE_TEXT or SQLITE_NULL */
	int64_t number; /* of a text: its bytes, -1 = up to the NUL */
	const char *text;
};

struct certdir_sql_values {
	const struct certdir_sql_value *items;
	size_t count;
};

/* Any whole number. */
static inline struct certdir_sql_value certdir_sql_value_number(int64_t number)
{
	return (struct certdir_sql_value){.type = SQLITE_INTEGER, .number = number};
}

/* NULL is NULL. */
static inline struct certdir_sql_value certdir_sql_value_text(const char *text)
{
	return (struct certdir_sql_value){.type = text ? SQLITE_TEXT : SQLITE_NULL, .number = -1, .text = text};
}

/* The first bytes of a text. */
static inline struct certdir_sql_value certdir_sql_value_part(const char *text, size_t length)
{
	return (struct certdir_sql_value){.type = SQLITE_TEXT, .number = (int64_t)length, .text = text};
}

/* Unix seconds, of which 0 is "not known": NULL. */
static inline struct certdir_sql_value certdir_sql_value_time(int64_t seconds)
{
	return (struct certdir_sql_value){.type = seconds ? SQLITE_INTEGER : SQLITE_NULL, .number = seconds};
}

/* 1, 0, or NULL for "not known". */
static inline struct certdir_sql_value certdir_sql_value_tristate(enum certdir_tristate value)
{
	return (struct certdir_sql_value){.type = value == CERTDIR_UNKNOWN ? SQLITE_NULL : SQLITE_INTEGER,
					  .number = value == CERTDIR_YES};
}

#define SQL_NUMBER certdir_sql_value_number
#define SQL_TEXT certdir_sql_value_text
#define SQL_PART certdir_sql_value_part
#define SQL_TIME certdir_sql_value_time
#define SQL_TRISTATE certdir_sql_value_tristate
#define SQL_NOTHING ((struct certdir_sql_values){NULL, 0})
/* sizeof evaluates nothing: each argument is evaluated once. */
#define SQL_VALUES(...)                                                                                                \
	((struct certdir_sql_values){(const struct certdir_sql_value[]){__VA_ARGS__},                                  \
				     sizeof((const struct certdir_sql_value[]){__VA_ARGS__}) /                         \
					     sizeof(struct certdir_sql_value)})

/* What a row has in a column: NULL for NULL; it lives until the statement is stepped or reset. */
static inline const char *certdir_sql_text_at(sqlite3_stmt *row, int column)
{
	return (const char *)sqlite3_column_text(row, column);
}

/* 1 is yes, another number no, NULL is not known. */
static inline enum certdir_tristate certdir_sql_tristate_at(sqlite3_stmt *row, int column)
{
	if (sqlite3_column_type(row, column) == SQLITE_NULL)
		return CERTDIR_UNKNOWN;
	return sqlite3_column_int(row, column) ? CERTDIR_YES : CERTDIR_NO;
}

/* All zero at first; `db` is opened by certdir_list_database_..(). */
struct certdir_sql {
	sqlite3 *db;
	struct certdir_sql_kept *kept; /* the statements */
	size_t count;
};

/* Ends what is being read, so that a transaction can be rolled back. */
void certdir_sql_reset(struct certdir_sql *sql);
/* Finalizes the statements and closes the connection. */
void certdir_sql_close(struct certdir_sql *sql);

/* A statement with its values bound, for certdir_sql_next(). NULL, and sqlite3_errmsg(sql->db) says why. */
sqlite3_stmt *certdir_sql_ask(struct certdir_sql *sql, const char *text, struct certdir_sql_values values);
/*
 * 1: a row, which can be read until the next call. 0: there is no more, -1: sqlite3_errmsg(sql->db) says why; then the statement is
 * reset, which who stops before has to do. NULL, which certdir_sql_ask() gave, is an error.
 */
int certdir_sql_next(sqlite3_stmt *stmt);
/* Runs a statement that gives nothing. False, and sqlite3_errmsg(sql->db) says why. */
bool certdir_sql_run(struct certdir_sql *sql, const char *text, struct certdir_sql_values values);
/* Runs one that gives a whole number, which is 0 when there is no row. As certdir_sql_next(): 1, 0 or -1. */
int certdir_sql_number(struct certdir_sql *sql, int64_t *number, const char *text, struct certdir_sql_values values);

#endif
