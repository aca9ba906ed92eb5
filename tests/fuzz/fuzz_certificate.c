/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer over certdir_certificate_parse(). Beyond memory errors it looks for what must hold of every certificate that
 * is taken: valid text everywhere, canonical values, no identity twice, the immutable ones only where they may come from.
 */
#include "identity/canonical.h"
#include "identity/certificate.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOLDS(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			fprintf(stderr, "does not hold: %s\n", #condition);                                            \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static struct certdir_form forms[2];

static void make_forms(void)
{
	struct certdir_error error;

	if (forms[0].pattern)
		return;
	HOLDS(certdir_form_compile(&forms[0], "asset", "san.uri", "^(?:urn:)*(?:[a-z]+:)+(.+)$", CERTDIR_ID_SERIAL,
				   &error));
	HOLDS(certdir_form_compile(&forms[1], "other", "san.other", "^(?:x|y.)?([^=]*)=?\\w*$", CERTDIR_ID_NAME,
				   &error));
}

static void check_identity(const struct certdir_certificate *certificate, size_t at)
{
	const struct certdir_identity *identity = &certificate->identities[at];
	char canonical[CERTDIR_VALUE_MAX + 1];
	size_t length = strlen(identity->value);
	const char *why;

	HOLDS((unsigned)identity->type < CERTDIR_ID_TYPES);
	HOLDS(certdir_text_valid(identity->value, length, &why));
	HOLDS(certdir_canonical(identity->type, identity->value, length, canonical));
	HOLDS(strcmp(canonical, identity->value) == 0);
	HOLDS((identity->type == CERTDIR_ID_SID) == (strcmp(identity->from, "ext.sid") == 0));
	HOLDS(identity->type != CERTDIR_ID_SID || identity->immutable);
	HOLDS(!identity->immutable || identity->type <= CERTDIR_ID_SID);
	HOLDS(!identity->tentative || identity->type == CERTDIR_ID_GUID);
	for (size_t i = 0; i < at; i++)
		HOLDS(certificate->identities[i].type != identity->type ||
		      strcmp(certificate->identities[i].value, identity->value) != 0);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct certdir_certificate certificate;
	struct certdir_error error = {""};
	const char *why;

	make_forms();
	if (certdir_certificate_parse(&certificate, data, size, forms, 2, &error)) {
		HOLDS(certificate.count <= CERTDIR_IDENTITIES_MAX);
		HOLDS(certificate.subject && certificate.issuer && certificate.serial && certificate.public_key_sha1);
		for (size_t i = 0; i < certificate.count; i++)
			check_identity(&certificate, i);
		if (certificate.template)
			HOLDS(certdir_text_valid(certificate.template, strlen(certificate.template), &why));
	} else {
		HOLDS(error.text[0]);
		HOLDS(certificate.count == 0);
	}
	certdir_certificate_clear(&certificate);
	HOLDS(ERR_peek_error() == 0);
	return 0;
}
