/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who gets an entry is judged by the code that judges logins, so that NPS and certdir agree on what "compliant" is. */
#include "decision/decision.h"
#include "placeholders/wanted.h"

#include <strings.h>

static const char *join_type_text(enum certdir_join_type type)
{
	static const char *const texts[CERTDIR_JOIN_TYPES] = {
		[CERTDIR_JOIN_UNKNOWN] = "has no known trust type",
		[CERTDIR_JOIN_ENTRA] = "is joined to Entra ID (AzureAd)",
		[CERTDIR_JOIN_HYBRID] = "is hybrid joined (ServerAd)",
		[CERTDIR_JOIN_REGISTERED] = "is only registered (Workplace)",
		[CERTDIR_JOIN_AD] = "is joined to Active Directory alone",
	};

	return texts[type];
}

static const char *group_text(const struct certdir_selection *selection, struct certdir_arena *arena)
{
	return certdir_arena_print(arena, "is not in %.200s%s", selection->groups[0],
				   selection->groups[1] ? " nor in the other groups of require_group" : "");
}

static const char *reason_text(const struct certdir_selection *selection, const struct certdir_device *device,
			       enum certdir_reason reason, bool is_no, struct certdir_arena *arena)
{
	switch (reason) {
	case CERTDIR_DISABLED:
		return device->enabled == CERTDIR_NO ? "is disabled"
		       : is_no			     ? "has an account that expired"
						     : "is not known to be enabled";
	case CERTDIR_RETIRED:
		return "is to be wiped, retired or deleted in Intune";
	case CERTDIR_JOIN_TYPE:
		return join_type_text(device->join_type);
	case CERTDIR_NOT_MANAGED:
		return device->managed == CERTDIR_NO ? "is not managed" : "is not known to be managed";
	case CERTDIR_NOT_COMPLIANT:
		return "is not compliant";
	case CERTDIR_COMPLIANCE_UNKNOWN:
		return "is not known to be compliant";
	case CERTDIR_NOT_IN_GROUP:
		return group_text(selection, arena);
	default:
		return certdir_reason_name(reason);
	}
}

static bool among(const char *const *words, const char *word)
{
	for (; word && *words; words++)
		if (strcasecmp(*words, word) == 0)
			return true;
	return false;
}

bool certdir_selection_passes(const struct certdir_selection *selection, const struct certdir_device *device,
			      const struct certdir_list_source *from, int64_t now, struct certdir_arena *arena,
			      const char **why_not, bool *is_no)
{
	const struct certdir_policy policy = {.require_managed = selection->require_managed,
					      .require_compliant = selection->require_compliant,
					      .join_types = selection->join_types,
					      .groups = selection->groups};
	const struct certdir_source source = {
		.kind = from->kind,
		.name = from->name,
		.synced = {from->synced, from->intune_synced, from->groups_synced},
		.says_enabled = from->says_enabled,
	};
	struct certdir_record record = {.device = *device};
	struct certdir_decision decision;

	*why_not = NULL;
	if (!selection->require_enabled)
		record.device.enabled = CERTDIR_YES;
	certdir_decide_record(&record, &source, &policy, now, &decision);
	/* That nobody knows whether it is enabled says nothing against a record that does. */
	*is_no = decision.reason == CERTDIR_RETIRED ||
		 (decision.reason == CERTDIR_DISABLED &&
		  (record.device.enabled == CERTDIR_NO || (device->expires && device->expires <= now)));
	if (certdir_reason_verdict(decision.reason) != CERTDIR_ALLOW)
		*why_not = reason_text(selection, device, decision.reason, *is_no, arena);
	else if (selection->operating_systems && !among(selection->operating_systems, device->operating_system))
		*why_not = device->operating_system ? certdir_arena_print(arena, "has %.100s as operating system",
									  device->operating_system)
						    : "has no known operating system";
	else
		return true;
	if (!*why_not)
		*why_not = "does not pass the selection"; /* memory is out, which arena->failed remembers */
	return false;
}
