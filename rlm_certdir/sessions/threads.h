/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the threads of sessions.h share, and each one's own: sessions.c opens and closes it, workers bring packets; judging.c is the thread that
 * judges and gives orders by ordering.c; keeping.c is the one that has the file. Seen by nobody else.
 */
#ifndef CERTDIR_SESSIONS_THREADS_H
#define CERTDIR_SESSIONS_THREADS_H

#include <time.h>

#include "base/background.h"
#include "sessions/sessions.h"
#include "sessions/store.h"

struct certdir_sessions {
	struct certdir_sessions_config config;
	bool has_key;
	struct certdir_class_key key;

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake_judge, wake_keeper;
	struct certdir_table *table;
	bool stop_judging, stop_keeping;
	bool release; /* `certdir sessions release` was called */
	uint64_t refused; /* packets of sessions for which there was no room, since that was told */
	bool anew; /* all are to be judged */
	bool unsettled; /* somebody was denied, or released, or all were judged */
	bool judged_all; /* since what is held was decided on last */
	bool gathering; /* the keeper is awake */
	struct certdir_sessions_measured measured; /* but its states */

	bool judging, keeping; /* the threads run */
	pthread_t judge, keeper;

	/* The judge's own. */
	uint64_t edition;
	uint64_t *suspects; /* denied by lists, to be judged in full */
	size_t suspect_count;
	int64_t live_at; /* certdir_monotonic(): when the next full judgement may begin */
	int64_t change_at; /* the same of the next order to change a session */
	bool told_changes;
	int64_t expired_at;
	size_t held_told;

	/* The keeper's own, and the opener's before it runs. */
	struct certdir_session_store *store;
	bool rewrite; /* the file lacks something: all of it is written */
	int64_t retry_at;
	int64_t looked_at;
	char complaint[CERTDIR_TEXT_MAX];
};

static inline int64_t certdir_sessions_now(void)
{
	return (int64_t)time(NULL);
}

static inline void certdir_sessions_lock(struct certdir_sessions *self)
{
	(void)pthread_mutex_lock(&self->lock);
}

static inline void certdir_sessions_unlock(struct certdir_sessions *self)
{
	(void)pthread_mutex_unlock(&self->lock);
}

/* Hands out the orders that are due. The judge's own. */
void certdir_sessions_give_orders(struct certdir_sessions *self);
/* The thread that judges; `context` is the struct certdir_sessions. */
void *certdir_sessions_judge(void *context);

/* Loads what the file has, before there are threads. What cannot be used is said, and nothing is known then: a server has to start. */
void certdir_sessions_load(struct certdir_sessions *self);
/* The thread that keeps the file; `context` is the struct certdir_sessions. */
void *certdir_sessions_keep(void *context);

#endif
