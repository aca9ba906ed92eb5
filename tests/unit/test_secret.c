/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files with secrets: which are read, which are refused, and that no text shows what they hold. */
#include "conf/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[] = "/tmp/certdir-secret-XXXXXX";
static char file[64], link_name[64], fifo[64];

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	(void)snprintf(file, sizeof(file), "%s/secret", directory);
	(void)snprintf(link_name, sizeof(link_name), "%s/link", directory);
	(void)snprintf(fifo, sizeof(fifo), "%s/fifo", directory);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(file);
	(void)unlink(link_name);
	(void)unlink(fifo);
	return rmdir(directory);
}

static void put(const char *content, size_t length, mode_t mode)
{
	FILE *out = fopen(file, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(content, 1, length, out), length);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(file, mode), 0);
}

static void expect(const char *name, enum certdir_secret_kind kind, const char *content, const char *why)
{
	struct certdir_error error = {.text = ""};
	char *secret = certdir_secret_read(name, kind, &error);

	if (secret && why)
		fail_msg("read, but: %s", why);
	if (!secret && !why)
		fail_msg("refused: %s", error.text);
	if (secret)
		assert_string_equal(secret, content);
	else if (!strstr(error.text, why) || !strstr(error.text, name))
		fail_msg("\"%s\" does not say \"%s\" or the name", error.text, why);
	assert_null(strstr(error.text, "s3cret"));
	certdir_secret_free(secret);
}

static const struct {
	const char *content;
	const char *secret; /* or NULL, then: */
	const char *why;
	enum certdir_secret_kind kind;
} contents[] = {
	{"s3cret~a.b_c-d", "s3cret~a.b_c-d", NULL, CERTDIR_SECRET_CLIENT},
	{"s3cret\n", "s3cret", NULL, CERTDIR_SECRET_CLIENT},
	{"s3cret\r\n", "s3cret", NULL, CERTDIR_SECRET_CLIENT},
	{"s3cret\n\n", "s3cret", NULL, CERTDIR_SECRET_CLIENT},
	{"", NULL, "is empty", CERTDIR_SECRET_CLIENT},
	{"\n", NULL, "is empty", CERTDIR_SECRET_CLIENT},
	{"s3cret two\n", NULL, "byte 7", CERTDIR_SECRET_CLIENT},
	{" s3cret", NULL, "byte 1", CERTDIR_SECRET_CLIENT},
	{"s3cret\nsecond\n", NULL, "byte 7", CERTDIR_SECRET_CLIENT},
	{"\xef\xbb\xbfs3cret", NULL, "byte 1", CERTDIR_SECRET_CLIENT},
	{"s3cr\xc3\xa4t", NULL, "byte 5", CERTDIR_SECRET_CLIENT},
	{"0f8fad5b-d9cb-469f-a165-70867728950e\n", NULL, "secret's ID", CERTDIR_SECRET_CLIENT},
	{"0F8FAD5B-D9CB-469F-A165-70867728950E", NULL, "secret's ID", CERTDIR_SECRET_CLIENT},
	{"0f8fad5b-d9cb-469f-a165-70867728950", "0f8fad5b-d9cb-469f-a165-70867728950", NULL, CERTDIR_SECRET_CLIENT},
	{"0f8fad5b-d9cb-469f-a165-70867728950e", "0f8fad5b-d9cb-469f-a165-70867728950e", NULL, CERTDIR_SECRET_TOKEN},
	{"eyJh.eyJh.c2ln\n", "eyJh.eyJh.c2ln", NULL, CERTDIR_SECRET_TOKEN},
	{"eyJh.eyJh c2ln", NULL, "byte 10", CERTDIR_SECRET_TOKEN},
	{"two words \xc3\xa4\n", "two words \xc3\xa4", NULL, CERTDIR_SECRET_PASSWORD},
	{"0f8fad5b-d9cb-469f-a165-70867728950e\n", "0f8fad5b-d9cb-469f-a165-70867728950e", NULL,
	 CERTDIR_SECRET_PASSWORD},
	{"one\ntwo", NULL, "in one line", CERTDIR_SECRET_PASSWORD},
	{"\xef\xbb\xbfone", NULL, "byte order mark", CERTDIR_SECRET_PASSWORD},
	{"\n", NULL, "is empty", CERTDIR_SECRET_PASSWORD},
};

static void test_contents(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
		put(contents[i].content, strlen(contents[i].content), 0600);
		expect(file, contents[i].kind, contents[i].secret, contents[i].why);
	}
	put("s\0003\0c\0", 6, 0600);
	expect(file, CERTDIR_SECRET_CLIENT, NULL, "UTF-16");
}

static void test_size(void **state)
{
	char big[65 * 1024 + 1];

	(void)state;
	memset(big, 'x', sizeof(big));
	put(big, 4096, 0600);
	big[4096] = '\0';
	expect(file, CERTDIR_SECRET_CLIENT, big, NULL);
	big[4096] = 'x';
	put(big, 4097, 0600);
	expect(file, CERTDIR_SECRET_CLIENT, NULL, "more than 4096 bytes");
	put(big, 65537, 0600);
	expect(file, CERTDIR_SECRET_TOKEN, NULL, "more than 65536 bytes");
	expect("/dev/zero", CERTDIR_SECRET_CLIENT, NULL, "not a regular file");
}

static const struct {
	mode_t mode;
	const char *secret, *token; /* why not */
} modes[] = {
	{0600, NULL, NULL},
	{0400, NULL, NULL},
	{0640, NULL, NULL},
	{0440, NULL, NULL},
	{0644, "chmod o-rwx", NULL},
	{0604, "chmod o-rwx", NULL},
	{0601, "chmod o-rwx", NULL},
	{0602, "chmod o-rwx", "chmod o-w"},
	{0660, "chmod g-w,o-rwx", "chmod go-w"},
	{0620, "chmod g-w,o-rwx", "chmod go-w"},
	{0666, "chmod g-w,o-rwx", "chmod go-w"},
	{0777, "chmod g-w,o-rwx", "chmod go-w"},
};

static void test_modes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		put("s3cret", 6, modes[i].mode);
		expect(file, CERTDIR_SECRET_CLIENT, "s3cret", modes[i].secret);
		expect(file, CERTDIR_SECRET_PASSWORD, "s3cret", modes[i].secret);
		expect(file, CERTDIR_SECRET_TOKEN, "s3cret", modes[i].token);
	}
	put("s3cret", 6, 0644);
	expect(file, CERTDIR_SECRET_CLIENT, NULL, "0644");
}

static void test_owner(void **state)
{
	(void)state;
	put("s3cret", 6, 0640);
	if (geteuid() != 0)
		skip();
	/* Root takes what belongs to a service's user; another user does not take a third one's, even if his group may read it. */
	assert_int_equal(chown(file, 65533, 65534), 0);
	expect(file, CERTDIR_SECRET_CLIENT, "s3cret", NULL);
	assert_int_equal(chmod(directory, 0755), 0);
	assert_int_equal(setegid(65534), 0);
	assert_int_equal(seteuid(65534), 0);
	expect(file, CERTDIR_SECRET_CLIENT, NULL, "belongs to user 65533");
	expect(file, CERTDIR_SECRET_CLIENT, NULL, "chown 65534 ");
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(setegid(0), 0);
	assert_int_equal(chown(file, 0, 0), 0);
	expect(file, CERTDIR_SECRET_CLIENT, "s3cret", NULL);
}

static void test_bytes(void **state)
{
	struct certdir_error error = {.text = ""};
	size_t length = 0;
	char *bytes;

	(void)state;
	put("a\0b\n", 4, 0600);
	bytes = certdir_secret_read_bytes(file, &length, &error);
	assert_true(bytes && length == 4 && memcmp(bytes, "a\0b\n", 4) == 0);
	free(bytes);
	put("a", 1, 0644);
	assert_null(certdir_secret_read_bytes(file, &length, &error));
	assert_non_null(strstr(error.text, "chmod o-rwx"));
}

static void test_kinds_of_file(void **state)
{
	(void)state;
	put("s3cret", 6, 0600);
	/* Kubernetes mounts secrets as links: what counts is where they lead. */
	assert_int_equal(symlink(file, link_name), 0);
	expect(link_name, CERTDIR_SECRET_CLIENT, "s3cret", NULL);
	put("s3cret", 6, 0644);
	expect(link_name, CERTDIR_SECRET_CLIENT, NULL, "o-rwx");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	expect(fifo, CERTDIR_SECRET_CLIENT, NULL, "not a regular file");
	expect(directory, CERTDIR_SECRET_CLIENT, NULL, "not a regular file");
	expect("/nonexistent/secret", CERTDIR_SECRET_CLIENT, NULL, "No such file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contents), cmocka_unit_test(test_size),  cmocka_unit_test(test_modes),
		cmocka_unit_test(test_bytes),	 cmocka_unit_test(test_owner), cmocka_unit_test(test_kinds_of_file),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
