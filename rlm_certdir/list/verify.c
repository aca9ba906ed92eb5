/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/schema.h"
#include "list/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN = 20 };

/*
 * Values that several rows have: out of the index alone, without a look at a million devices. Whether these are listed and of one
 * source is asked of the few that remain.
 */
#define REPEATED(column) "SELECT " column " v FROM device WHERE " column " IS NOT NULL GROUP BY 1 HAVING count(*)>1"

/*
 * Listed devices of one source that share what only one should have. Sources may know the same device, and a tenant's Entra and
 * Intune records of it are one row.
 */
#define TWINS(column)                                                                                                  \
	"SELECT '" column " '||t.v||' stands in '||count(*)||' devices of source '||o.name||': '||group_concat("       \
	"coalesce('\"'||d.name||'\"','row '||d.id),', ') FROM (" REPEATED(                                             \
		column) ") t CROSS JOIN device d ON d." column                                                         \
			"=t.v AND d.listed JOIN source o ON o.id=d.source GROUP BY t.v,d.source HAVING count(*)>1"

#define DAMAGE(check) "SELECT 'the database image is damaged: '||" check " FROM pragma_" check " WHERE " check "<>'ok'"

/* Each gives a row for each problem: a text for people. */
static const char *const checks[] = {
	"SELECT 'table '||\"table\"||' row '||coalesce(rowid,'?')||' refers to a missing row of '||parent "
	"FROM pragma_foreign_key_check",
	/* What readers go by is what the writer counted. */
	"SELECT 'source '||s.name||' says that it has '||s.devices||' devices, and has '||count(d.id) FROM source s "
	"LEFT JOIN device d ON "
	"d.source=s.id AND d.listed GROUP BY s.id HAVING count(d.id)<>s.devices",
	TWINS("entra_device_id"),
	TWINS("intune_device_id"),
	TWINS("sid"),
	TWINS("udid"),
	TWINS("serial_number"),
};

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

static int64_t run_check(struct certdir_list_reader *reader, const char *sql,
			 void (*problem)(void *context, const char *text), void *context, struct certdir_error *error)
{
	sqlite3_stmt *stmt = NULL;
	int64_t count = 0;
	char text[64];
	int rc;

	rc = sqlite3_prepare_v2(reader->db, sql, -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
			if (count++ < SHOWN)
				problem(context, (const char *)sqlite3_column_text(stmt, 0));
	if (count > SHOWN) {
		(void)snprintf(text, sizeof(text), "and %" PRId64 " more of this kind", count - SHOWN);
		problem(context, text);
	}
	if (rc != SQLITE_DONE) {
		certdir_error_set(error, "%s: reading failed: %s", reader->snapshot->filename,
				  sqlite3_errmsg(reader->db));
		count = -1;
	}
	sqlite3_finalize(stmt);
	return count;
}

int64_t certdir_list_verify(struct certdir_list_reader *reader, bool indexes,
			    void (*problem)(void *context, const char *text), void *context,
			    struct certdir_error *error)
{
	int64_t total =
		run_check(reader, indexes ? DAMAGE("integrity_check") : DAMAGE("quick_check"), problem, context, error);

	if (total < 0)
		return -1;
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		int64_t count = run_check(reader, checks[i], problem, context, error);

		if (count < 0)
			return -1;
		total += count;
	}
	return total;
}

bool certdir_list_shared(struct certdir_list_reader *reader, struct certdir_list_shared *out,
			 struct certdir_error *error)
{
	sqlite3_stmt *stmt = NULL;
	int rc;

	memset(out, 0, sizeof(*out));
	rc = sqlite3_prepare_v2(reader->db, shared, -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*out = (struct certdir_list_shared){.names = (size_t)sqlite3_column_int64(stmt, 0),
						    .devices = (size_t)sqlite3_column_int64(stmt, 1),
						    .serials = (size_t)sqlite3_column_int64(stmt, 2)};
	else
		certdir_error_set(error, "%s: reading failed: %s", reader->snapshot->filename,
				  sqlite3_errmsg(reader->db));
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW;
}
