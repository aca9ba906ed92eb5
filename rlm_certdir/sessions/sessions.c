/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sessions/sessions.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/background.h"
#include "base/permissions.h"
#include "sessions/store.h"
#include "text/excerpt.h"

enum {
	TICKS = 4, /* a second: so often editions, packets and orders are looked at */
	LIVE_RATE = 100, /* sessions a second that are judged in full where that asks directories */
	ORDERS = 1000, /* that are handed out at a time */
	EXPIRY_INTERVAL = 10, /* seconds */
	BATCH = 1000, /* changes that are copied for the file while workers wait */
	GATHER = 20, /* milliseconds: what changes within that is one commit */
	RETRY = 10 /* seconds until a file that could not be written is tried again */
};

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
	bool gathering; /* the keeper is awake */

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

static int64_t now_seconds(void)
{
	return (int64_t)time(NULL);
}

static void lock(struct certdir_sessions *self)
{
	(void)pthread_mutex_lock(&self->lock);
}

static void unlock(struct certdir_sessions *self)
{
	(void)pthread_mutex_unlock(&self->lock);
}

/* ---- packets ---- */

enum certdir_took certdir_sessions_take(struct certdir_sessions *self, const struct certdir_packet *packet)
{
	enum certdir_took took;
	bool tell;

	lock(self);
	took = certdir_table_take(self->table, packet);
	tell = took == CERTDIR_TOOK_NO_MORE && self->refused++ == 0;
	if (took == CERTDIR_TOOK_IT && !self->gathering)
		(void)pthread_cond_signal(&self->wake_keeper);
	unlock(self);
	if (tell)
		certdir_log(
			CERTDIR_LOG_WARN,
			"%u sessions are known, and there is no room for more: new ones end by their Session-Timeout "
			"alone; raise max_sessions in sessions { }",
			self->config.max_sessions);
	return took;
}

/* ---- the log ---- */

static const char *quoted(const struct certdir_session *session, enum certdir_session_field field,
			  char out[CERTDIR_EXCERPT_QUOTED])
{
	const char *text = session->text[field] ? session->text[field] : "";

	return certdir_excerpt_quote(text, strlen(text), out);
}

/* One line: what was asked of which NAS about which session, or what came back. */
static void log_order(const struct certdir_session *session, enum certdir_order_kind kind, const char *what)
{
	char client[CERTDIR_ADDRESS_SIZE], id[CERTDIR_EXCERPT_QUOTED], station[CERTDIR_EXCERPT_QUOTED],
		user[CERTDIR_EXCERPT_QUOTED], device[CERTDIR_EXCERPT_QUOTED];
	size_t length = 0;
	const char *name = certdir_session_device(session, &length);

	certdir_log(CERTDIR_LOG_INFO, "session %s %s reason=%s nas=%s session=%s mac=%s user=%s device=%s attempt=%lld",
		    kind == CERTDIR_ORDER_CHANGE ? "change" : "disconnect", what,
		    kind == CERTDIR_ORDER_CHANGE ? "changed" : certdir_reason_name(session->reason),
		    certdir_address_print(&session->client, client), quoted(session, CERTDIR_SESSION_ID, id),
		    quoted(session, CERTDIR_SESSION_STATION, station), quoted(session, CERTDIR_SESSION_USER, user),
		    certdir_excerpt_quote(name ? name : "", length, device), (long long)session->attempts);
}

/* ---- orders ---- */

void certdir_sessions_ordered(void *sessions, uint64_t id, enum certdir_order_outcome outcome, uint32_t cause)
{
	struct certdir_sessions *self = sessions;
	const struct certdir_session *known;
	struct certdir_session *copy = NULL;
	enum certdir_order_kind kind = CERTDIR_ORDER_DISCONNECT;
	char what[CERTDIR_TEXT_MAX];

	lock(self);
	known = self->stop_judging ? NULL
				   : certdir_table_answered(self->table, id, outcome, cause, now_seconds(), &kind);
	if (known)
		copy = certdir_session_copy(known);
	(void)pthread_cond_signal(&self->wake_keeper);
	unlock(self);
	if (!copy)
		return;
	if (cause)
		certdir_say(what, "%s error-cause=%u", certdir_order_outcome_name(outcome), cause);
	else
		certdir_say(what, "%s", certdir_order_outcome_name(outcome));
	log_order(copy, kind, what);
	free(copy);
}

/*
 * What network devices do when they change a session is a new login mostly, which cuts the line for a moment: a group that is made for all,
 * or the end of an outage, must not do that to everybody at once. The judge's own, with the lock held.
 */
static bool may_change(const struct certdir_sessions *self)
{
	return self->change_at <= certdir_monotonic();
}

/* True: that has to be told. */
static bool count_change(struct certdir_sessions *self)
{
	const int64_t now = certdir_monotonic(), minute = 60 * CERTDIR_SECOND;
	const size_t share = certdir_guard_share(certdir_table_known(self->table), self->config.max_disconnect);

	if (self->change_at < now - minute) {
		self->change_at = now - minute;
		self->told_changes = false;
	}
	self->change_at += minute / (int64_t)share;
	if (self->change_at <= now || self->told_changes)
		return false;
	self->told_changes = true;
	return true;
}

/* The next one that is due, as a copy: who sends has a lock of his own. NULL: none, or memory is out. */
static struct certdir_session *next_order(struct certdir_sessions *self, enum certdir_order_kind *kind)
{
	const struct certdir_session *session;
	struct certdir_session *copy = NULL;
	bool tell = false;
	uint64_t id;

	lock(self);
	session = self->stop_judging ? NULL
				     : certdir_table_next_order(self->table, now_seconds(), may_change(self), kind);
	if (session) {
		if (*kind == CERTDIR_ORDER_CHANGE)
			tell = count_change(self);
		id = session->id;
		copy = certdir_session_copy(session);
		if (!copy)
			(void)certdir_table_answered(self->table, id, CERTDIR_ORDER_SILENT, 0, now_seconds(), kind);
	}
	unlock(self);
	if (tell)
		certdir_log(
			CERTDIR_LOG_WARN,
			"sessions: groups, quarantine or age of many are others by now: max_disconnect (%u %%) lets so "
			"many be changed in a minute, and others wait",
			self->config.max_disconnect);
	return copy;
}

static void give_orders(struct certdir_sessions *self)
{
	struct certdir_order order = {.answered = certdir_sessions_ordered, .to = self};
	struct certdir_session *session;

	for (int i = 0; i < ORDERS && self->config.sender.send && (session = next_order(self, &order.kind)); i++) {
		log_order(session, order.kind, "asked");
		order.id = session->id;
		order.session = session;
		order.reason = order.kind == CERTDIR_ORDER_CHANGE ? "changed" : certdir_reason_name(session->reason);
		self->config.sender.send(self->config.sender.context, &order);
		free(session);
	}
}

/* ---- the guard ---- */

/* Lets go what is held, all of it or what was denied lately; the lock is held. */
static void release(struct certdir_sessions *self, int64_t after)
{
	size_t count;
	uint64_t *ids = certdir_table_ids(self->table, CERTDIR_SESSION_HELD, &count);

	for (size_t i = 0; i < count; i++)
		if (certdir_table_find(self->table, ids[i])->denied > after)
			certdir_table_release(self->table, ids[i], now_seconds());
	free(ids);
	(void)pthread_cond_signal(&self->wake_keeper);
}

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
		"sessions: %zu of %zu are denied by now, more than the %zu that max_disconnect (%u %%) lets end "
		"within %d minutes: they are held, and go on. Look at `certdir sessions list` and at the directories; "
		"those that are allowed again drop out; `certdir sessions release` ends the others",
		counts->held, counts->known, certdir_guard_limit(counts, self->config.max_disconnect),
		self->config.max_disconnect, CERTDIR_TABLE_GRACE / 60);
}

/* Decides about what was denied since the last time. */
static void settle(struct certdir_sessions *self)
{
	const int64_t now = now_seconds();
	struct certdir_counts counts;

	lock(self);
	if (!self->unsettled) {
		unlock(self);
		return;
	}
	counts = certdir_table_count(self->table, now);
	if (self->release && counts.held > 0)
		certdir_log(CERTDIR_LOG_WARN, "sessions: %zu that were held are let go by `certdir sessions release`",
			    counts.held);
	if (self->release || (counts.held > 0 && certdir_guard_lets_all(&counts, self->config.max_disconnect)))
		release(self, INT64_MIN);
	else if (counts.held_recent > 0 && certdir_guard_lets_recent(&counts, self->config.max_disconnect))
		release(self, now - CERTDIR_TABLE_GRACE);
	self->release = self->unsettled = false;
	counts = certdir_table_count(self->table, now);
	unlock(self);
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

	lock(self);
	session = self->stop_judging ? NULL : certdir_table_find(self->table, id);
	ok = session && session->state != CERTDIR_SESSION_ENDED && strlen(class_of(session)) <= CERTDIR_CLASS_MAX;
	if (ok)
		strcpy(class, class_of(session));
	unlock(self);
	return ok;
}

/* A login that came meanwhile is what counts, and is asked for by itself. */
static void apply(struct certdir_sessions *self, uint64_t id, const char *class,
		  const struct certdir_judgement *judgement)
{
	const struct certdir_session *session;

	lock(self);
	session = certdir_table_find(self->table, id);
	if (!session || strcmp(class_of(session), class) != 0)
		goto out;
	switch (judgement->verdict) {
	case CERTDIR_ALLOW:
		if (judgement->changed)
			certdir_table_change(self->table, id, judgement->class, now_seconds());
		else
			certdir_table_allow(self->table, id);
		break;
	case CERTDIR_DENY:
		self->unsettled |= certdir_table_deny(self->table, id, judgement->reason, now_seconds());
		break;
	case CERTDIR_UNSURE:
		break;
	}
	(void)pthread_cond_signal(&self->wake_keeper);
out:
	unlock(self);
}

static void ask(struct certdir_sessions *self, const char *class, bool live, struct certdir_judgement *judgement)
{
	memset(judgement, 0, sizeof(*judgement));
	judgement->verdict = CERTDIR_UNSURE;
	self->config.judge.judge(self->config.judge.context, class, live, judgement);
}

static void overrule(struct certdir_sessions *self, uint64_t id, enum certdir_reason reason)
{
	lock(self);
	certdir_table_overrule(self->table, id, reason);
	unlock(self);
}

/*
 * By lists alone, which takes microseconds. What they say against it is the end of it where there is nobody else; else it has to be judged in full,
 * unless that was done when they said the same. True: it has to.
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
		overrule(self, id, CERTDIR_REASONS);
		return false;
	}
	lock(self);
	before = certdir_table_overruled(self->table, id);
	unlock(self);
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
	overrule(self, id,
		 all.verdict == CERTDIR_ALLOW && lists.verdict != CERTDIR_ALLOW ? lists.reason : CERTDIR_REASONS);
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

	lock(self);
	ids = certdir_table_ids(self->table, CERTDIR_SESSION_STATES, &count);
	self->unsettled = true;
	unlock(self);
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

	lock(self);
	some = !self->stop_judging && certdir_table_next_asked(self->table, &id, &live);
	unlock(self);
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
	const int64_t now = now_seconds();
	uint64_t refused;

	if (now >= self->expired_at && now < self->expired_at + EXPIRY_INTERVAL)
		return;
	self->expired_at = now;
	lock(self);
	certdir_table_expire(self->table, now);
	self->unsettled |= self->held_told > 0;
	refused = certdir_table_known(self->table) < self->config.max_sessions ? self->refused : 0;
	self->refused -= refused;
	(void)pthread_cond_signal(&self->wake_keeper);
	unlock(self);
	if (refused)
		certdir_log(CERTDIR_LOG_WARN, "sessions: there is room again; %llu packets found none meanwhile",
			    (unsigned long long)refused);
}

static bool wait_until(struct certdir_sessions *self, int64_t next)
{
	bool stop;

	lock(self);
	while (!self->stop_judging && certdir_condition_wait(&self->wake_judge, &self->lock, next))
		;
	stop = self->stop_judging;
	unlock(self);
	return !stop;
}

/* Whether all are to be judged, whatever the edition: once at the start, and when a file gave more of them later. */
static bool is_anew(struct certdir_sessions *self)
{
	bool anew;

	lock(self);
	anew = self->anew;
	self->anew = false;
	unlock(self);
	return anew;
}

static void *judge(void *context)
{
	struct certdir_sessions *self = context;
	int64_t next;

	do {
		const uint64_t edition = self->config.judge.edition(self->config.judge.context);

		next = certdir_monotonic() + CERTDIR_SECOND / TICKS;
		expire(self);
		if (is_anew(self) || edition != self->edition)
			judge_all(self);
		self->edition = edition;
		judge_waiting(self, next);
		give_orders(self);
	} while (wait_until(self, next));
	return NULL;
}

/* ---- the file ---- */

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
	lock(self);
	while (changes->count < BATCH &&
	       certdir_table_next_change(self->table, &changes->ids[changes->count], &session)) {
		changes->sessions[changes->count] = session ? certdir_session_copy(session) : NULL;
		changes->count++;
	}
	unlock(self);
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
		lock(self);
		certdir_table_note(self->table, true);
		unlock(self);
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
	lock(self);
	self->rewrite |= !certdir_table_load(self->table, session);
	unlock(self);
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
	lock(self);
	self->anew = true;
	unlock(self);
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
		lock(self);
		certdir_table_note(self->table, true);
		unlock(self);
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
	lock(self);
	self->release = self->unsettled = true;
	(void)pthread_cond_signal(&self->wake_judge);
	unlock(self);
}

static bool wait_for_changes(struct certdir_sessions *self)
{
	const int64_t next = certdir_monotonic() + CERTDIR_SECOND;
	int64_t gathered;
	bool stop;

	lock(self);
	while (!self->stop_keeping && (self->rewrite || !certdir_table_has_changes(self->table)) &&
	       certdir_condition_wait(&self->wake_keeper, &self->lock, next))
		;
	self->gathering = true;
	gathered = certdir_monotonic() + GATHER * CERTDIR_SECOND / 1000;
	while (!self->stop_keeping && certdir_condition_wait(&self->wake_keeper, &self->lock, gathered))
		;
	self->gathering = false;
	stop = self->stop_keeping;
	unlock(self);
	return !stop;
}

static void *keep(void *context)
{
	struct certdir_sessions *self = context;
	struct changes *changes = calloc(1, sizeof(*changes));
	bool more = changes;

	while (more) {
		bool any;

		more = wait_for_changes(self);
		lock(self);
		any = certdir_table_has_changes(self->table);
		unlock(self);
		if (!more)
			self->retry_at = 0;
		if (any || self->rewrite)
			save(self, changes);
		look_for_release(self);
	}
	free(changes);
	return NULL;
}

/* What cannot be used is said, and nothing is known then: a server has to start. */
static void load(struct certdir_sessions *self)
{
	struct certdir_error error = {.text = ""};
	struct certdir_counts counts;

	certdir_permissions_warn(self->config.filename);
	self->store = certdir_session_store_open(self->config.filename, &error);
	self->rewrite |= !self->store || !certdir_session_store_each(self->store, load_one, self, &error) ||
			 (self->has_key && !certdir_session_store_key(self->store, &self->key, &error));
	complain(self, error.text);
	/* A word that was left for a server that ended is not for this one. */
	if (self->store)
		(void)certdir_session_store_release_asked(self->store);
	certdir_table_note(self->table, false);
	certdir_table_expire(self->table, now_seconds());
	counts = certdir_table_count(self->table, now_seconds());
	certdir_log(CERTDIR_LOG_INFO, "sessions: %s: %zu are known", self->config.filename, counts.known);
}

/* ---- open and close ---- */

void certdir_sessions_stop(struct certdir_sessions *self)
{
	if (!self)
		return;
	lock(self);
	self->stop_judging = true;
	(void)pthread_cond_signal(&self->wake_judge);
	unlock(self);
	if (self->judging)
		(void)pthread_join(self->judge, NULL);
	self->judging = false;
}

void certdir_sessions_close(struct certdir_sessions *self)
{
	if (!self)
		return;
	certdir_sessions_stop(self);
	lock(self);
	self->stop_keeping = true;
	(void)pthread_cond_signal(&self->wake_keeper);
	unlock(self);
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
	load(self);
	if (key)
		*key = self->key;
	self->keeping = certdir_background_start(&self->keeper, keep, self, error);
	if (self->keeping)
		return self;
	certdir_sessions_close(self);
	return NULL;
}

bool certdir_sessions_start(struct certdir_sessions *self, struct certdir_error *error)
{
	self->judging = certdir_background_start(&self->judge, judge, self, error);
	return self->judging;
}
