/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/edition.h"

#include "list/copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The real place of a file that does not exist yet: an absolute name, which SQLite takes for nothing else. */
static char *resolve_new(const char *filename, struct certdir_error *error)
{
	const char *slash = strrchr(filename, '/');
	char *directory = slash ? strndup(filename, (size_t)(slash - filename) + 1) : strdup(".");
	char *real = directory ? realpath(directory, NULL) : NULL, *name = NULL;

	if (!real)
		certdir_error_set(error, "%s cannot be written: its directory: %s", filename, strerror(errno));
	else if (asprintf(&name, "%s/%s", strcmp(real, "/") == 0 ? "" : real, slash ? slash + 1 : filename) < 0) {
		certdir_error_set(error, "%s: out of memory", filename);
		name = NULL;
	}
	free(directory);
	free(real);
	return name;
}

/* The caller frees it. */
static char *resolve(const char *filename, struct certdir_error *error)
{
	char *real = realpath(filename, NULL);
	struct stat status;

	if (real)
		return real;
	if (errno != ENOENT) {
		certdir_error_set(error, "%s cannot be written: %s", filename, strerror(errno));
		return NULL;
	}
	if (lstat(filename, &status) == 0) {
		certdir_error_set(error, "%s is a symbolic link to nothing: remove it or make its target", filename);
		return NULL;
	}
	return resolve_new(filename, error);
}

static bool name_files(struct certdir_list_edition *edition, const char *filename, struct certdir_error *error)
{
	size_t directory;

	edition->filename = resolve(filename, error);
	if (!edition->filename)
		return false;
	directory = (size_t)(strrchr(edition->filename, '/') - edition->filename);
	edition->directory = directory ? strndup(edition->filename, directory) : strdup("/");
	if (asprintf(&edition->temporary, "%s.new.%ld", edition->filename, (long)getpid()) < 0)
		edition->temporary = NULL;
	if (!edition->temporary || asprintf(&edition->journal, "%s-journal", edition->temporary) < 0)
		edition->journal = NULL;
	if (!edition->directory || !edition->journal) {
		certdir_error_set(error, "%s: out of memory", filename);
		return false;
	}
	return true;
}

/* The lock file stays when the lock is given back: to remove it would let two writers hold two files of one name. */
static bool take_lock(struct certdir_list_edition *edition, struct certdir_error *error)
{
	char text[32] = "";
	char *name = NULL;
	bool ok = false;
	ssize_t length;

	if (asprintf(&name, "%s.lock", edition->filename) < 0) {
		certdir_error_set(error, "%s: out of memory", edition->filename);
		return false;
	}
	edition->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640);
	if (edition->lock < 0) {
		certdir_error_set(error, "%s cannot be opened to lock the list: %s", name, strerror(errno));
		goto out;
	}
	if (flock(edition->lock, LOCK_EX | LOCK_NB) != 0) {
		length = errno == EWOULDBLOCK ? pread(edition->lock, text, sizeof(text) - 1, 0) : 0;
		if (length > 0)
			certdir_error_set(error,
					  "%s is being written by process %ld, which holds %s: wait for it to end",
					  edition->filename, strtol(text, NULL, 10), name);
		else
			certdir_error_set(error, "%s cannot be locked: %s", name, strerror(errno));
		goto out;
	}
	length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(edition->lock, 0) != 0 || pwrite(edition->lock, text, (size_t)length, 0) != length) {
		certdir_error_set(error, "%s cannot be written: %s", name, strerror(errno));
		goto out;
	}
	ok = true;
out:
	free(name);
	return ok;
}

/* "123" of `base`.new.123, "123-journal": what killed writers left. */
static bool is_leftover(const char *suffix)
{
	size_t digits = strspn(suffix, "0123456789");

	return digits > 0 && (suffix[digits] == '\0' || strcmp(suffix + digits, "-journal") == 0);
}

/* Whoever made them held the lock that we hold now, so nobody is writing them any more. */
static void remove_leftovers(const struct certdir_list_edition *edition)
{
	const char *base = strrchr(edition->filename, '/') + 1;
	size_t length = strlen(base);
	DIR *directory = opendir(edition->directory);
	struct dirent *entry;

	if (!directory)
		return;
	while ((entry = readdir(directory))) {
		const char *name = entry->d_name;

		if (strncmp(name, base, length) != 0 || strncmp(name + length, ".new.", 5) != 0)
			continue;
		if (is_leftover(name + length + 5))
			(void)unlinkat(dirfd(directory), entry->d_name, 0);
	}
	(void)closedir(directory);
}

static void clear(struct certdir_list_edition *edition)
{
	if (edition->file >= 0)
		(void)close(edition->file);
	if (edition->lock >= 0)
		(void)close(edition->lock);
	free(edition->filename);
	free(edition->directory);
	free(edition->temporary);
	free(edition->journal);
	certdir_list_seal_clear(&edition->seal);
	memset(edition, 0, sizeof(*edition));
	edition->lock = edition->file = -1;
}

bool certdir_list_edition_begin(struct certdir_list_edition *edition, const char *filename, struct certdir_error *error)
{
	memset(edition, 0, sizeof(*edition));
	edition->lock = edition->file = -1;
	if (!name_files(edition, filename, error) || !take_lock(edition, error))
		goto out;
	remove_leftovers(edition);
	/* A journal of our own name would be taken for ours and rolled back into the new edition. */
	if (unlink(edition->journal) != 0 && errno != ENOENT) {
		certdir_error_set(error, "%s cannot be removed: %s", edition->journal, strerror(errno));
		goto out;
	}
	edition->file = open(edition->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (edition->file < 0) {
		certdir_error_set(error, "%s cannot be created: %s", edition->temporary, strerror(errno));
		goto out;
	}
	return true;
out:
	clear(edition);
	return false;
}

bool certdir_list_edition_replaces(const struct certdir_list_edition *edition)
{
	struct stat status;

	return lstat(edition->filename, &status) == 0 || errno != ENOENT;
}

bool certdir_list_edition_copy(struct certdir_list_edition *edition, struct certdir_error *error)
{
	return certdir_list_copy(edition->filename, edition->file, edition->temporary, &edition->seal, error);
}

/* Whoever could read the published file must be able to read the new one. Best effort, but not in silence. */
static void keep_permissions(const struct certdir_list_edition *edition)
{
	mode_t mode = 0640;
	struct stat old, new;

	if (stat(edition->filename, &old) == 0) {
		mode = old.st_mode & 0777;
		if (fstat(edition->file, &new) == 0 && (old.st_uid != new.st_uid || old.st_gid != new.st_gid) &&
		    fchown(edition->file, old.st_uid, old.st_gid) != 0 &&
		    fchown(edition->file, (uid_t)-1, old.st_gid) != 0)
			certdir_log(CERTDIR_LOG_WARN,
				    "%s: the new edition cannot get the old one's owner and group: %s",
				    edition->filename, strerror(errno));
	}
	if (fchmod(edition->file, mode) != 0)
		certdir_log(CERTDIR_LOG_WARN, "%s: the new edition cannot get mode %03o: %s", edition->filename,
			    (unsigned)mode, strerror(errno));
}

/* After the rename the edition is published; that its name may not survive a power cut yet is only worth a warning. */
static void sync_directory(const struct certdir_list_edition *edition)
{
	int fd = open(edition->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0)
		certdir_log(CERTDIR_LOG_WARN, "%s: fsync failed: %s; a power cut may bring the old edition of %s back",
			    edition->directory, strerror(errno), edition->filename);
	if (fd >= 0)
		(void)close(fd);
}

bool certdir_list_edition_publish(struct certdir_list_edition *edition, struct certdir_error *error)
{
	(void)unlink(edition->journal);
	if (!certdir_list_seal_append(&edition->seal, edition->file, edition->temporary, error))
		goto out;
	keep_permissions(edition);
	if (fsync(edition->file) != 0) {
		certdir_error_set(error, "%s cannot be written: %s", edition->temporary, strerror(errno));
		goto out;
	}
	if (rename(edition->temporary, edition->filename) != 0) {
		certdir_error_set(error, "%s cannot be renamed to %s: %s", edition->temporary, edition->filename,
				  strerror(errno));
		goto out;
	}
	sync_directory(edition);
	clear(edition);
	return true;
out:
	certdir_list_edition_abandon(edition);
	return false;
}

void certdir_list_edition_abandon(struct certdir_list_edition *edition)
{
	if (edition->file >= 0) {
		(void)unlink(edition->temporary);
		(void)unlink(edition->journal);
	}
	clear(edition);
}
