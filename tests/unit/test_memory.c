/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A directory that remembers, in front of another one. */
#include "memory_fixture.h"

static void test_a_burst_is_one_search(void **state)
{
	struct certdir_directory *memory;
	struct said said;

	(void)state;
	fake_reset(&pc01);
	memory = open_memory(60, false, NULL);
	for (size_t i = 0; i < 100; i++) {
		said = memory_ask(memory, "pc01");
		assert_int_equal(said.state, CERTDIR_ANSWERED);
		assert_int_equal(said.count, 1);
		assert_true(i == 0 ? said.age == -1 : said.age >= 0 && said.age < 30);
	}
	assert_int_equal(atomic_load(&fake.asked), 1);
	assert_int_equal(memory->max_age, 60);
	/* What is not there may be there in a moment. */
	fake.count = 0;
	(void)memory_ask(memory, "pc02");
	assert_int_equal(memory_ask(memory, "pc02").count, 0);
	fake.devices[fake.count++] = pc02;
	assert_int_equal(memory_ask(memory, "pc02").count, 1);
	/* That many have it is remembered, too. */
	fake.count = 3;
	fake.devices[1] = fake.devices[2] = pc01;
	assert_true(memory_ask(memory, "iphone").many);
	assert_true(memory_ask(memory, "iphone").many);
	assert_int_equal(atomic_load(&fake.asked), 5);
	memory->type->close(memory);
}

static void test_without_remember_each_login_asks(void **state)
{
	struct certdir_directory *memory;

	(void)state;
	fake_reset(&pc01);
	memory = open_memory(0, true, NULL);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(memory_ask(memory, "pc01").age, -1);
	assert_int_equal(atomic_load(&fake.asked), 10);
	memory->type->close(memory);
}

static void test_what_it_said_last(void **state)
{
	struct certdir_directory *memory;
	struct said said;

	(void)state;
	for (int stale = 0; stale < 2; stale++) {
		fake_reset(&pc01);
		memory = open_memory(0, stale, NULL);
		(void)memory_ask(memory, "pc01");
		fake.down = true;
		said = memory_ask(memory, "pc01");
		assert_int_equal(said.state, CERTDIR_ANSWER_UNAVAILABLE);
		assert_int_equal(said.count, stale);
		assert_int_equal(memory_ask(memory, "pc02").count, 0);
		/* The other way, it is asked again. */
		fake.down = false;
		fake.devices[0] = pc01_disabled;
		assert_int_equal(memory_ask(memory, "pc01").enabled, CERTDIR_NO);
		fake.down = true;
		assert_int_equal(memory_ask(memory, "pc01").enabled, stale ? CERTDIR_NO : CERTDIR_UNKNOWN);
		fake.down = false;
		fake.count = 0;
		(void)memory_ask(memory, "pc01");
		fake.down = true;
		assert_int_equal(memory_ask(memory, "pc01").count, 0);
		memory->type->close(memory);
	}
}

/* A directory that is about to fail is slow over groups first: what it said of them before is not lost by that. */
static void test_groups_that_could_not_be_asked_for(void **state)
{
	const int64_t begun = time(NULL);
	struct certdir_directory *memory;
	struct said said;

	(void)state;
	fake_reset(&pc01);
	fake.group = "cn=wifi";
	memory = open_memory(0, true, NULL);
	(void)memory_ask(memory, "pc01");
	fake.group = NULL;
	fake.partial = true;
	for (int disabled = 0; disabled < 2; disabled++) {
		fake.down = false;
		fake.devices[0] = disabled ? pc01_disabled : pc01;
		assert_int_equal(memory_ask(memory, "pc01").groups, 0);
		/* By a name that it was not asked by before. */
		(void)memory_ask(memory, "pc01.alias");
		fake.down = true;
		for (int alias = 0; alias < 2; alias++) {
			said = memory_ask(memory, alias ? "pc01.alias" : "pc01");
			assert_int_equal(said.enabled, disabled ? CERTDIR_NO : CERTDIR_YES);
			assert_int_equal(said.groups, 1);
			assert_in_range(said.group_as_of, begun, time(NULL));
		}
	}
	/* An answer that knows of all groups knows that this one is none of them. */
	fake.down = fake.partial = false;
	(void)memory_ask(memory, "pc01");
	fake.down = true;
	assert_int_equal(memory_ask(memory, "pc01").groups, 0);
	memory->type->close(memory);
	/* Nor does it stand for the next one. */
	fake_reset(&pc01);
	fake.partial = true;
	memory = open_memory(60, false, NULL);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(memory_ask(memory, "pc01").age, -1);
	assert_int_equal(atomic_load(&fake.asked), 10);
	memory->type->close(memory);
}

static void *ask_once(void *context)
{
	struct said *said = malloc(sizeof(*said));

	*said = memory_ask(context, "pc01");
	return said;
}

enum { THREADS = 16 };

static void test_logins_at_once_share_a_search(void **state)
{
	struct certdir_directory *memory;
	pthread_t threads[THREADS];

	(void)state;
	fake_reset(&pc01);
	memory = open_memory(60, false, NULL);
	fake.held = true;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_once, memory), 0);
	while (atomic_load(&fake.asked) == 0)
		(void)sched_yield();
	(void)pthread_mutex_lock(&fake.lock);
	fake.held = false;
	(void)pthread_cond_broadcast(&fake.go);
	(void)pthread_mutex_unlock(&fake.lock);
	for (size_t i = 0; i < THREADS; i++) {
		struct said *said;

		(void)pthread_join(threads[i], (void **)&said);
		assert_int_equal(said->state, CERTDIR_ANSWERED);
		assert_int_equal(said->enabled, CERTDIR_YES);
		free(said);
	}
	/* Eight may wait for the first; the others ask themselves. */
	assert_in_range(atomic_load(&fake.asked), 1, THREADS - 8);
	memory->type->close(memory);
}

static void *ask_often(void *context)
{
	static atomic_uint next;
	unsigned seed = atomic_fetch_add(&next, 1);

	for (size_t i = 0; i < 2000; i++) {
		char name[16];
		struct said said;

		seed = seed * 1103515245 + 12345;
		(void)snprintf(name, sizeof(name), "pc%u", (seed >> 16) % 50);
		said = memory_ask(context, name);
		assert_int_equal(said.state, CERTDIR_ANSWERED);
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct certdir_directory *memory;
	pthread_t threads[4];

	(void)state;
	fake_reset(&pc01);
	memory = open_memory(60, false, NULL);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_often, memory), 0);
	for (size_t i = 0; i < 4; i++)
		(void)pthread_join(threads[i], NULL);
	assert_in_range(atomic_load(&fake.asked), 50, 60);
	memory->type->close(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_burst_is_one_search),
		cmocka_unit_test(test_without_remember_each_login_asks),
		cmocka_unit_test(test_what_it_said_last),
		cmocka_unit_test(test_groups_that_could_not_be_asked_for),
		cmocka_unit_test(test_logins_at_once_share_a_search),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
