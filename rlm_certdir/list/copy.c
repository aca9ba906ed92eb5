/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/copy.h"

#include "list/file.h"
#include "base/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct copy {
	const char *filename;
	int from;
	int to; /* -1: it is only verified */
	const char *name; /* of `to` */
	const struct certdir_list_seal *seal;
	unsigned char *buffer; /* of one chunk */
	unsigned char header[CERTDIR_LIST_HEADER];
};

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

static bool refuse_reading(const struct copy *copy, int code, struct certdir_error *error)
{
	struct certdir_error why;

	if (code)
		certdir_error_set(&why, "%s cannot be read: %s", copy->filename, strerror(code));
	else
		certdir_error_set(&why,
				  "%s changes while it is read: something writes into it instead of renaming over it",
				  copy->filename);
	return refuse_list(&why, error);
}

/* *holds: whether the chunk is what the seal is of. Nothing else of it is written. */
static bool copy_chunk(struct copy *copy, size_t chunk, bool *holds, struct certdir_error *error)
{
	const uint64_t at = (uint64_t)chunk * CERTDIR_SEAL_CHUNK, left = copy->seal->kept - at;
	const size_t size = left < CERTDIR_SEAL_CHUNK ? (size_t)left : CERTDIR_SEAL_CHUNK;

	if (certdir_file_read_at(copy->from, copy->buffer, size, at) != (ssize_t)size)
		return refuse_reading(copy, errno, error);
	if (chunk == 0)
		memcpy(copy->header, copy->buffer, size < sizeof(copy->header) ? size : sizeof(copy->header));
	*holds = certdir_list_seal_holds(copy->seal, chunk, copy->buffer, size);
	return !*holds || copy->to < 0 || certdir_file_write_at(copy->to, copy->buffer, size, at, copy->name, error);
}

static bool copy_image(struct copy *copy, struct certdir_error *error)
{
	struct certdir_error why;
	bool holds = true;

	for (size_t chunk = 0; holds && chunk < copy->seal->count; chunk++)
		if (!copy_chunk(copy, chunk, &holds, error))
			return false;
	return certdir_list_file_accept(copy->filename, holds ? CERTDIR_SEAL_TRUE : CERTDIR_SEAL_BROKEN, copy->header,
					(size_t)copy->seal->kept, &why) ||
	       refuse_list(&why, error);
}

bool certdir_list_copy(const char *filename, int to, const char *name, struct certdir_list_seal *seal,
		       struct certdir_error *error)
{
	struct copy copy = {.filename = filename, .to = to, .name = name, .seal = seal};
	struct certdir_error why;
	bool ok = false;
	size_t size;

	memset(seal, 0, sizeof(*seal));
	copy.from = certdir_list_file_open(filename, &size, &why);
	if (copy.from < 0)
		return refuse_list(&why, error);
	copy.buffer = malloc(CERTDIR_SEAL_CHUNK);
	if (!copy.buffer)
		certdir_error_set(error, "%s: out of memory", filename);
	else if (!certdir_list_file_seal(copy.from, filename, size, seal, copy.header, &why))
		refuse_list(&why, error);
	else
		ok = copy_image(&copy, error);
	free(copy.buffer);
	(void)close(copy.from);
	if (!ok)
		certdir_list_seal_clear(seal);
	return ok;
}
