/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 48 bytes behind a list's image that say: this is all of it, and it is as its publisher left it. */
#ifndef CERTDIR_LIST_SEAL_H
#define CERTDIR_LIST_SEAL_H

#include "certdir.h"

/* 8 bytes "certdir\1", 8 bytes size of the image (little-endian), 32 bytes SHA-256 of the image. */
enum { CERTDIR_LIST_SEAL_SIZE = 48 };

enum certdir_seal_state {
	CERTDIR_SEAL_TRUE,
	CERTDIR_SEAL_ABSENT, /* no seal at the end: cut, or never sealed */
	CERTDIR_SEAL_BROKEN /* a seal, but of other content */
};

/* Looks at a whole file in memory; on CERTDIR_SEAL_TRUE `image` is the size of what was sealed. */
enum certdir_seal_state certdir_list_seal_check(const unsigned char *file, size_t size, size_t *image);

/* Appends the seal of everything that `fd` (open for reading and writing) holds. False with `error`; `name` is for it. */
bool certdir_list_seal_append(int fd, const char *name, struct certdir_error *error);

#endif
