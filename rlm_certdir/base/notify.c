/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/notify.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void certdir_notify(const char *lines)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	const size_t length = name ? strlen(name) : 0;
	int file;

	if (length < 2 || length >= sizeof(to.sun_path) || (*name != '/' && *name != '@'))
		return;
	memcpy(to.sun_path, name, length);
	if (*name == '@')
		to.sun_path[0] = '\0'; /* abstract: not a file, and as long as its length says */
	file = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (file < 0)
		return;
	(void)!sendto(file, lines, strlen(lines), MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to,
		      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
	(void)close(file);
}

void certdir_notify_say(const char *format, ...)
{
	char line[CERTDIR_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	certdir_vsay(line, format, arguments);
	va_end(arguments);
	/* A line's end would begin another message. */
	for (char *at = line; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	certdir_notify(line);
}

static int64_t number_of(const char *name)
{
	const char *text = getenv(name);
	char *end;
	long long number;

	if (!text || *text < '0' || *text > '9' || strlen(text) > 18)
		return 0;
	number = strtoll(text, &end, 10);
	return *end ? 0 : (int64_t)number;
}

int64_t certdir_notify_watchdog(void)
{
	const int64_t watched = number_of("WATCHDOG_PID");

	return watched == 0 || watched == (int64_t)getpid() ? number_of("WATCHDOG_USEC") : 0;
}
