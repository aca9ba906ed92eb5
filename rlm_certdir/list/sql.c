/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/sql.h"

int certdir_sql_bind(sqlite3_stmt *stmt, struct certdir_sql_values values)
{
	int rc = SQLITE_OK;

	for (size_t i = 0; i < values.count && rc == SQLITE_OK; i++) {
		const struct certdir_sql_value *value = &values.items[i];
		const int at = (int)i + 1;

		if (value->type == SQLITE_INTEGER)
			rc = sqlite3_bind_int64(stmt, at, value->number);
		else if (value->type == SQLITE_TEXT)
			rc = sqlite3_bind_text(stmt, at, value->text, -1, SQLITE_STATIC);
		else
			rc = sqlite3_bind_null(stmt, at);
	}
	return rc;
}

sqlite3_stmt *certdir_sql_prepare(sqlite3 *db, const char *sql, struct certdir_sql_values values)
{
	sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK && certdir_sql_bind(stmt, values) == SQLITE_OK)
		return stmt;
	sqlite3_finalize(stmt);
	return NULL;
}

bool certdir_sql_run(sqlite3 *db, const char *sql, struct certdir_sql_values values)
{
	sqlite3_stmt *stmt = certdir_sql_prepare(db, sql, values);
	const bool ok = stmt && sqlite3_step(stmt) == SQLITE_DONE;

	sqlite3_finalize(stmt);
	return ok;
}

int certdir_sql_ask(sqlite3 *db, const char *sql, struct certdir_sql_values values, int64_t *number)
{
	sqlite3_stmt *stmt = certdir_sql_prepare(db, sql, values);
	const int rc = stmt ? sqlite3_step(stmt) : SQLITE_ERROR;

	*number = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : -1;
}
