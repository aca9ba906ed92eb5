/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/seal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/evp.h>

#include "base/file.h"
#include "text/hex.h"

static const unsigned char magic[8] = {'c', 'e', 'r', 't', 'd', 'i', 'r', 2};

enum { SIZE_AT = 8, ROOT_AT = 16 };

static uint64_t chunks_of(uint64_t size)
{
	return size / CERTDIR_SEAL_CHUNK + (size % CERTDIR_SEAL_CHUNK != 0);
}

static size_t smaller(uint64_t a, uint64_t b)
{
	return (size_t)(a < b ? a : b);
}

static bool digest(const unsigned char *bytes, size_t size, unsigned char out[CERTDIR_SEAL_DIGEST])
{
	return EVP_Digest(bytes, size, out, NULL, EVP_sha256(), NULL) == 1;
}

bool certdir_list_seal_digest(const char *bytes, size_t size, char hex[2 * CERTDIR_SEAL_DIGEST + 1])
{
	unsigned char digest[CERTDIR_SEAL_DIGEST];

	if (EVP_Digest(bytes, size, digest, NULL, EVP_sha256(), NULL) != 1)
		return false;
	certdir_hex_print(digest, sizeof(digest), hex);
	return true;
}

/* What the footer ends with: it binds the digests to each other, to their order, and to the size. */
static bool root(const unsigned char *footer, const unsigned char *digests, size_t size,
		 unsigned char out[CERTDIR_SEAL_DIGEST])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool ok = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
		  EVP_DigestUpdate(context, footer, ROOT_AT) == 1 && EVP_DigestUpdate(context, digests, size) == 1 &&
		  EVP_DigestFinal_ex(context, out, NULL) == 1;

	EVP_MD_CTX_free(context);
	return ok;
}

/* The image's size as the footer at the end of a file of `size` bytes has it. */
static enum certdir_seal_state read_footer(const unsigned char *footer, uint64_t size, uint64_t *image)
{
	*image = 0;
	if (memcmp(footer, magic, sizeof(magic)) != 0)
		return CERTDIR_SEAL_ABSENT;
	for (int i = 7; i >= 0; i--)
		*image = *image << 8 | footer[SIZE_AT + i];
	if (*image > size || *image + chunks_of(*image) * CERTDIR_SEAL_DIGEST + CERTDIR_SEAL_FOOTER != size)
		return CERTDIR_SEAL_BROKEN;
	return CERTDIR_SEAL_TRUE;
}

static bool is_root(const unsigned char *footer, const unsigned char *digests, size_t size)
{
	unsigned char is[CERTDIR_SEAL_DIGEST];

	return root(footer, digests, size, is) && memcmp(is, footer + ROOT_AT, sizeof(is)) == 0;
}

enum certdir_seal_state certdir_list_seal_check(const unsigned char *file, size_t size, size_t *image)
{
	struct certdir_list_seal seal = {0};
	const unsigned char *footer;
	enum certdir_seal_state state;
	uint64_t sealed;

	*image = 0;
	if (size < CERTDIR_SEAL_FOOTER)
		return CERTDIR_SEAL_ABSENT;
	footer = file + size - CERTDIR_SEAL_FOOTER;
	state = read_footer(footer, size, &sealed);
	if (state != CERTDIR_SEAL_TRUE)
		return state;
	seal.count = (size_t)chunks_of(sealed);
	seal.digests = (unsigned char *)file + sealed;
	if (!is_root(footer, seal.digests, seal.count * CERTDIR_SEAL_DIGEST))
		return CERTDIR_SEAL_BROKEN;
	for (size_t i = 0; i < seal.count; i++) {
		size_t at = i * CERTDIR_SEAL_CHUNK;

		if (!certdir_list_seal_holds(&seal, i, file + at, smaller(CERTDIR_SEAL_CHUNK, sealed - at)))
			return CERTDIR_SEAL_BROKEN;
	}
	*image = (size_t)sealed;
	return CERTDIR_SEAL_TRUE;
}

void certdir_list_seal_clear(struct certdir_list_seal *seal)
{
	free(seal->digests);
	free(seal->changed);
	memset(seal, 0, sizeof(*seal));
}

static bool allocate(struct certdir_list_seal *seal, uint64_t size)
{
	memset(seal, 0, sizeof(*seal));
	seal->kept = size;
	seal->count = (size_t)chunks_of(size);
	seal->digests = calloc(seal->count + 1, CERTDIR_SEAL_DIGEST); /* + 1: an empty image's are not NULL */
	seal->changed = calloc(seal->count + 1, sizeof(*seal->changed));
	if (seal->digests && seal->changed)
		return true;
	certdir_list_seal_clear(seal);
	return false;
}

enum certdir_seal_state certdir_list_seal_read(struct certdir_list_seal *seal, int fd, uint64_t size,
					       struct certdir_error *error)
{
	unsigned char footer[CERTDIR_SEAL_FOOTER];
	enum certdir_seal_state state;
	uint64_t image;
	size_t digests;

	memset(seal, 0, sizeof(*seal));
	error->text[0] = '\0';
	if (size < sizeof(footer))
		return CERTDIR_SEAL_ABSENT;
	if (certdir_file_read_at(fd, footer, sizeof(footer), size - sizeof(footer)) != sizeof(footer))
		goto unreadable;
	state = read_footer(footer, size, &image);
	if (state != CERTDIR_SEAL_TRUE)
		return state;
	errno = ENOMEM;
	digests = (size_t)chunks_of(image) * CERTDIR_SEAL_DIGEST;
	if (!allocate(seal, image) || certdir_file_read_at(fd, seal->digests, digests, image) != (ssize_t)digests)
		goto unreadable;
	if (is_root(footer, seal->digests, digests))
		return CERTDIR_SEAL_TRUE;
	certdir_list_seal_clear(seal);
	return CERTDIR_SEAL_BROKEN;
unreadable:
	if (errno != 0)
		certdir_error_set(error, "its seal cannot be read: %s", strerror(errno));
	certdir_list_seal_clear(seal);
	return CERTDIR_SEAL_BROKEN;
}

bool certdir_list_seal_holds(const struct certdir_list_seal *seal, size_t chunk, const unsigned char *bytes,
			     size_t size)
{
	unsigned char is[CERTDIR_SEAL_DIGEST];

	return chunk < seal->count && digest(bytes, size, is) &&
	       memcmp(is, seal->digests + chunk * CERTDIR_SEAL_DIGEST, sizeof(is)) == 0;
}

void certdir_list_seal_written(struct certdir_list_seal *seal, uint64_t from, uint64_t bytes)
{
	if (bytes == 0)
		return;
	for (uint64_t i = from / CERTDIR_SEAL_CHUNK; i < seal->count && i <= (from + bytes - 1) / CERTDIR_SEAL_CHUNK;
	     i++)
		seal->changed[i] = true;
}

void certdir_list_seal_cut(struct certdir_list_seal *seal, uint64_t size)
{
	if (size >= seal->kept)
		return;
	certdir_list_seal_written(seal, size, seal->kept - size);
	seal->kept = size;
}

/*
 * A chunk's digest still holds when nothing was written into it and it ends where it did: in an image that has grown since,
 * the last chunk of then goes on into bytes that nobody had to write (a hole), and so does the place of a cut.
 */
static bool still_holds(const struct certdir_list_seal *before, size_t chunk, uint64_t size)
{
	uint64_t end = smaller(((uint64_t)chunk + 1) * CERTDIR_SEAL_CHUNK, size);

	return chunk < before->count && !before->changed[chunk] && end <= before->kept;
}

/* The digests of what `fd` holds into `seal`. */
static bool digest_file(const struct certdir_list_seal *before, struct certdir_list_seal *seal, int fd,
			const char *name, struct certdir_error *error)
{
	unsigned char *buffer = malloc(CERTDIR_SEAL_CHUNK);
	bool ok = false;

	if (!buffer) {
		certdir_error_set(error, "%s cannot be sealed: out of memory", name);
		return false;
	}
	for (size_t i = 0; i < seal->count; i++) {
		uint64_t at = (uint64_t)i * CERTDIR_SEAL_CHUNK;
		size_t size = smaller(CERTDIR_SEAL_CHUNK, seal->kept - at);
		unsigned char *to = seal->digests + i * CERTDIR_SEAL_DIGEST;

		if (still_holds(before, i, seal->kept)) {
			memcpy(to, before->digests + i * CERTDIR_SEAL_DIGEST, CERTDIR_SEAL_DIGEST);
			continue;
		}
		if (certdir_file_read_at(fd, buffer, size, at) != (ssize_t)size) {
			certdir_error_set(error, "%s cannot be read back to seal it: %s", name, strerror(errno));
			goto out;
		}
		if (!digest(buffer, size, to)) {
			certdir_error_set(error, "%s cannot be sealed: OpenSSL has no SHA-256", name);
			goto out;
		}
	}
	ok = true;
out:
	free(buffer);
	return ok;
}

bool certdir_list_seal_append(const struct certdir_list_seal *before, int fd, const char *name,
			      struct certdir_error *error)
{
	unsigned char footer[CERTDIR_SEAL_FOOTER];
	struct certdir_list_seal seal = {0};
	struct stat status;
	size_t digests;
	bool ok = false;
	uint64_t size;

	if (fstat(fd, &status) != 0) {
		certdir_error_set(error, "%s cannot be read back to seal it: %s", name, strerror(errno));
		return false;
	}
	size = (uint64_t)status.st_size;
	if (!allocate(&seal, size)) {
		certdir_error_set(error, "%s cannot be sealed: out of memory", name);
		return false;
	}
	if (!digest_file(before, &seal, fd, name, error))
		goto out;
	memcpy(footer, magic, sizeof(magic));
	for (int i = 0; i < 8; i++)
		footer[SIZE_AT + i] = (unsigned char)(size >> (8 * i));
	digests = seal.count * CERTDIR_SEAL_DIGEST;
	if (!root(footer, seal.digests, digests, footer + ROOT_AT)) {
		certdir_error_set(error, "%s cannot be sealed: OpenSSL has no SHA-256", name);
		goto out;
	}
	ok = certdir_file_write_at(fd, seal.digests, digests, size, name, error) &&
	     certdir_file_write_at(fd, footer, sizeof(footer), size + digests, name, error);
out:
	certdir_list_seal_clear(&seal);
	return ok;
}
