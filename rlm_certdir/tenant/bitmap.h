/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of row ids: a million devices take 125 kB. */
#ifndef CERTDIR_TENANT_BITMAP_H
#define CERTDIR_TENANT_BITMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Empty when all zero. */
struct certdir_bitmap {
	uint64_t *words;
	size_t count; /* of words */
	size_t ones; /* bits that are set */
};

/* False when memory is out, or for a bit so high that no list has that many rows. */
bool certdir_bitmap_set(struct certdir_bitmap *bitmap, int64_t bit);
/* Clears a bit, or asks for one: any bit that was not set is clear. */
void certdir_bitmap_clear(struct certdir_bitmap *bitmap, int64_t bit);
bool certdir_bitmap_test(const struct certdir_bitmap *bitmap, int64_t bit);
/* The first bit that is set at or after `from`, or -1. */
int64_t certdir_bitmap_next(const struct certdir_bitmap *bitmap, int64_t from);
/* Empties it and frees its memory. */
void certdir_bitmap_free(struct certdir_bitmap *bitmap);

#endif
