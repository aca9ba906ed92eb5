/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that was asked and found -> one decision. Which device, by the values of the highest rank; what confirms it; what the
 * policy says. The first reason in that order counts.
 */
#include <string.h>

#include "decision/world.h"

/* ---- nothing was found ---- */

/* Whether a device that has one of the values that decide would be known where these types are kept. */
static bool is_wanted(const struct certdir_world *world, uint32_t keeps)
{
	const struct certdir_certificate *certificate = world->known->certificate;

	for (size_t i = 0; i < certificate->count; i++)
		if ((world->deciding >> i & 1) &&
		    certdir_keeps(keeps, certificate->identities[i].type == CERTDIR_ID_CERTIFICATE
						 ? CERTDIR_ID_GUID
						 : certificate->identities[i].type))
			return true;
	return false;
}

/* Whether the table of issued certificates knows the device by Entra's id. */
static bool issued_to_entra(const struct certdir_world *world)
{
	for (size_t v = 0; v < world->count; v++)
		if (world->views[v].record->issued && world->views[v].record->issued->entra_device_id)
			return true;
	return false;
}

/*
 * Whether Intune's part may know a device that no other part does: by one of the values that decide if Entra ID has nothing of that kind, and
 * by Intune's ids if they are all, since an id of Entra's beside them would be known.
 */
static bool is_intunes(const struct certdir_world *world)
{
	const uint32_t hardware = CERTDIR_BIT(CERTDIR_ID_SERIAL) | CERTDIR_BIT(CERTDIR_ID_PERMANENT) |
				  CERTDIR_BIT(CERTDIR_ID_IMEI) | CERTDIR_BIT(CERTDIR_ID_MEID) |
				  CERTDIR_BIT(CERTDIR_ID_WIFI_MAC);
	const struct certdir_certificate *certificate = world->known->certificate;
	bool ids = true;

	for (size_t i = 0; i < certificate->count; i++) {
		const enum certdir_identity_type type = certificate->identities[i].type;

		if (!(world->deciding >> i & 1))
			continue;
		if (hardware & CERTDIR_BIT(type))
			return true;
		ids &= type == CERTDIR_ID_INTUNE || (type == CERTDIR_ID_CERTIFICATE && !issued_to_entra(world));
	}
	return ids;
}

static bool part_is_behind(const struct certdir_world *world, const struct certdir_source *source,
			   const struct certdir_directory *directory, enum certdir_part part,
			   struct certdir_decision *decision)
{
	int64_t age;

	if (certdir_source_fresh(world, source, directory, part, &age))
		return false;
	decision->age = age > 0 ? age : 0;
	if (age < 0)
		(void)certdir_conclude(decision, CERTDIR_LIST_STALE,
				       "not in the list, whose source \"%s\" was never synced, or in the future",
				       source->name);
	else
		(void)certdir_conclude(decision, CERTDIR_LIST_STALE,
				       "not in the list, whose source \"%s\" was last synced %lld s ago%s",
				       source->name, (long long)age,
				       part == CERTDIR_PART_OF_INTUNE ? " (its Intune part)" : "");
	return true;
}

/* Whether a source of the answer is behind: it does not know the newest devices. */
static bool is_behind(const struct certdir_world *world, size_t d, struct certdir_decision *decision)
{
	const struct certdir_answer *answer = &world->known->answers[d];
	const struct certdir_directory *directory = world->known->directories[d];

	for (size_t s = 0; s < answer->source_count; s++) {
		const struct certdir_source *source = &answer->sources[s];

		if (!is_wanted(world, source->keeps) || certdir_is_foreign(world->known->certificate, source, NULL))
			continue;
		if (part_is_behind(world, source, directory, CERTDIR_PART_OF_DEVICES, decision) ||
		    (source->synced[CERTDIR_PART_OF_INTUNE] && is_intunes(world) &&
		     part_is_behind(world, source, directory, CERTDIR_PART_OF_INTUNE, decision)))
			return true;
	}
	return false;
}

/* "Not found" is believed only when all could answer that would know the device. */
static void look_for_failure(const struct certdir_world *world, struct certdir_decision *decision)
{
	for (size_t d = 0; d < world->known->count; d++) {
		const struct certdir_answer *answer = &world->known->answers[d];
		bool failed;

		if (!(world->use >> d & 1) || !world->known->in_scope[d] || !is_wanted(world, answer->keeps))
			continue;
		failed = answer->state == CERTDIR_ANSWER_MISSING || answer->state == CERTDIR_ANSWER_UNAVAILABLE;
		/* A device that was found, and may only not be spoken for, is not one that came since. */
		if (!failed && (world->silenced || !is_behind(world, d, decision)))
			continue;
		decision->directory = world->known->directories[d]->name;
		if (failed)
			(void)certdir_conclude(decision,
					       answer->state == CERTDIR_ANSWER_MISSING ? CERTDIR_LIST_MISSING
										       : CERTDIR_DIRECTORY_UNAVAILABLE,
					       "%s", answer->detail);
		return;
	}
}

/* ---- what confirms ---- */

/* One of Active Directory's: S-1-12-1-.. is an object id of Entra ID, which a device may have beside its SID. */
static bool is_sid(const struct certdir_identity *id)
{
	return (id->type == CERTDIR_ID_SID || id->type == CERTDIR_ID_SID_URI || id->type == CERTDIR_ID_USER_SID) &&
	       strncmp(id->value, "S-1-12-1-", 9) != 0;
}

static const struct certdir_view *carrier(const struct certdir_world *world, const struct certdir_identity *id)
{
	for (size_t v = 0; v < world->count; v++)
		if (certdir_view_carries(&world->views[v], id) == CERTDIR_CARRIES_YES)
			return &world->views[v];
	return NULL;
}

/* `other`: looks for values of somebody else; without, for SIDs that the device does not have. */
static bool confirm(const struct certdir_world *world, size_t device, bool other, struct certdir_decision *decision)
{
	const struct certdir_certificate *certificate = world->known->certificate;

	for (size_t i = 0; i < certificate->count; i++) {
		const struct certdir_identity *id = &certificate->identities[i];
		const struct certdir_view *view;

		if (!(world->known->accepted >> i & 1) || id->rank != CERTDIR_RANK_CONFIRMING ||
		    certdir_device_carries(world, device, id) == CERTDIR_CARRIES_YES)
			continue;
		view = other ? carrier(world, id) : NULL;
		if (view)
			return certdir_conclude(decision, CERTDIR_CONFLICT, "%s in %s belongs to %s", id->value,
						id->from, view->record->device.id);
		/* Intune writes the person's SID into the certificates of persons: where a device's is, a section has to say so. */
		if (!other && is_sid(id) && (!certificate->person || id->type == CERTDIR_ID_USER_SID) &&
		    certdir_device_has(world, device, CERTDIR_ID_SID))
			return certdir_conclude(decision, CERTDIR_SID_MISMATCH,
						"the certificate says %s in %s, the SID of %s is another", id->value,
						id->from, decision->records[0]->device.id);
	}
	return true;
}

/* ---- the tables of issued certificates ---- */

/* Whether a table has it that is fresh; *age is that of one that is not. */
static bool is_known_now(const struct certdir_world *world, int64_t *age, const char **behind)
{
	for (size_t v = 0; v < world->count; v++) {
		const struct certdir_view *view = &world->views[v];
		int64_t old;

		if (!view->record->issued)
			continue;
		if (certdir_fresh_since(world, view, CERTDIR_PART_OF_CERTIFICATES, view->record->issued->as_of, &old))
			return true;
		*age = old;
		*behind = view->source->name;
	}
	return false;
}

/* When the newest of the fresh tables was made, 0 = there is none; *behind, *age: one that is not fresh. */
static int64_t newest_table(const struct certdir_world *world, int64_t *age, const char **behind)
{
	int64_t newest = 0;

	for (size_t d = 0; d < world->known->count; d++) {
		const struct certdir_answer *answer = &world->known->answers[d];

		for (size_t s = 0; (world->use >> d & 1) && world->known->in_scope[d] && s < answer->source_count;
		     s++) {
			const struct certdir_source *source = &answer->sources[s];
			const int64_t synced = source->synced[CERTDIR_PART_OF_CERTIFICATES];
			int64_t old;

			if (!synced || certdir_is_foreign(world->known->certificate, source, NULL))
				continue;
			if (!certdir_source_fresh(world, source, world->known->directories[d],
						  CERTDIR_PART_OF_CERTIFICATES, &old)) {
				*age = old;
				*behind = source->name;
			} else if (synced > newest) {
				newest = synced;
			}
		}
	}
	return newest;
}

/*
 * require_known_certificate: a table has it, or was made before it could have it. What only an old table could tell is not told: whether it
 * has been revoked since.
 */
static bool certificate_known(const struct certdir_world *world, struct certdir_decision *decision)
{
	const char *behind = NULL;
	int64_t age = 0, newest;

	if (!world->policy->require_known_certificate || is_known_now(world, &age, &behind))
		return true;
	newest = newest_table(world, &age, &behind);
	if (behind && !newest) {
		decision->age = age > 0 ? age : 0;
		return certdir_conclude(
			decision, CERTDIR_LIST_STALE,
			"the certificates part of \"%s\" was synced %lld s ago, or in the future: too old "
			"for require_known_certificate",
			behind, (long long)age);
	}
	if (!newest)
		return certdir_conclude(decision, CERTDIR_LIST_STALE,
					"require_known_certificate = yes, but no list has a table of issued "
					"certificates: sync them with certificates = yes, or import one");
	if (world->known->certificate->not_before > newest - world->policy->known_certificate_grace)
		return true;
	return certdir_conclude(decision, CERTDIR_NOT_FOUND,
				"no table of issued certificates has this one, and it is older than "
				"known_certificate_grace: it was not issued through Intune, or not to a device that is "
				"still there; have it issued again");
}

/* ---- the device's records, those that describe it best first ---- */

static unsigned place_of(const struct certdir_view *view)
{
	return (view->only_against ? 2U * CERTDIR_DIRECTORIES_MAX : 0U) +
	       (view->source->kind == CERTDIR_SOURCE_IMPORT ? 1U * CERTDIR_DIRECTORIES_MAX : 0U) +
	       (unsigned)view->directory;
}

static void note_records(const struct certdir_world *world, size_t device, struct certdir_decision *decision)
{
	decision->record_count = 0;
	for (unsigned place = 0; place < 4 * CERTDIR_DIRECTORIES_MAX; place++)
		for (size_t v = 0; v < world->count && decision->record_count < CERTDIR_DEVICE_RECORDS_MAX; v++) {
			const struct certdir_view *view = &world->views[v];

			if (view->device != device || place_of(view) != place)
				continue;
			if (!decision->record_count)
				decision->directory = world->known->directories[view->directory]->name;
			decision->records[decision->record_count++] = view->record;
		}
}

/* ---- all of it ---- */

static bool find(struct certdir_world *world, size_t *device, struct certdir_decision *decision)
{
	if (!world->deciding)
		return certdir_conclude(decision, CERTDIR_NOT_FOUND,
					world->known->persons
						? "no directory knows people by such names as the certificate has: a "
						  "tenant's are in a list after a sync with users = yes"
						: "no directory knows devices by such names as the certificate has");
	if (world->rank >= CERTDIR_RANK_ID)
		return certdir_find_by_ids(world, device, decision);
	if (world->known->certificate->left_out)
		return certdir_conclude(decision, CERTDIR_MALFORMED_CERTIFICATE,
					"%zu more names than are looked up, and no id among them",
					world->known->certificate->left_out);
	return certdir_find_by_names(world, device, decision);
}

static void decide(struct certdir_world *world, struct certdir_decision *decision)
{
	size_t device = 0;

	memset(decision, 0, sizeof(*decision));
	world->silenced = false;
	certdir_world_fill(world);
	if (!find(world, &device, decision)) {
		if (decision->reason == CERTDIR_NOT_FOUND)
			look_for_failure(world, decision);
		return;
	}
	note_records(world, device, decision);
	if (!confirm(world, device, true, decision)) {
		decision->record_count = 0;
		return;
	}
	if (certificate_known(world, decision) && confirm(world, device, false, decision))
		certdir_judge(world, device, decision);
}

/* Whether old parts, taken for fresh, could make a difference. */
static bool may_change(const struct certdir_decision *decision)
{
	return certdir_reason_verdict(decision->reason) == CERTDIR_UNSURE ||
	       ((decision->reason == CERTDIR_NOT_COMPLIANT || decision->reason == CERTDIR_COMPLIANCE_UNKNOWN) &&
		!decision->only_compliance);
}

void certdir_decide(const struct certdir_known *known, uint32_t use, const struct certdir_policy *policy, int64_t now,
		    struct certdir_decision *decision)
{
	struct certdir_world world; /* large, and filled only as far as its counts say */
	char without[CERTDIR_TEXT_MAX];

	world.known = known;
	world.policy = policy;
	world.use = use;
	world.now = now;
	world.stale_is_fresh = false;
	decide(&world, decision);
	if (!policy->allow_stale || !may_change(decision))
		return;
	certdir_say(without, "%s", decision->detail);
	world.stale_is_fresh = true;
	decide(&world, decision);
	if (decision->reason != CERTDIR_ALLOWED)
		return;
	/* What would have kept it out names the source that is behind, and by how much. */
	decision->reason = CERTDIR_ALLOWED_STALE;
	certdir_say(decision->detail, "although %s", without);
}

void certdir_decide_record(const struct certdir_record *record, const struct certdir_source *source,
			   const struct certdir_policy *policy, int64_t now, struct certdir_decision *decision)
{
	static const struct certdir_certificate nobody;
	static const struct certdir_directory directory = {.name = "list"}; /* of no max_age */
	const struct certdir_known known = {.certificate = &nobody, .count = 1, .directories = {&directory}};
	struct certdir_world world;

	memset(decision, 0, sizeof(*decision));
	world.known = &known;
	world.policy = policy;
	world.use = 1;
	world.now = now;
	world.stale_is_fresh = false;
	world.deciding = 0;
	world.rank = CERTDIR_RANK_NONE;
	world.views[0] = (struct certdir_view){.record = record, .source = source};
	world.count = 1;
	note_records(&world, 0, decision);
	certdir_judge(&world, 0, decision);
}
