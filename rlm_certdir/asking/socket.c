/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "asking/socket.h"

#include <errno.h>
#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/background.h"

enum { BACKLOG = 64 };

/* An open socket and the address beside the list; -1 with `error`. */
static int open_socket(const char *list, struct sockaddr_un *address, struct certdir_error *error)
{
	const size_t length = strlen(list);
	int file;

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (length + sizeof(CERTDIR_ASKING_SUFFIX) > sizeof(address->sun_path)) {
		certdir_error_set(error, "%s" CERTDIR_ASKING_SUFFIX ": longer than a socket's name may be, %zu bytes",
				  list, sizeof(address->sun_path) - 1);
		return -1;
	}
	memcpy(address->sun_path, list, length);
	memcpy(address->sun_path + length, CERTDIR_ASKING_SUFFIX, sizeof(CERTDIR_ASKING_SUFFIX));
	file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (file < 0)
		certdir_error_set(error, "%s: %s", address->sun_path, strerror(errno));
	return file;
}

static bool connect_to(int file, const struct sockaddr_un *address)
{
	return connect(file, (const struct sockaddr *)address, sizeof(*address)) == 0;
}

/* ---- who is asked ---- */

/* Whether somebody listens there. A socket that its maker left behind refuses. */
static bool is_taken(const char *list)
{
	struct sockaddr_un address;
	struct certdir_error error;
	const int file = open_socket(list, &address, &error);
	bool taken;

	if (file < 0)
		return false;
	taken = connect_to(file, &address) || errno == EAGAIN;
	(void)close(file);
	return taken;
}

/* Of root's socket: it is for whom the list is for, or its directory before there is a list. */
static bool hand_over(const char *name, const char *list)
{
	char *copy = strdup(name);
	struct stat status;
	bool ok = geteuid() != 0;

	if (!ok && copy && ((stat(list, &status) == 0 && status.st_gid != 0) || stat(dirname(copy), &status) == 0))
		ok = lchown(name, status.st_uid, status.st_gid) == 0;
	free(copy);
	return ok;
}

int certdir_asking_listen(const char *list, struct certdir_error *error)
{
	struct sockaddr_un address;
	struct stat status;
	int file;

	if (is_taken(list)) {
		certdir_error_set(error, "%s" CERTDIR_ASKING_SUFFIX ": another certdir sync that stays is asked there",
				  list);
		return -1;
	}
	file = open_socket(list, &address, error);
	if (file < 0)
		return -1;
	/* Nothing but a socket is in the way. */
	if (lstat(address.sun_path, &status) == 0 && S_ISSOCK(status.st_mode))
		(void)unlink(address.sun_path);
	/* Nobody can connect before it listens, and so the mode is set in time. */
	if (bind(file, (struct sockaddr *)&address, sizeof(address)) == 0 && chmod(address.sun_path, 0660) == 0 &&
	    hand_over(address.sun_path, list) && listen(file, BACKLOG) == 0)
		return file;
	certdir_error_set(error, "%s: %s", address.sun_path, strerror(errno));
	(void)close(file);
	return -1;
}

void certdir_asking_unlisten(int file, const char *list)
{
	struct sockaddr_un address;
	struct certdir_error error;
	const int other = open_socket(list, &address, &error);

	if (other >= 0)
		(void)unlink(address.sun_path);
	if (other >= 0)
		(void)close(other);
	(void)close(file);
}

bool certdir_asking_peer(int file, uid_t *user)
{
	struct ucred credentials;
	socklen_t size = sizeof(credentials);

	if (getsockopt(file, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0 || size != sizeof(credentials))
		return false;
	*user = credentials.uid;
	return true;
}

/* ---- who asks ---- */

static bool owns(uid_t user, const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && user == status.st_uid;
}

/* Who owns the list's directory can put any list there: he may be another than who published this one. */
static bool check_peer(int file, const char *list, struct certdir_error *error)
{
	const char *slash = strrchr(list, '/');
	char directory[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	uid_t user;

	snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash - list + 1) : 1, slash ? list : ".");
	if (certdir_asking_peer(file, &user) && (user == 0 || owns(user, list) || owns(user, directory)))
		return true;
	certdir_error_set(error,
			  "%s" CERTDIR_ASKING_SUFFIX ": who listens there is neither root nor the owner of the list or "
			  "its directory",
			  list);
	return false;
}

static bool wait_for(int file, int64_t deadline)
{
	struct pollfd poll_file = {.fd = file, .events = POLLIN};
	const int64_t left = deadline - certdir_monotonic();

	return left > 0 && poll(&poll_file, 1, (int)(left / 1000) + 1) > 0;
}

/* One line, as far as it comes. */
static enum certdir_reply receive(int file, int64_t deadline, bool *late)
{
	char line[CERTDIR_ASKING_LINE];
	size_t used = 0;

	*late = true;
	while (wait_for(file, deadline)) {
		const ssize_t got = recv(file, line + used, sizeof(line) - used, 0);

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (got > 0)
			used += (size_t)got;
		if (got <= 0 || used == sizeof(line) || line[used - 1] == '\n') {
			*late = false;
			return certdir_reply_read(line, used);
		}
	}
	return CERTDIR_REPLY_NONE;
}

enum certdir_reply certdir_asking_ask(const char *list, const struct certdir_question *question, int64_t deadline,
				      struct certdir_error *error)
{
	enum certdir_reply reply = CERTDIR_REPLY_NONE;
	char line[CERTDIR_ASKING_LINE];
	struct sockaddr_un address;
	bool late = false;
	int file;

	certdir_question_print(question, line);
	file = open_socket(list, &address, error);
	if (file < 0)
		return reply;
	/* A local socket connects at once, or its queue is full. */
	if (!connect_to(file, &address) || send(file, line, strlen(line), MSG_NOSIGNAL) != (ssize_t)strlen(line)) {
		certdir_error_set(error, "%s: %s", address.sun_path, strerror(errno));
	} else if (check_peer(file, list, error)) {
		reply = receive(file, deadline, &late);
		if (reply == CERTDIR_REPLY_NONE)
			certdir_error_set(error, "%s: %s", address.sun_path,
					  late ? "no answer in time" : "an answer that cannot be understood");
	}
	(void)close(file);
	return reply;
}
