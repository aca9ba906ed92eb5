/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The users part: the people of the tenant, object by object. The change log tells of devices alone. */
#include <string.h>

#include "tenant/state.h"
#include "text/canonical.h"

bool certdir_tenant_users_begin(struct certdir_tenant *tenant, bool full, struct certdir_error *error)
{
	sqlite3_stmt *stmt;
	int found;

	if (!certdir_tenant_begin(tenant, CERTDIR_PART_USERS, error))
		return false;
	tenant->part.full = full;
	/* Who was to go, and was kept, goes unless he comes again. */
	stmt = certdir_sql_ask(&tenant->writer->sql, "SELECT id FROM user WHERE source=?1 AND confirmed IS NOT NULL",
			       SQL_VALUES(SQL_NUMBER(tenant->source)));
	while ((found = certdir_list_writer_next(tenant->writer, stmt, error)) == 1)
		if (!certdir_bitmap_set(&tenant->part.removed, sqlite3_column_int64(stmt, 0)) &&
		    !certdir_tenant_no_memory(error))
			break;
	if (found == 0)
		return true;
	certdir_tenant_part_abandon(tenant);
	return false;
}

static bool find(struct certdir_tenant *tenant, const char *user_id, int64_t *row, struct certdir_error *error)
{
	return certdir_list_writer_number(tenant->writer, row, "SELECT id FROM user WHERE user_id=?1 AND source=?2",
					  SQL_VALUES(SQL_TEXT(user_id), SQL_NUMBER(tenant->source)), error);
}

/* One text as it is stored: what is compared is lower case, as it stands in certificates. */
struct text {
	char room[CERTDIR_LIST_TEXT_MAX + 1];
	char *made;
};

static bool make_text(struct certdir_tenant *tenant, const char *id, const char *field, enum certdir_list_form form,
		      const char *text, struct text *out, struct certdir_error *error)
{
	char lower[CERTDIR_VALUE_MAX + 1];

	if (!certdir_tenant_text(tenant, id, field, form, text, out->room, &out->made, error))
		return false;
	if (out->made && form == CERTDIR_FORM_TEXT &&
	    certdir_canonical(CERTDIR_ID_UPN, out->made, strlen(out->made), lower))
		strcpy(out->room, lower);
	return true;
}

/* A bit of `present` tells for each column whether it takes the value; else it keeps its own. */
static const char update[] =
	"UPDATE user SET upn=iif(?2&1,?3,upn),enabled=iif(?2&2,?4,enabled),sid=iif(?2&4,?5,sid),"
	"sam_account_name=iif(?2&8,?6,sam_account_name),dn=iif(?2&16,?7,dn),mail=iif(?2&32,?8,mail),"
	"confirmed=NULL WHERE id=?1";

static bool store(struct certdir_tenant *tenant, int64_t row, const struct certdir_tenant_user *user, uint32_t present,
		  const char *id, struct certdir_error *error)
{
	struct text upn, sid, sam, dn, mail;

	return make_text(tenant, id, "userPrincipalName", CERTDIR_FORM_TEXT, user->upn, &upn, error) &&
	       make_text(tenant, id, "onPremisesSecurityIdentifier", CERTDIR_FORM_SID, user->sid, &sid, error) &&
	       make_text(tenant, id, "onPremisesSamAccountName", CERTDIR_FORM_TEXT, user->sam_account_name, &sam,
			 error) &&
	       certdir_tenant_text(tenant, id, "onPremisesDistinguishedName", CERTDIR_FORM_TEXT, user->dn, dn.room,
				   &dn.made, error) &&
	       make_text(tenant, id, "mail", CERTDIR_FORM_TEXT, user->mail, &mail, error) &&
	       certdir_list_writer_do(tenant->writer, update,
				      SQL_VALUES(SQL_NUMBER(row), SQL_NUMBER(present), SQL_TEXT(upn.made),
						 SQL_TRISTATE(user->enabled), SQL_TEXT(sid.made), SQL_TEXT(sam.made),
						 SQL_TEXT(dn.made), SQL_TEXT(mail.made)),
				      error);
}

bool certdir_tenant_users_put(struct certdir_tenant *tenant, const struct certdir_tenant_user *user, uint32_t present,
			      struct certdir_error *error)
{
	char id[CERTDIR_LIST_TEXT_MAX + 1];
	int64_t row;

	if (!certdir_tenant_in(tenant, CERTDIR_PART_USERS, error) ||
	    !certdir_tenant_guid(tenant, user->user_id, "a user without an id: the answer is not believed", id,
				 error) ||
	    !find(tenant, id, &row, error))
		return false;
	if (row == 0) {
		if (!certdir_list_writer_do(tenant->writer, "INSERT INTO user(source,user_id) VALUES(?1,?2)",
					    SQL_VALUES(SQL_NUMBER(tenant->source), SQL_TEXT(id)), error))
			return false;
		row = sqlite3_last_insert_rowid(tenant->writer->sql.db);
		if (!certdir_bitmap_set(&tenant->part.listed, row))
			return certdir_tenant_no_memory(error);
	}
	certdir_bitmap_clear(&tenant->part.removed, row);
	if (!certdir_bitmap_set(&tenant->part.seen, row))
		return certdir_tenant_no_memory(error);
	return store(tenant, row, user, present, id, error);
}

bool certdir_tenant_users_remove(struct certdir_tenant *tenant, const char *user_id, struct certdir_error *error)
{
	char id[CERTDIR_LIST_TEXT_MAX + 1];
	int64_t row;

	return certdir_tenant_in(tenant, CERTDIR_PART_USERS, error) &&
	       certdir_tenant_guid(tenant, user_id, "a user without an id: the answer is not believed", id, error) &&
	       find(tenant, id, &row, error) &&
	       (row == 0 || certdir_bitmap_set(&tenant->part.removed, row) || certdir_tenant_no_memory(error));
}

/* ---- the end ---- */

/* Whether it was there before this part: what came and went in one was never there. */
static bool was_there(const struct certdir_tenant *tenant, int64_t row)
{
	return !certdir_bitmap_test(&tenant->part.listed, row);
}

static size_t count_lost(const struct certdir_tenant *tenant)
{
	size_t count = 0;

	for (int64_t row = -1; (row = certdir_bitmap_next(&tenant->part.removed, row + 1)) >= 0;)
		count += was_there(tenant, row);
	return count;
}

static bool delete_user(struct certdir_tenant *tenant, int64_t row, struct certdir_error *error)
{
	return certdir_list_writer_do(tenant->writer, "DELETE FROM user_group WHERE user=?1",
				      SQL_VALUES(SQL_NUMBER(row)), error) &&
	       certdir_list_writer_do(tenant->writer, "DELETE FROM user WHERE id=?1", SQL_VALUES(SQL_NUMBER(row)),
				      error);
}

/* `keep`: those who were there stay, as old as they are by now. */
static bool let_go(struct certdir_tenant *tenant, bool keep, struct certdir_error *error)
{
	for (int64_t row = -1; (row = certdir_bitmap_next(&tenant->part.removed, row + 1)) >= 0;) {
		const bool kept = keep && was_there(tenant, row);

		if (!(kept ? certdir_list_writer_do(
				     tenant->writer, "UPDATE user SET confirmed=coalesce(confirmed,?2) WHERE id=?1",
				     SQL_VALUES(SQL_NUMBER(row), SQL_NUMBER(tenant->state.users_synced)), error)
			   : delete_user(tenant, row, error)))
			return false;
	}
	return true;
}

/* After a listing that shrunk no link is kept: what it did not name no delta would bring. *link: that of the answer, or NULL. */
static bool note_source(struct certdir_tenant *tenant, const char *link, int64_t now, struct certdir_error *error)
{
	return certdir_list_writer_do(tenant->writer,
				      "UPDATE source SET users_synced=?2,users_link=?3,"
				      "users=(SELECT count(*) FROM user WHERE source=?1) WHERE id=?1",
				      SQL_VALUES(SQL_NUMBER(tenant->source), SQL_TIME(now), SQL_TEXT(link)), error);
}

enum certdir_tenant_ended certdir_tenant_users_end(struct certdir_tenant *tenant, const char *delta_link,
						   struct certdir_tenant_counts *counts, struct certdir_error *error)
{
	enum certdir_tenant_ended ended;
	size_t lost;

	if (!certdir_tenant_in(tenant, CERTDIR_PART_USERS, error))
		return CERTDIR_ENDED_FAILED;
	if (tenant->part.full && !certdir_tenant_sweep(tenant, "SELECT id FROM user WHERE source=?1", error))
		return certdir_tenant_finish(tenant, CERTDIR_ENDED_FAILED, error);
	lost = count_lost(tenant);
	ended = certdir_tenant_guard(tenant, tenant->state.users, lost, "users", "in Entra ID whether they are gone",
				     error);
	*counts = (struct certdir_tenant_counts){
		.before = tenant->state.users,
		.added = tenant->part.listed.ones - (tenant->part.removed.ones - lost),
		.lost = ended == CERTDIR_ENDED ? lost : 0,
		.kept = ended == CERTDIR_ENDED ? 0 : lost,
	};
	counts->after = counts->before + counts->added - counts->lost;
	if (!let_go(tenant, ended != CERTDIR_ENDED, error) ||
	    !note_source(tenant, ended != CERTDIR_ENDED && tenant->part.full ? NULL : delta_link, tenant->options.now,
			 error))
		ended = CERTDIR_ENDED_FAILED;
	return certdir_tenant_finish(tenant, ended, error);
}

bool certdir_tenant_users_forget(struct certdir_tenant *tenant, struct certdir_error *error)
{
	const struct certdir_sql_values source = SQL_VALUES(SQL_NUMBER(tenant->source));

	if (!certdir_tenant_begin(tenant, CERTDIR_PART_USERS, error))
		return false;
	if (certdir_list_writer_do(tenant->writer,
				   "DELETE FROM user_group WHERE user IN (SELECT id FROM user WHERE source=?1)", source,
				   error) &&
	    certdir_list_writer_do(tenant->writer, "DELETE FROM user WHERE source=?1", source, error) &&
	    note_source(tenant, NULL, 0, error))
		return certdir_tenant_finish(tenant, CERTDIR_ENDED, error) == CERTDIR_ENDED;
	certdir_tenant_part_abandon(tenant);
	return false;
}
