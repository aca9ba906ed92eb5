/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Certificates of tests/vectors/certificates.json, as `tests/testenv/certificates.py vectors` makes them in CERTDIR_TEST_CERTS
 * (build/certs).
 */
#ifndef CERTDIR_TEST_DER_FILE_H
#define CERTDIR_TEST_DER_FILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DER_MAX = 65536 };

struct der {
	unsigned char bytes[DER_MAX];
	size_t length;
};

void load_der(const char *name, struct der *der);

#endif
