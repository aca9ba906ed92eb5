/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "der_file.h"

void load_der(const char *name, struct der *der)
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
