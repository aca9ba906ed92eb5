/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attribute maps for the tests of the LDAP directory's pure parts. */
#ifndef CERTDIR_TEST_LDAP_FIXTURE_H
#define CERTDIR_TEST_LDAP_FIXTURE_H

#include "directory/ldap_schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GUID "0a1b2c3d-0000-4000-8000-00000000000f"
#define SID "S-1-5-21-1-2-3-1104"
#define SID_BYTES "\1\5\0\0\0\0\0\5\x15\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\x50\4\0\0"

struct certdir_ldap_map map_of(const char *sid, const char *dns, const char *name, const char *entra);
struct certdir_ldap_map ad_map(void);

#endif
