/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Intune's words, in one spelling. */
#ifndef CERTDIR_LIST_WORDS_H
#define CERTDIR_LIST_WORDS_H

/*
 * Intune's words for complianceState and managementState, whatever the case of `text`: in Intune's own spelling, static. A word that
 * is newer than this program is `text` itself.
 */
const char *certdir_list_compliance(const char *text);
const char *certdir_list_management_state(const char *text);

#endif
