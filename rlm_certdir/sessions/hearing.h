/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an accounting packet says of a session that is known: from which NAS, and when. Pure. */
#ifndef CERTDIR_SESSIONS_HEARING_H
#define CERTDIR_SESSIONS_HEARING_H

#include "sessions/table.h"

/* What tells one NAS behind an address from another: a controller or proxy sends for many. "" when it says nothing. Borrowed. */
const char *certdir_session_nas(const struct certdir_session *session);
/* Something that both say of their NAS is the same, and nothing is another. */
bool certdir_session_same_nas(const struct certdir_session *a, const struct certdir_session *b);

/* When it was first sent, by our clock, as far as Acct-Delay-Time tells. */
int64_t certdir_packet_sent(const struct certdir_packet *packet);
/* Whether it is of a later login than what is known under its key, which ended: a NAS may count its sessions anew. */
bool certdir_packet_is_later_login(const struct certdir_packet *packet, const struct certdir_session *known);
/* Whether it tells of a time before what is known: of a login before, or of the same one by the NAS's clock, which may be set. */
bool certdir_packet_is_older(const struct certdir_packet *packet, const struct certdir_session *known);

/* Notes when it was heard of, how often that is to be, and until when it is known. */
void certdir_session_hear(struct certdir_session *session, const struct certdir_packet *packet);
/* `timeout`: as in struct certdir_packet. */
void certdir_session_expire(struct certdir_session *session, int64_t timeout);

#endif
