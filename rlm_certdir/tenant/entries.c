/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The entries of an LDAP directory: each a row with all that the directory says of it. A digest of that tells whether it says the same
 * again, which nearly all of them do; one that does not is written anew.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "list/seal.h"
#include "tenant/state.h"

/* ---- the digest ---- */

/* With its length, so that no two entries are written in the same way. */
static void print_text(FILE *out, const char *text)
{
	(void)fprintf(out, text ? "%zu:%s" : "-", text ? strlen(text) : 0, text);
}

static void print_device(FILE *out, const struct certdir_device *device)
{
	const char *const texts[] = {device->id,
				     device->name,
				     device->sid,
				     device->serial_number,
				     device->entra_device_id,
				     device->intune_device_id,
				     device->udid,
				     device->operating_system};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		print_text(out, texts[i]);
	(void)fprintf(out, "%d,%d,%" PRId64 ",%" PRId64 ",%" PRId64, (int)device->enabled, (int)device->join_type,
		      device->last_seen, device->registered, device->expires);
	(void)fprintf(out, ";%zu", device->dns_name_count);
	for (size_t i = 0; i < device->dns_name_count; i++)
		print_text(out, device->dns_names[i]);
	(void)fprintf(out, ";%zu", device->group_count);
	for (size_t i = 0; i < device->group_count; i++) {
		print_text(out, device->groups[i].id);
		print_text(out, device->groups[i].name);
		print_text(out, device->groups[i].sid);
	}
}

static bool make_digest(const struct certdir_tenant_entry *entry, char hex[2 * CERTDIR_SEAL_DIGEST + 1])
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	bool ok;

	if (!out)
		return false;
	print_device(out, entry->device);
	for (size_t i = 0; i < entry->value_count; i++) {
		(void)fprintf(out, ";%d", (int)entry->values[i].type);
		print_text(out, entry->values[i].value);
	}
	ok = fclose(out) == 0 && certdir_list_seal_digest(text, size, hex);
	free(text);
	return ok;
}

/* ---- one entry ---- */

/* The row of a group, which is made when it is new. */
static bool find_group(struct certdir_tenant *tenant, const struct certdir_group *group, int64_t *row,
		       struct certdir_error *error)
{
	if (!certdir_list_writer_number(tenant->writer, row,
					"SELECT id,name,synced FROM grp WHERE object_id=?1 AND source=?2",
					SQL_VALUES(SQL_TEXT(group->id), SQL_NUMBER(tenant->source)), error))
		return false;
	if (*row)
		return certdir_list_writer_do(
			tenant->writer,
			"UPDATE grp SET name=?2,sid=?3 WHERE id=?1 AND (name IS NOT ?2 OR sid IS NOT ?3)",
			SQL_VALUES(SQL_NUMBER(*row), SQL_TEXT(group->name), SQL_TEXT(group->sid)), error);
	if (!certdir_list_writer_do(tenant->writer, "INSERT INTO grp(object_id,source,name,sid) VALUES(?1,?2,?3,?4)",
				    SQL_VALUES(SQL_TEXT(group->id), SQL_NUMBER(tenant->source), SQL_TEXT(group->name),
					       SQL_TEXT(group->sid)),
				    error))
		return false;
	*row = sqlite3_last_insert_rowid(tenant->writer->sql.db);
	return true;
}

/* What stands in other tables. */
static bool add_names(struct certdir_tenant *tenant, int64_t row, const struct certdir_tenant_entry *entry,
		      struct certdir_error *error)
{
	const struct certdir_device *device = entry->device;

	for (size_t i = 0; i < device->dns_name_count; i++)
		if (!certdir_list_writer_do(tenant->writer, "INSERT OR IGNORE INTO dns_name(device,name) VALUES(?1,?2)",
					    SQL_VALUES(SQL_NUMBER(row), SQL_TEXT(device->dns_names[i])), error))
			return false;
	for (size_t i = 0; i < entry->value_count; i++)
		if (!certdir_list_writer_do(
			    tenant->writer, "INSERT OR IGNORE INTO value(device,type,value) VALUES(?1,?2,?3)",
			    SQL_VALUES(SQL_NUMBER(row), SQL_TEXT(certdir_identity_type_name(entry->values[i].type)),
				       SQL_TEXT(entry->values[i].value)),
			    error))
			return false;
	for (size_t i = 0; i < device->group_count; i++) {
		int64_t group;

		if (!find_group(tenant, &device->groups[i], &group, error) ||
		    !certdir_list_writer_do(tenant->writer, "INSERT INTO device_group(device,grp) VALUES(?1,?2)",
					    SQL_VALUES(SQL_NUMBER(row), SQL_NUMBER(group)), error))
			return false;
	}
	return true;
}

static bool set_device(struct certdir_tenant *tenant, int64_t row, const struct certdir_device *device,
		       const char *digest, struct certdir_error *error)
{
	const char *join = device->join_type == CERTDIR_JOIN_UNKNOWN ? NULL : certdir_join_type_name(device->join_type);

	return certdir_list_writer_do(
		tenant->writer,
		"UPDATE device SET "
		"digest=?2,dn=?3,name=?4,sid=?5,serial_number=?6,entra_device_id=?7,intune_device_id=?8,udid=?9,"
		"operating_system=?10,enabled=?11,join_type=?12,last_seen=?13,registered=?14,expires=?15 WHERE id=?1",
		SQL_VALUES(SQL_NUMBER(row), SQL_TEXT(digest), SQL_TEXT(device->id), SQL_TEXT(device->name),
			   SQL_TEXT(device->sid), SQL_TEXT(device->serial_number), SQL_TEXT(device->entra_device_id),
			   SQL_TEXT(device->intune_device_id), SQL_TEXT(device->udid),
			   SQL_TEXT(device->operating_system), SQL_TRISTATE(device->enabled), SQL_TEXT(join),
			   SQL_TIME(device->last_seen), SQL_TIME(device->registered), SQL_TIME(device->expires)),
		error);
}

static bool write_entry(struct certdir_tenant *tenant, int64_t row, const struct certdir_tenant_entry *entry,
			const char *digest, struct certdir_error *error)
{
	return set_device(tenant, row, entry->device, digest, error) && add_names(tenant, row, entry, error);
}

static bool add_entry(struct certdir_tenant *tenant, const struct certdir_tenant_entry *entry, const char *digest,
		      struct certdir_error *error)
{
	int64_t row;

	if (!certdir_list_writer_do(tenant->writer, "INSERT INTO device(source,entry) VALUES(?1,?2)",
				    SQL_VALUES(SQL_NUMBER(tenant->source), SQL_TEXT(entry->key)), error))
		return false;
	row = sqlite3_last_insert_rowid(tenant->writer->sql.db);
	if (!certdir_bitmap_set(&tenant->part.seen, row))
		return certdir_tenant_no_memory(error);
	return write_entry(tenant, row, entry, digest, error) && certdir_tenant_account(tenant, row, true, true, error);
}

static bool change_entry(struct certdir_tenant *tenant, int64_t row, const struct certdir_tenant_entry *entry,
			 const char *digest, struct certdir_error *error)
{
	if (!certdir_bitmap_set(&tenant->part.changed, row))
		return certdir_tenant_no_memory(error);
	return certdir_tenant_save(tenant, row, error) && certdir_tenant_forget_names(tenant, row, error) &&
	       write_entry(tenant, row, entry, digest, error);
}

bool certdir_tenant_entries_begin(struct certdir_tenant *tenant, bool all, struct certdir_error *error)
{
	if (!certdir_tenant_begin(tenant, CERTDIR_PART_ENTRIES, error))
		return false;
	tenant->part.full = all;
	tenant->part.quiet = tenant->state.synced == 0;
	/* Changes say nothing of entries that wait for their removal. */
	if (!all || certdir_tenant_await(tenant, error))
		return true;
	certdir_tenant_part_abandon(tenant);
	return false;
}

bool certdir_tenant_entries_put(struct certdir_tenant *tenant, const struct certdir_tenant_entry *entry,
				struct certdir_error *error)
{
	char digest[2 * CERTDIR_SEAL_DIGEST + 1];
	const char *before;
	sqlite3_stmt *stmt;
	bool same = false;
	int64_t row = 0;
	int found;

	if (!certdir_tenant_in(tenant, CERTDIR_PART_ENTRIES, error))
		return false;
	if (!make_digest(entry, digest))
		return certdir_tenant_no_memory(error);
	stmt = certdir_sql_ask(&tenant->writer->sql, "SELECT id,digest FROM device WHERE entry=?1 AND source=?2",
			       SQL_VALUES(SQL_TEXT(entry->key), SQL_NUMBER(tenant->source)));
	found = certdir_list_writer_next(tenant->writer, stmt, error);
	if (found < 0)
		return false;
	if (found == 0)
		return add_entry(tenant, entry, digest, error);
	row = sqlite3_column_int64(stmt, 0);
	before = certdir_sql_text_at(stmt, 1);
	same = before && strcmp(before, digest) == 0;
	(void)sqlite3_reset(stmt);
	if (!certdir_bitmap_set(&tenant->part.seen, row))
		return certdir_tenant_no_memory(error);
	return certdir_tenant_confirm(tenant, row, error) && (same || change_entry(tenant, row, entry, digest, error));
}

/* ---- the end ---- */

static bool store(struct certdir_tenant *tenant, const char *cursor, struct certdir_tenant_counts *counts,
		  struct certdir_error *error)
{
	const int64_t now = tenant->options.now;

	return certdir_tenant_account_all(tenant, counts, error) && certdir_tenant_purge(tenant, counts, error) &&
	       certdir_list_writer_do(tenant->writer,
				      "DELETE FROM grp WHERE source=?1 AND NOT EXISTS(SELECT 1 FROM device_group m "
				      "WHERE m.grp=grp.id)",
				      SQL_VALUES(SQL_NUMBER(tenant->source)), error) &&
	       certdir_list_writer_do(
		       tenant->writer,
		       "UPDATE source SET synced=?2,delta_link=?3,delta_since=?4,filter=?5,interval=?6,domain=?7 WHERE "
		       "id=?1",
		       SQL_VALUES(SQL_NUMBER(tenant->source),
				  SQL_NUMBER(tenant->part.full ? now : tenant->state.synced), SQL_TEXT(cursor),
				  SQL_TIME(cursor ? now : 0), SQL_TEXT(tenant->filter),
				  SQL_NUMBER(tenant->options.ldap->interval), SQL_TEXT(tenant->options.ldap->domain)),
		       error);
}

enum certdir_tenant_ended certdir_tenant_entries_end(struct certdir_tenant *tenant, const char *cursor,
						     struct certdir_tenant_counts *counts, struct certdir_error *error)
{
	enum certdir_tenant_ended ended = CERTDIR_ENDED;
	size_t kept = 0;

	*counts = (struct certdir_tenant_counts){0};
	if (!certdir_tenant_in(tenant, CERTDIR_PART_ENTRIES, error))
		return CERTDIR_ENDED_FAILED;
	if (tenant->part.full && !tenant->part.quiet &&
	    !certdir_tenant_sweep(tenant, "SELECT id FROM device NOT INDEXED WHERE source=?1", error))
		return certdir_tenant_finish(tenant, CERTDIR_ENDED_FAILED, error);
	if (tenant->part.full)
		ended = certdir_tenant_guard_devices(tenant, &kept, error);
	if (ended == CERTDIR_ENDED_SHRUNK)
		cursor = NULL;
	if (ended != CERTDIR_ENDED_FAILED && !store(tenant, cursor, counts, error))
		ended = CERTDIR_ENDED_FAILED;
	counts->kept = kept;
	return certdir_tenant_finish(tenant, ended, error);
}
