/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/database.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "list/schema.h"

/*
 * SQLite counts its memory under one lock for all threads of the process, several times a lookup, and Debian's is built
 * without the lookaside that would spare it. Nobody in radiusd asks for that count. Where the library is in use already, by
 * rlm_sql_sqlite, say, it declines, and all is as before but slower.
 */
static void count_no_memory(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* Before SQLite is used for anything else. */
static void configure(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, count_no_memory);
}

/*
 * What a file could have SQLite do beyond giving its rows. "Defensive" also forbids to switch the journal off, which a writer does
 * in the copy that is its own.
 */
static bool disarm(sqlite3 *db, bool writes)
{
	static const struct {
		int what, on;
	} switches[] = {
		{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},	    {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
		{SQLITE_DBCONFIG_ENABLE_VIEW, 0},	    {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
		{SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0},
	};
	static const struct {
		int what, most;
	} limits[] = {
		{SQLITE_LIMIT_LENGTH, 64 << 20}, /* bytes of a value or row: Graph's longest text has a thousand */
		{SQLITE_LIMIT_SQL_LENGTH, 1 << 20}, {SQLITE_LIMIT_COLUMN, 100},
		{SQLITE_LIMIT_ATTACHED, 1}, /* of the published list beside a new one */
		{SQLITE_LIMIT_TRIGGER_DEPTH, 1},    {SQLITE_LIMIT_WORKER_THREADS, 0},
	};

	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
		if (sqlite3_db_config(db, switches[i].what, switches[i].on, NULL) != SQLITE_OK)
			return false;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		(void)sqlite3_limit(db, limits[i].what, limits[i].most);
	return writes || sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) == SQLITE_OK;
}

bool certdir_list_database_open(const char *filename, bool writes, sqlite3 **db)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
			  (writes ? SQLITE_OPEN_NOFOLLOW : 0);

	configure();
	return sqlite3_open_v2(filename, db, flags, NULL) == SQLITE_OK && disarm(*db, writes);
}

bool certdir_list_database_pages(const struct certdir_list_pages *pages, void *context, const char *name, bool writes,
				 sqlite3 **db)
{
	const char *vfs;
	bool ok;

	configure();
	*db = NULL;
	vfs = certdir_list_vfs();
	if (!vfs)
		return false;
	certdir_list_vfs_next(pages, context);
	ok = sqlite3_open_v2(name, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, vfs) ==
		     SQLITE_OK &&
	     disarm(*db, writes);
	certdir_list_vfs_next(NULL, NULL);
	return ok;
}

bool certdir_list_database_attach(sqlite3 *db, const struct certdir_list_pages *pages, void *context,
				  const char *schema)
{
	char sql[80];
	bool ok;

	(void)snprintf(sql, sizeof(sql), "ATTACH '%.20s' AS %.20s", schema, schema);
	certdir_list_vfs_next(pages, context);
	ok = sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
	certdir_list_vfs_next(NULL, NULL);
	return ok;
}

/* ---- the schema ---- */

enum { KIND, NAME, TABLE, SQL, SCHEMA_COLUMNS };

static sqlite3_stmt *list_schema(sqlite3 *db, const char *database)
{
	sqlite3_stmt *stmt = NULL;
	char sql[120];

	(void)snprintf(sql, sizeof(sql), "SELECT type,name,tbl_name,sql FROM %s.sqlite_schema ORDER BY type,name",
		       database);
	(void)sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	return stmt;
}

static const char *column(sqlite3_stmt *row, int at)
{
	const char *text = (const char *)sqlite3_column_text(row, at);

	return text ? text : "";
}

static int compare_names(sqlite3_stmt *a, sqlite3_stmt *b)
{
	const int kinds = strcmp(column(a, KIND), column(b, KIND));

	return kinds ? kinds : strcmp(column(a, NAME), column(b, NAME));
}

static bool is_same(sqlite3_stmt *a, sqlite3_stmt *b)
{
	for (int i = 0; i < SCHEMA_COLUMNS; i++)
		if (strcmp(column(a, i), column(b, i)) != 0)
			return false;
	return true;
}

static bool foreign(sqlite3_stmt *row, const char *what, const char *filename, struct certdir_error *error)
{
	certdir_error_set(
		error,
		"%s: its %.20s %.60s is %s: something other than this version of certdir has changed its tables; move "
		"it away and publish it again with `certdir sync` or `certdir list import`",
		filename, column(row, KIND), column(row, NAME), what);
	return false;
}

/* Both in one order, side by side. */
static bool compare(sqlite3 *db, sqlite3_stmt *theirs, sqlite3_stmt *ours, const char *filename,
		    struct certdir_error *error)
{
	for (;;) {
		const int their = sqlite3_step(theirs), our = sqlite3_step(ours);

		if ((their != SQLITE_ROW && their != SQLITE_DONE) || (our != SQLITE_ROW && our != SQLITE_DONE)) {
			certdir_error_set(error, "%s: its tables cannot be read: %s", filename, sqlite3_errmsg(db));
			return false;
		}
		if (their == SQLITE_DONE && our == SQLITE_DONE)
			return true;
		if (our == SQLITE_DONE || (their == SQLITE_ROW && compare_names(theirs, ours) < 0))
			return foreign(theirs, "foreign", filename, error);
		if (their == SQLITE_DONE || compare_names(theirs, ours) > 0)
			return foreign(ours, "missing", filename, error);
		if (!is_same(theirs, ours))
			return foreign(theirs, "not the same", filename, error);
	}
}

bool certdir_list_database_is_ours(sqlite3 *db, const char *database, const char *filename, struct certdir_error *error)
{
	sqlite3_stmt *theirs = list_schema(db, database), *ours = NULL;
	sqlite3 *model = NULL;
	bool ok = false;

	if (!certdir_list_database_open(":memory:", true, &model) ||
	    sqlite3_exec(model, certdir_list_schema, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_exec(model, certdir_list_indexes, NULL, NULL, NULL) != SQLITE_OK ||
	    !(ours = list_schema(model, "main")))
		certdir_error_set(error, "%s: what its tables should be cannot be worked out: %s", filename,
				  sqlite3_errmsg(model));
	else if (!theirs)
		certdir_error_set(error, "%s: its tables cannot be read: %s", filename, sqlite3_errmsg(db));
	else
		ok = compare(db, theirs, ours, filename, error);
	sqlite3_finalize(ours);
	sqlite3_finalize(theirs);
	(void)sqlite3_close(model);
	return ok;
}

/* ---- how far a query may go ---- */

static int use_steps(void *context)
{
	struct certdir_list_steps *steps = context;

	if (steps->thousands == 0)
		return 1;
	steps->thousands--;
	return 0;
}

void certdir_list_database_bound(sqlite3 *db, struct certdir_list_steps *steps)
{
	sqlite3_progress_handler(db, 1000, steps ? use_steps : NULL, steps);
}

bool certdir_list_database_look(const char *filename, sqlite3 **db)
{
	static const char tail[] = "?immutable=1";
	char *uri = malloc(sizeof("file:") + strlen(filename) * 3 + sizeof(tail)), *at;
	int rc = SQLITE_NOMEM;

	*db = NULL;
	configure();
	if (!uri)
		return false;
	/* https://www.sqlite.org/uri.html: what would end the name, and the escape itself, are escaped. */
	at = stpcpy(uri, "file:");
	for (; *filename; filename++)
		at += sprintf(at, strchr("%?#", *filename) ? "%%%02X" : "%c", (unsigned char)*filename);
	strcpy(at, tail);
	rc = sqlite3_open_v2(
		uri, db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
	free(uri);
	return rc == SQLITE_OK && disarm(*db, false);
}

bool certdir_list_database_temporary(const char *directory)
{
	char *copy;

	configure();
	copy = directory ? sqlite3_mprintf("%s", directory) : NULL;
	sqlite3_free(sqlite3_temp_directory);
	sqlite3_temp_directory = copy;
	return copy || !directory;
}
