/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One writer at a time: a lock on a file beside the list. */
#ifndef CERTDIR_LIST_LOCK_H
#define CERTDIR_LIST_LOCK_H

#include "base/certdir.h"

/*
 * Locks `filename`.lock, which is made in `directory` when it is not there and stays when the lock is given back: to remove it would
 * let two writers hold two files of one name. A holder is waited for, up to `patience` seconds and no longer than until a signal
 * that the program catches; the log says once for whom. A lock file that another user left and that we may not open is replaced.
 * Returns a descriptor, whose close() gives the lock back. -1 with `error`, which names the holder, or what to do.
 */
int certdir_list_lock(const char *filename, const char *directory, unsigned patience, struct certdir_error *error);

#endif
