/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/http.h"
#include "base/background.h"
#include "text/excerpt.h"
#include "sync/host.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	CONNECT_SECONDS = 30, /* TLS and a proxy on the way included */
	CONNECT_SECONDS_LOCAL = 2,
	/*
	 * Silence, or a trickle that is slower than so many bytes a second, ends an attempt after so many seconds. Intune may think
	 * for more than a minute before a page's first byte; Graph itself then gives up with 504 after about 100 seconds.
	 */
	SLOW_BYTES = 256,
	SLOW_SECONDS = 100,
	/* How long a stop or a deadline may go unseen. */
	LOOK_MILLISECONDS = 100
};

struct certdir_http {
	CURLM *multi; /* owns the connections */
	CURL *easy;
	const char *ca_file;
	const struct certdir_http_limits *limits;
	struct certdir_http_counts counts;
	char why[CURL_ERROR_SIZE];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode initialized;

/* For the life of the process: threads that come and go would each have to know of the others. */
static void initialize(void)
{
	initialized = curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct certdir_http *certdir_http_open(const char *ca_file, const struct certdir_http_limits *limits,
				       struct certdir_error *error)
{
	struct certdir_http *http;

	if (pthread_once(&once, initialize) != 0 || initialized != CURLE_OK) {
		certdir_error_set(error, "libcurl cannot be initialized");
		return NULL;
	}
	http = calloc(1, sizeof(*http));
	if (!http) {
		certdir_error_set(error, "out of memory");
		return NULL;
	}
	http->ca_file = ca_file;
	http->limits = limits;
	http->multi = curl_multi_init();
	http->easy = curl_easy_init();
	if (http->multi && http->easy)
		return http;
	curl_easy_cleanup(http->easy);
	curl_multi_cleanup(http->multi);
	free(http);
	certdir_error_set(error, "out of memory");
	return NULL;
}

void certdir_http_close(struct certdir_http *http)
{
	if (!http)
		return;
	curl_easy_cleanup(http->easy);
	curl_multi_cleanup(http->multi);
	free(http);
}

const struct certdir_http_counts *certdir_http_counts(const struct certdir_http *http)
{
	return &http->counts;
}

void certdir_http_answer_clear(struct certdir_http_answer *answer)
{
	if (answer->body)
		explicit_bzero(answer->body, answer->length);
	free(answer->body);
	free(answer->location);
	*answer = (struct certdir_http_answer){0};
}

/* ---- the body, while it arrives ---- */

struct transfer {
	struct certdir_http *http;
	const struct certdir_http_request *request;
	struct certdir_http_answer *answer;
	struct certdir_error *error;
	const char *host; /* of the URL, for messages; not NUL-terminated */
	int host_length;
	size_t streamed;
	bool refused; /* by us: `result` says how it ends */
	enum certdir_http_result result;
};

static size_t refuse(struct transfer *transfer, enum certdir_http_result result)
{
	transfer->refused = true;
	transfer->result = result;
	return 0;
}

/* "graph.microsoft.com" of a URL that we have made, or checked. */
static int host_of(const char *url, const char **host)
{
	const char *scheme = strstr(url, "://");

	*host = scheme ? scheme + 3 : url;
	return (int)strcspn(*host, "/?#");
}

static const char *header(const struct certdir_http *http, const char *name)
{
	struct curl_header *found;

	return curl_easy_header(http->easy, name, 0, CURLH_HEADER, -1, &found) == CURLHE_OK ? found->value : NULL;
}

/* What signs in at a hotel's network, or a proxy's own page, comes as 200, too, but not as JSON. */
static bool is_json(const struct transfer *transfer)
{
	static const char json[] = "application/json";
	const char *type = header(transfer->http, "Content-Type");
	char shown[64];

	if (type && strncasecmp(type, json, sizeof(json) - 1) == 0 && strchr("; \t", type[sizeof(json) - 1]))
		return true;
	if (!type)
		type = "no Content-Type";
	certdir_error_set(
		transfer->error, "%.*s answers with %s instead of JSON: is a proxy or a sign-in page in between?",
		transfer->host_length, transfer->host, certdir_excerpt(shown, sizeof(shown), type, strlen(type)));
	return false;
}

static bool hold(struct certdir_http_answer *answer, const char *bytes, size_t length)
{
	char *more;

	/* A new block each time, and the old one wiped: it may hold a token. */
	more = malloc(answer->length + length + 1);
	if (!more)
		return false;
	if (answer->body) {
		memcpy(more, answer->body, answer->length);
		explicit_bzero(answer->body, answer->length);
		free(answer->body);
	}
	memcpy(more + answer->length, bytes, length);
	answer->body = more;
	answer->length += length;
	more[answer->length] = '\0';
	return true;
}

static size_t take_held(struct transfer *transfer, const char *bytes, size_t length)
{
	struct certdir_http_answer *answer = transfer->answer;

	if (length > CERTDIR_HTTP_HELD_MAX - answer->length) {
		/* Of an error the status says enough. */
		if (answer->status >= 400)
			return refuse(transfer, CERTDIR_HTTP_ANSWERED);
		certdir_error_set(transfer->error, "%.*s answers with more than %d bytes where a short answer belongs",
				  transfer->host_length, transfer->host, CERTDIR_HTTP_HELD_MAX);
		return refuse(transfer, CERTDIR_HTTP_FAILED);
	}
	if (hold(answer, bytes, length))
		return length;
	certdir_error_set(transfer->error, "out of memory");
	return refuse(transfer, CERTDIR_HTTP_FAILED);
}

static size_t take_streamed(struct transfer *transfer, const char *bytes, size_t length)
{
	const struct certdir_http_sink *sink = transfer->request->sink;
	const int most = transfer->request->file ? CERTDIR_HTTP_FILE_MAX : CERTDIR_HTTP_STREAM_MAX;
	bool retry = false;

	transfer->streamed += length;
	if (transfer->streamed > (size_t)most) {
		certdir_error_set(transfer->error, "%.*s answers with more than %d MiB in one %s",
				  transfer->host_length, transfer->host, most >> 20,
				  transfer->request->file ? "file" : "page");
		return refuse(transfer, CERTDIR_HTTP_FAILED);
	}
	if (sink->bytes(sink->context, bytes, length, &retry, transfer->error))
		return length;
	return refuse(transfer, retry ? CERTDIR_HTTP_TRANSIENT : CERTDIR_HTTP_FAILED);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	const size_t length = size * count;

	(void)curl_easy_getinfo(transfer->http->easy, CURLINFO_RESPONSE_CODE, &transfer->answer->status);
	if (transfer->answer->status == 200 && !transfer->request->file && !is_json(transfer))
		return refuse(transfer, CERTDIR_HTTP_FAILED);
	if (transfer->answer->status == 200 && transfer->request->sink)
		return take_streamed(transfer, bytes, length);
	return take_held(transfer, bytes, length);
}

/* ---- the request ---- */

static void list_free(struct curl_slist *list)
{
	/* One of them is the access token. */
	for (struct curl_slist *at = list; at; at = at->next)
		explicit_bzero(at->data, strlen(at->data));
	curl_slist_free_all(list);
}

/* False when memory is out; then the list is freed. */
static bool append(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (!longer) {
		list_free(*list);
		*list = NULL;
	}
	return longer;
}

static bool headers_of(const struct certdir_http_request *request, struct curl_slist **list)
{
	*list = curl_slist_append(NULL, request->file ? "Accept: */*" : "Accept: application/json");
	if (*list && request->json && !append(list, "Content-Type: application/json"))
		return false;
	for (size_t i = 0; *list && request->headers && request->headers[i]; i++)
		if (!append(list, request->headers[i]))
			return false;
	return *list != NULL;
}

static CURLcode set_up(struct certdir_http *http, const struct certdir_http_request *request,
		       struct curl_slist *headers, struct transfer *transfer)
{
	const char *posted = request->json ? request->json : request->form;
	CURL *easy = http->easy;
	CURLcode code = CURLE_OK;

	curl_easy_reset(easy);
	/* An option that libcurl does not take must not pass unseen: the first one that fails is the answer. */
#define SET(option, value)                                                                                             \
	do {                                                                                                           \
		if (code == CURLE_OK)                                                                                  \
			code = curl_easy_setopt(easy, option, value);                                                  \
	} while (0)
	SET(CURLOPT_URL, request->url);
	SET(CURLOPT_PATH_AS_IS, 1L);
	SET(CURLOPT_PROTOCOLS_STR, request->local ? "http" : "https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	/* One request at a time: HTTP/2 would gain nothing. */
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	if (http->ca_file) {
		SET(CURLOPT_CAINFO, http->ca_file);
		/* Otherwise the system's directory of CAs would count as well. */
		SET(CURLOPT_CAPATH, NULL);
	}
	if (request->local)
		SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOSIGNAL, 1L);
	/* A name server that does not answer must not hold us beyond a stop or a deadline. */
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_CONNECTTIMEOUT, (long)(request->local ? CONNECT_SECONDS_LOCAL : CONNECT_SECONDS));
	SET(CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
	SET(CURLOPT_LOW_SPEED_TIME, (long)SLOW_SECONDS);
	SET(CURLOPT_ACCEPT_ENCODING, "gzip");
	SET(CURLOPT_USERAGENT, "certdir");
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_ERRORBUFFER, http->why);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, transfer);
	if (posted) {
		SET(CURLOPT_POSTFIELDSIZE, (long)strlen(posted));
		SET(CURLOPT_POSTFIELDS, posted); /* not copied */
	}
	if (request->method)
		SET(CURLOPT_CUSTOMREQUEST, request->method);
#undef SET
	return code;
}

/* What curl_easy_perform() does, with an eye on the clock and on the stop flag. ANSWERED: `code` says how it ended. */
static enum certdir_http_result perform(struct certdir_http *http, CURLcode *code)
{
	const struct certdir_http_limits *limits = http->limits;
	enum certdir_http_result result = CERTDIR_HTTP_ANSWERED;
	const CURLMsg *message;
	int running = 1, left;

	*code = CURLE_FAILED_INIT;
	if (curl_multi_add_handle(http->multi, http->easy) != CURLM_OK)
		return result;
	while (curl_multi_perform(http->multi, &running) == CURLM_OK && running > 0) {
		if (certdir_monotonic() >= limits->deadline)
			result = CERTDIR_HTTP_LATE;
		else if (limits->stop && *limits->stop)
			result = CERTDIR_HTTP_STOPPED;
		if (result != CERTDIR_HTTP_ANSWERED ||
		    curl_multi_poll(http->multi, NULL, 0, LOOK_MILLISECONDS, NULL) != CURLM_OK)
			break;
	}
	while ((message = curl_multi_info_read(http->multi, &left)))
		if (message->msg == CURLMSG_DONE)
			*code = message->data.result;
	(void)curl_multi_remove_handle(http->multi, http->easy);
	return result;
}

/* ---- the outcome ---- */

/* The name stands at the end of libcurl's text, which knows whether the host's or the proxy's was asked for. */
static bool is_unknown_host(const struct certdir_http *http)
{
	const char *colon = strstr(http->why, ": ");
	char name[CURL_ERROR_SIZE];

	(void)snprintf(name, sizeof(name), "%s", colon ? colon + 2 : "");
	name[strcspn(name, " ")] = '\0';
	return name[0] && certdir_host_is_unknown(name, http->limits);
}

static bool is_refused(const struct certdir_http *http)
{
	long number = 0;

	return curl_easy_getinfo(http->easy, CURLINFO_OS_ERRNO, &number) == CURLE_OK && number == ECONNREFUSED;
}

/* A handshake that found something else than TLS, or no version in common; not one that was cut. */
static bool is_no_tls(const struct certdir_http *http)
{
	return strstr(http->why, "SSL routines") && !strstr(http->why, "unexpected eof");
}

static enum certdir_http_result result_of(const struct certdir_http *http, CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
		return is_unknown_host(http) ? CERTDIR_HTTP_UNLIKELY : CERTDIR_HTTP_TRANSIENT;
	case CURLE_COULDNT_CONNECT:
		return is_refused(http) ? CERTDIR_HTTP_UNLIKELY : CERTDIR_HTTP_TRANSIENT;
	case CURLE_SSL_CONNECT_ERROR:
		return is_no_tls(http) ? CERTDIR_HTTP_UNLIKELY : CERTDIR_HTTP_TRANSIENT;
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_PARTIAL_FILE:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_BAD_CONTENT_ENCODING: /* a compressed body that was cut */
		return CERTDIR_HTTP_TRANSIENT;
	default:
		return CERTDIR_HTTP_FAILED;
	}
}

/* What a proxy answers when it is asked for the way to `host`. */
static enum certdir_http_result explain_proxy(const struct transfer *transfer, long status)
{
	if (status == 407)
		certdir_error_set(transfer->error,
				  "the proxy on the way to %.*s asks who we are (407): give https_proxy a user and a "
				  "password, as in http://USER:PASSWORD@PROXY:PORT, or name the host in no_proxy",
				  transfer->host_length, transfer->host);
	else
		certdir_error_set(
			transfer->error,
			"the proxy on the way to %.*s refuses it with status %ld: have it allow that host, or "
			"name the host in no_proxy",
			transfer->host_length, transfer->host, status);
	return status == 408 || status == 429 || status >= 500 ? CERTDIR_HTTP_TRANSIENT : CERTDIR_HTTP_FAILED;
}

static enum certdir_http_result explain(const struct transfer *transfer, CURLcode code)
{
	const char *why = transfer->http->why[0] ? transfer->http->why : curl_easy_strerror(code);
	char shown[CURL_ERROR_SIZE];
	long connect = 0;

	if (transfer->refused)
		return transfer->result;
	(void)curl_easy_getinfo(transfer->http->easy, CURLINFO_HTTP_CONNECTCODE, &connect);
	if (connect >= 300)
		return explain_proxy(transfer, connect);
	(void)certdir_excerpt(shown, sizeof(shown), why, strlen(why));
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		certdir_error_set(
			transfer->error,
			"%.*s cannot be trusted: %s. If a proxy opens TLS on the way, ca_file has to name its CA",
			transfer->host_length, transfer->host, shown);
	else if (code == CURLE_SSL_CACERT_BADFILE)
		certdir_error_set(transfer->error, "ca_file %s cannot be used: %s", transfer->http->ca_file, shown);
	else
		certdir_error_set(transfer->error, "%.*s: %s", transfer->host_length, transfer->host, shown);
	return result_of(transfer->http, code);
}

/* Headers that are too long for their place are none of those that we know. */
static void take_header(const struct certdir_http *http, const char *name, char *out, size_t size)
{
	const char *value = header(http, name);

	if (value && strlen(value) <= size - sizeof(".."))
		(void)certdir_excerpt(out, size, value, strlen(value));
}

static bool take_headers(struct transfer *transfer)
{
	struct certdir_http_answer *answer = transfer->answer;
	const char *location = header(transfer->http, "Location"), *date = header(transfer->http, "Date");

	answer->date = date ? (int64_t)curl_getdate(date, NULL) : 0;
	if (answer->date < 0)
		answer->date = 0;
	(void)curl_easy_getinfo(transfer->http->easy, CURLINFO_RESPONSE_CODE, &answer->status);
	take_header(transfer->http, "Retry-After", answer->retry_after, sizeof(answer->retry_after));
	take_header(transfer->http, "WWW-Authenticate", answer->challenge, sizeof(answer->challenge));
	take_header(transfer->http, "request-id", answer->request_id, sizeof(answer->request_id));
	if (location && !(answer->location = strdup(location))) {
		certdir_error_set(transfer->error, "out of memory");
		return false;
	}
	return true;
}

static void count(struct certdir_http *http, const struct certdir_http_answer *answer)
{
	curl_off_t bytes = 0;

	(void)curl_easy_getinfo(http->easy, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
	http->counts.bytes += bytes > 0 ? (uint64_t)bytes : 0;
	http->counts.throttled += answer->status == 429 || (answer->status >= 400 && answer->retry_after[0]);
}

static enum certdir_http_result finish(struct transfer *transfer)
{
	const struct certdir_http_sink *sink = transfer->request->sink;
	const char *location = transfer->answer->location ? transfer->answer->location : "nowhere";
	const long status = transfer->answer->status;
	bool retry = false;
	char where[200];

	if (status >= 300 && status < 400) {
		(void)certdir_excerpt(where, sizeof(where), location, strlen(location));
		certdir_error_set(transfer->error,
				  "%.*s answers %ld and wants to lead to %s; redirects are not followed",
				  transfer->host_length, transfer->host, status, where);
		return CERTDIR_HTTP_FAILED;
	}
	if (status != 200)
		return CERTDIR_HTTP_ANSWERED;
	/* libcurl takes an answer that ends within its headers for a whole one. */
	if (transfer->streamed == 0 && transfer->answer->length == 0) {
		certdir_error_set(transfer->error, "%.*s answers with nothing", transfer->host_length, transfer->host);
		return CERTDIR_HTTP_TRANSIENT;
	}
	if (!sink || sink->end(sink->context, &retry, transfer->error))
		return CERTDIR_HTTP_ANSWERED;
	return retry ? CERTDIR_HTTP_TRANSIENT : CERTDIR_HTTP_FAILED;
}

enum certdir_http_result certdir_http_send(struct certdir_http *http, const struct certdir_http_request *request,
					   struct certdir_http_answer *answer, struct certdir_error *error)
{
	struct transfer transfer = {.http = http, .request = request, .answer = answer, .error = error};
	enum certdir_http_result result;
	struct curl_slist *headers = NULL;
	CURLcode code;

	http->why[0] = '\0';
	transfer.host_length = host_of(request->url, &transfer.host);
	if (!headers_of(request, &headers)) {
		certdir_error_set(error, "out of memory");
		return CERTDIR_HTTP_FAILED;
	}
	if (request->sink)
		request->sink->begin(request->sink->context);
	code = set_up(http, request, headers, &transfer);
	if (code != CURLE_OK) {
		result = explain(&transfer, code);
		goto out;
	}
	http->counts.requests++;
	result = perform(http, &code);
	if (result != CERTDIR_HTTP_ANSWERED)
		goto out;
	if (!take_headers(&transfer)) {
		result = CERTDIR_HTTP_FAILED;
		goto out;
	}
	count(http, answer);
	result = code == CURLE_OK ? finish(&transfer) : explain(&transfer, code);
out:
	/* What it holds by reference ends here. */
	curl_easy_reset(http->easy);
	list_free(headers);
	return result;
}

char *certdir_http_form(const char *const *pairs)
{
	char *form = strdup("");
	CURL *easy = curl_easy_init(); /* libcurl 7.88 ignores it, older ones want it */

	for (size_t i = 0; form && pairs[i]; i += 2) {
		char *value = curl_easy_escape(easy, pairs[i + 1], (int)strlen(pairs[i + 1])), *longer = NULL;

		if (!value || asprintf(&longer, "%s%s%s=%s", form, i ? "&" : "", pairs[i], value) < 0)
			longer = NULL;
		explicit_bzero(form, strlen(form));
		free(form);
		form = longer;
		if (value)
			explicit_bzero(value, strlen(value));
		curl_free(value);
	}
	curl_easy_cleanup(easy);
	return form;
}

bool certdir_http_is_plain(const char *text)
{
	for (const char *at = text; *at; at++)
		if (*at <= ' ' || *at > '~')
			return false;
	return *text;
}
