/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/retry.h"
#include "base/background.h"

#include <inttypes.h>
#include <locale.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define MILLISECOND INT64_C(1000)
#define SECOND INT64_C(1000000)

enum { LOOK = 100000 /* microseconds between looks at the stop flag */ };

/* More seconds than any deadline has. */
#define SECONDS_MAX INT64_C(100000000)

static bool parse_seconds(const char *text, int64_t *microseconds)
{
	int64_t whole = 0, part = 0, unit = SECOND;
	bool more = false;

	if (*text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9'; text++)
		if (whole < SECONDS_MAX)
			whole = whole * 10 + (*text - '0');
	if (*text == '.') {
		for (text++; *text >= '0' && *text <= '9'; text++) {
			unit /= 10;
			part += unit * (*text - '0');
			more = more || (unit == 0 && *text > '0');
		}
	}
	*microseconds = whole * SECOND + part + more;
	*microseconds = (*microseconds + MILLISECOND - 1) / MILLISECOND * MILLISECOND;
	return *text == '\0';
}

/* The user's locale has other names for the days. */
static bool parse_date(const char *text, int64_t *seconds)
{
	static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
					    "%a %b %e %H:%M:%S %Y"};
	locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0), before;
	bool found = false;

	if (!plain)
		return false;
	before = uselocale(plain);
	for (size_t i = 0; i < sizeof forms / sizeof *forms && !found; i++) {
		struct tm tm = {0};
		const char *end = strptime(text, forms[i], &tm);

		found = end && *end == '\0';
		*seconds = found ? (int64_t)timegm(&tm) : 0;
	}
	(void)uselocale(before);
	freelocale(plain);
	return found;
}

bool certdir_retry_after_parse(const char *text, int64_t now, int64_t *microseconds)
{
	int64_t then;

	if (parse_seconds(text, microseconds))
		return true;
	if (!parse_date(text, &then))
		return false;
	*microseconds = then > now ? (then - now) * SECOND : 0;
	return true;
}

int64_t certdir_retry_backoff(unsigned failures, uint64_t random)
{
	int64_t most = CERTDIR_RETRY_BASE * SECOND, wait;

	for (unsigned i = 1; i < failures && most < CERTDIR_RETRY_CAP * SECOND; i++)
		most *= 2;
	if (most > CERTDIR_RETRY_CAP * SECOND)
		most = CERTDIR_RETRY_CAP * SECOND;
	wait = (int64_t)(random % ((uint64_t)most + 1));
	return wait < CERTDIR_RETRY_FLOOR * SECOND ? CERTDIR_RETRY_FLOOR * SECOND : wait;
}

static bool stopped(const struct certdir_http_limits *limits)
{
	return limits->stop && *limits->stop;
}

bool certdir_retry_sleep(const struct certdir_http_limits *limits, int64_t until)
{
	int64_t left;

	while (!stopped(limits) && (left = until - certdir_monotonic()) > 0) {
		const struct timespec nap = {.tv_nsec = (left < LOOK ? left : LOOK) * 1000};

		(void)nanosleep(&nap, NULL); /* a signal only makes the next look earlier */
	}
	return !stopped(limits);
}

/* How long to wait when nobody says it. False with `error`: no more attempts. */
static bool choose_wait(const struct certdir_retry *retry, int64_t now, const char *cause, int64_t *wait,
			struct certdir_error *error)
{
	const int64_t spent = now - retry->began;
	uint64_t random = 0;

	/* Not for secrecy: so that many clients do not come back at the same moment. Without it, the longest wait. */
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
		random = UINT64_MAX;
	*wait = certdir_retry_backoff(retry->failures, random);
	if (retry->failures < CERTDIR_RETRY_ATTEMPTS && retry->unlikely < CERTDIR_RETRY_ATTEMPTS_UNLIKELY &&
	    spent + *wait <= CERTDIR_RETRY_PATIENCE * SECOND)
		return true;
	certdir_error_set(error, "%s; given up after %u attempts in %" PRId64 " s", cause, retry->attempts,
			  (spent + SECOND / 2) / SECOND);
	return false;
}

enum certdir_retry_result certdir_retry_wait(struct certdir_retry *retry, const char *retry_after, bool unlikely,
					     const char *cause, struct certdir_error *error)
{
	const struct certdir_http_limits *limits = retry->limits;
	const int64_t now = certdir_monotonic(), left = limits->deadline - now;
	unsigned attempt, of = 0;
	int64_t wait = 0;

	attempt = ++retry->attempts + 1;
	/* "0" for ever would be an endless loop without a pause: it says as little as no header. */
	if (certdir_retry_after_parse(retry_after, (int64_t)time(NULL), &wait) && wait > 0) {
		retry->began = now + wait; /* who says when to come back is there */
	} else {
		of = unlikely ? CERTDIR_RETRY_ATTEMPTS_UNLIKELY : CERTDIR_RETRY_ATTEMPTS;
		retry->failures++;
		retry->unlikely += unlikely;
		attempt = (unlikely ? retry->unlikely : retry->failures) + 1;
		if (!choose_wait(retry, now, cause, &wait, error))
			return CERTDIR_RETRY_OVER;
	}
	if (stopped(limits))
		return CERTDIR_RETRY_STOPPED;
	if (wait >= left) {
		certdir_error_set(
			error, "%s; the next attempt would be in %" PRId64 " s, and the deadline is in %" PRId64 " s",
			cause, (wait + SECOND - 1) / SECOND, left > 0 ? left / SECOND : 0);
		return CERTDIR_RETRY_OVER;
	}
	if (limits->waiting)
		limits->waiting(limits->context, attempt, of, wait, cause);
	return certdir_retry_sleep(limits, now + wait) ? CERTDIR_RETRY_NOW : CERTDIR_RETRY_STOPPED;
}

enum certdir_http_result certdir_retry_run(const struct certdir_http_limits *limits, certdir_retry_attempt attempt,
					   void *context, struct certdir_error *error)
{
	struct certdir_retry retry = {.limits = limits, .began = certdir_monotonic()};
	char retry_after[CERTDIR_HTTP_RETRY_AFTER];
	enum certdir_http_result result;
	struct certdir_error cause = {.text = ""};

	for (;;) {
		retry_after[0] = '\0';
		result = attempt(context, retry_after, &cause);
		if (result != CERTDIR_HTTP_TRANSIENT && result != CERTDIR_HTTP_UNLIKELY) {
			*error = cause;
			return result;
		}
		switch (certdir_retry_wait(&retry, retry_after, result == CERTDIR_HTTP_UNLIKELY, cause.text, error)) {
		case CERTDIR_RETRY_NOW:
			break;
		case CERTDIR_RETRY_STOPPED:
			return CERTDIR_HTTP_STOPPED;
		case CERTDIR_RETRY_OVER:
			return CERTDIR_HTTP_FAILED;
		}
	}
}
