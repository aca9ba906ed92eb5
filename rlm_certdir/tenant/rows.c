/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a part did to the rows of devices: counted, guarded, logged. */
#include <stdio.h>
#include <string.h>

#include "list/schema.h"
#include "tenant/filter.h"
#include "tenant/record.h"
#include "tenant/state.h"

bool certdir_tenant_find_object(struct certdir_tenant *tenant, const char *object_id, int64_t *row,
				struct certdir_error *error)
{
	return certdir_list_writer_number(tenant->writer, row, "SELECT id FROM device WHERE object_id=?1 AND source=?2",
					  SQL_VALUES(SQL_TEXT(object_id), SQL_NUMBER(tenant->source)), error);
}

bool certdir_tenant_await(struct certdir_tenant *tenant, struct certdir_error *error)
{
	sqlite3_stmt *stmt = certdir_sql_ask(&tenant->writer->sql,
					     "SELECT id,confirmed>?2 FROM device INDEXED BY device_unconfirmed WHERE "
					     "source=?1 AND confirmed IS NOT NULL",
					     SQL_VALUES(SQL_NUMBER(tenant->source), SQL_NUMBER(tenant->state.synced)));
	int found;

	while ((found = certdir_list_writer_next(tenant->writer, stmt, error)) == 1) {
		const int64_t row = sqlite3_column_int64(stmt, 0);
		/*
		 * It was asked for after the last listing began. Graph's listings lag behind: the one that begins next may not
		 * have it yet, and the one after that takes it away.
		 */
		const bool asked = sqlite3_column_int(stmt, 1);

		if (!certdir_bitmap_set(&tenant->part.unconfirmed, row) ||
		    !certdir_bitmap_set(asked ? &tenant->part.seen : &tenant->part.removed, row))
			return certdir_tenant_no_memory(error);
	}
	return found == 0 && certdir_list_writer_number(tenant->writer, &tenant->part.newest,
							"SELECT max(id) FROM device", SQL_NOTHING, error);
}

bool certdir_tenant_confirm(struct certdir_tenant *tenant, int64_t row, struct certdir_error *error)
{
	certdir_bitmap_clear(&tenant->part.removed, row);
	if (!certdir_bitmap_test(&tenant->part.unconfirmed, row))
		return true;
	certdir_bitmap_clear(&tenant->part.unconfirmed, row);
	return certdir_list_writer_do(tenant->writer, "UPDATE device SET confirmed=NULL WHERE id=?1",
				      SQL_VALUES(SQL_NUMBER(row)), error);
}

bool certdir_tenant_sweep(struct certdir_tenant *tenant, const char *sql, struct certdir_error *error)
{
	sqlite3_stmt *stmt = certdir_sql_ask(&tenant->writer->sql, sql, SQL_VALUES(SQL_NUMBER(tenant->source)));
	int found;

	while ((found = certdir_list_writer_next(tenant->writer, stmt, error)) == 1) {
		const int64_t row = sqlite3_column_int64(stmt, 0);

		if (!certdir_bitmap_test(&tenant->part.seen, row) && !certdir_bitmap_set(&tenant->part.removed, row))
			return certdir_tenant_no_memory(error);
	}
	return found == 0;
}

/* Both bitmaps are against the beginning of the part: a row that is listed, unlisted and listed again is neither. */
bool certdir_tenant_account(struct certdir_tenant *tenant, int64_t row, bool listed, bool added,
			    struct certdir_error *error)
{
	struct certdir_bitmap *undo = listed ? &tenant->part.unlisted : &tenant->part.listed;
	struct certdir_bitmap *note = listed ? &tenant->part.listed : &tenant->part.unlisted;
	bool ok = true;

	if (listed && !added)
		tenant->unlisted--;
	if (!listed)
		tenant->unlisted++;
	if (!listed && added)
		return true;
	if (certdir_bitmap_test(undo, row))
		certdir_bitmap_clear(undo, row);
	else
		ok = certdir_bitmap_set(note, row);
	return ok || certdir_tenant_no_memory(error);
}

enum certdir_tristate certdir_tenant_in_use(const char *management_state)
{
	return certdir_management(management_state) == CERTDIR_MANAGEMENT_IN_USE ? CERTDIR_YES : CERTDIR_UNKNOWN;
}

bool certdir_tenant_relist(struct certdir_tenant *tenant, int64_t row, struct certdir_error *error)
{
	enum certdir_join_type join_type = CERTDIR_JOIN_UNKNOWN;
	enum certdir_tristate enabled;
	bool listed, wanted;
	sqlite3_stmt *stmt;
	const char *join;

	/* A new filter is for the devices part alone to apply, to all devices at once. */
	if (tenant->refilter ? tenant->part.kind != CERTDIR_PART_DEVICES : tenant->takes_all)
		return true;
	stmt = certdir_sql_ask(&tenant->writer->sql,
			       "SELECT listed,join_type,operating_system,coalesce(intune_ownership,ownership),enabled,"
			       "once_entra,iif(object_id IS NULL,management_state,NULL) FROM device WHERE id=?1",
			       SQL_VALUES(SQL_NUMBER(row)));
	if (!certdir_tenant_row(tenant, stmt, error))
		return false;
	listed = sqlite3_column_int(stmt, 0);
	join = certdir_sql_text_at(stmt, 1);
	if (join)
		(void)certdir_join_type_parse(join, &join_type);
	enabled = certdir_sql_tristate_at(stmt, 4);
	if (enabled == CERTDIR_UNKNOWN)
		enabled = certdir_tenant_in_use(certdir_sql_text_at(stmt, 6));
	wanted = certdir_tenant_filter_takes(&tenant->options.filter, join_type, certdir_sql_text_at(stmt, 2),
					     certdir_sql_text_at(stmt, 3), enabled) &&
		 !sqlite3_column_int(stmt, 5);
	(void)sqlite3_reset(stmt);
	if (wanted == listed)
		return true;
	return certdir_list_writer_do(tenant->writer, "UPDATE device SET listed=?2 WHERE id=?1",
				      SQL_VALUES(SQL_NUMBER(row), SQL_NUMBER(wanted)), error) &&
	       certdir_tenant_account(tenant, row, wanted, false, error);
}

bool certdir_tenant_save(struct certdir_tenant *tenant, int64_t row, struct certdir_error *error)
{
	return tenant->part.quiet ||
	       certdir_list_writer_do(tenant->writer,
				      "INSERT OR IGNORE INTO temp.was SELECT id,name,enabled," CERTDIR_LIST_COMPLIANCE
				      " FROM device d WHERE id=?1",
				      SQL_VALUES(SQL_NUMBER(row)), error);
}

bool certdir_tenant_rename(struct certdir_tenant *tenant, int64_t row, const char *before, const char *after,
			   struct certdir_error *error)
{
	if (sqlite3_stricmp(before ? before : "", after ? after : "") == 0)
		return true;
	return (!before ||
		certdir_list_writer_do(
			tenant->writer, "INSERT OR REPLACE INTO former_name(device,name,since) VALUES(?1,?2,?3)",
			SQL_VALUES(SQL_NUMBER(row), SQL_TEXT(before), SQL_NUMBER(tenant->options.now)), error)) &&
	       (!after || certdir_list_writer_do(tenant->writer, "DELETE FROM former_name WHERE device=?1 AND name=?2",
						 SQL_VALUES(SQL_NUMBER(row), SQL_TEXT(after)), error));
}

bool certdir_tenant_log(struct certdir_tenant *tenant, int64_t row, const char *what, const char *before,
			const char *after, struct certdir_error *error)
{
	return certdir_list_writer_do(tenant->writer,
				      "INSERT INTO change(at,source,device,name,what,before,after) SELECT ?2,(SELECT "
				      "name FROM source WHERE id=device.source)," CERTDIR_LIST_CALLED(
					      "") ",name,?3,?4,?5 FROM device WHERE id=?1 AND (listed OR ?3='removed')",
				      SQL_VALUES(SQL_NUMBER(row), SQL_NUMBER(tenant->options.now), SQL_TEXT(what),
						 SQL_TEXT(before), SQL_TEXT(after)),
				      error);
}

/* ---- the end of a part ---- */

bool certdir_tenant_is_listed(struct certdir_tenant *tenant, int64_t row, bool *listed, struct certdir_error *error)
{
	int64_t number;
	const bool ok = certdir_list_writer_number(tenant->writer, &number, "SELECT listed FROM device WHERE id=?1",
						   SQL_VALUES(SQL_NUMBER(row)), error);

	*listed = number != 0;
	return ok;
}

/* Whether the guard is there for a row that is to be deleted: not if it came in this part, or is known by another row now. */
static bool is_guarded(const struct certdir_tenant *tenant, int64_t row)
{
	return row <= tenant->part.newest && !certdir_bitmap_test(&tenant->part.known_elsewhere, row);
}

static bool count_losses(struct certdir_tenant *tenant, size_t *count, struct certdir_error *error)
{
	*count = tenant->part.unlisted.ones;
	for (int64_t row = -1; (row = certdir_bitmap_next(&tenant->part.removed, row + 1)) >= 0;) {
		bool listed;

		if (!certdir_tenant_is_listed(tenant, row, &listed, error))
			return false;
		*count += listed && is_guarded(tenant, row);
	}
	return true;
}

/* Rows that were to be deleted stay as they were known last. */
static bool keep_removed(struct certdir_tenant *tenant, struct certdir_error *error)
{
	for (int64_t row = -1; (row = certdir_bitmap_next(&tenant->part.removed, row + 1)) >= 0;) {
		if (!is_guarded(tenant, row))
			continue;
		certdir_bitmap_clear(&tenant->part.removed, row);
		if (tenant->part.kind == CERTDIR_PART_INTUNE
			    ? !certdir_tenant_record_keep(tenant, row, error)
			    : !certdir_list_writer_do(
				      tenant->writer, "UPDATE device SET confirmed=coalesce(confirmed,?2) WHERE id=?1",
				      SQL_VALUES(SQL_NUMBER(row), SQL_NUMBER(tenant->state.synced)), error))
			return false;
	}
	return true;
}

/*
 * Rows that the filter takes away stay listed, with what is known of them now; the next devices part asks the filter about all rows
 * again. But what Entra ID knew once stands alone no more.
 */
static bool keep_listed(struct certdir_tenant *tenant, struct certdir_error *error)
{
	for (int64_t row = -1; (row = certdir_bitmap_next(&tenant->part.unlisted, row + 1)) >= 0;) {
		if (!certdir_list_writer_do(tenant->writer,
					    "UPDATE device SET listed=1 WHERE id=?1 AND once_entra IS NULL",
					    SQL_VALUES(SQL_NUMBER(row)), error))
			return false;
		if (sqlite3_changes(tenant->writer->sql.db) == 0)
			continue;
		tenant->part.unfiltered = true;
		if (!certdir_tenant_account(tenant, row, true, false, error))
			return false;
	}
	return true;
}

enum certdir_tenant_ended certdir_tenant_guard_devices(struct certdir_tenant *tenant, size_t *kept,
						       struct certdir_error *error)
{
	size_t losses;

	*kept = 0;
	if (!count_losses(tenant, &losses, error))
		return CERTDIR_ENDED_FAILED;
	if (certdir_tenant_guard(
		    tenant, tenant->state.devices, losses, "devices",
		    tenant->options.ldap
			    ? tenant->refilter ? "the section in certdir.conf, and what the account may see"
					       : "in the directory whether they are gone, and what the account may see"
		    : tenant->refilter ? "the filter in certdir.conf, and in Entra ID whether they are gone"
				       : "in Entra ID and Intune whether they are gone",
		    error) == CERTDIR_ENDED)
		return CERTDIR_ENDED;
	if (!keep_removed(tenant, error) || !keep_listed(tenant, error))
		return CERTDIR_ENDED_FAILED;
	*kept = losses - tenant->part.unlisted.ones;
	return CERTDIR_ENDED_SHRUNK;
}

static bool count_removed(struct certdir_tenant *tenant, struct certdir_error *error)
{
	for (int64_t row = -1; (row = certdir_bitmap_next(&tenant->part.removed, row + 1)) >= 0;) {
		bool listed;

		if (!certdir_tenant_is_listed(tenant, row, &listed, error))
			return false;
		if (listed && !certdir_tenant_account(tenant, row, false, false, error))
			return false;
		tenant->unlisted--; /* it will not be there at all */
	}
	return true;
}

static const char *yes_no(sqlite3_stmt *stmt, int column)
{
	static const char *const words[] = {[CERTDIR_UNKNOWN] = NULL, [CERTDIR_NO] = "no", [CERTDIR_YES] = "yes"};

	return words[certdir_sql_tristate_at(stmt, column)];
}

static bool differ(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) != 0 : a != b;
}

static bool log_difference(struct certdir_tenant *tenant, sqlite3_stmt *stmt, struct certdir_error *error)
{
	const int64_t row = sqlite3_column_int64(stmt, 0);
	const char *old_name = certdir_sql_text_at(stmt, 1);
	const char *name = certdir_sql_text_at(stmt, 2);
	const char *old_enabled = yes_no(stmt, 3), *enabled = yes_no(stmt, 4);
	const char *old_compliance = certdir_sql_text_at(stmt, 5);
	const char *compliance = certdir_sql_text_at(stmt, 6);

	if (sqlite3_stricmp(old_name ? old_name : "", name ? name : "") != 0 &&
	    !certdir_tenant_log(tenant, row, "renamed", old_name, name, error))
		return false;
	if (differ(old_enabled, enabled) && !certdir_tenant_log(tenant, row, "enabled", old_enabled, enabled, error))
		return false;
	return !differ(old_compliance ? old_compliance : "unknown", compliance ? compliance : "unknown") ||
	       certdir_tenant_log(tenant, row, "compliance", old_compliance, compliance, error);
}

static bool log_differences(struct certdir_tenant *tenant, struct certdir_error *error)
{
	sqlite3_stmt *stmt =
		certdir_sql_ask(&tenant->writer->sql,
				"SELECT d.id,w.name,d.name,w.enabled,d.enabled,w.compliance," CERTDIR_LIST_COMPLIANCE
				" FROM temp.was w CROSS JOIN device d ON d.id=w.id WHERE d.listed",
				SQL_NOTHING);
	int found;

	while ((found = certdir_list_writer_next(tenant->writer, stmt, error)) == 1) {
		const int64_t row = sqlite3_column_int64(stmt, 0);

		if (!certdir_bitmap_test(&tenant->part.listed, row) &&
		    !certdir_bitmap_test(&tenant->part.unlisted, row) &&
		    !certdir_bitmap_test(&tenant->part.removed, row) && !log_difference(tenant, stmt, error))
			return false;
	}
	return found == 0;
}

static bool log_all(struct certdir_tenant *tenant, const struct certdir_bitmap *rows, const char *what,
		    struct certdir_error *error)
{
	for (int64_t row = -1; (row = certdir_bitmap_next(rows, row + 1)) >= 0;)
		if (!certdir_tenant_log(tenant, row, what, NULL, NULL, error))
			return false;
	return true;
}

/* Devices that were there before and after, and are not the same. */
static size_t count_changed(const struct certdir_tenant *tenant)
{
	size_t count = 0;

	for (int64_t row = -1; (row = certdir_bitmap_next(&tenant->part.changed, row + 1)) >= 0;)
		count += !certdir_bitmap_test(&tenant->part.listed, row) &&
			 !certdir_bitmap_test(&tenant->part.unlisted, row) &&
			 !certdir_bitmap_test(&tenant->part.removed, row);
	return count;
}

bool certdir_tenant_account_all(struct certdir_tenant *tenant, struct certdir_tenant_counts *counts,
				struct certdir_error *error)
{
	if (!count_removed(tenant, error))
		return false;
	*counts = (struct certdir_tenant_counts){
		.before = tenant->state.devices,
		.added = tenant->part.listed.ones,
		.changed = count_changed(tenant),
		.lost = tenant->part.unlisted.ones,
		.after = tenant->state.devices + tenant->part.listed.ones - tenant->part.unlisted.ones,
		.listed = tenant->state.devices + tenant->part.listed.ones - tenant->part.unlisted.ones,
		.unlisted = tenant->unlisted,
	};
	return log_all(tenant, &tenant->part.unlisted, "removed", error) &&
	       (tenant->part.quiet || log_all(tenant, &tenant->part.listed, "added", error)) &&
	       log_differences(tenant, error);
}

#define HAS(column) "SELECT 1 FROM device WHERE " column " IS NOT NULL AND source=?1 AND listed LIMIT 1"

/* The first of its devices usually answers, or an index that has nothing. What an LDAP directory knows is known, whoever is in it. */
static const struct {
	enum certdir_identity_type type;
	const char *has;
} kinds[] = {{CERTDIR_ID_ENTRA, HAS("entra_device_id")},
	     {CERTDIR_ID_INTUNE, HAS("intune_device_id")},
	     {CERTDIR_ID_SID, HAS("sid")},
	     {CERTDIR_ID_NAME, HAS("coalesce(name,intune_name)")},
	     {CERTDIR_ID_SERIAL, HAS("serial_number")}};

/* The types of identities that a reader finds in the source. */
static bool find_identities(struct certdir_tenant *tenant, uint32_t *types, struct certdir_error *error)
{
	int64_t has;

	*types = tenant->options.ldap ? tenant->options.ldap->keeps : 0;
	for (size_t i = 0; !tenant->options.ldap && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!certdir_list_writer_number(tenant->writer, &has, kinds[i].has,
						SQL_VALUES(SQL_NUMBER(tenant->source)), error))
			return false;
		*types |= has ? CERTDIR_BIT(kinds[i].type) : 0;
	}
	return true;
}

static void name_identities(uint32_t types, char text[320])
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned type = 0; type < CERTDIR_ID_TYPES; type++)
		if (types & CERTDIR_BIT(type))
			used += (size_t)snprintf(text + used, 320 - used, "%s%s", used ? " " : "",
						 certdir_identity_type_name((enum certdir_identity_type)type));
}

/* So that nobody wonders where a fleet of phones is: they are passed over for what Entra ID does not say of them. */
static bool count_untyped(struct certdir_tenant *tenant, size_t *count, struct certdir_error *error)
{
	const uint32_t taken = tenant->options.filter.join_types;
	int64_t number = 0;

	if (taken && !(taken & CERTDIR_BIT(CERTDIR_JOIN_UNKNOWN)) && tenant->unlisted > 0 &&
	    !certdir_list_writer_number(tenant->writer, &number,
					"SELECT count(*) FROM device NOT INDEXED WHERE source=?1 AND NOT listed AND "
					"join_type IS NULL AND once_entra IS NULL",
					SQL_VALUES(SQL_NUMBER(tenant->source)), error))
		return false;
	*count = (size_t)number;
	return true;
}

bool certdir_tenant_forget_names(struct certdir_tenant *tenant, int64_t row, struct certdir_error *error)
{
	const struct certdir_sql_values device = SQL_VALUES(SQL_NUMBER(row));

	return certdir_list_writer_do(tenant->writer, "DELETE FROM dns_name WHERE device=?1", device, error) &&
	       certdir_list_writer_do(tenant->writer, "DELETE FROM value WHERE device=?1", device, error) &&
	       certdir_list_writer_do(tenant->writer, "DELETE FROM device_group WHERE device=?1", device, error);
}

static bool delete_removed(struct certdir_tenant *tenant, struct certdir_error *error)
{
	for (int64_t row = -1; (row = certdir_bitmap_next(&tenant->part.removed, row + 1)) >= 0;) {
		const struct certdir_sql_values device = SQL_VALUES(SQL_NUMBER(row));

		if (!certdir_tenant_forget_names(tenant, row, error) ||
		    !certdir_list_writer_do(tenant->writer, "DELETE FROM former_name WHERE device=?1", device, error) ||
		    !certdir_list_writer_do(tenant->writer, "DELETE FROM device WHERE id=?1", device, error))
			return false;
	}
	return true;
}

bool certdir_tenant_purge(struct certdir_tenant *tenant, struct certdir_tenant_counts *counts,
			  struct certdir_error *error)
{
	char identities[320];
	uint32_t types;

	if (!delete_removed(tenant, error) || !count_untyped(tenant, &counts->untyped, error) ||
	    !find_identities(tenant, &types, error))
		return false;
	name_identities(types, identities);
	return certdir_list_writer_do(
		       tenant->writer,
		       "UPDATE source SET devices=?2,unlisted=?3,identities=?4,filter=iif(?5,NULL,filter) WHERE id=?1",
		       SQL_VALUES(SQL_NUMBER(tenant->source), SQL_NUMBER((int64_t)counts->after),
				  SQL_NUMBER((int64_t)tenant->unlisted), SQL_TEXT(identities),
				  SQL_NUMBER(tenant->part.unfiltered)),
		       error) &&
	       certdir_list_writer_do(tenant->writer, "DELETE FROM change WHERE at<=?1",
				      SQL_VALUES(SQL_NUMBER(tenant->options.now - tenant->options.changes)), error);
}
