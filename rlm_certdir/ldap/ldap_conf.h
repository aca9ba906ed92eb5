/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How certdir.conf says which LDAP server is meant and who we are there: alike in [placeholders NAME] and in [ldap NAME]. */
#ifndef CERTDIR_LDAP_CONF_H
#define CERTDIR_LDAP_CONF_H

#include "conf/conf.h"
#include "ldap/connection.h"

struct certdir_ldap_conf {
	struct certdir_conf_section *section;
	const char *where; /* the option that says where in the directory: "ou", "base_dn" */
	struct certdir_ldap_config *ldap; /* gets all but the password */
	const char **password_file; /* NULL: there is none */
};

/*
 * Takes the options out of the section: server, bind, identity, password_file, keytab, start_tls, ca_file, certificate_file,
 * private_key_file, require_cert.
 */
void certdir_ldap_conf_read(const struct certdir_ldap_conf *in);
/* Whether they fit together and could be tried; when nothing in the section was misspelt. Connects to nothing. False: refused. */
bool certdir_ldap_conf_check(const struct certdir_ldap_conf *in);
/* Whether `text` is a distinguished name. */
bool certdir_ldap_conf_dn(const char *text);

/* A connection to the first of the servers that takes us. Its own address must not change while it is open. */
struct certdir_ldap_session {
	struct certdir_ldap_config ldap; /* as configured, with the password */
	struct certdir_watchdog *watchdog;
	struct certdir_ldap_connection *connection;
	char *uri;
	char *password;
};

/*
 * Reads the password and connects, to each server in turn until one takes us; where it refuses the password no other is tried, since
 * each trial counts towards the account's lockout. False with `error`. In any case certdir_ldap_session_close() ends it.
 */
bool certdir_ldap_session_open(struct certdir_ldap_session *session, const struct certdir_ldap_config *ldap,
			       const char *password_file, struct certdir_error *error);
void certdir_ldap_session_close(struct certdir_ldap_session *session);

#endif
