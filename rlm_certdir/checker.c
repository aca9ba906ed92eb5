/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "checker.h"

#include <stdlib.h>
#include <string.h>

#include "identity/mapping.h"
#include "inquiry.h"
#include "text/canonical.h"

void certdir_checker_clear(struct certdir_checker *checker)
{
	/* People may be a part of the same directory. */
	for (size_t i = 0; i < checker->people_count; i++)
		checker->people[i]->type->close(checker->people[i]);
	for (size_t i = 0; i < checker->directory_count; i++)
		checker->directories[i]->type->close(checker->directories[i]);
	for (size_t i = 0; i < checker->form_count; i++)
		certdir_form_clear(&checker->forms[i]);
	free(checker->forms);
	free(checker->sections);
	memset(checker, 0, sizeof(*checker));
}

struct certdir_rules certdir_checker_rules(const struct certdir_checker *checker)
{
	return (struct certdir_rules){.forms = checker->forms,
				      .form_count = checker->form_count,
				      .sections = checker->sections,
				      .section_count = checker->section_count};
}

void certdir_check_clear(struct certdir_check *check)
{
	for (size_t i = 0; i < CERTDIR_DIRECTORIES_MAX; i++)
		certdir_answer_clear(&check->known.answers[i]);
	for (size_t i = 0; i < check->known.filler_count; i++)
		free(check->known.fillers[i]);
	if (check->person)
		certdir_check_clear(check->person);
	free(check->person);
	free(check->owner);
	if (check->parsed)
		certdir_certificate_clear(&check->certificate);
	memset(check, 0, sizeof(*check));
}

/* ---- what is asked, and of whom ---- */

/* The identities whose type is accepted; that either form of SID is named accepts both. *selects: some can say who is meant. */
static uint64_t accept(const struct certdir_certificate *certificate, uint32_t accepted, bool *selects)
{
	const uint32_t sids = CERTDIR_BIT(CERTDIR_ID_SID) | CERTDIR_BIT(CERTDIR_ID_SID_URI);
	uint64_t bits = 0;

	*selects = false;
	for (size_t i = 0; i < certificate->count; i++) {
		const struct certdir_identity *id = &certificate->identities[i];
		const uint32_t type = CERTDIR_BIT(id->type);

		if (id->rank == CERTDIR_RANK_NONE || !(accepted & (type & sids ? sids : type)))
			continue;
		bits |= UINT64_C(1) << i;
		*selects |= id->rank >= CERTDIR_RANK_CHOSEN;
	}
	return bits;
}

static struct certdir_inquiry about_devices(const struct certdir_checker *checker)
{
	return (struct certdir_inquiry){.directories = checker->directories,
					.count = checker->directory_count,
					.policy = &checker->policy,
					.asked = checker->asked_of_devices,
					.by_certificate = checker->accepted & CERTDIR_BIT(CERTDIR_ID_CERTIFICATE)};
}

static struct certdir_inquiry about_people(const struct certdir_checker *checker, const struct certdir_policy *policy)
{
	return (struct certdir_inquiry){.directories = checker->people,
					.count = checker->people_count,
					.policy = policy,
					.asked = checker->asked_of_people,
					.persons = true,
					.by_certificate = checker->accepted & CERTDIR_BIT(CERTDIR_ID_CERTIFICATE)};
}

/* ---- who is asked for what no list has ---- */

/* Whether the list knows its tenants' devices as of lately: what it does not know then may be new. */
static bool is_fresh(const struct certdir_directory *directory, const struct certdir_answer *answer, int64_t now)
{
	for (size_t i = 0; answer->state == CERTDIR_ANSWERED && i < answer->source_count; i++) {
		const struct certdir_source *source = &answer->sources[i];
		const int64_t limit = certdir_source_limit(source, CERTDIR_PART_OF_DEVICES, directory->max_age);

		if (source->kind == CERTDIR_SOURCE_TENANT && source->synced[CERTDIR_PART_OF_DEVICES] != 0 &&
		    (limit == 0 || now - source->synced[CERTDIR_PART_OF_DEVICES] <= limit))
			return true;
	}
	return false;
}

/* Whether nobody knows a device by the ids that decide. Who chooses a name himself is not asked for: anybody could. */
static bool is_unknown(const struct certdir_check *check)
{
	const enum certdir_reason reason = check->decision.reason;

	return check->decision.record_count == 0 &&
	       (reason == CERTDIR_NOT_FOUND || reason == CERTDIR_LIST_STALE || reason == CERTDIR_DIRECTORY_UNAVAILABLE);
}

/* Has those asked who can be; true when one has it now. */
static bool ask_for(struct certdir_check *check, const struct certdir_identity *id, int64_t now)
{
	const struct certdir_known *known = &check->known;
	const char *tenant = check->certificate.tenant ? check->certificate.tenant : "";

	for (size_t d = 0; d < known->count; d++) {
		struct certdir_directory *directory = (struct certdir_directory *)(uintptr_t)known->directories[d];

		if (!known->in_scope[d] || !directory->ask || !is_fresh(directory, &known->answers[d], now))
			continue;
		check->asked_for = true;
		check->came = directory->ask(directory, id->type, id->value, tenant);
		if (check->came)
			return true;
	}
	return false;
}

static bool ask_for_unknown(struct certdir_check *check, int64_t now)
{
	const struct certdir_certificate *certificate = &check->certificate;

	for (size_t i = 0; i < certificate->count; i++) {
		const struct certdir_identity *id = &certificate->identities[i];

		if ((check->deciding >> i & 1) && id->rank >= CERTDIR_RANK_ID && certdir_type_is_guid(id->type) &&
		    ask_for(check, id, now))
			return true;
	}
	return false;
}

/* Forgets what was answered, and the identity that a table of issued certificates gave. */
static void forget_answers(struct certdir_check *check)
{
	struct certdir_certificate *certificate = &check->certificate;
	struct certdir_known *known = &check->known;

	for (size_t d = 0; d < CERTDIR_DIRECTORIES_MAX; d++) {
		certdir_answer_clear(&known->answers[d]);
		known->many[d] = 0;
	}
	known->filler_count = 0;
	if (certificate->count > 0 && certificate->identities[certificate->count - 1].type == CERTDIR_ID_CERTIFICATE &&
	    strcmp(certificate->identities[certificate->count - 1].from, "certificate") == 0) {
		free(certificate->identities[--certificate->count].value);
		known->accepted &= ~(UINT64_C(1) << certificate->count);
	}
	check->sought = check->deciding = 0;
	memset(&check->decision, 0, sizeof(check->decision));
}

/* Once more, if what nobody knew is known now: on the new edition, from the beginning. */
static void ask_devices(struct certdir_check *check, const struct certdir_inquiry *inquiry, int64_t now,
			struct certdir_decision *without_groups)
{
	certdir_inquiry_make(check, inquiry, now, without_groups);
	if (check->lists_alone || !is_unknown(check) || !ask_for_unknown(check, now))
		return;
	forget_answers(check);
	certdir_inquiry_make(check, inquiry, now, without_groups);
}

/* ---- people ---- */

/*
 * Asks who the person is that `certificate`, which lives as long as `check`, names. Personal names are accepted where a section places
 * them: `identities` is about devices. False: memory is out, which is the decision.
 */
static bool ask_person(struct certdir_check *check, const struct certdir_checker *checker,
		       const struct certdir_certificate *certificate, const struct certdir_policy *policy, int64_t now,
		       struct certdir_decision *without_groups)
{
	const struct certdir_inquiry people = about_people(checker, policy);
	struct certdir_check *person = calloc(1, sizeof(*person));
	bool selects;

	if (!person) {
		certdir_inquiry_no_memory(check);
		return false;
	}
	check->person = person;
	person->certificate = *certificate; /* borrowed: it is not `parsed` here */
	person->known.wrong_user_name = check->known.wrong_user_name;
	person->known.accepted = accept(certificate, CERTDIR_PERSONS, &selects);
	if (selects) {
		certdir_inquiry_make(person, &people, now, without_groups);
		return true;
	}
	certdir_inquiry_no_identity(person);
	*without_groups = person->decision;
	return true;
}

/*
 * A person's certificate: the person has to be fine, and the device as well where the section says so and it names one (`names_device`), or
 * a table of issued ones says which it is on.
 */
static void check_person(struct certdir_check *check, const struct certdir_checker *checker, int64_t now,
			 bool names_device)
{
	const struct certdir_inquiry devices = about_devices(checker);
	const struct certdir_policy policy = certdir_policy_of_person(&checker->policy, true);
	struct certdir_decision device_without, person_without;

	if (!ask_person(check, checker, &check->certificate, &policy, now, &person_without))
		return;
	if (check->certificate.holder == CERTDIR_HOLDER_BOTH)
		ask_devices(check, &devices, now, &device_without);
	if (!names_device && !check->deciding) {
		check->decision = check->person->decision;
		check->decision.record_count = 0;
		return;
	}
	certdir_decide_both(&check->decision, &device_without, &check->person->decision, &person_without);
	certdir_decision_take(&check->decision, &check->person->decision, "the user");
}

/* Who a device is of, as if a certificate said so. */
struct certdir_owner {
	struct certdir_certificate certificate;
	char upn[CERTDIR_VALUE_MAX + 1];
};

static const char *owner_of(const struct certdir_decision *decision)
{
	for (size_t r = 0; r < decision->record_count; r++)
		if (decision->records[r]->device.owner && decision->records[r]->device.owner[0])
			return decision->records[r]->device.owner;
	return NULL;
}

/* Whose device it is has to be somebody who is still there. A device of nobody, a kiosk, has nobody to ask for. */
static void check_owner(struct certdir_check *check, const struct certdir_checker *checker, int64_t now)
{
	const struct certdir_policy policy = certdir_policy_of_person(&checker->policy, false);
	const char *upn = owner_of(&check->decision);
	struct certdir_decision without;
	struct certdir_owner *owner;

	if (!upn)
		return;
	owner = check->owner = calloc(1, sizeof(*owner));
	if (!owner) {
		certdir_inquiry_no_memory(check);
		return;
	}
	/* "" finds nobody: a text that is no UPN names no person. */
	if (!certdir_canonical(CERTDIR_ID_UPN, upn, strlen(upn), owner->upn))
		owner->upn[0] = '\0';
	owner->certificate.issuer = check->certificate.issuer;
	owner->certificate.tenant = check->certificate.tenant;
	owner->certificate.section = "owner";
	owner->certificate.identities[0] =
		(struct certdir_identity){CERTDIR_ID_UPN, owner->upn, "owner", CERTDIR_RANK_CHOSEN, false};
	owner->certificate.count = 1;
	if (ask_person(check, checker, &owner->certificate, &policy, now, &without))
		certdir_decision_take(&check->decision, &check->person->decision, "its owner");
}

static void check_device(struct certdir_check *check, const struct certdir_checker *checker, int64_t now)
{
	const struct certdir_inquiry devices = about_devices(checker);

	ask_devices(check, &devices, now, NULL);
	if (checker->policy.require_enabled_owner &&
	    (certdir_reason_verdict(check->decision.reason) == CERTDIR_ALLOW || check->decision.only_compliance))
		check_owner(check, checker, now);
}

void certdir_check_names(struct certdir_check *check, const struct certdir_checker *checker,
			 const struct certdir_login *login)
{
	const struct certdir_certificate *certificate = &check->certificate;
	const uint32_t devices = checker->accepted &
				 ~(certificate->holder == CERTDIR_HOLDER_DEVICE ? CERTDIR_PERSONAL : CERTDIR_PERSONS);
	bool selects;

	memset(&check->decision, 0, sizeof(check->decision));
	check->known.accepted = accept(certificate, certificate->holder == CERTDIR_HOLDER_USER ? 0 : devices, &selects);
	check->known.wrong_user_name =
		checker->policy.match_user_name && login->user_name &&
		!certdir_user_name_matches(&check->certificate, login->user_name, login->user_name_length);
	if (checker->section_count && !check->certificate.section)
		(void)certdir_conclude(&check->decision, CERTDIR_ISSUER,
				       "no certificates { } section fits issuer %s, template %s, ekus %s",
				       certificate->issuer, certificate->template ? certificate->template : "-",
				       certificate->ekus ? certificate->ekus : "-");
	else if (certificate->holder != CERTDIR_HOLDER_DEVICE)
		check_person(check, checker, login->now, selects);
	else if (!selects && !(devices & CERTDIR_BIT(CERTDIR_ID_CERTIFICATE)))
		certdir_inquiry_no_identity(check);
	else
		check_device(check, checker, login->now);
}

/* What follows when the certificate was read, or was refused with `error`. */
static void check_read(struct certdir_check *check, const struct certdir_checker *checker, bool read,
		       const struct certdir_error *error, const struct certdir_login *login)
{
	check->parsed = true;
	if (!read)
		(void)certdir_conclude(&check->decision, CERTDIR_MALFORMED_CERTIFICATE, "%s", error->text);
	else if ((checker->accepted & CERTDIR_BIT(CERTDIR_ID_MAPPING)) && !certdir_mapping_add(&check->certificate))
		(void)certdir_conclude(&check->decision, CERTDIR_MALFORMED_CERTIFICATE,
				       "no room for the certificate's mappings beside its names");
	else
		certdir_check_names(check, checker, login);
}

void certdir_check_x509(struct certdir_check *check, const struct certdir_checker *checker, struct x509_st *x509,
			const struct certdir_login *login)
{
	const struct certdir_rules rules = certdir_checker_rules(checker);
	struct certdir_error error;
	bool read;

	memset(check, 0, sizeof(*check));
	read = certdir_certificate_read(&check->certificate, x509, &rules, &error);
	check_read(check, checker, read, &error, login);
	if (check->decision.reason == CERTDIR_NO_IDENTITY && certdir_certificate_subject(&check->certificate, x509))
		certdir_inquiry_no_identity(check);
}

void certdir_check_der(struct certdir_check *check, const struct certdir_checker *checker, const unsigned char *der,
		       size_t length, const struct certdir_login *login)
{
	const struct certdir_rules rules = certdir_checker_rules(checker);
	struct certdir_error error;
	bool read;

	memset(check, 0, sizeof(*check));
	read = certdir_certificate_parse(&check->certificate, der, length, &rules, &error);
	check_read(check, checker, read, &error, login);
}
