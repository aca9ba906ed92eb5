/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that is given back all at once: a plan is hundreds of thousands of small strings with one life. */
#ifndef CERTDIR_ARENA_H
#define CERTDIR_ARENA_H

#include "base/certdir.h"

struct certdir_arena {
	struct certdir_arena_block *blocks;
	size_t mapped; /* bytes of all of them */
	bool failed; /* an allocation failed: what was made with it is not to be used */
};

/* Zeroed is empty. */
void certdir_arena_clear(struct certdir_arena *arena);

/*
 * Zeroed, aligned for anything. NULL when memory is out; `failed` remembers it, so that a caller who makes many
 * may look once at the end, as long as it does not touch a NULL.
 */
void *certdir_arena_alloc(struct certdir_arena *arena, size_t size);
char *certdir_arena_copy(struct certdir_arena *arena, const char *bytes, size_t length); /* a NUL is put behind */
char *certdir_arena_print(struct certdir_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
