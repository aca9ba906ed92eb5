/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A new edition of the list: copy, change, publish. The file side is edition.c's, what may stand in a column is text.c's. */
#include "list/list.h"

#include "identity/canonical.h"
#include "list/edition.h"
#include "list/schema.h"
#include "list/snapshot.h"
#include "list/text.h"

#include "list/database.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum statement { ADD_DEVICE, ADD_DNS_NAME, ADD_FORMER_NAME, FIND_GROUP, ADD_GROUP, ADD_MEMBERSHIP, STATEMENTS };

#define COLUMN(column, kind) #column ","
#define PLACEHOLDER(column, kind) "?,"

static const char *const statements[STATEMENTS] = {
	[ADD_DEVICE] = "INSERT INTO device(" CERTDIR_LIST_TEXT_COLUMNS(
		COLUMN) "source,enabled,managed,join_type,last_seen,"
			"registered,expires) VALUES(" CERTDIR_LIST_TEXT_COLUMNS(PLACEHOLDER) "?,?,?,?,?,?,?)",
	[ADD_DNS_NAME] = "INSERT OR IGNORE INTO dns_name(device,name) VALUES(?1,?2)",
	[ADD_FORMER_NAME] = "INSERT OR IGNORE INTO former_name(device,name,since) VALUES(?1,?2,?3)",
	[FIND_GROUP] = "SELECT id FROM grp WHERE object_id IS ?1 AND name IS ?2",
	[ADD_GROUP] = "INSERT INTO grp(object_id,name) VALUES(?1,?2)",
	[ADD_MEMBERSHIP] = "INSERT OR IGNORE INTO device_group(device,grp) VALUES(?1,?2)",
};

struct certdir_list_writer {
	struct certdir_list_edition edition;
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	int64_t source; /* row, 0 = none named yet */
	int64_t synced;
	char tenant[CERTDIR_VALUE_MAX + 1]; /* of the source, "" = none */
};

static bool fail(struct certdir_list_writer *writer, struct certdir_error *error)
{
	certdir_error_set(error, "%s cannot be written: %s", writer->edition.temporary, sqlite3_errmsg(writer->db));
	return false;
}

static bool run(struct certdir_list_writer *writer, const char *sql, struct certdir_error *error)
{
	return sqlite3_exec(writer->db, sql, NULL, NULL, NULL) == SQLITE_OK || fail(writer, error);
}

/* One SQL statement with a whole number, a text and a text or NULL. */
static bool run_with(struct certdir_list_writer *writer, const char *sql, int64_t number, const char *text,
		     const char *second, struct certdir_error *error)
{
	sqlite3_stmt *stmt = NULL;
	bool ok = sqlite3_prepare_v2(writer->db, sql, -1, &stmt, NULL) == SQLITE_OK &&
		  sqlite3_bind_int64(stmt, 1, number) == SQLITE_OK &&
		  (sqlite3_bind_parameter_count(stmt) < 2 ||
		   sqlite3_bind_text(stmt, 2, text, -1, SQLITE_STATIC) == SQLITE_OK) &&
		  (sqlite3_bind_parameter_count(stmt) < 3 ||
		   sqlite3_bind_text(stmt, 3, second, -1, SQLITE_STATIC) == SQLITE_OK) &&
		  sqlite3_step(stmt) == SQLITE_DONE;

	if (!ok)
		fail(writer, error);
	sqlite3_finalize(stmt);
	return ok;
}

/* ---- begin ---- */

/* The present edition into the temporary file. One that is not acceptable stays for an administrator to look at. */
static bool copy_present(struct certdir_list_writer *writer, bool *copied, struct certdir_error *error)
{
	struct certdir_list_snapshot *snapshot;
	struct certdir_error why;
	bool ok;

	*copied = false;
	if (!certdir_list_edition_replaces(&writer->edition))
		return true;
	snapshot = certdir_list_load(writer->edition.filename, &why);
	if (!snapshot) {
		certdir_error_set(error,
				  "%s. It is left as it is: move it away, or start anew with `certdir list import "
				  "--replace`",
				  why.text);
		return false;
	}
	ok = certdir_list_edition_fill(&writer->edition, snapshot->file, snapshot->image, error);
	certdir_list_release(snapshot);
	*copied = ok;
	return ok;
}

/*
 * Nobody sees the temporary file before it is complete and synced, and a failed one is thrown away: no journal, no
 * syncs on the way.
 */
static bool open_database(struct certdir_list_writer *writer, bool copied, struct certdir_error *error)
{
	if (!certdir_list_database_open(writer->edition.temporary, &writer->db))
		return fail(writer, error);
	if (!run(writer,
		 "PRAGMA locking_mode=EXCLUSIVE;PRAGMA journal_mode=OFF;PRAGMA synchronous=OFF;PRAGMA "
		 "temp_store=MEMORY;"
		 "PRAGMA cache_size=-131072",
		 error) ||
	    (!copied && !run(writer, certdir_list_schema, error)) || !run(writer, "BEGIN", error))
		return false;
	for (size_t i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v3(writer->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT, &writer->statements[i],
				       NULL) != SQLITE_OK)
			return fail(writer, error);
	return true;
}

struct certdir_list_writer *certdir_list_write_begin(const char *filename, bool fresh, struct certdir_error *error)
{
	struct certdir_list_writer *writer = calloc(1, sizeof(*writer));
	bool copied = false;

	if (!writer) {
		certdir_error_set(error, "%s: out of memory", filename);
		return NULL;
	}
	if (!certdir_list_edition_begin(&writer->edition, filename, error)) {
		free(writer);
		return NULL;
	}
	if ((fresh || copy_present(writer, &copied, error)) && open_database(writer, copied, error))
		return writer;
	certdir_list_write_abort(writer);
	return NULL;
}

/* ---- source ---- */

static bool forget_devices(struct certdir_list_writer *writer, struct certdir_error *error)
{
	static const char *const tables[] = {
		"DELETE FROM dns_name WHERE device IN (SELECT id FROM device WHERE source=?1)",
		"DELETE FROM former_name WHERE device IN (SELECT id FROM device WHERE source=?1)",
		"DELETE FROM device_group WHERE device IN (SELECT id FROM device WHERE source=?1)",
		"DELETE FROM device WHERE source=?1",
	};

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (!run_with(writer, tables[i], writer->source, NULL, NULL, error))
			return false;
	return true;
}

static bool source_row(struct certdir_list_writer *writer, const char *name, struct certdir_error *error)
{
	sqlite3_stmt *stmt = NULL;
	bool ok = sqlite3_prepare_v2(writer->db, "SELECT id FROM source WHERE name=?1", -1, &stmt, NULL) == SQLITE_OK &&
		  sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW;

	if (ok)
		writer->source = sqlite3_column_int64(stmt, 0);
	else
		fail(writer, error);
	sqlite3_finalize(stmt);
	return ok;
}

bool certdir_list_write_source(struct certdir_list_writer *writer, const char *name, const char *tenant, int64_t synced,
			       struct certdir_error *error)
{
	writer->source = 0;
	writer->tenant[0] = '\0';
	if (!certdir_list_text_check("source", "name", name, error))
		return false;
	if (tenant && !certdir_canonical(CERTDIR_ID_GUID, tenant, strlen(tenant), writer->tenant)) {
		certdir_error_set(error, "source \"%s\": tenant \"%s\" is not a GUID", name, tenant);
		return false;
	}
	if (!run_with(writer,
		      "INSERT INTO source(name,tenant,synced) VALUES(?2,?3,?1) "
		      "ON CONFLICT(name) DO UPDATE SET tenant=excluded.tenant,synced=excluded.synced",
		      synced, name, tenant ? writer->tenant : NULL, error) ||
	    !source_row(writer, name, error) || !forget_devices(writer, error)) {
		writer->source = 0;
		return false;
	}
	writer->synced = synced;
	return true;
}

/* ---- device ---- */

/* What an error calls a device by. */
static const char *label_of(const struct certdir_device *device)
{
	const char *const names[] = {device->name, device->entra_device_id, device->intune_device_id,
				     device->sid,  device->serial_number,   device->object_id};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i] && *names[i])
			return names[i];
	return "without a name";
}

static int bind_tristate(sqlite3_stmt *stmt, int at, enum certdir_tristate value)
{
	return value == CERTDIR_UNKNOWN ? sqlite3_bind_null(stmt, at)
					: sqlite3_bind_int(stmt, at, value == CERTDIR_YES);
}

static int bind_time(sqlite3_stmt *stmt, int at, int64_t value)
{
	return value == 0 ? sqlite3_bind_null(stmt, at) : sqlite3_bind_int64(stmt, at, value);
}

/* The tenant is stored with the device only when its source has none: one place to look. */
static bool tenant_fits(const struct certdir_list_writer *writer, const char *label, char **tenant,
			struct certdir_error *error)
{
	if (!*tenant || !writer->tenant[0])
		return true;
	if (strcmp(*tenant, writer->tenant) != 0) {
		certdir_error_set(error, "device \"%s\": is of tenant %s, but its source is of tenant %s", label,
				  *tenant, writer->tenant);
		return false;
	}
	free(*tenant);
	*tenant = NULL;
	return true;
}

static bool make_texts(const struct certdir_list_writer *writer, const struct certdir_device *device,
		       struct certdir_device *stored, struct certdir_error *error)
{
	const char *label = label_of(device);

	for (size_t i = 0; i < CERTDIR_LIST_TEXTS; i++) {
		const struct certdir_list_column *column = &certdir_list_columns[i];
		const char *given = *(char *const *)((const char *)device + column->offset);
		char **made = (char **)((char *)stored + column->offset);

		if (given && !certdir_list_text_make(label, column->name, column->form, given, made, error))
			return false;
	}
	if (!stored->entra_device_id && !stored->intune_device_id && !stored->sid && !stored->name &&
	    !stored->serial_number && !stored->object_id) {
		certdir_error_set(error, "device \"%s\": has neither a name nor an id", label);
		return false;
	}
	return tenant_fits(writer, label, &stored->tenant, error);
}

static bool bind_device(struct certdir_list_writer *writer, sqlite3_stmt *stmt, const struct certdir_device *device,
			const struct certdir_device *stored)
{
	const char *join = device->join_type == CERTDIR_JOIN_UNKNOWN ? NULL : certdir_join_type_name(device->join_type);
	int at = 1, rc = SQLITE_OK;

	for (size_t i = 0; i < CERTDIR_LIST_TEXTS; i++)
		rc |= sqlite3_bind_text(stmt, at++,
					*(char *const *)((const char *)stored + certdir_list_columns[i].offset), -1,
					SQLITE_STATIC);
	rc |= sqlite3_bind_int64(stmt, at++, writer->source);
	rc |= bind_tristate(stmt, at++, device->enabled);
	rc |= bind_tristate(stmt, at++, device->managed);
	rc |= sqlite3_bind_text(stmt, at++, join, -1, SQLITE_STATIC);
	rc |= bind_time(stmt, at++, device->last_seen);
	rc |= bind_time(stmt, at++, device->registered);
	rc |= bind_time(stmt, at++, device->expires);
	return rc == SQLITE_OK;
}

static bool describe_twin(struct certdir_list_writer *writer, const char *label, const char *entra_device_id,
			  struct certdir_error *error)
{
	sqlite3_stmt *stmt = NULL;
	const char *twin = NULL;

	if (sqlite3_prepare_v2(writer->db, "SELECT name FROM device WHERE entra_device_id=?1 AND source=?2", -1, &stmt,
			       NULL) == SQLITE_OK &&
	    sqlite3_bind_text(stmt, 1, entra_device_id, -1, SQLITE_STATIC) == SQLITE_OK &&
	    sqlite3_bind_int64(stmt, 2, writer->source) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
		twin = (const char *)sqlite3_column_text(stmt, 0);
	certdir_error_set(error, "device \"%s\": entra_device_id %s stands twice: device \"%s\" has it too", label,
			  entra_device_id, twin ? twin : "without a name");
	sqlite3_finalize(stmt);
	return false;
}

static bool add_device(struct certdir_list_writer *writer, const struct certdir_device *device,
		       struct certdir_error *error)
{
	sqlite3_stmt *stmt = writer->statements[ADD_DEVICE];
	struct certdir_device stored = {0};
	bool ok = false;

	if (!make_texts(writer, device, &stored, error))
		goto out;
	if (bind_device(writer, stmt, device, &stored) && sqlite3_step(stmt) == SQLITE_DONE)
		ok = true;
	else if (sqlite3_extended_errcode(writer->db) == SQLITE_CONSTRAINT_UNIQUE && stored.entra_device_id)
		describe_twin(writer, label_of(device), stored.entra_device_id, error);
	else
		fail(writer, error);
	(void)sqlite3_reset(stmt);
	(void)sqlite3_clear_bindings(stmt);
out:
	certdir_device_clear(&stored);
	return ok;
}

/* A name of device `row`; `form` brings it into its own. */
static bool add_name(struct certdir_list_writer *writer, enum statement which, int64_t row, const char *label,
		     const char *name, struct certdir_error *error)
{
	sqlite3_stmt *stmt = writer->statements[which];
	char *made = NULL;
	bool ok;

	if (which == ADD_DNS_NAME)
		ok = certdir_list_dns_name_make(label, name, &made, error);
	else
		ok = certdir_list_text_make(label, "former_name", CERTDIR_FORM_NAME, name, &made, error);
	if (!ok || !made)
		return ok;
	ok = sqlite3_bind_int64(stmt, 1, row) == SQLITE_OK &&
	     sqlite3_bind_text(stmt, 2, made, -1, SQLITE_STATIC) == SQLITE_OK &&
	     (which == ADD_DNS_NAME || sqlite3_bind_int64(stmt, 3, writer->synced) == SQLITE_OK) &&
	     sqlite3_step(stmt) == SQLITE_DONE;
	if (!ok)
		fail(writer, error);
	(void)sqlite3_reset(stmt);
	(void)sqlite3_clear_bindings(stmt);
	free(made);
	return ok;
}

/* Runs FIND_GROUP or ADD_GROUP; SQLITE_ROW, SQLITE_DONE or an error, with the group's row when there is one. */
static int group_step(struct certdir_list_writer *writer, enum statement which, const char *id, const char *name,
		      int64_t *row)
{
	sqlite3_stmt *stmt = writer->statements[which];
	int rc = SQLITE_ERROR;

	if (sqlite3_bind_text(stmt, 1, id, -1, SQLITE_STATIC) == SQLITE_OK &&
	    sqlite3_bind_text(stmt, 2, name, -1, SQLITE_STATIC) == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*row = sqlite3_column_int64(stmt, 0);
	else if (rc == SQLITE_DONE)
		*row = sqlite3_last_insert_rowid(writer->db);
	(void)sqlite3_reset(stmt);
	(void)sqlite3_clear_bindings(stmt);
	return rc;
}

static bool add_group(struct certdir_list_writer *writer, int64_t device, const char *label,
		      const struct certdir_group *group, struct certdir_error *error)
{
	sqlite3_stmt *stmt = writer->statements[ADD_MEMBERSHIP];
	char *id = NULL, *name = NULL;
	bool ok = false;
	int64_t row;
	int rc;

	if ((group->id && !certdir_list_text_make(label, "group id", CERTDIR_FORM_TEXT, group->id, &id, error)) ||
	    (group->name && !certdir_list_text_make(label, "group name", CERTDIR_FORM_TEXT, group->name, &name, error)))
		goto out;
	if (!id && !name) {
		certdir_error_set(error, "device \"%s\": has a group with neither id nor name", label);
		goto out;
	}
	rc = group_step(writer, FIND_GROUP, id, name, &row);
	if (rc == SQLITE_DONE)
		rc = group_step(writer, ADD_GROUP, id, name, &row);
	ok = (rc == SQLITE_DONE || rc == SQLITE_ROW) && sqlite3_bind_int64(stmt, 1, device) == SQLITE_OK &&
	     sqlite3_bind_int64(stmt, 2, row) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_DONE;
	if (!ok)
		fail(writer, error);
	(void)sqlite3_reset(stmt);
out:
	free(id);
	free(name);
	return ok;
}

bool certdir_list_write_device(struct certdir_list_writer *writer, const struct certdir_device *device,
			       const char *const *former_names, struct certdir_error *error)
{
	const char *label = label_of(device);
	int64_t row;

	if (!writer->source) {
		certdir_error_set(error, "device \"%s\": no source was named for it", label);
		return false;
	}
	if (!add_device(writer, device, error))
		return false;
	row = sqlite3_last_insert_rowid(writer->db);
	for (size_t i = 0; i < device->dns_name_count; i++)
		if (!add_name(writer, ADD_DNS_NAME, row, label, device->dns_names[i], error))
			return false;
	for (; former_names && *former_names; former_names++)
		if (!add_name(writer, ADD_FORMER_NAME, row, label, *former_names, error))
			return false;
	for (size_t i = 0; i < device->group_count; i++)
		if (!add_group(writer, row, label, &device->groups[i], error))
			return false;
	return true;
}

/* ---- end ---- */

/* Notes what readers would have to scan for. The words are those of certdir_identity_type_name(). */
static const char summarize[] =
	"DELETE FROM grp WHERE id NOT IN (SELECT grp FROM device_group);"
	"UPDATE source SET devices=0,identities='';"
	"UPDATE source SET devices=c.n,identities=trim(iif(c.e,'entra_device_id ','')||iif(c.i,'intune_device_id "
	"','')||"
	"iif(c.s,'sid ','')||iif(c.m,'common_name ','')||iif(c.r,'serial_number','')) FROM "
	"(SELECT source,count(*) n,count(entra_device_id) e,count(intune_device_id) i,count(sid) s,count(name) m,"
	"count(serial_number) r FROM device GROUP BY source) c WHERE c.source=source.id;"
	"UPDATE source SET identities=ltrim(identities||' dns_name') WHERE id IN "
	"(SELECT source FROM device WHERE id IN (SELECT device FROM dns_name));";

/* Pages that deleted devices left behind: their content must not travel on, and the file should shrink with the list. */
static bool compact(struct certdir_list_writer *writer, struct certdir_error *error)
{
	sqlite3_stmt *stmt = NULL;
	bool wasteful;

	if (sqlite3_prepare_v2(
		    writer->db,
		    "SELECT f.freelist_count*4>p.page_count FROM pragma_freelist_count f,pragma_page_count p", -1,
		    &stmt, NULL) != SQLITE_OK ||
	    sqlite3_step(stmt) != SQLITE_ROW) {
		sqlite3_finalize(stmt);
		return fail(writer, error);
	}
	wasteful = sqlite3_column_int(stmt, 0) != 0;
	sqlite3_finalize(stmt);
	return !wasteful || run(writer, "VACUUM", error);
}

static void close_database(struct certdir_list_writer *writer)
{
	for (size_t i = 0; i < STATEMENTS; i++) {
		sqlite3_finalize(writer->statements[i]);
		writer->statements[i] = NULL;
	}
	(void)sqlite3_close(writer->db);
	writer->db = NULL;
}

bool certdir_list_write_publish(struct certdir_list_writer *writer, struct certdir_error *error)
{
	bool ok = run(writer, summarize, error) &&
		  run_with(writer, "INSERT OR REPLACE INTO meta(key,value) VALUES('published',?1)", (int64_t)time(NULL),
			   NULL, NULL, error) &&
		  run(writer, "COMMIT", error) && compact(writer, error);

	close_database(writer);
	if (ok)
		ok = certdir_list_edition_publish(&writer->edition, error);
	else
		certdir_list_edition_abandon(&writer->edition);
	free(writer);
	return ok;
}

void certdir_list_write_abort(struct certdir_list_writer *writer)
{
	if (!writer)
		return;
	close_database(writer);
	certdir_list_edition_abandon(&writer->edition);
	free(writer);
}
