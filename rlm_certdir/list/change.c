/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The change log, for those who read a published list and for those who are still writing one. */
#include "list/snapshot.h"
#include "list/writer.h"

static const char *text(sqlite3_stmt *stmt, int column)
{
	return (const char *)sqlite3_column_text(stmt, column);
}

/* `after`: a row of the log, behind which it begins. */
static bool each_change(sqlite3 *db, int64_t since, int64_t after, certdir_list_change_function each, void *context)
{
	sqlite3_stmt *stmt = certdir_sql_prepare(db,
						 "SELECT at,source,device,name,what,before,after FROM change "
						 "WHERE at>=?1 AND id>?2 ORDER BY at,id",
						 SQL_VALUES(SQL_NUMBER(since), SQL_NUMBER(after)));
	int rc = stmt ? SQLITE_ROW : SQLITE_ERROR;
	bool more = true;

	while (rc == SQLITE_ROW && more && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const struct certdir_list_change change = {
			.at = sqlite3_column_int64(stmt, 0),
			.source = text(stmt, 1),
			.device = text(stmt, 2),
			.name = text(stmt, 3),
			.what = text(stmt, 4),
			.before = text(stmt, 5),
			.after = text(stmt, 6),
		};

		more = each(context, &change);
	}
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

bool certdir_list_changes(struct certdir_list_reader *reader, int64_t since, certdir_list_change_function each,
			  void *context, struct certdir_error *error)
{
	if (each_change(reader->db, since, 0, each, context))
		return true;
	certdir_error_set(error, "%s: reading failed: %s", reader->snapshot->filename, sqlite3_errmsg(reader->db));
	return false;
}

bool certdir_list_write_changes(struct certdir_list_writer *writer, int64_t since, certdir_list_change_function each,
				void *context, struct certdir_error *error)
{
	if (each_change(writer->db, since, writer->logged, each, context))
		return true;
	certdir_error_set(error, "%s: reading failed: %s", writer->edition.temporary, sqlite3_errmsg(writer->db));
	return false;
}
