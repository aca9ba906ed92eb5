/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of certificates that an administrator hands in: PEM, DER, and CSV. */
#ifndef CERTDIR_IMPORT_CERTIFICATES_H
#define CERTDIR_IMPORT_CERTIFICATES_H

#include "identity/certificate.h"

/* Who takes what was read. `origin` ("laptops.csv line 7") is for messages and does not live on. */
struct certdir_certificates_taker {
	const char *issuer; /* the DN of the CA of rows of CSV that name none (certificate_issuer), or NULL */
	bool by_serial; /* issuer and serial number are of use without the certificate (mapping = issuer_serial) */
	/* Takes a certificate, of which the file may say that it was revoked. False with `error` ends the reading. */
	bool (*take)(void *context, const struct certdir_certificate *certificate, const char *origin, bool revoked,
		     struct certdir_error *error);
	/* Hears of a certificate that is not to be gone by, and why. */
	void (*refuse)(void *context, const char *origin, const char *why);
	void *context;
};

/*
 * Reads every file of `paths`, which ends with a NULL, and of those that are directories every regular file that is not hidden. A file
 * is PEM (text with certificates in it, as `certutil -view -out RawCertificate` prints it), one DER certificate, or CSV. False with
 * `error`, which names file and line, when one of them is none of these, is cut short, holds no certificate or cannot be read: an
 * export that failed must not look like one without certificates.
 */
bool certdir_certificates_read(const char *const *paths, const struct certdir_certificates_taker *taker,
			       struct certdir_error *error);

#endif
