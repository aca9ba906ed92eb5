/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a service tells systemd, heard by sockets of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/notify.h"

/* A socket of that name, as $NOTIFY_SOCKET has it. */
static int listen_at(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int file = socket(AF_UNIX, SOCK_DGRAM, 0);

	memcpy(address.sun_path, name, strlen(name));
	if (*name == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(bind(file, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
			 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	return file;
}

static void expect(int file, const char *wanted)
{
	char got[4096];
	struct pollfd poll_file = {.fd = file, .events = POLLIN};
	ssize_t length;

	assert_int_equal(poll(&poll_file, 1, 5000), 1);
	length = recv(file, got, sizeof(got) - 1, 0);
	assert_true(length >= 0);
	got[length] = '\0';
	assert_string_equal(got, wanted);
}

static void test_sockets(void **state)
{
	char file_name[64], abstract[64];
	int file;

	(void)state;
	(void)snprintf(file_name, sizeof(file_name), "/tmp/certdir-notify-%d", (int)getpid());
	file = listen_at(file_name);
	certdir_notify("READY=1\nSTATUS=here");
	expect(file, "READY=1\nSTATUS=here");
	certdir_notify_say("STATUS=%s", "two\nlines, M\xc3\xbcller");
	expect(file, "STATUS=two?lines, M\xc3\xbcller");
	(void)close(file);
	(void)unlink(file_name);
	(void)snprintf(abstract, sizeof(abstract), "@certdir-notify-%d", (int)getpid());
	file = listen_at(abstract);
	certdir_notify("WATCHDOG=1");
	expect(file, "WATCHDOG=1");
	(void)close(file);
}

/* Nobody there, no name, and names that are none: nothing happens. */
static void test_nobody(void **state)
{
	static const char *const names[] = {"", "@", "relative", "/tmp/certdir-nobody-is-here",
					    "/0123456789012345678901234567890123456789012345678901234567890123456789"
					    "0123456789012345678901234567890123456789"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)setenv("NOTIFY_SOCKET", names[i], 1);
		certdir_notify("READY=1");
	}
	(void)unsetenv("NOTIFY_SOCKET");
	certdir_notify("READY=1");
}

static void test_watchdog(void **state)
{
	char self[32], other[32];
	const struct {
		const char *usec, *pid;
		int64_t wanted;
	} cases[] = {{NULL, NULL, 0},
		     {"30000000", NULL, 30000000},
		     {"30000000", self, 30000000},
		     {"30000000", other, 0},
		     {"-1", NULL, 0},
		     {"3s", NULL, 0},
		     {"", NULL, 0},
		     {"99999999999999999999", NULL, 0}};

	(void)state;
	(void)snprintf(self, sizeof(self), "%d", (int)getpid());
	(void)snprintf(other, sizeof(other), "%d", (int)getpid() + 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)unsetenv("WATCHDOG_USEC");
		(void)unsetenv("WATCHDOG_PID");
		if (cases[i].usec)
			(void)setenv("WATCHDOG_USEC", cases[i].usec, 1);
		if (cases[i].pid)
			(void)setenv("WATCHDOG_PID", cases[i].pid, 1);
		assert_int_equal(certdir_notify_watchdog(), cases[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_sockets), cmocka_unit_test(test_nobody),
					   cmocka_unit_test(test_watchdog)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
