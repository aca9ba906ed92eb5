/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A socket that is connected to an LDAP server, made without libldap: that one gives each address of a host all the time there is, does
 * not say what came of them, and, but for Debian's, resolves names under a lock of the process that rlm_ldap waits for, too.
 */
#ifndef CERTDIR_LDAP_SOCKET_H
#define CERTDIR_LDAP_SOCKET_H

#include "ldap/connection.h"

/*
 * Resolves the host in `uri` and connects to the first of its addresses that answers, or to the socket that ldapi:// names.
 * Connecting takes `patience` microseconds at most, which the addresses share; resolving takes as long as the system's
 * resolver does. The watchdog has each socket from before it is connected, so that halting it ends this. The caller
 * closes *fd, a blocking socket. LOST or TIMEOUT with `error`, which says what came of each address.
 */
enum certdir_ldap_status certdir_ldap_socket_connect(int *fd, const char *uri, int64_t patience,
						     struct certdir_watched *watched, struct certdir_error *error);

#endif
