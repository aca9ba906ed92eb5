/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "list/file.h"

/* A list's file that is open, with the seal that stands in it. */
struct input {
	const char *filename;
	int file;
	struct certdir_list_seal seal; /* seal.kept: the size of the image */
	unsigned char header[CERTDIR_LIST_HEADER]; /* its first bytes */
	bool damaged; /* it can be read, and is not what a publisher wrote */
};

static void close_input(struct input *input)
{
	if (input->file >= 0)
		(void)close(input->file);
	input->file = -1;
	certdir_list_seal_clear(&input->seal);
}

static bool is_empty(const char *filename)
{
	struct stat status;

	return stat(filename, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0;
}

/* Before anything else of it is read or allocated, the file has to be a list that has the size it has. */
static bool open_input(struct input *input, const char *filename, struct certdir_error *error)
{
	size_t size;

	memset(input, 0, sizeof(*input));
	input->filename = filename;
	input->file = certdir_list_file_open(filename, &size, error);
	if (input->file < 0) {
		input->damaged = is_empty(filename);
		return false;
	}
	input->damaged = !certdir_list_file_seal(input->file, filename, size, &input->seal, input->header, error);
	if (!input->damaged)
		return true;
	close_input(input);
	return false;
}

static size_t chunk_size(const struct input *input, size_t chunk)
{
	const uint64_t left = input->seal.kept - (uint64_t)chunk * CERTDIR_SEAL_CHUNK;

	return left < CERTDIR_SEAL_CHUNK ? (size_t)left : CERTDIR_SEAL_CHUNK;
}

static bool read_chunk(struct input *input, size_t chunk, unsigned char *bytes, struct certdir_error *error)
{
	const size_t size = chunk_size(input, chunk);
	const ssize_t got = certdir_file_read_at(input->file, bytes, size, (uint64_t)chunk * CERTDIR_SEAL_CHUNK);

	input->damaged = true;
	if (got < 0)
		certdir_error_set(error, "%s cannot be read: %s", input->filename, strerror(errno));
	else if ((size_t)got < size)
		certdir_error_set(error,
				  "%s changes while it is read: something writes into it instead of renaming over it",
				  input->filename);
	else if (!certdir_list_seal_holds(&input->seal, chunk, bytes, size))
		(void)certdir_list_file_accept(input->filename, CERTDIR_SEAL_BROKEN, bytes, size, error);
	else
		input->damaged = false;
	if (chunk == 0)
		memcpy(input->header, bytes, size < sizeof(input->header) ? size : sizeof(input->header));
	return !input->damaged;
}

/* What is sealed truly may be another program's, or a list of another version. */
static bool accept(const struct input *input, struct certdir_error *error)
{
	return certdir_list_file_accept(input->filename, CERTDIR_SEAL_TRUE, input->header, (size_t)input->seal.kept,
					error);
}

/* All chunks, each to its place. False with `error`, or when one is not as its seal says. */
static bool read_all(struct input *input, unsigned char *bytes, struct certdir_error *error)
{
	for (size_t chunk = 0; chunk < input->seal.count; chunk++)
		if (!read_chunk(input, chunk, bytes + chunk * CERTDIR_SEAL_CHUNK, error))
			return false;
	return accept(input, error);
}

bool certdir_list_image_load(struct certdir_list_image *image, const char *filename, bool *damaged,
			     struct certdir_error *error)
{
	struct input input;
	bool ok = false;

	memset(image, 0, sizeof(*image));
	if (open_input(&input, filename, error)) {
		image->size = (size_t)input.seal.kept;
		image->bytes = malloc(image->size + 1); /* an empty one's are not NULL */
		image->filename = strdup(filename);
		if (image->bytes && image->filename)
			ok = read_all(&input, image->bytes, error);
		else
			certdir_error_set(error, "%s: no memory for its %zu bytes", filename, image->size);
	}
	*damaged = input.damaged;
	close_input(&input);
	if (!ok)
		certdir_list_image_clear(image);
	return ok;
}

void certdir_list_image_clear(struct certdir_list_image *image)
{
	free(image->filename);
	free(image->bytes);
	memset(image, 0, sizeof(*image));
}

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

/* *why: of the list; `error` is of what is written. */
static bool copy_chunks(struct input *input, int to, const char *name, unsigned char *buffer, struct certdir_error *why,
			struct certdir_error *error)
{
	for (size_t chunk = 0; chunk < input->seal.count; chunk++) {
		if (!read_chunk(input, chunk, buffer, why))
			return refuse_list(why, error);
		if (to >= 0 && !certdir_file_write_at(to, buffer, chunk_size(input, chunk),
						      (uint64_t)chunk * CERTDIR_SEAL_CHUNK, name, error))
			return false;
	}
	return accept(input, why) || refuse_list(why, error);
}

bool certdir_list_image_copy(const char *filename, int to, const char *name, struct certdir_list_seal *seal,
			     struct certdir_error *error)
{
	unsigned char *buffer;
	struct certdir_error why;
	struct input input;
	bool ok = false;

	memset(seal, 0, sizeof(*seal));
	if (!open_input(&input, filename, &why))
		return refuse_list(&why, error);
	buffer = malloc(CERTDIR_SEAL_CHUNK);
	if (!buffer)
		certdir_error_set(error, "%s: out of memory", filename);
	else
		ok = copy_chunks(&input, to, name, buffer, &why, error);
	free(buffer);
	if (ok) {
		*seal = input.seal;
		memset(&input.seal, 0, sizeof(input.seal));
	}
	close_input(&input);
	return ok;
}

bool certdir_list_image_check(const char *filename, struct certdir_error *error)
{
	struct certdir_error why;
	struct input input;
	bool ok;

	if (!open_input(&input, filename, &why))
		return refuse_list(&why, error);
	ok = accept(&input, &why) || refuse_list(&why, error);
	close_input(&input);
	return ok;
}
