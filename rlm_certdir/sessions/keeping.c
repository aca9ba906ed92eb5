/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The thread that keeps the file: what the table has, and no later than a moment ago. */
#include <stdlib.h>
#include <string.h>

#include "base/permissions.h"
#include "sessions/threads.h"

enum {
	BATCH = 1000, /* changes that are copied for the file while workers wait */
	GATHER = 20, /* milliseconds: what changes within that is one commit */
	RETRY = 10 /* seconds until a file that could not be written is tried again */
};

/* Says once what is wrong, and again when it is something else or was well in between. */
static void complain(struct certdir_sessions *self, const char *why)
{
	if (strcmp(self->complaint, why) == 0)
		return;
	certdir_say(self->complaint, "%s", why);
	if (why[0])
		certdir_log(CERTDIR_LOG_ERROR,
			    "sessions: %s. They are known until the server ends, and written when this is mended", why);
	else
		certdir_log(CERTDIR_LOG_INFO, "sessions: %s is written again", self->config.filename);
}

/* Up to BATCH changes, as copies, so that nobody waits for the disk. */
struct changes {
	uint64_t ids[BATCH];
	struct certdir_session *sessions[BATCH]; /* NULL: gone */
	size_t count;
};

static void take_changes(struct certdir_sessions *self, struct changes *changes)
{
	const struct certdir_session *session;

	changes->count = 0;
	certdir_sessions_lock(self);
	while (changes->count < BATCH &&
	       certdir_table_next_change(self->table, &changes->ids[changes->count], &session)) {
		changes->sessions[changes->count] = session ? certdir_session_copy(session) : NULL;
		changes->count++;
	}
	certdir_sessions_unlock(self);
}

/* `ok`: false when the transaction has failed already, and they are only freed. */
static bool put_changes(struct certdir_sessions *self, struct changes *changes, bool ok, struct certdir_error *error)
{
	for (size_t i = 0; i < changes->count; i++) {
		if (ok && changes->sessions[i])
			ok = certdir_session_store_put(self->store, changes->sessions[i], error);
		else if (ok)
			ok = certdir_session_store_remove(self->store, changes->ids[i], error);
		free(changes->sessions[i]);
	}
	return ok;
}

/* All that waits is one transaction: what an earlier one failed to write is part of it. */
static bool write_all(struct certdir_sessions *self, struct changes *changes, struct certdir_error *error)
{
	bool ok = certdir_session_store_begin(self->store, error);

	if (ok && self->rewrite) {
		certdir_sessions_lock(self);
		certdir_table_note(self->table, true);
		certdir_sessions_unlock(self);
		ok = (!self->has_key || certdir_session_store_set_key(self->store, &self->key, error)) &&
		     certdir_session_store_clear(self->store, error);
	}
	do {
		take_changes(self, changes);
		ok = put_changes(self, changes, ok, error);
	} while (ok && changes->count == BATCH);
	return ok && certdir_session_store_commit(self->store, error);
}

static void load_one(void *context, const struct certdir_session *session)
{
	struct certdir_sessions *self = context;

	/* What does not fit is not to stay in the file. */
	certdir_sessions_lock(self);
	self->rewrite |= !certdir_table_load(self->table, session);
	certdir_sessions_unlock(self);
}

/*
 * The file of a start at which it could not be opened. What it knows is known again, unless that needs the key in there: another one is in use.
 */
static void open_late(struct certdir_sessions *self, struct certdir_error *error)
{
	self->store = certdir_session_store_open(self->config.filename, error);
	self->rewrite = true;
	if (!self->store || self->has_key || !certdir_session_store_each(self->store, load_one, self, error))
		return;
	certdir_sessions_lock(self);
	self->anew = true;
	certdir_sessions_unlock(self);
}

static void save(struct certdir_sessions *self, struct changes *changes)
{
	struct certdir_error error = {.text = ""};
	const int64_t now = certdir_monotonic();

	if (self->rewrite && now < self->retry_at)
		return;
	if (!self->store)
		open_late(self, &error);
	if (self->store)
		self->rewrite = !write_all(self, changes, &error);
	/* What ended meanwhile is not remembered for a file that gets written anew: that would grow without end. */
	if (self->rewrite) {
		certdir_sessions_lock(self);
		certdir_table_note(self->table, true);
		certdir_sessions_unlock(self);
	}
	self->retry_at = now + RETRY * CERTDIR_SECOND;
	complain(self, error.text);
}

/* Once a second. */
static void look_for_release(struct certdir_sessions *self)
{
	const int64_t now = certdir_monotonic();

	if (!self->store || now < self->looked_at + CERTDIR_SECOND)
		return;
	self->looked_at = now;
	if (!certdir_session_store_release_asked(self->store))
		return;
	certdir_sessions_lock(self);
	self->release = self->unsettled = true;
	(void)pthread_cond_signal(&self->wake_judge);
	certdir_sessions_unlock(self);
}

static bool wait_for_changes(struct certdir_sessions *self)
{
	const int64_t next = certdir_monotonic() + CERTDIR_SECOND;
	int64_t gathered;
	bool stop;

	certdir_sessions_lock(self);
	while (!self->stop_keeping && (self->rewrite || !certdir_table_has_changes(self->table)) &&
	       certdir_condition_wait(&self->wake_keeper, &self->lock, next))
		;
	self->gathering = true;
	gathered = certdir_monotonic() + GATHER * CERTDIR_SECOND / 1000;
	while (!self->stop_keeping && certdir_condition_wait(&self->wake_keeper, &self->lock, gathered))
		;
	self->gathering = false;
	stop = self->stop_keeping;
	certdir_sessions_unlock(self);
	return !stop;
}

void *certdir_sessions_keep(void *context)
{
	struct certdir_sessions *self = context;
	struct changes *changes = calloc(1, sizeof(*changes));
	bool more = changes;

	while (more) {
		bool any;

		more = wait_for_changes(self);
		certdir_sessions_lock(self);
		any = certdir_table_has_changes(self->table);
		certdir_sessions_unlock(self);
		if (!more)
			self->retry_at = 0;
		if (any || self->rewrite)
			save(self, changes);
		look_for_release(self);
	}
	free(changes);
	return NULL;
}

void certdir_sessions_load(struct certdir_sessions *self)
{
	struct certdir_error error = {.text = ""};

	certdir_permissions_warn(self->config.filename);
	self->store = certdir_session_store_open(self->config.filename, &error);
	self->rewrite |= !self->store || !certdir_session_store_each(self->store, load_one, self, &error) ||
			 (self->has_key && !certdir_session_store_key(self->store, &self->key, &error));
	complain(self, error.text);
	/* A word that was left for a server that ended is not for this one. */
	if (self->store)
		(void)certdir_session_store_release_asked(self->store);
	certdir_table_note(self->table, false);
	certdir_table_expire(self->table, certdir_sessions_now());
	certdir_log(CERTDIR_LOG_INFO, "sessions: %s: %zu are known", self->config.filename,
		    certdir_table_known(self->table));
}
