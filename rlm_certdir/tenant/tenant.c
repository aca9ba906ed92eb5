/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A tenant's part of the list: opening it, parts as transactions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/shrink.h"
#include "list/schema.h"
#include "tenant/filter.h"
#include "tenant/state.h"
#include "text/canonical.h"

/* What messages and the list call the source, before its name. */
static const char *kind_of(const struct certdir_tenant *tenant)
{
	return tenant->options.ldap ? "ldap" : "tenant";
}

bool certdir_tenant_row(struct certdir_tenant *tenant, sqlite3_stmt *stmt, struct certdir_error *error)
{
	const int found = certdir_list_writer_next(tenant->writer, stmt, error);

	if (found == 0)
		certdir_error_set(error, "a row of the list is not there: the list is damaged");
	return found == 1;
}

bool certdir_tenant_no_memory(struct certdir_error *error)
{
	certdir_error_set(error, "out of memory");
	return false;
}

/* ---- what is stored of the source ---- */

static bool take_source(struct certdir_tenant *tenant, sqlite3_stmt *stmt, struct certdir_error *error)
{
	const char *delta_link = certdir_sql_text_at(stmt, 1);
	const char *filter = certdir_sql_text_at(stmt, 9);
	const char *attributes = certdir_sql_text_at(stmt, 10);
	const char *users_link = certdir_sql_text_at(stmt, 11);

	/* And changes of what another question was about are no changes of this. */
	const bool other_question = tenant->options.ldap && (!filter || strcmp(filter, tenant->filter) != 0);

	tenant->delta_link = delta_link ? strdup(delta_link) : NULL;
	tenant->users_link = users_link ? strdup(users_link) : NULL;
	if ((delta_link && !tenant->delta_link) || (users_link && !tenant->users_link))
		return certdir_tenant_no_memory(error);
	tenant->source = sqlite3_column_int64(stmt, 0);
	tenant->unlisted = (size_t)sqlite3_column_int64(stmt, 8);
	tenant->state = (struct certdir_tenant_state){
		/* A delta link goes on asking for what was asked for in the beginning. */
		.delta_link = strcmp(attributes ? attributes : "", tenant->attributes) == 0 && !other_question
				      ? tenant->delta_link
				      : NULL,
		.other = other_question,
		.delta_since = sqlite3_column_int64(stmt, 2),
		.synced = sqlite3_column_int64(stmt, 3),
		.intune_synced = sqlite3_column_int64(stmt, 4),
		.groups_synced = sqlite3_column_int64(stmt, 5),
		.devices = (size_t)sqlite3_column_int64(stmt, 6),
		.intune_records = (size_t)sqlite3_column_int64(stmt, 7),
		.users_link = tenant->users_link,
		.certificates_synced = sqlite3_column_int64(stmt, 12),
		.certificates = (size_t)sqlite3_column_int64(stmt, 13),
		.users_synced = sqlite3_column_int64(stmt, 14),
		.users = (size_t)sqlite3_column_int64(stmt, 15),
	};
	tenant->refilter =
		tenant->state.devices + tenant->unlisted > 0 && (!filter || strcmp(filter, tenant->filter) != 0);
	return true;
}

static bool read_source(struct certdir_tenant *tenant, struct certdir_error *error)
{
	sqlite3_stmt *stmt;
	bool ok;
	int found;

	free(tenant->delta_link);
	free(tenant->users_link);
	tenant->delta_link = tenant->users_link = NULL;
	tenant->source = 0;
	tenant->unlisted = 0;
	tenant->refilter = false;
	memset(&tenant->state, 0, sizeof(tenant->state));
	stmt = certdir_sql_ask(&tenant->writer->sql,
			       "SELECT id,delta_link,delta_since,synced,intune_synced,groups_synced,devices,"
			       "intune_records,unlisted,filter,extension_attributes,users_link,certificates_synced,"
			       "certificates,users_synced,users "
			       "FROM source WHERE name=?1",
			       SQL_VALUES(SQL_TEXT(tenant->options.name)));
	found = certdir_list_writer_next(tenant->writer, stmt, error);
	ok = found == 1 ? take_source(tenant, stmt, error) : found == 0;
	(void)sqlite3_reset(stmt);
	return ok;
}

/* ---- open ---- */

static void name_attributes(struct certdir_tenant *tenant)
{
	size_t used = 0;

	for (unsigned number = 1; number <= CERTDIR_LIST_EXTENSION_ATTRIBUTES; number++)
		if (tenant->options.extension_attributes & CERTDIR_BIT(number))
			used += (size_t)snprintf(tenant->attributes + used, sizeof(tenant->attributes) - used, "%s%u",
						 used ? " " : "", number);
}

static bool refuse_source(const struct certdir_tenant *tenant, const char *name, const char *kind, const char *guid,
			  struct certdir_error *error)
{
	const char *ours = tenant->options.name, *us = kind_of(tenant);

	if (strcmp(name, ours) == 0 && strcmp(kind, us) != 0)
		certdir_error_set(error,
				  "the list has %s source of that name: give [%s %s] another name, or do: "
				  "certdir list remove --source %s",
				  strcmp(kind, "import") == 0 ? "an imported" : "another kind of", us, ours, ours);
	else if (strcmp(name, ours) == 0)
		certdir_error_set(error,
				  "its devices in the list are of tenant %s, not of %s: give the other tenant "
				  "a section with another name",
				  guid ? guid : "?", tenant->guid);
	else
		certdir_error_set(error,
				  "tenant %s stands in the list already as \"%s\": keep that name, or do: "
				  "certdir list remove --source %s",
				  tenant->guid, name, name);
	return false;
}

/* A source is one tenant, and a tenant is one source. */
static bool check_source(const struct certdir_tenant *tenant, const char *name, const char *kind, const char *guid,
			 struct certdir_error *error)
{
	bool ours, same;

	/* No certdir writes such a row: there is nothing that it could be taken for. */
	if (!name || !kind)
		return true;
	ours = strcmp(name, tenant->options.name) == 0;
	same = strcmp(kind, kind_of(tenant)) == 0 &&
	       (tenant->options.ldap ? ours : guid && strcmp(guid, tenant->guid) == 0);
	return same == ours || refuse_source(tenant, name, kind, guid, error);
}

static bool check_sources(struct certdir_tenant *tenant, struct certdir_error *error)
{
	sqlite3_stmt *stmt = certdir_sql_ask(&tenant->writer->sql, "SELECT name,kind,tenant FROM source", SQL_NOTHING);
	bool ok = true;
	int found = 0;

	while (ok && (found = certdir_list_writer_next(tenant->writer, stmt, error)) == 1)
		ok = check_source(tenant, certdir_sql_text_at(stmt, 0), certdir_sql_text_at(stmt, 1),
				  certdir_sql_text_at(stmt, 2), error);
	(void)sqlite3_reset(stmt);
	return ok && found == 0;
}

/* Before the first change of a device, what the change log tells of is kept here until the end of the part. */
static const char temporary[] =
	"CREATE TABLE temp.was(id INTEGER PRIMARY KEY, name TEXT, enabled INTEGER, compliance TEXT)";

struct certdir_tenant *certdir_tenant_open(struct certdir_list_writer *writer,
					   const struct certdir_tenant_options *options, struct certdir_error *error)
{
	struct certdir_tenant *tenant = calloc(1, sizeof(*tenant));

	if (!tenant) {
		certdir_error_set(error, "out of memory");
		return NULL;
	}
	tenant->writer = writer;
	tenant->options = *options;
	if (!certdir_list_text_check("source", "name", options->name, error))
		goto out;
	if (!options->ldap &&
	    !certdir_canonical(CERTDIR_ID_GUID, options->tenant, strlen(options->tenant), tenant->guid)) {
		certdir_error_set(error, "\"%s\" is not a tenant id, which is a GUID", options->tenant);
		goto out;
	}
	name_attributes(tenant);
	tenant->takes_all = certdir_tenant_filter_is_open(&options->filter);
	tenant->filter = options->ldap ? strdup(options->ldap->question) : certdir_tenant_filter_text(&options->filter);
	if (!tenant->filter) {
		certdir_tenant_no_memory(error);
		goto out;
	}
	if (check_sources(tenant, error) && certdir_list_writer_run(writer, temporary, error) &&
	    read_source(tenant, error))
		return tenant;
out:
	certdir_tenant_close(tenant);
	return NULL;
}

void certdir_tenant_state(const struct certdir_tenant *tenant, struct certdir_tenant_state *state)
{
	*state = tenant->state;
}

void certdir_tenant_close(struct certdir_tenant *tenant)
{
	if (!tenant)
		return;
	certdir_tenant_part_abandon(tenant);
	(void)sqlite3_exec(tenant->writer->sql.db, "DROP TABLE IF EXISTS temp.was", NULL, NULL, NULL);
	free(tenant->delta_link);
	free(tenant->users_link);
	free(tenant->filter);
	free(tenant);
}

/* ---- parts ---- */

static bool make_source(struct certdir_tenant *tenant, struct certdir_error *error)
{
	if (!certdir_list_writer_do(
		    tenant->writer, "INSERT INTO source(name,kind,tenant,synced) VALUES(?1,?2,nullif(?3,''),0)",
		    SQL_VALUES(SQL_TEXT(tenant->options.name), SQL_TEXT(kind_of(tenant)), SQL_TEXT(tenant->guid)),
		    error))
		return false;
	tenant->source = sqlite3_last_insert_rowid(tenant->writer->sql.db);
	return true;
}

bool certdir_tenant_begin(struct certdir_tenant *tenant, enum certdir_tenant_kind kind, struct certdir_error *error)
{
	if (tenant->part.kind != CERTDIR_PART_NONE) {
		certdir_error_set(error, "a part of it is still open");
		return false;
	}
	/* An import in the same edition has left the journal off, without which nothing can be rolled back. */
	if (!certdir_list_writer_run(tenant->writer, "PRAGMA main.journal_mode=TRUNCATE;BEGIN IMMEDIATE", error))
		return false;
	tenant->part =
		(struct certdir_tenant_part){.kind = kind, .failures = tenant->writer->failures, .newest = INT64_MAX};
	if (certdir_list_writer_run(tenant->writer, "DELETE FROM temp.was", error) &&
	    (tenant->source != 0 || make_source(tenant, error)))
		return true;
	certdir_tenant_part_abandon(tenant);
	return false;
}

bool certdir_tenant_in(const struct certdir_tenant *tenant, enum certdir_tenant_kind kind, struct certdir_error *error)
{
	const struct certdir_tenant_part *part = &tenant->part;

	/* After a full disk SQLite has rolled back by itself: what follows would stand alone. */
	if (part->kind == kind && !part->refused && part->failures == tenant->writer->failures &&
	    !sqlite3_get_autocommit(tenant->writer->sql.db))
		return true;
	certdir_error_set(error, "%s",
			  part->kind == kind ? "this part has failed and can only be abandoned"
					     : "that part of it was not begun");
	return false;
}

static void forget_part(struct certdir_tenant_part *part)
{
	struct certdir_bitmap *const bitmaps[] = {&part->seen,
						  &part->removed,
						  &part->unconfirmed,
						  &part->listed,
						  &part->unlisted,
						  &part->changed,
						  &part->known_elsewhere,
						  &part->met,
						  &part->staged.superseded,
						  &part->staged.joined,
						  &part->staged.known,
						  &part->staged.unjoined,
						  &part->group.members,
						  &part->group.leavers};

	for (size_t i = 0; i < sizeof(bitmaps) / sizeof(bitmaps[0]); i++)
		certdir_bitmap_free(bitmaps[i]);
	memset(part, 0, sizeof(*part));
}

void certdir_tenant_part_abandon(struct certdir_tenant *tenant)
{
	struct certdir_error ignored;

	if (tenant->part.kind == CERTDIR_PART_NONE)
		return;
	certdir_sql_reset(&tenant->writer->sql);
	if (!sqlite3_get_autocommit(tenant->writer->sql.db))
		(void)sqlite3_exec(tenant->writer->sql.db, "ROLLBACK", NULL, NULL, NULL);
	forget_part(&tenant->part);
	(void)read_source(tenant, &ignored);
}

enum { WARNINGS = 5 }; /* a part */

enum certdir_tenant_ended certdir_tenant_finish(struct certdir_tenant *tenant, enum certdir_tenant_ended how,
						struct certdir_error *error)
{
	if (how == CERTDIR_ENDED_FAILED || !certdir_list_writer_run(tenant->writer, "COMMIT", error)) {
		certdir_tenant_part_abandon(tenant);
		return CERTDIR_ENDED_FAILED;
	}
	if (tenant->part.warnings > WARNINGS)
		certdir_log(CERTDIR_LOG_WARN, "%s %s: %u more objects have texts that are not fit to store",
			    kind_of(tenant), tenant->options.name, tenant->part.warnings - WARNINGS);
	forget_part(&tenant->part);
	return read_source(tenant, error) ? how : CERTDIR_ENDED_FAILED;
}

enum certdir_tenant_ended certdir_tenant_guard(const struct certdir_tenant *tenant, size_t before, size_t lost,
					       const char *what, const char *check, struct certdir_error *error)
{
	if (certdir_shrink_allowed(before, lost, tenant->options.max_shrink))
		return CERTDIR_ENDED;
	certdir_error_set(error,
			  "%zu of %zu %s would be lost, more than max_shrink = %u%% allows: they stay as "
			  "they were, and "
			  "grow old; all else was taken. Check %s; when it is right, run with --force",
			  lost, before, what, tenant->options.max_shrink, check);
	return CERTDIR_ENDED_SHRUNK;
}

bool certdir_tenant_text(struct certdir_tenant *tenant, const char *label, const char *field,
			 enum certdir_list_form form, const char *text, char out[CERTDIR_LIST_TEXT_MAX + 1],
			 char **made, struct certdir_error *error)
{
	struct certdir_error refused;
	const char *why = "";

	*made = NULL;
	switch (text ? certdir_list_text_form(form, text, out, &why) : CERTDIR_TEXT_NONE) {
	case CERTDIR_TEXT_MADE:
		*made = out;
		return true;
	case CERTDIR_TEXT_NONE:
		return true;
	case CERTDIR_TEXT_REFUSED:
		break;
	}
	(void)certdir_list_text_refuse(label, field, text, why, &refused);
	if (form == CERTDIR_FORM_GUID) {
		tenant->part.refused = true;
		certdir_error_set(error, "%s: the answer is not believed", refused.text);
		return false;
	}
	if (!tenant->part.warned && tenant->part.warnings++ < WARNINGS)
		certdir_log(CERTDIR_LOG_WARN, "%s %s: %s and counts as not set", kind_of(tenant), tenant->options.name,
			    refused.text);
	tenant->part.warned = true;
	return true;
}

bool certdir_tenant_guid(struct certdir_tenant *tenant, const char *id, const char *missing,
			 char out[CERTDIR_LIST_TEXT_MAX + 1], struct certdir_error *error)
{
	char *made;

	tenant->part.warned = false;
	if (!certdir_tenant_text(tenant, id ? id : "", "id", CERTDIR_FORM_GUID, id, out, &made, error))
		return false;
	if (made)
		return true;
	tenant->part.refused = true;
	certdir_error_set(error, "%s", missing);
	return false;
}
