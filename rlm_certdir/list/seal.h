/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands behind a list's image and says: this is all of it, and it is as its publisher left it.
 *
 * A tree of two levels: SHA-256 of each chunk of the image, and a footer with SHA-256 over those. So who needs a few pages of a large
 * image verifies their chunks and no others.
 *
 *	image        of any size
 *	digests      32 bytes for each chunk of the image, the last of which may be short
 *	footer       8 bytes "certdir\3", 8 bytes size of the image, 8 bytes when it was made (microseconds since 1970; both
 *	             little-endian), 32 bytes SHA-256 of those 24 bytes and the digests: the root
 *
 * A list that is signed has "certdir\4" there, and 64 bytes behind it: an Ed25519 signature of the root (keys.h).
 */
#ifndef CERTDIR_LIST_SEAL_H
#define CERTDIR_LIST_SEAL_H

#include "base/certdir.h"

enum { CERTDIR_SEAL_CHUNK = 1 << 14, CERTDIR_SEAL_DIGEST = 32, CERTDIR_SEAL_FOOTER = 56, CERTDIR_SEAL_SIGNATURE = 64 };

enum certdir_seal_state {
	CERTDIR_SEAL_TRUE,
	CERTDIR_SEAL_ABSENT, /* no seal at the end: cut, or never sealed */
	CERTDIR_SEAL_BROKEN /* a seal, but of other content */
};

/* Looks at a whole file in memory, which is not signed; on CERTDIR_SEAL_TRUE `image` is the size of what was sealed. */
enum certdir_seal_state certdir_list_seal_check(const unsigned char *file, size_t size, size_t *image);

/* SHA-256 of some bytes in hexadecimal. False when it cannot be made. */
bool certdir_list_seal_digest(const char *bytes, size_t size, char hex[2 * CERTDIR_SEAL_DIGEST + 1]);
/* SHA-256 of some bytes and others behind them. False when it cannot be made. */
bool certdir_list_seal_sum(const unsigned char *bytes, size_t size, const unsigned char *more, size_t more_size,
			   unsigned char out[CERTDIR_SEAL_DIGEST]);

/* The seal of an image. */
struct certdir_list_seal {
	uint64_t size; /* bytes of the image */
	int64_t made; /* microseconds since 1970, later than what it took the place of */
	unsigned char root[CERTDIR_SEAL_DIGEST]; /* which tells any two images apart */
	bool is_signed;
	unsigned char signature[CERTDIR_SEAL_SIGNATURE]; /* of the root; whether it holds is for keys.h to say */
	size_t count; /* chunks */
	unsigned char *digests; /* CERTDIR_SEAL_DIGEST bytes for each */
};

void certdir_list_seal_clear(struct certdir_list_seal *seal);

/*
 * Reads the seal of a file of `size` bytes that is open as `fd`. On CERTDIR_SEAL_TRUE digests and footer belong together, and
 * the caller clears `seal`; whether the image is what they are of is for certdir_list_seal_holds() to say of each chunk. Of a
 * file that cannot be read `error` says so, and it counts as broken; else error's text is empty.
 */
enum certdir_seal_state certdir_list_seal_read(struct certdir_list_seal *seal, int fd, uint64_t size,
					       struct certdir_error *error);
/* Whether the file ends as one with a signature does, whatever else is wrong with it. */
bool certdir_list_seal_is_signed(int fd, uint64_t size);
bool certdir_list_seal_holds(const struct certdir_list_seal *seal, size_t chunk, const unsigned char *bytes,
			     size_t size);

struct certdir_list_keys;
/*
 * Appends the seal of everything that `fd` (open for reading and writing) holds, signed unless `signer`, a private key, is NULL. False with
 * `error`; `name` is for it.
 */
bool certdir_list_seal_append(int fd, int64_t made, const struct certdir_list_keys *signer, const char *name,
			      struct certdir_error *error);

#endif
