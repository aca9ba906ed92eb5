/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/background.h"
#include "base/permissions.h"

enum { POLL = 50000000 }; /* nanoseconds */

struct lock {
	const char *filename;
	const char *directory;
	char *name; /* of the lock file */
	unsigned patience;
	int64_t until; /* microseconds, by certdir_monotonic() */
	bool told; /* that we wait */
	/*
	 * Signals that get through as we wait, and at no other moment: none comes between a look and the wait. It is all of them, so
	 * that a caller may block them before a look of his own.
	 */
	sigset_t signals;
};

static long look_for_holder(FILE *locks, ino_t inode)
{
	char line[256];

	while (fgets(line, sizeof(line), locks)) {
		unsigned long found;
		long pid;

		if (sscanf(line, "%*d: FLOCK %*s %*s %ld %*x:%*x:%lu", &pid, &found) == 2 && found == inode)
			return pid;
	}
	return 0;
}

/*
 * The process that holds a lock of the file `inode`: 0 when none does, -1 when that cannot be known. The kernel's own list needs no
 * permission to write into the lock file, and is never out of date. But it comes in pages, and the end of another lock
 * between two of them lets one be passed over: so it is read more than once before nobody is found. The device is not compared:
 * some file systems give the kernel another one than stat().
 */
static long holder_of(ino_t inode)
{
	enum { LOOKS = 4 };
	long holder = 0;

	for (unsigned i = 0; i < LOOKS && holder == 0; i++) {
		FILE *locks = fopen("/proc/locks", "re");

		holder = locks ? look_for_holder(locks, inode) : -1;
		if (locks)
			(void)fclose(locks);
	}
	return holder;
}

static void name_holder(ino_t inode, char who[40])
{
	const long holder = holder_of(inode);

	if (holder > 0)
		(void)snprintf(who, 40, "process %ld", holder);
	else
		(void)snprintf(who, 40, "another process");
}

/* One step of waiting for who holds the file `inode`. False with `error` when that takes too long. */
static bool wait_a_while(struct lock *lock, ino_t inode, struct certdir_error *error)
{
	const struct timespec step = {.tv_nsec = POLL};
	char who[40];

	name_holder(inode, who);
	if (certdir_monotonic() >= lock->until) {
		certdir_error_set(
			error,
			"%s is being written by %s, which has held %s for more than %u s: see what it waits for, "
			"and try again when it has ended",
			lock->filename, who, lock->name, lock->patience);
		return false;
	}
	if (!lock->told)
		certdir_log(CERTDIR_LOG_INFO, "waiting for %s, which is writing %s", who, lock->filename);
	lock->told = true;
	if (ppoll(NULL, 0, &step, &lock->signals) == 0)
		return true;
	certdir_error_set(error, "%s is being written by %s, and a signal ended the wait for it", lock->filename, who);
	return false;
}

/* Locks `file`. False with `error`. */
static bool hold(struct lock *lock, int file, struct certdir_error *error)
{
	struct stat status;

	while (flock(file, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK || fstat(file, &status) != 0) {
			certdir_error_set(error, "%s cannot be locked: %s", lock->name, strerror(errno));
			return false;
		}
		if (!wait_a_while(lock, status.st_ino, error))
			return false;
	}
	return true;
}

/* Makes the lock file; -1 with errno when there is one, or none can be made. */
static int make(const struct lock *lock, const char *name)
{
	const int file = open(name, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);

	if (file >= 0)
		certdir_permissions_follow(file, lock->directory, name);
	return file;
}

static int open_present(const struct lock *lock)
{
	return open(lock->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

static void remedy(const struct lock *lock, int code, struct certdir_error *error)
{
	certdir_error_set(error,
			  "%s belongs to another user and cannot be opened for a lock, nor replaced: %s; do, when no "
			  "certdir is at "
			  "work: rm %s",
			  lock->name, strerror(code), lock->name);
}

/*
 * Puts a lock file of ours, locked already, in the place of one that we may not open. Who holds that one was first and is waited
 * for; who comes now waits for us; who has opened that one and not locked it yet finds that it has lost its name, and
 * opens ours. Returns the new one, or the present one when it can be opened now; -1 with `error`.
 */
static int replace(struct lock *lock, struct certdir_error *error)
{
	char *name = NULL;
	struct stat old;
	int file = open_present(lock);

	if (file >= 0)
		return file;
	if (lstat(lock->name, &old) != 0 || holder_of(old.st_ino) < 0 ||
	    asprintf(&name, "%s.new.%ld", lock->name, (long)getpid()) < 0) {
		remedy(lock, errno, error);
		return -1;
	}
	(void)unlink(name); /* of a process of our number that was killed right here */
	file = make(lock, name);
	if (file < 0 || flock(file, LOCK_EX | LOCK_NB) != 0 || rename(name, lock->name) != 0) {
		remedy(lock, errno, error);
		goto out;
	}
	free(name);
	while (holder_of(old.st_ino) > 0)
		if (!wait_a_while(lock, old.st_ino, error)) {
			(void)close(file);
			return -1;
		}
	return file;
out:
	if (file >= 0) {
		(void)unlink(name);
		(void)close(file);
	}
	free(name);
	return -1;
}

/* The same under a lock of the directory: of two that replace at once, the second finds what the first has made. */
static int replace_alone(struct lock *lock, struct certdir_error *error)
{
	const int directory = open(lock->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int file = -1;

	if (directory < 0)
		remedy(lock, errno, error);
	else if (hold(lock, directory, error))
		file = replace(lock, error);
	if (directory >= 0)
		(void)close(directory);
	return file;
}

/* Opens the lock file, made or replaced where there is need to; -1 with `error`. */
static int open_lock(struct lock *lock, struct certdir_error *error)
{
	int file = open_present(lock);

	if (file < 0 && errno == ENOENT) {
		file = make(lock, lock->name);
		if (file < 0 && errno == EEXIST)
			file = open_present(lock);
		else if (file < 0)
			goto out;
	}
	if (file < 0 && errno == EACCES)
		return replace_alone(lock, error);
	if (file >= 0)
		return file;
out:
	certdir_error_set(error, "%s cannot be opened for a lock: %s%s", lock->name, strerror(errno),
			  errno == EACCES ? "; who writes there needs write permission for the directory" : "");
	return -1;
}

/* Whether the file still has its name: else somebody has replaced it, and what others lock is that one. */
static bool has_its_name(const struct lock *lock, int file)
{
	struct stat ours, named;

	return fstat(file, &ours) == 0 && lstat(lock->name, &named) == 0 && ours.st_dev == named.st_dev &&
	       ours.st_ino == named.st_ino;
}

static int take(struct lock *lock, struct certdir_error *error)
{
	do {
		const int file = open_lock(lock, error);

		if (file < 0)
			return -1;
		if (!hold(lock, file, error)) {
			(void)close(file);
			return -1;
		}
		if (has_its_name(lock, file))
			return file;
		(void)close(file);
	} while (certdir_monotonic() < lock->until);
	certdir_error_set(error, "%s is removed or replaced while it is being locked", lock->name);
	return -1;
}

int certdir_list_lock(const char *filename, const char *directory, unsigned patience, struct certdir_error *error)
{
	struct lock lock = {.filename = filename, .directory = directory, .patience = patience};
	sigset_t all, before;
	int file = -1;

	(void)sigemptyset(&lock.signals);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	lock.until = certdir_monotonic() + (int64_t)patience * 1000000;
	if (asprintf(&lock.name, "%s.lock", filename) < 0)
		certdir_error_set(error, "%s: out of memory", filename);
	else
		file = take(&lock, error);
	free(lock.name);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return file;
}
