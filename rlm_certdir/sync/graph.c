/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/graph.h"
#include "sync/graph_error.h"
#include "sync/http.h"
#include "sync/link.h"
#include "sync/retry.h"
#include "sync/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/background.h"

struct certdir_graph {
	const struct certdir_tenant_config *config;
	struct certdir_http_limits limits;
	struct certdir_http *http;
	struct certdir_token *token;
	char *base;
	struct certdir_http_counts before; /* requests of those that used it before */
	int64_t wait_until;
};

struct certdir_graph *certdir_graph_open(const struct certdir_tenant_config *config,
					 const struct certdir_http_limits *limits, struct certdir_error *error)
{
	struct certdir_graph *graph = calloc(1, sizeof(*graph));

	certdir_error_set(error, "out of memory");
	if (!graph)
		return NULL;
	graph->config = config;
	graph->limits = *limits;
	graph->base = certdir_print("%s/v1.0", config->graph);
	if (graph->base)
		graph->http = certdir_http_open(config->ca_file, &graph->limits, error);
	if (graph->http)
		graph->token = certdir_token_open(config, graph->http, &graph->limits, error);
	if (graph->token)
		return graph;
	certdir_graph_close(graph);
	return NULL;
}

void certdir_graph_close(struct certdir_graph *graph)
{
	if (!graph)
		return;
	certdir_token_close(graph->token);
	certdir_http_close(graph->http);
	free(graph->base);
	free(graph);
}

bool certdir_graph_renew(struct certdir_graph *graph, const struct certdir_http_limits *limits)
{
	graph->limits = *limits;
	graph->before = *certdir_http_counts(graph->http);
	return certdir_token_is_good(graph->token);
}

int64_t certdir_graph_credential_expires(const struct certdir_graph *graph)
{
	return certdir_token_credential_expires(graph->token);
}

const char *certdir_graph_base(const struct certdir_graph *graph)
{
	return graph->base;
}

void certdir_graph_counts(const struct certdir_graph *graph, struct certdir_http_counts *counts)
{
	const struct certdir_http_counts *all = certdir_http_counts(graph->http);

	counts->requests = all->requests - graph->before.requests;
	counts->throttled = all->throttled - graph->before.throttled;
	counts->bytes = all->bytes - graph->before.bytes;
}

/* ---- a request ---- */

struct query {
	struct certdir_graph *graph;
	const char *url;
	const char *permission;
	const char *more; /* permission that may be asked for instead, or NULL */
	const char *json; /* POSTed, or NULL */
	bool eventual;
	const struct certdir_http_sink *sink; /* NULL: the answer goes to `body` */
	char *body;
	bool renewed; /* the access token, since one was refused */
	enum certdir_graph_outcome outcome; /* of the last answer */
};

/* What an answer that is no 200 says, in an outcome and in words. */
static enum certdir_graph_outcome judge(const struct query *query, const struct certdir_http_answer *answer,
					struct certdir_error *error)
{
	const struct certdir_tenant_config *config = query->graph->config;
	struct certdir_graph_lack lack = {.managed = config->credential == CERTDIR_CREDENTIAL_MANAGED_IDENTITY};
	const struct certdir_roles *roles = certdir_token_roles(query->graph->token);
	const char *permission = query->permission;
	char missing[CERTDIR_ROLES_TEXT];
	struct certdir_graph_error said;

	certdir_graph_error_read(&said, answer->body, answer->length);
	if (!said.request_id[0])
		memcpy(said.request_id, answer->request_id, sizeof(said.request_id));
	lack.granted = !certdir_roles_missing(roles, config, permission, missing);
	if (lack.granted && query->more) {
		permission = query->more;
		lack.granted = !certdir_roles_missing(roles, config, permission, missing);
	}
	lack.permissions = lack.granted || !missing[0] ? permission : missing;
	certdir_graph_error_explain(answer->status, &said, config->graph, &lack, error);
	return certdir_graph_error_judge(answer->status, &said);
}

int64_t certdir_graph_wait_until(const struct certdir_graph *graph)
{
	return graph->wait_until;
}

static void note_wait(struct certdir_graph *graph, const char *retry_after)
{
	int64_t wait;

	if (certdir_retry_after_parse(retry_after, (int64_t)time(NULL), &wait))
		graph->wait_until = certdir_monotonic() + wait;
}

static enum certdir_http_result send(struct query *query, const char *authorization,
				     char retry_after[CERTDIR_HTTP_RETRY_AFTER], struct certdir_error *error)
{
	const struct certdir_tenant_config *config = query->graph->config;
	/* What is asked for in a body has words for people in it. */
	const char *const headers[] = {authorization,
				       query->eventual ? "ConsistencyLevel: eventual"
				       : query->json   ? "Accept-Language: en-US"
						       : NULL,
				       NULL};
	const struct certdir_http_request request = {
		.url = query->url, .headers = headers, .json = query->json, .sink = query->sink};
	struct certdir_http_answer answer = {0};
	enum certdir_http_result result = certdir_http_send(query->graph->http, &request, &answer, error);

	if (result == CERTDIR_HTTP_ANSWERED) {
		query->outcome = answer.status == 200 || (query->json && answer.status == 201)
					 ? CERTDIR_GRAPH_OK
					 : judge(query, &answer, error);
		if (query->outcome == CERTDIR_GRAPH_OK && !query->sink) {
			query->body = answer.body;
			answer.body = NULL;
		}
		memcpy(retry_after, answer.retry_after, sizeof(answer.retry_after));
		if (query->outcome == CERTDIR_GRAPH_BUSY)
			note_wait(query->graph, retry_after);
	} else if (result == CERTDIR_HTTP_LATE) {
		certdir_error_set(error,
				  "the deadline has passed while %s was answering: the tenant's `deadline` of %lld s "
				  "is too short, or the way to Graph too slow",
				  config->graph, (long long)config->deadline);
	}
	certdir_http_answer_clear(&answer);
	return result;
}

/* One attempt; a second one at once when the access token was refused, which may have been withdrawn. */
static enum certdir_http_result attempt(void *context, char retry_after[CERTDIR_HTTP_RETRY_AFTER],
					struct certdir_error *error)
{
	struct query *query = context;
	struct certdir_token *token = query->graph->token;
	const char *authorization;
	enum certdir_http_result result = certdir_token_get(token, &authorization, error);

	query->outcome = CERTDIR_GRAPH_FAILED;
	if (result != CERTDIR_HTTP_ANSWERED)
		return result;
	result = send(query, authorization, retry_after, error);
	if (result != CERTDIR_HTTP_ANSWERED)
		return result;
	if (query->outcome == CERTDIR_GRAPH_UNAUTHORIZED && !query->renewed) {
		query->renewed = true;
		certdir_token_forget(token);
		return attempt(context, retry_after, error);
	}
	return query->outcome == CERTDIR_GRAPH_BUSY ? CERTDIR_HTTP_TRANSIENT : CERTDIR_HTTP_ANSWERED;
}

bool certdir_graph_link_check(const struct certdir_graph *graph, const char *url, struct certdir_error *error)
{
	return certdir_link_check(url, graph->config->graph, error);
}

/* Attempts until one is the last. */
static enum certdir_graph_outcome run(struct query *query, certdir_retry_attempt one, struct certdir_error *error)
{
	const enum certdir_http_result result = certdir_retry_run(&query->graph->limits, one, query, error);

	if (result == CERTDIR_HTTP_STOPPED) {
		certdir_error_set(error, "stopped");
		return CERTDIR_GRAPH_STOPPED;
	}
	if (result == CERTDIR_HTTP_ANSWERED && query->outcome != CERTDIR_GRAPH_UNAUTHORIZED)
		return query->outcome;
	return query->outcome == CERTDIR_GRAPH_BUSY ? CERTDIR_GRAPH_DENIED : CERTDIR_GRAPH_FAILED;
}

enum certdir_graph_outcome certdir_graph_get(struct certdir_graph *graph, const char *url, const char *permission,
					     bool eventual, const struct certdir_http_sink *sink,
					     struct certdir_error *error)
{
	struct query query = {.graph = graph, .url = url, .permission = permission, .eventual = eventual, .sink = sink};

	return certdir_link_check(url, graph->config->graph, error) ? run(&query, attempt, error)
								    : CERTDIR_GRAPH_FAILED;
}

enum certdir_graph_outcome certdir_graph_ask(struct certdir_graph *graph, const char *url, const char *json,
					     const char *permission, const char *more, char **body,
					     struct certdir_error *error)
{
	struct query query = {.graph = graph, .url = url, .json = json, .permission = permission, .more = more};
	enum certdir_graph_outcome outcome = CERTDIR_GRAPH_FAILED;

	if (certdir_link_check(url, graph->config->graph, error))
		outcome = run(&query, attempt, error);
	*body = query.body;
	return outcome;
}

/* ---- a file of another host ---- */

/* The host is named by its link's text up to the path alone: what follows is as good as a password. */
static enum certdir_http_result attempt_download(void *context, char retry_after[CERTDIR_HTTP_RETRY_AFTER],
						 struct certdir_error *error)
{
	struct query *query = context;
	const struct certdir_http_request request = {.url = query->url, .file = true, .sink = query->sink};
	struct certdir_http_answer answer = {0};
	enum certdir_http_result result = certdir_http_send(query->graph->http, &request, &answer, error);
	const int host = (int)strcspn(query->url + strlen("https://"), "/?") + (int)strlen("https://");
	const struct certdir_graph_error nothing = {0};

	if (result == CERTDIR_HTTP_ANSWERED && answer.status != 200)
		certdir_error_set(error, "%.*s answers %ld where the report should be", host, query->url,
				  answer.status);
	query->outcome = answer.status == 200 ? CERTDIR_GRAPH_OK
			 : answer.status == 403 || answer.status == 404
				 ? CERTDIR_GRAPH_NOT_FOUND
				 : certdir_graph_error_judge(answer.status, &nothing);
	memcpy(retry_after, answer.retry_after, sizeof(answer.retry_after));
	certdir_http_answer_clear(&answer);
	if (result == CERTDIR_HTTP_LATE)
		certdir_error_set(error, "the deadline has passed while %.*s was sending the report", host, query->url);
	return result == CERTDIR_HTTP_ANSWERED && query->outcome == CERTDIR_GRAPH_BUSY ? CERTDIR_HTTP_TRANSIENT
										       : result;
}

enum certdir_graph_outcome certdir_graph_download(struct certdir_graph *graph, const char *url,
						  const struct certdir_http_sink *sink, struct certdir_error *error)
{
	struct query query = {.graph = graph, .url = url, .sink = sink};

	return certdir_link_host_check(url, graph->config->report_hosts, error) ? run(&query, attempt_download, error)
										: CERTDIR_GRAPH_FAILED;
}
