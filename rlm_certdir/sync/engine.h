/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of the sync. sync.c begins rounds, runs threads and collects what they have fetched; job.c is one part of one tenant on its way;
 * edition.c makes editions of the list out of those that are fetched; report.c is what is told of them. One thread runs all of that.
 */
#ifndef CERTDIR_SYNC_ENGINE_H
#define CERTDIR_SYNC_ENGINE_H

#include "sync/asked.h"
#include "sync/door.h"
#include "sync/part.h"
#include "sync/renewal.h"

struct certdir_sync {
	struct certdir_sync_options options;
	const struct certdir_sync_config *config; /* of the last round */
	struct certdir_sync_report report;
	bool news; /* since the last step */
	struct certdir_sync_job *jobs;
	size_t threads;
	bool paced; /* the last round */
	struct certdir_sync_kept *kept; /* connections for the next jobs */
	struct certdir_door *door; /* NULL: nobody asks */
	struct certdir_renewal *renewal; /* NULL: a dry run */
	int event; /* eventfd(2), written by threads that are over */
	int64_t ready_since; /* certdir_monotonic() when something became ready, 0 = nothing is */
};

/* Whether the caller's stop flag is set. */
bool certdir_sync_stopped(const struct certdir_sync *sync);
/* How the list is to take what this tenant says; texts are borrowed from the configurations. */
struct certdir_tenant_options certdir_sync_list_options(const struct certdir_sync *sync,
							const struct certdir_sync_config *config,
							const struct certdir_tenant_config *tenant, int64_t now);

/* ---- report.c ---- */

/* The parts that a tenant has are those before this one. */
enum certdir_sync_part certdir_sync_parts(const struct certdir_tenant_config *tenant);
/* The report's tenants become those of `config`; what is known of them stays. False: memory is out, and nothing has changed. */
bool certdir_sync_report_renew(struct certdir_sync *sync, const struct certdir_sync_config *config);
/* Notes which tenants of the list the configuration does not name. False with `error`. */
bool certdir_sync_report_look(struct certdir_sync *sync, struct certdir_list_writer *looker,
			      struct certdir_error *error);
/* The tenant's report; NULL when the configuration names it no longer. */
struct certdir_sync_report_tenant *certdir_sync_report_of(struct certdir_sync *sync, const char *name);
/* Takes the job's report over into that of the tenant. */
void certdir_sync_report_job(struct certdir_sync *sync, const struct certdir_sync_job *job);
/* Forgets what was told already. */
void certdir_sync_report_clear_news(struct certdir_sync_report *report);
/* Frees all of it. */
void certdir_sync_report_clear(struct certdir_sync_report *report);

/* ---- job.c ---- */

/* Seconds; page tokens do not live for ever, and no listing takes a day. */
enum { CERTDIR_SYNC_SPOOL_LIFE = 86400 };

/* A new job, which has not begun. NULL when memory is out. */
struct certdir_sync_job *certdir_sync_job_make(struct certdir_sync *sync, const struct certdir_tenant_config *tenant,
					       enum certdir_sync_part part);
/*
 * Makes and begins the job of a part. again: it follows one that went on with the pages of an earlier run. False when its tenant cannot
 * be asked at all.
 */
bool certdir_sync_job_begin(struct certdir_sync *sync, const struct certdir_tenant_config *tenant,
			    enum certdir_sync_part part, const struct certdir_tenant_state *state, bool again);
/* What is particular to the job's part; static. */
const struct certdir_sync_kind *certdir_sync_kind(const struct certdir_sync_job *job);
/* The job of a part that has not ended, or NULL. */
struct certdir_sync_job *certdir_sync_job_find(const struct certdir_sync *sync, const char *tenant,
					       enum certdir_sync_part part);
/* Whether it is still to be fetched; NULL: it is not. */
bool certdir_sync_job_under_way(const struct certdir_sync_job *job);
/* Its report is told, and it has ended; its pages stay for the next run. */
void certdir_sync_job_end(struct certdir_sync *sync, struct certdir_sync_job *job);
/* It has ended, and its pages go. */
void certdir_sync_job_drop(struct certdir_sync_job *job);
/* Frees those that have ended. */
void certdir_sync_jobs_sweep(struct certdir_sync *sync);

/* ---- kept.c ---- */

/*
 * A connection to the tenant's Graph that an earlier job has left, with a token that is still good, for the job's limits; NULL: there is
 * none, and a new one reads the credentials anew.
 */
struct certdir_graph *certdir_sync_kept_take(struct certdir_sync *sync, const struct certdir_sync_job *job);
/* The job needs its connection no more: one that worked is kept, as long as its configuration is in use. */
void certdir_sync_kept_give(struct certdir_sync *sync, struct certdir_sync_job *job);
/* Closes those of other configurations. */
void certdir_sync_kept_sweep(struct certdir_sync *sync, const struct certdir_sync_config *config);

/* ---- edition.c ---- */

/* Whether the job could be applied now. */
bool certdir_sync_may_apply(const struct certdir_sync *sync, const struct certdir_sync_job *job);
/* Applies all that may be to a new edition, and publishes it. */
void certdir_sync_publish(struct certdir_sync *sync);
/* Ends jobs that wait for devices which do not come. */
void certdir_sync_end_waiting(struct certdir_sync *sync);

#endif
