/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The groups of a domain of Active Directory, and who is in which by way of others: what LDAP_MATCHING_RULE_TRANSITIVE_EVAL
 * would say of each computer, out of one listing of the groups.
 */
#ifndef CERTDIR_SYNC_MEMBERSHIPS_H
#define CERTDIR_SYNC_MEMBERSHIPS_H

#include "directory/ldap_group.h"

struct certdir_memberships;

struct certdir_memberships *certdir_memberships_open(void); /* NULL when memory is out */
void certdir_memberships_close(struct certdir_memberships *memberships);

/* Attributes of a group that are read here, NULL-terminated. */
extern const char *const certdir_memberships_attributes[];

/* Adds an entry of a group. What is no group that could be found again is passed over. False when memory is out. */
bool certdir_memberships_add(struct certdir_memberships *memberships, const struct certdir_ldap_entry *group);

/*
 * Fills the groups of the device that `entry` is: its own memberOf, its primary group, and those that these are members of. `base` and
 * `cut` are those of certdir_ldap_group_read(). False when memory is out.
 */
bool certdir_memberships_read(struct certdir_memberships *memberships, struct certdir_device *device,
			      const struct certdir_ldap_entry *entry, const char *base, bool *cut);

#endif
