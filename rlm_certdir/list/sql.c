/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/sql.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

struct certdir_sql_kept {
	const char *text;
	sqlite3_stmt *stmt;
};

void certdir_sql_reset(struct certdir_sql *sql)
{
	for (size_t i = 0; i < sql->count; i++)
		(void)sqlite3_reset(sql->kept[i].stmt);
}

void certdir_sql_close(struct certdir_sql *sql)
{
	for (size_t i = 0; i < sql->count; i++)
		(void)sqlite3_finalize(sql->kept[i].stmt);
	free(sql->kept);
	(void)sqlite3_close(sql->db);
	memset(sql, 0, sizeof(*sql));
}

/* There are a hundred statements at most, and most connections use a few: to look through them is nothing beside running one. */
static sqlite3_stmt *find(struct certdir_sql *sql, const char *text)
{
	struct certdir_sql_kept *made;

	for (size_t i = 0; i < sql->count; i++)
		if (sql->kept[i].text == text)
			return sql->kept[i].stmt;
	made = certdir_array_next(&sql->kept, sql->count, sizeof(*made));
	if (!made || sqlite3_prepare_v3(sql->db, text, -1, SQLITE_PREPARE_PERSISTENT, &made->stmt, NULL) != SQLITE_OK)
		return NULL;
	made->text = text;
	sql->count++;
	return made->stmt;
}

static bool bind(sqlite3_stmt *stmt, struct certdir_sql_values values)
{
	int rc = SQLITE_OK;

	for (size_t i = 0; i < values.count && rc == SQLITE_OK; i++) {
		const struct certdir_sql_value *value = &values.items[i];
		const int at = (int)i + 1;

		if (value->type == SQLITE_INTEGER)
			rc = sqlite3_bind_int64(stmt, at, value->number);
		else if (value->type == SQLITE_TEXT)
			rc = sqlite3_bind_text(stmt, at, value->text, (int)value->number, SQLITE_STATIC);
		else
			rc = sqlite3_bind_null(stmt, at);
	}
	return rc == SQLITE_OK;
}

sqlite3_stmt *certdir_sql_ask(struct certdir_sql *sql, const char *text, struct certdir_sql_values values)
{
	sqlite3_stmt *stmt = find(sql, text);

	return stmt && bind(stmt, values) ? stmt : NULL;
}

int certdir_sql_next(sqlite3_stmt *stmt)
{
	const int rc = stmt ? sqlite3_step(stmt) : SQLITE_ERROR;

	if (rc == SQLITE_ROW)
		return 1;
	(void)sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? 0 : -1;
}

bool certdir_sql_run(struct certdir_sql *sql, const char *text, struct certdir_sql_values values)
{
	return certdir_sql_next(certdir_sql_ask(sql, text, values)) == 0;
}

int certdir_sql_number(struct certdir_sql *sql, int64_t *number, const char *text, struct certdir_sql_values values)
{
	sqlite3_stmt *stmt = certdir_sql_ask(sql, text, values);
	const int found = certdir_sql_next(stmt);

	*number = found == 1 ? sqlite3_column_int64(stmt, 0) : 0;
	(void)sqlite3_reset(stmt);
	return found;
}
