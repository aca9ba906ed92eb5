/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file of certificates that is being read, for the readers of its forms. */
#ifndef CERTDIR_IMPORT_CERTIFICATES_FILE_H
#define CERTDIR_IMPORT_CERTIFICATES_FILE_H

#include "import/certificates.h"

struct certdir_certificates_file {
	const struct certdir_certificates_taker *taker;
	const char *name;
	bool revoked; /* what is read now is known to be revoked */
	size_t count; /* certificates found in it */
};

/* "NAME line LINE: " and the text; without the line when it is 0. Always false. */
bool certdir_certificates_fail(const struct certdir_certificates_file *file, size_t line, struct certdir_error *error,
			       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Counts a certificate of the line that is not to be gone by; the text says why. */
void certdir_certificates_refuse(struct certdir_certificates_file *file, size_t line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Counts a certificate of the line and hands it on; 0 when the whole file is that one. */
bool certdir_certificates_take(struct certdir_certificates_file *file, size_t line,
			       const struct certdir_certificate *certificate, struct certdir_error *error);

/* Adds the one certificate of a PEM block that stands on `line`. False with `error` when there is none in it. */
bool certdir_certificates_block(struct certdir_certificates_file *file, size_t line, const char *pem, size_t length,
				struct certdir_error *error);

#endif
