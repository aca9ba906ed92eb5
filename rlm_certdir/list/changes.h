/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file of changes beside a list: which blocks of its image are others now. So a changed device costs some blocks and not the list.
 * Each edition is a batch, which is appended and never changed:
 *
 *	head         8 bytes "cdchang\2", 32 bytes digest of the batch before (of the first: the root of the list's seal), then 8 bytes
 *	             each: blocks that the image has with it, when that edition was made (as in the seal); 4 bytes how many blocks
 *	             follow, 4 bytes with each bit of that the other way
 *	numbers      4 bytes for each: the place that it has in the image, in blocks; none twice
 *	digests      32 bytes SHA-256 of each
 *	blocks       4096 bytes each
 *	digest       32 bytes SHA-256 of head, numbers and digests
 *
 * Of a list that is signed they begin with "cdchang\3", and have 64 bytes before the digest: an Ed25519 signature of that (keys.h). As each
 * digest goes on from the one before, and the first from the list's seal, it speaks for all of them.
 *
 * Numbers are little-endian. The digest is written when all before it lasts: what stands behind the last one is an edition that nobody has
 * published yet, or that its writer did not end. So the file can be read and copied while it grows, and who has its beginning reads the rest.
 */
#ifndef CERTDIR_LIST_CHANGES_H
#define CERTDIR_LIST_CHANGES_H

#include "list/blocks.h"
#include "list/keys.h"
#include "list/seal.h"

enum { CERTDIR_LIST_CHANGES_MAX = 16384 }; /* blocks in all batches: 64 MiB, which readers keep in memory */

/* One edition's blocks, which never change: images share them. */
struct certdir_list_batch;

struct certdir_list_place {
	uint32_t batch; /* 1 + its number, 0 = the block is as the list has it */
	uint32_t block; /* of that batch */
};

/* What was read of a file of changes; all zero is nothing. */
struct certdir_list_changes {
	unsigned char root[CERTDIR_SEAL_DIGEST]; /* of the seal of the list */
	unsigned char last[CERTDIR_SEAL_DIGEST]; /* what the next batch has to go on from */
	const struct certdir_list_keys *keys; /* with which each batch has to be signed, NULL = with none; borrowed */
	int64_t made; /* the last edition, or the list: microseconds since 1970 */
	uint64_t size; /* bytes of the file up to the end of the last batch */
	uint64_t behind; /* bytes behind that when it was read */
	uint32_t total; /* blocks of the whole image */
	uint32_t kept; /* blocks from the list's start that were never cut off */
	uint32_t count; /* blocks in all batches */
	uint32_t batch_count;
	struct certdir_list_batch **batches;
	struct certdir_list_place *places; /* for each block of the image */
	uint32_t place_count; /* how many there are: at least `total` */
	bool in_file; /* blocks are left there until somebody needs one */
};

enum certdir_changes_state {
	CERTDIR_CHANGES_READ,
	CERTDIR_CHANGES_NONE, /* there is no such file, or it is of a list that was there before */
	CERTDIR_CHANGES_DAMAGED, /* not what a writer wrote, or not readable, or of a newer list */
};

/* No changes yet of a list of `size` bytes with that root, made then. The caller clears it. */
void certdir_list_changes_begin(struct certdir_list_changes *changes, const unsigned char *root, uint64_t size,
				int64_t made);
/* The same changes as `other`, whose blocks both have then. False when memory is out. */
bool certdir_list_changes_share(struct certdir_list_changes *changes, const struct certdir_list_changes *other);
void certdir_list_changes_clear(struct certdir_list_changes *changes);

/* Opens the file, by `flags` of open(2). A descriptor that the caller closes, or -1: then *state is _NONE, or _DAMAGED with `error`. */
int certdir_list_changes_open(const char *filename, int flags, enum certdir_changes_state *state,
			      struct certdir_error *error);
/* Whether a file begins as signed changes do, whatever else is wrong with it. */
bool certdir_list_changes_are_signed(const char *filename);
/* When the last edition in a file was made, of whatever list it is; 0 = that cannot be read. */
int64_t certdir_list_changes_made(const char *filename);
/*
 * Goes on reading where `changes` end, up to the last whole batch that ends within `limit` bytes. On _DAMAGED `error` says what is wrong and
 * what to do; `changes->size` bytes are sound, and `changes` are to be cleared.
 */
enum certdir_changes_state certdir_list_changes_read(struct certdir_list_changes *changes, int file, uint64_t limit,
						     const char *filename, struct certdir_error *error);

/* The block that stands in place `number` of the image, of changes in memory; NULL when it is the list's. */
const unsigned char *certdir_list_changes_find(const struct certdir_list_changes *changes, uint64_t number);
/* Whether that block is here, and not the list's. */
static inline bool certdir_list_changes_has(const struct certdir_list_changes *changes, uint64_t number)
{
	return number < changes->total && changes->places[number].batch;
}
/* Reads one that is here from the file. False: it cannot be read, or is not as it was. */
bool certdir_list_changes_copy(const struct certdir_list_changes *changes, int file, uint64_t number,
			       unsigned char bytes[CERTDIR_LIST_BLOCK]);
/* The image has so many blocks now: what stood behind them is gone. False when memory is out. */
bool certdir_list_changes_resize(struct certdir_list_changes *changes, uint32_t total);

/*
 * Appends `blocks` as the edition made at `made` to `file`, which ends where `changes` do, signed when they have keys, a private one then; its
 * last bytes, which make it one, still need an fsync. False with `error`; `name` is for it.
 */
bool certdir_list_changes_append(const struct certdir_list_changes *changes, const struct certdir_list_blocks *blocks,
				 int64_t made, int file, const char *name, struct certdir_error *error);

#endif
