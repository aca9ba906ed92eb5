/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "list/schema.h"

enum { PAGE_SIZE_AT = 16, PAGE_COUNT_AT = 28, USER_VERSION_AT = 60, APPLICATION_ID_AT = 68 };

static uint32_t big_endian(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/*
 * Whether a directory on the way to a file cannot be entered for the reason `code`, an errno; the first such is put into `place`, else
 * the file itself.
 */
static bool find_obstacle(const char *filename, int code, char place[PATH_MAX])
{
	const char *slash = filename;

	while (*slash && (slash = strchr(slash + 1, '/')) && slash - filename < PATH_MAX) {
		(void)snprintf(place, PATH_MAX, "%.*s", (int)(slash - filename), filename);
		if (faccessat(AT_FDCWD, place, X_OK, AT_EACCESS) != 0 && errno == code)
			return true;
	}
	(void)snprintf(place, PATH_MAX, "%s", filename);
	return false;
}

enum { ACCOUNT_NAME = 64 };

/* Of this process. A name, or the number of what has none. */
static void name_user(char user[ACCOUNT_NAME], char group[ACCOUNT_NAME])
{
	struct passwd account, *found = NULL;
	struct group own, *found_own = NULL;
	char buffer[4096];

	(void)snprintf(user, ACCOUNT_NAME, "%u", (unsigned)geteuid());
	(void)snprintf(group, ACCOUNT_NAME, "%u", (unsigned)getegid());
	if (getpwuid_r(geteuid(), &account, buffer, sizeof(buffer), &found) == 0 && found)
		(void)snprintf(user, ACCOUNT_NAME, "%s", account.pw_name);
	if (getgrgid_r(getegid(), &own, buffer, sizeof(buffer), &found_own) == 0 && found_own)
		(void)snprintf(group, ACCOUNT_NAME, "%s", own.gr_name);
}

static void describe_denial(const char *filename, struct certdir_error *error)
{
	char place[PATH_MAX], user[ACCOUNT_NAME], group[ACCOUNT_NAME];

	name_user(user, group);
	if (find_obstacle(filename, EACCES, place))
		certdir_error_set(error, "%s cannot be read: user %s may not enter %s: chgrp %s %s && chmod g+rx %s",
				  filename, user, place, group, place, place);
	else if (faccessat(AT_FDCWD, place, R_OK, AT_EACCESS) != 0)
		certdir_error_set(error,
				  "%s cannot be read by user %s: chgrp %s %s && chmod g+r %s, and do the same with its "
				  "directory, whose group the next list takes",
				  filename, user, group, place, place);
	else
		certdir_error_set(
			error, "%s cannot be read by user %s, though its mode allows it: look at SELinux or AppArmor",
			filename, user);
}

static void describe_open_failure(const char *filename, int code, struct certdir_error *error)
{
	char place[PATH_MAX];

	if (code == ENOENT && find_obstacle(filename, ENOENT, place))
		certdir_error_set(error, "%s does not exist: there is no directory %s: is the name right?", filename,
				  place);
	else if (code == ENOENT || code == ENOTDIR)
		certdir_error_set(
			error,
			"%s does not exist: is the name right? If so, create it with `certdir sync` or `certdir list "
			"import`, or copy it from another server",
			filename);
	else if (code == EACCES || code == EPERM)
		describe_denial(filename, error);
	else
		certdir_error_set(error, "%s cannot be opened: %s", filename, strerror(code));
}

static void describe_kind(const char *filename, mode_t mode, struct certdir_error *error)
{
	certdir_error_set(error, "%s is not a file but a %s: give the name of a device list", filename,
			  S_ISDIR(mode) ? "directory" : "pipe, socket or device");
}

/* NONBLOCK: opening a FIFO must not wait for a writer. */
int certdir_list_file_open(const char *filename, size_t *size, struct certdir_error *error)
{
	int fd = open(filename, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;

	if (fd < 0) {
		describe_open_failure(filename, errno, error);
		return -1;
	}
	if (fstat(fd, &status) != 0) {
		certdir_error_set(error, "%s cannot be read: %s", filename, strerror(errno));
	} else if (!S_ISREG(status.st_mode)) {
		describe_kind(filename, status.st_mode, error);
	} else if (status.st_size == 0) {
		certdir_error_set(error, "%s is empty: publish it again with `certdir sync` or `certdir list import`",
				  filename);
	} else if ((uint64_t)status.st_size > CERTDIR_LIST_FILE_MAX) {
		certdir_error_set(
			error, "%s has %lld bytes, and a device list has at most 8 GiB: it is damaged, or another file",
			filename, (long long)status.st_size);
	} else {
		*size = (size_t)status.st_size;
		return fd;
	}
	(void)close(fd);
	return -1;
}

static bool is_list(const unsigned char *bytes, size_t size)
{
	return size >= CERTDIR_LIST_HEADER && memcmp(bytes, "SQLite format 3", 16) == 0 &&
	       big_endian(bytes + APPLICATION_ID_AT) == CERTDIR_LIST_APPLICATION_ID;
}

/* Says what a file without a true seal is, or with one that is not a list, as far as its first bytes tell. */
static void describe_other(const char *filename, const unsigned char *bytes, size_t size, struct certdir_error *error)
{
	if (size < CERTDIR_LIST_HEADER || memcmp(bytes, "SQLite format 3", 16) != 0)
		certdir_error_set(error, "%s is not a device list%s", filename,
				  size < CERTDIR_LIST_HEADER ? ", or only the first bytes of one" : "");
	else if (!is_list(bytes, size))
		certdir_error_set(error, "%s is a SQLite database of another application, not a device list", filename);
	else
		certdir_error_set(
			error,
			"%s is not sealed: it is cut short, still being copied, or written by something other than "
			"this version of certdir; publish it again with `certdir sync` or `certdir list import`, and "
			"copy a "
			"list to a temporary name first, then rename it",
			filename);
}

/* SQLite's header says how many pages the database has: a size of 1 stands for 65536. Less than a page behind them does no harm. */
static bool check_size(const char *filename, const unsigned char *bytes, size_t size, struct certdir_error *error)
{
	const uint32_t stored = (uint32_t)bytes[PAGE_SIZE_AT] << 8 | bytes[PAGE_SIZE_AT + 1];
	const uint32_t page = stored == 1 ? 65536 : stored;

	if (page && size / page == big_endian(bytes + PAGE_COUNT_AT))
		return true;
	certdir_error_set(
		error,
		"%s has another size than its first bytes say: publish it again with `certdir sync` or `certdir list "
		"import`, or copy it again",
		filename);
	return false;
}

bool certdir_list_file_accept(const char *filename, enum certdir_seal_state state, const unsigned char *bytes,
			      size_t size, struct certdir_error *error)
{
	uint32_t version;

	if (state == CERTDIR_SEAL_BROKEN) {
		certdir_error_set(
			error,
			"%s does not match its seal: it was changed or is half written; publish it again with "
			"`certdir sync` or `certdir list import`, or copy it again",
			filename);
		return false;
	}
	if (state == CERTDIR_SEAL_ABSENT || !is_list(bytes, size)) {
		describe_other(filename, bytes, size, error);
		return false;
	}
	version = big_endian(bytes + USER_VERSION_AT);
	if (version == CERTDIR_LIST_SCHEMA_VERSION)
		return check_size(filename, bytes, size, error);
	certdir_error_set(error, "%s has schema version %u, this certdir reads version %u: %s", filename, version,
			  CERTDIR_LIST_SCHEMA_VERSION,
			  version > CERTDIR_LIST_SCHEMA_VERSION ? "update certdir here"
								: "move it away and publish it again");
	return false;
}

bool certdir_list_file_seal(int file, const char *filename, uint64_t size, struct certdir_list_seal *seal,
			    unsigned char header[CERTDIR_LIST_HEADER], struct certdir_error *error)
{
	const size_t first = size < CERTDIR_LIST_HEADER ? (size_t)size : CERTDIR_LIST_HEADER;
	const enum certdir_seal_state state = certdir_list_seal_read(seal, file, size, error);

	memset(header, 0, CERTDIR_LIST_HEADER);
	if (error->text[0]) {
		const struct certdir_error why = *error;

		certdir_error_set(error, "%s: %.300s", filename, why.text);
	} else if (pread(file, header, first, 0) != (ssize_t)first) {
		certdir_error_set(error, "%s cannot be read: %s", filename, strerror(errno));
	} else if (state != CERTDIR_SEAL_TRUE) {
		(void)certdir_list_file_accept(filename, state, header, first, error);
	} else if (!is_list(header, first) || check_size(filename, header, (size_t)seal->size, error)) {
		return true; /* what is no list here is changed, as the seal of its first MiB will tell */
	}
	certdir_list_seal_clear(seal);
	return false;
}

bool certdir_list_file_is_signed(const char *filename)
{
	struct certdir_error ignored;
	size_t size;
	const int file = certdir_list_file_open(filename, &size, &ignored);
	const bool is_signed = file >= 0 && certdir_list_seal_is_signed(file, size);

	if (file >= 0)
		(void)close(file);
	return is_signed;
}

int64_t certdir_list_file_made(const char *filename)
{
	struct certdir_list_seal seal;
	struct certdir_error ignored;
	int64_t made = 0;
	size_t size;
	const int file = certdir_list_file_open(filename, &size, &ignored);

	if (file < 0)
		return 0;
	if (certdir_list_seal_read(&seal, file, size, &ignored) == CERTDIR_SEAL_TRUE)
		made = seal.made;
	certdir_list_seal_clear(&seal);
	(void)close(file);
	return made;
}

bool certdir_list_file_replaceable(const char *filename, struct certdir_error *error)
{
	const int file = open(filename, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	unsigned char bytes[CERTDIR_LIST_HEADER];
	struct stat status;
	bool ok = false;
	ssize_t got;

	if (file < 0 || fstat(file, &status) != 0) {
		certdir_error_set(error, "%s cannot be read to see whether it is a device list: %s", filename,
				  strerror(errno));
	} else if (!S_ISREG(status.st_mode)) {
		describe_kind(filename, status.st_mode, error);
	} else {
		got = pread(file, bytes, sizeof(bytes), 0);
		ok = status.st_size == 0 || (got > 0 && is_list(bytes, (size_t)got));
		if (!ok)
			certdir_error_set(
				error,
				"%s is not a device list, so none is put in its place: if it is to go, move it "
				"away",
				filename);
	}
	if (file >= 0)
		(void)close(file);
	return ok;
}
