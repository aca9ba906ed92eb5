/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A job: how it begins, what it needs, and how it ends. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/background.h"
#include "sync/engine.h"

static const struct certdir_sync_kind *const kinds[CERTDIR_SYNC_PARTS] = {
	[CERTDIR_SYNC_DEVICES] = &certdir_sync_devices,
	[CERTDIR_SYNC_INTUNE] = &certdir_sync_intune,
	[CERTDIR_SYNC_USERS] = &certdir_sync_users,
	[CERTDIR_SYNC_GROUPS] = &certdir_sync_groups,
	[CERTDIR_SYNC_CERTIFICATES] = &certdir_sync_certificates};

const struct certdir_sync_kind *certdir_sync_kind(const struct certdir_sync_job *job)
{
	return job->tenant->ldap ? &certdir_sync_ldap : kinds[job->part];
}

struct certdir_sync_job *certdir_sync_job_find(const struct certdir_sync *sync, const char *tenant,
					       enum certdir_sync_part part)
{
	for (struct certdir_sync_job *job = sync->jobs; job; job = job->next)
		if (job->part == part && strcmp(job->tenant->name, tenant) == 0 && job->step != CERTDIR_SYNC_ENDED)
			return job;
	return NULL;
}

bool certdir_sync_job_under_way(const struct certdir_sync_job *job)
{
	return job && (job->step == CERTDIR_SYNC_DUE || job->step == CERTDIR_SYNC_FETCHING);
}

static void free_job(struct certdir_sync_job *job)
{
	certdir_graph_close(job->graph);
	certdir_spool_close(job->spool);
	(void)pthread_mutex_destroy(&job->mutex);
	free(job->delta_link);
	free(job);
}

void certdir_sync_jobs_sweep(struct certdir_sync *sync)
{
	struct certdir_sync_job **at = &sync->jobs;

	while (*at) {
		struct certdir_sync_job *job = *at;

		if (job->step == CERTDIR_SYNC_ENDED) {
			*at = job->next;
			free_job(job);
		} else {
			at = &job->next;
		}
	}
}

void certdir_sync_job_drop(struct certdir_sync_job *job)
{
	certdir_spool_remove(job->spool);
	job->spool = NULL;
	job->step = CERTDIR_SYNC_ENDED;
}

void certdir_sync_job_end(struct certdir_sync *sync, struct certdir_sync_job *job)
{
	certdir_sync_report_job(sync, job);
	job->step = CERTDIR_SYNC_ENDED;
}

/* ---- a job begins ---- */

static void told_to_wait(void *context, unsigned attempt, unsigned of, int64_t microseconds, const char *why)
{
	struct certdir_sync_job *job = context;
	char most[32] = "";

	if (of > 0)
		(void)snprintf(most, sizeof(most), " of %u", of);
	(void)pthread_mutex_lock(&job->mutex);
	certdir_say(job->waiting, "attempt %u%s in %" PRId64 " s: %s", attempt, most, (microseconds + 999999) / 1000000,
		    why);
	(void)pthread_mutex_unlock(&job->mutex);
}

/* Its id tells which tenant it is, whatever it is called; an LDAP directory has its name alone. */
static char *spool_name(const struct certdir_sync_job *job)
{
	const bool ldap = job->tenant->ldap;

	return certdir_print("%s" CERTDIR_SPOOL_SUFFIX "%s.%s", job->config->list,
			     ldap ? job->tenant->name : job->tenant->tenant_id,
			     ldap ? "ldap" : certdir_sync_part_name(job->part));
}

/* Whether the spool holds what `wanted`, which is freed, says. */
static bool is_of(const struct certdir_sync_job *job, char *wanted)
{
	const bool ok = wanted && strcmp(certdir_spool_of(job->spool), wanted) == 0;

	free(wanted);
	return ok;
}

/*
 * Whether the pages of an earlier run are a good start: of the same, not too old, and newer than what the list has. Those that are
 * whole, and of the second that the list has, were applied by a run that was killed after that.
 */
static bool may_go_on(const struct certdir_sync_job *job, int64_t synced)
{
	const struct certdir_sync_kind *kind = certdir_sync_kind(job);
	const int64_t began = certdir_spool_began(job->spool);

	return certdir_spool_of(job->spool) && certdir_spool_pages(job->spool) > 0 && began <= job->now &&
	       job->now - began < CERTDIR_SYNC_SPOOL_LIFE && began >= synced + certdir_spool_finished(job->spool) &&
	       (is_of(job, kind->of(job)) || (kind->instead && is_of(job, kind->instead(job))));
}

static bool begin_spool(struct certdir_sync_job *job, int64_t synced, struct certdir_error *error)
{
	if (!may_go_on(job, synced))
		return certdir_sync_part_begin(job, certdir_sync_kind(job)->of(job), error);
	job->report.resumed = certdir_spool_pages(job->spool);
	return true;
}

/* False, with the part ended, when there is no spool to be had. */
static bool open_spool(struct certdir_sync_job *job, int64_t synced)
{
	char *name = job->options->dry_run ? NULL : spool_name(job);
	struct certdir_error error = {.text = "out of memory"};
	enum certdir_spool_opened opened = CERTDIR_SPOOL_FAILED;
	long holder;

	if (name || job->options->dry_run)
		opened = certdir_spool_open(&job->spool, name, &holder, &error);
	free(name);
	if (opened == CERTDIR_SPOOL_BUSY)
		certdir_sync_part_end(job, CERTDIR_SYNC_SKIPPED, "%s of %s are being listed by process %ld",
				      certdir_sync_part_name(job->part), job->tenant->name, holder);
	else if (opened == CERTDIR_SPOOL_FAILED || !begin_spool(job, synced, &error))
		certdir_sync_part_end(job, CERTDIR_SYNC_FAILED, "%s", error.text);
	else
		return true;
	return false;
}

/* What it takes to ask: Graph's connection; LDAP's is the thread's own to make. */
static bool open_graph(struct certdir_sync *sync, struct certdir_sync_job *job)
{
	struct certdir_error error;

	job->limits = (struct certdir_http_limits){.deadline = job->started + job->tenant->deadline * 1000000,
						   .stop = sync->options.stop,
						   .waiting = told_to_wait,
						   .context = job};
	if (job->tenant->ldap)
		return true;
	job->graph = certdir_sync_kept_take(sync, job);
	if (!job->graph)
		job->graph = certdir_graph_open(job->tenant, &job->limits, &error);
	if (!job->graph)
		certdir_sync_part_end(job, CERTDIR_SYNC_FAILED, "%s", error.text);
	else
		certdir_sync_report_of(sync, job->tenant->name)->credential_expires =
			certdir_graph_credential_expires(job->graph);
	return job->graph != NULL;
}

struct certdir_sync_job *certdir_sync_job_make(struct certdir_sync *sync, const struct certdir_tenant_config *tenant,
					       enum certdir_sync_part part)
{
	struct certdir_sync_job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	(void)pthread_mutex_init(&job->mutex, NULL);
	job->config = sync->config;
	job->tenant = tenant;
	job->options = &sync->options;
	job->part = part;
	job->event = sync->event;
	job->now = (int64_t)time(NULL);
	job->started = certdir_monotonic();
	job->next = sync->jobs;
	sync->jobs = job;
	return job;
}

static int64_t synced_of(const struct certdir_tenant_state *state, enum certdir_sync_part part)
{
	const int64_t synced[CERTDIR_SYNC_PARTS] = {[CERTDIR_SYNC_DEVICES] = state->synced,
						    [CERTDIR_SYNC_INTUNE] = state->intune_synced,
						    [CERTDIR_SYNC_USERS] = state->users_synced,
						    [CERTDIR_SYNC_GROUPS] = state->groups_synced,
						    [CERTDIR_SYNC_CERTIFICATES] = state->certificates_synced};

	return synced[part];
}

bool certdir_sync_job_begin(struct certdir_sync *sync, const struct certdir_tenant_config *tenant,
			    enum certdir_sync_part part, const struct certdir_tenant_state *state, bool again)
{
	struct certdir_sync_job *job = certdir_sync_job_make(sync, tenant, part);
	bool fetch = false;

	if (!job) {
		certdir_say(sync->report.error, "out of memory");
		return false;
	}
	job->again = again;
	job->all = sync->options.full && !again;
	job->paced = sync->paced && !again;
	if (!certdir_sync_kind(job)->plan(job, state, &fetch) || (fetch && !open_graph(sync, job)) ||
	    (fetch && !open_spool(job, synced_of(state, part))))
		certdir_sync_job_end(sync, job);
	else
		job->step = fetch ? CERTDIR_SYNC_DUE : CERTDIR_SYNC_READY;
	return !fetch || job->graph || tenant->ldap;
}
