/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connection of a run of the CLI: to the first of a section's servers that takes us and, where it has to, takes changes. */
#ifndef CERTDIR_LDAP_SESSION_H
#define CERTDIR_LDAP_SESSION_H

#include "ldap/connection.h"

/* Its own address must not change while it is open. */
struct certdir_ldap_session {
	struct certdir_ldap_config ldap; /* as configured, with the password */
	struct certdir_watchdog *watchdog;
	struct certdir_ldap_connection *connection;
	char *uri; /* of the server that was tried last, or NULL */
	char *password;
};

/*
 * Reads the password from `password_file`, unless that is NULL, and binds to the servers of `ldap` in order, those of a domain (SRV) in the
 * order that the DNS gives, until one takes us and, unless `ou` is NULL, would take changes below that: a read-only domain controller or
 * a replica that refers writers to another server is passed over. Nothing is changed. A refused identity ends it, since each trial counts
 * towards the account's lockout. False with `error`: what each server said. In any case certdir_ldap_session_close() ends it.
 */
bool certdir_ldap_session_open(struct certdir_ldap_session *session, const struct certdir_ldap_config *ldap,
			       const char *password_file, const char *ou, struct certdir_error *error);
void certdir_ldap_session_close(struct certdir_ldap_session *session);

#endif
