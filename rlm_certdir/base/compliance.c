/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Intune's words say of a device. */
#include "base/certdir.h"

#include <string.h>
#include <strings.h>

enum certdir_tristate certdir_compliance(const char *word)
{
	/* A device in its grace period still counts as compliant in Intune, and gets in everywhere else, too. */
	static const struct {
		const char *word;
		enum certdir_tristate compliant;
	} words[] = {{"compliant", CERTDIR_YES},
		     {"inGracePeriod", CERTDIR_YES},
		     {"noncompliant", CERTDIR_NO},
		     {"conflict", CERTDIR_NO},
		     {"error", CERTDIR_NO}};

	for (size_t i = 0; word && i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].compliant;
	return CERTDIR_UNKNOWN;
}

static bool is_among(const char *const *words, const char *word)
{
	for (; word && *words; words++)
		if (strcasecmp(*words, word) == 0)
			return true;
	return false;
}

enum certdir_management certdir_management(const char *state)
{
	static const char *const in_use[] = {"managed", "wipeCanceled", "retireCanceled", NULL};
	static const char *const retired[] = {"retirePending", "retireFailed",	"retireIssued",
					      "wipePending",   "wipeFailed",	"wipeIssued",
					      "unhealthy",     "deletePending", NULL};

	return is_among(in_use, state)	  ? CERTDIR_MANAGEMENT_IN_USE
	       : is_among(retired, state) ? CERTDIR_MANAGEMENT_RETIRED
					  : CERTDIR_MANAGEMENT_UNKNOWN;
}

enum certdir_tristate certdir_managed(const char *state, const char *agent)
{
	/* Channels by which Intune, or the MDM of Microsoft 365, sends profiles and hears of compliance. */
	static const char *const mdm[] = {"mdm",
					  "easMdm",
					  "configurationManagerClientMdm",
					  "configurationManagerClientMdmEas",
					  "googleCloudDevicePolicyController",
					  "microsoft365ManagedMdm",
					  NULL};
	/*
	 * A mailbox's partner, the PC agent of former times, a computer that Configuration Manager alone manages, one that only
	 * Defender knows: none of them takes certificates or a compliance policy.
	 */
	static const char *const other[] = {
		"eas", "intuneClient", "easIntuneClient", "configurationManagerClient", "msSense", NULL};

	switch (certdir_management(state)) {
	case CERTDIR_MANAGEMENT_RETIRED:
		return CERTDIR_NO;
	case CERTDIR_MANAGEMENT_UNKNOWN:
		return CERTDIR_UNKNOWN;
	case CERTDIR_MANAGEMENT_IN_USE:
		break;
	}
	/* What Jamf manages Intune only keeps a copy of: Entra ID's isManaged tells. */
	return !agent || is_among(mdm, agent) ? CERTDIR_YES : is_among(other, agent) ? CERTDIR_NO : CERTDIR_UNKNOWN;
}

static enum certdir_tristate either(enum certdir_tristate a, enum certdir_tristate b)
{
	return a == CERTDIR_YES || b == CERTDIR_YES ? CERTDIR_YES
	       : a == CERTDIR_NO || b == CERTDIR_NO ? CERTDIR_NO
						    : CERTDIR_UNKNOWN;
}

/* No Entra id, or the Intune id once more (Apple). */
static bool is_of_intune_alone(const struct certdir_device *device)
{
	return device->intune_device_id && !device->object_id &&
	       (!device->entra_device_id || strcmp(device->entra_device_id, device->intune_device_id) == 0);
}

void certdir_device_merge(struct certdir_device *device)
{
	if (device->intune.is)
		device->intune.managed = certdir_managed(device->management_state, device->management_agent);
	device->managed = either(device->intune.managed, device->own.managed);
	if (device->enabled == CERTDIR_UNKNOWN && is_of_intune_alone(device) &&
	    certdir_management(device->management_state) == CERTDIR_MANAGEMENT_IN_USE)
		device->enabled = CERTDIR_YES;
}
