/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The change log, for those who read a published list and for those who are still writing one. */
#include "list/reader.h"
#include "list/writer.h"

/* `after`: a row of the log, behind which it begins. */
static bool each_change(struct certdir_sql *sql, int64_t since, int64_t after, certdir_list_change_function each,
			void *context)
{
	sqlite3_stmt *stmt = certdir_sql_ask(sql,
					     "SELECT at,source,device,name,what,before,after FROM change "
					     "WHERE at>=?1 AND id>?2 ORDER BY at,id",
					     SQL_VALUES(SQL_NUMBER(since), SQL_NUMBER(after)));
	bool more = true;
	int found = 0;

	while (more && (found = certdir_sql_next(stmt)) == 1) {
		const struct certdir_list_change change = {
			.at = sqlite3_column_int64(stmt, 0),
			.source = certdir_sql_text_at(stmt, 1),
			.device = certdir_sql_text_at(stmt, 2),
			.name = certdir_sql_text_at(stmt, 3),
			.what = certdir_sql_text_at(stmt, 4),
			.before = certdir_sql_text_at(stmt, 5),
			.after = certdir_sql_text_at(stmt, 6),
		};

		more = each(context, &change);
	}
	(void)sqlite3_reset(stmt);
	return found >= 0;
}

bool certdir_list_changes(struct certdir_list_reader *reader, int64_t since, certdir_list_change_function each,
			  void *context, struct certdir_error *error)
{
	if (each_change(&reader->sql, since, 0, each, context))
		return true;
	return certdir_list_reader_fail(reader, error);
}

bool certdir_list_write_changes(struct certdir_list_writer *writer, int64_t since, certdir_list_change_function each,
				void *context, struct certdir_error *error)
{
	if (each_change(&writer->sql, since, writer->logged, each, context))
		return true;
	certdir_error_set(error, "%s: reading failed: %s", writer->edition.temporary, sqlite3_errmsg(writer->sql.db));
	return false;
}
