/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is found of sessions that are judged again, and the orders that come of it. */
#include "sessions/table_node.h"

#include <stdlib.h>

enum {
	FIRST_PAUSE = 60, /* seconds until an order without an answer is given again; twice as long each time */
	LONGEST_PAUSE = 3600
};

/* ---- judged again ---- */

bool certdir_table_next_asked(struct certdir_table *table, uint64_t *id, bool *live)
{
	struct certdir_node *node = TAILQ_FIRST(&table->asked);

	if (!node)
		return false;
	TAILQ_REMOVE(&table->asked, node, asked);
	*id = node->session->id;
	*live = node->live;
	node->is_asked = node->live = false;
	return true;
}

void certdir_table_overrule(struct certdir_table *table, uint64_t id, enum certdir_reason reason)
{
	struct certdir_node *node = certdir_node_find_running(table, id);

	if (node)
		node->overruled = reason;
}

enum certdir_reason certdir_table_overruled(const struct certdir_table *table, uint64_t id)
{
	const struct certdir_node *node = certdir_node_find_running(table, id);

	return node ? node->overruled : CERTDIR_REASONS;
}

void certdir_table_agree(struct certdir_table *table, uint64_t id)
{
	struct certdir_node *node = certdir_node_find_running(table, id);

	if (node)
		certdir_counted_agree(node->device);
}

void certdir_table_allow(struct certdir_table *table, uint64_t id)
{
	struct certdir_node *node = certdir_node_find_running(table, id);

	if (!node || node->session->state == CERTDIR_SESSION_RUNNING)
		return;
	node->session->denied = 0;
	certdir_node_set_state(table, node, CERTDIR_SESSION_RUNNING);
	certdir_node_note(table, node);
}

/* Another order than what was asked before: due then. */
static void want(struct certdir_table *table, struct certdir_node *node, enum certdir_session_state state, int64_t when)
{
	node->session->attempts = 0;
	node->session->answered = 0;
	node->session->again = when;
	certdir_node_set_state(table, node, state);
	certdir_node_note(table, node);
}

void certdir_table_change(struct certdir_table *table, uint64_t id, const char *next, int64_t now)
{
	struct certdir_node *node = certdir_node_find_running(table, id);
	struct certdir_session changed, *copy;

	if (!node)
		return;
	changed = *node->session;
	changed.text[CERTDIR_SESSION_NEXT] = next;
	copy = certdir_session_copy(&changed);
	if (!copy)
		return;
	free(node->session);
	node->session = copy;
	copy->denied = 0;
	/* One that was asked for already waits for its answer, or for its next attempt. */
	if (copy->state == CERTDIR_SESSION_TO_CHANGE)
		certdir_node_note(table, node);
	else
		want(table, node, CERTDIR_SESSION_TO_CHANGE, now);
}

bool certdir_table_deny(struct certdir_table *table, uint64_t id, enum certdir_reason reason, int64_t now)
{
	struct certdir_node *node = certdir_node_find_running(table, id);
	bool anew;

	if (!node)
		return false;
	anew = node->session->state == CERTDIR_SESSION_RUNNING || node->session->state == CERTDIR_SESSION_TO_CHANGE;
	if (!anew && node->session->reason == reason)
		return false;
	node->session->reason = reason;
	if (anew) {
		node->session->denied = now;
		node->undecided = true;
		certdir_node_set_state(table, node, CERTDIR_SESSION_HELD);
	} else if (node->session->state == CERTDIR_SESSION_WANTED_OUT && node->session->attempts == 0) {
		/* It waits because it was put out for the other reason, which says nothing of this one. */
		node->session->again = certdir_counted_when(node->device, node->session->issued, reason, now);
	}
	certdir_node_note(table, node);
	return anew;
}

size_t certdir_table_release(struct certdir_table *table, enum certdir_release which, int64_t now)
{
	size_t waiting = 0;
	struct certdir_node *node;

	TAILQ_FOREACH(node, &table->all, all) {
		struct certdir_session *session = node->session;
		int64_t when = now;

		if (session->state != CERTDIR_SESSION_HELD || (which == CERTDIR_RELEASE_UNDECIDED && !node->undecided))
			continue;
		if (which != CERTDIR_RELEASE_ALL_AT_ONCE)
			when = certdir_counted_when(node->device, session->issued, session->reason, now);
		waiting += when > now;
		session->denied = now;
		want(table, node, CERTDIR_SESSION_WANTED_OUT, when);
	}
	return waiting;
}

void certdir_table_hold(struct certdir_table *table)
{
	struct certdir_node *node;

	TAILQ_FOREACH(node, &table->all, all)
		node->undecided = false;
}

/* ---- orders ---- */

/* Not before its time, unless that is further away than any pause: then the clock was set. */
static bool is_due(const struct certdir_session *session, int64_t now, bool changes)
{
	return (session->again <= now || session->again > now + LONGEST_PAUSE) &&
	       (changes || session->state != CERTDIR_SESSION_TO_CHANGE);
}

const struct certdir_session *certdir_table_next_order(struct certdir_table *table, int64_t now, bool changes,
						       enum certdir_order_kind *kind)
{
	struct certdir_node *node;

	TAILQ_FOREACH(node, &table->wanted, wanted) {
		if (node->under_way || !is_due(node->session, now, changes))
			continue;
		node->under_way = true;
		node->kind = node->session->state == CERTDIR_SESSION_TO_CHANGE ? CERTDIR_ORDER_CHANGE
									       : CERTDIR_ORDER_DISCONNECT;
		node->session->attempts++;
		*kind = node->kind;
		/* The ones that wait come first the next time. */
		TAILQ_REMOVE(&table->wanted, node, wanted);
		TAILQ_INSERT_TAIL(&table->wanted, node, wanted);
		return node->session;
	}
	return NULL;
}

static int64_t pause_after(int64_t attempts)
{
	int64_t pause = FIRST_PAUSE;

	while (--attempts > 0 && pause < LONGEST_PAUSE)
		pause *= 2;
	return pause < LONGEST_PAUSE ? pause : LONGEST_PAUSE;
}

/* Done, or never to be: either way it is not asked for again. */
static void settle_change(struct certdir_table *table, struct certdir_node *node)
{
	struct certdir_session *session = node->session;

	if (session->text[CERTDIR_SESSION_NEXT])
		session->text[CERTDIR_SESSION_JUDGED] = session->text[CERTDIR_SESSION_NEXT];
	session->text[CERTDIR_SESSION_NEXT] = NULL;
	certdir_node_set_state(table, node, CERTDIR_SESSION_RUNNING);
}

/* What was asked is wanted still. */
static void conclude(struct certdir_table *table, struct certdir_node *node, enum certdir_order_outcome outcome,
		     int64_t now)
{
	switch (outcome) {
	case CERTDIR_ORDER_DONE:
	case CERTDIR_ORDER_UNSUPPORTED:
		if (node->kind == CERTDIR_ORDER_CHANGE)
			settle_change(table, node);
		else
			certdir_node_set_state(table, node, CERTDIR_SESSION_REFUSED);
		break;
	case CERTDIR_ORDER_REFUSED:
	case CERTDIR_ORDER_SILENT:
	case CERTDIR_ORDER_GONE:
	case CERTDIR_ORDER_OUTCOMES:
		node->session->again = now + pause_after(node->session->attempts);
		break;
	}
}

const struct certdir_session *certdir_table_answered(struct certdir_table *table, uint64_t id,
						     enum certdir_order_outcome outcome, uint32_t cause, int64_t now,
						     enum certdir_order_kind *kind)
{
	struct certdir_node *node = certdir_node_find_id(table, id);

	if (!node || !node->under_way)
		return NULL;
	node->under_way = false;
	if (node->overtaken) {
		node->overtaken = false;
		return NULL;
	}
	*kind = node->kind;
	node->session->answered = now;
	node->session->outcome = outcome;
	node->session->cause = cause;
	certdir_node_note(table, node);
	if (node->kind == CERTDIR_ORDER_DISCONNECT && outcome == CERTDIR_ORDER_DONE)
		certdir_counted_put_out(node->device, node->session->reason, now);
	/* Some devices send the Stop before the ACK. */
	if (node->session->state == CERTDIR_SESSION_ENDED)
		return node->session;
	/* Whatever is wanted by now: the NAS has it no more. */
	if (outcome == CERTDIR_ORDER_GONE || (outcome == CERTDIR_ORDER_DONE && node->kind == CERTDIR_ORDER_DISCONNECT))
		certdir_node_end(table, node, now);
	else if (node->is_wanted &&
		 (node->kind == CERTDIR_ORDER_CHANGE) == (node->session->state == CERTDIR_SESSION_TO_CHANGE))
		conclude(table, node, outcome, now);
	return certdir_table_find(table, id);
}
