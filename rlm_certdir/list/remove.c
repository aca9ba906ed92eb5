/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A source that nobody fills any more is taken out of the list. */
#include "list/schema.h"
#include "list/writer.h"

#include <time.h>

/* ?1: the source; ?2: now. What refers to a row goes before it. */
static const char *const steps[] = {
	"INSERT INTO change(at,source,device,name,what) SELECT ?2,s.name," CERTDIR_LIST_CALLED(
		"d.") ",d.name,'removed' FROM device d JOIN source s ON s.id=d.source WHERE d.source=?1 AND d.listed",
	"DELETE FROM dns_name WHERE device IN (SELECT id FROM device WHERE source=?1)",
	"DELETE FROM value WHERE device IN (SELECT id FROM device WHERE source=?1)",
	"DELETE FROM former_name WHERE device IN (SELECT id FROM device WHERE source=?1)",
	"DELETE FROM device_group WHERE device IN (SELECT id FROM device WHERE source=?1)",
	"DELETE FROM grp WHERE source=?1 OR (source IS NULL AND id NOT IN (SELECT grp FROM device_group))",
	"DELETE FROM device WHERE source=?1",
	"DELETE FROM intune_waiting WHERE source=?1",
	"DELETE FROM intune_once WHERE source=?1",
	"DELETE FROM source WHERE id=?1",
};

static bool run_step(struct certdir_list_writer *writer, const char *sql, int64_t source, int64_t now,
		     struct certdir_error *error)
{
	sqlite3_stmt *stmt = NULL;
	const bool ok = sqlite3_prepare_v2(writer->db, sql, -1, &stmt, NULL) == SQLITE_OK &&
			sqlite3_bind_int64(stmt, 1, source) == SQLITE_OK &&
			(sqlite3_bind_parameter_count(stmt) < 2 || sqlite3_bind_int64(stmt, 2, now) == SQLITE_OK) &&
			sqlite3_step(stmt) == SQLITE_DONE;

	if (!ok)
		certdir_list_writer_fail(writer, error);
	sqlite3_finalize(stmt);
	return ok;
}

/* *devices is -1 when there is none of that name. */
static bool find_source(struct certdir_list_writer *writer, const char *name, int64_t *source, int64_t *devices,
			struct certdir_error *error)
{
	sqlite3_stmt *stmt = NULL;
	int rc;

	*source = 0;
	*devices = -1;
	rc = sqlite3_prepare_v2(writer->db,
				"SELECT id,(SELECT count(*) FROM device d WHERE d.source=s.id AND d.listed) "
				"FROM source s WHERE name=?1",
				-1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		*source = sqlite3_column_int64(stmt, 0);
		*devices = sqlite3_column_int64(stmt, 1);
	} else if (rc != SQLITE_DONE) {
		certdir_list_writer_fail(writer, error);
	}
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

bool certdir_list_write_remove(struct certdir_list_writer *writer, const char *name, int64_t *devices,
			       struct certdir_error *error)
{
	const int64_t now = (int64_t)time(NULL);
	int64_t source;

	if (!find_source(writer, name, &source, devices, error))
		return false;
	if (*devices < 0)
		return true;
	if (!certdir_list_writer_run(writer, "BEGIN", error))
		return false;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (!run_step(writer, steps[i], source, now, error))
			return false;
	return certdir_list_writer_run(writer, "COMMIT", error);
}
