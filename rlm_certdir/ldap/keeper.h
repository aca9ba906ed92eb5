/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The threads of a pool, and what they and searches share: a keeper for each server, which closes its connections and begins
 * new ones, each in a thread of its own, for those who wait and to see whether a server that is sick is well; a finder for each
 * domain whose servers the DNS names. Seen by pool.c alone.
 *
 * All functions are called with the pool's lock held, and return with it. Times are microseconds of certdir_monotonic().
 */
#ifndef CERTDIR_LDAP_KEEPER_H
#define CERTDIR_LDAP_KEEPER_H

#include <pthread.h>
#include <time.h>

#include "ldap/pool.h"
#include "ldap/srv.h"

enum { CERTDIR_LDAP_SERVERS_MAX = 16 };
#define CERTDIR_SECOND INT64_C(1000000)

/* A connection of the pool: somebody has it, or it is idle, or it is to be closed. */
struct certdir_ldap_pooled {
	struct certdir_ldap_connection *connection;
	struct certdir_ldap_server *server;
	struct certdir_ldap_pooled *next;
	int64_t idle_since;
	unsigned epoch; /* of its server when it last answered */
	bool used; /* it has answered a search; it may have been closed from the other side since */
};

struct certdir_ldap_server {
	struct certdir_ldap_pool *pool;
	char *uri;
	pthread_t keeper;
	bool gone; /* the DNS does not name it any more */
	uint64_t rank; /* as configured, then as the DNS ordered them; lower is first */
	unsigned distance; /* of its last connection: bits of the milliseconds it took */
	struct certdir_ldap_pooled *idle; /* the last one given back first */
	struct certdir_ldap_pooled *dead; /* to be closed by the keeper: closing may take its time */
	unsigned connecting; /* trials of one that are on the way */
	unsigned open; /* connections that somebody has or that are idle */
	unsigned waiting; /* searches that wait for a connection */
	bool wanted; /* a connection would have been used */
	unsigned failures; /* in a row */
	bool sick;
	unsigned epoch; /* how often it became sick: what began before says nothing of what it is now */
	bool told_sick; /* as the log has it */
	time_t sick_since;
	bool unproved; /* it was sick, a trial has succeeded, and no search was answered since */
	bool relapsed; /* so it was when it became sick again; until a search is answered */
	int64_t connected_at;
	int64_t moved_at; /* when it was connected or answered last */
	int64_t again_at; /* no connection is tried before */
	struct certdir_error trouble; /* the last one */
};

/* A thread that looks up the servers of a domain. */
struct certdir_ldap_finder {
	struct certdir_ldap_pool *pool;
	char *uri;
	uint64_t rank;
	pthread_t thread;
	bool done; /* once */
	struct certdir_error trouble;
};

struct certdir_ldap_pool {
	char *name, *probe;
	struct certdir_ldap_config config; /* with copies of all strings but `servers`, which is NULL */
	unsigned most;
	struct certdir_watchdog *watchdog;
	pthread_mutex_t lock; /* guards all below and what is in servers and finders */
	pthread_cond_t work; /* for keepers and finders */
	pthread_cond_t news; /* for searches that wait for a connection */
	pthread_cond_t turn; /* for those that wait until one of those that run has ended: each end wakes one */
	bool stopping;
	size_t refusals; /* of our identity by a server, in a row */
	int64_t refused_until;
	bool wanted; /* somebody has searched: until then nothing is looked up */
	unsigned threads; /* that have not come home */
	unsigned inside; /* searches that run */
	unsigned queued; /* searches that wait for one of those to end */
	int64_t moved_at; /* when a search was answered last, or the first of those that run began */
	int64_t usual; /* time in which searches were answered lately */
	struct certdir_ldap_server *servers[CERTDIR_LDAP_SERVERS_MAX]; /* in the order in which they are asked */
	size_t count;
	bool untold; /* the log may not have the last state of one */
	struct certdir_ldap_finder *finders;
	size_t finder_count;
};

/* Waits for news, or for work, until `moment`; INT64_MAX = without an end. */
void certdir_pool_wait(struct certdir_ldap_pool *pool, pthread_cond_t *condition, int64_t moment);
/* Unlocks. Servers that became sick or well are written into the log then, without the lock: a log may be slow. */
void certdir_pool_unlock(struct certdir_ldap_pool *pool);

/* Adds a server, or a domain, and starts its thread. False with `error`. */
bool certdir_server_add(struct certdir_ldap_pool *pool, const char *uri, uint64_t rank, struct certdir_error *error);
bool certdir_finder_add(struct certdir_ldap_pool *pool, const char *uri, uint64_t rank, struct certdir_error *error);
/* Takes over what the DNS says now. */
void certdir_finder_take(struct certdir_ldap_finder *finder, const struct certdir_ldap_target *targets, size_t count);
/* The server with this URI, or NULL. */
struct certdir_ldap_server *certdir_server_find(const struct certdir_ldap_pool *pool, const char *uri);

/*
 * Whether more connections are needed than are on the way: then the keeper has to be told (`work`). The first one shows whether
 * others are worth a trial.
 */
bool certdir_server_needs_connection(const struct certdir_ldap_server *server);
/* It did not answer, `why`. */
void certdir_server_failed(struct certdir_ldap_server *server, const struct certdir_error *why);
/* Gives a connection, or all idle ones, to the keeper to be closed: that may take its time. */
void certdir_pooled_bury(struct certdir_ldap_pooled *session);
void certdir_server_bury_idle(struct certdir_ldap_server *server);
/* The time of day at which something began, for a sentence. */
void certdir_say_since(char text[CERTDIR_TEXT_MAX], time_t since);

#endif
