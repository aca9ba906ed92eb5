/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A server asks the sync beside it: lines, hostile ones too, how much may be asked, and who is asked how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "asking/bounds.h"
#include "asking/client.h"
#include "asking/socket.h"
#include "base/background.h"

#define ID "5a8ff6fb-1e2a-4c5b-9a6d-0123456789ab"
#define TENANT "72f988bf-86f1-41af-91ab-2d7cd011db47"

/* ---- lines ---- */

static void test_lines(void **state)
{
	static const char *const lines[] = {"certdir 1 round\n", "certdir 1 device entra_device_id " ID " -\n",
					    "certdir 1 device intune_device_id " ID " " TENANT "\n",
					    "certdir 1 device device_guid " ID " -\n"};
	char line[CERTDIR_ASKING_LINE];
	struct certdir_question question;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_true(certdir_question_read(&question, lines[i], strlen(lines[i])));
		certdir_question_print(&question, line);
		assert_string_equal(line, lines[i]);
		/* cut, or with something behind it */
		for (size_t length = 0; length < strlen(lines[i]); length++)
			assert_false(certdir_question_read(&question, lines[i], length));
		assert_false(certdir_question_read(&question, lines[i], strlen(lines[i]) + 1));
	}
	for (enum certdir_reply reply = CERTDIR_REPLY_KNOWN; reply <= CERTDIR_REPLY_REFUSED; reply++) {
		certdir_reply_print(reply, line);
		assert_int_equal(certdir_reply_read(line, strlen(line)), reply);
		assert_int_equal(certdir_reply_read(line, strlen(line) - 1), CERTDIR_REPLY_NONE);
		assert_int_equal(certdir_reply_read(line, strlen(line) + 1), CERTDIR_REPLY_NONE);
	}
}

static void test_hostile_lines(void **state)
{
	static const char *const lines[] = {"",
					    "\n",
					    "certdir 2 round\n",
					    "certdir 1 Round\n",
					    "certdir 1  round\n",
					    "certdir 1 round\r\n",
					    "certdir 1 round\n\n",
					    "certdir 1 device sid S-1-5-21-1 -\n",
					    "certdir 1 device entra_device_id 5A8FF6FB-1E2A-4C5B-9A6D-0123456789AB -\n",
					    "certdir 1 device entra_device_id {" ID "} -\n",
					    "certdir 1 device entra_device_id " ID "\n",
					    "certdir 1 device entra_device_id " ID " " ID "x\n",
					    "certdir 1 device entra_device_id ' or 1 eq 1 or deviceId eq '      -\n",
					    "certdir 1 device entra_device_id 00000000-0000-0000-0000-000000000000x-\n",
					    "GET / HTTP/1.1\r\n\r\n"};
	struct certdir_question question;
	char noise[CERTDIR_ASKING_LINE];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_false(certdir_question_read(&question, lines[i], strlen(lines[i])));
	/* one byte that is another one */
	for (size_t at = 0; at < sizeof("certdir 1 device device_guid " ID " -\n") - 1; at++) {
		(void)snprintf(noise, sizeof(noise), "certdir 1 device device_guid " ID " -\n");
		noise[at] = '\0';
		assert_false(
			certdir_question_read(&question, noise, sizeof("certdir 1 device device_guid " ID " -\n") - 1));
	}
	assert_int_equal(certdir_reply_read("certdir 1 KNOWN\n", 16), CERTDIR_REPLY_NONE);
	assert_int_equal(certdir_reply_read("", 0), CERTDIR_REPLY_NONE);
}

/* ---- bounds ---- */

static struct certdir_question ask_for(unsigned number)
{
	struct certdir_question question = {.type = CERTDIR_ID_ENTRA};

	(void)snprintf(question.id, sizeof(question.id), "5a8ff6fb-1e2a-4c5b-9a6d-%012x", number);
	return question;
}

static void test_rate(void **state)
{
	struct certdir_rate rate = {0};
	int64_t now = 1000 * CERTDIR_SECOND;
	unsigned taken = 0;

	(void)state;
	for (int i = 0; i < 1000; i++)
		taken += certdir_rate_take(&rate, 1, now);
	assert_int_equal(taken, 30);
	/* a thousand a second, for a minute */
	for (int i = 0; i < 60000; i++)
		taken += certdir_rate_take(&rate, 1, now += CERTDIR_SECOND / 1000);
	assert_int_equal(taken, 90);
	/* three at once, or none */
	now += 2 * CERTDIR_SECOND;
	assert_false(certdir_rate_take(&rate, 3, now));
	assert_true(certdir_rate_take(&rate, 2, now));
	/* rest does not add up to more */
	now += 3600 * CERTDIR_SECOND;
	assert_true(certdir_rate_take(&rate, 30, now));
	assert_false(certdir_rate_take(&rate, 1, now));
	certdir_rate_return(&rate, 2);
	assert_true(certdir_rate_take(&rate, 2, now));
	assert_false(certdir_rate_take(&rate, 1, now));
}

static void test_unknown(void **state)
{
	struct certdir_unknown *unknown = calloc(1, sizeof(*unknown));
	const int64_t now = 5 * CERTDIR_SECOND;
	struct certdir_question question = ask_for(1), other;
	size_t kept = 0;

	(void)state;
	assert_false(certdir_unknown_has(unknown, &question, now));
	certdir_unknown_add(unknown, &question, now);
	assert_true(certdir_unknown_has(unknown, &question, now + 59 * CERTDIR_SECOND));
	assert_false(certdir_unknown_has(unknown, &question, now + 60 * CERTDIR_SECOND));
	/* of another kind or tenant it is another question */
	other = question;
	other.type = CERTDIR_ID_INTUNE;
	assert_false(certdir_unknown_has(unknown, &other, now));
	other = question;
	strcpy(other.tenant, TENANT);
	assert_false(certdir_unknown_has(unknown, &other, now));
	/* many more than there is room for: it stays as large as it is, and most of the last are there */
	for (unsigned i = 0; i < 100000; i++) {
		question = ask_for(i);
		certdir_unknown_add(unknown, &question, now);
	}
	for (unsigned i = 99000; i < 100000; i++) {
		question = ask_for(i);
		kept += certdir_unknown_has(unknown, &question, now);
	}
	assert_in_range(kept, 700, 1000);
	free(unknown);
}

/* ---- sockets ---- */

static char list[64];

static int make_list(void **state)
{
	FILE *file;

	(void)state;
	(void)snprintf(list, sizeof(list), "/tmp/certdir-asking-%d", (int)getpid());
	file = fopen(list, "w");
	return file ? fclose(file) : -1;
}

static int remove_list(void **state)
{
	(void)state;
	return unlink(list);
}

struct server {
	int file;
	const char *says; /* NULL: nothing */
	int times;
};

static void *serve(void *context)
{
	struct server *server = context;

	for (int i = 0; i < server->times; i++) {
		int file;
		char line[CERTDIR_ASKING_LINE];

		while ((file = accept(server->file, NULL, NULL)) < 0)
			;
		assert_true(recv(file, line, sizeof(line), 0) > 0);
		if (server->says)
			assert_true(send(file, server->says, strlen(server->says), MSG_NOSIGNAL) > 0);
		/* until it has gone */
		while (!server->says && recv(file, line, sizeof(line), 0) > 0)
			;
		(void)close(file);
	}
	return NULL;
}

static void test_socket(void **state)
{
	static const struct {
		const char *says;
		enum certdir_reply reply;
		const char *why;
	} cases[] = {{"certdir 1 known\n", CERTDIR_REPLY_KNOWN, ""},
		     {"certdir 1 busy\n", CERTDIR_REPLY_BUSY, ""},
		     {"certdir 1 kno", CERTDIR_REPLY_NONE, "an answer that cannot be understood"},
		     {"HTTP/1.1 200 OK\r\n", CERTDIR_REPLY_NONE, "an answer that cannot be understood"},
		     {NULL, CERTDIR_REPLY_NONE, "no answer in time"}};
	const struct certdir_question question = ask_for(1);
	struct certdir_error error;
	struct stat status;
	char name[80];
	int file;

	(void)state;
	(void)snprintf(name, sizeof(name), "%s" CERTDIR_ASKING_SUFFIX, list);
	assert_int_equal(certdir_asking_ask(list, &question, INT64_MAX, &error), CERTDIR_REPLY_NONE);
	file = certdir_asking_listen(list, &error);
	assert_true(file >= 0);
	assert_int_equal(stat(name, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0660);
	/* there is one at a time */
	assert_int_equal(certdir_asking_listen(list, &error), -1);
	assert_non_null(strstr(error.text, "another certdir sync"));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct server server = {file, cases[i].says, 1};
		pthread_t thread;

		/* The one that came for the test of who is there has gone. */
		while (i == 0 && (server.times = accept(file, NULL, NULL)) >= 0)
			(void)close(server.times);
		server.times = 1;
		assert_int_equal(pthread_create(&thread, NULL, serve, &server), 0);
		error.text[0] = '\0';
		assert_int_equal(certdir_asking_ask(list, &question, certdir_monotonic() + 300000, &error),
				 cases[i].reply);
		assert_non_null(strstr(error.text, cases[i].why));
		(void)pthread_join(thread, NULL);
	}
	certdir_asking_unlisten(file, list);
	assert_int_equal(access(name, F_OK), -1);
	/* one that somebody left behind */
	file = certdir_asking_listen(list, &error);
	(void)close(file);
	assert_int_equal(access(name, F_OK), 0);
	file = certdir_asking_listen(list, &error);
	assert_true(file >= 0);
	certdir_asking_unlisten(file, list);
	assert_int_equal(
		certdir_asking_listen("/tmp/0123456789012345678901234567890123456789012345678901234567890123456789"
				      "0123456789012345678901234567890123456789",
				      &error),
		-1);
	assert_non_null(strstr(error.text, "longer"));
}

/* A list that root made by hand, in the directory of the sync's user, who is asked all the same; nobody else is believed. */
static void test_owner(void **state)
{
	static const uid_t owners[] = {0, 65534};
	const struct certdir_question question = ask_for(1);
	struct certdir_error error;
	char directory[] = "/tmp/test_asking.XXXXXX", path[64];

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_non_null(mkdtemp(directory));
	assert_int_equal(chmod(directory, 0777), 0);
	(void)snprintf(path, sizeof(path), "%s/list", directory);
	(void)close(open(path, O_CREAT | O_WRONLY, 0600));
	for (size_t i = 0; i < 2; i++) {
		struct server server = {.says = owners[i] ? "certdir 1 known\n" : NULL, .times = 1};
		pthread_t thread;

		/* A socket is of who began to listen there. */
		assert_int_equal(chown(directory, owners[i], 0), 0);
		assert_int_equal(seteuid(65534), 0);
		server.file = certdir_asking_listen(path, &error);
		assert_int_equal(seteuid(0), 0);
		assert_true(server.file >= 0);
		assert_int_equal(pthread_create(&thread, NULL, serve, &server), 0);
		assert_int_equal(certdir_asking_ask(path, &question, certdir_monotonic() + CERTDIR_SECOND, &error),
				 owners[i] ? CERTDIR_REPLY_KNOWN : CERTDIR_REPLY_NONE);
		assert_true(owners[i] || strstr(error.text, "neither root"));
		(void)pthread_join(thread, NULL);
		certdir_asking_unlisten(server.file, path);
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(directory), 0);
}

/* Of root's socket: the server, which has the list's group, must be able to write there. */
static void test_socket_of_root(void **state)
{
	struct certdir_error error;
	struct stat status;
	char name[80];
	int file;

	(void)state;
	if (geteuid() != 0)
		skip();
	(void)snprintf(name, sizeof(name), "%s" CERTDIR_ASKING_SUFFIX, list);
	assert_int_equal(chown(list, 12345, 12346), 0);
	file = certdir_asking_listen(list, &error);
	assert_true(file >= 0 && stat(name, &status) == 0);
	assert_int_equal(status.st_uid, 12345);
	assert_int_equal(status.st_gid, 12346);
	certdir_asking_unlisten(file, list);
}

/* Who does not answer is not waited for again and again; and of those who wait there are not more than may. */
static void test_breaker(void **state)
{
	const struct certdir_question question = ask_for(1);
	struct certdir_error error;
	const int file = certdir_asking_listen(list, &error);
	struct certdir_asker *asker = certdir_asker_open(list, 1), *none = certdir_asker_open(list, 0);
	int64_t began = certdir_monotonic();

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(certdir_asker_ask(asker, &question), CERTDIR_REPLY_NONE);
	assert_in_range(certdir_monotonic() - began, 2 * CERTDIR_ASKING_WAIT, 2 * CERTDIR_ASKING_WAIT + CERTDIR_SECOND);
	began = certdir_monotonic();
	assert_int_equal(certdir_asker_ask(none, &question), CERTDIR_REPLY_NONE);
	assert_true(certdir_monotonic() - began < CERTDIR_SECOND / 2);
	certdir_asker_close(asker);
	certdir_asker_close(none);
	certdir_asking_unlisten(file, list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_hostile_lines),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test_setup_teardown(test_socket, make_list, remove_list),
		cmocka_unit_test(test_owner),
		cmocka_unit_test_setup_teardown(test_socket_of_root, make_list, remove_list),
		cmocka_unit_test_setup_teardown(test_breaker, make_list, remove_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
