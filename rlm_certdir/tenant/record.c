/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tenant/record.h"

/* Copies the record of `from` to the device ?1. */
#define JOIN(from) "UPDATE device SET (" RECORD ")=(" RECORD_OF("o") ") FROM " from " AND device.id=?1"

/* ?2: Entra device id, ?3: source */
static const char join_waiting[] = JOIN("intune_waiting o WHERE o.entra_device_id=?2 AND o.source=?3");
static const char join_twin[] = JOIN("device o WHERE o.entra_device_id=?2 AND o.source=?3 AND o.id<>?1 AND "
				     "o.intune_compliance IS NOT NULL");
static const char join_own[] = JOIN("device o WHERE o.intune_device_id=?2 AND o.source=?3 AND "
				    "o.object_id IS NULL AND o.intune_compliance IS NOT NULL");

bool certdir_tenant_record_take(struct certdir_tenant *tenant, int64_t row, const char *entra_device_id,
				struct certdir_error *error)
{
	static const char *const ways[] = {join_waiting, join_twin, join_own};
	int64_t own;

	if (!entra_device_id || tenant->state.intune_records == 0)
		return true;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (!certdir_list_writer_do(
			    tenant->writer, ways[i],
			    SQL_VALUES(SQL_NUMBER(row), SQL_TEXT(entra_device_id), SQL_NUMBER(tenant->source)), error))
			return false;
		if (sqlite3_changes(tenant->writer->sql.db) == 0)
			continue;
		if (ways[i] == join_waiting)
			return certdir_list_writer_do(
				tenant->writer, "DELETE FROM intune_waiting WHERE entra_device_id=?1 AND source=?2",
				SQL_VALUES(SQL_TEXT(entra_device_id), SQL_NUMBER(tenant->source)), error);
		break;
	}
	/* A device that Intune alone knew, and Entra ID does now: which of them stays is seen at the end. */
	return certdir_tenant_record_own(tenant, entra_device_id, &own, error) &&
	       (own == 0 || certdir_bitmap_set(&tenant->part.known_elsewhere, own) || certdir_tenant_no_memory(error));
}

bool certdir_tenant_record_leave(struct certdir_tenant *tenant, int64_t row, const char *entra_device_id,
				 struct certdir_error *error)
{
	int64_t other;

	if (!entra_device_id || tenant->state.intune_records == 0)
		return true;
	if (!certdir_list_writer_number(
		    tenant->writer, &other, "SELECT id FROM device WHERE entra_device_id=?1 AND source=?2 AND id<>?3",
		    SQL_VALUES(SQL_TEXT(entra_device_id), SQL_NUMBER(tenant->source), SQL_NUMBER(row)), error) ||
	    (!other && !certdir_tenant_record_own(tenant, entra_device_id, &other, error)))
		return false;
	if (!other && !certdir_list_writer_do(tenant->writer,
					      "INSERT OR REPLACE INTO intune_waiting(source,entra_device_id," RECORD
					      ") SELECT source,?2," RECORD
					      " FROM device WHERE id=?1 AND intune_compliance IS NOT NULL",
					      SQL_VALUES(SQL_NUMBER(row), SQL_TEXT(entra_device_id)), error))
		return false;
	return certdir_tenant_record_clear(tenant, row, error);
}

bool certdir_tenant_record_clear(struct certdir_tenant *tenant, int64_t row, struct certdir_error *error)
{
	return certdir_list_writer_do(
		tenant->writer,
		"UPDATE device SET (" RECORD ")=(NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,"
		"NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL) WHERE id=?1 AND intune_compliance IS NOT NULL",
		SQL_VALUES(SQL_NUMBER(row)), error);
}

bool certdir_tenant_record_keep(struct certdir_tenant *tenant, int64_t row, struct certdir_error *error)
{
	return certdir_list_writer_do(tenant->writer,
				      "UPDATE device SET intune_confirmed=coalesce(intune_confirmed,?2) WHERE id=?1",
				      SQL_VALUES(SQL_NUMBER(row), SQL_NUMBER(tenant->state.intune_synced)), error);
}

bool certdir_tenant_record_own(struct certdir_tenant *tenant, const char *intune_device_id, int64_t *row,
			       struct certdir_error *error)
{
	return certdir_list_writer_number(
		tenant->writer, row,
		"SELECT id FROM device WHERE intune_device_id=?1 AND source=?2 AND " OF_INTUNE_ALONE,
		SQL_VALUES(SQL_TEXT(intune_device_id), SQL_NUMBER(tenant->source)), error);
}

bool certdir_tenant_record_merge(struct certdir_tenant *tenant, struct certdir_error *error)
{
	for (int64_t row = -1; (row = certdir_bitmap_next(&tenant->part.known_elsewhere, row + 1)) >= 0;) {
		sqlite3_stmt *others =
			certdir_sql_ask(&tenant->writer->sql,
					"SELECT e.id FROM device o CROSS JOIN device e ON "
					"e.entra_device_id=o.intune_device_id AND e.source=o.source AND e.id<>o.id "
					"WHERE o.id=?1",
					SQL_VALUES(SQL_NUMBER(row)));
		bool merged = false;
		int found = 0;

		while (!merged && (found = certdir_list_writer_next(tenant->writer, others, error)) == 1)
			merged = !certdir_bitmap_test(&tenant->part.removed, sqlite3_column_int64(others, 0));
		(void)sqlite3_reset(others);
		if (found < 0)
			return false;
		if (merged && !certdir_bitmap_set(&tenant->part.removed, row))
			return certdir_tenant_no_memory(error);
	}
	return true;
}

static bool outlive(struct certdir_tenant *tenant, int64_t row, struct certdir_error *error)
{
	sqlite3_stmt *stmt =
		certdir_sql_ask(&tenant->writer->sql,
				"SELECT entra_device_id FROM device WHERE id=?1 AND intune_compliance IS NOT NULL",
				SQL_VALUES(SQL_NUMBER(row)));
	const int found = certdir_list_writer_next(tenant->writer, stmt, error);
	const char *id = found == 1 ? certdir_sql_text_at(stmt, 0) : NULL;
	bool ok = found >= 0;

	/* Of two removed devices with one id, the second must not take the first for another one that stays. */
	if (id)
		ok = certdir_tenant_record_leave(tenant, row, id, error) &&
		     certdir_list_writer_do(tenant->writer,
					    "UPDATE device SET entra_device_id=NULL,name=NULL,sid=NULL WHERE id=?1",
					    SQL_VALUES(SQL_NUMBER(row)), error);
	(void)sqlite3_reset(stmt);
	return ok;
}

bool certdir_tenant_record_outlive(struct certdir_tenant *tenant, struct certdir_error *error)
{
	for (int64_t row = -1; (row = certdir_bitmap_next(&tenant->part.removed, row + 1)) >= 0;)
		if (!outlive(tenant, row, error))
			return false;
	return true;
}
