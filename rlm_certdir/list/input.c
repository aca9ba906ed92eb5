/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/input.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

void certdir_list_input_close(struct certdir_list_input *input)
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

static bool is_signed(const struct certdir_list_input *input, const struct certdir_list_keys *keys,
		      struct certdir_error *error)
{
	const struct certdir_list_seal *seal = &input->seal;

	if (!keys ||
	    (seal->is_signed && certdir_list_keys_hold(keys, CERTDIR_SIGNED_LIST, seal->root, seal->signature)))
		return true;
	certdir_error_set(error,
			  "%s is %s; do: sign it where it is written, by [list] signing_key_file in certdir.conf or "
			  "--signing-key, "
			  "or copy it from there",
			  input->filename,
			  seal->is_signed ? "signed with a key that is none of public_key" : "not signed");
	return false;
}

bool certdir_list_input_open(struct certdir_list_input *input, const char *filename,
			     const struct certdir_list_keys *keys, struct certdir_error *error)
{
	size_t size;

	memset(input, 0, sizeof(*input));
	input->filename = filename;
	input->file = certdir_list_file_open(filename, &size, error);
	if (input->file < 0) {
		input->damaged = is_empty(filename);
		return false;
	}
	input->damaged = !certdir_list_file_seal(input->file, filename, size, &input->seal, input->header, error) ||
			 !is_signed(input, keys, error);
	if (!input->damaged)
		return true;
	certdir_list_input_close(input);
	return false;
}

size_t certdir_list_input_chunk(const struct certdir_list_input *input, size_t chunk)
{
	const uint64_t left = input->seal.size - (uint64_t)chunk * CERTDIR_SEAL_CHUNK;

	return left < CERTDIR_SEAL_CHUNK ? (size_t)left : CERTDIR_SEAL_CHUNK;
}

bool certdir_list_input_read(struct certdir_list_input *input, size_t chunk, unsigned char *bytes,
			     struct certdir_error *error)
{
	const size_t size = certdir_list_input_chunk(input, chunk);
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

bool certdir_list_input_accept(const struct certdir_list_input *input, struct certdir_error *error)
{
	return certdir_list_file_accept(input->filename, CERTDIR_SEAL_TRUE, input->header, (size_t)input->seal.size,
					error);
}
