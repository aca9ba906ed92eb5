/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A session as accounting tells of it: what a NAS knows it by, and what judges it again. */
#ifndef CERTDIR_SESSIONS_SESSION_H
#define CERTDIR_SESSIONS_SESSION_H

#include <sys/socket.h>

#include "base/certdir.h"

/* What accounting packets say of it, in the order of the store's columns: new ones stand at the end. */
enum certdir_session_field {
	CERTDIR_SESSION_ID, /* Acct-Session-Id; never missing */
	CERTDIR_SESSION_MULTI_ID,
	CERTDIR_SESSION_STATION, /* Calling-Station-Id */
	CERTDIR_SESSION_USER,
	CERTDIR_SESSION_NAS_IDENTIFIER,
	CERTDIR_SESSION_NAS_IP,
	CERTDIR_SESSION_NAS_IPV6,
	CERTDIR_SESSION_NAS_PORT, /* in digits */
	CERTDIR_SESSION_NAS_PORT_ID,
	CERTDIR_SESSION_CALLED_STATION,
	CERTDIR_SESSION_FRAMED_IP,
	CERTDIR_SESSION_FRAMED_IPV6,
	CERTDIR_SESSION_CLASS, /* the one of its Class attributes that is ours, as a login's reply had it */
	CERTDIR_SESSION_FIELDS
};
/* The RADIUS attribute: "Acct-Session-Id". Never NULL. */
const char *certdir_session_attribute(enum certdir_session_field field);

/* In the order of a session's life; the numbers stand in the store. */
enum certdir_session_state {
	CERTDIR_SESSION_RUNNING,
	CERTDIR_SESSION_TO_CHANGE, /* allowed, and what its VLAN may depend on is another one: the NAS is asked to change it */
	CERTDIR_SESSION_HELD, /* denied, and the guard against a mass event keeps it */
	CERTDIR_SESSION_WANTED_OUT, /* denied: the NAS is asked to end it */
	CERTDIR_SESSION_REFUSED, /* denied, and the NAS cannot end it, or does not want to: nobody asks it again */
	CERTDIR_SESSION_ENDED, /* stopped; kept for some minutes, as packets come out of order */
	CERTDIR_SESSION_STATES
};
const char *certdir_session_state_name(enum certdir_session_state state); /* "running", .. */

/* Times are Unix seconds, 0 = not known. */
struct certdir_session {
	uint64_t id; /* ours: counted up, never given twice */
	struct sockaddr_storage client; /* the address that its accounting comes from; the port is 0 */
	const char *text
		[CERTDIR_SESSION_FIELDS]; /* as the NAS wrote them, unsafe for a terminal; addresses and numbers in print; NULL = not said */
	int64_t started;
	int64_t heard; /* the newest packet, by when it was sent */
	int64_t expires; /* when it is taken for gone if no other comes */
	uint32_t interval; /* seconds between two Interim-Updates, as far as seen; 0 = none seen */
	enum certdir_session_state state;
	enum certdir_reason reason; /* why it is wanted out */
	/* The last order: how often it was given, when it is given again, what came back. */
	uint32_t attempts;
	int64_t again;
	int64_t answered;
	uint32_t outcome; /* enum certdir_order_outcome; counts if `answered` does */
	uint32_t cause; /* the NAK's Error-Cause, 0 = none */
};

/* A copy whose texts stand behind it in the same allocation: free() ends all of it. NULL when memory is out. */
struct certdir_session *certdir_session_copy(const struct certdir_session *session);

#endif
