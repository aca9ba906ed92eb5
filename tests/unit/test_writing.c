/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Around the list: the lock, whom files belong to, copies for a look, what is not overwritten, sources that are removed. */
#include "list_fixture.h"
#include "list/lock.h"
#include "base/permissions.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>

enum { NOBODY = 65534, SERVICE = 12345 };

static char logged[2000];

static void keep_log(enum certdir_log_level level, const char *text)
{
	(void)level;
	(void)snprintf(logged + strlen(logged), sizeof(logged) - strlen(logged), "%s\n", text);
}

/* Runs `what` in a child as another user; its result is the child's exit code. */
static int as_user(uid_t user, int (*what)(void))
{
	const pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0)
		_exit(setgid(user) == 0 && setuid(user) == 0 ? what() : 99);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool is_root(void)
{
	if (geteuid() == 0)
		return true;
	print_message("skipped: only root can be another user\n");
	return false;
}

static int publish_one(void)
{
	struct certdir_error error;
	struct certdir_list_writer *writer = certdir_list_write_begin(fixture_file, false, NULL, &error);

	if (writer && certdir_list_write_source(writer, "test", NULL, 1, &error) &&
	    certdir_list_write_device(writer, &(struct certdir_device){.name = (char *)"PC-1"}, &error) &&
	    certdir_list_write_publish(writer, &error))
		return 0;
	print_message("user %u: %s\n", (unsigned)geteuid(), error.text);
	return 1;
}

static const char *beside(const char *suffix)
{
	static char name[160];

	(void)snprintf(name, sizeof(name), "%s%s", fixture_file, suffix);
	return name;
}

static void assert_owner(const char *suffix, uid_t user, gid_t group)
{
	struct stat status;

	assert_int_equal(lstat(beside(suffix), &status), 0);
	assert_int_equal(status.st_uid, user);
	assert_int_equal(status.st_gid, group);
}

/* ---- the lock ---- */

/* A child that holds the lock until let_go(). */
static pid_t hold_lock(void)
{
	struct certdir_error error;
	int ready[2];
	pid_t child;
	char byte;

	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		/* Not longer than a test that fails. */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (certdir_list_lock(fixture_file, fixture_directory, 0, &error) < 0)
			_exit(1);
		(void)!write(ready[1], "x", 1);
		for (;;)
			(void)pause();
	}
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	return child;
}

static void let_go(pid_t holder)
{
	assert_int_equal(kill(holder, SIGKILL), 0);
	assert_int_equal(waitpid(holder, NULL, 0), holder);
}

static void test_a_writer_is_waited_for(void **state)
{
	struct certdir_error error;
	char who[64];
	pid_t holder, writer;
	int status;

	(void)state;
	holder = hold_lock();
	assert_int_equal(certdir_list_lock(fixture_file, fixture_directory, 0, &error), -1);
	(void)snprintf(who, sizeof(who), "process %ld,", (long)holder);
	assert_non_null(strstr(error.text, who));
	writer = fork();
	assert_true(writer >= 0);
	if (writer == 0) {
		certdir_log_set(keep_log);
		status = publish_one();
		/* said once, however long it took */
		_exit(status == 0 && strstr(logged, who) && !strstr(strstr(logged, who) + 1, who) ? 0 : 1);
	}
	for (int i = 0; i < 5; i++) {
		assert_int_equal(waitpid(writer, &status, WNOHANG), 0);
		(void)usleep(30000);
	}
	assert_int_equal(access(fixture_file, F_OK), -1);
	let_go(holder);
	assert_int_equal(waitpid(writer, &status, 0), writer);
	assert_int_equal(status, 0);
	certdir_list_release(fixture_load());
}

static void caught(int number)
{
	(void)number;
}

static void test_a_signal_ends_the_wait(void **state)
{
	const struct itimerval soon = {.it_value.tv_usec = 30000, .it_interval.tv_usec = 30000}, never = {0};
	struct sigaction action = {.sa_handler = caught};
	struct certdir_error error;
	pid_t holder;

	(void)state;
	holder = hold_lock();
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
	assert_null(certdir_list_write_begin(fixture_file, false, NULL, &error));
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_non_null(strstr(error.text, "signal"));
	let_go(holder);
}

/* What a root of before left, as `certdir sync --dry-run` did: closed to the user that the directory is for. */
static void leave_lock(void)
{
	const int file = open(beside(".lock"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(file >= 0);
	assert_int_equal(close(file), 0);
}

static void test_a_lock_that_cannot_be_opened(void **state)
{
	(void)state;
	if (!is_root())
		skip();
	assert_int_equal(chown(fixture_directory, SERVICE, SERVICE), 0);
	leave_lock();
	assert_int_equal(as_user(SERVICE, publish_one), 0);
	assert_owner(".lock", SERVICE, SERVICE);
	assert_int_equal(publish_one(), 0); /* as root, and back */
	assert_int_equal(as_user(SERVICE, publish_one), 0);
}

/* Root is writing under a lock that the user cannot open: the user's turn comes after it, and a third one's after that. */
static void test_who_holds_such_a_lock(void **state)
{
	pid_t root, users[2];
	int status;

	(void)state;
	if (!is_root())
		skip();
	assert_int_equal(chown(fixture_directory, SERVICE, SERVICE), 0);
	leave_lock();
	root = hold_lock();
	for (int i = 0; i < 2; i++) {
		users[i] = fork();
		if (users[i] == 0)
			_exit(as_user(SERVICE, publish_one));
	}
	for (int i = 0; i < 10; i++) {
		assert_int_equal(waitpid(users[0], &status, WNOHANG), 0);
		assert_int_equal(waitpid(users[1], &status, WNOHANG), 0);
		(void)usleep(30000);
	}
	assert_int_equal(access(fixture_file, F_OK), -1);
	let_go(root);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(waitpid(users[i], &status, 0), users[i]);
		assert_int_equal(status, 0);
	}
}

/* Many writers at once, of two users, from a lock on that one of them cannot open: never two at the same time. */
static void test_never_two_at_once(void **state)
{
	int inside, status;
	pid_t children[12];

	(void)state;
	if (!is_root())
		skip();
	inside = open(beside(".inside"), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	assert_int_equal(fchmod(inside, 0666), 0);
	for (int round = 0; round < 6; round++) {
		assert_int_equal(chown(fixture_directory, SERVICE, SERVICE), 0);
		(void)unlink(beside(".lock"));
		leave_lock();
		for (int i = 0; i < 12; i++) {
			children[i] = fork();
			assert_true(children[i] >= 0);
			if (children[i] == 0) {
				struct certdir_error error;
				int lock, mark;

				if (i % 3 && (setgid(SERVICE) != 0 || setuid(SERVICE) != 0))
					_exit(99);
				mark = open(beside(".inside"), O_RDWR | O_CLOEXEC);
				lock = certdir_list_lock(fixture_file, fixture_directory, 60, &error);
				if (lock < 0 || mark < 0)
					_exit(1);
				/* a lock that nobody waits for: who is inside has it alone */
				if (flock(mark, LOCK_EX | LOCK_NB) != 0)
					_exit(2);
				(void)usleep(2000);
				(void)flock(mark, LOCK_UN);
				_exit(0);
			}
		}
		for (int i = 0; i < 12; i++) {
			assert_int_equal(waitpid(children[i], &status, 0), children[i]);
			assert_int_equal(status, 0);
		}
	}
	(void)close(inside);
}

/* ---- whom files belong to ---- */

static void test_root_makes_it_for_others(void **state)
{
	(void)state;
	if (!is_root())
		skip();
	assert_int_equal(chown(fixture_directory, SERVICE, SERVICE + 1), 0);
	assert_int_equal(chmod(fixture_directory, 02755), 0);
	assert_int_equal(publish_one(), 0);
	assert_owner("", SERVICE, SERVICE + 1);
	assert_owner(".lock", SERVICE, SERVICE + 1);
	assert_int_equal(as_user(SERVICE, publish_one), 0);
	/* a list that root kept for itself before, in a directory that is not root's */
	assert_int_equal(chown(fixture_file, 0, 0), 0);
	assert_int_equal(publish_one(), 0);
	assert_owner("", SERVICE, SERVICE + 1);
	/* somebody else's stays so */
	assert_int_equal(chown(fixture_file, SERVICE + 2, SERVICE + 3), 0);
	assert_int_equal(publish_one(), 0);
	assert_owner("", SERVICE + 2, SERVICE + 3);
}

static void test_who_can_change_it(void **state)
{
	static const struct {
		mode_t directory, file;
		uid_t owner;
		gid_t group; /* of both */
		const char *finding; /* NULL = none */
		const char *behind; /* the directory's name in it */
	} table[] = {
		{0755, 0640, 0, 0, NULL, NULL},
		{02755, 0640, 0, SERVICE, NULL, NULL},
		{0775, 0660, 0, 0, NULL, NULL},
		{02775, 0640, 0, SERVICE, "chmod g-w ", ""},
		{0777, 0640, 0, 0, "chmod o-w ", ""},
		{0777, 0666, 0, 0, "chmod o-w ", "/devices.db"},
		{0755, 0666, 0, SERVICE, "chmod go-w ", "/devices.db"},
		{0755, 0664, 0, SERVICE, "chmod g-w ", "/devices.db"},
		{01777, 0640, 0, 0, NULL, NULL},
		{01777, 0640, SERVICE, 0, "chown --reference=", " "},
		{0755, 0640, SERVICE, 0, "chown --reference=", " "},
	};
	struct certdir_error finding;
	char text[200];

	(void)state;
	if (!is_root())
		skip();
	fixture_edition(1, 1);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(chown(fixture_directory, 0, table[i].group), 0);
		assert_int_equal(chmod(fixture_directory, table[i].directory), 0);
		assert_int_equal(chown(fixture_file, table[i].owner, table[i].group), 0);
		assert_int_equal(chmod(fixture_file, table[i].file), 0);
		if (certdir_permissions_check(fixture_file, &finding) != !table[i].finding)
			fail_msg("row %zu: %s", i, table[i].finding ? "nothing is found" : finding.text);
		if (!table[i].finding)
			continue;
		(void)snprintf(text, sizeof(text), "%s%s%s", table[i].finding, fixture_directory, table[i].behind);
		if (!strstr(finding.text, text))
			fail_msg("row %zu: %s", i, finding.text);
	}
	/* the owner of the directory may own the list; the group of the owner's own may write it */
	assert_int_equal(chown(fixture_directory, SERVICE, 0), 0);
	assert_int_equal(chmod(fixture_directory, 0755), 0);
	assert_int_equal(chown(fixture_file, SERVICE, 0), 0);
	assert_int_equal(chmod(fixture_file, 0640), 0);
	assert_true(certdir_permissions_check(fixture_file, &finding));
	assert_int_equal(chown(fixture_file, NOBODY, NOBODY), 0);
	assert_int_equal(chown(fixture_directory, NOBODY, NOBODY), 0);
	assert_int_equal(chmod(fixture_directory, 0775), 0);
	assert_true(certdir_permissions_check(fixture_file, &finding));
}

/* A directory further up, and that of a link, say as well what is read. */
static void test_who_can_change_what_is_above(void **state)
{
	struct certdir_error finding;
	char inner[96], file[128], link[128], open_place[96];

	(void)state;
	(void)snprintf(inner, sizeof(inner), "%s/inner", fixture_directory);
	(void)snprintf(file, sizeof(file), "%s/list.db", inner);
	(void)snprintf(open_place, sizeof(open_place), "%s/open", fixture_directory);
	(void)snprintf(link, sizeof(link), "%s/link.db", open_place);
	assert_int_equal(mkdir(inner, 0700), 0);
	assert_int_equal(mkdir(open_place, 0700), 0);
	assert_int_equal(close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
	assert_int_equal(symlink(file, link), 0);
	assert_true(certdir_permissions_check(file, &finding));
	assert_true(certdir_permissions_check(link, &finding));
	assert_int_equal(chmod(open_place, 0777), 0);
	assert_true(certdir_permissions_check(file, &finding));
	assert_false(certdir_permissions_check(link, &finding));
	assert_non_null(strstr(finding.text, open_place));
	assert_int_equal(chmod(fixture_directory, 0777), 0);
	assert_false(certdir_permissions_check(file, &finding));
	assert_non_null(strstr(finding.text, fixture_directory));
	assert_true(certdir_permissions_check("/nowhere/at/all", &finding));
	assert_true(certdir_permissions_check("/dev/null", &finding)); /* nobody is told to close it */
	assert_int_equal(chmod(fixture_directory, 0700), 0);
	if (geteuid() != 0)
		return;
	/* Whoever owns the outer one can move the inner one away; the service's user may own both. */
	assert_int_equal(chown(fixture_directory, 2001, 0), 0);
	assert_false(certdir_permissions_check(file, &finding));
	assert_non_null(strstr(finding.text, "chown root"));
	assert_int_equal(chown(inner, 2001, 0), 0);
	assert_int_equal(chown(file, 2001, 0), 0);
	assert_true(certdir_permissions_check(file, &finding));
	assert_int_equal(chown(fixture_directory, 0, 0), 0);
}

/* ---- a copy for a look ---- */

static int entries_of(const char *place)
{
	DIR *directory = opendir(place);
	struct dirent *entry;
	int count = 0;

	assert_non_null(directory);
	while ((entry = readdir(directory)))
		count += entry->d_name[0] != '.';
	(void)closedir(directory);
	return count;
}

static int64_t count_devices(struct certdir_list_writer *writer)
{
	sqlite3_stmt *stmt;
	int64_t count;

	assert_int_equal(sqlite3_prepare_v2(writer->sql.db, "SELECT count(*) FROM device", -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	count = sqlite3_column_int64(stmt, 0);
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	return count;
}

static void test_private(void **state)
{
	struct certdir_list_writer *writer;
	struct certdir_error error;
	char place[128];

	(void)state;
	fixture_edition(1, 100);
	(void)snprintf(place, sizeof(place), "%s/tmp", fixture_directory);
	assert_int_equal(mkdir(place, 0700), 0);
	assert_int_equal(setenv("TMPDIR", place, 1), 0);
	assert_int_equal(unlink(beside(".lock")), 0);
	writer = certdir_list_write_private(fixture_file, false, &error);
	assert_non_null(writer);
	assert_int_equal(entries_of(place), 0);
	assert_int_equal(entries_of(fixture_directory), 2); /* the list, tmp */
	/* as parts of a tenant do: more than the cache holds, taken back, and again */
	for (int i = 0; i < 3; i++) {
		fixture_run(writer, "BEGIN IMMEDIATE");
		fixture_run(writer,
			    "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<30000) INSERT INTO "
			    "device(source,name,owner) SELECT 1,'x'||i,hex(randomblob(500)) FROM n");
		fixture_run(writer, "UPDATE device SET owner='other'");
		fixture_run(writer, "ROLLBACK");
		assert_int_equal(count_devices(writer), 100);
		fixture_run(
			writer,
			"PRAGMA main.journal_mode=TRUNCATE;BEGIN IMMEDIATE;DELETE FROM device WHERE id=(SELECT max(id) "
			"FROM device);INSERT INTO device(source,name) VALUES(1,'y');COMMIT");
		assert_int_equal(entries_of(place), 0);
	}
	if (!certdir_list_write_source(writer, "other", NULL, 1, &error))
		fail_msg("%s", error.text);
	fixture_add(writer, &(struct certdir_device){.name = (char *)"PC-1"});
	assert_int_equal(count_devices(writer), 101);
	certdir_list_write_abort(writer);
	assert_int_equal(entries_of(place), 0);
	assert_int_equal(entries_of(fixture_directory), 2);
	writer = certdir_list_write_private(fixture_file, true, &error);
	assert_non_null(writer);
	assert_false(certdir_list_write_publish(writer, &error)); /* a mistake of ours, and no harm */
	assert_non_null(strstr(error.text, "for looking only"));
	assert_int_equal(unsetenv("TMPDIR"), 0);
	certdir_list_release(fixture_load());
}

static int look(void)
{
	struct certdir_error error;
	struct certdir_list_writer *writer = certdir_list_write_private(fixture_file, false, &error);
	int64_t devices;
	int result = 0;

	if (!writer || !certdir_list_write_remove(writer, "test", &devices, &error) || devices != 7) {
		print_message("%s\n", error.text);
		result = 1;
	}
	certdir_list_write_abort(writer);
	return result;
}

static void test_private_needs_only_to_read(void **state)
{
	pid_t holder;

	(void)state;
	if (!is_root())
		skip();
	fixture_edition(1, 7);
	assert_int_equal(chmod(fixture_directory, 0755), 0);
	assert_int_equal(chmod(fixture_file, 0644), 0);
	holder = hold_lock(); /* nor does it wait */
	assert_int_equal(as_user(NOBODY, look), 0);
	let_go(holder);
}

/* ---- what is not overwritten ---- */

static void test_only_lists_are_replaced(void **state)
{
	char lock[112];
	struct certdir_error error;
	unsigned char *file;
	size_t size;

	(void)state;
	fixture_overwrite("root:x:0:0", 10);
	assert_null(certdir_list_write_begin(fixture_file, true, NULL, &error));
	assert_non_null(strstr(error.text, "is not a device list"));
	assert_null(certdir_list_write_private(fixture_file, true, &error));
	(void)snprintf(lock, sizeof(lock), "%s.lock", fixture_file);
	assert_int_equal(access(lock, F_OK), -1); /* nor is anything put beside it */
	file = fixture_read(&size);
	assert_int_equal(size, 10);
	free(file);
	fixture_overwrite("", 0);
	fixture_edition(1, 3);
	/* of another version, and without a seal */
	file = fixture_read(&size);
	file[63] = 2;
	fixture_overwrite(file, size / 2);
	free(file);
	fixture_edition(2, 3);
	assert_int_equal(unlink(fixture_file), 0);
	assert_int_equal(mkfifo(fixture_file, 0600), 0);
	assert_null(certdir_list_write_begin(fixture_file, true, NULL, &error));
}

static void test_links_of_others(void **state)
{
	struct certdir_error error;
	char real[128];

	(void)state;
	if (!is_root())
		skip();
	fixture_edition(1, 3);
	(void)snprintf(real, sizeof(real), "%s/real.db", fixture_directory);
	assert_int_equal(rename(fixture_file, real), 0);
	assert_int_equal(symlink("real.db", fixture_file), 0);
	fixture_edition(2, 3);
	assert_int_equal(lchown(fixture_file, SERVICE, SERVICE), 0);
	assert_null(certdir_list_write_begin(fixture_file, true, NULL, &error));
	assert_non_null(strstr(error.text, "symbolic link of user 12345"));
	assert_null(certdir_list_write_begin(fixture_file, false, NULL, &error));
	certdir_list_release(fixture_load()); /* that is for writers */
}

/* ---- removing a source ---- */

static bool keep_change(void *context, const struct certdir_list_change *change)
{
	(void)context;
	(void)snprintf(logged + strlen(logged), sizeof(logged) - strlen(logged), "%s %s %s %s\n", change->source,
		       change->what, change->device ? change->device : "-", change->name ? change->name : "-");
	return true;
}

static void no_problem(void *context, const char *text)
{
	(void)context;
	fail_msg("%s", text);
}

static void test_remove(void **state)
{
	struct certdir_group group = {.name = (char *)"staff"};
	const struct certdir_device device = {
		.name = (char *)"PC-1", .entra_device_id = (char *)G1, .groups = &group, .group_count = 1};
	struct certdir_list_writer *writer = fixture_begin(true, "keep", NULL, 1);
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader;
	struct certdir_error error;
	int64_t devices;
	size_t count;

	(void)state;
	fixture_add(writer, &device);
	assert_true(certdir_list_write_source(writer, "go", NULL, 1, &error));
	fixture_add(writer, &device);
	fixture_add(writer, &(struct certdir_device){.name = (char *)"PC-2", .serial_number = (char *)"S2"});
	fixture_run(writer,
		    "INSERT INTO source(id,name,kind,tenant,synced) VALUES(9,'contoso','tenant','" TENANT_A "',1);"
		    "INSERT INTO device(id,source,listed,name) VALUES(90,9,1,'T-1'),(91,9,0,'T-2');"
		    "INSERT INTO intune_waiting(source,entra_device_id) VALUES(9,'" G2 "');"
		    "INSERT INTO intune_once VALUES(9,'" G2 "',1);INSERT INTO former_name VALUES(90,'old',1);"
		    "INSERT INTO grp(id,source,object_id) VALUES(90,9,'" G3
		    "');INSERT INTO device_group(device,grp) VALUES(90,90)");
	fixture_publish(writer);
	writer = certdir_list_write_begin(fixture_file, false, NULL, &error);
	assert_non_null(writer);
	assert_true(certdir_list_write_remove(writer, "og", &devices, &error));
	assert_int_equal(devices, -1);
	assert_true(certdir_list_write_remove(writer, "go", &devices, &error));
	assert_int_equal(devices, 2);
	assert_true(certdir_list_write_remove(writer, "contoso", &devices, &error));
	assert_int_equal(devices, 1);
	fixture_publish(writer);
	snapshot = fixture_load();
	reader = fixture_reader(snapshot);
	assert_string_equal(certdir_list_sources(snapshot, &count)->name, "keep");
	assert_int_equal(count, 1);
	assert_int_equal(certdir_list_device_count(snapshot), 1);
	assert_int_equal(certdir_list_verify(reader, no_problem, NULL, &error), 0);
	logged[0] = '\0';
	assert_true(certdir_list_changes(reader, 0, keep_change, NULL, &error));
	assert_string_equal(logged, "go removed " G1 " PC-1\ngo removed S2 PC-2\ncontoso removed - T-1\n");
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_writer_is_waited_for),
		TEST(test_a_signal_ends_the_wait),
		TEST(test_a_lock_that_cannot_be_opened),
		TEST(test_who_holds_such_a_lock),
		TEST(test_never_two_at_once),
		TEST(test_root_makes_it_for_others),
		TEST(test_who_can_change_it),
		TEST(test_who_can_change_what_is_above),
		TEST(test_private),
		TEST(test_private_needs_only_to_read),
		TEST(test_only_lists_are_replaced),
		TEST(test_links_of_others),
		TEST(test_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
