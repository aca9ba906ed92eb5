/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single values: of the untrusted entries that a server sends, and into filters that it is asked with. */
#ifndef CERTDIR_PLACEHOLDERS_VALUE_H
#define CERTDIR_PLACEHOLDERS_VALUE_H

#include <stdio.h>

#include "base/arena.h"
#include "ldap/operation.h"

/* Whether it is a value of `attribute`; names of attributes have no case. */
bool certdir_value_of(const struct certdir_ldap_value *value, const char *attribute);
/* The first value of `attribute`, or NULL. */
const struct certdir_ldap_value *certdir_value_find(const struct certdir_ldap_entry *entry, const char *attribute);

/* A copy of it when it is clean (certdir_text_fault()) and not empty; else NULL, and also when memory is out (then arena->failed). */
char *certdir_value_text(struct certdir_arena *arena, const struct certdir_ldap_value *value);
/* Its number when it is a decimal one that fits 32 bits, with or without a sign, as Active Directory writes flags; else false. */
bool certdir_value_flags(const struct certdir_ldap_value *value, uint32_t *flags);
/* objectSid as text, or NULL. */
char *certdir_value_sid(struct certdir_arena *arena, const struct certdir_ldap_value *value);

/* Prints "(attribute=value)" with every byte that could mean something in a filter escaped (RFC 4515). */
void certdir_filter_print(FILE *out, const char *attribute, const void *bytes, size_t length);

#endif
