/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/signin.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/background.h"
#include "conf/secret.h"
#include "sync/graph_error.h"
#include "sync/retry.h"
#include "sync/token_error.h"
#include "text/canonical.h"

/* "Microsoft Graph Command Line Tools", a client that every tenant has or may have. It has no secret. */
#define CLIENT "14d82eec-204b-4c2f-b7e8-296a70dab67e"

enum {
	INTERVAL = 5, /* seconds: RFC 8628, 3.2, when nothing is said, and what slow_down adds (3.5) */
	LIFE = 900, /* seconds, when nothing is said */
	GUID_LENGTH = 36
};

static const char print_instead[] =
	"run certdir setup --print powershell (or az), and the commands that it prints where you may sign in";

/* Codes that mean another thing when a person signs in than when an application does. */
static const struct {
	long code;
	const char *advice; /* NULL: what print_instead says is all */
} aadsts[] = {
	/* https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
	{50020, "this account is not one of the tenant: sign in with an administrator's account of it"},
	{50034, "this account is not one of the tenant: sign in with an administrator's account of it"},
	{50105,
	 "the tenant lets only chosen users use Microsoft Graph Command Line Tools, and this account is none: sign "
	 "in as one"},
	{53000, "Conditional Access wants a compliant device: sign in with the browser of one"},
	{53001, "Conditional Access wants a domain-joined device: sign in with the browser of one"},
	{53003, "a Conditional Access policy blocks signing in by device code"},
	{530033, "a Conditional Access policy blocks signing in by device code"},
	{530035, "the tenant's security defaults block signing in by device code"},
	{65001, "this account may not consent to registering applications, and nobody has before: sign in as Global "
		"Administrator or Privileged Role Administrator"},
	{65004, "consent was declined: sign in again and accept, or sign in as another administrator"},
	{90094, "an administrator has to consent: sign in as Global Administrator or Privileged Role Administrator"},
	{90095, "an administrator has to consent: sign in as Global Administrator or Privileged Role Administrator"},
	{700016, "the tenant does not know Microsoft Graph Command Line Tools"},
	{7000112, "the tenant has disabled Microsoft Graph Command Line Tools"},
};

/* ---- one question ---- */

struct question {
	const struct certdir_signin_place *place;
	const char *url;
	const char *form; /* NULL: GET */
	json_t *answer;
	struct certdir_token_error said; /* of a refusal */
};

static void explain(const struct question *question, struct certdir_error *error, long status)
{
	const struct certdir_token_error *said = &question->said;
	const struct certdir_signin_place *place = question->place;
	char quoted[sizeof(said->error) + sizeof(said->description) + 8];

	for (size_t i = 0; i < sizeof(aadsts) / sizeof(aadsts[0]); i++)
		if (aadsts[i].code == said->code) {
			certdir_error_set(error, "nobody could sign in: AADSTS%ld: %s; otherwise %s", said->code,
					  aadsts[i].advice, print_instead);
			return;
		}
	certdir_graph_quote(quoted, sizeof(quoted), said->error, said->description);
	if (said->code == 90002 || said->code == 900023 || said->code == 50059)
		certdir_error_set(
			error,
			"%s knows no tenant %s: give its ID, or one of its domains, as the Entra admin center "
			"shows them on its overview page; is cloud the tenant's? AADSTS%ld",
			place->tenant->authority, place->tenant_id, said->code);
	else
		certdir_error_set(error, "%s answers %ld%s", place->tenant->authority, status, quoted);
}

static enum certdir_http_result attempt(void *context, char retry_after[CERTDIR_HTTP_RETRY_AFTER],
					struct certdir_error *error)
{
	struct question *question = context;
	const struct certdir_http_request request = {.url = question->url, .form = question->form};
	struct certdir_http_answer answer = {0};
	enum certdir_http_result result = certdir_http_send(question->place->http, &request, &answer, error);

	if (result == CERTDIR_HTTP_ANSWERED && answer.status == 200) {
		question->answer = json_loadb(answer.body, answer.length, 0, NULL);
	} else if (result == CERTDIR_HTTP_ANSWERED) {
		certdir_token_error_read(&question->said, answer.body, answer.length);
		explain(question, error, answer.status);
		if (certdir_token_error_transient(answer.status, &question->said, false))
			result = CERTDIR_HTTP_TRANSIENT;
	} else if (result == CERTDIR_HTTP_LATE) {
		certdir_error_set(error, "%s has not answered in time", question->place->tenant->authority);
	}
	memcpy(retry_after, answer.retry_after, sizeof(answer.retry_after));
	certdir_http_answer_clear(&answer);
	return result;
}

/* The answer, which the caller frees; NULL with `error` and what was said. */
static json_t *ask(struct question *question, struct certdir_error *error)
{
	certdir_error_set(error, "out of memory");
	if (!question->url)
		return NULL;
	if (certdir_retry_run(question->place->limits, attempt, question, error) == CERTDIR_HTTP_ANSWERED &&
	    !question->answer && !question->said.error[0] && !question->said.code)
		certdir_error_set(error, "%s answers with what is no JSON", question->place->tenant->authority);
	return question->answer;
}

/* ---- the tenant ---- */

static char *guid_in(const json_t *configuration)
{
	const char *issuer = json_string_value(json_object_get(configuration, "issuer"));
	const char *path = issuer && strncmp(issuer, "https://", 8) == 0 ? strchr(issuer + 8, '/') : NULL;
	char *id = path ? strndup(path + 1, GUID_LENGTH) : NULL;
	bool zero;

	if (id && certdir_guid_is(id, &zero) && !zero)
		return id;
	free(id);
	return NULL;
}

char *certdir_signin_tenant(const struct certdir_signin_place *place, struct certdir_error *error)
{
	char *url = certdir_print("%s/%s/v2.0/.well-known/openid-configuration", place->tenant->authority,
				  place->tenant_id);
	struct question question = {.place = place, .url = url};
	json_t *answer = ask(&question, error);
	char *id = answer ? guid_in(answer) : NULL;

	if (answer && !id)
		certdir_error_set(error,
				  "%s does not give the id of the tenant %s: give the id itself (Tenant ID on the "
				  "Entra admin center's overview page)",
				  place->tenant->authority, place->tenant_id);
	json_decref(answer);
	free(url);
	return id;
}

/* ---- the sign-in ---- */

static int64_t seconds_in(const json_t *answer, const char *name, int64_t usual)
{
	const json_int_t seconds = json_integer_value(json_object_get(answer, name));

	return seconds > 0 && seconds <= LIFE ? (int64_t)seconds : usual;
}

static bool take_codes(struct certdir_signin *signin, const json_t *answer)
{
	const json_t *device_code = json_object_get(answer, "device_code");

	certdir_graph_excerpt(signin->url, sizeof(signin->url), json_object_get(answer, "verification_uri"));
	certdir_graph_excerpt(signin->code, sizeof(signin->code), json_object_get(answer, "user_code"));
	signin->device_code = json_is_string(device_code) ? strdup(json_string_value(device_code)) : NULL;
	signin->interval = seconds_in(answer, "interval", INTERVAL);
	signin->ends = certdir_monotonic() + seconds_in(answer, "expires_in", LIFE) * CERTDIR_SECOND;
	return signin->url[0] && signin->code[0] && signin->device_code;
}

bool certdir_signin_begin(struct certdir_signin *signin, const struct certdir_signin_place *place,
			  struct certdir_error *error)
{
	const char *graph = place->tenant->graph;
	char *scope = certdir_print("%s/Application.ReadWrite.All %s/AppRoleAssignment.ReadWrite.All", graph, graph);
	const char *const pairs[] = {"client_id", CLIENT, "scope", scope, NULL};
	char *form = scope ? certdir_http_form(pairs) : NULL;
	char *url =
		form ? certdir_print("%s/%s/oauth2/v2.0/devicecode", place->tenant->authority, place->tenant_id) : NULL;
	struct question question = {.place = place, .url = url, .form = form};
	json_t *answer = ask(&question, error);
	bool ok;

	memset(signin, 0, sizeof(*signin));
	ok = answer && take_codes(signin, answer);
	if (answer && !ok)
		certdir_error_set(error, "%s gives no code to sign in with: %s", place->tenant->authority,
				  print_instead);
	json_decref(answer);
	free(scope);
	free(form);
	free(url);
	return ok;
}

static char *header_of(const json_t *answer, struct certdir_error *error)
{
	const json_t *token = json_object_get(answer, "access_token");
	const char *text = json_string_value(token);
	char *header = NULL;

	certdir_error_set(error, "the answer to the sign-in has no access token");
	if (text && strlen(text) == json_string_length(token) && certdir_http_is_plain(text))
		header = certdir_print("Authorization: Bearer %s", text);
	if (text)
		explicit_bzero((void *)(uintptr_t)text, json_string_length(token));
	return header;
}

/* Whether to ask once more. RFC 8628, 3.5; what Entra ID calls otherwise stands beside it. */
static bool may_wait(struct certdir_signin *signin, const struct question *question, struct certdir_error *error)
{
	const char *said = question->said.error;

	if (strcmp(said, "slow_down") == 0)
		signin->interval += INTERVAL;
	if (strcmp(said, "slow_down") == 0 || strcmp(said, "authorization_pending") == 0)
		return true;
	if (strcmp(said, "expired_token") == 0 || strcmp(said, "code_expired") == 0)
		certdir_error_set(error, "nobody has signed in before the code ended: run certdir setup again");
	else if (strcmp(said, "access_denied") == 0 || strcmp(said, "authorization_declined") == 0)
		certdir_error_set(error, "the sign-in was declined: run certdir setup again, or %s", print_instead);
	return false;
}

char *certdir_signin_wait(struct certdir_signin *signin, const struct certdir_signin_place *place,
			  struct certdir_error *error)
{
	const char *const pairs[] = {"client_id",   CLIENT,
				     "device_code", signin->device_code,
				     "grant_type",  "urn:ietf:params:oauth:grant-type:device_code",
				     NULL};
	char *form = certdir_http_form(pairs), *header = NULL;
	char *url = form ? certdir_print("%s/%s/oauth2/v2.0/token", place->tenant->authority, place->tenant_id) : NULL;
	bool again = true;

	while (again) {
		struct question question = {.place = place, .url = url, .form = form};
		json_t *answer;

		if (!certdir_retry_sleep(place->limits, certdir_monotonic() + signin->interval * CERTDIR_SECOND)) {
			certdir_error_set(error, "stopped");
			break;
		}
		answer = ask(&question, error);
		if (answer)
			header = header_of(answer, error);
		again = !answer && may_wait(signin, &question, error);
		json_decref(answer);
		if (again && certdir_monotonic() > signin->ends) {
			certdir_error_set(error, "nobody has signed in before the code ended: run certdir setup again");
			again = false;
		}
	}
	certdir_secret_free(form);
	free(url);
	return header;
}

void certdir_signin_clear(struct certdir_signin *signin)
{
	certdir_secret_free(signin->device_code);
	memset(signin, 0, sizeof(*signin));
}
