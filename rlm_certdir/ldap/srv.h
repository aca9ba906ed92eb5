/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The servers of a domain as the DNS has them (RFC 2782): "ldap:///dc=example,dc=com" stands for the targets of
 * _ldap._tcp.example.com. Nothing of libldap's is used, which may hold a lock of the whole process meanwhile.
 */
#ifndef CERTDIR_LDAP_SRV_H
#define CERTDIR_LDAP_SRV_H

#include "base/certdir.h"

enum { CERTDIR_DOMAIN_MAX = 253 }; /* bytes of a domain name in text (RFC 1035 2.3.4) */
enum { CERTDIR_LDAP_TARGETS_MAX = 16 };

struct certdir_ldap_target {
	char uri[sizeof("ldaps://:65535") + CERTDIR_DOMAIN_MAX]; /* "ldap://dc1.example.com:389" */
	uint16_t priority; /* lower ones come first */
	uint16_t weight; /* among those of one priority: the share of first tries */
};

/*
 * Whether `uri` names a domain instead of a host: no host, and a DN of DC= alone (RFC 2247). Writes "example.com". False also for
 * a URI that is none.
 */
bool certdir_ldap_srv_domain(const char *uri, char domain[CERTDIR_DOMAIN_MAX + 1]);

/*
 * Asks the DNS for the servers behind such a URI, in the order in which they are to be tried (RFC 2782: by priority, by weight
 * with a draw of its own each time), at most CERTDIR_LDAP_TARGETS_MAX of them and at least one. With ldaps:/// these
 * are the targets of _ldaps._tcp, and where the domain has none, as in Active Directory, those of _ldap._tcp at port
 * 636. Takes as long as the resolver takes, a few seconds when it is silent. False with `error`, which names the domain
 * and what the DNS said.
 */
bool certdir_ldap_srv_find(const char *uri, struct certdir_ldap_target targets[CERTDIR_LDAP_TARGETS_MAX], size_t *count,
			   struct certdir_error *error);

/* ---- the pure parts of it ---- */

/* What an answer says: whom it names, and what it is when it names nobody. */
enum certdir_ldap_srv_answer {
	CERTDIR_LDAP_SRV_TARGETS,
	CERTDIR_LDAP_SRV_NONE, /* no SRV record in it */
	CERTDIR_LDAP_SRV_REFUSED, /* the target "." alone: the domain has no such service, on purpose */
	CERTDIR_LDAP_SRV_BROKEN /* records that cannot be read, and none that can */
};

/*
 * Reads the SRV records of a DNS message, hostile or cut short: what can be read of it counts. Targets that are no host names are
 * left out, and of more than there is room for those of the lowest priorities stay. `scheme` is "ldap" or "ldaps" and
 * `port`, unless 0, stands in for what the records say.
 */
enum certdir_ldap_srv_answer certdir_ldap_srv_read(const unsigned char *message, size_t length, const char *scheme,
						   uint16_t port,
						   struct certdir_ldap_target targets[CERTDIR_LDAP_TARGETS_MAX],
						   size_t *count);

/* Puts targets into the order of RFC 2782; `seed` is what the draw depends on. */
void certdir_ldap_srv_order(struct certdir_ldap_target *targets, size_t count, unsigned short seed[3]);

#endif
