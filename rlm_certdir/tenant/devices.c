/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The devices part: what Entra ID says, object by object. */
#include <string.h>

#include "base/hash.h"
#include "list/schema.h"
#include "tenant/filter.h"
#include "tenant/record.h"
#include "tenant/state.h"

/* ---- one object ---- */

enum { TEXTS = 7 };

/* Texts of a device in their form, with room for them. */
struct clean {
	struct certdir_device device;
	char object_id[CERTDIR_LIST_TEXT_MAX + 1];
	char texts[TEXTS][CERTDIR_LIST_TEXT_MAX + 1];
};

static const struct {
	enum certdir_tenant_property property;
	const char *field;
	size_t offset;
	enum certdir_list_form form;
} texts[TEXTS] = {
	{CERTDIR_PROPERTY_DEVICE_ID, "deviceId", offsetof(struct certdir_device, entra_device_id), CERTDIR_FORM_GUID},
	{CERTDIR_PROPERTY_NAME, "displayName", offsetof(struct certdir_device, name), CERTDIR_FORM_NAME},
	{CERTDIR_PROPERTY_SID, "onPremisesSecurityIdentifier", offsetof(struct certdir_device, sid), CERTDIR_FORM_SID},
	{CERTDIR_PROPERTY_OPERATING_SYSTEM, "operatingSystem", offsetof(struct certdir_device, operating_system),
	 CERTDIR_FORM_TEXT},
	{CERTDIR_PROPERTY_OWNERSHIP, "deviceOwnership", offsetof(struct certdir_device, ownership), CERTDIR_FORM_TEXT},
	{CERTDIR_PROPERTY_COMPLIANT, "isCompliant", offsetof(struct certdir_device, compliance), CERTDIR_FORM_TEXT},
	{CERTDIR_PROPERTY_EXTENSION_ATTRIBUTES, "extensionAttributes",
	 offsetof(struct certdir_device, extension_attributes), CERTDIR_FORM_TEXT},
};

static bool make_object_id(struct certdir_tenant *tenant, const char *text, char out[CERTDIR_LIST_TEXT_MAX + 1],
			   struct certdir_error *error)
{
	return certdir_tenant_guid(tenant, text, "a device without an id: the answer is not believed", out, error);
}

static char **text_at(struct certdir_device *device, size_t i)
{
	return (char **)((char *)device + texts[i].offset);
}

static bool clean_object(struct certdir_tenant *tenant, const struct certdir_device *device, uint32_t present,
			 struct clean *clean, struct certdir_error *error)
{
	if (!make_object_id(tenant, device->object_id, clean->object_id, error))
		return false;
	clean->device = *device;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *given = *(char *const *)((const char *)device + texts[i].offset);

		*text_at(&clean->device, i) = NULL;
		if (present & CERTDIR_BIT(texts[i].property) &&
		    !certdir_tenant_text(tenant, clean->object_id, texts[i].field, texts[i].form, given,
					 clean->texts[i], text_at(&clean->device, i), error))
			return false;
	}
	return true;
}

/* `to` with the properties that `from` carries. */
static void overlay(struct certdir_device *to, struct certdir_device *from, uint32_t present)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (present & CERTDIR_BIT(texts[i].property))
			*text_at(to, i) = *text_at(from, i);
	if (present & CERTDIR_BIT(CERTDIR_PROPERTY_JOIN_TYPE))
		to->join_type = from->join_type;
	if (present & CERTDIR_BIT(CERTDIR_PROPERTY_ENABLED))
		to->enabled = from->enabled;
	if (present & CERTDIR_BIT(CERTDIR_PROPERTY_MANAGED))
		to->managed = from->managed;
	if (present & CERTDIR_BIT(CERTDIR_PROPERTY_LAST_SEEN))
		to->last_seen = from->last_seen;
	if (present & CERTDIR_BIT(CERTDIR_PROPERTY_REGISTERED))
		to->registered = from->registered;
}

/* What is kept of an object, beside its id. */
#define OBJECT                                                                                                         \
	"entra_device_id,name,sid,operating_system,ownership,compliance,join_type,enabled,managed,last_seen,"          \
	"registered,extension_attributes"
enum { OBJECT_VALUES = 12 };

/* From a row that has OBJECT in the columns from 1 on; the texts are the statement's until it is reset. */
static struct certdir_device known_device(sqlite3_stmt *stmt)
{
	const char *join = certdir_sql_text_at(stmt, 7);
	struct certdir_device device = {
		.entra_device_id = (char *)certdir_sql_text_at(stmt, 1),
		.name = (char *)certdir_sql_text_at(stmt, 2),
		.sid = (char *)certdir_sql_text_at(stmt, 3),
		.operating_system = (char *)certdir_sql_text_at(stmt, 4),
		.ownership = (char *)certdir_sql_text_at(stmt, 5),
		.compliance = (char *)certdir_sql_text_at(stmt, 6),
		.enabled = certdir_sql_tristate_at(stmt, 8),
		.managed = certdir_sql_tristate_at(stmt, 9),
		.last_seen = sqlite3_column_int64(stmt, 10),
		.registered = sqlite3_column_int64(stmt, 11),
		.extension_attributes = (char *)certdir_sql_text_at(stmt, 12),
	};

	if (join)
		(void)certdir_join_type_parse(join, &device.join_type);
	return device;
}

static const char *join_name(enum certdir_join_type type)
{
	return type == CERTDIR_JOIN_UNKNOWN ? NULL : certdir_join_type_name(type);
}

static void object_values(const struct certdir_device *device, struct certdir_sql_value values[OBJECT_VALUES])
{
	const struct certdir_sql_value all[OBJECT_VALUES] = {SQL_TEXT(device->entra_device_id),
							     SQL_TEXT(device->name),
							     SQL_TEXT(device->sid),
							     SQL_TEXT(device->operating_system),
							     SQL_TEXT(device->ownership),
							     SQL_TEXT(device->compliance),
							     SQL_TEXT(join_name(device->join_type)),
							     SQL_TRISTATE(device->enabled),
							     SQL_TRISTATE(device->managed),
							     SQL_TIME(device->last_seen),
							     SQL_TIME(device->registered),
							     SQL_TEXT(device->extension_attributes)};

	memcpy(values, all, sizeof(all));
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* ---- a first listing: no index is kept up while it runs ---- */

/*
 * A million devices come in no order, and each would change pages all over two indexes that do not fit into the cache: that took 22 s of
 * CPU (200,000: 2.2 s) and 92 s of time, instead of 5.2 s (1.4 s) and 26 s. So whether an object came before is asked of a Bloom filter,
 * and those of which it is not sure wait for the end.
 */

/* Up to so many devices in the list it is faster to make its indexes anew at once. */
enum { FEW = 50000 };

/* An object that comes again, or seems to, waits here until there is an index to find the first by. */
static const char again[] = "CREATE TABLE temp.again(id INTEGER PRIMARY KEY,object_id,present," OBJECT ")";

/* In `present` of an object that was removed. */
#define REMOVED CERTDIR_BIT(31)

static bool begin_first(struct certdir_tenant *tenant, struct certdir_error *error)
{
	int64_t few;

	if (!certdir_list_writer_number(tenant->writer, &few, "SELECT total(devices+unlisted)<=?1 FROM source",
					SQL_VALUES(SQL_NUMBER(FEW)), error))
		return false;
	/* Nor may a record of Intune's be there to be found: then the source is not new. */
	tenant->part.first = few && tenant->state.intune_records == 0;
	return !tenant->part.first || (certdir_list_writer_run(tenant->writer, again, error) &&
				       certdir_list_writer_run(tenant->writer, certdir_list_indexes_drop, error));
}

/* Two bits of 2^25, by a hash of the object id. */
static void hash_bits(const char *object_id, int64_t bits[2])
{
	const uint64_t hash = certdir_hash_text(object_id);

	bits[0] = (int64_t)(hash >> 39);
	bits[1] = (int64_t)(hash >> 8 & ((1 << 25) - 1));
}

/* Whether an object may have come before: a Bloom filter. When it errs, which is rare, the object only takes the longer way. */
static bool was_met(const struct certdir_tenant *tenant, const char *object_id)
{
	int64_t bits[2];

	hash_bits(object_id, bits);
	return certdir_bitmap_test(&tenant->part.met, bits[0]) && certdir_bitmap_test(&tenant->part.met, bits[1]);
}

static bool meet(struct certdir_tenant *tenant, const char *object_id, struct certdir_error *error)
{
	int64_t bits[2];

	hash_bits(object_id, bits);
	return (certdir_bitmap_set(&tenant->part.met, bits[0]) && certdir_bitmap_set(&tenant->part.met, bits[1])) ||
	       certdir_tenant_no_memory(error);
}

static bool put_off(struct certdir_tenant *tenant, const char *object_id, const struct certdir_device *device,
		    uint32_t present, struct certdir_error *error)
{
	struct certdir_sql_value values[2 + OBJECT_VALUES] = {SQL_TEXT(object_id), SQL_NUMBER(present)};

	object_values(device, values + 2);
	return certdir_list_writer_do(tenant->writer,
				      "INSERT INTO temp.again(object_id,present," OBJECT
				      ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
				      (struct certdir_sql_values){values, 2 + OBJECT_VALUES}, error);
}

bool certdir_tenant_devices_begin(struct certdir_tenant *tenant, bool full, struct certdir_error *error)
{
	if (!certdir_tenant_begin(tenant, CERTDIR_PART_DEVICES, error))
		return false;
	tenant->part.full = full;
	tenant->part.quiet = tenant->state.synced == 0;
	if (certdir_tenant_await(tenant, error) && (!full || !tenant->part.quiet || begin_first(tenant, error)))
		return true;
	certdir_tenant_part_abandon(tenant);
	return false;
}

/* ---- put ---- */

/* Since when what is heard for the first time is so. A "no" is from now; a "yes" may be so old that it outdates nothing. */
static int64_t since_of(const struct certdir_tenant *tenant, const char *compliance)
{
	return same(compliance, "compliant") ? 1 : tenant->options.now;
}

static bool add_device(struct certdir_tenant *tenant, const char *object_id, const struct certdir_device *device,
		       struct certdir_error *error)
{
	bool listed = certdir_tenant_filter_takes(&tenant->options.filter, device->join_type, device->operating_system,
						  device->ownership, device->enabled);
	struct certdir_sql_value values[4 + OBJECT_VALUES] = {SQL_NUMBER(tenant->source), SQL_NUMBER(listed),
							      SQL_TEXT(object_id),
							      SQL_NUMBER(since_of(tenant, device->compliance))};
	int64_t row;

	object_values(device, values + 4);
	if (!certdir_list_writer_do(tenant->writer,
				    "INSERT INTO device(source,listed,object_id,compliance_since," OBJECT
				    ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
				    (struct certdir_sql_values){values, 4 + OBJECT_VALUES}, error))
		return false;
	row = sqlite3_last_insert_rowid(tenant->writer->sql.db);
	/* It grows old by itself until a listing brings it: one that was deleted at once might never be in any. */
	if (tenant->part.asked &&
	    !certdir_list_writer_do(tenant->writer, "UPDATE device SET confirmed=?2 WHERE id=?1",
				    SQL_VALUES(SQL_NUMBER(row), SQL_NUMBER(tenant->options.now > tenant->state.synced
										   ? tenant->options.now
										   : tenant->state.synced + 1)),
				    error))
		return false;
	if (tenant->part.full && !certdir_bitmap_set(&tenant->part.seen, row))
		return certdir_tenant_no_memory(error);
	return certdir_tenant_account(tenant, row, listed, true, error) &&
	       (tenant->state.intune_records == 0 || !device->entra_device_id ||
		(certdir_tenant_record_take(tenant, row, device->entra_device_id, error) &&
		 certdir_tenant_relist(tenant, row, error)));
}

static bool set_ids(struct certdir_tenant *tenant, int64_t row, const struct certdir_device *before,
		    const struct certdir_device *after, struct certdir_error *error)
{
	if (!certdir_list_writer_do(tenant->writer, "UPDATE device SET entra_device_id=?2,name=?3,sid=?4 WHERE id=?1",
				    SQL_VALUES(SQL_NUMBER(row), SQL_TEXT(after->entra_device_id), SQL_TEXT(after->name),
					       SQL_TEXT(after->sid)),
				    error) ||
	    !certdir_tenant_rename(tenant, row, before->name, after->name, error))
		return false;
	return same(before->entra_device_id, after->entra_device_id) ||
	       (certdir_tenant_record_leave(tenant, row, before->entra_device_id, error) &&
		certdir_tenant_record_take(tenant, row, after->entra_device_id, error));
}

static bool change_device(struct certdir_tenant *tenant, int64_t row, const struct certdir_device *before,
			  const struct certdir_device *after, struct certdir_error *error)
{
	const bool ids = !same(before->entra_device_id, after->entra_device_id) || !same(before->name, after->name) ||
			 !same(before->sid, after->sid);
	const bool logged = ids || before->enabled != after->enabled || !same(before->compliance, after->compliance);
	const bool facts = before->enabled != after->enabled || !same(before->compliance, after->compliance) ||
			   before->managed != after->managed || before->join_type != after->join_type ||
			   before->last_seen != after->last_seen || before->registered != after->registered ||
			   !same(before->operating_system, after->operating_system) ||
			   !same(before->ownership, after->ownership) ||
			   !same(before->extension_attributes, after->extension_attributes);

	if (!ids && !facts)
		return true;
	if (!certdir_bitmap_set(&tenant->part.changed, row))
		return certdir_tenant_no_memory(error);
	if (logged && !certdir_tenant_save(tenant, row, error))
		return false;
	if (facts && !certdir_list_writer_do(
			     tenant->writer,
			     "UPDATE device SET "
			     "operating_system=?2,ownership=?3,compliance=?4,join_type=?5,enabled=?6,managed=?7,last_"
			     "seen=?8,registered=?9,extension_attributes=?10,compliance_since=CASE WHEN compliance IS "
			     "?4 THEN compliance_since ELSE ?11 END WHERE id=?1",
			     SQL_VALUES(SQL_NUMBER(row), SQL_TEXT(after->operating_system), SQL_TEXT(after->ownership),
					SQL_TEXT(after->compliance), SQL_TEXT(join_name(after->join_type)),
					SQL_TRISTATE(after->enabled), SQL_TRISTATE(after->managed),
					SQL_TIME(after->last_seen), SQL_TIME(after->registered),
					SQL_TEXT(after->extension_attributes), SQL_NUMBER(tenant->options.now)),
			     error))
		return false;
	return (!ids || set_ids(tenant, row, before, after, error)) && certdir_tenant_relist(tenant, row, error);
}

/*
 * Whether a listing took the device away a moment ago. Some of Graph's servers still have it then, and who asks one of those must not bring it
 * back. One that came a moment ago may have gone because listings lag behind: that is no removal.
 */
static bool was_removed(struct certdir_tenant *tenant, const char *id, bool *removed, struct certdir_error *error)
{
	int64_t number;
	const bool ok = certdir_list_writer_number(
		tenant->writer, &number,
		"SELECT count(*)>0 AND total(what='added')=0 FROM change WHERE at>?3 AND device=?1 AND "
		"what IN ('removed','added') AND source=(SELECT name FROM source WHERE id=?2)",
		SQL_VALUES(SQL_TEXT(id), SQL_NUMBER(tenant->source),
			   SQL_NUMBER(tenant->options.now - CERTDIR_TENANT_REMOVED_LATELY)),
		error);

	*removed = number != 0;
	return ok;
}

static bool add_asked(struct certdir_tenant *tenant, const char *object_id, const struct certdir_device *device,
		      struct certdir_error *error)
{
	bool removed = false;

	return was_removed(tenant, device->entra_device_id, &removed, error) &&
	       (removed || add_device(tenant, object_id, device, error));
}

bool certdir_tenant_devices_put(struct certdir_tenant *tenant, const struct certdir_device *device, uint32_t present,
				struct certdir_error *error)
{
	struct certdir_device before, after = {0};
	sqlite3_stmt *stmt = NULL;
	struct clean clean;
	int found = 0;
	int64_t row;
	bool ok;

	if (!certdir_tenant_in(tenant, CERTDIR_PART_DEVICES, error) ||
	    !clean_object(tenant, device, present, &clean, error))
		return false;
	/* What was asked for once, and is not any more, goes. */
	if (tenant->options.extension_attributes == 0) {
		present |= CERTDIR_BIT(CERTDIR_PROPERTY_EXTENSION_ATTRIBUTES);
		clean.device.extension_attributes = NULL;
	}
	if (tenant->part.first) {
		if (was_met(tenant, clean.object_id))
			return put_off(tenant, clean.object_id, &clean.device, present, error);
		if (!meet(tenant, clean.object_id, error))
			return false;
	} else {
		stmt = certdir_sql_ask(&tenant->writer->sql,
				       "SELECT id," OBJECT " FROM device WHERE object_id=?1 AND source=?2",
				       SQL_VALUES(SQL_TEXT(clean.object_id), SQL_NUMBER(tenant->source)));
		found = certdir_list_writer_next(tenant->writer, stmt, error);
	}
	if (found != 1) {
		overlay(&after, &clean.device, present);
		return found == 0 && (tenant->part.asked ? add_asked(tenant, clean.object_id, &after, error)
							 : add_device(tenant, clean.object_id, &after, error));
	}
	/* What Graph says here may be older than what a listing has said, which no delta says twice. */
	if (tenant->part.asked) {
		(void)sqlite3_reset(stmt);
		return true;
	}
	row = sqlite3_column_int64(stmt, 0);
	before = after = known_device(stmt);
	overlay(&after, &clean.device, present);
	if (tenant->part.full && !certdir_bitmap_set(&tenant->part.seen, row))
		ok = certdir_tenant_no_memory(error);
	else
		ok = certdir_tenant_confirm(tenant, row, error) && change_device(tenant, row, &before, &after, error);
	(void)sqlite3_reset(stmt);
	return ok;
}

bool certdir_tenant_devices_remove(struct certdir_tenant *tenant, const char *object_id, struct certdir_error *error)
{
	const struct certdir_device none = {0};
	char id[CERTDIR_LIST_TEXT_MAX + 1];
	int64_t row;

	if (!certdir_tenant_in(tenant, CERTDIR_PART_DEVICES, error) || !make_object_id(tenant, object_id, id, error))
		return false;
	if (tenant->part.first)
		return !was_met(tenant, id) || put_off(tenant, id, &none, REMOVED, error);
	return certdir_tenant_find_object(tenant, id, &row, error) &&
	       (row == 0 || certdir_bitmap_set(&tenant->part.removed, row) || certdir_tenant_no_memory(error));
}

/* ---- the end ---- */

static bool end_first(struct certdir_tenant *tenant, struct certdir_error *error)
{
	sqlite3_stmt *stmt;
	bool ok = true;
	int found;

	tenant->part.first = false;
	if (!certdir_list_writer_run(tenant->writer, certdir_list_indexes_early, error))
		return false;
	stmt = certdir_sql_ask(&tenant->writer->sql,
			       "SELECT id," OBJECT ",object_id,present FROM temp.again ORDER BY id", SQL_NOTHING);
	while (ok && (found = certdir_list_writer_next(tenant->writer, stmt, error)) == 1) {
		struct certdir_device device = known_device(stmt);
		uint32_t present = (uint32_t)sqlite3_column_int64(stmt, 14);

		device.object_id = (char *)sqlite3_column_text(stmt, 13);
		ok = present & REMOVED ? certdir_tenant_devices_remove(tenant, device.object_id, error)
				       : certdir_tenant_devices_put(tenant, &device, present, error);
	}
	return ok && found == 0 && certdir_list_writer_run(tenant->writer, "DROP TABLE temp.again", error);
}

static bool filter_anew(struct certdir_tenant *tenant, struct certdir_error *error)
{
	sqlite3_stmt *stmt = certdir_sql_ask(&tenant->writer->sql, "SELECT id FROM device NOT INDEXED WHERE source=?1",
					     SQL_VALUES(SQL_NUMBER(tenant->source)));
	int found;

	while ((found = certdir_list_writer_next(tenant->writer, stmt, error)) == 1)
		if (!certdir_tenant_relist(tenant, sqlite3_column_int64(stmt, 0), error))
			return false;
	return found == 0;
}

/* Once it is known who stays: joins, counts, logs and deletes. */
static bool settle(struct certdir_tenant *tenant, struct certdir_tenant_counts *counts, struct certdir_error *error)
{
	return certdir_tenant_record_merge(tenant, error) && certdir_tenant_account_all(tenant, counts, error) &&
	       certdir_tenant_record_outlive(tenant, error) && certdir_tenant_purge(tenant, counts, error);
}

bool certdir_tenant_asked_begin(struct certdir_tenant *tenant, struct certdir_error *error)
{
	if (tenant->state.synced == 0) {
		certdir_error_set(error, "its devices were never listed");
		return false;
	}
	if (!certdir_tenant_begin(tenant, CERTDIR_PART_DEVICES, error))
		return false;
	tenant->part.asked = true;
	if (certdir_list_writer_number(tenant->writer, &tenant->part.newest, "SELECT max(id) FROM device", SQL_NOTHING,
				       error))
		return true;
	certdir_tenant_part_abandon(tenant);
	return false;
}

enum certdir_tenant_ended certdir_tenant_asked_end(struct certdir_tenant *tenant, struct certdir_tenant_counts *counts,
						   struct certdir_error *error)
{
	enum certdir_tenant_ended ended = CERTDIR_ENDED_FAILED;

	if (!certdir_tenant_in(tenant, CERTDIR_PART_DEVICES, error))
		return ended;
	/* Nothing is removed, and whom the filter takes away now is one of those that were asked for. */
	if (settle(tenant, counts, error))
		ended = CERTDIR_ENDED;
	return certdir_tenant_finish(tenant, ended, error);
}

bool certdir_tenant_knows(struct certdir_tenant *tenant, const char *id, bool *known, struct certdir_error *error)
{
	int64_t number;
	const bool ok = certdir_list_writer_number(
		tenant->writer, &number,
		"SELECT EXISTS(SELECT 1 FROM device WHERE entra_device_id=?1 AND source=?2 AND listed) OR "
		"EXISTS(SELECT 1 FROM device WHERE intune_device_id=?1 AND source=?2 AND listed)",
		SQL_VALUES(SQL_TEXT(id), SQL_NUMBER(tenant->source)), error);

	*known = number != 0;
	return ok;
}

enum certdir_tenant_ended certdir_tenant_devices_end(struct certdir_tenant *tenant, const char *delta_link,
						     struct certdir_tenant_counts *counts, struct certdir_error *error)
{
	const int64_t now = tenant->options.now;
	enum certdir_tenant_ended ended = CERTDIR_ENDED_FAILED;
	size_t kept = 0;

	if (!certdir_tenant_in(tenant, CERTDIR_PART_DEVICES, error))
		return ended;
	if ((!tenant->part.first || end_first(tenant, error)) &&
	    (!tenant->part.full || tenant->part.quiet ||
	     certdir_tenant_sweep(tenant, "SELECT id FROM device WHERE source=?1 AND object_id IS NOT NULL", error)) &&
	    (!tenant->refilter || filter_anew(tenant, error)))
		ended = certdir_tenant_guard_devices(tenant, &kept, error);
	/* What a listing that came short did not name no delta would bring: the next one has to be whole, too. */
	if (ended == CERTDIR_ENDED_SHRUNK && tenant->part.full)
		delta_link = NULL;
	/* What is counted and logged depends on whom the guard keeps. */
	if (ended != CERTDIR_ENDED_FAILED &&
	    !(settle(tenant, counts, error) &&
	      certdir_list_writer_do(
		      tenant->writer,
		      "DELETE FROM former_name WHERE since<=?1 AND EXISTS(SELECT 1 FROM device d WHERE "
		      "d.id=former_name.device AND d.source=?2)",
		      SQL_VALUES(SQL_NUMBER(now - tenant->options.former_names), SQL_NUMBER(tenant->source)), error) &&
	      certdir_list_writer_do(
		      tenant->writer,
		      "UPDATE source SET synced=?2,delta_link=?3,delta_since=?4,filter=?5,extension_attributes=?6 "
		      "WHERE id=?1",
		      SQL_VALUES(SQL_NUMBER(tenant->source), SQL_NUMBER(now), SQL_TEXT(delta_link),
				 SQL_TIME(delta_link ? now : 0),
				 SQL_TEXT(tenant->part.unfiltered ? NULL : tenant->filter),
				 SQL_TEXT(tenant->attributes)),
		      error)))
		ended = CERTDIR_ENDED_FAILED;
	counts->kept = kept;
	return certdir_tenant_finish(tenant, ended, error);
}
