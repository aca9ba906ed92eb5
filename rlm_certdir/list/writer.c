/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A new edition of the list: copy, change, publish. The file side is edition.c's, what may stand in a column is text.c's. */
#include "list/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "list/file.h"
#include "list/schema.h"
#include "list/text.h"
#include "text/canonical.h"

enum { SCHEMA_STEPS = 1000 }; /* thousands of instructions, a hundred times what reading our tables' names takes */

bool certdir_list_writer_fail(struct certdir_list_writer *writer, struct certdir_error *error)
{
	struct certdir_error *why = &writer->edition.draft.why;

	if (why->text[0])
		*error = *why;
	else
		certdir_error_set(error, "%s cannot be written: %s", writer->edition.temporary,
				  sqlite3_errmsg(writer->sql.db));
	why->text[0] = '\0';
	writer->failures++;
	return false;
}

bool certdir_list_write_failed(const struct certdir_list_writer *writer)
{
	return writer->failures > 0;
}

bool certdir_list_writer_run(struct certdir_list_writer *writer, const char *sql, struct certdir_error *error)
{
	return sqlite3_exec(writer->sql.db, sql, NULL, NULL, NULL) == SQLITE_OK ||
	       certdir_list_writer_fail(writer, error);
}

int certdir_list_writer_next(struct certdir_list_writer *writer, sqlite3_stmt *stmt, struct certdir_error *error)
{
	const int found = certdir_sql_next(stmt);

	if (found < 0)
		(void)certdir_list_writer_fail(writer, error);
	return found;
}

bool certdir_list_writer_do(struct certdir_list_writer *writer, const char *text, struct certdir_sql_values values,
			    struct certdir_error *error)
{
	return certdir_sql_run(&writer->sql, text, values) || certdir_list_writer_fail(writer, error);
}

bool certdir_list_writer_number(struct certdir_list_writer *writer, int64_t *number, const char *text,
				struct certdir_sql_values values, struct certdir_error *error)
{
	return certdir_sql_number(&writer->sql, number, text, values) >= 0 || certdir_list_writer_fail(writer, error);
}

/* ---- begin ---- */

/*
 * Nobody sees the temporary file before it is complete and synced, and a failed one is thrown away: no syncs on the way. The
 * journal is there for parts that are rolled back alone; it, sorters and temporary tables are files beside the list, because
 * memory must not grow with the number of devices.
 */
static const char pragmas[] = "PRAGMA locking_mode=EXCLUSIVE;PRAGMA journal_mode=TRUNCATE;PRAGMA synchronous=OFF;"
			      "PRAGMA temp_store=FILE;PRAGMA cache_size=-16384";

bool certdir_list_writer_check(struct certdir_list_writer *writer, const char *filename, struct certdir_error *error)
{
	struct certdir_list_steps steps = {SCHEMA_STEPS};
	bool ok;

	certdir_list_database_bound(writer->sql.db, &steps);
	ok = certdir_list_database_is_ours(writer->sql.db, "main", filename, error);
	certdir_list_database_bound(writer->sql.db, NULL);
	return ok;
}

static bool open_database(struct certdir_list_writer *writer, bool copied, struct certdir_error *error)
{
	if (!certdir_list_database_temporary(writer->edition.directory) ||
	    !certdir_list_database_pages(&certdir_list_draft_pages, &writer->edition.draft, writer->edition.temporary,
					 true, &writer->sql.db))
		return certdir_list_writer_fail(writer, error);
	return (!copied || certdir_list_writer_check(writer, writer->edition.filename, error)) &&
	       certdir_list_writer_run(writer, pragmas, error) &&
	       (copied || certdir_list_writer_run(writer, certdir_list_schema, error)) &&
	       certdir_list_writer_number(writer, &writer->logged, "SELECT max(id) FROM change", SQL_NOTHING, error);
}

/* SQLite opens its journal at the first change and keeps it; from then on it needs no names. */
static bool hide(struct certdir_list_writer *writer, struct certdir_error *error)
{
	if (!certdir_list_writer_run(writer, "INSERT OR REPLACE INTO meta(key,value) VALUES('private',1)", error))
		return false;
	certdir_list_edition_hide(&writer->edition);
	return true;
}

/* A present list that is not acceptable stays for an administrator to look at. */
static bool begin(struct certdir_list_writer *writer, bool fresh, const char *signing_key, struct certdir_error *error)
{
	const bool replaces = certdir_list_edition_replaces(&writer->edition);

	if (!certdir_list_edition_sign(&writer->edition, signing_key, error))
		return false;
	if (fresh && replaces && !certdir_list_file_replaceable(writer->edition.filename, error))
		return false;
	if (fresh && replaces)
		certdir_list_edition_replace(&writer->edition);
	if (!fresh && replaces && !certdir_list_edition_go_on(&writer->edition, error))
		return false;
	return open_database(writer, !fresh && replaces, error);
}

static struct certdir_list_writer *open_writer(const char *filename, bool is_private, bool fresh,
					       const char *signing_key, struct certdir_error *error)
{
	struct certdir_list_writer *writer = calloc(1, sizeof(*writer));

	if (!writer) {
		certdir_error_set(error, "%s: out of memory", filename);
		return NULL;
	}
	if (is_private ? !certdir_list_edition_begin_private(&writer->edition, filename, error)
		       : !certdir_list_edition_begin(&writer->edition, filename, CERTDIR_LIST_PATIENCE, error)) {
		free(writer);
		return NULL;
	}
	if (begin(writer, fresh, signing_key, error) && (!is_private || hide(writer, error)))
		return writer;
	certdir_list_write_abort(writer);
	return NULL;
}

struct certdir_list_writer *certdir_list_write_begin(const char *filename, bool fresh, const char *signing_key,
						     struct certdir_error *error)
{
	return open_writer(filename, false, fresh, signing_key, error);
}

struct certdir_list_writer *certdir_list_write_private(const char *filename, bool fresh, struct certdir_error *error)
{
	return open_writer(filename, true, fresh, NULL, error);
}

/* ---- source ---- */

/* Notes about the source that readers would have to scan for. The words are those of certdir_identity_type_name(). */
static const char summarize[] =
	"UPDATE source SET (devices,identities,says_enabled)=(SELECT count(*),"
	"trim(iif(count(entra_device_id),'entra_device_id ','')||"
	"iif(count(intune_device_id),'intune_device_id ','')||iif(count(object_id),'device_guid ','')||"
	"iif(count(sid),'sid ','')||iif(count(udid),'udid ','')||"
	"iif(count(coalesce(name,intune_name)),'common_name ','')||iif(count(serial_number),'serial_number ','')||"
	"iif(count(imei),'imei ','')||iif(count(meid),'meid ','')||iif(count(wifi_mac),'wifi_mac ','')),"
	"?2 OR count(enabled)>0 FROM device WHERE source=?1) WHERE id=?1";
static const char add_dns_names[] =
	"UPDATE source SET identities=ltrim(identities||' dns_name') WHERE id=?1 AND EXISTS(SELECT 1 FROM device d "
	"WHERE d.source=?1 AND EXISTS(SELECT 1 FROM dns_name n WHERE n.device=d.id))";

bool certdir_list_writer_end_source(struct certdir_list_writer *writer, struct certdir_error *error)
{
	if (writer->source &&
	    (!certdir_list_writer_do(writer, summarize,
				     SQL_VALUES(SQL_NUMBER(writer->source), SQL_NUMBER(writer->says_enabled)), error) ||
	     !certdir_list_writer_do(writer, add_dns_names, SQL_VALUES(SQL_NUMBER(writer->source)), error)))
		return false;
	writer->source = 0;
	return sqlite3_get_autocommit(writer->sql.db) || certdir_list_writer_run(writer, "COMMIT", error);
}

static bool forget_devices(struct certdir_list_writer *writer, struct certdir_error *error)
{
	static const char *const tables[] = {
		"DELETE FROM dns_name WHERE device IN (SELECT id FROM device WHERE source=?1)",
		"DELETE FROM former_name WHERE device IN (SELECT id FROM device WHERE source=?1)",
		"DELETE FROM device_group WHERE device IN (SELECT id FROM device WHERE source=?1)",
		"DELETE FROM device WHERE source=?1",
	};

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (!certdir_list_writer_do(writer, tables[i], SQL_VALUES(SQL_NUMBER(writer->source)), error))
			return false;
	return true;
}

bool certdir_list_write_source(struct certdir_list_writer *writer, const char *name, const char *tenant, int64_t synced,
			       struct certdir_error *error)
{
	if (!certdir_list_writer_end_source(writer, error))
		return false;
	writer->tenant[0] = '\0';
	writer->says_enabled = false;
	if (!certdir_list_text_check("source", "name", name, error))
		return false;
	if (tenant && !certdir_canonical(CERTDIR_ID_GUID, tenant, strlen(tenant), writer->tenant)) {
		certdir_error_set(error, "source \"%s\": tenant \"%s\" is not a GUID", name, tenant);
		return false;
	}
	/* An import fails as a whole: what a rollback would need is not kept. */
	if (!certdir_list_writer_note(writer, name, error) ||
	    !certdir_list_writer_run(writer, "PRAGMA journal_mode=OFF;BEGIN", error) ||
	    !certdir_list_writer_do(
		    writer,
		    "INSERT INTO source(name,tenant,synced) VALUES(?1,?2,?3) "
		    "ON CONFLICT(name) DO UPDATE SET tenant=excluded.tenant,synced=excluded.synced",
		    SQL_VALUES(SQL_TEXT(name), SQL_TEXT(tenant ? writer->tenant : NULL), SQL_NUMBER(synced)), error) ||
	    !certdir_list_writer_number(writer, &writer->source, "SELECT id FROM source WHERE name=?1",
					SQL_VALUES(SQL_TEXT(name)), error) ||
	    !forget_devices(writer, error)) {
		writer->source = 0;
		return false;
	}
	return true;
}

void certdir_list_write_says_enabled(struct certdir_list_writer *writer)
{
	writer->says_enabled = true;
}

bool certdir_list_write_good_for(struct certdir_list_writer *writer, int64_t seconds, struct certdir_error *error)
{
	return certdir_list_writer_do(writer, "UPDATE source SET good_for=?2 WHERE id=?1",
				      SQL_VALUES(SQL_NUMBER(writer->source), SQL_TIME(seconds)), error);
}

/* ---- device ---- */

/* What an error calls a device by. */
static const char *label_of(const struct certdir_device *device)
{
	const char *const names[] = {device->name, device->entra_device_id, device->intune_device_id, device->udid,
				     device->sid,  device->serial_number,   device->object_id};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i] && *names[i])
			return names[i];
	return "without a name";
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
	if (!stored->entra_device_id && !stored->intune_device_id && !stored->udid && !stored->sid && !stored->name &&
	    !stored->serial_number && !stored->object_id) {
		certdir_error_set(error, "device \"%s\": has neither a name nor an id", label);
		return false;
	}
	return tenant_fits(writer, label, &stored->tenant, error);
}

#define COLUMN(column, kind) #column ","
#define PLACEHOLDER(column, kind) "?,"

static bool insert_device(struct certdir_list_writer *writer, const struct certdir_device *device,
			  const struct certdir_device *stored, struct certdir_error *error)
{
	const char *join = device->join_type == CERTDIR_JOIN_UNKNOWN ? NULL : certdir_join_type_name(device->join_type);
	struct certdir_sql_value values[CERTDIR_LIST_TEXTS + 7], *at = values;

	for (size_t i = 0; i < CERTDIR_LIST_TEXTS; i++)
		*at++ = SQL_TEXT(*(char *const *)((const char *)stored + certdir_list_columns[i].offset));
	*at++ = SQL_NUMBER(writer->source);
	*at++ = SQL_TRISTATE(device->enabled);
	*at++ = SQL_TRISTATE(device->managed);
	*at++ = SQL_TEXT(join);
	*at++ = SQL_TIME(device->last_seen);
	*at++ = SQL_TIME(device->registered);
	*at++ = SQL_TIME(device->expires);
	return certdir_list_writer_do(
		writer,
		"INSERT INTO device(" CERTDIR_LIST_TEXT_COLUMNS(
			COLUMN) "source,enabled,managed,join_type,last_seen,"
				"registered,expires) VALUES(" CERTDIR_LIST_TEXT_COLUMNS(PLACEHOLDER) "?,?,?,?,?,?,?)",
		(struct certdir_sql_values){values, (size_t)(at - values)}, error);
}

/* The same Entra id twice in one source: a certificate would find two devices. */
static bool check_twin(struct certdir_list_writer *writer, const char *label, const char *entra_device_id,
		       struct certdir_error *error)
{
	sqlite3_stmt *stmt;
	const char *twin;
	int found;

	if (!entra_device_id)
		return true;
	stmt = certdir_sql_ask(&writer->sql, "SELECT name FROM device WHERE entra_device_id=?1 AND source=?2",
			       SQL_VALUES(SQL_TEXT(entra_device_id), SQL_NUMBER(writer->source)));
	found = certdir_list_writer_next(writer, stmt, error);
	if (found == 1) {
		twin = certdir_sql_text_at(stmt, 0);
		certdir_error_set(error, "device \"%s\": entra_device_id %s stands twice: device \"%s\" has it too",
				  label, entra_device_id, twin ? twin : "without a name");
		(void)sqlite3_reset(stmt);
	}
	return found == 0;
}

static bool add_device(struct certdir_list_writer *writer, const struct certdir_device *device,
		       struct certdir_error *error)
{
	struct certdir_device stored = {0};
	const bool ok = make_texts(writer, device, &stored, error) &&
			check_twin(writer, label_of(device), stored.entra_device_id, error) &&
			insert_device(writer, device, &stored, error);

	certdir_device_clear(&stored);
	return ok;
}

static bool add_dns_name(struct certdir_list_writer *writer, int64_t device, const char *label, const char *name,
			 struct certdir_error *error)
{
	char *made;
	const bool ok = certdir_list_dns_name_make(label, name, &made, error) &&
			certdir_list_writer_do(writer, "INSERT OR IGNORE INTO dns_name(device,name) VALUES(?1,?2)",
					       SQL_VALUES(SQL_NUMBER(device), SQL_TEXT(made)), error);

	free(made);
	return ok;
}

static bool add_former_name(struct certdir_list_writer *writer, int64_t device, const char *label,
			    const struct certdir_former_name *name, struct certdir_error *error)
{
	char *made;
	const bool ok =
		certdir_list_text_make(label, "former_name", CERTDIR_FORM_NAME, name->name, &made, error) &&
		(!made ||
		 certdir_list_writer_do(writer, "INSERT OR IGNORE INTO former_name(device,name,since) VALUES(?1,?2,?3)",
					SQL_VALUES(SQL_NUMBER(device), SQL_TEXT(made), SQL_TIME(name->since)), error));

	free(made);
	return ok;
}

/* The row of a group, which is made when it is new. Those of tenants are their own: what becomes of them is not for an import to share. */
static bool find_group(struct certdir_list_writer *writer, const char *id, const char *name, int64_t *row,
		       struct certdir_error *error)
{
	const struct certdir_sql_values values = SQL_VALUES(SQL_TEXT(id), SQL_TEXT(name));

	if (!certdir_list_writer_number(writer, row,
					"SELECT id FROM grp WHERE object_id IS ?1 AND name IS ?2 AND source IS NULL",
					values, error))
		return false;
	if (*row)
		return true;
	if (!certdir_list_writer_do(writer, "INSERT INTO grp(object_id,name) VALUES(?1,?2)", values, error))
		return false;
	*row = sqlite3_last_insert_rowid(writer->sql.db);
	return true;
}

static bool add_group(struct certdir_list_writer *writer, int64_t device, const char *label,
		      const struct certdir_group *group, struct certdir_error *error)
{
	char *id = NULL, *name = NULL;
	bool ok = false;
	int64_t row;

	if ((group->id && !certdir_list_text_make(label, "group id", CERTDIR_FORM_TEXT, group->id, &id, error)) ||
	    (group->name && !certdir_list_text_make(label, "group name", CERTDIR_FORM_TEXT, group->name, &name, error)))
		goto out;
	if (!id && !name)
		certdir_error_set(error, "device \"%s\": has a group with neither id nor name", label);
	else
		ok = find_group(writer, id, name, &row, error) &&
		     certdir_list_writer_do(writer, "INSERT OR IGNORE INTO device_group(device,grp) VALUES(?1,?2)",
					    SQL_VALUES(SQL_NUMBER(device), SQL_NUMBER(row)), error);
out:
	free(id);
	free(name);
	return ok;
}

bool certdir_list_write_device(struct certdir_list_writer *writer, const struct certdir_device *device,
			       struct certdir_error *error)
{
	const char *label = label_of(device);
	int64_t row;

	if (!writer->source) {
		certdir_error_set(error, "device \"%s\": no source was named for it", label);
		return false;
	}
	if (!add_device(writer, device, error))
		return false;
	row = sqlite3_last_insert_rowid(writer->sql.db);
	for (size_t i = 0; i < device->dns_name_count; i++)
		if (!add_dns_name(writer, row, label, device->dns_names[i], error))
			return false;
	for (size_t i = 0; i < device->former_name_count; i++)
		if (!add_former_name(writer, row, label, &device->former_names[i], error))
			return false;
	for (size_t i = 0; i < device->group_count; i++)
		if (!add_group(writer, row, label, &device->groups[i], error))
			return false;
	return true;
}

/* ---- end ---- */

/* Pages that deleted devices left behind: their content must not travel on, and the file should shrink with the list. */
static bool compact(struct certdir_list_writer *writer, struct certdir_error *error)
{
	int64_t wasteful;

	return certdir_list_writer_number(
		       writer, &wasteful,
		       "SELECT f.freelist_count*4>p.page_count FROM pragma_freelist_count f,pragma_page_count p",
		       SQL_NOTHING, error) &&
	       (!wasteful || certdir_list_writer_run(writer, "PRAGMA journal_mode=OFF;VACUUM", error));
}

static void close_database(struct certdir_list_writer *writer)
{
	certdir_sql_close(&writer->sql);
	(void)certdir_list_database_temporary(NULL);
}

/* Groups that only former devices of imports were in; those of tenants are the tenants' to keep. */
static const char forget_groups[] = "DELETE FROM grp WHERE source IS NULL AND id NOT IN (SELECT grp FROM device_group)";

static bool finish(struct certdir_list_writer *writer, struct certdir_error *error)
{
	bool imported = writer->source != 0;

	return certdir_list_writer_end_source(writer, error) && certdir_list_writer_run(writer, "BEGIN", error) &&
	       (!imported || certdir_list_writer_run(writer, forget_groups, error)) &&
	       certdir_list_writer_run(writer, certdir_list_indexes, error) &&
	       certdir_list_writer_do(writer, "INSERT OR REPLACE INTO meta(key,value) VALUES('published',?1)",
				      SQL_VALUES(SQL_NUMBER((int64_t)time(NULL))), error) &&
	       certdir_list_writer_run(writer, "COMMIT", error) && compact(writer, error);
}

bool certdir_list_write_publish(struct certdir_list_writer *writer, struct certdir_error *error)
{
	bool ok = finish(writer, error);

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
