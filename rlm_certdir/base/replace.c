/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/replace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/permissions.h"

static bool write_text(int file, const char *name, const char *temporary, const char *text, mode_t mode)
{
	char *directory = certdir_file_directory(name);

	if (!directory)
		return false;
	certdir_permissions_succeed(file, name, directory, temporary);
	free(directory);
	return ftruncate(file, 0) == 0 && fchmod(file, mode) == 0 && certdir_file_write(file, text, strlen(text)) &&
	       fsync(file) == 0;
}

/* Who had the lock before has renamed it: what was opened is the file `name` by now, or is gone. */
static bool is_still(int file, const char *temporary)
{
	struct stat opened, named;

	return fstat(file, &opened) == 0 && lstat(temporary, &named) == 0 && opened.st_dev == named.st_dev &&
	       opened.st_ino == named.st_ino;
}

static bool write_file(const char *name, const char *temporary, const char *text, mode_t mode)
{
	int file = certdir_permissions_open(temporary, mode), code = 0;

	if (file < 0)
		return false;
	if (flock(file, LOCK_EX | LOCK_NB) != 0) {
		code = errno;
	} else if (!is_still(file, temporary)) {
		code = EWOULDBLOCK;
	} else if (!write_text(file, name, temporary, text, mode) || rename(temporary, name) != 0) {
		code = errno;
		(void)unlink(temporary);
	}
	(void)close(file);
	errno = code;
	return code == 0;
}

bool certdir_replace(const char *name, const char *text, mode_t mode)
{
	char *temporary = NULL;
	bool ok;

	errno = ENOMEM;
	if (asprintf(&temporary, "%s.new", name) < 0)
		return false;
	ok = write_file(name, temporary, text, mode);
	free(temporary);
	return ok;
}
