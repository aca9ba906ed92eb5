/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values in LDAP filters (RFC 4515). */
#ifndef CERTDIR_LDAP_FILTER_H
#define CERTDIR_LDAP_FILTER_H

enum { CERTDIR_LDAP_FILTER_BYTE = 3 }; /* characters that one byte may take */

/*
 * Writes one byte of a value so that it can mean nothing but itself, without a NUL; returns what is behind it. Values come from
 * certificates and devices; which bytes libldap or the server would take amiss is not left to be found out: all but plain characters
 * become \xx, more than ldap_bv2escaped_filter_value() escapes, and no memory is needed.
 */
char *certdir_ldap_filter_put(char *out, unsigned char byte);

#endif
