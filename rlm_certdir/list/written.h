/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which chunks of the new edition SQLite writes, so that sealing it need not hash the others again: with one changed device of 1,000,000
 * (520 MB) that would take 0.94 s of CPU instead of 0.57 s, on a processor with SHA instructions.
 */
#ifndef CERTDIR_LIST_WRITTEN_H
#define CERTDIR_LIST_WRITTEN_H

#include "list/database.h"
#include "list/seal.h"

/* Stays where it is as long as the connection that it watches is open. */
struct certdir_list_written {
	sqlite3_io_methods methods; /* SQLite's own, but for xWrite and xTruncate */
	const sqlite3_io_methods *below;
	struct certdir_list_seal *seal;
};

/*
 * From now on every write into the main file of `db`, which has just been opened, and every cut of it is noted in `seal`.
 * False: SQLite does not say what it writes through.
 */
bool certdir_list_written_watch(struct certdir_list_written *written, sqlite3 *db, struct certdir_list_seal *seal);

#endif
