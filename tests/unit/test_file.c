/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole files, pipes and their limits. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A file without a name that has `size` bytes, each with the low bits of its place, read from the beginning. */
static int file_of(size_t size)
{
	FILE *file = tmpfile();
	int fd;

	assert_non_null(file);
	for (size_t i = 0; i < size; i++)
		assert_int_not_equal(fputc((int)(i & 0xff), file), EOF);
	assert_int_equal(fflush(file), 0);
	fd = dup(fileno(file));
	(void)fclose(file);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* The same behind a pipe, which does not say how long it is. */
static int pipe_of(size_t size)
{
	int ends[2];
	char *bytes = calloc(1, size + 1);

	assert_int_equal(pipe(ends), 0);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(i & 0xff);
	assert_true(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20) >= 1 << 18);
	assert_true(certdir_file_write(ends[1], bytes, size));
	(void)close(ends[1]);
	free(bytes);
	return ends[0];
}

static void test_load(void **state)
{
	static const struct {
		size_t size, max;
		bool fits;
	} cases[] = {{0, 0, true},	     {0, 100, true},	      {1, 0, false},	      {100, 100, true},
		     {101, 100, false},	     {65535, 1 << 20, true},  {65536, 1 << 20, true}, {65537, 1 << 20, true},
		     {200000, 200000, true}, {200000, 199999, false}, {200000, 131072, false}};

	(void)state;
	for (size_t i = 0; i < 2 * (sizeof(cases) / sizeof(cases[0])); i++) {
		const size_t size = cases[i / 2].size;
		const int fd = i % 2 ? pipe_of(size) : file_of(size);
		size_t length;
		char *bytes = certdir_file_load(fd, cases[i / 2].max, &length);

		if (!cases[i / 2].fits) {
			assert_null(bytes);
			assert_int_equal(errno, EFBIG);
		} else {
			assert_non_null(bytes);
			assert_int_equal(length, size);
			assert_int_equal(bytes[length], 0);
			for (size_t at = 0; at < length; at++)
				assert_int_equal((unsigned char)bytes[at], at & 0xff);
		}
		free(bytes);
		(void)close(fd);
	}
}

static void test_part(void **state)
{
	const int fd = file_of(10);
	char bytes[20];

	(void)state;
	assert_int_equal(certdir_file_read_at(fd, bytes, 4, 3), 4);
	assert_memory_equal(bytes, "\3\4\5\6", 4);
	assert_int_equal(certdir_file_read_at(fd, bytes, 4, 8), 2);
	assert_int_equal(certdir_file_read_at(fd, bytes, 4, 10), 0);
	assert_int_equal(certdir_file_read(fd, bytes, sizeof(bytes)), 10);
	assert_int_equal(certdir_file_read(fd, bytes, sizeof(bytes)), 0);
	(void)close(fd);
	assert_int_equal(certdir_file_read(fd, bytes, 1), -1);
	assert_int_equal(errno, EBADF);
	assert_false(certdir_file_write(fd, "x", 1));
	assert_int_equal(errno, EBADF);
}

static void test_directory(void **state)
{
	(void)state;
	assert_true(certdir_file_sync_directory("/tmp"));
	assert_false(certdir_file_sync_directory("/nowhere"));
	assert_int_equal(errno, ENOENT);
	assert_false(certdir_file_sync_directory("/dev/null"));
	assert_int_equal(errno, ENOTDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_part),
		cmocka_unit_test(test_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
