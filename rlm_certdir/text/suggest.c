/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "text/suggest.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 64 /* bytes */ };

size_t certdir_word_distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1], before, above, la = strlen(a), lb = strlen(b);

	if (la > WORD_MAX || lb > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		before = row[0];
		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t best = before + (tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]));

			above = row[j];
			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			before = above;
			row[j] = best;
		}
	}
	return row[lb];
}

const char *certdir_suggest_near(const char *word, const char *const *known, size_t count)
{
	size_t nearest = SIZE_MAX, best = 0;

	for (size_t i = 0; i < count; i++) {
		size_t far = certdir_word_distance(word, known[i]);

		/* "secret_file" is far from "client_secret_file", and means it. */
		if (strlen(word) >= 4 && strcasestr(known[i], word))
			far = far > 2 ? 2 : far;
		if (far < nearest) {
			nearest = far;
			best = i;
		}
	}
	return count && nearest <= 1 + strlen(known[best]) / 4 ? known[best] : NULL;
}

void certdir_suggest(const char *word, const char *const *known, size_t count, char text[CERTDIR_TEXT_MAX])
{
	const char *near = certdir_suggest_near(word, known, count);
	size_t used = 0;

	if (near) {
		certdir_say(text, "did you mean %s?", near);
		return;
	}
	text[0] = '\0';
	for (size_t i = 0; i < count && used < CERTDIR_TEXT_MAX; i++)
		used += (size_t)snprintf(text + used, CERTDIR_TEXT_MAX - used, "%s%s", i ? ", " : "known are ",
					 known[i]);
}
