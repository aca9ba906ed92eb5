/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/draft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "list/list.h"

/* A list of less is written whole each time, and is one file to copy: 2000 devices. */
enum { SMALL = 1 << 20 };
/* At most this part of a list is changes; so both are read in little more time than the list, and a whole one is rare. */
enum { PART = 4 };

void certdir_list_draft_init(struct certdir_list_draft *draft, int whole, const char *name)
{
	*draft = (struct certdir_list_draft){.input = {.file = -1},
					     .laid_file = -1,
					     .is_whole = true,
					     .whole = whole,
					     .name = name,
					     .why = {.text = ""}};
}

static void forget_list(struct certdir_list_draft *draft)
{
	certdir_list_input_close(&draft->input);
	certdir_list_changes_clear(&draft->laid);
	certdir_list_blocks_clear(&draft->fresh);
	if (draft->laid_file >= 0)
		(void)close(draft->laid_file);
	draft->laid_file = -1;
	free(draft->verified);
	draft->verified = NULL;
}

void certdir_list_draft_clear(struct certdir_list_draft *draft)
{
	forget_list(draft);
	certdir_list_draft_init(draft, -1, NULL);
}

/* ---- begin ---- */

/* Says why the list itself is at fault, and what to do about it. */
static bool refuse_list(const struct certdir_error *why, struct certdir_error *error)
{
	certdir_error_set(
		error,
		"%s. It is left as it is: move it away and run this again (`certdir list import --replace` needs no "
		"moving)",
		why->text);
	return false;
}

/*
 * Who only reads needs no right to write. A file with a second name, as backups of hard links have, is not appended to, nor is one that a
 * link leads to: root must not write into what others chose.
 */
static int open_changes(struct certdir_list_draft *draft, const char *name, enum certdir_changes_state *state,
			struct certdir_error *why)
{
	struct stat status;

	draft->laid_file = -1;
	if (draft->whole >= 0)
		draft->laid_file = certdir_list_changes_open(name, O_RDWR | O_NOFOLLOW, state, why);
	draft->extensible = draft->laid_file >= 0 && fstat(draft->laid_file, &status) == 0 && status.st_nlink == 1;
	if (draft->laid_file < 0)
		draft->laid_file = certdir_list_changes_open(name, O_RDONLY, state, why);
	return draft->laid_file;
}

/* Whether the list is signed as its next edition will be. Without a key nobody publishes over a signed one (edition.c). */
static bool is_signers(const struct certdir_list_draft *draft)
{
	const struct certdir_list_seal *seal = &draft->input.seal;

	return !draft->signer || (seal->is_signed && certdir_list_keys_hold(draft->signer, CERTDIR_SIGNED_LIST,
									    seal->root, seal->signature));
}

/* Changes of a list that was there before are in this one. */
static bool lay_changes(struct certdir_list_draft *draft, const char *changes, struct certdir_error *why)
{
	const struct certdir_list_seal *seal = &draft->input.seal;
	enum certdir_changes_state state;

	certdir_list_changes_begin(&draft->laid, seal->root, seal->size, seal->made);
	draft->laid.in_file = true;
	draft->laid.keys = is_signers(draft) ? draft->signer : NULL;
	state = certdir_list_changes_read(&draft->laid, draft->laid_file, UINT64_MAX, changes, why);
	if (state == CERTDIR_CHANGES_NONE)
		certdir_list_changes_clear(&draft->laid);
	return state != CERTDIR_CHANGES_DAMAGED;
}

/* The first chunk says what it is a list of; the others are verified when they are needed. */
static bool open_list(struct certdir_list_draft *draft, const char *filename, struct certdir_error *why)
{
	unsigned char first[CERTDIR_SEAL_CHUNK];
	char *changes = certdir_list_changes_name(filename);
	enum certdir_changes_state state;
	bool ok = false;

	if (!changes) {
		certdir_error_set(why, "%s: out of memory", filename);
		return false;
	}
	/* Before the list, which may be written whole meanwhile when this only looks. */
	if (open_changes(draft, changes, &state, why) >= 0 || state == CERTDIR_CHANGES_NONE)
		ok = certdir_list_input_open(&draft->input, filename, NULL, why) &&
		     (draft->input.seal.count == 0 || certdir_list_input_read(&draft->input, 0, first, why)) &&
		     certdir_list_input_accept(&draft->input, why) &&
		     (draft->laid_file < 0 || lay_changes(draft, changes, why));
	free(changes);
	return ok;
}

bool certdir_list_draft_open(struct certdir_list_draft *draft, const char *filename, struct certdir_error *error)
{
	struct certdir_error why;

	draft->is_whole = false;
	if (!open_list(draft, filename, &why))
		return refuse_list(&why, error);
	draft->kept = draft->size = draft->input.seal.size;
	draft->before = draft->input.seal.made;
	draft->verified = calloc(draft->input.seal.count + 1, sizeof(*draft->verified));
	if (draft->laid.batch_count) {
		draft->had_changes = true;
		draft->before = draft->laid.made;
		draft->size = (uint64_t)draft->laid.total * CERTDIR_LIST_BLOCK;
		draft->kept = (uint64_t)draft->laid.kept * CERTDIR_LIST_BLOCK;
	}
	if (!draft->verified ||
	    !certdir_list_blocks_resize(&draft->fresh, (uint32_t)(draft->size / CERTDIR_LIST_BLOCK))) {
		certdir_error_set(error, "%s: out of memory", filename);
		return false;
	}
	if (draft->whole < 0 ||
	    (is_signers(draft) && draft->size >= SMALL && draft->input.seal.size % CERTDIR_LIST_BLOCK == 0))
		return true;
	return certdir_list_draft_gather(draft, error);
}

/* ---- reading ---- */

static uint64_t size_of(void *context)
{
	return ((const struct certdir_list_draft *)context)->size;
}

/* Bytes of one block of the published list. */
static bool read_list(struct certdir_list_draft *draft, unsigned char *bytes, size_t amount, uint64_t from)
{
	const size_t chunk = (size_t)(from / CERTDIR_SEAL_CHUNK);
	unsigned char buffer[CERTDIR_SEAL_CHUNK];
	struct certdir_error why;

	if (draft->verified[chunk])
		return certdir_file_read_at(draft->input.file, bytes, amount, from) == (ssize_t)amount;
	if (!certdir_list_input_read(&draft->input, chunk, buffer, &why))
		return refuse_list(&why, &draft->why);
	draft->verified[chunk] = true;
	memcpy(bytes, buffer + from % CERTDIR_SEAL_CHUNK, amount);
	return true;
}

/* Bytes of one block that was changed and published. */
static bool read_laid(struct certdir_list_draft *draft, unsigned char *bytes, size_t amount, uint64_t from)
{
	unsigned char block[CERTDIR_LIST_BLOCK];

	if (!certdir_list_changes_copy(&draft->laid, draft->laid_file, from / CERTDIR_LIST_BLOCK, block)) {
		certdir_error_set(&draft->why,
				  "%s.changes is damaged, or cannot be read: copy it again, or move it away",
				  draft->input.filename);
		return false;
	}
	memcpy(bytes, block + from % CERTDIR_LIST_BLOCK, amount);
	return true;
}

static bool read_part(struct certdir_list_draft *draft, unsigned char *bytes, size_t amount, uint64_t from)
{
	const uint64_t number = from / CERTDIR_LIST_BLOCK;
	const unsigned char *block = certdir_list_blocks_find(&draft->fresh, number);

	if (block)
		memcpy(bytes, block + from % CERTDIR_LIST_BLOCK, amount);
	else if (certdir_list_changes_has(&draft->laid, number))
		return read_laid(draft, bytes, amount, from);
	else if (from < draft->kept)
		return read_list(draft, bytes, amount, from);
	else
		memset(bytes, 0, amount); /* cut off, grown again, and not written since */
	return true;
}

static bool read_bytes(void *context, unsigned char *bytes, size_t amount, uint64_t from)
{
	struct certdir_list_draft *draft = context;

	if (draft->is_whole)
		return certdir_file_read_at(draft->whole, bytes, amount, from) == (ssize_t)amount;
	while (amount > 0) {
		const size_t left = CERTDIR_LIST_BLOCK - from % CERTDIR_LIST_BLOCK,
			     part = amount < left ? amount : left;

		if (!read_part(draft, bytes, part, from))
			return false;
		bytes += part;
		from += part;
		amount -= part;
	}
	return true;
}

/* ---- writing ---- */

/* What was not cut off of the published list, each chunk as its seal says. */
static bool copy_list(struct certdir_list_draft *draft, struct certdir_error *error)
{
	unsigned char buffer[CERTDIR_SEAL_CHUNK];
	struct certdir_error why;

	for (size_t chunk = 0; (uint64_t)chunk * CERTDIR_SEAL_CHUNK < draft->kept; chunk++) {
		const uint64_t at = (uint64_t)chunk * CERTDIR_SEAL_CHUNK, left = draft->kept - at;
		const size_t size = certdir_list_input_chunk(&draft->input, chunk);

		if (!certdir_list_input_read(&draft->input, chunk, buffer, &why))
			return refuse_list(&why, error);
		if (!certdir_file_write_at(draft->whole, buffer, left < size ? (size_t)left : size, at, draft->name,
					   error))
			return false;
	}
	return true;
}

/* Each where it belongs. */
static bool copy_changes(struct certdir_list_draft *draft, struct certdir_error *error)
{
	unsigned char bytes[CERTDIR_LIST_BLOCK];

	for (uint32_t number = 0; number < draft->fresh.total; number++) {
		const uint64_t at = (uint64_t)number * CERTDIR_LIST_BLOCK;

		if (!certdir_list_blocks_find(&draft->fresh, number) && !certdir_list_changes_has(&draft->laid, number))
			continue;
		if (!read_part(draft, bytes, sizeof(bytes), at)) {
			*error = draft->why;
			return false;
		}
		if (!certdir_file_write_at(draft->whole, bytes, sizeof(bytes), at, draft->name, error))
			return false;
	}
	return true;
}

bool certdir_list_draft_gather(struct certdir_list_draft *draft, struct certdir_error *error)
{
	if (draft->is_whole)
		return true;
	if (!copy_list(draft, error) || !copy_changes(draft, error))
		return false;
	if (ftruncate(draft->whole, (off_t)draft->size) != 0) {
		certdir_error_set(error, "%s cannot be written: %s", draft->name, strerror(errno));
		return false;
	}
	forget_list(draft);
	draft->is_whole = true;
	return true;
}

/* Blocks that this edition may change before all of it is written. */
static uint64_t most(const struct certdir_list_draft *draft)
{
	const uint64_t part = draft->input.seal.size / PART / CERTDIR_LIST_BLOCK,
		       all = part < CERTDIR_LIST_CHANGES_MAX ? part : CERTDIR_LIST_CHANGES_MAX;

	return draft->laid.count < all ? all - draft->laid.count : 0;
}

static bool is_whole_blocks(uint64_t from, uint64_t amount)
{
	return from % CERTDIR_LIST_BLOCK == 0 && amount % CERTDIR_LIST_BLOCK == 0;
}

static bool change_blocks(struct certdir_list_draft *draft, const unsigned char *bytes, size_t amount, uint64_t from)
{
	for (size_t at = 0; at < amount; at += CERTDIR_LIST_BLOCK) {
		unsigned char *block =
			certdir_list_blocks_put(&draft->fresh, (uint32_t)((from + at) / CERTDIR_LIST_BLOCK));

		if (!block) {
			certdir_error_set(&draft->why, "%s cannot be written: out of memory", draft->name);
			return false;
		}
		memcpy(block, bytes + at, CERTDIR_LIST_BLOCK);
	}
	draft->size = (uint64_t)draft->fresh.total * CERTDIR_LIST_BLOCK;
	return true;
}

static bool write_bytes(void *context, const unsigned char *bytes, size_t amount, uint64_t from)
{
	struct certdir_list_draft *draft = context;

	if (!draft->is_whole && is_whole_blocks(from, amount) && from + amount <= CERTDIR_LIST_FILE_MAX &&
	    draft->fresh.count + amount / CERTDIR_LIST_BLOCK <= most(draft))
		return change_blocks(draft, bytes, amount, from);
	if (!certdir_list_draft_gather(draft, &draft->why) ||
	    !certdir_file_write_at(draft->whole, bytes, amount, from, draft->name, &draft->why))
		return false;
	draft->size = from + amount > draft->size ? from + amount : draft->size;
	return true;
}

static bool cut(void *context, uint64_t size)
{
	struct certdir_list_draft *draft = context;

	if (size >= draft->size)
		return true;
	if (!is_whole_blocks(0, size) && !certdir_list_draft_gather(draft, &draft->why))
		return false;
	if (draft->is_whole && ftruncate(draft->whole, (off_t)size) != 0) {
		certdir_error_set(&draft->why, "%s cannot be written: %s", draft->name, strerror(errno));
		return false;
	}
	if (!draft->is_whole) {
		(void)certdir_list_blocks_resize(&draft->fresh, (uint32_t)(size / CERTDIR_LIST_BLOCK));
		if (draft->laid.total > size / CERTDIR_LIST_BLOCK)
			(void)certdir_list_changes_resize(&draft->laid, (uint32_t)(size / CERTDIR_LIST_BLOCK));
	}
	draft->kept = size < draft->kept ? size : draft->kept;
	draft->size = size;
	return true;
}

const struct certdir_list_pages certdir_list_draft_pages = {
	.size = size_of, .read = read_bytes, .write = write_bytes, .cut = cut};

/* ---- end ---- */

/* A block that is neither the list's any more nor was written: a free page, which SQLite need not write. */
static bool is_hole(const struct certdir_list_draft *draft, uint64_t number)
{
	return !certdir_list_blocks_find(&draft->fresh, number) && !certdir_list_changes_has(&draft->laid, number);
}

static uint64_t count_holes(const struct certdir_list_draft *draft)
{
	uint64_t count = 0;

	for (uint64_t number = draft->kept / CERTDIR_LIST_BLOCK; number < draft->fresh.total; number++)
		count += is_hole(draft, number);
	return count;
}

bool certdir_list_draft_is_small(const struct certdir_list_draft *draft)
{
	return !draft->is_whole && (draft->laid.batch_count == 0 || draft->extensible) &&
	       draft->fresh.count + count_holes(draft) <= most(draft);
}

bool certdir_list_draft_write(struct certdir_list_draft *draft, int64_t made, int file, struct certdir_error *error)
{
	for (uint64_t number = draft->kept / CERTDIR_LIST_BLOCK; number < draft->fresh.total; number++)
		if (is_hole(draft, number) && !certdir_list_blocks_put(&draft->fresh, (uint32_t)number)) {
			certdir_error_set(error, "%s cannot be written: out of memory", draft->name);
			return false;
		}
	if (!draft->laid.batch_count)
		certdir_list_changes_begin(&draft->laid, draft->input.seal.root, draft->input.seal.size,
					   draft->input.seal.made);
	draft->laid.keys = draft->signer;
	return certdir_list_changes_append(&draft->laid, &draft->fresh, made, file, draft->name, error);
}
