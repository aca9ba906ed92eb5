/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a true seal does not rule out. */
#include <inttypes.h>
#include <stdio.h>

#include "list/reader.h"
#include "list/schema.h"
#include "list/writer.h"

enum { SHOWN = 20 };
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Values that several rows have: out of the index alone, without a look at a million devices. Whether these are listed and of one
 * source is asked of the few that remain.
 */
#define REPEATED(column, of)                                                                                           \
	"SELECT " column " v FROM device WHERE " column " IS NOT NULL" of " GROUP BY 1 HAVING count(*)>1"

/*
 * Listed devices of one source that share what only one should have. Sources may know the same device, and a tenant's Entra and
 * Intune records of it are one row.
 */
#define TWINS(column, of)                                                                                              \
	"SELECT '" column " '||t.v||' stands in '||count(*)||' devices of source '||o.name||': '||group_concat("       \
	"coalesce('\"'||d.name||'\"','row '||d.id),', ') FROM (" REPEATED(                                             \
		column, of) ") t CROSS JOIN device d ON d." column "=t.v AND d.listed" of                              \
			    " JOIN source o ON o.id=d.source GROUP BY t.v,d.source HAVING count(*)>1"

#define ALL_TWINS(of)                                                                                                  \
	TWINS("entra_device_id", of), TWINS("intune_device_id", of), TWINS("sid", of), TWINS("udid", of),              \
		TWINS("serial_number", of)

#define DAMAGE(check) "SELECT 'the database image is damaged: '||" check " FROM pragma_" check " WHERE " check "<>'ok'"

/* Each gives a row for each problem: a text for people. */
static const char *const checks[] = {
	DAMAGE("integrity_check"),
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
	ALL_TWINS(""),
};

/* The same of one source, ?1. */
static const char *const twins[] = {ALL_TWINS(" AND source=?1")};

/* How many problems it finds, or -1: sqlite3_errmsg() says why. */
static int64_t run_check(struct certdir_sql *sql, const char *check, struct certdir_sql_values values,
			 void (*problem)(void *context, const char *text), void *context)
{
	sqlite3_stmt *stmt = certdir_sql_ask(sql, check, values);
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
	return found == 0 ? count : -1;
}

static int64_t run_checks(struct certdir_sql *sql, const char *const *list, size_t length,
			  struct certdir_sql_values values, void (*problem)(void *context, const char *text),
			  void *context)
{
	int64_t total = 0;

	for (size_t i = 0; i < length && total >= 0; i++) {
		const int64_t count = run_check(sql, list[i], values, problem, context);

		total = count < 0 ? -1 : total + count;
	}
	return total;
}

int64_t certdir_list_verify(struct certdir_list_reader *reader, void (*problem)(void *context, const char *text),
			    void *context, struct certdir_error *error)
{
	const int64_t total = run_checks(&reader->sql, checks, LENGTH(checks), SQL_NOTHING, problem, context);

	if (total < 0)
		(void)certdir_list_reader_fail(reader, error);
	return total;
}

bool certdir_list_write_twins(struct certdir_list_writer *writer, void (*problem)(void *context, const char *text),
			      void *context, struct certdir_error *error)
{
	return certdir_list_writer_run(writer, certdir_list_indexes, error) &&
	       (run_checks(&writer->sql, twins, LENGTH(twins), SQL_VALUES(SQL_NUMBER(writer->source)), problem,
			   context) >= 0 ||
		certdir_list_writer_fail(writer, error));
}
