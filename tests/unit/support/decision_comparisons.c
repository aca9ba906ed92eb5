/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decision_comparisons.h"

struct model first;
struct verdict was;

bool is_failure(enum certdir_reason reason)
{
	return reason == CERTDIR_LIST_STALE || reason == CERTDIR_LIST_MISSING ||
	       reason == CERTDIR_DIRECTORY_UNAVAILABLE;
}

void begin(void)
{
	first = model;
	was = verdict;
}

void end(void)
{
	model = first;
	verdict = was;
}

void judge_changed(void)
{
	verdict = judge(&model);
}

/* ---- what must change nothing ---- */

static void swap(void *a, void *b, size_t size)
{
	unsigned char byte;

	for (size_t i = 0; i < size; i++) {
		byte = ((unsigned char *)a)[i];
		((unsigned char *)a)[i] = ((unsigned char *)b)[i];
		((unsigned char *)b)[i] = byte;
	}
}

void shuffle(void *items, size_t count, size_t size)
{
	for (size_t i = count; i > 1; i--) {
		const size_t with = chance((unsigned)i);

		if (with != i - 1)
			swap((char *)items + (i - 1) * size, (char *)items + with * size, size);
	}
}

static void order_within_changes_nothing(void)
{
	begin();
	for (size_t d = 0; d < model.directory_count; d++) {
		struct model_directory *directory = &model.directories[d];

		shuffle(directory->records, directory->count, sizeof(directory->records[0]));
		if (directory->source_count > 1) {
			swap(&directory->sources[0], &directory->sources[1], sizeof(directory->sources[0]));
			for (size_t r = 0; r < directory->count; r++)
				if (directory->records[r].source < 2)
					directory->records[r].source ^= 1;
		}
	}
	shuffle(model.certificate.identities, model.certificate.count, sizeof(model.certificate.identities[0]));
	judge_changed();
	HOLDS(verdict.reason == was.reason && verdict.device == was.device && verdict.by_dates == was.by_dates,
	      "it was %s (%s), device %llx and not %llx", certdir_reason_name(was.reason), was.detail,
	      (unsigned long long)was.device, (unsigned long long)verdict.device);
	end();
}

/* Which LDAP directory is asked depends on it, and which failure is told. */
static void order_of_lists_changes_nothing(void)
{
	for (size_t d = 0; d < model.directory_count; d++)
		if (model.directories[d].base.is_live)
			return;
	begin();
	shuffle(model.directories, model.directory_count, sizeof(model.directories[0]));
	judge_changed();
	HOLDS((verdict.reason == was.reason || (is_failure(verdict.reason) && is_failure(was.reason))) &&
		      verdict.device == was.device,
	      "it was %s (%s)", certdir_reason_name(was.reason), was.detail);
	end();
}

/* Rule 1. */
static void out_of_scope_changes_nothing(void)
{
	const size_t d = chance((unsigned)model.directory_count);

	if (in_scope(&model.directories[d]))
		return;
	begin();
	model.directories[d].count = 0;
	model.directories[d].state = CERTDIR_ANSWER_UNAVAILABLE;
	model.directories[d].keeps = model.directories[d].base.keeps = UINT32_MAX;
	judge_changed();
	HOLDS(verdict.reason == was.reason && verdict.device == was.device, "it was %s (%s)",
	      certdir_reason_name(was.reason), was.detail);
	end();
}

/* Rule 1: a tenant in the certificate. */
static void foreign_rows_change_nothing(void)
{
	if (!model.certificate.tenant)
		return;
	begin();
	for (size_t d = 0; d < model.directory_count; d++) {
		struct model_directory *directory = &model.directories[d];

		for (size_t r = directory->count; r-- > 0;) {
			const struct known_row row = {.record = &directory->records[r],
						      .source = &directory->sources[directory->records[r].source]};

			if (tenant_of(&row) && strcmp(tenant_of(&row), model.certificate.tenant) != 0)
				directory->records[r] = directory->records[--directory->count];
		}
	}
	judge_changed();
	HOLDS(verdict.reason == was.reason && verdict.device == was.device, "it was %s (%s)",
	      certdir_reason_name(was.reason), was.detail);
	end();
}

/* Rule 2: where ids decide, what ranks lower neither selects nor vetoes. */
static void lower_ranks_change_nothing(void)
{
	const enum certdir_rank rank = top_rank();
	size_t count = 0;

	if (rank < CERTDIR_RANK_ID || model.policy.names_must_agree)
		return;
	begin();
	for (size_t i = 0; i < first.certificate.count; i++)
		if (first.certificate.identities[i].rank >= rank ||
		    first.certificate.identities[i].rank == CERTDIR_RANK_CONFIRMING)
			model.certificate.identities[count++] = first.certificate.identities[i];
	model.certificate.count = count;
	judge_changed();
	HOLDS(verdict.reason == was.reason && verdict.device == was.device, "it was %s (%s)",
	      certdir_reason_name(was.reason), was.detail);
	end();
}

/* ---- who cannot answer ---- */

static bool ids_alone(void)
{
	for (size_t i = 0; i < model.certificate.count; i++)
		if (model.certificate.identities[i].rank == CERTDIR_RANK_VOUCHED &&
		    !is_guid(model.certificate.identities[i].type))
			return false;
	return top_rank() == CERTDIR_RANK_VOUCHED;
}

/* Rule 9: is as if not there, for a device that the others know. */
static void who_is_down_is_not_there(void)
{
	const size_t d = chance((unsigned)model.directory_count);

	if (model.directory_count < 2)
		return;
	begin();
	model.directories[d] = model.directories[--model.directory_count];
	judge_changed();
	if (verdict.allowed && ids_alone()) {
		const struct verdict without = verdict;

		model = first;
		model.directories[d].state = CERTDIR_ANSWER_UNAVAILABLE;
		/* In the other's place, so that the order is the same. */
		swap(&model.directories[d], &model.directories[model.directory_count - 1],
		     sizeof(model.directories[0]));
		judge_changed();
		HOLDS(verdict.reason == without.reason && verdict.device == without.device, "without it is %s (%s)",
		      certdir_reason_name(without.reason), without.detail);
	}
	end();
}

/* Rule 9: if nothing is found, and one that would know could not answer, its failure is the reason. */
static void failure_is_told(void)
{
	const enum certdir_rank rank = top_rank();

	if (verdict.reason != CERTDIR_NOT_FOUND || verdict.device)
		return;
	for (size_t d = 0; d < model.directory_count; d++)
		if (in_scope(&model.directories[d]) && model.directories[d].state != CERTDIR_ANSWERED)
			FOR_EACH_VALUE(id, rank)
	HOLDS(!(model.directories[d].keeps & CERTDIR_BIT(is_guid(id->type) ? CERTDIR_ID_GUID : id->type)),
	      "%s could not answer", model.directories[d].base.name);
}

/* A list behind it may have taught ids by which an LDAP directory before it was asked. */
static bool is_between(size_t d)
{
	bool before = false, behind = false;

	for (size_t i = 0; i < model.directory_count; i++) {
		before |= i < d && model.directories[i].base.is_live;
		behind |= i > d && !model.directories[i].base.is_live;
	}
	return before && behind;
}

/* Rule 9: by ids LDAP is spared only by a complete yes of what stands before it, or by a "no". */
static void ldap_is_spared_by_a_yes(void)
{
	if (top_rank() < CERTDIR_RANK_ID || verdict.reason == CERTDIR_DISABLED || verdict.reason == CERTDIR_RETIRED)
		return;
	for (size_t d = 0; d < model.directory_count; d++) {
		const struct model_directory *directory = &model.directories[d];
		struct verdict before;

		if (!directory->base.is_live || !in_scope(directory))
			continue;
		HOLDS(directory->asked <= 1, "%s was asked %u times", directory->base.name, directory->asked);
		if (directory->asked || directory->state != CERTDIR_ANSWERED || is_between(d))
			continue;
		begin();
		/* The rest is as if not there, but that what it keeps decides about ranks. */
		for (size_t i = d; i < model.directory_count; i++)
			model.directories[i].state = CERTDIR_ANSWER_UNAVAILABLE;
		before = judge(&model);
		end();
		HOLDS(before.allowed, "%s was not asked", directory->base.name);
	}
}

/* ---- what must never let anybody in who was not ---- */

/* Rule 7: one more record of the same id that says no. */
static void one_more_no_lets_nobody_in(void)
{
	const size_t d = chance((unsigned)model.directory_count);
	struct model_directory *directory = &model.directories[d];
	struct certdir_record *record, *of = NULL;

	if (verdict.allowed || !model.rows)
		return;
	for (size_t i = 0; i < DIRECTORIES; i++) {
		struct model_directory *from = &model.directories[chance((unsigned)model.directory_count)];

		if (from->count)
			of = &from->records[chance((unsigned)from->count)];
	}
	if (!of || !(of->device.entra_device_id || of->device.sid))
		return;
	begin();
	record = add_row(&model, d, chance((unsigned)directory->source_count));
	if (record) {
		record->device.id = "no";
		record->device.enabled = CERTDIR_NO;
		record->device.own.is = true;
		record->device.entra_device_id = of->device.entra_device_id;
		if (!of->device.entra_device_id)
			record->device.sid = of->device.sid;
		judge_changed();
		HOLDS(!verdict.allowed, "it was %s (%s)", certdir_reason_name(was.reason), was.detail);
	}
	end();
}

static bool outdated(void)
{
	FOR_EACH_ROW(row, UINT64_MAX)
	if (is_outdated(&row))
		return true;
	return false;
}

/* Rule 8: an older part. */
void age_lets_nobody_in(void)
{
	struct model_directory *directory = &model.directories[chance((unsigned)model.directory_count)];
	struct certdir_source *source = &directory->sources[chance((unsigned)directory->source_count)];
	int64_t *synced = &source->synced[chance(CERTDIR_PARTS)];
	bool silent;

	/* Measured at a part's own time, and by which word is newer: there age does change what is said. */
	if (verdict.allowed || source->kind == CERTDIR_SOURCE_LDAP || *synced <= 0 ||
	    *synced > WORLD_NOW + RULE_AHEAD || model.policy.max_inactive || model.policy.require_compliant)
		return;
	silent = outdated();
	begin();
	*synced -= one_in(2) ? 3600 : 2 * DAY;
	judge_changed();
	/* A tenant that is behind does not silence an import any more (3), and what that allows spares LDAP (9). */
	if (!silent && !outdated() && !(was.heard & ~verdict.heard))
		HOLDS(!verdict.allowed, "\"%s\" grew older, it was %s (%s)", source->name,
		      certdir_reason_name(was.reason), was.detail);
	end();
}

static void policy_lets_nobody_in(void)
{
	const bool agree = model.policy.names_must_agree;

	if (verdict.allowed)
		return;
	begin();
	tighten_policy(&model.policy);
	/* Names that have to agree are looked up, too, and what is found by them may have what was missing. */
	model.policy.names_must_agree = agree;
	judge_changed();
	HOLDS(!verdict.allowed, "the policy asks for more, it was %s (%s)", certdir_reason_name(was.reason),
	      was.detail);
	end();
}

/*
 * Users change nothing for a device's certificate. Of a person's, nobody comes in who is gone, disabled, expired, not known to be enabled or
 * known by an old list alone, and on a device that would not come in itself nobody does; while who is fine does, whatever is down.
 */
static void people_are_asked(void)
{
	struct verdict device;
	bool fine, alone;

	begin();
	fine = make_people(&model);
	judge_changed();
	HOLDS(verdict.reason == was.reason && verdict.device == was.device, "users made it of %s (%s)",
	      certdir_reason_name(was.reason), was.detail);
	model.policy.groups = NULL;
	model.policy.allow_stale = false;
	model.certificate.left_out = 0;
	device = judge(&model);
	alone = device.reason == CERTDIR_NO_IDENTITY;
	put_name(&model, CERTDIR_ID_UPN, CERTDIR_RANK_CHOSEN, PERSON);
	model.certificate.holder = CERTDIR_HOLDER_USER;
	judge_changed();
	HOLDS(verdict.allowed == fine, "the person is %s", fine ? "fine" : "not");
	model.certificate.holder = CERTDIR_HOLDER_BOTH;
	judge_changed();
	HOLDS(verdict.allowed == (fine && (device.allowed || alone)), "the person is %s, the device alone was %s (%s)",
	      fine ? "fine" : "not", certdir_reason_name(device.reason), device.detail);
	end();
}

void check_comparisons(void)
{
	static void (*const comparisons[])(void) = {
		order_within_changes_nothing, order_of_lists_changes_nothing,
		out_of_scope_changes_nothing, foreign_rows_change_nothing,
		lower_ranks_change_nothing,   who_is_down_is_not_there,
		one_more_no_lets_nobody_in,   age_lets_nobody_in,
		policy_lets_nobody_in,	      people_are_asked,
	};

	failure_is_told();
	ldap_is_spared_by_a_yes();
	for (size_t i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]); i++)
		comparisons[i]();
}
