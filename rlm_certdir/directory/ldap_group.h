/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The groups of an LDAP entry. Pure; entries are untrusted. */
#ifndef CERTDIR_DIRECTORY_LDAP_GROUP_H
#define CERTDIR_DIRECTORY_LDAP_GROUP_H

#include "directory/ldap_entry.h"

/* Groups of one device. Active Directory lets nobody log on who is in more than 1,015 (KB328889). */
enum { CERTDIR_LDAP_GROUPS_MAX = 1000 };

/*
 * Distinguished names that are equal but for ASCII case, escapes and blanks around "," and "=" get one spelling, which
 * the caller frees. NULL when memory is out.
 */
char *certdir_ldap_dn_normal(const char *dn);

/*
 * Add to `device` the groups that the entry's own memberOf names, and `group`, an entry of a group, with its SID. A
 * group's name is set only when it is below `base`, a normal DN; NULL is none: whoever may make groups elsewhere could
 * make one of the same name. A group is there once. *cut becomes true when there are more than are taken. False when
 * memory is out.
 */
bool certdir_ldap_group_read(struct certdir_device *device, const struct certdir_ldap_entry *entry, const char *base,
			     bool *cut);
bool certdir_ldap_group_add(struct certdir_device *device, const struct certdir_ldap_entry *group, const char *base,
			    bool *cut);

/* Takes away the groups behind the first `count`. */
void certdir_ldap_group_forget(struct certdir_device *device, size_t count);

/*
 * Whether it is an entry of Active Directory. Then `sid` is the binary SID of its primary group, which memberOf does
 * not have: *length bytes, 0 when the entry does not show which it is.
 */
bool certdir_ldap_primary_group(const struct certdir_ldap_entry *entry, unsigned char sid[68], size_t *length);

#endif
