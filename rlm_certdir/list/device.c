/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A row of the list -> a device. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "list/reader.h"
#include "list/schema.h"
#include "list/snapshot.h"

/* What Intune says of a device comes before what Entra ID says, for people. */
#define COLUMN(column, kind) "d." #column ","
#define FACTS                                                                                                          \
	CERTDIR_LIST_PLAIN_COLUMNS(COLUMN)                                                                             \
	"coalesce(d.intune_ownership,d.ownership)," CERTDIR_LIST_COMPLIANCE ",d.source,d.listed,d.once_entra,"         \
	"d.enabled,d.managed,d.join_type,d.last_seen,d.registered,d.expires,d.compliance,d.compliance_since,"          \
	"d.intune_compliance,d.intune_last_seen,d.intune_registered,d.confirmed,d.intune_confirmed,d.dn"
/* A waiting record is a device of which all but Intune's word is unknown, and which Entra ID knew once. */
#define NO_DEVICE                                                                                                      \
	"NULL AS object_id,NULL AS name,NULL AS sid,NULL AS operating_system,NULL AS tenant,"                          \
	"NULL AS extension_attributes,NULL AS udid,NULL AS ownership,NULL AS compliance,1 AS listed,1 AS once_entra,"  \
	"NULL AS enabled,NULL AS managed,NULL AS join_type,NULL AS last_seen,NULL AS registered,"                      \
	"NULL AS expires,NULL AS compliance_since,NULL AS confirmed,NULL AS dn"

static const char read_device[] = "SELECT " FACTS " FROM device d WHERE d.id=?1";
static const char read_waiting[] =
	"SELECT " FACTS " FROM (SELECT *," NO_DEVICE " FROM intune_waiting) d WHERE d.id=-?1";

/* Columns of either behind the texts. */
enum {
	AT_SOURCE = CERTDIR_LIST_TEXTS,
	AT_LISTED,
	AT_ONCE_ENTRA,
	AT_ENABLED,
	AT_MANAGED,
	AT_JOIN_TYPE,
	AT_LAST_SEEN,
	AT_REGISTERED,
	AT_EXPIRES,
	AT_COMPLIANCE,
	AT_COMPLIANCE_SINCE,
	AT_INTUNE_COMPLIANCE,
	AT_INTUNE_LAST_SEEN,
	AT_INTUNE_REGISTERED,
	AT_CONFIRMED,
	AT_INTUNE_CONFIRMED,
	AT_DN
};

/*
 * Copies a text column; NULL stays NULL. Taken as a blob, since asking for text has SQLite copy the value to put a NUL behind it,
 * with memory that all connections of the process contend for.
 */
static bool take_text(sqlite3_stmt *stmt, int column, char **out)
{
	const char *bytes = sqlite3_column_blob(stmt, column);

	if (!bytes && sqlite3_column_type(stmt, column) == SQLITE_NULL)
		return true;
	*out = bytes ? strndup(bytes, (size_t)sqlite3_column_bytes(stmt, column)) : strdup("");
	return *out != NULL;
}

enum { WORD_MAX = 32 };

/* A text that is known to be short when it means something, without memory of its own; NULL if it is none. */
static const char *take_word(sqlite3_stmt *stmt, int column, char word[WORD_MAX])
{
	const char *bytes = sqlite3_column_blob(stmt, column);
	const size_t length = (size_t)sqlite3_column_bytes(stmt, column);

	if (!bytes || length >= WORD_MAX)
		return NULL;
	memcpy(word, bytes, length);
	word[length] = '\0';
	return word;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* What Entra ID, or an import, says. */
static void take_own(sqlite3_stmt *stmt, struct certdir_statement *own)
{
	char word[WORD_MAX];

	own->is = true;
	own->as_of = sqlite3_column_int64(stmt, AT_CONFIRMED);
	own->compliant = certdir_compliance(take_word(stmt, AT_COMPLIANCE, word));
	own->compliant_since = sqlite3_column_int64(stmt, AT_COMPLIANCE_SINCE);
	own->managed = certdir_sql_tristate_at(stmt, AT_MANAGED);
	own->last_seen = sqlite3_column_int64(stmt, AT_LAST_SEEN);
	own->registered = sqlite3_column_int64(stmt, AT_REGISTERED);
}

static void take_intune(sqlite3_stmt *stmt, struct certdir_statement *intune)
{
	char word[WORD_MAX];

	intune->is = true;
	intune->as_of = sqlite3_column_int64(stmt, AT_INTUNE_CONFIRMED);
	intune->compliant = certdir_compliance(take_word(stmt, AT_INTUNE_COMPLIANCE, word));
	intune->last_seen = sqlite3_column_int64(stmt, AT_INTUNE_LAST_SEEN);
	intune->registered = sqlite3_column_int64(stmt, AT_INTUNE_REGISTERED);
}

static void take_facts(sqlite3_stmt *stmt, const struct certdir_list_source *source, struct certdir_device *device)
{
	const char *join_type;
	char word[WORD_MAX];

	if (device->object_id || source->kind != CERTDIR_SOURCE_TENANT)
		take_own(stmt, &device->own);
	if (sqlite3_column_type(stmt, AT_INTUNE_COMPLIANCE) != SQLITE_NULL)
		take_intune(stmt, &device->intune);
	device->enabled = certdir_sql_tristate_at(stmt, AT_ENABLED);
	certdir_device_merge(device);
	join_type = take_word(stmt, AT_JOIN_TYPE, word);
	if (!join_type || !certdir_join_type_parse(join_type, &device->join_type))
		device->join_type = CERTDIR_JOIN_UNKNOWN;
	device->last_seen = later(device->own.last_seen, device->intune.last_seen);
	device->registered = later(device->own.registered, device->intune.registered);
	device->expires = sqlite3_column_int64(stmt, AT_EXPIRES);
}

static bool take_texts(sqlite3_stmt *stmt, const struct certdir_list_source *source, struct certdir_device *device)
{
	for (int i = 0; i < CERTDIR_LIST_TEXTS; i++)
		if (!take_text(stmt, i, (char **)((char *)device + certdir_list_columns[i].offset)))
			return false;
	/* The tenant is the source's where the device has none of its own. */
	if (!device->tenant && source->tenant)
		device->tenant = strdup(source->tenant);
	return device->tenant || !source->tenant;
}

static const char *against(sqlite3_stmt *stmt, const struct certdir_device *device)
{
	/* Such a device is unlisted, too, but not for the filter's sake. */
	if (!device->own.is && sqlite3_column_int(stmt, AT_ONCE_ENTRA))
		return "Intune's record of it names an Entra device that is gone";
	return sqlite3_column_int(stmt, AT_LISTED) ? NULL : "kept out by the filter of the sync";
}

static bool take_id(struct certdir_device *device, int64_t row)
{
	const char *const ids[] = {device->entra_device_id,
				   device->intune_device_id,
				   device->object_id,
				   device->udid,
				   device->sid,
				   device->serial_number,
				   device->name};
	char number[40];

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]) && !device->id; i++)
		if (ids[i] && !(device->id = strdup(ids[i])))
			return false;
	if (!device->id) {
		(void)snprintf(number, sizeof(number), "row %" PRId64, row);
		device->id = strdup(number);
	}
	return device->id != NULL;
}

/* Appends a row of names or groups to the array of the caller; false when memory is out. */
typedef bool (*take_function)(void *context, sqlite3_stmt *stmt);

static bool take_dns_name(void *context, sqlite3_stmt *stmt)
{
	struct certdir_device *device = context;
	char **name = certdir_array_next(&device->dns_names, device->dns_name_count, sizeof(*name));

	if (!name)
		return false;
	device->dns_name_count++;
	return take_text(stmt, 0, name);
}

static bool take_group(void *context, sqlite3_stmt *stmt)
{
	struct certdir_device *device = context;
	struct certdir_group *group = certdir_array_next(&device->groups, device->group_count, sizeof(*group));

	if (!group)
		return false;
	device->group_count++;
	group->as_of = sqlite3_column_int64(stmt, 2);
	return take_text(stmt, 0, &group->id) && take_text(stmt, 1, &group->name) && take_text(stmt, 3, &group->sid);
}

static bool take_former_name(void *context, sqlite3_stmt *stmt)
{
	struct certdir_device *device = context;
	struct certdir_former_name *name =
		certdir_array_next(&device->former_names, device->former_name_count, sizeof(*name));

	if (!name)
		return false;
	device->former_name_count++;
	name->since = sqlite3_column_int64(stmt, 1);
	return take_text(stmt, 0, &name->name);
}

struct values {
	struct certdir_value *items;
	size_t count;
};

static bool take_value(void *context, sqlite3_stmt *stmt)
{
	struct values *values = context;
	struct certdir_value *value;
	enum certdir_identity_type type;
	char word[WORD_MAX];
	const char *name = take_word(stmt, 0, word);

	/* A type that is newer than this program is nothing that it could be asked for. */
	if (!name || !certdir_identity_type_parse(name, &type))
		return true;
	value = certdir_array_next(&values->items, values->count, sizeof(*value));
	if (!value)
		return false;
	values->count++;
	value->type = type;
	return take_text(stmt, 1, &value->value);
}

static int compare_texts(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) : (a != NULL) - (b != NULL);
}

/* Always in one order, so that an export is the same each time. SQLite would set up a sorter for that at every login. */
static int compare_groups(const void *a, const void *b)
{
	const struct certdir_group *left = a, *right = b;
	const int ids = compare_texts(left->id, right->id);

	return ids ? ids : compare_texts(left->name, right->name);
}

static bool take_all(struct certdir_list_reader *reader, const char *sql, int64_t row, take_function take,
		     void *context, struct certdir_error *error)
{
	sqlite3_stmt *stmt = certdir_sql_ask(&reader->sql, sql, SQL_VALUES(SQL_NUMBER(row)));
	int found;

	while ((found = certdir_sql_next(stmt)) == 1)
		if (!take(context, stmt)) {
			(void)sqlite3_reset(stmt);
			return certdir_list_reader_no_memory(reader, error);
		}
	return found == 0 || certdir_list_reader_fail(reader, error);
}

/* The row that the statement stands on. */
static bool take_row(struct certdir_list_reader *reader, sqlite3_stmt *stmt, int64_t row, struct certdir_device *device,
		     const struct certdir_list_source **source, const char **only_against, struct certdir_error *error)
{
	*source = certdir_list_sources_find(&reader->snapshot->sources, sqlite3_column_int64(stmt, AT_SOURCE));
	if (!*source) {
		certdir_error_set(error, "%s: the device in row %" PRId64 " is of no source", reader->image->filename,
				  row);
		return false;
	}
	if (!take_texts(stmt, *source, device) || !take_text(stmt, AT_DN, &device->id) || !take_id(device, row))
		return certdir_list_reader_no_memory(reader, error);
	take_facts(stmt, *source, device);
	*only_against = against(stmt, device);
	return true;
}

static bool read_row(struct certdir_list_reader *reader, int64_t row, struct certdir_device *device,
		     const struct certdir_list_source **source, const char **only_against, struct certdir_error *error)
{
	sqlite3_stmt *stmt =
		certdir_sql_ask(&reader->sql, row < 0 ? read_waiting : read_device, SQL_VALUES(SQL_NUMBER(row)));
	const int found = certdir_sql_next(stmt);
	bool ok = false;

	if (found == 1)
		ok = take_row(reader, stmt, row, device, source, only_against, error);
	else if (found == 0)
		certdir_error_set(error, "%s: there is no device in row %" PRId64, reader->image->filename, row);
	else
		(void)certdir_list_reader_fail(reader, error);
	(void)sqlite3_reset(stmt);
	return ok;
}

bool certdir_list_device(struct certdir_list_reader *reader, int64_t row, struct certdir_device *device,
			 const struct certdir_list_source **source, const char **only_against,
			 struct certdir_error *error)
{
	const struct certdir_list_snapshot *snapshot = reader->snapshot;
	struct certdir_list_steps outside;
	bool ok;

	memset(device, 0, sizeof(*device));
	outside = certdir_list_reader_begin(reader);
	ok = read_row(reader, row, device, source, only_against, error);
	if (ok && snapshot->has_dns_names)
		ok = take_all(reader, "SELECT name FROM dns_name WHERE device=?1", row, take_dns_name, device, error);
	if (ok && snapshot->has_groups)
		ok = take_all(reader,
			      "SELECT g.object_id,g.name,m.confirmed,g.sid FROM device_group m JOIN grp g ON "
			      "g.id=m.grp WHERE m.device=?1",
			      row, take_group, device, error);
	if (ok && snapshot->has_former_names)
		ok = take_all(reader, "SELECT name,since FROM former_name WHERE device=?1 ORDER BY name", row,
			      take_former_name, device, error);
	reader->steps = outside;
	if (ok && device->group_count > 1)
		qsort(device->groups, device->group_count, sizeof(*device->groups), compare_groups);
	if (!ok)
		certdir_device_clear(device);
	return ok;
}

bool certdir_list_values(struct certdir_list_reader *reader, int64_t row, struct certdir_value **values, size_t *count,
			 struct certdir_error *error)
{
	const struct certdir_list_steps outside = certdir_list_reader_begin(reader);
	struct values taken = {NULL, 0};
	const bool ok =
		!reader->snapshot->has_values || row < 0 ||
		take_all(reader, "SELECT type,value FROM value WHERE device=?1", row, take_value, &taken, error);

	reader->steps = outside;
	for (size_t i = 0; !ok && i < taken.count; i++)
		free(taken.items[i].value);
	if (!ok || taken.count == 0) {
		free(taken.items);
		taken = (struct values){NULL, 0};
	}
	*values = taken.items;
	*count = taken.count;
	return ok;
}

bool certdir_list_each(struct certdir_list_reader *reader,
		       bool (*each)(void *context, int64_t row, const struct certdir_device *device,
				    const struct certdir_list_source *source),
		       void *context, struct certdir_error *error)
{
	sqlite3_stmt *stmt = certdir_sql_ask(
		&reader->sql, "SELECT id FROM device WHERE listed ORDER BY name,entra_device_id,id", SQL_NOTHING);
	bool more = true;
	int found = 0;

	while (more && (found = certdir_sql_next(stmt)) == 1) {
		const int64_t row = sqlite3_column_int64(stmt, 0);
		const struct certdir_list_source *source;
		struct certdir_device device;
		const char *only_against;

		if (!certdir_list_device(reader, row, &device, &source, &only_against, error)) {
			(void)sqlite3_reset(stmt);
			return false;
		}
		more = each(context, row, &device, source);
		certdir_device_clear(&device);
	}
	(void)sqlite3_reset(stmt);
	return found >= 0 || certdir_list_reader_fail(reader, error);
}
