/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/vfs.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const char name[] = "certdir-list";

struct main_file {
	sqlite3_file file; /* first */
	const struct certdir_list_pages *pages;
	void *context;
};

/* A pointer in a file's name would do as well, and anybody's ATTACH could bring one. */
static _Thread_local struct main_file next;

void certdir_list_vfs_next(const struct certdir_list_pages *pages, void *context)
{
	next = (struct main_file){.pages = pages, .context = context};
}

static int close_file(sqlite3_file *file)
{
	(void)file;
	return SQLITE_OK;
}

/* What lies behind the end is zero, says SQLite. */
static int read_file(sqlite3_file *file, void *bytes, int amount, sqlite3_int64 from)
{
	const struct main_file *main = (const struct main_file *)file;
	const uint64_t size = main->pages->size(main->context), at = (uint64_t)from;
	const size_t wanted = (size_t)amount, there = at >= size	   ? 0
						      : size - at < wanted ? (size_t)(size - at)
									   : wanted;

	if (there && !main->pages->read(main->context, bytes, there, at))
		return SQLITE_IOERR_READ;
	if (there == wanted)
		return SQLITE_OK;
	memset((char *)bytes + there, 0, wanted - there);
	return SQLITE_IOERR_SHORT_READ;
}

static int write_file(sqlite3_file *file, const void *bytes, int amount, sqlite3_int64 from)
{
	const struct main_file *main = (const struct main_file *)file;

	if (!main->pages->write)
		return SQLITE_READONLY;
	return main->pages->write(main->context, bytes, (size_t)amount, (uint64_t)from) ? SQLITE_OK
											: SQLITE_IOERR_WRITE;
}

static int truncate_file(sqlite3_file *file, sqlite3_int64 size)
{
	const struct main_file *main = (const struct main_file *)file;

	if (!main->pages->cut)
		return SQLITE_READONLY;
	return main->pages->cut(main->context, (uint64_t)size) ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

static int sync_file(sqlite3_file *file, int flags)
{
	(void)file;
	(void)flags;
	return SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	const struct main_file *main = (const struct main_file *)file;

	*size = (sqlite3_int64)main->pages->size(main->context);
	return SQLITE_OK;
}

/* One connection has it, and what is shared is never written. */
static int lock_file(sqlite3_file *file, int level)
{
	(void)file;
	(void)level;
	return SQLITE_OK;
}

static int is_reserved(sqlite3_file *file, int *is)
{
	(void)file;
	*is = 0;
	return SQLITE_OK;
}

static int control_file(sqlite3_file *file, int what, void *argument)
{
	(void)file;
	(void)what;
	(void)argument;
	return SQLITE_NOTFOUND;
}

static int sector_size(sqlite3_file *file)
{
	(void)file;
	return 512;
}

static int characteristics(sqlite3_file *file)
{
	(void)file;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int fetch_page(sqlite3_file *file, sqlite3_int64 from, int amount, void **page)
{
	const struct main_file *main = (const struct main_file *)file;

	*page = NULL;
	if (main->pages->fetch)
		*page = (void *)main->pages->fetch(main->context, (size_t)amount, (uint64_t)from);
	return SQLITE_OK;
}

static int unfetch_page(sqlite3_file *file, sqlite3_int64 from, void *page)
{
	(void)file;
	(void)from;
	(void)page;
	return SQLITE_OK;
}

/* Version 3 has xFetch; without shared memory there is no write-ahead log, whatever a header says. */
static const sqlite3_io_methods methods = {
	.iVersion = 3,
	.xClose = close_file,
	.xRead = read_file,
	.xWrite = write_file,
	.xTruncate = truncate_file,
	.xSync = sync_file,
	.xFileSize = file_size,
	.xLock = lock_file,
	.xUnlock = lock_file,
	.xCheckReservedLock = is_reserved,
	.xFileControl = control_file,
	.xSectorSize = sector_size,
	.xDeviceCharacteristics = characteristics,
	.xFetch = fetch_page,
	.xUnfetch = unfetch_page,
};

/* ---- the VFS ---- */

static sqlite3_vfs vfs; /* the system's own, but for what is set in set_up() */
static sqlite3_vfs *below;

static int open_file(sqlite3_vfs *self, const char *filename, sqlite3_file *file, int flags, int *out)
{
	(void)self;
	if (!(flags & SQLITE_OPEN_MAIN_DB))
		return below->xOpen(below, filename, file, flags, out);
	memset(file, 0, sizeof(*file));
	if (!next.pages)
		return SQLITE_CANTOPEN;
	*(struct main_file *)file = next;
	file->pMethods = &methods;
	memset(&next, 0, sizeof(next));
	if (out)
		*out = flags;
	return SQLITE_OK;
}

/* The main database's name is for messages and for the journal's name alone. */
static int full_name(sqlite3_vfs *self, const char *filename, int size, char *out)
{
	(void)self;
	return snprintf(out, (size_t)size, "%s", filename) < size ? SQLITE_OK : SQLITE_CANTOPEN;
}

/* No journal is looked for: a main database is what its owner says, and nothing that lies about is rolled back into it. */
static int access_nothing(sqlite3_vfs *self, const char *filename, int flags, int *out)
{
	(void)self;
	(void)filename;
	(void)flags;
	*out = 0;
	return SQLITE_OK;
}

static bool is_set_up;

static void set_up(void)
{
	below = sqlite3_vfs_find(NULL);
	if (!below)
		return;
	vfs = *below;
	vfs.zName = name;
	vfs.pNext = NULL;
	vfs.xOpen = open_file;
	vfs.xAccess = access_nothing;
	vfs.xFullPathname = full_name;
	if (vfs.szOsFile < (int)sizeof(struct main_file))
		vfs.szOsFile = (int)sizeof(struct main_file);
	is_set_up = sqlite3_vfs_register(&vfs, 0) == SQLITE_OK;
}

/* It stays registered until the process ends, as the module does (-z nodelete). */
const char *certdir_list_vfs(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, set_up);
	return is_set_up ? name : NULL;
}
