/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LDAP search filters (RFC 4515) for the values of a certificate, and for the groups of an entry. Pure. */
#ifndef CERTDIR_DIRECTORY_LDAP_FILTER_H
#define CERTDIR_DIRECTORY_LDAP_FILTER_H

#include "directory/directory.h"
#include "directory/ldap_schema.h"

/*
 * True when an administrator's filter can stand inside another: in parentheses, and as many closed as opened.
 * Otherwise `error` shows it. Its components are checked by the LDAP library when it is sent.
 */
bool certdir_ldap_filter_valid(const char *filter, struct certdir_error *error);

/* One comparison: this attribute has this value. */
struct certdir_ldap_term {
	const struct certdir_ldap_column *column;
	size_t length;
	unsigned char value[CERTDIR_LDAP_VALUE_MAX];
};

/* Each comparison once. A zeroed one is empty. */
struct certdir_ldap_terms {
	struct certdir_ldap_term *items;
	size_t count;
};

/*
 * What `count` values are looked up by: each in the columns of its type, a GUID in those of all GUIDs. A DNS name also
 * in the columns of common_name, whole and by its first label. A name that is longer than CERTDIR_LDAP_SAM_MAX is also
 * looked up cut to that in sAMAccountName. Values that many carry already are left out. `map` must outlive the terms, which the caller clears. False when memory is
 * out.
 */
bool certdir_ldap_terms_make(struct certdir_ldap_terms *terms, const struct certdir_ldap_map *map,
			     const struct certdir_sought *sought, size_t count);
void certdir_ldap_terms_clear(struct certdir_ldap_terms *terms);

/*
 * Makes "(&<devices>(|(cn=pc01)(sAMAccountName=pc01$)..))" of at least one term. The caller frees it; NULL when memory
 * is out.
 */
char *certdir_ldap_filter_build(const char *devices, const struct certdir_ldap_terms *terms);

/*
 * The filter for the groups of the entry `dn`: those it is a member of over any number of steps (MS-ADTS 3.1.1.3.4.4.3,
 * LDAP_MATCHING_RULE_TRANSITIVE_EVAL), and the one whose binary SID is `sid`, when `length` is not 0. The groups that
 * the latter is a member of are not found: its DN is not known yet, and would cost another search. The caller frees it;
 * NULL when memory is out.
 */
char *certdir_ldap_filter_groups(const char *dn, const unsigned char *sid, size_t length);

#endif
