/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who gets an entry is judged by the code that judges logins, so that NPS and certdir agree on what "compliant" is. */

#include "base/words.h"
#include "decision/decision.h"
#include "placeholders/wanted.h"

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

/* That nobody knows whether it is enabled says nothing against a record that does. */
bool certdir_left_out_is_no(enum certdir_left_out left_out)
{
	return left_out == CERTDIR_LEFT_OUT_RETIRED || left_out == CERTDIR_LEFT_OUT_DISABLED ||
	       left_out == CERTDIR_LEFT_OUT_EXPIRED;
}

static enum certdir_left_out of_disabled(const struct certdir_device *device, int64_t now)
{
	if (device->enabled == CERTDIR_NO)
		return CERTDIR_LEFT_OUT_DISABLED;
	return device->expires && device->expires <= now ? CERTDIR_LEFT_OUT_EXPIRED : CERTDIR_LEFT_OUT_ENABLED_UNKNOWN;
}

static enum certdir_left_out of_reason(const struct certdir_device *device, enum certdir_reason reason, int64_t now)
{
	switch (reason) {
	case CERTDIR_DISABLED:
		return of_disabled(device, now);
	case CERTDIR_REVOKED:
	case CERTDIR_RETIRED:
		return CERTDIR_LEFT_OUT_RETIRED;
	case CERTDIR_JOIN_TYPE:
		return device->join_type == CERTDIR_JOIN_UNKNOWN ? CERTDIR_LEFT_OUT_UNTYPED
								 : CERTDIR_LEFT_OUT_TRUST_TYPE;
	case CERTDIR_NOT_MANAGED:
		return CERTDIR_LEFT_OUT_NOT_MANAGED;
	case CERTDIR_NOT_COMPLIANT:
		return CERTDIR_LEFT_OUT_NOT_COMPLIANT;
	case CERTDIR_COMPLIANCE_UNKNOWN:
		return CERTDIR_LEFT_OUT_COMPLIANCE_UNKNOWN;
	case CERTDIR_NOT_IN_GROUP:
		return CERTDIR_LEFT_OUT_NOT_IN_GROUP;
	default:
		return CERTDIR_LEFT_OUT_OTHER;
	}
}

static const char *text_of(const struct certdir_selection *selection, const struct certdir_device *device,
			   enum certdir_left_out left_out, struct certdir_arena *arena)
{
	switch (left_out) {
	case CERTDIR_LEFT_OUT_RETIRED:
		return "is to be wiped, retired or deleted in Intune";
	case CERTDIR_LEFT_OUT_DISABLED:
		return "is disabled";
	case CERTDIR_LEFT_OUT_EXPIRED:
		return "has an account that expired";
	case CERTDIR_LEFT_OUT_ENABLED_UNKNOWN:
		return "is not known to be enabled";
	case CERTDIR_LEFT_OUT_TRUST_TYPE:
	case CERTDIR_LEFT_OUT_UNTYPED:
		return join_type_text(device->join_type);
	case CERTDIR_LEFT_OUT_NOT_MANAGED:
		return device->managed == CERTDIR_NO ? "is not managed" : "is not known to be managed";
	case CERTDIR_LEFT_OUT_NOT_COMPLIANT:
		return "is not compliant";
	case CERTDIR_LEFT_OUT_COMPLIANCE_UNKNOWN:
		return "is not known to be compliant";
	case CERTDIR_LEFT_OUT_NOT_IN_GROUP:
		return group_text(selection, arena);
	case CERTDIR_LEFT_OUT_OPERATING_SYSTEM:
		return device->operating_system
			       ? certdir_arena_print(arena, "has %.100s as operating system", device->operating_system)
			       : "has no known operating system";
	default:
		return NULL;
	}
}

enum certdir_left_out certdir_selection_judge(const struct certdir_selection *selection,
					      const struct certdir_device *device,
					      const struct certdir_list_source *from, int64_t now,
					      struct certdir_arena *arena, const char **why_not)
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
	enum certdir_left_out left_out = CERTDIR_LEFT_OUT_NOT;
	struct certdir_decision decision;

	*why_not = NULL;
	if (!selection->require_enabled)
		record.device.enabled = CERTDIR_YES;
	certdir_decide_record(&record, &source, &policy, now, &decision);
	if (certdir_reason_verdict(decision.reason) != CERTDIR_ALLOW)
		left_out = of_reason(&record.device, decision.reason, now);
	else if (selection->operating_systems &&
		 !certdir_word_among(selection->operating_systems, device->operating_system))
		left_out = CERTDIR_LEFT_OUT_OPERATING_SYSTEM;
	if (left_out == CERTDIR_LEFT_OUT_NOT)
		return left_out;
	*why_not = text_of(selection, device, left_out, arena);
	if (!*why_not) /* or memory is out, which arena->failed remembers */
		*why_not = certdir_reason_name(decision.reason);
	return left_out;
}
