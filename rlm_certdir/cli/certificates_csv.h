/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates as rows of CSV: what certutil, PowerShell and a CA's web page export. */
#ifndef CERTDIR_CLI_CERTIFICATES_CSV_H
#define CERTDIR_CLI_CERTIFICATES_CSV_H

#include "cli/placeholders_certificates.h"

/* Whether the first line of a text names a column with serial numbers or with whole certificates. */
bool certdir_certificates_csv_is(const char *text, size_t length);

/*
 * Adds the certificate of every row. Columns are known by their names, without regard to case and blanks; the others are ignored.
 * A row whose disposition or status says that it was revoked is one of a certificate that has ended. A column with the whole
 * certificate (PEM, or plain base64) beats all others. Without it serial number and end of validity have to be
 * there, the issuer there or in config->certificate_issuer, and names; only mappings by issuer and serial number come of that.
 *
 * Serial numbers are hexadecimal. One of decimal digits alone is taken only when another row shows that they are, and when a
 * spreadsheet cannot have changed it. Times without a zone may be of any.
 */
bool certdir_certificates_csv_read(struct certdir_certificates_file *file, const char *text, size_t length,
				   struct certdir_error *error);

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

#endif
