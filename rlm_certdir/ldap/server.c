/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ldap/server.h"

#include <stdlib.h>
#include <string.h>

/* Searches without an answer in a row after which a server is sick: one may be the search's own fault. */
enum { FAILURES_MAX = 2 };
/* Between two trials of a server that is sick. Short, since whoever restarts a server has all his devices waiting. */
#define RETRY (CERTDIR_SECOND / 2)
/*
 * Each trial of a wrong password counts towards the account's lockout, and it is wrong everywhere: after a refusal no
 * server is tried for so long, and then one of them.
 */
static const int64_t refused_pauses[] = {5 * CERTDIR_SECOND, 60 * CERTDIR_SECOND, 120 * CERTDIR_SECOND,
					 240 * CERTDIR_SECOND, 300 * CERTDIR_SECOND};
enum { REFUSED_PAUSES = sizeof(refused_pauses) / sizeof(refused_pauses[0]) };
/* After one that succeeded, others are begun at the same time: our password may have changed since the one before. */
#define LATELY (2 * CERTDIR_SECOND)
/*
 * A server that answers trials and no search would be well and sick in turns: when it is sick again and has answered none in
 * between, it is left alone for so long.
 */
#define RELAPSE_PAUSE (2 * CERTDIR_SECOND)

/* ---- the order in which they are asked ---- */

static bool is_before(const struct certdir_ldap_server *a, const struct certdir_ldap_server *b)
{
	/* Only servers that a DNS name stands for share the upper bits: the administrator's order holds. */
	const uint64_t high_a = a->rank >> 16, high_b = b->rank >> 16;

	if (high_a != high_b)
		return high_a < high_b;
	return a->distance != b->distance ? a->distance < b->distance : a->rank < b->rank;
}

static void sort_servers(struct certdir_ldap_pool *pool)
{
	for (size_t i = 1; i < pool->count; i++)
		for (size_t k = i; k > 0 && is_before(pool->servers[k], pool->servers[k - 1]); k--) {
			struct certdir_ldap_server *server = pool->servers[k];

			pool->servers[k] = pool->servers[k - 1];
			pool->servers[k - 1] = server;
		}
}

/* ---- connections ---- */

void certdir_pooled_give_back(struct certdir_ldap_pooled *pooled)
{
	struct certdir_ldap_server *server = pooled->server;

	pooled->since = certdir_monotonic();
	pooled->epoch = server->epoch;
	pooled->next = server->idle;
	server->idle = pooled;
}

void certdir_pooled_discard(struct certdir_ldap_pooled *pooled)
{
	struct certdir_ldap_pool *pool = pooled->server->pool;

	pooled->server->open--;
	pooled->next = pool->unusable;
	pool->unusable = pooled;
	(void)pthread_cond_broadcast(&pool->work);
}

void certdir_server_discard_idle(struct certdir_ldap_server *server)
{
	while (server->idle) {
		struct certdir_ldap_pooled *pooled = server->idle;

		server->idle = pooled->next;
		certdir_pooled_discard(pooled);
	}
}

bool certdir_server_needs_connection(const struct certdir_ldap_server *server)
{
	if (server->idle || server->open + server->connecting >= server->pool->most)
		return false;
	if (server->connecting)
		return server->waiting > server->connecting && certdir_monotonic() < server->connected_at + LATELY;
	return server->waiting || server->wanted;
}

/* ---- sick and well ---- */

static void set_sick(struct certdir_ldap_server *server)
{
	if (!server->relapsed)
		server->sick_since = time(NULL);
	server->sick = true;
	server->epoch++;
	server->relapsed = server->unproved;
	server->again_at = certdir_monotonic() + (server->relapsed ? RELAPSE_PAUSE : 0);
	certdir_server_discard_idle(server);
	server->pool->unlogged = true;
	(void)pthread_cond_broadcast(&server->pool->work);
	(void)pthread_cond_broadcast(&server->pool->news);
}

static void set_well(struct certdir_ldap_server *server)
{
	server->sick = false;
	server->unproved = true;
	server->failures = 0; /* a connection alone does not end a row of them: the probe does */
	server->pool->unlogged = true;
	(void)pthread_cond_broadcast(&server->pool->work);
}

void certdir_server_failed(struct certdir_ldap_server *server, const struct certdir_error *why)
{
	server->trouble = *why;
	server->unanswered++;
	if (++server->failures >= FAILURES_MAX && !server->sick)
		set_sick(server);
}

void certdir_server_answered(struct certdir_ldap_server *server)
{
	struct certdir_ldap_pool *pool = server->pool;

	server->answered++;
	server->failures = 0;
	pool->unlogged |= server->relapsed;
	server->unproved = server->relapsed = false;
	if (!server->sick)
		server->trouble.text[0] = '\0'; /* else it is what the log is to say */
	pool->moved_at = server->moved_at = certdir_monotonic();
}

void certdir_server_connected(struct certdir_ldap_server *server, struct certdir_ldap_pooled *pooled)
{
	const int64_t now = certdir_monotonic();
	unsigned distance = 0;

	for (int64_t took = (now - pooled->since) / 1000; took; took >>= 1)
		distance++;
	if (distance != server->distance) {
		server->distance = distance;
		sort_servers(server->pool);
	}
	certdir_pooled_give_back(pooled);
	server->open++;
	server->connected_at = server->moved_at = now;
	server->pool->refusals = 0;
	server->pool->refused_until = 0;
	server->again_at = 0;
	if (server->sick)
		set_well(server);
	(void)pthread_cond_broadcast(&server->pool->news);
}

void certdir_server_unconnected(struct certdir_ldap_server *server, const struct certdir_error *why)
{
	server->trouble = *why;
	/* Connections that are there may still be good: a server that takes no more of them is not down. */
	if (!server->sick && server->open == 0)
		set_sick(server);
	server->again_at = certdir_monotonic() + RETRY;
	(void)pthread_cond_broadcast(&server->pool->news);
}

void certdir_server_refused(struct certdir_ldap_server *server, const struct certdir_error *why)
{
	struct certdir_ldap_pool *pool = server->pool;

	pool->refused_until = certdir_monotonic() + refused_pauses[pool->refusals];
	if (pool->refusals < REFUSED_PAUSES - 1)
		pool->refusals++;
	certdir_server_unconnected(server, why);
	/* The next trial is another server's, if there is one. */
	server->again_at = pool->refused_until + RETRY;
}

/* ---- the log ---- */

static void say_duration(char text[CERTDIR_TEXT_MAX], time_t since)
{
	const long long seconds = (long long)(time(NULL) - since);

	if (seconds < 120)
		certdir_say(text, "%lld s", seconds);
	else if (seconds < 7200)
		certdir_say(text, "%lld minutes", seconds / 60);
	else
		certdir_say(text, "%lld hours", seconds / 3600);
}

void certdir_say_since(char text[CERTDIR_TEXT_MAX], time_t since)
{
	struct tm tm;
	char words[64] = "";

	if (localtime_r(&since, &tm))
		(void)strftime(words, sizeof(words), "%Y-%m-%d %H:%M:%S", &tm);
	certdir_say(text, "%s", words);
}

/* One that is sick in turns is sick for the log, until it has answered a search. */
static bool seems_sick(const struct certdir_ldap_server *server)
{
	return server->sick || server->relapsed;
}

static struct certdir_ldap_server *find_unlogged(struct certdir_ldap_pool *pool)
{
	for (size_t i = 0; pool->unlogged && i < pool->count; i++)
		if (seems_sick(pool->servers[i]) != pool->servers[i]->logged_sick)
			return pool->servers[i];
	pool->unlogged = false;
	return NULL;
}

void certdir_pool_unlock(struct certdir_ldap_pool *pool)
{
	struct certdir_ldap_server *server;

	while ((server = find_unlogged(pool)) != NULL) {
		const struct certdir_error trouble = server->trouble;
		char since[CERTDIR_TEXT_MAX], took[CERTDIR_TEXT_MAX], uri[CERTDIR_TEXT_MAX];
		const bool sick = server->logged_sick = seems_sick(server);

		certdir_say(uri, "%s", server->uri);
		certdir_say_since(since, server->sick_since);
		say_duration(took, server->sick_since);
		(void)pthread_mutex_unlock(&pool->lock);
		if (sick)
			certdir_log(CERTDIR_LOG_WARN,
				    "directory %s: %s: no login waits for this server until a trial in the background "
				    "has succeeded",
				    pool->name, trouble.text);
		else
			certdir_log(CERTDIR_LOG_INFO, "directory %s: %s answers again; it did not since %s (%s)",
				    pool->name, uri, since, took);
		(void)pthread_mutex_lock(&pool->lock);
	}
	(void)pthread_mutex_unlock(&pool->lock);
}

/* ---- which there are ---- */

bool certdir_server_add(struct certdir_ldap_pool *pool, const char *uri, uint64_t rank)
{
	struct certdir_ldap_server *server = calloc(1, sizeof(*server));
	uint32_t taken = 0;

	if (!server || !(server->uri = strdup(uri))) {
		free(server);
		return false;
	}
	for (size_t i = 0; i < pool->count; i++)
		taken |= pool->servers[i]->bit;
	server->bit = ~taken & (taken + 1); /* the lowest that no other one has */
	server->pool = pool;
	server->rank = rank;
	pool->servers[pool->count++] = server;
	sort_servers(pool);
	return true;
}

void certdir_server_free(struct certdir_ldap_server *server)
{
	free(server->uri);
	free(server);
}

struct certdir_ldap_server *certdir_server_find(const struct certdir_ldap_pool *pool, const char *uri)
{
	for (size_t i = 0; i < pool->count; i++)
		if (strcmp(pool->servers[i]->uri, uri) == 0)
			return pool->servers[i];
	return NULL;
}

/* Those that the DNS names no more, and of which nothing is in use. */
static void remove_gone(struct certdir_ldap_pool *pool)
{
	size_t kept = 0;

	for (size_t i = 0; i < pool->count; i++) {
		struct certdir_ldap_server *server = pool->servers[i];

		if (server->gone)
			certdir_server_discard_idle(server);
		if (server->gone && !server->open && !server->connecting && !server->waiting)
			certdir_server_free(server);
		else
			pool->servers[kept++] = server;
	}
	pool->count = kept;
}

/* Those that are new are connected once, which shows how near they are. */
void certdir_server_take_targets(struct certdir_ldap_finder *finder, const struct certdir_ldap_target *targets,
				 size_t count)
{
	struct certdir_ldap_pool *pool = finder->pool;

	finder->trouble.text[0] = '\0';
	for (size_t i = 0; i < pool->count; i++)
		pool->servers[i]->gone |= pool->servers[i]->rank >> 32 == finder->rank >> 32;
	for (size_t i = 0; i < count; i++) {
		struct certdir_ldap_server *server = certdir_server_find(pool, targets[i].uri);

		/* One that the administrator named himself, too, keeps its place. */
		if (!server || (!server->gone && server->rank >> 32 != finder->rank >> 32))
			continue;
		server->rank = finder->rank | (uint64_t)targets[i].priority << 16 | i;
		server->gone = false;
	}
	remove_gone(pool);
	for (size_t i = 0; i < count && pool->count < CERTDIR_LDAP_SERVERS_MAX; i++)
		if (!certdir_server_find(pool, targets[i].uri) &&
		    !certdir_server_add(pool, targets[i].uri, finder->rank | (uint64_t)targets[i].priority << 16 | i))
			certdir_error_set(&finder->trouble, "out of memory");
	sort_servers(pool);
}
