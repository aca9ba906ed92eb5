/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When to ask again: Retry-After in all its forms, back-off, deadline, stop. */
#include "sync/retry.h"
#include "base/background.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include <cmocka.h>

#define NOW INT64_C(1770000000) /* Mon, 02 Feb 2026 02:40:00 GMT */
#define SECOND INT64_C(1000000)

static const struct {
	const char *text;
	int64_t wait; /* microseconds, -1: none */
} headers[] = {
	{"0", 0},
	{"1", SECOND},
	{"120", 120 * SECOND},
	{"0.249", 249000},
	{"0.3", 300000},
	{"2.128", 2128000},
	{"0.0001", 1000},
	{"0.00000001", 1000},
	{"1.0000000000000", SECOND},
	{"1.", SECOND},
	{"1209600", 1209600 * SECOND},
	{"99999999999999999999999", -2}, /* some very long time */
	{"18446744073709551616", -2}, /* and not 0, which it is in 64 bits */
	{"Mon, 02 Feb 2026 02:40:10 GMT", 10 * SECOND},
	{"Monday, 02-Feb-26 02:41:00 GMT", 60 * SECOND},
	{"Mon Feb  2 02:40:05 2026", 5 * SECOND},
	{"Mon, 02 Feb 2026 02:39:59 GMT", 0},
	{"Thu, 01 Jan 1970 00:00:00 GMT", 0},
	{"", -1},
	{" ", -1},
	{".5", -1},
	{"-1", -1},
	{"+1", -1},
	{"1s", -1},
	{"1 ", -1},
	{"0x10", -1},
	{"1e3", -1},
	{"1,5", -1},
	{"1.2.3", -1},
	{"nan", -1},
	{"inf", -1},
	{"soon", -1},
	{"Mon, 02 Feb 2026 02:40:10 CET", -1},
	{"Mon, 02 Feb 2026 02:40:10", -1},
	{"Mon, 02 Feb 2026 02:40:10 GMT or later", -1},
	{"2026-02-02T02:40:10Z", -1},
};

static void test_retry_after(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		int64_t wait = -1;
		const bool found = certdir_retry_after_parse(headers[i].text, NOW, &wait);

		if (found != (headers[i].wait != -1))
			fail_msg("\"%s\": %s", headers[i].text, found ? "taken" : "not taken");
		if (headers[i].wait >= 0 && wait != headers[i].wait)
			fail_msg("\"%s\": %lld microseconds", headers[i].text, (long long)wait);
		if (headers[i].wait == -2 && wait < 30 * 86400 * SECOND)
			fail_msg("\"%s\": %lld microseconds", headers[i].text, (long long)wait);
	}
}

static void test_backoff(void **state)
{
	static const int64_t most[] = {3, 6, 12, 24, 30, 30, 30};

	(void)state;
	for (unsigned i = 0; i < sizeof most / sizeof *most; i++) {
		int64_t highest = 0;

		/* Never at once: a server that is busy gets a second, whatever chance says. */
		assert_int_equal(certdir_retry_backoff(i + 1, 0), SECOND);
		assert_int_equal(certdir_retry_backoff(i + 1, (uint64_t)(most[i] * SECOND)), most[i] * SECOND);
		for (uint64_t random = 0; random < 2000; random++) {
			const int64_t wait = certdir_retry_backoff(i + 1, random * UINT64_C(0x9e3779b97f4a7c15));

			assert_in_range(wait, SECOND, most[i] * SECOND);
			highest = wait > highest ? wait : highest;
		}
		assert_true(highest > most[i] * SECOND * 9 / 10); /* full jitter: all of it */
	}
	assert_in_range(certdir_retry_backoff(1000000, UINT64_MAX), SECOND, 30 * SECOND);
}

static void test_wait(void **state)
{
	const int64_t start = certdir_monotonic();
	const struct certdir_http_limits limits = {.deadline = start + 10 * SECOND};
	struct certdir_retry retry = {.limits = &limits, .began = start};
	struct certdir_error error = {.text = ""};

	(void)state;
	/* Told how long to wait, it waits that long, as often as it takes. */
	for (int i = 0; i < 2 * CERTDIR_RETRY_ATTEMPTS; i++)
		assert_int_equal(certdir_retry_wait(&retry, "0.02", false, "busy", &error), CERTDIR_RETRY_NOW);
	assert_true(certdir_monotonic() - start >= 2 * CERTDIR_RETRY_ATTEMPTS * 20000);
	assert_int_equal(retry.failures, 0);
}

static void test_deadline(void **state)
{
	const int64_t start = certdir_monotonic();
	const struct certdir_http_limits limits = {.deadline = start + 10 * SECOND};
	struct certdir_retry retry = {.limits = &limits, .began = start};
	struct certdir_error error = {.text = ""};

	(void)state;
	assert_int_equal(certdir_retry_wait(&retry, "3600", false, "busy", &error), CERTDIR_RETRY_OVER);
	assert_true(certdir_monotonic() - start < 2 * SECOND); /* at once */
	assert_non_null(strstr(error.text, "busy"));
	assert_non_null(strstr(error.text, "3600 s"));
	assert_non_null(strstr(error.text, "deadline"));
}

static void test_attempts(void **state)
{
	const struct certdir_http_limits limits = {.deadline = INT64_MAX};
	struct certdir_retry retry = {.limits = &limits, .attempts = 7, .failures = CERTDIR_RETRY_ATTEMPTS - 1};
	struct certdir_error error = {.text = ""};

	(void)state;
	/* "0" says nothing: a server that says so for ever would be asked for ever without a pause. */
	retry.began = certdir_monotonic() - 20 * SECOND;
	assert_int_equal(certdir_retry_wait(&retry, "0", false, "busy", &error), CERTDIR_RETRY_OVER);
	assert_string_equal(error.text, "busy; given up after 8 attempts in 20 s");
	/* What will hardly get better soon gets fewer. */
	retry = (struct certdir_retry){.limits = &limits, .began = certdir_monotonic(), .attempts = 2, .unlikely = 2};
	assert_int_equal(certdir_retry_wait(&retry, "", true, "unknown", &error), CERTDIR_RETRY_OVER);
	assert_string_equal(error.text, "unknown; given up after 3 attempts in 0 s");
	/* Silence takes its time: the patience ends before the attempts do. */
	retry = (struct certdir_retry){.limits = &limits, .attempts = 3, .failures = 3};
	retry.began = certdir_monotonic() - CERTDIR_RETRY_PATIENCE * SECOND;
	assert_int_equal(certdir_retry_wait(&retry, "", false, "silent", &error), CERTDIR_RETRY_OVER);
	assert_string_equal(error.text, "silent; given up after 4 attempts in 120 s");
}

/* What waiting() was told, and how often; it stops what follows. */
static struct told {
	atomic_int stop;
	unsigned attempt, of, calls;
	int64_t wait;
	char why[32];
} told;

static void tell(void *context, unsigned attempt, unsigned of, int64_t microseconds, const char *why)
{
	struct told *out = context;

	out->stop = 1;
	out->attempt = attempt;
	out->of = of;
	out->wait = microseconds;
	out->calls++;
	(void)snprintf(out->why, sizeof(out->why), "%s", why);
}

static void test_waiting_is_told(void **state)
{
	const struct certdir_http_limits limits = {
		.deadline = INT64_MAX, .stop = &told.stop, .waiting = tell, .context = &told};
	struct certdir_retry retry = {.limits = &limits, .began = certdir_monotonic()};
	struct certdir_error error = {.text = ""};

	(void)state;
	assert_int_equal(certdir_retry_wait(&retry, "", false, "504", &error), CERTDIR_RETRY_STOPPED);
	assert_true(told.attempt == 2 && told.of == CERTDIR_RETRY_ATTEMPTS && told.calls == 1);
	assert_in_range(told.wait, SECOND, 3 * SECOND);
	assert_string_equal(told.why, "504");
	told.stop = 0;
	assert_int_equal(certdir_retry_wait(&retry, "", true, "refused", &error), CERTDIR_RETRY_STOPPED);
	assert_true(told.attempt == 2 && told.of == CERTDIR_RETRY_ATTEMPTS_UNLIKELY);
	told.stop = 0;
	assert_int_equal(certdir_retry_wait(&retry, "77", false, "429", &error), CERTDIR_RETRY_STOPPED);
	assert_true(told.attempt == 4 && told.of == 0 && told.wait == 77 * SECOND && told.calls == 3);
	/* The patience counts anew from when the server wants to be asked again. */
	assert_in_range(retry.began - certdir_monotonic(), 70 * SECOND, 77 * SECOND);
}

static atomic_int stop;

static void on_alarm(int signal)
{
	(void)signal;
	stop = 1;
}

static void test_stop(void **state)
{
	const int64_t start = certdir_monotonic();
	const struct certdir_http_limits limits = {.deadline = start + 3600 * SECOND, .stop = &stop};
	const struct itimerval soon = {.it_value = {.tv_usec = 150000}};
	const struct sigaction action = {.sa_handler = on_alarm};
	struct certdir_retry retry = {.limits = &limits, .began = start};
	struct certdir_error error = {.text = ""};

	(void)state;
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
	assert_int_equal(certdir_retry_wait(&retry, "600", false, "busy", &error), CERTDIR_RETRY_STOPPED);
	assert_true(certdir_monotonic() - start < 5 * SECOND);
	/* And it does not begin to wait when it is stopped already. */
	assert_int_equal(certdir_retry_wait(&retry, "600", false, "busy", &error), CERTDIR_RETRY_STOPPED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_retry_after),	cmocka_unit_test(test_backoff),	 cmocka_unit_test(test_wait),
		cmocka_unit_test(test_deadline),	cmocka_unit_test(test_attempts), cmocka_unit_test(test_stop),
		cmocka_unit_test(test_waiting_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
