/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a file is told by from another one that takes its name, and from itself after a change. */
#ifndef CERTDIR_SIGNATURE_H
#define CERTDIR_SIGNATURE_H

#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

/* All zero when there is no file. */
struct certdir_signature {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified;
	struct timespec changed;
};

/* Looks at the file that has this name now, through symbolic links; one that cannot be looked at counts as none. */
void certdir_signature_take(struct certdir_signature *signature, const char *filename);
/* Whether both are of the same file, unchanged in between. */
bool certdir_signature_same(const struct certdir_signature *a, const struct certdir_signature *b);

#endif
