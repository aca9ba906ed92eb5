/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands before the C library's fsync() and rename(): which files and directories were made to last, and what got its name before that. No kill
 * can show one that is missing.
 */
#ifndef FSYNC_COUNT_H
#define FSYNC_COUNT_H

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern struct fsync_count {
	unsigned files, directories;
	unsigned early; /* renames before any file was made to last, or after the directory was */
	off_t sizes[4]; /* of the first files, when they were */
} synced;

#endif
