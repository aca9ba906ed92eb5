/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entra ID's devices: all of them the first time, what changed after that (delta query). */
#include "sync/link.h"
#include "sync/part.h"
#include "sync/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char permission[] = "Device.Read.All";

/*
 * What the spool is of: all devices, or what changed since a link. A full listing that took the place of a link which Graph
 * had forgotten says so, because the next run finds that link in the list again.
 */
static const char full_line[] = "devices full\n", delta_line[] = "devices delta\n";

static bool is_full(const char *of)
{
	return strncmp(of, full_line, sizeof(full_line) - 1) == 0;
}

static char *url_of_all(const struct certdir_sync_job *job)
{
	return certdir_sync_url(job, "/devices/delta?$select=%s",
				job->tenant->extension_attributes ? CERTDIR_RECORD_EXTENDED_SELECT
								  : CERTDIR_RECORD_ENTRA_SELECT);
}

static char *of_all(const struct certdir_sync_job *job, const char *forgotten)
{
	char *url = url_of_all(job), *of = NULL;

	if (url)
		of = certdir_print("%s%s\n%s\n%s", full_line, job->tenant->tenant_id, url, forgotten ? forgotten : "");
	free(url);
	return of;
}

static bool wants_all(const struct certdir_sync_job *job)
{
	return job->all || !job->delta_link;
}

static char *of(const struct certdir_sync_job *job)
{
	return wants_all(job) ? of_all(job, NULL)
			      : certdir_print("%s%s\n%s", delta_line, job->tenant->tenant_id, job->delta_link);
}

/* Graph may have forgotten the delta link meanwhile: a run that began to list everything in its place is gone on with. */
static char *instead(const struct certdir_sync_job *job)
{
	return of_all(job, job->delta_link);
}

static bool plan(struct certdir_sync_job *job, const struct certdir_tenant_state *state, bool *fetch)
{
	struct certdir_error why;

	*fetch = true;
	/* Where cloud or graph has changed, the stored link leads to the former host: it is of no use, and nothing else is lost. */
	job->moved = state->delta_link && !certdir_link_check(state->delta_link, job->tenant->graph, &why);
	if (!state->delta_link || job->moved)
		return true;
	job->delta_link = strdup(state->delta_link);
	if (!job->delta_link)
		certdir_sync_part_end(job, CERTDIR_SYNC_FAILED, "out of memory");
	return job->delta_link != NULL;
}

/* ---- from Graph ---- */

/*
 * Fetches what the spool is of. After a 410 it is our own first request again, which is what its Location stands for, with
 * the properties that we need.
 */
static enum certdir_graph_outcome fetch_all_of_it(struct certdir_sync_job *job, struct certdir_error *error)
{
	const struct certdir_listing listing = {.permission = permission, .delta = true};
	enum certdir_graph_outcome outcome;
	struct certdir_listed listed;

	job->report.full = is_full(certdir_spool_of(job->spool));
	outcome = certdir_sync_part_fetch(job, listing, job->report.full ? url_of_all(job) : strdup(job->delta_link),
					  &listed, error);
	certdir_listed_clear(&listed);
	return outcome;
}

static void fetch(struct certdir_sync_job *job)
{
	enum certdir_graph_outcome outcome;
	struct certdir_error error;

	outcome = fetch_all_of_it(job, &error);
	/* Graph has forgotten the delta link. */
	if (outcome == CERTDIR_GRAPH_RESYNC && certdir_sync_part_begin(job, instead(job), &error))
		outcome = fetch_all_of_it(job, &error);
	if (outcome == CERTDIR_GRAPH_OK)
		certdir_sync_part_fetched(job);
	else
		certdir_sync_part_broken(job, outcome, &error);
}

/* ---- into the list ---- */

struct target {
	const struct certdir_sync_job *job;
	struct certdir_tenant *list;
};

static bool put(void *context, const struct certdir_page_object *object, struct certdir_error *error)
{
	const struct target *target = context;
	char room[CERTDIR_RECORD_ROOM];
	struct certdir_device device;
	uint32_t present;

	if (!certdir_record_entra(object, target->job->tenant->extension_attributes, room, &device, &present, error))
		return false;
	if (object->removed)
		return certdir_tenant_devices_remove(target->list, device.object_id, error);
	return certdir_tenant_devices_put(target->list, &device, present, error);
}

static void apply(struct certdir_sync_job *job, struct certdir_tenant *list)
{
	struct target target = {job, list};
	const struct certdir_listing listing = {.delta = true,
						.properties = job->tenant->extension_attributes
								      ? certdir_record_extended_properties
								      : certdir_record_entra_properties,
						.each = put,
						.context = &target};
	struct certdir_tenant_counts counts = {0};
	enum certdir_graph_outcome outcome;
	enum certdir_tenant_ended ended;
	struct certdir_listed listed;
	struct certdir_error error;

	if (!certdir_sync_part_follows(job, list, &error) ||
	    !certdir_tenant_devices_begin(list, job->report.full, &error)) {
		certdir_sync_part_end(job, CERTDIR_SYNC_FAILED, "%s", error.text);
		return;
	}
	outcome = certdir_sync_part_replay(job, listing, &listed, &error);
	if (outcome == CERTDIR_GRAPH_OK) {
		ended = certdir_tenant_devices_end(list, listed.delta_link, &counts, &error);
		ended = certdir_sync_part_guard(job, ended, &counts, "devices", &error);
		certdir_sync_part_ended(job, ended, &counts, &error);
		if (ended == CERTDIR_ENDED && job->moved)
			certdir_sync_part_end(
				job, CERTDIR_SYNC_DONE,
				"all were listed anew, because graph is another host than at the last sync");
	} else {
		certdir_tenant_part_abandon(list);
		certdir_sync_part_broken(job, outcome, &error);
	}
	certdir_listed_clear(&listed);
}

const struct certdir_sync_kind certdir_sync_devices = {plan, of, instead, fetch, apply};
