/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/graph.h"
#include "base/background.h"
#include "sync/graph_error.h"
#include "sync/http.h"
#include "sync/link.h"
#include "sync/retry.h"
#include "sync/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct certdir_graph {
	const struct certdir_tenant_config *config;
	struct certdir_http_limits limits;
	struct certdir_http *http;
	struct certdir_token *token;
	char *base;
};

struct certdir_graph *certdir_graph_open(const struct certdir_tenant_config *config,
					 const struct certdir_http_limits *limits, struct certdir_error *error)
{
	struct certdir_graph *graph = calloc(1, sizeof(*graph));
	struct certdir_error cause = {"out of memory"};

	if (!graph)
		goto fail;
	graph->config = config;
	graph->limits = *limits;
	if (asprintf(&graph->base, "%s/v1.0", config->graph) < 0) {
		graph->base = NULL;
		goto fail;
	}
	graph->http = certdir_http_open(config->ca_file, &graph->limits, &cause);
	if (!graph->http)
		goto fail;
	graph->token = certdir_token_open(config, graph->http, &graph->limits, &cause);
	if (graph->token)
		return graph;
fail:
	certdir_error_set(error, "tenant %s: %s", config->name, cause.text);
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
	*counts = *certdir_http_counts(graph->http);
}

/* ---- a request ---- */

struct query {
	struct certdir_graph *graph;
	const char *url;
	const char *permission;
	bool eventual;
	const struct certdir_http_sink *sink;
};

/* What an answer that is no 200 says, in an outcome and in words. */
static enum certdir_graph_next judge(const struct query *query, const struct certdir_http_answer *answer,
				     enum certdir_graph_outcome *outcome, struct certdir_error *error)
{
	const struct certdir_tenant_config *config = query->graph->config;
	struct certdir_graph_lack lack = {.managed = config->credential == CERTDIR_CREDENTIAL_MANAGED_IDENTITY};
	char missing[CERTDIR_ROLES_TEXT];
	struct certdir_graph_error said;

	certdir_graph_error_read(&said, answer->body, answer->length);
	if (!said.request_id[0])
		memcpy(said.request_id, answer->request_id, sizeof(said.request_id));
	lack.granted =
		!certdir_roles_missing(certdir_token_roles(query->graph->token), config, query->permission, missing);
	lack.permissions = lack.granted || !missing[0] ? query->permission : missing;
	certdir_graph_error_explain(answer->status, &said, config->graph, &lack, error);
	return certdir_graph_error_judge(answer->status, &said, outcome);
}

/* One attempt. END: `outcome`; AGAIN, UNLIKELY: `error` is the cause, and `retry_after` what the server says of it. */
static enum certdir_graph_next attempt(const struct query *query, const char *authorization, char retry_after[64],
				       enum certdir_graph_outcome *outcome, struct certdir_error *error)
{
	struct certdir_graph *graph = query->graph;
	const char *const headers[] = {authorization, query->eventual ? "ConsistencyLevel: eventual" : NULL, NULL};
	const struct certdir_http_request request = {.url = query->url, .headers = headers, .sink = query->sink};
	struct certdir_http_answer answer = {0};
	enum certdir_graph_next next = CERTDIR_GRAPH_END;
	bool late;

	*outcome = CERTDIR_GRAPH_FAILED;
	retry_after[0] = '\0';
	switch (certdir_http_send(graph->http, &request, &answer, &late, error)) {
	case CERTDIR_HTTP_ANSWERED:
		if (answer.status == 200) {
			*outcome = CERTDIR_GRAPH_OK;
			break;
		}
		next = judge(query, &answer, outcome, error);
		memcpy(retry_after, answer.retry_after, sizeof(answer.retry_after));
		break;
	case CERTDIR_HTTP_TRANSIENT:
		next = CERTDIR_GRAPH_AGAIN;
		break;
	case CERTDIR_HTTP_UNLIKELY:
		next = CERTDIR_GRAPH_UNLIKELY;
		break;
	case CERTDIR_HTTP_FAILED:
		break;
	case CERTDIR_HTTP_STOPPED:
		if (late)
			certdir_error_set(
				error,
				"the deadline has passed while %s was answering: the tenant's `deadline` of %lld s "
				"is too short, or the way to Graph too slow",
				graph->config->graph, (long long)graph->config->deadline);
		else
			*outcome = CERTDIR_GRAPH_STOPPED;
		break;
	}
	certdir_http_answer_clear(&answer);
	return next;
}

static enum certdir_graph_outcome get(const struct query *query, struct certdir_error *error)
{
	struct certdir_token *token = query->graph->token;
	struct certdir_retry retry = {.limits = &query->graph->limits, .began = certdir_monotonic()};
	enum certdir_graph_next next;
	enum certdir_graph_outcome outcome;
	struct certdir_error cause = {""};
	const char *authorization;
	char retry_after[64];
	bool renewed = false;

	for (;;) {
		outcome = certdir_token_get(token, &authorization, error);
		if (outcome != CERTDIR_GRAPH_OK)
			return outcome;
		next = attempt(query, authorization, retry_after, &outcome, &cause);
		if (next == CERTDIR_GRAPH_END || (next == CERTDIR_GRAPH_RENEW && renewed)) {
			*error = cause;
			return outcome;
		}
		if (next == CERTDIR_GRAPH_RENEW) {
			renewed = true;
			certdir_token_forget(token);
			continue;
		}
		switch (certdir_retry_wait(&retry, retry_after, next == CERTDIR_GRAPH_UNLIKELY, cause.text, error)) {
		case CERTDIR_RETRY_OVER:
			return CERTDIR_GRAPH_FAILED;
		case CERTDIR_RETRY_STOPPED:
			return CERTDIR_GRAPH_STOPPED;
		case CERTDIR_RETRY_NOW:
			break;
		}
	}
}

bool certdir_graph_link_check(const struct certdir_graph *graph, const char *url, struct certdir_error *error)
{
	return certdir_link_check(url, graph->config->graph, error);
}

enum certdir_graph_outcome certdir_graph_get(struct certdir_graph *graph, const char *url, const char *permission,
					     bool eventual, const struct certdir_http_sink *sink,
					     struct certdir_error *error)
{
	const struct query query = {graph, url, permission, eventual, sink};
	enum certdir_graph_outcome outcome = CERTDIR_GRAPH_FAILED;
	struct certdir_error cause = {""};

	if (certdir_link_check(url, graph->config->graph, &cause))
		outcome = get(&query, &cause);
	if (outcome == CERTDIR_GRAPH_STOPPED)
		certdir_error_set(error, "tenant %s: stopped", graph->config->name);
	else if (outcome != CERTDIR_GRAPH_OK)
		certdir_error_set(error, "tenant %s: %s", graph->config->name, cause.text);
	return outcome;
}
