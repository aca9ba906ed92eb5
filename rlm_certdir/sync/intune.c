/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Intune's managedDevices: always all of them, since Graph has no delta for them. */
#include "sync/part.h"
#include "sync/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *url_of(const struct certdir_sync_job *job)
{
	return certdir_sync_url(job,
				"/deviceManagement/managedDevices?$select=" CERTDIR_RECORD_INTUNE_SELECT "&$top=1000");
}

static char *of(const struct certdir_sync_job *job)
{
	char *url = url_of(job), *text = url ? certdir_print("intune\n%s\n%s", job->tenant->tenant_id, url) : NULL;

	free(url);
	return text;
}

/*
 * `intune = no`: records of former times would stay as they were for ever, so they go. It is an empty listing, and the shrink
 * guard asks once whether that is meant.
 */
static bool plan(struct certdir_sync_job *job, const struct certdir_tenant_state *state, bool *fetch)
{
	*fetch = job->tenant->intune;
	job->records = state->intune_records;
	if (!job->tenant->intune && state->intune_records == 0)
		certdir_sync_part_end(job, CERTDIR_SYNC_SKIPPED, "intune = no");
	else if (job->tenant->intune && !job->all && state->intune_synced != 0 && job->now >= state->intune_synced &&
		 job->now - state->intune_synced < job->tenant->intune_interval)
		certdir_sync_part_end(job, CERTDIR_SYNC_SKIPPED, "not due yet (intune_interval)");
	else
		return true;
	return false;
}

/* ---- from Graph ---- */

/* A tenant that had Intune yesterday does not lose it overnight: then the answer is not believed. */
static void end_without_intune(struct certdir_sync_job *job)
{
	if (job->records == 0)
		certdir_sync_part_end(job, CERTDIR_SYNC_SKIPPED,
				      "the tenant has no Intune: devices are listed without its data; `intune = no` in "
				      "[tenant %s] stops asking",
				      job->tenant->name);
	else
		certdir_sync_part_end(
			job, CERTDIR_SYNC_FAILED,
			"Graph says that the tenant has no Intune, but %zu of its records are known: they are "
			"kept; when the licence is really gone, set `intune = no` in [tenant %s]",
			job->records, job->tenant->name);
}

static void fetch(struct certdir_sync_job *job)
{
	const struct certdir_listing listing = {.permission = "DeviceManagementManagedDevices.Read.All"};
	enum certdir_graph_outcome outcome;
	struct certdir_listed listed;
	struct certdir_error error;

	outcome = certdir_sync_part_fetch(job, listing, url_of(job), &listed, &error);
	certdir_listed_clear(&listed);
	if (outcome == CERTDIR_GRAPH_OK)
		certdir_sync_part_fetched(job);
	else if (outcome == CERTDIR_GRAPH_NOT_APPLICABLE)
		end_without_intune(job);
	else
		certdir_sync_part_broken(job, outcome, &error);
}

/* ---- into the list ---- */

static bool put(void *context, const struct certdir_page_object *object, struct certdir_error *error)
{
	struct certdir_tenant *list = context;
	struct certdir_device record;

	return certdir_record_intune(object, &record, error) && certdir_tenant_intune_put(list, &record, error);
}

static void apply(struct certdir_sync_job *job, struct certdir_tenant *list)
{
	const struct certdir_listing listing = {
		.properties = certdir_record_intune_properties, .each = put, .context = list};
	enum certdir_graph_outcome outcome = CERTDIR_GRAPH_OK;
	struct certdir_tenant_counts counts = {0};
	enum certdir_tenant_ended ended;
	struct certdir_listed listed;
	struct certdir_error error;

	if (!certdir_tenant_intune_begin(list, &error)) {
		certdir_sync_part_end(job, CERTDIR_SYNC_FAILED, "%s", error.text);
		return;
	}
	if (job->spool) {
		outcome = certdir_sync_part_replay(job, listing, &listed, &error);
		certdir_listed_clear(&listed);
	}
	if (outcome != CERTDIR_GRAPH_OK) {
		certdir_tenant_part_abandon(list);
		certdir_sync_part_broken(job, outcome, &error);
		return;
	}
	ended = certdir_tenant_intune_end(list, &counts, &error);
	ended = certdir_sync_part_guard(job, ended, &counts, "Intune records", &error);
	certdir_sync_part_ended(job, ended, &counts, &error);
}

const struct certdir_sync_kind certdir_sync_intune = {plan, of, NULL, fetch, apply};
