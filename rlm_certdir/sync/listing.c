/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/listing.h"

#include <stdlib.h>
#include <string.h>

/* Delta pages of a large tenant hold a few hundred devices: 10,000 pages would be a tenant of millions. */
enum { PAGES_MAX = 100000 };

struct run {
	const struct certdir_listing *listing;
	struct certdir_listed *listed;
	struct certdir_page *page;
	size_t objects; /* of the page that is being read */
	char *url; /* of the page that is asked for */
	char *landmark; /* a link that was followed before */
	size_t steps; /* since the landmark */
	size_t leap; /* steps until the next landmark */
};

static bool each(void *context, const struct certdir_page_object *object, struct certdir_error *error)
{
	struct run *run = context;

	run->objects++;
	return run->listing->each(run->listing->context, object, error);
}

static void begin(void *context)
{
	struct run *run = context;

	run->objects = 0;
	certdir_page_begin(run->page);
}

static bool bytes(void *context, const char *text, size_t length, bool *retry, struct certdir_error *error)
{
	struct run *run = context;

	return certdir_page_bytes(run->page, text, length, retry, error);
}

static bool end(void *context, bool *retry, struct certdir_error *error)
{
	struct run *run = context;

	return certdir_page_end(run->page, retry, error);
}

/*
 * Whether this link was followed before. A landmark is compared with every link after it and moves on in growing leaps (Brent's
 * way to find a cycle), so a circle of any length is found without keeping all the links.
 */
static bool goes_in_circles(struct run *run, const char *link, struct certdir_error *error)
{
	char *landmark;

	if (strcmp(link, run->url) == 0 || (run->landmark && strcmp(link, run->landmark) == 0)) {
		certdir_error_set(error,
				  "Graph's pages lead in a circle: @odata.nextLink of page %zu was followed before",
				  run->listed->pages);
		return true;
	}
	if (++run->steps < run->leap)
		return false;
	landmark = strdup(link);
	if (landmark) {
		free(run->landmark);
		run->landmark = landmark;
		run->leap *= 2;
		run->steps = 0;
	}
	return false;
}

static bool set_url(struct run *run, const char *url, struct certdir_error *error)
{
	char *copy = strdup(url);

	if (!copy) {
		certdir_error_set(error, "out of memory");
		return false;
	}
	free(run->url);
	run->url = copy;
	return true;
}

/* After a whole page: the next one to ask for, or the end. False with `error` when it is neither. */
static bool go_on(struct certdir_graph *graph, struct run *run, bool *done, struct certdir_error *error)
{
	const char *next = certdir_page_next_link(run->page), *delta = certdir_page_delta_link(run->page);
	struct certdir_listed *listed = run->listed;

	if (listed->pages++ == 0)
		listed->count = certdir_page_count(run->page);
	listed->objects += run->objects;
	if (run->listing->paged)
		run->listing->paged(run->listing->context, listed->pages, listed->objects);
	*done = !next;
	if (next && listed->pages >= PAGES_MAX) {
		certdir_error_set(error, "Graph's listing has no end: it was given up after %zu pages", listed->pages);
		return false;
	}
	if (next)
		return !goes_in_circles(run, next, error) && set_url(run, next, error);
	if (!run->listing->delta)
		return true;
	if (!delta) {
		certdir_error_set(
			error, "Graph's listing came short: page %zu has neither @odata.nextLink nor @odata.deltaLink",
			listed->pages);
		return false;
	}
	/* A link that could not be followed the next time would be in the way until somebody says --full. */
	if (!certdir_graph_link_check(graph, delta, error))
		return false;
	listed->delta_link = strdup(delta);
	if (!listed->delta_link)
		certdir_error_set(error, "out of memory");
	return listed->delta_link != NULL;
}

enum certdir_graph_outcome certdir_listing_run(struct certdir_graph *graph, const struct certdir_listing *listing,
					       const char *url, struct certdir_listed *listed,
					       struct certdir_error *error)
{
	struct run run = {.listing = listing, .listed = listed, .leap = 1};
	const struct certdir_graph_sink sink = {&run, begin, bytes, end};
	enum certdir_graph_outcome outcome = CERTDIR_GRAPH_FAILED;
	bool done = false;

	*listed = (struct certdir_listed){.count = -1};
	run.page = certdir_page_open(listing->properties, each, &run);
	if (!run.page) {
		certdir_error_set(error, "out of memory");
		goto out;
	}
	if (!set_url(&run, url, error))
		goto out;
	while (!done) {
		outcome = certdir_graph_get(graph, run.url, listing->permission, listing->eventual, &sink, error);
		if (outcome != CERTDIR_GRAPH_OK)
			goto out;
		if (!go_on(graph, &run, &done, error)) {
			outcome = CERTDIR_GRAPH_FAILED;
			goto out;
		}
	}
out:
	certdir_page_close(run.page);
	free(run.url);
	free(run.landmark);
	return outcome;
}

void certdir_listed_clear(struct certdir_listed *listed)
{
	free(listed->delta_link);
	*listed = (struct certdir_listed){.count = -1};
}
