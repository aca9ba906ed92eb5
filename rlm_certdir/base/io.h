/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading and writing all of some bytes: the kernel may do less at a time, and a signal may come between. */
#ifndef CERTDIR_IO_H
#define CERTDIR_IO_H

#include "base/certdir.h"

/* Reads `size` bytes at the offset `at`. False with errno, which is 0 when the file ends before. */
bool certdir_io_read(int file, unsigned char *bytes, size_t size, uint64_t at);
/* Writes all of `bytes` at the offset `at`. False with `error`; `name` is for it. */
bool certdir_io_write(int file, const unsigned char *bytes, size_t size, uint64_t at, const char *name,
		      struct certdir_error *error);

#endif
