/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/copy.h"

#include "base/background.h"
#include "list/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	RING = 4, /* chunks in memory: one side may be so far ahead of the other */
	PIECE = 128 << 10, /* bytes that are read and written at a time: so few are still in the processor's cache */
	HUGE_PAGE = 2 << 20 /* so many bytes in one page, or copying them would be a third more work */
};

/* One thread reads and writes, a second one hashes what the first has read. */
struct copy {
	const char *filename;
	int from;
	struct certdir_list_seal *seal;
	unsigned char *ring;
	unsigned char header[CERTDIR_LIST_HEADER];
	pthread_mutex_t mutex;
	pthread_cond_t moved;
	size_t read, hashed; /* chunks, from the first on; guarded by mutex, as what follows */
	bool ended; /* no more will be read */
	bool broken; /* one is not what the seal is of */
};

static unsigned char *buffer_of(const struct copy *copy, size_t chunk)
{
	return copy->ring + (chunk % RING) * CERTDIR_SEAL_CHUNK;
}

static size_t size_of(const struct copy *copy, size_t chunk)
{
	uint64_t left = copy->seal->kept - (uint64_t)chunk * CERTDIR_SEAL_CHUNK;

	return left < CERTDIR_SEAL_CHUNK ? (size_t)left : CERTDIR_SEAL_CHUNK;
}

static void *hash(void *context)
{
	struct copy *copy = context;

	(void)pthread_mutex_lock(&copy->mutex);
	while (!copy->broken) {
		size_t chunk = copy->hashed;
		bool holds;

		if (chunk == copy->read && copy->ended)
			break;
		if (chunk == copy->read) {
			(void)pthread_cond_wait(&copy->moved, &copy->mutex);
			continue;
		}
		(void)pthread_mutex_unlock(&copy->mutex);
		holds = certdir_list_seal_holds(copy->seal, chunk, buffer_of(copy, chunk), size_of(copy, chunk));
		(void)pthread_mutex_lock(&copy->mutex);
		copy->hashed++;
		copy->broken = !holds;
		(void)pthread_cond_signal(&copy->moved);
	}
	(void)pthread_mutex_unlock(&copy->mutex);
	return NULL;
}

/* Waits until the place of `chunk` in the ring is free; false when there is no use in going on. */
static bool wait_for_place(struct copy *copy, size_t chunk)
{
	bool go_on;

	(void)pthread_mutex_lock(&copy->mutex);
	while (chunk - copy->hashed >= RING && !copy->broken)
		(void)pthread_cond_wait(&copy->moved, &copy->mutex);
	go_on = !copy->broken;
	(void)pthread_mutex_unlock(&copy->mutex);
	return go_on;
}

static void hand_over(struct copy *copy, size_t read, bool ended)
{
	(void)pthread_mutex_lock(&copy->mutex);
	copy->read = read;
	copy->ended = ended;
	(void)pthread_cond_signal(&copy->moved);
	(void)pthread_mutex_unlock(&copy->mutex);
}

static bool read_bytes(const struct copy *copy, unsigned char *to, size_t size, uint64_t at,
		       struct certdir_error *error)
{
	for (size_t done = 0; done < size;) {
		ssize_t got = pread(copy->from, to + done, size - done, (off_t)(at + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			certdir_error_set(error, "%s cannot be read: %s", copy->filename, strerror(errno));
		if (got == 0)
			certdir_error_set(
				error,
				"%s changes while it is read: something writes into it instead of renaming over it",
				copy->filename);
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

/* Says why the list itself is at fault, and what to do about it. */
static bool refuse(const struct certdir_error *why, struct certdir_error *error)
{
	certdir_error_set(
		error,
		"%s. It is left as it is: move it away and run this again (`certdir list import --replace` needs no "
		"moving)",
		why->text);
	return false;
}

/* Reads a chunk to its place in the ring, and writes it unless `to` is -1. */
static bool move_chunk(struct copy *copy, size_t chunk, int to, const char *name, struct certdir_error *error)
{
	const size_t size = size_of(copy, chunk);
	const uint64_t at = (uint64_t)chunk * CERTDIR_SEAL_CHUNK;
	unsigned char *buffer = buffer_of(copy, chunk);
	struct certdir_error why;

	for (size_t done = 0; done < size; done += PIECE) {
		size_t piece = size - done < PIECE ? size - done : PIECE;

		if (!read_bytes(copy, buffer + done, piece, at + done, &why))
			return refuse(&why, error);
		if (to >= 0 && !certdir_list_file_write(to, buffer + done, piece, at + done, name, error))
			return false;
	}
	if (chunk == 0)
		memcpy(copy->header, buffer, size < sizeof(copy->header) ? size : sizeof(copy->header));
	/* The disk may begin at once, so that the fsync at the end finds little left to do. */
	if (to >= 0)
		(void)sync_file_range(to, (off_t)at, (off_t)size, SYNC_FILE_RANGE_WRITE);
	return true;
}

static bool move_chunks(struct copy *copy, int to, const char *name, struct certdir_error *error)
{
	for (size_t chunk = 0; chunk < copy->seal->count && wait_for_place(copy, chunk); chunk++) {
		if (!move_chunk(copy, chunk, to, name, error))
			return false;
		hand_over(copy, chunk + 1, false);
	}
	return true;
}

static bool move_image(struct copy *copy, int to, const char *name, struct certdir_error *error)
{
	struct certdir_error why;
	pthread_t hasher;
	bool ok;

	if (!certdir_background_start(&hasher, hash, copy, &why)) {
		certdir_error_set(error, "%s cannot be verified: %.300s", copy->filename, why.text);
		return false;
	}
	ok = move_chunks(copy, to, name, error);
	hand_over(copy, copy->read, true);
	(void)pthread_join(hasher, NULL);
	if (ok && !certdir_list_file_accept(copy->filename, copy->broken ? CERTDIR_SEAL_BROKEN : CERTDIR_SEAL_TRUE,
					    copy->header, copy->seal->kept, &why))
		ok = refuse(&why, error);
	return ok;
}

bool certdir_list_copy(const char *filename, int to, const char *name, struct certdir_list_seal *seal,
		       struct certdir_error *error)
{
	struct copy copy = {.filename = filename, .seal = seal};
	struct certdir_error why;
	bool ok = false;
	size_t size;

	memset(seal, 0, sizeof(*seal));
	copy.from = certdir_list_file_open(filename, &size, &why);
	if (copy.from < 0)
		return refuse(&why, error);
	(void)pthread_mutex_init(&copy.mutex, NULL);
	(void)pthread_cond_init(&copy.moved, NULL);
	copy.ring = aligned_alloc(HUGE_PAGE, (size_t)RING * CERTDIR_SEAL_CHUNK);
	if (copy.ring)
		(void)madvise(copy.ring, (size_t)RING * CERTDIR_SEAL_CHUNK, MADV_HUGEPAGE);
	if (!copy.ring)
		certdir_error_set(error, "%s: out of memory", filename);
	else if (!certdir_list_file_seal(copy.from, filename, size, seal, copy.header, &why))
		refuse(&why, error);
	else
		ok = move_image(&copy, to, name, error);
	free(copy.ring);
	(void)pthread_cond_destroy(&copy.moved);
	(void)pthread_mutex_destroy(&copy.mutex);
	(void)close(copy.from);
	if (!ok)
		certdir_list_seal_clear(seal);
	return ok;
}
