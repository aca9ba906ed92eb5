/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list as a directory: searches, and a file that is replaced, damaged and removed under eight threads that ask. */
#include "list_fixture.h"
#include "directory/directory.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <time.h>

enum { THREADS = 8, DEVICES = 200, DEADLINE = 20 };

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- log: kept, so that tests can wait for a line and count it ---- */

static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;
static char log_text[65536];

static void keep_log(enum certdir_log_level level, const char *text)
{
	static const char *const names[] = {"INFO ", "WARN ", "ERROR "};

	(void)pthread_mutex_lock(&log_mutex);
	if (strlen(log_text) + strlen(text) + 10 < sizeof(log_text))
		strcat(strcat(strcat(log_text, names[level]), text), "\n");
	(void)pthread_mutex_unlock(&log_mutex);
}

static int log_count(const char *what)
{
	int count = 0;

	(void)pthread_mutex_lock(&log_mutex);
	for (const char *at = log_text; (at = strstr(at, what)); at++)
		count++;
	(void)pthread_mutex_unlock(&log_mutex);
	return count;
}

static void log_clear(void)
{
	(void)pthread_mutex_lock(&log_mutex);
	log_text[0] = '\0';
	(void)pthread_mutex_unlock(&log_mutex);
}

static void pause_briefly(void)
{
	(void)nanosleep(&(struct timespec){0, 5000000}, NULL);
}

static void wait_for_log(const char *what)
{
	double end = now() + DEADLINE;

	while (!log_count(what)) {
		if (now() > end)
			fail_msg("\"%s\" was not logged; this was: %s", what, log_text);
		pause_briefly();
	}
}

/* ---- searching ---- */

static struct certdir_directory *open_list(const struct certdir_list_config *config, bool watch)
{
	struct certdir_error error;
	struct certdir_directory *directory = certdir_list_directory_open(config, watch, &error);

	if (!directory)
		fail_msg("%s", error.text);
	return directory;
}

static struct certdir_identity identity(enum certdir_identity_type type, const char *value)
{
	return (struct certdir_identity){.type = type, .value = (char *)value};
}

static int setup(void **state)
{
	certdir_log_set(keep_log);
	log_clear();
	return fixture_setup(state);
}

static void test_search_merges_rows(void **state)
{
	const struct certdir_list_config config = {.filename = fixture_file};
	struct certdir_certificate certificate = {
		.identities = {identity(CERTDIR_ID_ENTRA, G1), identity(CERTDIR_ID_NAME, "pc1"),
			       identity(CERTDIR_ID_SID_URI, SID1), identity(CERTDIR_ID_SERIAL, "NOT-HELD"),
			       identity(CERTDIR_ID_UPN, "ada@example.com")},
		.count = 5};
	struct certdir_list_writer *writer = fixture_begin(false, "test", NULL, 1000);
	struct certdir_directory *directory;
	struct certdir_answer answer = {0};

	(void)state;
	fixture_add(writer, &(struct certdir_device){
				    .entra_device_id = (char *)G1, .name = (char *)"PC1", .sid = (char *)SID1});
	fixture_add(writer, &(struct certdir_device){.entra_device_id = (char *)G2, .name = (char *)"PC1"});
	fixture_publish(writer);
	directory = open_list(&config, false);
	directory->type->search(directory, &certificate, 31, 1060, &answer);
	assert_int_equal(answer.state, CERTDIR_ANSWERED);
	assert_int_equal(answer.count, 2);
	assert_string_equal(answer.matches[0].device.id, G1);
	assert_int_equal(answer.matches[0].by, 7);
	assert_int_equal(answer.matches[1].by, 2);
	assert_int_equal(answer.matches[0].age, 60);
	assert_int_equal(answer.age, 60);
	assert_false(answer.stale || answer.truncated);
	assert_false(answer.holds & CERTDIR_BIT(CERTDIR_ID_SERIAL));
	assert_true(answer.holds & CERTDIR_BIT(CERTDIR_ID_SID_URI));
	certdir_answer_clear(&answer);
	directory->type->search(directory, &certificate, 4, 900, &answer); /* only the SID; a clock that went back */
	assert_int_equal(answer.count, 1);
	assert_int_equal(answer.matches[0].by, 4);
	assert_int_equal(answer.age, 0);
	certdir_answer_clear(&answer);
	directory->type->close(directory);
}

/* Many devices of one name, and an id: the device that the id finds carries the name, though it is not among the first. */
static void test_search_truncated(void **state)
{
	const struct certdir_list_config config = {.filename = fixture_file};
	struct certdir_certificate certificate = {.identities = {identity(CERTDIR_ID_NAME, "iphone"),
								 identity(CERTDIR_ID_ENTRA, G1),
								 identity(CERTDIR_ID_ENTRA, G2)},
						  .count = 3};
	struct certdir_list_writer *writer = fixture_begin(false, "test", NULL, 1000);
	struct certdir_directory *directory;
	struct certdir_answer answer = {0};

	(void)state;
	for (int i = 0; i < 50; i++)
		fixture_add(writer, &(struct certdir_device){.name = (char *)"iPhone"});
	fixture_add(writer, &(struct certdir_device){.name = (char *)"iPhone", .entra_device_id = (char *)G1});
	fixture_add(writer, &(struct certdir_device){.name = (char *)"iPad", .entra_device_id = (char *)G2});
	fixture_publish(writer);
	directory = open_list(&config, false);
	directory->type->search(directory, &certificate, 7, 1000, &answer);
	assert_int_equal(answer.truncated, 1);
	assert_int_equal(answer.count, CERTDIR_LIST_FIND_MAX + 2);
	assert_string_equal(answer.matches[CERTDIR_LIST_FIND_MAX].device.id, G1);
	assert_int_equal(answer.matches[CERTDIR_LIST_FIND_MAX].by, 3);
	assert_int_equal(answer.matches[CERTDIR_LIST_FIND_MAX + 1].by, 4);
	certdir_answer_clear(&answer);
	directory->type->close(directory);
}

static void test_search_tenant_and_age(void **state)
{
	struct certdir_list_config config = {
		.filename = fixture_file, .tenant = "{72F988BF-86F1-41AF-91AB-2D7CD011DB47}", .max_age = 100};
	struct certdir_certificate certificate = {.identities = {identity(CERTDIR_ID_NAME, "pc1")}, .count = 1};
	struct certdir_list_writer *writer = fixture_begin(false, "a", TENANT_A, 1000);
	struct certdir_directory *directory;
	struct certdir_answer answer = {0};
	struct certdir_error error;

	(void)state;
	fixture_add(writer, &(struct certdir_device){.name = (char *)"PC1", .serial_number = (char *)"A"});
	assert_true(certdir_list_write_source(writer, "b", TENANT_B, 500, &error));
	fixture_add(writer, &(struct certdir_device){.name = (char *)"PC1", .sid = (char *)SID1});
	fixture_publish(writer);
	directory = open_list(&config, false);
	directory->type->search(directory, &certificate, 1, 1100, &answer);
	assert_int_equal(answer.count, 1); /* the other tenant's does not exist, its source's age is not ours */
	assert_string_equal(answer.matches[0].device.serial_number, "A");
	assert_int_equal(answer.age, 100);
	assert_false(answer.stale || answer.matches[0].stale);
	assert_false(answer.holds & CERTDIR_BIT(CERTDIR_ID_SID));
	certdir_answer_clear(&answer);
	directory->type->search(directory, &certificate, 1, 1101, &answer);
	assert_true(answer.stale && answer.matches[0].stale);
	certdir_answer_clear(&answer);
	directory->type->close(directory);

	config.tenant = NULL;
	directory = open_list(&config, false);
	directory->type->search(directory, &certificate, 1, 1100, &answer);
	assert_int_equal(answer.count, 2);
	assert_int_equal(answer.age, 600);
	assert_true(answer.stale);
	assert_false(answer.matches[0].stale);
	assert_true(answer.matches[1].stale);
	certdir_answer_clear(&answer);
	directory->type->close(directory);

	config.tenant = "contoso.example";
	assert_null(certdir_list_directory_open(&config, false, &error));
	assert_non_null(strstr(error.text, "not a GUID"));
}

/* A page of the index is damaged under a true seal: that is no "not found". */
static void test_search_fails(void **state)
{
	const struct certdir_list_config config = {.filename = fixture_file};
	struct certdir_certificate certificate = {.identities = {identity(CERTDIR_ID_NAME, "pc-7")}, .count = 1};
	struct certdir_directory *directory;
	struct certdir_answer answer = {0};
	unsigned char *file;
	sqlite3_stmt *stmt;
	size_t size, image;
	sqlite3 *db;

	(void)state;
	fixture_edition(1, DEVICES);
	assert_int_equal(sqlite3_open_v2(fixture_file, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT rootpage FROM sqlite_schema WHERE name='device_by_name'", -1,
					    &stmt, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	file = fixture_read(&size);
	image = fixture_image(file, size);
	memset(file + (sqlite3_column_int64(stmt, 0) - 1) * 4096, 0xa5, 4096);
	sqlite3_finalize(stmt);
	(void)sqlite3_close(db);
	fixture_seal(file, image);
	free(file);
	directory = open_list(&config, false);
	directory->type->search(directory, &certificate, 1, 1000, &answer);
	assert_int_equal(answer.state, CERTDIR_ANSWER_UNAVAILABLE);
	assert_non_null(strstr(answer.detail, "malformed"));
	certdir_answer_clear(&answer);
	directory->type->close(directory);
}

/* ---- a file that changes under its readers ---- */

static struct certdir_directory *watched;
static atomic_int oldest, newest; /* editions that may be answered from now */
static atomic_bool finished;
static atomic_int answered, wrong;

/* The edition that answers now; -1 = missing, -2 = anything else. */
static int ask(unsigned device)
{
	char name[32];
	struct certdir_certificate certificate = {.identities = {identity(CERTDIR_ID_NAME, name)}, .count = 1};
	struct certdir_answer answer = {0};
	int edition = -2;

	(void)snprintf(name, sizeof(name), "pc-%u", device % DEVICES);
	watched->type->search(watched, &certificate, 1, 1000, &answer);
	if (answer.state == CERTDIR_ANSWER_MISSING)
		edition = -1;
	else if (answer.state == CERTDIR_ANSWERED && answer.count == 1)
		edition = atoi(answer.matches[0].device.owner);
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
	}
	return NULL;
}

/* Publishes the next edition and waits until it is the one that answers. */
static void next_edition(void)
{
	double end = now() + DEADLINE;
	int edition = atomic_fetch_add(&newest, 1) + 1;

	fixture_edition(edition, DEVICES);
	while (ask(0) != edition) {
		if (now() > end)
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
	struct certdir_certificate certificate = {.identities = {identity(CERTDIR_ID_NAME, "pc-1")}, .count = 1};
	struct certdir_answer answer = {0};

	(void)state;
	atomic_store(&newest, 0);
	watched = open_list(&config, true);
	watched->type->search(watched, &certificate, 1, 1000, &answer);
	assert_int_equal(answer.state, CERTDIR_ANSWER_MISSING);
	assert_non_null(strstr(answer.detail, "does not exist"));
	certdir_answer_clear(&answer);
	assert_int_equal(log_count("ERROR "), 1);
	make_garbage();
	wait_for_log("is not a device list");
	assert_int_equal(ask(0), -1);
	/* Looked at again and again, and still the same: said once. */
	for (double end = now() + 2.5; now() < end; pause_briefly())
		assert_int_equal(utimensat(AT_FDCWD, fixture_file, NULL, 0), 0);
	assert_int_equal(log_count("is not a device list"), 1);
	next_edition();
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
	start = now();
	for (int i = 0; i < 20; i++) {
		struct certdir_directory *directory = open_list(&config, true);

		directory->type->close(directory);
	}
	assert_true(now() - start < 5);
	(void)pthread_sigmask(SIG_SETMASK, NULL, &after);
	assert_int_equal(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_search_merges_rows), TEST(test_search_truncated),	      TEST(test_search_tenant_and_age),
		TEST(test_search_fails),       TEST(test_file_changes_under_readers), TEST(test_list_comes_late),
		TEST(test_watcher_is_quiet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
