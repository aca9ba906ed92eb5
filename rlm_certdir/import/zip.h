/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one CSV file in a zip, as a stream. libarchive stays in zip.c. */
#ifndef CERTDIR_IMPORT_ZIP_H
#define CERTDIR_IMPORT_ZIP_H

#include "base/certdir.h"

/* Where a zip is. */
struct certdir_zip_source {
	uint64_t size;
	/* Reads what stands from `at` on, at least a byte of it and as much as `size` has room for: *got. False with `error`. */
	bool (*read)(void *context, uint64_t at, char *bytes, size_t size, size_t *got, struct certdir_error *error);
	void *context;
};

/* A zip that is in memory: the context of certdir_zip_memory_read(). */
struct certdir_zip_memory {
	const char *bytes;
	size_t length;
};
bool certdir_zip_memory_read(void *context, uint64_t at, char *bytes, size_t size, size_t *got,
			     struct certdir_error *error);

/* Whether bytes begin as a zip does. */
bool certdir_zip_is(const char *bytes, size_t length);

/* Takes the next bytes of the file. False with `error` ends the reading. */
typedef bool (*certdir_zip_take)(void *context, const char *bytes, size_t length, struct certdir_error *error);

/*
 * Hands on the bytes of the only file in it. False with `error`: it is no zip, is damaged or cut, has none or several files or one
 * that is no CSV by its name, is encrypted, or says more than a file of its size can in earnest. Bytes may have been handed on by then:
 * they are void.
 */
bool certdir_zip_read(const struct certdir_zip_source *source, certdir_zip_take take, void *context,
		      struct certdir_error *error);

#endif
