/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/part.h"

#include "base/shrink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Times that a listing may begin anew. */
enum { RESTARTS = 2 };

/* ---- the end ---- */

void certdir_sync_part_end(struct certdir_sync_job *job, enum certdir_sync_result result, const char *format, ...)
{
	va_list arguments;

	job->report.result = result;
	job->report.note[0] = '\0';
	if (!format)
		return;
	va_start(arguments, format);
	certdir_vsay(job->report.note, format, arguments);
	va_end(arguments);
}

enum certdir_tenant_ended certdir_sync_part_guard(const struct certdir_sync_job *job, enum certdir_tenant_ended ended,
						  const struct certdir_tenant_counts *counts, const char *what,
						  struct certdir_error *error)
{
	const unsigned max_shrink = job->config->max_shrink;

	if (!job->options->dry_run || job->options->force || ended != CERTDIR_ENDED ||
	    certdir_shrink_allowed(counts->before, counts->lost, max_shrink))
		return ended;
	certdir_error_set(
		error,
		"%zu of %zu %s would be lost, more than max_shrink = %u%% allows: a sync keeps them; if these "
		"changes are right, run it with --force",
		counts->lost, counts->before, what, max_shrink);
	return CERTDIR_ENDED_SHRUNK;
}

void certdir_sync_part_ended(struct certdir_sync_job *job, enum certdir_tenant_ended ended,
			     const struct certdir_tenant_counts *counts, const struct certdir_error *error)
{
	job->report.counts = *counts;
	switch (ended) {
	case CERTDIR_ENDED:
		certdir_sync_part_end(job, CERTDIR_SYNC_DONE, NULL);
		break;
	case CERTDIR_ENDED_SHRUNK:
		certdir_sync_part_end(job, CERTDIR_SYNC_SHRUNK, "%s", error->text);
		break;
	case CERTDIR_ENDED_FAILED:
		certdir_sync_part_end(job, CERTDIR_SYNC_FAILED, "%s", error->text);
		break;
	}
}

void certdir_sync_part_broken(struct certdir_sync_job *job, enum certdir_graph_outcome outcome,
			      const struct certdir_error *error)
{
	if (outcome == CERTDIR_GRAPH_STOPPED)
		certdir_sync_part_end(job, CERTDIR_SYNC_STOPPED, "stopped on request");
	else
		certdir_sync_part_end(job, CERTDIR_SYNC_FAILED, "%s", error->text);
}

void certdir_sync_part_fetched(struct certdir_sync_job *job)
{
	struct certdir_error error;

	job->fetched = certdir_spool_finish(job->spool, &error);
	if (!job->fetched)
		certdir_sync_part_end(job, CERTDIR_SYNC_FAILED, "%s", error.text);
}

void certdir_sync_counts_add(struct certdir_tenant_counts *sum, const struct certdir_tenant_counts *counts)
{
	sum->before += counts->before;
	sum->added += counts->added;
	sum->changed += counts->changed;
	sum->lost += counts->lost;
	sum->kept += counts->kept;
	sum->after += counts->after;
	sum->unlisted += counts->unlisted;
	sum->duplicates += counts->duplicates;
}

/* ---- listings ---- */

static void paged(void *watcher, size_t pages, size_t objects)
{
	struct certdir_sync_job *job = watcher;

	(void)pthread_mutex_lock(&job->mutex);
	job->pages = job->report.pages + pages;
	job->objects = job->report.objects + objects;
	job->waiting[0] = '\0';
	(void)pthread_mutex_unlock(&job->mutex);
}

bool certdir_sync_part_begin(struct certdir_sync_job *job, char *of, struct certdir_error *error)
{
	const bool ok = of && certdir_spool_begin(job->spool, of, job->now, error);

	if (!of)
		certdir_error_set(error, "out of memory");
	free(of);
	job->report.resumed = 0;
	job->at = 0;
	return ok;
}

bool certdir_sync_part_follows(const struct certdir_sync_job *job, const struct certdir_tenant *list,
			       struct certdir_error *error)
{
	struct certdir_tenant_state state;
	const char *link;

	certdir_tenant_state(list, &state);
	link = job->part == CERTDIR_SYNC_USERS ? state.users_link : state.delta_link;
	if (job->report.full || (link && strcmp(link, job->delta_link) == 0))
		return true;
	certdir_error_set(error,
			  "the list is another than the one that changes were asked for: the next run asks again");
	return false;
}

/* Throws away the pages from `first` on. A part that has none left begins now, not when an earlier run began it. */
static bool start_over(struct certdir_sync_job *job, size_t first, struct certdir_error *error)
{
	if (first == 0)
		return certdir_sync_part_begin(job, strdup(certdir_spool_of(job->spool)), error);
	job->at = first;
	return certdir_spool_cut(job->spool, first, error);
}

void certdir_sync_part_forget(struct certdir_sync_job *job)
{
	struct certdir_error why;

	(void)start_over(job, 0, &why);
}

/* Whether a listing that began with `old` pages of an earlier run, and ended so, is worth another try from its start. */
static bool is_worth_another(enum certdir_graph_outcome outcome, const struct certdir_listed *listed, size_t old)
{
	switch (outcome) {
	case CERTDIR_GRAPH_EXPIRED_PAGE:
		return true;
	case CERTDIR_GRAPH_RESYNC:
	case CERTDIR_GRAPH_NOT_FOUND:
	case CERTDIR_GRAPH_REFUSED:
		return old > 0 && listed->pages == old;
	default:
		return false;
	}
}

enum certdir_graph_outcome certdir_sync_part_fetch(struct certdir_sync_job *job, struct certdir_listing listing,
						   char *url, struct certdir_listed *listed,
						   struct certdir_error *error)
{
	const size_t first = job->at;
	enum certdir_graph_outcome outcome;
	struct certdir_error why;

	listing.watcher = job;
	listing.paged = paged;
	listing.stop = job->limits.stop;
	for (int restarts = 0;; restarts++) {
		const size_t old = certdir_spool_pages(job->spool) - first;

		outcome = certdir_listing_run(job->graph, &listing, url, job->spool, &job->at, listed, error);
		if (outcome == CERTDIR_GRAPH_OK)
			break;
		if (is_worth_another(outcome, listed, old) && restarts < RESTARTS) {
			certdir_listed_clear(listed);
			if (start_over(job, first, error))
				continue;
			outcome = CERTDIR_GRAPH_FAILED;
		} else if (listed->doubtful) {
			(void)start_over(job, first, &why);
		}
		break;
	}
	free(url);
	job->report.pages += listed->pages;
	job->report.objects += listed->objects;
	return outcome;
}

enum certdir_graph_outcome certdir_sync_part_replay(struct certdir_sync_job *job, struct certdir_listing listing,
						    struct certdir_listed *listed, struct certdir_error *error)
{
	listing.stop = job->limits.stop;
	return certdir_listing_run(NULL, &listing, NULL, job->spool, &job->at, listed, error);
}

char *certdir_sync_url(const struct certdir_sync_job *job, const char *format, ...)
{
	char *path, *url = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&path, format, arguments) >= 0) {
		url = certdir_print("%s%s", certdir_graph_base(job->graph), path);
		free(path);
	}
	va_end(arguments);
	return url;
}
