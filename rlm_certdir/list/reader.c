/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection to a snapshot: SQLite reads pages straight from the shared buffer and never writes to it. */
#include "text/canonical.h"
#include "list/schema.h"
#include "list/snapshot.h"
#include "list/sql.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Finding: ?1 is the canonical value, ?2 the tenant or NULL, ?3 the first label of a DNS name. Rows are numbered as list.h says;
 * behind the number stands whether the row was found by the whole value. The tenant is looked up in a query of
 * its own: without one, an index alone answers, and the table is not even opened.
 */
#define TENANT "(SELECT tenant FROM source WHERE id=d.source)"
#define IN_SCOPE                                                                                                       \
	" AND (?2 IS NULL OR (SELECT coalesce(t.tenant,s.tenant,?2) FROM device t JOIN source s ON s.id=t.source"      \
	" WHERE t.id=d.id)=?2)"
#define BY(column, value, whole) "SELECT d.id," whole " FROM device d WHERE d." column "=" value IN_SCOPE
#define BY_ID(column) BY(column, "?1", "1")
/* The index holds only what differs from the name. */
#define BY_NAME(value, whole)                                                                                          \
	BY("name", value, whole)                                                                                       \
	" UNION ALL " BY("intune_name", value, whole) " AND d.intune_name IS NOT d.name"
#define WAITING_BY(column, value, whole)                                                                               \
	"SELECT -d.id," whole " FROM intune_waiting d WHERE d." column "=" value " AND (?2 IS NULL OR ifnull(" TENANT  \
	",?2)=?2)"

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

static const char *const statements[CERTDIR_LIST_STATEMENTS] = {
	[CERTDIR_FIND_GUID] = BY_ID("entra_device_id") " UNION ALL " BY_ID("intune_device_id") " UNION ALL " BY_ID(
		"object_id") " UNION ALL " BY_ID("udid"),
	[CERTDIR_FIND_WAITING] =
		WAITING_BY("intune_device_id", "?1", "1") " UNION ALL " WAITING_BY("entra_device_id", "?1", "1"),
	[CERTDIR_FIND_WAITING_NAME] = WAITING_BY("intune_name", "?1", "1"),
	[CERTDIR_FIND_WAITING_DNS] = WAITING_BY("intune_name", "?3", "0"),
	[CERTDIR_FIND_WAITING_SERIAL] = WAITING_BY("serial_number", "?1", "1"),
	[CERTDIR_FIND_SID] = BY_ID("sid"),
	/*
	 * Those found by the whole name come first: a hundred others of that first label do not push them out. What a tenant's device
	 * is called is no DNS name, whatever it looks like.
	 */
	[CERTDIR_FIND_DNS] =
		"SELECT d.id,1 FROM dns_name n CROSS JOIN device d ON d.id=n.device WHERE n.name=?1" IN_SCOPE
		" UNION ALL " BY("name", "?1", "1") " AND (SELECT kind FROM source WHERE id=d.source)<>'tenant'"
						    " UNION ALL " BY_NAME("?3", "0"),
	[CERTDIR_FIND_NAME] = BY_NAME("?1", "1"),
	[CERTDIR_FIND_FORMER] =
		"SELECT d.id,1 FROM former_name f CROSS JOIN device d ON d.id=f.device WHERE f.name=?1" IN_SCOPE,
	[CERTDIR_FIND_SERIAL] = BY_ID("serial_number"),
	/* ?3: the type, ?4: whether this is the whole value; an LDAP directory is of no tenant, and so in the scope of each */
	[CERTDIR_FIND_VALUE] =
		"SELECT v.device,?4 FROM value v WHERE v.value=?1 AND (v.type=?3 OR (?3='device_guid' AND "
		"v.type IN('entra_device_id','intune_device_id','udid')))",
	[CERTDIR_READ_DEVICE] = "SELECT " FACTS " FROM device d WHERE d.id=?1",
	[CERTDIR_READ_WAITING] = "SELECT " FACTS " FROM (SELECT *," NO_DEVICE " FROM intune_waiting) d WHERE d.id=-?1",
	[CERTDIR_READ_DNS_NAMES] = "SELECT name FROM dns_name WHERE device=?1",
	[CERTDIR_READ_GROUPS] = "SELECT g.object_id,g.name,m.confirmed,g.sid FROM device_group m JOIN grp g ON "
				"g.id=m.grp WHERE m.device=?1",
	[CERTDIR_READ_FORMER_NAMES] = "SELECT name,since FROM former_name WHERE device=?1 ORDER BY name",
	[CERTDIR_READ_VALUES] = "SELECT type,value FROM value WHERE device=?1",
};

/* Columns of CERTDIR_READ_DEVICE and CERTDIR_READ_WAITING behind the texts. */
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
 * What a person may ask of all devices, such as to sort and to compare them, in lookups of the longest kind: a hundred thousand
 * instructions for each device, which is more than anything here takes.
 */
enum { ALL_LOOKUPS = 400 };

static bool fail(struct certdir_list_reader *reader, struct certdir_error *error)
{
	if (reader->steps.thousands == 0)
		certdir_error_set(error,
				  "%s: reading it does not end: the list is damaged, or was made to harm: publish it "
				  "again",
				  reader->snapshot->filename);
	else
		certdir_error_set(error, "%s: reading failed: %s", reader->snapshot->filename,
				  sqlite3_errmsg(reader->db));
	return false;
}

/* Around each lookup, so that a login ends, within what the reader's user has left for all of them. */
static struct certdir_list_steps begin_lookup(struct certdir_list_reader *reader)
{
	const struct certdir_list_steps outside = reader->steps;

	reader->steps.thousands = reader->snapshot->steps;
	return outside;
}

static bool out_of_memory(struct certdir_list_reader *reader, struct certdir_error *error)
{
	certdir_error_set(error, "%s: out of memory", reader->snapshot->filename);
	return false;
}

/*
 * READONLY without FREEONCLOSE: SQLite borrows the buffer. With mmap_size set it takes pages by xFetch, which for a
 * database in memory is a pointer into the buffer: no page is copied, and this maps nothing. One read transaction lasts
 * as long as the connection, since the image never changes: beginning one costs as much as a lookup.
 */
static bool attach_image(struct certdir_list_reader *reader)
{
	const struct certdir_list_snapshot *snapshot = reader->snapshot;
	char pragmas[200];

	if (!certdir_list_database_open(":memory:", false, &reader->db))
		return false;
	certdir_list_database_bound(reader->db, &reader->steps);
	if (sqlite3_deserialize(reader->db, "main", snapshot->file, (sqlite3_int64)snapshot->image,
				(sqlite3_int64)snapshot->image, SQLITE_DESERIALIZE_READONLY) != SQLITE_OK)
		return false;
	(void)snprintf(pragmas, sizeof(pragmas),
		       "PRAGMA mmap_size=%zu;PRAGMA cache_size=-256;PRAGMA temp_store=MEMORY;"
		       "PRAGMA query_only=1;BEGIN;SELECT 1 FROM sqlite_schema",
		       snapshot->image);
	return sqlite3_exec(reader->db, pragmas, NULL, NULL, NULL) == SQLITE_OK;
}

struct certdir_list_reader *certdir_list_reader_open(struct certdir_list_snapshot *snapshot,
						     struct certdir_error *error)
{
	struct certdir_list_reader *reader = calloc(1, sizeof(*reader));

	if (!reader) {
		certdir_error_set(error, "%s: out of memory", snapshot->filename);
		return NULL;
	}
	reader->snapshot = snapshot;
	reader->steps.thousands = snapshot->steps;
	if (!attach_image(reader))
		goto out;
	if (!snapshot->is_ours) {
		if (!certdir_list_database_is_ours(reader->db, "main", snapshot->filename, error))
			goto foreign;
		snapshot->is_ours = true; /* by the first reader: others may be opened by many threads at once */
	}
	for (size_t i = 0; i < CERTDIR_LIST_STATEMENTS; i++)
		if (sqlite3_prepare_v3(reader->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT, &reader->statements[i],
				       NULL) != SQLITE_OK)
			goto out;
	return reader;
out:
	fail(reader, error);
foreign:
	certdir_list_reader_close(reader);
	return NULL;
}

void certdir_list_reader_close(struct certdir_list_reader *reader)
{
	for (size_t i = 0; i < CERTDIR_LIST_STATEMENTS; i++)
		sqlite3_finalize(reader->statements[i]);
	(void)sqlite3_close(reader->db);
	free(reader);
}

/* A reader in use retains its snapshot; an idle one does not, or the snapshot would hold itself for ever. */
struct certdir_list_reader *certdir_list_reader_get(struct certdir_list_snapshot *snapshot, struct certdir_error *error)
{
	struct certdir_list_reader *reader;

	(void)pthread_mutex_lock(&snapshot->mutex);
	reader = snapshot->idle;
	if (reader)
		snapshot->idle = reader->next;
	(void)pthread_mutex_unlock(&snapshot->mutex);
	if (!reader)
		reader = certdir_list_reader_open(snapshot, error);
	if (!reader)
		return NULL;
	reader->steps.thousands = ALL_LOOKUPS * snapshot->steps;
	(void)certdir_list_retain(snapshot);
	return reader;
}

void certdir_list_reader_put(struct certdir_list_reader *reader)
{
	struct certdir_list_snapshot *snapshot;

	if (!reader)
		return;
	snapshot = reader->snapshot;
	(void)pthread_mutex_lock(&snapshot->mutex);
	reader->next = snapshot->idle;
	snapshot->idle = reader;
	(void)pthread_mutex_unlock(&snapshot->mutex);
	certdir_list_release(snapshot);
}

/* ---- finding ---- */

static bool statement_of(enum certdir_identity_type type, enum certdir_list_statement *statement)
{
	static const enum certdir_list_statement map[CERTDIR_ID_TYPES] = {
		[CERTDIR_ID_ENTRA] = CERTDIR_FIND_GUID,	 [CERTDIR_ID_INTUNE] = CERTDIR_FIND_GUID,
		[CERTDIR_ID_GUID] = CERTDIR_FIND_GUID,	 [CERTDIR_ID_SID] = CERTDIR_FIND_SID,
		[CERTDIR_ID_SID_URI] = CERTDIR_FIND_SID, [CERTDIR_ID_DNS] = CERTDIR_FIND_DNS,
		[CERTDIR_ID_NAME] = CERTDIR_FIND_NAME,	 [CERTDIR_ID_SERIAL] = CERTDIR_FIND_SERIAL,
		[CERTDIR_ID_UDID] = CERTDIR_FIND_GUID,
	};

	*statement = map[type];
	/* These an LDAP directory alone has, and among its values. */
	return type != CERTDIR_ID_UPN && type != CERTDIR_ID_MAPPING;
}

struct found {
	int64_t *rows;
	int count;
	bool whole; /* some row has the whole value */
	bool more;
};

static bool bind_value(sqlite3_stmt *stmt, const char *tenant, const char *value)
{
	return sqlite3_bind_text(stmt, 1, value, -1, SQLITE_STATIC) == SQLITE_OK &&
	       sqlite3_bind_text(stmt, 2, tenant, -1, SQLITE_STATIC) == SQLITE_OK &&
	       (sqlite3_bind_parameter_count(stmt) < 3 ||
		sqlite3_bind_text(stmt, 3, value, (int)strcspn(value, "."), SQLITE_STATIC) == SQLITE_OK);
}

/* Goes through the rows as far as there is room for them and one further, if that one counts. */
static int take_rows(sqlite3_stmt *stmt, struct found *found)
{
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const int64_t row = sqlite3_column_int64(stmt, 0);
		int i;

		for (i = 0; i < found->count && found->rows[i] != row; i++)
			;
		if (i < found->count)
			continue;
		if (found->count == CERTDIR_LIST_FIND_MAX) {
			found->more = sqlite3_column_int(stmt, 1) || !found->whole;
			return SQLITE_DONE;
		}
		found->whole |= sqlite3_column_int(stmt, 1);
		found->rows[found->count++] = row;
	}
	return rc;
}

static bool find(struct certdir_list_reader *reader, enum certdir_list_statement which, const char *tenant,
		 const char *value, struct found *found, struct certdir_error *error)
{
	sqlite3_stmt *stmt = reader->statements[which];
	const int rc = bind_value(stmt, tenant, value) ? take_rows(stmt, found) : SQLITE_ERROR;

	if (rc != SQLITE_DONE)
		fail(reader, error);
	(void)sqlite3_reset(stmt);
	(void)sqlite3_clear_bindings(stmt);
	return rc == SQLITE_DONE;
}

/* Where records that wait are looked for, behind the devices. There is none of them for a SID. */
static bool waiting_of(enum certdir_list_statement which, enum certdir_list_statement *waiting)
{
	static const enum certdir_list_statement map[CERTDIR_LIST_STATEMENTS] = {
		[CERTDIR_FIND_GUID] = CERTDIR_FIND_WAITING,
		[CERTDIR_FIND_NAME] = CERTDIR_FIND_WAITING_NAME,
		[CERTDIR_FIND_DNS] = CERTDIR_FIND_WAITING_DNS,
		[CERTDIR_FIND_SERIAL] = CERTDIR_FIND_WAITING_SERIAL,
	};

	*waiting = map[which];
	return which != CERTDIR_FIND_SID;
}

/* Values beside the columns of the device. */
static bool find_value(struct certdir_list_reader *reader, enum certdir_identity_type type, const char *value,
		       size_t length, bool whole, struct found *found, struct certdir_error *error)
{
	sqlite3_stmt *stmt = reader->statements[CERTDIR_FIND_VALUE];
	int rc = SQLITE_ERROR;

	if (certdir_type_is_guid(type))
		type = CERTDIR_ID_GUID;
	else if (type == CERTDIR_ID_SID_URI)
		type = CERTDIR_ID_SID;
	if (sqlite3_bind_text(stmt, 1, value, (int)length, SQLITE_STATIC) == SQLITE_OK &&
	    sqlite3_bind_text(stmt, 3, certdir_identity_type_name(type), -1, SQLITE_STATIC) == SQLITE_OK &&
	    sqlite3_bind_int(stmt, 4, whole) == SQLITE_OK)
		rc = take_rows(stmt, found);
	if (rc != SQLITE_DONE)
		fail(reader, error);
	(void)sqlite3_reset(stmt);
	(void)sqlite3_clear_bindings(stmt);
	return rc == SQLITE_DONE;
}

/* Characters that Active Directory keeps of a computer's name in sAMAccountName; a DNS name has to tell the rest. */
enum { ACCOUNT_NAME = 15 };

static bool find_name(struct certdir_list_reader *reader, const char *name, size_t length, bool whole,
		      struct found *found, struct certdir_error *error)
{
	return find_value(reader, CERTDIR_ID_NAME, name, length, whole, found, error) &&
	       (length <= ACCOUNT_NAME || find_value(reader, CERTDIR_ID_NAME, name, ACCOUNT_NAME, false, found, error));
}

/* Those that have the whole value come before the others. */
static bool find_all(struct certdir_list_reader *reader, const char *tenant, enum certdir_identity_type type,
		     const char *value, struct found *found, struct certdir_error *error)
{
	const bool values = reader->snapshot->has_values;
	enum certdir_list_statement which, waiting;
	char object_id[37];
	bool ok = true;

	if ((type == CERTDIR_ID_SID || type == CERTDIR_ID_SID_URI) && certdir_sid_object_id(value, object_id)) {
		type = CERTDIR_ID_GUID;
		value = object_id;
	}
	if (values)
		ok = type == CERTDIR_ID_NAME ? find_name(reader, value, strlen(value), true, found, error)
					     : find_value(reader, type == CERTDIR_ID_DNS ? CERTDIR_ID_NAME : type,
							  value, strlen(value), true, found, error);
	if (!ok || !statement_of(type, &which))
		return ok;
	ok = find(reader, which, tenant, value, found, error);
	if (ok && values && type == CERTDIR_ID_DNS)
		ok = find_name(reader, value, strcspn(value, "."), false, found, error);
	if (ok && reader->snapshot->has_waiting && !found->more && waiting_of(which, &waiting))
		ok = find(reader, waiting, tenant, value, found, error);
	if (ok && which == CERTDIR_FIND_NAME && reader->snapshot->has_former_names && found->count == 0)
		ok = find(reader, CERTDIR_FIND_FORMER, tenant, value, found, error);
	return ok;
}

int certdir_list_find(struct certdir_list_reader *reader, const char *tenant, enum certdir_identity_type type,
		      const char *value, int64_t rows[CERTDIR_LIST_FIND_MAX], bool *more, struct certdir_error *error)
{
	const struct certdir_list_steps outside = begin_lookup(reader);
	struct found found = {.rows = rows};
	const bool ok = find_all(reader, tenant, type, value, &found, error);

	reader->steps = outside;
	*more = found.more;
	return ok ? found.count : -1;
}

/* ---- reading a device ---- */

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

static enum certdir_tristate tristate(sqlite3_stmt *stmt, int column)
{
	if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
		return CERTDIR_UNKNOWN;
	return sqlite3_column_int(stmt, column) ? CERTDIR_YES : CERTDIR_NO;
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
	own->managed = tristate(stmt, AT_MANAGED);
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
	device->enabled = tristate(stmt, AT_ENABLED);
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

static const struct certdir_list_source *source_by_id(const struct certdir_list_snapshot *snapshot, int64_t id)
{
	for (size_t i = 0; i < snapshot->source_count; i++)
		if (snapshot->sources[i].id == id)
			return &snapshot->sources[i];
	return NULL;
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
	char **names = realloc(device->dns_names, (device->dns_name_count + 1) * sizeof(*names));

	if (!names)
		return false;
	device->dns_names = names;
	names[device->dns_name_count] = NULL;
	return take_text(stmt, 0, &names[device->dns_name_count++]);
}

static bool take_group(void *context, sqlite3_stmt *stmt)
{
	struct certdir_device *device = context;
	struct certdir_group *groups = realloc(device->groups, (device->group_count + 1) * sizeof(*groups));
	struct certdir_group *group;

	if (!groups)
		return false;
	device->groups = groups;
	group = &groups[device->group_count++];
	*group = (struct certdir_group){.as_of = sqlite3_column_int64(stmt, 2)};
	return take_text(stmt, 0, &group->id) && take_text(stmt, 1, &group->name) && take_text(stmt, 3, &group->sid);
}

struct values {
	struct certdir_value *items;
	size_t count;
};

static bool take_value(void *context, sqlite3_stmt *stmt)
{
	struct values *values = context;
	struct certdir_value *items = realloc(values->items, (values->count + 1) * sizeof(*items));
	enum certdir_identity_type type;
	char word[WORD_MAX];
	const char *name = take_word(stmt, 0, word);

	if (!items)
		return false;
	values->items = items;
	/* A type that is newer than this program is nothing that it could be asked for. */
	if (!name || !certdir_identity_type_parse(name, &type))
		return true;
	items[values->count] = (struct certdir_value){.type = type};
	return take_text(stmt, 1, &items[values->count++].value);
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

static bool take_former_name(void *context, sqlite3_stmt *stmt)
{
	struct certdir_device *device = context;
	struct certdir_former_name *names =
		realloc(device->former_names, (device->former_name_count + 1) * sizeof(*names));

	if (!names)
		return false;
	device->former_names = names;
	names[device->former_name_count] = (struct certdir_former_name){.since = sqlite3_column_int64(stmt, 1)};
	return take_text(stmt, 0, &names[device->former_name_count++].name);
}

static bool take_all(struct certdir_list_reader *reader, enum certdir_list_statement which, int64_t row,
		     take_function take, void *context, struct certdir_error *error)
{
	sqlite3_stmt *stmt = reader->statements[which];
	bool ok = false;
	int rc;

	rc = sqlite3_bind_int64(stmt, 1, row);
	if (rc == SQLITE_OK)
		while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
			if (!take(context, stmt)) {
				out_of_memory(reader, error);
				goto out;
			}
	ok = rc == SQLITE_DONE;
	if (!ok)
		fail(reader, error);
out:
	(void)sqlite3_reset(stmt);
	return ok;
}

/* The row that the statement stands on. */
static bool take_row(struct certdir_list_reader *reader, sqlite3_stmt *stmt, int64_t row, struct certdir_device *device,
		     const struct certdir_list_source **source, const char **only_against, struct certdir_error *error)
{
	*source = source_by_id(reader->snapshot, sqlite3_column_int64(stmt, AT_SOURCE));
	if (!*source) {
		certdir_error_set(error, "%s: the device in row %" PRId64 " is of no source",
				  reader->snapshot->filename, row);
		return false;
	}
	if (!take_texts(stmt, *source, device) || !take_text(stmt, AT_DN, &device->id) || !take_id(device, row))
		return out_of_memory(reader, error);
	take_facts(stmt, *source, device);
	*only_against = against(stmt, device);
	return true;
}

static bool read_row(struct certdir_list_reader *reader, int64_t row, struct certdir_device *device,
		     const struct certdir_list_source **source, const char **only_against, struct certdir_error *error)
{
	sqlite3_stmt *stmt = reader->statements[row < 0 ? CERTDIR_READ_WAITING : CERTDIR_READ_DEVICE];
	int rc = sqlite3_bind_int64(stmt, 1, row);
	bool ok = false;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		ok = take_row(reader, stmt, row, device, source, only_against, error);
	else if (rc == SQLITE_DONE)
		certdir_error_set(error, "%s: there is no device in row %" PRId64, reader->snapshot->filename, row);
	else
		fail(reader, error);
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
	outside = begin_lookup(reader);
	ok = read_row(reader, row, device, source, only_against, error);
	if (ok && snapshot->has_dns_names)
		ok = take_all(reader, CERTDIR_READ_DNS_NAMES, row, take_dns_name, device, error);
	if (ok && snapshot->has_groups)
		ok = take_all(reader, CERTDIR_READ_GROUPS, row, take_group, device, error);
	if (ok && snapshot->has_former_names)
		ok = take_all(reader, CERTDIR_READ_FORMER_NAMES, row, take_former_name, device, error);
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
	const struct certdir_list_steps outside = begin_lookup(reader);
	struct values taken = {NULL, 0};
	const bool ok = !reader->snapshot->has_values || row < 0 ||
			take_all(reader, CERTDIR_READ_VALUES, row, take_value, &taken, error);

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

/* ---- all of them ---- */

bool certdir_list_each(struct certdir_list_reader *reader,
		       bool (*each)(void *context, int64_t row, const struct certdir_device *device,
				    const struct certdir_list_source *source),
		       void *context, struct certdir_error *error)
{
	sqlite3_stmt *stmt = NULL;
	bool more = true;
	int rc;

	rc = sqlite3_prepare_v2(reader->db, "SELECT id FROM device WHERE listed ORDER BY name,entra_device_id,id", -1,
				&stmt, NULL);
	if (rc == SQLITE_OK)
		rc = SQLITE_ROW;
	while (rc == SQLITE_ROW && more && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const int64_t row = sqlite3_column_int64(stmt, 0);
		const struct certdir_list_source *source;
		struct certdir_device device;
		const char *only_against;

		if (!certdir_list_device(reader, row, &device, &source, &only_against, error)) {
			sqlite3_finalize(stmt);
			return false;
		}
		more = each(context, row, &device, source);
		certdir_device_clear(&device);
	}
	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		fail(reader, error);
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE || rc == SQLITE_ROW;
}

bool certdir_list_numbers(struct certdir_list_reader *reader, int64_t source, struct certdir_list_numbers *numbers,
			  struct certdir_error *error)
{
	sqlite3_stmt *stmt = NULL;
	int rc;

	memset(numbers, 0, sizeof(*numbers));
	stmt = certdir_sql_prepare(reader->db,
				   "SELECT count(*),total(" CERTDIR_LIST_COMPLIANCE "='compliant'),total(d.enabled=0),"
				   "count(d.intune_device_id) FROM device d WHERE d.source=?1 AND d.listed",
				   SQL_VALUES(SQL_NUMBER(source)));
	rc = stmt ? sqlite3_step(stmt) : SQLITE_ERROR;
	if (rc == SQLITE_ROW)
		*numbers = (struct certdir_list_numbers){
			.devices = (size_t)sqlite3_column_int64(stmt, 0),
			.compliant = (size_t)sqlite3_column_int64(stmt, 1),
			.disabled = (size_t)sqlite3_column_int64(stmt, 2),
			.intune = (size_t)sqlite3_column_int64(stmt, 3),
		};
	else
		fail(reader, error);
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW;
}

static bool ask_group(struct certdir_list_reader *reader, const char *sql, const char *group, bool *yes,
		      struct certdir_error *error)
{
	int64_t answer;
	const int found = certdir_sql_ask(reader->db, sql, SQL_VALUES(SQL_TEXT(group)), &answer);

	*yes = answer != 0;
	return found == 1 || fail(reader, error);
}

#define NAMED_GROUP                                                                                                    \
	"SELECT EXISTS(SELECT 1 FROM grp g WHERE (g.name=?1 COLLATE NOCASE OR g.object_id=?1 COLLATE NOCASE OR "       \
	"g.sid=?1 COLLATE NOCASE)"

bool certdir_list_has_group(struct certdir_list_reader *reader, const char *group, bool *has,
			    struct certdir_error *error)
{
	return ask_group(reader, NAMED_GROUP " AND EXISTS(SELECT 1 FROM device_group m WHERE m.grp=g.id))", group, has,
			 error);
}

bool certdir_list_knows_group(struct certdir_list_reader *reader, const char *group, bool *knows,
			      struct certdir_error *error)
{
	return ask_group(reader, NAMED_GROUP ")", group, knows, error);
}
