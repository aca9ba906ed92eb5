/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/export.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/background.h"
#include "sync/retry.h"
#include "text/excerpt.h"

#define SECOND INT64_C(1000000)

/* Seconds: a report of a thousand certificates is made at once, one of a million takes minutes. */
enum { PAUSE_FIRST = 1, PAUSE_LONGEST = 30 };

static const char permission[] = "DeviceManagementConfiguration.Read.All";
/* Documented for creating a job, where reading it is enough in most tenants. */
static const char more[] = "DeviceManagementConfiguration.ReadWrite.All";

/* Columns come as they are, and those for people beside them, in the language that the request asks for (Accept-Language). */
const char certdir_export_request[] =
	"{\"reportName\":\"AllDeviceCertificates\",\"format\":\"csv\",\"localizationType\":"
	"\"localizedValuesAsAdditionalColumn\",\"select\":[\"Thumbprint\",\"SerialNumber\","
	"\"IssuerName\",\"DeviceId\",\"UserId\",\"UPN\",\"ValidFrom\",\"ValidTo\",\"CertificateStatus\",\"PolicyId\"]}";

/* What an answer says of the job. */
struct state {
	json_t *root;
	const char *status, *id, *url;
};

static enum certdir_graph_outcome ask(struct certdir_graph *graph, const char *path, const char *json,
				      struct state *state, struct certdir_error *error)
{
	char *url = certdir_print("%s/deviceManagement/reports/exportJobs%s", certdir_graph_base(graph), path);
	enum certdir_graph_outcome outcome = CERTDIR_GRAPH_FAILED;
	char *body = NULL;

	json_decref(state->root);
	state->root = NULL;
	certdir_error_set(error, "out of memory");
	if (url)
		outcome = certdir_graph_ask(graph, url, json, permission, json ? more : NULL, &body, error);
	if (outcome == CERTDIR_GRAPH_OK) {
		state->root = json_loads(body ? body : "", 0, NULL);
		state->status = json_string_value(json_object_get(state->root, "status"));
		state->id = json_string_value(json_object_get(state->root, "id"));
		state->url = json_string_value(json_object_get(state->root, "url"));
	}
	free(body);
	free(url);
	if (outcome != CERTDIR_GRAPH_OK || (state->status && state->id))
		return outcome;
	certdir_error_set(error, "Graph's answer about the report of certificates has no id or no status");
	return CERTDIR_GRAPH_FAILED;
}

/* "('ID')" of a job, which goes into a URL. NULL with `error`. */
static char *path_of(const char *id, struct certdir_error *error)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
	char *path = NULL;

	if (!*id || id[strspn(id, plain)] || strlen(id) > 200)
		certdir_error_set(error, "Graph gave the report of certificates an id that is none");
	else if (!(path = certdir_print("('%s')", id)))
		certdir_error_set(error, "out of memory");
	return path;
}

/* Asks until the job is done. */
static enum certdir_graph_outcome wait_for(struct certdir_graph *graph, const struct certdir_http_limits *limits,
					   struct state *state, struct certdir_error *error)
{
	char *path = path_of(state->id, error);
	enum certdir_graph_outcome outcome = path ? CERTDIR_GRAPH_OK : CERTDIR_GRAPH_FAILED;
	int64_t pause = PAUSE_FIRST * SECOND;

	for (unsigned attempt = 2; outcome == CERTDIR_GRAPH_OK; attempt++) {
		if (strcmp(state->status, "notStarted") != 0 && strcmp(state->status, "inProgress") != 0)
			break;
		if (certdir_monotonic() + pause >= limits->deadline) {
			certdir_error_set(error, "Intune has not made the report of certificates before the tenant's "
						 "`deadline`: make that longer");
			outcome = CERTDIR_GRAPH_FAILED;
			break;
		}
		if (limits->waiting)
			limits->waiting(limits->context, attempt, 0, pause, "Intune is making the report");
		outcome = CERTDIR_GRAPH_STOPPED;
		if (certdir_retry_sleep(limits, certdir_monotonic() + pause))
			outcome = ask(graph, path, NULL, state, error);
		pause = pause * 2 < PAUSE_LONGEST * SECOND ? pause * 2 : PAUSE_LONGEST * SECOND;
	}
	free(path);
	return outcome;
}

enum certdir_graph_outcome certdir_export_make(struct certdir_graph *graph, const struct certdir_http_limits *limits,
					       char **url, struct certdir_error *error)
{
	struct state state = {.root = NULL};
	enum certdir_graph_outcome outcome;
	char shown[64];

	*url = NULL;
	outcome = ask(graph, "", certdir_export_request, &state, error);
	if (outcome == CERTDIR_GRAPH_OK)
		outcome = wait_for(graph, limits, &state, error);
	if (outcome == CERTDIR_GRAPH_OK && strcmp(state.status, "completed") != 0) {
		outcome = CERTDIR_GRAPH_BUSY;
		certdir_error_set(error, "Intune has not made the report of certificates: its status is \"%s\"",
				  certdir_excerpt(shown, sizeof(shown), state.status, strlen(state.status)));
	} else if (outcome == CERTDIR_GRAPH_OK) {
		*url = state.url ? strdup(state.url) : NULL;
		if (!*url) {
			outcome = CERTDIR_GRAPH_FAILED;
			certdir_error_set(error,
					  "Graph says that the report of certificates is made, but not where it is");
		}
	}
	json_decref(state.root);
	return outcome;
}
