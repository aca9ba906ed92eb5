/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a pool holds: its servers, whether each of them answers, and their connections. Shared by those who search (pool.c) and the
 * threads in the background (keeper.c), and seen by nobody else.
 *
 * All functions are called with the pool's lock held, and return with it. Times are microseconds of certdir_monotonic().
 */
#ifndef CERTDIR_LDAP_SERVER_H
#define CERTDIR_LDAP_SERVER_H

#include <time.h>

#include "base/background.h"
#include "ldap/pool.h"
#include "ldap/srv.h"

enum { CERTDIR_LDAP_SERVERS_MAX = 16 };

/* A connection of the pool: it is being made, or a search uses it, or it is idle, or it is to be closed. */
struct certdir_ldap_pooled {
	struct certdir_ldap_connection *connection;
	struct certdir_ldap_server *server;
	struct certdir_ldap_pooled *next;
	int64_t since; /* when it began to be made, or became idle last */
	unsigned epoch; /* of its server when it began to be made, or answered last */
	bool probed; /* it is a trial of a server that is sick, and has to answer a search, too */
	bool used; /* it has answered a search; it may have been closed from the other side since */
};

/* A server. It is sick from two searches in a row without an answer, or for want of any connection, until a trial succeeds. */
struct certdir_ldap_server {
	struct certdir_ldap_pool *pool;
	char *uri;
	uint32_t bit; /* of this server in a set of servers of the pool */
	bool gone; /* the DNS does not name it any more: it is removed when nothing of it is in use */
	uint64_t rank; /* as configured, then as the DNS ordered them; lower is first */
	unsigned distance; /* of its last connection: bits of the milliseconds it took */
	struct certdir_ldap_pooled *idle; /* the last one given back first */
	unsigned connecting; /* trials of a connection that are in flight */
	unsigned open; /* connections that are in use or idle */
	unsigned waiting; /* searches that wait for a connection */
	bool wanted; /* a connection would have been used */
	uint64_t answered, unanswered; /* searches, ever */
	unsigned failures; /* in a row */
	bool sick;
	unsigned epoch; /* how often it became sick: what began before says nothing of what it is now */
	bool logged_sick; /* as the log has it */
	time_t sick_since;
	bool unproved; /* it was sick, a trial has succeeded, and no search was answered since */
	bool relapsed; /* so it was when it became sick again; until a search is answered */
	int64_t connected_at;
	int64_t moved_at; /* when it was connected or answered last */
	int64_t again_at; /* no connection is tried before */
	struct certdir_error trouble; /* the last one */
};

/* A domain whose servers the DNS names. */
struct certdir_ldap_finder {
	struct certdir_ldap_pool *pool;
	char *uri;
	uint64_t rank;
	bool looking; /* a lookup is in flight */
	bool done; /* once */
	int64_t next; /* lookup */
	struct certdir_error trouble;
};

struct certdir_ldap_pool {
	char *name, *probe;
	struct certdir_ldap_config config; /* with copies of all strings but `servers`, which is NULL */
	unsigned most;
	struct certdir_watchdog *watchdog;
	pthread_mutex_t lock; /* guards all below and what is in servers and finders */
	pthread_cond_t work; /* for the keeper */
	pthread_cond_t news; /* for searches that wait for a connection */
	pthread_cond_t turn; /* for those that wait until one of those that run has ended: each end wakes one */
	bool stopping;
	size_t refusals; /* of our identity by a server, in a row */
	int64_t refused_until;
	bool wanted; /* somebody has searched: until then nothing is looked up */
	unsigned threads; /* that have not ended */
	unsigned inside; /* searches that run */
	unsigned queued; /* searches that wait for one of those to end */
	int64_t moved_at; /* when a search was answered last, or the first of those that run began */
	int64_t usual; /* time in which searches were answered lately */
	struct certdir_ldap_server *servers[CERTDIR_LDAP_SERVERS_MAX]; /* in the order in which they are asked */
	size_t count;
	bool unlogged; /* the log may not have the last state of one */
	struct certdir_ldap_finder *finders;
	size_t finder_count;
	struct certdir_ldap_pooled *unusable; /* to be closed by the keeper: closing may take its time */
};

/* Waits for one of the pool's conditions until `moment`; INT64_MAX = without an end. */
static inline void certdir_pool_wait(struct certdir_ldap_pool *pool, pthread_cond_t *condition, int64_t moment)
{
	(void)certdir_condition_wait(condition, &pool->lock, moment);
}

/* Unlocks. Servers that became sick or well are written into the log then, without the lock: a log may be slow. */
void certdir_pool_unlock(struct certdir_ldap_pool *pool);

/* Adds a server. False when memory is out. */
bool certdir_server_add(struct certdir_ldap_pool *pool, const char *uri, uint64_t rank);
/* The server with this URI, or NULL. */
struct certdir_ldap_server *certdir_server_find(const struct certdir_ldap_pool *pool, const char *uri);
/* Frees it; nothing of it may be in use. */
void certdir_server_free(struct certdir_ldap_server *server);
/* Takes over the servers that the DNS names now, in their order, in place of those that it named before. */
void certdir_server_take_targets(struct certdir_ldap_finder *finder, const struct certdir_ldap_target *targets,
				 size_t count);

/* It did not answer a search: `why`. */
void certdir_server_failed(struct certdir_ldap_server *server, const struct certdir_error *why);
/* It has answered a search. */
void certdir_server_answered(struct certdir_ldap_server *server);
/* It has a new connection, which is idle from now on. */
void certdir_server_connected(struct certdir_ldap_server *server, struct certdir_ldap_pooled *pooled);
/* No connection was to be had: `why`. */
void certdir_server_unconnected(struct certdir_ldap_server *server, const struct certdir_error *why);
/* It, and so probably each server, refuses our identity: none is tried for a while. */
void certdir_server_refused(struct certdir_ldap_server *server, const struct certdir_error *why);

/*
 * Whether more connections are needed than are in flight: then the keeper has to be told (`work`). The first one shows whether
 * others are worth a trial.
 */
bool certdir_server_needs_connection(const struct certdir_ldap_server *server);

/* A connection that a search has used is idle again. */
void certdir_pooled_give_back(struct certdir_ldap_pooled *pooled);
/* Gives a connection, or all idle ones, to the keeper to be closed. */
void certdir_pooled_discard(struct certdir_ldap_pooled *pooled);
void certdir_server_discard_idle(struct certdir_ldap_server *server);

/* The time of day at which something began, for a sentence. */
void certdir_say_since(char text[CERTDIR_TEXT_MAX], time_t since);

#endif
