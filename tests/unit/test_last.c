/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The edition before the present one: kept by who publishes, and for whom it stands in. */
#include "list_fixture.h"

#include "directory/list.h"

#include <pthread.h>

static char last_file[128];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards `logged` */
static char logged[2048];

static void note(enum certdir_log_level level, const char *text)
{
	(void)level;
	(void)pthread_mutex_lock(&lock);
	if (strlen(logged) + strlen(text) + 2 < sizeof(logged))
		strcat(strcat(logged, text), "\n");
	(void)pthread_mutex_unlock(&lock);
}

static size_t times_logged(const char *text)
{
	size_t times = 0;

	(void)pthread_mutex_lock(&lock);
	for (const char *at = logged; (at = strstr(at, text)) != NULL; at++)
		times++;
	(void)pthread_mutex_unlock(&lock);
	return times;
}

static int setup(void **state)
{
	logged[0] = '\0';
	certdir_log_set(note);
	if (fixture_setup(state) != 0)
		return -1;
	(void)snprintf(last_file, sizeof(last_file), "%s.last", fixture_file);
	return 0;
}

/* Goes on with the present list: `count` devices of a source of its own. */
static void go_on(const char *source, int count)
{
	struct certdir_list_writer *writer = fixture_begin(false, source, NULL, 1000);
	char name[32];

	for (int i = 0; i < count; i++) {
		struct certdir_device device = {.name = name};

		(void)snprintf(name, sizeof(name), "%s-%d", source, i);
		fixture_add(writer, &device);
	}
	fixture_publish(writer);
}

/* Devices of what a server gets that starts now, -1 = nothing; whether that is the edition before. */
static int start(bool *last)
{
	struct certdir_error damage, error = {.text = ""};
	struct certdir_list_snapshot *snapshot = certdir_list_load_last(fixture_file, NULL, &damage, &error);
	const int devices = snapshot ? (int)certdir_list_device_count(snapshot) : -1;

	*last = damage.text[0] != '\0';
	if (!snapshot)
		assert_true(error.text[0]);
	certdir_list_release(snapshot);
	return devices;
}

static void expect_start(int devices, bool last)
{
	bool is_last;

	assert_int_equal(start(&is_last), devices);
	assert_int_equal(is_last, last);
}

static void damage(void)
{
	size_t size;
	unsigned char *file = fixture_read(&size);

	file[size / 2] ^= 1;
	fixture_overwrite(file, size);
	free(file);
}

static void test_what_is_kept(void **state)
{
	(void)state;
	fixture_edition(1, 5);
	assert_int_not_equal(access(last_file, F_OK), 0); /* there was nothing before */
	expect_start(5, false);
	go_on("more", 3);
	assert_int_equal(access(last_file, F_OK), 0);
	expect_start(8, false);
	damage();
	expect_start(5, true);
	/* What takes the place of a list without going on with it, leaves nothing of it. */
	fixture_edition(2, 7);
	assert_int_not_equal(access(last_file, F_OK), 0);
	damage();
	expect_start(-1, false);
}

static void test_what_damage_is(void **state)
{
	unsigned char *file, header[CERTDIR_SEAL_FOOTER] = {0};
	size_t size, image;

	(void)state;
	fixture_edition(1, 5);
	go_on("more", 3);
	file = fixture_read(&size);
	image = fixture_image(file, size);
	for (size_t cut = 0; cut < size; cut += cut < 200 || cut > size - 200 ? 1 : 997) {
		fixture_overwrite(file, cut);
		expect_start(5, true);
	}
	fixture_overwrite(header, sizeof(header));
	expect_start(5, true);
	for (size_t at = 0; at < size; at += at < 200 || at > size - 100 ? 1 : 4999) {
		file[at] ^= 4;
		fixture_overwrite(file, size);
		expect_start(5, true);
		file[at] ^= 4;
	}
	/* Not damaged: whole, and of another version, or other tables. */
	file[63] ^= 0x40;
	fixture_seal(file, image);
	expect_start(-1, false);
	file[63] ^= 0x40;
	file[70] ^= 1;
	fixture_seal(file, image);
	expect_start(-1, false);
	file[70] ^= 1;
	fixture_overwrite(file, size);
	expect_start(8, false);
	/* Taken away; a directory in its place. */
	assert_int_equal(unlink(fixture_file), 0);
	expect_start(-1, false);
	assert_int_equal(mkdir(fixture_file, 0700), 0);
	expect_start(-1, false);
	free(file);
}

static void test_both_damaged(void **state)
{
	(void)state;
	fixture_edition(1, 5);
	go_on("more", 3);
	damage();
	assert_int_equal(truncate(last_file, 5000), 0);
	expect_start(-1, false);
	assert_int_equal(unlink(last_file), 0);
	expect_start(-1, false);
}

/* Where a link leads to the list, the edition before stands beside the list. */
static void test_through_a_link(void **state)
{
	char link[128];
	struct certdir_error damaged, error;
	struct certdir_list_snapshot *snapshot;

	(void)state;
	fixture_edition(1, 5);
	go_on("more", 3);
	damage();
	(void)snprintf(link, sizeof(link), "%s/link", fixture_directory);
	assert_int_equal(symlink(fixture_file, link), 0);
	snapshot = certdir_list_load_last(link, NULL, &damaged, &error);
	assert_non_null(snapshot);
	certdir_list_release(snapshot);
}

static enum certdir_answer_state ask(struct certdir_directory *directory, const char *name, size_t *count)
{
	struct certdir_sought sought = {.type = CERTDIR_ID_NAME, .value = name};
	struct certdir_answer answer = {0};
	enum certdir_answer_state state;

	directory->type->search(directory, &sought, 1, &answer);
	*count = answer.count;
	state = answer.state;
	/* Its own time, and not that of the start. */
	if (answer.source_count)
		assert_int_equal(answer.sources[0].synced[CERTDIR_PART_OF_DEVICES], 1000);
	certdir_answer_clear(&answer);
	return state;
}

/* A server that starts says so once, and mends itself when a good list comes. */
static void test_a_server_that_starts(void **state)
{
	const struct certdir_list_config config = {.filename = fixture_file};
	struct certdir_error error = {.text = ""};
	struct certdir_directory *directory;
	size_t count;

	(void)state;
	fixture_edition(1, 5);
	go_on("more", 3);
	damage();
	directory = certdir_list_directory_open(&config, true, &error);
	assert_non_null(directory);
	assert_int_equal(ask(directory, "PC-1", &count), CERTDIR_ANSWERED);
	assert_int_equal(count, 1);
	assert_int_equal(ask(directory, "more-1", &count), CERTDIR_ANSWERED);
	assert_int_equal(count, 0);
	assert_int_equal(times_logged("damaged ("), 1);
	assert_int_equal(times_logged("using the last good one"), 1);
	assert_int_equal(times_logged("0 minutes old"), 1);
	fixture_edition(3, 9);
	while (ask(directory, "PC-8", &count) == CERTDIR_ANSWERED && count == 0)
		;
	assert_int_equal(count, 1);
	/* What it has in memory is better than what was before. */
	go_on("more", 3);
	while (ask(directory, "more-2", &count) == CERTDIR_ANSWERED && count == 0)
		;
	damage();
	while (times_logged("Keeping the list") == 0)
		(void)ask(directory, "more-2", &count);
	assert_int_equal(count, 1);
	directory->type->close(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_is_kept, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_what_damage_is, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_both_damaged, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_through_a_link, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_a_server_that_starts, setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
