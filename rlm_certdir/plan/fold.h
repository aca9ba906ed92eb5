/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a directory takes for the same name. All compare without regard to case, to compatibility forms and to blanks
 * that do not count (RFC 4518); Active Directory on Windows also without regard to accents and the kind of kana
 * (MS-ADTS 3.1.1.2.2.4, KB938447: "Muller" is "Müller" is "MÜLLER").
 */
#ifndef CERTDIR_PLAN_FOLD_H
#define CERTDIR_PLAN_FOLD_H

#include "base/arena.h"
#include "base/ascii.h"
#include "ldap/change.h"

enum certdir_accents {
	CERTDIR_ACCENTS_COUNT, /* OpenLDAP; and whether an entry of ours has exactly what it shall have */
	CERTDIR_ACCENTS_IGNORED /* Active Directory: whether two names are in each other's way */
};

/* A byte of a key. */
static inline unsigned char certdir_fold_byte(char c)
{
	return (unsigned char)certdir_ascii_lower(c);
}

/*
 * The key of a text: two texts are the same for the directory when their keys have the same bytes but for ASCII's case. A
 * text of ASCII alone is its own key and is not copied; other keys are the arena's. What is not UTF-8 is its own key, too.
 * NULL bytes: memory is out, and arena->failed remembers it.
 */
struct certdir_ldap_bytes certdir_fold_key(struct certdir_arena *arena, const char *bytes, size_t length,
					   enum certdir_accents accents);

/* The order of two keys, shorter ones first; 0 when their texts are the same. */
int certdir_fold_compare(const struct certdir_ldap_bytes *a, const struct certdir_ldap_bytes *b);

/* Whether two texts are the same. When memory is out, they are when their bytes are. */
bool certdir_fold_same(const char *a, size_t a_length, const char *b, size_t b_length, enum certdir_accents accents);

#endif
