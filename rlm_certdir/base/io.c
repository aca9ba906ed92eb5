/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/io.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

bool certdir_io_read(int file, unsigned char *bytes, size_t size, uint64_t at)
{
	for (size_t done = 0; done < size;) {
		const ssize_t got = pread(file, bytes + done, size - done, (off_t)(at + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			errno = 0;
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

bool certdir_io_write(int file, const unsigned char *bytes, size_t size, uint64_t at, const char *name,
		      struct certdir_error *error)
{
	for (size_t done = 0; done < size;) {
		const ssize_t put = pwrite(file, bytes + done, size - done, (off_t)(at + done));

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0) {
			certdir_error_set(error, "%s cannot be written: %s", name, strerror(put < 0 ? errno : ENOSPC));
			return false;
		}
		done += (size_t)put;
	}
	return true;
}
