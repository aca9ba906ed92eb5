/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tenant/bitmap.h"

#include <stdlib.h>
#include <string.h>

enum { WORD = 64 };
#define BIT_MAX (INT64_C(1) << 33) /* a gigabyte of bits */

static bool grow(struct certdir_bitmap *bitmap, size_t word)
{
	size_t count = bitmap->count * 2 > word ? bitmap->count * 2 : word + WORD;
	uint64_t *words = realloc(bitmap->words, count * sizeof(*words));

	if (!words)
		return false;
	memset(words + bitmap->count, 0, (count - bitmap->count) * sizeof(*words));
	bitmap->words = words;
	bitmap->count = count;
	return true;
}

bool certdir_bitmap_set(struct certdir_bitmap *bitmap, int64_t bit)
{
	const uint64_t mask = UINT64_C(1) << (bit & (WORD - 1));
	const size_t word = (size_t)(bit / WORD);

	if (bit < 0 || bit >= BIT_MAX || (word >= bitmap->count && !grow(bitmap, word)))
		return false;
	bitmap->ones += !(bitmap->words[word] & mask);
	bitmap->words[word] |= mask;
	return true;
}

void certdir_bitmap_clear(struct certdir_bitmap *bitmap, int64_t bit)
{
	if (!certdir_bitmap_test(bitmap, bit))
		return;
	bitmap->words[bit / WORD] &= ~(UINT64_C(1) << (bit & (WORD - 1)));
	bitmap->ones--;
}

bool certdir_bitmap_test(const struct certdir_bitmap *bitmap, int64_t bit)
{
	return bit >= 0 && (uint64_t)bit / WORD < bitmap->count && bitmap->words[bit / WORD] >> (bit & (WORD - 1)) & 1;
}

int64_t certdir_bitmap_next(const struct certdir_bitmap *bitmap, int64_t from)
{
	size_t word = from < 0 ? 0 : (size_t)(from / WORD);
	uint64_t bits = word < bitmap->count ? bitmap->words[word] : 0;

	if (from > 0)
		bits &= ~UINT64_C(0) << (from & (WORD - 1));
	while (!bits && ++word < bitmap->count)
		bits = bitmap->words[word];
	return bits ? (int64_t)(word * WORD) + __builtin_ctzll(bits) : -1;
}

void certdir_bitmap_free(struct certdir_bitmap *bitmap)
{
	free(bitmap->words);
	memset(bitmap, 0, sizeof(*bitmap));
}
