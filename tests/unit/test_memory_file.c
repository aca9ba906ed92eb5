/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is remembered over a restart: the file, and what may stand in its place. */
#include "memory_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

static char folder[] = "/tmp/certdir-memory.XXXXXX";

static char filename[64], temporary[80];

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(filename, sizeof(filename), "%s/m.ad.memory", folder);
	(void)snprintf(temporary, sizeof(temporary), "%s.new", filename);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	(void)unlink(filename);
	(void)rmdir(temporary);
	(void)unlink(temporary);
	return rmdir(folder);
}

/* A store with an answer that is so many seconds old. */
static struct certdir_store *old_store(int64_t age)
{
	struct certdir_store *store = new_store(100, 1 << 20);
	struct certdir_question question = question_of(CERTDIR_ID_NAME, "pc01");
	struct certdir_reply *told = told_of(&pc01, 1, 1);

	told->asked.wall -= age * 1000000;
	certdir_store_put(store, &question, told);
	certdir_reply_release(told);
	certdir_question_clear(&question);
	store_put(store, CERTDIR_ID_NAME, "pc02", &pc02, 1);
	return store;
}

static void save_old(int64_t age)
{
	struct certdir_store *store = old_store(age);
	struct certdir_bytes bytes = {0};
	struct certdir_error error = {.text = ""};

	certdir_memory_pack(&bytes, store, "base_dn = dc=x\n");
	if (!certdir_memory_save(filename, &bytes, &error))
		fail_msg("%s", error.text);
	free(bytes.bytes);
	certdir_store_free(store);
}

static void test_over_a_restart(void **state)
{
	struct certdir_directory *memory;
	struct stat status;
	struct said said;

	(void)state;
	fake_reset(&pc01);
	memory = open_memory(0, true, filename);
	(void)memory_ask(memory, "pc01");
	memory->type->close(memory);
	assert_int_equal(stat(filename, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0640);
	fake.down = true;
	memory = open_memory(0, true, filename);
	said = memory_ask(memory, "pc01");
	assert_int_equal(said.state, CERTDIR_ANSWER_UNAVAILABLE);
	assert_int_equal(said.enabled, CERTDIR_YES);
	assert_in_range(said.age, 0, 30);
	memory->type->close(memory);
	/* As old as it is, and not as of the restart. */
	save_old(7200);
	memory = open_memory(60, true, filename);
	assert_in_range(memory_ask(memory, "pc01").age, 7199, 7230);
	assert_in_range(memory_ask(memory, "pc02").age, 0, 30);
	memory->type->close(memory);
	/* A server that does not fall back writes nothing and reads nothing. */
	assert_int_equal(unlink(filename), 0);
	memory = open_memory(60, false, filename);
	(void)memory_ask(memory, "pc01");
	memory->type->close(memory);
	assert_int_not_equal(stat(filename, &status), 0);
}

/* Whoever can write a long text into an entry does not keep a "yes" alive by it. */
static void test_an_answer_that_cannot_be_kept_ends_the_one_before(void **state)
{
	static char text[70000];
	struct certdir_directory *memory;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	fake_reset(&pc01);
	memory = open_memory(0, true, NULL);
	assert_int_equal(memory_ask(memory, "pc01").enabled, CERTDIR_YES);
	fake.devices[0] = pc01_disabled;
	fake.group = text;
	assert_int_equal(memory_ask(memory, "pc01").enabled, CERTDIR_NO);
	fake.down = true;
	assert_int_equal(memory_ask(memory, "pc01").count, 0);
	memory->type->close(memory);
}

/* The system's time was an hour ahead when pc01 was asked for, and is right now: nothing that is remembered is lost for that. */
static void test_a_clock_that_was_set_back(void **state)
{
	struct certdir_directory *memory;

	(void)state;
	fake_reset(&pc01);
	fake.down = true;
	save_old(-3600);
	memory = open_memory(0, true, filename);
	assert_in_range(memory_ask(memory, "pc02").age, 0, 30);
	assert_in_range(memory_ask(memory, "pc01").age, 0, 30);
	memory->type->close(memory);
}

static bool loads(const char *origin, struct certdir_error *error)
{
	struct certdir_store *store = new_store(100, 1 << 20);
	const bool ok = certdir_memory_load(filename, store, origin, error);

	certdir_store_free(store);
	return ok;
}

static void overwrite(const unsigned char *bytes, size_t size)
{
	const int fd = open(filename, O_WRONLY | O_CREAT | O_TRUNC, 0640);

	assert_int_equal(write(fd, bytes, size), size);
	(void)close(fd);
}

/* A file without an answer, written so many seconds from now. */
static void save_written(int64_t ahead)
{
	static const char magic[] = "certdir memory 2\n", origin[] = "base_dn = dc=x\n";
	struct certdir_bytes bytes = {0};
	struct certdir_error error = {.text = ""};

	certdir_bytes_put(&bytes, magic, sizeof(magic) - 1);
	certdir_bytes_put_number(&bytes, sizeof(origin) - 1);
	certdir_bytes_put(&bytes, origin, sizeof(origin) - 1);
	certdir_bytes_put_number(&bytes, (uint64_t)(time(NULL) + ahead));
	if (!certdir_memory_save(filename, &bytes, &error))
		fail_msg("%s", error.text);
	free(bytes.bytes);
}

static void test_refused(void **state)
{
	struct certdir_error error = {.text = ""};
	unsigned char bytes[4096], changed[4096];
	size_t size;
	int fd;

	(void)state;
	save_old(60);
	assert_true(loads("base_dn = dc=x\n", &error));
	assert_false(loads("base_dn = dc=y\n", &error));
	assert_non_null(strstr(error.text, "another directory"));
	fd = open(filename, O_RDONLY);
	size = (size_t)read(fd, bytes, sizeof(bytes));
	(void)close(fd);
	for (size_t cut = 0; cut < size; cut++) {
		overwrite(bytes, cut);
		assert_false(loads("base_dn = dc=x\n", &error));
	}
	for (size_t at = 0; at < size; at++) {
		memcpy(changed, bytes, size);
		changed[at] ^= 1;
		overwrite(changed, size);
		assert_false(loads("base_dn = dc=x\n", &error));
	}
	assert_non_null(strstr(error.text, "damaged"));
	save_written(7200);
	assert_false(loads("base_dn = dc=x\n", &error));
	assert_non_null(strstr(error.text, "in the future"));
	assert_int_equal(unlink(filename), 0);
	assert_false(loads("base_dn = dc=x\n", &error));
	assert_string_equal(error.text, "");
	assert_int_equal(symlink("/etc/passwd", filename), 0);
	assert_false(loads("base_dn = dc=x\n", &error));
	assert_non_null(strstr(error.text, "symbolic"));
	assert_int_equal(unlink(filename), 0);
}

/* What a seal would hide: whoever can write the file can seal it. Run with the address sanitizer. */
static void test_hostile_bytes(void **state)
{
	struct certdir_store *store = old_store(60);
	struct certdir_bytes bytes = {0};
	struct certdir_error error;

	(void)state;
	certdir_memory_pack(&bytes, store, "o");
	certdir_store_free(store);
	assert_false(bytes.failed);
	for (size_t length = 0; length <= bytes.length; length++) {
		unsigned char *cut = malloc(length + 1);

		memcpy(cut, bytes.bytes, length);
		store = new_store(100, 1 << 20);
		(void)certdir_memory_unpack(store, cut, length, "o", &error);
		certdir_store_free(store);
		free(cut);
	}
	for (size_t at = 0; at < bytes.length; at++)
		for (unsigned value = 0; value < 256; value += 3) {
			unsigned char *changed = malloc(bytes.length);

			memcpy(changed, bytes.bytes, bytes.length);
			changed[at] = (unsigned char)value;
			store = new_store(100, 1 << 20);
			(void)certdir_memory_unpack(store, changed, bytes.length, "o", &error);
			assert_true(certdir_store_count(store) <= 2);
			certdir_store_free(store);
			free(changed);
		}
	free(bytes.bytes);
}

/* A server that was killed while it wrote leaves this behind; one that cannot write keeps what there was. */
static void test_what_stands_beside_it(void **state)
{
	struct certdir_bytes bytes = {0};
	struct certdir_error error = {.text = ""};

	(void)state;
	save_old(60);
	assert_int_equal(rename(filename, temporary), 0);
	assert_false(loads("base_dn = dc=x\n", &error));
	save_old(60);
	assert_true(loads("base_dn = dc=x\n", &error));
	assert_int_not_equal(access(temporary, F_OK), 0);
	assert_int_equal(mkdir(temporary, 0700), 0);
	assert_false(certdir_memory_save(filename, &bytes, &error));
	assert_non_null(strstr(error.text, temporary));
	assert_true(loads("base_dn = dc=x\n", &error));
	assert_int_equal(rmdir(temporary), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_over_a_restart),
		cmocka_unit_test(test_a_clock_that_was_set_back),
		cmocka_unit_test(test_an_answer_that_cannot_be_kept_ends_the_one_before),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_hostile_bytes),
		cmocka_unit_test(test_what_stands_beside_it),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
