/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked of a NAS about a session that it has: RFC 5176. */
#ifndef CERTDIR_SESSIONS_ORDER_H
#define CERTDIR_SESSIONS_ORDER_H

#include "sessions/session.h"

enum certdir_order_kind { CERTDIR_ORDER_DISCONNECT, CERTDIR_ORDER_CHANGE, CERTDIR_ORDER_KINDS };

/* The numbers stand in the store. */
enum certdir_order_outcome {
	CERTDIR_ORDER_DONE, /* ACK */
	CERTDIR_ORDER_GONE, /* NAK: Session-Context-Not-Found (503). It has no such session */
	CERTDIR_ORDER_UNSUPPORTED, /* NAK: it never will (401, 402, 404, 405, 406, 501); or its client { } has certdir_change = none */
	CERTDIR_ORDER_REFUSED, /* any other NAK: perhaps later */
	CERTDIR_ORDER_SILENT, /* no answer in all of an attempt */
	CERTDIR_ORDER_OUTCOMES
};
const char *certdir_order_outcome_name(enum certdir_order_outcome outcome); /* "done", "gone", .. */

/* `cause`: the Error-Cause of the answer, 0 = none. */
typedef void (*certdir_order_answered)(void *to, uint64_t id, enum certdir_order_outcome outcome, uint32_t cause);

/* One attempt at a time for each session; given again later by who gave it. */
struct certdir_order {
	uint64_t id; /* the session's */
	enum certdir_order_kind kind;
	const struct certdir_session *session; /* borrowed: good until send() returns (certdir_session_copy()) */
	const char *reason; /* certdir_reason_name() or another literal, for log lines and Reply-Message */
	certdir_order_answered
		answered; /* called once for each order, from any thread; inside send() when there is no memory for it */
	void *to;
};

/*
 * Who carries orders out. send() copies what it needs, never blocks, and always takes the order: who has no room answers
 * CERTDIR_ORDER_SILENT.
 */
struct certdir_order_sender {
	void (*send)(void *context, const struct certdir_order *order);
	void *context;
};

#endif
