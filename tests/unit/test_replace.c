/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose a small file is that takes the place of another, and which files root gives away. What needs root is left out without it. */
#include "base/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/permissions.h"

enum { USER = 4001, GROUP = 4002, OTHER_USER = 4003, OTHER_GROUP = 4004 };

static char directory[32], file[64], temporary[64], other[64];

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(directory, sizeof(directory), "/tmp/certdir-replace-XXXXXX");
	assert_non_null(mkdtemp(directory));
	(void)snprintf(file, sizeof(file), "%s/file", directory);
	(void)snprintf(temporary, sizeof(temporary), "%s/file.new", directory);
	(void)snprintf(other, sizeof(other), "%s/other", directory);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(file);
	(void)unlink(other);
	return rmdir(directory);
}

static void need_root(void)
{
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(directory, USER, GROUP), 0);
}

static void make(const char *name, uid_t user, gid_t group)
{
	const int made = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(made >= 0);
	assert_int_equal(fchown(made, user, group), 0);
	(void)close(made);
}

static void assert_is(const char *name, uid_t user, gid_t group, mode_t mode)
{
	struct stat status;

	assert_int_equal(lstat(name, &status), 0);
	assert_int_equal(status.st_uid, user);
	assert_int_equal(status.st_gid, group);
	assert_int_equal(status.st_mode & 07777, mode);
}

static void test_mode(void **state)
{
	const mode_t before = umask(077);

	(void)state;
	assert_true(certdir_replace(file, "one", 0644));
	assert_is(file, geteuid(), getegid(), 0644);
	(void)umask(0);
	assert_true(certdir_replace(file, "two", 0600));
	assert_is(file, geteuid(), getegid(), 0600);
	(void)umask(before);
}

/* Takes the place of the C library's: while the lock is waited for, who had it puts the file where it belongs. */
static bool overtaken;

int flock(int opened, int operation)
{
	if (overtaken)
		assert_int_equal(rename(temporary, file), 0);
	return (int)syscall(SYS_flock, opened, operation);
}

/* What was published meanwhile is not written into: it would be torn for who reads it, and lost in a crash. */
static void test_overtaken(void **state)
{
	char text[10] = "";
	int opened;

	(void)state;
	assert_true(certdir_replace(file, "before", 0600));
	assert_int_equal(rename(file, temporary), 0);
	overtaken = true;
	assert_false(certdir_replace(file, "after", 0600));
	overtaken = false;
	assert_int_equal(errno, EWOULDBLOCK);
	opened = open(file, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(opened, text, sizeof(text)), 6);
	assert_string_equal(text, "before");
	(void)close(opened);
	assert_true(certdir_replace(file, "after", 0600));
}

/* A new one is the directory's; one that was somebody's stays so; what root had left there is the directory's, too. */
static void test_owner(void **state)
{
	(void)state;
	need_root();
	assert_true(certdir_replace(file, "text", 0640));
	assert_is(file, USER, GROUP, 0640);
	assert_int_equal(chown(file, OTHER_USER, OTHER_GROUP), 0);
	assert_true(certdir_replace(file, "text", 0640));
	assert_is(file, OTHER_USER, OTHER_GROUP, 0640);
	assert_int_equal(chown(file, 0, OTHER_GROUP), 0);
	assert_true(certdir_replace(file, "text", 0640));
	assert_is(file, USER, OTHER_GROUP, 0640);
}

static void test_give(void **state)
{
	(void)state;
	need_root();
	make(file, 0, 0);
	assert_true(certdir_permissions_give(file, OTHER_USER, (gid_t)-1));
	assert_is(file, OTHER_USER, 0, 0600);
	assert_true(certdir_permissions_give(file, USER, GROUP)); /* a user has it already */
	assert_is(file, OTHER_USER, GROUP, 0600);
}

/* Whoever has the directory can put such a thing in the place of what root has just made. */
static void test_give_what_is_not_ours(void **state)
{
	(void)state;
	need_root();
	make(other, 0, 0);
	assert_int_equal(symlink(other, file), 0);
	assert_false(certdir_permissions_give(file, USER, GROUP));
	assert_int_equal(errno, ELOOP);
	assert_is(other, 0, 0, 0600);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(link(other, file), 0);
	assert_false(certdir_permissions_give(file, USER, GROUP));
	assert_int_equal(errno, EMLINK);
	assert_is(other, 0, 0, 0600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_mode, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_overtaken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_owner, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_give, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_give_what_is_not_ours, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
