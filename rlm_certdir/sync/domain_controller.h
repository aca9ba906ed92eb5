/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far a domain controller is: each numbers the changes that it hears of (uSNChanged, MS-ADTS 3.1.1.1.9), by a count of its own that a
 * restore from backup gives another name (invocationId). Other directories have no such count.
 */
#ifndef CERTDIR_SYNC_DOMAIN_CONTROLLER_H
#define CERTDIR_SYNC_DOMAIN_CONTROLLER_H

#include "ldap/connection.h"

struct certdir_domain_controller {
	bool active_directory;
	char cursor[64]; /* "INVOCATIONID:USN" as of now, or "" */
};

/* Reads the root DSE. False with `error`. */
bool certdir_domain_controller_read(struct certdir_domain_controller *controller,
				    struct certdir_ldap_connection *connection, struct certdir_error *error);

/* Whether `cursor`, of an earlier time, is one of this controller's count. */
bool certdir_domain_controller_counts(const struct certdir_domain_controller *controller, const char *cursor);

/* `filter` and only what changed behind `cursor`, which counts; the caller frees it. NULL when memory is out. */
char *certdir_domain_controller_changes(const char *filter, const char *cursor);

#endif
