/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads of our own inside somebody else's program, and the clock they wait by. */
#ifndef CERTDIR_BACKGROUND_H
#define CERTDIR_BACKGROUND_H

#include <pthread.h>

#include "base/certdir.h"

/* Moments and spans are in microseconds. */
#define CERTDIR_SECOND INT64_C(1000000)

/* Now, by CLOCK_MONOTONIC. */
int64_t certdir_monotonic(void);
/* The earlier of two moments, or the shorter of two spans. */
static inline int64_t certdir_earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* A condition variable whose timed waits go by CLOCK_MONOTONIC: setting the system's time must not stop them. */
bool certdir_condition_init(pthread_cond_t *condition);
/*
 * Waits for such a condition, with `mutex` held, until `moment` of certdir_monotonic(); INT64_MAX = without an end. False when the moment
 * has come.
 */
bool certdir_condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t moment);

/* Starts a thread that gets no signals: the program handles them in threads of its own. False with `error`. */
bool certdir_background_start(pthread_t *thread, void *(*run)(void *context), void *context,
			      struct certdir_error *error);

#endif
