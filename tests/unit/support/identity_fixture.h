/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What identities a certificate has, as text that a test compares. */
#ifndef CERTDIR_TEST_IDENTITY_FIXTURE_H
#define CERTDIR_TEST_IDENTITY_FIXTURE_H

#include "der_file.h"
#include "identity/certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GUID "5f0e3b0a-6c1d-4a57-9b1e-0d3c2a4b5c6d"

/* "type=value:rank;..", `=` behind the rank of an exact one. */
const char *identities_text(const struct certdir_certificate *certificate);

#endif
