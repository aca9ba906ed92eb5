/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks of an image that are others now, in memory: what an edition changes until it is published. */
#ifndef CERTDIR_LIST_BLOCKS_H
#define CERTDIR_LIST_BLOCKS_H

#include "base/certdir.h"

enum { CERTDIR_LIST_BLOCK = 4096 }; /* bytes, which is also the size of our databases' pages; a chunk is several */

/* All zero is an image of no blocks. */
struct certdir_list_blocks {
	uint32_t total; /* blocks of the whole image */
	uint32_t count; /* that are here */
	uint32_t room;
	unsigned char *bytes;
	uint32_t *numbers; /* of each, its place in the image */
	uint32_t *places; /* for each block of the image: 1 + its place in `bytes`, 0 = it is not here */
	uint32_t place_count; /* how many there are: at least `total` */
};

void certdir_list_blocks_clear(struct certdir_list_blocks *blocks);

/* The block that stands in place `number` of the image, which the caller may fill; NULL when it is not here. */
static inline unsigned char *certdir_list_blocks_find(const struct certdir_list_blocks *blocks, uint64_t number)
{
	const uint32_t place = number < blocks->total ? blocks->places[number] : 0;

	return place ? blocks->bytes + (size_t)(place - 1) * CERTDIR_LIST_BLOCK : NULL;
}

/* The same, but a new one, all zero, where there is none; the image grows as far as needed. NULL when memory is out. */
unsigned char *certdir_list_blocks_put(struct certdir_list_blocks *blocks, uint32_t number);
/* The image has so many blocks now: those behind them are here no more. False when memory is out. */
bool certdir_list_blocks_resize(struct certdir_list_blocks *blocks, uint32_t total);

#endif
