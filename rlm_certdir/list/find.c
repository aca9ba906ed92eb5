/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which rows carry a value. */
#include <string.h>

#include "list/reader.h"
#include "list/snapshot.h"
#include "text/canonical.h"

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

/* How a value of one type is looked for. */
struct way {
	const char *devices;
	const char *waiting; /* among the records that wait, behind the devices; NULL: they have nothing of the type */
	size_t values; /* that either takes */
};

static const struct way by_id = {
	BY_ID("entra_device_id") " UNION ALL " BY_ID("intune_device_id") " UNION ALL " BY_ID(
		"object_id") " UNION ALL " BY_ID("udid"),
	WAITING_BY("intune_device_id", "?1", "1") " UNION ALL " WAITING_BY("entra_device_id", "?1", "1"), 2};
static const struct way by_sid = {BY_ID("sid"), NULL, 2};
static const struct way by_serial = {BY_ID("serial_number"), WAITING_BY("serial_number", "?1", "1"), 2};
static const struct way by_imei = {BY_ID("imei"), WAITING_BY("imei", "?1", "1"), 2};
static const struct way by_meid = {BY_ID("meid"), WAITING_BY("meid", "?1", "1"), 2};
static const struct way by_wifi_mac = {BY_ID("wifi_mac"), WAITING_BY("wifi_mac", "?1", "1"), 2};
static const struct way by_permanent_id = {BY_ID("serial_number") " UNION ALL " BY_ID("udid"),
					   WAITING_BY("serial_number", "?1", "1"), 2};
static const struct way by_name = {BY_NAME("?1", "1"), WAITING_BY("intune_name", "?1", "1"), 2};
/*
 * Those found by the whole name come first: a hundred others of that first label do not push them out. What a tenant's device is called is
 * no DNS name, whatever it looks like.
 */
static const struct way by_dns_name = {
	"SELECT d.id,1 FROM dns_name n CROSS JOIN device d ON d.id=n.device WHERE n.name=?1" IN_SCOPE
	" UNION ALL " BY("name", "?1", "1") " AND (SELECT kind FROM source WHERE id=d.source)<>'tenant'"
					    " UNION ALL " BY_NAME("?3", "0"),
	WAITING_BY("intune_name", "?3", "0"), 3};
static const char by_former_name[] =
	"SELECT d.id,1 FROM former_name f CROSS JOIN device d ON d.id=f.device WHERE f.name=?1" IN_SCOPE;

/* NULL for what an LDAP directory alone has, and among its values. */
static const struct way *const ways[CERTDIR_ID_TYPES] = {
	[CERTDIR_ID_ENTRA] = &by_id,
	[CERTDIR_ID_INTUNE] = &by_id,
	[CERTDIR_ID_GUID] = &by_id,
	[CERTDIR_ID_UDID] = &by_id,
	[CERTDIR_ID_SID] = &by_sid,
	[CERTDIR_ID_SID_URI] = &by_sid,
	[CERTDIR_ID_DNS] = &by_dns_name,
	[CERTDIR_ID_NAME] = &by_name,
	[CERTDIR_ID_SERIAL] = &by_serial,
	[CERTDIR_ID_IMEI] = &by_imei,
	[CERTDIR_ID_MEID] = &by_meid,
	[CERTDIR_ID_WIFI_MAC] = &by_wifi_mac,
	[CERTDIR_ID_PERMANENT] = &by_permanent_id,
};

struct found {
	int64_t *rows;
	int count;
	bool whole; /* some row has the whole value */
	bool more;
};

/* Goes through the rows as far as there is room for them and one further, if that one counts. */
static bool take_rows(struct certdir_list_reader *reader, sqlite3_stmt *stmt, struct found *found,
		      struct certdir_error *error)
{
	int next;

	while ((next = certdir_sql_next(stmt)) == 1) {
		const int64_t row = sqlite3_column_int64(stmt, 0);
		int i;

		for (i = 0; i < found->count && found->rows[i] != row; i++)
			;
		if (i < found->count)
			continue;
		if (found->count == CERTDIR_LIST_FIND_MAX) {
			found->more = sqlite3_column_int(stmt, 1) || !found->whole;
			(void)sqlite3_reset(stmt);
			return true;
		}
		found->whole |= sqlite3_column_int(stmt, 1);
		found->rows[found->count++] = row;
	}
	return next == 0 || certdir_list_reader_fail(reader, error);
}

static bool find(struct certdir_list_reader *reader, const char *sql, size_t count, const char *tenant,
		 const char *value, struct found *found, struct certdir_error *error)
{
	struct certdir_sql_values values =
		SQL_VALUES(SQL_TEXT(value), SQL_TEXT(tenant), SQL_PART(value, strcspn(value, ".")));

	values.count = count;
	return take_rows(reader, certdir_sql_ask(&reader->sql, sql, values), found, error);
}

/* Values beside the columns of the device. An LDAP directory is of no tenant, and so in the scope of each. */
static bool find_value(struct certdir_list_reader *reader, enum certdir_identity_type type, const char *value,
		       size_t length, bool whole, struct found *found, struct certdir_error *error)
{
	sqlite3_stmt *stmt;

	if (certdir_type_is_guid(type))
		type = CERTDIR_ID_GUID;
	else if (type == CERTDIR_ID_SID_URI)
		type = CERTDIR_ID_SID;
	stmt = certdir_sql_ask(
		&reader->sql,
		"SELECT device,?3 FROM value WHERE value=?1 AND (type=?2 OR (?2='device_guid' AND "
		"type IN('entra_device_id','intune_device_id','udid')))",
		SQL_VALUES(SQL_PART(value, length), SQL_TEXT(certdir_identity_type_name(type)), SQL_NUMBER(whole)));
	return take_rows(reader, stmt, found, error);
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
	const struct certdir_list_snapshot *snapshot = reader->snapshot;
	const struct way *way;
	char object_id[37];
	bool ok = true;

	if ((type == CERTDIR_ID_SID || type == CERTDIR_ID_SID_URI) && certdir_sid_object_id(value, object_id)) {
		type = CERTDIR_ID_GUID;
		value = object_id;
	}
	way = ways[type];
	if (snapshot->has_values)
		ok = type == CERTDIR_ID_NAME ? find_name(reader, value, strlen(value), true, found, error)
					     : find_value(reader, type == CERTDIR_ID_DNS ? CERTDIR_ID_NAME : type,
							  value, strlen(value), true, found, error);
	if (!ok || !way)
		return ok;
	ok = find(reader, way->devices, way->values, tenant, value, found, error);
	if (ok && snapshot->has_values && type == CERTDIR_ID_DNS)
		ok = find_name(reader, value, strcspn(value, "."), false, found, error);
	if (ok && snapshot->has_waiting && !found->more && way->waiting)
		ok = find(reader, way->waiting, way->values, tenant, value, found, error);
	if (ok && type == CERTDIR_ID_NAME && snapshot->has_former_names && found->count == 0)
		ok = find(reader, by_former_name, 2, tenant, value, found, error);
	return ok;
}

int certdir_list_find(struct certdir_list_reader *reader, const char *tenant, enum certdir_identity_type type,
		      const char *value, int64_t rows[CERTDIR_LIST_FIND_MAX], bool *more, struct certdir_error *error)
{
	const struct certdir_list_steps outside = certdir_list_reader_begin(reader);
	struct found found = {.rows = rows};
	const bool ok = find_all(reader, tenant, type, value, &found, error);

	reader->steps = outside;
	*more = found.more;
	return ok ? found.count : -1;
}
