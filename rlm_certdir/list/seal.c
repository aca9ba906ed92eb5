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
#include "list/keys.h"
#include "text/hex.h"

static const unsigned char magic[8] = {'c', 'e', 'r', 't', 'd', 'i', 'r', 3},
			   magic_signed[8] = {'c', 'e', 'r', 't', 'd', 'i', 'r', 4};

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

/* The image's size as the footer has it, with which `size` bytes end. */
static enum certdir_seal_state read_footer(const unsigned char *footer, uint64_t size, bool is_signed, uint64_t *image)
{
	*image = 0;
	if (memcmp(footer, is_signed ? magic_signed : magic, sizeof(magic)) != 0)
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
	state = read_footer(footer, size, false, &sealed);
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

enum { END = CERTDIR_SEAL_FOOTER + CERTDIR_SEAL_SIGNATURE };

/* The last bytes of a file that has so many at least. One that is signed has its footer first in them, any other last. */
static const unsigned char *find_footer(const unsigned char end[END], uint64_t *size, bool *is_signed)
{
	*is_signed = memcmp(end, magic_signed, sizeof(magic_signed)) == 0;
	*size -= *is_signed ? CERTDIR_SEAL_SIGNATURE : 0;
	return end + (*is_signed ? 0 : CERTDIR_SEAL_SIGNATURE);
}

bool certdir_list_seal_is_signed(int fd, uint64_t size)
{
	unsigned char end[END];
	bool is_signed = false;

	if (size >= END && certdir_file_read_at(fd, end, END, size - END) == END)
		(void)find_footer(end, &size, &is_signed);
	return is_signed;
}

enum certdir_seal_state certdir_list_seal_read(struct certdir_list_seal *seal, int fd, uint64_t size,
					       struct certdir_error *error)
{
	unsigned char end[END] = {0};
	const size_t known = smaller(size, sizeof(end));
	const unsigned char *footer;
	enum certdir_seal_state state;
	uint64_t image;
	size_t digests;
	bool is_signed;

	memset(seal, 0, sizeof(*seal));
	error->text[0] = '\0';
	if (size < CERTDIR_SEAL_FOOTER)
		return CERTDIR_SEAL_ABSENT;
	if (certdir_file_read_at(fd, end + sizeof(end) - known, known, size - known) != (ssize_t)known)
		goto unreadable;
	footer = find_footer(end, &size, &is_signed);
	state = read_footer(footer, size, is_signed, &image);
	if (state != CERTDIR_SEAL_TRUE)
		return state;
	errno = ENOMEM;
	digests = (size_t)chunks_of(image) * CERTDIR_SEAL_DIGEST;
	if (!allocate(seal, image) || certdir_file_read_at(fd, seal->digests, digests, image) != (ssize_t)digests)
		goto unreadable;
	seal->made = (int64_t)certdir_bytes_get(footer + MADE_AT, 8);
	memcpy(seal->root, footer + ROOT_AT, sizeof(seal->root));
	seal->is_signed = is_signed;
	if (is_signed)
		memcpy(seal->signature, end + CERTDIR_SEAL_FOOTER, sizeof(seal->signature));
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

/* What stands behind the digests of `seal`: footer, and signature. False with `error`. */
static bool make_end(const struct certdir_list_seal *seal, const struct certdir_list_keys *signer,
		     unsigned char end[END], const char *name, struct certdir_error *error)
{
	memcpy(end, signer ? magic_signed : magic, sizeof(magic));
	certdir_bytes_put(end + SIZE_AT, seal->size, 8);
	certdir_bytes_put(end + MADE_AT, (uint64_t)seal->made, 8);
	if (!root(end, seal->digests, seal->count * CERTDIR_SEAL_DIGEST, end + ROOT_AT)) {
		certdir_error_set(error, "%s cannot be sealed: OpenSSL has no SHA-256", name);
		return false;
	}
	if (!signer || certdir_list_keys_sign(signer, CERTDIR_SIGNED_LIST, end + ROOT_AT, end + CERTDIR_SEAL_FOOTER))
		return true;
	certdir_error_set(error, "%s cannot be signed: OpenSSL has no Ed25519", name);
	return false;
}

bool certdir_list_seal_append(int fd, int64_t made, const struct certdir_list_keys *signer, const char *name,
			      struct certdir_error *error)
{
	const size_t length = signer ? END : CERTDIR_SEAL_FOOTER;
	unsigned char end[END];
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
	seal.made = made;
	digests = seal.count * CERTDIR_SEAL_DIGEST;
	ok = digest_file(&seal, fd, name, error) && make_end(&seal, signer, end, name, error) &&
	     certdir_file_write_at(fd, seal.digests, digests, seal.size, name, error) &&
	     certdir_file_write_at(fd, end, length, seal.size + digests, name, error);
	certdir_list_seal_clear(&seal);
	return ok;
}
