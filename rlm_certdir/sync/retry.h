/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When to ask again: as the server says, else exponential back-off with full jitter; never beyond the deadline. */
#ifndef CERTDIR_SYNC_RETRY_H
#define CERTDIR_SYNC_RETRY_H

#include "sync/graph.h"

enum {
	CERTDIR_RETRY_ATTEMPTS = 8, /* in all, when the server does not say how long to wait */
	CERTDIR_RETRY_BASE = 3, /* seconds; base and cap are those of Microsoft's own Graph libraries */
	CERTDIR_RETRY_CAP = 180
};

/*
 * A Retry-After value: seconds, whole or with a fraction, or an HTTP date (RFC 9110, 10.2.3 and 5.6.7, all three forms).
 * now: Unix seconds. *microseconds to wait are rounded up to whole milliseconds, 0 for a date that has passed. False when it is
 * none of these.
 */
bool certdir_retry_after_parse(const char *text, int64_t now, int64_t *microseconds);

/* Microseconds to wait after the failure number `failures` (1, 2, ..); `random` is any number. */
int64_t certdir_retry_backoff(unsigned failures, uint64_t random);

/* The attempts of one request. Zeroed, but for the limits. */
struct certdir_retry {
	const struct certdir_graph_limits *limits;
	unsigned failures; /* without a word on how long to wait */
};

enum certdir_retry_result { CERTDIR_RETRY_NOW, CERTDIR_RETRY_STOPPED, CERTDIR_RETRY_OVER };

/*
 * Waits until the next attempt is due. retry_after: the header's value or "". OVER with `error`, at once, when there is to be
 * none: too many failures, or the wait would pass the deadline; the text is `cause` and the reason. A stop ends the wait
 * within 100 ms.
 */
enum certdir_retry_result certdir_retry_wait(struct certdir_retry *retry, const char *retry_after, const char *cause,
					     struct certdir_error *error);

#endif
