/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificate -> identities. The only room that parses X.509; knows no directory and no policy. */
#ifndef CERTDIR_IDENTITY_CERTIFICATE_H
#define CERTDIR_IDENTITY_CERTIFICATE_H

#include "identity/form.h"

struct x509_st; /* OpenSSL's X509 */

/*
 * Reads a certificate and fills `certificate` with every name it gives its device, canonical. `forms` (may be NULL, 0) are
 * the administrator's own, tried on every value of their field in addition.
 * Returns false when the certificate is malformed: `error` names the field ("SAN dNSName 3: NUL byte inside").
 * No identity is kept then, but subject, issuer and serial number are as far as they can be read, to find the certificate by.
 * The caller calls certdir_certificate_clear() either way.
 *
 * This is the door for a TLS session, which has parsed the certificate already: decoding the public key once more takes
 * longer than all that certdir does.
 */
bool certdir_certificate_read(struct certdir_certificate *certificate, struct x509_st *x509,
			      const struct certdir_form *forms, size_t form_count, struct certdir_error *error);

/* The same for bytes: one DER certificate (RFC 5280) and nothing behind it. */
bool certdir_certificate_parse(struct certdir_certificate *certificate, const unsigned char *der, size_t length,
			       const struct certdir_form *forms, size_t form_count, struct certdir_error *error);
void certdir_certificate_clear(struct certdir_certificate *certificate);

/*
 * Adds what a plain value in field `from` ("subject.cn", "san.dns", "san.uri", "san.upn", "subject.serialNumber")
 * means, as certdir_certificate_parse() does for a certificate: the door for `certificate = attributes`.
 * `value` is untrusted bytes; `several` tells that its field occurs more than once (see tentative).
 * False with `error` when the value is not acceptable. A value that means nothing is no error.
 */
bool certdir_certificate_add(struct certdir_certificate *certificate, const char *from, const char *value,
			     size_t length, bool several, const struct certdir_form *forms, size_t form_count,
			     struct certdir_error *error);

#endif
