/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a part did to the rows of devices: counted, guarded, logged. */
#include "tenant/state.h"

#include "tenant/filter.h"

#include <stdio.h>
#include <string.h>

bool certdir_tenant_await(struct certdir_tenant *tenant, struct certdir_error *error)
{
	sqlite3_stmt *stmt =
		certdir_tenant_ask(tenant, CERTDIR_TENANT_UNCONFIRMED, error, SQL_VALUES(SQL_NUMBER(tenant->source)));
	int found;

	while ((found = certdir_tenant_next(tenant, stmt, error)) == 1) {
		const int64_t row = sqlite3_column_int64(stmt, 0);

		if (!certdir_bitmap_set(&tenant->unconfirmed, row) || !certdir_bitmap_set(&tenant->removed, row))
			return certdir_tenant_no_memory(error);
	}
	return found == 0 && certdir_tenant_number(tenant, &tenant->newest, CERTDIR_TENANT_NEWEST, error, SQL_NOTHING);
}

bool certdir_tenant_confirm(struct certdir_tenant *tenant, int64_t row, struct certdir_error *error)
{
	certdir_bitmap_clear(&tenant->removed, row);
	if (!certdir_bitmap_test(&tenant->unconfirmed, row))
		return true;
	certdir_bitmap_clear(&tenant->unconfirmed, row);
	return certdir_tenant_do(tenant, CERTDIR_TENANT_CONFIRM, error, SQL_VALUES(SQL_NUMBER(row)));
}

bool certdir_tenant_sweep(struct certdir_tenant *tenant, enum certdir_tenant_statement which,
			  struct certdir_error *error)
{
	sqlite3_stmt *stmt = certdir_tenant_ask(tenant, which, error, SQL_VALUES(SQL_NUMBER(tenant->source)));
	int found;

	while ((found = certdir_tenant_next(tenant, stmt, error)) == 1) {
		const int64_t row = sqlite3_column_int64(stmt, 0);

		if (!certdir_bitmap_test(&tenant->seen, row) && !certdir_bitmap_set(&tenant->removed, row))
			return certdir_tenant_no_memory(error);
	}
	return found == 0;
}

/* `lost` and `fresh` are against the beginning of the part: a row that is listed, unlisted and listed again is neither. */
bool certdir_tenant_account(struct certdir_tenant *tenant, int64_t row, bool listed, bool added,
			    struct certdir_error *error)
{
	struct certdir_bitmap *undo = listed ? &tenant->lost : &tenant->fresh;
	struct certdir_bitmap *note = listed ? &tenant->fresh : &tenant->lost;
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
	if (tenant->refilter ? tenant->part != CERTDIR_PART_DEVICES : tenant->takes_all)
		return true;
	stmt = certdir_tenant_ask(tenant, CERTDIR_TENANT_READ_FILTERED, error, SQL_VALUES(SQL_NUMBER(row)));
	if (!certdir_tenant_row(tenant, stmt, error))
		return false;
	listed = sqlite3_column_int(stmt, 0);
	join = (const char *)sqlite3_column_text(stmt, 1);
	if (join)
		(void)certdir_join_type_parse(join, &join_type);
	enabled = sqlite3_column_type(stmt, 4) == SQLITE_NULL
			  ? certdir_tenant_in_use((const char *)sqlite3_column_text(stmt, 6))
		  : sqlite3_column_int(stmt, 4) ? CERTDIR_YES
						: CERTDIR_NO;
	wanted = certdir_tenant_filter_takes(&tenant->options.filter, join_type,
					     (const char *)sqlite3_column_text(stmt, 2),
					     (const char *)sqlite3_column_text(stmt, 3), enabled) &&
		 !sqlite3_column_int(stmt, 5);
	(void)sqlite3_reset(stmt);
	if (wanted == listed)
		return true;
	if (wanted) /* it may bring any */
		tenant->holds |= CERTDIR_BIT(CERTDIR_ID_SID) | CERTDIR_BIT(CERTDIR_ID_INTUNE) |
				 CERTDIR_BIT(CERTDIR_ID_SERIAL) | CERTDIR_BIT(CERTDIR_ID_NAME) |
				 CERTDIR_BIT(CERTDIR_ID_ENTRA);
	return certdir_tenant_do(tenant, CERTDIR_TENANT_SET_LISTED, error,
				 SQL_VALUES(SQL_NUMBER(row), SQL_NUMBER(wanted))) &&
	       certdir_tenant_account(tenant, row, wanted, false, error);
}

bool certdir_tenant_save(struct certdir_tenant *tenant, int64_t row, struct certdir_error *error)
{
	return tenant->quiet || certdir_tenant_do(tenant, CERTDIR_TENANT_SAVE, error, SQL_VALUES(SQL_NUMBER(row)));
}

bool certdir_tenant_rename(struct certdir_tenant *tenant, int64_t row, const char *before, const char *after,
			   struct certdir_error *error)
{
	if (sqlite3_stricmp(before ? before : "", after ? after : "") == 0)
		return true;
	return (!before ||
		certdir_tenant_do(tenant, CERTDIR_TENANT_FORMER, error,
				  SQL_VALUES(SQL_NUMBER(row), SQL_TEXT(before), SQL_NUMBER(tenant->options.now)))) &&
	       (!after || certdir_tenant_do(tenant, CERTDIR_TENANT_FORMER_BACK, error,
					    SQL_VALUES(SQL_NUMBER(row), SQL_TEXT(after))));
}

bool certdir_tenant_log(struct certdir_tenant *tenant, int64_t row, const char *what, const char *before,
			const char *after, struct certdir_error *error)
{
	return certdir_tenant_do(tenant, CERTDIR_TENANT_LOG, error,
				 SQL_VALUES(SQL_NUMBER(row), SQL_NUMBER(tenant->options.now), SQL_TEXT(what),
					    SQL_TEXT(before), SQL_TEXT(after)));
}

/* ---- the end of a part ---- */

static bool is_listed(struct certdir_tenant *tenant, int64_t row, bool *listed, struct certdir_error *error)
{
	int64_t number;
	const bool ok = certdir_tenant_number(tenant, &number, CERTDIR_TENANT_READ_FILTERED, error,
					      SQL_VALUES(SQL_NUMBER(row)));

	*listed = number != 0;
	return ok;
}

/* Whether the guard is there for a row that is to be deleted: not if it came in this part, or is known by another row now. */
static bool is_guarded(const struct certdir_tenant *tenant, int64_t row)
{
	return row <= tenant->newest && !certdir_bitmap_test(&tenant->own, row);
}

static bool count_losses(struct certdir_tenant *tenant, size_t *count, struct certdir_error *error)
{
	*count = tenant->lost.ones;
	for (int64_t row = -1; (row = certdir_bitmap_next(&tenant->removed, row + 1)) >= 0;) {
		bool listed;

		if (!is_listed(tenant, row, &listed, error))
			return false;
		*count += listed && is_guarded(tenant, row);
	}
	return true;
}

/* Rows that were to be deleted stay as they were known last. */
static bool keep_removed(struct certdir_tenant *tenant, struct certdir_error *error)
{
	const bool intune = tenant->part == CERTDIR_PART_INTUNE;

	for (int64_t row = -1; (row = certdir_bitmap_next(&tenant->removed, row + 1)) >= 0;) {
		if (!is_guarded(tenant, row))
			continue;
		certdir_bitmap_clear(&tenant->removed, row);
		if (!certdir_tenant_do(tenant, intune ? CERTDIR_TENANT_KEEP_RECORD : CERTDIR_TENANT_KEEP, error,
				       SQL_VALUES(SQL_NUMBER(row), SQL_NUMBER(intune ? tenant->state.intune_synced
										     : tenant->state.synced))))
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
	for (int64_t row = -1; (row = certdir_bitmap_next(&tenant->lost, row + 1)) >= 0;) {
		if (!certdir_tenant_do(tenant, CERTDIR_TENANT_KEEP_LISTED, error, SQL_VALUES(SQL_NUMBER(row))))
			return false;
		if (sqlite3_changes(tenant->writer->db) == 0)
			continue;
		tenant->unfiltered = true;
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
	*kept = losses - tenant->lost.ones;
	return CERTDIR_ENDED_SHRUNK;
}

static bool count_removed(struct certdir_tenant *tenant, struct certdir_error *error)
{
	for (int64_t row = -1; (row = certdir_bitmap_next(&tenant->removed, row + 1)) >= 0;) {
		bool listed;

		if (!is_listed(tenant, row, &listed, error))
			return false;
		if (listed && !certdir_tenant_account(tenant, row, false, false, error))
			return false;
		tenant->unlisted--; /* it will not be there at all */
	}
	return true;
}

static const char *yes_no(sqlite3_stmt *stmt, int column)
{
	return sqlite3_column_type(stmt, column) == SQLITE_NULL ? NULL
	       : sqlite3_column_int(stmt, column)		? "yes"
								: "no";
}

static bool differ(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) != 0 : a != b;
}

static bool log_difference(struct certdir_tenant *tenant, sqlite3_stmt *stmt, struct certdir_error *error)
{
	const int64_t row = sqlite3_column_int64(stmt, 0);
	const char *old_name = (const char *)sqlite3_column_text(stmt, 1);
	const char *name = (const char *)sqlite3_column_text(stmt, 2);
	const char *old_enabled = yes_no(stmt, 3), *enabled = yes_no(stmt, 4);
	const char *old_compliance = (const char *)sqlite3_column_text(stmt, 5);
	const char *compliance = (const char *)sqlite3_column_text(stmt, 6);

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
	sqlite3_stmt *stmt = certdir_tenant_ask(tenant, CERTDIR_TENANT_SAVED, error, SQL_NOTHING);
	int found;

	while ((found = certdir_tenant_next(tenant, stmt, error)) == 1) {
		const int64_t row = sqlite3_column_int64(stmt, 0);

		if (!certdir_bitmap_test(&tenant->fresh, row) && !certdir_bitmap_test(&tenant->lost, row) &&
		    !certdir_bitmap_test(&tenant->removed, row) && !log_difference(tenant, stmt, error))
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

	for (int64_t row = -1; (row = certdir_bitmap_next(&tenant->changed, row + 1)) >= 0;)
		count += !certdir_bitmap_test(&tenant->fresh, row) && !certdir_bitmap_test(&tenant->lost, row) &&
			 !certdir_bitmap_test(&tenant->removed, row);
	return count;
}

bool certdir_tenant_settle(struct certdir_tenant *tenant, struct certdir_tenant_counts *counts,
			   struct certdir_error *error)
{
	if (!count_removed(tenant, error))
		return false;
	*counts = (struct certdir_tenant_counts){
		.before = tenant->state.devices,
		.added = tenant->fresh.ones,
		.changed = count_changed(tenant),
		.lost = tenant->lost.ones,
		.after = tenant->state.devices + tenant->fresh.ones - tenant->lost.ones,
		.listed = tenant->state.devices + tenant->fresh.ones - tenant->lost.ones,
		.unlisted = tenant->unlisted,
	};
	return log_all(tenant, &tenant->lost, "removed", error) &&
	       (tenant->quiet || log_all(tenant, &tenant->fresh, "added", error)) && log_differences(tenant, error);
}

/*
 * Of the types that some device has, or may have since this part. The first of its devices usually answers. What an LDAP directory knows is
 * known, whoever is in it.
 */
static bool list_identities(struct certdir_tenant *tenant, char text[160], struct certdir_error *error)
{
	static const struct {
		enum certdir_identity_type type;
		enum certdir_tenant_statement statement;
	} kinds[] = {{CERTDIR_ID_ENTRA, CERTDIR_TENANT_HAS_ENTRA},
		     {CERTDIR_ID_INTUNE, CERTDIR_TENANT_HAS_INTUNE},
		     {CERTDIR_ID_SID, CERTDIR_TENANT_HAS_SID},
		     {CERTDIR_ID_NAME, CERTDIR_TENANT_HAS_NAME},
		     {CERTDIR_ID_SERIAL, CERTDIR_TENANT_HAS_SERIAL}};
	size_t used = 0;
	int64_t has;

	text[0] = '\0';
	for (unsigned type = 0; tenant->options.ldap && type < CERTDIR_ID_TYPES; type++)
		if (tenant->options.ldap->keeps & CERTDIR_BIT(type))
			used += (size_t)snprintf(text + used, 160 - used, "%s%s", used ? " " : "",
						 certdir_identity_type_name((enum certdir_identity_type)type));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!(tenant->holds & CERTDIR_BIT(kinds[i].type)))
			continue;
		if (!certdir_tenant_number(tenant, &has, kinds[i].statement, error,
					   SQL_VALUES(SQL_NUMBER(tenant->source))))
			return false;
		if (has)
			used += (size_t)snprintf(text + used, 160 - used, "%s%s", used ? " " : "",
						 certdir_identity_type_name(kinds[i].type));
	}
	return true;
}

/* So that nobody wonders where a fleet of phones is: they are passed over for what Entra ID does not say of them. */
static bool count_untyped(struct certdir_tenant *tenant, size_t *count, struct certdir_error *error)
{
	const uint32_t taken = tenant->options.filter.join_types;
	int64_t number = 0;

	if (taken && !(taken & CERTDIR_BIT(CERTDIR_JOIN_UNKNOWN)) && tenant->unlisted > 0 &&
	    !certdir_tenant_number(tenant, &number, CERTDIR_TENANT_UNTYPED, error,
				   SQL_VALUES(SQL_NUMBER(tenant->source))))
		return false;
	*count = (size_t)number;
	return true;
}

bool certdir_tenant_purge(struct certdir_tenant *tenant, struct certdir_tenant_counts *counts,
			  struct certdir_error *error)
{
	char identities[160];

	for (int64_t row = -1; (row = certdir_bitmap_next(&tenant->removed, row + 1)) >= 0;)
		if (!certdir_tenant_do(tenant, CERTDIR_TENANT_FORGET_NAMES, error, SQL_VALUES(SQL_NUMBER(row))) ||
		    !certdir_tenant_do(tenant, CERTDIR_TENANT_FORGET_DNS_NAMES, error, SQL_VALUES(SQL_NUMBER(row))) ||
		    !certdir_tenant_do(tenant, CERTDIR_TENANT_FORGET_VALUES, error, SQL_VALUES(SQL_NUMBER(row))) ||
		    !certdir_tenant_do(tenant, CERTDIR_TENANT_FORGET_GROUPS, error, SQL_VALUES(SQL_NUMBER(row))) ||
		    !certdir_tenant_do(tenant, CERTDIR_TENANT_FORGET_DEVICE, error, SQL_VALUES(SQL_NUMBER(row))))
			return false;
	return count_untyped(tenant, &counts->untyped, error) && list_identities(tenant, identities, error) &&
	       certdir_tenant_do(tenant, CERTDIR_TENANT_STORE_COUNTS, error,
				 SQL_VALUES(SQL_NUMBER(tenant->source), SQL_NUMBER((int64_t)counts->after),
					    SQL_NUMBER((int64_t)tenant->unlisted), SQL_TEXT(identities),
					    SQL_NUMBER(tenant->unfiltered))) &&
	       certdir_tenant_do(tenant, CERTDIR_TENANT_PRUNE_CHANGES, error,
				 SQL_VALUES(SQL_NUMBER(tenant->options.now - tenant->options.changes)));
}
