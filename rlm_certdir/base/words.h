/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Entra ID and Intune call things, in one spelling: a sync and an import of the same object say the same. Case counts
 * nowhere. A word that is newer than this program never refuses an object: it is "not known", or kept as it is. What the words say
 * of a device is in certdir.h. Times are timestamp.h's, in which 0001-01-01 is none.
 */
#ifndef CERTDIR_BASE_WORDS_H
#define CERTDIR_BASE_WORDS_H

#include "base/certdir.h"

/* complianceState, managementState and managementAgent in Intune's own spelling, static; a word that is newer is `text` itself. */
const char *certdir_word_compliance(const char *text);
const char *certdir_word_management_state(const char *text);
const char *certdir_word_management_agent(const char *text);

/* trustType: AzureAd, ServerAd, Workplace; anything else is CERTDIR_JOIN_UNKNOWN. */
enum certdir_join_type certdir_word_trust_type(const char *text);
/* The reverse, static; NULL for a join type that Entra ID does not have. */
const char *certdir_word_of_join_type(enum certdir_join_type type);

/*
 * deviceOwnership and managedDeviceOwnerType: "company" or "personal", static; NULL for "unknown", which is no ownership of that
 * name; any other word is `text` itself.
 */
const char *certdir_word_ownership(const char *text);

/* Whether a text in the place of a GUID says that there is none: blank, all zero, "--". */
bool certdir_word_no_id(const char *text);

#endif
