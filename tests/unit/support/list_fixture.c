/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list_fixture.h"

char fixture_directory[64];

char fixture_file[96];

int fixture_setup(void **state)
{
	(void)state;
	strcpy(fixture_directory, "/tmp/test_list.XXXXXX");
	if (!mkdtemp(fixture_directory))
		return -1;
	(void)snprintf(fixture_file, sizeof(fixture_file), "%s/devices.db", fixture_directory);
	return 0;
}

int fixture_teardown(void **state)
{
	char command[128];

	(void)state;
	(void)umount2(fixture_directory, MNT_DETACH); /* of the test with a full disk, if it failed */
	(void)snprintf(command, sizeof(command), "rm -rf %s", fixture_directory);
	return system(command) == 0 ? 0 : -1;
}

struct certdir_list_writer *fixture_begin(bool fresh, const char *source, const char *tenant, int64_t synced)
{
	struct certdir_error error;
	struct certdir_list_writer *writer = certdir_list_write_begin(fixture_file, fresh, NULL, &error);

	if (!writer || !certdir_list_write_source(writer, source, tenant, synced, &error))
		fail_msg("%s", error.text);
	return writer;
}

void fixture_add(struct certdir_list_writer *writer, const struct certdir_device *device)
{
	struct certdir_error error;

	if (!certdir_list_write_device(writer, device, &error))
		fail_msg("%s", error.text);
}

void fixture_run(struct certdir_list_writer *writer, const char *sql)
{
	struct certdir_error error;

	if (!certdir_list_writer_run(writer, sql, &error))
		fail_msg("%s", error.text);
}

void fixture_publish(struct certdir_list_writer *writer)
{
	struct certdir_error error;

	if (!certdir_list_write_publish(writer, &error))
		fail_msg("%s", error.text);
}

void fixture_edition(int edition, int count)
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

void fixture_large(int count)
{
	struct certdir_list_writer *writer = fixture_begin(true, "test", NULL, 1000);
	char sql[300];

	(void)snprintf(sql, sizeof(sql),
		       "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<%d) INSERT INTO "
		       "device(source,name,object_id,owner) SELECT 1,'PC-'||i,hex(randomblob(16)),hex(randomblob(500)) "
		       "FROM n",
		       count);
	fixture_run(writer, sql);
	fixture_publish(writer);
}

struct certdir_list_snapshot *fixture_load(void)
{
	struct certdir_error error;
	struct certdir_list_snapshot *snapshot = certdir_list_load(fixture_file, &error);

	if (!snapshot)
		fail_msg("%s", error.text);
	return snapshot;
}

struct certdir_list_reader *fixture_reader(struct certdir_list_snapshot *snapshot)
{
	struct certdir_error error;
	struct certdir_list_reader *reader = certdir_list_reader_get(snapshot, &error);

	if (!reader)
		fail_msg("%s", error.text);
	return reader;
}

unsigned char *fixture_read(size_t *size)
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

void fixture_overwrite(const void *bytes, size_t size)
{
	FILE *out = fopen(fixture_file, "wb");

	assert_non_null(out);
	assert_int_equal(fwrite(bytes, 1, size, out), size);
	assert_int_equal(fclose(out), 0);
}

size_t fixture_image(const unsigned char *file, size_t size)
{
	size_t image;

	assert_int_equal(certdir_list_seal_check(file, size, &image), CERTDIR_SEAL_TRUE);
	return image;
}

void fixture_seal(const unsigned char *image, size_t size)
{
	struct certdir_error error;
	int fd;

	fixture_overwrite(image, size);
	fd = open(fixture_file, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(certdir_list_seal_append(fd, 0, NULL, fixture_file, &error));
	assert_int_equal(close(fd), 0);
}
