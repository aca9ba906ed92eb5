/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placeholders/arena.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 256 * 1024, ALIGN = alignof(max_align_t) };

struct certdir_arena_block {
	struct certdir_arena_block *next;
	size_t used, size;
	alignas(max_align_t) char bytes[];
};

void certdir_arena_clear(struct certdir_arena *arena)
{
	while (arena->blocks) {
		struct certdir_arena_block *next = arena->blocks->next;

		free(arena->blocks);
		arena->blocks = next;
	}
	arena->failed = false;
}

/* A block with room for `size` in front; one that is larger than usual goes behind the first, which still has room. */
static struct certdir_arena_block *grow(struct certdir_arena *arena, size_t size)
{
	const size_t room = size > BLOCK ? size : BLOCK;
	struct certdir_arena_block *block = calloc(1, sizeof(*block) + room);

	if (!block) {
		arena->failed = true;
		return NULL;
	}
	block->size = room;
	if (arena->blocks && size > BLOCK) {
		block->next = arena->blocks->next;
		arena->blocks->next = block;
	} else {
		block->next = arena->blocks;
		arena->blocks = block;
	}
	return block;
}

static char *take(struct certdir_arena *arena, size_t size, size_t align)
{
	struct certdir_arena_block *block = arena->blocks;
	size_t at = block ? (block->used + align - 1) / align * align : 0;

	if (!block || at > block->size || block->size - at < size) {
		block = grow(arena, size);
		at = 0;
	}
	if (!block)
		return NULL;
	block->used = at + size;
	return block->bytes + at;
}

void *certdir_arena_alloc(struct certdir_arena *arena, size_t size)
{
	return take(arena, size, ALIGN);
}

char *certdir_arena_copy(struct certdir_arena *arena, const char *bytes, size_t length)
{
	char *copy = take(arena, length + 1, 1);

	/* The memory is zeroed, so the NUL is there. */
	if (copy && length > 0)
		memcpy(copy, bytes, length);
	return copy;
}

char *certdir_arena_print(struct certdir_arena *arena, const char *format, ...)
{
	va_list arguments, again;
	char *text = NULL;
	int length;

	va_start(arguments, format);
	va_copy(again, arguments);
	length = vsnprintf(NULL, 0, format, arguments);
	if (length >= 0)
		text = take(arena, (size_t)length + 1, 1);
	if (text)
		(void)vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	va_end(arguments);
	return text;
}
