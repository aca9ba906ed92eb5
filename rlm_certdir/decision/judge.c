/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy: may this one device come in? The first rule that denies gives the reason. */
#include "decision/decision.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static bool __attribute__((format(printf, 3, 4)))
deny(struct certdir_decision *decision, enum certdir_reason reason, const char *format, ...)
{
	va_list ap;

	decision->reason = reason;
	va_start(ap, format);
	certdir_vsay(decision->detail, format, ap);
	va_end(ap);
	return false;
}

/* "2026-11-22T17:51:28Z" */
static const char *when(int64_t seconds, char text[32])
{
	const time_t t = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		(void)snprintf(text, 32, "@%lld", (long long)seconds);
	return text;
}

/* Only a plain yes opens: what the directory does not say about a device is not in its favour. */
static bool enabled(const struct certdir_device *device, int64_t now, struct certdir_decision *decision)
{
	char text[32];

	if (device->enabled != CERTDIR_YES)
		return deny(decision, CERTDIR_DISABLED, "%s is %s", device->id,
			    device->enabled == CERTDIR_NO ? "disabled" : "not known to be enabled");
	if (device->expires && device->expires <= now)
		return deny(decision, CERTDIR_DISABLED, "the account %s expired at %s", device->id,
			    when(device->expires, text));
	return true;
}

static bool joined(const struct certdir_policy *policy, const struct certdir_device *device,
		   struct certdir_decision *decision)
{
	uint32_t all = 0;

	for (unsigned type = CERTDIR_JOIN_UNKNOWN + 1; type < CERTDIR_JOIN_TYPES; type++)
		all |= CERTDIR_BIT(type);
	if ((policy->join_types & all) == all || (policy->join_types & CERTDIR_BIT(device->join_type)))
		return true;
	return deny(decision, CERTDIR_JOIN_TYPE, "%s is joined as %s", device->id,
		    certdir_join_type_name(device->join_type));
}

static enum certdir_tristate compliant(const struct certdir_device *device)
{
	static const struct {
		const char *word;
		enum certdir_tristate is;
	} words[] = {
		/* Intune's complianceState; a device in its grace period still counts as compliant there. */
		{"compliant", CERTDIR_YES}, {"inGracePeriod", CERTDIR_YES}, {"noncompliant", CERTDIR_NO},
		{"conflict", CERTDIR_NO},   {"error", CERTDIR_NO},
	};

	for (size_t i = 0; device->compliance && i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(device->compliance, words[i].word) == 0)
			return words[i].is;
	return CERTDIR_UNKNOWN;
}

static bool managed_and_compliant(const struct certdir_policy *policy, const struct certdir_device *device, int64_t now,
				  struct certdir_decision *decision)
{
	const enum certdir_tristate is = compliant(device);

	if (policy->enrollment_grace && device->registered && device->registered <= now &&
	    now - device->registered <= policy->enrollment_grace)
		return true;
	if (policy->require_managed && device->managed != CERTDIR_YES)
		return deny(decision, CERTDIR_NOT_MANAGED, "%s is %s", device->id,
			    device->managed == CERTDIR_NO ? "not managed" : "not known to be managed");
	if (!policy->require_compliant || is == CERTDIR_YES)
		return true;
	if (is == CERTDIR_NO)
		return deny(decision, CERTDIR_NOT_COMPLIANT, "the compliance of %s is %s", device->id,
			    device->compliance);
	if (policy->compliance_unknown_allow)
		return true;
	return deny(decision, CERTDIR_COMPLIANCE_UNKNOWN, "the compliance of %s is %s", device->id,
		    device->compliance ? device->compliance : "not known");
}

static bool active(const struct certdir_policy *policy, const struct certdir_device *device, int64_t now,
		   struct certdir_decision *decision)
{
	/* A device that was just registered may not have been seen yet. */
	const int64_t seen = device->last_seen > device->registered ? device->last_seen : device->registered;
	char text[32];

	if (!policy->max_inactive)
		return true;
	if (!seen)
		return deny(decision, CERTDIR_INACTIVE, "%s was never seen", device->id);
	if (now - seen > policy->max_inactive)
		return deny(decision, CERTDIR_INACTIVE, "%s was last seen %s", device->id, when(seen, text));
	return true;
}

static bool in_group(const struct certdir_policy *policy, const struct certdir_device *device,
		     struct certdir_decision *decision)
{
	if (!policy->groups || !policy->groups[0])
		return true;
	for (size_t g = 0; policy->groups[g]; g++)
		for (size_t i = 0; i < device->group_count; i++) {
			const struct certdir_group *group = &device->groups[i];

			if ((group->name && strcasecmp(group->name, policy->groups[g]) == 0) ||
			    (group->id && strcasecmp(group->id, policy->groups[g]) == 0))
				return true;
		}
	return deny(decision, CERTDIR_NOT_IN_GROUP, "%s is not in \"%s\"%s", device->id, policy->groups[0],
		    policy->groups[1] ? " nor in the other groups of require_group" : "");
}

void certdir_judge(const struct certdir_policy *policy, int64_t now, struct certdir_decision *decision)
{
	const struct certdir_match *match = decision->match;

	if (match->stale && !policy->allow_stale) {
		(void)deny(decision, CERTDIR_LIST_STALE, "%s was last synced %lld s ago", match->device.id,
			   (long long)match->age);
		return;
	}
	if (enabled(&match->device, now, decision) && joined(policy, &match->device, decision) &&
	    managed_and_compliant(policy, &match->device, now, decision) &&
	    active(policy, &match->device, now, decision) && in_group(policy, &match->device, decision) && match->stale)
		(void)deny(decision, CERTDIR_ALLOWED_STALE, "by a list synced %lld s ago", (long long)match->age);
}
