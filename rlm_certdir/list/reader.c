/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection to a snapshot: SQLite reads pages straight from the shared buffer and never writes to it. */
#include "list/schema.h"
#include "list/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMN(column, kind) "d." #column ","

/*
 * Finding: ?1 is the canonical value, ?2 is the first label of a DNS name. Every FIND statement has a twin that tells
 * whether row ?3 is among its rows; it goes by the row, not through a hundred thousand "iPhone"s. Hence a macro each.
 * Ids and serial numbers have a third form, for when several devices have one: those that a tenant knows better are left out.
 */
#define ROW " AND d.id=?3"
#define ID(column, row) "SELECT d.id FROM device d WHERE d." column "=?1 AND d.listed" row
#define KNOWN(column) CERTDIR_LIST_UNLESS_BEATEN(column, "?1")
#define BY_ID(column)                                                                                                  \
	{                                                                                                              \
		ID(column, ""), ID(column, ROW) KNOWN(column), ID(column, "") KNOWN(column)                            \
	}
#define BOTH KNOWN("entra_device_id") KNOWN("intune_device_id")
#define GUID(row) ID("entra_device_id", row) " UNION ALL " ID("intune_device_id", row)
/* Only imports have DNS names, and all of their devices are listed. */
#define DNS(row, device_row)                                                                                           \
	"SELECT device FROM dns_name WHERE name=?1" device_row                                                         \
	" UNION ALL SELECT d.id FROM device d WHERE d.name=?2 AND d.listed" row                                        \
	" AND NOT EXISTS(SELECT 1 FROM dns_name n WHERE n.device=d.id)"
/* A name that any device has now, listed or not, never matches by history. */
#define FORMER(device_row)                                                                                             \
	"SELECT f.device FROM former_name f WHERE f.name=?1" device_row                                                \
	" AND NOT EXISTS(SELECT 1 FROM device WHERE name=?1)"                                                          \
	" AND EXISTS(SELECT 1 FROM device d WHERE d.id=f.device AND d.listed)"
/* What Intune says of a device comes before what Entra ID says. */
#define DEVICE                                                                                                         \
	CERTDIR_LIST_PLAIN_COLUMNS(COLUMN)                                                                             \
	"coalesce(d.intune_ownership,d.ownership)," CERTDIR_LIST_COMPLIANCE ",d.source,d.enabled,"                     \
	"iif(d.intune_compliance IS NULL,d.managed,1),d.join_type,"                                                    \
	"max(ifnull(d.last_seen,0),ifnull(d.intune_last_seen,0)),"                                                     \
	"max(ifnull(d.registered,0),ifnull(d.intune_registered,0)),d.expires,"                                         \
	"EXISTS(SELECT 1 FROM dns_name WHERE device=d.id),EXISTS(SELECT 1 FROM device_group WHERE device=d.id) "       \
	"FROM device d WHERE d.id=?1"

static const struct {
	const char *sql;
	const char *carries;
	const char *known; /* NULL = all count */
} statements[CERTDIR_LIST_STATEMENTS] = {
	[CERTDIR_FIND_ENTRA] = BY_ID("entra_device_id"),
	[CERTDIR_FIND_INTUNE] = BY_ID("intune_device_id"),
	[CERTDIR_FIND_GUID] = {GUID(""), GUID(ROW BOTH), GUID(BOTH)},
	[CERTDIR_FIND_SID] = BY_ID("sid"),
	[CERTDIR_FIND_DNS] = {DNS("", ""), DNS(ROW, " AND device=?3"), NULL},
	/* A former name counts when no device has it now: finding asks for it second. */
	[CERTDIR_FIND_NAME] = {ID("name", ""), ID("name", ROW) " UNION ALL " FORMER(" AND f.device=?3"), NULL},
	[CERTDIR_FIND_FORMER] = {FORMER(""), NULL, NULL},
	[CERTDIR_FIND_SERIAL] = BY_ID("serial_number"),
	[CERTDIR_FIND_OBJECT] = BY_ID("object_id"),
	[CERTDIR_READ_DEVICE] = {"SELECT " DEVICE, NULL, NULL},
	[CERTDIR_READ_DNS_NAMES] = {"SELECT name FROM dns_name WHERE device=?1", NULL, NULL},
	[CERTDIR_READ_GROUPS] = {"SELECT g.object_id,g.name FROM device_group m JOIN grp g ON g.id=m.grp WHERE "
				 "m.device=?1",
				 NULL, NULL},
	[CERTDIR_READ_FORMER_NAMES] = {"SELECT name FROM former_name WHERE device=?1 ORDER BY name", NULL, NULL},
};

/* Columns of CERTDIR_READ_DEVICE behind the texts. */
enum {
	AT_SOURCE = CERTDIR_LIST_TEXTS,
	AT_ENABLED,
	AT_MANAGED,
	AT_JOIN_TYPE,
	AT_LAST_SEEN,
	AT_REGISTERED,
	AT_EXPIRES,
	AT_HAS_DNS_NAMES,
	AT_HAS_GROUPS
};

static bool fail(struct certdir_list_reader *reader, struct certdir_error *error)
{
	certdir_error_set(error, "%s: reading failed: %s", reader->snapshot->filename, sqlite3_errmsg(reader->db));
	return false;
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

	if (!certdir_list_database_open(":memory:", &reader->db))
		return false;
	if (sqlite3_deserialize(reader->db, "main", snapshot->file, (sqlite3_int64)snapshot->image,
				(sqlite3_int64)snapshot->image, SQLITE_DESERIALIZE_READONLY) != SQLITE_OK)
		return false;
	(void)snprintf(pragmas, sizeof(pragmas),
		       "PRAGMA mmap_size=%zu;PRAGMA cache_size=-256;PRAGMA temp_store=MEMORY;PRAGMA trusted_schema=0;"
		       "PRAGMA query_only=1;BEGIN;SELECT 1 FROM meta",
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
	if (!attach_image(reader))
		goto out;
	for (size_t i = 0; i < CERTDIR_LIST_STATEMENTS; i++)
		if (sqlite3_prepare_v3(reader->db, statements[i].sql, -1, SQLITE_PREPARE_PERSISTENT,
				       &reader->statements[i], NULL) != SQLITE_OK)
			goto out;
	return reader;
out:
	fail(reader, error);
	certdir_list_reader_close(reader);
	return NULL;
}

void certdir_list_reader_close(struct certdir_list_reader *reader)
{
	for (size_t i = 0; i < CERTDIR_LIST_STATEMENTS; i++) {
		sqlite3_finalize(reader->statements[i]);
		sqlite3_finalize(reader->carries[i]);
		sqlite3_finalize(reader->known[i]);
	}
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
	if (reader)
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

static bool statement_of(enum certdir_identity_type type, enum certdir_list_statement *statement)
{
	static const enum certdir_list_statement map[CERTDIR_ID_TYPES] = {
		[CERTDIR_ID_ENTRA] = CERTDIR_FIND_ENTRA, [CERTDIR_ID_INTUNE] = CERTDIR_FIND_INTUNE,
		[CERTDIR_ID_GUID] = CERTDIR_FIND_GUID,	 [CERTDIR_ID_SID] = CERTDIR_FIND_SID,
		[CERTDIR_ID_SID_URI] = CERTDIR_FIND_SID, [CERTDIR_ID_DNS] = CERTDIR_FIND_DNS,
		[CERTDIR_ID_NAME] = CERTDIR_FIND_NAME,	 [CERTDIR_ID_SERIAL] = CERTDIR_FIND_SERIAL,
	};

	*statement = map[type];
	/* A user's name is not a device's, and an account's mapping is Active Directory's. */
	return type != CERTDIR_ID_UPN && type != CERTDIR_ID_MAPPING;
}

/* Binds a value to find; the caller steps and resets. */
static bool bind_value(sqlite3_stmt *stmt, enum certdir_list_statement which, const char *value)
{
	if (sqlite3_bind_text(stmt, 1, value, -1, SQLITE_STATIC) != SQLITE_OK)
		return false;
	return which != CERTDIR_FIND_DNS ||
	       sqlite3_bind_text(stmt, 2, value, (int)strcspn(value, "."), SQLITE_STATIC) == SQLITE_OK;
}

/* A statement that is made when it is needed first; NULL with `error`. */
static sqlite3_stmt *made(struct certdir_list_reader *reader, sqlite3_stmt **stmt, const char *sql,
			  struct certdir_error *error)
{
	if (!*stmt && sqlite3_prepare_v3(reader->db, sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL) != SQLITE_OK)
		fail(reader, error);
	return *stmt;
}

static int find_by(struct certdir_list_reader *reader, enum certdir_list_statement which, sqlite3_stmt *stmt,
		   const char *value, int64_t rows[CERTDIR_LIST_FIND_MAX], struct certdir_error *error)
{
	int count = 0, rc = SQLITE_ERROR;

	if (!bind_value(stmt, which, value))
		goto out;
	while (count < CERTDIR_LIST_FIND_MAX && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		int64_t row = sqlite3_column_int64(stmt, 0);
		int i;

		for (i = 0; i < count && rows[i] != row; i++)
			;
		if (i == count)
			rows[count++] = row;
	}
out:
	if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
		fail(reader, error);
		count = -1;
	}
	(void)sqlite3_reset(stmt);
	(void)sqlite3_clear_bindings(stmt);
	return count;
}

static int find(struct certdir_list_reader *reader, enum certdir_list_statement which, const char *value,
		int64_t rows[CERTDIR_LIST_FIND_MAX], struct certdir_error *error)
{
	int count = find_by(reader, which, reader->statements[which], value, rows, error);
	sqlite3_stmt *known;

	if (count < 2 || !statements[which].known || !reader->snapshot->is_mixed)
		return count;
	known = made(reader, &reader->known[which], statements[which].known, error);
	return known ? find_by(reader, which, known, value, rows, error) : -1;
}

int certdir_list_find(struct certdir_list_reader *reader, enum certdir_identity_type type, const char *value,
		      int64_t rows[CERTDIR_LIST_FIND_MAX], struct certdir_error *error)
{
	enum certdir_list_statement which;
	int count;

	if (!statement_of(type, &which))
		return 0;
	if (which == CERTDIR_FIND_GUID && !(reader->snapshot->holds & CERTDIR_BIT(CERTDIR_ID_INTUNE)))
		which = CERTDIR_FIND_ENTRA;
	count = find(reader, which, value, rows, error);
	if (count == 0 && which == CERTDIR_FIND_NAME && reader->snapshot->has_former_names)
		count = find(reader, CERTDIR_FIND_FORMER, value, rows, error);
	return count;
}

int certdir_list_find_object(struct certdir_list_reader *reader, const char *value, int64_t rows[CERTDIR_LIST_FIND_MAX],
			     struct certdir_error *error)
{
	return find(reader, CERTDIR_FIND_OBJECT, value, rows, error);
}

int certdir_list_carries(struct certdir_list_reader *reader, enum certdir_identity_type type, const char *value,
			 int64_t row, struct certdir_error *error)
{
	enum certdir_list_statement which;
	int rc = SQLITE_ERROR;
	sqlite3_stmt *stmt;

	if (!statement_of(type, &which))
		return 0;
	stmt = made(reader, &reader->carries[which], statements[which].carries, error);
	if (!stmt)
		return -1;
	if (bind_value(stmt, which, value) && sqlite3_bind_int64(stmt, 3, row) == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		fail(reader, error);
	(void)sqlite3_reset(stmt);
	(void)sqlite3_clear_bindings(stmt);
	return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : -1;
}

/*
 * Copies a text column; NULL stays NULL. Taken as a blob, since asking for text has SQLite copy the value to put a NUL behind it,
 * with memory that all connections of the process contend for.
 */
static bool take_text(sqlite3_stmt *stmt, int column, char **out)
{
	const char *bytes = sqlite3_column_blob(stmt, column);
	const int length = sqlite3_column_bytes(stmt, column);

	if (!bytes && sqlite3_column_type(stmt, column) == SQLITE_NULL)
		return true;
	*out = strndup(bytes ? bytes : "", (size_t)length);
	return *out != NULL;
}

/* Without memory of its own: a device must not seem to be of no known type when there is none to be had. */
static enum certdir_join_type take_join_type(sqlite3_stmt *stmt)
{
	const char *bytes = sqlite3_column_blob(stmt, AT_JOIN_TYPE);
	const size_t length = (size_t)sqlite3_column_bytes(stmt, AT_JOIN_TYPE);
	enum certdir_join_type type;
	char name[32];

	if (!bytes || length >= sizeof(name))
		return CERTDIR_JOIN_UNKNOWN;
	memcpy(name, bytes, length);
	name[length] = '\0';
	return certdir_join_type_parse(name, &type) ? type : CERTDIR_JOIN_UNKNOWN;
}

static enum certdir_tristate tristate(sqlite3_stmt *stmt, int column)
{
	if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
		return CERTDIR_UNKNOWN;
	return sqlite3_column_int(stmt, column) ? CERTDIR_YES : CERTDIR_NO;
}

static bool take_row(sqlite3_stmt *stmt, struct certdir_device *device, int64_t *source)
{
	for (int i = 0; i < CERTDIR_LIST_TEXTS; i++)
		if (!take_text(stmt, i, (char **)((char *)device + certdir_list_columns[i].offset)))
			return false;
	*source = sqlite3_column_int64(stmt, AT_SOURCE);
	device->enabled = tristate(stmt, AT_ENABLED);
	device->managed = tristate(stmt, AT_MANAGED);
	device->join_type = take_join_type(stmt);
	device->last_seen = sqlite3_column_int64(stmt, AT_LAST_SEEN);
	device->registered = sqlite3_column_int64(stmt, AT_REGISTERED);
	device->expires = sqlite3_column_int64(stmt, AT_EXPIRES);
	return true;
}

static const struct certdir_list_source *source_by_id(const struct certdir_list_snapshot *snapshot, int64_t id)
{
	for (size_t i = 0; i < snapshot->source_count; i++)
		if (snapshot->sources[i].id == id)
			return &snapshot->sources[i];
	return NULL;
}

/* The tenant is the source's where the device has none of its own. */
static bool take_tenant(const struct certdir_list_snapshot *snapshot, struct certdir_device *device, int64_t source)
{
	const struct certdir_list_source *from = source_by_id(snapshot, source);

	if (device->tenant || !from || !from->tenant)
		return true;
	device->tenant = strdup(from->tenant);
	return device->tenant != NULL;
}

static bool take_id(struct certdir_device *device, int64_t row)
{
	const char *const ids[] = {device->entra_device_id, device->intune_device_id,
				   device->object_id,	    device->sid,
				   device->serial_number,   device->name};
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
	*group = (struct certdir_group){NULL, NULL};
	return take_text(stmt, 0, &group->id) && take_text(stmt, 1, &group->name);
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

struct names {
	char **items;
	size_t count;
};

static bool take_name(void *context, sqlite3_stmt *stmt)
{
	struct names *names = context;
	char **items = realloc(names->items, (names->count + 2) * sizeof(*items));

	if (!items)
		return false;
	names->items = items;
	items[names->count] = items[names->count + 1] = NULL;
	return take_text(stmt, 0, &items[names->count++]);
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

bool certdir_list_device(struct certdir_list_reader *reader, int64_t row, struct certdir_device *device,
			 int64_t *source, struct certdir_error *error)
{
	sqlite3_stmt *stmt = reader->statements[CERTDIR_READ_DEVICE];
	bool ok = false, dns_names = false, groups = false;
	int rc;

	memset(device, 0, sizeof(*device));
	*source = 0;
	rc = sqlite3_bind_int64(stmt, 1, row);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_DONE)
		certdir_error_set(error, "%s: there is no device in row %" PRId64, reader->snapshot->filename, row);
	else if (rc != SQLITE_ROW)
		fail(reader, error);
	else if (!take_row(stmt, device, source) || !take_tenant(reader->snapshot, device, *source) ||
		 !take_id(device, row))
		out_of_memory(reader, error);
	else
		ok = true;
	dns_names = ok && sqlite3_column_int(stmt, AT_HAS_DNS_NAMES);
	groups = ok && sqlite3_column_int(stmt, AT_HAS_GROUPS);
	(void)sqlite3_reset(stmt);
	if (dns_names)
		ok = take_all(reader, CERTDIR_READ_DNS_NAMES, row, take_dns_name, device, error);
	if (ok && groups)
		ok = take_all(reader, CERTDIR_READ_GROUPS, row, take_group, device, error);
	if (ok && device->group_count > 1)
		qsort(device->groups, device->group_count, sizeof(*device->groups), compare_groups);
	if (!ok)
		certdir_device_clear(device);
	return ok;
}

void certdir_list_names_free(char **names)
{
	for (char **name = names; name && *name; name++)
		free(*name);
	free(names);
}

char **certdir_list_former_names(struct certdir_list_reader *reader, int64_t row, struct certdir_error *error)
{
	struct names names = {calloc(1, sizeof(char *)), 0};

	if (!names.items) {
		out_of_memory(reader, error);
		return NULL;
	}
	if (!take_all(reader, CERTDIR_READ_FORMER_NAMES, row, take_name, &names, error)) {
		certdir_list_names_free(names.items);
		return NULL;
	}
	return names.items;
}

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
		int64_t row = sqlite3_column_int64(stmt, 0), id;
		const struct certdir_list_source *source;
		struct certdir_device device;

		if (!certdir_list_device(reader, row, &device, &id, error)) {
			sqlite3_finalize(stmt);
			return false;
		}
		source = source_by_id(reader->snapshot, id);
		more = source && each(context, row, &device, source);
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
	rc = sqlite3_prepare_v2(reader->db,
				"SELECT count(*),total(" CERTDIR_LIST_COMPLIANCE "='compliant'),total(d.enabled=0),"
				"count(d.intune_device_id) FROM device d WHERE d.source=?1 AND d.listed",
				-1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(stmt, 1, source);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
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
