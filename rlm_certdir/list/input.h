/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A list's file that is open for reading, chunk by chunk, each compared with its digest before anybody sees it. */
#ifndef CERTDIR_LIST_INPUT_H
#define CERTDIR_LIST_INPUT_H

#include "list/file.h"
#include "list/keys.h"

struct certdir_list_input {
	const char *filename; /* borrowed */
	int file; /* -1 = none */
	struct certdir_list_seal seal;
	unsigned char header[CERTDIR_LIST_HEADER]; /* its first bytes */
	bool damaged; /* it can be read, and is not what a publisher wrote */
};

/*
 * Before anything else of it is read or allocated, the file has to be a list that has the size it has, and signed with one of `keys`, unless
 * that is NULL. False with `error`.
 */
bool certdir_list_input_open(struct certdir_list_input *input, const char *filename,
			     const struct certdir_list_keys *keys, struct certdir_error *error);
void certdir_list_input_close(struct certdir_list_input *input);

/* Bytes of a chunk. */
size_t certdir_list_input_chunk(const struct certdir_list_input *input, size_t chunk);
/* Reads one into `bytes`. False with `error`, or when it is not as the seal says. */
bool certdir_list_input_read(struct certdir_list_input *input, size_t chunk, unsigned char *bytes,
			     struct certdir_error *error);
/* What is sealed truly may be another program's, or a list of another version: to be asked when the first chunk was read. */
bool certdir_list_input_accept(const struct certdir_list_input *input, struct certdir_error *error);

#endif
