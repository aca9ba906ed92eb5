/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A memory's answers in a file, over a restart: "certdir memory 2\n", what directory they are of, when they were written, the answers;
 * behind that the seal that a list has, too (list/seal.h), which tells a damaged file from a whole one.
 */
#ifndef CERTDIR_DIRECTORY_MEMORY_FILE_H
#define CERTDIR_DIRECTORY_MEMORY_FILE_H

#include "directory/memory_store.h"

/* The answers of `store` as bytes, all but the seal. `origin` says whose they are: server, base and whatever else makes an answer. */
void certdir_memory_pack(struct certdir_bytes *to, const struct certdir_store *store, const char *origin);
/*
 * Puts the answers into an empty `store`. False with `error`: it is no such file, one of another directory, from the future, or not what
 * certdir_memory_pack() made; then some of them may be in the store.
 */
bool certdir_memory_unpack(struct certdir_store *store, const unsigned char *bytes, size_t length, const char *origin,
			   struct certdir_error *error);

/*
 * Writes `bytes` and their seal beside `filename`, mode 0640, and renames that over it when it is on the disk: whatever happens, a whole
 * file is there, the old one or the new one. False with `error`.
 */
bool certdir_memory_save(const char *filename, const struct certdir_bytes *bytes, struct certdir_error *error);
/* False with `error`, whose text is empty when there is no such file. */
bool certdir_memory_load(const char *filename, struct certdir_store *store, const char *origin,
			 struct certdir_error *error);

#endif
