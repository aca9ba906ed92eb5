/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SQLite on bytes that are not a file: the main database of a connection is what these functions say, journals and temporary files are the
 * system's own as ever. https://www.sqlite.org/c3ref/io_methods.html
 */
#ifndef CERTDIR_LIST_VFS_H
#define CERTDIR_LIST_VFS_H

#include <sqlite3.h>

#include "base/certdir.h"

struct certdir_list_pages {
	uint64_t (*size)(void *context);
	/* `amount` bytes that are all there, from `from` on. False: they cannot be read. */
	bool (*read)(void *context, unsigned char *bytes, size_t amount, uint64_t from);
	/* Where these bytes stand in memory, for as long as the connection is open; NULL: they are to be read. */
	const unsigned char *(*fetch)(void *context, size_t amount, uint64_t from);
	/* Both NULL: nobody writes. False: it cannot be written. */
	bool (*write)(void *context, const unsigned char *bytes, size_t amount, uint64_t from);
	bool (*cut)(void *context, uint64_t size);
};

/* What the main database of the next connection, or of the next ATTACH, of this thread is. `pages` is static, `context` outlives it. */
void certdir_list_vfs_next(const struct certdir_list_pages *pages, void *context);

/* The name of this VFS, which is registered on the first call, for sqlite3_open_v2(). NULL when memory is out. */
const char *certdir_list_vfs(void);

#endif
