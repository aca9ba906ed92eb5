/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values, and operations that change entries, as data: who makes a plan of them needs no connection. */
#ifndef CERTDIR_LDAP_CHANGE_H
#define CERTDIR_LDAP_CHANGE_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of a value. In what is sent they are borrowed. */
struct certdir_ldap_bytes {
	const char *bytes;
	size_t length;
};

struct certdir_ldap_values {
	const struct certdir_ldap_bytes *items;
	size_t count;
};

/*
 * One attribute's change. Values are named one by one, so that the server refuses the whole operation when the entry
 * is not as we saw it. `whole`: attributes that Active Directory's SAM wants replaced (userAccountControl, primaryGroupID,
 * sAMAccountName); they are sent as a replacement by `added`, and `deleted` is only known for the way back.
 */
struct certdir_ldap_change {
	const char *attribute;
	struct certdir_ldap_values deleted;
	struct certdir_ldap_values added;
	bool whole;
};

enum certdir_ldap_verb {
	CERTDIR_LDAP_VERB_ADD, /* an entry with `added` of each change */
	CERTDIR_LDAP_VERB_MODIFY,
	CERTDIR_LDAP_VERB_RENAME, /* to `rdn` below `parent`, the old RDN's value goes */
	CERTDIR_LDAP_VERB_DELETE,
	CERTDIR_LDAP_VERB_READ /* `attribute` of the entry, into the answer's `value` */
};

struct certdir_ldap_operation {
	enum certdir_ldap_verb verb;
	const char *dn;
	const struct certdir_ldap_change *changes; /* ADD, MODIFY; of DELETE: what the entry had, for the way back */
	size_t count;
	const char *rdn, *parent; /* RENAME */
	const char *attribute; /* READ */
};

#endif
