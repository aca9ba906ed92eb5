/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Orders: which is due, what of it the log has, and what came back. */
#include <stdlib.h>
#include <string.h>

#include "sessions/threads.h"
#include "text/excerpt.h"

enum { ORDERS = 1000 /* that are handed out at a time */ };

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

	certdir_sessions_lock(self);
	known = self->stop_judging
			? NULL
			: certdir_table_answered(self->table, id, outcome, cause, certdir_sessions_now(), &kind);
	if (known) {
		self->measured.answers[kind][outcome]++;
		copy = certdir_session_copy(known);
	}
	(void)pthread_cond_signal(&self->wake_keeper);
	certdir_sessions_unlock(self);
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

	certdir_sessions_lock(self);
	session = self->stop_judging
			  ? NULL
			  : certdir_table_next_order(self->table, certdir_sessions_now(), may_change(self), kind);
	if (session) {
		self->measured.orders[*kind]++;
		if (*kind == CERTDIR_ORDER_CHANGE)
			tell = count_change(self);
		id = session->id;
		copy = certdir_session_copy(session);
		if (!copy)
			(void)certdir_table_answered(self->table, id, CERTDIR_ORDER_SILENT, 0, certdir_sessions_now(),
						     kind);
	}
	certdir_sessions_unlock(self);
	if (tell)
		certdir_log(
			CERTDIR_LOG_WARN,
			"sessions: groups, quarantine or age of many are others by now: max_disconnect (%u %%) lets so "
			"many be changed in a minute, and others wait",
			self->config.max_disconnect);
	return copy;
}

void certdir_sessions_give_orders(struct certdir_sessions *self)
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
