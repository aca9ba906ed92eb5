/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups: each is a part, and its members are bitmaps until the end. */
#include <stdio.h>
#include <string.h>

#include "tenant/state.h"

/* What is asked of members that are devices, and of those that are users. ?1: the member, ?2: the group. */
static const struct {
	const char *members, *enter, *leave, *keep, *confirm;
} sql[] = {
	{"SELECT device,confirmed IS NOT NULL FROM device_group WHERE grp=?1",
	 "INSERT INTO device_group(device,grp) VALUES(?1,?2)", "DELETE FROM device_group WHERE device=?1 AND grp=?2",
	 "UPDATE device_group SET confirmed=coalesce(confirmed,(SELECT synced FROM grp WHERE id=?2))"
	 " WHERE device=?1 AND grp=?2",
	 "UPDATE device_group SET confirmed=NULL WHERE device=?1 AND grp=?2"},
	{"SELECT user,confirmed IS NOT NULL FROM user_group WHERE grp=?1",
	 "INSERT INTO user_group(user,grp) VALUES(?1,?2)", "DELETE FROM user_group WHERE user=?1 AND grp=?2",
	 "UPDATE user_group SET confirmed=coalesce(confirmed,(SELECT synced FROM grp WHERE id=?2))"
	 " WHERE user=?1 AND grp=?2",
	 "UPDATE user_group SET confirmed=NULL WHERE user=?1 AND grp=?2"},
};

/* The members, as a bitmap, and those whose leaving waits. */
static bool read_members(struct certdir_tenant *tenant, int64_t group, struct certdir_error *error)
{
	sqlite3_stmt *stmt = certdir_sql_ask(&tenant->writer->sql, sql[tenant->part.group.users].members,
					     SQL_VALUES(SQL_NUMBER(group)));
	int found;

	while ((found = certdir_list_writer_next(tenant->writer, stmt, error)) == 1)
		if (!certdir_bitmap_set(&tenant->part.group.members, sqlite3_column_int64(stmt, 0)) ||
		    (sqlite3_column_int(stmt, 1) &&
		     !certdir_bitmap_set(&tenant->part.group.leavers, sqlite3_column_int64(stmt, 0))))
			return certdir_tenant_no_memory(error);
	return found == 0;
}

/* Finds or makes the group; a changed name is taken over. */
static bool open_group(struct certdir_tenant *tenant, const char *id, const char *name, struct certdir_error *error)
{
	sqlite3_stmt *stmt =
		certdir_sql_ask(&tenant->writer->sql, "SELECT id,name,synced FROM grp WHERE object_id=?1 AND source=?2",
				SQL_VALUES(SQL_TEXT(id), SQL_NUMBER(tenant->source)));
	int found = certdir_list_writer_next(tenant->writer, stmt, error);
	const char *known;
	bool ok;

	if (found == 0) {
		tenant->part.quiet = true;
		ok = certdir_list_writer_do(tenant->writer, "INSERT INTO grp(object_id,source,name) VALUES(?1,?2,?3)",
					    SQL_VALUES(SQL_TEXT(id), SQL_NUMBER(tenant->source), SQL_TEXT(name)),
					    error);
		tenant->part.group.row = sqlite3_last_insert_rowid(tenant->writer->sql.db);
		return ok;
	}
	if (found < 0)
		return false;
	tenant->part.group.row = sqlite3_column_int64(stmt, 0);
	tenant->part.quiet = sqlite3_column_type(stmt, 2) == SQLITE_NULL;
	known = certdir_sql_text_at(stmt, 1);
	ok = (known && name && strcmp(known, name) == 0) || known == name ||
	     certdir_list_writer_do(tenant->writer, "UPDATE grp SET name=?2 WHERE id=?1",
				    SQL_VALUES(SQL_NUMBER(tenant->part.group.row), SQL_TEXT(name)), error);
	(void)sqlite3_reset(stmt);
	return ok && read_members(tenant, tenant->part.group.row, error);
}

static bool begin(struct certdir_tenant *tenant, const char *object_id, const char *name, bool users,
		  struct certdir_error *error)
{
	char id[CERTDIR_LIST_TEXT_MAX + 1], room[CERTDIR_LIST_TEXT_MAX + 1];
	char *made;

	if (!certdir_tenant_guid(tenant, object_id, "a group without an id", id, error) ||
	    !certdir_tenant_begin(tenant, CERTDIR_PART_GROUP, error))
		return false;
	tenant->part.group.users = users;
	if (certdir_tenant_text(tenant, id, "group name", CERTDIR_FORM_TEXT, name, room, &made, error) &&
	    open_group(tenant, id, made, error)) {
		strcpy(tenant->part.group.name, made ? made : id);
		return true;
	}
	certdir_tenant_part_abandon(tenant);
	return false;
}

bool certdir_tenant_group_begin(struct certdir_tenant *tenant, const char *object_id, const char *name,
				struct certdir_error *error)
{
	return begin(tenant, object_id, name, false, error);
}

bool certdir_tenant_group_begin_users(struct certdir_tenant *tenant, const char *object_id, const char *name,
				      struct certdir_error *error)
{
	return begin(tenant, object_id, name, true, error);
}

static bool find_member(struct certdir_tenant *tenant, const char *id, int64_t *row, struct certdir_error *error)
{
	return tenant->part.group.users
		       ? certdir_list_writer_number(tenant->writer, row,
						    "SELECT id FROM user WHERE user_id=?1 AND source=?2",
						    SQL_VALUES(SQL_TEXT(id), SQL_NUMBER(tenant->source)), error)
		       : certdir_tenant_find_object(tenant, id, row, error);
}

bool certdir_tenant_group_put(struct certdir_tenant *tenant, const char *member, struct certdir_error *error)
{
	char id[CERTDIR_LIST_TEXT_MAX + 1];
	int64_t row;

	if (!certdir_tenant_in(tenant, CERTDIR_PART_GROUP, error) ||
	    !certdir_tenant_guid(tenant, member, "a member of a group without an id", id, error) ||
	    !find_member(tenant, id, &row, error))
		return false;
	tenant->part.group.strangers += row == 0;
	return row == 0 || certdir_bitmap_set(&tenant->part.seen, row) || certdir_tenant_no_memory(error);
}

/* Every row in `rows` that is not in `others` enters or leaves the group. */
static bool change_members(struct certdir_tenant *tenant, const struct certdir_bitmap *rows,
			   const struct certdir_bitmap *others, bool enter, size_t *count, struct certdir_error *error)
{
	const char *what = enter ? sql[tenant->part.group.users].enter : sql[tenant->part.group.users].leave;

	for (int64_t row = -1; (row = certdir_bitmap_next(rows, row + 1)) >= 0;) {
		if (certdir_bitmap_test(others, row))
			continue;
		++*count;
		if (!certdir_list_writer_do(tenant->writer, what,
					    SQL_VALUES(SQL_NUMBER(row), SQL_NUMBER(tenant->part.group.row)), error) ||
		    (!tenant->part.quiet && !tenant->part.group.users &&
		     !certdir_tenant_log(tenant, row, "group", enter ? NULL : tenant->part.group.name,
					 enter ? tenant->part.group.name : NULL, error)))
			return false;
	}
	return true;
}

/* The guard refused: members who were not listed stay members, but not as of now. */
static bool keep_leavers(struct certdir_tenant *tenant, struct certdir_error *error)
{
	for (int64_t row = -1; (row = certdir_bitmap_next(&tenant->part.group.members, row + 1)) >= 0;)
		if (!certdir_bitmap_test(&tenant->part.seen, row) &&
		    !certdir_list_writer_do(tenant->writer, sql[tenant->part.group.users].keep,
					    SQL_VALUES(SQL_NUMBER(row), SQL_NUMBER(tenant->part.group.row)), error))
			return false;
	return true;
}

/* Who was to leave, and is a member all the same. */
static bool confirm_members(struct certdir_tenant *tenant, struct certdir_error *error)
{
	for (int64_t row = -1; (row = certdir_bitmap_next(&tenant->part.group.leavers, row + 1)) >= 0;)
		if (certdir_bitmap_test(&tenant->part.seen, row) &&
		    !certdir_list_writer_do(tenant->writer, sql[tenant->part.group.users].confirm,
					    SQL_VALUES(SQL_NUMBER(row), SQL_NUMBER(tenant->part.group.row)), error))
			return false;
	return true;
}

static size_t count_leavers(const struct certdir_tenant *tenant)
{
	size_t count = 0;

	for (int64_t row = -1; (row = certdir_bitmap_next(&tenant->part.group.members, row + 1)) >= 0;)
		count += !certdir_bitmap_test(&tenant->part.seen, row);
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
	*counts = (struct certdir_tenant_counts){.before = tenant->part.group.members.ones,
						 .duplicates = tenant->part.group.strangers};
	(void)snprintf(what, sizeof(what), "%s of group %s", tenant->part.group.users ? "users" : "members",
		       tenant->part.group.name);
	leavers = count_leavers(tenant);
	ended = certdir_tenant_guard(tenant, counts->before, leavers, what, "in Entra ID whether they left it", error);
	ok = confirm_members(tenant, error) &&
	     (ended == CERTDIR_ENDED ? change_members(tenant, &tenant->part.group.members, &tenant->part.seen, false,
						      &counts->lost, error)
				     : keep_leavers(tenant, error)) &&
	     change_members(tenant, &tenant->part.seen, &tenant->part.group.members, true, &counts->added, error) &&
	     /* Users come first, and who has left is as old as both. */
	     (tenant->part.group.users ||
	      certdir_list_writer_do(tenant->writer, "UPDATE grp SET synced=?2 WHERE id=?1",
				     SQL_VALUES(SQL_NUMBER(tenant->part.group.row), SQL_NUMBER(tenant->options.now)),
				     error));
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
		if (!certdir_tenant_guid(tenant, *object_ids, "a group without an id", canonical, error))
			return false;
		*found = strcmp(canonical, id) == 0;
	}
	return true;
}

static bool drop_group(struct certdir_tenant *tenant, int64_t group, const char *label, struct certdir_error *error)
{
	const struct certdir_bitmap none = {0};
	size_t count = 0;

	certdir_bitmap_free(&tenant->part.group.members);
	tenant->part.group.row = group;
	strcpy(tenant->part.group.name, label);
	return read_members(tenant, group, error) &&
	       change_members(tenant, &tenant->part.group.members, &none, false, &count, error) &&
	       certdir_list_writer_do(tenant->writer, "DELETE FROM user_group WHERE grp=?1",
				      SQL_VALUES(SQL_NUMBER(group)), error) &&
	       certdir_list_writer_do(tenant->writer, "DELETE FROM grp WHERE id=?1", SQL_VALUES(SQL_NUMBER(group)),
				      error);
}

/* Drops what is not in `object_ids`; `oldest` is when that of the others was listed whose listing is the oldest. */
static bool drop_others(struct certdir_tenant *tenant, const char *const *object_ids, int64_t *oldest,
			struct certdir_error *error)
{
	sqlite3_stmt *stmt =
		certdir_sql_ask(&tenant->writer->sql, "SELECT id,object_id,name,synced FROM grp WHERE source=?1",
				SQL_VALUES(SQL_NUMBER(tenant->source)));
	int found;

	*oldest = 0;
	while ((found = certdir_list_writer_next(tenant->writer, stmt, error)) == 1) {
		const char *id = certdir_sql_text_at(stmt, 1);
		const char *name = certdir_sql_text_at(stmt, 2);
		const int64_t synced = sqlite3_column_int64(stmt, 3);
		bool kept;

		if (!id || strlen(name ? name : id) > CERTDIR_LIST_TEXT_MAX) {
			certdir_error_set(error, "it has a group without an id, or with a name that is too long: the "
						 "list is damaged");
			return false;
		}
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
	    certdir_list_writer_do(tenant->writer, "UPDATE source SET groups_synced=?2 WHERE id=?1",
				   SQL_VALUES(SQL_NUMBER(tenant->source), SQL_TIME(oldest)), error))
		return certdir_tenant_finish(tenant, CERTDIR_ENDED, error) == CERTDIR_ENDED;
	certdir_tenant_part_abandon(tenant);
	return false;
}
