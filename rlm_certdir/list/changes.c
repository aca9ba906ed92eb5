/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/changes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "list/file.h"

static const unsigned char magic[8] = {'c', 'd', 'c', 'h', 'a', 'n', 'g', 2},
			   magic_signed[8] = {'c', 'd', 'c', 'h', 'a', 'n', 'g', 3};

enum {
	BEFORE_AT = 8,
	TOTAL_AT = BEFORE_AT + CERTDIR_SEAL_DIGEST,
	MADE_AT = TOTAL_AT + 8,
	COUNT_AT = MADE_AT + 8,
	HEAD = COUNT_AT + 8,
	NUMBER = 4,
	WORD = 4, /* where a sector begins, a word does: the size of each batch is a multiple */
	ENTRY = NUMBER + CERTDIR_SEAL_DIGEST, /* of what stands before the blocks */
};

struct certdir_list_batch {
	atomic_size_t references;
	uint32_t count; /* blocks */
	uint64_t at; /* where it begins in the file */
	bool is_signed;
	unsigned char *blocks; /* NULL: they are left in the file */
	unsigned char head[]; /* numbers and digests behind it */
};

static size_t head_size(uint64_t count)
{
	return HEAD + (size_t)count * ENTRY;
}

static uint64_t batch_size(uint64_t count, bool is_signed)
{
	return head_size(count) + count * CERTDIR_LIST_BLOCK + (is_signed ? CERTDIR_SEAL_SIGNATURE : 0) +
	       CERTDIR_SEAL_DIGEST;
}

static uint64_t number_of(const struct certdir_list_batch *batch, uint32_t block)
{
	return certdir_bytes_get(batch->head + HEAD + (size_t)block * NUMBER, NUMBER);
}

static const unsigned char *digest_of(const struct certdir_list_batch *batch, uint32_t block)
{
	return batch->head + HEAD + (size_t)batch->count * NUMBER + (size_t)block * CERTDIR_SEAL_DIGEST;
}

static bool sum(const unsigned char *bytes, size_t size, unsigned char out[CERTDIR_SEAL_DIGEST])
{
	return certdir_list_seal_sum(bytes, size, NULL, 0, out);
}

/* ---- in memory ---- */

void certdir_list_changes_begin(struct certdir_list_changes *changes, const unsigned char *root, uint64_t size,
				int64_t made)
{
	*changes = (struct certdir_list_changes){.made = made};
	memcpy(changes->root, root, sizeof(changes->root));
	memcpy(changes->last, root, sizeof(changes->last));
	/* Of one that does not end with a block nothing stays: changes have all of it, or do not fit. */
	changes->kept = size % CERTDIR_LIST_BLOCK ? 0 : (uint32_t)(size / CERTDIR_LIST_BLOCK);
}

static void release(struct certdir_list_batch *batch)
{
	if (atomic_fetch_sub_explicit(&batch->references, 1, memory_order_acq_rel) != 1)
		return;
	free(batch->blocks);
	free(batch);
}

void certdir_list_changes_clear(struct certdir_list_changes *changes)
{
	for (uint32_t i = 0; i < changes->batch_count; i++)
		release(changes->batches[i]);
	free(changes->batches);
	free(changes->places);
	memset(changes, 0, sizeof(*changes));
}

bool certdir_list_changes_share(struct certdir_list_changes *changes, const struct certdir_list_changes *other)
{
	*changes = *other;
	changes->batch_count = 0;
	changes->batches = calloc((size_t)other->batch_count + 1, sizeof(struct certdir_list_batch *));
	changes->places = calloc((size_t)other->place_count + 1, sizeof(*changes->places));
	if (!changes->batches || !changes->places) {
		certdir_list_changes_clear(changes);
		return false;
	}
	if (other->place_count)
		memcpy(changes->places, other->places, (size_t)other->place_count * sizeof(*changes->places));
	for (; changes->batch_count < other->batch_count; changes->batch_count++) {
		changes->batches[changes->batch_count] = other->batches[changes->batch_count];
		atomic_fetch_add_explicit(&other->batches[changes->batch_count]->references, 1, memory_order_relaxed);
	}
	return true;
}

bool certdir_list_changes_resize(struct certdir_list_changes *changes, uint32_t total)
{
	const uint32_t count = total + total / 8 + 64; /* an image that grows does so bit by bit */
	struct certdir_list_place *places;

	if (total > changes->place_count) {
		places = changes->places
				 ? realloc(changes->places, (size_t)count * sizeof(*places))
				 : calloc(count, sizeof(*places)); /* which takes no memory as long as it is zero */
		if (!places)
			return false;
		if (changes->places)
			memset(places + changes->place_count, 0,
			       (size_t)(count - changes->place_count) * sizeof(*places));
		changes->places = places;
		changes->place_count = count;
	}
	if (total < changes->total)
		memset(changes->places + total, 0, (size_t)(changes->total - total) * sizeof(*changes->places));
	changes->total = total;
	changes->kept = total < changes->kept ? total : changes->kept;
	return true;
}

const unsigned char *certdir_list_changes_find(const struct certdir_list_changes *changes, uint64_t number)
{
	const struct certdir_list_place *place;

	if (!certdir_list_changes_has(changes, number))
		return NULL;
	place = changes->places + number;
	return changes->batches[place->batch - 1]->blocks + (size_t)place->block * CERTDIR_LIST_BLOCK;
}

/* ---- reading ---- */

static enum certdir_changes_state refuse(const char *filename, const char *why, struct certdir_error *error)
{
	certdir_error_set(error,
			  "%s %s: copy it again, or move it away: the list is then as it was when it was last written "
			  "whole, and the next sync brings the rest",
			  filename, why);
	return CERTDIR_CHANGES_DAMAGED;
}

/* NONBLOCK: opening a FIFO must not wait for a writer. */
int certdir_list_changes_open(const char *filename, int flags, enum certdir_changes_state *state,
			      struct certdir_error *error)
{
	const int file = open(filename, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	*state = file >= 0 ? CERTDIR_CHANGES_READ : CERTDIR_CHANGES_NONE;
	if (file < 0 && errno != ENOENT && errno != ENOTDIR) {
		*state = CERTDIR_CHANGES_DAMAGED;
		certdir_error_set(error,
				  "%s cannot be read: %s; it belongs to the list beside it, and has to be "
				  "readable as that is",
				  filename, strerror(errno));
	}
	return file;
}

static bool read_at(int file, void *bytes, size_t size, uint64_t at)
{
	return certdir_file_read_at(file, bytes, size, at) == (ssize_t)size;
}

/* After a power cut zeros stand for the sectors that did not last. */
static bool is_lost(const unsigned char word[WORD])
{
	static const unsigned char zero[WORD];

	return memcmp(word, zero, WORD) == 0;
}

static bool is_head_lost(const unsigned char head[HEAD])
{
	return is_lost(head) || is_lost(head + WORD) || is_lost(head + COUNT_AT) || is_lost(head + COUNT_AT + WORD);
}

/* Of a digest that is not as it should be: what is there of it is. */
static bool is_digest_lost(const unsigned char digest[CERTDIR_SEAL_DIGEST], const unsigned char *right)
{
	size_t at = 0;

	while (at < CERTDIR_SEAL_DIGEST && (is_lost(digest + at) || memcmp(digest + at, right + at, WORD) == 0))
		at += WORD;
	return at == CERTDIR_SEAL_DIGEST;
}

/* Whether the batch is signed, when it has to be. */
static bool is_signed(const struct certdir_list_batch *batch, int file, const unsigned char last[CERTDIR_SEAL_DIGEST],
		      const struct certdir_list_keys *keys)
{
	const uint64_t at = batch->at + batch_size(batch->count, true) - CERTDIR_SEAL_DIGEST - CERTDIR_SEAL_SIGNATURE;
	unsigned char signature[CERTDIR_SEAL_SIGNATURE];

	return !keys || (batch->is_signed && read_at(file, signature, sizeof(signature), at) &&
			 certdir_list_keys_hold(keys, CERTDIR_SIGNED_CHANGES, last, signature));
}

/* Reads all of a batch but its blocks. False, with *why unless it was not ended. */
static bool fill(struct certdir_list_batch *batch, int file, unsigned char last[CERTDIR_SEAL_DIGEST], const char **why)
{
	const size_t size = head_size(batch->count);
	const uint64_t end = batch->at + batch_size(batch->count, batch->is_signed);
	unsigned char is[CERTDIR_SEAL_DIGEST];

	if (!read_at(file, batch->head, size, batch->at) ||
	    !read_at(file, last, CERTDIR_SEAL_DIGEST, end - CERTDIR_SEAL_DIGEST) || !sum(batch->head, size, is))
		*why = "cannot be read";
	else if (memcmp(is, last, sizeof(is)) == 0)
		return true;
	else if (!is_digest_lost(last, is))
		*why = "does not match its seal: it was changed";
	return false;
}

/*
 * Head, numbers and digests of the batch that begins at `at`. NULL: there is none that ends within `size`; *why says what is wrong with
 * that. Behind the first one nothing is where a writer has not ended.
 */
static struct certdir_list_batch *read_head(int file, uint64_t at, uint64_t size,
					    unsigned char last[CERTDIR_SEAL_DIGEST], const char **why)
{
	struct certdir_list_batch *batch;
	unsigned char head[HEAD];
	uint64_t count;
	bool has_signature;

	*why = at == 0 ? "is cut short, or is no file of changes" : NULL;
	if (size - at < batch_size(1, false) || !read_at(file, head, sizeof(head), at) || is_head_lost(head))
		return NULL;
	has_signature = memcmp(head, magic_signed, sizeof(magic_signed)) == 0;
	count = certdir_bytes_get(head + COUNT_AT, 4);
	if ((!has_signature && memcmp(head, magic, sizeof(magic)) != 0) || count == 0 ||
	    count > CERTDIR_LIST_CHANGES_MAX || certdir_bytes_get(head + COUNT_AT + 4, 4) != (uint32_t)~count) {
		*why = at == 0 ? *why : "is damaged";
		return NULL;
	}
	if (size - at < batch_size(count, has_signature))
		return NULL;
	batch = calloc(1, sizeof(*batch) + head_size(count));
	if (!batch) {
		*why = "cannot be read";
		return NULL;
	}
	atomic_init(&batch->references, 1);
	batch->count = (uint32_t)count;
	batch->at = at;
	batch->is_signed = has_signature;
	if (fill(batch, file, last, why))
		return batch;
	free(batch);
	return NULL;
}

static bool is_as_it_was(const struct certdir_list_batch *batch, uint32_t block, const unsigned char *bytes)
{
	unsigned char is[CERTDIR_SEAL_DIGEST];

	return sum(bytes, CERTDIR_LIST_BLOCK, is) && memcmp(is, digest_of(batch, block), sizeof(is)) == 0;
}

static const char *read_blocks(struct certdir_list_batch *batch, int file)
{
	const size_t size = (size_t)batch->count * CERTDIR_LIST_BLOCK;

	batch->blocks = malloc(size);
	if (!batch->blocks || !read_at(file, batch->blocks, size, batch->at + head_size(batch->count)))
		return "cannot be read";
	for (uint32_t i = 0; i < batch->count; i++)
		if (!is_as_it_was(batch, i, batch->blocks + (size_t)i * CERTDIR_LIST_BLOCK))
			return "does not match its seal: it was changed";
	return NULL;
}

/* The blocks of the last batch take their places. NULL, or what is wrong. */
static const char *place_all(struct certdir_list_changes *changes)
{
	const struct certdir_list_batch *batch = changes->batches[changes->batch_count - 1];

	for (uint32_t i = 0; i < batch->count; i++) {
		const uint64_t number = number_of(batch, i);

		if (number >= changes->total || changes->places[number].batch == changes->batch_count)
			return "has a block twice, or behind the end";
		changes->places[number] = (struct certdir_list_place){changes->batch_count, i};
	}
	return NULL;
}

/* Behind what stays of the list, all blocks are here. */
static bool fits(const struct certdir_list_changes *changes)
{
	for (uint32_t number = changes->kept; number < changes->total; number++)
		if (!changes->places[number].batch)
			return false;
	return true;
}

/* Takes the batch, whatever comes of it. */
static const char *add_batch(struct certdir_list_changes *changes, struct certdir_list_batch *batch)
{
	const uint64_t total = certdir_bytes_get(batch->head + TOTAL_AT, 8);
	struct certdir_list_batch **batches = changes->batches;

	batches = realloc(batches, ((size_t)changes->batch_count + 1) * sizeof(*batches));
	if (!batches) {
		release(batch);
		return "cannot be read: out of memory";
	}
	changes->batches = batches;
	changes->batches[changes->batch_count++] = batch;
	changes->count += batch->count;
	if (changes->count > CERTDIR_LIST_CHANGES_MAX || total == 0 ||
	    total > CERTDIR_LIST_FILE_MAX / CERTDIR_LIST_BLOCK)
		return "has a size that no writer makes";
	if (!certdir_list_changes_resize(changes, (uint32_t)total))
		return "cannot be read: out of memory";
	return place_all(changes);
}

/* The changes of whatever list that a first batch with that head names. */
static enum certdir_changes_state read_any(struct certdir_list_changes *any, const unsigned char head[HEAD], int file,
					   uint64_t limit, const char *filename, struct certdir_error *error)
{
	certdir_list_changes_begin(any, head + BEFORE_AT, 0, 0);
	any->in_file = true;
	any->kept = UINT32_MAX;
	return certdir_list_changes_read(any, file, limit, filename, error);
}

/* A list that was there before had these, and whoever wrote this one whole put them into it; or this is older than they are. */
static enum certdir_changes_state read_foreign(const struct certdir_list_changes *changes,
					       const struct certdir_list_batch *batch, int file, uint64_t limit,
					       const char *filename, struct certdir_error *error)
{
	struct certdir_list_changes foreign;
	enum certdir_changes_state state = read_any(&foreign, batch->head, file, limit, filename, error);

	if (state == CERTDIR_CHANGES_READ && foreign.made <= changes->made)
		state = CERTDIR_CHANGES_NONE;
	else if (state == CERTDIR_CHANGES_READ)
		state = refuse(filename,
			       "has changes of another list than the one beside it, and is newer: copy both from one "
			       "server, the list first; or",
			       error);
	certdir_list_changes_clear(&foreign);
	return state;
}

static enum certdir_changes_state read_batches(struct certdir_list_changes *changes, int file, uint64_t size,
					       const char *filename, struct certdir_error *error)
{
	unsigned char last[CERTDIR_SEAL_DIGEST];
	struct certdir_list_batch *batch;
	const char *why;

	while ((batch = read_head(file, changes->size, size, last, &why))) {
		const bool holds = is_signed(batch, file, last, changes->keys);

		if (memcmp(batch->head + BEFORE_AT, changes->last, sizeof(changes->last)) != 0) {
			const enum certdir_changes_state state =
				changes->size ? refuse(filename, "is damaged", error)
					      : read_foreign(changes, batch, file, size, filename, error);

			release(batch);
			return state;
		}
		why = !holds		 ? "is not signed with a key of public_key"
		      : changes->in_file ? NULL
					 : read_blocks(batch, file);
		if (why)
			release(batch);
		else
			why = add_batch(changes, batch);
		if (why)
			return refuse(filename, why, error);
		memcpy(changes->last, last, sizeof(last));
		changes->made = (int64_t)certdir_bytes_get(batch->head + MADE_AT, 8);
		changes->size += batch_size(batch->count, batch->is_signed);
	}
	changes->behind = size - changes->size;
	if (!why && !fits(changes))
		why = "does not fit the list beside it";
	return why ? refuse(filename, why, error) : CERTDIR_CHANGES_READ;
}

enum certdir_changes_state certdir_list_changes_read(struct certdir_list_changes *changes, int file, uint64_t limit,
						     const char *filename, struct certdir_error *error)
{
	unsigned char last[CERTDIR_SEAL_DIGEST];
	struct stat status;
	uint64_t size;

	if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode))
		return refuse(filename, "is not a file", error);
	size = (uint64_t)status.st_size < limit ? (uint64_t)status.st_size : limit;
	/* What was read before is of this file when it ends as that did: who goes on from it has its digest. */
	if (changes->size &&
	    (size < changes->size || !read_at(file, last, sizeof(last), changes->size - sizeof(last)) ||
	     memcmp(last, changes->last, sizeof(last)) != 0))
		return refuse(filename, "is another one than before", error);
	return read_batches(changes, file, size, filename, error);
}

/* The first bytes of a file of changes, which is open then. -1: there is none. */
static int open_head(const char *filename, unsigned char head[HEAD])
{
	enum certdir_changes_state state;
	struct certdir_error ignored;
	const int file = certdir_list_changes_open(filename, O_RDONLY, &state, &ignored);

	if (file < 0 || read_at(file, head, HEAD, 0))
		return file;
	(void)close(file);
	return -1;
}

bool certdir_list_changes_are_signed(const char *filename)
{
	unsigned char head[HEAD];
	const int file = open_head(filename, head);

	if (file >= 0)
		(void)close(file);
	return file >= 0 && memcmp(head, magic_signed, sizeof(magic_signed)) == 0;
}

int64_t certdir_list_changes_made(const char *filename)
{
	struct certdir_list_changes any;
	struct certdir_error ignored;
	unsigned char head[HEAD];
	const int file = open_head(filename, head);
	int64_t made;

	if (file < 0)
		return 0;
	(void)read_any(&any, head, file, UINT64_MAX, filename, &ignored);
	made = any.made; /* of a damaged file, the last before the damage */
	certdir_list_changes_clear(&any);
	(void)close(file);
	return made;
}

bool certdir_list_changes_copy(const struct certdir_list_changes *changes, int file, uint64_t number,
			       unsigned char bytes[CERTDIR_LIST_BLOCK])
{
	const struct certdir_list_place *place = changes->places + number;
	const struct certdir_list_batch *batch = changes->batches[place->batch - 1];

	return read_at(file, bytes, CERTDIR_LIST_BLOCK,
		       batch->at + head_size(batch->count) + (uint64_t)place->block * CERTDIR_LIST_BLOCK) &&
	       is_as_it_was(batch, place->block, bytes);
}

/* ---- writing ---- */

/* Head, numbers, digests; the caller frees them. NULL when they cannot be made. */
static unsigned char *make_head(const struct certdir_list_changes *changes, const struct certdir_list_blocks *blocks,
				int64_t made)
{
	unsigned char *head = calloc(1, head_size(blocks->count)), *digests;

	if (!head)
		return NULL;
	memcpy(head, changes->keys ? magic_signed : magic, sizeof(magic));
	memcpy(head + BEFORE_AT, changes->last, sizeof(changes->last));
	certdir_bytes_put(head + TOTAL_AT, blocks->total, 8);
	certdir_bytes_put(head + MADE_AT, (uint64_t)made, 8);
	certdir_bytes_put(head + COUNT_AT, blocks->count, 4);
	certdir_bytes_put(head + COUNT_AT + 4, ~blocks->count, 4);
	digests = head + HEAD + (size_t)blocks->count * NUMBER;
	for (uint32_t i = 0; i < blocks->count; i++) {
		certdir_bytes_put(head + HEAD + (size_t)i * NUMBER, blocks->numbers[i], NUMBER);
		if (!sum(blocks->bytes + (size_t)i * CERTDIR_LIST_BLOCK, CERTDIR_LIST_BLOCK,
			 digests + (size_t)i * CERTDIR_SEAL_DIGEST)) {
			free(head);
			return NULL;
		}
	}
	return head;
}

bool certdir_list_changes_append(const struct certdir_list_changes *changes, const struct certdir_list_blocks *blocks,
				 int64_t made, int file, const char *name, struct certdir_error *error)
{
	const size_t before = head_size(blocks->count), size = (size_t)blocks->count * CERTDIR_LIST_BLOCK;
	unsigned char *head = make_head(changes, blocks, made), digest[CERTDIR_SEAL_DIGEST];
	unsigned char signature[CERTDIR_SEAL_SIGNATURE];
	const size_t signed_size = changes->keys ? sizeof(signature) : 0;
	uint64_t end = changes->size + before + size;
	bool ok = false;

	if (!head || !sum(head, before, digest) ||
	    (changes->keys && !certdir_list_keys_sign(changes->keys, CERTDIR_SIGNED_CHANGES, digest, signature))) {
		certdir_error_set(error, "%s cannot be sealed: out of memory, or OpenSSL has no SHA-256 or Ed25519",
				  name);
		goto out;
	}
	ok = certdir_file_write_at(file, head, before, changes->size, name, error) &&
	     certdir_file_write_at(file, blocks->bytes, size, changes->size + before, name, error) &&
	     certdir_file_write_at(file, signature, signed_size, end, name, error);
	end += signed_size;
	if (ok && fsync(file) != 0) {
		certdir_error_set(error, "%s cannot be written: %s", name, strerror(errno));
		ok = false;
	}
	ok = ok && certdir_file_write_at(file, digest, sizeof(digest), end, name, error);
out:
	free(head);
	return ok;
}
