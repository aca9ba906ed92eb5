/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/changes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "list/file.h"

static const unsigned char magic[8] = {'c', 'd', 'c', 'h', 'a', 'n', 'g', 1};

enum {
	BASE_AT = 8,
	TOTAL_AT = BASE_AT + CERTDIR_SEAL_DIGEST,
	MADE_AT = TOTAL_AT + 8,
	SPENT_AT = MADE_AT + 8,
	COUNT_AT = SPENT_AT + 8,
	FOOTER = COUNT_AT + 8,
	NUMBER = 4,
	ENTRY = CERTDIR_LIST_BLOCK + NUMBER,
};

void certdir_list_changes_clear(struct certdir_list_changes *changes)
{
	free(changes->blocks);
	free(changes->numbers);
	free(changes->places);
	memset(changes, 0, sizeof(*changes));
}

/* ---- changing ---- */

static bool grow_places(struct certdir_list_changes *changes, uint32_t total)
{
	const uint32_t count = total + total / 8 + 64; /* an image that grows does so page by page */
	uint32_t *places;

	if (total <= changes->place_count)
		return true;
	places = changes->places ? realloc(changes->places, (size_t)count * sizeof(*places))
				 : calloc(count, sizeof(*places)); /* which takes no memory as long as it is zero */
	if (!places)
		return false;
	if (changes->places)
		memset(places + changes->place_count, 0, (size_t)(count - changes->place_count) * sizeof(*places));
	changes->places = places;
	changes->place_count = count;
	return true;
}

static bool grow_blocks(struct certdir_list_changes *changes)
{
	const uint32_t room = changes->count + changes->count / 2 + 64;
	unsigned char *blocks;
	uint32_t *numbers;

	if (changes->count < changes->room)
		return true;
	blocks = realloc(changes->blocks, (size_t)room * CERTDIR_LIST_BLOCK);
	if (blocks)
		changes->blocks = blocks;
	numbers = realloc(changes->numbers, room * sizeof(*numbers));
	if (numbers)
		changes->numbers = numbers;
	if (blocks && numbers)
		changes->room = room;
	return blocks && numbers;
}

unsigned char *certdir_list_changes_put(struct certdir_list_changes *changes, uint32_t number)
{
	unsigned char *block = certdir_list_changes_find(changes, number);

	if (block)
		return block;
	if (!grow_places(changes, number + 1) || !grow_blocks(changes))
		return NULL;
	if (changes->total <= number)
		changes->total = number + 1;
	changes->numbers[changes->count] = number;
	changes->places[number] = ++changes->count;
	block = changes->blocks + (size_t)(changes->count - 1) * CERTDIR_LIST_BLOCK;
	memset(block, 0, CERTDIR_LIST_BLOCK);
	return block;
}

/* The last one takes its place. */
static void drop(struct certdir_list_changes *changes, uint32_t place)
{
	const uint32_t last = --changes->count;

	changes->places[changes->numbers[place]] = 0;
	if (place == last)
		return;
	memcpy(changes->blocks + (size_t)place * CERTDIR_LIST_BLOCK,
	       changes->blocks + (size_t)last * CERTDIR_LIST_BLOCK, CERTDIR_LIST_BLOCK);
	changes->numbers[place] = changes->numbers[last];
	changes->places[changes->numbers[place]] = place + 1;
}

bool certdir_list_changes_resize(struct certdir_list_changes *changes, uint32_t total)
{
	if (!grow_places(changes, total))
		return false;
	for (uint32_t place = changes->count; place-- > 0 && total < changes->total;)
		if (changes->numbers[place] >= total)
			drop(changes, place);
	changes->total = total;
	return true;
}

bool certdir_list_changes_fit(const struct certdir_list_changes *changes, uint64_t size)
{
	if (size % CERTDIR_LIST_BLOCK != 0)
		return false;
	for (uint64_t number = size / CERTDIR_LIST_BLOCK; number < changes->total; number++)
		if (!changes->places[number])
			return false;
	return true;
}

/* ---- the file ---- */

uint64_t certdir_list_changes_size(const struct certdir_list_changes *changes)
{
	return (uint64_t)changes->count * ENTRY + FOOTER + CERTDIR_SEAL_DIGEST;
}

/* Numbers and footer; the caller frees them. */
static unsigned char *make_end(const struct certdir_list_changes *changes)
{
	unsigned char *end = calloc(1, (size_t)changes->count * NUMBER + FOOTER), *footer;

	if (!end)
		return NULL;
	for (uint32_t i = 0; i < changes->count; i++)
		certdir_bytes_put(end + (size_t)i * NUMBER, changes->numbers[i], NUMBER);
	footer = end + (size_t)changes->count * NUMBER;
	memcpy(footer, magic, sizeof(magic));
	memcpy(footer + BASE_AT, changes->base, sizeof(changes->base));
	certdir_bytes_put(footer + TOTAL_AT, changes->total, 8);
	certdir_bytes_put(footer + MADE_AT, (uint64_t)changes->made, 8);
	certdir_bytes_put(footer + SPENT_AT, changes->spent, 8);
	certdir_bytes_put(footer + COUNT_AT, changes->count, 4);
	return end;
}

bool certdir_list_changes_write(const struct certdir_list_changes *changes, int fd, const char *name,
				struct certdir_error *error)
{
	const size_t blocks = (size_t)changes->count * CERTDIR_LIST_BLOCK,
		     rest = (size_t)changes->count * NUMBER + FOOTER;
	unsigned char *end = make_end(changes), digest[CERTDIR_SEAL_DIGEST];
	bool ok = false;

	if (!end || !certdir_list_seal_sum(changes->blocks, blocks, end, rest, digest))
		certdir_error_set(error, "%s cannot be sealed: out of memory, or OpenSSL has no SHA-256", name);
	else
		ok = certdir_file_write_at(fd, changes->blocks, blocks, 0, name, error) &&
		     certdir_file_write_at(fd, end, rest, blocks, name, error) &&
		     certdir_file_write_at(fd, digest, sizeof(digest), blocks + rest, name, error);
	free(end);
	return ok;
}

static enum certdir_changes_state refuse(const char *filename, const char *why, struct certdir_error *error)
{
	certdir_error_set(error,
			  "%s %s: copy it again, or move it away: the list is then as it was when it was last written "
			  "whole, and the next sync brings the rest",
			  filename, why);
	return CERTDIR_CHANGES_DAMAGED;
}

/* Numbers into places. False: one is twice, or behind the image's end. */
static bool place_all(struct certdir_list_changes *changes, const unsigned char *numbers)
{
	for (uint32_t i = 0; i < changes->count; i++) {
		const uint64_t number = certdir_bytes_get(numbers + (size_t)i * NUMBER, NUMBER);

		if (number >= changes->total || changes->places[number])
			return false;
		changes->numbers[i] = (uint32_t)number;
		changes->places[number] = i + 1;
	}
	return true;
}

/* `changes->blocks` is a file of `size` bytes, all of which are there. */
static enum certdir_changes_state take(struct certdir_list_changes *changes, size_t size, const char *filename,
				       struct certdir_error *error)
{
	const unsigned char *digest = changes->blocks + size - CERTDIR_SEAL_DIGEST, *footer = digest - FOOTER;
	const uint64_t count = certdir_bytes_get(footer + COUNT_AT, 8), total = certdir_bytes_get(footer + TOTAL_AT, 8);
	unsigned char is[CERTDIR_SEAL_DIGEST];

	if (memcmp(footer, magic, sizeof(magic)) != 0)
		return refuse(filename, "is cut short, or is no file of changes", error);
	if (count > CERTDIR_LIST_CHANGES_MAX || count * ENTRY + FOOTER + CERTDIR_SEAL_DIGEST != size || total == 0 ||
	    total > CERTDIR_LIST_FILE_MAX / CERTDIR_LIST_BLOCK)
		return refuse(filename, "has another size than its last bytes say", error);
	if (!certdir_list_seal_sum(changes->blocks, size - CERTDIR_SEAL_DIGEST, NULL, 0, is) ||
	    memcmp(is, digest, sizeof(is)) != 0)
		return refuse(filename, "does not match its seal: it was changed", error);
	memcpy(changes->base, footer + BASE_AT, sizeof(changes->base));
	changes->made = (int64_t)certdir_bytes_get(footer + MADE_AT, 8);
	changes->spent = certdir_bytes_get(footer + SPENT_AT, 8);
	changes->count = changes->room = (uint32_t)count;
	changes->total = (uint32_t)total;
	changes->numbers = calloc(count + 1, sizeof(*changes->numbers));
	if (!changes->numbers || !grow_places(changes, changes->total))
		return refuse(filename, "cannot be read: out of memory", error);
	if (!place_all(changes, changes->blocks + count * CERTDIR_LIST_BLOCK))
		return refuse(filename, "has a block twice, or behind the end", error);
	return CERTDIR_CHANGES_READ;
}

static enum certdir_changes_state read_open(struct certdir_list_changes *changes, int file, const char *filename,
					    struct certdir_error *error)
{
	const uint64_t most = (uint64_t)CERTDIR_LIST_CHANGES_MAX * ENTRY + FOOTER + CERTDIR_SEAL_DIGEST;
	struct stat status;
	size_t size;
	ssize_t got;

	if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode))
		return refuse(filename, "is not a file", error);
	if (status.st_size < FOOTER + CERTDIR_SEAL_DIGEST || (uint64_t)status.st_size > most)
		return refuse(filename, "has a size that no file of changes has", error);
	size = (size_t)status.st_size;
	changes->blocks = malloc(size);
	if (!changes->blocks)
		return refuse(filename, "cannot be read: out of memory", error);
	got = certdir_file_read_at(file, changes->blocks, size, 0);
	if (got != (ssize_t)size)
		return refuse(filename, got < 0 ? "cannot be read" : "changes while it is read", error);
	return take(changes, size, filename, error);
}

/* NONBLOCK: opening a FIFO must not wait for a writer. */
enum certdir_changes_state certdir_list_changes_read(struct certdir_list_changes *changes, const char *filename,
						     struct certdir_error *error)
{
	const int file = open(filename, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	enum certdir_changes_state state;

	memset(changes, 0, sizeof(*changes));
	if (file < 0 && (errno == ENOENT || errno == ENOTDIR))
		return CERTDIR_CHANGES_NONE;
	if (file < 0) {
		certdir_error_set(error,
				  "%s cannot be read: %s; it belongs to the list beside it, and has to be "
				  "readable as that is",
				  filename, strerror(errno));
		return CERTDIR_CHANGES_DAMAGED;
	}
	state = read_open(changes, file, filename, error);
	(void)close(file);
	if (state != CERTDIR_CHANGES_READ)
		certdir_list_changes_clear(changes);
	return state;
}
