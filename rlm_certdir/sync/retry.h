/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When to ask again: as the server says, else exponential back-off with full jitter; never beyond the deadline. */
#ifndef CERTDIR_SYNC_RETRY_H
#define CERTDIR_SYNC_RETRY_H

#include "sync/http.h"

enum {
	CERTDIR_RETRY_ATTEMPTS = 8, /* in all, when the server does not say how long to wait */
	CERTDIR_RETRY_ATTEMPTS_UNLIKELY = 3, /* in all, of what will hardly get better soon: within about ten seconds */
	/* Seconds without an answer that helps; another run comes soon, and must not wait for this one. */
	CERTDIR_RETRY_PATIENCE = 120,
	/* Seconds of a pause that nobody asked for. The base is that of Microsoft's own Graph libraries; their cap is more than our patience. */
	CERTDIR_RETRY_FLOOR = 1,
	CERTDIR_RETRY_BASE = 3,
	CERTDIR_RETRY_CAP = 30
};

/*
 * A Retry-After value: seconds, whole or with a fraction, or an HTTP date (RFC 9110, 10.2.3 and 5.6.7, all three forms).
 * now: Unix seconds. *microseconds to wait are rounded up to whole milliseconds, 0 for a date that has passed. False when it is
 * none of these.
 */
bool certdir_retry_after_parse(const char *text, int64_t now, int64_t *microseconds);

/* Microseconds to wait, from the floor to the cap, after the failure number `failures` (1, 2, ..); `random` is any number. */
int64_t certdir_retry_backoff(unsigned failures, uint64_t random);

/* The attempts of one request. Zeroed, but for the first two. */
struct certdir_retry {
	const struct certdir_http_limits *limits;
	int64_t began; /* certdir_monotonic(): where the patience counts from */
	unsigned attempts; /* that failed */
	unsigned failures; /* those of them without a word on how long to wait */
	unsigned unlikely; /* those of them that will hardly get better soon */
};

/* Waits until certdir_monotonic() is `until`. False when it was stopped, which ends it within 100 ms. */
bool certdir_retry_sleep(const struct certdir_http_limits *limits, int64_t until);

enum certdir_retry_result { CERTDIR_RETRY_NOW, CERTDIR_RETRY_STOPPED, CERTDIR_RETRY_OVER };

/*
 * Waits until the next attempt is due. retry_after: the header's value or "". unlikely: it will hardly get better soon. OVER with
 * `error`, at once, when there is to be none: too many failures, too long without success, or the wait would pass the
 * deadline; the text is `cause` and the reason. A stop ends the wait within 100 ms.
 */
enum certdir_retry_result certdir_retry_wait(struct certdir_retry *retry, const char *retry_after, bool unlikely,
					     const char *cause, struct certdir_error *error);

/*
 * One attempt. `error` is its cause when it fails; retry_after, which is "" before, gets the header's value. TRANSIENT and UNLIKELY
 * are worth another attempt; every other result is the last one's.
 */
typedef enum certdir_http_result (*certdir_retry_attempt)(void *context, char retry_after[CERTDIR_HTTP_RETRY_AFTER],
							  struct certdir_error *error);

/* Attempts until one is the last, with the waits between. FAILED with `error` also when no more of them are worth while. */
enum certdir_http_result certdir_retry_run(const struct certdir_http_limits *limits, certdir_retry_attempt attempt,
					   void *context, struct certdir_error *error);

#endif
