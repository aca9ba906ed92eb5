/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list as a directory: a file that is replaced, damaged and removed under eight threads that ask, and what is told of it. */
#include "watched_fixture.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <time.h>

enum { THREADS = 8 };

static struct certdir_directory *watched;

/* ---- a file that changes under its readers ---- */

static atomic_int oldest, newest; /* editions that may be answered from now */
static atomic_bool finished;
static atomic_int answered, wrong;

/* The edition that answers now; -1 = missing, -2 = anything else. */
static int ask(unsigned device)
{
	char name[32];
	struct certdir_sought sought = {.type = CERTDIR_ID_NAME, .value = name};
	struct certdir_answer answer = {0};
	int edition = -2;

	(void)snprintf(name, sizeof(name), "pc-%u", device % DEVICES);
	watched->type->search(watched, &sought, 1, &answer);
	if (answer.state == CERTDIR_ANSWER_MISSING)
		edition = -1;
	else if (answer.state == CERTDIR_ANSWERED && answer.count == 1)
		edition = atoi(answer.records[0].device.owner);
	certdir_answer_clear(&answer);
	return edition;
}

static void *keep_asking(void *context)
{
	unsigned device = 0;

	(void)context;
	while (!atomic_load(&finished)) {
		int low = atomic_load(&oldest), edition = ask(device++), high = atomic_load(&newest);

		atomic_fetch_add(&answered, 1);
		if (edition < low || edition > high)
			atomic_fetch_add(&wrong, 1);
		(void)nanosleep(&(struct timespec){0, 200000}, NULL); /* other tests run beside this one */
	}
	return NULL;
}

/* Publishes the next edition and waits until it is the one that answers. */
static void next_edition(void)
{
	double end = seconds_now() + DEADLINE;
	int edition = atomic_fetch_add(&newest, 1) + 1;

	fixture_edition(edition, DEVICES);
	while (ask(0) != edition) {
		if (seconds_now() > end)
			fail_msg("edition %d was not taken up; log: %s", edition, log_text);
		pause_briefly();
	}
	/* A search that began before the swap may still end with the old truth; one that begins now may not. */
	atomic_store(&oldest, edition);
}

/* The same size, half old and half new: what a reader sees while cp is at work. */
static void make_half(void)
{
	size_t size;
	unsigned char *bytes = fixture_read(&size);

	for (size_t i = size / 2, end = fixture_image(bytes, size); i < end; i++)
		bytes[i] ^= 0x55;
	fixture_overwrite(bytes, size);
	free(bytes);
}

static void make_truncated(void)
{
	struct stat status;

	assert_int_equal(stat(fixture_file, &status), 0);
	assert_int_equal(truncate(fixture_file, status.st_size / 2), 0);
}

static void make_unsealed(void)
{
	struct stat status;

	assert_int_equal(stat(fixture_file, &status), 0);
	assert_int_equal(truncate(fixture_file, status.st_size - CERTDIR_SEAL_FOOTER), 0);
}

static void make_gone(void)
{
	assert_int_equal(unlink(fixture_file), 0);
}

static void make_empty(void)
{
	fixture_overwrite("", 0);
}

static void make_garbage(void)
{
	fixture_overwrite("garbage", 7);
}

static void make_foreign(void)
{
	sqlite3 *db;

	assert_int_equal(unlink(fixture_file), 0);
	assert_int_equal(sqlite3_open(fixture_file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE device(id)", NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
}

static void make_fifo(void)
{
	assert_int_equal(unlink(fixture_file), 0);
	assert_int_equal(mkfifo(fixture_file, 0600), 0);
}

static void make_directory(void)
{
	assert_int_equal(unlink(fixture_file), 0);
	assert_int_equal(mkdir(fixture_file, 0700), 0);
}

static void make_dangling(void)
{
	assert_int_equal(unlink(fixture_file), 0);
	assert_int_equal(symlink("nowhere", fixture_file), 0);
}

static void make_unreadable(void)
{
	assert_int_equal(chmod(fixture_file, 0), 0);
}

static const struct {
	void (*make)(void);
	const char *level;
	const char *says;
} disasters[] = {
	{make_half, "ERROR", "does not match its seal"},
	{make_truncated, "ERROR", "is not sealed"},
	{make_unsealed, "ERROR", "is not sealed"},
	{make_gone, "WARN", "does not exist"},
	{make_empty, "ERROR", "is empty"},
	{make_garbage, "ERROR", "is not a device list"},
	{make_foreign, "ERROR", "is a SQLite database"},
	{make_fifo, "ERROR", "is not a file"},
	{make_directory, "ERROR", "is not a file"},
	{make_dangling, "WARN", "does not exist"},
	{make_unreadable, "ERROR", "cannot be read"},
};

static void test_file_changes_under_readers(void **state)
{
	const struct certdir_list_config config = {.filename = fixture_file};
	pthread_t threads[THREADS];

	(void)state;
	atomic_store(&oldest, 0);
	atomic_store(&newest, 0);
	atomic_store(&finished, false);
	atomic_store(&answered, 0);
	atomic_store(&wrong, 0);
	fixture_edition(0, DEVICES);
	watched = open_list(&config, true);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, keep_asking, NULL), 0);
	next_edition();
	for (size_t i = 0; i < sizeof(disasters) / sizeof(*disasters); i++) {
		char says[200];

		if (disasters[i].make == make_unreadable && geteuid() == 0)
			continue; /* root reads everything */
		log_clear();
		disasters[i].make();
		(void)snprintf(says, sizeof(says), "%s %s %s", disasters[i].level, fixture_file, disasters[i].says);
		wait_for_log(says);
		assert_int_equal(log_count("with 200 devices"), 1);
		assert_int_equal(ask(1), atomic_load(&newest));
		(void)unlink(fixture_file);
		(void)rmdir(fixture_file);
		next_edition();
		assert_int_equal(log_count(says), 1);
	}
	atomic_store(&finished, true);
	for (int i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	watched->type->close(watched);
	assert_int_equal(atomic_load(&wrong), 0);
	assert_true(atomic_load(&answered) > 1000);
}

/* Starting without a list is no reason not to start; the list is taken up when it comes. */
static void test_list_comes_late(void **state)
{
	const struct certdir_list_config config = {.filename = fixture_file};
	struct certdir_sought sought = {.type = CERTDIR_ID_NAME, .value = "pc-1"};
	struct certdir_answer answer = {0};

	(void)state;
	atomic_store(&newest, 0);
	watched = open_list(&config, true);
	watched->type->search(watched, &sought, 1, &answer);
	assert_int_equal(answer.state, CERTDIR_ANSWER_MISSING);
	assert_int_equal(answer.keeps, UINT32_MAX); /* what it would know devices by is not known */
	assert_non_null(strstr(answer.detail, "does not exist"));
	certdir_answer_clear(&answer);
	assert_int_equal(log_count("ERROR "), 1);
	make_garbage();
	wait_for_log("is not a device list");
	assert_int_equal(ask(0), -1);
	/* Looked at again and again, and still the same: said once. */
	for (double end = seconds_now() + 2.5; seconds_now() < end; pause_briefly())
		assert_int_equal(utimensat(AT_FDCWD, fixture_file, NULL, 0), 0);
	assert_int_equal(log_count("is not a device list"), 1);
	assert_int_equal(certdir_directory_list_edition(watched), 0);
	assert_int_equal(unlink(fixture_file), 0); /* nothing else makes room for a list */
	next_edition();
	assert_true(certdir_directory_list_edition(watched) >= 1);
	watched->type->close(watched);
}

/* It is damaged; who can write it is told all the same. */
static void make_changes_file(mode_t mode)
{
	char name[300];
	int file;

	(void)snprintf(name, sizeof(name), "%s.changes", fixture_file);
	file = open(name, O_WRONLY | O_CREAT, 0600);
	assert_true(file >= 0 && fchmod(file, mode) == 0 && close(file) == 0);
}

/* A list that others can change is used, and told once. */
static void test_permissions_are_told(void **state)
{
	const struct certdir_list_config config = {.filename = fixture_file};

	(void)state;
	if (geteuid() != 0)
		skip(); /* the group of others is root's to give */
	atomic_store(&newest, 0);
	fixture_edition(0, DEVICES);
	watched = open_list(&config, true);
	wait_for_log("INFO ");
	assert_int_equal(log_count("can change it"), 0);
	assert_int_equal(chmod(fixture_file, 0666), 0);
	wait_for_log("anybody can change it, and so let devices in; do: chmod o-w");
	next_edition(); /* keeps the mode */
	assert_int_equal(log_count("can change it"), 1);
	assert_int_equal(chown(fixture_file, 0, 12345), 0);
	assert_int_equal(chmod(fixture_file, 0664), 0);
	wait_for_log("members of group 12345 can change it");
	assert_int_equal(chmod(fixture_file, 0644), 0);
	make_changes_file(0666);
	wait_for_log("devices.db.changes has mode 0666: anybody can change it");
	watched->type->close(watched);
}

/* An old copy in the place of the list is taken, but not without a word. */
static void test_older_list_is_told(void **state)
{
	const struct certdir_list_config config = {.filename = fixture_file};
	char command[300];

	(void)state;
	atomic_store(&newest, 0);
	fixture_edition(0, DEVICES);
	(void)snprintf(command, sizeof(command), "cp '%s' '%s/old'", fixture_file, fixture_directory);
	assert_int_equal(system(command), 0);
	watched = open_list(&config, true);
	next_edition();
	assert_int_equal(log_count("takes the place of the newer one"), 0);
	(void)snprintf(command, sizeof(command), "mv '%s/old' '%s'", fixture_directory, fixture_file);
	assert_int_equal(system(command), 0);
	wait_for_log("takes the place of the newer one");
	assert_int_equal(ask(0), 0);
	watched->type->close(watched);
}

/* Signals are left to the program's own threads, and closing does not wait for the watcher's second to end. */
static void test_watcher_is_quiet(void **state)
{
	const struct certdir_list_config config = {.filename = fixture_file};
	sigset_t before, after;
	double start;

	(void)state;
	fixture_edition(1, 1);
	(void)pthread_sigmask(SIG_SETMASK, NULL, &before);
	start = seconds_now();
	for (int i = 0; i < 20; i++) {
		struct certdir_directory *directory = open_list(&config, true);

		directory->type->close(directory);
	}
	assert_true(seconds_now() - start < 5);
	(void)pthread_sigmask(SIG_SETMASK, NULL, &after);
	assert_int_equal(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
}

/* A part that grows stale is told once, by name, and again only when it was fresh in between. */
static void test_stale_parts_are_told(void **state)
{
	const struct certdir_list_config config = {.filename = fixture_file, .max_age = 60};
	const long long t = (long long)time(NULL);
	static const struct {
		int devices, intune, interval; /* seconds ago, 0 = never; negative = ahead */
		const char *says; /* NULL = nothing */
		int told, users;
	} editions[] = {
		{10, 500, 300, NULL, 0, 0}, /* within twice its interval */
		{10, 700, 300, "the intune part of tenant \"contoso\" was last synced 70", 1, 0},
		{10, 710, 300, "the intune part", 1, 0}, /* told already */
		{10, 10, 300, "the intune part", 1, 0},
		{10, 720, 300, "the intune part", 2, 0},
		{10, 30, 0, "the users part of tenant \"contoso\" was last synced 7", 1, 70},
		{70, 0, 0, "the devices part of tenant \"contoso\" was last synced 7", 1, 0},
		{-200, 10, 0, "in the future", 0, 0},
		{10, -400, 0, "source \"contoso\" was synced in the future: check the clock of the sync host", 1, 0},
		{-500, 10, 0, "in the future", 1, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(editions) / sizeof(*editions); i++) {
		struct certdir_list_writer *writer = fixture_begin(true, "jamf", NULL, t);
		const int loaded = log_count("INFO ");
		char sql[300];

		(void)snprintf(sql, sizeof(sql),
			       "INSERT INTO source(id,name,kind,tenant,synced,intune_synced,intune_interval,"
			       "users_synced)VALUES(2,'contoso','tenant','" TENANT_A
			       "',%lld,nullif(%lld,%lld),%d,nullif(%lld,%lld))",
			       t - editions[i].devices, t - editions[i].intune, t, editions[i].interval,
			       t - editions[i].users, t);
		fixture_run(writer, sql);
		fixture_publish(writer);
		if (i == 0)
			watched = open_list(&config, true);
		for (double end = seconds_now() + DEADLINE; log_count("INFO ") == loaded && seconds_now() < end;
		     pause_briefly())
			;
		/* What is to be told is told before the next look at the file. */
		for (double end = seconds_now() + (editions[i].told ? DEADLINE : 0.2); seconds_now() < end;
		     pause_briefly())
			if (editions[i].told && log_count(editions[i].says) >= editions[i].told)
				break;
		if (editions[i].says ? log_count(editions[i].says) != editions[i].told : log_count("WARN "))
			fail_msg("edition %zu: %s", i, log_text);
	}
	watched->type->close(watched);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, watched_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_file_changes_under_readers), TEST(test_list_comes_late),  TEST(test_permissions_are_told),
		TEST(test_older_list_is_told),	       TEST(test_watcher_is_quiet), TEST(test_stale_parts_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
