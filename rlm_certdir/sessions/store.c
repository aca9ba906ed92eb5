/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sessions/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/permissions.h"
#include "list/database.h"
#include "list/lock.h"
#include "list/sql.h"
#include "text/hex.h"

enum { PATIENCE = 5000 }; /* milliseconds that one writer waits for the other */

#define VERSION "1"

/* In the order of enum certdir_session_field, and then of the numbers in number_of(). */
#define COLUMNS                                                                                                        \
	"id,client,acct_session_id,acct_multi_session_id,calling_station_id,user_name,nas_identifier,nas_ip_address,"  \
	"nas_ipv6_address,nas_port,nas_port_id,called_station_id,framed_ip_address,framed_ipv6_address,class,judged,"  \
	"next,"                                                                                                        \
	"reason,issued,started,heard,said,expires,interval,state,denied,attempts,again,answered,outcome,cause"

enum { ID, CLIENT, TEXTS, REASON = TEXTS + CERTDIR_SESSION_FIELDS, NUMBERS, NUMBER_COUNT = 13 };
enum { COLUMN_COUNT = NUMBERS + NUMBER_COUNT };

struct certdir_session_store {
	struct certdir_sql sql;
	char *filename;
	int lock; /* -1: another one may write, too */
};

static bool failed(const struct certdir_session_store *store, const char *what, struct certdir_error *error)
{
	certdir_error_set(error, "%s cannot be %s: %s", store->filename, what,
			  store->sql.db ? sqlite3_errmsg(store->sql.db) : "out of memory");
	return false;
}

static bool execute(struct certdir_session_store *store, const char *sql)
{
	return sqlite3_exec(store->sql.db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* ---- open ---- */

void certdir_session_store_close(struct certdir_session_store *store)
{
	if (!store)
		return;
	certdir_sql_close(&store->sql);
	if (store->lock >= 0)
		(void)close(store->lock);
	free(store->filename);
	free(store);
}

/* With its directories resolved: SQLite then follows no symbolic link at all. */
static struct certdir_session_store *new_store(const char *filename, struct certdir_error *error)
{
	struct certdir_session_store *store = calloc(1, sizeof(*store));

	if (store) {
		store->lock = -1;
		store->filename = realpath(filename, NULL);
	}
	if (store && store->filename)
		return store;
	certdir_error_set(
		error, "%s cannot be opened: %s%s", filename, strerror(errno),
		errno == ENOENT ? "; a server makes it at its start, with sessions { } in mods-available/certdir" : "");
	free(store);
	return NULL;
}

/* Whether a pragma gives that word. */
static bool pragma_says(struct certdir_session_store *store, const char *pragma, const char *word)
{
	sqlite3_stmt *stmt = NULL;
	bool same = false;

	if (sqlite3_prepare_v2(store->sql.db, pragma, -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW) {
		const char *text = certdir_sql_text_at(stmt, 0);

		same = text && strcmp(text, word) == 0;
	}
	(void)sqlite3_finalize(stmt);
	return same;
}

static bool make_tables(struct certdir_session_store *store)
{
	return execute(store,
		       "BEGIN IMMEDIATE;"
		       "CREATE TABLE session (id INTEGER PRIMARY KEY,client TEXT NOT NULL,"
		       "acct_session_id TEXT NOT NULL,acct_multi_session_id TEXT,calling_station_id TEXT,"
		       "user_name TEXT,nas_identifier TEXT,nas_ip_address TEXT,nas_ipv6_address TEXT,"
		       "nas_port TEXT,nas_port_id TEXT,called_station_id TEXT,framed_ip_address TEXT,"
		       "framed_ipv6_address TEXT,class TEXT NOT NULL,judged TEXT,next TEXT,reason TEXT,issued INTEGER,"
		       "started INTEGER,heard INTEGER,said INTEGER,expires INTEGER,interval INTEGER,"
		       "state INTEGER,denied INTEGER,attempts INTEGER,again INTEGER,answered INTEGER,"
		       "outcome INTEGER,cause INTEGER);"
		       "CREATE TABLE secret (name TEXT PRIMARY KEY,value TEXT NOT NULL);"
		       "CREATE TABLE release (asked INTEGER PRIMARY KEY);"
		       "PRAGMA user_version=" VERSION ";"
		       "COMMIT");
}

/* Whether what failed says that the file is no good, and not that it cannot be reached. */
static bool is_damage(const struct certdir_session_store *store)
{
	const int code = sqlite3_errcode(store->sql.db);

	return code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_ERROR || code == SQLITE_OK ||
	       code == SQLITE_DONE || code == SQLITE_ROW;
}

/* An empty file is a new one. False: see is_damage(). */
static bool prepare(struct certdir_session_store *store)
{
	if (!certdir_list_database_open(store->filename, true, &store->sql.db) ||
	    sqlite3_busy_timeout(store->sql.db, PATIENCE) != SQLITE_OK ||
	    !pragma_says(store, "PRAGMA journal_mode=WAL", "wal") || !execute(store, "PRAGMA synchronous=NORMAL"))
		return false;
	if (pragma_says(store, "PRAGMA schema_version", "0"))
		return make_tables(store);
	return pragma_says(store, "PRAGMA user_version", VERSION) &&
	       pragma_says(store, "PRAGMA quick_check(1)", "ok") &&
	       certdir_sql_ask(&store->sql, "SELECT " COLUMNS " FROM session ORDER BY id", SQL_NOTHING) &&
	       certdir_sql_ask(&store->sql, "SELECT value FROM secret WHERE name=?1", SQL_VALUES(SQL_TEXT("key"))) &&
	       certdir_sql_ask(&store->sql, "SELECT COUNT(*) FROM release", SQL_NOTHING);
}

static bool rename_to(const char *filename, const char *end, const char *damaged)
{
	char *from = certdir_print("%s%s", filename, end), *to = certdir_print("%s%s%s", filename, damaged, end);
	const bool ok = from && to && (rename(from, to) == 0 || (errno == ENOENT && end[0]));

	free(from);
	free(to);
	return ok;
}

/* Together with what belongs to it, so that sqlite3(1) may still read it. */
static bool set_aside(const struct certdir_session_store *store)
{
	char *shared = certdir_print("%s-shm", store->filename);

	if (shared)
		(void)unlink(shared);
	free(shared);
	return rename_to(store->filename, "-wal", ".damaged") && rename_to(store->filename, "", ".damaged");
}

static bool make_file(const char *filename, struct certdir_error *error)
{
	const int file = certdir_permissions_open(filename, 0640);

	if (file < 0)
		certdir_error_set(error, "%s cannot be opened: %s", filename, strerror(errno));
	else
		(void)close(file);
	return file >= 0;
}

static struct certdir_session_store *open_locked(const char *filename, struct certdir_error *error)
{
	for (int attempt = 0;; attempt++) {
		struct certdir_session_store *store = make_file(filename, error) ? new_store(filename, error) : NULL;

		if (!store || prepare(store))
			return store;
		(void)failed(store, "used", error);
		if (attempt == 0 && is_damage(store) && set_aside(store)) {
			certdir_log(
				CERTDIR_LOG_ERROR,
				"%s is damaged or of another version (%s): it is kept as %s.damaged. The sessions in "
				"it "
				"are not known any more, until their network devices send an Interim-Update; where no "
				"key_file is set, until they log in again",
				filename, sqlite3_errmsg(store->sql.db), filename);
			certdir_session_store_close(store);
			continue;
		}
		certdir_session_store_close(store);
		return NULL;
	}
}

/*
 * A second server, or a second certdir { } that has the same file, would take this one's sessions away. The lock comes first: who opens the
 * file and closes it again takes SQLite's locks away from all of his process.
 */
static int lock_file(const char *filename, struct certdir_error *error)
{
	char *directory = certdir_file_directory(filename);
	int lock = -1;

	if (directory)
		lock = certdir_list_lock(filename, directory, 0, error);
	else
		certdir_error_set(error, "out of memory");
	free(directory);
	return lock;
}

struct certdir_session_store *certdir_session_store_open(const char *filename, struct certdir_error *error)
{
	const int lock = lock_file(filename, error);
	struct certdir_session_store *store = lock >= 0 ? open_locked(filename, error) : NULL;

	if (store)
		store->lock = lock;
	else if (lock >= 0)
		(void)close(lock);
	return store;
}

/* Of a directory, SQLite would say that the disk has an error. */
static bool is_other(const char *filename, struct certdir_error *error)
{
	struct stat status;

	if (stat(filename, &status) != 0 || S_ISREG(status.st_mode))
		return false;
	certdir_error_set(error, "%s is no file of sessions: name the file that sessions { filename } names", filename);
	return true;
}

struct certdir_session_store *certdir_session_store_look(const char *filename, struct certdir_error *error)
{
	struct certdir_session_store *store = is_other(filename, error) ? NULL : new_store(filename, error);
	char *log = store ? certdir_print("%s-wal", store->filename) : NULL;
	bool ok;

	if (!store)
		return NULL;
	/* Without a server at it, there is no journal, and who may only read could not make one. */
	ok = log && (access(log, F_OK) == 0 ? certdir_list_database_open(store->filename, false, &store->sql.db)
					    : certdir_list_database_look(store->filename, &store->sql.db));
	free(log);
	if (ok && sqlite3_busy_timeout(store->sql.db, PATIENCE) == SQLITE_OK &&
	    pragma_says(store, "PRAGMA user_version", VERSION))
		return store;
	if (ok && sqlite3_errcode(store->sql.db) == SQLITE_OK)
		certdir_error_set(error, "%s is no file of sessions, or one of another version of certdir", filename);
	else
		(void)failed(store, "read", error);
	certdir_session_store_close(store);
	return NULL;
}

/* ---- the key ---- */

bool certdir_session_store_set_key(struct certdir_session_store *store, const struct certdir_class_key *key,
				   struct certdir_error *error)
{
	char text[2 * CERTDIR_CLASS_KEY_SIZE + 1];

	certdir_hex_print(key->bytes, sizeof(key->bytes), text);
	return certdir_sql_run(&store->sql, "INSERT OR REPLACE INTO secret (name,value) VALUES ('key',?1)",
			       SQL_VALUES(SQL_TEXT(text))) ||
	       failed(store, "written", error);
}

/* False: it is no key. */
static bool read_key(const char *text, struct certdir_class_key *key)
{
	struct certdir_class_key read;

	if (!text || strlen(text) != 2 * sizeof(read.bytes))
		return false;
	for (size_t i = 0; i < sizeof(read.bytes); i++) {
		const int byte = certdir_hex_byte(text + 2 * i);

		if (byte < 0)
			return false;
		read.bytes[i] = (unsigned char)byte;
	}
	*key = read;
	return true;
}

bool certdir_session_store_key(struct certdir_session_store *store, struct certdir_class_key *key,
			       struct certdir_error *error)
{
	sqlite3_stmt *row = certdir_sql_ask(&store->sql, "SELECT value FROM secret WHERE name='key'", SQL_NOTHING);
	const int got = certdir_sql_next(row);
	const bool found = got == 1 && read_key(certdir_sql_text_at(row, 0), key);

	if (got < 0)
		return failed(store, "read", error);
	if (got == 1)
		(void)sqlite3_reset(row);
	return found || certdir_session_store_set_key(store, key, error);
}

/* ---- sessions ---- */

/* The i-th number, in the order of the columns. */
static int64_t *number_of(struct certdir_session *session, unsigned i)
{
	int64_t *const numbers[NUMBER_COUNT] = {
		&session->issued,
		&session->started,
		&session->heard,
		&session->said,
		&session->expires,
		&session->interval,
		NULL,
		&session->denied,
		&session->attempts,
		&session->again,
		&session->answered,
		&session->outcome,
		&session->cause,
	};

	return numbers[i];
}

static enum certdir_reason reason_of(const char *name)
{
	enum certdir_reason reason = CERTDIR_UNSEEN;

	(void)certdir_reason_read(name ? name : "", &reason);
	return reason;
}

/* Texts are the row's. */
static void read_row(sqlite3_stmt *row, struct certdir_session *session)
{
	const char *client = certdir_sql_text_at(row, CLIENT);
	const int64_t state = sqlite3_column_int64(row, NUMBERS + 6);

	memset(session, 0, sizeof(*session));
	session->id = (uint64_t)sqlite3_column_int64(row, ID);
	(void)certdir_address_read(&session->client, client ? client : "");
	for (int i = 0; i < CERTDIR_SESSION_FIELDS; i++)
		session->text[i] = certdir_sql_text_at(row, TEXTS + i);
	session->reason = reason_of(certdir_sql_text_at(row, REASON));
	session->state = state >= 0 && state < CERTDIR_SESSION_STATES ? (enum certdir_session_state)state
								      : CERTDIR_SESSION_ENDED;
	for (unsigned i = 0; i < NUMBER_COUNT; i++)
		if (number_of(session, i))
			*number_of(session, i) = sqlite3_column_int64(row, NUMBERS + (int)i);
}

bool certdir_session_store_each(struct certdir_session_store *store, certdir_session_take take, void *context,
				struct certdir_error *error)
{
	sqlite3_stmt *row = certdir_sql_ask(&store->sql, "SELECT " COLUMNS " FROM session ORDER BY id", SQL_NOTHING);
	struct certdir_session session;
	int got;

	while ((got = certdir_sql_next(row)) == 1) {
		read_row(row, &session);
		take(context, &session);
	}
	return got == 0 || failed(store, "read", error);
}

/* ---- a transaction ---- */

static bool roll_back(struct certdir_session_store *store, struct certdir_error *error)
{
	(void)failed(store, "written", error);
	certdir_sql_reset(&store->sql);
	(void)execute(store, "ROLLBACK");
	return false;
}

bool certdir_session_store_begin(struct certdir_session_store *store, struct certdir_error *error)
{
	return certdir_sql_run(&store->sql, "BEGIN IMMEDIATE", SQL_NOTHING) || roll_back(store, error);
}

bool certdir_session_store_clear(struct certdir_session_store *store, struct certdir_error *error)
{
	return certdir_sql_run(&store->sql, "DELETE FROM session", SQL_NOTHING) || roll_back(store, error);
}

bool certdir_session_store_put(struct certdir_session_store *store, const struct certdir_session *session,
			       struct certdir_error *error)
{
	struct certdir_session copy = *session;
	struct certdir_sql_value values[COLUMN_COUNT];
	char client[CERTDIR_ADDRESS_SIZE];

	values[ID] = SQL_NUMBER((int64_t)session->id);
	values[CLIENT] = SQL_TEXT(certdir_address_print(&session->client, client));
	for (unsigned i = 0; i < CERTDIR_SESSION_FIELDS; i++)
		values[TEXTS + i] = SQL_TEXT(session->text[i]);
	values[REASON] = SQL_TEXT(session->denied ? certdir_reason_name(session->reason) : NULL);
	for (unsigned i = 0; i < NUMBER_COUNT; i++)
		values[NUMBERS + i] = SQL_NUMBER(number_of(&copy, i) ? *number_of(&copy, i) : (int64_t)session->state);
	return certdir_sql_run(&store->sql,
			       "INSERT OR REPLACE INTO session (" COLUMNS ") VALUES "
			       "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
			       (struct certdir_sql_values){values, COLUMN_COUNT}) ||
	       roll_back(store, error);
}

bool certdir_session_store_remove(struct certdir_session_store *store, uint64_t id, struct certdir_error *error)
{
	return certdir_sql_run(&store->sql, "DELETE FROM session WHERE id=?1", SQL_VALUES(SQL_NUMBER((int64_t)id))) ||
	       roll_back(store, error);
}

bool certdir_session_store_commit(struct certdir_session_store *store, struct certdir_error *error)
{
	return certdir_sql_run(&store->sql, "COMMIT", SQL_NOTHING) || roll_back(store, error);
}

/* ---- release ---- */

bool certdir_session_store_ask_release(const char *filename, struct certdir_error *error)
{
	struct certdir_session_store *store = new_store(filename, error);
	bool ok;

	if (!store)
		return false;
	ok = certdir_list_database_open(store->filename, true, &store->sql.db) &&
	     sqlite3_busy_timeout(store->sql.db, PATIENCE) == SQLITE_OK &&
	     execute(store, "INSERT OR REPLACE INTO release (asked) VALUES (CAST(strftime('%s','now') AS INTEGER))");
	if (!ok)
		(void)failed(store, "written", error);
	certdir_session_store_close(store);
	return ok;
}

bool certdir_session_store_release_waits(struct certdir_session_store *store)
{
	int64_t count = 0;

	return certdir_sql_number(&store->sql, &count, "SELECT COUNT(*) FROM release", SQL_NOTHING) == 1 && count > 0;
}

bool certdir_session_store_release_asked(struct certdir_session_store *store)
{
	return certdir_session_store_release_waits(store) &&
	       certdir_sql_run(&store->sql, "DELETE FROM release", SQL_NOTHING);
}
