/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/secret.h"

#include "base/file.h"
#include "text/canonical.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	size_t max;
	mode_t refused; /* permissions */
	const char *repair; /* for chmod */
} kinds[] = {
	[CERTDIR_SECRET_CLIENT] = {4 << 10, S_IWGRP | S_IRWXO, "g-w,o-rwx"},
	[CERTDIR_SECRET_PASSWORD] = {4 << 10, S_IWGRP | S_IRWXO, "g-w,o-rwx"},
	[CERTDIR_SECRET_KEY] = {64 << 10, S_IWGRP | S_IRWXO, "g-w,o-rwx"},
	/* Kubernetes mounts projected tokens with mode 0644, inside a container that is alone with them; they live for an hour. */
	[CERTDIR_SECRET_TOKEN] = {64 << 10, S_IWGRP | S_IWOTH, "go-w"},
};

static bool check_file(const char *filename, const struct stat *status, enum certdir_secret_kind kind,
		       struct certdir_error *error)
{
	const mode_t wrong = status->st_mode & kinds[kind].refused;
	const char *repair = kinds[kind].repair;

	if (!S_ISREG(status->st_mode)) {
		certdir_error_set(error, "%s is not a regular file", filename);
		return false;
	}
	if (wrong) {
		if (!(wrong & S_IWGRP))
			repair = kind == CERTDIR_SECRET_TOKEN ? "o-w" : "o-rwx";
		certdir_error_set(error, "%s holds a secret and has mode %04o: %s; do: chmod %s %s", filename,
				  (unsigned)(status->st_mode & 07777),
				  wrong & (S_IWGRP | S_IWOTH) ? "others can change it" : "others can read it", repair,
				  filename);
		return false;
	}
	if (geteuid() != 0 && status->st_uid != 0 && status->st_uid != geteuid()) {
		certdir_error_set(error,
				  "%s belongs to user %u, who is neither root nor user %u, as whom certdir runs; do: "
				  "chown %u %s",
				  filename, (unsigned)status->st_uid, (unsigned)geteuid(), (unsigned)geteuid(),
				  filename);
		return false;
	}
	if (status->st_size > (off_t)kinds[kind].max) {
		certdir_error_set(error, "%s has more than %zu bytes: is it the right file?", filename,
				  kinds[kind].max);
		return false;
	}
	return true;
}

static char *read_file(const char *filename, enum certdir_secret_kind kind, size_t *length, struct certdir_error *error)
{
	/* O_NONBLOCK: a FIFO in its place must not hold us. */
	const int fd = open(filename, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	const size_t max = kinds[kind].max;
	char *text = NULL;
	struct stat status;
	ssize_t got = -1;

	if (fd < 0 || fstat(fd, &status) < 0) {
		certdir_error_set(error, "%s cannot be read: %s", filename, strerror(errno));
		goto out;
	}
	if (!check_file(filename, &status, kind, error))
		goto out;
	text = malloc(max + 2);
	if (!text) {
		certdir_error_set(error, "out of memory");
		goto out;
	}
	got = certdir_file_read(fd, text, max + 1);
	if (got < 0)
		certdir_error_set(error, "%s cannot be read: %s", filename, strerror(errno));
	else if ((size_t)got > max)
		certdir_error_set(error, "%s has more than %zu bytes: is it the right file?", filename, max);
	else
		text[got] = '\0';
out:
	if (fd >= 0)
		(void)close(fd);
	if (text && (got < 0 || (size_t)got > max)) {
		explicit_bzero(text, max + 2);
		free(text);
		return NULL;
	}
	*length = text ? (size_t)got : 0;
	return text;
}

/* Both in the portal: the id stands beside the value, and is what one can still see later. */
static bool looks_like_guid(const char *text)
{
	bool zero;

	return certdir_guid_is(text, &zero);
}

static bool check_text(const char *filename, const char *text, size_t length, enum certdir_secret_kind kind,
		       struct certdir_error *error)
{
	if (length == 0) {
		certdir_error_set(error, "%s is empty", filename);
		return false;
	}
	if (strlen(text) != length) {
		certdir_error_set(error, "%s has a NUL byte in it: it has to be plain text, not UTF-16", filename);
		return false;
	}
	if (kind == CERTDIR_SECRET_PASSWORD) {
		if (strncmp(text, "\xef\xbb\xbf", 3) != 0 && !text[strcspn(text, "\r\n\t")])
			return true;
		certdir_error_set(
			error,
			"%s has a byte order mark, a tab or a line break in it: it has to hold the password alone, "
			"in one line",
			filename);
		return false;
	}
	for (const char *at = text; *at; at++)
		if (*at <= ' ' || *at > '~') {
			certdir_error_set(
				error, "%s: byte %zu is a blank, a line break or no ASCII: it has to hold the %s alone",
				filename, (size_t)(at - text) + 1,
				kind == CERTDIR_SECRET_CLIENT ? "client secret" : "token");
			return false;
		}
	if (kind == CERTDIR_SECRET_CLIENT && looks_like_guid(text)) {
		certdir_error_set(
			error,
			"%s holds a GUID: that is the client secret's ID. Its value is needed, which Entra ID shows "
			"only once, when the secret is made",
			filename);
		return false;
	}
	return true;
}

char *certdir_secret_read(const char *filename, enum certdir_secret_kind kind, struct certdir_error *error)
{
	size_t length;
	char *text = read_file(filename, kind, &length, error);

	if (!text)
		return NULL;
	while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
		text[--length] = '\0';
	if (check_text(filename, text, length, kind, error))
		return text;
	explicit_bzero(text, kinds[kind].max + 2);
	free(text);
	return NULL;
}

char *certdir_secret_read_bytes(const char *filename, size_t *length, struct certdir_error *error)
{
	return read_file(filename, CERTDIR_SECRET_KEY, length, error);
}

void certdir_secret_free(char *secret)
{
	if (!secret)
		return;
	explicit_bzero(secret, strlen(secret));
	free(secret);
}
