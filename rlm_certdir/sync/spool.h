/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages of one part of a tenant as Graph sent them, in a file beside the list: what has come stays when the rest does not,
 * and the list is only locked when all of it is there.
 *
 * A page is in it whole, with a digest, or not at all: what a killed program or a full disk left behind the last whole page is
 * cut off when the file is opened again. One process at a time has it, by flock(2).
 */
#ifndef CERTDIR_SYNC_SPOOL_H
#define CERTDIR_SYNC_SPOOL_H

#include "base/certdir.h"

struct certdir_spool;

enum certdir_spool_opened { CERTDIR_SPOOL_OPENED, CERTDIR_SPOOL_BUSY, CERTDIR_SPOOL_FAILED };

/*
 * Opens `filename`, which is made when it is not there; NULL is a file without a name in $TMPDIR that goes with the process.
 * BUSY: *holder is the process that has it, 0 when it does not say. FAILED with `error`.
 */
enum certdir_spool_opened certdir_spool_open(struct certdir_spool **spool, const char *filename, long *holder,
					     struct certdir_error *error);
/* The file stays for the next run, unless there is nothing in it. */
void certdir_spool_close(struct certdir_spool *spool);
/* The same, and the file goes. */
void certdir_spool_remove(struct certdir_spool *spool);

/* Between the list's name and what a spool beside it is of. */
#define CERTDIR_SPOOL_SUFFIX ".spool."

/* Removes the spools of `list` that nobody has, or has written into since `before` (Unix seconds). Best effort. */
void certdir_spool_sweep(const char *list, int64_t before);

/* Forgets everything and begins anew: `of` says in the caller's words what will be listed; began is in Unix seconds. */
bool certdir_spool_begin(struct certdir_spool *spool, const char *of, int64_t began, struct certdir_error *error);
const char *certdir_spool_of(const struct certdir_spool *spool); /* NULL: nothing was begun */
int64_t certdir_spool_began(const struct certdir_spool *spool);

/* Says that nothing is missing. False with `error`. */
bool certdir_spool_finish(struct certdir_spool *spool, struct certdir_error *error);
/* Whether that was said. */
bool certdir_spool_finished(const struct certdir_spool *spool);

/* ---- pages ---- */

struct certdir_spool_page {
	unsigned listing; /* which of the part's listings it belongs to */
	size_t objects;
	int64_t count; /* its @odata.count, -1 = none */
	uint64_t at; /* of the body, in the file */
	size_t length; /* of the body */
	size_t link; /* bytes of its @odata.nextLink, 0 = it is the last of its listing */
};

/* How many whole pages there are. */
size_t certdir_spool_pages(const struct certdir_spool *spool);
/* It lives until the next page is added. */
const struct certdir_spool_page *certdir_spool_page(const struct certdir_spool *spool, size_t index);
/* Reads bytes of its body, `from` on, as many as `size` has room for and there are: *got. False with `error`. */
bool certdir_spool_read(const struct certdir_spool *spool, const struct certdir_spool_page *page, size_t from,
			char *bytes, size_t size, size_t *got, struct certdir_error *error);
/* Its link; the caller frees it. NULL with `error`. */
char *certdir_spool_link(const struct certdir_spool *spool, const struct certdir_spool_page *page,
			 struct certdir_error *error);

/* A page that arrives: begin (again, when it is asked for again), bytes, end. Until its end it is not in the spool. */
void certdir_spool_page_begin(struct certdir_spool *spool);
bool certdir_spool_page_bytes(struct certdir_spool *spool, const char *bytes, size_t length,
			      struct certdir_error *error);
bool certdir_spool_page_end(struct certdir_spool *spool, unsigned listing, size_t objects, int64_t count,
			    const char *link, struct certdir_error *error);
/* Forgets page `index` and all behind it. */
bool certdir_spool_cut(struct certdir_spool *spool, size_t index, struct certdir_error *error);

#endif
