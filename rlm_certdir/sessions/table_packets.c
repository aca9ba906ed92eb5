/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What packets say of sessions. They come late, twice, in any order, or never. */
#include "sessions/table_node.h"

#include <stdlib.h>
#include <string.h>

#include "sessions/hearing.h"

/* Puts what the packet says in the place of what was said before; what it does not say stays. False when memory is out. */
static bool renew_texts(struct certdir_table *table, struct certdir_node *node, const struct certdir_session *said)
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
static void begin_anew(struct certdir_table *table, struct certdir_node *node, const struct certdir_packet *packet)
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
	certdir_node_set_state(table, node, CERTDIR_SESSION_RUNNING);
}

static enum certdir_took renew(struct certdir_table *table, struct certdir_node *node,
			       const struct certdir_packet *packet)
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
	certdir_node_ask(table, node, packet->kind == CERTDIR_PACKET_INTERIM);
	certdir_node_note(table, node);
	return CERTDIR_TOOK_IT;
}

static enum certdir_took begin(struct certdir_table *table, const struct certdir_packet *packet,
			       enum certdir_session_state state)
{
	struct certdir_session session = packet->session;
	struct certdir_node *node;

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
	node = certdir_node_add(table, &session);
	if (!node)
		return CERTDIR_TOOK_NO_MORE;
	if (state != CERTDIR_SESSION_ENDED)
		certdir_node_ask(table, node, packet->kind == CERTDIR_PACKET_INTERIM);
	return CERTDIR_TOOK_IT;
}

static enum certdir_took stop(struct certdir_table *table, const struct certdir_packet *packet)
{
	struct certdir_node *node = certdir_node_find(table, packet->session);

	if (!node)
		return begin(table, packet, CERTDIR_SESSION_ENDED);
	/* Of a login before this one, under the same name. */
	if (node->session->state == CERTDIR_SESSION_ENDED || packet->session.issued < node->session->issued)
		return CERTDIR_TOOK_NOTHING;
	if (packet->event > node->session->said)
		node->session->said = packet->event;
	certdir_node_end(table, node, packet->received);
	return CERTDIR_TOOK_IT;
}

/* Accounting-On and -Off: the NAS has none of its sessions any more, but those that began after it said so. */
static enum certdir_took end_all(struct certdir_table *table, const struct certdir_packet *packet)
{
	const int64_t sent = certdir_packet_sent(packet);
	struct certdir_node *node, *next;
	bool some = false;

	for (node = TAILQ_FIRST(&table->all); node; node = next) {
		next = TAILQ_NEXT(node, all);
		if (node->session->state == CERTDIR_SESSION_ENDED || node->session->heard >= sent ||
		    !certdir_session_same_nas(node->session, &packet->session))
			continue;
		certdir_node_end(table, node, packet->received);
		some = true;
	}
	return some ? CERTDIR_TOOK_IT : CERTDIR_TOOK_NOTHING;
}

enum certdir_took certdir_table_take(struct certdir_table *table, const struct certdir_packet *packet)
{
	struct certdir_node *node;

	if (packet->kind == CERTDIR_PACKET_ON || packet->kind == CERTDIR_PACKET_OFF)
		return end_all(table, packet);
	if (!packet->session.text[CERTDIR_SESSION_ID] || !packet->session.text[CERTDIR_SESSION_CLASS])
		return CERTDIR_TOOK_NOTHING;
	if (packet->kind == CERTDIR_PACKET_STOP)
		return stop(table, packet);
	if (packet->kind != CERTDIR_PACKET_START && packet->kind != CERTDIR_PACKET_INTERIM)
		return CERTDIR_TOOK_NOTHING;
	node = certdir_node_find(table, packet->session);
	return node ? renew(table, node, packet) : begin(table, packet, CERTDIR_SESSION_RUNNING);
}
