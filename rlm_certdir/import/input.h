/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A text file that an administrator hands in, whole, as UTF-8. */
#ifndef CERTDIR_IMPORT_INPUT_H
#define CERTDIR_IMPORT_INPUT_H

#include "base/certdir.h"

enum { CERTDIR_INPUT_MAX = 1 << 30 }; /* bytes; a million devices with all properties are less */

/*
 * Reads `file` ("-" is standard input) into memory, without its byte order mark. UTF-16 with a mark, as Windows PowerShell's
 * ">" writes it, becomes UTF-8. The caller frees it; a NUL stands behind it. NULL with `error`, also when it is
 * larger than CERTDIR_INPUT_MAX.
 */
char *certdir_input_read(const char *file, size_t *length, struct certdir_error *error);

#endif
