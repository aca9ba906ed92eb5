/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a list's file, and the file of changes beside it, to bytes in memory that are verified, and shared by editions. The file is read and
 * never mapped: one that somebody truncates while it is mapped ends radiusd with SIGBUS.
 */
#ifndef CERTDIR_LIST_IMAGE_H
#define CERTDIR_LIST_IMAGE_H

#include <stdatomic.h>
#include <sys/stat.h>

#include "list/changes.h"
#include "list/vfs.h"

/* The database inside a list's file, without its seal. Editions that differ by changes alone have the same one. */
struct certdir_list_base {
	atomic_size_t references;
	unsigned char *bytes;
	size_t size;
	int64_t made;
	unsigned char root[CERTDIR_SEAL_DIGEST]; /* of its seal */
	struct stat file; /* that it was read from, before that */
};

struct certdir_list_image {
	char *filename; /* for messages */
	char *files; /* that it was read from, for messages */
	struct certdir_list_base *base;
	struct certdir_list_changes changes; /* that are laid over it */
	size_t size;
	int64_t made; /* with the changes: which of two editions is the older one */
};

enum certdir_image_damage {
	CERTDIR_IMAGE_SOUND,
	CERTDIR_LIST_DAMAGED, /* the list's file is there and may be read, and is not what a publisher wrote */
	CERTDIR_CHANGES_UNFIT, /* its file is sound, and what stands beside it as its changes is not, or not its own */
};

struct certdir_list_changes_from {
	const char *filename;
	const struct certdir_list_keys *keys; /* with which both files have to be signed; NULL = with none */
	bool sound_part; /* of a damaged file, the editions before the damage, perhaps none */
};

/*
 * Reads the list `filename` and the changes in `from`, a file that may be missing; certdir_list_image_clear() frees both. Changes of a
 * list that was there before are none: whoever writes a list whole puts them into it first. `present`, or NULL, is the image in use: when
 * the list's file was not touched since, its bytes are shared, as are its changes as far as the file goes on from them; what is older is
 * refused, and with keys any older image. False with `error`, and nothing is owned; *damage says of damages which it is.
 */
bool certdir_list_image_load(struct certdir_list_image *image, const char *filename,
			     const struct certdir_list_changes_from *from, const struct certdir_list_image *present,
			     enum certdir_image_damage *damage, struct certdir_error *error);
void certdir_list_image_clear(struct certdir_list_image *image);

/* The image for certdir_list_database_pages(), as its context. */
extern const struct certdir_list_pages certdir_list_image_pages;

#endif
