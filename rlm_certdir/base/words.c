/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/words.h"

#include <string.h>
#include <strings.h>

/* A word in its own spelling, and what it says: a value of the enumeration that the table is of. */
struct word {
	const char *text;
	int says;
};

static const struct word compliances[] = {
	/* A device in its grace period still counts as compliant in Intune, and gets in everywhere else, too. */
	{"compliant", CERTDIR_YES},   {"inGracePeriod", CERTDIR_YES}, {"noncompliant", CERTDIR_NO},
	{"conflict", CERTDIR_NO},     {"error", CERTDIR_NO},	      {"configManager", CERTDIR_UNKNOWN},
	{"unknown", CERTDIR_UNKNOWN}, {NULL, CERTDIR_UNKNOWN},
};

static const struct word states[] = {
	{"managed", CERTDIR_MANAGEMENT_IN_USE},
	{"wipeCanceled", CERTDIR_MANAGEMENT_IN_USE},
	{"retireCanceled", CERTDIR_MANAGEMENT_IN_USE},
	{"retirePending", CERTDIR_MANAGEMENT_RETIRED},
	{"retireFailed", CERTDIR_MANAGEMENT_RETIRED},
	{"retireIssued", CERTDIR_MANAGEMENT_RETIRED},
	{"wipePending", CERTDIR_MANAGEMENT_RETIRED},
	{"wipeFailed", CERTDIR_MANAGEMENT_RETIRED},
	{"wipeIssued", CERTDIR_MANAGEMENT_RETIRED},
	{"unhealthy", CERTDIR_MANAGEMENT_RETIRED},
	{"deletePending", CERTDIR_MANAGEMENT_RETIRED},
	{"discovered", CERTDIR_MANAGEMENT_UNKNOWN},
	{NULL, CERTDIR_MANAGEMENT_UNKNOWN},
};

static const struct word agents[] = {
	/* Channels by which Intune, or the MDM of Microsoft 365, sends profiles and hears of compliance. */
	{"mdm", CERTDIR_YES},
	{"easMdm", CERTDIR_YES},
	{"configurationManagerClientMdm", CERTDIR_YES},
	{"configurationManagerClientMdmEas", CERTDIR_YES},
	{"googleCloudDevicePolicyController", CERTDIR_YES},
	{"microsoft365ManagedMdm", CERTDIR_YES},
	/*
	 * A mailbox's partner, the PC agent of former times, a computer that Configuration Manager alone manages, one that only
	 * Defender knows: none of them takes certificates or a compliance policy.
	 */
	{"eas", CERTDIR_NO},
	{"intuneClient", CERTDIR_NO},
	{"easIntuneClient", CERTDIR_NO},
	{"configurationManagerClient", CERTDIR_NO},
	{"msSense", CERTDIR_NO},
	/* What Jamf manages Intune only keeps a copy of: Entra ID's isManaged tells. */
	{"jamf", CERTDIR_UNKNOWN},
	{"unknown", CERTDIR_UNKNOWN},
	{NULL, CERTDIR_UNKNOWN},
};

static const struct word trust_types[] = {
	{"AzureAd", CERTDIR_JOIN_ENTRA},
	{"ServerAd", CERTDIR_JOIN_HYBRID},
	{"Workplace", CERTDIR_JOIN_REGISTERED},
	{NULL, CERTDIR_JOIN_UNKNOWN},
};

static const struct word ownerships[] = {{"company", 0}, {"personal", 0}, {NULL, 0}};
static const struct word no_ownership[] = {{"unknown", 0}, {"unknownFutureValue", 0}, {NULL, 0}};

/* The word's place in the table; that of the table's end, which says "unknown", for NULL and for what is no word of it. */
static const struct word *find(const struct word *words, const char *text)
{
	while (words->text && (!text || strcasecmp(words->text, text) != 0))
		words++;
	return words;
}

static const char *spelled(const struct word *words, const char *text)
{
	const struct word *word = find(words, text);

	return word->text ? word->text : text;
}

const char *certdir_word_spelled(enum certdir_kind kind, const char *text)
{
	switch (kind) {
	case CERTDIR_KIND_COMPLIANCE:
		return spelled(compliances, text);
	case CERTDIR_KIND_STATE:
		return spelled(states, text);
	case CERTDIR_KIND_AGENT:
		return spelled(agents, text);
	case CERTDIR_KIND_OWNERSHIP:
		return find(no_ownership, text)->text ? NULL : spelled(ownerships, text);
	default:
		return text;
	}
}

enum certdir_join_type certdir_word_trust_type(const char *text)
{
	return (enum certdir_join_type)find(trust_types, text)->says;
}

const char *certdir_word_of_join_type(enum certdir_join_type type)
{
	const struct word *word = trust_types;

	while (word->text && word->says != (int)type)
		word++;
	return word->text;
}

bool certdir_word_no_id(const char *text)
{
	return text[strspn(text, "{}0- ")] == '\0';
}

/* ---- what the words say of a device ---- */

enum certdir_tristate certdir_compliance(const char *word)
{
	const struct word *found = find(compliances, word);

	/* The list has it in Intune's spelling: what is spelled otherwise was not written by us. */
	return found->text && strcmp(found->text, word) == 0 ? (enum certdir_tristate)found->says : CERTDIR_UNKNOWN;
}

enum certdir_management certdir_management(const char *state)
{
	return (enum certdir_management)find(states, state)->says;
}

enum certdir_tristate certdir_managed(const char *state, const char *agent)
{
	switch (certdir_management(state)) {
	case CERTDIR_MANAGEMENT_RETIRED:
		return CERTDIR_NO;
	case CERTDIR_MANAGEMENT_UNKNOWN:
		return CERTDIR_UNKNOWN;
	case CERTDIR_MANAGEMENT_IN_USE:
		break;
	}
	return agent ? (enum certdir_tristate)find(agents, agent)->says : CERTDIR_YES;
}

bool certdir_word_among(const char *const *words, const char *word)
{
	for (; word && *words; words++)
		if (strcasecmp(*words, word) == 0)
			return true;
	return false;
}
