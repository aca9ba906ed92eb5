/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LDAP search filters (RFC 4515) for the identities of a certificate. Pure. */
#ifndef CERTDIR_DIRECTORY_LDAP_FILTER_H
#define CERTDIR_DIRECTORY_LDAP_FILTER_H

#include "directory/ldap_schema.h"

/*
 * True when an administrator's filter can stand inside another: in parentheses, and as many closed as opened.
 * Otherwise `error` shows it. Its components are checked by the LDAP library when it is sent.
 */
bool certdir_ldap_filter_valid(const char *filter, struct certdir_error *error);

/*
 * Makes "(&<devices>(|(cn=pc01)(sAMAccountName=pc01$)..))" of the identities whose bit is set in `ask`. Returns how
 * many comparisons it has; when there is none, *filter is NULL. When memory is out *filter is NULL, too, and the return
 * value is not 0. The caller frees *filter.
 */
size_t certdir_ldap_filter_build(char **filter, const char *devices, const struct certdir_ldap_map *map,
				 const struct certdir_certificate *certificate, uint64_t ask);

#endif
