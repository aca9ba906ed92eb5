/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a pool does in the background: connections are made and closed, servers that are sick are tried, and the DNS is asked. */
#ifndef CERTDIR_LDAP_KEEPER_H
#define CERTDIR_LDAP_KEEPER_H

#include "ldap/server.h"

/*
 * Starts the keeper of `pool`, a thread that runs until pool->stopping. It waits for nothing but work: whatever may take its time has a
 * thread of its own. pool->threads counts them all. The lock is held. False with `error`.
 */
bool certdir_keeper_start(struct certdir_ldap_pool *pool, struct certdir_error *error);

#endif
