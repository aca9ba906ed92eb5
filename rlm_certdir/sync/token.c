/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/token.h"
#include "base/background.h"
#include "sync/assertion.h"
#include "sync/token_error.h"
#include "sync/managed.h"
#include "sync/retry.h"
#include "conf/secret.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define SECOND INT64_C(1000000)

enum {
	RENEW_BEFORE = 300, /* seconds */
	LIFE_MAX = 86400 /* seconds; managed identities get a day */
};

struct certdir_token {
	const struct certdir_tenant_config *config;
	const struct certdir_http_limits *limits;
	struct certdir_http *http;
	struct certdir_assertion *assertion; /* CERTIFICATE only */
	char *secret; /* SECRET only */
	struct certdir_managed *managed; /* MANAGED_IDENTITY only */
	char *url; /* of the others */
	char *header; /* NULL = no token */
	struct certdir_roles roles; /* that it grants */
	int64_t expires; /* certdir_monotonic() */
};

/* ---- open, close ---- */

/* Who is asked, for people. */
static const char *endpoint_of(const struct certdir_token *token)
{
	return token->managed ? certdir_managed_host(token->managed) : token->config->authority;
}

static bool credential_read(struct certdir_token *token, struct certdir_error *error)
{
	const struct certdir_tenant_config *config = token->config;
	char *probe;

	switch (config->credential) {
	case CERTDIR_CREDENTIAL_SECRET:
		token->secret = certdir_secret_read(config->client_secret_file, CERTDIR_SECRET_CLIENT, error);
		return token->secret != NULL;
	case CERTDIR_CREDENTIAL_CERTIFICATE:
		token->assertion =
			certdir_assertion_open(config->certificate_file, config->private_key_file,
					       config->private_key_password_file, (int64_t)time(NULL), error);
		return token->assertion != NULL;
	case CERTDIR_CREDENTIAL_FEDERATED:
		/* Read anew for each token; here only so that a wrong name is known at once. */
		probe = certdir_secret_read(config->federated_token_file, CERTDIR_SECRET_TOKEN, error);
		certdir_secret_free(probe);
		return probe != NULL;
	case CERTDIR_CREDENTIAL_MANAGED_IDENTITY:
		token->managed = certdir_managed_open(config, error);
		return token->managed != NULL;
	}
	return true;
}

struct certdir_token *certdir_token_open(const struct certdir_tenant_config *config, struct certdir_http *http,
					 const struct certdir_http_limits *limits, struct certdir_error *error)
{
	struct certdir_token *token = calloc(1, sizeof(*token));

	if (!token) {
		certdir_error_set(error, "out of memory");
		return NULL;
	}
	token->config = config;
	token->http = http;
	token->limits = limits;
	token->url = certdir_print("%s/%s/oauth2/v2.0/token", config->authority, config->tenant_id);
	if (!token->url)
		certdir_error_set(error, "out of memory");
	else if (credential_read(token, error))
		return token;
	certdir_token_close(token);
	return NULL;
}

void certdir_token_forget(struct certdir_token *token)
{
	certdir_secret_free(token->header);
	token->header = NULL;
}

void certdir_token_close(struct certdir_token *token)
{
	if (!token)
		return;
	certdir_token_forget(token);
	certdir_secret_free(token->secret);
	certdir_assertion_close(token->assertion);
	certdir_managed_close(token->managed);
	free(token->url);
	free(token);
}

const struct certdir_roles *certdir_token_roles(const struct certdir_token *token)
{
	return &token->roles;
}

int64_t certdir_token_credential_expires(const struct certdir_token *token)
{
	return token->assertion ? certdir_assertion_expires(token->assertion) : 0;
}

/* ---- the request ---- */

/* A client assertion, our own or one that somebody else signed for us. The caller frees it, wiped. */
static char *assertion_of(const struct certdir_token *token, struct certdir_error *error)
{
	const struct certdir_tenant_config *config = token->config;

	if (token->assertion)
		return certdir_assertion_make(token->assertion, token->url, config->client_id, (int64_t)time(NULL),
					      error);
	return certdir_secret_read(config->federated_token_file, CERTDIR_SECRET_TOKEN, error);
}

/* RFC 6749, 4.4 with a secret; RFC 7523, 2.2 with an assertion. NULL with `error`. */
static char *form_of(const struct certdir_token *token, struct certdir_error *error)
{
	const char *pairs[16] = {"client_id", token->config->client_id, "grant_type", "client_credentials"};
	char *scope, *assertion = NULL, *form = NULL;
	size_t at = 4;

	if (!token->secret && !(assertion = assertion_of(token, error)))
		return NULL;
	scope = certdir_print("%s/.default", token->config->graph);
	if (assertion) {
		pairs[at++] = "client_assertion_type";
		pairs[at++] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
	}
	pairs[at++] = assertion ? "client_assertion" : "client_secret";
	pairs[at++] = assertion ? assertion : token->secret;
	pairs[at++] = "scope";
	pairs[at++] = scope;
	if (scope)
		form = certdir_http_form(pairs);
	if (!form)
		certdir_error_set(error, "out of memory");
	certdir_secret_free(assertion);
	free(scope);
	return form;
}

/* ---- the answer ---- */

/* A number, or the managed identity endpoint's text with one: 0 = none. */
static int64_t seconds_of(const json_t *value)
{
	const char *text = json_string_value(value);
	char *end;
	int64_t seconds;

	if (json_is_number(value)) {
		const double number = json_number_value(value);

		return number > 0 && number < 1e15 ? (int64_t)number : 0;
	}
	if (!text || *text < '0' || *text > '9' || strlen(text) > 15)
		return 0;
	seconds = (int64_t)strtoll(text, &end, 10);
	return *end == '\0' ? seconds : 0;
}

/* How long the token is good for. App Service only tells the time of its end. */
static bool life_of(const json_t *answer, int64_t *seconds)
{
	const int64_t life = seconds_of(json_object_get(answer, "expires_in"));
	const int64_t ends = seconds_of(json_object_get(answer, "expires_on"));

	*seconds = life ? life : json_object_get(answer, "expires_in") ? 0 : ends - (int64_t)time(NULL);
	if (*seconds > LIFE_MAX)
		*seconds = LIFE_MAX;
	return *seconds > 0;
}

static void wipe(const json_t *text)
{
	if (json_is_string(text))
		explicit_bzero((void *)(uintptr_t)json_string_value(text), json_string_length(text));
}

static bool token_take(struct certdir_token *token, const struct certdir_http_answer *answer, int64_t asked,
		       struct certdir_error *error)
{
	json_t *root = json_loadb(answer->body ? answer->body : "", answer->length, 0, NULL);
	const json_t *access = json_object_get(root, "access_token");
	const char *text = json_string_value(access), *type = json_string_value(json_object_get(root, "token_type"));
	const char *wrong = NULL;
	int64_t life = 0;

	certdir_token_forget(token);
	if (!root)
		wrong = "is not JSON";
	else if (!type || strcasecmp(type, "Bearer") != 0)
		wrong = "has no token_type Bearer";
	else if (!text || !certdir_http_is_plain(text) || strlen(text) != json_string_length(access))
		wrong = "has no access_token, or one that is none";
	else if (!life_of(root, &life))
		wrong = "has no expires_in";
	else
		token->header = certdir_print("Authorization: Bearer %s", text);
	if (wrong)
		certdir_error_set(error, "the token answer of %s %s", endpoint_of(token), wrong);
	else if (!token->header)
		certdir_error_set(error, "out of memory");
	else
		certdir_roles_read(&token->roles, text);
	token->expires = asked + life * SECOND;
	wipe(access);
	wipe(json_object_get(root, "refresh_token"));
	json_decref(root);
	return token->header != NULL;
}

/* ---- one attempt, and many ---- */

static enum certdir_http_result send_form(struct certdir_token *token, struct certdir_http_answer *answer,
					  struct certdir_error *error)
{
	char *form = form_of(token, error);
	const struct certdir_http_request request = {.url = token->url, .form = form};
	enum certdir_http_result result = CERTDIR_HTTP_FAILED;

	if (form)
		result = certdir_http_send(token->http, &request, answer, error);
	certdir_secret_free(form);
	return result;
}

/* Arc's agent wants to see first that we may read what it shows to those that it trusts. */
static enum certdir_http_result send_proof(struct certdir_token *token, struct certdir_http_request request,
					   struct certdir_http_answer *answer, struct certdir_error *error)
{
	char *proof = certdir_managed_answer(token->managed, answer->challenge, error);
	const char *const headers[] = {request.headers[0], proof, NULL};
	enum certdir_http_result result = CERTDIR_HTTP_FAILED;

	certdir_http_answer_clear(answer);
	request.headers = headers;
	if (proof)
		result = certdir_http_send(token->http, &request, answer, error);
	certdir_secret_free(proof);
	return result;
}

static enum certdir_http_result send_managed(struct certdir_token *token, struct certdir_http_answer *answer,
					     struct certdir_error *error)
{
	const struct certdir_http_request request = {.url = certdir_managed_url(token->managed),
						     .headers = certdir_managed_headers(token->managed),
						     .local = true};
	enum certdir_http_result result = certdir_http_send(token->http, &request, answer, error);
	char why[CERTDIR_TEXT_MAX];

	if (result == CERTDIR_HTTP_ANSWERED && answer->status == 401 && answer->challenge[0])
		result = send_proof(token, request, answer, error);
	if (result != CERTDIR_HTTP_TRANSIENT && result != CERTDIR_HTTP_UNLIKELY)
		return result;
	/* An endpoint on this machine, or next to it, that cannot be reached is most likely none. */
	certdir_say(why, "%s", error->text);
	certdir_error_set(
		error,
		"no managed identity: %s; managed_identity = yes is for machines in Azure, or in Azure Arc, that "
		"have one",
		why);
	return CERTDIR_HTTP_UNLIKELY;
}

/* What an answer that is no 200 means. */
static enum certdir_http_result judge(const struct certdir_token *token, const struct certdir_http_answer *answer,
				      struct certdir_error *error)
{
	struct certdir_token_error said;

	certdir_token_error_read(&said, answer->body, answer->length);
	certdir_token_error_explain(answer->status, &said, token->config, endpoint_of(token), error);
	if (!certdir_token_error_transient(answer->status, &said, token->managed != NULL))
		return CERTDIR_HTTP_FAILED;
	/* Azure's endpoint says so while it starts, and others, for ever, at the same address. */
	return token->managed && answer->status == 404 ? CERTDIR_HTTP_UNLIKELY : CERTDIR_HTTP_TRANSIENT;
}

static enum certdir_http_result attempt(void *context, char retry_after[CERTDIR_HTTP_RETRY_AFTER],
					struct certdir_error *error)
{
	struct certdir_token *token = context;
	struct certdir_http_answer answer = {0};
	const int64_t asked = certdir_monotonic();
	enum certdir_http_result result =
		token->managed ? send_managed(token, &answer, error) : send_form(token, &answer, error);

	if (result == CERTDIR_HTTP_ANSWERED) {
		if (answer.status != 200)
			result = judge(token, &answer, error);
		else if (!token_take(token, &answer, asked, error))
			result = CERTDIR_HTTP_FAILED;
		memcpy(retry_after, answer.retry_after, sizeof(answer.retry_after));
	} else if (result == CERTDIR_HTTP_LATE) {
		certdir_error_set(error, "the deadline has passed while waiting for a token");
	}
	certdir_http_answer_clear(&answer);
	return result;
}

bool certdir_token_is_good(const struct certdir_token *token)
{
	return token->header && token->expires - certdir_monotonic() >= RENEW_BEFORE * SECOND;
}

enum certdir_http_result certdir_token_get(struct certdir_token *token, const char **header,
					   struct certdir_error *error)
{
	enum certdir_http_result result = CERTDIR_HTTP_ANSWERED;

	if (!certdir_token_is_good(token))
		result = certdir_retry_run(token->limits, attempt, token, error);
	*header = token->header;
	return result;
}
