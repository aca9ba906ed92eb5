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

#endif
