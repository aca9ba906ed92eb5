/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of a section's servers a run is made against: the first that takes us and, where it has to, takes changes. */
#ifndef CERTDIR_LDAP_CHOOSE_H
#define CERTDIR_LDAP_CHOOSE_H

#include "ldap/connection.h"

/*
 * Binds to the servers of `ldap` in order, those of a domain (SRV) in the order that the DNS gives, until one takes us and, unless `ou`
 * is NULL, would take changes below that: a read-only domain controller or a replica that refers writers to another server is passed over. Nothing
 * is changed. A refused identity ends it, since each trial counts towards the account's lockout. The caller frees *uri, which the
 * connection borrows, after closing that, in any case. False with `error`: what each server said.
 */
bool certdir_ldap_choose(struct certdir_ldap_connection **connection, char **uri,
			 const struct certdir_ldap_config *ldap, const char *ou, struct certdir_watchdog *watchdog,
			 struct certdir_error *error);

#endif
