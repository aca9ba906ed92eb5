/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An LDAP entry -> the record of a device. Pure; entries are untrusted. */
#ifndef CERTDIR_DIRECTORY_LDAP_ENTRY_H
#define CERTDIR_DIRECTORY_LDAP_ENTRY_H

#include "directory/ldap_filter.h"
#include "directory/ldap_schema.h"
#include "ldap/connection.h"

/* The attributes that are read here and in ldap_group.h, NULL-terminated; those of the map come on top. */
extern const char *const certdir_ldap_entry_attributes[];

/* Names and ids of one entry, of each kind; a true device has a few. */
enum { CERTDIR_LDAP_ENTRY_VALUES_MAX = 1000 };

/* The next value of an attribute at or after *i, or NULL. */
const struct certdir_ldap_value *certdir_ldap_entry_next(const struct certdir_ldap_entry *entry, const char *attribute,
							 size_t *i);
/* The value of a single-valued attribute: *count tells how many there are, and only of exactly one it is returned. */
const struct certdir_ldap_value *certdir_ldap_entry_only(const struct certdir_ldap_entry *entry, const char *attribute,
							 size_t *count);
/* Like certdir_text_valid(), for text of any length: DNs may be long. */
bool certdir_ldap_text_valid(const char *bytes, size_t length);
/* A decimal number as RFC 4517 3.3.16 writes it; false for anything else, too large ones included. */
bool certdir_ldap_integer(const struct certdir_ldap_value *value, int64_t *number);
/* Active Directory counts 100 ns since 1601-01-01 (MS-DTYP 2.3.3); Unix seconds, not below 1 for any true time. */
int64_t certdir_ldap_unix_time(int64_t filetime);
/* "20260131120000.0Z" (RFC 4517 3.3.13, as Active Directory writes it); 0 when it is anything else. */
int64_t certdir_ldap_generalized_time(const struct certdir_ldap_value *value);

/*
 * Whether one of the terms stands in the entry: by the entry's own values, byte for byte but for ASCII case, whatever
 * rule the server used.
 */
bool certdir_ldap_entry_has(const struct certdir_ldap_entry *entry, const struct certdir_ldap_terms *terms);

/* What is not as it should be with an entry, for the log. */
struct certdir_ldap_remarks {
	bool hidden; /* an AD account without userAccountControl: `enabled` is unknown */
	bool cut; /* there is more of it than is read */
};

/*
 * Fills an empty record but for its groups: the device, and every further name and id that it is known by. What cannot
 * be read is never in favour of the device. The entry's DN is text (certdir_ldap_text_valid()). The record is cleared
 * with its answer. False when memory is out.
 */
bool certdir_ldap_entry_read(struct certdir_record *record, const struct certdir_ldap_entry *entry,
			     const struct certdir_ldap_map *map, struct certdir_ldap_remarks *remarks);

#endif
