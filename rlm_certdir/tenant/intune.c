/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Intune part. Records are staged in a temporary table, on disk, and joined at the end in the order of the devices' rows:
 * one pass over either table instead of a million jumps.
 *
 * The key of a record is its Entra device id, or, where it has none or it is the Intune id again, its Intune id. A device has
 * the record whose key is its Entra device id; a record with its Intune id as key that fits no device is one of its own.
 */
#include <string.h>

#include "tenant/filter.h"
#include "tenant/record.h"
#include "tenant/state.h"

enum {
	RECORD_COLUMNS = 17, /* CERTDIR_LIST_RECORD_COLUMNS; of them: */
	AT_SERIAL_NUMBER = 1,
	AT_COMPLIANCE = 3,
	AT_OWNERSHIP = 4,
	AT_WIFI_MAC = 7,
	AT_INTUNE_NAME = 9,
	AT_STATE = 10,
	AT_IMEI = 14,
	AT_MEID = 15,
	/* PAIR: a device and its record: its row and that of the record, what it has, what it should have */
	AT_HAS = 2,
	AT_RECORD = AT_HAS + RECORD_COLUMNS,
	/* of a device that Intune alone knows, behind those */
	AT_OLD_NAME = AT_RECORD + RECORD_COLUMNS,
	AT_OLD_SYSTEM,
	AT_NAME,
	AT_SYSTEM
};

#define PAIR "SELECT d.id,s.id," RECORD_OF("d") "," RECORD_OF("s")

/* Seconds that an Intune id is remembered which named an Entra device: longer than a backup, or a record that went missing, is gone. */
enum { ONCE_KEPT = 400 * 86400 };

static const char staged[] =
	"CREATE TABLE temp.staged(id INTEGER PRIMARY KEY, key TEXT," CERTDIR_LIST_RECORD_COLUMNS ",operating_system);"
	"CREATE TABLE temp.pair(device INTEGER, staged INTEGER);"
	/* Intune ids of records that named another Entra device before */
	"CREATE TABLE temp.once(id TEXT PRIMARY KEY) WITHOUT ROWID";

static const char staged_by_id[] = "CREATE INDEX temp.staged_by_id ON staged(intune_device_id,key)";
/* The last enrolled of each key stands last. */
static const char staged_by_key[] = "CREATE INDEX temp.staged_by_key ON staged(key,intune_registered,intune_last_seen,"
				    "intune_device_id)";

bool certdir_tenant_intune_begin(struct certdir_tenant *tenant, struct certdir_error *error)
{
	if (!certdir_tenant_begin(tenant, CERTDIR_PART_INTUNE, error))
		return false;
	tenant->part.quiet = tenant->state.intune_synced == 0;
	if (certdir_list_writer_run(tenant->writer, staged, error))
		return true;
	certdir_tenant_part_abandon(tenant);
	return false;
}

/* ---- put ---- */

enum { TEXTS = 14 };

static bool make_ids(struct certdir_tenant *tenant, const struct certdir_device *record,
		     char id[CERTDIR_LIST_TEXT_MAX + 1], char key[CERTDIR_LIST_TEXT_MAX + 1],
		     struct certdir_error *error)
{
	char *made;

	if (!certdir_tenant_guid(tenant, record->intune_device_id,
				 "an Intune record without an id: the answer is not believed", id, error) ||
	    !certdir_tenant_text(tenant, id, "azureADDeviceId", CERTDIR_FORM_GUID, record->entra_device_id, key, &made,
				 error))
		return false;
	if (!made)
		strcpy(key, id);
	return true;
}

/* A record in its form, with room for it. */
struct clean {
	char id[CERTDIR_LIST_TEXT_MAX + 1], key[CERTDIR_LIST_TEXT_MAX + 1], room[TEXTS][CERTDIR_LIST_TEXT_MAX + 1];
	char *made[TEXTS];
};

static bool clean_record(struct certdir_tenant *tenant, const struct certdir_device *record, struct clean *clean,
			 struct certdir_error *error)
{
	const struct {
		const char *field;
		const char *text;
		enum certdir_list_form form;
	} texts[TEXTS] = {{"serialNumber", record->serial_number, CERTDIR_FORM_SERIAL},
			  {"userPrincipalName", record->owner, CERTDIR_FORM_TEXT},
			  {"complianceState", record->compliance, CERTDIR_FORM_TEXT},
			  {"managedDeviceOwnerType", record->ownership, CERTDIR_FORM_TEXT},
			  {"wiFiMacAddress", record->wifi_mac, CERTDIR_FORM_MAC},
			  {"ethernetMacAddress", record->ethernet_mac, CERTDIR_FORM_TEXT},
			  {"deviceName", record->intune_name, CERTDIR_FORM_NAME},
			  {"managementState", record->management_state, CERTDIR_FORM_TEXT},
			  {"managementAgent", record->management_agent, CERTDIR_FORM_TEXT},
			  {"deviceCategoryDisplayName", record->category, CERTDIR_FORM_TEXT},
			  {"enrollmentProfileName", record->enrollment_profile, CERTDIR_FORM_TEXT},
			  {"imei", record->imei, CERTDIR_FORM_IMEI},
			  {"meid", record->meid, CERTDIR_FORM_MEID},
			  {"operatingSystem", record->operating_system, CERTDIR_FORM_TEXT}};

	if (!make_ids(tenant, record, clean->id, clean->key, error))
		return false;
	for (size_t i = 0; i < TEXTS; i++)
		if (!certdir_tenant_text(tenant, clean->id, texts[i].field, texts[i].form, texts[i].text,
					 clean->room[i], &clean->made[i], error))
			return false;
	return true;
}

/* The columns of RECORD, but for the last. */
#define RECORD_VALUES(clean, record)                                                                                   \
	SQL_TEXT((clean).id), SQL_TEXT((clean).made[0]), SQL_TEXT((clean).made[1]),                                    \
		SQL_TEXT((clean).made[2] ? (clean).made[2] : "unknown"), SQL_TEXT((clean).made[3]),                    \
		SQL_TIME((record)->last_seen), SQL_TIME((record)->registered), SQL_TEXT((clean).made[4]),              \
		SQL_TEXT((clean).made[5]), SQL_TEXT((clean).made[6]), SQL_TEXT((clean).made[7]),                       \
		SQL_TEXT((clean).made[8]), SQL_TEXT((clean).made[9]), SQL_TEXT((clean).made[10]),                      \
		SQL_TEXT((clean).made[11]), SQL_TEXT((clean).made[12])

bool certdir_tenant_intune_put(struct certdir_tenant *tenant, const struct certdir_device *record,
			       struct certdir_error *error)
{
	struct clean clean;

	if (!certdir_tenant_in(tenant, CERTDIR_PART_INTUNE, error) || !clean_record(tenant, record, &clean, error))
		return false;
	tenant->part.staged.count++;
	return certdir_list_writer_do(
		tenant->writer,
		"INSERT INTO temp.staged(key," RECORD
		",operating_system) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,NULL,?)",
		SQL_VALUES(SQL_TEXT(clean.key), RECORD_VALUES(clean, record), SQL_TEXT(clean.made[13])), error);
}

/* ---- one that somebody asked for ---- */

/* The device that the record names, which has none or one that enrolled before; 0: there is none. */
static bool find_asked(struct certdir_tenant *tenant, const struct clean *clean, const struct certdir_device *record,
		       int64_t *row, bool *had, struct certdir_error *error)
{
	sqlite3_stmt *stmt = certdir_sql_ask(
		&tenant->writer->sql,
		"SELECT id,intune_device_id IS NOT NULL FROM device WHERE entra_device_id=?1 AND source=?2 AND "
		"object_id IS NOT "
		"NULL AND (intune_device_id IS NULL OR (intune_device_id<>?3 AND coalesce(intune_registered,0)<?4))",
		SQL_VALUES(SQL_TEXT(clean->key), SQL_NUMBER(tenant->source), SQL_TEXT(clean->id),
			   SQL_NUMBER(record->registered)));
	const int found = certdir_list_writer_next(tenant->writer, stmt, error);

	*row = found == 1 ? sqlite3_column_int64(stmt, 0) : 0;
	*had = found == 1 && sqlite3_column_int(stmt, 1);
	(void)sqlite3_reset(stmt);
	return found >= 0;
}

/* It waits for its device, which is there already, and so takes it the way in which late devices do. */
bool certdir_tenant_asked_record(struct certdir_tenant *tenant, const struct certdir_device *record,
				 struct certdir_error *error)
{
	struct clean clean;
	int64_t row;
	bool had;

	if (!certdir_tenant_in(tenant, CERTDIR_PART_DEVICES, error) || !clean_record(tenant, record, &clean, error))
		return false;
	if (tenant->state.intune_synced == 0 || strcmp(clean.key, clean.id) == 0)
		return true;
	if (!find_asked(tenant, &clean, record, &row, &had, error))
		return false;
	if (row == 0)
		return true;
	if (!had)
		tenant->state.intune_records++;
	return certdir_tenant_save(tenant, row, error) &&
	       (certdir_bitmap_set(&tenant->part.changed, row) || certdir_tenant_no_memory(error)) &&
	       /* The record that it had is of no device now. */
	       (!had || certdir_list_writer_do(tenant->writer,
					       "INSERT OR REPLACE INTO intune_once SELECT source,intune_device_id,?2 "
					       "FROM device WHERE id=?1",
					       SQL_VALUES(SQL_NUMBER(row), SQL_NUMBER(tenant->options.now)), error)) &&
	       certdir_list_writer_do(
		       tenant->writer,
		       "INSERT OR REPLACE INTO intune_waiting(source,entra_device_id," RECORD
		       ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,NULL)",
		       SQL_VALUES(SQL_NUMBER(tenant->source), SQL_TEXT(clean.key), RECORD_VALUES(clean, record)),
		       error) &&
	       certdir_tenant_record_take(tenant, row, clean.key, error) && certdir_tenant_relist(tenant, row, error) &&
	       certdir_list_writer_do(
		       tenant->writer, "UPDATE source SET intune_records=?2 WHERE id=?1",
		       SQL_VALUES(SQL_NUMBER(tenant->source), SQL_NUMBER((int64_t)tenant->state.intune_records)),
		       error);
}

/* ---- which records count ---- */

static const char *text(sqlite3_stmt *stmt, int column)
{
	const char *value = certdir_sql_text_at(stmt, column);

	return value ? value : "";
}

static bool remember(struct certdir_tenant *tenant, const char *intune_device_id, struct certdir_error *error)
{
	return certdir_list_writer_do(tenant->writer, "INSERT OR IGNORE INTO temp.once VALUES(?1)",
				      SQL_VALUES(SQL_TEXT(intune_device_id)), error);
}

/*
 * Of neighbours with the same text in column 0, the last counts: those of one Intune id are the same record again, those of one key are
 * records of one device. Of the others it is remembered that they named an Entra device.
 */
static bool supersede(struct certdir_tenant *tenant, bool by_key, size_t *count, struct certdir_error *error)
{
	sqlite3_stmt *stmt = certdir_sql_ask(
		&tenant->writer->sql,
		by_key ? "SELECT key,id FROM temp.staged INDEXED BY staged_by_key "
			 "ORDER BY key,intune_registered,intune_last_seen,intune_device_id,id"
		       : "SELECT intune_device_id,id FROM temp.staged INDEXED BY staged_by_id ORDER BY 1,2",
		SQL_NOTHING);
	char last[CERTDIR_VALUE_MAX + 1] = "";
	int64_t last_id = 0;
	int found;

	while ((found = certdir_list_writer_next(tenant->writer, stmt, error)) == 1) {
		const int64_t id = sqlite3_column_int64(stmt, 1);
		const char *value = text(stmt, 0);

		if (certdir_bitmap_test(&tenant->part.staged.superseded, id))
			continue;
		if (last_id && strcmp(value, last) == 0) {
			if (!certdir_bitmap_set(&tenant->part.staged.superseded, last_id))
				return certdir_tenant_no_memory(error);
			if (!certdir_list_writer_do(tenant->writer,
						    "INSERT OR IGNORE INTO temp.once SELECT intune_device_id FROM "
						    "temp.staged WHERE id=?1 AND (?2 OR key<>intune_device_id)",
						    SQL_VALUES(SQL_NUMBER(last_id), SQL_NUMBER(by_key)), error))
				return false;
			++*count;
		} else {
			strcpy(last, value); /* a canonical GUID */
		}
		last_id = id;
	}
	return found == 0;
}

/* Records that waited before, and are there still. */
static bool keep_waiting(struct certdir_tenant *tenant, struct certdir_error *error)
{
	sqlite3_stmt *stmt = certdir_sql_ask(&tenant->writer->sql,
					     "SELECT s.id FROM intune_waiting w CROSS JOIN temp.staged s INDEXED BY "
					     "staged_by_key WHERE s.key=w.entra_device_id AND w.source=?1",
					     SQL_VALUES(SQL_NUMBER(tenant->source)));
	int found;

	while ((found = certdir_list_writer_next(tenant->writer, stmt, error)) == 1) {
		const int64_t id = sqlite3_column_int64(stmt, 0);

		if (!certdir_bitmap_test(&tenant->part.staged.superseded, id) &&
		    !certdir_bitmap_set(&tenant->part.staged.known, id))
			return certdir_tenant_no_memory(error);
	}
	return found == 0;
}

/* ---- joining ---- */

/* As blobs: asking for text has SQLite copy it to put a NUL behind it. */
static bool same_column(sqlite3_stmt *stmt, int a, int b)
{
	const int type = sqlite3_column_type(stmt, a);

	if (type != sqlite3_column_type(stmt, b))
		return false;
	if (type == SQLITE_NULL || type == SQLITE_INTEGER)
		return sqlite3_column_int64(stmt, a) == sqlite3_column_int64(stmt, b);
	return sqlite3_column_bytes(stmt, a) == sqlite3_column_bytes(stmt, b) &&
	       memcmp(sqlite3_column_blob(stmt, a), sqlite3_column_blob(stmt, b),
		      (size_t)sqlite3_column_bytes(stmt, a)) == 0;
}

static bool set_record(struct certdir_tenant *tenant, int64_t row, sqlite3_stmt *pair, bool ids,
		       struct certdir_error *error)
{
	sqlite3_stmt *stmt = certdir_sql_ask(
		&tenant->writer->sql,
		ids ? "UPDATE device SET (" RECORD
		      ")=(?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18) WHERE id=?1"
		    : "UPDATE device SET "
		      "owner=?4,intune_compliance=?5,intune_ownership=?6,intune_last_seen=?7,intune_registered=?8,"
		      "ethernet_mac=?10,management_state=?12,management_agent=?13,category=?14,"
		      "enrollment_profile=?15,intune_confirmed=?18 WHERE id=?1",
		SQL_VALUES(SQL_NUMBER(row)));
	int rc = stmt ? SQLITE_OK : SQLITE_ERROR;

	/* What the shorter statement does not name has a number in it all the same. */
	for (int i = ids ? 0 : 2; i < RECORD_COLUMNS && rc == SQLITE_OK; i++)
		rc = sqlite3_bind_value(stmt, i + 2, sqlite3_column_value(pair, AT_RECORD + i));
	if (rc != SQLITE_OK)
		return certdir_list_writer_fail(tenant->writer, error);
	return certdir_list_writer_next(tenant->writer, stmt, error) == 0;
}

/* Gives a device the record that it should have. */
static bool join(struct certdir_tenant *tenant, sqlite3_stmt *pair, struct certdir_error *error)
{
	const int64_t row = sqlite3_column_int64(pair, 0), id = sqlite3_column_int64(pair, 1);
	bool same[RECORD_COLUMNS], ids, all = true;

	if (!certdir_bitmap_set(&tenant->part.seen, row) || !certdir_bitmap_set(&tenant->part.staged.joined, id) ||
	    (sqlite3_column_type(pair, AT_HAS + AT_COMPLIANCE) != SQLITE_NULL &&
	     !certdir_bitmap_set(&tenant->part.staged.known, id)))
		return certdir_tenant_no_memory(error);
	for (int i = 0; i < RECORD_COLUMNS; i++)
		all = (same[i] = same_column(pair, AT_HAS + i, AT_RECORD + i)) && all;
	if (all)
		return true;
	ids = !same[0] || !same[AT_SERIAL_NUMBER] || !same[AT_INTUNE_NAME] || !same[AT_WIFI_MAC] || !same[AT_IMEI] ||
	      !same[AT_MEID];
	if (!certdir_bitmap_set(&tenant->part.changed, row))
		return certdir_tenant_no_memory(error);
	/* The record that it had is of another device now, or of none. */
	if (!same[0] && sqlite3_column_type(pair, AT_HAS) != SQLITE_NULL &&
	    !remember(tenant, text(pair, AT_HAS), error))
		return false;
	return (same[AT_COMPLIANCE] || certdir_tenant_save(tenant, row, error)) &&
	       set_record(tenant, row, pair, ids, error) &&
	       ((same[AT_OWNERSHIP] && same[AT_STATE]) || certdir_tenant_relist(tenant, row, error));
}

static bool join_all(struct certdir_tenant *tenant, struct certdir_error *error)
{
	sqlite3_stmt *pairs;
	int found;

	if (!certdir_list_writer_do(tenant->writer,
				    "INSERT INTO temp.pair SELECT d.id,s.id FROM temp.staged s INDEXED BY "
				    "staged_by_key CROSS JOIN device d INDEXED BY device_by_entra_device_id WHERE "
				    "d.entra_device_id=s.key AND d.source=?1 ORDER BY d.id,s.id",
				    SQL_VALUES(SQL_NUMBER(tenant->source)), error))
		return false;
	pairs = certdir_sql_ask(&tenant->writer->sql,
				PAIR " FROM temp.pair p CROSS JOIN device d ON d.id=p.device CROSS JOIN "
				     "temp.staged s ON s.id=p.staged ORDER BY p.rowid",
				SQL_NOTHING);
	while ((found = certdir_list_writer_next(tenant->writer, pairs, error)) == 1)
		if (!certdir_bitmap_test(&tenant->part.staged.superseded, sqlite3_column_int64(pairs, 1)) &&
		    !join(tenant, pairs, error))
			return false;
	return found == 0;
}

/* ---- records without a device ---- */

/* Intune's word is not enough for it any more. */
static bool set_once(struct certdir_tenant *tenant, int64_t row, struct certdir_error *error)
{
	bool listed;

	return certdir_tenant_is_listed(tenant, row, &listed, error) &&
	       certdir_list_writer_do(tenant->writer, "UPDATE device SET once_entra=1,listed=0 WHERE id=?1",
				      SQL_VALUES(SQL_NUMBER(row)), error) &&
	       (!listed || certdir_tenant_account(tenant, row, false, false, error));
}

/* A device of its own that is there already; one that Entra ID knew once remains one. */
static bool change_own(struct certdir_tenant *tenant, int64_t row, int64_t id, bool once, struct certdir_error *error)
{
	sqlite3_stmt *pair =
		certdir_sql_ask(&tenant->writer->sql,
				PAIR ",d.name,d.operating_system,s.intune_name,s.operating_system FROM device d "
				     "CROSS JOIN temp.staged s WHERE d.id=?1 AND s.id=?2",
				SQL_VALUES(SQL_NUMBER(row), SQL_NUMBER(id)));
	bool ok = certdir_tenant_row(tenant, pair, error) && join(tenant, pair, error) &&
		  (!once || set_once(tenant, row, error));

	if (ok && (!same_column(pair, AT_OLD_NAME, AT_NAME) || !same_column(pair, AT_OLD_SYSTEM, AT_SYSTEM))) {
		const char *old_name = certdir_sql_text_at(pair, AT_OLD_NAME);
		const char *name = certdir_sql_text_at(pair, AT_NAME);
		const char *system = certdir_sql_text_at(pair, AT_SYSTEM);

		ok = (certdir_bitmap_set(&tenant->part.changed, row) || certdir_tenant_no_memory(error)) &&
		     certdir_tenant_save(tenant, row, error) &&
		     certdir_list_writer_do(tenant->writer, "UPDATE device SET name=?2,operating_system=?3 WHERE id=?1",
					    SQL_VALUES(SQL_NUMBER(row), SQL_TEXT(name), SQL_TEXT(system)), error) &&
		     certdir_tenant_rename(tenant, row, old_name, name, error) &&
		     certdir_tenant_relist(tenant, row, error);
	}
	(void)sqlite3_reset(pair);
	return ok;
}

/* `record`: what place() found. */
static bool add_own(struct certdir_tenant *tenant, int64_t id, bool once, sqlite3_stmt *record,
		    struct certdir_error *error)
{
	const char *ownership = certdir_sql_text_at(record, 2);
	const char *system = certdir_sql_text_at(record, 3);
	const char *state = certdir_sql_text_at(record, 4);
	bool listed = !once && certdir_tenant_filter_takes(&tenant->options.filter, CERTDIR_JOIN_UNKNOWN, system,
							   ownership, certdir_tenant_in_use(state));
	int64_t row;

	if (!certdir_list_writer_do(
		    tenant->writer,
		    "INSERT INTO device(source,listed,once_entra," RECORD
		    ",name,operating_system) SELECT ?1,?2,nullif(?3,0)," RECORD
		    ",intune_name,operating_system FROM temp.staged WHERE id=?4",
		    SQL_VALUES(SQL_NUMBER(tenant->source), SQL_NUMBER(listed), SQL_NUMBER(once), SQL_NUMBER(id)),
		    error))
		return false;
	row = sqlite3_last_insert_rowid(tenant->writer->sql.db);
	if (!certdir_bitmap_set(&tenant->part.seen, row))
		return certdir_tenant_no_memory(error);
	return certdir_tenant_account(tenant, row, listed, true, error);
}

/* The staged record `id` fits no device of Entra's: it is a device of its own, or waits for one. */
static bool place(struct certdir_tenant *tenant, int64_t id, size_t *waiting, struct certdir_error *error)
{
	sqlite3_stmt *record = certdir_sql_ask(
		&tenant->writer->sql,
		"SELECT intune_device_id,key,intune_ownership,operating_system,management_state,intune_device_id IN "
		"(SELECT id FROM temp.once) OR EXISTS(SELECT 1 FROM intune_once o WHERE o.source=?2 AND "
		"o.intune_device_id=s.intune_device_id) FROM temp.staged s WHERE id=?1",
		SQL_VALUES(SQL_NUMBER(id), SQL_NUMBER(tenant->source)));
	bool ok = certdir_tenant_row(tenant, record, error);
	const char *intune_device_id = ok ? text(record, 0) : "";
	const bool once = ok && sqlite3_column_int(record, 5);
	int64_t row;

	if (ok && strcmp(intune_device_id, text(record, 1)) != 0) {
		++*waiting;
		ok = certdir_list_writer_do(tenant->writer,
					    "INSERT OR REPLACE INTO intune_waiting(source,entra_device_id," RECORD
					    ") SELECT ?1,key," RECORD " FROM temp.staged WHERE id=?2",
					    SQL_VALUES(SQL_NUMBER(tenant->source), SQL_NUMBER(id)), error);
	} else if (ok) {
		ok = certdir_tenant_record_own(tenant, intune_device_id, &row, error) &&
		     (row ? change_own(tenant, row, id, once, error) : add_own(tenant, id, once, record, error));
	}
	(void)sqlite3_reset(record);
	return ok;
}

static bool place_others(struct certdir_tenant *tenant, size_t *waiting, struct certdir_error *error)
{
	if (!certdir_list_writer_do(tenant->writer,
				    "DELETE FROM intune_waiting WHERE source=?1 AND intune_device_id IN (SELECT "
				    "intune_device_id FROM temp.staged)",
				    SQL_VALUES(SQL_NUMBER(tenant->source)), error) ||
	    !certdir_list_writer_number(tenant->writer, &tenant->part.staged.waited,
					"SELECT max(id) FROM intune_waiting WHERE source=?1",
					SQL_VALUES(SQL_NUMBER(tenant->source)), error))
		return false;
	for (int64_t id = 1; id <= tenant->part.staged.count; id++)
		if (!certdir_bitmap_test(&tenant->part.staged.superseded, id) &&
		    !certdir_bitmap_test(&tenant->part.staged.joined, id) && !place(tenant, id, waiting, error))
			return false;
	return true;
}

/* ---- devices without a record ---- */

/* Devices of Entra's that had a record and have none in this listing. What it was the record of is remembered. */
static bool find_unjoined(struct certdir_tenant *tenant, struct certdir_error *error)
{
	sqlite3_stmt *stmt = certdir_sql_ask(&tenant->writer->sql,
					     "SELECT id,intune_device_id FROM device NOT INDEXED WHERE source=?1 AND "
					     "intune_compliance IS NOT NULL AND object_id IS NOT NULL",
					     SQL_VALUES(SQL_NUMBER(tenant->source)));
	int found;

	while ((found = certdir_list_writer_next(tenant->writer, stmt, error)) == 1) {
		const int64_t row = sqlite3_column_int64(stmt, 0);

		if (certdir_bitmap_test(&tenant->part.seen, row))
			continue;
		if (!certdir_bitmap_set(&tenant->part.staged.unjoined, row))
			return certdir_tenant_no_memory(error);
		if (!remember(tenant, text(stmt, 1), error))
			return false;
	}
	return found == 0;
}

/* Whether the record that a row has is another Entra device's by now: then it is not missing. */
static bool has_moved(struct certdir_tenant *tenant, int64_t row, bool *moved, struct certdir_error *error)
{
	sqlite3_stmt *stmt =
		certdir_sql_ask(&tenant->writer->sql,
				"SELECT s.id,s.key<>s.intune_device_id FROM device d CROSS JOIN temp.staged s INDEXED "
				"BY staged_by_id ON s.intune_device_id=d.intune_device_id WHERE d.id=?1",
				SQL_VALUES(SQL_NUMBER(row)));
	int found;

	*moved = false;
	while ((found = certdir_list_writer_next(tenant->writer, stmt, error)) == 1)
		*moved |= sqlite3_column_int(stmt, 1) ||
			  certdir_bitmap_test(&tenant->part.staged.joined, sqlite3_column_int64(stmt, 0));
	return found == 0;
}

static bool unjoin(struct certdir_tenant *tenant, int64_t row, struct certdir_error *error)
{
	if (!certdir_bitmap_set(&tenant->part.changed, row))
		return certdir_tenant_no_memory(error);
	return certdir_tenant_save(tenant, row, error) && certdir_tenant_record_clear(tenant, row, error) &&
	       certdir_tenant_relist(tenant, row, error);
}

/* keep: what is only missing stays, with the age that it has. */
static bool unjoin_others(struct certdir_tenant *tenant, bool keep, struct certdir_error *error)
{
	for (int64_t row = -1; (row = certdir_bitmap_next(&tenant->part.staged.unjoined, row + 1)) >= 0;) {
		bool moved = true;

		if (keep && !has_moved(tenant, row, &moved, error))
			return false;
		if (moved ? !unjoin(tenant, row, error) : !certdir_tenant_record_keep(tenant, row, error))
			return false;
	}
	return true;
}

/* Devices of Intune alone that it does not list any more, or that Entra ID knows now. */
static bool remove_own(struct certdir_tenant *tenant, bool keep, struct certdir_error *error)
{
	sqlite3_stmt *stmt = certdir_sql_ask(&tenant->writer->sql,
					     "SELECT id,intune_device_id,once_entra FROM device INDEXED BY "
					     "device_of_intune WHERE source=?1 AND " OF_INTUNE_ALONE,
					     SQL_VALUES(SQL_NUMBER(tenant->source)));
	int found;

	while ((found = certdir_list_writer_next(tenant->writer, stmt, error)) == 1) {
		const int64_t row = sqlite3_column_int64(stmt, 0);
		bool moved;

		if (certdir_bitmap_test(&tenant->part.seen, row))
			continue;
		if (sqlite3_column_int(stmt, 2) && !remember(tenant, text(stmt, 1), error))
			return false;
		if (!has_moved(tenant, row, &moved, error))
			return false;
		if (keep && !moved) {
			if (!certdir_tenant_record_keep(tenant, row, error))
				return false;
		} else if (!certdir_bitmap_set(&tenant->part.removed, row) ||
			   (moved && !certdir_bitmap_set(&tenant->part.known_elsewhere, row))) {
			return certdir_tenant_no_memory(error);
		}
	}
	return found == 0;
}

/* ---- the end ---- */

static bool join_listing(struct certdir_tenant *tenant, struct certdir_tenant_counts *counts,
			 struct certdir_error *error)
{
	size_t again = 0;

	*counts = (struct certdir_tenant_counts){.before = tenant->state.intune_records};
	if (!certdir_list_writer_do(
		    tenant->writer,
		    "INSERT OR IGNORE INTO temp.once SELECT intune_device_id FROM intune_waiting WHERE source=?1",
		    SQL_VALUES(SQL_NUMBER(tenant->source)), error) ||
	    !certdir_list_writer_do(tenant->writer, "DELETE FROM intune_once WHERE source=?1 AND at<=?2",
				    SQL_VALUES(SQL_NUMBER(tenant->source), SQL_NUMBER(tenant->options.now - ONCE_KEPT)),
				    error) ||
	    !certdir_list_writer_run(tenant->writer, staged_by_id, error) || !supersede(tenant, false, &again, error) ||
	    !certdir_list_writer_run(tenant->writer, staged_by_key, error) ||
	    !supersede(tenant, true, &counts->duplicates, error) || !keep_waiting(tenant, error))
		return false;
	/* Who had a record must be known to the last before any of them can become a device of its own. */
	if (!join_all(tenant, error) || (counts->before > 0 && !find_unjoined(tenant, error)) ||
	    !place_others(tenant, &counts->unlisted, error))
		return false;
	counts->after = (size_t)tenant->part.staged.count - again - counts->duplicates;
	counts->lost = counts->before - tenant->part.staged.known.ones;
	counts->added = counts->after - tenant->part.staged.known.ones;
	return true;
}

/* What the listing does not have is deleted, or kept. */
static bool drop_missing(struct certdir_tenant *tenant, bool keep, struct certdir_error *error)
{
	return unjoin_others(tenant, keep, error) && remove_own(tenant, keep, error) &&
	       (keep ? certdir_list_writer_do(
			       tenant->writer,
			       "UPDATE intune_waiting SET intune_confirmed=coalesce(intune_confirmed,?3) WHERE "
			       "source=?1 AND id<=?2",
			       SQL_VALUES(SQL_NUMBER(tenant->source), SQL_NUMBER(tenant->part.staged.waited),
					  SQL_NUMBER(tenant->state.intune_synced)),
			       error)
		     : certdir_list_writer_do(
			       tenant->writer, "DELETE FROM intune_waiting WHERE source=?1 AND id<=?2",
			       SQL_VALUES(SQL_NUMBER(tenant->source), SQL_NUMBER(tenant->part.staged.waited)),
			       error)) &&
	       certdir_list_writer_do(tenant->writer,
				      "INSERT OR REPLACE INTO intune_once SELECT ?1,id,?2 FROM (SELECT id FROM "
				      "temp.once EXCEPT SELECT intune_device_id FROM intune_waiting WHERE source=?1)",
				      SQL_VALUES(SQL_NUMBER(tenant->source), SQL_NUMBER(tenant->options.now)), error);
}

/* Asks the guards: one for the records, and one for the devices that depend on them. `counts` is filled in. */
static enum certdir_tenant_ended guard(struct certdir_tenant *tenant, struct certdir_tenant_counts *counts,
				       struct certdir_error *error)
{
	enum certdir_tenant_ended records, ended;
	struct certdir_tenant_counts devices;
	struct certdir_error why = {.text = ""};
	int64_t kept;

	records = certdir_tenant_guard(tenant, counts->before, counts->lost, "Intune records",
				       "in Intune whether they are gone", &why);
	if (!drop_missing(tenant, records == CERTDIR_ENDED_SHRUNK, error))
		return CERTDIR_ENDED_FAILED;
	ended = certdir_tenant_guard_devices(tenant, &counts->kept, error);
	if (ended == CERTDIR_ENDED_FAILED || !certdir_tenant_account_all(tenant, &devices, error) ||
	    !certdir_tenant_purge(tenant, &devices, error) ||
	    !certdir_list_writer_number(
		    tenant->writer, &kept,
		    "SELECT count(*) FROM (SELECT coalesce(entra_device_id,intune_device_id) FROM device WHERE "
		    "source=?1 AND intune_confirmed IS NOT NULL UNION SELECT entra_device_id FROM intune_waiting WHERE "
		    "source=?1 AND intune_confirmed IS NOT NULL)",
		    SQL_VALUES(SQL_NUMBER(tenant->source)), error))
		return CERTDIR_ENDED_FAILED;
	if (records == CERTDIR_ENDED_SHRUNK)
		*error = why;
	counts->kept = (size_t)kept;
	counts->after += counts->kept;
	counts->lost = counts->lost > counts->kept ? counts->lost - counts->kept : 0;
	counts->changed = devices.changed;
	counts->listed = devices.listed;
	counts->untyped = devices.untyped;
	return records == CERTDIR_ENDED_SHRUNK ? records : ended;
}

enum certdir_tenant_ended certdir_tenant_intune_end(struct certdir_tenant *tenant, struct certdir_tenant_counts *counts,
						    struct certdir_error *error)
{
	enum certdir_tenant_ended ended = CERTDIR_ENDED_FAILED;
	if (!certdir_tenant_in(tenant, CERTDIR_PART_INTUNE, error))
		return ended;
	if (join_listing(tenant, counts, error))
		ended = guard(tenant, counts, error);
	if (ended != CERTDIR_ENDED_FAILED &&
	    (!certdir_list_writer_do(
		     tenant->writer,
		     "UPDATE source SET intune_synced=?2,intune_records=?3,intune_interval=?4 WHERE id=?1",
		     SQL_VALUES(SQL_NUMBER(tenant->source), SQL_NUMBER(tenant->options.now),
				SQL_NUMBER((int64_t)counts->after), SQL_TIME(tenant->options.intune_interval)),
		     error) ||
	     !certdir_list_writer_run(tenant->writer,
				      "DROP TABLE temp.staged;DROP TABLE temp.pair;DROP TABLE temp.once", error)))
		ended = CERTDIR_ENDED_FAILED;
	return certdir_tenant_finish(tenant, ended, error);
}
