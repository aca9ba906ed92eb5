/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sessions/hearing.h"

#include <string.h>

enum {
	SHORTEST_INTERVAL = 30 /* seconds: packets nearer to each other are repeated ones */
};

/* ---- which NAS ---- */

static const enum certdir_session_field nas_fields[] = {CERTDIR_SESSION_NAS_IDENTIFIER, CERTDIR_SESSION_NAS_IPV6,
							CERTDIR_SESSION_NAS_IP};
enum { NAS_FIELDS = sizeof(nas_fields) / sizeof(nas_fields[0]) };

const char *certdir_session_nas(const struct certdir_session *session)
{
	for (size_t i = 0; i < NAS_FIELDS; i++)
		if (session->text[nas_fields[i]])
			return session->text[nas_fields[i]];
	return "";
}

bool certdir_session_same_nas(const struct certdir_session *a, const struct certdir_session *b)
{
	bool same = false;

	if (certdir_address_compare(&a->client, &b->client) != 0)
		return false;
	for (size_t i = 0; i < NAS_FIELDS; i++) {
		const char *left = a->text[nas_fields[i]], *right = b->text[nas_fields[i]];

		if (!left || !right)
			continue;
		if (strcmp(left, right) != 0)
			return false;
		same = true;
	}
	return same;
}

/* ---- when ---- */

int64_t certdir_packet_sent(const struct certdir_packet *packet)
{
	return packet->delay > 0 && packet->delay < CERTDIR_TABLE_DAY ? packet->received - packet->delay
								      : packet->received;
}

bool certdir_packet_is_later_login(const struct certdir_packet *packet, const struct certdir_session *known)
{
	return packet->session.issued > known->issued || (packet->event && known->said && packet->event > known->said);
}

bool certdir_packet_is_older(const struct certdir_packet *packet, const struct certdir_session *known)
{
	if (packet->session.issued != known->issued)
		return packet->session.issued < known->issued;
	return packet->event && known->said && packet->event < known->said;
}

/*
 * Two gaps in a row that are alike are an interval. One says nothing: some network devices send an Interim-Update when they learn an address,
 * and then never again.
 */
static void learn_interval(struct certdir_session *session, int64_t gap)
{
	const int64_t shorter = gap < session->gap ? gap : session->gap, longer = gap + session->gap - shorter;

	if (longer - shorter <= shorter / 4 && longer > session->interval)
		session->interval = longer < CERTDIR_TABLE_DAY ? longer : CERTDIR_TABLE_DAY;
	session->gap = gap;
}

void certdir_session_expire(struct certdir_session *session, int64_t timeout)
{
	const int64_t silence = session->interval ? 2 * session->interval : CERTDIR_TABLE_DAY;
	const int64_t end = session->started + timeout + CERTDIR_TABLE_SLACK;

	session->expires = session->heard + silence + CERTDIR_TABLE_SLACK;
	if (timeout > 0 && end < session->expires)
		session->expires = end;
}

void certdir_session_hear(struct certdir_session *session, const struct certdir_packet *packet)
{
	const int64_t sent = certdir_packet_sent(packet), since = sent - session->heard;

	if (packet->kind == CERTDIR_PACKET_INTERIM && since >= SHORTEST_INTERVAL)
		learn_interval(session, since);
	if (sent > session->heard)
		session->heard = sent;
	if (packet->event > session->said)
		session->said = packet->event;
	certdir_session_expire(session, packet->timeout);
}
