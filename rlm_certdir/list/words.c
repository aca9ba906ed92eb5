/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/words.h"

#include <string.h>
#include <strings.h>

/* The word in its own spelling; NULL when it is none of them. */
static const char *spelled(const char *const *words, const char *text)
{
	for (; *words; words++)
		if (strcasecmp(*words, text) == 0)
			return *words;
	return NULL;
}

const char *certdir_list_compliance(const char *text)
{
	static const char *const words[] = {"unknown", "compliant",	"noncompliant",	 "conflict",
					    "error",   "inGracePeriod", "configManager", NULL};
	const char *word = spelled(words, text);

	return word ? word : text;
}

const char *certdir_list_management_state(const char *text)
{
	static const char *const words[] = {"managed",	  "retirePending", "retireFailed",   "wipePending",
					    "wipeFailed", "unhealthy",	   "deletePending",  "retireIssued",
					    "wipeIssued", "wipeCanceled",  "retireCanceled", "discovered",
					    NULL};
	const char *word = spelled(words, text);

	return word ? word : text;
}

const char *certdir_list_management_agent(const char *text)
{
	static const char *const words[] = {"eas",
					    "mdm",
					    "easMdm",
					    "intuneClient",
					    "easIntuneClient",
					    "configurationManagerClient",
					    "configurationManagerClientMdm",
					    "configurationManagerClientMdmEas",
					    "unknown",
					    "jamf",
					    "googleCloudDevicePolicyController",
					    "microsoft365ManagedMdm",
					    "msSense",
					    NULL};
	const char *word = spelled(words, text);

	return word ? word : text;
}

enum certdir_join_type certdir_list_trust_type(const char *text)
{
	if (strcasecmp(text, "AzureAd") == 0)
		return CERTDIR_JOIN_ENTRA;
	if (strcasecmp(text, "ServerAd") == 0)
		return CERTDIR_JOIN_HYBRID;
	if (strcasecmp(text, "Workplace") == 0)
		return CERTDIR_JOIN_REGISTERED;
	return CERTDIR_JOIN_UNKNOWN;
}

const char *certdir_list_ownership(const char *text)
{
	static const char *const known[] = {"company", "personal", NULL};
	static const char *const unknown[] = {"unknown", "unknownFutureValue", NULL};
	const char *word = spelled(known, text);

	if (spelled(unknown, text))
		return NULL;
	return word ? word : text;
}

bool certdir_list_no_id(const char *text)
{
	return text[strspn(text, "{}0- ")] == '\0';
}
