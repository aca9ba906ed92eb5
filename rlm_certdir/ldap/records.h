/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Change records of LDIF (RFC 2849) as operations. */
#ifndef CERTDIR_LDAP_RECORDS_H
#define CERTDIR_LDAP_RECORDS_H

#include <stdio.h>

#include "ldap/operation.h"

struct certdir_ldap_record {
	struct certdir_ldap_operation operation; /* ADD, MODIFY, RENAME or DELETE */
	unsigned long line; /* where it begins in the file */
	struct certdir_ldap_bytes
		mark; /* which the entry shall have, from a comment "# mark: .." inside; NULL: it has none */
	char id[37]; /* the GUID of the entry, from a comment "# id: .." inside; "": not known */
};

struct certdir_ldap_records {
	struct certdir_ldap_record *items; /* in the file's order */
	size_t count;
	void *owned;
};

/*
 * Reads the text of a whole file. Only such LDIF as certdir writes is taken: lines that are not folded, plain ASCII, no values from
 * other files, no other kinds of change, no control but an assertion. False with `error`, which names line and `filename`: nothing is owned.
 * certdir_ldap_records_clear() frees the rest; the text may go.
 */
bool certdir_ldap_records_read(const char *text, size_t length, const char *filename,
			       struct certdir_ldap_records *records, struct certdir_error *error);
void certdir_ldap_records_clear(struct certdir_ldap_records *records);

/*
 * What makes a server carry out an operation only when `attribute` has `value`, as the value of a critical control (RFC 4528). The caller
 * frees *bytes. False: memory is out.
 */
#define CERTDIR_LDAP_ASSERTION "1.3.6.1.1.12"
bool certdir_ldap_assertion_make(const char *attribute, const char *value, char **bytes, size_t *length);

#endif
