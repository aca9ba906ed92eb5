/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The thread that judges sessions again: all of them by a new edition of a list, single ones as they are heard of. */
#include <stdlib.h>
#include <string.h>

#include "sessions/threads.h"

enum {
	TICKS = 4, /* a second: so often editions, packets and orders are looked at */
	LIVE_RATE = 100, /* sessions a second that are judged in full where that asks directories */
	EXPIRY_INTERVAL = 10 /* seconds */
};

/* ---- the guard ---- */

/* Tells of each number once. */
static void tell_held(struct certdir_sessions *self, const struct certdir_counts *counts)
{
	if (counts->held == self->held_told)
		return;
	self->held_told = counts->held;
	if (counts->held == 0) {
		certdir_log(CERTDIR_LOG_INFO, "sessions: none is held any more");
		return;
	}
	certdir_log(
		CERTDIR_LOG_ERROR,
		"sessions: %zu of %zu devices are denied by now, more than the %zu that max_disconnect (%u %%) lets be "
		"put out within %d minutes: %zu sessions are held, and go on. Look at `certdir sessions list` and at "
		"the directories; those that are allowed again drop out; `certdir sessions release` ends the others",
		counts->denied, counts->devices, certdir_guard_limit(counts, self->config.max_disconnect),
		self->config.max_disconnect, CERTDIR_TABLE_GRACE / 60, counts->held);
}

/* Lets go what the guard lets, and has the rest held; the lock is held. Returns how many wait, because they were put out before. */
static size_t decide(struct certdir_sessions *self, const struct certdir_counts *counts, int64_t now)
{
	const uint32_t percent = self->config.max_disconnect;
	size_t waiting = 0;

	if (self->release)
		(void)certdir_table_release(self->table, CERTDIR_RELEASE_ALL_AT_ONCE, now);
	else if (self->judged_all && certdir_guard_lets_all(counts, percent))
		waiting = certdir_table_release(self->table, CERTDIR_RELEASE_ALL, now);
	else if (certdir_guard_lets_undecided(counts, percent))
		waiting = certdir_table_release(self->table, CERTDIR_RELEASE_UNDECIDED, now);
	else
		certdir_table_hold(self->table);
	(void)pthread_cond_signal(&self->wake_keeper);
	return waiting;
}

/* Decides about what was denied since the last time. */
static void settle(struct certdir_sessions *self)
{
	const int64_t now = certdir_sessions_now();
	struct certdir_counts counts;
	size_t waiting;

	certdir_sessions_lock(self);
	if (!self->unsettled) {
		certdir_sessions_unlock(self);
		return;
	}
	counts = certdir_table_count(self->table, now);
	if (self->release && counts.held > 0)
		certdir_log(CERTDIR_LOG_WARN, "sessions: %zu that were held are let go by `certdir sessions release`",
			    counts.held);
	waiting = decide(self, &counts, now);
	self->release = self->unsettled = self->judged_all = false;
	counts = certdir_table_count(self->table, now);
	certdir_sessions_unlock(self);
	if (waiting)
		certdir_log(
			CERTDIR_LOG_WARN,
			"sessions: %zu of devices that were put out and let in again are denied for the same reason: "
			"`certdir sessions list` says when they are put out again. The login was decided by another "
			"list, server or account",
			waiting);
	tell_held(self, &counts);
}

/* ---- judging ---- */

static const char *class_of(const struct certdir_session *session)
{
	return session->text[CERTDIR_SESSION_JUDGED] ? session->text[CERTDIR_SESSION_JUDGED]
						     : session->text[CERTDIR_SESSION_CLASS];
}

/* What it is judged by; false: it ended, or all of this is to end. */
static bool read_class(struct certdir_sessions *self, uint64_t id, char class[CERTDIR_CLASS_MAX + 1])
{
	const struct certdir_session *session;
	bool ok;

	certdir_sessions_lock(self);
	session = self->stop_judging ? NULL : certdir_table_find(self->table, id);
	ok = session && session->state != CERTDIR_SESSION_ENDED && strlen(class_of(session)) <= CERTDIR_CLASS_MAX;
	if (ok)
		strcpy(class, class_of(session));
	certdir_sessions_unlock(self);
	return ok;
}

/* A login that came meanwhile is what counts, and is asked for by itself. */
static void apply(struct certdir_sessions *self, uint64_t id, const char *class,
		  const struct certdir_judgement *judgement)
{
	const struct certdir_session *session;

	certdir_sessions_lock(self);
	session = certdir_table_find(self->table, id);
	if (!session || strcmp(class_of(session), class) != 0)
		goto out;
	switch (judgement->verdict) {
	case CERTDIR_ALLOW:
		if (judgement->changed)
			certdir_table_change(self->table, id, judgement->class, certdir_sessions_now());
		else
			certdir_table_allow(self->table, id);
		break;
	case CERTDIR_DENY:
		self->unsettled |= certdir_table_deny(self->table, id, judgement->reason, certdir_sessions_now());
		break;
	case CERTDIR_UNSURE:
		break;
	}
	(void)pthread_cond_signal(&self->wake_keeper);
out:
	certdir_sessions_unlock(self);
}

static void ask(struct certdir_sessions *self, const char *class, bool live, struct certdir_judgement *judgement)
{
	memset(judgement, 0, sizeof(*judgement));
	judgement->verdict = CERTDIR_UNSURE;
	self->config.judge.judge(self->config.judge.context, class, live, judgement);
}

/* What lists alone said against it, when everybody was asked who can be; `allowed`: by all. */
static void note_all(struct certdir_sessions *self, uint64_t id, enum certdir_reason lists, bool allowed)
{
	certdir_sessions_lock(self);
	certdir_table_overrule(self->table, id, lists);
	if (allowed)
		certdir_table_agree(self->table, id);
	certdir_sessions_unlock(self);
}

/*
 * By lists alone, which takes microseconds. What they say against it is the end of it where there is nobody else; else it has to be judged
 * in full, unless that was done when they said the same. True: it has to.
 */
static bool judge_by_lists(struct certdir_sessions *self, uint64_t id)
{
	struct certdir_judgement judgement;
	char class[CERTDIR_CLASS_MAX + 1];
	enum certdir_reason before;

	if (!read_class(self, id, class))
		return false;
	ask(self, class, false, &judgement);
	if (judgement.verdict == CERTDIR_ALLOW || !self->config.judge.live) {
		apply(self, id, class, &judgement);
		note_all(self, id, CERTDIR_REASONS, judgement.verdict == CERTDIR_ALLOW && !self->config.judge.live);
		return false;
	}
	certdir_sessions_lock(self);
	before = certdir_table_overruled(self->table, id);
	certdir_sessions_unlock(self);
	return before != judgement.reason;
}

/* By everybody, after a look at what the lists alone say. */
static void judge_in_full(struct certdir_sessions *self, uint64_t id)
{
	struct certdir_judgement lists, all;
	char class[CERTDIR_CLASS_MAX + 1];

	if (!read_class(self, id, class))
		return;
	ask(self, class, false, &lists);
	ask(self, class, true, &all);
	apply(self, id, class, &all);
	note_all(self, id,
		 all.verdict == CERTDIR_ALLOW && lists.verdict != CERTDIR_ALLOW ? lists.reason : CERTDIR_REASONS,
		 all.verdict == CERTDIR_ALLOW);
}

/* Whether a full judgement may begin by now, which asks directories that logins ask, too. */
static bool may_ask_live(struct certdir_sessions *self)
{
	const int64_t now = certdir_monotonic();

	if (!self->config.judge.live)
		return true;
	if (self->live_at > now)
		return false;
	if (self->live_at < now - CERTDIR_SECOND)
		self->live_at = now - CERTDIR_SECOND;
	self->live_at += CERTDIR_SECOND / LIVE_RATE;
	return true;
}

static void judge_all(struct certdir_sessions *self)
{
	size_t count;
	uint64_t *ids;

	certdir_sessions_lock(self);
	ids = certdir_table_ids(self->table, &count);
	self->unsettled = self->judged_all = true;
	certdir_sessions_unlock(self);
	free(self->suspects);
	self->suspects = ids;
	self->suspect_count = 0;
	for (size_t i = 0; i < count; i++)
		if (judge_by_lists(self, ids[i]))
			ids[self->suspect_count++] = ids[i];
}

/* One that was heard of. False: there is none. */
static bool judge_asked(struct certdir_sessions *self)
{
	uint64_t id;
	bool some, live;

	certdir_sessions_lock(self);
	some = !self->stop_judging && certdir_table_next_asked(self->table, &id, &live);
	certdir_sessions_unlock(self);
	if (some && ((live && self->config.judge.live) || judge_by_lists(self, id)))
		judge_in_full(self, id);
	return some;
}

/*
 * The sessions of an edition first. What they come to is decided when the last of them is judged: in a mass event, none is to end before it
 * is known for one. Not for long in a row: a directory may be slow, and orders go out meanwhile.
 */
static void judge_waiting(struct certdir_sessions *self, int64_t until)
{
	while (self->suspect_count > 0 && certdir_monotonic() < until && may_ask_live(self))
		judge_in_full(self, self->suspects[--self->suspect_count]);
	if (self->suspect_count > 0)
		return;
	while (certdir_monotonic() < until && may_ask_live(self) && judge_asked(self))
		;
	settle(self);
}

static void expire(struct certdir_sessions *self)
{
	const int64_t now = certdir_sessions_now();
	uint64_t refused;

	if (now >= self->expired_at && now < self->expired_at + EXPIRY_INTERVAL)
		return;
	self->expired_at = now;
	certdir_sessions_lock(self);
	certdir_table_expire(self->table, now);
	self->unsettled |= self->held_told > 0;
	refused = certdir_table_known(self->table) < self->config.max_sessions ? self->refused : 0;
	self->refused -= refused;
	(void)pthread_cond_signal(&self->wake_keeper);
	certdir_sessions_unlock(self);
	if (refused)
		certdir_log(CERTDIR_LOG_WARN, "sessions: there is room again; %llu packets found none meanwhile",
			    (unsigned long long)refused);
}

static bool wait_until(struct certdir_sessions *self, int64_t next)
{
	bool stop;

	certdir_sessions_lock(self);
	while (!self->stop_judging && certdir_condition_wait(&self->wake_judge, &self->lock, next))
		;
	stop = self->stop_judging;
	certdir_sessions_unlock(self);
	return !stop;
}

/* Whether all are to be judged, whatever the edition: once at the start, and when a file gave more of them later. */
static bool is_anew(struct certdir_sessions *self)
{
	bool anew;

	certdir_sessions_lock(self);
	anew = self->anew;
	self->anew = false;
	certdir_sessions_unlock(self);
	return anew;
}

/*
 * A new edition waits until all are judged that the last one made suspect: a sync publishes one each minute, and where more have to be asked of
 * directories than a minute allows, nothing would ever be decided.
 */
static void look_at_edition(struct certdir_sessions *self)
{
	const uint64_t edition = self->config.judge.edition(self->config.judge.context);

	if (!is_anew(self) && (edition == self->edition || self->suspect_count > 0))
		return;
	self->edition = edition;
	judge_all(self);
}

void *certdir_sessions_judge(void *context)
{
	struct certdir_sessions *self = context;
	int64_t next;

	do {
		next = certdir_monotonic() + CERTDIR_SECOND / TICKS;
		expire(self);
		look_at_edition(self);
		judge_waiting(self, next);
		certdir_sessions_give_orders(self);
	} while (wait_until(self, next));
	return NULL;
}
