/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What to say of a misspelt word: which known words are near. */
#ifndef CERTDIR_SUGGEST_H
#define CERTDIR_SUGGEST_H

#include "base/certdir.h"

/* Levenshtein's distance, without regard to case; words longer than 64 bytes are far from everything. */
size_t certdir_word_distance(const char *a, const char *b);

/* The one of the `count` that are `known` that a misspelt word is near to, without regard to case; NULL when none is. */
const char *certdir_suggest_near(const char *word, const char *const *known, size_t count);

/*
 * What to say of a word that is none of the `count` that are `known`: "did you mean X?" when one is near, without regard to case, else
 * "known are A, B, C".
 */
void certdir_suggest(const char *word, const char *const *known, size_t count, char text[CERTDIR_TEXT_MAX]);

#endif
