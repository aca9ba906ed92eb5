/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading and writing all of something, as read() and write() alone do not. Failures are in errno: the caller knows what the file is for. */
#ifndef CERTDIR_FILE_H
#define CERTDIR_FILE_H

#include <sys/types.h>

#include "base/certdir.h"

/* Reads `size` bytes, fewer only where the file ends: then errno is 0. How many, or -1 with errno. */
ssize_t certdir_file_read(int file, void *bytes, size_t size);
/* The same from `at`; the file's own position stays. */
ssize_t certdir_file_read_at(int file, void *bytes, size_t size, uint64_t at);

/*
 * Reads all that is left of `file`, which may be a pipe, with a NUL behind it; the caller frees it. NULL with errno, which is EFBIG for
 * more than `max` bytes: a regular file that says so itself is not read.
 */
char *certdir_file_load(int file, size_t max, size_t *length);

/* Writes all of it. False with errno. */
bool certdir_file_write(int file, const void *bytes, size_t size);
/* The same at the offset `at`. False with `error`: "`name` cannot be written" and why. */
bool certdir_file_write_at(int file, const void *bytes, size_t size, uint64_t at, const char *name,
			   struct certdir_error *error);

/* The directory that `filename` stands in, "." where it names none; the caller frees it. NULL when memory is out. */
char *certdir_file_directory(const char *filename);
/* What was renamed or linked in a directory survives a power cut after this. False with errno. */
bool certdir_file_sync_directory(const char *directory);

#endif
