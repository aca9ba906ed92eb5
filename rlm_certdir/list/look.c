/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The published list as a writer would find it, without being one: where a sync has to go on. */
#include "list/file.h"
#include "list/schema.h"
#include "list/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether the file is a whole list of our version, as far as its first bytes and its seal tell. */
static bool check_file(const char *filename, struct certdir_error *error)
{
	unsigned char header[CERTDIR_LIST_HEADER];
	struct certdir_list_seal seal;
	struct certdir_error why;
	bool ok = false;
	size_t size;
	int fd = certdir_list_file_open(filename, &size, &why);

	if (fd >= 0 && certdir_list_file_seal(fd, filename, size, &seal, header, &why)) {
		ok = certdir_list_file_accept(filename, CERTDIR_SEAL_TRUE, header, (size_t)seal.kept, &why);
		certdir_list_seal_clear(&seal);
	}
	if (fd >= 0)
		(void)close(fd);
	if (!ok)
		certdir_error_set(error,
				  "%s. It is left as it is: move it away and run this again (`certdir list import "
				  "--replace` needs no moving)",
				  why.text);
	return ok;
}

static bool open_list(struct certdir_list_writer *looker, const char *filename, struct certdir_error *error)
{
	char *real;
	bool ok;

	if (!check_file(filename, error))
		return false;
	real = realpath(filename, NULL);
	ok = real && certdir_list_database_look(real, &looker->db);
	if (!ok)
		certdir_error_set(error, "%s cannot be read: %s", filename,
				  looker->db ? sqlite3_errmsg(looker->db) : strerror(errno));
	free(real);
	return ok && certdir_list_writer_check(looker, filename, error);
}

static bool open_empty(struct certdir_list_writer *looker, struct certdir_error *error)
{
	return (certdir_list_database_open(":memory:", true, &looker->db) || certdir_list_writer_fail(looker, error)) &&
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
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(looker->db, "SELECT name FROM source WHERE kind<>'import' ORDER BY name", -1, &stmt,
				    NULL);

	while ((rc == SQLITE_OK || rc == SQLITE_ROW) && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
		each(context, (const char *)sqlite3_column_text(stmt, 0));
	if (rc != SQLITE_DONE)
		(void)certdir_list_writer_fail(looker, error);
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE;
}
