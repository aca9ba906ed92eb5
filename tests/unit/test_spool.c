/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The spool: what was written whole is there again, and what is torn, foreign or of another process is not taken for it. */
#include "sync/spool.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[] = "/tmp/test_spool.XXXXXX", name[64];

static struct certdir_spool *open_spool(void)
{
	struct certdir_error error = {.text = ""};
	struct certdir_spool *spool;
	long holder;

	assert_int_equal(certdir_spool_open(&spool, name, &holder, &error), CERTDIR_SPOOL_OPENED);
	return spool;
}

static void add(struct certdir_spool *spool, unsigned listing, const char *body, const char *link)
{
	struct certdir_error error;

	certdir_spool_page_begin(spool);
	assert_true(certdir_spool_page_bytes(spool, "void", 4, &error));
	certdir_spool_page_begin(spool); /* asked for again */
	assert_true(certdir_spool_page_bytes(spool, body, strlen(body), &error));
	assert_true(certdir_spool_page_end(spool, listing, strlen(body), 7, link, &error));
}

/* Two pages of one listing, one of another, all finished. */
static void fill(struct certdir_spool *spool)
{
	struct certdir_error error;

	assert_true(certdir_spool_begin(spool, "of this", 1000, &error));
	add(spool, 0, "first", "next");
	add(spool, 0, "second", NULL);
	add(spool, 1, "third", NULL);
}

static void assert_page(const struct certdir_spool *spool, size_t index, const char *body, const char *link)
{
	const struct certdir_spool_page *page = certdir_spool_page(spool, index);
	struct certdir_error error;
	char text[16] = "", *read;
	size_t got;

	assert_int_equal(page->length, strlen(body));
	assert_int_equal(page->objects, strlen(body));
	assert_int_equal(page->count, 7);
	assert_true(certdir_spool_read(spool, page, 2, text, sizeof(text), &got, &error));
	assert_int_equal(got, strlen(body) - 2);
	assert_string_equal(text, body + 2);
	assert_int_equal(page->link, link ? strlen(link) : 0);
	read = certdir_spool_link(spool, page, &error);
	assert_string_equal(read, link ? link : "");
	free(read);
}

static off_t size_of(void)
{
	struct stat status;

	assert_int_equal(stat(name, &status), 0);
	return status.st_size;
}

static void test_what_was_written_is_there_again(void **state)
{
	struct certdir_spool *spool = open_spool();
	struct certdir_error error;
	struct stat status;

	(void)state;
	assert_null(certdir_spool_of(spool));
	fill(spool);
	assert_false(certdir_spool_finished(spool));
	certdir_spool_close(spool);
	assert_int_equal(stat(name, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	spool = open_spool();
	assert_string_equal(certdir_spool_of(spool), "of this");
	assert_int_equal(certdir_spool_began(spool), 1000);
	assert_int_equal(certdir_spool_pages(spool), 3);
	assert_page(spool, 0, "first", "next");
	assert_page(spool, 1, "second", NULL);
	assert_int_equal(certdir_spool_page(spool, 2)->listing, 1);
	assert_true(certdir_spool_finish(spool, &error));
	certdir_spool_close(spool);
	spool = open_spool();
	assert_true(certdir_spool_finished(spool));
	assert_true(certdir_spool_cut(spool, 1, &error));
	assert_false(certdir_spool_finished(spool));
	add(spool, 0, "another", NULL);
	certdir_spool_close(spool);
	spool = open_spool();
	assert_int_equal(certdir_spool_pages(spool), 2);
	assert_page(spool, 1, "another", NULL);
	assert_true(certdir_spool_begin(spool, "of that", 2000, &error));
	assert_int_equal(certdir_spool_pages(spool), 0);
	certdir_spool_close(spool);
	assert_int_equal(access(name, F_OK), -1); /* there was nothing in it */
}

/* Cut at any byte, or with any byte changed, it has whole pages and no others, and goes on. */
static void test_torn(void **state)
{
	struct certdir_spool *spool = open_spool();
	char *whole;
	off_t size;
	int file;

	(void)state;
	fill(spool);
	certdir_spool_close(spool);
	size = size_of();
	whole = malloc((size_t)size);
	file = open(name, O_RDONLY);
	assert_int_equal(read(file, whole, (size_t)size), size);
	(void)close(file);
	for (int change = 0; change < 2; change++)
		for (off_t at = 0; at < size; at++) {
			file = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
			assert_int_equal(write(file, whole, (size_t)(change ? size : at)), change ? size : at);
			if (change)
				assert_int_equal(pwrite(file, "\xff", 1, at), 1);
			(void)close(file);
			spool = open_spool();
			assert_in_range(certdir_spool_pages(spool), 0, at < 16 || at >= 32 ? 2 : 3);
			if (certdir_spool_pages(spool) > 0)
				assert_page(spool, 0, "first", "next");
			if (certdir_spool_of(spool))
				add(spool, 5, "new", NULL);
			certdir_spool_remove(spool);
		}
	free(whole);
}

static void test_one_at_a_time(void **state)
{
	struct certdir_spool *first = open_spool(), *second;
	struct certdir_error error;
	long holder;

	(void)state;
	fill(first);
	assert_int_equal(certdir_spool_open(&second, name, &holder, &error), CERTDIR_SPOOL_BUSY);
	assert_null(second);
	assert_int_equal(holder, getpid());
	certdir_spool_remove(first);
	assert_int_equal(access(name, F_OK), -1);
}

static void test_no_file_but_its_own(void **state)
{
	struct certdir_spool *spool;
	struct certdir_error error;
	char other[64];
	long holder;
	int file;

	(void)state;
	assert_int_equal(symlink("/etc/passwd", name), 0);
	assert_int_equal(certdir_spool_open(&spool, name, &holder, &error), CERTDIR_SPOOL_FAILED);
	assert_non_null(strstr(error.text, name));
	assert_int_equal(unlink(name), 0);
	assert_int_equal(mkfifo(name, 0600), 0);
	assert_int_equal(certdir_spool_open(&spool, name, &holder, &error), CERTDIR_SPOOL_FAILED);
	assert_int_equal(unlink(name), 0);
	/* a second name of a file that is somebody's: it would be cut off */
	(void)snprintf(other, sizeof(other), "%s/other", directory);
	file = open(other, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_int_equal(pwrite(file, "x", 1, 99), 1);
	assert_int_equal(close(file), 0);
	assert_int_equal(link(other, name), 0);
	assert_int_equal(certdir_spool_open(&spool, name, &holder, &error), CERTDIR_SPOOL_FAILED);
	assert_int_equal(size_of(), 100);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(unlink(other), 0);
}

static void test_without_a_name(void **state)
{
	struct certdir_spool *spool;
	struct certdir_error error;
	long holder;

	(void)state;
	assert_int_equal(setenv("TMPDIR", directory, 1), 0);
	assert_int_equal(certdir_spool_open(&spool, NULL, &holder, &error), CERTDIR_SPOOL_OPENED);
	fill(spool);
	assert_page(spool, 1, "second", NULL);
	assert_int_equal(rmdir(directory), 0); /* nothing is in it */
	assert_int_equal(mkdir(directory, 0700), 0);
	certdir_spool_close(spool);
	assert_int_equal(setenv("TMPDIR", "/nowhere", 1), 0);
	assert_int_equal(certdir_spool_open(&spool, NULL, &holder, &error), CERTDIR_SPOOL_FAILED);
	assert_non_null(strstr(error.text, "TMPDIR"));
}

/* Where there is no room for a page, those before it stay. */
static void test_full(void **state)
{
	struct certdir_spool *spool = open_spool();
	const struct rlimit small = {4096, RLIM_INFINITY}, none = {RLIM_INFINITY, RLIM_INFINITY};
	struct certdir_error error = {.text = ""};
	char body[8192];

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	memset(body, 'x', sizeof(body));
	fill(spool);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	certdir_spool_page_begin(spool);
	assert_false(certdir_spool_page_bytes(spool, body, sizeof(body), &error));
	assert_non_null(strstr(error.text, name));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	certdir_spool_close(spool);
	spool = open_spool();
	assert_int_equal(certdir_spool_pages(spool), 3);
	certdir_spool_remove(spool);
}

/* Old spools of this list go, and nothing else: its name is no pattern. */
static void test_sweep(void **state)
{
	static const struct {
		const char *name;
		bool old, stays;
	} files[] = {{"a[1]*.db.spool.t.devices", true, false},
		     {"a[1]*.db.spool.t.intune", false, true},
		     {"a1.db.spool.t.devices", true, true},
		     {"a[1]*.db", true, true},
		     {"a[1]*.db.status", true, true}};
	char list[96], file[96];
	struct stat status;

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const struct timespec times[2] = {{.tv_sec = files[i].old ? 1000 : 3000},
						  {.tv_sec = files[i].old ? 1000 : 3000}};
		int fd;

		(void)snprintf(file, sizeof(file), "%s/%s", directory, files[i].name);
		fd = open(file, O_CREAT | O_WRONLY, 0600);
		assert_true(fd >= 0 && futimens(fd, times) == 0 && close(fd) == 0);
	}
	(void)snprintf(list, sizeof(list), "%s/a[1]*.db", directory);
	certdir_spool_sweep(list, 2000);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(file, sizeof(file), "%s/%s", directory, files[i].name);
		assert_int_equal(stat(file, &status) == 0, files[i].stays);
		(void)unlink(file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_written_is_there_again),
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_one_at_a_time),
		cmocka_unit_test(test_no_file_but_its_own),
		cmocka_unit_test(test_without_a_name),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_sweep),
	};
	int failed;

	if (!mkdtemp(directory))
		return 1;
	(void)snprintf(name, sizeof(name), "%s/pages", directory);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(directory);
	return failed;
}
