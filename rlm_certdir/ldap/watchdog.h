/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ends what would hold a worker for ever: a thread that shuts a socket down when its operation is not done in time.
 *
 * libldap's own timeouts do not hold where it matters most: a TLS handshake (GnuTLS) and a message that stops half way block
 * in read(2) whatever is set. shutdown(2) from another thread is what ends that read.
 */
#ifndef CERTDIR_LDAP_WATCHDOG_H
#define CERTDIR_LDAP_WATCHDOG_H

#include "base/certdir.h"

struct certdir_watchdog;

/* Starts the thread. NULL with `error`. Stop it after all sockets are detached. */
struct certdir_watchdog *certdir_watchdog_start(struct certdir_error *error);
/* Ends every operation, those that run and those that begin later, so that all threads end at once. */
void certdir_watchdog_halt(struct certdir_watchdog *watchdog);
/* Ends the thread and frees it. */
void certdir_watchdog_stop(struct certdir_watchdog *watchdog);

/* One connection under watch. Zeroed by its owner; the fields are the watchdog's. */
struct certdir_watched {
	struct certdir_watchdog *watchdog;
	struct certdir_watched *next, **link;
	int64_t until; /* microseconds of CLOCK_MONOTONIC; 0 = no operation */
	int fd; /* a copy of its socket's; -1 = none yet */
	bool shut_down; /* its socket was */
};

/* Before its connection is made, and after that was closed. */
void certdir_watched_init(struct certdir_watched *watched, struct certdir_watchdog *watchdog);
void certdir_watched_clear(struct certdir_watched *watched);

/*
 * The socket of the connection, before it is connected; -1 = it has none any more. A descriptor of the watchdog's own is made of it, whose
 * number can never become that of somebody else's socket: whoever closes `fd` need not ask. False with errno.
 */
bool certdir_watched_socket(struct certdir_watched *watched, int fd);

/* An operation has until then: microseconds of certdir_monotonic(). */
void certdir_watched_begin(struct certdir_watched *watched, int64_t until);
/* It is done. True when the watchdog ended it: the connection is of no use any more. */
bool certdir_watched_end(struct certdir_watched *watched);

#endif
