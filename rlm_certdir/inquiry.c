/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inquiry.h"

#include <stdlib.h>
#include <string.h>

#include "text/canonical.h"
#include "text/dn.h"

/* ---- what is asked for: values of the certificate, and ids that answers teach ---- */

enum { SOUGHT_MAX = 256 };

struct seeking {
	struct certdir_check *check;
	const struct certdir_inquiry *inquiry;
	int64_t now;
	struct certdir_sought
		sought[SOUGHT_MAX]; /* values of ids that were learnt are owned: their answer may fail later */
	char guids[CERTDIR_IDENTITIES_MAX][37]; /* of SIDs that say one */
	signed char identity[SOUGHT_MAX]; /* of the certificate, or -1: an id that was learnt */
	bool lists_only[SOUGHT_MAX]; /* what confirms costs no round trip */
	size_t count;
	bool full; /* there was more to ask for: then what was not found is not known to be one device's */
	size_t asked[CERTDIR_DIRECTORIES_MAX]; /* how many of them that list was asked for */
	size_t learnt[CERTDIR_DIRECTORIES_MAX]; /* how many of its records were looked at for ids */
};

static void seek(struct seeking *seeking, enum certdir_identity_type type, const char *value, int identity,
		 bool lists_only)
{
	if (certdir_type_is_guid(type))
		type = seeking->inquiry->persons ? CERTDIR_ID_USER_ID : CERTDIR_ID_GUID;
	else if (type == CERTDIR_ID_SID_URI || type == CERTDIR_ID_SID)
		type = seeking->inquiry->persons ? CERTDIR_ID_USER_SID : CERTDIR_ID_SID;
	for (size_t i = 0; i < seeking->count; i++)
		if (seeking->sought[i].type == type && strcmp(seeking->sought[i].value, value) == 0) {
			seeking->lists_only[i] &= lists_only;
			return;
		}
	seeking->full |= seeking->count == SOUGHT_MAX;
	/* An answer may have made it full before. */
	if (!seeking->full && identity < 0)
		seeking->full = !(value = strdup(value));
	if (seeking->full)
		return;
	seeking->sought[seeking->count] = (struct certdir_sought){.type = type, .value = value};
	seeking->identity[seeking->count] = (signed char)identity;
	seeking->lists_only[seeking->count++] = lists_only;
}

/* The values that decide, the marks of the certificate itself, what confirms, and names where they must agree. */
static void seek_identities(struct seeking *seeking)
{
	const struct certdir_certificate *certificate = &seeking->check->certificate;
	const struct certdir_known *known = &seeking->check->known;

	for (size_t i = 0; i < certificate->count; i++) {
		const struct certdir_identity *id = &certificate->identities[i];
		const bool confirms = id->rank == CERTDIR_RANK_CONFIRMING;
		enum certdir_identity_type type = id->type;
		const char *value = id->value;

		/* The tables of issued certificates are asked already. */
		if (!(known->accepted >> i & 1) || id->type == CERTDIR_ID_CERTIFICATE ||
		    !(confirms || (seeking->check->deciding >> i & 1) || id->type == CERTDIR_ID_MAPPING ||
		      (seeking->inquiry->policy->names_must_agree && id->rank == CERTDIR_RANK_CHOSEN)))
			continue;
		if ((type == CERTDIR_ID_SID || type == CERTDIR_ID_SID_URI || type == CERTDIR_ID_USER_SID) &&
		    certdir_sid_object_id(value, seeking->guids[i])) {
			type = CERTDIR_ID_GUID;
			value = seeking->guids[i];
		}
		seek(seeking, type, value, (int)i, confirms);
		seeking->check->sought |= UINT64_C(1) << i;
	}
}

static void learn_record(struct seeking *seeking, const struct certdir_record *record)
{
	const struct certdir_device *device = &record->device;
	const char *const guids[] = {device->entra_device_id, device->intune_device_id, device->object_id,
				     device->udid};

	for (size_t i = 0; i < sizeof(guids) / sizeof(guids[0]); i++)
		if (guids[i])
			seek(seeking, CERTDIR_ID_GUID, guids[i], -1, false);
	if (device->sid)
		seek(seeking, CERTDIR_ID_SID, device->sid, -1, false);
	for (size_t i = 0; i < record->value_count; i++)
		if (certdir_type_is_guid(record->values[i].type) || record->values[i].type == CERTDIR_ID_SID)
			seek(seeking, record->values[i].type, record->values[i].value, -1, false);
}

/* Ids of the records that have come since the last time. Those of another tenant teach nothing. */
static void learn(struct seeking *seeking)
{
	for (size_t d = 0; d < seeking->check->known.count; d++) {
		const struct certdir_answer *answer = &seeking->check->known.answers[d];

		for (size_t r = seeking->learnt[d]; r < answer->count; r++)
			if (!certdir_is_foreign(&seeking->check->certificate,
						&answer->sources[answer->records[r].source], &answer->records[r]))
				learn_record(seeking, &answer->records[r]);
		seeking->learnt[d] = answer->count;
	}
}

/* ---- asking ---- */

/* An id that so many carry links nothing, and a name that so many carry says little. */
static void note_many(struct seeking *seeking, size_t d, size_t i)
{
	struct certdir_known *known = &seeking->check->known;

	if (seeking->identity[i] >= 0)
		known->many[d] |= UINT64_C(1) << seeking->identity[i];
	/* A live directory may also say so of what it does not show. */
	if (known->directories[d]->is_live || certdir_type_rank(seeking->sought[i].type) == CERTDIR_RANK_CHOSEN)
		return;
	if (known->filler_count < CERTDIR_FILLERS_MAX)
		known->fillers[known->filler_count] = strdup(seeking->sought[i].value);
	if (known->filler_count < CERTDIR_FILLERS_MAX && known->fillers[known->filler_count])
		known->filler_count++;
	else
		seeking->full = true;
}

static void search(struct seeking *seeking, size_t d, const size_t *which, size_t count)
{
	struct certdir_directory *directory = seeking->inquiry->directories[d];
	struct certdir_known *known = &seeking->check->known;
	struct certdir_sought sought[SOUGHT_MAX];

	for (size_t i = 0; i < count; i++) {
		sought[i] = seeking->sought[which[i]];
		sought[i].many = false;
	}
	directory->type->search(directory, sought, count, &known->answers[d]);
	seeking->full |= known->answers[d].full;
	for (size_t i = 0; i < count; i++)
		if (sought[i].many)
			note_many(seeking, d, which[i]);
}

static bool can_answer(const struct certdir_known *known, size_t d)
{
	return known->in_scope[d] && known->answers[d].state != CERTDIR_ANSWER_UNAVAILABLE &&
	       known->answers[d].state != CERTDIR_ANSWER_MISSING;
}

/* Lists are cheap: they are all asked, again with each id that is learnt, until nothing new comes. */
static void ask_lists(struct seeking *seeking)
{
	struct certdir_known *known = &seeking->check->known;
	size_t which[SOUGHT_MAX];
	bool again = true;

	while (again) {
		again = false;
		for (size_t d = 0; d < known->count; d++) {
			size_t count = 0;

			if (known->directories[d]->is_live || !can_answer(known, d))
				continue;
			while (seeking->asked[d] < seeking->count)
				which[count++] = seeking->asked[d]++;
			if (count)
				search(seeking, d, which, count);
			again |= count > 0;
		}
		learn(seeking);
	}
}

static void ask_live(struct seeking *seeking, size_t d)
{
	struct certdir_known *known = &seeking->check->known;
	size_t which[SOUGHT_MAX], count = 0;

	for (size_t i = 0; i < seeking->count; i++)
		if (!seeking->lists_only[i])
			which[count++] = i;
	if (!count || !can_answer(known, d))
		return;
	search(seeking, d, which, count);
	learn(seeking);
	ask_lists(seeking);
}

static void decide(struct seeking *seeking, uint32_t use)
{
	struct certdir_check *check = seeking->check;

	certdir_decide(&check->known, use, seeking->inquiry->policy, seeking->now, &check->decision);
}

/* Whether what the directories in `use` said is a complete "yes". */
static bool is_yes(struct seeking *seeking, uint32_t use)
{
	decide(seeking, use);
	return seeking->check->decision.reason == CERTDIR_ALLOWED;
}

/*
 * LDAP as far as it is needed. By names all are asked, since only then a name is known to be one device's. By ids, one is spared when
 * what stands before it in `directories` gives a complete "yes", and a "no" ends the asking.
 */
static void ask_all_live(struct seeking *seeking, enum certdir_rank rank)
{
	struct certdir_known *known = &seeking->check->known;
	uint32_t before = 0;

	for (size_t d = 0; d < known->count; d++) {
		if (known->directories[d]->is_live && known->in_scope[d]) {
			const bool by_ids = rank >= CERTDIR_RANK_ID && !(seeking->inquiry->asked >> d & 1);
			const bool yes = by_ids && is_yes(seeking, UINT32_MAX);

			if (by_ids && seeking->check->decision.says_no)
				return;
			/* What stands behind it may take back what stands before it. */
			if (!yes || !is_yes(seeking, before))
				ask_live(seeking, d);
		}
		before |= UINT32_C(1) << d;
	}
}

/* ---- scope ---- */

static bool serves_issuer(const struct certdir_directory *directory, const struct certdir_certificate *certificate)
{
	if (!directory->issuers || !directory->issuers[0])
		return true;
	for (const char *const *dn = directory->issuers; *dn; dn++)
		if (certdir_dn_is_issuer(*dn, certificate))
			return true;
	return false;
}

static bool open_scope(struct seeking *seeking)
{
	struct certdir_known *known = &seeking->check->known;
	bool served = false;

	known->certificate = &seeking->check->certificate;
	known->count = seeking->inquiry->count;
	known->persons = seeking->inquiry->persons;
	for (size_t d = 0; d < known->count; d++) {
		known->directories[d] = seeking->inquiry->directories[d];
		known->in_scope[d] = serves_issuer(known->directories[d], known->certificate);
		served |= known->in_scope[d];
		if (known->in_scope[d] && known->directories[d]->is_live)
			known->answers[d].keeps = known->directories[d]->keeps;
		else if (known->in_scope[d])
			search(seeking, d, NULL, 0);
	}
	return served;
}

/* ---- the certificate itself ---- */

/* Whether a list has a row of it. */
static bool has_rows(const struct certdir_known *known)
{
	for (size_t d = 0; d < known->count; d++)
		for (size_t r = 0; r < known->answers[d].count; r++)
			if (known->answers[d].records[r].issued)
				return true;
	return false;
}

/*
 * Looks the certificate up in the tables of issued ones. Where one has it, that is an identity beside those that stand in it, for
 * which CERTDIR_NAMES_MAX leaves room: a device's, while of people it counts that it is revoked. False: memory is out.
 */
static bool ask_tables(struct seeking *seeking)
{
	struct certdir_check *check = seeking->check;
	struct certdir_certificate *certificate = &check->certificate;
	struct certdir_sought sought = {
		.type = CERTDIR_ID_CERTIFICATE, .value = certificate->thumbprint, .certificate = certificate};
	char *value;

	if (!seeking->inquiry->by_certificate || !certificate->thumbprint)
		return true;
	check->tables_asked = true;
	for (size_t d = 0; d < check->known.count; d++)
		if (!check->known.directories[d]->is_live && can_answer(&check->known, d)) {
			seeking->inquiry->directories[d]->type->search(seeking->inquiry->directories[d], &sought, 1,
								       &check->known.answers[d]);
			seeking->full |= check->known.answers[d].full;
		}
	if (seeking->inquiry->persons || !has_rows(&check->known))
		return true;
	value = strdup(certificate->thumbprint);
	if (!value)
		return false;
	check->known.accepted |= UINT64_C(1) << certificate->count;
	check->sought |= UINT64_C(1) << certificate->count;
	certificate->identities[certificate->count++] = (struct certdir_identity){
		.type = CERTDIR_ID_CERTIFICATE, .value = value, .from = "certificate", .rank = CERTDIR_RANK_VOUCHED};
	learn(seeking);
	return true;
}

/* ---- all of it ---- */

void certdir_inquiry_no_memory(struct certdir_check *check)
{
	(void)certdir_conclude(&check->decision, CERTDIR_DIRECTORY_UNAVAILABLE, "out of memory");
}

void certdir_inquiry_no_identity(struct certdir_check *check)
{
	const struct certdir_certificate *certificate = &check->certificate;
	const char *subject = certificate->subject ? certificate->subject : "";

	if (certificate->section)
		(void)certdir_conclude(&check->decision, CERTDIR_NO_IDENTITY,
				       "subject %s, none of whose names certificates %s places", subject,
				       certificate->section);
	else
		(void)certdir_conclude(&check->decision, CERTDIR_NO_IDENTITY, "subject %s%s", subject,
				       certificate->person ? ", a person's" : "");
}

/* Of all that was found. A "no" among what could not be looked at must not get lost. */
static void conclude(const struct seeking *seeking, const struct certdir_policy *policy,
		     struct certdir_decision *decision)
{
	certdir_decide(&seeking->check->known, UINT32_MAX, policy, seeking->now, decision);
	if (seeking->full && certdir_reason_verdict(decision->reason) == CERTDIR_ALLOW)
		(void)certdir_conclude(decision, CERTDIR_AMBIGUOUS,
				       "more %s carry the certificate's names than one login looks at",
				       seeking->inquiry->persons ? "people" : "devices");
}

/* Whether the certificate has anything that could select a device. */
static bool has_selecting(const struct certdir_check *check)
{
	for (size_t i = 0; i < check->certificate.count; i++)
		if ((check->known.accepted >> i & 1) && check->certificate.identities[i].rank >= CERTDIR_RANK_CHOSEN)
			return true;
	return false;
}

void certdir_inquiry_make(struct certdir_check *check, const struct certdir_inquiry *inquiry, int64_t now,
			  struct certdir_decision *without_groups)
{
	struct certdir_policy policy = *inquiry->policy;
	struct seeking seeking; /* large: only what is needed of it is set */
	enum certdir_rank rank;

	seeking.check = check;
	seeking.inquiry = inquiry;
	seeking.now = now;
	seeking.count = 0;
	seeking.full = false;
	memset(seeking.asked, 0, sizeof(seeking.asked));
	memset(seeking.learnt, 0, sizeof(seeking.learnt));
	if (!open_scope(&seeking) && has_selecting(check)) {
		(void)certdir_conclude(&check->decision, CERTDIR_ISSUER, "no directory serves certificates of %s",
				       check->certificate.issuer);
		if (without_groups)
			*without_groups = check->decision;
		return;
	}
	if (!ask_tables(&seeking) || !has_selecting(check)) {
		if (has_rows(&check->known))
			certdir_inquiry_no_memory(check);
		else
			certdir_inquiry_no_identity(check);
		if (without_groups)
			*without_groups = check->decision;
		return;
	}
	check->deciding = certdir_deciding(&check->known, &rank);
	seek_identities(&seeking);
	ask_lists(&seeking);
	ask_all_live(&seeking, rank);
	check->deciding = certdir_deciding(&check->known, &rank);
	conclude(&seeking, inquiry->policy, &check->decision);
	policy.groups = NULL;
	if (without_groups)
		conclude(&seeking, &policy, without_groups);
	for (size_t i = 0; i < seeking.count; i++)
		if (seeking.identity[i] < 0)
			free((char *)(uintptr_t)seeking.sought[i].value);
}
