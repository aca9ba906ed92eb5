/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How Active Directory maps a certificate to an account: the strong forms of altSecurityIdentities (KB5014754, MS-PKCA). */
#ifndef CERTDIR_IDENTITY_MAPPING_H
#define CERTDIR_IDENTITY_MAPPING_H

#include "certdir.h"

/*
 * "X509:<I>DC=com,DC=example,CN=CA<SR>0a1b": the issuer's RDNs in reverse of the RFC 4514 order, the serial number's bytes
 * reversed. malloc'ed; NULL when memory is out.
 */
char *certdir_mapping_issuer_serial(const struct certdir_certificate *certificate);

/*
 * Adds the certificate's strong mappings to its identities: issuer and serial number, key identifier, public key. One that
 * is longer than an identity may be is left out. They can select an account, and say nothing when no account has them. False
 * when memory or room is out.
 */
bool certdir_mapping_add(struct certdir_certificate *certificate);

#endif
