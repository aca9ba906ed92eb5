/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Editions: what goes from one to the next, what a rollback takes back, what cannot be written, what an import loses. */
#include "list_fixture.h"
#include "base/shrink.h"
#include "list/writer.h"
#include "fsync_count.h"

#include <dirent.h>
#include <errno.h>
#include <sys/mman.h>

static struct certdir_list_writer *begin(void)
{
	struct certdir_error error;
	struct certdir_list_writer *writer = certdir_list_write_begin(fixture_file, false, NULL, &error);

	if (!writer)
		fail_msg("%s", error.text);
	return writer;
}

static void run(struct certdir_list_writer *writer, const char *format, ...)
{
	struct certdir_error error;
	char sql[1000];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(sql, sizeof(sql), format, arguments);
	va_end(arguments);
	if (!certdir_list_writer_run(writer, sql, &error))
		fail_msg("%s: %s", sql, error.text);
}

/* `count` devices with a kilobyte of text each, named after their place from `first` on. */
#define FILL                                                                                                           \
	"WITH RECURSIVE n(i) AS (VALUES(%d) UNION ALL SELECT i+1 FROM n WHERE i<%d) INSERT INTO device(source,name,"   \
	"object_id,owner) SELECT 1,'PC-'||i,hex(randomblob(16)),hex(randomblob(500)) FROM n"

static void fill(struct certdir_list_writer *writer, int first, int count)
{
	run(writer, FILL, first, first + count - 1);
}

/* Says in the list how many devices it has, which an import does at its end. */
static void count_devices(struct certdir_list_writer *writer)
{
	run(writer, "UPDATE source SET devices=(SELECT count(*) FROM device WHERE source=1)");
}

static void count_problem(void *context, const char *text)
{
	print_message("%s\n", text);
	++*(int *)context;
}

/* The published file is whole: its seal holds over every byte, and so does SQLite's own check. Gives the number of devices. */
static size_t check_list(void)
{
	struct certdir_error error;
	struct certdir_list_snapshot *snapshot = certdir_list_load(fixture_file, &error);
	struct certdir_list_reader *reader;
	struct certdir_device device;
	int problems = 0;
	size_t devices;
	const struct certdir_list_source *source;
	const char *against;

	if (!snapshot)
		fail_msg("%s", error.text);
	reader = certdir_list_reader_get(snapshot, &error);
	assert_non_null(reader);
	assert_int_equal(certdir_list_verify(reader, count_problem, &problems, &error), 0);
	for (devices = 0; certdir_list_device(reader, (int64_t)devices + 1, &device, &source, &against, &error);
	     devices++)
		certdir_device_clear(&device);
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
	return devices;
}

static bool is_of_list(const char *name)
{
	static const char *const names[] = {"devices.db", "devices.db.lock", "devices.db.last",
					    "devices.db.last.changes", "devices.db.changes"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* What stands in the list's directory beside the list and its lock. */
static int leftovers(void)
{
	DIR *directory = opendir(fixture_directory);
	struct dirent *entry;
	int count = 0;

	assert_non_null(directory);
	while ((entry = readdir(directory)))
		if (entry->d_name[0] != '.' && !is_of_list(entry->d_name)) {
			print_message("%s is left\n", entry->d_name);
			count++;
		}
	(void)closedir(directory);
	return count;
}

/* A list of some chunks. */
static void publish_large(int devices)
{
	struct certdir_list_writer *writer = fixture_begin(true, "test", NULL, 1000);

	fill(writer, 1, devices);
	fixture_publish(writer);
}

/* Whatever SQLite does to the list, edition after edition, as changes or written whole, what is published is whole. */
static void test_random_changes(void **state)
{
	static const char *const changes[] = {
		"INSERT INTO device(source,name,owner) VALUES(1,'x'||%d,hex(randomblob(500)))",
		"UPDATE device SET owner=hex(randomblob(500)) WHERE id%%997=%d%%997",
		"DELETE FROM device WHERE id%%499=%d%%499",
		"DELETE FROM device WHERE id>(SELECT max(id)-%d%%3000 FROM device)",
		"UPDATE device SET name='renamed-'||id WHERE id=%d",
		"BEGIN;DELETE FROM device WHERE id%%%d<>1;ROLLBACK",
		"DELETE FROM device WHERE id%%5=%d%%5",
	};
	struct certdir_error error;

	(void)state;
	srand(20240501);
	publish_large(6000);
	for (int round = 0; round < 25; round++) {
		struct certdir_list_writer *writer = begin();

		for (int steps = rand() % 5; steps > 0; steps--) {
			if (rand() % 8 == 0)
				fill(writer, 1, rand() % 4000 + 1);
			else
				run(writer, changes[(size_t)rand() % (sizeof(changes) / sizeof(*changes))],
				    rand() % 8000 + 2);
		}
		count_devices(writer);
		if (!certdir_list_write_publish(writer, &error))
			fail_msg("%s", error.text);
		(void)check_list();
	}
	assert_int_equal(leftovers(), 0);
}

/* More than the page cache holds is written into the file before it is taken back. */
static void test_rollback(void **state)
{
	struct certdir_list_writer *writer;
	size_t size, after;

	(void)state;
	publish_large(3000);
	free(fixture_read(&size));
	writer = begin();
	run(writer, "BEGIN");
	fill(writer, 3001, 30000);
	run(writer, "UPDATE device SET owner='gone'");
	run(writer, "DELETE FROM device WHERE id<3000");
	run(writer, "ROLLBACK");
	run(writer, "BEGIN;INSERT INTO device(source,name) VALUES(1,'one part');COMMIT");
	run(writer, "BEGIN");
	fill(writer, 3002, 1000);
	run(writer, "ROLLBACK");
	count_devices(writer);
	fixture_publish(writer);
	assert_int_equal(check_list(), 3001);
	free(fixture_read(&after));
	assert_in_range(after, size, size + 100000);
	assert_int_equal(leftovers(), 0);
}

/* What SQLite cannot keep in memory goes beside the list, where there is room for it, and has no name there. */
static void test_temporary_files(void **state)
{
	DIR *directory = opendir("/proc/self/fd");
	struct certdir_list_writer *writer;
	struct dirent *entry;
	int found = 0;

	(void)state;
	assert_non_null(directory);
	writer = fixture_begin(true, "test", NULL, 1);
	run(writer, "CREATE TEMP TABLE large AS WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE "
		    "i<30000) SELECT hex(randomblob(500)) AS text FROM n");
	while ((entry = readdir(directory))) {
		char target[256] = "";

		if (readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1) < 0 ||
		    !strstr(target, "etilqs"))
			continue;
		found++;
		if (strncmp(target, fixture_directory, strlen(fixture_directory)) != 0 || !strstr(target, "(deleted)"))
			fail_msg("a temporary file is %s", target);
	}
	(void)closedir(directory);
	assert_true(found > 0);
	certdir_list_write_abort(writer);
	assert_int_equal(leftovers(), 0);
}

/* Killed in a transaction: the journal that it leaves must not be rolled back into a later edition. */
static void test_journal_of_another(void **state)
{
	char journal[160];
	FILE *out;

	(void)state;
	fixture_edition(1, 10);
	(void)snprintf(journal, sizeof(journal), "%s.new.%ld-journal", fixture_file, (long)getpid());
	out = fopen(journal, "wb");
	assert_non_null(out);
	for (int i = 0; i < 10000; i++)
		assert_int_not_equal(fputc(i, out), EOF);
	assert_int_equal(fclose(out), 0);
	fixture_edition(2, 20);
	assert_int_equal(check_list(), 20);
	assert_int_equal(leftovers(), 0);
}

/* ---- a present list that is not as its seal says ---- */

/* What a copy finds is what loading it whole finds, in the same words. */
static void same_as_load(const char *what)
{
	struct certdir_error loading = {.text = ""}, copying = {.text = ""};
	struct certdir_list_snapshot *snapshot = certdir_list_load(fixture_file, &loading);
	const int nowhere = memfd_create("nowhere", MFD_CLOEXEC);
	struct certdir_list_draft draft;
	bool copied;

	assert_true(nowhere >= 0);
	certdir_list_draft_init(&draft, nowhere, "nowhere");
	copied = certdir_list_draft_open(&draft, fixture_file, &copying);
	certdir_list_draft_clear(&draft);
	assert_int_equal(close(nowhere), 0);
	if (copied != (snapshot != NULL) || strncmp(copying.text, loading.text, strlen(loading.text)) != 0)
		fail_msg("%s: loading says \"%s\", copying \"%s\"", what, loading.text, copying.text);
	if (!copied && !strstr(copying.text, "left as it is"))
		fail_msg("%s: \"%s\" does not say what to do", what, copying.text);
	certdir_list_release(snapshot);
}

static void test_damaged_present(void **state)
{
	struct certdir_error error;
	unsigned char *file, *after;
	size_t size, image, rest;
	char what[32];

	(void)state;
	same_as_load("missing");
	fixture_overwrite("", 0);
	same_as_load("empty");
	fixture_overwrite("SQLite format 3", 16);
	same_as_load("short");
	assert_int_equal(unlink(fixture_file), 0);
	assert_int_equal(mkdir(fixture_file, 0700), 0);
	same_as_load("directory");
	assert_int_equal(rmdir(fixture_file), 0);
	publish_large(500); /* of a larger one only what is needed is looked at: test_changes.c */
	same_as_load("sound");
	file = fixture_read(&size);
	image = fixture_image(file, size);
	assert_true(image > 3 * CERTDIR_SEAL_CHUNK && image < 1 << 20);
	for (size_t at = 0; at<size; at += at> image - 2 ? 1 : image / 19) {
		(void)snprintf(what, sizeof(what), "byte %zu", at);
		file[at] ^= 0x10;
		fixture_overwrite(file, size);
		same_as_load(what);
		assert_null(certdir_list_write_begin(fixture_file, false, NULL, &error));
		after = fixture_read(&rest);
		assert_int_equal(rest, size);
		assert_memory_equal(after, file, size);
		free(after);
		file[at] ^= 0x10;
		fixture_overwrite(file, size - at);
		same_as_load(what);
	}
	file[63] ^= 0x40;
	fixture_seal(file, image);
	same_as_load("schema version");
	file[70] ^= 1;
	fixture_seal(file, image);
	same_as_load("application");
	fixture_seal(file, 50);
	same_as_load("half a header");
	free(file);
	assert_int_equal(leftovers(), 0);
}

/* ---- a place that cannot be written ---- */

static bool mount_small(const char *options)
{
	if (mount("none", fixture_directory, "tmpfs", MS_NOSUID | MS_NODEV, options) == 0)
		return true;
	print_message("skipped: no tmpfs can be mounted here: %s\n", strerror(errno));
	return false;
}

/* The copy itself does not fit, or the change, or its journal: the old list stays, and nothing else does. */
static void test_disk_full(void **state)
{
	struct certdir_error error;
	int begun = 0, full = 0, published = 0;

	(void)state;
	if (!mount_small("size=4m"))
		skip();
	for (int devices = 500; devices < 4000; devices += 250) {
		struct certdir_list_writer *writer;
		bool ok;

		(void)unlink(fixture_file);
		writer = fixture_begin(true, "test", NULL, 1);
		ok = true;
		for (int i = 0; ok && i < devices; i += 250) {
			char sql[1000];

			(void)snprintf(sql, sizeof(sql), FILL, i + 1, i + 250);
			ok = certdir_list_writer_run(writer, sql, &error);
		}
		if (!ok)
			certdir_list_write_abort(writer);
		if (!ok || !certdir_list_write_publish(writer, &error))
			break;
		writer = certdir_list_write_begin(fixture_file, false, NULL, &error);
		begun += writer != NULL;
		ok = writer &&
		     certdir_list_writer_run(writer, "BEGIN;UPDATE device SET owner=owner||'x';COMMIT", &error);
		if (writer && !ok)
			certdir_list_write_abort(writer);
		ok = ok && certdir_list_write_publish(writer, &error);
		published += ok;
		full += !ok && (strstr(error.text, "full") || strstr(error.text, "No space"));
		if (!ok && !strstr(error.text, "full") && !strstr(error.text, "No space"))
			fail_msg("%s", error.text);
		assert_int_equal(check_list(), devices);
		assert_int_equal(leftovers(), 0);
	}
	assert_int_equal(umount(fixture_directory), 0);
	print_message("%d copied, %d published, %d times full\n", begun, published, full);
	assert_true(published > 0 && full > 3 && begun > published);
}

static void test_read_only_directory(void **state)
{
	struct certdir_error error;

	(void)state;
	if (!mount_small("size=4m"))
		skip();
	fixture_edition(1, 7);
	assert_int_equal(unlink(strcat(strcpy((char[128]){0}, fixture_file), ".lock")), 0);
	assert_int_equal(mount(NULL, fixture_directory, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	assert_null(certdir_list_write_begin(fixture_file, false, NULL, &error));
	assert_non_null(strstr(error.text, "Read-only"));
	assert_int_equal(check_list(), 7);
	assert_int_equal(umount(fixture_directory), 0);
}

/* ---- what an import loses ---- */

static void test_shrink_allowed(void **state)
{
	static const struct {
		size_t before, lost;
		unsigned max_shrink;
		bool allowed;
	} cases[] = {
		{0, 0, 10, true},
		{1, 0, 10, true},
		{1, 1, 10, true}, /* one is not several */
		{2, 1, 10, true},
		{2, 2, 10, false},
		{5, 5, 10, false},
		{6, 5, 10, true},
		{7, 6, 10, false},
		{50, 5, 10, true},
		{50, 6, 10, false},
		{59, 6, 10, false}, /* 10.2 % */
		{60, 6, 10, true},
		{100, 10, 10, true},
		{100, 11, 10, false},
		{19000, 17000, 10, false},
		{1000000, 100000, 10, true},
		{1000000, 100001, 10, false},
		{1000000, 1000000, 99, false},
		{1000000, 990000, 99, true},
		{1000000, 1000000, 100, true},
		{1000000, 0, 0, true},
		{1000000, 5, 0, true},
		{1000000, 6, 0, false},
		{SIZE_MAX, SIZE_MAX / 10, 10, true},
		{SIZE_MAX, SIZE_MAX / 10 + 2, 10, false},
		{SIZE_MAX, SIZE_MAX - 1, 99, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (certdir_shrink_allowed(cases[i].before, cases[i].lost, cases[i].max_shrink) != cases[i].allowed)
			fail_msg("%zu of %zu lost, %u %% allowed: that is %s", cases[i].lost, cases[i].before,
				 cases[i].max_shrink, cases[i].allowed ? "refused" : "allowed");
}

static void assert_lost(struct certdir_list_writer *writer, size_t before, size_t lost)
{
	struct certdir_error error;
	struct certdir_list_compared compared;

	if (!certdir_list_write_compare(writer, &compared, &error))
		fail_msg("%s", error.text);
	assert_int_equal(compared.before, before);
	assert_int_equal(compared.lost, lost);
}

static void add_named(struct certdir_list_writer *writer, const char *name, int count)
{
	while (count-- > 0)
		fixture_add(writer, &(struct certdir_device){.name = (char *)name});
}

/* What the new edition has of a source, by whichever id each device of the old one was known by. */
static void test_lost(void **state)
{
	(void)state;
	for (int fresh = 0; fresh < 2; fresh++) {
		struct certdir_list_writer *writer;
		struct certdir_error error;

		(void)unlink(fixture_file);
		writer = fixture_begin(true, "mdm", NULL, 1);
		assert_lost(writer, 0, 0);
		fixture_add(writer, &(struct certdir_device){.name = (char *)"a", .entra_device_id = (char *)G1});
		fixture_add(writer, &(struct certdir_device){.name = (char *)"b", .intune_device_id = (char *)G2});
		fixture_add(writer, &(struct certdir_device){.name = (char *)"c", .object_id = (char *)G3});
		fixture_add(writer, &(struct certdir_device){.name = (char *)"d", .serial_number = (char *)"SN4"});
		fixture_add(writer, &(struct certdir_device){.sid = (char *)SID1});
		add_named(writer, "iPhone", 10);
		assert_true(certdir_list_write_source(writer, "other", NULL, 1, &error));
		fixture_add(writer, &(struct certdir_device){.name = (char *)"a", .entra_device_id = (char *)G1});
		fixture_publish(writer);

		/* The same devices by another name and with more ids; names are told by their number. */
		writer = fixture_begin(fresh, "mdm", NULL, 2);
		assert_lost(writer, 15, 15);
		fixture_add(writer, &(struct certdir_device){.name = (char *)"a2", .entra_device_id = (char *)G1});
		assert_lost(writer, 15, 14);
		fixture_add(writer,
			    &(struct certdir_device){.entra_device_id = (char *)G3, .intune_device_id = (char *)G2});
		assert_lost(writer, 15, 13);
		fixture_add(writer, &(struct certdir_device){.object_id = (char *)G3});
		fixture_add(writer, &(struct certdir_device){.serial_number = (char *)"sn4", .sid = (char *)SID1});
		assert_lost(writer, 15, 10);
		add_named(writer, "IPHONE", 4);
		assert_lost(writer, 15, 6);
		add_named(writer, "iphone", 20);
		add_named(writer, "new", 5);
		assert_lost(writer, 15, 0);
		/* The next source is another matter. */
		assert_true(certdir_list_write_source(writer, "third", NULL, 2, &error));
		assert_lost(writer, 0, 0);
		assert_true(certdir_list_write_source(writer, "other", NULL, 2, &error));
		assert_lost(writer, 1, 1);
		certdir_list_write_abort(writer);
	}
}

/* A new list has nothing of a present one to go by that is damaged, or none. */
static void test_lost_of_nothing(void **state)
{
	struct certdir_list_writer *writer;

	(void)state;
	fixture_edition(1, 30);
	assert_int_equal(truncate(fixture_file, 5000), 0);
	writer = fixture_begin(true, "test", NULL, 2);
	assert_lost(writer, 0, 0);
	certdir_list_write_abort(writer);
}

static void test_source_of_a_tenant(void **state)
{
	struct certdir_list_writer *writer;
	struct certdir_error error;

	(void)state;
	fixture_edition(1, 3);
	writer = begin();
	run(writer, "UPDATE source SET kind='tenant',tenant='" TENANT_A "'");
	fixture_publish(writer);
	for (int fresh = 0; fresh < 2; fresh++) {
		writer = certdir_list_write_begin(fixture_file, fresh, NULL, &error);
		assert_non_null(writer);
		assert_false(certdir_list_write_source(writer, "test", NULL, 1, &error));
		assert_non_null(strstr(error.text, "\"test\""));
		assert_non_null(strstr(error.text, "--source"));
		certdir_list_write_abort(writer);
	}
}

/* Only what was imported is counted anew, and only groups of imports go. */
static void test_others_stay(void **state)
{
	struct certdir_group groups[] = {{.id = (char *)"g1", .name = (char *)"staff"}};
	struct certdir_list_writer *writer = fixture_begin(true, "one", NULL, 1);
	const struct certdir_list_source *sources;
	struct certdir_list_snapshot *snapshot;
	struct certdir_error error;
	size_t count;

	(void)state;
	fixture_add(writer, &(struct certdir_device){.name = (char *)"a", .groups = groups, .group_count = 1});
	fixture_publish(writer);
	writer = begin();
	run(writer, "INSERT INTO source(name,kind,tenant,synced,devices,identities) VALUES('t','tenant','" TENANT_A
		    "',5,77,'sid');INSERT INTO grp(object_id,name,source) VALUES('g1','staff',2),('g2','all',2)");
	fixture_publish(writer);
	writer = fixture_begin(false, "one", NULL, 2);
	add_named(writer, "b", 2);
	fixture_publish(writer);
	snapshot = certdir_list_load(fixture_file, &error);
	assert_non_null(snapshot);
	sources = certdir_list_sources(snapshot, &count);
	assert_int_equal(count, 2);
	assert_int_equal(sources[0].devices, 2);
	assert_int_equal(sources[1].devices, 77);
	assert_int_equal(sources[1].holds, CERTDIR_BIT(CERTDIR_ID_SID) | CERTDIR_BIT(CERTDIR_ID_SID_URI));
	certdir_list_release(snapshot);
	writer = begin();
	run(writer, "CREATE TEMP TABLE t(n CHECK(n=2));INSERT INTO t SELECT count(*) FROM grp WHERE source=2;"
		    "DELETE FROM t;CREATE TEMP TABLE u(n CHECK(n=0));INSERT INTO u SELECT count(*) FROM grp WHERE "
		    "source IS NULL");
	certdir_list_write_abort(writer);
}

/* A power cut after a publication must not take the list away: the file lasts before it gets its name, then the name does. */
static void test_lasts(void **state)
{
	struct certdir_list_writer *writer = begin();

	(void)state;
	run(writer, "UPDATE source SET synced=6");
	synced = (struct fsync_count){0};
	fixture_publish(writer);
	assert_int_equal(synced.files, 1);
	assert_int_equal(synced.directories, 1);
	assert_int_equal(synced.early, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_random_changes),
		TEST(test_rollback),
		TEST(test_temporary_files),
		TEST(test_journal_of_another),
		TEST(test_damaged_present),
		TEST(test_disk_full),
		TEST(test_read_only_directory),
		TEST(test_shrink_allowed),
		TEST(test_lost),
		TEST(test_lost_of_nothing),
		TEST(test_source_of_a_tenant),
		TEST(test_others_stay),
		TEST(test_lasts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
