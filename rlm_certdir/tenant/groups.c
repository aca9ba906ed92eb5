/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups: each is a part, and its members are bitmaps until the end. */
#include "tenant/state.h"

#include <stdio.h>
#include <string.h>

static bool make_guid(struct certdir_tenant *tenant, const char *what, const char *id,
		      char out[CERTDIR_LIST_TEXT_MAX + 1], struct certdir_error *error)
{
	char *made;

	tenant->warned_object = false;
	if (!certdir_tenant_text(tenant, id ? id : "", "id", CERTDIR_FORM_GUID, id, out, &made, error))
		return false;
	if (made)
		return true;
	tenant->broken = true;
	certdir_error_set(error, "a %s without an id", what);
	return false;
}

/* The members, as a bitmap, and those whose leaving waits. */
static bool read_members(struct certdir_tenant *tenant, int64_t group, struct certdir_error *error)
{
	sqlite3_stmt *stmt = certdir_tenant_ask(tenant, CERTDIR_TENANT_MEMBERS, error, SQL_VALUES(SQL_NUMBER(group)));
	int found;

	while ((found = certdir_tenant_next(tenant, stmt, error)) == 1)
		if (!certdir_bitmap_set(&tenant->before, sqlite3_column_int64(stmt, 0)) ||
		    (sqlite3_column_int(stmt, 1) &&
		     !certdir_bitmap_set(&tenant->unconfirmed, sqlite3_column_int64(stmt, 0))))
			return certdir_tenant_no_memory(error);
	return found == 0;
}

/* Finds or makes the group; a changed name is taken over. */
static bool open_group(struct certdir_tenant *tenant, const char *id, const char *name, struct certdir_error *error)
{
	sqlite3_stmt *stmt = certdir_tenant_ask(tenant, CERTDIR_TENANT_FIND_GROUP, error,
						SQL_VALUES(SQL_TEXT(id), SQL_NUMBER(tenant->source)));
	int found = certdir_tenant_next(tenant, stmt, error);
	const char *known;
	bool ok;

	if (found == 0) {
		tenant->quiet = true;
		ok = certdir_tenant_do(tenant, CERTDIR_TENANT_ADD_GROUP, error,
				       SQL_VALUES(SQL_TEXT(id), SQL_NUMBER(tenant->source), SQL_TEXT(name)));
		tenant->staged = sqlite3_last_insert_rowid(tenant->writer->db);
		return ok;
	}
	if (found < 0)
		return false;
	tenant->staged = sqlite3_column_int64(stmt, 0);
	known = (const char *)sqlite3_column_text(stmt, 1);
	ok = (known && name && strcmp(known, name) == 0) || known == name ||
	     certdir_tenant_do(tenant, CERTDIR_TENANT_NAME_GROUP, error,
			       SQL_VALUES(SQL_NUMBER(tenant->staged), SQL_TEXT(name)));
	(void)sqlite3_reset(stmt);
	return ok && read_members(tenant, tenant->staged, error);
}

bool certdir_tenant_group_begin(struct certdir_tenant *tenant, const char *object_id, const char *name,
				struct certdir_error *error)
{
	char id[CERTDIR_LIST_TEXT_MAX + 1], room[CERTDIR_LIST_TEXT_MAX + 1];
	char *made;

	if (!make_guid(tenant, "group", object_id, id, error) ||
	    !certdir_tenant_begin(tenant, CERTDIR_PART_GROUP, error))
		return false;
	if (certdir_tenant_text(tenant, id, "group name", CERTDIR_FORM_TEXT, name, room, &made, error) &&
	    open_group(tenant, id, made, error)) {
		strcpy(tenant->group, made ? made : id);
		return true;
	}
	certdir_tenant_part_abandon(tenant);
	return false;
}

bool certdir_tenant_group_put(struct certdir_tenant *tenant, const char *member, struct certdir_error *error)
{
	char id[CERTDIR_LIST_TEXT_MAX + 1];
	int64_t row;

	if (!certdir_tenant_in(tenant, CERTDIR_PART_GROUP, error) ||
	    !make_guid(tenant, "member of a group", member, id, error) ||
	    !certdir_tenant_number(tenant, &row, CERTDIR_TENANT_FIND_OBJECT, error,
				   SQL_VALUES(SQL_TEXT(id), SQL_NUMBER(tenant->source))))
		return false;
	tenant->duplicates += row == 0;
	return row == 0 || certdir_bitmap_set(&tenant->seen, row) || certdir_tenant_no_memory(error);
}

/* Every row in `rows` that is not in `others` enters or leaves the group. */
static bool change_members(struct certdir_tenant *tenant, const struct certdir_bitmap *rows,
			   const struct certdir_bitmap *others, bool enter, size_t *count, struct certdir_error *error)
{
	const enum certdir_tenant_statement what = enter ? CERTDIR_TENANT_JOIN_GROUP : CERTDIR_TENANT_LEAVE_GROUP;

	for (int64_t row = -1; (row = certdir_bitmap_next(rows, row + 1)) >= 0;) {
		if (certdir_bitmap_test(others, row))
			continue;
		++*count;
		if (!certdir_tenant_do(tenant, what, error, SQL_VALUES(SQL_NUMBER(row), SQL_NUMBER(tenant->staged))) ||
		    (!tenant->quiet && !certdir_tenant_log(tenant, row, "group", enter ? NULL : tenant->group,
							   enter ? tenant->group : NULL, error)))
			return false;
	}
	return true;
}

/* Who has left stays for now. */
static bool keep_leavers(struct certdir_tenant *tenant, struct certdir_error *error)
{
	for (int64_t row = -1; (row = certdir_bitmap_next(&tenant->before, row + 1)) >= 0;)
		if (!certdir_bitmap_test(&tenant->seen, row) &&
		    !certdir_tenant_do(tenant, CERTDIR_TENANT_KEEP_MEMBER, error,
				       SQL_VALUES(SQL_NUMBER(row), SQL_NUMBER(tenant->staged))))
			return false;
	return true;
}

/* Who was to leave, and is a member all the same. */
static bool confirm_members(struct certdir_tenant *tenant, struct certdir_error *error)
{
	for (int64_t row = -1; (row = certdir_bitmap_next(&tenant->unconfirmed, row + 1)) >= 0;)
		if (certdir_bitmap_test(&tenant->seen, row) &&
		    !certdir_tenant_do(tenant, CERTDIR_TENANT_CONFIRM_MEMBER, error,
				       SQL_VALUES(SQL_NUMBER(row), SQL_NUMBER(tenant->staged))))
			return false;
	return true;
}

static size_t count_leavers(const struct certdir_tenant *tenant)
{
	size_t count = 0;

	for (int64_t row = -1; (row = certdir_bitmap_next(&tenant->before, row + 1)) >= 0;)
		count += !certdir_bitmap_test(&tenant->seen, row);
	return count;
}

enum certdir_tenant_ended certdir_tenant_group_end(struct certdir_tenant *tenant, struct certdir_tenant_counts *counts,
						   struct certdir_error *error)
{
	enum certdir_tenant_ended ended;
	char what[CERTDIR_LIST_TEXT_MAX + 32];
	size_t leavers;
	bool ok;

	if (!certdir_tenant_in(tenant, CERTDIR_PART_GROUP, error))
		return CERTDIR_ENDED_FAILED;
	*counts = (struct certdir_tenant_counts){.before = tenant->before.ones, .duplicates = tenant->duplicates};
	(void)snprintf(what, sizeof(what), "members of group %s", tenant->group);
	leavers = count_leavers(tenant);
	ended = certdir_tenant_guard(tenant, counts->before, leavers, what, "in Entra ID whether they left it", error);
	ok = confirm_members(tenant, error) &&
	     (ended == CERTDIR_ENDED
		      ? change_members(tenant, &tenant->before, &tenant->seen, false, &counts->lost, error)
		      : keep_leavers(tenant, error)) &&
	     change_members(tenant, &tenant->seen, &tenant->before, true, &counts->added, error) &&
	     certdir_tenant_do(tenant, CERTDIR_TENANT_GROUP_SYNCED, error,
			       SQL_VALUES(SQL_NUMBER(tenant->staged), SQL_NUMBER(tenant->options.now)));
	counts->kept = leavers - counts->lost;
	counts->after = counts->before + counts->added - counts->lost;
	return certdir_tenant_finish(tenant, ok ? ended : CERTDIR_ENDED_FAILED, error);
}

/* ---- groups that are no longer asked for ---- */

/* The canonical ids of `object_ids` contain `id`. */
static bool contains(struct certdir_tenant *tenant, const char *const *object_ids, const char *id, bool *found,
		     struct certdir_error *error)
{
	char canonical[CERTDIR_LIST_TEXT_MAX + 1];

	for (*found = false; *object_ids && !*found; object_ids++) {
		if (!make_guid(tenant, "group", *object_ids, canonical, error))
			return false;
		*found = strcmp(canonical, id) == 0;
	}
	return true;
}

static bool drop_group(struct certdir_tenant *tenant, int64_t group, const char *label, struct certdir_error *error)
{
	const struct certdir_bitmap none = {0};
	size_t count = 0;

	certdir_bitmap_free(&tenant->before);
	tenant->staged = group;
	strcpy(tenant->group, label);
	return read_members(tenant, group, error) &&
	       change_members(tenant, &tenant->before, &none, false, &count, error) &&
	       certdir_tenant_do(tenant, CERTDIR_TENANT_DROP_GROUP, error, SQL_VALUES(SQL_NUMBER(group)));
}

/* Drops what is not in `object_ids`; `oldest` is when that of the others was listed whose listing is the oldest. */
static bool drop_others(struct certdir_tenant *tenant, const char *const *object_ids, int64_t *oldest,
			struct certdir_error *error)
{
	sqlite3_stmt *stmt =
		certdir_tenant_ask(tenant, CERTDIR_TENANT_GROUPS, error, SQL_VALUES(SQL_NUMBER(tenant->source)));
	int found;

	*oldest = 0;
	while ((found = certdir_tenant_next(tenant, stmt, error)) == 1) {
		const char *id = (const char *)sqlite3_column_text(stmt, 1);
		const char *name = (const char *)sqlite3_column_text(stmt, 2);
		const int64_t synced = sqlite3_column_int64(stmt, 3);
		bool kept;

		if (!contains(tenant, object_ids, id, &kept, error) ||
		    (!kept && !drop_group(tenant, sqlite3_column_int64(stmt, 0), name ? name : id, error)))
			return false;
		if (kept && (*oldest == 0 || synced < *oldest))
			*oldest = synced;
	}
	return found == 0;
}

bool certdir_tenant_groups_keep(struct certdir_tenant *tenant, const char *const *object_ids,
				struct certdir_error *error)
{
	int64_t oldest;

	if (!certdir_tenant_begin(tenant, CERTDIR_PART_GROUP, error))
		return false;
	if (drop_others(tenant, object_ids, &oldest, error) &&
	    certdir_tenant_do(tenant, CERTDIR_TENANT_STORE_GROUPS, error,
			      SQL_VALUES(SQL_NUMBER(tenant->source), SQL_TIME(oldest))))
		return certdir_tenant_finish(tenant, CERTDIR_ENDED, error) == CERTDIR_ENDED;
	certdir_tenant_part_abandon(tenant);
	return false;
}
