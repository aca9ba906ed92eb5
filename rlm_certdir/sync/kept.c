/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections from one round to the next: a token is good for an hour, and asking for one each minute would fill the tenant's sign-in
 * log. None renews its token, so that credentials are read anew about as often as they always were.
 */
#include <stdlib.h>

#include "sync/engine.h"

struct certdir_sync_kept {
	struct certdir_graph *graph;
	const struct certdir_sync_config *config;
	const struct certdir_tenant_config *tenant; /* of it */
	struct certdir_sync_kept *next;
};

static struct certdir_graph *unlink_kept(struct certdir_sync_kept **at)
{
	struct certdir_sync_kept *kept = *at;
	struct certdir_graph *graph = kept->graph;

	*at = kept->next;
	free(kept);
	return graph;
}

struct certdir_graph *certdir_sync_kept_take(struct certdir_sync *sync, const struct certdir_sync_job *job)
{
	struct certdir_sync_kept **at = &sync->kept;

	while (*at) {
		struct certdir_graph *graph;

		if ((*at)->tenant != job->tenant) {
			at = &(*at)->next;
			continue;
		}
		graph = unlink_kept(at);
		if (certdir_graph_renew(graph, &job->limits))
			return graph;
		certdir_graph_close(graph);
	}
	return NULL;
}

void certdir_sync_kept_give(struct certdir_sync *sync, struct certdir_sync_job *job)
{
	struct certdir_sync_kept *kept = NULL;

	if (job->graph && job->fetched && job->config == sync->config)
		kept = calloc(1, sizeof(*kept));
	if (kept) {
		*kept = (struct certdir_sync_kept){job->graph, job->config, job->tenant, sync->kept};
		sync->kept = kept;
	} else {
		certdir_graph_close(job->graph);
	}
	job->graph = NULL;
}

void certdir_sync_kept_sweep(struct certdir_sync *sync, const struct certdir_sync_config *config)
{
	struct certdir_sync_kept **at = &sync->kept;

	while (*at) {
		if ((*at)->config == config)
			at = &(*at)->next;
		else
			certdir_graph_close(unlink_kept(at));
	}
}
