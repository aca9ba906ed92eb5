/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journal: any bytes are JSON, no line is half of one, and what is lost is told. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "journal/journal.h"
#include "journal/json.h"

/* ---- JSON ---- */

static char *written(struct certdir_json *json)
{
	size_t length;
	char *text = certdir_json_take(json, &length), *copy;

	assert_non_null(text);
	copy = strndup(text, length);
	free(text);
	return copy;
}

static void test_structure(void **state)
{
	struct certdir_json json = {0};
	char *text;

	(void)state;
	certdir_json_open(&json, NULL, '{');
	certdir_json_number(&json, "n", -7);
	certdir_json_open(&json, "none", '[');
	certdir_json_close(&json, ']');
	certdir_json_open(&json, "some", '[');
	certdir_json_text(&json, NULL, "a");
	certdir_json_text(&json, NULL, "");
	certdir_json_open(&json, NULL, '{');
	certdir_json_flag(&json, "yes", true);
	certdir_json_flag(&json, "no", false);
	certdir_json_close(&json, '}');
	certdir_json_text(&json, NULL, "b");
	certdir_json_close(&json, ']');
	certdir_json_text(&json, "left", NULL);
	certdir_json_base64(&json, "none64", (const unsigned char *)"", 0);
	certdir_json_base64(&json, "base64",
			    (const unsigned char *)"\0\xff"
						   "ab",
			    4);
	certdir_json_close(&json, '}');
	text = written(&json);
	assert_string_equal(text, "{\"n\":-7,\"none\":[],\"some\":[\"a\",{\"yes\":true},\"b\"],\"none64\":\"\","
				  "\"base64\":\"AP9hYg==\"}\n");
	free(text);
}

static void test_texts(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		const char *json;
	} cases[] = {
		{"plain", 5, "plain"},
		{"a\"b\\c/", 6, "a\\\"b\\\\c/"},
		{"\0\t\n\x1f\x7f", 5, "\\u0000\\u0009\\u000a\\u001f\\u007f"},
		{"B\xc3\xbcro \xf0\x9f\x98\x80", 10, "B\xc3\xbcro \xf0\x9f\x98\x80"},
		{"\xc2\x85", 2, "\\u0085"},
		{"\xe2\x80\xae", 3, "\\u202e"},
		{"\xe2\x80\xa8", 3, "\\u2028"},
		{"\xff\xc3", 2, "\\ufffd\\ufffd"},
		{"\xed\xa0\x80", 3, "\\ufffd\\ufffd\\ufffd"}, /* a surrogate */
		{"\xc0\xaf", 2, "\\ufffd\\ufffd"}, /* overlong */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct certdir_json json = {0};
		char expected[128], *text;

		certdir_json_bytes(&json, NULL, cases[i].bytes, cases[i].length);
		text = written(&json);
		(void)snprintf(expected, sizeof(expected), "\"%s\"\n", cases[i].json);
		assert_string_equal(text, expected);
		free(text);
	}
}

/* Each pair of bytes is a text that a JSON library reads, on one line. */
static void test_any_bytes(void **state)
{
	(void)state;
	for (unsigned pair = 0; pair < 0x10000; pair++) {
		const char bytes[] = {(char)(pair >> 8), (char)pair};
		struct certdir_json json = {0};
		size_t length;
		char *text;
		json_t *read;

		certdir_json_open(&json, NULL, '[');
		certdir_json_bytes(&json, NULL, bytes, sizeof(bytes));
		certdir_json_close(&json, ']');
		text = certdir_json_take(&json, &length);
		assert_non_null(text);
		assert_ptr_equal(memchr(text, '\n', length), text + length - 1);
		read = json_loadb(text, length, JSON_ALLOW_NUL, NULL);
		assert_non_null(read);
		json_decref(read);
		free(text);
	}
}

static void test_base64_back(void **state)
{
	static const char *const none[] = {
		"", "AP9hYg=", "AP9hYg", "AP9h\nYg=", " AP9hYg=", "AP9hYg=\n", "A===", "AP9hY!==", "===="};
	unsigned char bytes[64], *back;
	size_t size;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 37);
	for (size_t length = 1; length < sizeof(bytes); length++) {
		struct certdir_json json = {0};
		char *text;

		certdir_json_base64(&json, NULL, bytes, length);
		text = written(&json);
		back = certdir_json_unbase64(text + 1, strlen(text) - 3, &size);
		assert_non_null(back);
		assert_int_equal(size, length);
		assert_memory_equal(back, bytes, length);
		free(back);
		free(text);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		back = certdir_json_unbase64(none[i], strlen(none[i]), &size);
		if (back)
			fail_msg("\"%s\" is taken", none[i]);
	}
}

/* ---- the file ---- */

static char directory[] = "/tmp/certdir-journal-XXXXXX", filename[64], other[64];
static unsigned errors, warnings;
static char said[CERTDIR_TEXT_MAX];

static void keep(enum certdir_log_level level, const char *text)
{
	errors += level == CERTDIR_LOG_ERROR;
	warnings += level == CERTDIR_LOG_WARN;
	(void)snprintf(said, sizeof(said), "%s", text);
}

static int set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(directory));
	(void)snprintf(filename, sizeof(filename), "%s/journal", directory);
	(void)snprintf(other, sizeof(other), "%s/other", directory);
	certdir_log_set(keep);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(filename);
	(void)unlink(other);
	return rmdir(directory);
}

static int clean(void **state)
{
	(void)state;
	(void)unlink(filename);
	(void)unlink(other);
	errors = warnings = 0;
	return 0;
}

static struct certdir_journal *opened(void)
{
	struct certdir_error error;
	struct certdir_journal *journal = certdir_journal_open(filename, &error);

	assert_non_null(journal);
	return journal;
}

static void add(struct certdir_journal *journal, const char *line)
{
	certdir_journal_add(journal, strdup(line), strlen(line));
}

static void assert_file(const char *name, const char *expected)
{
	char text[1024];
	const int file = open(name, O_RDONLY);
	const ssize_t length = read(file, text, sizeof(text) - 1);

	assert_true(length >= 0);
	text[length] = '\0';
	assert_string_equal(text, expected);
	(void)close(file);
}

/* Until the thread has written all that was added: the size tells. */
static void wait_size(const char *name, off_t size)
{
	struct stat status;

	for (unsigned i = 0; i < 10000 && (stat(name, &status) != 0 || status.st_size != size); i++)
		(void)usleep(500);
	assert_int_equal(status.st_size, size);
}

static void test_lines_are_added(void **state)
{
	struct certdir_journal *journal;
	struct stat status;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		journal = opened();
		add(journal, "{\"a\":1}\n");
		add(journal, "{\"b\":2}\n");
		certdir_journal_close(journal);
	}
	assert_file(filename, "{\"a\":1}\n{\"b\":2}\n{\"a\":1}\n{\"b\":2}\n");
	assert_int_equal(stat(filename, &status), 0);
	assert_int_equal(status.st_mode & 0137, 0);
	assert_int_equal(errors + warnings, 0);
	certdir_journal_close(NULL);
}

/* As logrotate(8) does it: with `create`, and with the name gone. */
static void test_rotated(void **state)
{
	struct certdir_journal *journal = opened();

	(void)state;
	add(journal, "{\"a\":1}\n");
	wait_size(filename, 8);
	assert_int_equal(rename(filename, other), 0);
	add(journal, "{\"b\":2}\n");
	wait_size(filename, 8);
	assert_int_equal(rename(filename, other), 0);
	(void)close(open(filename, O_WRONLY | O_CREAT, 0640));
	add(journal, "{\"c\":3}\n");
	certdir_journal_close(journal);
	assert_file(other, "{\"b\":2}\n");
	assert_file(filename, "{\"c\":3}\n");
	assert_int_equal(errors + warnings, 0);
}

static void test_too_much_is_dropped_and_told(void **state)
{
	struct certdir_journal *journal = opened();

	(void)state;
	certdir_journal_add(journal, calloc(1, CERTDIR_JOURNAL_WAITING_MAX + 1), CERTDIR_JOURNAL_WAITING_MAX + 1);
	certdir_journal_add(journal, NULL, 0);
	add(journal, "{\"a\":1}\n");
	add(journal, "{\"b\":2}\n");
	certdir_journal_close(journal);
	assert_file(filename, "{\"dropped\":2,\"a\":1}\n{\"b\":2}\n");
	assert_int_equal(errors, 0);
	assert_int_equal(warnings, 1);
	assert_non_null(strstr(said, "lacks 2 decisions"));
}

static void limit(rlim_t bytes)
{
	struct rlimit size;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &size), 0);
	size.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &size), 0);
}

/* A limit of the file's size stands for a disk that is full: it takes a part of a line, and then nothing. */
static void test_full_disk(void **state)
{
	struct certdir_journal *journal = opened();

	(void)state;
	add(journal, "{\"a\":1}\n");
	wait_size(filename, 8);
	limit(12);
	add(journal, "{\"b\":2}\n");
	wait_size(filename, 12);
	limit(RLIM_INFINITY);
	add(journal, "{\"d\":4}\n");
	certdir_journal_close(journal);
	assert_int_equal(errors, 1);
	assert_int_equal(warnings, 1);
	assert_file(filename, "{\"a\":1}\n{\"b\"\n{\"dropped\":1,\"d\":4}\n");
}

static void test_what_cannot_be_opened(void **state)
{
	struct certdir_journal *journal;

	(void)state;
	assert_int_equal(mkdir(filename, 0700), 0);
	journal = opened();
	add(journal, "{\"a\":1}\n");
	certdir_journal_close(journal);
	assert_int_equal(errors, 1);
	assert_int_equal(rmdir(filename), 0);

	assert_int_equal(mkfifo(filename, 0600), 0);
	journal = opened();
	add(journal, "{\"a\":1}\n");
	certdir_journal_close(journal);
	assert_int_equal(errors, 2);
	assert_int_equal(unlink(filename), 0);

	assert_int_equal(symlink(other, filename), 0);
	journal = opened();
	add(journal, "{\"a\":1}\n");
	certdir_journal_close(journal);
	assert_int_equal(errors, 3);
	assert_int_equal(access(other, F_OK), -1);
	assert_int_equal(warnings, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_structure),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_base64_back),
		cmocka_unit_test_setup(test_lines_are_added, clean),
		cmocka_unit_test_setup(test_rotated, clean),
		cmocka_unit_test_setup(test_too_much_is_dropped_and_told, clean),
		cmocka_unit_test_setup(test_full_disk, clean),
		cmocka_unit_test_setup(test_what_cannot_be_opened, clean),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
