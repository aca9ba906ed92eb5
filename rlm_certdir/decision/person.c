/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A certificate of a person on a device: what is asked of the person, and which of two decisions counts. Pure. */
#include "decision/decision.h"

struct certdir_policy certdir_policy_of_person(const struct certdir_policy *policy, bool groups)
{
	return (struct certdir_policy){.allow_stale = policy->allow_stale,
				       .names_must_agree = policy->names_must_agree,
				       .stale_for = policy->stale_for,
				       .join_types = UINT32_MAX,
				       .groups = groups ? policy->groups : NULL};
}

/*
 * The place of each reason in the order in which they count, the first that ends the asking first. One that has no place here is
 * before all others, and so denies.
 */
static unsigned place_of(enum certdir_reason reason)
{
	static const unsigned char places[CERTDIR_REASONS] = {
		[CERTDIR_ISSUER] = 1,
		[CERTDIR_NO_IDENTITY] = 2,
		[CERTDIR_CONFLICT] = 3,
		[CERTDIR_AMBIGUOUS] = 4,
		[CERTDIR_NOT_FOUND] = 5,
		[CERTDIR_LIST_MISSING] = 6,
		[CERTDIR_DIRECTORY_UNAVAILABLE] = 7,
		[CERTDIR_SID_MISMATCH] = 8,
		[CERTDIR_REVOKED] = 9,
		[CERTDIR_RETIRED] = 10,
		[CERTDIR_DISABLED] = 11,
		[CERTDIR_NAME_MISMATCH] = 12,
		[CERTDIR_JOIN_TYPE] = 13,
		[CERTDIR_OWNERSHIP] = 14,
		[CERTDIR_SYSTEM] = 15,
		[CERTDIR_NOT_MANAGED] = 16,
		[CERTDIR_NOT_COMPLIANT] = 17,
		[CERTDIR_COMPLIANCE_UNKNOWN] = 18,
		[CERTDIR_INACTIVE] = 19,
		[CERTDIR_NOT_IN_GROUP] = 20,
		[CERTDIR_LIST_STALE] = 21,
		[CERTDIR_ALLOWED_STALE] = 22,
		[CERTDIR_ALLOWED] = 23,
	};

	return places[reason];
}

bool certdir_reason_is_worse(enum certdir_reason reason, enum certdir_reason than)
{
	return place_of(reason) < place_of(than);
}

static bool is_allowed(const struct certdir_decision *decision)
{
	return certdir_reason_verdict(decision->reason) == CERTDIR_ALLOW;
}

void certdir_decide_both(struct certdir_decision *device, const struct certdir_decision *device_without_groups,
			 struct certdir_decision *person, const struct certdir_decision *person_without_groups)
{
	/* Quarantine is for who has all else, the group included. */
	const bool in_group = is_allowed(device) || device->only_compliance;

	if (is_allowed(person))
		*device = *device_without_groups;
	else if (in_group)
		*person = *person_without_groups;
}

void certdir_decision_take(struct certdir_decision *decision, const struct certdir_decision *person, const char *whose)
{
	const bool worse = certdir_reason_is_worse(person->reason, decision->reason);

	if (!is_allowed(person))
		decision->only_compliance = false;
	if (is_allowed(person) && is_allowed(decision) && person->age > decision->age)
		decision->age = person->age;
	if (!worse)
		return;
	decision->reason = person->reason;
	decision->age = person->age;
	decision->directory = person->directory;
	decision->says_no = person->says_no;
	certdir_say(decision->detail, "%s: %.480s", whose, person->detail);
}
