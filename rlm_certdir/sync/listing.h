/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A Graph collection, followed from page to page to its end: a listing that is not complete is none. */
#ifndef CERTDIR_SYNC_LISTING_H
#define CERTDIR_SYNC_LISTING_H

#include "sync/graph.h"
#include "sync/page.h"

struct certdir_listing {
	const char *permission; /* that the application needs for it */
	bool eventual; /* sends ConsistencyLevel: eventual, on every page */
	bool delta; /* ends with a deltaLink, or it is not complete */
	const char *const *properties; /* NULL-terminated, what objects are read for */
	bool (*each)(void *context, const struct certdir_page_object *object, struct certdir_error *error);
	void (*paged)(void *context, size_t pages, size_t objects); /* called after each page, or NULL */
	void *context; /* of both; a page that is asked for again brings its objects again */
};

struct certdir_listed {
	size_t pages;
	size_t objects; /* of complete pages */
	int64_t count; /* @odata.count of the first page, -1 = none */
	char *delta_link; /* or NULL */
};

/*
 * Lists from `url`. CERTDIR_GRAPH_OK only when the last page came and was whole. Links that lead in a circle, and a listing that never
 * ends, are errors. The caller calls certdir_listed_clear() whatever the outcome.
 */
enum certdir_graph_outcome certdir_listing_run(struct certdir_graph *graph, const struct certdir_listing *listing,
					       const char *url, struct certdir_listed *listed,
					       struct certdir_error *error);
void certdir_listed_clear(struct certdir_listed *listed);

#endif
