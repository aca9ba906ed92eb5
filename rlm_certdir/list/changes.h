/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file of changes beside a list: which blocks of its image are others now. So a changed device costs some blocks and not the list.
 *
 *	blocks       4096 bytes each, in any order
 *	numbers      4 bytes for each: the place that it has in the image, in blocks; none twice
 *	footer       8 bytes "cdchang\1", 32 bytes from the end of the seal of the list that these are changes of, then 8 bytes each:
 *	             blocks that the image has with them, when that edition was made (as in the seal), bytes that were written on top of this
 *	             list until now; 4 bytes how many blocks stand here, 4 bytes zero
 *	digest       32 bytes SHA-256 of all that
 *
 * Numbers are little-endian. It always holds all changes since the list was written whole: there is one at a time, to be read alone.
 */
#ifndef CERTDIR_LIST_CHANGES_H
#define CERTDIR_LIST_CHANGES_H

#include "list/seal.h"

enum { CERTDIR_LIST_BLOCK = 4096 }; /* bytes, which is also the size of our databases' pages; a chunk is several */
enum { CERTDIR_LIST_CHANGES_MAX = 16384 }; /* blocks: 64 MiB, which readers and writers keep in memory */

/* All zero is an image of no blocks. */
struct certdir_list_changes {
	unsigned char base[CERTDIR_SEAL_DIGEST]; /* the root of the list's seal */
	int64_t made; /* microseconds since 1970 */
	uint64_t spent; /* bytes of all files of changes of this list, this one among them */
	uint32_t total; /* blocks of the whole image */
	uint32_t count; /* blocks that are changed */
	uint32_t room;
	unsigned char *blocks;
	uint32_t *numbers; /* of each, its place in the image */
	uint32_t *places; /* for each block of the image: 1 + its place in `blocks`, 0 = as the list has it */
	uint32_t place_count; /* how many there are: at least `total` */
};

void certdir_list_changes_clear(struct certdir_list_changes *changes);

enum certdir_changes_state {
	CERTDIR_CHANGES_READ,
	CERTDIR_CHANGES_NONE, /* there is no such file */
	CERTDIR_CHANGES_DAMAGED, /* not what a writer wrote, or not readable */
};

/* Reads and verifies a file of changes. On _READ the caller clears `changes`; on _DAMAGED `error` says what is wrong and what to do. */
enum certdir_changes_state certdir_list_changes_read(struct certdir_list_changes *changes, const char *filename,
						     struct certdir_error *error);
/* Whether they make a whole image of a list's of `size` bytes. */
bool certdir_list_changes_fit(const struct certdir_list_changes *changes, uint64_t size);

/* The block that stands in place `number` of the image, which the caller may fill; NULL when it is the list's. */
static inline unsigned char *certdir_list_changes_find(const struct certdir_list_changes *changes, uint64_t number)
{
	const uint32_t place = number < changes->total ? changes->places[number] : 0;

	return place ? changes->blocks + (size_t)(place - 1) * CERTDIR_LIST_BLOCK : NULL;
}

/* The same, but a new one, all zero, where there is none; the image grows as far as needed. NULL when memory is out. */
unsigned char *certdir_list_changes_put(struct certdir_list_changes *changes, uint32_t number);
/* The image has so many blocks now: the changes behind them are none any more. False when memory is out. */
bool certdir_list_changes_resize(struct certdir_list_changes *changes, uint32_t total);

/* Bytes of the file. */
uint64_t certdir_list_changes_size(const struct certdir_list_changes *changes);
/* Writes it into the empty file `fd`. False with `error`; `name` is for it. */
bool certdir_list_changes_write(const struct certdir_list_changes *changes, int fd, const char *name,
				struct certdir_error *error);

#endif
