/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/token.h"
#include "background.h"
#include "sync/assertion.h"
#include "sync/graph_error.h"
#include "sync/retry.h"
#include "secret.h"

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
	const struct certdir_graph_limits *limits;
	struct certdir_http *http;
	struct certdir_assertion *assertion; /* CERTIFICATE only */
	char *secret; /* SECRET only */
	char *url;
	char *header; /* NULL = no token */
	struct certdir_permissions permissions; /* that it grants */
	int64_t expires; /* certdir_monotonic() */
};

/* ---- open, close ---- */

/* Where the endpoint is elsewhere, this variable says so, to Microsoft's own libraries as well. */
static const char *managed_host(void)
{
	const char *host = secure_getenv("AZURE_POD_IDENTITY_AUTHORITY_HOST");

	return host && host[0] ? host : "http://169.254.169.254";
}

static char *managed_url(const struct certdir_tenant_config *config)
{
	const char *const pairs[] = {
		"api-version",	   "2018-02-01", "resource", config->graph, config->client_id ? "client_id" : NULL,
		config->client_id, NULL};
	char *query = certdir_http_form(pairs), *url = NULL;

	if (query && asprintf(&url, "%s/metadata/identity/oauth2/token?%s", managed_host(), query) < 0)
		url = NULL;
	free(query);
	return url;
}

/* Who is asked, for people. */
static const char *endpoint_of(const struct certdir_tenant_config *config)
{
	return config->credential == CERTDIR_CREDENTIAL_MANAGED_IDENTITY ? managed_host() : config->authority;
}

static char *tenant_url(const struct certdir_tenant_config *config)
{
	char *url = NULL;

	if (asprintf(&url, "%s/%s/oauth2/v2.0/token", config->authority, config->tenant_id) < 0)
		return NULL;
	return url;
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
		break;
	}
	return true;
}

struct certdir_token *certdir_token_open(const struct certdir_tenant_config *config, struct certdir_http *http,
					 const struct certdir_graph_limits *limits, struct certdir_error *error)
{
	struct certdir_token *token = calloc(1, sizeof(*token));

	if (!token) {
		certdir_error_set(error, "out of memory");
		return NULL;
	}
	token->config = config;
	token->http = http;
	token->limits = limits;
	token->url =
		config->credential == CERTDIR_CREDENTIAL_MANAGED_IDENTITY ? managed_url(config) : tenant_url(config);
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
	free(token->url);
	free(token);
}

const struct certdir_permissions *certdir_token_permissions(const struct certdir_token *token)
{
	return &token->permissions;
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
	char *scope = NULL, *assertion = NULL, *form = NULL;
	size_t at = 4;

	if (!token->secret && !(assertion = assertion_of(token, error)))
		return NULL;
	if (asprintf(&scope, "%s/.default", token->config->graph) < 0)
		scope = NULL;
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

/* A number, or the managed identity endpoint's text with one. */
static bool life_of(const json_t *value, int64_t *seconds)
{
	const char *text = json_string_value(value);
	char *end;

	if (json_is_number(value)) {
		const double number = json_number_value(value);

		*seconds = number > LIFE_MAX ? LIFE_MAX : number > 0 ? (int64_t)number : 0;
		return number > 0;
	}
	if (!text || *text < '0' || *text > '9')
		return false;
	*seconds = (int64_t)strtoll(text, &end, 10);
	if (*seconds > LIFE_MAX)
		*seconds = LIFE_MAX;
	return *end == '\0' && *seconds > 0;
}

/* Goes into a header line: nothing that could end it. */
static bool is_sane(const char *text)
{
	if (!text || !*text)
		return false;
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
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
	else if (!is_sane(text) || strlen(text) != json_string_length(access))
		wrong = "has no access_token, or one that is none";
	else if (!life_of(json_object_get(root, "expires_in"), &life))
		wrong = "has no expires_in";
	else if (asprintf(&token->header, "Authorization: Bearer %s", text) < 0)
		token->header = NULL;
	if (wrong)
		certdir_error_set(error, "the token answer of %s %s", endpoint_of(token->config), wrong);
	else if (!token->header)
		certdir_error_set(error, "out of memory");
	else
		certdir_permissions_read(&token->permissions, text);
	token->expires = asked + life * SECOND;
	wipe(access);
	wipe(json_object_get(root, "refresh_token"));
	json_decref(root);
	return token->header != NULL;
}

/* ---- one attempt, and many ---- */

enum attempt { DONE, AGAIN, UNLIKELY, FAILED, STOPPED };

/* retry_after: of an answer that is worth AGAIN. UNLIKELY: the same, but it will hardly get better soon. */
static enum attempt ask_once(struct certdir_token *token, char retry_after[64], struct certdir_error *error)
{
	const bool managed = token->config->credential == CERTDIR_CREDENTIAL_MANAGED_IDENTITY;
	static const char *const managed_headers[] = {"Metadata: true", NULL};
	struct certdir_http_request request = {.url = token->url, .local = managed};
	struct certdir_http_answer answer = {0};
	const int64_t asked = certdir_monotonic();
	struct certdir_token_error said;
	enum attempt outcome = FAILED;
	char *form = NULL;
	bool late;

	retry_after[0] = '\0';
	if (managed)
		request.headers = managed_headers;
	else if (!(request.form = form = form_of(token, error)))
		return FAILED;
	switch (certdir_http_send(token->http, &request, &answer, &late, error)) {
	case CERTDIR_HTTP_ANSWERED:
		if (answer.status == 200) {
			outcome = token_take(token, &answer, asked, error) ? DONE : FAILED;
			break;
		}
		certdir_token_error_read(&said, answer.body, answer.length);
		certdir_token_error_explain(answer.status, &said, token->config, endpoint_of(token->config), error);
		outcome = certdir_token_error_transient(answer.status, &said, managed) ? AGAIN : FAILED;
		memcpy(retry_after, answer.retry_after, sizeof(answer.retry_after));
		break;
	case CERTDIR_HTTP_TRANSIENT:
		/* An endpoint on this machine, or next to it, that cannot be reached is most likely none. */
		outcome = managed ? UNLIKELY : AGAIN;
		break;
	case CERTDIR_HTTP_UNLIKELY:
		outcome = UNLIKELY;
		break;
	case CERTDIR_HTTP_FAILED:
		break;
	case CERTDIR_HTTP_STOPPED:
		if (late)
			certdir_error_set(error, "the deadline has passed while waiting for a token");
		outcome = late ? FAILED : STOPPED;
		break;
	}
	certdir_http_answer_clear(&answer);
	certdir_secret_free(form);
	return outcome;
}

enum certdir_graph_outcome certdir_token_get(struct certdir_token *token, const char **header,
					     struct certdir_error *error)
{
	struct certdir_retry retry = {.limits = token->limits, .began = certdir_monotonic()};
	struct certdir_error cause = {""};
	enum attempt attempt;
	char retry_after[64];

	while (!token->header || token->expires - certdir_monotonic() < RENEW_BEFORE * SECOND) {
		attempt = ask_once(token, retry_after, &cause);
		switch (attempt) {
		case DONE:
			*header = token->header;
			return CERTDIR_GRAPH_OK;
		case FAILED:
			*error = cause;
			return CERTDIR_GRAPH_FAILED;
		case STOPPED:
			return CERTDIR_GRAPH_STOPPED;
		case AGAIN:
		case UNLIKELY:
			break;
		}
		switch (certdir_retry_wait(&retry, retry_after, attempt == UNLIKELY, cause.text, error)) {
		case CERTDIR_RETRY_OVER:
			return CERTDIR_GRAPH_FAILED;
		case CERTDIR_RETRY_STOPPED:
			return CERTDIR_GRAPH_STOPPED;
		case CERTDIR_RETRY_NOW:
			break;
		}
	}
	*header = token->header;
	return CERTDIR_GRAPH_OK;
}
