/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Patterns whose cost is bounded. glibc's and PCRE's matchers can be driven into exponential time by a pattern that looks
 * harmless, and a worker thread that is stuck in one serves nobody. This one follows all ways through the pattern at
 * once (Thompson 1968, with Pike's captures): at most program size steps for each character.
 *
 *   ^ ... $            the whole value, always
 *   .                  any one character
 *   [a-z_] [^/]        one of these, none of these; \d and \w work inside
 *   \d \w              a digit; a letter, digit or underscore (ASCII)
 *   \. \$ \\ ..        the character itself
 *   * + ? {2} {2,} {2,4}   as often as possible
 *   a|b inside ( )     one or the other
 *   ( )                the group: what is taken from the value; exactly one
 *   (?: )              parentheses that take nothing
 *
 * Upper and lower case differ.
 */
#ifndef CERTDIR_IDENTITY_PATTERN_H
#define CERTDIR_IDENTITY_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

enum { CERTDIR_PATTERN_MAX = 256 }; /* bytes */

struct certdir_pattern;

/*
 * Compiles `text`. NULL when it is no pattern: `why` is a static text, `at` the offset it complains about.
 * certdir_pattern_free() frees it.
 */
struct certdir_pattern *certdir_pattern_compile(const char *text, const char **why, size_t *at);
void certdir_pattern_free(struct certdir_pattern *pattern);

/*
 * True when the whole `value` (well-formed UTF-8, at most CERTDIR_VALUE_MAX bytes) matches and the group took part.
 * Alternatives are preferred from left to right, repeats are greedy. Thread-safe.
 */
bool certdir_pattern_match(const struct certdir_pattern *pattern, const char *value, size_t length, size_t *start,
			   size_t *end);

#endif
