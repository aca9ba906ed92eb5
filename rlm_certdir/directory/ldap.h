/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An LDAP directory: computers of Active Directory, or entries of any other server. */
#ifndef CERTDIR_DIRECTORY_LDAP_H
#define CERTDIR_DIRECTORY_LDAP_H

#include <sys/time.h>

#include "directory/directory.h"
#include "ldap/connection.h"

/* Every string is borrowed and must outlive the directory. NULL or "" = not set. */
struct certdir_ldap_directory_config {
	struct certdir_ldap_config server;
	const char *base_dn;
	const char *filter; /* which entries are devices, e.g. "(objectClass=computer)" */
	/* The same of people, for whoever opens another directory of them; "" = as base_dn. Not used here. */
	const char *user_base_dn, *user_filter;
	const char *scope; /* "sub", "one", "base" */
	const char *group_base_dn; /* below it a group's bare name counts; "" = groups by DN or SID alone */
	const char *domains; /* blank-separated DNS domains; "" = the one that base_dn's DC= spell */
	/* LDAP attributes, blank-separated, that hold each identity type; "" = this directory does not hold it */
	const char *attributes[CERTDIR_ID_TYPES];
	struct timeval deadline; /* all that is asked in one login has to be answered within it */
	unsigned most; /* searches at a time */
	const char *name; /* as it stands in `directories`, for log lines */
	/* What is kept of its answers (directory/memory.h); whoever opens both reads it. */
	uint32_t remember;
	const char *memory;
};

/*
 * Whose answers they are, one option a line: with another base, filter or account the same question has another answer. The caller
 * frees it; NULL when memory is out.
 */
char *certdir_ldap_directory_origin(const struct certdir_ldap_directory_config *config);

/* Opens an LDAP directory. Connects to nothing: radiusd starts with the directory down. NULL with `error` on bad config. */
struct certdir_directory *certdir_ldap_directory_open(const struct certdir_ldap_directory_config *config,
						      struct certdir_error *error);

#endif
