/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UTF-8 one character at a time (RFC 3629). */
#ifndef CERTDIR_IDENTITY_UTF8_H
#define CERTDIR_IDENTITY_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * Reads the first character of `bytes` (length > 0) into `character`. Returns its length in bytes, 1..4, or 0 when it
 * is not well-formed: overlong, a surrogate, above U+10FFFF, cut.
 */
size_t certdir_utf8_read(const char *bytes, size_t length, uint32_t *character);

/* Writes `character` and returns how many bytes that took, or 0 when it is none (a surrogate, above U+10FFFF). */
size_t certdir_utf8_write(uint32_t character, char bytes[4]);

#endif
