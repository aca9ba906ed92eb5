/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UTF-8 (RFC 3629): one character at a time, and whether all of a text is clean. */
#ifndef CERTDIR_UTF8_H
#define CERTDIR_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads the first character of `bytes` (length > 0) into `character`. Returns its length in bytes, 1..4, or 0 when it
 * is not well-formed: overlong, a surrogate, above U+10FFFF, cut.
 */
size_t certdir_utf8_read(const char *bytes, size_t length, uint32_t *character);

/* Whether a character is a control character: C0, DEL, C1. */
bool certdir_utf8_control(uint32_t character);
/*
 * Whether a character changes the order in which others show (the marks, embeddings, overrides and isolates of Unicode's bidirectional
 * algorithm, UAX 9), so that a name that has one can look like another.
 */
bool certdir_utf8_reorders(uint32_t character);
/* Whether a character does not show as itself on one line: such a one, a control character, a line or paragraph separator. */
bool certdir_utf8_hidden(uint32_t character);

/* What makes bytes no clean text: the first of these that is met, but a NUL anywhere comes before all. */
enum certdir_text_fault { CERTDIR_TEXT_CLEAN, CERTDIR_TEXT_NUL, CERTDIR_TEXT_NOT_UTF8, CERTDIR_TEXT_CONTROL };
/* Looks at any number of bytes; none at all are clean. */
enum certdir_text_fault certdir_text_fault(const char *bytes, size_t length);

/* Copies `text` with what certdir_utf8_reorders() as \u202e; as far as there is room in `out` for whole characters. */
void certdir_utf8_escape(const char *text, char *out, size_t size);

/* Writes `character` and returns how many bytes that took, or 0 when it is none (a surrogate, above U+10FFFF). */
size_t certdir_utf8_write(uint32_t character, char bytes[4]);

#endif
