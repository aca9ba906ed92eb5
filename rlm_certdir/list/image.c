/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/image.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "list/input.h"

/* ---- the list itself ---- */

static void release(struct certdir_list_base *base)
{
	if (!base || atomic_fetch_sub_explicit(&base->references, 1, memory_order_acq_rel) != 1)
		return;
	free(base->bytes);
	free(base);
}

/* All chunks, each to its place. False with `error`, or when one is not as its seal says. */
static bool read_all(struct certdir_list_input *input, unsigned char *bytes, struct certdir_error *error)
{
	for (size_t chunk = 0; chunk < input->seal.count; chunk++)
		if (!certdir_list_input_read(input, chunk, bytes + chunk * CERTDIR_SEAL_CHUNK, error))
			return false;
	return certdir_list_input_accept(input, error);
}

static struct certdir_list_base *read_base(struct certdir_list_input *input, struct certdir_error *error)
{
	struct certdir_list_base *base = calloc(1, sizeof(*base));

	if (base) {
		atomic_init(&base->references, 1);
		base->size = (size_t)input->seal.size;
		base->made = input->seal.made;
		memcpy(base->root, input->seal.root, sizeof(base->root));
		base->bytes = malloc(base->size + 1); /* an empty one's are not NULL */
		(void)fstat(input->file, &base->file);
	}
	if (!base || !base->bytes)
		certdir_error_set(error, "%s: no memory for its %llu bytes", input->filename,
				  (unsigned long long)input->seal.size);
	else if (read_all(input, base->bytes, error))
		return base;
	release(base);
	return NULL;
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       is_same_time(&a->st_mtim, &b->st_mtim) && is_same_time(&a->st_ctim, &b->st_ctim);
}

/* The present one's, when nobody has touched its file since; else NULL: what was done to it, is for reading it to tell. */
static struct certdir_list_base *share_base(const struct certdir_list_image *present, const char *filename)
{
	struct stat now;

	if (!present || stat(filename, &now) != 0 || !is_same_file(&present->base->file, &now))
		return NULL;
	atomic_fetch_add_explicit(&present->base->references, 1, memory_order_relaxed);
	return present->base;
}

static struct certdir_list_base *load_base(const char *filename, const struct certdir_list_keys *keys,
					   const struct certdir_list_image *present, bool *damaged,
					   struct certdir_error *error)
{
	struct certdir_list_base *base = share_base(present, filename);
	struct certdir_list_input input;

	*damaged = false;
	if (base)
		return base;
	if (certdir_list_input_open(&input, filename, keys, error))
		base = read_base(&input, error);
	*damaged = input.damaged;
	certdir_list_input_close(&input);
	return base;
}

/* ---- its changes ---- */

/* What is in use goes on where the file has more; else it is read from its beginning. */
static enum certdir_changes_state read_changes(struct certdir_list_image *image, int file,
					       const struct certdir_list_image *present, uint64_t limit,
					       const struct certdir_list_changes_from *from,
					       struct certdir_error *error)
{
	const struct certdir_list_base *base = image->base;

	if (present && present->base == base && present->changes.batch_count &&
	    certdir_list_changes_share(&image->changes, &present->changes)) {
		if (certdir_list_changes_read(&image->changes, file, limit, from->filename, error) ==
		    CERTDIR_CHANGES_READ)
			return CERTDIR_CHANGES_READ;
		certdir_list_changes_clear(&image->changes);
	}
	certdir_list_changes_begin(&image->changes, base->root, base->size, base->made);
	image->changes.keys = from->keys;
	return certdir_list_changes_read(&image->changes, file, limit, from->filename, error);
}

/* Lays the changes in `file` over the base, or finds that they are none of this list. */
static bool lay(struct certdir_list_image *image, int file, const struct certdir_list_image *present,
		const struct certdir_list_changes_from *from, struct certdir_error *error)
{
	enum certdir_changes_state state = read_changes(image, file, present, UINT64_MAX, from, error);

	if (state == CERTDIR_CHANGES_DAMAGED && from->sound_part) {
		const uint64_t sound = image->changes.size;

		certdir_list_changes_clear(&image->changes);
		if (sound)
			state = read_changes(image, file, NULL, sound, from, error);
	}
	if (state == CERTDIR_CHANGES_READ) {
		image->size = (size_t)image->changes.total * CERTDIR_LIST_BLOCK;
		image->made = image->changes.made;
		if (certdir_list_file_accept(image->filename, CERTDIR_SEAL_TRUE,
					     certdir_list_image_pages.fetch(image, CERTDIR_LIST_HEADER, 0), image->size,
					     error))
			return true;
	}
	certdir_list_changes_clear(&image->changes);
	image->size = image->base->size;
	image->made = image->base->made;
	return state == CERTDIR_CHANGES_NONE || from->sound_part;
}

/* In a server that has the changes, they cannot vanish: nobody takes them away but who puts a newer list there. */
static bool is_older(const struct certdir_list_image *image, const struct certdir_list_image *present,
		     const struct certdir_list_changes_from *from, struct certdir_error *error)
{
	if (!present || image->made >= present->made)
		return false;
	if (memcmp(image->base->root, present->base->root, sizeof(image->base->root)) == 0)
		certdir_error_set(
			error, "%s is missing, or older than what is in use: copy it again (a restart does without it)",
			from->filename);
	else if (from->keys)
		certdir_error_set(
			error,
			"%s is signed, and older than what is in use: copy it again, or restart the server if it is "
			"meant to go back",
			image->filename);
	else
		return false;
	return true;
}

bool certdir_list_image_load(struct certdir_list_image *image, const char *filename,
			     const struct certdir_list_changes_from *from, const struct certdir_list_image *present,
			     enum certdir_image_damage *damage, struct certdir_error *error)
{
	/* Opened before the list: one that is written whole in between has them in it, and only one that was there already needs them. */
	enum certdir_changes_state state;
	struct certdir_error why;
	const int file = certdir_list_changes_open(from->filename, O_RDONLY, &state, &why);
	bool damaged, ok = false;

	memset(image, 0, sizeof(*image));
	image->filename = strdup(filename);
	image->base = load_base(filename, from->keys, present, &damaged, error);
	*damage = damaged ? CERTDIR_LIST_DAMAGED : CERTDIR_IMAGE_SOUND;
	if (image->base && image->filename) {
		image->size = image->base->size;
		image->made = image->base->made;
		if (state == CERTDIR_CHANGES_DAMAGED)
			*error = why;
		ok = file >= 0 ? lay(image, file, present, from, error)
			       : state == CERTDIR_CHANGES_NONE || from->sound_part;
		ok = ok && !is_older(image, present, from, error);
		*damage = ok ? CERTDIR_IMAGE_SOUND : CERTDIR_CHANGES_UNFIT;
		if (image->changes.batch_count)
			image->files = certdir_print("%s with %s%s", filename,
						     from->sound_part ? "the sound part of " : "", from->filename);
	}
	if (file >= 0)
		(void)close(file);
	if (!ok)
		certdir_list_image_clear(image);
	return ok;
}

void certdir_list_image_clear(struct certdir_list_image *image)
{
	free(image->filename);
	free(image->files);
	release(image->base);
	certdir_list_changes_clear(&image->changes);
	memset(image, 0, sizeof(*image));
}

/* ---- for SQLite ---- */

static uint64_t size_of(void *context)
{
	return ((const struct certdir_list_image *)context)->size;
}

/* Bytes of one block, which stand in a row. */
static const unsigned char *find(const struct certdir_list_image *image, uint64_t from)
{
	const unsigned char *block = certdir_list_changes_find(&image->changes, from / CERTDIR_LIST_BLOCK);

	return block ? block + from % CERTDIR_LIST_BLOCK : image->base->bytes + from;
}

static const unsigned char *fetch(void *context, size_t amount, uint64_t from)
{
	const struct certdir_list_image *image = context;

	if (from > image->size || amount > image->size - from ||
	    amount > CERTDIR_LIST_BLOCK - from % CERTDIR_LIST_BLOCK)
		return NULL;
	return find(image, from);
}

static bool read_bytes(void *context, unsigned char *bytes, size_t amount, uint64_t from)
{
	while (amount > 0) {
		const size_t left = CERTDIR_LIST_BLOCK - from % CERTDIR_LIST_BLOCK,
			     part = amount < left ? amount : left;

		memcpy(bytes, find(context, from), part);
		bytes += part;
		from += part;
		amount -= part;
	}
	return true;
}

const struct certdir_list_pages certdir_list_image_pages = {.size = size_of, .read = read_bytes, .fetch = fetch};
