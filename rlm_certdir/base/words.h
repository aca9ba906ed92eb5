/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Entra ID and Intune call things, in one spelling: a sync and an import of the same object say the same. Case counts
 * nowhere. A word that is newer than this program never refuses an object: it is "not known", or kept as it is. What the words say
 * of a device is in certdir.h. Times are timestamp.h's, in which 0001-01-01 is none.
 */
#ifndef CERTDIR_BASE_WORDS_H
#define CERTDIR_BASE_WORDS_H

#include "base/properties.h"

/*
 * A text of kind COMPLIANCE, STATE, AGENT or OWNERSHIP in Intune's own spelling, static. A word that is newer is `text` itself, and so
 * is a text of any other kind. NULL for the ownership "unknown", which is none.
 */
const char *certdir_word_spelled(enum certdir_kind kind, const char *text);

/* trustType: AzureAd, ServerAd, Workplace; anything else is CERTDIR_JOIN_UNKNOWN. */
enum certdir_join_type certdir_word_trust_type(const char *text);
/* The reverse, static; NULL for a join type that Entra ID does not have. */
const char *certdir_word_of_join_type(enum certdir_join_type type);

/* Whether a text in the place of a GUID says that there is none: blank, all zero, "--". */
bool certdir_word_no_id(const char *text);

/* Whether `word`, which may be NULL, is one of a NULL-terminated list, whatever its case. */
bool certdir_word_among(const char *const *words, const char *word);

#endif
