/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ldap/keeper.h"

#include <stdlib.h>

/* Servers and firewalls drop what is idle, some without a word. */
#define IDLE_MAX (60 * CERTDIR_SECOND)
/* A trial may take long; meanwhile another one is begun, since what hangs now may hang longer than the server does. */
#define OVERLAP (3 * CERTDIR_SECOND / 2)
/* Trials of one server at a time: more than a resolver that does not answer (10 s in glibc) holds of them. */
enum { CONNECTING_MAX = 8 };
/* While one of several servers tries again whether our identity is still refused, the others do not. */
#define CONNECT_MAX (10 * CERTDIR_SECOND)
/* The servers of a domain are looked up again. */
#define FIND_AGAIN (300 * CERTDIR_SECOND)
#define FIND_RETRY (5 * CERTDIR_SECOND)

/* ---- threads ---- */

/* Nobody joins it: whoever closes the pool counts. */
static bool begin_thread(struct certdir_ldap_pool *pool, void *(*run)(void *context), void *context,
			 struct certdir_error *error)
{
	pthread_t thread;

	if (!certdir_background_start(&thread, run, context, error))
		return false;
	(void)pthread_detach(thread);
	pool->threads++;
	return true;
}

/* A thread's last act; the lock is not held. */
static void end_thread(struct certdir_ldap_pool *pool)
{
	(void)pthread_mutex_lock(&pool->lock);
	pool->threads--;
	(void)pthread_cond_broadcast(&pool->news);
	(void)pthread_mutex_unlock(&pool->lock);
}

/* ---- closing ---- */

static void close_all(struct certdir_ldap_pooled *pooled)
{
	while (pooled) {
		struct certdir_ldap_pooled *next = pooled->next;

		certdir_ldap_connection_close(pooled->connection);
		free(pooled);
		pooled = next;
	}
}

static struct certdir_ldap_pooled *take_unusable(struct certdir_ldap_pool *pool)
{
	struct certdir_ldap_pooled *all = pool->unusable;

	pool->unusable = NULL;
	return all;
}

static void *close_unusable(void *context)
{
	struct certdir_ldap_pool *pool = context;
	struct certdir_ldap_pooled *all;

	(void)pthread_mutex_lock(&pool->lock);
	all = take_unusable(pool);
	(void)pthread_mutex_unlock(&pool->lock);
	close_all(all);
	end_thread(pool);
	return NULL;
}

/* Discards what has been idle too long; returns when the next one will have been. The oldest ones are last. */
static int64_t discard_old(struct certdir_ldap_server *server, int64_t now)
{
	struct certdir_ldap_pooled **tail = &server->idle;
	int64_t next = INT64_MAX;

	while (*tail) {
		struct certdir_ldap_pooled *pooled = *tail;

		if (pooled->since + IDLE_MAX > now) {
			next = pooled->since + IDLE_MAX;
			tail = &pooled->next;
		} else {
			*tail = pooled->next;
			certdir_pooled_discard(pooled);
		}
	}
	return next;
}

/* ---- trials ---- */

static bool take_any(void *context, const struct certdir_ldap_entry *entry)
{
	(void)context, (void)entry;
	return true;
}

/* Whether a server that was sick answers searches: that it takes connections says little. */
static enum certdir_ldap_status probe(struct certdir_ldap_pool *pool, struct certdir_ldap_connection *connection,
				      struct certdir_error *error)
{
	static const char *const nothing[] = {"1.1", NULL}; /* RFC 4511 4.5.1.8 */
	const struct certdir_ldap_query query = {
		.base = pool->probe, .scope = CERTDIR_LDAP_BASE, .filter = "(objectClass=*)", .attributes = nothing};
	const enum certdir_ldap_status status =
		certdir_ldap_connection_search(connection, &query, take_any, NULL, error);

	/* A refusal is an answer, too: the server works. */
	return status == CERTDIR_LDAP_LOST || status == CERTDIR_LDAP_TIMEOUT ? status : CERTDIR_LDAP_OK;
}

/*
 * Takes what came of a trial; true when the connection was taken. What began before the server became sick says nothing
 * any more: there are newer trials.
 */
static bool take_result(struct certdir_ldap_pooled *pooled, enum certdir_ldap_status status,
			const struct certdir_error *error)
{
	struct certdir_ldap_server *server = pooled->server;
	const bool counts = pooled->epoch == server->epoch && !server->pool->stopping;

	server->connecting--;
	(void)pthread_cond_broadcast(&server->pool->work);
	if (status == CERTDIR_LDAP_REFUSED)
		certdir_server_refused(server, error);
	else if (counts && status == CERTDIR_LDAP_OK)
		certdir_server_connected(server, pooled);
	else if (counts)
		certdir_server_unconnected(server, error);
	return counts && status == CERTDIR_LDAP_OK;
}

/* While it runs, `connecting` keeps its server from being removed. */
static void *try_server(void *context)
{
	struct certdir_ldap_pooled *pooled = context;
	struct certdir_ldap_pool *pool = pooled->server->pool;
	enum certdir_ldap_status status;
	struct certdir_error error;

	status = certdir_ldap_connection_open(&pooled->connection, pooled->server->uri, &pool->config, pool->watchdog,
					      &error);
	if (status == CERTDIR_LDAP_OK && pooled->probed)
		status = probe(pool, pooled->connection, &error);
	(void)pthread_mutex_lock(&pool->lock);
	if (take_result(pooled, status, &error))
		pooled = NULL;
	certdir_pool_unlock(pool);
	close_all(pooled);
	end_thread(pool);
	return NULL;
}

static void begin_trial(struct certdir_ldap_server *server)
{
	struct certdir_ldap_pool *pool = server->pool;
	struct certdir_ldap_pooled *pooled = calloc(1, sizeof(*pooled));
	struct certdir_error error = {.text = "out of memory"};

	server->wanted = false;
	if (pooled)
		*pooled = (struct certdir_ldap_pooled){
			.server = server, .since = certdir_monotonic(), .epoch = server->epoch, .probed = server->sick};
	if (!pooled || !begin_thread(pool, try_server, pooled, &error)) {
		free(pooled);
		certdir_server_unconnected(server, &error);
		return;
	}
	server->connecting++;
	server->again_at = server->sick ? certdir_monotonic() + OVERLAP : 0;
	if (pool->refusals)
		pool->refused_until = certdir_monotonic() + CONNECT_MAX;
}

/* When a connection is to be tried; INT64_MAX = none is needed. */
static int64_t connect_at(const struct certdir_ldap_server *server)
{
	if (server->gone || server->connecting >= CONNECTING_MAX ||
	    !(server->sick || certdir_server_needs_connection(server)))
		return INT64_MAX;
	return server->again_at > server->pool->refused_until ? server->again_at : server->pool->refused_until;
}

/* ---- the DNS ---- */

static void *find_servers(void *context)
{
	struct certdir_ldap_finder *finder = context;
	struct certdir_ldap_pool *pool = finder->pool;
	struct certdir_ldap_target targets[CERTDIR_LDAP_TARGETS_MAX];
	struct certdir_error error;
	size_t count;
	const bool found = certdir_ldap_srv_find(finder->uri, targets, &count, &error);

	(void)pthread_mutex_lock(&pool->lock);
	if (found)
		certdir_server_take_targets(finder, targets, count);
	else
		finder->trouble = error;
	finder->looking = false;
	finder->done = true;
	finder->next = certdir_monotonic() + (found ? FIND_AGAIN : FIND_RETRY);
	(void)pthread_cond_broadcast(&pool->news);
	(void)pthread_cond_broadcast(&pool->work);
	certdir_pool_unlock(pool);
	end_thread(pool);
	return NULL;
}

static void begin_finding(struct certdir_ldap_finder *finder)
{
	finder->looking = begin_thread(finder->pool, find_servers, finder, &finder->trouble);
	if (finder->looking)
		return;
	finder->done = true;
	finder->next = certdir_monotonic() + FIND_RETRY;
}

/* ---- the keeper ---- */

/* Does what is due; returns when something will be. */
static int64_t keep_server(struct certdir_ldap_server *server, int64_t now)
{
	const int64_t old = discard_old(server, now);

	while (connect_at(server) <= now)
		begin_trial(server);
	return certdir_earlier(old, connect_at(server));
}

static int64_t keep_finder(struct certdir_ldap_finder *finder, int64_t now)
{
	if (!finder->pool->wanted || finder->looking)
		return INT64_MAX;
	if (finder->next <= now)
		begin_finding(finder);
	return finder->looking ? INT64_MAX : finder->next;
}

static void *keep(void *context)
{
	struct certdir_ldap_pool *pool = context;
	struct certdir_ldap_pooled *rest;
	struct certdir_error ignored;

	(void)pthread_mutex_lock(&pool->lock);
	while (!pool->stopping) {
		const int64_t now = certdir_monotonic();
		int64_t next = INT64_MAX;

		for (size_t i = 0; i < pool->finder_count; i++)
			next = certdir_earlier(next, keep_finder(&pool->finders[i], now));
		for (size_t i = 0; i < pool->count; i++)
			next = certdir_earlier(next, keep_server(pool->servers[i], now));
		/* Without a thread they stay for the next time. */
		if (pool->unusable)
			(void)begin_thread(pool, close_unusable, pool, &ignored);
		certdir_pool_wait(pool, &pool->work, next);
	}
	for (size_t i = 0; i < pool->count; i++)
		certdir_server_discard_idle(pool->servers[i]);
	rest = take_unusable(pool);
	certdir_pool_unlock(pool);
	close_all(rest);
	end_thread(pool);
	return NULL;
}

bool certdir_keeper_start(struct certdir_ldap_pool *pool, struct certdir_error *error)
{
	return begin_thread(pool, keep, pool, error);
}
