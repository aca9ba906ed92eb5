/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOAD_FIRST = 64 << 10 };

enum { AT_POSITION = -1 }; /* in the place of an offset: where the file stands, which moves on */

static ssize_t read_all(int file, char *bytes, size_t size, off_t at)
{
	size_t done = 0;

	while (done < size) {
		const ssize_t got = at == AT_POSITION ? read(file, bytes + done, size - done)
						      : pread(file, bytes + done, size - done, at + (off_t)done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0) {
			errno = 0;
			break;
		}
		done += (size_t)got;
	}
	return (ssize_t)done;
}

static bool write_all(int file, const char *bytes, size_t size, off_t at)
{
	for (size_t done = 0; done < size;) {
		const ssize_t put = at == AT_POSITION ? write(file, bytes + done, size - done)
						      : pwrite(file, bytes + done, size - done, at + (off_t)done);

		if (put < 0 && errno == EINTR)
			continue;
		if (put == 0)
			errno = ENOSPC;
		if (put <= 0)
			return false;
		done += (size_t)put;
	}
	return true;
}

ssize_t certdir_file_read(int file, void *bytes, size_t size)
{
	return read_all(file, bytes, size, AT_POSITION);
}

ssize_t certdir_file_read_at(int file, void *bytes, size_t size, uint64_t at)
{
	return read_all(file, bytes, size, (off_t)at);
}

bool certdir_file_write(int file, const void *bytes, size_t size)
{
	return write_all(file, bytes, size, AT_POSITION);
}

bool certdir_file_write_at(int file, const void *bytes, size_t size, uint64_t at, const char *name,
			   struct certdir_error *error)
{
	if (write_all(file, bytes, size, (off_t)at))
		return true;
	certdir_error_set(error, "%s cannot be written: %s", name, strerror(errno));
	return false;
}

/* Reads on until the file ends or `room` is full, doubling the room up to `max` and one byte more. */
static bool load(int file, size_t max, char **bytes, size_t room, size_t *length)
{
	*length = 0;
	for (;;) {
		char *grown = realloc(*bytes, room + 1);
		ssize_t got;

		if (!grown)
			return false;
		*bytes = grown;
		got = certdir_file_read(file, grown + *length, room - *length);
		if (got < 0)
			return false;
		*length += (size_t)got;
		if (*length < room)
			break;
		if (room > max) {
			errno = EFBIG;
			return false;
		}
		room = room > max / 2 ? max + 1 : 2 * room;
	}
	(*bytes)[*length] = '\0';
	return true;
}

char *certdir_file_load(int file, size_t max, size_t *length)
{
	size_t room = max < LOAD_FIRST ? max + 1 : LOAD_FIRST;
	struct stat status;
	char *bytes = NULL;

	*length = 0;
	if (fstat(file, &status) == 0 && S_ISREG(status.st_mode)) {
		if ((uint64_t)status.st_size > max) {
			errno = EFBIG;
			return NULL;
		}
		/* One byte more shows that it ends where it says. The files of /proc say 0. */
		if (status.st_size > 0)
			room = (size_t)status.st_size + 1;
	}
	if (load(file, max, &bytes, room, length))
		return bytes;
	free(bytes);
	return NULL;
}

char *certdir_file_directory(const char *filename)
{
	const char *slash = strrchr(filename, '/');

	return slash ? strndup(filename, (size_t)(slash - filename) + 1) : strdup(".");
}

bool certdir_file_sync_directory(const char *directory)
{
	const int file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const bool ok = file >= 0 && fsync(file) == 0;
	const int why = errno;

	if (file >= 0)
		(void)close(file);
	errno = why;
	return ok;
}
