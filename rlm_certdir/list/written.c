/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/written.h"

/*
 * SQLite reaches an open file through the table of functions that stands first in its sqlite3_file. Ours is a copy of the
 * unix VFS's with two functions in front of its own; the file itself stays theirs. A whole VFS would come to the same, with
 * forty functions that only pass on. Journals and SQLite's own temporary files are other files, with their own tables.
 */
static struct certdir_list_written *watcher(const sqlite3_file *file)
{
	return (struct certdir_list_written *)((char *)file->pMethods - offsetof(struct certdir_list_written, methods));
}

/* Noted first: a write that fails half way has changed something, too. */
static int write_file(sqlite3_file *file, const void *bytes, int amount, sqlite3_int64 offset)
{
	struct certdir_list_written *written = watcher(file);

	certdir_list_seal_written(written->seal, (uint64_t)offset, (uint64_t)amount);
	return written->below->xWrite(file, bytes, amount, offset);
}

static int truncate_file(sqlite3_file *file, sqlite3_int64 size)
{
	struct certdir_list_written *written = watcher(file);

	certdir_list_seal_cut(written->seal, (uint64_t)size);
	return written->below->xTruncate(file, size);
}

bool certdir_list_written_watch(struct certdir_list_written *written, sqlite3 *db, struct certdir_list_seal *seal)
{
	sqlite3_file *file = NULL;

	if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || !file || !file->pMethods)
		return false;
	written->below = file->pMethods;
	written->methods = *written->below;
	written->methods.xWrite = write_file;
	written->methods.xTruncate = truncate_file;
	written->seal = seal;
	file->pMethods = &written->methods;
	return true;
}
