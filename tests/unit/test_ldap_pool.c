/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The servers of a domain, whose DNS answers change while the pool lives. Nothing is connected: nobody searches. */
#include "ldap/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { HOSTS = 8 };

static struct certdir_ldap_pool *open_pool(const char *const *servers)
{
	const struct certdir_ldap_config server = {.servers = servers, .net_timeout = 1, .res_timeout = 1};
	const struct certdir_ldap_pool_config config = {.name = "ldap", .server = &server, .probe = "dc=x", .most = 4};
	struct certdir_error error = {.text = ""};
	struct certdir_ldap_pool *pool = certdir_ldap_pool_open(&config, &error);

	if (!pool)
		fail_msg("%s", error.text);
	return pool;
}

/* The DNS names the hosts from `first` on. */
static void find(struct certdir_ldap_pool *pool, unsigned first, unsigned count)
{
	struct certdir_ldap_target targets[CERTDIR_LDAP_TARGETS_MAX];

	for (unsigned i = 0; i < count; i++) {
		targets[i] = (struct certdir_ldap_target){.priority = 0};
		(void)snprintf(targets[i].uri, sizeof(targets[i].uri), "ldap://dc%u.x:389", first + i);
	}
	(void)pthread_mutex_lock(&pool->lock);
	certdir_server_take_targets(&pool->finders[0], targets, count);
	(void)pthread_mutex_unlock(&pool->lock);
}

static bool is_there(struct certdir_ldap_pool *pool, unsigned host)
{
	const struct certdir_ldap_server *server;
	char uri[32];
	bool there;

	(void)snprintf(uri, sizeof(uri), "ldap://dc%u.x:389", host);
	(void)pthread_mutex_lock(&pool->lock);
	server = certdir_server_find(pool, uri);
	there = server && !server->gone;
	(void)pthread_mutex_unlock(&pool->lock);
	return there;
}

/* Over months a domain has more servers than a pool has places. */
static void test_names_come_and_go(void **state)
{
	static const char *const servers[] = {"ldap:///dc=x", NULL};
	struct certdir_ldap_pool *pool = open_pool(servers);

	(void)state;
	for (unsigned round = 0; round < 10; round++) {
		const unsigned first = round * HOSTS / 2;

		find(pool, first, HOSTS);
		for (unsigned i = 0; i < HOSTS; i++)
			if (!is_there(pool, first + i))
				fail_msg("round %u: dc%u is not asked", round, first + i);
		if (first > 0)
			assert_false(is_there(pool, first - 1));
		assert_true(pool->count <= CERTDIR_LDAP_SERVERS_MAX);
	}
	certdir_ldap_pool_close(pool);
}

static void test_a_place_that_is_in_use_is_not_taken(void **state)
{
	static const char *const servers[] = {"ldap:///dc=x", NULL};
	struct certdir_ldap_pool *pool = open_pool(servers);
	struct certdir_ldap_server *busy;

	(void)state;
	find(pool, 0, CERTDIR_LDAP_SERVERS_MAX);
	busy = certdir_server_find(pool, "ldap://dc3.x:389");
	busy->connecting++; /* a trial that comes home late */
	find(pool, 100, CERTDIR_LDAP_SERVERS_MAX);
	assert_string_equal(busy->uri, "ldap://dc3.x:389");
	assert_true(busy->gone);
	busy->connecting--;
	find(pool, 100, CERTDIR_LDAP_SERVERS_MAX);
	for (unsigned i = 0; i < CERTDIR_LDAP_SERVERS_MAX; i++)
		assert_true(is_there(pool, 100 + i));
	certdir_ldap_pool_close(pool);
}

static void test_a_server_that_is_also_named_by_hand_stays(void **state)
{
	static const char *const servers[] = {"ldap://dc7.x:389", "ldap:///dc=x", NULL};
	struct certdir_ldap_pool *pool = open_pool(servers);

	(void)state;
	find(pool, 0, HOSTS);
	assert_string_equal(pool->servers[0]->uri, "ldap://dc7.x:389");
	find(pool, 100, HOSTS);
	assert_true(is_there(pool, 7));
	certdir_ldap_pool_close(pool);
}

static void test_a_failure_that_is_over_is_not_told(void **state)
{
	static const char *const servers[] = {"ldap:///dc=x", NULL};
	struct certdir_ldap_pool *pool = open_pool(servers);

	(void)state;
	certdir_error_set(&pool->finders[0].trouble, "no name server has an answer");
	find(pool, 0, HOSTS);
	assert_string_equal(pool->finders[0].trouble.text, "");
	certdir_ldap_pool_close(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_come_and_go),
		cmocka_unit_test(test_a_place_that_is_in_use_is_not_taken),
		cmocka_unit_test(test_a_server_that_is_also_named_by_hand_stays),
		cmocka_unit_test(test_a_failure_that_is_over_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
