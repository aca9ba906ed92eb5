/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A source that nobody fills any more is taken out of the list. */
#include <time.h>

#include "list/schema.h"
#include "list/writer.h"

/* ?1: the source; ?2: now. */
static const char log_devices[] =
	"INSERT INTO change(at,source,device,name,what) SELECT ?2,s.name," CERTDIR_LIST_CALLED(
		"d.") ",d.name,'removed' FROM device d JOIN source s ON s.id=d.source WHERE d.source=?1 AND d.listed";

/* ?1: the source. What refers to a row goes before it. */
static const char *const steps[] = {
	"DELETE FROM dns_name WHERE device IN (SELECT id FROM device WHERE source=?1)",
	"DELETE FROM value WHERE device IN (SELECT id FROM device WHERE source=?1)",
	"DELETE FROM former_name WHERE device IN (SELECT id FROM device WHERE source=?1)",
	"DELETE FROM device_group WHERE device IN (SELECT id FROM device WHERE source=?1)",
	"DELETE FROM user_group WHERE user IN (SELECT id FROM user WHERE source=?1)",
	"DELETE FROM user WHERE source=?1",
	"DELETE FROM grp WHERE source=?1 OR (source IS NULL AND id NOT IN (SELECT grp FROM device_group))",
	"DELETE FROM device WHERE source=?1",
	"DELETE FROM intune_waiting WHERE source=?1",
	"DELETE FROM intune_once WHERE source=?1",
	"DELETE FROM certificate WHERE source=?1",
	"DELETE FROM source WHERE id=?1",
};

/* *devices is -1 when there is none of that name. */
static bool find_source(struct certdir_list_writer *writer, const char *name, int64_t *source, int64_t *devices,
			struct certdir_error *error)
{
	*devices = -1;
	if (!certdir_list_writer_number(writer, source, "SELECT id FROM source WHERE name=?1",
					SQL_VALUES(SQL_TEXT(name)), error))
		return false;
	return *source == 0 ||
	       certdir_list_writer_number(writer, devices, "SELECT count(*) FROM device WHERE source=?1 AND listed",
					  SQL_VALUES(SQL_NUMBER(*source)), error);
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
	if (!certdir_list_writer_run(writer, "BEGIN", error) ||
	    !certdir_list_writer_do(writer, log_devices, SQL_VALUES(SQL_NUMBER(source), SQL_NUMBER(now)), error))
		return false;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (!certdir_list_writer_do(writer, steps[i], SQL_VALUES(SQL_NUMBER(source)), error))
			return false;
	return certdir_list_writer_run(writer, "COMMIT", error);
}
