/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An order as a packet of RFC 5176, and what a network device answers, by the server's own library. */
#ifndef CERTDIR_DAS_PACKET_H
#define CERTDIR_DAS_PACKET_H

#include "das_clients.h"
#include "sessions/order.h"

/*
 * How much of a session a request names. All that is named has to fit (RFC 5176, 3), and some devices refuse what they do not know while
 * others ask for more, so what is usual comes first, and the device's own word for it leads to one of the others.
 */
enum das_naming { DAS_NAMING_USUAL, DAS_NAMING_SHORT, DAS_NAMING_FULL };

/*
 * A Disconnect-Request, or a CoA-Request with `coa` where that is not NULL, without an identifier, destination and socket; of `memory`.
 * NULL when memory is out.
 */
RADIUS_PACKET *das_packet_request(TALLOC_CTX *memory, struct certdir_session const *session, enum das_naming naming,
				  VALUE_PAIR *coa);

/* Whether the reply answers that request: of its kind, and signed with the secret. Decodes it. */
bool das_packet_answers(RADIUS_PACKET *reply, RADIUS_PACKET *request, char const *secret);

/* What a reply says. *cause is its Error-Cause, 0 = none. */
enum certdir_order_outcome das_packet_outcome(RADIUS_PACKET const *reply, uint32_t *cause);

/* Whether the order is worth another request that names the session differently; *naming is changed then. */
bool das_packet_rename(uint32_t cause, enum das_naming *naming);

#endif
