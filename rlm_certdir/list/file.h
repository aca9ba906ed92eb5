/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a file has to be to be taken for a device list, and what an administrator is told when it is not. */
#ifndef CERTDIR_LIST_FILE_H
#define CERTDIR_LIST_FILE_H

#include "list/seal.h"

enum { CERTDIR_LIST_HEADER = 100 }; /* bytes that SQLite begins every database with */
#define CERTDIR_LIST_FILE_MAX (UINT64_C(8) << 30) /* bytes: 15 million devices */

/* Opens a list for reading and gives the size it has now. -1 with `error`: missing, no permission, not a file, empty, too large. */
int certdir_list_file_open(const char *filename, size_t *size, struct certdir_error *error);

/*
 * Reads seal and header of a list of `size` bytes that is open as `file`, before anything else of it: whether this is a list that
 * has that size. The seal of the rest is still to be compared. On true the caller clears `seal`. False with `error`.
 */
bool certdir_list_file_seal(int file, const char *filename, uint64_t size, struct certdir_list_seal *seal,
			    unsigned char header[CERTDIR_LIST_HEADER], struct certdir_error *error);

/*
 * Whether a file in this state is a list that this program reads. `bytes` are its first ones: `size` is how many it has, of
 * which CERTDIR_LIST_HEADER are looked at; of a sealed file those of its image. False with `error`.
 */
bool certdir_list_file_accept(const char *filename, enum certdir_seal_state state, const unsigned char *bytes,
			      size_t size, struct certdir_error *error);

/*
 * Whether a new list may take the place of what `filename` is: an empty file, or a device list in whatever state, of whatever version.
 * A wrong name must not cost another file. False with `error`.
 */
bool certdir_list_file_replaceable(const char *filename, struct certdir_error *error);

/* Whether it ends as a signed list does, sound or not. False also of what cannot be read. */
bool certdir_list_file_is_signed(const char *filename);
/* When it was made, as its seal says, microseconds since 1970; 0 = that cannot be read. */
int64_t certdir_list_file_made(const char *filename);

#endif
