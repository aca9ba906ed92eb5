/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A conversation with one tenant's Microsoft Graph: access token, requests, and their manners (throttling, retries,
 * deadlines, hosts). What an answer means to the list is not known here. Threads may each have one of their own, also of the
 * same tenant.
 */
#ifndef CERTDIR_SYNC_GRAPH_H
#define CERTDIR_SYNC_GRAPH_H

#include "sync/config.h"
#include "sync/graph_error.h"
#include "sync/http.h"

struct certdir_graph;

/*
 * Reads the tenant's credentials; connects to nothing yet. NULL with `error`: a secret or key that others can read, a
 * certificate and key that do not belong together, a file that is not there.
 */
struct certdir_graph *certdir_graph_open(const struct certdir_tenant_config *config,
					 const struct certdir_http_limits *limits, struct certdir_error *error);
void certdir_graph_close(struct certdir_graph *graph);
/*
 * For the next user of an open one: his limits, and counts that begin with him. False: its token has ended, or is about to, and a new
 * handle, which reads the credentials anew, is to take its place.
 */
bool certdir_graph_renew(struct certdir_graph *graph, const struct certdir_http_limits *limits);

/* When the client certificate, the only credential that says so, expires; 0 = not known. Unix seconds. */
int64_t certdir_graph_credential_expires(const struct certdir_graph *graph);

/*
 * GETs `url`, which is absolute and taken unchanged: a path that we made below certdir_graph_base(), or a link that Graph gave.
 * One that is not https to the configured host is refused before anything is sent. `permission` is what the
 * application needs for it ("Device.Read.All"), for the message when it is not granted. eventual: sends `ConsistencyLevel: eventual`.
 */
enum certdir_graph_outcome certdir_graph_get(struct certdir_graph *graph, const char *url, const char *permission,
					     bool eventual, const struct certdir_http_sink *sink,
					     struct certdir_error *error);

/*
 * The same, with a short answer that is held: *body, which the caller frees, is NUL-terminated. json: POSTed to `url`; NULL = GET.
 * more: what some tenants ask for beside `permission`, for the message when that is granted and Graph refuses; or NULL.
 */
enum certdir_graph_outcome certdir_graph_ask(struct certdir_graph *graph, const char *url, const char *json,
					     const char *permission, const char *more, char **body,
					     struct certdir_error *error);

/*
 * GETs a file from another host than Graph's, without an access token: `url` is a link that Graph gave, and has to lead to one of
 * the tenant's report_hosts. NOT_FOUND with `error`: 403 or 404, the link has expired.
 */
enum certdir_graph_outcome certdir_graph_download(struct certdir_graph *graph, const char *url,
						  const struct certdir_http_sink *sink, struct certdir_error *error);

/* Whether certdir_graph_get() would ask for `url`: https and the configured host. False with `error`. */
bool certdir_graph_link_check(const struct certdir_graph *graph, const char *url, struct certdir_error *error);

/* "https://graph.microsoft.com/v1.0" */
const char *certdir_graph_base(const struct certdir_graph *graph);

/* Until when Graph has asked to be left alone: certdir_monotonic(), 0 = it has not. */
int64_t certdir_graph_wait_until(const struct certdir_graph *graph);

/* So far: for progress and summaries. */
void certdir_graph_counts(const struct certdir_graph *graph, struct certdir_http_counts *counts);

#endif
