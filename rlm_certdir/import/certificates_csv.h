/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates as rows of CSV: what certutil, PowerShell and a CA's web page export. */
#ifndef CERTDIR_IMPORT_CERTIFICATES_CSV_H
#define CERTDIR_IMPORT_CERTIFICATES_CSV_H

#include "import/certificates_file.h"

/* Whether the first line of a text names a column with serial numbers or with whole certificates. */
bool certdir_certificates_csv_is(const char *text, size_t length);

/*
 * Adds the certificate of every row. Columns are known by their names, without regard to case and blanks; the others are ignored.
 * A row whose disposition or status says that it was revoked is one of a certificate that has ended. A column with the whole
 * certificate (PEM, or plain base64) beats all others. Without it serial number and end of validity have to be
 * there, the issuer there or taker->issuer, and names; only mappings by issuer and serial number come of that.
 *
 * Serial numbers are hexadecimal. One of decimal digits alone is taken only when another row shows that they are, and when a
 * spreadsheet cannot have changed it. Times without a zone may be of any.
 */
bool certdir_certificates_csv_read(struct certdir_certificates_file *file, const char *text, size_t length,
				   struct certdir_error *error);

#endif
