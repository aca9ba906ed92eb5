/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that decide which devices come in: who can change them, and whom those belong to that root makes for others. */
#ifndef CERTDIR_PERMISSIONS_H
#define CERTDIR_PERMISSIONS_H

#include <sys/types.h>

#include "base/certdir.h"

/*
 * Whether nobody can change `filename`, or put something else in its place, but those who are meant to: root, the owner of its
 * directory, a group that is root's, our own or their own. Looks at the file and at each directory above it: a sticky one is as good
 * as one that others cannot write, and one above the file's own directory has to be root's, ours, or of the same owner. False with
 * `finding`: what is wrong, and the command that mends it. What is not there, is no regular file, or cannot be looked at, is no finding: who opens the
 * file says so.
 */
bool certdir_permissions_check(const char *filename, struct certdir_error *finding);

/* Says in the log what certdir_permissions_check() finds, if anything. */
void certdir_permissions_warn(const char *filename);

/*
 * Gives the file `file` (a descriptor), which we have just made in `directory`, to the owner and group of that directory, when we are
 * root: else the user that the directory is for could not go on where root has been. `name` is for the warning in the log when that
 * fails. Never for a file that was there before: it could be anyone's, linked into the directory.
 */
void certdir_permissions_follow(int file, const char *directory, const char *name);
/*
 * The same of a file that is to take the place of `before`: it gets the owner and group of that, except what of it is root's, so that
 * whoever could read the one can read the other. Anybody may call it; without the right to do so it says so in the log.
 */
void certdir_permissions_succeed(int file, const char *before, const char *directory, const char *name);
/*
 * Gives a file to a group, and to a user if it is root's, when we are root; (gid_t)-1 or (uid_t)-1 = as it is. Not through a symbolic
 * link, nor of a file that has a second name: whoever can write the directory could have put one there that is none of ours. False with errno.
 */
bool certdir_permissions_give(const char *filename, uid_t user, gid_t group);
/*
 * Opens a file for reading and writing, never through a symbolic link, nor one that has a second name (EMLINK); one that is not there is
 * made, as above. -1 with errno.
 */
int certdir_permissions_open(const char *filename, mode_t mode);

#endif
