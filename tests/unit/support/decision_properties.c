/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decision_properties.h"

struct model model;

struct verdict verdict;

unsigned checked[64];

const char *names_of_checked[64];

void complain(const char *property, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "seed %llu breaks \"%s\": ", (unsigned long long)model.seed, property);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\n  it is %s (%s)\n", certdir_reason_name(verdict.reason), verdict.detail);
	tell(&model);
	fail();
}

void count_check(const char *property)
{
	size_t i = 0;

	while (names_of_checked[i] && strcmp(names_of_checked[i], property) != 0)
		i++;
	names_of_checked[i] = property;
	checked[i]++;
}

/* ---- records, as the rules speak of them ---- */

bool next_row(struct known_row *row)
{
	for (size_t d = row->at / RECORDS, r = row->at % RECORDS; d < model.directory_count; d++, r = 0)
		if (r < model.directories[d].count) {
			row->directory = &model.directories[d];
			row->record = &row->directory->records[r];
			row->source = &row->directory->sources[row->record->source];
			row->at = d * RECORDS + r + 1;
			return true;
		}
	return false;
}

/* When a source last said what it says in a part, or what a record says. */
static int64_t said_last(const struct known_row *row, enum certdir_part part)
{
	const struct certdir_device *device = row->record ? &row->record->device : NULL;

	if (device && part == CERTDIR_PART_OF_DEVICES && device->own.as_of)
		return device->own.as_of;
	if (device && part == CERTDIR_PART_OF_INTUNE && device->intune.as_of)
		return device->intune.as_of;
	if (device && part == CERTDIR_PART_OF_GROUPS && device->group_count && device->groups[0].as_of)
		return device->groups[0].as_of;
	return row->source->synced[row->source->kind == CERTDIR_SOURCE_IMPORT ? 0 : part];
}

static bool is_fresh(const struct known_row *row, enum certdir_part part, bool stale)
{
	const int64_t synced = said_last(row, part);
	int64_t limit = row->directory->base.max_age;

	if (row->source->kind == CERTDIR_SOURCE_LDAP)
		return true;
	if (!synced || synced > WORLD_NOW + RULE_AHEAD)
		return false;
	if (2 * row->source->interval[part] > limit)
		limit = 2 * row->source->interval[part];
	if (row->source->good_for)
		limit = row->source->good_for;
	if (stale && limit < model.policy.stale_for)
		limit = model.policy.stale_for;
	return (row->directory->base.max_age == 0 && !row->source->good_for) || WORLD_NOW - synced <= limit;
}

const char *tenant_of(const struct known_row *row)
{
	return row->record->device.tenant ? row->record->device.tenant : row->source->tenant;
}

bool in_scope(const struct model_directory *directory)
{
	return !directory->base.issuers;
}

/* Rows that a login may take for something: heard, and of no other tenant than the certificate's. */
static uint64_t rows_heard(void)
{
	uint64_t rows = 0;

	FOR_EACH_ROW(row, verdict.heard)
	{
		const char *tenant = tenant_of(&row);

		if (!model.certificate.tenant || !tenant || strcmp(tenant, model.certificate.tenant) == 0)
			rows |= row_bit(row.record);
	}
	return rows;
}

uint64_t rows_of_lists(void)
{
	uint64_t rows = 0;

	FOR_EACH_ROW(row, UINT64_MAX)
	if (in_scope(row.directory) && !row.directory->base.is_live && row.directory->state == CERTDIR_ANSWERED)
		rows |= row_bit(row.record);
	return rows;
}

void ids_of(const struct certdir_record *record, const char *ids[IDS])
{
	const bool mark = record->value_count && record->values[0].type == CERTDIR_ID_GUID;

	ids[0] = record->device.entra_device_id;
	ids[1] = record->device.intune_device_id;
	ids[2] = record->device.object_id;
	ids[3] = record->device.sid;
	ids[4] = mark ? record->values[0].value : NULL;
}

static bool share_id(const struct certdir_record *a, const struct certdir_record *b)
{
	const char *left[IDS], *right[IDS];

	ids_of(a, left);
	ids_of(b, right);
	for (int i = 0; i < IDS; i++)
		for (int j = 0; j < IDS; j++)
			if (left[i] && left[i] == right[j])
				return true;
	return false;
}

static bool rows_differ(const struct certdir_record *a, const struct certdir_record *b, bool serials)
{
	const char *left[IDS], *right[IDS];

	ids_of(a, left);
	ids_of(b, right);
	for (int i = 0; i < IDS - 1; i++)
		if (left[i] && right[i] && left[i] != right[i])
			return true;
	return serials && a->device.serial_number && b->device.serial_number &&
	       a->device.serial_number != b->device.serial_number;
}

/* All of `among` that share an id with one of `rows`, over any number of steps. */
static uint64_t device_of(uint64_t rows, uint64_t among)
{
	uint64_t before;

	do {
		before = rows;
		FOR_EACH_ROW(a, before)
		{
			const struct certdir_record *const has = a.record;

			FOR_EACH_ROW(b, among & ~rows)
			if (share_id(has, b.record))
				rows |= row_bit(b.record);
		}
	} while (rows != before);
	return rows;
}

static bool sets_differ(uint64_t left, uint64_t right, bool serials)
{
	FOR_EACH_ROW(a, left)
	{
		const struct certdir_record *const has = a.record;

		FOR_EACH_ROW(b, right)
		if (rows_differ(has, b.record, serials))
			return true;
	}
	return false;
}

bool says_no(const struct known_row *row)
{
	const struct certdir_device *device = &row->record->device;
	const char *state = device->management_state;

	return device->enabled == CERTDIR_NO || (device->expires && device->expires <= WORLD_NOW) ||
	       (state && strcmp(state, "managed") != 0);
}

static bool is_of_fresh_tenant(const struct known_row *row, const char *tenant)
{
	return row->source->kind == CERTDIR_SOURCE_TENANT && strcmp(row->source->tenant, tenant) == 0 &&
	       is_fresh(row, CERTDIR_PART_OF_DEVICES, verdict.reason == CERTDIR_ALLOWED_STALE);
}

bool is_outdated(const struct known_row *import)
{
	const char *tenant = tenant_of(import), *id = import->record->device.entra_device_id;
	bool synced = false;

	if (import->source->kind != CERTDIR_SOURCE_IMPORT || !tenant || !id)
		return false;
	for (size_t d = 0; d < model.directory_count; d++) {
		struct known_row row = {.directory = &model.directories[d]};

		for (size_t s = 0; in_scope(row.directory) && row.directory->state == CERTDIR_ANSWERED &&
				   s < row.directory->source_count;
		     s++) {
			row.source = &row.directory->sources[s];
			synced |= is_of_fresh_tenant(&row, tenant);
		}
	}
	FOR_EACH_ROW(row, rows_of_lists())
	if (is_of_fresh_tenant(&row, tenant) && row.record->device.own.is && row.record->device.entra_device_id == id)
		return false;
	return synced;
}

static bool may_speak_for(const struct known_row *row)
{
	return !row->record->only_against && !is_outdated(row);
}

/* ---- what the certificate says ---- */

bool is_guid(enum certdir_identity_type type)
{
	return type == CERTDIR_ID_GUID || type == CERTDIR_ID_ENTRA || type == CERTDIR_ID_INTUNE;
}

bool is_kept(const struct certdir_identity *id)
{
	for (size_t d = 0; d < model.directory_count; d++)
		if (in_scope(&model.directories[d]) &&
		    (model.directories[d].keeps & CERTDIR_BIT(is_guid(id->type) ? CERTDIR_ID_GUID : id->type)))
			return true;
	return false;
}

enum certdir_rank top_rank(void)
{
	enum certdir_rank rank = CERTDIR_RANK_NONE;

	for (size_t i = 0; i < model.certificate.count; i++) {
		const struct certdir_identity *id = &model.certificate.identities[i];

		if (id->rank >= CERTDIR_RANK_CHOSEN && id->rank > rank && is_kept(id))
			rank = id->rank;
	}
	return rank;
}

static bool has_name(const struct known_row *row, const char *name)
{
	const struct certdir_device *device = &row->record->device;
	const bool dotted = row->source->kind == CERTDIR_SOURCE_TENANT && strchr(name, '.');

	return !dotted && ((device->name && strcmp(device->name, name) == 0) ||
			   (device->intune_name && strcmp(device->intune_name, name) == 0) ||
			   (row->record->value_count && row->record->values[0].type == CERTDIR_ID_NAME &&
			    strcmp(row->record->values[0].value, name) == 0));
}

static enum certdir_carries carries(const struct known_row *row, const struct certdir_identity *id)
{
	const struct certdir_device *device = &row->record->device;
	const char *ids[IDS];
	char label[24];

	ids_of(row->record, ids);
	if (is_guid(id->type) || id->type == CERTDIR_ID_SID) {
		for (int i = 0; i < IDS; i++)
			if (ids[i] == id->value)
				return CERTDIR_CARRIES_YES;
		return CERTDIR_CARRIES_NOT;
	}
	if (id->type == CERTDIR_ID_SERIAL)
		return device->serial_number == id->value ? CERTDIR_CARRIES_YES : CERTDIR_CARRIES_NOT;
	if (has_name(row, id->value) ||
	    (id->type == CERTDIR_ID_DNS && device->dns_name_count && strcmp(device->dns_names[0], id->value) == 0))
		return CERTDIR_CARRIES_YES;
	(void)snprintf(label, sizeof(label), "%.*s", (int)strcspn(id->value, "."), id->value);
	if (id->type == CERTDIR_ID_DNS)
		return has_name(row, label) ? CERTDIR_CARRIES_LABEL : CERTDIR_CARRIES_NOT;
	return device->former_name_count && strcmp(device->former_names[0].name, id->value) == 0
		       ? CERTDIR_CARRIES_FORMER
		       : CERTDIR_CARRIES_NOT;
}

/* Those of `among` that carry the value at least so well. */
static uint64_t carriers(const struct certdir_identity *id, uint64_t among, enum certdir_carries least)
{
	uint64_t rows = 0;

	FOR_EACH_ROW(row, among)
	if (carries(&row, id) >= least)
		rows |= row_bit(row.record);
	return rows;
}

static uint64_t only_speakers(uint64_t rows)
{
	uint64_t speakers = 0;

	FOR_EACH_ROW(row, rows)
	if (may_speak_for(&row))
		speakers |= row_bit(row.record);
	return speakers;
}

/* ---- who comes in: by ids ---- */

/* Rule 2: an id of a kind that somebody keeps and nobody has: no name stands in for it. */
static void unknown_id_is_out(void)
{
	const enum certdir_rank rank = top_rank();
	uint64_t found = 0;

	if (rank < CERTDIR_RANK_ID)
		return;
	FOR_EACH_VALUE(id, rank)
	found |= carriers(id, rows_heard(), CERTDIR_CARRIES_YES);
	if (!found)
		HOLDS(!verdict.allowed, "nobody has the ids of the certificate");
}

/* Rules 3 and 4: who comes in by ids is the device of all of them, and no two devices. */
static void ids_mean_one_device(void)
{
	const enum certdir_rank rank = top_rank();
	uint64_t device = 0;

	if (rank < CERTDIR_RANK_ID || !verdict.allowed)
		return;
	FOR_EACH_VALUE(id, rank)
	{
		const uint64_t found = device_of(carriers(id, rows_heard(), CERTDIR_CARRIES_YES), rows_heard());

		if (device && found && !(device & found))
			HOLDS(rank == CERTDIR_RANK_VOUCHED && !sets_differ(device, found, false),
			      "%s is of another device", id->value);
		device |= found;
	}
	HOLDS(verdict.device == device, "the device's rows are %llx and not %llx", (unsigned long long)device,
	      (unsigned long long)verdict.device);
}

/* Rule 7: a "no" of any record that shares ids with the device, however old, listed or not. */
static void no_is_final(void)
{
	const enum certdir_rank rank = top_rank();
	const uint64_t among = rows_heard();
	uint64_t device = 0;

	if (rank < CERTDIR_RANK_ID)
		return;
	FOR_EACH_VALUE(id, rank)
	device |= carriers(id, among | (model.certificate.tenant ? 0 : rows_of_lists()), CERTDIR_CARRIES_YES);
	device = device_of(device, among | (model.certificate.tenant ? 0 : rows_of_lists()));
	FOR_EACH_ROW(row, device)
	if (says_no(&row))
		HOLDS(!verdict.allowed, "row %lld says no", (long long)row.record->row);
}

/* Rule 10: a "no" comes before all that the policy asks. */
static void no_comes_first(void)
{
	bool earlier = verdict.reason == CERTDIR_RETIRED || verdict.reason == CERTDIR_DISABLED ||
		       verdict.reason == CERTDIR_SID_MISMATCH;

	FOR_EACH_ROW(row, verdict.device)
	{
		const char *state = row.record->device.management_state;

		if (says_no(&row))
			HOLDS(earlier, "row %lld says no", (long long)row.record->row);
		if (state && strcmp(state, "managed") != 0)
			HOLDS(verdict.reason != CERTDIR_DISABLED, "row %lld is retired", (long long)row.record->row);
	}
}

/* Rule 6: an id that is somebody else's, or a SID where the device has another, keeps out. */
static void confirming_is_heard(void)
{
	const uint64_t known = rows_heard();

	if (!verdict.allowed)
		return;
	FOR_EACH_VALUE(id, CERTDIR_RANK_CONFIRMING)
	{
		const uint64_t has = carriers(id, known, CERTDIR_CARRIES_YES);
		bool sids = false;

		FOR_EACH_ROW(row, verdict.device)
		sids |= row.record->device.sid != NULL;
		HOLDS(!has || (has & verdict.device), "%s is somebody else's", id->value);
		if (id->type == CERTDIR_ID_SID && sids && !model.certificate.person)
			HOLDS(has & verdict.device, "the device's SID is not %s", id->value);
	}
}

/* ---- who comes in: by names ---- */

static bool is_served(const char *name)
{
	for (size_t d = 0; d < model.directory_count; d++) {
		const char *const *domain = model.directories[d].base.domains;

		if (in_scope(&model.directories[d]) && domain && strcmp(strchr(name, '.') + 1, domain[0]) == 0)
			return true;
	}
	return false;
}

/* Rule 5: has serial numbers or full names, and the certificate's are others. */
static bool is_other(uint64_t device)
{
	bool has_serial = false, has_dns = false, asks_serial = false, asks_dns = false;

	FOR_EACH_ROW(row, device)
	{
		has_serial |= row.record->device.serial_number != NULL;
		has_dns |= row.record->device.dns_name_count > 0;
	}
	FOR_EACH_VALUE(id, CERTDIR_RANK_CHOSEN)
	{
		const bool has = carriers(id, device, CERTDIR_CARRIES_YES) != 0;

		if (id->type == CERTDIR_ID_SERIAL) {
			asks_serial = true;
			has_serial &= !has;
		} else if (id->type == CERTDIR_ID_DNS) {
			asks_dns |= is_served(id->value);
			has_dns &= !has;
		}
	}
	return (has_serial && asks_serial) || (has_dns && asks_dns);
}

static void names_are_not_anothers(void)
{
	HOLDS(!is_other(verdict.device), "its serial numbers or full names are others than the certificate's");
	HOLDS(!model.certificate.left_out, "there were more names than were looked at");
}

/* Rule 5: it carries every name that anybody carries. */
static void names_are_all_its_own(void)
{
	const uint64_t speakers = only_speakers(rows_heard()), own = verdict.device & speakers;
	bool carried = false;

	FOR_EACH_VALUE(id, CERTDIR_RANK_CHOSEN)
	{
		carried |= carriers(id, own, CERTDIR_CARRIES_FORMER) != 0;
		if (carriers(id, speakers, CERTDIR_CARRIES_YES))
			HOLDS(carriers(id, own, CERTDIR_CARRIES_LABEL), "%s is another's", id->value);
	}
	HOLDS(carried, "it carries no name of the certificate");
}

/* Rule 5: a former name only of the device that had it when the certificate was issued. */
static void former_names_were_had(void)
{
	const int64_t issued = model.certificate.not_before;
	uint64_t now = 0;
	bool had = false;

	FOR_EACH_VALUE(id, CERTDIR_RANK_CHOSEN)
	{
		now |= carriers(id, verdict.device, CERTDIR_CARRIES_LABEL);
		if (id->type != CERTDIR_ID_NAME || carriers(id, rows_heard(), CERTDIR_CARRIES_LABEL))
			continue;
		FOR_EACH_ROW(row, carriers(id, verdict.device, CERTDIR_CARRIES_FORMER))
		{
			const struct certdir_device *of = &row.record->device;
			const int64_t registered = of->own.registered ? of->own.registered : of->intune.registered;

			had |= registered && registered <= issued && issued <= of->former_names[0].since;
		}
	}
	if (!now)
		HOLDS(had, "it was not called so when the certificate was issued");
}

/* Rule 5: two that differ in an id or serial number, or that one source tells apart, are never taken for one. */
static void names_join_no_two(void)
{
	FOR_EACH_ROW(a, verdict.device)
	{
		const uint64_t device = device_of(row_bit(a.record), verdict.device), rest = verdict.device & ~device;
		const struct certdir_source *const source = a.source;

		if (!rest)
			continue;
		HOLDS(!sets_differ(device, rest, true), "row %lld is of another device", (long long)a.record->row);
		FOR_EACH_ROW(b, rest)
		HOLDS(b.source != source, "rows of one source that share no id");
	}
}

static bool anybody_says_no(uint64_t rows)
{
	FOR_EACH_ROW(row, rows)
	if (says_no(&row))
		return true;
	return false;
}

/* Rule 7: also from a device that has one of the names and differs in no id from the one that comes in. */
static void no_is_heard_by_name(void)
{
	FOR_EACH_VALUE(id, CERTDIR_RANK_CHOSEN)
	FOR_EACH_ROW(row, carriers(id, rows_heard(), CERTDIR_CARRIES_LABEL))
	{
		const uint64_t whole = device_of(row_bit(row.record), rows_heard());

		if (anybody_says_no(whole))
			HOLDS(sets_differ(whole, verdict.device, false) || is_other(whole),
			      "row %lld may be it and says no", (long long)row.record->row);
	}
}

/* Rule 9: all in scope are asked, since only then a name is known to be one device's. */
static void names_are_asked_everywhere(void)
{
	for (size_t d = 0; d < model.directory_count; d++)
		if (in_scope(&model.directories[d]) && model.directories[d].state == CERTDIR_ANSWERED)
			HOLDS(model.directories[d].asked, "%s was not asked", model.directories[d].base.name);
}

/* Rule 5: of several that carry all names, dates have to tell, if they may and can. */
static void twins_need_dates(void)
{
	const uint64_t known = rows_heard();
	bool dated = false, fresh = true;
	uint64_t twins = only_speakers(known);

	FOR_EACH_VALUE(id, CERTDIR_RANK_CHOSEN)
	{
		uint64_t whole = 0;

		FOR_EACH_ROW(row, carriers(id, only_speakers(known), CERTDIR_CARRIES_YES))
		whole |= device_of(row_bit(row.record), known);
		twins &= whole;
	}
	FOR_EACH_ROW(row, device_of(twins, known))
	{
		const struct certdir_device *of = &row.record->device;

		if (is_other(device_of(row_bit(row.record), known)))
			twins &= ~device_of(row_bit(row.record), known);
		dated |= of->own.registered || of->own.last_seen || of->intune.registered || of->intune.last_seen;
		fresh &= is_fresh(&row, CERTDIR_PART_OF_DEVICES, verdict.reason == CERTDIR_ALLOWED_STALE);
	}
	if (verdict.by_dates)
		HOLDS(model.certificate.not_before && !model.policy.twins_deny, "dates must not decide");
	if (twins & ~verdict.device && sets_differ(device_of(twins & ~verdict.device, known), verdict.device, true))
		HOLDS(verdict.by_dates && dated && fresh, "others carry all its names");
}

static void check_names(void)
{
	if (top_rank() != CERTDIR_RANK_CHOSEN || !verdict.allowed)
		return;
	names_are_not_anothers();
	names_are_all_its_own();
	former_names_were_had();
	names_join_no_two();
	no_is_heard_by_name();
	names_are_asked_everywhere();
	twins_need_dates();
}

/* ---- what the policy needs ---- */

struct needs {
	bool enabled, managed, compliant, seen, member, joined, company, foreign_owner, windows, other_system, grace;
};

/* When what the record says was told. */
static int64_t told_at(const struct known_row *row, enum certdir_part part)
{
	const int64_t synced = said_last(row, part);

	return row->source->kind == CERTDIR_SOURCE_LDAP || synced > WORLD_NOW ? WORLD_NOW : synced;
}

static void look_at_statement(struct needs *found, const struct known_row *row, const struct certdir_statement *says,
			      enum certdir_part part)
{
	const int64_t seen = says->last_seen > says->registered ? says->last_seen : says->registered;

	if (says->is && says->registered && WORLD_NOW - says->registered <= model.policy.enrollment_grace)
		found->grace = true;
	if (!says->is || !is_fresh(row, part, verdict.reason == CERTDIR_ALLOWED_STALE))
		return;
	found->managed |= says->managed == CERTDIR_YES;
	found->compliant |= says->compliant == CERTDIR_YES;
	found->seen |= seen && told_at(row, part) - seen <= model.policy.max_inactive;
}

static void look_at_row(struct needs *found, const struct known_row *row)
{
	const bool stale = verdict.reason == CERTDIR_ALLOWED_STALE;
	const struct certdir_device *of = &row->record->device;
	const bool intune_alone = row->source->kind == CERTDIR_SOURCE_TENANT && !of->own.is;

	found->enabled |= (of->enabled == CERTDIR_YES || !row->source->says_enabled) &&
			  is_fresh(row, intune_alone ? CERTDIR_PART_OF_INTUNE : CERTDIR_PART_OF_DEVICES, stale);
	found->member |= of->group_count && is_fresh(row, CERTDIR_PART_OF_GROUPS, stale);
	found->joined |= (model.policy.join_types & CERTDIR_BIT(of->join_type)) != 0;
	found->company |= of->ownership && strcmp(of->ownership, "company") == 0;
	found->foreign_owner |= of->ownership && strcmp(of->ownership, "company") != 0;
	found->windows |= of->operating_system && strncmp(of->operating_system, "Windows", 7) == 0;
	found->other_system |= of->operating_system && strncmp(of->operating_system, "Windows", 7) != 0;
	look_at_statement(found, row, &of->own, CERTDIR_PART_OF_DEVICES);
	look_at_statement(found, row, &of->intune, CERTDIR_PART_OF_INTUNE);
}

/* Rule 8: whoever comes in, each needed fact is stated by a record of it whose part is young enough. */
static void yes_is_fresh(void)
{
	const struct certdir_policy *policy = &model.policy;
	struct needs found = {0};

	if (!verdict.allowed)
		return;
	FOR_EACH_ROW(row, verdict.device)
	if (may_speak_for(&row))
		look_at_row(&found, &row);
	HOLDS(found.enabled, "no fresh record says that it is enabled");
	HOLDS(!policy->require_managed || found.managed || found.grace, "no fresh record says that it is managed");
	HOLDS(!policy->require_compliant || found.compliant || found.grace || policy->compliance_unknown_allow,
	      "no fresh record says that it is compliant");
	HOLDS(!policy->max_inactive || found.seen, "no fresh record saw it");
	HOLDS(!policy->groups || found.member, "no fresh record says that it is a member");
	HOLDS(policy->join_types == UINT32_MAX || found.joined, "it is not joined so");
	HOLDS(!policy->ownerships || (found.company && !found.foreign_owner), "it is not the company's");
	HOLDS(!policy->operating_systems || (found.windows && !found.other_system), "it does not run Windows");
	HOLDS(verdict.reason != CERTDIR_ALLOWED_STALE || policy->allow_stale, "stale is not allowed");
}

static int64_t said_at(const struct known_row *row, const struct certdir_statement *says, enum certdir_part part)
{
	return says->compliant_since ? says->compliant_since : told_at(row, part);
}

/* Rule 7: "not compliant" ends only by a newer statement of the same source. */
static void not_compliant_is_heard(void)
{
	struct needs found = {0};

	if (!verdict.allowed || !model.policy.require_compliant)
		return;
	FOR_EACH_ROW(row, verdict.device)
	if (may_speak_for(&row))
		look_at_row(&found, &row);
	if (found.grace)
		return;
	FOR_EACH_ROW(row, verdict.device)
	{
		const struct certdir_statement *own = &row.record->device.own, *intune = &row.record->device.intune;
		const int64_t newer =
			said_at(&row, intune, CERTDIR_PART_OF_INTUNE) - said_at(&row, own, CERTDIR_PART_OF_DEVICES);

		/* One that was never brought, or by a clock that is days ahead, has no time. */
		if (row.source->synced[0] == 0 || row.source->synced[1] == 0 ||
		    row.source->synced[0] > WORLD_NOW + RULE_AHEAD || row.source->synced[1] > WORLD_NOW + RULE_AHEAD)
			continue;
		if (own->is && own->compliant == CERTDIR_NO)
			HOLDS(intune->is && intune->compliant == CERTDIR_YES && newer >= RULE_SAME_TIME,
			      "Entra ID says no in row %lld", (long long)row.record->row);
		if (intune->is && intune->compliant == CERTDIR_NO)
			HOLDS(own->is && own->compliant == CERTDIR_YES && -newer >= RULE_SAME_TIME,
			      "Intune says no in row %lld", (long long)row.record->row);
	}
}

/* Rule 6: names_must_agree. */
static void names_agree(void)
{
	if (!verdict.allowed || !model.policy.names_must_agree)
		return;
	FOR_EACH_VALUE(id, CERTDIR_RANK_CHOSEN)
	if (carriers(id, rows_heard() & ~verdict.device, CERTDIR_CARRIES_LABEL))
		HOLDS(carriers(id, verdict.device, CERTDIR_CARRIES_FORMER), "%s is another's", id->value);
}

/* ---- all of them ---- */

void check_properties(void)
{
	unknown_id_is_out();
	ids_mean_one_device();
	no_is_final();
	no_comes_first();
	confirming_is_heard();
	check_names();
	yes_is_fresh();
	not_compliant_is_heard();
	names_agree();
}
