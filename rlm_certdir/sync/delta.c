/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entra ID's devices, and its users: all of them the first time, what changed after that (delta query). */
#include "sync/link.h"
#include "sync/part.h"
#include "sync/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * What the spool is of: all devices, or what changed since a link. A full listing that took the place of a link which Graph
 * had forgotten says so, because the next run finds that link in the list again.
 */
static const char full_line[] = "full\n", delta_line[] = "delta\n";

/* Of which part a spool is, its name tells; here stands whether it is of all. */
static bool is_full(const char *of)
{
	const char *line = strchr(of, ' ');

	return line && strncmp(line + 1, full_line, sizeof(full_line) - 1) == 0;
}

static bool of_users(const struct certdir_sync_job *job)
{
	return job->part == CERTDIR_SYNC_USERS;
}

static char *url_of_all(const struct certdir_sync_job *job)
{
	return certdir_sync_url(job, "/%s/delta?$select=%s", certdir_sync_part_name(job->part),
				of_users(job)			    ? CERTDIR_RECORD_USER_SELECT
				: job->tenant->extension_attributes ? CERTDIR_RECORD_EXTENDED_SELECT
								    : CERTDIR_RECORD_ENTRA_SELECT);
}

static char *of_all(const struct certdir_sync_job *job, const char *forgotten)
{
	char *url = url_of_all(job), *of = NULL;

	if (url)
		of = certdir_print("%s %s%s\n%s\n%s", certdir_sync_part_name(job->part), full_line,
				   job->tenant->tenant_id, url, forgotten ? forgotten : "");
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
			      : certdir_print("%s %s%s\n%s", certdir_sync_part_name(job->part), delta_line,
					      job->tenant->tenant_id, job->delta_link);
}

/* Graph may have forgotten the delta link meanwhile: a run that began to list everything in its place is gone on with. */
static char *instead(const struct certdir_sync_job *job)
{
	return of_all(job, job->delta_link);
}

static bool plan_from(struct certdir_sync_job *job, const char *link, bool *fetch)
{
	struct certdir_error why;

	*fetch = true;
	/* Where cloud or graph has changed, the stored link leads to the former host: it is of no use, and nothing else is lost. */
	job->moved = link && !certdir_link_check(link, job->tenant->graph, &why);
	if (!link || job->moved)
		return true;
	job->delta_link = strdup(link);
	if (!job->delta_link)
		certdir_sync_part_end(job, CERTDIR_SYNC_FAILED, "out of memory");
	return job->delta_link != NULL;
}

static bool plan(struct certdir_sync_job *job, const struct certdir_tenant_state *state, bool *fetch)
{
	return plan_from(job, state->delta_link, fetch);
}

/* `users = no`: those of former times would stay as they were for ever, so they go. */
static bool plan_users(struct certdir_sync_job *job, const struct certdir_tenant_state *state, bool *fetch)
{
	*fetch = false;
	if (job->tenant->users)
		return plan_from(job, state->users_link, fetch);
	if (state->users_synced != 0)
		return true;
	certdir_sync_part_end(job, CERTDIR_SYNC_SKIPPED, "users = no");
	return false;
}

/* ---- from Graph ---- */

/*
 * Fetches what the spool is of. After a 410 it is our own first request again, which is what its Location stands for, with
 * the properties that we need.
 */
static enum certdir_graph_outcome fetch_all_of_it(struct certdir_sync_job *job, struct certdir_error *error)
{
	const struct certdir_listing listing = {.permission = of_users(job) ? "User.Read.All" : "Device.Read.All",
						.delta = true};
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

static bool put_user(void *context, const struct certdir_page_object *object, struct certdir_error *error)
{
	const struct target *target = context;
	struct certdir_tenant_user user;
	uint32_t present;

	if (!certdir_record_user(object, &user, &present, error))
		return false;
	if (object->removed)
		return certdir_tenant_users_remove(target->list, user.user_id, error);
	return certdir_tenant_users_put(target->list, &user, present, error);
}

static bool begin(const struct certdir_sync_job *job, struct certdir_tenant *list, struct certdir_error *error)
{
	return of_users(job) ? certdir_tenant_users_begin(list, job->report.full, error)
			     : certdir_tenant_devices_begin(list, job->report.full, error);
}

static void apply(struct certdir_sync_job *job, struct certdir_tenant *list)
{
	struct target target = {job, list};
	const struct certdir_listing listing = {.delta = true,
						.properties = of_users(job) ? certdir_record_user_properties
							      : job->tenant->extension_attributes
								      ? certdir_record_extended_properties
								      : certdir_record_entra_properties,
						.each = of_users(job) ? put_user : put,
						.context = &target};
	struct certdir_tenant_counts counts = {0};
	enum certdir_graph_outcome outcome;
	enum certdir_tenant_ended ended;
	struct certdir_listed listed;
	struct certdir_error error;

	if (!certdir_sync_part_follows(job, list, &error) || !begin(job, list, &error)) {
		certdir_sync_part_end(job, CERTDIR_SYNC_FAILED, "%s", error.text);
		return;
	}
	outcome = certdir_sync_part_replay(job, listing, &listed, &error);
	if (outcome == CERTDIR_GRAPH_OK) {
		ended = of_users(job) ? certdir_tenant_users_end(list, listed.delta_link, &counts, &error)
				      : certdir_tenant_devices_end(list, listed.delta_link, &counts, &error);
		ended = certdir_sync_part_guard(job, ended, &counts, certdir_sync_part_name(job->part), &error);
		certdir_sync_part_ended(job, ended, &counts, &error);
		if (ended == CERTDIR_ENDED && job->moved)
			certdir_sync_part_end(
				job, CERTDIR_SYNC_DONE,
				"all were listed again, because graph is another host than at the last sync");
	} else {
		certdir_tenant_part_abandon(list);
		certdir_sync_part_broken(job, outcome, &error);
	}
	certdir_listed_clear(&listed);
}

static void apply_users(struct certdir_sync_job *job, struct certdir_tenant *list)
{
	struct certdir_error error;

	if (job->tenant->users)
		apply(job, list);
	else if (certdir_tenant_users_forget(list, &error))
		certdir_sync_part_end(job, CERTDIR_SYNC_DONE, NULL);
	else
		certdir_sync_part_end(job, CERTDIR_SYNC_FAILED, "%s", error.text);
}

const struct certdir_sync_kind certdir_sync_devices = {plan, of, instead, fetch, apply};
const struct certdir_sync_kind certdir_sync_users = {plan_users, of, instead, fetch, apply_users};
