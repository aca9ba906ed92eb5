/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/draft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "list/list.h"

/* A list of less is written whole each time, in some milliseconds: 8000 devices. */
enum { SMALL = 4 << 20 };
/* At most this part of a list is changes. */
enum { PART = 8 };

void certdir_list_draft_init(struct certdir_list_draft *draft, int whole, const char *name)
{
	*draft = (struct certdir_list_draft){
		.input = {.file = -1}, .is_whole = true, .whole = whole, .name = name, .why = {.text = ""}};
}

static void forget_list(struct certdir_list_draft *draft)
{
	certdir_list_input_close(&draft->input);
	certdir_list_changes_clear(&draft->changes);
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

/* Changes of a list that was there before are in this one. */
static bool lay_changes(struct certdir_list_draft *draft, const char *changes, struct certdir_error *why)
{
	const struct certdir_list_seal *seal = &draft->input.seal;

	switch (certdir_list_changes_read(&draft->changes, changes, why)) {
	case CERTDIR_CHANGES_DAMAGED:
		return false;
	case CERTDIR_CHANGES_NONE:
		return true;
	case CERTDIR_CHANGES_READ:
		break;
	}
	if (memcmp(draft->changes.base, seal->root, sizeof(seal->root)) == 0) {
		draft->laid = certdir_list_changes_fit(&draft->changes, seal->size);
		if (!draft->laid)
			certdir_error_set(why, "%s does not fit %s", changes, draft->input.filename);
		return draft->laid;
	}
	if (draft->changes.made > seal->made) {
		certdir_error_set(why, "%s has changes of another list than %s, and is newer", changes,
				  draft->input.filename);
		return false;
	}
	certdir_list_changes_clear(&draft->changes);
	return true;
}

/* The first chunk says what it is a list of; the others are verified when they are needed. */
static bool open_list(struct certdir_list_draft *draft, const char *filename, struct certdir_error *why)
{
	unsigned char first[CERTDIR_SEAL_CHUNK];
	char *changes = certdir_list_changes_name(filename);
	bool ok = false;

	if (!changes)
		certdir_error_set(why, "%s: out of memory", filename);
	else
		ok = certdir_list_input_open(&draft->input, filename, why) &&
		     (draft->input.seal.count == 0 || certdir_list_input_read(&draft->input, 0, first, why)) &&
		     certdir_list_input_accept(&draft->input, why) && lay_changes(draft, changes, why);
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
	draft->before = draft->laid ? draft->changes.made : draft->input.seal.made;
	draft->verified = calloc(draft->input.seal.count + 1, sizeof(*draft->verified));
	if (draft->laid) {
		draft->size = (uint64_t)draft->changes.total * CERTDIR_LIST_BLOCK;
		draft->kept = draft->size < draft->kept ? draft->size : draft->kept;
	}
	if (!draft->verified ||
	    !certdir_list_changes_resize(&draft->changes, (uint32_t)(draft->size / CERTDIR_LIST_BLOCK))) {
		certdir_error_set(error, "%s: out of memory", filename);
		return false;
	}
	if (draft->whole < 0 || (draft->size >= SMALL && draft->input.seal.size % CERTDIR_LIST_BLOCK == 0))
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

static bool read_part(struct certdir_list_draft *draft, unsigned char *bytes, size_t amount, uint64_t from)
{
	const unsigned char *block = certdir_list_changes_find(&draft->changes, from / CERTDIR_LIST_BLOCK);

	if (!block && from < draft->kept)
		return read_list(draft, bytes, amount, from);
	if (block)
		memcpy(bytes, block + from % CERTDIR_LIST_BLOCK, amount);
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

bool certdir_list_draft_gather(struct certdir_list_draft *draft, struct certdir_error *error)
{
	const struct certdir_list_changes *changes = &draft->changes;

	if (draft->is_whole)
		return true;
	if (!copy_list(draft, error))
		return false;
	for (uint32_t i = 0; i < changes->count; i++)
		if (!certdir_file_write_at(draft->whole, changes->blocks + (size_t)i * CERTDIR_LIST_BLOCK,
					   CERTDIR_LIST_BLOCK, (uint64_t)changes->numbers[i] * CERTDIR_LIST_BLOCK,
					   draft->name, error))
			return false;
	if (ftruncate(draft->whole, (off_t)draft->size) != 0) {
		certdir_error_set(error, "%s cannot be written: %s", draft->name, strerror(errno));
		return false;
	}
	forget_list(draft);
	draft->is_whole = true;
	return true;
}

/* Blocks that are changed at most before all of it is written. */
static uint64_t most(const struct certdir_list_draft *draft)
{
	const uint64_t part = draft->input.seal.size / PART / CERTDIR_LIST_BLOCK;

	return part < CERTDIR_LIST_CHANGES_MAX ? part : CERTDIR_LIST_CHANGES_MAX;
}

static bool is_whole_blocks(uint64_t from, uint64_t amount)
{
	return from % CERTDIR_LIST_BLOCK == 0 && amount % CERTDIR_LIST_BLOCK == 0;
}

static bool change_blocks(struct certdir_list_draft *draft, const unsigned char *bytes, size_t amount, uint64_t from)
{
	for (size_t at = 0; at < amount; at += CERTDIR_LIST_BLOCK) {
		unsigned char *block =
			certdir_list_changes_put(&draft->changes, (uint32_t)((from + at) / CERTDIR_LIST_BLOCK));

		if (!block) {
			certdir_error_set(&draft->why, "%s cannot be written: out of memory", draft->name);
			return false;
		}
		memcpy(block, bytes + at, CERTDIR_LIST_BLOCK);
	}
	draft->size = (uint64_t)draft->changes.total * CERTDIR_LIST_BLOCK;
	return true;
}

static bool write_bytes(void *context, const unsigned char *bytes, size_t amount, uint64_t from)
{
	struct certdir_list_draft *draft = context;

	if (!draft->is_whole && is_whole_blocks(from, amount) && from + amount <= CERTDIR_LIST_FILE_MAX &&
	    draft->changes.count + amount / CERTDIR_LIST_BLOCK <= most(draft))
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
	if (!draft->is_whole)
		(void)certdir_list_changes_resize(&draft->changes, (uint32_t)(size / CERTDIR_LIST_BLOCK));
	draft->kept = size < draft->kept ? size : draft->kept;
	draft->size = size;
	return true;
}

const struct certdir_list_pages certdir_list_draft_pages = {
	.size = size_of, .read = read_bytes, .write = write_bytes, .cut = cut};

/* ---- end ---- */

/* Blocks that are neither the list's any more nor were written: free pages, which SQLite need not write. */
static uint64_t count_holes(const struct certdir_list_draft *draft)
{
	uint64_t count = 0;

	for (uint64_t number = draft->kept / CERTDIR_LIST_BLOCK; number < draft->changes.total; number++)
		count += certdir_list_changes_find(&draft->changes, number) == NULL;
	return count;
}

/*
 * Changes are written again with each edition, so what they cost grows with their number squared. When as much was written as the list
 * itself is, that is written: then neither way costs more than twice what the other would have.
 */
bool certdir_list_draft_is_small(const struct certdir_list_draft *draft)
{
	return !draft->is_whole && draft->changes.count + count_holes(draft) <= most(draft) &&
	       draft->changes.spent + certdir_list_changes_size(&draft->changes) <= draft->input.seal.size;
}

bool certdir_list_draft_write(struct certdir_list_draft *draft, int64_t made, struct certdir_error *error)
{
	struct certdir_list_changes *changes = &draft->changes;

	for (uint64_t number = draft->kept / CERTDIR_LIST_BLOCK; number < changes->total; number++)
		if (!certdir_list_changes_put(changes, (uint32_t)number)) {
			certdir_error_set(error, "%s cannot be written: out of memory", draft->name);
			return false;
		}
	memcpy(changes->base, draft->input.seal.root, sizeof(changes->base));
	changes->made = made;
	changes->spent += certdir_list_changes_size(changes);
	return certdir_list_changes_write(changes, draft->whole, draft->name, error);
}
