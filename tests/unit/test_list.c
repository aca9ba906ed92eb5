/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device list: devices and files that are refused, publishing that survives everything. */
#include "list_fixture.h"
#include "list/schema.h"

#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/time.h>
#include <sys/wait.h>

static void test_refused_devices(void **state)
{
	static char *bad_dns[] = {(char *)"no dns name"};
	static struct certdir_group no_group[1];
	static char long_text[2000];
	const struct {
		struct certdir_device device;
		const char *says;
	} cases[] = {
		{{.name = (char *)"PC9", .entra_device_id = (char *)"3f2504e0-4f89"},
		 "\"PC9\": entra_device_id \"3f2504e0-4f89\" is not a GUID"},
		{{.name = (char *)"PC9", .intune_device_id = (char *)"x"}, "intune_device_id \"x\" is not a GUID"},
		{{.name = (char *)"PC9", .sid = (char *)"S-1-"}, "sid \"S-1-\" is not a SID"},
		{{.name = (char *)"PC9", .dns_names = bad_dns, .dns_name_count = 1}, "dns_name \"no dns name\""},
		{{.name = (char *)"PC9", .groups = no_group, .group_count = 1}, "neither id nor name"},
		{{.name = (char *)"a\x1b[2Jb"}, "name \"a?[2Jb\" has a control character"},
		{{.name = (char *)"a\xff"}, "name \"a?\" is not UTF-8"},
		{{.name = (char *)"PC9", .owner = long_text}, "longer than 1024 bytes"},
		{{.owner = (char *)"ada@example.com"}, "neither a name nor an id"},
		{{.entra_device_id = (char *)"00000000-0000-0000-0000-000000000000"}, "neither a name nor an id"},
		{{.name = (char *)"PC9", .tenant = (char *)TENANT_B}, "is of tenant " TENANT_B},
		{{.name = (char *)"PC9", .entra_device_id = (char *)"{3F2504E0-4F89-11D3-9A0C-0305E82C3301}"},
		 "device \"PC1\" has it too"},
	};
	struct certdir_list_snapshot *snapshot;
	struct certdir_error error;
	size_t count;

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	fixture_edition(7, 3);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct certdir_list_writer *writer = fixture_begin(false, "test", TENANT_A, 1);

		fixture_add(writer, &(struct certdir_device){.name = (char *)"PC1", .entra_device_id = (char *)G1});
		if (certdir_list_write_device(writer, &cases[i].device, &error))
			fail_msg("case %zu was taken", i);
		if (!strstr(error.text, cases[i].says))
			fail_msg("case %zu: \"%s\" does not say \"%s\"", i, error.text, cases[i].says);
		certdir_list_write_abort(writer);
	}
	snapshot = fixture_load();
	(void)certdir_list_sources(snapshot, &count);
	assert_int_equal(certdir_list_device_count(snapshot), 3);
	certdir_list_release(snapshot);
	assert_int_equal(access(fixture_file, F_OK), 0);
}

/* ---- files that are refused ---- */

static void refused(const char *says)
{
	struct certdir_error error;
	struct certdir_list_snapshot *snapshot;

	alarm(10); /* whatever it is, it must not block */
	snapshot = certdir_list_load(fixture_file, &error);
	alarm(0);
	if (snapshot)
		fail_msg("a file that should be refused (%s) was loaded", says);
	if (!strstr(error.text, says) || !strstr(error.text, fixture_file))
		fail_msg("\"%s\" does not say \"%s\"", error.text, says);
}

static void test_refused_files(void **state)
{
	unsigned char *file, *copy;
	size_t size, image;
	sqlite3 *db;

	(void)state;
	refused("does not exist");
	assert_int_equal(mkdir(fixture_file, 0700), 0);
	refused("is not a file but a directory");
	assert_int_equal(rmdir(fixture_file), 0);
	assert_int_equal(mkfifo(fixture_file, 0600), 0);
	refused("is not a file but a pipe");
	assert_int_equal(unlink(fixture_file), 0);
	fixture_overwrite("", 0);
	refused("is empty");
	fixture_overwrite("hello", 5);
	refused("is not a device list");
	assert_int_equal(unlink(fixture_file), 0);
	assert_int_equal(sqlite3_open(fixture_file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE t(x)", NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
	refused("another application");
	assert_int_equal(unlink(fixture_file), 0);

	fixture_edition(1, 500);
	file = fixture_read(&size);
	image = fixture_image(file, size);
	copy = malloc(size + CERTDIR_SEAL_FOOTER);
	assert_non_null(copy);
	fixture_overwrite(file, image);
	refused("is not sealed");
	for (size_t cut = 1; cut < size; cut += 1 + cut / 7) {
		fixture_overwrite(file, size - cut);
		refused(size - cut < 100 ? "is not a device list" : "is not sealed");
	}
	for (size_t at = 0; at < size; at += 4099) {
		memcpy(copy, file, size);
		copy[at] ^= 1;
		fixture_overwrite(copy, size);
		refused("does not match its seal");
	}
	memcpy(copy, file, size);
	memcpy(copy + size, file, CERTDIR_SEAL_FOOTER);
	fixture_overwrite(copy, size + CERTDIR_SEAL_FOOTER);
	refused("is not sealed");
	/* The seal of before it was a tree: one digest of the whole image. */
	memcpy(copy, file, size);
	copy[size - CERTDIR_SEAL_FOOTER + 7] = 1;
	fixture_overwrite(copy, size);
	refused("publish it again");

	/* Sealed truly, but not ours to read. */
	memcpy(copy, file, size);
	copy[63] = CERTDIR_LIST_SCHEMA_VERSION + 1;
	fixture_seal(copy, image);
	refused("update certdir here");
	copy[63] = 0;
	fixture_seal(copy, image);
	refused("move it away and publish it again");
	copy[68] = 'X';
	fixture_seal(copy, image);
	refused("another application");
	memset(copy, 0, size);
	fixture_seal(copy, image);
	refused("is not a device list");
	fixture_seal(copy, 0);
	refused("is not a device list");
	fixture_overwrite(file, size);
	certdir_list_release(fixture_load());
	free(copy);
	free(file);
}

static void test_no_permission(void **state)
{
	(void)state;
	if (geteuid() == 0)
		skip(); /* root reads everything */
	fixture_edition(1, 1);
	assert_int_equal(chmod(fixture_file, 0), 0);
	refused("cannot be read by user");
}

static size_t root_page(const char *table)
{
	sqlite3_stmt *stmt;
	sqlite3 *db;
	size_t page;

	assert_int_equal(sqlite3_open_v2(fixture_file, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT rootpage FROM sqlite_schema WHERE name=?1", -1, &stmt, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_bind_text(stmt, 1, table, -1, SQLITE_STATIC), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	page = (size_t)sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	(void)sqlite3_close(db);
	return page;
}

static void count_damage(void *context, const char *text)
{
	*(unsigned *)context += strstr(text, "the database image is damaged: ") != NULL;
}

/*
 * A list that is sealed and ours, but whose pages are damaged: a lookup fails, it does not say "no such device". A look through it
 * finds that.
 */
static void test_damaged_image(void **state)
{
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader;
	struct certdir_error error;
	int64_t rows[CERTDIR_LIST_FIND_MAX];
	unsigned char *file;
	size_t size, image;
	unsigned found = 0;
	bool more;

	(void)state;
	fixture_edition(1, 2000);
	file = fixture_read(&size);
	image = fixture_image(file, size);
	memset(file + (root_page("device_by_name") - 1) * 4096, 0xa5, 4096);
	fixture_seal(file, image);
	snapshot = fixture_load();
	reader = fixture_reader(snapshot);
	assert_int_equal(certdir_list_find(reader, NULL, CERTDIR_ID_NAME, "pc-1999", rows, &more, &error), -1);
	assert_non_null(strstr(error.text, "malformed"));
	(void)certdir_list_verify(reader, count_damage, &found, &error);
	assert_true(found > 0);
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
	free(file);
}

/* ---- publishing ---- */

static void test_sqlite_opens_it(void **state)
{
	sqlite3_stmt *stmt;
	sqlite3 *db;

	(void)state;
	fixture_edition(1, 321);
	assert_int_equal(sqlite3_open_v2(fixture_file, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM device WHERE owner='1'", -1, &stmt, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(stmt, 0), 321);
	sqlite3_finalize(stmt);
	(void)sqlite3_close(db);
}

static void test_schema_constants(void **state)
{
	char text[64];

	(void)state;
	(void)snprintf(text, sizeof(text), "application_id=0x%08X;", CERTDIR_LIST_APPLICATION_ID);
	assert_non_null(strstr(certdir_list_schema, text));
	(void)snprintf(text, sizeof(text), "user_version=%u;", CERTDIR_LIST_SCHEMA_VERSION);
	assert_non_null(strstr(certdir_list_schema, text));
}

static void test_second_writer_is_told(void **state)
{
	struct certdir_list_writer *writer = fixture_begin(false, "test", NULL, 1);
	struct certdir_list_edition edition;
	struct certdir_error error;
	char pid[32];

	(void)state;
	assert_false(certdir_list_edition_begin(&edition, fixture_file, 0, &error));
	(void)snprintf(pid, sizeof(pid), "process %ld,", (long)getpid());
	assert_non_null(strstr(error.text, pid));
	certdir_list_write_abort(writer);
	certdir_list_write_abort(fixture_begin(false, "test", NULL, 1));
}

static void test_damaged_list_is_not_replaced(void **state)
{
	struct certdir_list_snapshot *snapshot;
	struct certdir_error error;
	unsigned char *file, *after;
	size_t size, size_after;

	(void)state;
	fixture_edition(1, 50);
	file = fixture_read(&size);
	file[size / 2] ^= 1;
	fixture_overwrite(file, size);
	assert_null(certdir_list_write_begin(fixture_file, false, NULL, &error));
	assert_non_null(strstr(error.text, "--replace"));
	after = fixture_read(&size_after);
	assert_int_equal(size, size_after);
	assert_memory_equal(file, after, size);
	fixture_edition(2, 5); /* fresh */
	snapshot = fixture_load();
	assert_int_equal(certdir_list_device_count(snapshot), 5);
	certdir_list_release(snapshot);
	free(file);
	free(after);
}

static void test_leftovers_are_removed(void **state)
{
	char name[128], journal[140], other[128];

	(void)state;
	(void)snprintf(journal, sizeof(journal), "%s.new.99999999-journal", fixture_file);
	assert_int_equal(mkfifo(journal, 0600), 0);
	(void)snprintf(name, sizeof(name), "%s.new.99999999", fixture_file);
	(void)snprintf(other, sizeof(other), "%s.new.backup", fixture_file);
	assert_int_equal(mkfifo(name, 0600), 0);
	assert_int_equal(mkfifo(other, 0600), 0);
	fixture_edition(1, 1);
	assert_int_equal(access(name, F_OK), -1);
	assert_int_equal(access(journal, F_OK), -1);
	assert_int_equal(access(other, F_OK), 0);
}

static void test_permissions_stay(void **state)
{
	struct stat status;

	(void)state;
	fixture_edition(1, 1);
	assert_int_equal(stat(fixture_file, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0640);
	assert_int_equal(chmod(fixture_file, 0604), 0);
	if (geteuid() == 0)
		assert_int_equal(chown(fixture_file, 1234, 2345), 0);
	fixture_edition(2, 1);
	assert_int_equal(stat(fixture_file, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0604);
	if (geteuid() == 0) {
		assert_int_equal(status.st_uid, 1234);
		assert_int_equal(status.st_gid, 2345);
	}
}

static void test_symlink_stays(void **state)
{
	struct certdir_error error;
	struct stat status;
	char real[128];

	(void)state;
	(void)snprintf(real, sizeof(real), "%s/real.db", fixture_directory);
	assert_int_equal(symlink("real.db", fixture_file), 0);
	assert_null(certdir_list_write_begin(fixture_file, false, NULL, &error));
	assert_non_null(strstr(error.text, "link to nothing"));
	assert_int_equal(unlink(fixture_file), 0);
	fixture_edition(1, 1);
	assert_int_equal(rename(fixture_file, real), 0);
	assert_int_equal(symlink("real.db", fixture_file), 0);
	fixture_edition(2, 2);
	assert_int_equal(lstat(fixture_file, &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	certdir_list_release(fixture_load());
}

static void test_list_shrinks(void **state)
{
	struct certdir_list_writer *writer;
	struct stat big, small;

	(void)state;
	fixture_edition(1, 5000);
	assert_int_equal(stat(fixture_file, &big), 0);
	writer = fixture_begin(false, "test", NULL, 1);
	fixture_add(writer, &(struct certdir_device){.name = (char *)"x"});
	fixture_publish(writer);
	assert_int_equal(stat(fixture_file, &small), 0);
	assert_true(small.st_size < big.st_size / 2);
	certdir_list_release(fixture_load());
}

static void test_nowhere_to_read(void **state)
{
	struct certdir_error error;
	char name[128], place[128];

	(void)state;
	(void)snprintf(place, sizeof(place), "there is no directory %s/missing:", fixture_directory);
	(void)snprintf(name, sizeof(name), "%s/missing/devices.db", fixture_directory);
	assert_null(certdir_list_load(name, &error));
	assert_non_null(strstr(error.text, place));
	assert_null(certdir_list_load("", &error));
	assert_non_null(strstr(error.text, "does not exist"));
}

static void test_nowhere_to_write(void **state)
{
	struct certdir_error error;
	char name[128];

	(void)state;
	(void)snprintf(name, sizeof(name), "%s/missing/devices.db", fixture_directory);
	assert_null(certdir_list_write_begin(name, false, NULL, &error));
	assert_non_null(strstr(error.text, name));
}

static void assert_edition(int edition, int count)
{
	struct certdir_list_snapshot *snapshot = fixture_load();
	struct certdir_list_reader *reader = fixture_reader(snapshot);
	const struct certdir_list_source *source;
	struct certdir_device device;
	struct certdir_error error;
	const char *only_against;

	assert_int_equal(certdir_list_device_count(snapshot), count);
	assert_true(certdir_list_device(reader, 1, &device, &source, &only_against, &error));
	if (edition >= 0)
		assert_int_equal(atoi(device.owner), edition);
	certdir_device_clear(&device);
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
}

/* The child dies by a signal it cannot notice beforehand, at another moment each time; SIGALRM's default is as sudden as KILL. */
static void test_killed_while_publishing(void **state)
{
	int killed = 0;

	(void)state;
	fixture_edition(0, 400);
	srand(4711);
	for (int i = 0; i < 60; i++) {
		struct itimerval timer = {.it_value.tv_usec = 300 + rand() % 30000};
		pid_t pid = fork();
		int status;

		assert_true(pid >= 0);
		if (pid == 0) {
			(void)signal(SIGALRM, SIG_DFL);
			(void)setitimer(ITIMER_REAL, &timer, NULL);
			for (int edition = 1; edition < 1000; edition++)
				fixture_edition(edition, 400);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
		assert_edition(-1, 400);
	}
	assert_int_equal(killed, 60);
	fixture_edition(5, 3); /* the lock died with its holder */
	assert_edition(5, 3);
}

/* Disk full at every stage: the published list stays, and no temporary file does. */
static void test_disk_full(void **state)
{
	char name[128], owner[1000] = "";
	struct certdir_error error, last = {.text = ""};
	struct certdir_list_writer *writer;
	int failed = 0;

	(void)state;
	if (mount("none", fixture_directory, "tmpfs", MS_NOSUID | MS_NODEV, "size=400k") != 0) {
		print_message("skipped: no tmpfs can be mounted here: %s\n", strerror(errno));
		skip();
	}
	fixture_edition(1, 100);
	memset(owner, 'x', sizeof(owner) - 1);
	for (int count = 100; count < 2000; count += 50) {
		bool ok = false;

		writer = certdir_list_write_begin(fixture_file, true, NULL, &error);
		if (writer) {
			ok = certdir_list_write_source(writer, "test", NULL, 1, &error);
			for (int i = 0; ok && i < count; i++) {
				char text[32];
				struct certdir_device device = {.name = text, .owner = owner};

				(void)snprintf(text, sizeof(text), "PC-%d", i);
				ok = certdir_list_write_device(writer, &device, &error);
			}
			if (!ok)
				certdir_list_write_abort(writer);
			else
				ok = certdir_list_write_publish(writer, &error);
		}
		if (ok) {
			fixture_edition(1, 100);
			continue;
		}
		failed++;
		last = error;
		assert_edition(1, 100);
		(void)snprintf(name, sizeof(name), "%s.new.%ld", fixture_file, (long)getpid());
		assert_int_equal(access(name, F_OK), -1);
	}
	assert_int_equal(umount(fixture_directory), 0);
	assert_true(failed > 10);
	assert_true(strstr(last.text, "full") || strstr(last.text, "No space"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_refused_devices),	    TEST(test_refused_files),
		TEST(test_no_permission),	    TEST(test_damaged_image),
		TEST(test_sqlite_opens_it),	    TEST(test_schema_constants),
		TEST(test_second_writer_is_told),   TEST(test_damaged_list_is_not_replaced),
		TEST(test_leftovers_are_removed),   TEST(test_permissions_stay),
		TEST(test_symlink_stays),	    TEST(test_list_shrinks),
		TEST(test_nowhere_to_write),	    TEST(test_nowhere_to_read),
		TEST(test_killed_while_publishing), TEST(test_disk_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
