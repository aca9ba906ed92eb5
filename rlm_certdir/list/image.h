/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a list's file to bytes that are verified: one chunk after the other, each compared with its digest before anybody sees it. */
#ifndef CERTDIR_LIST_IMAGE_H
#define CERTDIR_LIST_IMAGE_H

#include "list/seal.h"

/* The database inside a list's file, without its seal. All owned. */
struct certdir_list_image {
	char *filename; /* for messages */
	unsigned char *bytes;
	size_t size;
};

/*
 * Reads the image of the list `filename` into memory; certdir_list_image_clear() frees it. False with `error`, and nothing is owned: it is
 * missing, or not a list that this program reads. *damaged: it is there and may be read, and is not what a publisher wrote.
 */
bool certdir_list_image_load(struct certdir_list_image *image, const char *filename, bool *damaged,
			     struct certdir_error *error);
void certdir_list_image_clear(struct certdir_list_image *image);

/*
 * Copies the image to the empty file `to`, never whole in memory; with `to` -1 it is only verified. What was copied is what the seal is
 * of. On true the caller clears `seal`. False with `error`, which says what to do: the list is missing or not acceptable, or `to`,
 * called `name`, cannot be written.
 */
bool certdir_list_image_copy(const char *filename, int to, const char *name, struct certdir_list_seal *seal,
			     struct certdir_error *error);

/*
 * Whether the file is a whole list of our version, as far as its first bytes and its seal tell, of which no digest is compared. False with
 * `error`, which says what to do.
 */
bool certdir_list_image_check(const char *filename, struct certdir_error *error);

#endif
