/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Distinguished names as LDAP servers send them (RFC 4514): the first RDN and what stands above it. Pure. */
#ifndef CERTDIR_PLACEHOLDERS_DN_H
#define CERTDIR_PLACEHOLDERS_DN_H

#include "placeholders/arena.h"

/* What stands above the first RDN, inside `dn`: behind its comma and blanks. "" when nothing does. */
const char *certdir_dn_parent(const char *dn);

/* Where the first RDN of `dn` ends: how many bytes it is long. */
size_t certdir_dn_rdn_length(const char *dn);

/* The first RDN of a name, when it is one attribute and a text. */
struct certdir_rdn {
	const char *type; /* inside the name, not ended by a NUL */
	size_t type_length;
	char *value; /* without escapes; the arena's */
};

/* False when the RDN has several attributes, is written in hex ("#04.."), is no text (certdir_text_valid()), or memory is out. */
bool certdir_rdn_read(const char *dn, struct certdir_arena *arena, struct certdir_rdn *rdn);
/* Whether it is of this type, as "CN", without regard to case. */
bool certdir_rdn_is(const struct certdir_rdn *rdn, const char *type);

#endif
