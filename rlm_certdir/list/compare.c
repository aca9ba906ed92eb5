/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The devices of an imported source before and after: what the guard, the change log and a dry run go by. */
#include "list/schema.h"
#include "list/writer.h"

#define KEPT "7776000" /* seconds for which an import's changes are logged: 90 days, the default of certdir.conf */

/* ---- before ---- */

/* A device is known by the first of these that it has. */
#define KEYS(_) _(entra_device_id) _(intune_device_id) _(object_id) _(udid) _(serial_number) _(sid) _(name)
#define KEY(column) "WHEN " #column " IS NOT NULL THEN '" #column "' "
#define VALUE(column) #column ","

static const char make_tables[] =
	"CREATE TEMP TABLE IF NOT EXISTS had(id INTEGER PRIMARY KEY,key TEXT,value TEXT COLLATE NOCASE,device TEXT,"
	"name TEXT,enabled INTEGER,compliance TEXT);DELETE FROM had;"
	"CREATE TEMP TABLE IF NOT EXISTS pair(had INTEGER PRIMARY KEY,now INTEGER NOT NULL);DELETE FROM pair;"
	"CREATE INDEX IF NOT EXISTS temp.pair_by_now ON pair(now)";

#define NOTE(schema)                                                                                                   \
	"INSERT INTO had(key,value,device,name,enabled,compliance) SELECT CASE " KEYS(KEY) "END,coalesce(" KEYS(       \
		VALUE) "NULL)," CERTDIR_LIST_CALLED("") ",name,enabled,compliance FROM " schema                        \
							".device WHERE source=(SELECT id FROM " schema                 \
							".source WHERE name=?1) ORDER BY id"
#define COUNT(schema) "SELECT coalesce(sum(devices),0) FROM " schema ".source"
#define IS_SYNCED(schema) "SELECT 1 FROM " schema ".source WHERE name=?1 AND kind<>'import'"

/* The published list beside the new one, as "present"; false when there is none, or none that can be believed. */
static bool attach_present(struct certdir_list_writer *writer, struct certdir_list_draft *present)
{
	struct certdir_error unfit;

	if (!certdir_list_edition_replaces(&writer->edition) ||
	    !certdir_list_draft_open(present, writer->edition.filename, &unfit) ||
	    !certdir_list_database_attach(writer->sql.db, &certdir_list_draft_pages, present, "present"))
		return false;
	if (certdir_list_database_is_ours(writer->sql.db, "present", writer->edition.filename, &unfit))
		return true;
	(void)sqlite3_exec(writer->sql.db, "DETACH present", NULL, NULL, NULL);
	return false;
}

bool certdir_list_writer_note(struct certdir_list_writer *writer, const char *name, struct certdir_error *error)
{
	const struct certdir_sql_values named = SQL_VALUES(SQL_TEXT(name));
	struct certdir_list_draft list;
	bool synced, noted, present;
	int64_t any;

	if (!certdir_list_writer_run(writer, make_tables, error))
		return false;
	certdir_list_draft_init(&list, -1, NULL);
	present = !writer->edition.goes_on && attach_present(writer, &list);
	synced = certdir_sql_number(&writer->sql, &any, present ? IS_SYNCED("present") : IS_SYNCED("main"), named) == 1;
	noted = certdir_sql_run(&writer->sql, present ? NOTE("present") : NOTE("main"), named) &&
		certdir_sql_number(&writer->sql, &writer->had, present ? COUNT("present") : COUNT("main"),
				   SQL_NOTHING) >= 0;
	if (present)
		(void)sqlite3_exec(writer->sql.db, "DETACH present", NULL, NULL, NULL);
	certdir_list_draft_clear(&list);
	if (synced) {
		certdir_error_set(error,
				  "source \"%s\" is one that `certdir sync` fills: choose another name, with --source",
				  name);
		return false;
	}
	/* A published list that cannot be read is what --replace is for. */
	return present || noted || certdir_list_writer_fail(writer, error);
}

/* ---- after: ?1 is the source, ?2 the time ---- */

/* Names may stand several times: the first of a value goes with the first of it, and so on. */
#define PAIR(column)                                                                                                   \
	"INSERT OR IGNORE INTO pair SELECT h.id,d.id FROM "                                                            \
	"(SELECT id,value,row_number() OVER (PARTITION BY value ORDER BY id) n FROM had WHERE key='" #column "') h "   \
	"JOIN (SELECT id," #column " v,row_number() OVER (PARTITION BY " #column " ORDER BY id) n FROM main.device "   \
	"WHERE source=?1 AND " #column " IS NOT NULL AND EXISTS(SELECT 1 FROM had WHERE key='" #column "')) d "        \
	"ON d.v=h.value AND d.n=h.n",

static const char *const pairs[] = {KEYS(PAIR)};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#define LOST "FROM had WHERE id NOT IN (SELECT had FROM pair)"
#define ADDED "FROM main.device WHERE source=?1 AND id NOT IN (SELECT now FROM pair)"
#define BOTH "FROM pair p JOIN had h ON h.id=p.had JOIN main.device d ON d.id=p.now"
#define RENAMED "coalesce(h.name,'')<>coalesce(d.name,'') COLLATE NOCASE"
#define SWITCHED "h.enabled IS NOT d.enabled"
#define JUDGED "coalesce(h.compliance,'unknown')<>coalesce(d.compliance,'unknown')"
#define YES_NO(value) "CASE " value " WHEN 1 THEN 'yes' WHEN 0 THEN 'no' END"
#define LOG                                                                                                            \
	"INSERT INTO change(at,source,device,name,what,before,after) SELECT ?2,(SELECT name FROM source WHERE id=?1),"
#define NOW_CALLED CERTDIR_LIST_CALLED("d.") ",d.name,"

static const char count[] = "SELECT (SELECT count(*) FROM had),(SELECT count(*) " LOST "),(SELECT count(*) " ADDED
			    "),(SELECT count(DISTINCT p.now) " BOTH " WHERE " RENAMED " OR " SWITCHED " OR " JUDGED ")";

static const char *const logs[] = {
	LOG "device,name,'removed',NULL,NULL " LOST " ORDER BY id",
	LOG CERTDIR_LIST_CALLED("") ",name,'added',NULL,NULL " ADDED " ORDER BY id",
	LOG NOW_CALLED "'renamed',h.name,d.name " BOTH " WHERE " RENAMED " ORDER BY d.id",
	LOG NOW_CALLED "'enabled'," YES_NO("h.enabled") "," YES_NO("d.enabled") " " BOTH " WHERE " SWITCHED
										" ORDER BY d.id",
	LOG NOW_CALLED "'compliance',h.compliance,d.compliance " BOTH " WHERE " JUDGED " ORDER BY d.id",
	"DELETE FROM change WHERE source=(SELECT name FROM source WHERE id=?1) AND at<?2-" KEPT,
};

bool certdir_list_write_compare(struct certdir_list_writer *writer, struct certdir_list_compared *compared,
				struct certdir_error *error)
{
	const struct certdir_sql_values source = SQL_VALUES(SQL_NUMBER(writer->source));
	bool ok = certdir_list_writer_run(writer, "DELETE FROM pair", error);
	sqlite3_stmt *stmt;

	*compared = (struct certdir_list_compared){0};
	for (size_t i = 0; ok && i < LENGTH(pairs); i++)
		ok = certdir_list_writer_do(writer, pairs[i], source, error);
	if (!ok)
		return false;
	stmt = certdir_sql_ask(&writer->sql, count, source);
	ok = certdir_list_writer_next(writer, stmt, error) == 1;
	if (ok)
		*compared = (struct certdir_list_compared){.listed = (size_t)writer->had,
							   .before = (size_t)sqlite3_column_int64(stmt, 0),
							   .lost = (size_t)sqlite3_column_int64(stmt, 1),
							   .added = (size_t)sqlite3_column_int64(stmt, 2),
							   .changed = (size_t)sqlite3_column_int64(stmt, 3)};
	(void)sqlite3_reset(stmt);
	return ok;
}

bool certdir_list_write_log(struct certdir_list_writer *writer, int64_t at, struct certdir_error *error)
{
	const struct certdir_sql_values values = SQL_VALUES(SQL_NUMBER(writer->source), SQL_NUMBER(at));

	for (size_t i = 0; i < LENGTH(logs); i++)
		if (!certdir_list_writer_do(writer, logs[i], values, error))
			return false;
	return true;
}
