/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The published list as a writer would find it, without being one: where a sync has to go on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "list/schema.h"
#include "list/writer.h"

static bool open_list(struct certdir_list_writer *looker, const char *filename, struct certdir_error *error)
{
	struct certdir_list_draft *draft = &looker->edition.draft;

	if (!certdir_list_draft_open(draft, looker->edition.temporary, error))
		return false;
	if (certdir_list_database_pages(&certdir_list_draft_pages, draft, "list", false, &looker->sql.db))
		return certdir_list_writer_check(looker, filename, error);
	certdir_error_set(error, "%s cannot be read: %s", filename,
			  draft->why.text[0] ? draft->why.text : sqlite3_errmsg(looker->sql.db));
	return false;
}

static bool open_empty(struct certdir_list_writer *looker, struct certdir_error *error)
{
	return (certdir_list_database_open(":memory:", true, &looker->sql.db) ||
		certdir_list_writer_fail(looker, error)) &&
	       certdir_list_writer_run(looker, certdir_list_schema, error);
}

struct certdir_list_writer *certdir_list_look(const char *filename, struct certdir_error *error)
{
	struct certdir_list_writer *looker = calloc(1, sizeof(*looker));
	struct stat status;
	bool ok = false;

	if (looker) {
		looker->edition.lock = looker->edition.file = -1;
		looker->edition.temporary = strdup(filename); /* what messages name */
		certdir_list_draft_init(&looker->edition.draft, -1, NULL);
	}
	if (!looker || !looker->edition.temporary)
		certdir_error_set(error, "%s: out of memory", filename);
	else if (stat(filename, &status) != 0 && errno == ENOENT)
		ok = open_empty(looker, error);
	else
		ok = open_list(looker, filename, error);
	if (ok)
		return looker;
	certdir_list_write_abort(looker);
	return NULL;
}

bool certdir_list_look_tenants(struct certdir_list_writer *looker, void (*each)(void *context, const char *name),
			       void *context, struct certdir_error *error)
{
	sqlite3_stmt *stmt = certdir_sql_ask(&looker->sql, "SELECT name FROM source WHERE kind<>'import' ORDER BY name",
					     SQL_NOTHING);
	int found;

	while ((found = certdir_list_writer_next(looker, stmt, error)) == 1) {
		const char *name = certdir_sql_text_at(stmt, 0);

		if (name)
			each(context, name);
	}
	return found == 0;
}
