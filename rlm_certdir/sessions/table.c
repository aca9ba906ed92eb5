/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sessions/table.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "sessions/hearing.h"
#include "sessions/table_node.h"

/* ---- keys ---- */

static int by_key(const void *a, const void *b)
{
	const struct certdir_session *left = ((const struct certdir_node *)a)->session;
	const struct certdir_session *right = ((const struct certdir_node *)b)->session;
	int order = strcmp(left->text[CERTDIR_SESSION_ID], right->text[CERTDIR_SESSION_ID]);

	if (order == 0)
		order = strcmp(certdir_session_nas(left), certdir_session_nas(right));
	return order ? order : certdir_address_compare(&left->client, &right->client);
}

static int by_id(const void *a, const void *b)
{
	const uint64_t left = ((const struct certdir_node *)a)->session->id,
		       right = ((const struct certdir_node *)b)->session->id;

	return (left > right) - (left < right);
}

struct certdir_node *certdir_node_find(const struct certdir_table *table, struct certdir_session session)
{
	const struct certdir_node sought = {.session = &session};
	struct certdir_node *const *found = tfind(&sought, &table->by_key, by_key);

	return found ? *found : NULL;
}

struct certdir_node *certdir_node_find_id(const struct certdir_table *table, uint64_t id)
{
	struct certdir_session session = {.id = id};
	const struct certdir_node sought = {.session = &session};
	struct certdir_node *const *found = tfind(&sought, &table->by_id, by_id);

	return found ? *found : NULL;
}

struct certdir_node *certdir_node_find_running(const struct certdir_table *table, uint64_t id)
{
	struct certdir_node *node = certdir_node_find_id(table, id);

	return node && node->session->state != CERTDIR_SESSION_ENDED ? node : NULL;
}

/* ---- queues ---- */

void certdir_node_note(struct certdir_table *table, struct certdir_node *node)
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

void certdir_node_ask(struct certdir_table *table, struct certdir_node *node, bool live)
{
	node->live |= live;
	if (node->is_asked)
		return;
	node->is_asked = true;
	TAILQ_INSERT_TAIL(&table->asked, node, asked);
}

static void leave_queues(struct certdir_table *table, struct certdir_node *node)
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
void certdir_node_set_state(struct certdir_table *table, struct certdir_node *node, enum certdir_session_state state)
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

static void free_node(struct certdir_table *table, struct certdir_node *node)
{
	certdir_counted_give(&table->devices, node->device);
	free(node->session);
	free(node);
}

void certdir_node_drop(struct certdir_table *table, struct certdir_node *node)
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
static bool insert(struct certdir_table *table, struct certdir_node *node)
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
struct certdir_node *certdir_node_add(struct certdir_table *table, const struct certdir_session *session)
{
	struct certdir_node *node = calloc(1, sizeof(*node));

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
	certdir_node_note(table, node);
	return node;
}

/* It stays for some minutes: a Start that was late, or is repeated, must not make it known again. */
void certdir_node_end(struct certdir_table *table, struct certdir_node *node, int64_t now)
{
	if (table->ended >= table->most) {
		certdir_node_drop(table, node);
		return;
	}
	certdir_node_set_state(table, node, CERTDIR_SESSION_ENDED);
	node->session->expires = now + CERTDIR_TABLE_GRACE;
	if (node->is_asked)
		TAILQ_REMOVE(&table->asked, node, asked);
	node->is_asked = false;
	certdir_node_note(table, node);
}

/* ---- the table ---- */

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
		certdir_node_drop(table, TAILQ_FIRST(&table->all));
	free(table->gone);
	free(table);
}

bool certdir_table_load(struct certdir_table *table, const struct certdir_session *session)
{
	const bool ended = session->state == CERTDIR_SESSION_ENDED;
	struct certdir_session loaded = *session;

	if (!session->text[CERTDIR_SESSION_ID] || !session->text[CERTDIR_SESSION_CLASS] ||
	    session->state >= CERTDIR_SESSION_STATES || (ended ? table->ended : table->known) >= table->most ||
	    certdir_node_find(table, *session))
		return false;
	if (loaded.id <= table->last_id)
		loaded.id = ++table->last_id;
	/* Perhaps the server was restarted because that was mended. */
	if (loaded.state == CERTDIR_SESSION_REFUSED)
		loaded.state = CERTDIR_SESSION_WANTED_OUT;
	return certdir_node_add(table, &loaded);
}

void certdir_table_expire(struct certdir_table *table, int64_t now)
{
	struct certdir_node *node, *next;

	for (node = TAILQ_FIRST(&table->all); node; node = next) {
		next = TAILQ_NEXT(node, all);
		if (node->session->expires <= now)
			certdir_node_drop(table, node);
	}
}

/* ---- looking ---- */

const struct certdir_session *certdir_table_find(const struct certdir_table *table, uint64_t id)
{
	const struct certdir_node *node = certdir_node_find_id(table, id);

	return node ? node->session : NULL;
}

uint64_t *certdir_table_ids(const struct certdir_table *table, size_t *count)
{
	uint64_t *ids = calloc(table->known + 1, sizeof(*ids));
	struct certdir_node *node;

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

/*
 * Who was put out for the same reason before is no news, and has a bound of his own: a few devices that are let in again and again must not
 * have all others held.
 */
static bool is_lately(const struct certdir_node *node, int64_t now)
{
	const struct certdir_session *session = node->session;

	/* Later than now: the clock was set. */
	return session->denied > now - CERTDIR_TABLE_GRACE && session->denied <= now + CERTDIR_TABLE_GRACE &&
	       certdir_counted_is_news(node->device, session->issued, session->reason);
}

struct certdir_counts certdir_table_count(struct certdir_table *table, int64_t now)
{
	enum { DEVICE = 1, DENIED = 2, LATELY = 4 };
	const uint64_t count = ++table->count;
	struct certdir_counts counts = {.held = 0};
	const struct certdir_node *node;

	TAILQ_FOREACH(node, &table->all, all) {
		const bool held = node->session->state == CERTDIR_SESSION_HELD;
		const bool lately = is_lately(node, now);

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

/* ---- what a file has to learn ---- */

void certdir_table_note(struct certdir_table *table, bool all)
{
	struct certdir_node *node;

	table->noting = true;
	if (!all)
		return;
	table->gone_count = 0;
	TAILQ_FOREACH(node, &table->all, all)
		certdir_node_note(table, node);
}

bool certdir_table_has_changes(const struct certdir_table *table)
{
	return table->gone_count > 0 || !TAILQ_EMPTY(&table->changed);
}

bool certdir_table_next_change(struct certdir_table *table, uint64_t *id, const struct certdir_session **session)
{
	struct certdir_node *node = TAILQ_FIRST(&table->changed);

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
