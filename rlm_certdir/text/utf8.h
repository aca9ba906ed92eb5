/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UTF-8 one character at a time (RFC 3629). */
#ifndef CERTDIR_IDENTITY_UTF8_H
#define CERTDIR_IDENTITY_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads the first character of `bytes` (length > 0) into `character`. Returns its length in bytes, 1..4, or 0 when it
 * is not well-formed: overlong, a surrogate, above U+10FFFF, cut.
 */
size_t certdir_utf8_read(const char *bytes, size_t length, uint32_t *character);

/*
 * Whether a character changes the order in which others show (the marks, embeddings, overrides and isolates of Unicode's bidirectional
 * algorithm, UAX 9), so that a name that has one can look like another.
 */
bool certdir_utf8_reorders(uint32_t character);
/* Whether a character does not show as itself on one line: such a one, a control character, a line or paragraph separator. */
bool certdir_utf8_hidden(uint32_t character);

/* Copies `text` with what certdir_utf8_reorders() as \u202e; as far as there is room in `out` for whole characters. */
void certdir_utf8_escape(const char *text, char *out, size_t size);

/* Writes `character` and returns how many bytes that took, or 0 when it is none (a surrogate, above U+10FFFF). */
size_t certdir_utf8_write(uint32_t character, char bytes[4]);

#endif
