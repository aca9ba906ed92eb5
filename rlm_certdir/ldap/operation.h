/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What those need who keep a directory and not only ask it: reading it whole, page by page, and writing with many operations on
 * the way at once. The same connection as connection.h; the same rules.
 */
#ifndef CERTDIR_LDAP_OPERATION_H
#define CERTDIR_LDAP_OPERATION_H

#include "ldap/change.h"
#include "ldap/connection.h"

/*
 * Calls `each` for every entry of `listing`; false from it ends with CERTDIR_LDAP_FAILED and the `error` that it has set through its
 * context, or "out of memory". Anything but OK sets `error`, and what was delivered means nothing: a listing is the whole truth or
 * none. A page has the connection's res_timeout. CERTDIR_LDAP_NO_OBJECT: `base` is not there. Attributes with options are
 * others (RFC 4512 2.5) and left out. One that the server gives in pieces (";range=0-1499") is left out and named in the entry for those
 * who asked for `pieces`, so that one odd entry does not keep all others from theirs, and CERTDIR_LDAP_FAILED for all others.
 */
enum certdir_ldap_status certdir_ldap_list(struct certdir_ldap_connection *connection,
					   const struct certdir_ldap_query *listing, certdir_ldap_take each,
					   void *context, struct certdir_error *error);

/*
 * The same in two halves, for many small listings that are in flight at once: they have no pages, whatever `page` says. What was sent
 * has to be received, with the same `listing`, whatever became of others; after CERTDIR_LDAP_LOST and CERTDIR_LDAP_TIMEOUT nothing
 * more comes.
 */
enum certdir_ldap_status certdir_ldap_list_send(struct certdir_ldap_connection *connection,
						const struct certdir_ldap_query *listing, int *id,
						struct certdir_error *error);
enum certdir_ldap_status certdir_ldap_list_receive(struct certdir_ldap_connection *connection,
						   const struct certdir_ldap_query *listing, int id,
						   certdir_ldap_take each, void *context, struct certdir_error *error);

/*
 * Sends it and does not wait. *id tells its answer. Anything but OK sets `error`: the connection is lost. OpenLDAP ends a
 * connection with more than 1,000 operations in flight (slapd.conf(5), conn_max_pending_auth), and may do those that
 * are in any order.
 */
enum certdir_ldap_status certdir_ldap_send(struct certdir_ldap_connection *connection,
					   const struct certdir_ldap_operation *operation, int *id,
					   struct certdir_error *error);

/* An operation's end. */
struct certdir_ldap_answer {
	int id;
	enum certdir_ldap_status status;
	char text[CERTDIR_TEXT_MAX]; /* unless OK: LDAP's name of the result and the server's own words */
	bool found; /* READ: the entry is there and has the attribute, whose first value has no NUL inside */
	char value[128]; /* READ: that value, and a NUL behind it; longer ones count as not found */
	size_t length; /* of the value; one in binary, which counts as not found when it has NULs inside, is here all the same */
};

/*
 * Waits for the next operation to end, whichever it is, at most res_timeout. Anything but OK sets `error` and means that the
 * connection is lost, and nobody knows what became of operations that were sent and not answered.
 */
enum certdir_ldap_status certdir_ldap_receive(struct certdir_ldap_connection *connection,
					      struct certdir_ldap_answer *answer, struct certdir_error *error);

/* The URI of the server that is connected; borrowed. */
const char *certdir_ldap_connection_uri(const struct certdir_ldap_connection *connection);

#endif
