/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A directory of its own for each test, and lists made in a line. */
#ifndef LIST_FIXTURE_H
#define LIST_FIXTURE_H

#include "list/list.h"
#include "list/seal.h"
#include "list/writer.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define G1 "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
#define G2 "7c9e6679-7425-40de-944b-e07fc1f90ae7"
#define G3 "9b2d5f7e-8a31-4c7b-b0de-5a6f0c3e9d42"
#define TENANT_A "72f988bf-86f1-41af-91ab-2d7cd011db47"
#define TENANT_B "11111111-2222-3333-4444-555555555555"
#define SID1 "S-1-5-21-1004336348-1177238915-682003330-1133"

static char fixture_directory[64];
static char fixture_file[96];

static inline int fixture_setup(void **state)
{
	(void)state;
	strcpy(fixture_directory, "/tmp/test_list.XXXXXX");
	if (!mkdtemp(fixture_directory))
		return -1;
	(void)snprintf(fixture_file, sizeof(fixture_file), "%s/devices.db", fixture_directory);
	return 0;
}

static inline int fixture_teardown(void **state)
{
	char command[128];

	(void)state;
	(void)umount2(fixture_directory, MNT_DETACH); /* of the test with a full disk, if it failed */
	(void)snprintf(command, sizeof(command), "rm -rf %s", fixture_directory);
	return system(command) == 0 ? 0 : -1;
}

static inline struct certdir_list_writer *fixture_begin(bool fresh, const char *source, const char *tenant,
							int64_t synced)
{
	struct certdir_error error;
	struct certdir_list_writer *writer = certdir_list_write_begin(fixture_file, fresh, &error);

	if (!writer || !certdir_list_write_source(writer, source, tenant, synced, &error))
		fail_msg("%s", error.text);
	return writer;
}

static inline void fixture_add(struct certdir_list_writer *writer, const struct certdir_device *device)
{
	struct certdir_error error;

	if (!certdir_list_write_device(writer, device, &error))
		fail_msg("%s", error.text);
}

/* Rows that imports cannot write: what a sync makes. */
static inline void fixture_run(struct certdir_list_writer *writer, const char *sql)
{
	struct certdir_error error;

	if (!certdir_list_writer_run(writer, sql, &error))
		fail_msg("%s", error.text);
}

static inline void fixture_publish(struct certdir_list_writer *writer)
{
	struct certdir_error error;

	if (!certdir_list_write_publish(writer, &error))
		fail_msg("%s", error.text);
}

/* `count` devices "PC-0".. that all say of which edition they are. */
static inline void fixture_edition(int edition, int count)
{
	struct certdir_list_writer *writer = fixture_begin(true, "test", NULL, 1000);
	char name[32], owner[32];

	for (int i = 0; i < count; i++) {
		struct certdir_device device = {.name = name, .owner = owner};

		(void)snprintf(name, sizeof(name), "PC-%d", i);
		(void)snprintf(owner, sizeof(owner), "%d", edition);
		fixture_add(writer, &device);
	}
	fixture_publish(writer);
}

static inline struct certdir_list_snapshot *fixture_load(void)
{
	struct certdir_error error;
	struct certdir_list_snapshot *snapshot = certdir_list_load(fixture_file, &error);

	if (!snapshot)
		fail_msg("%s", error.text);
	return snapshot;
}

static inline struct certdir_list_reader *fixture_reader(struct certdir_list_snapshot *snapshot)
{
	struct certdir_error error;
	struct certdir_list_reader *reader = certdir_list_reader_get(snapshot, &error);

	if (!reader)
		fail_msg("%s", error.text);
	return reader;
}

/* The whole of a file, malloc'ed. */
static inline unsigned char *fixture_read(size_t *size)
{
	FILE *in = fopen(fixture_file, "rb");
	unsigned char *bytes;

	assert_non_null(in);
	assert_int_equal(fseek(in, 0, SEEK_END), 0);
	*size = (size_t)ftell(in);
	rewind(in);
	bytes = malloc(*size + 1);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, *size, in), *size);
	(void)fclose(in);
	return bytes;
}

/* Writes over the file in place, as cp does. */
static inline void fixture_overwrite(const void *bytes, size_t size)
{
	FILE *out = fopen(fixture_file, "wb");

	assert_non_null(out);
	assert_int_equal(fwrite(bytes, 1, size, out), size);
	assert_int_equal(fclose(out), 0);
}

/* The size of the image of a sealed file. */
static inline size_t fixture_image(const unsigned char *file, size_t size)
{
	size_t image;

	assert_int_equal(certdir_list_seal_check(file, size, &image), CERTDIR_SEAL_TRUE);
	return image;
}

/* Writes an image over the file and seals it truly, whatever it is. */
static inline void fixture_seal(const unsigned char *image, size_t size)
{
	const struct certdir_list_seal none = {0};
	struct certdir_error error;
	int fd;

	fixture_overwrite(image, size);
	fd = open(fixture_file, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(certdir_list_seal_append(&none, fd, fixture_file, &error));
	assert_int_equal(close(fd), 0);
}

#endif
