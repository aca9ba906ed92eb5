/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy: may this one device come in? Any record's "no" denies, however old. A "yes" has to be fresh: it counts from a
 * record whose part was brought in time, and where only old ones say it, the list is stale.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/words.h"
#include "decision/world.h"
#include "text/timestamp.h"

enum { SAME_TIME = 900 }; /* seconds: of two statements so close to each other nobody can tell which is newer */

/* Who said something, and how long ago: a record, by one of its parts. */
struct evidence {
	const struct certdir_view *view; /* NULL = nobody */
	enum certdir_part part;
	int64_t age; /* seconds, as certdir_part_fresh() has it */
};

/* One device while the rules of the policy go over it, one after the other. */
struct judging {
	struct certdir_world *world;
	size_t device;
	struct certdir_decision *decision;
	struct evidence old; /* the first fact that only a part has that is too old: told when nothing else denies */
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

		/* A revoked certificate lets nobody in, whoever it is of. */
		if (reason >= worst ||
		    (!view->record->issued && !is_of(judging, view) && !may_be_the_device(judging, view)))
			continue;
		worst = reason;
		age = certdir_part_age(judging->world, view,
				       reason == CERTDIR_REVOKED   ? CERTDIR_PART_OF_CERTIFICATES
				       : reason == CERTDIR_RETIRED ? CERTDIR_PART_OF_INTUNE
								   : CERTDIR_PART_OF_DEVICES);
		(void)certdir_conclude(judging->decision, reason, "%s", detail);
		judging->decision->age = age > 0 ? age : 0;
		judging->decision->directory = judging->world->known->directories[view->directory]->name;
		judging->decision->says_no = true;
	}
	return worst == CERTDIR_ALLOWED;
}

/* ---- "yes", and how old it is ---- */

/* What the records say together of one fact that the policy asks for. */
struct fact {
	struct evidence fresh; /* of those that say "yes" and are fresh, the youngest */
	struct evidence old; /* one that says "yes" and is too old */
	struct evidence silent; /* one that is too old, whatever it says: by now it may say "yes" */
	bool asked; /* one that is fresh could have said "yes" */
};

static void note_evidence(struct fact *fact, struct evidence evidence, bool fresh, bool yes)
{
	if (!fresh) {
		fact->silent = evidence;
		if (yes)
			fact->old = evidence;
		return;
	}
	fact->asked = true;
	if (yes && (!fact->fresh.view || evidence.age < fact->fresh.age))
		fact->fresh = evidence;
}

/* A record says something that its part is responsible for; `yes`: that it is so. */
static void note_part(struct fact *fact, const struct judging *judging, const struct certdir_view *view,
		      enum certdir_part part, bool yes)
{
	struct evidence evidence = {.view = view, .part = part};
	const bool fresh = certdir_part_fresh(judging->world, view, part, &evidence.age);

	note_evidence(fact, evidence, fresh, yes);
}

/* True when the fact is so, or would be if its part were not too old, which is noted. */
static bool is_met(struct judging *judging, const struct fact *fact)
{
	if (fact->fresh.view) {
		if (fact->fresh.age > judging->age)
			judging->age = fact->fresh.age;
		return true;
	}
	if (!fact->old.view && (fact->asked || !fact->silent.view))
		return false;
	if (!judging->old.view)
		judging->old = fact->old.view ? fact->old : fact->silent;
	return true;
}

/* Each record that may speak for the device. */
#define FOR_EACH_SPEAKER(_judging, _view)                                                                              \
	FOR_EACH_VIEW_OF((_judging)->world, (_judging)->device, _view)                                                 \
		if (!_view->only_against)

/* By a plain yes; by being there, where a source has no word for it. Of a device that Intune alone knows it is Intune's. */
static bool enabled(struct judging *judging)
{
	struct fact fact = {0};

	FOR_EACH_SPEAKER(judging, view) {
		const struct certdir_device *device = &view->record->device;
		const bool intune_alone =
			view->source->kind == CERTDIR_SOURCE_TENANT && !device->own.is && device->intune.is;

		note_part(&fact, judging, view, intune_alone ? CERTDIR_PART_OF_INTUNE : CERTDIR_PART_OF_DEVICES,
			  device->enabled == CERTDIR_YES || !view->source->says_enabled);
	}
	return is_met(judging, &fact) ||
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
				  certdir_view_carries(&world->views[v], id) >= CERTDIR_CARRIES_LABEL;
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
	FOR_EACH_SPEAKER(judging, view) {
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
	FOR_EACH_SPEAKER(judging, view) {
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
	FOR_EACH_SPEAKER(judging, view) {
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
	FOR_EACH_SPEAKER(judging, view) {
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
	FOR_EACH_SPEAKER(judging, view) {
		const struct certdir_device *device = &view->record->device;

		if (device->own.is)
			note_part(&fact, judging, view, CERTDIR_PART_OF_DEVICES, device->own.managed == CERTDIR_YES);
		if (device->intune.is)
			note_part(&fact, judging, view, CERTDIR_PART_OF_INTUNE, device->intune.managed == CERTDIR_YES);
	}
	return is_met(judging, &fact) || certdir_conclude(judging->decision, CERTDIR_NOT_MANAGED,
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
	FOR_EACH_VIEW_OF(judging->world, judging->device, view) {
		const struct compliance says = compliance_of(judging, view);

		if (says.is == CERTDIR_NO) {
			judging->age = certdir_part_age(judging->world, view,
							says.own ? CERTDIR_PART_OF_DEVICES : CERTDIR_PART_OF_INTUNE);
			return certdir_conclude(judging->decision, CERTDIR_NOT_COMPLIANT,
						"the compliance of %s is %s in \"%s\"", id_of(judging),
						compliance_word(view, says.is), view->source->name);
		}
		if (says.own && view->record->device.own.is && !view->only_against)
			note_part(&fact, judging, view, CERTDIR_PART_OF_DEVICES, says.is == CERTDIR_YES);
		if (says.intune && !view->only_against)
			note_part(&fact, judging, view, CERTDIR_PART_OF_INTUNE, says.is == CERTDIR_YES);
	}
	if (is_met(judging, &fact) || policy->compliance_unknown_allow)
		return true;
	return certdir_conclude(judging->decision, CERTDIR_COMPLIANCE_UNKNOWN, "the compliance of %s is not known",
				id_of(judging));
}

/* ---- seen, member ---- */

/* Measured when the part was brought: what happened since it cannot know. */
static void note_seen(struct fact *fact, const struct judging *judging, const struct certdir_view *view,
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
	note_part(fact, judging, view, part,
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
	FOR_EACH_SPEAKER(judging, view) {
		note_seen(&fact, judging, view, &view->record->device.own, CERTDIR_PART_OF_DEVICES, &latest);
		note_seen(&fact, judging, view, &view->record->device.intune, CERTDIR_PART_OF_INTUNE, &latest);
	}
	if (is_met(judging, &fact))
		return true;
	if (!latest)
		return certdir_conclude(judging->decision, CERTDIR_INACTIVE, "%s was never seen", id_of(judging));
	certdir_timestamp_print(latest, seen);
	return certdir_conclude(judging->decision, CERTDIR_INACTIVE, "%s was last seen %s", id_of(judging), seen);
}

/* The record's groups: each as old as it is known, and that there are no others as old as the part. */
static void note_groups(struct fact *fact, const struct judging *judging, const struct certdir_view *view)
{
	const char *const *groups = judging->world->policy->groups;
	const struct certdir_device *device = &view->record->device;

	for (size_t g = 0; g < device->group_count; g++) {
		const struct certdir_group *group = &device->groups[g];
		struct evidence evidence = {.view = view, .part = CERTDIR_PART_OF_GROUPS};
		bool fresh;

		if (!certdir_word_among(groups, group->name) && !certdir_word_among(groups, group->id) &&
		    !certdir_word_among(groups, group->sid))
			continue;
		fresh = certdir_fresh_since(judging->world, view, evidence.part, group->as_of, &evidence.age);
		note_evidence(fact, evidence, fresh, true);
	}
	note_part(fact, judging, view, CERTDIR_PART_OF_GROUPS, false);
}

static bool in_group(struct judging *judging)
{
	const char *const *groups = judging->world->policy->groups;
	struct fact fact = {0};

	if (!groups || !groups[0])
		return true;
	FOR_EACH_SPEAKER(judging, view) {
		/* A tenant that syncs no group has no such part to wait for. */
		if (view->source->kind != CERTDIR_SOURCE_TENANT || view->source->synced[CERTDIR_PART_OF_GROUPS])
			note_groups(&fact, judging, view);
	}
	return is_met(judging, &fact) ||
	       certdir_conclude(judging->decision, CERTDIR_NOT_IN_GROUP, "%s is not in \"%s\"%s", id_of(judging),
				groups[0], groups[1] ? " nor in the other groups of require_group" : "");
}

/* ---- in order ---- */

static bool conclude_old_import(struct certdir_decision *decision, const char *source, long long age, long long limit)
{
	if (age < 0)
		return certdir_conclude(decision, CERTDIR_LIST_STALE,
					"\"%s\" was imported in the future: check the clock of the host that imports",
					source);
	return certdir_conclude(decision, CERTDIR_LIST_STALE, "\"%s\" was imported %lld s ago, more than %lld", source,
				age, limit);
}

/* `synced`: the age of the part itself, where a record in it may be older: the sync's shrink guard keeps what the source has no more. */
static bool conclude_old_part(const struct judging *judging, int64_t synced, long long limit)
{
	struct certdir_decision *decision = judging->decision;
	const struct evidence *old = &judging->old;
	const char *part = certdir_part_name(judging->world, old->part), *source = old->view->source->name;
	const long long age = old->age;

	if (age < 0)
		return certdir_conclude(decision, CERTDIR_LIST_STALE,
					"the %s part of \"%s\" was never synced, or in the future: check the clock of "
					"the host that syncs",
					part, source);
	if (synced >= 0 && synced < age)
		return certdir_conclude(
			decision, CERTDIR_LIST_STALE,
			"the %s part of \"%s\" said so last %lld s ago, more than %lld: max_shrink of the sync keeps "
			"it from being removed",
			part, source, age, limit);
	return certdir_conclude(decision, CERTDIR_LIST_STALE,
				"the %s part of \"%s\" was synced %lld s ago, more than %lld", part, source, age,
				limit);
}

/* Whether all that was needed is fresh. Else it says which part is behind, and by how much. */
static bool in_time(struct judging *judging)
{
	const struct certdir_world *world = judging->world;
	struct certdir_decision *decision = judging->decision;
	const struct evidence *old = &judging->old;
	const struct certdir_directory *directory;
	const struct certdir_source *source;
	int64_t limit, synced;

	if (!old->view)
		return true;
	directory = world->known->directories[old->view->directory];
	source = old->view->source;
	decision->age = old->age > 0 ? old->age : 0;
	decision->directory = directory->name;
	if (source->kind == CERTDIR_SOURCE_LDAP && !source->listed)
		return certdir_conclude(decision, CERTDIR_DIRECTORY_UNAVAILABLE,
					"%.300s; what it said last is %lld s old",
					world->known->answers[old->view->directory].detail, (long long)old->age);
	limit = certdir_source_limit(source, old->part, directory->max_age);
	if (source->kind == CERTDIR_SOURCE_IMPORT)
		return conclude_old_import(decision, source->name, old->age, limit);
	(void)certdir_source_fresh(world, source, directory, old->part, &synced);
	return conclude_old_part(judging, synced, limit);
}

/* What policies of the server's own go by must not be older than what ours go by. */
static void set_groups(const struct judging *judging)
{
	struct certdir_decision *decision = judging->decision;
	int64_t age;

	for (size_t r = 0; r < decision->record_count; r++)
		FOR_EACH_SPEAKER(judging, view) {
			if (view->record != decision->records[r])
				continue;
			if (certdir_part_fresh(judging->world, view, CERTDIR_PART_OF_GROUPS, &age)) {
				decision->member |= UINT32_C(1) << r;
				decision->member_since[r] =
					certdir_yes_since(judging->world, view, CERTDIR_PART_OF_GROUPS);
			} else if (view->source->kind != CERTDIR_SOURCE_TENANT ||
				   view->source->synced[CERTDIR_PART_OF_GROUPS]) {
				decision->groups_behind = true;
			}
		}
}

/* Any "no", else what the first says of whom a part is fresh. */
static void set_compliance(const struct judging *judging)
{
	int64_t age;

	FOR_EACH_VIEW_OF(judging->world, judging->device, view) {
		const struct compliance says = compliance_of(judging, view);
		const bool fresh =
			(says.own && certdir_part_fresh(judging->world, view, CERTDIR_PART_OF_DEVICES, &age)) ||
			(says.intune && certdir_part_fresh(judging->world, view, CERTDIR_PART_OF_INTUNE, &age));

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

	set_groups(&judging);
	set_compliance(&judging);
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
