/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sessions/table.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/array.h"
#include "sessions/counted.h"
#include "sessions/hearing.h"

enum {
	FIRST_PAUSE = 60, /* seconds until an order without an answer is given again; twice as long each time */
	LONGEST_PAUSE = 3600
};

struct node {
	TAILQ_ENTRY(node) all;
	TAILQ_ENTRY(node) changed;
	TAILQ_ENTRY(node) asked;
	TAILQ_ENTRY(node) wanted;
	struct certdir_session *session; /* owned */
	struct certdir_counted *device;
	enum certdir_reason overruled; /* what lists say against it, and not everybody; CERTDIR_REASONS = nothing */
	bool is_changed, is_asked, is_wanted; /* in which of the queues it stands */
	bool live; /* asked for by an Interim-Update */
	bool undecided; /* whether it is to be held, if it is */
	bool under_way; /* an order is */
	bool overtaken; /* by a later login: what comes back of that order is not about it */
	enum certdir_order_kind kind; /* of that one */
};

TAILQ_HEAD(queue, node);

/*
 * Balanced trees of the C library, as a NAS chooses the keys. Ids count up and so does `all`.
 */
struct certdir_table {
	void *by_key; /* of struct node */
	void *by_id;
	void *devices;
	uint64_t count; /* the number of the last one */
	struct queue all; /* by id */
	struct queue changed;
	struct queue asked;
	struct queue wanted; /* in the states TO_CHANGE and WANTED_OUT */
	size_t most;
	size_t known, ended;
	uint64_t last_id;
	bool noting;
	uint64_t *gone; /* since somebody asked */
	size_t gone_count;
};

/* ---- keys ---- */

static int by_key(const void *a, const void *b)
{
	const struct certdir_session *left = ((const struct node *)a)->session;
	const struct certdir_session *right = ((const struct node *)b)->session;
	int order = strcmp(left->text[CERTDIR_SESSION_ID], right->text[CERTDIR_SESSION_ID]);

	if (order == 0)
		order = strcmp(certdir_session_nas(left), certdir_session_nas(right));
	return order ? order : certdir_address_compare(&left->client, &right->client);
}

static int by_id(const void *a, const void *b)
{
	const uint64_t left = ((const struct node *)a)->session->id, right = ((const struct node *)b)->session->id;

	return (left > right) - (left < right);
}

static struct node *find_key(const struct certdir_table *table, struct certdir_session session)
{
	const struct node sought = {.session = &session};
	struct node *const *found = tfind(&sought, &table->by_key, by_key);

	return found ? *found : NULL;
}

static struct node *find_id(const struct certdir_table *table, uint64_t id)
{
	struct certdir_session session = {.id = id};
	const struct node sought = {.session = &session};
	struct node *const *found = tfind(&sought, &table->by_id, by_id);

	return found ? *found : NULL;
}

/* ---- queues ---- */

static void note(struct certdir_table *table, struct node *node)
{
	if (!table->noting || node->is_changed)
		return;
	node->is_changed = true;
	TAILQ_INSERT_TAIL(&table->changed, node, changed);
}

/* Without memory, the file keeps a session that is gone: it expires there at the next start. */
static void note_gone(struct certdir_table *table, uint64_t id)
{
	uint64_t *one = table->noting ? certdir_array_next(&table->gone, table->gone_count, sizeof(*one)) : NULL;

	if (!one)
		return;
	*one = id;
	table->gone_count++;
}

static void ask(struct certdir_table *table, struct node *node, bool live)
{
	node->live |= live;
	if (node->is_asked)
		return;
	node->is_asked = true;
	TAILQ_INSERT_TAIL(&table->asked, node, asked);
}

static void leave_queues(struct certdir_table *table, struct node *node)
{
	if (node->is_changed)
		TAILQ_REMOVE(&table->changed, node, changed);
	if (node->is_asked)
		TAILQ_REMOVE(&table->asked, node, asked);
	if (node->is_wanted)
		TAILQ_REMOVE(&table->wanted, node, wanted);
	node->is_changed = node->is_asked = node->is_wanted = false;
}

static bool wants_order(enum certdir_session_state state)
{
	return state == CERTDIR_SESSION_TO_CHANGE || state == CERTDIR_SESSION_WANTED_OUT;
}

/* Every change of a state comes through here, so that queues and counts go with it. */
static void set_state(struct certdir_table *table, struct node *node, enum certdir_session_state state)
{
	struct certdir_session *session = node->session;

	if (session->state == CERTDIR_SESSION_ENDED && state != CERTDIR_SESSION_ENDED) {
		table->ended--;
		table->known++;
	} else if (session->state != CERTDIR_SESSION_ENDED && state == CERTDIR_SESSION_ENDED) {
		table->known--;
		table->ended++;
	}
	session->state = state;
	if (wants_order(state) == node->is_wanted)
		return;
	node->is_wanted = wants_order(state);
	if (node->is_wanted)
		TAILQ_INSERT_TAIL(&table->wanted, node, wanted);
	else
		TAILQ_REMOVE(&table->wanted, node, wanted);
}

/* ---- nodes ---- */

static void free_node(struct certdir_table *table, struct node *node)
{
	certdir_counted_give(&table->devices, node->device);
	free(node->session);
	free(node);
}

static void drop(struct certdir_table *table, struct node *node)
{
	leave_queues(table, node);
	TAILQ_REMOVE(&table->all, node, all);
	(void)tdelete(node, &table->by_key, by_key);
	(void)tdelete(node, &table->by_id, by_id);
	if (node->session->state == CERTDIR_SESSION_ENDED)
		table->ended--;
	else
		table->known--;
	note_gone(table, node->session->id);
	free_node(table, node);
}

/* False when memory is out: then it is nowhere. */
static bool insert(struct certdir_table *table, struct node *node)
{
	if (!tsearch(node, &table->by_key, by_key))
		return false;
	if (!tsearch(node, &table->by_id, by_id)) {
		(void)tdelete(node, &table->by_key, by_key);
		return false;
	}
	TAILQ_INSERT_TAIL(&table->all, node, all);
	if (node->session->state == CERTDIR_SESSION_ENDED)
		table->ended++;
	else
		table->known++;
	return true;
}

/* A copy of `session` in the table; NULL when memory is out. */
static struct node *add(struct certdir_table *table, const struct certdir_session *session)
{
	struct node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->overruled = CERTDIR_REASONS;
	node->session = certdir_session_copy(session);
	node->device = certdir_counted_take(&table->devices, session);
	if (!node->session || !node->device || !insert(table, node)) {
		free_node(table, node);
		return NULL;
	}
	if (node->session->id > table->last_id)
		table->last_id = node->session->id;
	node->is_wanted = wants_order(session->state);
	if (node->is_wanted)
		TAILQ_INSERT_TAIL(&table->wanted, node, wanted);
	note(table, node);
	return node;
}

struct certdir_table *certdir_table_new(size_t most)
{
	struct certdir_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	TAILQ_INIT(&table->all);
	TAILQ_INIT(&table->changed);
	TAILQ_INIT(&table->asked);
	TAILQ_INIT(&table->wanted);
	table->most = most;
	return table;
}

void certdir_table_free(struct certdir_table *table)
{
	if (!table)
		return;
	table->noting = false;
	while (!TAILQ_EMPTY(&table->all))
		drop(table, TAILQ_FIRST(&table->all));
	free(table->gone);
	free(table);
}

/* ---- packets ---- */

/* Puts what the packet says in the place of what was said before; what it does not say stays. False when memory is out. */
static bool renew_texts(struct certdir_table *table, struct node *node, const struct certdir_session *said)
{
	struct certdir_session merged = *node->session, *copy;
	struct certdir_counted *device;
	bool same = true;

	for (unsigned i = 0; i < CERTDIR_SESSION_ATTRIBUTES; i++) {
		const char *text = said->text[i], *before = merged.text[i];

		if (!text || (before && strcmp(text, before) == 0))
			continue;
		same = false;
		merged.text[i] = text;
	}
	if (same)
		return true;
	copy = certdir_session_copy(&merged);
	device = certdir_counted_take(&table->devices, &merged);
	if (!copy || !device) {
		certdir_counted_give(&table->devices, device);
		free(copy);
		return false;
	}
	certdir_counted_give(&table->devices, node->device);
	free(node->session);
	node->session = copy;
	node->device = device;
	return true;
}

/* A login that was allowed since: what was found of the one before does not hold for it. */
static void begin_anew(struct certdir_table *table, struct node *node, const struct certdir_packet *packet)
{
	struct certdir_session *session = node->session;

	if (session->state == CERTDIR_SESSION_ENDED || packet->kind == CERTDIR_PACKET_START)
		session->started = certdir_packet_sent(packet);
	session->issued = packet->session.issued;
	session->text[CERTDIR_SESSION_JUDGED] = session->text[CERTDIR_SESSION_NEXT] = NULL;
	session->attempts = session->again = session->answered = 0;
	session->denied = 0;
	node->overruled = CERTDIR_REASONS;
	node->overtaken = node->under_way;
	set_state(table, node, CERTDIR_SESSION_RUNNING);
}

static enum certdir_took renew(struct certdir_table *table, struct node *node, const struct certdir_packet *packet)
{
	const bool ended = node->session->state == CERTDIR_SESSION_ENDED;

	if (ended && !certdir_packet_is_later_login(packet, node->session))
		return CERTDIR_TOOK_NOTHING;
	if (ended && table->known >= table->most)
		return CERTDIR_TOOK_NO_MORE;
	if ((ended || !certdir_packet_is_older(packet, node->session)) && !renew_texts(table, node, &packet->session))
		return CERTDIR_TOOK_NOTHING;
	if (ended || packet->session.issued > node->session->issued)
		begin_anew(table, node, packet);
	certdir_session_hear(node->session, packet);
	ask(table, node, packet->kind == CERTDIR_PACKET_INTERIM);
	note(table, node);
	return CERTDIR_TOOK_IT;
}

static enum certdir_took begin(struct certdir_table *table, const struct certdir_packet *packet,
			       enum certdir_session_state state)
{
	struct certdir_session session = packet->session;
	struct node *node;

	if ((state == CERTDIR_SESSION_ENDED ? table->ended : table->known) >= table->most)
		return state == CERTDIR_SESSION_ENDED ? CERTDIR_TOOK_NOTHING : CERTDIR_TOOK_NO_MORE;
	session.id = ++table->last_id;
	session.text[CERTDIR_SESSION_JUDGED] = session.text[CERTDIR_SESSION_NEXT] = NULL;
	session.state = state;
	session.started = session.heard = certdir_packet_sent(packet);
	session.said = packet->event;
	certdir_session_expire(&session, packet->timeout);
	if (state == CERTDIR_SESSION_ENDED)
		session.expires = packet->received + CERTDIR_TABLE_GRACE;
	node = add(table, &session);
	if (!node)
		return CERTDIR_TOOK_NO_MORE;
	if (state != CERTDIR_SESSION_ENDED)
		ask(table, node, packet->kind == CERTDIR_PACKET_INTERIM);
	return CERTDIR_TOOK_IT;
}

/* It stays for some minutes: a Start that was late, or is repeated, must not make it known again. */
static void end(struct certdir_table *table, struct node *node, int64_t now)
{
	if (table->ended >= table->most) {
		drop(table, node);
		return;
	}
	set_state(table, node, CERTDIR_SESSION_ENDED);
	node->session->expires = now + CERTDIR_TABLE_GRACE;
	if (node->is_asked)
		TAILQ_REMOVE(&table->asked, node, asked);
	node->is_asked = false;
	note(table, node);
}

static enum certdir_took stop(struct certdir_table *table, const struct certdir_packet *packet)
{
	struct node *node = find_key(table, packet->session);

	if (!node)
		return begin(table, packet, CERTDIR_SESSION_ENDED);
	/* Of a login before this one, under the same name. */
	if (node->session->state == CERTDIR_SESSION_ENDED || packet->session.issued < node->session->issued)
		return CERTDIR_TOOK_NOTHING;
	if (packet->event > node->session->said)
		node->session->said = packet->event;
	end(table, node, packet->received);
	return CERTDIR_TOOK_IT;
}

/* Accounting-On and -Off: the NAS has none of its sessions any more, but those that began after it said so. */
static enum certdir_took end_all(struct certdir_table *table, const struct certdir_packet *packet)
{
	const int64_t sent = certdir_packet_sent(packet);
	struct node *node, *next;
	bool some = false;

	for (node = TAILQ_FIRST(&table->all); node; node = next) {
		next = TAILQ_NEXT(node, all);
		if (node->session->state == CERTDIR_SESSION_ENDED || node->session->heard >= sent ||
		    !certdir_session_same_nas(node->session, &packet->session))
			continue;
		end(table, node, packet->received);
		some = true;
	}
	return some ? CERTDIR_TOOK_IT : CERTDIR_TOOK_NOTHING;
}

enum certdir_took certdir_table_take(struct certdir_table *table, const struct certdir_packet *packet)
{
	struct node *node;

	if (packet->kind == CERTDIR_PACKET_ON || packet->kind == CERTDIR_PACKET_OFF)
		return end_all(table, packet);
	if (!packet->session.text[CERTDIR_SESSION_ID] || !packet->session.text[CERTDIR_SESSION_CLASS])
		return CERTDIR_TOOK_NOTHING;
	if (packet->kind == CERTDIR_PACKET_STOP)
		return stop(table, packet);
	if (packet->kind != CERTDIR_PACKET_START && packet->kind != CERTDIR_PACKET_INTERIM)
		return CERTDIR_TOOK_NOTHING;
	node = find_key(table, packet->session);
	return node ? renew(table, node, packet) : begin(table, packet, CERTDIR_SESSION_RUNNING);
}

bool certdir_table_load(struct certdir_table *table, const struct certdir_session *session)
{
	const bool ended = session->state == CERTDIR_SESSION_ENDED;
	struct certdir_session loaded = *session;

	if (!session->text[CERTDIR_SESSION_ID] || !session->text[CERTDIR_SESSION_CLASS] ||
	    session->state >= CERTDIR_SESSION_STATES || (ended ? table->ended : table->known) >= table->most ||
	    find_key(table, *session))
		return false;
	if (loaded.id <= table->last_id)
		loaded.id = ++table->last_id;
	/* Perhaps the server was restarted because that was mended. */
	if (loaded.state == CERTDIR_SESSION_REFUSED)
		loaded.state = CERTDIR_SESSION_WANTED_OUT;
	return add(table, &loaded);
}

void certdir_table_expire(struct certdir_table *table, int64_t now)
{
	struct node *node, *next;

	for (node = TAILQ_FIRST(&table->all); node; node = next) {
		next = TAILQ_NEXT(node, all);
		if (node->session->expires <= now)
			drop(table, node);
	}
}

/* ---- looking ---- */

const struct certdir_session *certdir_table_find(const struct certdir_table *table, uint64_t id)
{
	const struct node *node = find_id(table, id);

	return node ? node->session : NULL;
}

uint64_t *certdir_table_ids(const struct certdir_table *table, size_t *count)
{
	uint64_t *ids = calloc(table->known + 1, sizeof(*ids));
	struct node *node;

	*count = 0;
	if (!ids)
		return NULL;
	TAILQ_FOREACH(node, &table->all, all)
		if (node->session->state != CERTDIR_SESSION_ENDED)
			ids[(*count)++] = node->session->id;
	return ids;
}

size_t certdir_table_known(const struct certdir_table *table)
{
	return table->known;
}

static bool is_lately(const struct certdir_session *session, int64_t now)
{
	/* Later than now: the clock was set. */
	return session->denied > now - CERTDIR_TABLE_GRACE && session->denied <= now + CERTDIR_TABLE_GRACE;
}

struct certdir_counts certdir_table_count(struct certdir_table *table, int64_t now)
{
	enum { DEVICE = 1, DENIED = 2, LATELY = 4 };
	const uint64_t count = ++table->count;
	struct certdir_counts counts = {.held = 0};
	const struct node *node;

	TAILQ_FOREACH(node, &table->all, all) {
		const bool held = node->session->state == CERTDIR_SESSION_HELD;
		const bool lately = is_lately(node->session, now);

		counts.held += held;
		counts.states[node->session->state]++;
		counts.undecided += held && node->undecided;
		if (lately || node->session->state != CERTDIR_SESSION_ENDED)
			counts.devices += certdir_counted_mark(node->device, count, DEVICE);
		if (lately || held)
			counts.denied += certdir_counted_mark(node->device, count, DENIED);
		if (lately)
			counts.lately += certdir_counted_mark(node->device, count, LATELY);
	}
	return counts;
}

/* ---- judged again ---- */

bool certdir_table_next_asked(struct certdir_table *table, uint64_t *id, bool *live)
{
	struct node *node = TAILQ_FIRST(&table->asked);

	if (!node)
		return false;
	TAILQ_REMOVE(&table->asked, node, asked);
	*id = node->session->id;
	*live = node->live;
	node->is_asked = node->live = false;
	return true;
}

/* The node of a session that runs, as far as is known. */
static struct node *find_running(const struct certdir_table *table, uint64_t id)
{
	struct node *node = find_id(table, id);

	return node && node->session->state != CERTDIR_SESSION_ENDED ? node : NULL;
}

void certdir_table_overrule(struct certdir_table *table, uint64_t id, enum certdir_reason reason)
{
	struct node *node = find_running(table, id);

	if (node)
		node->overruled = reason;
}

enum certdir_reason certdir_table_overruled(const struct certdir_table *table, uint64_t id)
{
	const struct node *node = find_running(table, id);

	return node ? node->overruled : CERTDIR_REASONS;
}

void certdir_table_agree(struct certdir_table *table, uint64_t id)
{
	struct node *node = find_running(table, id);

	if (node)
		certdir_counted_agree(node->device);
}

void certdir_table_allow(struct certdir_table *table, uint64_t id)
{
	struct node *node = find_running(table, id);

	if (!node || node->session->state == CERTDIR_SESSION_RUNNING)
		return;
	node->session->denied = 0;
	set_state(table, node, CERTDIR_SESSION_RUNNING);
	note(table, node);
}

/* Another order than what was asked before: due then. */
static void want(struct certdir_table *table, struct node *node, enum certdir_session_state state, int64_t when)
{
	node->session->attempts = 0;
	node->session->answered = 0;
	node->session->again = when;
	set_state(table, node, state);
	note(table, node);
}

void certdir_table_change(struct certdir_table *table, uint64_t id, const char *next, int64_t now)
{
	struct node *node = find_running(table, id);
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
		note(table, node);
	else
		want(table, node, CERTDIR_SESSION_TO_CHANGE, now);
}

bool certdir_table_deny(struct certdir_table *table, uint64_t id, enum certdir_reason reason, int64_t now)
{
	struct node *node = find_running(table, id);
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
		set_state(table, node, CERTDIR_SESSION_HELD);
	} else if (node->session->state == CERTDIR_SESSION_WANTED_OUT && node->session->attempts == 0) {
		/* It waits because it was put out for the other reason, which says nothing of this one. */
		node->session->again = certdir_counted_when(node->device, node->session->issued, reason, now);
	}
	note(table, node);
	return anew;
}

size_t certdir_table_release(struct certdir_table *table, enum certdir_release which, int64_t now)
{
	size_t waiting = 0;
	struct node *node;

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
	struct node *node;

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
	struct node *node;

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
static void settle_change(struct certdir_table *table, struct node *node)
{
	struct certdir_session *session = node->session;

	if (session->text[CERTDIR_SESSION_NEXT])
		session->text[CERTDIR_SESSION_JUDGED] = session->text[CERTDIR_SESSION_NEXT];
	session->text[CERTDIR_SESSION_NEXT] = NULL;
	set_state(table, node, CERTDIR_SESSION_RUNNING);
}

/* What was asked is wanted still. */
static void conclude(struct certdir_table *table, struct node *node, enum certdir_order_outcome outcome, int64_t now)
{
	switch (outcome) {
	case CERTDIR_ORDER_DONE:
	case CERTDIR_ORDER_UNSUPPORTED:
		if (node->kind == CERTDIR_ORDER_CHANGE)
			settle_change(table, node);
		else
			set_state(table, node, CERTDIR_SESSION_REFUSED);
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
	struct node *node = find_id(table, id);

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
	note(table, node);
	if (node->kind == CERTDIR_ORDER_DISCONNECT && outcome == CERTDIR_ORDER_DONE)
		certdir_counted_put_out(node->device, node->session->reason, now);
	/* Some devices send the Stop before the ACK. */
	if (node->session->state == CERTDIR_SESSION_ENDED)
		return node->session;
	/* Whatever is wanted by now: the NAS has it no more. */
	if (outcome == CERTDIR_ORDER_GONE || (outcome == CERTDIR_ORDER_DONE && node->kind == CERTDIR_ORDER_DISCONNECT))
		end(table, node, now);
	else if (wants_order(node->session->state) &&
		 (node->kind == CERTDIR_ORDER_CHANGE) == (node->session->state == CERTDIR_SESSION_TO_CHANGE))
		conclude(table, node, outcome, now);
	return certdir_table_find(table, id);
}

/* ---- what a file has to learn ---- */

void certdir_table_note(struct certdir_table *table, bool all)
{
	struct node *node;

	table->noting = true;
	if (!all)
		return;
	table->gone_count = 0;
	TAILQ_FOREACH(node, &table->all, all)
		note(table, node);
}

bool certdir_table_has_changes(const struct certdir_table *table)
{
	return table->gone_count > 0 || !TAILQ_EMPTY(&table->changed);
}

bool certdir_table_next_change(struct certdir_table *table, uint64_t *id, const struct certdir_session **session)
{
	struct node *node = TAILQ_FIRST(&table->changed);

	if (table->gone_count > 0) {
		*id = table->gone[--table->gone_count];
		*session = NULL;
		return true;
	}
	if (!node)
		return false;
	TAILQ_REMOVE(&table->changed, node, changed);
	node->is_changed = false;
	*id = node->session->id;
	*session = node->session;
	return true;
}
