/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "again.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "facts.h"
#include "text/canonical.h"
#include "text/dn.h"

/* ---- of a login ---- */

/* The person's own decision, where the certificate is a person's. A device's owner is looked up anew each time. */
static const struct certdir_check *person_of(const struct certdir_check *check)
{
	return check->person && !check->owner ? check->person : NULL;
}

static bool add_id(struct certdir_class *class, enum certdir_identity_type type, enum certdir_rank rank, bool exact,
		   bool needed, const char *value)
{
	struct certdir_class_id *id = &class->ids[class->id_count];

	for (size_t i = 0; i < class->id_count; i++)
		if (class->ids[i].rank == rank && strcmp(class->ids[i].value, value) == 0 &&
		    (class->ids[i].type == type ||
		     (certdir_type_is_guid(class->ids[i].type) && certdir_type_is_guid(type)))) {
			class->ids[i].needed |= needed;
			return true;
		}
	if (class->id_count == CERTDIR_CLASS_IDS_MAX)
		return !needed;
	*id = (struct certdir_class_id){.type = type, .rank = rank, .exact = exact, .needed = needed};
	(void)snprintf(id->value, sizeof(id->value), "%s", value);
	class->id_count++;
	return true;
}

/* Whether some record that was decided on has the value, or had it as a name. */
static bool is_carried(const struct certdir_check *check, const struct certdir_identity *id)
{
	const struct certdir_known *known = &check->known;

	for (size_t d = 0; d < known->count; d++)
		for (size_t r = 0; r < known->answers[d].count; r++) {
			const struct certdir_record *record = &known->answers[d].records[r];
			const enum certdir_source_kind kind = known->answers[d].sources[record->source].kind;

			for (size_t i = 0; i < check->decision.record_count; i++)
				if (check->decision.records[i] == record &&
				    certdir_record_carries(record, kind, id->type, id->value) != CERTDIR_CARRIES_NOT)
					return true;
		}
	return false;
}

/* What the values of a login are, which decided. */
struct deciding {
	struct certdir_identity values[CERTDIR_IDENTITIES_MAX]; /* borrowed */
	size_t count;
	enum certdir_rank rank;
	bool others; /* marks of the certificate itself, or names beside ids, found records, too: nobody is found by these again */
	size_t length; /* of those that the device has */
};

/* As what decided. Bytes are counted as they are packed. */
static void add_value(struct deciding *deciding, const struct certdir_check *check, struct certdir_identity id)
{
	enum { GUID = 16 };

	if (!id.value || deciding->count == CERTDIR_IDENTITIES_MAX)
		return;
	if (is_carried(check, &id))
		deciding->length += certdir_type_is_guid(id.type) ? GUID : strlen(id.value);
	deciding->values[deciding->count++] = id;
}

/* To whom it was issued, as tables say, which may have lost its row later. */
static void add_issued(struct deciding *deciding, const struct certdir_check *check)
{
	const struct certdir_decision *decision = &check->decision;

	for (size_t r = 0; r < decision->record_count; r++) {
		const struct certdir_issued *issued = decision->records[r]->issued;

		if (!issued)
			continue;
		add_value(deciding, check,
			  (struct certdir_identity){.type = CERTDIR_ID_INTUNE,
						    .rank = CERTDIR_RANK_VOUCHED,
						    .value = issued->intune_device_id});
		add_value(deciding, check,
			  (struct certdir_identity){.type = CERTDIR_ID_ENTRA,
						    .rank = CERTDIR_RANK_VOUCHED,
						    .value = issued->entra_device_id});
	}
}

static void note_deciding(struct deciding *deciding, const struct certdir_check *check)
{
	*deciding = (struct deciding){.count = 0};
	for (size_t i = 0; i < check->certificate.count; i++) {
		const struct certdir_identity *id = &check->certificate.identities[i];

		/* names_must_agree: names were looked up beside ids. */
		deciding->others |= (check->sought >> i & 1) && id->rank == CERTDIR_RANK_CHOSEN;
		if (!(check->deciding >> i & 1))
			continue;
		deciding->rank = id->rank;
		deciding->others |= id->type == CERTDIR_ID_CERTIFICATE || id->type == CERTDIR_ID_MAPPING;
		if (id->type == CERTDIR_ID_CERTIFICATE)
			add_issued(deciding, check);
		else if (id->type != CERTDIR_ID_MAPPING)
			add_value(deciding, check, *id);
	}
}

/*
 * As they are: then the second judgement goes the way of the first. What nobody has says nothing: it is there if there is room. False: the
 * device has none of them, or there is no room.
 */
static bool put_values(struct certdir_class *class, const struct certdir_check *check, const struct deciding *deciding)
{
	const size_t before = class->id_count;

	for (int carried = 1; carried >= 0; carried--) {
		for (size_t i = 0; i < deciding->count; i++) {
			const struct certdir_identity *id = &deciding->values[i];

			if (is_carried(check, id) == carried &&
			    !add_id(class, id->type, id->rank, id->exact, carried, id->value))
				return false;
		}
		if (class->id_count == before)
			return false;
	}
	return true;
}

static bool put_ids(struct certdir_class *class, const struct certdir_check *check)
{
	struct certdir_sought ids[CERTDIR_DEVICE_RECORDS_MAX];
	size_t needed;
	const size_t count = certdir_decision_ids(&check->known, &check->decision, ids, &needed);

	for (size_t i = 0; i < count; i++)
		if (!add_id(class, ids[i].type, CERTDIR_RANK_VOUCHED, false, i < needed, ids[i].value))
			return false;
	return count > 0;
}

/* Which live directories have to be asked again, though ids decide then: all, or those that were. */
static void note_asked(struct certdir_class *class, const struct certdir_check *check, bool all)
{
	uint8_t *asked = check->known.persons ? &class->asked_of_person : &class->asked_of_device;

	for (size_t d = 0; d < check->known.count; d++)
		if (check->known.directories[d]->is_live && (all || check->known.answers[d].state != CERTDIR_NOT_ASKED))
			*asked |= (uint8_t)(1U << d);
}

/*
 * What finds the device, or the person, again. Where ids decided, these: short, and the second judgement goes the way of the first. Where
 * names did, or a mapping alone, ids of the records that were found: a session is of that device and of none that is called so later; where a
 * record has none, the names. False: nothing does, or there is too much of it.
 */
static bool put_found(struct certdir_class *class, const struct certdir_check *check)
{
	enum { SHORT = 90 }; /* bytes for which there is room in most cases */
	const size_t before = class->id_count;
	struct deciding deciding;

	note_deciding(&deciding, check);
	/* Directories were asked for more than ids in turn: what those found is asked for by ids, wherever it was. */
	if (deciding.others)
		note_asked(class, check, deciding.rank == CERTDIR_RANK_CHOSEN);
	if (deciding.rank >= CERTDIR_RANK_ID && deciding.length <= SHORT && put_values(class, check, &deciding)) {
		const size_t after = class->id_count;

		if (deciding.others && !put_ids(class, check))
			class->id_count = after;
		return true;
	}
	class->id_count = before;
	if (put_ids(class, check))
		return true;
	class->id_count = before;
	return put_values(class, check, &deciding);
}

/* What the certificate says and nobody has contradicted: a record that comes later may. */
static void put_confirming(struct certdir_class *class, const struct certdir_check *check)
{
	for (size_t i = 0; i < check->certificate.count; i++) {
		const struct certdir_identity *id = &check->certificate.identities[i];

		if ((check->known.accepted >> i & 1) && id->rank == CERTDIR_RANK_CONFIRMING)
			(void)add_id(class, id->type, id->rank, id->exact, false, id->value);
	}
}

/* Of the device's records, or the person's, how many are of directories that are asked live. */
static unsigned live_records(const struct certdir_check *check)
{
	const struct certdir_known *known = &check->known;
	unsigned count = 0;

	for (size_t d = 0; d < known->count; d++)
		for (size_t r = 0; known->directories[d]->is_live && r < known->answers[d].count; r++)
			for (size_t i = 0; i < check->decision.record_count; i++)
				count += check->decision.records[i] == &known->answers[d].records[r];
	return count;
}

static unsigned live_of(const struct certdir_check *check)
{
	const struct certdir_check *person = person_of(check);
	const unsigned count = live_records(check) + (person ? live_records(person) : 0);

	return count < CERTDIR_CLASS_LIVE_MAX ? count : CERTDIR_CLASS_LIVE_MAX;
}

/* A table may know it by issuer and serial number alone. */
static bool is_known_by_serial(const struct certdir_known *known)
{
	for (size_t d = 0; d < known->count; d++)
		for (size_t r = 0; r < known->answers[d].count; r++) {
			const struct certdir_issued *issued = known->answers[d].records[r].issued;

			if (issued && !issued->thumbprint)
				return true;
		}
	return false;
}

static void put_text(char *to, size_t size, const char *text)
{
	if (text && strlen(text) < size)
		strcpy(to, text);
}

static void put_certificate(struct certdir_class *class, const struct certdir_check *check)
{
	const struct certdir_certificate *certificate = &check->certificate;

	class->holder = certificate->holder;
	class->person = certificate->person;
	class->issuer = certificate->issuer ? certdir_dn_hash(certificate->issuer) : 0;
	class->section = certificate->section ? (uint32_t)certdir_hash_text(certificate->section) : 0;
	class->not_before = certificate->not_before > 0 ? certificate->not_before : 0;
	put_text(class->tenant, sizeof(class->tenant), certificate->tenant);
	if (check->tables_asked || (check->person && check->person->tables_asked))
		put_text(class->thumbprint, sizeof(class->thumbprint), certificate->thumbprint);
	if (is_known_by_serial(&check->known) || (check->person && is_known_by_serial(&check->person->known)))
		put_text(class->serial, sizeof(class->serial), certificate->serial);
}

/* ---- what policies of the server's own go by ---- */

static void add_group(void *context, const char *group)
{
	*(uint64_t *)context += certdir_hash_folded(CERTDIR_HASH_START, group);
}

static uint64_t groups_of(const struct certdir_check *check)
{
	const struct certdir_check *person = person_of(check);
	uint64_t devices = 0, people = 0;

	certdir_facts_groups(&check->decision, add_group, &devices);
	if (person)
		certdir_facts_groups(&person->decision, add_group, &people);
	return devices + people * 3;
}

void certdir_class_renew(struct certdir_class *class, const struct certdir_check *check)
{
	class->quarantine = check->decision.only_compliance;
	class->stale = check->decision.reason == CERTDIR_ALLOWED_STALE;
	class->groups = groups_of(check);
}

/* What a Class has of any login. */
static void begin_class(struct certdir_class *class, const struct certdir_check *check, const char *instance,
			int64_t now)
{
	const struct certdir_check *person = person_of(check);
	const char *id = CERTDIR_FACT(&check->decision, id);

	memset(class, 0, sizeof(*class));
	put_text(class->instance, sizeof(class->instance), instance);
	put_text(class->id, sizeof(class->id), id || !person ? id : CERTDIR_FACT(&person->decision, id));
	class->issued = now;
	class->live = live_of(check);
	put_certificate(class, check);
	certdir_class_renew(class, check);
}

void certdir_class_of(struct certdir_class *class, const struct certdir_check *check, const char *instance, int64_t now)
{
	const struct certdir_decision *decision = &check->decision;
	const struct certdir_check *person = person_of(check);
	bool found;

	memset(class, 0, sizeof(*class));
	if (certdir_reason_verdict(decision->reason) != CERTDIR_ALLOW && !decision->only_compliance)
		return;
	begin_class(class, check, instance, now);
	found = (!decision->record_count || put_found(class, check)) && (!person || put_found(class, person));
	if (found)
		put_confirming(class, check);
	else
		class->id_count = 0;
}

/* Those of a rank that were asked for; what decided is needed. False: there is no room for what is. */
static bool put_ranked(struct certdir_class *class, const struct certdir_check *check, enum certdir_rank rank)
{
	const struct certdir_check *person = person_of(check);
	const uint64_t accepted = check->known.accepted | (person ? person->known.accepted : 0);
	const uint64_t deciding = check->deciding | (person ? person->deciding : 0);

	for (size_t i = 0; i < check->certificate.count; i++) {
		const struct certdir_identity *id = &check->certificate.identities[i];

		if (id->rank == rank && (accepted >> i & 1) && id->type != CERTDIR_ID_CERTIFICATE &&
		    id->type != CERTDIR_ID_MAPPING &&
		    !add_id(class, id->type, id->rank, id->exact, deciding >> i & 1, id->value))
			return false;
	}
	return true;
}

void certdir_class_of_observed(struct certdir_class *class, const struct certdir_check *check, const char *instance,
			       int64_t now)
{
	begin_class(class, check, instance, now);
	/* It is where it would be without certdir. */
	class->quarantine = false;
	if (check->decision.reason == CERTDIR_MALFORMED_CERTIFICATE || check->known.wrong_user_name)
		return;
	for (int rank = CERTDIR_RANKS - 1; rank >= CERTDIR_RANK_CONFIRMING; rank--)
		if (!put_ranked(class, check, (enum certdir_rank)rank)) {
			class->id_count = 0;
			return;
		}
	if (!class->id[0] && class->id_count)
		put_text(class->id, sizeof(class->id), class->ids[0].value);
}

/* ---- judged again ---- */

static const char *section_of(const struct certdir_checker *checker, const struct certdir_class *class)
{
	for (size_t i = 0; class->section && i < checker->section_count; i++)
		if ((uint32_t)certdir_hash_text(checker->sections[i].name) == class->section)
			return checker->sections[i].name;
	return NULL;
}

static char *copy(const char *text, bool *copied)
{
	char *new = text[0] ? strdup(text) : NULL;

	*copied &= new || !text[0];
	return new;
}

/* A certificate that says what of it is left. False when memory is out. */
static bool make_certificate(struct certdir_certificate *certificate, const struct certdir_checker *checker,
			     const struct certdir_class *class)
{
	bool copied = true;

	certificate->issuer_hash = class->issuer;
	certificate->issuer = strdup("");
	certificate->section = section_of(checker, class);
	certificate->holder = class->holder;
	certificate->person = class->person;
	certificate->not_before = class->not_before;
	certificate->tenant = copy(class->tenant, &copied);
	certificate->thumbprint = copy(class->thumbprint, &copied);
	certificate->serial = copy(class->serial, &copied);
	for (size_t i = 0; i < class->id_count; i++) {
		const struct certdir_class_id *id = &class->ids[i];

		certificate->identities[certificate->count++] = (struct certdir_identity){
			.type = id->type,
			.value = strdup(id->value),
			.from = "class",
			.rank = id->rank,
			.exact = id->exact,
		};
		copied &= certificate->identities[i].value != NULL;
	}
	return copied && certificate->issuer;
}

/* Leaves those that are asked live out. Returns how many are left. */
static size_t keep_lists(struct certdir_directory **directories, size_t count)
{
	size_t left = 0;

	for (size_t i = 0; i < count; i++)
		if (!directories[i]->is_live)
			directories[left++] = directories[i];
	return left;
}

void certdir_check_again(struct certdir_check *check, const struct certdir_checker *checker,
			 const struct certdir_class *class, bool live, int64_t now)
{
	const uint32_t itself = CERTDIR_BIT(CERTDIR_ID_CERTIFICATE);
	const struct certdir_login login = {.now = now};
	struct certdir_checker again = *checker; /* borrows all of it */

	/* What is in the Class was accepted. */
	again.accepted |= ~itself;
	again.asked_of_devices = class->asked_of_device;
	again.asked_of_people = class->asked_of_person;
	if (!live) {
		again.directory_count = keep_lists(again.directories, again.directory_count);
		again.people_count = keep_lists(again.people, again.people_count);
	}
	memset(check, 0, sizeof(*check));
	check->parsed = true;
	check->lists_alone = !live;
	/* Of a time when nobody asked: its certificate may fit one of them. */
	if (checker->section_count && !class->section)
		(void)certdir_conclude(&check->decision, CERTDIR_DIRECTORY_UNAVAILABLE,
				       "it began before there were certificates { } sections");
	else if (make_certificate(&check->certificate, checker, class))
		certdir_check_names(check, &again, &login);
	else
		(void)certdir_conclude(&check->decision, CERTDIR_DIRECTORY_UNAVAILABLE, "out of memory");
}

/* ---- what follows ---- */

bool certdir_class_stays(const struct certdir_class *class, const struct certdir_check *check)
{
	return certdir_reason_verdict(check->decision.reason) == CERTDIR_ALLOW ||
	       (class->quarantine && check->decision.only_compliance);
}

/* Whether somebody did not answer who may know of more groups, or what he knows is old. */
static bool is_incomplete(const struct certdir_check *check)
{
	for (size_t d = 0; d < check->known.count; d++) {
		const struct certdir_answer *answer = &check->known.answers[d];

		if (answer->state == CERTDIR_ANSWER_UNAVAILABLE || answer->state == CERTDIR_ANSWER_MISSING ||
		    answer->partial)
			return true;
	}
	return check->decision.groups_behind;
}

bool certdir_class_changed(const struct certdir_class *class, const struct certdir_check *check)
{
	const struct certdir_check *person = person_of(check);

	if (!certdir_class_stays(class, check) || check->decision.reason == CERTDIR_ALLOWED_STALE ||
	    (class->live && check->lists_alone))
		return false;
	if (class->stale || class->quarantine != check->decision.only_compliance)
		return true;
	if (is_incomplete(check) || (person && is_incomplete(person)))
		return false;
	/* An account that the login did not find, since ids find more than names do, would be a change each time. */
	if (live_of(check) > class->live)
		return false;
	return groups_of(check) != class->groups;
}
