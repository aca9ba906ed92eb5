/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A session as accounting tells of it: what a NAS knows it by, and what judges it again. */
#ifndef CERTDIR_SESSIONS_SESSION_H
#define CERTDIR_SESSIONS_SESSION_H

#include <sys/socket.h>

#include "base/certdir.h"

/* What is known of it in words, in the order of the store's columns: new ones stand at the end. */
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
	CERTDIR_SESSION_ATTRIBUTES, /* so many of them are a packet's */
	/* As its Class would be, since the NAS has changed the session; NULL = as it is. */
	CERTDIR_SESSION_JUDGED = CERTDIR_SESSION_ATTRIBUTES,
	CERTDIR_SESSION_NEXT, /* and as it will be when the NAS has done what is asked of it now */
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
	CERTDIR_SESSION_REFUSED, /* denied, and the NAS cannot end it: nobody asks again */
	CERTDIR_SESSION_ENDED, /* kept for some minutes, as packets come out of order */
	CERTDIR_SESSION_STATES
};
const char *certdir_session_state_name(enum certdir_session_state state); /* "running", .. */

/* Times are Unix seconds by our clock, 0 = not known. */
struct certdir_session {
	uint64_t id; /* ours: counted up, never given twice */
	struct sockaddr_storage client; /* the address that its accounting comes from; the port is 0 */
	const char *text
		[CERTDIR_SESSION_FIELDS]; /* as the NAS wrote them, unsafe for a terminal; addresses and numbers in print; NULL = not said */
	int64_t issued; /* its Class: a later one is a later login's */
	int64_t started;
	int64_t heard; /* when the newest packet was sent, as far as Acct-Delay-Time tells */
	int64_t said; /* the latest Event-Timestamp: by the NAS's clock */
	int64_t expires; /* when it is taken for gone if no other packet comes */
	int64_t interval; /* seconds between Interim-Updates, the longest that was seen; 0 = none known */
	int64_t gap; /* seconds before the last of them; the file does not keep it */
	enum certdir_session_state state;
	enum certdir_reason reason; /* why it is wanted out, or was */
	int64_t denied; /* since when it is */
	/* The last order: how often it was given, when it is given again, what came back. */
	int64_t attempts;
	int64_t again;
	int64_t answered;
	int64_t outcome; /* enum certdir_order_outcome; counts if `answered` does */
	int64_t cause; /* the NAK's Error-Cause, 0 = none */
};

/* A copy whose texts stand behind it in the same allocation: free() ends all of it. NULL when memory is out. */
struct certdir_session *certdir_session_copy(const struct certdir_session *session);

/*
 * What its Class says in clear: the device's id, or the person's. Borrowed from the session, `length` bytes long. NULL without a Class.
 */
const char *certdir_session_device(const struct certdir_session *session, size_t *length);

/* An order of addresses, as of strcmp(3); 0: the same host, as the port does not count. */
int certdir_address_compare(const struct sockaddr_storage *a, const struct sockaddr_storage *b);
enum { CERTDIR_ADDRESS_SIZE = 46 };
/* "192.0.2.1", "2001:db8::1", "" for what is neither. Returns `text`. */
const char *certdir_address_print(const struct sockaddr_storage *address, char text[CERTDIR_ADDRESS_SIZE]);
/* The reverse; false, with an empty address, for what is neither. */
bool certdir_address_read(struct sockaddr_storage *address, const char *text);

#endif
