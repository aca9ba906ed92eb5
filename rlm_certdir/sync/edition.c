/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts that were fetched whole become an edition of the list. */
#include "sync/engine.h"

#include <signal.h>
#include <string.h>

/* ---- who waits for whom ---- */

/*
 * A tenant whose devices were never listed is not in the list at all: a list with its Intune records and groups alone would
 * say of each device that there is none.
 */
static bool waits_for_devices(const struct certdir_sync *sync, const struct certdir_sync_job *job)
{
	const struct certdir_sync_report_tenant *tenant =
		certdir_sync_report_of((struct certdir_sync *)sync, job->tenant->name);

	return job->part != CERTDIR_SYNC_DEVICES && !(tenant && tenant->listed);
}

bool certdir_sync_may_apply(const struct certdir_sync *sync, const struct certdir_sync_job *job)
{
	return job->step == CERTDIR_SYNC_READY && !waits_for_devices(sync, job);
}

void certdir_sync_end_waiting(struct certdir_sync *sync)
{
	for (struct certdir_sync_job *job = sync->jobs; job; job = job->next) {
		if (certdir_sync_job_find(sync, job->tenant->name, CERTDIR_SYNC_DEVICES))
			continue;
		if (job->step == CERTDIR_SYNC_LINGERING &&
		    !certdir_sync_job_find(sync, job->tenant->name, CERTDIR_SYNC_USERS))
			certdir_sync_job_drop(job);
		if (job->step != CERTDIR_SYNC_READY || !waits_for_devices(sync, job))
			continue;
		certdir_sync_part_end(job, CERTDIR_SYNC_SKIPPED,
				      "it waits for the devices, which have to be listed first");
		certdir_sync_job_end(sync, job);
	}
}

/*
 * Members that are nobody known are forgotten, but may be among the devices and users that are still on their way: then the
 * groups are applied now, for the others, and once more after these.
 */
static bool will_linger(const struct certdir_sync *sync, const struct certdir_sync_job *job)
{
	return job->part == CERTDIR_SYNC_GROUPS && job->spool && job->report.counts.duplicates > 0 &&
	       (certdir_sync_job_under_way(certdir_sync_job_find(sync, job->tenant->name, CERTDIR_SYNC_DEVICES)) ||
		certdir_sync_job_under_way(certdir_sync_job_find(sync, job->tenant->name, CERTDIR_SYNC_USERS)));
}

/* ---- into the edition ---- */

static void apply(struct certdir_sync *sync, struct certdir_list_writer *writer, struct certdir_sync_job *job)
{
	/* What is heard is as old as the listing's beginning, whenever it is applied. */
	const int64_t now = job->spool ? certdir_spool_began(job->spool) : job->now;
	const struct certdir_tenant_options options = certdir_sync_list_options(sync, job->config, job->tenant, now);
	struct certdir_tenant *list;
	struct certdir_error error;

	job->at = 0;
	job->applied = true;
	list = certdir_tenant_open(writer, &options, &error);
	if (!list) {
		certdir_sync_part_end(job, CERTDIR_SYNC_FAILED, "%s", error.text);
		return;
	}
	certdir_sync_kind(job)->apply(job, list);
	certdir_tenant_close(list);
}

static bool is_taken(const struct certdir_sync_job *job)
{
	return job->applied && (job->report.result == CERTDIR_SYNC_DONE || job->report.result == CERTDIR_SYNC_SHRUNK);
}

/* A tenant's parts in the order in which they lean on each other. True when there is anything to publish. */
static bool apply_tenant(struct certdir_sync *sync, struct certdir_list_writer *writer,
			 struct certdir_sync_report_tenant *tenant)
{
	bool any = false, members = false;

	for (enum certdir_sync_part part = 0; part < CERTDIR_SYNC_PARTS; part++) {
		struct certdir_sync_job *job = certdir_sync_job_find(sync, tenant->name, part);

		if (!job || certdir_sync_stopped(sync))
			continue;
		if (!certdir_sync_may_apply(sync, job) && !(job->step == CERTDIR_SYNC_LINGERING && members))
			continue;
		apply(sync, writer, job);
		any |= is_taken(job);
		members |= (part == CERTDIR_SYNC_DEVICES || part == CERTDIR_SYNC_USERS) && is_taken(job);
		tenant->listed |= part == CERTDIR_SYNC_DEVICES && is_taken(job);
	}
	return any;
}

/* ---- what becomes of a job ---- */

static void end_unpublished(struct certdir_sync *sync, struct certdir_sync_job *job)
{
	certdir_sync_part_end(job, CERTDIR_SYNC_FAILED, "listed whole, but not published, which the next run does: %s",
			      sync->report.error);
	certdir_sync_job_end(sync, job);
}

/* broken: the disk is at fault, and not what was fetched. */
static void conclude(struct certdir_sync *sync, struct certdir_sync_job *job, bool published, bool broken)
{
	struct certdir_sync_report_tenant *tenant = certdir_sync_report_of(sync, job->tenant->name);
	const bool taken = is_taken(job);

	job->applied = false;
	if (job->report.result == CERTDIR_SYNC_STOPPED || (!taken && broken)) {
		certdir_sync_job_end(sync, job);
		return;
	}
	if (taken && !published && !sync->options.dry_run) {
		end_unpublished(sync, job);
		return;
	}
	if (taken && job->report.resumed > 0 && job->step != CERTDIR_SYNC_LINGERING)
		tenant->again |= CERTDIR_BIT(job->part);
	/* Whoever is new may be in a group, and is nobody there until it is listed. */
	if (taken && job->report.counts.added > 0 &&
	    (job->part == CERTDIR_SYNC_DEVICES || job->part == CERTDIR_SYNC_USERS) && job->paced &&
	    job->tenant->groups[0] && tenant->parts[CERTDIR_SYNC_GROUPS].result == CERTDIR_SYNC_SKIPPED)
		tenant->again |= CERTDIR_BIT(CERTDIR_SYNC_GROUPS);
	certdir_sync_report_job(sync, job);
	if (taken && will_linger(sync, job))
		job->step = CERTDIR_SYNC_LINGERING;
	else
		certdir_sync_job_drop(job);
}

static void conclude_all(struct certdir_sync *sync, bool published, bool broken)
{
	for (struct certdir_sync_job *job = sync->jobs; job; job = job->next)
		if (job->applied)
			conclude(sync, job, published, broken);
}

/* Nothing could be applied: the pages wait for the next run. */
static void put_off(struct certdir_sync *sync, const struct certdir_error *error)
{
	const bool stopped = certdir_sync_stopped(sync);

	if (!stopped)
		certdir_say(sync->report.error, "%s", error->text);
	for (struct certdir_sync_job *job = sync->jobs; job; job = job->next) {
		if (!certdir_sync_may_apply(sync, job))
			continue;
		if (!stopped) {
			end_unpublished(sync, job);
			continue;
		}
		certdir_sync_part_end(job, CERTDIR_SYNC_STOPPED, "stopped on request");
		certdir_sync_job_end(sync, job);
	}
}

/* ---- the edition ---- */

/* Publishes, or not. False with `error`, or with none when there was nothing to publish. */
static bool finish(const struct certdir_sync *sync, struct certdir_list_writer *writer, bool any,
		   struct certdir_error *error)
{
	const struct certdir_sync_options *options = &sync->options;

	error->text[0] = '\0';
	if (any && !options->dry_run)
		return certdir_list_write_publish(writer, error);
	if (any && options->change)
		(void)certdir_list_write_changes(writer, sync->report.started, options->change, options->context,
						 error);
	certdir_list_write_abort(writer);
	return false;
}

static void stop_applied(struct certdir_sync *sync)
{
	for (struct certdir_sync_job *job = sync->jobs; job; job = job->next)
		if (job->applied || certdir_sync_may_apply(sync, job)) {
			job->applied = true;
			certdir_sync_part_end(job, CERTDIR_SYNC_STOPPED, "stopped on request");
		}
}

/* NULL with `error`, or because somebody asked to stop. The list may be locked for minutes: a signal before the wait must not get lost. */
static struct certdir_list_writer *begin(const struct certdir_sync *sync, struct certdir_error *error)
{
	const char *list = sync->config->list;
	struct certdir_list_writer *writer = NULL;
	sigset_t all, before;

	if (sync->options.dry_run)
		return certdir_list_write_private(list, false, error);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	if (!certdir_sync_stopped(sync))
		writer = certdir_list_write_begin(list, false, sync->config->signing_key, error);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return writer;
}

void certdir_sync_publish(struct certdir_sync *sync)
{
	struct certdir_error error = {.text = ""};
	struct certdir_list_writer *writer;
	bool any = false, published, broken;

	sync->report.edition = true;
	sync->news = true;
	writer = begin(sync, &error);
	if (!writer) {
		put_off(sync, &error);
		return;
	}
	for (size_t i = 0; i < sync->report.count; i++)
		any |= apply_tenant(sync, writer, &sync->report.tenants[i]);
	broken = certdir_list_write_failed(writer);
	if (certdir_sync_stopped(sync)) {
		stop_applied(sync);
		any = false;
	}
	published = finish(sync, writer, any, &error);
	if (error.text[0])
		certdir_say(sync->report.error, "%s", error.text);
	sync->report.published |= published;
	conclude_all(sync, published, broken);
}
