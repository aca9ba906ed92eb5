/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ldap/pool.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "ldap/keeper.h"

/* Less time than this may be too little for a server that is well. */
#define FAIR (CERTDIR_SECOND / 10)
/* A directory that is well may be silent for so long, and longer where it always is slow, when a machine has much to do. */
#define QUEUE_MIN (CERTDIR_SECOND / 10)
/* How long threads may take to end. */
#define CLOSE_MAX (2 * CERTDIR_SECOND)

/* ---- connections for a search; the lock is held. `asked` is the set of servers that it has asked already, by their bits ---- */

/* How many servers are left, and the first of them. */
static size_t servers_left(const struct certdir_ldap_pool *pool, uint32_t asked, struct certdir_ldap_server **first)
{
	const bool held = certdir_monotonic() < pool->refused_until;
	size_t count = 0;

	*first = NULL;
	for (size_t i = 0; i < pool->count; i++) {
		struct certdir_ldap_server *server = pool->servers[i];

		if (server->sick || server->gone || (asked & server->bit) || (held && !server->open))
			continue;
		if (count++ == 0)
			*first = server;
	}
	return count;
}

static bool is_finding(const struct certdir_ldap_pool *pool)
{
	for (size_t i = 0; i < pool->finder_count; i++)
		if (!pool->finders[i].done)
			return true;
	return false;
}

/* A server gets half of the time that is left while there is another one. */
static int64_t share_of(int64_t deadline, size_t left)
{
	const int64_t now = certdir_monotonic();

	return left > 1 ? now + (deadline - now) / 2 : deadline;
}

/* Those that come first and have none idle get one by and by: nobody waits while another server has one. */
static void want_better(struct certdir_ldap_pool *pool, uint32_t asked, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct certdir_ldap_server *server = pool->servers[i];

		if (server->sick || server->wanted || (asked & server->bit))
			continue;
		server->wanted = true;
		(void)pthread_cond_broadcast(&pool->work);
	}
}

static struct certdir_ldap_pooled *pop_idle(struct certdir_ldap_pool *pool, uint32_t asked)
{
	for (size_t i = 0; i < pool->count; i++) {
		struct certdir_ldap_server *server = pool->servers[i];
		struct certdir_ldap_pooled *pooled = server->idle;

		if (!pooled || server->gone || (asked & server->bit))
			continue;
		server->idle = pooled->next;
		want_better(pool, asked, i);
		return pooled;
	}
	return NULL;
}

/* Waits for something to happen, on behalf of a server if there is one. False when `until` is over. */
static bool wait_for(struct certdir_ldap_pool *pool, struct certdir_ldap_server *server, int64_t until)
{
	if (certdir_monotonic() >= until)
		return false;
	if (server)
		server->waiting++;
	if (server && certdir_server_needs_connection(server))
		(void)pthread_cond_broadcast(&pool->work);
	certdir_pool_wait(pool, &pool->news, until);
	if (server)
		server->waiting--;
	return true;
}

/* That there is no connection in time is the server's fault unless it has answered others meanwhile: then it has much to do. */
static void no_connection(struct certdir_ldap_server *server, int64_t begun, int64_t patience)
{
	struct certdir_error error;

	if (server->moved_at >= begun)
		return;
	certdir_error_set(&error, "%s: no connection within %g s", server->uri,
			  (double)((patience + CERTDIR_SECOND / 20) / (CERTDIR_SECOND / 10)) / 10);
	certdir_server_failed(server, &error);
}

/*
 * A search without which an answer is good enough is made once. It is not asked of a server that did not answer the last one, while
 * there is another: most often that was the search before it in the same login.
 */
static void avoid_doubtful(const struct certdir_ldap_pool *pool, uint32_t *asked)
{
	struct certdir_ldap_server *next;
	uint32_t doubtful = 0;

	for (size_t i = 0; i < pool->count; i++)
		if (pool->servers[i]->failures)
			doubtful |= pool->servers[i]->bit;
	if (servers_left(pool, doubtful, &next) > 0)
		*asked = doubtful;
}

/* A connection to the first server that has one in time, or NULL. */
static struct certdir_ldap_pooled *take_connection(struct certdir_ldap_pool *pool, uint32_t *asked, int64_t deadline)
{
	struct certdir_ldap_server *hope = NULL;
	int64_t begun = 0, until = deadline;
	size_t left, before = 0;

	while (!pool->stopping) {
		struct certdir_ldap_pooled *pooled = pop_idle(pool, *asked);
		struct certdir_ldap_server *first;

		if (pooled)
			return pooled;
		left = servers_left(pool, *asked, &first);
		if (left == 0 && !is_finding(pool))
			return NULL;
		if (first != hope || left < before || begun == 0) {
			hope = first;
			begun = certdir_monotonic();
			until = share_of(deadline, left);
		}
		before = left;
		if (wait_for(pool, hope, until))
			continue;
		if (!hope)
			return NULL;
		no_connection(hope, begun, until - begun);
		*asked |= hope->bit;
	}
	return NULL;
}

/*
 * What came of a search. True when another connection is worth a trial: the one that broke had been idle and may have
 * been closed long ago, or there are other servers. `fair`: that there was no answer is the server's fault.
 */
static bool take_result(struct certdir_ldap_pooled *pooled, enum certdir_ldap_status status, bool fair, uint32_t *asked,
			const struct certdir_error *error)
{
	struct certdir_ldap_server *server = pooled->server, *next;
	struct certdir_ldap_pool *pool = server->pool;

	if (status != CERTDIR_LDAP_LOST && status != CERTDIR_LDAP_TIMEOUT) {
		certdir_server_answered(server);
		pooled->used = true;
		certdir_pooled_give_back(pooled);
		if (server->waiting)
			(void)pthread_cond_broadcast(&pool->news);
		/* What one server refuses, the next may do: this one may be a replica that is still empty. */
		*asked |= server->bit;
		return status != CERTDIR_LDAP_OK && status != CERTDIR_LDAP_SIZE_LIMIT &&
		       servers_left(pool, *asked, &next) > 0;
	}
	if (status == CERTDIR_LDAP_LOST && pooled->used) {
		certdir_server_discard_idle(server);
	} else {
		*asked |= server->bit;
		if (fair && pooled->epoch == server->epoch)
			certdir_server_failed(server, error);
	}
	certdir_pooled_discard(pooled);
	return true;
}

/* ---- the share of workers that one directory may hold ---- */

/*
 * When as many search as may, another one waits while answers come as they use to, for half of its time at most: that is a
 * directory that has much to do. When none comes for ten times as long, not at all: then it holds enough of the workers. One
 * that always takes long has half as many who wait, because most of them would wait in vain.
 */
static bool enter(struct certdir_ldap_pool *pool, int64_t deadline)
{
	const int64_t now = certdir_monotonic(), half = (deadline - now) / 2;
	int64_t patience, until;

	if (pool->inside >= pool->most && pool->usual > half / 2 && pool->queued >= (pool->most + 1) / 2)
		return false;
	pool->queued++;
	while (pool->inside >= pool->most) {
		patience = pool->usual ? certdir_earlier(half, QUEUE_MIN + 10 * pool->usual) : half;
		until = certdir_earlier(now + half, pool->moved_at + patience);
		if (certdir_monotonic() >= until)
			break;
		certdir_pool_wait(pool, &pool->turn, until);
	}
	pool->queued--;
	if (pool->inside >= pool->most)
		return false;
	if (pool->inside++ == 0)
		pool->moved_at = certdir_monotonic();
	return true;
}

/* Unlocks, too, and before it wakes the next one, who would else wait for the lock. */
static void leave(struct certdir_ldap_pool *pool)
{
	const bool wake = pool->queued > 0;

	pool->inside--;
	certdir_pool_unlock(pool);
	if (wake)
		(void)pthread_cond_signal(&pool->turn);
}

/* ---- search ---- */

static void add_words(struct certdir_error *all, const char *words)
{
	const struct certdir_error before = *all;

	certdir_error_set(all, "%s%s%s", before.text, before.text[0] ? "; " : "", words);
}

/* Why there is no answer: of each server its last trouble. `error`: what the last search said, if there was one. */
static void explain(const struct certdir_ldap_pool *pool, struct certdir_error *error)
{
	const struct certdir_error last = *error;

	error->text[0] = '\0';
	for (size_t i = 0; i < pool->finder_count; i++)
		if (pool->finders[i].trouble.text[0] || !pool->finders[i].done)
			add_words(error, pool->finders[i].done ? pool->finders[i].trouble.text
							       : "the DNS has not answered yet");
	for (size_t i = 0; i < pool->count; i++) {
		const struct certdir_ldap_server *server = pool->servers[i];
		char since[CERTDIR_TEXT_MAX], words[CERTDIR_TEXT_MAX];

		if (!server->trouble.text[0] || server->gone)
			continue;
		certdir_say_since(since, server->sick_since);
		certdir_say(words, "%s%s%s", server->trouble.text, server->sick ? ", since " : "",
			    server->sick ? since : "");
		add_words(error, words);
	}
	if (!error->text[0])
		certdir_error_set(error, "%s", last.text[0] ? last.text : "no server has answered in time");
}

enum certdir_ldap_status certdir_ldap_pool_search(struct certdir_ldap_pool *pool,
						  const struct certdir_ldap_query *query, int64_t deadline,
						  certdir_ldap_take each, void *context, struct certdir_error *error)
{
	enum certdir_ldap_status status = CERTDIR_LDAP_LOST;
	struct certdir_ldap_query timed = *query;
	struct certdir_ldap_pooled *pooled;
	struct certdir_ldap_server *next;
	bool again = true, fair;
	uint32_t asked = 0;
	int64_t begun;
	size_t left;

	error->text[0] = '\0';
	(void)pthread_mutex_lock(&pool->lock);
	if (!pool->wanted) {
		pool->wanted = true;
		(void)pthread_cond_broadcast(&pool->work);
	}
	if (!enter(pool, deadline)) {
		certdir_error_set(error, "%u searches wait for it without an answer already, and more workers may not",
				  pool->most);
		certdir_pool_unlock(pool);
		return CERTDIR_LDAP_LOST;
	}
	if (query->optional)
		avoid_doubtful(pool, &asked);
	begun = certdir_monotonic();
	while (again && (pooled = take_connection(pool, &asked, deadline)) != NULL) {
		/* One that is sick and has a connection that still answered is not among those that are left. */
		left = query->optional ? 1 : servers_left(pool, asked, &next) + pooled->server->sick;
		timed.until = share_of(deadline, left);
		fair = !query->optional && timed.until - certdir_monotonic() >= FAIR;
		certdir_pool_unlock(pool);
		status = certdir_ldap_connection_search(pooled->connection, &timed, each, context, error);
		(void)pthread_mutex_lock(&pool->lock);
		again = take_result(pooled, status, fair, &asked, error) && !query->optional;
	}
	/* Of the last server alone `error` speaks, and of none when no connection came. */
	if (again)
		explain(pool, error);
	else if (!query->optional)
		pool->usual += (certdir_monotonic() - begun - pool->usual) / 8;
	leave(pool);
	return status;
}

void certdir_ldap_pool_each(struct certdir_ldap_pool *pool,
			    void (*each)(void *context, const struct certdir_ldap_pool_server *server), void *context)
{
	(void)pthread_mutex_lock(&pool->lock);
	for (size_t i = 0; i < pool->count; i++) {
		const struct certdir_ldap_server *server = pool->servers[i];

		if (!server->gone)
			each(context, &(struct certdir_ldap_pool_server){server->uri, server->sick, server->answered,
									 server->unanswered});
	}
	certdir_pool_unlock(pool);
}

/* ---- open and close ---- */

/* A copy of the configuration: what a resolver holds may look at it when its owner has gone. */
static const size_t config_strings[] = {
	offsetof(struct certdir_ldap_config, identity),		offsetof(struct certdir_ldap_config, password),
	offsetof(struct certdir_ldap_config, ca_file),		offsetof(struct certdir_ldap_config, ca_path),
	offsetof(struct certdir_ldap_config, keytab),		offsetof(struct certdir_ldap_config, certificate_file),
	offsetof(struct certdir_ldap_config, private_key_file), offsetof(struct certdir_ldap_config, require_cert),
};

enum { CONFIG_STRINGS = sizeof(config_strings) / sizeof(config_strings[0]) };

static char **config_string(struct certdir_ldap_config *config, size_t i)
{
	return (char **)((char *)config + config_strings[i]);
}

static bool copy_config(struct certdir_ldap_pool *pool, const struct certdir_ldap_pool_config *config,
			struct certdir_error *error)
{
	bool ok = (pool->name = strdup(config->name)) && (pool->probe = strdup(config->probe));

	pool->most = config->most;
	pool->config = *config->server;
	pool->config.servers = NULL;
	for (size_t i = 0; i < CONFIG_STRINGS; i++) {
		char **string = config_string(&pool->config, i);

		if (*string)
			ok = (*string = strdup(*string)) && ok;
	}
	if (!ok)
		certdir_error_set(error, "out of memory");
	return ok;
}

static bool add_configured(struct certdir_ldap_pool *pool, const struct certdir_ldap_config *config, size_t place,
			   struct certdir_error *error)
{
	char *uri = certdir_ldap_uri(config->servers[place], config->port), domain[CERTDIR_DOMAIN_MAX + 1];
	const uint64_t rank = (uint64_t)place << 32;
	struct certdir_error why;
	bool ok;

	if (!uri) {
		certdir_error_set(error, "out of memory");
		return false;
	}
	if (!certdir_ldap_connection_check(uri, config, &why)) {
		certdir_error_set(error, "%s%s", why.about ? "ldap: " : "", why.text);
		free(uri);
		return false;
	}
	if (certdir_ldap_srv_domain(uri, domain)) {
		pool->finders[pool->finder_count++] =
			(struct certdir_ldap_finder){.pool = pool, .uri = uri, .rank = rank};
		return true;
	}
	ok = certdir_server_find(pool, uri) || certdir_server_add(pool, uri, rank);
	if (!ok)
		certdir_error_set(error, "out of memory");
	free(uri);
	return ok;
}

static bool add_all(struct certdir_ldap_pool *pool, const struct certdir_ldap_config *config,
		    struct certdir_error *error)
{
	size_t count = 0;

	while (config->servers[count])
		count++;
	if (count > CERTDIR_LDAP_SERVERS_MAX) {
		certdir_error_set(error, "ldap: %zu servers are too many: name at most %d", count,
				  CERTDIR_LDAP_SERVERS_MAX);
		return false;
	}
	pool->finders = calloc(count, sizeof(*pool->finders));
	if (!pool->finders) {
		certdir_error_set(error, "out of memory");
		return false;
	}
	for (size_t i = 0; i < count; i++)
		if (!add_configured(pool, config, i, error))
			return false;
	return true;
}

static bool start_keeper(struct certdir_ldap_pool *pool, struct certdir_error *error)
{
	bool ok;

	(void)pthread_mutex_lock(&pool->lock);
	ok = certdir_keeper_start(pool, error);
	(void)pthread_mutex_unlock(&pool->lock);
	return ok;
}

struct certdir_ldap_pool *certdir_ldap_pool_open(const struct certdir_ldap_pool_config *config,
						 struct certdir_error *error)
{
	struct certdir_ldap_pool *pool = calloc(1, sizeof(*pool));

	if (!pool || !certdir_condition_init(&pool->work) || !certdir_condition_init(&pool->news) ||
	    !certdir_condition_init(&pool->turn)) {
		certdir_error_set(error, "out of memory");
		free(pool);
		return NULL;
	}
	(void)pthread_mutex_init(&pool->lock, NULL);
	if (copy_config(pool, config, error) && add_all(pool, config->server, error) &&
	    (pool->watchdog = certdir_watchdog_start(error)) != NULL && start_keeper(pool, error))
		return pool;
	certdir_ldap_pool_close(pool);
	return NULL;
}

static void free_pool(struct certdir_ldap_pool *pool)
{
	for (size_t i = 0; i < pool->count; i++)
		certdir_server_free(pool->servers[i]);
	for (size_t i = 0; i < pool->finder_count; i++)
		free(pool->finders[i].uri);
	free(pool->finders);
	certdir_watchdog_stop(pool->watchdog);
	for (size_t i = 0; i < CONFIG_STRINGS; i++)
		free(*config_string(&pool->config, i));
	(void)pthread_cond_destroy(&pool->turn);
	(void)pthread_cond_destroy(&pool->news);
	(void)pthread_cond_destroy(&pool->work);
	(void)pthread_mutex_destroy(&pool->lock);
	free(pool->name);
	free(pool->probe);
	free(pool);
}

/* Waits for all threads to end, as long as that is worth it. */
static bool have_ended(struct certdir_ldap_pool *pool)
{
	const int64_t until = certdir_monotonic() + CLOSE_MAX;
	bool ended;

	(void)pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	(void)pthread_cond_broadcast(&pool->work);
	while (pool->threads && certdir_monotonic() < until)
		certdir_pool_wait(pool, &pool->news, until);
	ended = pool->threads == 0;
	(void)pthread_mutex_unlock(&pool->lock);
	return ended;
}

void certdir_ldap_pool_close(struct certdir_ldap_pool *pool)
{
	if (!pool)
		return;
	if (pool->watchdog)
		certdir_watchdog_halt(pool->watchdog);
	if (have_ended(pool))
		free_pool(pool);
}
