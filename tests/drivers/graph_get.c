/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks a Graph what the tests want to know: argv[1] is the tenant's configuration (a JSON object), each line on stdin a
 * request, each line on stdout its answer. SIGTERM sets the stop flag.
 *   {"url": "https://..", "permission": "Device.Read.All", "eventual": true}; of a report's file, {"url": "https://..", "file": true}
 * "waits" of the answer are the pauses that it was told of.
 * An answer's body has to be JSON, or it counts as cut; {"refuse": true} refuses it for good.
 */
#include "base/background.h"
#include "sync/graph.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HELD_MAX = 1 << 20 };

static atomic_int stop;

static void on_term(int signal)
{
	(void)signal;
	stop = 1;
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static int64_t number_of(const json_t *object, const char *key)
{
	return (int64_t)json_integer_value(json_object_get(object, key));
}

struct body {
	unsigned begins, ends;
	size_t length;
	bool refuse;
	char held[HELD_MAX];
};

static void begin(void *context)
{
	struct body *body = context;

	body->begins++;
	body->length = 0;
}

static bool bytes(void *context, const char *text, size_t length, bool *retry, struct certdir_error *error)
{
	struct body *body = context;

	*retry = false;
	if (body->refuse) {
		certdir_error_set(error, "the sink refuses");
		return false;
	}
	if (body->length + length <= HELD_MAX)
		memcpy(body->held + body->length, text, length);
	body->length += length;
	return true;
}

static bool end(void *context, bool *retry, struct certdir_error *error)
{
	struct body *body = context;
	json_t *root = NULL;

	body->ends++;
	*retry = true;
	if (body->length <= HELD_MAX && !(root = json_loadb(body->held, body->length, 0, NULL))) {
		certdir_error_set(error, "the page is cut short");
		return false;
	}
	json_decref(root);
	return true;
}

static json_t *waits;

static void waiting(void *context, unsigned attempt, unsigned of, int64_t microseconds, const char *why)
{
	(void)context;
	json_array_append_new(waits, json_pack("{s:i, s:i, s:f, s:s}", "attempt", (int)attempt, "of", (int)of,
					       "seconds", (double)microseconds / 1e6, "why", why));
}

static json_t *get(struct certdir_graph *graph, const json_t *request)
{
	static const char *const outcomes[] = {
		[CERTDIR_GRAPH_OK] = "ok",
		[CERTDIR_GRAPH_RESYNC] = "resync",
		[CERTDIR_GRAPH_EXPIRED_PAGE] = "expired-page",
		[CERTDIR_GRAPH_NOT_APPLICABLE] = "not-applicable",
		[CERTDIR_GRAPH_NOT_FOUND] = "not-found",
		[CERTDIR_GRAPH_EMPTY] = "empty",
		[CERTDIR_GRAPH_STOPPED] = "stopped",
		[CERTDIR_GRAPH_FAILED] = "failed",
		[CERTDIR_GRAPH_REFUSED] = "refused",
		[CERTDIR_GRAPH_DENIED] = "denied",
	};
	static struct body body;
	const struct certdir_http_sink sink = {&body, begin, bytes, end};
	const int64_t start = certdir_monotonic();
	struct certdir_error error = {.text = ""};
	struct certdir_http_counts counts;
	enum certdir_graph_outcome outcome;
	json_t *answer;

	waits = json_array();
	body.begins = body.ends = 0;
	body.length = 0;
	body.refuse = json_is_true(json_object_get(request, "refuse"));
	outcome = json_is_true(json_object_get(request, "file"))
			  ? certdir_graph_download(graph, text_of(request, "url"), &sink, &error)
			  : certdir_graph_get(graph, text_of(request, "url"), text_of(request, "permission"),
					      json_is_true(json_object_get(request, "eventual")), &sink, &error);
	certdir_graph_counts(graph, &counts);
	answer = json_pack("{s:s, s:s, s:I, s:i, s:i, s:f, s:I, s:I, s:I, s:o}", "outcome", outcomes[outcome], "error",
			   error.text, "length", (json_int_t)body.length, "begins", (int)body.begins, "ends",
			   (int)body.ends, "seconds", (double)(certdir_monotonic() - start) / 1e6, "requests",
			   (json_int_t)counts.requests, "throttled", (json_int_t)counts.throttled, "bytes",
			   (json_int_t)counts.bytes, "waits", waits);
	return answer;
}

static void say(json_t *object)
{
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(object);
}

int main(int argc, char **argv)
{
	const struct sigaction action = {.sa_handler = on_term}, ignore = {.sa_handler = SIG_IGN};
	json_t *options = argc == 2 ? json_loads(argv[1], 0, NULL) : NULL;
	struct certdir_http_limits limits = {.stop = &stop, .waiting = waiting};
	static const char *no_groups[] = {NULL};
	const char *report_hosts[] = {NULL, NULL};
	struct certdir_tenant_config config = {.name = "contoso", .groups = no_groups, .report_hosts = report_hosts};
	struct certdir_error error = {.text = ""};
	struct certdir_graph *graph;
	char *line = NULL;
	size_t size = 0;

	if (!options)
		return 64;
	config.tenant_id = text_of(options, "tenant_id");
	config.client_id = text_of(options, "client_id");
	config.authority = text_of(options, "authority");
	config.graph = text_of(options, "graph");
	report_hosts[0] = strncmp(config.graph, "https://", 8) == 0 ? config.graph + 8 : config.graph;
	config.ca_file = text_of(options, "ca_file");
	config.credential = (enum certdir_credential)number_of(options, "credential");
	config.client_secret_file = text_of(options, "client_secret_file");
	config.certificate_file = text_of(options, "certificate_file");
	config.private_key_file = text_of(options, "private_key_file");
	config.federated_token_file = text_of(options, "federated_token_file");
	config.private_key_password_file = text_of(options, "private_key_password_file");
	config.arc_keys = text_of(options, "arc_keys");
	config.deadline = number_of(options, "deadline");
	limits.deadline = certdir_monotonic() + config.deadline * 1000000;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	graph = certdir_graph_open(&config, &limits, &error);
	say(json_pack("{s:b, s:s, s:I}", "open", graph != NULL, "error", error.text, "expires",
		      (json_int_t)(graph ? certdir_graph_credential_expires(graph) : 0)));
	while (graph && getline(&line, &size, stdin) > 0) {
		json_t *request = json_loads(line, 0, NULL);

		if (!request)
			return 64;
		say(get(graph, request));
		json_decref(request);
	}
	free(line);
	certdir_graph_close(graph);
	json_decref(options);
	return 0;
}
