/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/admin.h"

#include <stdlib.h>
#include <string.h>

#include "base/background.h"
#include "sync/retry.h"

struct question {
	const struct certdir_admin *admin;
	struct certdir_http_request request;
	struct certdir_admin_answer *answer;
};

static void take_error(struct certdir_admin_answer *said, const struct certdir_http_answer *answer, const char *graph,
		       struct certdir_error *error)
{
	char quoted[sizeof(said->said.codes[0]) + sizeof(said->said.message) + 8];

	certdir_graph_error_read(&said->said, answer->body, answer->length);
	certdir_graph_quote(quoted, sizeof(quoted), said->said.codes[0], said->said.message);
	certdir_error_set(error, "%s answers %ld%s (request-id %s)", graph, answer->status, quoted,
			  said->said.request_id[0] ? said->said.request_id : answer->request_id);
}

static enum certdir_http_result attempt(void *context, char retry_after[CERTDIR_HTTP_RETRY_AFTER],
					struct certdir_error *error)
{
	struct question *question = context;
	struct certdir_http_answer answer = {0};
	enum certdir_http_result result = certdir_http_send(question->admin->http, &question->request, &answer, error);

	question->answer->status = result == CERTDIR_HTTP_ANSWERED ? answer.status : 0;
	if (result == CERTDIR_HTTP_ANSWERED && answer.status >= 200 && answer.status < 300) {
		question->answer->body = answer.body ? json_loadb(answer.body, answer.length, 0, NULL) : NULL;
	} else if (result == CERTDIR_HTTP_ANSWERED) {
		take_error(question->answer, &answer, question->admin->graph, error);
		if (certdir_graph_error_judge(answer.status, &question->answer->said) == CERTDIR_GRAPH_BUSY)
			result = CERTDIR_HTTP_TRANSIENT;
	} else if (result == CERTDIR_HTTP_LATE) {
		certdir_error_set(error, "%s has not answered in time", question->admin->graph);
	}
	memcpy(retry_after, answer.retry_after, sizeof(answer.retry_after));
	certdir_http_answer_clear(&answer);
	if (question->admin->once && (result == CERTDIR_HTTP_TRANSIENT || result == CERTDIR_HTTP_UNLIKELY))
		result = CERTDIR_HTTP_FAILED;
	return result;
}

bool certdir_admin_ask(const struct certdir_admin *admin, const char *method, const char *path, json_t *body,
		       const char *prefer, struct certdir_admin_answer *answer, struct certdir_error *error)
{
	char *url = certdir_print("%s/v1.0%s", admin->graph, path);
	char *json = body ? json_dumps(body, JSON_COMPACT) : NULL;
	const char *const headers[] = {admin->authorization, prefer, NULL};
	struct question question = {admin, {.url = url, .headers = headers, .json = json, .method = method}, answer};
	bool ok = false;

	memset(answer, 0, sizeof(*answer));
	certdir_error_set(error, "out of memory");
	if (url && (json || !body))
		ok = certdir_retry_run(admin->limits, attempt, &question, error) == CERTDIR_HTTP_ANSWERED &&
		     answer->status >= 200 && answer->status < 300;
	json_decref(body);
	free(json);
	free(url);
	return ok;
}
