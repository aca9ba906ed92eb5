/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One HTTP request at a time, over connections that are kept. libcurl stays in http.c and link.c. */
#ifndef CERTDIR_SYNC_HTTP_H
#define CERTDIR_SYNC_HTTP_H

#include "base/certdir.h"

#include <stdatomic.h>

enum {
	CERTDIR_HTTP_RETRY_AFTER = 64, /* bytes of a Retry-After header's value */
	CERTDIR_HTTP_HELD_MAX = 64 << 10, /* bytes of an answer that is held: token answers, errors */
	CERTDIR_HTTP_STREAM_MAX = 64 << 20, /* bytes of an answer that is handed on, after decompression */
	CERTDIR_HTTP_FILE_MAX = 1 << 30 /* bytes of a file that is handed on */
};

struct certdir_http;

/* How long and how much. All that a lying or slow server could make endless has an end. */
struct certdir_http_limits {
	int64_t deadline; /* certdir_monotonic() microseconds: nothing goes on after it */
	const atomic_int *stop; /* nonzero: give up now (SIGTERM); may be NULL */
	/*
	 * Told before each pause, so that nobody looks at a terminal that says nothing: attempt number `attempt` of at most `of` (0:
	 * as often as the server asks for it, until the deadline) follows in so many microseconds; why is the last one's failure.
	 * Called by the thread that asks. NULL: nobody is told.
	 */
	void (*waiting)(void *context, unsigned attempt, unsigned of, int64_t microseconds, const char *why);
	void *context;
};

/*
 * Takes the body of a 200 answer while it arrives. begin() is called at the start of each attempt: what came before is
 * void. end() is called when all of the body has come; false from it, or from bytes(), with `retry` set, makes the attempt a failed
 * one that is worth another (a body cut short), without it an error for good.
 */
struct certdir_http_sink {
	void *context;
	void (*begin)(void *context);
	bool (*bytes)(void *context, const char *bytes, size_t length, bool *retry, struct certdir_error *error);
	bool (*end)(void *context, bool *retry, struct certdir_error *error);
};

/* Requests sent, answers that asked to wait, and bytes as they came over the wire. */
struct certdir_http_counts {
	size_t requests;
	size_t throttled;
	uint64_t bytes;
};

/*
 * ca_file: PEM, the only CAs that count then; NULL = the system's. Both are borrowed for the life of the handle. NULL with
 * `error`.
 */
struct certdir_http *certdir_http_open(const char *ca_file, const struct certdir_http_limits *limits,
				       struct certdir_error *error);
void certdir_http_close(struct certdir_http *http);

struct certdir_http_request {
	const char *url; /* sent as it is */
	const char *const *headers; /* "Name: value", NULL-terminated, or NULL */
	const char *form; /* POSTed as application/x-www-form-urlencoded; NULL = GET, but for `json` */
	const char *json; /* POSTed as application/json; NULL = none */
	const char *method; /* in the place of POST, such as PATCH; NULL = as above */
	bool file; /* a file is asked for, and no JSON: it may be of any type */
	bool local; /* the managed identity endpoint: http, never through a proxy */
	const struct certdir_http_sink *sink; /* gets the body of a 200 answer; NULL: it is held */
};

struct certdir_http_answer {
	long status;
	char retry_after[CERTDIR_HTTP_RETRY_AFTER]; /* "" = none */
	char request_id[64]; /* "" = none */
	int64_t date; /* by the server's clock, Unix seconds; 0 = not said */
	char challenge[512]; /* WWW-Authenticate; "" = none */
	char *location; /* NULL = none */
	char *body; /* of an error, or of any answer without a sink; NUL-terminated, NULL = empty */
	size_t length;
};
/* Wipes and frees what `answer` owns. */
void certdir_http_answer_clear(struct certdir_http_answer *answer);

/* What an attempt came to. */
enum certdir_http_result {
	CERTDIR_HTTP_ANSWERED, /* whole; any status but a redirect, and a 200 is application/json, or a file when one is asked for */
	CERTDIR_HTTP_TRANSIENT, /* not reached, cut, too slow, or the sink wants it again */
	CERTDIR_HTTP_UNLIKELY, /* not reached, and hardly will be soon: an unknown host, a refused connection, no TLS */
	CERTDIR_HTTP_FAILED, /* nothing that another attempt would change */
	CERTDIR_HTTP_STOPPED, /* limits.stop */
	CERTDIR_HTTP_LATE /* limits.deadline has passed */
};

/*
 * Sends `request`. `answer` is cleared by the caller whatever comes back. `error` names the host, unless the sink wrote it; it has
 * no text with STOPPED and LATE.
 */
enum certdir_http_result certdir_http_send(struct certdir_http *http, const struct certdir_http_request *request,
					   struct certdir_http_answer *answer, struct certdir_error *error);

/* So far. */
const struct certdir_http_counts *certdir_http_counts(const struct certdir_http *http);

/* "a=b&c=d" of NULL-terminated names and values in turn, percent-encoded. NULL when memory is out. The caller frees it, wiped. */
char *certdir_http_form(const char *const *pairs);

/* Whether a text may go into a header line: something, and nothing but visible ASCII, so nothing that could end it. */
bool certdir_http_is_plain(const char *text);

#endif
