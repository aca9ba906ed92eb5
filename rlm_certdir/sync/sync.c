/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine: rounds begin jobs, threads fetch for them, steps collect those. What becomes of their pages is edition.c's. */
#include "sync/sync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/background.h"
#include "sync/assertion.h"
#include "sync/engine.h"

enum {
	/* Each has a connection, a spool and a few descriptors more; a program has a thousand of them by default. */
	THREADS_MAX = 64,
	/* Complete parts wait so long for others that they could be published with. */
	GATHER = 1000000 /* microseconds */
};

static const char not_tried[] = "not tried, since the devices failed";

bool certdir_sync_stopped(const struct certdir_sync *sync)
{
	return sync->options.stop && *sync->options.stop;
}

bool certdir_sync_busy(const struct certdir_sync *sync, const char *tenant)
{
	for (const struct certdir_sync_job *job = sync->jobs; job; job = job->next)
		if (strcmp(job->tenant->name, tenant) == 0)
			return true;
	return false;
}

bool certdir_sync_idle(const struct certdir_sync *sync)
{
	return !sync->jobs;
}

bool certdir_sync_uses(const struct certdir_sync *sync, const struct certdir_sync_config *config)
{
	if (sync->config == config || (sync->renewal && certdir_renewal_uses(sync->renewal, config)) ||
	    (sync->door && certdir_asked_uses(certdir_door_asked(sync->door), config)))
		return true;
	for (const struct certdir_sync_job *job = sync->jobs; job; job = job->next)
		if (job->config == config)
			return true;
	return false;
}

/* ---- a round begins ---- */

/* A tenant's list options, out of what the file and the command line say. */
struct certdir_tenant_options certdir_sync_list_options(const struct certdir_sync *sync,
							const struct certdir_sync_config *config,
							const struct certdir_tenant_config *tenant, int64_t now)
{
	return (struct certdir_tenant_options){
		.name = tenant->name,
		.tenant = tenant->tenant_id,
		.filter = tenant->filter,
		.now = now,
		.former_names = config->former_names,
		/* Who was removed lately is known by them. */
		.changes = config->changes < CERTDIR_TENANT_REMOVED_LATELY ? CERTDIR_TENANT_REMOVED_LATELY
									   : config->changes,
		/* A dry run shows what would be lost, and tells of the guard itself. */
		.max_shrink = sync->options.force || sync->options.dry_run ? 100 : config->max_shrink,
		.intune_interval = tenant->intune_interval,
		.certificates_interval = tenant->certificates_interval,
		.extension_attributes = tenant->extension_attributes,
		.ldap = tenant->ldap ? &tenant->ldap->list : NULL};
}

/* Ends parts that could not even be begun. */
static void end_parts(struct certdir_sync *sync, const struct certdir_tenant_config *tenant,
		      enum certdir_sync_part from, const char *note)
{
	for (enum certdir_sync_part part = from; part < certdir_sync_parts(tenant); part++) {
		struct certdir_sync_job *job = certdir_sync_job_find(sync, tenant->name, part)
						       ? NULL
						       : certdir_sync_job_make(sync, tenant, part);

		if (!job)
			continue;
		if (part == CERTDIR_SYNC_DEVICES)
			certdir_sync_part_end(job, CERTDIR_SYNC_FAILED, "%s", note);
		else
			certdir_sync_part_end(job, CERTDIR_SYNC_SKIPPED, "%s", not_tried);
		certdir_sync_job_end(sync, job);
	}
}

/* parts: CERTDIR_BIT(part) of those that are wanted. */
static void begin_tenant(struct certdir_sync *sync, size_t index, struct certdir_list_writer *looker, unsigned parts,
			 bool again)
{
	const struct certdir_tenant_config *tenant = &sync->config->tenants[index];
	const struct certdir_tenant_options options =
		certdir_sync_list_options(sync, sync->config, tenant, sync->report.started);
	struct certdir_tenant *list;
	struct certdir_tenant_state state;
	struct certdir_error error;

	list = certdir_tenant_open(looker, &options, &error);
	if (!list) {
		end_parts(sync, tenant, CERTDIR_SYNC_DEVICES, error.text);
		return;
	}
	certdir_tenant_state(list, &state);
	sync->report.tenants[index].listed = state.synced != 0;
	for (enum certdir_sync_part part = 0; part < certdir_sync_parts(tenant); part++) {
		struct certdir_sync_job *former = certdir_sync_job_find(sync, tenant->name, part);

		if (!(parts & CERTDIR_BIT(part)) || (former && former->step != CERTDIR_SYNC_LINGERING))
			continue;
		if (former)
			certdir_sync_job_drop(former);
		if (!certdir_sync_job_begin(sync, tenant, part, &state, again) && part == CERTDIR_SYNC_DEVICES) {
			end_parts(sync, tenant, CERTDIR_SYNC_INTUNE, NULL);
			break;
		}
	}
	certdir_tenant_close(list);
}

/* parts: of each tenant, CERTDIR_BIT(part) of those that are wanted; NULL: all of all. */
static void begin_parts(struct certdir_sync *sync, const unsigned *parts, bool again)
{
	struct certdir_error error;
	struct certdir_list_writer *looker = certdir_list_look(sync->config->list, &error);

	if (!looker || !certdir_sync_report_look(sync, looker, &error)) {
		certdir_say(sync->report.error, "%s", error.text);
		certdir_list_write_abort(looker);
		return;
	}
	if (sync->report.count == 0 && !certdir_sync_report_renew(sync, sync->config))
		certdir_say(sync->report.error, "out of memory");
	for (size_t i = 0; i < sync->report.count; i++)
		if (!parts || parts[i])
			begin_tenant(sync, i, looker, parts ? parts[i] : ~0U, again);
	certdir_list_write_abort(looker);
}

void certdir_sync_begin(struct certdir_sync *sync, const struct certdir_sync_config *config, bool paced)
{
	struct certdir_sync_report *report = &sync->report;

	sync->config = config;
	sync->paced = paced;
	certdir_sync_kept_sweep(sync, config);
	if (sync->door)
		certdir_asked_configure(certdir_door_asked(sync->door), config);
	sync->news = true;
	certdir_sync_report_clear_news(report);
	report->started = (int64_t)time(NULL);
	report->published = false;
	report->error[0] = '\0';
	/* Their names are the former configuration's. */
	if (report->count > 0 && !certdir_sync_report_renew(sync, config)) {
		report->count = 0;
		certdir_say(report->error, "out of memory");
		return;
	}
	for (size_t i = 0; i < report->count; i++) {
		struct certdir_sync_report_tenant *tenant = &report->tenants[i];

		tenant->seconds = 0;
		tenant->requests = tenant->throttled = tenant->bytes = 0;
	}
	/* What no run has gone on with, of a tenant that is no more, for example: devices' data does not lie about for ever. */
	if (!sync->options.dry_run)
		certdir_spool_sweep(config->list, report->started - CERTDIR_SYNC_SPOOL_LIFE);
	if (sync->renewal)
		certdir_renewal_begin(sync->renewal, config);
	begin_parts(sync, NULL, false);
	for (size_t i = 0; i < report->count; i++)
		report->tenants[i].attempted = report->started;
}

/*
 * What an earlier run began is as old as that: it is followed by what happened since. With these parts an hour's listing may be
 * followed by a delta of a page.
 */
static void begin_again(struct certdir_sync *sync)
{
	unsigned *parts = calloc(sync->report.count + 1, sizeof(*parts));
	bool any = false;

	for (size_t i = 0; parts && i < sync->report.count; i++) {
		parts[i] = sync->report.tenants[i].again;
		sync->report.tenants[i].again = 0;
		any |= parts[i] != 0;
	}
	if (any && !certdir_sync_stopped(sync))
		begin_parts(sync, parts, true);
	free(parts);
}

/* ---- threads ---- */

static void *work(void *context)
{
	struct certdir_sync_job *job = context;
	const uint64_t one = 1;

	certdir_sync_kind(job)->fetch(job);
	(void)pthread_mutex_lock(&job->mutex);
	job->over = true;
	(void)pthread_mutex_unlock(&job->mutex);
	/* It cannot be full: it counts to 2^64. */
	return write(job->event, &one, sizeof(one)) == (ssize_t)sizeof(one) ? NULL : job;
}

/* Starts what is due, as far as there may be threads. */
static void start(struct certdir_sync *sync)
{
	struct certdir_error error;

	for (struct certdir_sync_job *job = sync->jobs; job; job = job->next) {
		if (job->step != CERTDIR_SYNC_DUE)
			continue;
		if (certdir_sync_stopped(sync)) {
			certdir_sync_part_end(job, CERTDIR_SYNC_STOPPED, "stopped on request");
			certdir_sync_job_end(sync, job);
		} else if (sync->threads < THREADS_MAX) {
			if (certdir_background_start(&job->thread, work, job, &error)) {
				job->step = CERTDIR_SYNC_FETCHING;
				sync->threads++;
			} else {
				certdir_sync_part_end(job, CERTDIR_SYNC_FAILED, "%s", error.text);
				certdir_sync_job_end(sync, job);
			}
		}
	}
}

static void count_requests(struct certdir_sync *sync, const struct certdir_sync_job *job)
{
	struct certdir_sync_report_tenant *tenant = certdir_sync_report_of(sync, job->tenant->name);
	struct certdir_http_counts counts;

	if (!tenant)
		return;
	if (!job->graph) {
		tenant->requests += job->report.pages;
		return;
	}
	certdir_graph_counts(job->graph, &counts);
	tenant->requests += counts.requests;
	tenant->throttled += counts.throttled;
	tenant->bytes += counts.bytes;
}

/* A thread is over: the connection is not needed any more. */
static void collect(struct certdir_sync *sync, struct certdir_sync_job *job)
{
	(void)pthread_join(job->thread, NULL);
	sync->threads--;
	count_requests(sync, job);
	certdir_sync_kept_give(sync, job);
	job->step = CERTDIR_SYNC_READY;
	/* Nobody asks for what becomes of a tenant that certdir.conf has dropped meanwhile. */
	if (!certdir_sync_report_of(sync, job->tenant->name))
		certdir_sync_job_drop(job);
	else if (!job->fetched)
		certdir_sync_job_end(sync, job);
}

static void collect_all(struct certdir_sync *sync)
{
	for (struct certdir_sync_job *job = sync->jobs; job; job = job->next) {
		bool over;

		(void)pthread_mutex_lock(&job->mutex);
		over = job->over;
		(void)pthread_mutex_unlock(&job->mutex);
		if (over && job->step == CERTDIR_SYNC_FETCHING)
			collect(sync, job);
	}
}

/* ---- steps ---- */

/* How many are still to be fetched; *ready: how many could be applied now. */
static size_t survey(const struct certdir_sync *sync, size_t *ready)
{
	size_t fetching = 0;

	*ready = 0;
	for (const struct certdir_sync_job *job = sync->jobs; job; job = job->next) {
		fetching += certdir_sync_job_under_way(job);
		*ready += certdir_sync_may_apply(sync, job);
	}
	return fetching;
}

/* Whether an edition is to be made now. A dry run makes one, of all. */
static bool is_time(struct certdir_sync *sync)
{
	size_t ready, fetching = survey(sync, &ready);

	if (ready == 0)
		sync->ready_since = 0;
	else if (sync->ready_since == 0)
		sync->ready_since = certdir_monotonic();
	if (ready == 0 || fetching == 0)
		return ready > 0;
	return !sync->options.dry_run && certdir_monotonic() >= sync->ready_since + GATHER;
}

int64_t certdir_sync_next(const struct certdir_sync *sync)
{
	return sync->ready_since == 0 || sync->options.dry_run ? INT64_MAX : sync->ready_since + GATHER;
}

bool certdir_sync_step(struct certdir_sync *sync)
{
	uint64_t ignored;
	bool news;

	sync->report.edition = false;
	if (!sync->news)
		certdir_sync_report_clear_news(&sync->report);
	/* Reset before looking, so that no end of a thread is overlooked. */
	if (read(sync->event, &ignored, sizeof(ignored)) < 0)
		ignored = 0;
	collect_all(sync);
	if (sync->door)
		certdir_asked_apply(certdir_door_asked(sync->door), sync);
	if (is_time(sync)) {
		sync->ready_since = 0;
		certdir_sync_publish(sync);
		begin_again(sync);
	}
	certdir_sync_end_waiting(sync);
	start(sync);
	certdir_sync_jobs_sweep(sync);
	news = sync->news;
	sync->news = false;
	return news;
}

int certdir_sync_event(const struct certdir_sync *sync)
{
	return sync->event;
}

void certdir_sync_watch(struct certdir_sync *sync, void (*each)(void *context, const struct certdir_sync_view *view),
			void *context)
{
	struct certdir_sync_view view;

	for (struct certdir_sync_job *job = sync->jobs; job; job = job->next) {
		if (job->step != CERTDIR_SYNC_FETCHING)
			continue;
		view = (struct certdir_sync_view){.tenant = job->tenant->name,
						  .part = job->part,
						  .microseconds = certdir_monotonic() - job->started};
		(void)pthread_mutex_lock(&job->mutex);
		view.pages = job->pages;
		view.objects = job->objects;
		memcpy(view.waiting, job->waiting, sizeof(view.waiting));
		(void)pthread_mutex_unlock(&job->mutex);
		each(context, &view);
	}
}

/* ---- life ---- */

struct certdir_sync *certdir_sync_open(const struct certdir_sync_options *options, struct certdir_error *error)
{
	struct certdir_sync *sync = calloc(1, sizeof(*sync));

	if (!sync) {
		certdir_error_set(error, "out of memory");
		return NULL;
	}
	certdir_assertion_prepare();
	sync->options = *options;
	sync->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!options->dry_run)
		sync->renewal = certdir_renewal_open(options->stop);
	if (sync->event >= 0 && (sync->renewal || options->dry_run))
		return sync;
	certdir_error_set(error, "no event descriptor or no memory to be had: %s", strerror(errno));
	if (sync->event >= 0)
		(void)close(sync->event);
	certdir_renewal_close(sync->renewal);
	free(sync);
	return NULL;
}

bool certdir_sync_answer(struct certdir_sync *sync, atomic_int *hurry, struct certdir_error *error)
{
	sync->door = certdir_door_open(sync->config->list, sync->event, hurry, error);
	if (sync->door)
		certdir_asked_configure(certdir_door_asked(sync->door), sync->config);
	return sync->door != NULL;
}

void certdir_sync_close(struct certdir_sync *sync)
{
	if (!sync)
		return;
	certdir_door_close(sync->door);
	certdir_renewal_close(sync->renewal);
	for (struct certdir_sync_job *job = sync->jobs; job; job = job->next) {
		if (job->step == CERTDIR_SYNC_FETCHING)
			(void)pthread_join(job->thread, NULL);
		job->step = CERTDIR_SYNC_ENDED;
	}
	certdir_sync_jobs_sweep(sync);
	certdir_sync_kept_sweep(sync, NULL);
	certdir_sync_report_clear(&sync->report);
	(void)close(sync->event);
	free(sync);
}
