/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked of all devices at once, for people. */
#include <string.h>

#include "list/reader.h"
#include "list/schema.h"

bool certdir_list_numbers(struct certdir_list_reader *reader, int64_t source, struct certdir_list_numbers *numbers,
			  struct certdir_error *error)
{
	sqlite3_stmt *stmt =
		certdir_sql_ask(&reader->sql,
				"SELECT count(*),total(" CERTDIR_LIST_COMPLIANCE "='compliant'),total(d.enabled=0),"
				"count(d.intune_device_id) FROM device d WHERE d.source=?1 AND d.listed",
				SQL_VALUES(SQL_NUMBER(source)));

	memset(numbers, 0, sizeof(*numbers));
	if (certdir_sql_next(stmt) != 1)
		return certdir_list_reader_fail(reader, error);
	*numbers = (struct certdir_list_numbers){
		.devices = (size_t)sqlite3_column_int64(stmt, 0),
		.compliant = (size_t)sqlite3_column_int64(stmt, 1),
		.disabled = (size_t)sqlite3_column_int64(stmt, 2),
		.intune = (size_t)sqlite3_column_int64(stmt, 3),
	};
	(void)sqlite3_reset(stmt);
	return true;
}

static bool ask_group(struct certdir_list_reader *reader, const char *sql, const char *group, bool *yes,
		      struct certdir_error *error)
{
	int64_t answer;
	const int found = certdir_sql_number(&reader->sql, &answer, sql, SQL_VALUES(SQL_TEXT(group)));

	*yes = answer != 0;
	return found == 1 || certdir_list_reader_fail(reader, error);
}

#define NAMED_GROUP                                                                                                    \
	"SELECT EXISTS(SELECT 1 FROM grp g WHERE (g.name=?1 COLLATE NOCASE OR g.object_id=?1 COLLATE NOCASE OR "       \
	"g.sid=?1 COLLATE NOCASE)"

bool certdir_list_has_group(struct certdir_list_reader *reader, const char *group, bool *has,
			    struct certdir_error *error)
{
	return ask_group(reader, NAMED_GROUP " AND EXISTS(SELECT 1 FROM device_group m WHERE m.grp=g.id))", group, has,
			 error);
}

bool certdir_list_knows_group(struct certdir_list_reader *reader, const char *group, bool *knows,
			      struct certdir_error *error)
{
	return ask_group(reader, NAMED_GROUP ")", group, knows, error);
}

#define REPEATED(column) "SELECT " column " v FROM device WHERE " column " IS NOT NULL GROUP BY 1 HAVING count(*)>1"

/* Names as certificates carry them, Intune's among them: the index of those has only what differs from the name. */
static const char shared[] = "WITH repeated(v) AS (" REPEATED(
	"name") " UNION SELECT intune_name FROM device"
		" WHERE intune_name IS NOT NULL AND intune_name IS NOT name),"
		"named(name,source,id) AS MATERIALIZED ("
		"SELECT r.v COLLATE NOCASE,d.source,d.id FROM repeated r CROSS JOIN device d ON d.name=r.v WHERE "
		"d.listed"
		" UNION SELECT r.v,d.source,d.id FROM repeated r CROSS JOIN device d ON d.intune_name=r.v"
		" AND d.intune_name IS NOT d.name WHERE d.listed),"
		"twins(name,source) AS MATERIALIZED (SELECT name,source FROM named GROUP BY 1,2 HAVING count(*)>1) "
		"SELECT (SELECT count(*) FROM twins),"
		"(SELECT count(DISTINCT n.id) FROM named n JOIN twins t ON t.name=n.name AND t.source=n.source),"
		"(SELECT count(*) FROM (SELECT 1 FROM (" REPEATED(
			"serial_number") ") r CROSS JOIN device d ON d.serial_number=r.v WHERE d.listed "
					 "GROUP BY r.v,d.source HAVING count(*)>1))";

bool certdir_list_shared(struct certdir_list_reader *reader, struct certdir_list_shared *out,
			 struct certdir_error *error)
{
	sqlite3_stmt *stmt = certdir_sql_ask(&reader->sql, shared, SQL_NOTHING);

	memset(out, 0, sizeof(*out));
	if (certdir_sql_next(stmt) != 1)
		return certdir_list_reader_fail(reader, error);
	*out = (struct certdir_list_shared){.names = (size_t)sqlite3_column_int64(stmt, 0),
					    .devices = (size_t)sqlite3_column_int64(stmt, 1),
					    .serials = (size_t)sqlite3_column_int64(stmt, 2)};
	(void)sqlite3_reset(stmt);
	return true;
}
