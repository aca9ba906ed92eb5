/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A certificate of a person on a device: what is asked of the person, and which of two decisions counts. Pure. */
#include "decision/decision.h"

struct certdir_policy certdir_policy_of_person(const struct certdir_policy *policy, bool holder)
{
	return (struct certdir_policy){.allow_stale = policy->allow_stale,
				       .names_must_agree = policy->names_must_agree,
				       .stale_for = policy->stale_for,
				       .join_types = UINT32_MAX,
				       .groups = holder ? policy->groups : NULL,
				       .require_known_certificate = holder && policy->require_known_certificate,
				       .known_certificate_grace = policy->known_certificate_grace};
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
	if (!is_allowed(person))
		decision->only_compliance = false;
	if (is_allowed(person) && is_allowed(decision) && person->age > decision->age)
		decision->age = person->age;
	if (person->reason >= decision->reason)
		return;
	decision->reason = person->reason;
	decision->age = person->age;
	decision->directory = person->directory;
	decision->says_no = person->says_no;
	certdir_say(decision->detail, "%s: %.480s", whose, person->detail);
}
