/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Foreign text within a message of ours. */
#ifndef CERTDIR_EXCERPT_H
#define CERTDIR_EXCERPT_H

#include <stddef.h>

/*
 * Copies as many whole UTF-8 characters of `text` to `out` as fit into `size` bytes (at least 4), NUL-terminated.
 * Control characters become blanks, so that a message stays one line. What does not fit, or is not UTF-8, is left out
 * and ".." says so. Returns `out`.
 */
const char *certdir_excerpt(char *out, size_t size, const char *text, size_t length);

/*
 * Copies as many whole characters of `text` to `out` as fit into `size` bytes, with "?" for each that does not show as itself
 * (certdir_utf8_hidden()) and for each byte that is not UTF-8. Nothing tells that some did not fit.
 */
void certdir_excerpt_clean(char *out, size_t size, const char *text);

enum { CERTDIR_EXCERPT_QUOTED = 96 };
/* Untrusted bytes in quotes, what is no plain text escaped, shortened visibly. Returns `out`. */
const char *certdir_excerpt_quote(const char *bytes, size_t length, char out[CERTDIR_EXCERPT_QUOTED]);

#endif
