/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shrink guard: an export that came short must not take the other devices' place. */
#include "list/copy.h"
#include "list/schema.h"
#include "list/writer.h"

#include <string.h>
#include <unistd.h>

bool certdir_list_shrink_allowed(size_t before, size_t lost, unsigned max_shrink)
{
	if (lost == 0 || max_shrink >= 100)
		return true;
	if (lost >= before && before > 1)
		return false;
	return lost <= CERTDIR_LIST_SHRINK_FLOOR || lost <= before / 100 * max_shrink + before % 100 * max_shrink / 100;
}

/* ---- what an import would lose ---- */

/* A device is known by the first of these that it has. */
#define KEYS(_) _(entra_device_id) _(intune_device_id) _(object_id) _(udid) _(serial_number) _(sid) _(name)
#define KEY(column) "WHEN " #column " IS NOT NULL THEN '" #column "' "
#define VALUE(column) #column ","
#define FOUND(column)                                                                                                  \
	"WHEN '" #column "' THEN (SELECT count(*) FROM main.device d WHERE d." #column "=had.value AND d.source=?1) "

/* Names may stand several times: a key comes with the number of devices that go by it. */
static const char make_table[] = "CREATE TEMP TABLE IF NOT EXISTS had(key TEXT,value TEXT COLLATE NOCASE,devices "
				 "INTEGER,PRIMARY KEY(key,value)) "
				 "WITHOUT ROWID;DELETE FROM had;";

#define NOTE(schema)                                                                                                   \
	"INSERT INTO had SELECT CASE " KEYS(KEY) "END,coalesce(" KEYS(                                                 \
		VALUE) "NULL) COLLATE NOCASE,count(*) FROM " schema ".device WHERE source=(SELECT id FROM " schema     \
		       ".source WHERE name=?1) GROUP BY 1,2"
#define IS_TENANT(schema) "SELECT 1 FROM " schema ".source WHERE name=?1 AND kind='tenant'"

/* Runs `sql` with a text; SQLITE_ROW, SQLITE_DONE or an error. */
static int step(sqlite3 *db, const char *sql, const char *text)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(stmt, 1, text, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	sqlite3_finalize(stmt);
	return rc;
}

/* The published list beside the new one, as "present"; false when there is none, or none that can be believed. */
static bool attach_present(struct certdir_list_writer *writer)
{
	struct certdir_list_seal seal;
	struct certdir_error unfit;

	if (!certdir_list_edition_replaces(&writer->edition) ||
	    !certdir_list_copy(writer->edition.filename, -1, NULL, &seal, &unfit))
		return false;
	certdir_list_seal_clear(&seal);
	if (step(writer->db, "ATTACH ?1 AS present", writer->edition.filename) != SQLITE_DONE)
		return false;
	if (certdir_list_database_is_ours(writer->db, "present", writer->edition.filename, &unfit))
		return true;
	(void)sqlite3_exec(writer->db, "DETACH present", NULL, NULL, NULL);
	return false;
}

bool certdir_list_writer_note(struct certdir_list_writer *writer, const char *name, struct certdir_error *error)
{
	const bool anew = writer->edition.seal.count == 0, present = anew && attach_present(writer);
	int tenant, noted;

	if (!certdir_list_writer_run(writer, make_table, error))
		return false;
	tenant = step(writer->db, present ? IS_TENANT("present") : IS_TENANT("main"), name);
	noted = step(writer->db, present ? NOTE("present") : NOTE("main"), name);
	if (present)
		(void)sqlite3_exec(writer->db, "DETACH present", NULL, NULL, NULL);
	if (tenant == SQLITE_ROW) {
		certdir_error_set(
			error,
			"source \"%s\" is a tenant that `certdir sync` fills: choose another name, with --source",
			name);
		return false;
	}
	/* A published list that cannot be read is what --replace is for. */
	return present || noted == SQLITE_DONE || certdir_list_writer_fail(writer, error);
}

bool certdir_list_write_lost(struct certdir_list_writer *writer, size_t *before, size_t *lost,
			     struct certdir_error *error)
{
	static const char count[] = "SELECT coalesce(sum(devices),0),coalesce(sum(max(devices-found,0)),0) FROM "
				    "(SELECT devices,CASE key " KEYS(FOUND) "END found FROM had)";
	sqlite3_stmt *stmt = NULL;
	bool ok = certdir_list_writer_run(writer, certdir_list_indexes, error);

	*before = *lost = 0;
	if (!ok)
		return false;
	ok = sqlite3_prepare_v2(writer->db, count, -1, &stmt, NULL) == SQLITE_OK &&
	     sqlite3_bind_int64(stmt, 1, writer->source) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW;
	if (ok) {
		*before = (size_t)sqlite3_column_int64(stmt, 0);
		*lost = (size_t)sqlite3_column_int64(stmt, 1);
	} else {
		certdir_list_writer_fail(writer, error);
	}
	sqlite3_finalize(stmt);
	return ok;
}
