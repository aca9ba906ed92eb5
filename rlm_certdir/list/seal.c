/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/seal.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

static const unsigned char magic[8] = {'c', 'e', 'r', 't', 'd', 'i', 'r', 1};

enum { SIZE_AT = 8, DIGEST_AT = 16, DIGEST_SIZE = 32 };

enum certdir_seal_state certdir_list_seal_check(const unsigned char *file, size_t size, size_t *image)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	const unsigned char *seal;
	uint64_t sealed = 0;

	*image = 0;
	if (size < CERTDIR_LIST_SEAL_SIZE)
		return CERTDIR_SEAL_ABSENT;
	seal = file + size - CERTDIR_LIST_SEAL_SIZE;
	if (memcmp(seal, magic, sizeof(magic)) != 0)
		return CERTDIR_SEAL_ABSENT;
	for (int i = 7; i >= 0; i--)
		sealed = sealed << 8 | seal[SIZE_AT + i];
	if (sealed != size - CERTDIR_LIST_SEAL_SIZE)
		return CERTDIR_SEAL_BROKEN;
	if (EVP_Digest(file, (size_t)sealed, digest, NULL, EVP_sha256(), NULL) != 1 ||
	    memcmp(digest, seal + DIGEST_AT, DIGEST_SIZE) != 0)
		return CERTDIR_SEAL_BROKEN;
	*image = (size_t)sealed;
	return CERTDIR_SEAL_TRUE;
}

/* Digests the file from its start; `size` is how much there was. */
static bool digest_file(int fd, unsigned char *digest, uint64_t *size, const char *name, struct certdir_error *error)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char buffer[65536];
	bool ok = false;
	ssize_t got;

	*size = 0;
	if (!context || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
		certdir_error_set(error, "%s: OpenSSL has no SHA-256 to seal it with", name);
		goto out;
	}
	while ((got = pread(fd, buffer, sizeof(buffer), (off_t)*size)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || EVP_DigestUpdate(context, buffer, (size_t)got) != 1) {
			certdir_error_set(error, "%s cannot be read back to seal it: %s", name, strerror(errno));
			goto out;
		}
		*size += (uint64_t)got;
	}
	ok = EVP_DigestFinal_ex(context, digest, NULL) == 1;
	if (!ok)
		certdir_error_set(error, "%s cannot be sealed: OpenSSL failed to finish its SHA-256", name);
out:
	EVP_MD_CTX_free(context);
	return ok;
}

bool certdir_list_seal_append(int fd, const char *name, struct certdir_error *error)
{
	unsigned char seal[CERTDIR_LIST_SEAL_SIZE], digest[EVP_MAX_MD_SIZE];
	uint64_t size;
	size_t done = 0;

	if (!digest_file(fd, digest, &size, name, error))
		return false;
	memcpy(seal, magic, sizeof(magic));
	for (int i = 0; i < 8; i++)
		seal[SIZE_AT + i] = (unsigned char)(size >> (8 * i));
	memcpy(seal + DIGEST_AT, digest, DIGEST_SIZE);
	while (done < sizeof(seal)) {
		ssize_t put = pwrite(fd, seal + done, sizeof(seal) - done, (off_t)(size + done));

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0) {
			certdir_error_set(error, "%s cannot be written: %s", name, strerror(put < 0 ? errno : ENOSPC));
			return false;
		}
		done += (size_t)put;
	}
	return true;
}
