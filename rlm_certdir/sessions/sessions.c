/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sessions/sessions.h"

#include <stdlib.h>
#include <string.h>

#include "sessions/threads.h"

/* ---- packets ---- */

enum certdir_took certdir_sessions_take(struct certdir_sessions *self, const struct certdir_packet *packet)
{
	enum certdir_took took;
	bool tell;

	certdir_sessions_lock(self);
	took = certdir_table_take(self->table, packet);
	tell = took == CERTDIR_TOOK_NO_MORE && self->refused++ == 0;
	if (took == CERTDIR_TOOK_IT && !self->gathering)
		(void)pthread_cond_signal(&self->wake_keeper);
	certdir_sessions_unlock(self);
	if (tell)
		certdir_log(
			CERTDIR_LOG_WARN,
			"%u sessions are known, and there is no room for more: new ones end by their Session-Timeout "
			"alone; raise max_sessions in sessions { }",
			self->config.max_sessions);
	return took;
}

/* ---- for who looks after it ---- */

void certdir_sessions_measure(struct certdir_sessions *self, struct certdir_sessions_measured *measured)
{
	struct certdir_counts counts;

	certdir_sessions_lock(self);
	counts = certdir_table_count(self->table, certdir_sessions_now());
	*measured = self->measured;
	certdir_sessions_unlock(self);
	memcpy(measured->states, counts.states, sizeof(counts.states));
}

/* ---- open and close ---- */

void certdir_sessions_stop(struct certdir_sessions *self)
{
	if (!self)
		return;
	certdir_sessions_lock(self);
	self->stop_judging = true;
	(void)pthread_cond_signal(&self->wake_judge);
	certdir_sessions_unlock(self);
	if (self->judging)
		(void)pthread_join(self->judge, NULL);
	self->judging = false;
}

void certdir_sessions_close(struct certdir_sessions *self)
{
	if (!self)
		return;
	certdir_sessions_stop(self);
	certdir_sessions_lock(self);
	self->stop_keeping = true;
	(void)pthread_cond_signal(&self->wake_keeper);
	certdir_sessions_unlock(self);
	if (self->keeping)
		(void)pthread_join(self->keeper, NULL);
	certdir_session_store_close(self->store);
	certdir_table_free(self->table);
	free(self->suspects);
	(void)pthread_cond_destroy(&self->wake_judge);
	(void)pthread_cond_destroy(&self->wake_keeper);
	(void)pthread_mutex_destroy(&self->lock);
	explicit_bzero(&self->key, sizeof(self->key));
	free(self);
}

struct certdir_sessions *certdir_sessions_open(const struct certdir_sessions_config *config,
					       struct certdir_class_key *key, struct certdir_error *error)
{
	struct certdir_sessions *self = calloc(1, sizeof(*self));

	if (!self || !certdir_condition_init(&self->wake_judge) || !certdir_condition_init(&self->wake_keeper) ||
	    pthread_mutex_init(&self->lock, NULL) != 0) {
		certdir_error_set(error, "out of memory");
		free(self);
		return NULL;
	}
	self->config = *config;
	self->has_key = key;
	if (key)
		self->key = *key;
	self->table = certdir_table_new(config->max_sessions);
	if (!self->table) {
		certdir_error_set(error, "out of memory");
		certdir_sessions_close(self);
		return NULL;
	}
	self->anew = true;
	certdir_sessions_load(self);
	if (key)
		*key = self->key;
	self->keeping = certdir_background_start(&self->keeper, certdir_sessions_keep, self, error);
	if (self->keeping)
		return self;
	certdir_sessions_close(self);
	return NULL;
}

bool certdir_sessions_start(struct certdir_sessions *self, struct certdir_error *error)
{
	self->judging = certdir_background_start(&self->judge, certdir_sessions_judge, self, error);
	return self->judging;
}
