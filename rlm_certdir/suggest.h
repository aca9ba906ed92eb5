/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words that would have been right. */
#ifndef CERTDIR_SUGGEST_H
#define CERTDIR_SUGGEST_H

#include "certdir.h"

/*
 * What to say of a word that is none of the `count` that are `known`: "did you mean X?" when one is near, without regard to case, else
 * "known are A, B, C".
 */
void certdir_suggest(const char *word, const char *const *known, size_t count, char text[CERTDIR_TEXT_MAX]);

#endif
