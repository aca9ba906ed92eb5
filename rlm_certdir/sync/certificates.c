/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intune's report of the certificates that it has issued: always all of them. The spool has the zip as it came, in pieces; it is read
 * once when it has come, since a report that is damaged is asked for again, and once into the list.
 */
#include "sync/part.h"

#include "import/issued.h"
#include "import/zip.h"
#include "sync/export.h"

#include <stdlib.h>
#include <string.h>

enum {
	PIECE = 8 << 20, /* bytes of the zip in a page of the spool; all but the last have as many */
	TRIES = 3 /* reports that are asked for when one fails, expires or comes damaged */
};

static char *of(const struct certdir_sync_job *job)
{
	return certdir_print("certificates\n%s\n%s%s", job->tenant->tenant_id, certdir_graph_base(job->graph),
			     certdir_export_request);
}

/* `certificates = no`: rows of former times go, as with `intune = no`. */
static bool plan(struct certdir_sync_job *job, const struct certdir_tenant_state *state, bool *fetch)
{
	const struct certdir_tenant_config *tenant = job->tenant;

	*fetch = tenant->certificates;
	job->records = state->certificates;
	if (!tenant->certificates && state->certificates == 0)
		certdir_sync_part_end(job, CERTDIR_SYNC_SKIPPED, "certificates = no");
	else if (tenant->certificates && !job->all && state->certificates_synced != 0 &&
		 job->now >= state->certificates_synced &&
		 job->now - state->certificates_synced < tenant->certificates_interval)
		certdir_sync_part_end(job, CERTDIR_SYNC_SKIPPED, "not due yet (certificates_interval)");
	else
		return true;
	return false;
}

/* ---- out of the spool ---- */

static bool read_spool(void *context, uint64_t at, char *bytes, size_t size, size_t *got, struct certdir_error *error)
{
	struct certdir_spool *spool = context;

	return certdir_spool_read(spool, certdir_spool_page(spool, (size_t)(at / PIECE)), (size_t)(at % PIECE), bytes,
				  size, got, error);
}

/* Reads all rows; take NULL: only to see whether it can be read. False with `error`. */
static bool read_report(struct certdir_sync_job *job, certdir_issued_take take, void *context,
			struct certdir_issued_counts *counts, struct certdir_error *error)
{
	const size_t pages = certdir_spool_pages(job->spool);
	struct certdir_zip_source source = {.read = read_spool, .context = job->spool};
	struct certdir_issued_reader *reader = certdir_issued_open(take, context, error);
	bool ok;

	for (size_t i = 0; i < pages; i++)
		source.size += certdir_spool_page(job->spool, i)->length;
	ok = reader && certdir_zip_read(&source, certdir_issued_bytes, reader, error) &&
	     certdir_issued_end(reader, counts, error);
	certdir_issued_close(reader);
	return ok;
}

/* ---- into the spool ---- */

struct download {
	struct certdir_sync_job *job;
	size_t length; /* bytes of the piece that arrives */
	bool clean; /* the spool has nothing of an earlier attempt */
	struct certdir_error why; /* why not */
};

static void begin(void *context)
{
	struct download *download = context;

	download->length = 0;
	download->clean = certdir_spool_cut(download->job->spool, 0, &download->why);
	certdir_spool_page_begin(download->job->spool);
}

static bool end_piece(struct download *download, struct certdir_error *error)
{
	download->length = 0;
	return certdir_spool_page_end(download->job->spool, 0, 0, -1, NULL, error);
}

static bool bytes(void *context, const char *text, size_t length, bool *retry, struct certdir_error *error)
{
	struct download *download = context;
	struct certdir_spool *spool = download->job->spool;

	*retry = false;
	*error = download->why;
	while (download->clean && length > 0) {
		const size_t room = PIECE - download->length, some = length < room ? length : room;

		if (!certdir_spool_page_bytes(spool, text, some, error))
			return false;
		text += some;
		length -= some;
		download->length += some;
		if (download->length < PIECE)
			continue;
		if (!end_piece(download, error))
			return false;
		certdir_spool_page_begin(spool);
	}
	return download->clean;
}

static bool end(void *context, bool *retry, struct certdir_error *error)
{
	struct download *download = context;

	*retry = false;
	return download->length == 0 || end_piece(download, error);
}

/* One report, from the job to the last row. BUSY and NOT_FOUND with `error`: another one is worth while. */
static enum certdir_graph_outcome fetch_report(struct certdir_sync_job *job, struct certdir_error *error)
{
	struct download download = {.job = job};
	const struct certdir_http_sink sink = {&download, begin, bytes, end};
	struct certdir_issued_counts counts;
	enum certdir_graph_outcome outcome;
	char *url;

	outcome = certdir_export_make(job->graph, &job->limits, &url, error);
	if (outcome == CERTDIR_GRAPH_OK)
		outcome = certdir_graph_download(job->graph, url, &sink, error);
	free(url);
	if (outcome != CERTDIR_GRAPH_OK)
		return outcome;
	job->report.pages = certdir_spool_pages(job->spool);
	if (!read_report(job, NULL, NULL, &counts, error))
		return CERTDIR_GRAPH_BUSY;
	job->report.objects = counts.rows;
	return CERTDIR_GRAPH_OK;
}

/* A tenant that had certificates yesterday does not lose Intune overnight: then the answer is not believed. */
static void end_without_intune(struct certdir_sync_job *job)
{
	const bool had = job->records > 0;

	certdir_sync_part_end(job, had ? CERTDIR_SYNC_FAILED : CERTDIR_SYNC_SKIPPED,
			      "Graph says that the tenant has no Intune, which issues no certificates then: set "
			      "`certificates = no` in [tenant %s] when that is so%s",
			      job->tenant->name, had ? "; those that are known are kept" : "");
}

static void fetch(struct certdir_sync_job *job)
{
	enum certdir_graph_outcome outcome = CERTDIR_GRAPH_OK;
	struct certdir_error error;

	/* What an earlier run has whole was read then; a part of a zip is nothing to go on with. */
	if (!certdir_spool_finished(job->spool)) {
		job->report.resumed = 0;
		if (!certdir_sync_part_begin(job, of(job), &error))
			outcome = CERTDIR_GRAPH_FAILED;
		for (int tries = 0; outcome == CERTDIR_GRAPH_OK; tries++) {
			outcome = fetch_report(job, &error);
			if (outcome == CERTDIR_GRAPH_OK)
				break;
			if ((outcome == CERTDIR_GRAPH_BUSY || outcome == CERTDIR_GRAPH_NOT_FOUND) && tries + 1 < TRIES)
				outcome = CERTDIR_GRAPH_OK;
		}
	}
	if (outcome == CERTDIR_GRAPH_OK) {
		certdir_sync_part_fetched(job);
		return;
	}
	certdir_sync_part_forget(job);
	if (outcome == CERTDIR_GRAPH_NOT_APPLICABLE)
		end_without_intune(job);
	else
		certdir_sync_part_broken(job, outcome, &error);
}

/* ---- into the list ---- */

static bool put(void *context, const struct certdir_issued *row, bool *taken, struct certdir_error *error)
{
	return certdir_tenant_certificates_put(context, row, taken, error);
}

static void apply(struct certdir_sync_job *job, struct certdir_tenant *list)
{
	struct certdir_issued_counts read = {0};
	struct certdir_tenant_counts counts = {0};
	enum certdir_tenant_ended ended;
	char remarks[CERTDIR_TEXT_MAX];
	struct certdir_error error;

	if (!certdir_tenant_certificates_begin(list, &error)) {
		certdir_sync_part_end(job, CERTDIR_SYNC_FAILED, "%s", error.text);
		return;
	}
	if (job->spool && !read_report(job, put, list, &read, &error)) {
		certdir_tenant_part_abandon(list);
		certdir_sync_part_broken(job, CERTDIR_GRAPH_FAILED, &error);
		return;
	}
	ended = certdir_tenant_certificates_end(list, job->spool ? certdir_spool_began(job->spool) : job->now, &counts,
						&error);
	ended = certdir_sync_part_guard(job, ended, &counts, "issued certificates", &error);
	certdir_sync_part_ended(job, ended, &counts, &error);
	if (ended == CERTDIR_ENDED && *certdir_issued_remarks(&read, remarks))
		certdir_sync_part_end(job, CERTDIR_SYNC_DONE, "%s", remarks);
}

const struct certdir_sync_kind certdir_sync_certificates = {plan, of, NULL, fetch, apply};
