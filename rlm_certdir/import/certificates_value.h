/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of lists of certificates, as certutil, PowerShell, spreadsheets and CAs write them. Pure. */
#ifndef CERTDIR_IMPORT_CERTIFICATES_VALUE_H
#define CERTDIR_IMPORT_CERTIFICATES_VALUE_H

#include "base/certdir.h"

/*
 * Whether nothing but a hexadecimal number is written like that: 0x or a zero in front, a letter, bytes apart. Thousands are apart, too,
 * but by three digits.
 */
bool certdir_serial_shows_hex(const char *text);

/*
 * Writes a serial number as the identity room does: upper-case hex of whole bytes, none of them a zero in front. `hexadecimal`: the
 * file shows that its numbers are. False with a static `why`.
 */
bool certdir_serial_parse(const char *text, bool hexadecimal, char *out, size_t size, const char **why);

/*
 * The last second in which a certificate may be valid that ends at `text`: ISO 8601, 31.1.2027 [10:00[:00]], 1/31/2027 10:00[:00] AM.
 * Without a zone it is taken for the latest that it can mean, so that none counts as ended too early. False with a static `why`.
 */
bool certdir_validity_parse(const char *text, int64_t *seconds, const char **why);

/*
 * The first second in which a certificate may be valid that begins at `text`, written as an end is: without a zone it is taken for
 * the earliest that it can mean, and a day alone for not known (0), since a wrong day would tell devices apart that it must not.
 * False with a static `why`.
 */
bool certdir_beginning_parse(const char *text, int64_t *seconds, const char **why);

/* What a CA's database (certutil: "20 -- Issued", 0x15) or another product says of a certificate. Pure. */
enum certdir_certificate_status {
	CERTDIR_CERTIFICATE_ISSUED,
	CERTDIR_CERTIFICATE_REVOKED, /* or on hold */
	CERTDIR_CERTIFICATE_NONE, /* a request that no certificate came of */
	CERTDIR_CERTIFICATE_DOUBTFUL /* a word that is not known */
};
enum certdir_certificate_status certdir_status_parse(const char *text);

/* A state that Intune has a certificate in: what Graph calls it, and whether it keeps the certificate out. */
struct certdir_issuance {
	const char *name;
	bool no;
};
/* The state that a text names, in any case and with blanks between its words, or numbers. NULL: it is none. */
const struct certdir_issuance *certdir_issuance_find(const char *text);

#endif
