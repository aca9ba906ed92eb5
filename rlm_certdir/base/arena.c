/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/arena.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/*
 * A block is as large as all before it, within these bounds: a section of a configuration takes a page or two, and 100,000 accounts take
 * memory in pieces that the kernel can give as huge pages. To touch small ones was a third of a plan's time.
 */
enum { BLOCK_MIN = 64 * 1024, BLOCK_MAX = 8 * 1024 * 1024, HUGE = 2 * 1024 * 1024, ALIGN = alignof(max_align_t) };

struct certdir_arena_block {
	struct certdir_arena_block *next;
	size_t used, size, mapped;
	alignas(max_align_t) char bytes[];
};

void certdir_arena_clear(struct certdir_arena *arena)
{
	while (arena->blocks) {
		struct certdir_arena_block *next = arena->blocks->next;

		if (arena->blocks->mapped < HUGE)
			free(arena->blocks);
		else
			(void)munmap(arena->blocks, arena->blocks->mapped);
		arena->blocks = next;
	}
	arena->mapped = 0;
	arena->failed = false;
}

/* Zeroed. The kernel is asked only for what may be huge pages: to map and unmap a small block takes longer than to clear it. */
static void *map(size_t size)
{
	void *memory;

	if (size < HUGE)
		return calloc(1, size);
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
	/* Where the kernel does not know it, it is as before. */
	(void)madvise(memory, size, MADV_HUGEPAGE);
	return memory;
}

/* A block with room for `size` in front; one that is larger than usual goes behind the first, which still has room. */
static struct certdir_arena_block *grow(struct certdir_arena *arena, size_t size)
{
	const size_t usual = arena->mapped < BLOCK_MIN	 ? BLOCK_MIN
			     : arena->mapped > BLOCK_MAX ? BLOCK_MAX
							 : arena->mapped;
	const bool large = size > usual - sizeof(struct certdir_arena_block);
	const size_t mapped = large ? size + sizeof(struct certdir_arena_block) : usual;
	struct certdir_arena_block *block;

	block = size < mapped ? map(mapped) : NULL;
	if (!block) {
		arena->failed = true;
		return NULL;
	}
	arena->mapped += mapped;
	block->mapped = mapped;
	block->size = mapped - sizeof(*block);
	if (arena->blocks && large) {
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
