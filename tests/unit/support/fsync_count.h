/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands before the C library's fsync(): which files and directories were made to last. No kill can show one that is missing. */
#ifndef FSYNC_COUNT_H
#define FSYNC_COUNT_H

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern struct fsync_count {
	unsigned files, directories;
} synced;

#endif
