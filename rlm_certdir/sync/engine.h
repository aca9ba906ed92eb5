/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of the sync: what begins and collects jobs (sync.c) and what makes editions of them (edition.c). */
#ifndef CERTDIR_SYNC_ENGINE_H
#define CERTDIR_SYNC_ENGINE_H

#include "sync/part.h"

struct certdir_sync {
	struct certdir_sync_options options;
	const struct certdir_sync_config *config; /* of the last round */
	struct certdir_sync_report report;
	bool news; /* since the last step */
	struct certdir_sync_job *jobs;
	size_t threads;
	int event; /* eventfd(2), written by threads that are over */
	int64_t ready_since; /* certdir_monotonic() when something became ready, 0 = nothing is */
};

const struct certdir_sync_kind *certdir_sync_kind(const struct certdir_sync_job *job);
bool certdir_sync_stopped(const struct certdir_sync *sync);

/* The tenant's report; NULL when the configuration names it no longer. */
struct certdir_sync_report_tenant *certdir_sync_tenant(struct certdir_sync *sync, const char *name);
/* The job of a part that has not ended, or NULL. */
struct certdir_sync_job *certdir_sync_find(const struct certdir_sync *sync, const char *tenant,
					   enum certdir_sync_part part);
/* Whether that part is still to be fetched. */
bool certdir_sync_fetching(const struct certdir_sync *sync, const char *tenant, enum certdir_sync_part part);

/* Takes the job's report over into that of the tenant. */
void certdir_sync_tell(struct certdir_sync *sync, const struct certdir_sync_job *job);
/* The same, and it has ended; its pages stay for the next run. */
void certdir_sync_end(struct certdir_sync *sync, struct certdir_sync_job *job);
/* It has ended, and its pages go. */
void certdir_sync_drop(struct certdir_sync_job *job);

struct certdir_tenant_options certdir_sync_list_options(const struct certdir_sync *sync,
							const struct certdir_sync_config *config,
							const struct certdir_tenant_config *tenant, int64_t now);

/* Whether the job could be applied now. */
bool certdir_sync_may_apply(const struct certdir_sync *sync, const struct certdir_sync_job *job);
/* Applies all that may be to a new edition, and publishes it. */
void certdir_sync_publish(struct certdir_sync *sync);
/* Ends jobs that wait for devices which do not come. */
void certdir_sync_let_go(struct certdir_sync *sync);

#endif
