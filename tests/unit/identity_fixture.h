/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Certificates of tests/vectors/certificates.json, as `tests/testenv/certificates.py vectors` makes them in CERTDIR_TEST_CERTS
 * (build/certs).
 */
#ifndef CERTDIR_TEST_IDENTITY_FIXTURE_H
#define CERTDIR_TEST_IDENTITY_FIXTURE_H

#include "identity/certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DER_MAX = 65536 };

#define GUID "5f0e3b0a-6c1d-4a57-9b1e-0d3c2a4b5c6d"

struct der {
	unsigned char bytes[DER_MAX];
	size_t length;
};

static void load_der(const char *name, struct der *der)
{
	const char *directory = getenv("CERTDIR_TEST_CERTS");
	char path[4096];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s.der", directory ? directory : "build/certs", name);
	file = fopen(path, "rb");
	if (!file)
		fail_msg("%s is missing: run tests/testenv/certificates.py vectors tests/vectors/certificates.json DIR",
			 path);
	der->length = fread(der->bytes, 1, sizeof der->bytes, file);
	fclose(file);
	assert_in_range(der->length, 1, sizeof der->bytes - 1);
}

/* "type=value:rank;..", `=` behind the rank of an exact one. */
static const char *identities_text(const struct certdir_certificate *certificate)
{
	static char text[4096];
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < certificate->count; i++) {
		const struct certdir_identity *identity = &certificate->identities[i];

		used += (size_t)snprintf(text + used, sizeof text - used, "%s=%s:%s%s;",
					 certdir_identity_type_name(identity->type), identity->value,
					 certdir_rank_name(identity->rank), identity->exact ? "=" : "");
		assert_in_range(used, 1, sizeof text - 1);
	}
	return text;
}

#endif
