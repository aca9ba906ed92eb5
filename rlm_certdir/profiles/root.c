/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The certificate of a trusted root profile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identity/certificate.h"
#include "identity/pem.h"
#include "profiles/profile.h"

enum { PEM_LINE = 64 /* characters; longer ones are not base64 of PEM (RFC 7468, 2) */ };

static void take(void *context, const unsigned char *der, size_t length)
{
	struct certdir_profile *profile = context;
	struct certdir_error error;

	certdir_certificate_clear(&profile->certificate);
	if (!certdir_certificate_parse(&profile->certificate, der, length, NULL, &error))
		certdir_certificate_clear(&profile->certificate);
}

/* The file that was uploaded: either DER, or PEM itself. */
static void open_file(void *context, const unsigned char *bytes, size_t length)
{
	struct certdir_error error;

	(void)certdir_pem_each((const char *)bytes, length, take, context, &error);
}

bool certdir_profile_root_read(struct certdir_profile *profile, const char *base64)
{
	struct certdir_error error;
	char *pem = NULL;
	size_t size;
	FILE *out = open_memstream(&pem, &size);

	if (!out)
		return false;
	(void)fputs("-----BEGIN CERTIFICATE-----\n", out);
	for (size_t left = strlen(base64), line; left > 0; left -= line, base64 += line) {
		line = left < PEM_LINE ? left : PEM_LINE;
		(void)fprintf(out, "%.*s\n", (int)line, base64);
	}
	(void)fputs("-----END CERTIFICATE-----\n", out);
	if (fclose(out) == 0)
		(void)certdir_pem_each(pem, size, open_file, profile, &error);
	free(pem);
	return true;
}
