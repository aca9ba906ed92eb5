/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of LDIF (RFC 2849). */
#ifndef CERTDIR_PLACEHOLDERS_LDIF_H
#define CERTDIR_PLACEHOLDERS_LDIF_H

#include <stddef.h>
#include <stdio.h>

/* "name: value", or "name:: base64" when the value is not a SAFE-STRING, ends in a blank, or has control characters. Not folded. */
void certdir_ldif_print(FILE *out, const char *name, const char *bytes, size_t length);

#endif
