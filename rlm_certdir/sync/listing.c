/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/listing.h"

#include <stdlib.h>
#include <string.h>

enum {
	/* Delta pages of a large tenant hold a few hundred devices: 10,000 pages would be a tenant of millions. */
	PAGES_MAX = 100000,
	PIECE = 64 << 10
};

struct run {
	struct certdir_graph *graph;
	const struct certdir_listing *listing;
	struct certdir_spool *spool;
	struct certdir_listed *listed;
	struct certdir_page *page;
	size_t objects; /* of the page that is being read */
	char *url; /* of the page that is asked for */
};

static bool each(void *context, const struct certdir_page_object *object, struct certdir_error *error)
{
	struct run *run = context;

	run->objects++;
	return !run->listing->each || run->listing->each(run->listing->context, object, error);
}

static bool set_url(struct run *run, char *url)
{
	free(run->url);
	run->url = url;
	return url != NULL;
}

static bool is_stopped(const struct run *run)
{
	return run->listing->stop && *run->listing->stop;
}

/* What a page says beside its objects. Its last one may have a delta link. */
static bool take_page(struct run *run, size_t objects, int64_t count, const char *delta, struct certdir_error *error)
{
	struct certdir_listed *listed = run->listed;

	if (listed->pages++ == 0)
		listed->count = count;
	listed->objects += objects;
	if (delta && !(listed->delta_link = strdup(delta))) {
		certdir_error_set(error, "out of memory");
		return false;
	}
	return true;
}

/* ---- pages that are there ---- */

static bool read_page(struct run *run, const struct certdir_spool_page *page, struct certdir_error *error)
{
	char piece[PIECE];
	bool retry;
	size_t got;

	run->objects = 0;
	certdir_page_begin(run->page);
	for (size_t done = 0; done < page->length; done += got)
		if (!certdir_spool_read(run->spool, page, done, piece, sizeof(piece), &got, error) ||
		    !certdir_page_bytes(run->page, piece, got, &retry, error))
			return false;
	return certdir_page_end(run->page, &retry, error);
}

/* Takes the listing's pages out of the spool. *done: the last of them is the listing's last. False with `error`. */
static bool take_spooled(struct run *run, size_t *at, bool *done, struct certdir_error *error)
{
	for (*done = false; !*done && *at < certdir_spool_pages(run->spool) && !is_stopped(run); ++*at) {
		const struct certdir_spool_page *page = certdir_spool_page(run->spool, *at);
		const char *delta = NULL;

		if (page->listing != run->listing->number)
			break;
		*done = page->link == 0;
		/* Objects that nobody takes were read when they came. */
		if (run->listing->each || (*done && run->listing->delta)) {
			if (!read_page(run, page, error))
				return false;
			delta = certdir_page_delta_link(run->page);
		}
		if (!take_page(run, page->objects, page->count, delta, error) ||
		    (!*done && run->graph && !set_url(run, certdir_spool_link(run->spool, page, error))))
			return false;
	}
	return true;
}

/* ---- pages that come ---- */

static void begin(void *context)
{
	struct run *run = context;

	run->objects = 0;
	certdir_page_begin(run->page);
	certdir_spool_page_begin(run->spool);
}

static bool bytes(void *context, const char *text, size_t length, bool *retry, struct certdir_error *error)
{
	struct run *run = context;

	if (!certdir_page_bytes(run->page, text, length, retry, error)) {
		run->listed->doubtful = !*retry;
		return false;
	}
	*retry = false;
	return certdir_spool_page_bytes(run->spool, text, length, error);
}

static bool end(void *context, bool *retry, struct certdir_error *error)
{
	struct run *run = context;

	if (certdir_page_end(run->page, retry, error))
		return true;
	run->listed->doubtful = !*retry;
	return false;
}

/* A page that leads to itself is told at once; longer circles are listings that have no end. */
static bool leads_to_itself(const struct run *run, const char *link, struct certdir_error *error)
{
	if (strcmp(link, run->url) != 0)
		return false;
	certdir_error_set(error, "Graph's pages lead in a circle: @odata.nextLink of page %zu was followed before",
			  run->listed->pages + 1);
	return true;
}

/* Whether the links of the page that has come can be followed. False with `error`. */
static bool check_links(struct run *run, const char *next, const char *delta, struct certdir_error *error)
{
	const size_t pages = run->listed->pages + 1;

	if (next && pages >= PAGES_MAX)
		certdir_error_set(error, "Graph's listing has no end: it was given up after %zu pages", pages);
	else if (next)
		return certdir_graph_link_check(run->graph, next, error) && !leads_to_itself(run, next, error);
	else if (run->listing->delta && !delta)
		certdir_error_set(
			error,
			"Graph's listing is incomplete: page %zu has neither @odata.nextLink nor @odata.deltaLink",
			pages);
	else
		/* A link that could not be followed the next time would be in the way until somebody says --full. */
		return !delta || certdir_graph_link_check(run->graph, delta, error);
	return false;
}

/* After a whole page: into the spool with it, and on to the next one or the end. False with `error`. */
static bool keep_page(struct run *run, size_t *at, bool *done, struct certdir_error *error)
{
	const char *next = certdir_page_next_link(run->page), *delta = certdir_page_delta_link(run->page);
	const int64_t count = certdir_page_count(run->page);
	struct certdir_listed *listed = run->listed;

	*done = !next;
	if (!check_links(run, next, delta, error)) {
		listed->doubtful = true;
		return false;
	}
	if (!certdir_spool_page_end(run->spool, run->listing->number, run->objects, count, next, error) ||
	    !take_page(run, run->objects, count, run->listing->delta ? delta : NULL, error))
		return false;
	++*at;
	if (run->listing->paged)
		run->listing->paged(run->listing->watcher, listed->pages, listed->objects);
	if (*done || set_url(run, strdup(next)))
		return true;
	certdir_error_set(error, "out of memory");
	return false;
}

static enum certdir_graph_outcome fetch(struct run *run, size_t *at, struct certdir_error *error)
{
	const struct certdir_http_sink sink = {run, begin, bytes, end};
	enum certdir_graph_outcome outcome;
	bool done = false;

	while (!done) {
		outcome = certdir_graph_get(run->graph, run->url, run->listing->permission, run->listing->eventual,
					    &sink, error);
		if (outcome != CERTDIR_GRAPH_OK)
			return outcome;
		if (!keep_page(run, at, &done, error))
			return CERTDIR_GRAPH_FAILED;
	}
	return CERTDIR_GRAPH_OK;
}

/* ---- the listing ---- */

static enum certdir_graph_outcome list(struct run *run, size_t *at, struct certdir_error *error)
{
	bool done;

	if (!take_spooled(run, at, &done, error))
		return CERTDIR_GRAPH_FAILED;
	if (done)
		return CERTDIR_GRAPH_OK;
	if (is_stopped(run))
		return CERTDIR_GRAPH_STOPPED;
	if (run->graph)
		return fetch(run, at, error);
	certdir_error_set(error, "pages of the listing are missing");
	return CERTDIR_GRAPH_FAILED;
}

enum certdir_graph_outcome certdir_listing_run(struct certdir_graph *graph, const struct certdir_listing *listing,
					       const char *url, struct certdir_spool *spool, size_t *at,
					       struct certdir_listed *listed, struct certdir_error *error)
{
	static const char *const nothing[] = {NULL};
	struct run run = {.graph = graph, .listing = listing, .spool = spool, .listed = listed};
	enum certdir_graph_outcome outcome = CERTDIR_GRAPH_FAILED;

	*listed = (struct certdir_listed){.count = -1};
	run.page = certdir_page_open(listing->each ? listing->properties : nothing, each, &run);
	if (run.page && (!graph || (url && set_url(&run, strdup(url)))))
		outcome = list(&run, at, error);
	else
		certdir_error_set(error, "out of memory");
	certdir_page_close(run.page);
	free(run.url);
	return outcome;
}

void certdir_listed_clear(struct certdir_listed *listed)
{
	free(listed->delta_link);
	*listed = (struct certdir_listed){.count = -1};
}
