/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file side of publishing: lock, temporary file, seal, fsync, rename. What stands inside is the writer's. */
#ifndef CERTDIR_LIST_EDITION_H
#define CERTDIR_LIST_EDITION_H

#include "certdir.h"

struct certdir_list_edition {
	char *filename; /* what is published, symbolic links resolved: a rename would replace the link */
	char *directory; /* where it stands */
	char *temporary; /* `filename`.new.<pid> */
	int lock; /* descriptor of `filename`.lock */
	int file; /* descriptor of `temporary` */
};

/*
 * Takes the lock, removes what killed writers left, makes an empty temporary file. False with `error`, nothing is owned.
 * On true the caller ends it with certdir_list_edition_publish() or certdir_list_edition_abandon().
 */
bool certdir_list_edition_begin(struct certdir_list_edition *edition, const char *filename,
				struct certdir_error *error);

/* Whether there is a published file (or anything else of its name) that this edition will take the place of. */
bool certdir_list_edition_replaces(const struct certdir_list_edition *edition);

/* Writes `size` bytes to the start of the temporary file. */
bool certdir_list_edition_fill(struct certdir_list_edition *edition, const unsigned char *bytes, size_t size,
			       struct certdir_error *error);

/* Seals the temporary file and renames it over the published one. Ends the edition either way. */
bool certdir_list_edition_publish(struct certdir_list_edition *edition, struct certdir_error *error);
void certdir_list_edition_abandon(struct certdir_list_edition *edition);

#endif
