/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An LDAP entry -> which identities it carries, and the device it is. Pure; entries are untrusted. */
#ifndef CERTDIR_DIRECTORY_LDAP_ENTRY_H
#define CERTDIR_DIRECTORY_LDAP_ENTRY_H

#include "directory/ldap_connection.h"
#include "directory/ldap_schema.h"

/* The attributes that certdir_ldap_entry_device() reads, NULL-terminated; those of the map come on top. */
extern const char *const certdir_ldap_entry_attributes[];

/*
 * Bit i for each identity in `ask` that stands in the entry: by the entry's own values, whatever rule the
 * server used.
 */
uint64_t certdir_ldap_entry_found_by(const struct certdir_ldap_entry *entry, const struct certdir_ldap_map *map,
				     const struct certdir_certificate *certificate, uint64_t ask);

/* What the server knows of the account. What cannot be read is never in favour of the device. */
enum certdir_ldap_entry_state {
	CERTDIR_LDAP_ENTRY_OK,
	CERTDIR_LDAP_ENTRY_HIDDEN, /* an AD account without userAccountControl: `enabled` is unknown */
	CERTDIR_LDAP_ENTRY_BAD, /* the DN is empty or not text: `device` is empty */
	CERTDIR_LDAP_ENTRY_MEMORY /* memory is out: `device` is empty */
};

/* Fills `device`, which the caller clears. Attributes that the map gives a kind of identity fill its field, too. */
enum certdir_ldap_entry_state certdir_ldap_entry_device(struct certdir_device *device,
							const struct certdir_ldap_entry *entry,
							const struct certdir_ldap_map *map);

#endif
