/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/blocks.h"

#include <stdlib.h>
#include <string.h>

void certdir_list_blocks_clear(struct certdir_list_blocks *blocks)
{
	free(blocks->bytes);
	free(blocks->numbers);
	free(blocks->places);
	memset(blocks, 0, sizeof(*blocks));
}

static bool grow_places(struct certdir_list_blocks *blocks, uint32_t total)
{
	const uint32_t count = total + total / 8 + 64; /* an image that grows does so page by page */
	uint32_t *places;

	if (total <= blocks->place_count)
		return true;
	places = blocks->places ? realloc(blocks->places, (size_t)count * sizeof(*places))
				: calloc(count, sizeof(*places)); /* which takes no memory as long as it is zero */
	if (!places)
		return false;
	if (blocks->places)
		memset(places + blocks->place_count, 0, (size_t)(count - blocks->place_count) * sizeof(*places));
	blocks->places = places;
	blocks->place_count = count;
	return true;
}

static bool grow_blocks(struct certdir_list_blocks *blocks)
{
	const uint32_t room = blocks->count + blocks->count / 2 + 64;
	unsigned char *bytes;
	uint32_t *numbers;

	if (blocks->count < blocks->room)
		return true;
	bytes = realloc(blocks->bytes, (size_t)room * CERTDIR_LIST_BLOCK);
	if (bytes)
		blocks->bytes = bytes;
	numbers = realloc(blocks->numbers, room * sizeof(*numbers));
	if (numbers)
		blocks->numbers = numbers;
	if (bytes && numbers)
		blocks->room = room;
	return bytes && numbers;
}

unsigned char *certdir_list_blocks_put(struct certdir_list_blocks *blocks, uint32_t number)
{
	unsigned char *block = certdir_list_blocks_find(blocks, number);

	if (block)
		return block;
	if (!grow_places(blocks, number + 1) || !grow_blocks(blocks))
		return NULL;
	if (blocks->total <= number)
		blocks->total = number + 1;
	blocks->numbers[blocks->count] = number;
	blocks->places[number] = ++blocks->count;
	block = blocks->bytes + (size_t)(blocks->count - 1) * CERTDIR_LIST_BLOCK;
	memset(block, 0, CERTDIR_LIST_BLOCK);
	return block;
}

/* The last one takes its place. */
static void drop(struct certdir_list_blocks *blocks, uint32_t place)
{
	const uint32_t last = --blocks->count;

	blocks->places[blocks->numbers[place]] = 0;
	if (place == last)
		return;
	memcpy(blocks->bytes + (size_t)place * CERTDIR_LIST_BLOCK, blocks->bytes + (size_t)last * CERTDIR_LIST_BLOCK,
	       CERTDIR_LIST_BLOCK);
	blocks->numbers[place] = blocks->numbers[last];
	blocks->places[blocks->numbers[place]] = place + 1;
}

bool certdir_list_blocks_resize(struct certdir_list_blocks *blocks, uint32_t total)
{
	if (!grow_places(blocks, total))
		return false;
	for (uint32_t place = blocks->count; place-- > 0 && total < blocks->total;)
		if (blocks->numbers[place] >= total)
			drop(blocks, place);
	blocks->total = total;
	return true;
}
