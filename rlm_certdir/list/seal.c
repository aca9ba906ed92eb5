/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/seal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/evp.h>

#include "base/bytes.h"
#include "base/file.h"
#include "text/hex.h"

static const unsigned char magic[8] = {'c', 'e', 'r', 't', 'd', 'i', 'r', 3};

enum { SIZE_AT = 8, MADE_AT = 16, ROOT_AT = 24 };

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

bool certdir_list_seal_sum(const unsigned char *bytes, size_t size, const unsigned char *more, size_t more_size,
			   unsigned char out[CERTDIR_SEAL_DIGEST])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool ok = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
		  EVP_DigestUpdate(context, bytes, size) == 1 && EVP_DigestUpdate(context, more, more_size) == 1 &&
		  EVP_DigestFinal_ex(context, out, NULL) == 1;

	EVP_MD_CTX_free(context);
	return ok;
}

/* What the footer ends with: it binds the digests to each other, to their order, and to the size. */
static bool root(const unsigned char *footer, const unsigned char *digests, size_t size,
		 unsigned char out[CERTDIR_SEAL_DIGEST])
{
	return certdir_list_seal_sum(footer, ROOT_AT, digests, size, out);
}

/* The image's size as the footer at the end of a file of `size` bytes has it. */
static enum certdir_seal_state read_footer(const unsigned char *footer, uint64_t size, uint64_t *image)
{
	*image = 0;
	if (memcmp(footer, magic, sizeof(magic)) != 0)
		return CERTDIR_SEAL_ABSENT;
	*image = certdir_bytes_get(footer + SIZE_AT, 8);
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
	memset(seal, 0, sizeof(*seal));
}

static bool allocate(struct certdir_list_seal *seal, uint64_t size)
{
	memset(seal, 0, sizeof(*seal));
	seal->size = size;
	seal->count = (size_t)chunks_of(size);
	seal->digests = calloc(seal->count + 1, CERTDIR_SEAL_DIGEST); /* + 1: an empty image's are not NULL */
	return seal->digests != NULL;
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
	seal->made = (int64_t)certdir_bytes_get(footer + MADE_AT, 8);
	memcpy(seal->root, footer + ROOT_AT, sizeof(seal->root));
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

/* The digests of what `fd` holds into `seal`. */
static bool digest_file(struct certdir_list_seal *seal, int fd, const char *name, struct certdir_error *error)
{
	unsigned char buffer[CERTDIR_SEAL_CHUNK];

	for (size_t i = 0; i < seal->count; i++) {
		const uint64_t at = (uint64_t)i * CERTDIR_SEAL_CHUNK;
		const size_t size = smaller(CERTDIR_SEAL_CHUNK, seal->size - at);

		if (certdir_file_read_at(fd, buffer, size, at) != (ssize_t)size) {
			certdir_error_set(error, "%s cannot be read back to seal it: %s", name, strerror(errno));
			return false;
		}
		if (!digest(buffer, size, seal->digests + i * CERTDIR_SEAL_DIGEST)) {
			certdir_error_set(error, "%s cannot be sealed: OpenSSL has no SHA-256", name);
			return false;
		}
	}
	return true;
}

bool certdir_list_seal_append(int fd, int64_t made, const char *name, struct certdir_error *error)
{
	unsigned char footer[CERTDIR_SEAL_FOOTER];
	struct certdir_list_seal seal = {0};
	struct stat status;
	size_t digests;
	bool ok = false;

	if (fstat(fd, &status) != 0) {
		certdir_error_set(error, "%s cannot be read back to seal it: %s", name, strerror(errno));
		return false;
	}
	if (!allocate(&seal, (uint64_t)status.st_size)) {
		certdir_error_set(error, "%s cannot be sealed: out of memory", name);
		return false;
	}
	if (!digest_file(&seal, fd, name, error))
		goto out;
	memcpy(footer, magic, sizeof(magic));
	certdir_bytes_put(footer + SIZE_AT, seal.size, 8);
	certdir_bytes_put(footer + MADE_AT, (uint64_t)made, 8);
	digests = seal.count * CERTDIR_SEAL_DIGEST;
	if (!root(footer, seal.digests, digests, footer + ROOT_AT)) {
		certdir_error_set(error, "%s cannot be sealed: OpenSSL has no SHA-256", name);
		goto out;
	}
	ok = certdir_file_write_at(fd, seal.digests, digests, seal.size, name, error) &&
	     certdir_file_write_at(fd, footer, sizeof(footer), seal.size + digests, name, error);
out:
	certdir_list_seal_clear(&seal);
	return ok;
}
