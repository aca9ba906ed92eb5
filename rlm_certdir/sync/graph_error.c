/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/graph_error.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "text/excerpt.h"

void certdir_graph_excerpt(char *out, size_t size, const json_t *text)
{
	if (json_is_string(text))
		(void)certdir_excerpt(out, size, json_string_value(text), json_string_length(text));
}

void certdir_graph_quote(char *out, size_t size, const char *code, const char *message)
{
	(void)snprintf(out, size, "%s%s%s%s", code[0] || message[0] ? " " : "", code, code[0] && message[0] ? ": " : "",
		       message);
}

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
			certdir_graph_excerpt(said->request_id, sizeof(said->request_id),
					      json_object_get(error, "request-id"));
		if (json_is_string(code))
			certdir_graph_excerpt(said->codes[count++], sizeof(said->codes[0]), code);
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
	       : status == 204 ? CERTDIR_GRAPH_EMPTY
	       : status == 400 ? CERTDIR_GRAPH_REFUSED
	       : status == 403 ? CERTDIR_GRAPH_DENIED
			       : CERTDIR_GRAPH_FAILED;
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

	certdir_graph_quote(quoted, sizeof(quoted), said->codes[0], said->message);
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
