/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/background.h"

#include <signal.h>
#include <string.h>
#include <time.h>

int64_t certdir_monotonic(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * CERTDIR_SECOND + now.tv_nsec / 1000;
}

bool certdir_condition_init(pthread_cond_t *condition)
{
	pthread_condattr_t monotonic;
	bool ok;

	if (pthread_condattr_init(&monotonic) != 0)
		return false;
	ok = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0 &&
	     pthread_cond_init(condition, &monotonic) == 0;
	(void)pthread_condattr_destroy(&monotonic);
	return ok;
}

bool certdir_condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t moment)
{
	const struct timespec at = {.tv_sec = (time_t)(moment / CERTDIR_SECOND),
				    .tv_nsec = (long)(moment % CERTDIR_SECOND) * 1000};

	return moment == INT64_MAX ? pthread_cond_wait(condition, mutex) == 0
				   : pthread_cond_timedwait(condition, mutex, &at) == 0;
}

bool certdir_background_start(pthread_t *thread, void *(*run)(void *context), void *context,
			      struct certdir_error *error)
{
	sigset_t all, before;
	int code;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	code = pthread_create(thread, NULL, run, context);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (code != 0)
		certdir_error_set(error, "no thread to be had: %s", strerror(code));
	return code == 0;
}
