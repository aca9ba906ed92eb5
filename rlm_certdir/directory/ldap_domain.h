/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The DNS domains whose computers an LDAP directory has. Pure. */
#ifndef CERTDIR_DIRECTORY_LDAP_DOMAIN_H
#define CERTDIR_DIRECTORY_LDAP_DOMAIN_H

#include "base/certdir.h"

/*
 * The blank-separated `words` as a NULL-terminated list, lower case and without a dot at the end; where there are none,
 * the domain that the DC= of `base_dn` spell (RFC 2247), or NULL. The caller frees *domains with
 * certdir_ldap_domains_free(). False with `error` when a word is no DNS name or memory is out.
 */
bool certdir_ldap_domains_make(char ***domains, const char *words, const char *base_dn, struct certdir_error *error);
void certdir_ldap_domains_free(char **domains);

/*
 * What of `dn` is all DC=: the root of its domain, where its groups are; points into `dn`. `dn` itself when there is
 * none.
 */
const char *certdir_ldap_domain_root(const char *dn);

#endif
