/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection to an LDAP server. What is here is all that those outside this room see of libldap.
 *
 * Nothing global is set in libldap: rlm_ldap uses the same library in the same process. A connection belongs to one
 * thread at a time; different connections may be used by different threads.
 */
#ifndef CERTDIR_LDAP_CONNECTION_H
#define CERTDIR_LDAP_CONNECTION_H

#include "base/certdir.h"
#include "ldap/watchdog.h"

/* What came of an operation: libldap's codes and the server's, folded to what a caller does about them. */
enum certdir_ldap_status {
	CERTDIR_LDAP_OK,
	CERTDIR_LDAP_SIZE_LIMIT, /* there are more entries than were asked for; those that came were delivered */
	CERTDIR_LDAP_LOST, /* no connection, or it broke: another may work */
	CERTDIR_LDAP_TIMEOUT, /* no answer in time */
	CERTDIR_LDAP_REFUSED, /* identity or password is wrong, or the account may not: others will say the same */
	CERTDIR_LDAP_NO_OBJECT, /* the entry, or the base of the search, is not there */
	CERTDIR_LDAP_EXISTS, /* an entry with this DN is there already */
	CERTDIR_LDAP_DENIED, /* the account has not the right to do this */
	CERTDIR_LDAP_READ_ONLY, /* this server takes no changes: a referral to another, or unwilling to perform */
	CERTDIR_LDAP_CONSTRAINT, /* a value that must be unique or of a certain form is not */
	CERTDIR_LDAP_NOT_LEAF, /* other entries stand below it */
	CERTDIR_LDAP_CHANGED, /* a value that should go was not there, or one that should come was */
	CERTDIR_LDAP_FAILED /* anything else the server said; the connection is good */
};

/* How a connection binds. */
enum certdir_ldap_bind {
	CERTDIR_LDAP_BIND_SIMPLE, /* identity and password; both empty = anonymous */
	CERTDIR_LDAP_BIND_EXTERNAL, /* SASL EXTERNAL: the TLS client certificate, or the user of an ldapi:// socket */
	CERTDIR_LDAP_BIND_GSSAPI /* SASL GSSAPI with tickets that the first key in `keytab` gets */
};

/* How to reach a server and who we are there. Every string is borrowed. NULL or "" = not set. */
struct certdir_ldap_config {
	const char *const *servers; /* URIs or host names, NULL-terminated; tried in order */
	enum certdir_ldap_bind bind;
	const char *identity; /* bind DN */
	const char *password;
	const char *keytab; /* of CERTDIR_LDAP_BIND_GSSAPI */
	bool start_tls;
	const char *ca_file;
	const char *ca_path;
	const char *certificate_file;
	const char *private_key_file;
	const char *require_cert; /* "never", "allow", "try", "demand", "hard" (libldap's words) */
	uint32_t net_timeout; /* seconds to connect */
	uint32_t res_timeout; /* seconds for TLS and the bind, and for an answer that nobody sets a moment for */
	uint32_t srv_timelimit; /* seconds the server may search */
	uint16_t port; /* for servers given without a URI */
};

struct certdir_ldap_connection;

/*
 * A server as configured (URI or host name) to a URI; port 636 means ldaps. NULL when memory is out. The
 * caller frees it.
 */
char *certdir_ldap_uri(const char *server, uint16_t port);

/*
 * True when a connection to `uri`, or with ldap:///dc=example,dc=com to a server of that domain, could be tried with this
 * configuration: the URI is one, files can be read, and no password would cross a network in clear text. Connects to
 * nothing. Otherwise `error`, which is about an option, unless the library or memory is at fault.
 */
bool certdir_ldap_connection_check(const char *uri, const struct certdir_ldap_config *config,
				   struct certdir_error *error);

/*
 * Connects to `uri` within net_timeout, whatever number of addresses the host has, and binds within res_timeout, TLS included.
 * `watchdog` ends what libldap's timeouts do not, here and in every search: the TLS handshake, a message that stops half
 * way. Only resolving the host's name is the system resolver's own to end, and Kerberos has timeouts of its own: no
 * thread that somebody waits for should do this. Anything but OK: *connection is NULL and `error` names the server and
 * what is wrong. The caller closes the connection; one that broke never connects again by itself. `config` and `watchdog` must outlive
 * it.
 */
enum certdir_ldap_status certdir_ldap_connection_open(struct certdir_ldap_connection **connection, const char *uri,
						      const struct certdir_ldap_config *config,
						      struct certdir_watchdog *watchdog, struct certdir_error *error);
void certdir_ldap_connection_close(struct certdir_ldap_connection *connection);

/* The certificate that the server showed: DER, untrusted bytes, which the caller frees. NULL without TLS, or when memory is out. */
unsigned char *certdir_ldap_connection_certificate(const struct certdir_ldap_connection *connection, size_t *length);

/* One value of one attribute, as the server sent it: untrusted bytes. Attribute options (";range=..") are left out. */
struct certdir_ldap_value {
	const char *attribute;
	size_t attribute_length;
	const unsigned char *bytes;
	size_t length;
};

struct certdir_ldap_entry {
	const char *dn; /* untrusted bytes, not NUL-terminated */
	size_t dn_length;
	const struct certdir_ldap_value *values;
	size_t count;
	/* Of a listing (operation.h): an attribute whose values came in pieces and are left out, untrusted bytes; or NULL. */
	const char *pieces;
	size_t pieces_length;
};

enum certdir_ldap_scope { CERTDIR_LDAP_BASE, CERTDIR_LDAP_ONE, CERTDIR_LDAP_SUBTREE };

/* What is searched for. */
struct certdir_ldap_query {
	const char *base; /* DN; "" is the root DSE */
	enum certdir_ldap_scope scope;
	const char *filter; /* RFC 4515 */
	const char *const *attributes; /* NULL-terminated */
	unsigned page; /* of a listing (operation.h): entries a page (RFC 2696); 0 = not paged */
	bool pieces; /* of a listing: `each` looks at entry->pieces; else an entry that has some fails it */
	int size_limit; /* of a search: entries; 0 = none */
	bool optional; /* of a search: that it gets no answer in time says nothing of the server (pool.h) */
	int64_t until; /* of a search: microseconds of certdir_monotonic() by which it has to be done; 0 = after res_timeout */
};

/* Takes an entry, which lives as long as the call. False ends the search, with what the caller has set as its error or "out of memory". */
typedef bool (*certdir_ldap_take)(void *context, const struct certdir_ldap_entry *entry);

/*
 * Searches and calls `each` for every entry; false from it ends the search with CERTDIR_LDAP_FAILED. References to other servers are not
 * followed. Anything but OK and SIZE_LIMIT sets `error`, and the entries delivered so far mean nothing. After LOST and TIMEOUT the
 * connection is of no use but to be closed.
 */
enum certdir_ldap_status certdir_ldap_connection_search(struct certdir_ldap_connection *connection,
							const struct certdir_ldap_query *query, certdir_ldap_take each,
							void *context, struct certdir_error *error);

#endif
