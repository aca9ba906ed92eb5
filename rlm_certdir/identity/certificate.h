/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificate -> identities. The only room that parses X.509; knows no directory and no policy. */
#ifndef CERTDIR_IDENTITY_CERTIFICATE_H
#define CERTDIR_IDENTITY_CERTIFICATE_H

#include "identity/rules.h"

struct x509_st; /* OpenSSL's X509 */

/*
 * Reads a certificate and fills `certificate` with every name it gives its device, canonical. A certificate that
 * fits none of the sections, where there are any, has section NULL: it is for the caller to refuse it.
 * Returns false when the certificate is malformed: `error` names the field ("SAN dNSName 3: NUL byte inside").
 * No identity is kept then, but issuer and serial number are as far as they can be read, to find the certificate by.
 * The caller calls certdir_certificate_clear() either way.
 *
 * This is the door for a TLS session, which has parsed the certificate already: decoding the public key once more takes
 * longer than all that certdir does.
 */
bool certdir_certificate_read(struct certdir_certificate *certificate, struct x509_st *x509,
			      const struct certdir_rules *rules, struct certdir_error *error);

/*
 * Writes the subject as text into `certificate`, where it is not there yet. Apart from reading, which it would make a quarter longer: a
 * login needs it in few cases. False when memory is out or it cannot be written.
 */
bool certdir_certificate_subject(struct certdir_certificate *certificate, struct x509_st *x509);

/* The same as certdir_certificate_read() for bytes, with the subject: one DER certificate (RFC 5280) and nothing behind it. */
bool certdir_certificate_parse(struct certdir_certificate *certificate, const unsigned char *der, size_t length,
			       const struct certdir_rules *rules, struct certdir_error *error);
void certdir_certificate_clear(struct certdir_certificate *certificate);

/*
 * Adds what a plain value in field `from` ("subject.cn", "san.dns", "san.uri", "san.upn", "san.email", "subject.serialNumber")
 * means, as certdir_certificate_parse() does for a certificate: the door for `certificate = attributes`. `value` is untrusted bytes.
 * False with `error` when the value is not acceptable. A value that means nothing is no error. Add common names first, since a mail
 * address may say that they are a person's, and call certdir_certificate_rank() last.
 */
bool certdir_certificate_add(struct certdir_certificate *certificate, const char *from, const char *value,
			     size_t length, const struct certdir_rules *rules, struct certdir_error *error);

/*
 * Finds the section that a certificate fits and ranks its identities: by that section, or by the defaults where there are no sections.
 * certdir_certificate_read() and .._parse() have done it.
 */
void certdir_certificate_rank(struct certdir_certificate *certificate, const struct certdir_rules *rules);

#endif
