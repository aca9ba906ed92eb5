/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How Active Directory maps a certificate to an account: the strong forms of altSecurityIdentities (KB5014754, MS-PKCA). */
#ifndef CERTDIR_IDENTITY_MAPPING_H
#define CERTDIR_IDENTITY_MAPPING_H

#include "base/certdir.h"

/*
 * Each writes one form into *mapping, malloc'ed; NULL when the certificate has no such thing. False when memory is out.
 *
 * Issuer and serial number, "X509:<I>DC=com,DC=example,CN=CA<SR>0A1B": the name as certdir_windows_name() writes it, the serial number's
 * bytes reversed. Whether the zero byte belongs to it that DER writes before a number whose top bit is set (X.690 8.3.3), is told in
 * two ways: MS-PKCA 3.1.5.2.1.5 means the field, which has it, and CERT_INFO, which Windows compares, is said to be without. So such a
 * certificate has two values, and `zero` asks for the one with it; a certificate without such a zero has no second one. None when the
 * issuer's name is empty or has a type that nobody knows. AD compares without regard to case.
 */
bool certdir_mapping_issuer_serial(const struct certdir_certificate *certificate, bool zero, char **mapping);
/* "X509:<SKI>0a1b": the subject key identifier, which a certificate may lack. */
bool certdir_mapping_ski(const struct certdir_certificate *certificate, char **mapping);
/* "X509:<SHA1-PUKEY>0a1b": SHA-1 of the public key. */
bool certdir_mapping_public_key(const struct certdir_certificate *certificate, char **mapping);

/*
 * Adds the certificate's strong mappings to its identities, as vouched ones: issuer and serial number, public key, and the
 * key identifier where it is the SHA-1 of the key: any other one is what the requester wrote. One that is longer than an
 * identity may be is left out. They can select an account, and say nothing when no account has them. Called after
 * certdir_certificate_rank(). False when memory or room is out.
 */
bool certdir_mapping_add(struct certdir_certificate *certificate);

#endif
