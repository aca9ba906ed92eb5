/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/schema.h"
#include "list/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN = 20 };

/* Devices that share an immutable id, named with their sources. One that a tenant knows better is not found by it. */
#define TWINS(column)                                                                                                  \
	"SELECT '" column                                                                                              \
	" '||v||' stands in '||count(*)||' devices: '||group_concat(label,', ') FROM (SELECT d." column                \
	" v,coalesce('\"'||d.name||'\"','row '||d.id)||' of source '||o.name label FROM device d JOIN source o ON "    \
	"o.id=d.source WHERE d.listed AND v IN (SELECT " column " FROM device WHERE listed AND " column                \
	" IS NOT NULL GROUP BY 1 HAVING count(*)>1)" CERTDIR_LIST_UNLESS_BEATEN(                                       \
		column, "d." column) ") GROUP BY v HAVING count(*)>1"

/* Each gives a row for each problem: a text for people. */
static const char *const checks[] = {
	"SELECT 'the database image is damaged: '||integrity_check FROM pragma_integrity_check "
	"WHERE integrity_check<>'ok'",
	"SELECT 'table '||\"table\"||' row '||coalesce(rowid,'?')||' refers to a missing row of '||parent "
	"FROM pragma_foreign_key_check",
	TWINS("entra_device_id"),
	TWINS("intune_device_id"),
	TWINS("sid"),
};

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

int64_t certdir_list_verify(struct certdir_list_reader *reader, void (*problem)(void *context, const char *text),
			    void *context, struct certdir_error *error)
{
	int64_t total = 0;

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		int64_t count = run_check(reader, checks[i], problem, context, error);

		if (count < 0)
			return -1;
		total += count;
	}
	return total;
}
