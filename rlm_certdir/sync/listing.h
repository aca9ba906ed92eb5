/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A Graph collection, followed from page to page to its end. Only a complete listing counts: what it lacks is gone. */
#ifndef CERTDIR_SYNC_LISTING_H
#define CERTDIR_SYNC_LISTING_H

#include "sync/graph.h"
#include "sync/page.h"
#include "sync/spool.h"

struct certdir_listing {
	unsigned number; /* of its pages in the spool */
	const char *permission; /* that the application needs for it */
	bool eventual; /* sends ConsistencyLevel: eventual, on every page */
	bool delta; /* ends with a deltaLink, or it is not complete */
	const char *const *properties; /* NULL-terminated, what objects are read for */
	/* Takes an object; NULL: they are only counted. A page that is asked for again brings its objects again. */
	bool (*each)(void *context, const struct certdir_page_object *object, struct certdir_error *error);
	void *context; /* of `each` */
	void (*paged)(void *watcher, size_t pages, size_t objects); /* called after each page that came, or NULL */
	void *watcher;
	const atomic_int *stop; /* nonzero: no more pages; may be NULL */
};

struct certdir_listed {
	size_t pages;
	size_t objects;
	int64_t count; /* @odata.count of the first page, -1 = none */
	char *delta_link; /* or NULL */
	/* The failure is not of the way, but of what came: pages that are in the spool are no good start for the next try. */
	bool doubtful;
};

/*
 * Lists from `url` into `spool`, whose page *at is the first of this listing, or where its first one goes; *at moves behind the last.
 * Pages that are there are not asked for again: it goes on with the link of the last one. `url` NULL is out of memory.
 * graph NULL: asks for nothing, and the
 * spool has all pages. CERTDIR_GRAPH_OK only when the last page came and was whole. Links that lead in a circle, and a listing that
 * never ends, are errors. The caller calls certdir_listed_clear() whatever the outcome.
 */
enum certdir_graph_outcome certdir_listing_run(struct certdir_graph *graph, const struct certdir_listing *listing,
					       const char *url, struct certdir_spool *spool, size_t *at,
					       struct certdir_listed *listed, struct certdir_error *error);
void certdir_listed_clear(struct certdir_listed *listed);

#endif
