/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a computer account of ours is a real computer by now: somebody joined a machine to the domain under its name. */
#ifndef CERTDIR_PLACEHOLDERS_LIFE_H
#define CERTDIR_PLACEHOLDERS_LIFE_H

#include "base/arena.h"
#include "ldap/operation.h"
#include "placeholders/config.h"

/* What is read to tell, next to objectClass, userAccountControl and servicePrincipalName; NULL-terminated. To ask for what a schema has not is harmless. */
extern const char *const certdir_life_attributes[];

/*
 * A sign of life in an untrusted entry, for people ("operatingSystem Windows 11"), or NULL: it has none, or memory is out (then
 * arena->failed). What would tell and cannot be read is a sign: a real computer that is taken for a placeholder is the worse mistake.
 *
 * When it logged on is none. Windows writes lastLogonTimestamp when a service asks for the groups of an account that is somewhere else
 * (Kerberos S4U2Self), as NPS may in a login that an account is mapped for: placeholders in use would have it, and none of them would
 * ever be disabled. Nor is it missed: nobody can log on with a placeholder's password, which nobody knows, until it was set anew, and
 * that shows.
 */
const char *certdir_life_find(const struct certdir_plan_rules *rules, const struct certdir_ldap_entry *entry,
			      struct certdir_arena *arena);

#endif
