/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ldap/keeper.h"

#include <stdlib.h>
#include <string.h>

#include "base/background.h"

/* Servers and firewalls drop what is idle, some without a word. */
#define IDLE_MAX (60 * CERTDIR_SECOND)
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
/* A trial may take long; meanwhile another one is begun, since what hangs now may hang longer than the server does. */
#define OVERLAP (3 * CERTDIR_SECOND / 2)
/* After one that succeeded, others are begun at the same time: our password may have changed since the one before. */
#define LATELY (2 * CERTDIR_SECOND)
/* Trials of one server at a time: more than a resolver that does not answer (10 s in glibc) holds of them. */
enum { CONNECTING_MAX = 8 };
/*
 * A server that answers trials and no search would be well and sick in turns: when it is sick again and has answered none in
 * between, it is left alone for so long.
 */
#define RELAPSE_PAUSE (2 * CERTDIR_SECOND)
/* While one of several servers tries again whether our identity is still refused, the others do not. */
#define CONNECT_MAX (10 * CERTDIR_SECOND)
/* The servers of a domain are looked up again. */
#define FIND_AGAIN (300 * CERTDIR_SECOND)
#define FIND_RETRY (5 * CERTDIR_SECOND)

/* ---- small things ---- */

void certdir_pool_wait(struct certdir_ldap_pool *pool, pthread_cond_t *condition, int64_t moment)
{
	const struct timespec at = {.tv_sec = (time_t)(moment / CERTDIR_SECOND),
				    .tv_nsec = (long)(moment % CERTDIR_SECOND) * 1000};

	if (moment == INT64_MAX)
		(void)pthread_cond_wait(condition, &pool->lock);
	else
		(void)pthread_cond_timedwait(condition, &pool->lock, &at);
}

static void close_sessions(struct certdir_ldap_pooled *session)
{
	while (session) {
		struct certdir_ldap_pooled *next = session->next;

		certdir_ldap_connection_close(session->connection);
		free(session);
		session = next;
	}
}

void certdir_pooled_bury(struct certdir_ldap_pooled *session)
{
	struct certdir_ldap_server *server = session->server;

	session->next = server->dead;
	server->dead = session;
	server->open--;
	(void)pthread_cond_broadcast(&server->pool->work);
}

void certdir_server_bury_idle(struct certdir_ldap_server *server)
{
	while (server->idle) {
		struct certdir_ldap_pooled *session = server->idle;

		server->idle = session->next;
		certdir_pooled_bury(session);
	}
}

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

/* ---- sick and well ---- */

static void note_state(struct certdir_ldap_server *server, bool sick)
{
	const int64_t now = certdir_monotonic();

	server->sick = sick;
	if (sick) {
		if (!server->relapsed)
			server->sick_since = time(NULL);
		server->epoch++;
		server->relapsed = server->unproved;
		server->again_at = now + (server->relapsed ? RELAPSE_PAUSE : 0);
		certdir_server_bury_idle(server);
	} else {
		server->unproved = true;
		server->failures = 0; /* a connection alone does not end a row of them: the probe does */
	}
	server->pool->untold = true;
	(void)pthread_cond_broadcast(&server->pool->work);
	(void)pthread_cond_broadcast(&server->pool->news);
}

/* It did not answer. */
void certdir_server_failed(struct certdir_ldap_server *server, const struct certdir_error *why)
{
	server->trouble = *why;
	if (++server->failures >= FAILURES_MAX && !server->sick)
		note_state(server, true);
}

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

/* One that is sick in turns is, until it has answered a search. */
static bool seems_sick(const struct certdir_ldap_server *server)
{
	return server->sick || server->relapsed;
}

static struct certdir_ldap_server *find_untold(struct certdir_ldap_pool *pool)
{
	for (size_t i = 0; pool->untold && i < pool->count; i++)
		if (seems_sick(pool->servers[i]) != pool->servers[i]->told_sick)
			return pool->servers[i];
	pool->untold = false;
	return NULL;
}

/* Unlocks, and writes what has changed into the log, without the lock: a log may be slow. */
void certdir_pool_unlock(struct certdir_ldap_pool *pool)
{
	struct certdir_ldap_server *server;

	while ((server = find_untold(pool)) != NULL) {
		const struct certdir_error trouble = server->trouble;
		char since[CERTDIR_TEXT_MAX], took[CERTDIR_TEXT_MAX], uri[CERTDIR_TEXT_MAX];
		const bool sick = server->told_sick = seems_sick(server);

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

/* ---- the keeper of a server ---- */

/* Whether a server that was sick answers searches: that it takes connections says little. */
static enum certdir_ldap_status probe(struct certdir_ldap_pool *pool, struct certdir_ldap_connection *connection,
				      struct certdir_error *error);

/* What a connection that was tried has become. */
static void note_connected(struct certdir_ldap_server *server, struct certdir_ldap_pooled *session, int64_t begun)
{
	const int64_t now = certdir_monotonic();
	unsigned distance = 0;

	for (int64_t took = (now - begun) / 1000; took; took >>= 1)
		distance++;
	if (distance != server->distance) {
		server->distance = distance;
		sort_servers(server->pool);
	}
	session->idle_since = now;
	session->epoch = server->epoch;
	server->connected_at = server->moved_at = now;
	session->next = server->idle;
	server->idle = session;
	server->open++;
	server->pool->refusals = 0;
	server->pool->refused_until = 0;
	server->again_at = 0;
	if (server->sick)
		note_state(server, false);
	(void)pthread_cond_broadcast(&server->pool->news);
}

static void note_unconnected(struct certdir_ldap_server *server, const struct certdir_error *why)
{
	const int64_t now = certdir_monotonic();

	server->trouble = *why;
	/* Connections that are there may still be good: a server that takes no more of them is not down. */
	if (!server->sick && server->open == 0)
		note_state(server, true);
	server->again_at = now + RETRY;
	(void)pthread_cond_broadcast(&server->pool->news);
}

static void note_refused(struct certdir_ldap_server *server, const struct certdir_error *why)
{
	struct certdir_ldap_pool *pool = server->pool;

	pool->refused_until = certdir_monotonic() + refused_pauses[pool->refusals];
	if (pool->refusals < REFUSED_PAUSES - 1)
		pool->refusals++;
	note_unconnected(server, why);
	/* The next trial is another server's, if there is one. */
	server->again_at = pool->refused_until + RETRY;
}

/* A trial of a connection. */
struct trial {
	struct certdir_ldap_server *server;
	unsigned epoch; /* of the server when it began */
	bool sick; /* it was */
	int64_t begun;
};

/*
 * Takes what came of a trial; true when the session was taken. What began before the server became sick says nothing
 * any more: there are newer trials.
 */
static bool conclude(const struct trial *trial, struct certdir_ldap_pooled *session, enum certdir_ldap_status status,
		     const struct certdir_error *error)
{
	struct certdir_ldap_server *server = trial->server;
	const bool counts = trial->epoch == server->epoch && !server->pool->stopping;

	server->connecting--;
	(void)pthread_cond_broadcast(&server->pool->work);
	if (status == CERTDIR_LDAP_REFUSED)
		note_refused(server, error);
	else if (counts && session)
		note_connected(server, session, trial->begun);
	else if (counts)
		note_unconnected(server, error);
	return counts && session;
}

static struct certdir_ldap_pooled *connect_server(const struct trial *trial, enum certdir_ldap_status *status,
						  struct certdir_error *error)
{
	struct certdir_ldap_pool *pool = trial->server->pool;
	struct certdir_ldap_pooled *session = calloc(1, sizeof(*session));
	struct certdir_ldap_connection *connection = NULL;

	*status = CERTDIR_LDAP_LOST;
	certdir_error_set(error, "out of memory");
	if (session)
		*status = certdir_ldap_connection_open(&connection, trial->server->uri, &pool->config, pool->watchdog,
						       error);
	if (*status == CERTDIR_LDAP_OK && trial->sick)
		*status = probe(pool, connection, error);
	if (*status == CERTDIR_LDAP_OK) {
		session->connection = connection;
		session->server = trial->server;
		return session;
	}
	certdir_ldap_connection_close(connection);
	free(session);
	return NULL;
}

/* A thread's last act. */
static void come_home(struct certdir_ldap_pool *pool)
{
	(void)pthread_mutex_lock(&pool->lock);
	pool->threads--;
	(void)pthread_cond_broadcast(&pool->news);
	(void)pthread_mutex_unlock(&pool->lock);
}

static void *try_server(void *context)
{
	struct trial trial = *(struct trial *)context;
	struct certdir_ldap_pool *pool = trial.server->pool;
	struct certdir_ldap_pooled *session;
	enum certdir_ldap_status status;
	struct certdir_error error;

	free(context);
	session = connect_server(&trial, &status, &error);
	(void)pthread_mutex_lock(&pool->lock);
	if (conclude(&trial, session, status, &error))
		session = NULL;
	certdir_pool_unlock(pool);
	close_sessions(session);
	come_home(pool);
	return NULL;
}

/* Begins a trial, in a thread of its own: whatever holds it holds nobody else. */
static void begin_trial(struct certdir_ldap_server *server)
{
	struct certdir_ldap_pool *pool = server->pool;
	struct trial *trial = malloc(sizeof(*trial));
	struct certdir_error error = {.text = "out of memory"};
	pthread_t thread;

	server->wanted = false;
	if (trial)
		*trial = (struct trial){server, server->epoch, server->sick, certdir_monotonic()};
	if (!trial || !certdir_background_start(&thread, try_server, trial, &error)) {
		free(trial);
		note_unconnected(server, &error);
		return;
	}
	(void)pthread_detach(thread);
	pool->threads++;
	server->connecting++;
	server->again_at = server->sick ? certdir_monotonic() + OVERLAP : 0;
	if (pool->refusals)
		pool->refused_until = certdir_monotonic() + CONNECT_MAX;
}

static bool take_any(void *context, const struct certdir_ldap_entry *entry)
{
	(void)context, (void)entry;
	return true;
}

static enum certdir_ldap_status probe(struct certdir_ldap_pool *pool, struct certdir_ldap_connection *connection,
				      struct certdir_error *error)
{
	static const char *const nothing[] = {"1.1", NULL}; /* RFC 4511 4.5.1.8 */
	const struct certdir_ldap_query query = {
		.base = pool->probe, .scope = CERTDIR_LDAP_BASE, .filter = "(objectClass=*)", .attributes = nothing};
	const enum certdir_ldap_status status =
		certdir_ldap_connection_search(connection, &query, take_any, NULL, error);

	/* Whatever it says, it answers. */
	return status == CERTDIR_LDAP_LOST || status == CERTDIR_LDAP_TIMEOUT ? status : CERTDIR_LDAP_OK;
}

/* Buries what has been idle too long; returns when the next one will have been. The oldest ones are last. */
static int64_t bury_old(struct certdir_ldap_server *server, int64_t now)
{
	struct certdir_ldap_pooled **tail = &server->idle;
	int64_t next = INT64_MAX;

	while (*tail) {
		struct certdir_ldap_pooled *session = *tail;

		if (session->idle_since + IDLE_MAX > now) {
			next = session->idle_since + IDLE_MAX;
			tail = &session->next;
		} else {
			*tail = session->next;
			certdir_pooled_bury(session);
		}
	}
	return next;
}

bool certdir_server_needs_connection(const struct certdir_ldap_server *server)
{
	if (server->idle || server->open + server->connecting >= server->pool->most)
		return false;
	if (server->connecting)
		return server->waiting > server->connecting && certdir_monotonic() < server->connected_at + LATELY;
	return server->waiting || server->wanted;
}

/* When a connection is to be tried; INT64_MAX = none is needed. */
static int64_t connect_at(const struct certdir_ldap_server *server)
{
	if (server->gone || server->connecting >= CONNECTING_MAX ||
	    !(server->sick || certdir_server_needs_connection(server)))
		return INT64_MAX;
	return server->again_at > server->pool->refused_until ? server->again_at : server->pool->refused_until;
}

static void *keep(void *context)
{
	struct certdir_ldap_server *server = context;
	struct certdir_ldap_pool *pool = server->pool;

	(void)pthread_mutex_lock(&pool->lock);
	while (!pool->stopping) {
		const int64_t now = certdir_monotonic(), old = bury_old(server, now), next = connect_at(server);
		struct certdir_ldap_pooled *dead = server->dead;

		if (dead) {
			server->dead = NULL;
			certdir_pool_unlock(pool);
			close_sessions(dead);
			(void)pthread_mutex_lock(&pool->lock);
		} else if (next <= now) {
			begin_trial(server);
		} else {
			certdir_pool_wait(pool, &pool->work, certdir_earlier(old, next));
		}
	}
	certdir_server_bury_idle(server);
	certdir_pool_unlock(pool);
	close_sessions(server->dead);
	server->dead = NULL;
	come_home(pool);
	return NULL;
}

bool certdir_server_add(struct certdir_ldap_pool *pool, const char *uri, uint64_t rank, struct certdir_error *error)
{
	struct certdir_ldap_server *server = calloc(1, sizeof(*server));

	if (!server || !(server->uri = strdup(uri))) {
		free(server);
		certdir_error_set(error, "out of memory");
		return false;
	}
	server->pool = pool;
	server->rank = rank;
	if (!certdir_background_start(&server->keeper, keep, server, error)) {
		free(server->uri);
		free(server);
		return false;
	}
	pool->threads++;
	pool->servers[pool->count++] = server;
	sort_servers(pool);
	return true;
}

/* ---- servers by the DNS ---- */

struct certdir_ldap_server *certdir_server_find(const struct certdir_ldap_pool *pool, const char *uri)
{
	for (size_t i = 0; i < pool->count; i++)
		if (strcmp(pool->servers[i]->uri, uri) == 0)
			return pool->servers[i];
	return NULL;
}

/* One whose place another server may have: the DNS names it no more, and nothing of us still has to do with it. */
static struct certdir_ldap_server *find_left(const struct certdir_ldap_pool *pool)
{
	for (size_t i = 0; i < pool->count; i++) {
		struct certdir_ldap_server *server = pool->servers[i];

		if (server->gone && !server->open && !server->connecting && !server->waiting)
			return server;
	}
	return NULL;
}

/* Of what it was, the log has said enough: the DNS took it away. */
static void become(struct certdir_ldap_server *server, char *uri, uint64_t rank)
{
	free(server->uri);
	*server = (struct certdir_ldap_server){.pool = server->pool,
					       .uri = uri,
					       .keeper = server->keeper,
					       .rank = rank,
					       .dead = server->dead,
					       .epoch = server->epoch + 1};
}

/* A new name. There are as many places as a pool may have servers, and the DNS may name others each time. */
static void add_target(struct certdir_ldap_finder *finder, const char *uri, uint64_t rank)
{
	struct certdir_ldap_pool *pool = finder->pool;
	struct certdir_ldap_server *left = find_left(pool);
	char *copy = left ? strdup(uri) : NULL;

	if (copy)
		become(left, copy, rank);
	else if (pool->count < CERTDIR_LDAP_SERVERS_MAX)
		(void)certdir_server_add(pool, uri, rank, &finder->trouble);
}

/* Those that are new are connected once, which shows how near they are. */
void certdir_finder_take(struct certdir_ldap_finder *finder, const struct certdir_ldap_target *targets, size_t count)
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
	for (size_t i = 0; i < pool->count; i++)
		if (pool->servers[i]->gone)
			certdir_server_bury_idle(pool->servers[i]);
	for (size_t i = 0; i < count; i++)
		if (!certdir_server_find(pool, targets[i].uri))
			add_target(finder, targets[i].uri, finder->rank | (uint64_t)targets[i].priority << 16 | i);
	sort_servers(pool);
}

static void *find(void *context)
{
	struct certdir_ldap_finder *finder = context;
	struct certdir_ldap_pool *pool = finder->pool;
	int64_t next = 0;

	(void)pthread_mutex_lock(&pool->lock);
	while (!pool->stopping) {
		struct certdir_ldap_target targets[CERTDIR_LDAP_TARGETS_MAX];
		struct certdir_error error;
		size_t count;
		bool found;

		if (!pool->wanted || certdir_monotonic() < next) {
			certdir_pool_wait(pool, &pool->work, pool->wanted ? next : INT64_MAX);
			continue;
		}
		certdir_pool_unlock(pool);
		found = certdir_ldap_srv_find(finder->uri, targets, &count, &error);
		(void)pthread_mutex_lock(&pool->lock);
		if (found)
			certdir_finder_take(finder, targets, count);
		else
			finder->trouble = error;
		finder->done = true;
		next = certdir_monotonic() + (found ? FIND_AGAIN : FIND_RETRY);
		(void)pthread_cond_broadcast(&pool->news);
	}
	certdir_pool_unlock(pool);
	come_home(pool);
	return NULL;
}

bool certdir_finder_add(struct certdir_ldap_pool *pool, const char *uri, uint64_t rank, struct certdir_error *error)
{
	struct certdir_ldap_finder *finder = &pool->finders[pool->finder_count];

	*finder = (struct certdir_ldap_finder){.pool = pool, .uri = strdup(uri), .rank = rank};
	if (finder->uri && certdir_background_start(&finder->thread, find, finder, error)) {
		pool->threads++;
		pool->finder_count++;
		return true;
	}
	if (!finder->uri)
		certdir_error_set(error, "out of memory");
	free(finder->uri);
	return false;
}
