/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of certificates that an administrator hands in, for the mappings of `certdir placeholders`. */
#ifndef CERTDIR_CLI_PLACEHOLDERS_CERTIFICATES_H
#define CERTDIR_CLI_PLACEHOLDERS_CERTIFICATES_H

#include "placeholders/placeholders.h"

/*
 * A certdir_placeholders_certificates: reads every file of config->certificates, and of those that are directories every regular
 * file that is not hidden. A file is PEM (text with certificates in it, as `certutil -view -out RawCertificate` prints it), one DER
 * certificate, or CSV. False with `error`, which names file and line, when one of them is none of these, is cut short, holds no
 * certificate or cannot be read: an export that failed must not look like one without certificates.
 */
bool certdir_certificates_read(const struct certdir_placeholders_config *config, struct certdir_mappings *mappings,
			       int64_t now, struct certdir_error *error);

/* A file that is being read. */
struct certdir_certificates_file {
	const struct certdir_placeholders_config *config;
	struct certdir_mappings *mappings;
	int64_t now;
	const char *name;
	bool revoked; /* what is read now is known to be revoked */
	size_t count; /* certificates found in it */
};

/* "NAME line LINE: " and the text; always false. */
bool certdir_certificates_fail(const struct certdir_certificates_file *file, size_t line, struct certdir_error *error,
			       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Adds the one certificate of a PEM block that stands on `line`. False with `error` when there is none in it. */
bool certdir_certificates_block(struct certdir_certificates_file *file, size_t line, const char *pem, size_t length,
				struct certdir_error *error);

#endif
