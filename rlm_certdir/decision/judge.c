/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy: may this one device come in? Any record's "no" denies, however old. A "yes" has to be fresh: it counts from a
 * record whose part was brought in time, and where only old ones say it, the list is stale.
 */
#include "decision/world.h"

#include "base/words.h"
#include "text/timestamp.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { SAME_TIME = 900 }; /* seconds: of two statements so close to each other nobody can tell which is newer */

struct judging {
	struct certdir_world *world;
	size_t device;
	struct certdir_decision *decision;
	/* A fact that only a part has that is too old; told when nothing else denies. */
	const struct certdir_view *old;
	enum certdir_part old_part;
	int64_t old_age;
	int64_t age; /* of the oldest fact that was needed */
};

static bool is_of(const struct judging *judging, const struct certdir_view *view)
{
	return view->device == judging->device;
}

static const char *id_of(const struct judging *judging)
{
	return judging->decision->records[0]->device.id;
}

/* ---- "no" ---- */

enum certdir_reason certdir_view_no(const struct certdir_world *world, const struct certdir_view *view,
				    char detail[CERTDIR_TEXT_MAX])
{
	const struct certdir_device *device = &view->record->device;
	char expired[CERTDIR_TIMESTAMP_SIZE];

	if (certdir_management(device->management_state) == CERTDIR_MANAGEMENT_RETIRED) {
		certdir_say(detail, "%s is %s in \"%s\"", device->id, device->management_state, view->source->name);
		return CERTDIR_RETIRED;
	}
	if (device->enabled == CERTDIR_NO) {
		certdir_say(detail, "%s is disabled in \"%s\"", device->id, view->source->name);
		return CERTDIR_DISABLED;
	}
	if (device->expires && device->expires <= world->now) {
		certdir_timestamp_print(device->expires, expired);
		certdir_say(detail, "the account %s expired at %s", device->id, expired);
		return CERTDIR_DISABLED;
	}
	return CERTDIR_ALLOWED;
}

/* Where names decide, a record that has one of them and no id that tells it from the device may well be the device's. */
static bool may_be_the_device(const struct judging *judging, const struct certdir_view *view)
{
	const struct certdir_world *world = judging->world;
	const struct certdir_certificate *certificate = world->known->certificate;

	if (world->rank != CERTDIR_RANK_CHOSEN || certdir_devices_differ(world, judging->device, view->device, false) ||
	    certdir_device_is_other(world, view->device))
		return false;
	for (size_t i = 0; i < certificate->count; i++)
		if ((world->deciding >> i & 1) &&
		    certdir_device_carries(world, view->device, &certificate->identities[i]) >= CERTDIR_CARRIES_LABEL)
			return true;
	return false;
}

static bool nobody_says_no(struct judging *judging)
{
	enum certdir_reason worst = CERTDIR_ALLOWED;
	char detail[CERTDIR_TEXT_MAX];

	for (size_t v = 0; v < judging->world->count; v++) {
		const struct certdir_view *view = &judging->world->views[v];
		const enum certdir_reason reason = certdir_view_no(judging->world, view, detail);
		int64_t age;

		/* Retired comes before disabled. */
		if (reason == CERTDIR_ALLOWED || worst == CERTDIR_RETIRED || worst == reason ||
		    (!is_of(judging, view) && !may_be_the_device(judging, view)))
			continue;
		worst = reason;
		age = certdir_part_age(judging->world, view,
				       reason == CERTDIR_RETIRED ? CERTDIR_PART_OF_INTUNE : CERTDIR_PART_OF_DEVICES);
		(void)certdir_conclude(judging->decision, reason, "%s", detail);
		judging->decision->age = age > 0 ? age : 0;
		judging->decision->directory = judging->world->known->directories[view->directory]->name;
		judging->decision->says_no = true;
	}
	return worst == CERTDIR_ALLOWED;
}

/* ---- "yes", and how old it is ---- */

struct fact {
	const struct certdir_view *fresh, *old; /* who says so: the youngest of each */
	enum certdir_part old_part;
	int64_t age, old_age; /* of the fresh one, and of the old one */
	bool asked; /* a part that is fresh could have said so */
	const struct certdir_view *silent; /* one that could have, but is too old */
	enum certdir_part silent_part;
	int64_t silent_age;
};

/* What was said `fresh`ly, or at such an age. */
static void hear_aged(struct fact *fact, const struct certdir_view *view, enum certdir_part part, bool fresh,
		      int64_t age, bool yes)
{
	if (fresh) {
		fact->asked = true;
		if (yes && (!fact->fresh || age < fact->age)) {
			fact->fresh = view;
			fact->age = age;
		}
		return;
	}
	fact->silent = view;
	fact->silent_part = part;
	fact->silent_age = age;
	if (yes) {
		fact->old = view;
		fact->old_part = part;
		fact->old_age = age;
	}
}

/* A record says something that its part is responsible for; `yes`: that it is so. */
static void hear(struct fact *fact, const struct judging *judging, const struct certdir_view *view,
		 enum certdir_part part, bool yes)
{
	hear_aged(fact, view, part, certdir_part_fresh(judging->world, view, part),
		  certdir_part_age(judging->world, view, part), yes);
}

/* True when the fact holds, or would if its part were not too old, which is noted. */
static bool holds(struct judging *judging, const struct fact *fact)
{
	if (fact->fresh) {
		if (fact->age > judging->age)
			judging->age = fact->age;
		return true;
	}
	if (!fact->old && (fact->asked || !fact->silent))
		return false;
	if (!judging->old) {
		judging->old = fact->old ? fact->old : fact->silent;
		judging->old_part = fact->old ? fact->old_part : fact->silent_part;
		judging->old_age = fact->old ? fact->old_age : fact->silent_age;
	}
	return true;
}

/* The records that may speak for the device. */
#define FOR_EACH_FOR(judging, view)                                                                                    \
	for (const struct certdir_view *view = (judging)->world->views, *view##_end = view + (judging)->world->count;  \
	     view < view##_end; view++)                                                                                \
		if (is_of(judging, view) && !view->only_against)

/* By a plain yes; by being there, where a source has no word for it. Of a device that Intune alone knows it is Intune's. */
static bool enabled(struct judging *judging)
{
	struct fact fact = {0};

	FOR_EACH_FOR(judging, view) {
		const struct certdir_device *device = &view->record->device;
		const bool intune_alone =
			view->source->kind == CERTDIR_SOURCE_TENANT && !device->own.is && device->intune.is;

		hear(&fact, judging, view, intune_alone ? CERTDIR_PART_OF_INTUNE : CERTDIR_PART_OF_DEVICES,
		     device->enabled == CERTDIR_YES || !view->source->says_enabled);
	}
	return holds(judging, &fact) ||
	       certdir_conclude(judging->decision, CERTDIR_DISABLED, "%s is not known to be enabled", id_of(judging));
}

static bool agreed_name(struct judging *judging)
{
	const struct certdir_world *world = judging->world;
	const struct certdir_certificate *certificate = world->known->certificate;

	if (world->known->wrong_user_name)
		return certdir_conclude(judging->decision, CERTDIR_NAME_MISMATCH,
					"User-Name is none of the certificate's names");
	for (size_t i = 0; world->policy->names_must_agree && i < certificate->count; i++) {
		const struct certdir_identity *id = &certificate->identities[i];
		bool others = false;

		if (!(world->known->accepted >> i & 1) || id->rank != CERTDIR_RANK_CHOSEN ||
		    certdir_device_carries(world, judging->device, id) >= CERTDIR_CARRIES_LABEL)
			continue;
		for (size_t v = 0; v < world->count; v++)
			others |= !is_of(judging, &world->views[v]) &&
				  certdir_record_carries(world->views[v].record, world->views[v].source->kind, id->type,
							 id->value) >= CERTDIR_CARRIES_LABEL;
		if (others)
			return certdir_conclude(judging->decision, CERTDIR_NAME_MISMATCH,
						"%s %s is the name of another device",
						certdir_identity_type_name(id->type), id->value);
	}
	return true;
}

static bool joined(struct judging *judging)
{
	const uint32_t accepted = judging->world->policy->join_types;
	enum certdir_join_type seen = CERTDIR_JOIN_UNKNOWN;
	uint32_t all = 0;

	for (unsigned type = CERTDIR_JOIN_UNKNOWN + 1; type < CERTDIR_JOIN_TYPES; type++)
		all |= CERTDIR_BIT(type);
	if ((accepted & all) == all)
		return true;
	FOR_EACH_FOR(judging, view) {
		if (accepted & CERTDIR_BIT(view->record->device.join_type))
			return true;
		if (view->record->device.join_type != CERTDIR_JOIN_UNKNOWN)
			seen = view->record->device.join_type;
	}
	return certdir_conclude(judging->decision, CERTDIR_JOIN_TYPE, "%s is joined as %s", id_of(judging),
				certdir_join_type_name(seen));
}

/* "Windows" is also the system of what Active Directory calls "Windows 11 Enterprise". */
static bool is_system(const char *const *systems, const char *system)
{
	for (; *systems; systems++) {
		const size_t length = strlen(*systems);

		if (strncasecmp(system, *systems, length) == 0 && (!system[length] || system[length] == ' '))
			return true;
	}
	return false;
}

/* Every record that says something has to say something acceptable, and one has to. */
static bool owned(struct judging *judging)
{
	const char *const *accepted = judging->world->policy->ownerships;
	bool said = false;

	if (!accepted || !accepted[0])
		return true;
	FOR_EACH_FOR(judging, view) {
		const char *ownership = view->record->device.ownership;

		if (ownership && !certdir_word_among(accepted, ownership))
			return certdir_conclude(judging->decision, CERTDIR_OWNERSHIP, "%s is %s", id_of(judging),
						ownership);
		said |= ownership != NULL;
	}
	return said ||
	       certdir_conclude(judging->decision, CERTDIR_OWNERSHIP, "whose %s is, is not known", id_of(judging));
}

static bool runs(struct judging *judging)
{
	const char *const *accepted = judging->world->policy->operating_systems;
	bool said = false;

	if (!accepted || !accepted[0])
		return true;
	FOR_EACH_FOR(judging, view) {
		const char *system = view->record->device.operating_system;

		if (system && !is_system(accepted, system))
			return certdir_conclude(judging->decision, CERTDIR_SYSTEM, "%s runs %s", id_of(judging),
						system);
		said |= system != NULL;
	}
	return said || certdir_conclude(judging->decision, CERTDIR_SYSTEM, "what %s runs is not known", id_of(judging));
}

/* ---- managed and compliant ---- */

static bool in_grace(const struct judging *judging)
{
	const struct certdir_policy *policy = judging->world->policy;
	const int64_t now = judging->world->now;
	int64_t first = 0;

	/*
	 * Within a record the later of the two: a laptop that was set up anew. Of several records the first: one that somebody makes under a
	 * known device's name must not give it a new start. Active Directory knows nothing of management.
	 */
	FOR_EACH_FOR(judging, view) {
		const struct certdir_device *device = &view->record->device;
		const int64_t registered = device->intune.registered > device->own.registered
						   ? device->intune.registered
						   : device->own.registered;

		if (registered && view->source->kind != CERTDIR_SOURCE_LDAP && (!first || registered < first))
			first = registered;
	}
	return policy->enrollment_grace && first && first <= now + CERTDIR_AHEAD &&
	       now - first <= policy->enrollment_grace;
}

static bool managed(struct judging *judging)
{
	struct fact fact = {0};

	if (!judging->world->policy->require_managed || in_grace(judging))
		return true;
	FOR_EACH_FOR(judging, view) {
		const struct certdir_device *device = &view->record->device;

		if (device->own.is)
			hear(&fact, judging, view, CERTDIR_PART_OF_DEVICES, device->own.managed == CERTDIR_YES);
		if (device->intune.is)
			hear(&fact, judging, view, CERTDIR_PART_OF_INTUNE, device->intune.managed == CERTDIR_YES);
	}
	return holds(judging, &fact) || certdir_conclude(judging->decision, CERTDIR_NOT_MANAGED,
							 "%s is not known to be managed", id_of(judging));
}

/*
 * Entra ID's isCompliant and Intune's complianceState are one property, which Intune writes into both: a "no" of one ends by a "yes" of
 * the other that is newer. Who does not know leaves it to the other.
 */
struct compliance {
	enum certdir_tristate is;
	bool own, intune; /* whose word that is */
};

/* When it was said. What a clock wrote that is far ahead of ours is no newer "yes" than any "no". */
static int64_t said_at(const struct judging *judging, const struct certdir_view *view,
		       const struct certdir_statement *statement, enum certdir_part part)
{
	const int64_t now = judging->world->now;

	if (statement->compliant_since > now + CERTDIR_AHEAD)
		return statement->compliant == CERTDIR_NO ? now : 0;
	return statement->compliant_since ? statement->compliant_since
					  : now - certdir_part_age(judging->world, view, part);
}

static struct compliance compliance_of(const struct judging *judging, const struct certdir_view *view)
{
	const struct certdir_statement *own = &view->record->device.own, *intune = &view->record->device.intune;
	const enum certdir_tristate a = own->is ? own->compliant : CERTDIR_UNKNOWN;
	const enum certdir_tristate b = intune->is ? intune->compliant : CERTDIR_UNKNOWN;
	int64_t newer; /* seconds by which Intune's word is */

	/* Intune does not know (yet), or leaves it to Configuration Manager, which tells Entra ID alone. */
	if (!intune->is || (a != CERTDIR_UNKNOWN && b == CERTDIR_UNKNOWN))
		return (struct compliance){a, true, false};
	if (a == CERTDIR_UNKNOWN)
		return (struct compliance){b, false, true};
	if (a == b)
		return (struct compliance){a, true, true};
	newer = said_at(judging, view, intune, CERTDIR_PART_OF_INTUNE) -
		said_at(judging, view, own, CERTDIR_PART_OF_DEVICES);
	if (a == CERTDIR_NO)
		return b == CERTDIR_YES && newer >= SAME_TIME ? (struct compliance){b, false, true}
							      : (struct compliance){a, true, false};
	return -newer >= SAME_TIME ? (struct compliance){a, true, false} : (struct compliance){b, false, true};
}

/* In Intune's words. The word beside a "no" of Entra ID's is that of Intune's older record. */
static const char *compliance_word(const struct certdir_view *view, enum certdir_tristate is)
{
	const char *word = view->record->device.compliance;

	return is == CERTDIR_NO && certdir_compliance(word) != CERTDIR_NO ? "noncompliant" : word;
}

static bool compliant(struct judging *judging)
{
	const struct certdir_policy *policy = judging->world->policy;
	struct fact fact = {0};

	if (!policy->require_compliant || in_grace(judging))
		return true;
	for (size_t v = 0; v < judging->world->count; v++) {
		const struct certdir_view *view = &judging->world->views[v];
		struct compliance says;

		if (!is_of(judging, view))
			continue;
		says = compliance_of(judging, view);
		if (says.is == CERTDIR_NO)
			judging->age = certdir_part_age(judging->world, view,
							says.own ? CERTDIR_PART_OF_DEVICES : CERTDIR_PART_OF_INTUNE);
		if (says.is == CERTDIR_NO)
			return certdir_conclude(judging->decision, CERTDIR_NOT_COMPLIANT,
						"the compliance of %s is %s in \"%s\"", id_of(judging),
						compliance_word(view, says.is), view->source->name);
		if (says.own && view->record->device.own.is && !view->only_against)
			hear(&fact, judging, view, CERTDIR_PART_OF_DEVICES, says.is == CERTDIR_YES);
		if (says.intune && !view->only_against)
			hear(&fact, judging, view, CERTDIR_PART_OF_INTUNE, says.is == CERTDIR_YES);
	}
	if (holds(judging, &fact) || policy->compliance_unknown_allow)
		return true;
	return certdir_conclude(judging->decision, CERTDIR_COMPLIANCE_UNKNOWN, "the compliance of %s is not known",
				id_of(judging));
}

/* ---- seen, member ---- */

/* Measured when the part was brought: what happened since it cannot know. */
static void hear_seen(struct fact *fact, const struct judging *judging, const struct certdir_view *view,
		      const struct certdir_statement *statement, enum certdir_part part, int64_t *latest)
{
	/* A device that was just registered may not have been seen yet. */
	const int64_t seen =
		statement->last_seen > statement->registered ? statement->last_seen : statement->registered;
	const int64_t told = judging->world->now - certdir_part_age(judging->world, view, part);

	if (!statement->is)
		return;
	if (seen > *latest)
		*latest = seen;
	hear(fact, judging, view, part,
	     seen && seen <= judging->world->now + CERTDIR_AHEAD &&
		     told - seen <= judging->world->policy->max_inactive);
}

static bool active(struct judging *judging)
{
	struct fact fact = {0};
	int64_t latest = 0;
	char seen[CERTDIR_TIMESTAMP_SIZE];

	if (!judging->world->policy->max_inactive)
		return true;
	FOR_EACH_FOR(judging, view) {
		hear_seen(&fact, judging, view, &view->record->device.own, CERTDIR_PART_OF_DEVICES, &latest);
		hear_seen(&fact, judging, view, &view->record->device.intune, CERTDIR_PART_OF_INTUNE, &latest);
	}
	if (holds(judging, &fact))
		return true;
	if (!latest)
		return certdir_conclude(judging->decision, CERTDIR_INACTIVE, "%s was never seen", id_of(judging));
	certdir_timestamp_print(latest, seen);
	return certdir_conclude(judging->decision, CERTDIR_INACTIVE, "%s was last seen %s", id_of(judging), seen);
}

/* The record's groups: each as old as it is known, and that there are no others as old as the part. */
static void hear_groups(struct fact *fact, const struct judging *judging, const struct certdir_view *view)
{
	const char *const *groups = judging->world->policy->groups;
	const struct certdir_device *device = &view->record->device;

	for (size_t g = 0; g < device->group_count; g++) {
		const struct certdir_group *group = &device->groups[g];
		int64_t age;
		bool fresh;

		if (!certdir_word_among(groups, group->name) && !certdir_word_among(groups, group->id) &&
		    !certdir_word_among(groups, group->sid))
			continue;
		fresh = certdir_fresh_since(judging->world, view, CERTDIR_PART_OF_GROUPS, group->as_of, &age);
		hear_aged(fact, view, CERTDIR_PART_OF_GROUPS, fresh, age, true);
	}
	hear(fact, judging, view, CERTDIR_PART_OF_GROUPS, false);
}

static bool in_group(struct judging *judging)
{
	const char *const *groups = judging->world->policy->groups;
	struct fact fact = {0};

	if (!groups || !groups[0])
		return true;
	FOR_EACH_FOR(judging, view) {
		/* A tenant that syncs no group has no such part to wait for. */
		if (view->source->kind != CERTDIR_SOURCE_TENANT || view->source->synced[CERTDIR_PART_OF_GROUPS])
			hear_groups(&fact, judging, view);
	}
	return holds(judging, &fact) ||
	       certdir_conclude(judging->decision, CERTDIR_NOT_IN_GROUP, "%s is not in \"%s\"%s", id_of(judging),
				groups[0], groups[1] ? " nor in the other groups of require_group" : "");
}

/* ---- in order ---- */

static bool in_time(struct judging *judging)
{
	const struct certdir_view *old = judging->old;
	const int64_t age = judging->old_age;
	int64_t limit, synced;

	if (!old)
		return true;
	limit = certdir_source_limit(old->source, judging->old_part,
				     judging->world->known->directories[old->directory]->max_age);
	judging->decision->age = age > 0 ? age : 0;
	judging->decision->directory = judging->world->known->directories[old->directory]->name;
	if (old->source->kind == CERTDIR_SOURCE_LDAP && !old->source->listed)
		return certdir_conclude(judging->decision, CERTDIR_DIRECTORY_UNAVAILABLE,
					"%.300s; what it said last is %lld s old",
					judging->world->known->answers[old->directory].detail, (long long)age);
	if (old->source->kind == CERTDIR_SOURCE_IMPORT && age >= 0)
		return certdir_conclude(judging->decision, CERTDIR_LIST_STALE,
					"\"%s\" was imported %lld s ago, more than %lld", old->source->name,
					(long long)age, (long long)limit);
	if (old->source->kind == CERTDIR_SOURCE_IMPORT)
		return certdir_conclude(judging->decision, CERTDIR_LIST_STALE,
					"\"%s\" was imported in the future: check the clock of the host that imports",
					old->source->name);
	if (age < 0)
		return certdir_conclude(judging->decision, CERTDIR_LIST_STALE,
					"the %s part of \"%s\" was never synced, or in the future: check the clock of "
					"the host that syncs",
					certdir_part_name(judging->old_part), old->source->name);
	/* Its part is younger: the sync's shrink guard keeps what the source has no more. */
	(void)certdir_source_fresh(judging->world, old->source, judging->world->known->directories[old->directory],
				   judging->old_part, &synced);
	if (synced >= 0 && synced < age)
		return certdir_conclude(
			judging->decision, CERTDIR_LIST_STALE,
			"the %s part of \"%s\" said so last %lld s ago, more than %lld: max_shrink of the sync keeps "
			"it from being removed",
			certdir_part_name(judging->old_part), old->source->name, (long long)age, (long long)limit);
	return certdir_conclude(
		judging->decision, CERTDIR_LIST_STALE, "the %s part of \"%s\" was synced %lld s ago, more than %lld",
		certdir_part_name(judging->old_part), old->source->name, (long long)age, (long long)limit);
}

/* What policies of the server's own go by must not be older than what ours go by. */
static void tell_groups(const struct judging *judging)
{
	struct certdir_decision *decision = judging->decision;

	for (size_t r = 0; r < decision->record_count; r++)
		FOR_EACH_FOR(judging, view)
			if (view->record == decision->records[r] &&
			    certdir_part_fresh(judging->world, view, CERTDIR_PART_OF_GROUPS)) {
				decision->member |= UINT32_C(1) << r;
				decision->member_since[r] =
					certdir_yes_since(judging->world, view, CERTDIR_PART_OF_GROUPS);
			}
}

/* Any "no", else what the first says of whom a part is fresh. */
static void tell_compliance(const struct judging *judging)
{
	const struct certdir_world *world = judging->world;

	for (size_t v = 0; v < world->count; v++) {
		const struct certdir_view *view = &world->views[v];
		struct compliance says;
		bool fresh;

		if (!is_of(judging, view))
			continue;
		says = compliance_of(judging, view);
		fresh = (says.own && certdir_part_fresh(world, view, CERTDIR_PART_OF_DEVICES)) ||
			(says.intune && certdir_part_fresh(world, view, CERTDIR_PART_OF_INTUNE));
		if (says.is == CERTDIR_NO || (fresh && !view->only_against && !judging->decision->compliance))
			judging->decision->compliance = compliance_word(view, says.is);
		if (says.is == CERTDIR_NO)
			return;
	}
}

void certdir_judge(struct certdir_world *world, size_t device, struct certdir_decision *decision)
{
	static bool (*const rules[])(struct judging *) = {nobody_says_no, enabled,  agreed_name, joined,
							  owned,	  runs,	    managed,	 compliant,
							  active,	  in_group, in_time};
	struct judging judging = {.world = world, .device = device, .decision = decision};
	struct certdir_decision rest = *decision;
	size_t r = 0;

	tell_groups(&judging);
	tell_compliance(&judging);
	decision->reason = CERTDIR_ALLOWED;
	while (r < sizeof(rules) / sizeof(rules[0]) && rules[r](&judging))
		r++;
	if (!decision->age)
		decision->age = judging.age;
	if (decision->reason != CERTDIR_NOT_COMPLIANT && decision->reason != CERTDIR_COMPLIANCE_UNKNOWN)
		return;
	/* A quarantine network is for a device that has nothing else against it. */
	judging.decision = &rest;
	do
		r++;
	while (r < sizeof(rules) / sizeof(rules[0]) && rules[r](&judging));
	decision->only_compliance = r == sizeof(rules) / sizeof(rules[0]);
}
