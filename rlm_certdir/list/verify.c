/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a true seal does not rule out. */
#include <inttypes.h>
#include <stdio.h>

#include "list/reader.h"

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
	"SELECT 'source '||s.name||' says that it has '||s.certificates||' issued certificates, and has "
	"'||coalesce(c.n,0) "
	"FROM source s LEFT JOIN (SELECT source,count(*) n FROM certificate GROUP BY source) c ON c.source=s.id "
	"WHERE s.certificates<>coalesce(c.n,0)",
	TWINS("entra_device_id"),
	TWINS("intune_device_id"),
	TWINS("sid"),
	TWINS("udid"),
	TWINS("serial_number"),
};

static int64_t run_check(struct certdir_list_reader *reader, const char *sql,
			 void (*problem)(void *context, const char *text), void *context, struct certdir_error *error)
{
	sqlite3_stmt *stmt = certdir_sql_ask(&reader->sql, sql, SQL_NOTHING);
	int64_t count = 0;
	char text[64];
	int found;

	while ((found = certdir_sql_next(stmt)) == 1)
		if (count++ < SHOWN)
			problem(context, certdir_sql_text_at(stmt, 0));
	if (count > SHOWN) {
		(void)snprintf(text, sizeof(text), "and %" PRId64 " more of this kind", count - SHOWN);
		problem(context, text);
	}
	if (found == 0)
		return count;
	(void)certdir_list_reader_fail(reader, error);
	return -1;
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
