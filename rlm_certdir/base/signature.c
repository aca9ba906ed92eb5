/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/signature.h"

#include <string.h>

void certdir_signature_take(struct certdir_signature *signature, const char *filename)
{
	struct stat status;

	memset(signature, 0, sizeof(*signature));
	if (stat(filename, &status) != 0)
		return;
	signature->device = status.st_dev;
	signature->inode = status.st_ino;
	signature->size = status.st_size;
	signature->modified = status.st_mtim;
	signature->changed = status.st_ctim;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool certdir_signature_same(const struct certdir_signature *a, const struct certdir_signature *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       same_time(&a->modified, &b->modified) && same_time(&a->changed, &b->changed);
}
