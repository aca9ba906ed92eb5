/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The servers of one directory, and connections to them that are bound and wait for a search. Names are resolved,
 * connections are made and servers that do not answer are tried again by threads of the pool (keeper.h): whoever searches
 * never does, and waits no longer than he says.
 *
 * A server that fails is sick: nobody waits for it, it is tried in the background until it answers a search again, and
 * both are one line in the log.
 */
#ifndef CERTDIR_LDAP_POOL_H
#define CERTDIR_LDAP_POOL_H

#include "ldap/connection.h"

struct certdir_ldap_pool;

/* Strings are copied. */
struct certdir_ldap_pool_config {
	const char *name; /* of the directory, in log lines */
	const struct certdir_ldap_config *server; /* with one server at least */
	const char *probe; /* DN whose entry a server is asked for before it is taken to be well again */
	unsigned most; /* searches at a time, 1 or more, and connections to a server */
};

/*
 * Connects to nothing yet. NULL with `error`: a server cannot be tried with this configuration
 * (certdir_ldap_connection_check()), there are more than 16, or memory or threads are out.
 */
struct certdir_ldap_pool *certdir_ldap_pool_open(const struct certdir_ldap_pool_config *config,
						 struct certdir_error *error);

/*
 * Ends what its threads do and waits for them, but not longer than two seconds: what a resolver holds is left behind with all that
 * it may touch. Nobody searches any more.
 */
void certdir_ldap_pool_close(struct certdir_ldap_pool *pool);

/*
 * Searches as certdir_ldap_connection_search() does, on the first server that is well: by their order, those of a domain (SRV) by
 * priority and then the nearest first. Done by `deadline` (microseconds of certdir_monotonic()), whatever happens; query->until is not
 * used. While another server is left, one gets half of the time only, and then the next is asked; entries that came
 * before are delivered again.
 *
 * LOST and TIMEOUT: no server answered, `error` says what each of them did. LOST at once, too, while as many searches as
 * the pool may run get no answer: their threads are enough.
 */
enum certdir_ldap_status certdir_ldap_pool_search(struct certdir_ldap_pool *pool,
						  const struct certdir_ldap_query *query, int64_t deadline,
						  certdir_ldap_take each, void *context, struct certdir_error *error);

/* A server of a pool, for who looks after it. */
struct certdir_ldap_pool_server {
	const char *uri;
	bool sick;
	uint64_t answered, unanswered; /* searches, since it became one of the pool's */
};
/* Calls `each` for every server. It must not take long, and calls nothing of the pool. */
void certdir_ldap_pool_each(struct certdir_ldap_pool *pool,
			    void (*each)(void *context, const struct certdir_ldap_pool_server *server), void *context);

#endif
