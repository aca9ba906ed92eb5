/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of changes beside a large list, when its writers die and when the disk is full. */
#include "changes_fixture.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

/* What children have done, seen by all. */
struct progress {
	int published; /* the newest edition whose publication has ended */
	int whole; /* how often the list was written whole */
};

/* Before or after the list gets its name: moments that are too short for a timer. */
static enum { NEVER, BEFORE, AFTER } dies;

int rename(const char *from, const char *to)
{
	const bool named = strcmp(to, fixture_file) == 0;
	int result;

	if (named && dies == BEFORE)
		_exit(0);
	result = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
	if (named && dies == AFTER)
		_exit(0);
	return result;
}

static long own_time(void)
{
	struct timespec spent;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
	return (long)spent.tv_sec * 1000000 + spent.tv_nsec / 1000;
}

/* It must not come back: what fails here would go on as a second process of these tests. */
static void publish_or_exit(struct progress *progress)
{
	const off_t before = changes_size_of(changes_file);
	const int edition = progress->published + 1;
	struct certdir_error error;

	/* Some are one row, some have as many blocks as are not written whole at once. */
	if (!changes_try(edition,
			 edition % 3 ? "UPDATE device SET enabled=0 WHERE id=(SELECT synced FROM source)"
				     : "UPDATE device SET enabled=NOT coalesce(enabled,0) WHERE id BETWEEN 600 AND 950",
			 &error)) {
		print_error("edition %d: %s\n", edition, error.text);
		_exit(1);
	}
	progress->published = edition;
	progress->whole += changes_size_of(changes_file) < before;
}

/*
 * Dies in one of the editions after `first`, at any moment of it: of its own time, since others may keep it waiting. How long that is, the
 * editions before it tell: here, and with a sanitizer, where all takes longer.
 */
static _Noreturn void publish_until_killed(struct progress *progress, int first)
{
	struct itimerval timer = {.it_interval = {0}};
	long begin = own_time();

	for (int i = 0; i < first; i++)
		publish_or_exit(progress);
	timer.it_value.tv_usec = 1 + rand() % (2 * (own_time() - begin) / first);
	(void)signal(SIGPROF, SIG_DFL);
	(void)setitimer(ITIMER_PROF, &timer, NULL);
	for (;;)
		publish_or_exit(progress);
}

/* A reader gets what is published, and whoever has the edition before takes it in its place. */
static int start_and_reload(struct certdir_list_snapshot **used)
{
	struct certdir_error error;
	struct certdir_list_snapshot *fresh = certdir_list_reload(fixture_file, NULL, *used, &error);
	bool damaged;

	if (!fresh)
		fail_msg("%s", error.text);
	certdir_list_release(*used);
	*used = fresh;
	assert_int_equal(changes_start(&damaged), changes_edition_of(fresh));
	assert_false(damaged);
	return changes_edition_of(fresh);
}

static void test_killed_while_publishing(void **state)
{
	struct progress *progress =
		mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct certdir_list_snapshot *used;

	(void)state;
	assert_ptr_not_equal(progress, MAP_FAILED);
	/* Where nothing waits for a disk, it is over sooner. */
	if (mount("none", fixture_directory, "tmpfs", MS_NOSUID | MS_NODEV, "size=40m") != 0)
		print_message("no tmpfs can be mounted here: %s\n", strerror(errno));
	fixture_large(4500);
	used = fixture_load();
	progress->published = 1000;
	for (int i = 0; i < 40; i++) {
		const pid_t pid = fork();
		int status, now;

		assert_true(pid >= 0);
		srand((unsigned)i);
		if (pid == 0)
			publish_until_killed(progress, 1 + i % 4);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF);
		now = start_and_reload(&used);
		if (now != progress->published && now != progress->published + 1)
			fail_msg("after %d there is %d", progress->published, now);
		progress->published = now;
		if (i % 10 == 0)
			changes_check_list(4500);
	}
	print_message("%d editions, written whole %d times\n", progress->published - 1000, progress->whole);
	assert_true(progress->published >= 1100);
	assert_true(progress->whole >= 5);
	certdir_list_release(used);
	changes_next(progress->published + 1, "SELECT 1");
	changes_check_list(4500);
	(void)munmap(progress, sizeof(*progress));
	(void)umount(fixture_directory);
}

/*
 * A list that is written whole has three names to give. Whoever starts in between gets what was published last, and where the list is damaged
 * then, the edition before it: the old list without its changes would be much older.
 */
static void test_died_between_names(void **state)
{
	char last[128];

	(void)state;
	(void)snprintf(last, sizeof(last), "%s.last", fixture_file);
	fixture_large(4500);
	for (int when = BEFORE; when <= AFTER; when++) {
		const int edition = 2000 + 10 * when;
		struct certdir_list_snapshot *before;
		struct certdir_error error;
		pid_t pid;
		int status;

		for (int i = 0; i < 3; i++)
			changes_next(edition + i, "SELECT 1");
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			dies = when;
			(void)changes_try(edition + 3, "UPDATE device SET owner=hex(randomblob(500))", &error);
			print_error("did not die: %s\n", error.text);
			_exit(1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		changes_expect_start(edition + (when == AFTER ? 3 : 2), false);
		before = certdir_list_load(last, &error);
		if (!before)
			fail_msg("%s", error.text);
		assert_int_equal(changes_edition_of(before), edition + 2);
		certdir_list_release(before);
	}
	assert_int_equal(truncate(fixture_file, changes_size_of(fixture_file) - 1), 0);
	changes_expect_start(2000 + 10 * AFTER + 2, true);
}

static void test_disk_full(void **state)
{
	struct certdir_error error;
	int edition = 2000;

	(void)state;
	if (mount("none", fixture_directory, "tmpfs", MS_NOSUID | MS_NODEV, "size=9m") != 0) {
		print_message("skipped: no tmpfs can be mounted here: %s\n", strerror(errno));
		skip();
	}
	fixture_large(3500);
	assert_true(changes_size_of(fixture_file) > 9 << 19); /* two have no room */
	/* Changes have, again and again; when they do not, or it should be written whole, what is published stays. */
	while (changes_try(edition, "UPDATE device SET enabled=0 WHERE id%97=(SELECT synced%97 FROM source)", &error)) {
		changes_expect_start(edition, false);
		assert_true(edition++ < 2300);
	}
	assert_true(edition > 2003);
	assert_true(strstr(error.text, "full") || strstr(error.text, "No space"));
	changes_expect_start(edition - 1, false);
	changes_check_list(3500);
	assert_int_equal(umount(fixture_directory), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, changes_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_killed_while_publishing),
		TEST(test_died_between_names),
		TEST(test_disk_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
