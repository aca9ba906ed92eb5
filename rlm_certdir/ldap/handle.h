/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What connection.c, bind.c and operation.c share, and nobody else sees: libldap's handle under the watchdog's eye, what
 * result codes mean, waiting for a message, and one search from its request to its result.
 */
#ifndef CERTDIR_LDAP_HANDLE_H
#define CERTDIR_LDAP_HANDLE_H

#include <ldap.h>

#include "ldap/connection.h"

struct certdir_ldap_connection {
	LDAP *handle;
	const char *uri;
	const struct certdir_ldap_config *config;
	struct certdir_watched watched;
	bool open; /* TLS and the bind are over */
	int64_t begun, until; /* of the operation that runs: microseconds of certdir_monotonic() */
	char own_uri[];
};

/* Whether it is the socket of a server on this machine, ldapi://. */
bool certdir_ldap_is_local(const char *uri);
/* Whether connections to it are encrypted: ldaps://, or StartTLS by the configuration. */
bool certdir_ldap_uses_tls(const char *uri, const struct certdir_ldap_config *config);

/* What a result code of LDAP or libldap means to us. */
enum certdir_ldap_status certdir_ldap_status_of(int code);

/* LDAP's name of the code and the server's or libldap's own words, fit for a log line: "No such object (..)". */
void certdir_ldap_words(const struct certdir_ldap_connection *connection, int code, char text[CERTDIR_TEXT_MAX]);

/*
 * The same; for anything but success and size limit `error` gets the server, the words and an advice. With
 * `base` that is named, too, and advice that speaks of the module's options is left out.
 */
enum certdir_ldap_status certdir_ldap_conclude(const struct certdir_ldap_connection *connection, int code,
					       const char *base, struct certdir_error *error);

/*
 * An operation begins, which ends at `until` (microseconds of certdir_monotonic()) at the latest: waiting for a message
 * does, and where libldap does not wait but reads on, the watchdog ends it a moment later.
 */
void certdir_ldap_begin(struct certdir_ldap_connection *connection, int64_t until);
/* Returns `status`, or CERTDIR_LDAP_TIMEOUT with `error` when the watchdog ended the operation. */
enum certdir_ldap_status certdir_ldap_end(struct certdir_ldap_connection *connection, enum certdir_ldap_status status,
					  struct certdir_error *error);

/* When an operation that begins now has to be done: after res_timeout. */
int64_t certdir_ldap_deadline(const struct certdir_ldap_connection *connection);

/*
 * Waits for a message of operation `id`, or of any (LDAP_RES_ANY), until the operation's end; `all` is LDAP_MSG_ONE or
 * LDAP_MSG_ALL. In any case the caller frees *message.
 */
enum certdir_ldap_status certdir_ldap_await(struct certdir_ldap_connection *connection, int id, int all,
					    LDAPMessage **message, struct certdir_error *error);

/* One search from its request to its result, or one page of a listing. */
struct certdir_ldap_search {
	const struct certdir_ldap_query *query;
	int64_t until; /* microseconds of certdir_monotonic() */
	LDAPControl *control; /* sent along, or NULL */
	/*
	 * For those who keep entries: messages name the base, attributes with options are other attributes and left
	 * out (RFC 4512 2.5), and the entry tells of one that came in pieces (";range=0-1499", MS-ADTS 3.1.1.3.1.3.3).
	 */
	bool whole;
	certdir_ldap_take each;
	void *context;
	int count; /* entries delivered */
	LDAPControl **controls; /* came with the result; the caller frees them */
};

/*
 * Runs it to its end. When `each` returns false, `error` is what it has set there, or "out of memory". Anything but OK and
 * SIZE_LIMIT sets `error`.
 */
enum certdir_ldap_status certdir_ldap_search_run(struct certdir_ldap_connection *connection,
						 struct certdir_ldap_search *search, struct certdir_error *error);

/* The two halves of that: others may be in flight in between. */
enum certdir_ldap_status certdir_ldap_search_send(struct certdir_ldap_connection *connection,
						  struct certdir_ldap_search *search, int *id,
						  struct certdir_error *error);
enum certdir_ldap_status certdir_ldap_search_receive(struct certdir_ldap_connection *connection,
						     struct certdir_ldap_search *search, int id,
						     struct certdir_error *error);

#endif
