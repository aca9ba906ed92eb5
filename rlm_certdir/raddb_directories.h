/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list { } and ldap { } sections of a certdir { } section -> open directories. */
#ifndef CERTDIR_RADDB_DIRECTORIES_H
#define CERTDIR_RADDB_DIRECTORIES_H

#include "checker.h"
#include "directory/ldap.h"
#include "directory/list.h"
#include "freeradius/server.h"

/*
 * Opens those that `directories` names, blank-separated, into a checker whose certificates sections and policy are read: where these ask
 * for people, they are asked about those, too. `watch` as in certdir_raddb_read(). False: every mistake was logged, also in sections that
 * are not named; what is open is the checker's to clear.
 */
bool raddb_directories_open(CONF_SECTION *cs, char const *directories, bool watch, struct certdir_checker *checker);

/*
 * The options of a list { } or ldap { } section into a zeroed `config`, which borrows from `cs`; nothing is opened. False: every mistake was
 * logged.
 */
bool raddb_list_read(CONF_SECTION *cs, struct certdir_list_config *config);
bool raddb_ldap_read(CONF_SECTION *cs, struct certdir_ldap_directory_config *config);

#endif
