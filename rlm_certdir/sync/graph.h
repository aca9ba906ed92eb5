/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A conversation with one tenant's Microsoft Graph: access token, requests, and their manners (throttling, retries,
 * deadlines, hosts). What an answer means to the list is not known here. Threads may each have one of their own, also of the
 * same tenant.
 */
#ifndef CERTDIR_SYNC_GRAPH_H
#define CERTDIR_SYNC_GRAPH_H

#include "sync/config.h"

#include <stdatomic.h>

struct certdir_graph;

/* How long and how much. All that a lying or slow server could make endless has an end. */
struct certdir_graph_limits {
	int64_t deadline; /* certdir_monotonic() microseconds: nothing goes on after it */
	const atomic_int *stop; /* nonzero: give up now (SIGTERM); may be NULL */
	/*
	 * Told before each pause, so that nobody looks at a terminal that says nothing: attempt number `attempt` of at most `of` (0:
	 * as often as the server asks for it, until the deadline) follows in so many microseconds; why is the last one's failure.
	 * Called by the thread that asks. NULL: nobody is told.
	 */
	void (*waiting)(void *context, unsigned attempt, unsigned of, int64_t microseconds, const char *why);
	void *context;
};

/*
 * Reads the tenant's credentials; connects to nothing yet. NULL with `error`: a secret or key that others can read, a
 * certificate and key that do not belong together, a file that is not there.
 */
struct certdir_graph *certdir_graph_open(const struct certdir_tenant_config *config,
					 const struct certdir_graph_limits *limits, struct certdir_error *error);
void certdir_graph_close(struct certdir_graph *graph);

/* When the client certificate, the only credential that says so, expires; 0 = not known. Unix seconds. */
int64_t certdir_graph_credential_expires(const struct certdir_graph *graph);

/* What became of a request after all its retries. */
enum certdir_graph_outcome {
	CERTDIR_GRAPH_OK,
	CERTDIR_GRAPH_RESYNC, /* the delta token is gone: 410, syncStateNotFound, resyncRequired */
	CERTDIR_GRAPH_EXPIRED_PAGE, /* Directory_ExpiredPageToken: throw the pages away and list again */
	CERTDIR_GRAPH_NOT_APPLICABLE, /* the tenant has no Intune */
	CERTDIR_GRAPH_NOT_FOUND, /* 404 */
	CERTDIR_GRAPH_STOPPED, /* limits.stop */
	CERTDIR_GRAPH_FAILED, /* everything else; `error` says what to do */
	CERTDIR_GRAPH_REFUSED /* the same, and it is the URL that is not taken (400) */
};

/*
 * Takes the body of a 200 answer while it arrives. begin() is called at the start of each attempt: what came before is
 * void. end() is called when all of the body has come; false from it, or from bytes(), with `retry` set, makes the attempt a failed
 * one that is worth another (a body cut short), without it an error for good.
 */
struct certdir_graph_sink {
	void *context;
	void (*begin)(void *context);
	bool (*bytes)(void *context, const char *bytes, size_t length, bool *retry, struct certdir_error *error);
	bool (*end)(void *context, bool *retry, struct certdir_error *error);
};

/*
 * GETs `url`, which is absolute and taken unchanged: a path that we made below certdir_graph_base(), or a link that Graph gave.
 * One that is not https to the configured host is refused before anything is sent. `permission` is what the
 * application needs for it ("Device.Read.All"), for the message when it is not granted. eventual: sends `ConsistencyLevel: eventual`.
 */
enum certdir_graph_outcome certdir_graph_get(struct certdir_graph *graph, const char *url, const char *permission,
					     bool eventual, const struct certdir_graph_sink *sink,
					     struct certdir_error *error);

/* Whether certdir_graph_get() would ask for `url`: https and the configured host. False with `error`. */
bool certdir_graph_link_check(const struct certdir_graph *graph, const char *url, struct certdir_error *error);

/* "https://graph.microsoft.com/v1.0" */
const char *certdir_graph_base(const struct certdir_graph *graph);

/* Requests sent, answers that asked to wait, and bytes received so far: for progress and summaries. */
struct certdir_graph_counts {
	size_t requests;
	size_t throttled;
	uint64_t bytes;
};
void certdir_graph_counts(const struct certdir_graph *graph, struct certdir_graph_counts *counts);

#endif
