/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/array.h"

#include <stdlib.h>
#include <string.h>

void *certdir_array_next(void *array, size_t count, size_t size)
{
	size_t room = 1;
	void *items, *grown;

	/* Always a power of 2: realloc() has nothing to do then but for the few times when it doubles. */
	while (room <= count)
		room *= 2;
	memcpy(&items, array, sizeof(items));
	grown = reallocarray(items, room, size);
	if (!grown)
		return NULL;
	memcpy(array, &grown, sizeof(grown));
	return memset((char *)grown + count * size, 0, size);
}
