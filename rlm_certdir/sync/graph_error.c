/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/graph_error.h"
#include "text/excerpt.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void clean_json(char *out, size_t size, const json_t *text)
{
	if (json_is_string(text))
		(void)certdir_excerpt(out, size, json_string_value(text), json_string_length(text));
}

/* ---- Graph ---- */

static const json_t *member(const json_t *object, const char *name, const char *other)
{
	const json_t *found = json_object_get(object, name);

	return found ? found : json_object_get(object, other);
}

static void read_inner(struct certdir_graph_error *said, const json_t *error)
{
	size_t count = 0;

	/* Newer answers write innerError, older ones innererror; each may have one more inside, more specific. */
	for (; error && count < CERTDIR_GRAPH_CODES; error = member(error, "innerError", "innererror")) {
		const json_t *code = json_object_get(error, "code");

		if (!said->request_id[0])
			clean_json(said->request_id, sizeof(said->request_id), json_object_get(error, "request-id"));
		if (json_is_string(code))
			clean_json(said->codes[count++], sizeof(said->codes[0]), code);
		else if (count == 0)
			count = 1; /* the first place is error.code's own */
	}
}

/* Intune: the message is JSON, whose "Message" is JSON, whose "Message" is the message, followed by ids and a URL. */
static void read_message(struct certdir_graph_error *said, const json_t *error)
{
	static const char tail[] = " - Operation ID";
	json_t *unwrapped = NULL;
	const char *text = json_string_value(json_object_get(error, "message"));
	const char *end;

	for (int depth = 0; text && depth < 4; depth++) {
		json_t *inside = text[0] == '{' ? json_loads(text, 0, NULL) : NULL;
		const char *message = json_string_value(member(inside, "Message", "message"));

		if (!message) {
			json_decref(inside);
			break;
		}
		text = message;
		json_decref(unwrapped);
		unwrapped = inside;
	}
	end = text ? strstr(text, tail) : NULL;
	if (text)
		(void)certdir_excerpt(said->message, sizeof(said->message), text,
				      end ? (size_t)(end - text) : strlen(text));
	json_decref(unwrapped);
}

void certdir_graph_error_read(struct certdir_graph_error *said, const char *body, size_t length)
{
	json_t *root = json_loadb(body ? body : "", length, 0, NULL);
	const json_t *error = json_object_get(root, "error");

	*said = (struct certdir_graph_error){0};
	if (json_is_object(error)) {
		read_inner(said, error);
		read_message(said, error);
	}
	json_decref(root);
}

static bool says(const struct certdir_graph_error *said, const char *code)
{
	for (size_t i = 0; i < CERTDIR_GRAPH_CODES; i++)
		if (strcasecmp(said->codes[i], code) == 0)
			return true;
	return false;
}

enum certdir_graph_outcome certdir_graph_error_judge(long status, const struct certdir_graph_error *said)
{
	switch (status) {
	case 408:
	case 429:
	case 500:
	case 502:
	case 503:
	case 504:
		return CERTDIR_GRAPH_BUSY;
	default:
		break;
	}
	/* https://learn.microsoft.com/graph/delta-query-overview: 410, or a 40x with one of these codes, in any case. */
	if (status == 410 ||
	    (status >= 400 && status < 500 && (says(said, "syncStateNotFound") || says(said, "resyncRequired"))))
		return CERTDIR_GRAPH_RESYNC;
	if (status >= 400 && status < 500 && says(said, "Directory_ExpiredPageToken"))
		return CERTDIR_GRAPH_EXPIRED_PAGE;
	if (status == 400 && strcasestr(said->message, "Request not applicable to target tenant"))
		return CERTDIR_GRAPH_NOT_APPLICABLE;
	return status == 401   ? CERTDIR_GRAPH_UNAUTHORIZED
	       : status == 404 ? CERTDIR_GRAPH_NOT_FOUND
	       : status == 400 ? CERTDIR_GRAPH_REFUSED
			       : CERTDIR_GRAPH_FAILED;
}

/* "code: message", as much as there is. */
static void quote(char *out, size_t size, const char *code, const char *message)
{
	(void)snprintf(out, size, "%s%s%s%s", code[0] || message[0] ? " " : "", code, code[0] && message[0] ? ": " : "",
		       message);
}

/* What is to be done about a 401 or 403, or NULL: then nobody knows. */
static const char *advice_on(long status, const struct certdir_graph_error *said, const struct certdir_graph_lack *lack)
{
	static const char managed[] =
		"assign the application roles of Microsoft Graph to the managed identity (its tokens "
		"are kept for up to a day, so it may take that long)";
	static const char consent[] =
		"in the Entra admin center, App registrations, API permissions, add them as "
		"application permissions (not delegated) of Microsoft Graph and grant admin consent";

	if ((status == 403 && !lack->granted) || (status == 401 && says(said, "Authorization_IdentityNotFound")))
		return lack->managed ? managed : consent;
	if (status == 401)
		return "do authority and graph belong to the same cloud?";
	return NULL;
}

void certdir_graph_error_explain(long status, const struct certdir_graph_error *said, const char *host,
				 const struct certdir_graph_lack *lack, struct certdir_error *error)
{
	char quoted[sizeof(said->codes[0]) + sizeof(said->message) + 8], id[sizeof(said->request_id) + 16] = "";
	const char *advice = advice_on(status, said, lack);

	quote(quoted, sizeof(quoted), said->codes[0], said->message);
	if (said->request_id[0])
		(void)snprintf(id, sizeof(id), " (request-id %s)", said->request_id);
	/* What to do comes first: the words of the server may be long. */
	if (status == 403 && advice)
		certdir_error_set(error, "missing permissions: %s: %s; %s answers 403%s%s", lack->permissions, advice,
				  host, quoted, id);
	else if (status == 403)
		certdir_error_set(error, "%s answers 403 although the access token grants %s:%s%s", host,
				  lack->permissions, quoted, id);
	else if (status == 401 && says(said, "Authorization_IdentityNotFound"))
		certdir_error_set(error,
				  "the tenant does not know the application yet, or nobody has consented to its "
				  "permissions (%s): %s; %s answers 401%s%s",
				  lack->permissions, advice, host, quoted, id);
	else if (status == 401)
		certdir_error_set(error, "%s does not accept a new access token either: %s 401%s%s", host, advice,
				  quoted, id);
	else
		certdir_error_set(error, "%s answers %ld%s%s", host, status, quoted, id);
}

/* ---- tokens ---- */

static const struct {
	long code;
	bool transient;
	const char *advice;
} aadsts[] = {
	/* https://learn.microsoft.com/entra/identity-platform/reference-error-codes, and https://login.microsoftonline.com/error */
	{50196, false, "too many requests for tokens in a short time: is something restarting certdir over and over?"},
	{53003, false,
	 "a Conditional Access policy blocks the application: exclude it, or allow this machine's address"},
	{500011, false, "the tenant does not know this Graph: cloud (or graph) is not the one of the tenant"},
	{65001, false, "consent is missing: grant admin consent to the application's permissions"},
	{70001, false, "the application is disabled or not in this tenant: check client_id and tenant_id"},
	{70011, false, "the scope is wrong: cloud (or graph) is not the one of the tenant"},
	{70021, false, "no federated credential of the application matches the token's issuer, subject and audience"},
	{700016, false, "no such application in this tenant: check client_id and tenant_id"},
	{700024, false,
	 "the assertion is not within its time: check this machine's clock, and that the federated token is fresh"},
	{700027, false,
	 "the certificate is not one of the application's, or has expired: upload certificate_file to it"},
	{700211, false, "no federated credential of the application has the token's issuer"},
	{700212, false, "no federated credential of the application has the token's audience"},
	{700213, false, "no federated credential of the application has the token's subject"},
	{7000112, false, "the application is disabled: enable its enterprise application"},
	{7000215, false, "the client secret is wrong: client_secret_file needs the secret's value, not its ID"},
	{7000218, false, "the application wants a secret or an assertion, and got none"},
	{7000222, false, "the client secret has expired: make a new one under Certificates & secrets"},
	{7000229, false, "the application has no service principal in this tenant: grant admin consent there"},
	{90002, false, "no such tenant: check tenant_id, and that cloud is the tenant's"},
	{900023, false, "tenant_id is no tenant's id"},
	{90038, false, "the tenant belongs to another cloud: check cloud"},
	{900382, false, "the application belongs to another cloud than the tenant: check cloud"},
	{900432, false, "the application belongs to another cloud than the tenant: check cloud"},
	{1002016, false, "TLS 1.2 is needed: does a proxy in between speak an older one?"},
	{50033, true, "Entra ID has a passing trouble"},
	{90024, true, "Entra ID has a passing trouble"},
	{90033, true, "Entra ID's directory is not available just now"},
	{90055, true, "the tenant sends too many requests"},
	{90090, true, "Entra ID is not available just now"},
};

/* The number of "AADSTS7000215: ..", 0 = none. */
static long code_of(const char *description)
{
	static const char prefix[] = "AADSTS";

	if (strncmp(description, prefix, sizeof(prefix) - 1) != 0)
		return 0;
	return strtol(description + sizeof(prefix) - 1, NULL, 10);
}

void certdir_token_error_read(struct certdir_token_error *said, const char *body, size_t length)
{
	json_t *root = json_loadb(body ? body : "", length, 0, NULL);
	const char *description = json_string_value(json_object_get(root, "error_description"));
	const char *trace = description ? strstr(description, " Trace ID:") : NULL;
	const json_t *first = json_array_get(json_object_get(root, "error_codes"), 0);

	*said = (struct certdir_token_error){0};
	clean_json(said->error, sizeof(said->error), json_object_get(root, "error"));
	if (description) {
		size_t line = strcspn(description, "\r\n");

		if (trace && (size_t)(trace - description) < line)
			line = (size_t)(trace - description);
		(void)certdir_excerpt(said->description, sizeof(said->description), description, line);
		said->code = code_of(description);
	}
	if (said->code <= 0)
		said->code = json_is_integer(first) ? (long)json_integer_value(first) : 0;
	json_decref(root);
}

static const char *advice_of(long code, bool *transient)
{
	*transient = false;
	for (size_t i = 0; i < sizeof aadsts / sizeof *aadsts; i++) {
		if (aadsts[i].code != code)
			continue;
		*transient = aadsts[i].transient;
		return aadsts[i].advice;
	}
	return NULL;
}

bool certdir_token_error_transient(long status, const struct certdir_token_error *said, bool managed)
{
	bool transient;

	(void)advice_of(said->code, &transient);
	if (transient || strcmp(said->error, "temporarily_unavailable") == 0)
		return true;
	/* https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token#error-handling */
	if (managed && (status == 404 || status == 410))
		return true;
	return status == 408 || status == 429 || (status >= 500 && status <= 599);
}

void certdir_token_error_explain(long status, const struct certdir_token_error *said,
				 const struct certdir_tenant_config *config, const char *host,
				 struct certdir_error *error)
{
	const char *id = config->client_id ? config->client_id : "(none)";
	bool transient;
	const char *advice = advice_of(said->code, &transient);
	char quoted[sizeof(said->error) + sizeof(said->description) + 8];

	quote(quoted, sizeof(quoted), said->error, said->description);
	if (config->credential == CERTDIR_CREDENTIAL_MANAGED_IDENTITY && status == 400)
		certdir_error_set(
			error,
			"the managed identity endpoint %s has no token for client_id %s: assign that identity to this "
			"machine; 400%s",
			host, id, quoted);
	else if (config->credential == CERTDIR_CREDENTIAL_MANAGED_IDENTITY &&
		 (status == 401 || status == 403 || status == 404))
		certdir_error_set(
			error,
			"%s gives no token to client_id %s: is this a machine in Azure, or in Azure Arc, that has a "
			"managed identity? %ld%s",
			host, id, status, quoted);
	else if (advice)
		certdir_error_set(error, "%s gives no token to client_id %s in tenant_id %s: AADSTS%ld: %s", host, id,
				  config->tenant_id, said->code, advice);
	else
		certdir_error_set(error, "%s gives no token to client_id %s in tenant_id %s: %ld%s", host, id,
				  config->tenant_id, status, quoted);
}
