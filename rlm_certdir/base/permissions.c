/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/permissions.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { GROUPS_MAX = 64, PASSWD_MAX = 4096 };

/* Asked of the name service only for files that a group can write which is neither root's nor ours. */
static bool is_group_of(gid_t group, uid_t user)
{
	char buffer[PASSWD_MAX];
	struct passwd entry, *found = NULL;

	return getpwuid_r(user, &entry, buffer, sizeof(buffer), &found) == 0 && found && found->pw_gid == group;
}

static bool is_trusted(gid_t group, uid_t owner)
{
	gid_t groups[GROUPS_MAX];
	const int count = getgroups(GROUPS_MAX, groups);

	if (group == 0 || group == getegid())
		return true;
	for (int i = 0; i < count; i++)
		if (groups[i] == group)
			return true;
	return is_group_of(group, owner);
}

/* Whether others can write it. In a sticky directory they can add files, and neither remove nor replace those of others. */
static bool check_mode(const char *name, const struct stat *status, struct certdir_error *finding)
{
	const bool sticky = S_ISDIR(status->st_mode) && (status->st_mode & S_ISVTX);
	const bool others = status->st_mode & S_IWOTH;
	const bool group = (status->st_mode & S_IWGRP) && !is_trusted(status->st_gid, status->st_uid);

	if (sticky || (!others && !group))
		return true;
	if (others)
		certdir_error_set(finding,
				  "%s has mode %04o: anybody can change it, and so let devices in; do: chmod %s %s",
				  name, (unsigned)(status->st_mode & 07777), group ? "go-w" : "o-w", name);
	else
		certdir_error_set(
			finding,
			"%s has mode %04o: members of group %u can change it, and so let devices in; do: chmod g-w %s",
			name, (unsigned)(status->st_mode & 07777), (unsigned)status->st_gid, name);
	return false;
}

static bool check_owner(const char *name, const struct stat *status, const char *directory, uid_t directory_owner,
			struct certdir_error *finding)
{
	if (status->st_uid == 0 || status->st_uid == geteuid() || status->st_uid == directory_owner)
		return true;
	certdir_error_set(finding,
			  "%s belongs to user %u, who is neither root nor the owner of %s, and can let devices in; do: "
			  "chown --reference=%s %s",
			  name, (unsigned)status->st_uid, directory, directory, name);
	return false;
}

/* `name` is above the directory that the file stands in, and whoever owns it can put another directory in the place of that one. */
static bool check_owner_above(const char *name, const struct stat *status, uid_t owner, struct certdir_error *finding)
{
	if (status->st_uid == 0 || status->st_uid == geteuid() || status->st_uid == owner)
		return true;
	certdir_error_set(
		finding,
		"%s belongs to user %u, who can put other files in the place of what is below it, and so let devices "
		"in; do: chown root %s",
		name, (unsigned)status->st_uid, name);
	return false;
}

/* The directory that `real`, an absolute name without links, stands in, and all above; `real` is cut on the way. */
static bool check_above(char *real, struct certdir_error *finding)
{
	bool above = false;
	struct stat status;
	uid_t owner = 0; /* of the directory that it stands in */

	do {
		char *slash = strrchr(real, '/');

		slash[slash == real] = '\0';
		if (stat(real, &status) != 0)
			continue;
		if (!check_mode(real, &status, finding) || (above && !check_owner_above(real, &status, owner, finding)))
			return false;
		owner = above ? owner : status.st_uid;
		above = true;
	} while (real[1]);
	return true;
}

static bool check_real(char *real, struct certdir_error *finding)
{
	char *copy = strdup(real), *directory = copy ? dirname(copy) : NULL;
	struct stat status, above;
	bool ok = true;

	/* /dev/null in its place is anybody's to write, and has to stay so; whoever opens it says what it is. */
	if (directory && stat(real, &status) == 0 && S_ISREG(status.st_mode) && stat(directory, &above) == 0)
		ok = check_owner(real, &status, directory, above.st_uid, finding) && check_mode(real, &status, finding);
	free(copy);
	return ok && check_above(real, finding);
}

/* The real directory that the name itself stands in, which another one can be if it is a link; with a name in it. */
static char *place_of(const char *filename)
{
	char *copy = strdup(filename), *directory = copy ? realpath(dirname(copy), NULL) : NULL;
	char *place = directory ? realloc(directory, strlen(directory) + 3) : NULL;

	if (place)
		strcat(place, "/.");
	else
		free(directory);
	free(copy);
	return place;
}

bool certdir_permissions_check(const char *filename, struct certdir_error *finding)
{
	char *real = realpath(filename, NULL), *place = place_of(filename);
	bool ok = true;

	if (real)
		ok = check_real(real, finding);
	if (ok && place)
		ok = check_above(place, finding);
	free(real);
	free(place);
	return ok;
}

void certdir_permissions_warn(const char *filename)
{
	struct certdir_error finding;

	if (!certdir_permissions_check(filename, &finding))
		certdir_log(CERTDIR_LOG_WARN, "%s", finding.text);
}

void certdir_permissions_follow(int file, const char *directory, const char *name)
{
	struct stat status;

	if (geteuid() != 0)
		return;
	if (stat(directory, &status) != 0 || fchown(file, status.st_uid, status.st_gid) != 0)
		certdir_log(CERTDIR_LOG_WARN, "%s cannot get owner and group of %s: %s", name, directory,
			    strerror(errno));
}

void certdir_permissions_succeed(int file, const char *before, const char *directory, const char *name)
{
	struct stat old, now, above;

	certdir_permissions_follow(file, directory, name);
	if (lstat(before, &old) != 0 || !S_ISREG(old.st_mode))
		return;
	if (geteuid() == 0 && stat(directory, &above) == 0) {
		old.st_uid = old.st_uid ? old.st_uid : above.st_uid;
		old.st_gid = old.st_gid ? old.st_gid : above.st_gid;
	}
	if (fstat(file, &now) == 0 && (old.st_uid != now.st_uid || old.st_gid != now.st_gid) &&
	    fchown(file, old.st_uid, old.st_gid) != 0 && fchown(file, (uid_t)-1, old.st_gid) != 0)
		certdir_log(CERTDIR_LOG_WARN, "%s cannot get owner and group of %s: %s", name, before, strerror(errno));
}

/* A file that has another name as well is somebody else's, linked into the directory so that we write into it. */
static int refuse_linked(int file)
{
	struct stat status;

	if (fstat(file, &status) == 0 && status.st_nlink <= 1)
		return file;
	(void)close(file);
	errno = EMLINK;
	return -1;
}

int certdir_permissions_open(const char *filename, mode_t mode)
{
	const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	char *directory;
	int file;

	for (;;) {
		file = open(filename, flags);
		if (file >= 0)
			return refuse_linked(file);
		if (errno != ENOENT)
			return -1;
		file = open(filename, flags | O_CREAT | O_EXCL, mode);
		if (file >= 0)
			break;
		if (errno != EEXIST)
			return -1;
	}
	directory = certdir_file_directory(filename);
	if (directory)
		certdir_permissions_follow(file, directory, filename);
	free(directory);
	return file;
}

bool certdir_permissions_give(const char *filename, uid_t user, gid_t group)
{
	int file = geteuid() == 0 ? open(filename, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY) : -1,
	    code;
	struct stat status;
	bool ok;

	if (geteuid() != 0)
		return true;
	if (file >= 0)
		file = refuse_linked(file);
	ok = file >= 0 && fstat(file, &status) == 0 && fchown(file, status.st_uid ? (uid_t)-1 : user, group) == 0;
	code = errno;
	if (file >= 0)
		(void)close(file);
	errno = code;
	return ok;
}
