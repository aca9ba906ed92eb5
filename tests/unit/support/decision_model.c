/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decision_model.h"

static char pool_text[POOLS][VALUES][24];

char *pool[POOLS][VALUES];

static struct certdir_value pool_values[POOLS][VALUES];

static struct certdir_former_name pool_former[VALUES];

static struct certdir_group staff[] = {{"g1", "Staff", NULL, 0}};

static struct certdir_group left_staff[] = {{"g1", "Staff", NULL, WORLD_NOW - 5000}};

static const char *const only_staff[] = {"staff", NULL}, *const only_company[] = {"company", NULL},
			 *const only_windows[] = {"windows", NULL}, *const other_issuers[] = {"CN=Other CA", NULL};

const char *const domains[2][2] = {{"a.x", NULL}, {"b.x", NULL}};

uint64_t random_state;

static unsigned random_below(unsigned below)
{
	uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (unsigned)((z ^ z >> 31) % below);
}

const unsigned char *chosen;

size_t chosen_count;

unsigned chance(unsigned below)
{
	const size_t size = below > 256 ? 4 : 1;

	if (chosen_count >= size) {
		uint32_t number = 0;

		memcpy(&number, chosen, size);
		chosen += size;
		chosen_count -= size;
		return number % below;
	}
	return random_below(below);
}

bool one_in(unsigned n)
{
	return chance(n) == 0;
}

void pool_fill(void)
{
	static const char *const texts[POOLS][2] = {{"E", ""},	       {"I", ""},      {"O", ""},
						    {"S-1-5-21-", ""}, {"N", ""},      {"pc", ""},
						    {"pc", ".a.x"},    {"pc", ".b.x"}, {"pc", ".c.y"}};
	static const enum certdir_identity_type types[POOLS] = {CERTDIR_ID_GUID, CERTDIR_ID_GUID,   CERTDIR_ID_GUID,
								CERTDIR_ID_SID,	 CERTDIR_ID_SERIAL, CERTDIR_ID_NAME,
								CERTDIR_ID_DNS,	 CERTDIR_ID_DNS,    CERTDIR_ID_DNS};

	for (unsigned p = 0; p < POOLS; p++)
		for (unsigned v = 0; v < VALUES; v++) {
			pool[p][v] = pool_text[p][v];
			(void)snprintf(pool[p][v], sizeof(pool_text[p][v]), "%s%u%s", texts[p][0], v, texts[p][1]);
			pool_values[p][v] = (struct certdir_value){types[p], pool[p][v]};
		}
	for (unsigned v = 0; v < VALUES; v++)
		pool_former[v] = (struct certdir_former_name){pool[NAME][v % 8], WORLD_NOW - (v / 8 + 1) * 20 * DAY};
}

/* ---- the truth ---- */

static void make_device(struct model *model, size_t k)
{
	struct truth *device = &model->devices[k];
	const unsigned other = 1 + chance(DEVICES);

	*device = (struct truth){
		.stranger = one_in(3),
		.entra = !one_in(4),
		.intune = !one_in(3),
		.jamf = one_in(3),
		.linked = one_in(2),
		.forest = one_in(2) ? (int)chance(2) : -1,
		.life = one_in(2) ? FINE : chance(LIVES),
		.name = one_in(2) ? (unsigned)k : 1 + chance(3),
		.serial = pool[SERIAL][k],
		.registered = WORLD_NOW - 2 * DAY - chance(100) * DAY,
	};
	device->seen = device->registered + chance((unsigned)(WORLD_NOW - device->registered));
	device->called = pool[NAME][device->name];
	if (!device->stranger)
		return;
	/* He calls it by another's id, full name, name; his own rooted phone reports another's serial number. */
	device->called = pool[one_in(3) ? ENTRA : one_in(2) ? DNS_A : NAME][other];
	if (one_in(3))
		device->serial = pool[SERIAL][other];
}

/* ---- what directories know of it ---- */

struct certdir_record *add_row(struct model *model, size_t d, size_t source)
{
	struct model_directory *directory = &model->directories[d];
	struct certdir_record *record;

	if (directory->count == RECORDS || model->rows == 63)
		return NULL;
	record = &directory->records[directory->count++];
	memset(record, 0, sizeof(*record));
	record->source = source;
	record->row = ++model->rows;
	return record;
}

static enum certdir_tristate any_tristate(void)
{
	return (enum certdir_tristate)(one_in(2) ? CERTDIR_YES : chance(3));
}

static void make_statement(const struct truth *device, struct certdir_statement *statement)
{
	static const int64_t since[] = {0, 60, 5000, 20000};

	*statement = (struct certdir_statement){
		.is = true,
		.compliant = any_tristate(),
		.managed = any_tristate(),
		.last_seen = one_in(6) ? 0 : device->seen,
		.registered = one_in(6) ? 0 : device->registered,
	};
	if (!one_in(3))
		statement->compliant_since = WORLD_NOW - since[chance(4)];
	if (statement->compliant_since == WORLD_NOW)
		statement->compliant_since = 0;
	if (one_in(12))
		statement->as_of = WORLD_NOW - since[1 + chance(3)];
}

void make_facts(const struct truth *device, struct certdir_record *record)
{
	static char *const ownerships[] = {"company", "personal", NULL}, *const systems[] = {"Windows", "Windows 11",
											     "iOS", NULL};
	struct certdir_device *of = &record->device;

	of->name = one_in(10) ? NULL : device->called;
	of->ownership = one_in(2) ? "company" : ownerships[chance(3)];
	of->operating_system = one_in(2) ? "Windows" : systems[chance(4)];
	of->enabled = one_in(10) ? CERTDIR_UNKNOWN : CERTDIR_YES;
	/* Not everybody has heard of it. */
	if ((device->life == DISABLED || (device->life == RETIRED && one_in(2))) && !one_in(3))
		of->enabled = CERTDIR_NO;
	if (one_in(2)) {
		of->groups = one_in(8) ? left_staff : staff;
		of->group_count = 1;
	}
	of->former_names = &pool_former[chance(VALUES)];
	of->former_name_count = one_in(3);
}

void name_row(struct certdir_record *record)
{
	struct certdir_device *of = &record->device;

	of->id = of->entra_device_id	? of->entra_device_id
		 : of->intune_device_id ? of->intune_device_id
		 : of->sid		? of->sid
		 : of->name		? of->name
					: "nameless";
}

static void know_in_intune(size_t k, const struct truth *device, struct certdir_record *record)
{
	static char *const deadly[] = {"wipePending", "retireIssued", "unhealthy"};
	struct certdir_device *of = &record->device;

	make_statement(device, &of->intune);
	of->intune_device_id = pool[INTUNE][k];
	of->intune_name = one_in(6) ? pool[NAME][device->name] : device->called;
	of->serial_number = one_in(4) ? NULL : device->serial;
	of->management_state = device->life == RETIRED ? deadly[chance(3)] : one_in(4) ? NULL : "managed";
	/* As Intune alone knows it. */
	if (!of->own.is && !of->entra_device_id && of->management_state && device->life != RETIRED)
		of->enabled = CERTDIR_YES;
}

static void know_in_tenant(struct model *model, size_t d, size_t source, size_t k)
{
	const struct truth *device = &model->devices[k];
	const bool apart = device->intune && one_in(4); /* Intune has not learnt its Entra id yet */
	struct certdir_record *record = NULL;

	if (device->entra && device->life != DELETED && (record = add_row(model, d, source)) != NULL) {
		make_facts(device, record);
		make_statement(device, &record->device.own);
		record->device.entra_device_id = pool[ENTRA][k];
		record->device.object_id = pool[OBJECT][k];
		record->device.sid = device->linked ? pool[SID][k] : NULL;
		record->device.join_type = (enum certdir_join_type)chance(CERTDIR_JOIN_AD);
		record->only_against = one_in(10) ? "kept out by the filter" : NULL;
		if (device->intune && !apart)
			know_in_intune(k, device, record);
		name_row(record);
	}
	if (device->intune && (apart || (device->life == DELETED && one_in(2))) &&
	    (record = add_row(model, d, source)) != NULL) {
		make_facts(device, record);
		record->device.enabled = CERTDIR_UNKNOWN;
		if (device->life == DELETED) {
			record->device.entra_device_id = pool[ENTRA][k];
			record->only_against = "its Entra device is gone";
		}
		know_in_intune(k, device, record);
		name_row(record);
	}
}

static void know_in_import(struct model *model, size_t d, size_t source, size_t k)
{
	const struct truth *device = &model->devices[k];
	struct certdir_record *record = add_row(model, d, source);

	if (!record)
		return;
	make_facts(device, record);
	make_statement(device, &record->device.own);
	if (!model->directories[d].sources[source].says_enabled)
		record->device.enabled = CERTDIR_UNKNOWN;
	record->device.entra_device_id = device->entra && one_in(2) ? pool[ENTRA][k] : NULL;
	record->device.intune_device_id = device->intune && one_in(4) ? pool[INTUNE][k] : NULL;
	record->device.object_id = device->entra && one_in(4) ? pool[OBJECT][k] : NULL;
	record->device.serial_number = one_in(2) ? device->serial : NULL;
	record->device.tenant = one_in(4) ? "T1" : NULL;
	name_row(record);
}

static void know_in_ldap(struct model *model, size_t d, size_t k)
{
	const struct truth *device = &model->devices[k];
	const int forest = model->directories[d].base.domains == domains[0] ? 0 : 1;
	struct certdir_record *record;

	/* Else it may have a placeholder there, whose mark is the Entra id; one is taken away with its device. */
	if (device->forest != forest && (device->life == DELETED || !device->entra || !one_in(3)))
		return;
	record = add_row(model, d, 0);
	if (!record)
		return;
	make_facts(device, record);
	make_statement(device, &record->device.own);
	record->device.own.compliant = record->device.own.managed = CERTDIR_UNKNOWN;
	record->device.join_type = CERTDIR_JOIN_AD;
	record->device.expires = device->life == EXPIRED ? WORLD_NOW - DAY : one_in(4) ? WORLD_NOW + DAY : 0;
	record->value_count = 1;
	if (device->forest == forest) {
		record->device.sid = pool[SID][k];
		record->device.entra_device_id = device->entra && one_in(4) ? pool[ENTRA][k] : NULL;
		record->values = &pool_values[NAME][device->name];
		record->device.name = pool[NAME][device->name];
		record->device.dns_names = &pool[forest ? DNS_B : DNS_A][device->name];
		record->device.dns_name_count = !one_in(5);
	} else {
		record->device.sid = pool[SID][10 + k];
		record->values = &pool_values[ENTRA][k];
	}
	name_row(record);
}

static int64_t any_time(void)
{
	static const int64_t ages[] = {60, 60, 60, 60, 60, 2000, 3599, 3600, 3601, 4200, 8000, 3 * DAY, -2, -2 * DAY};
	const unsigned which = chance(sizeof(ages) / sizeof(ages[0]) + 1);

	return which ? WORLD_NOW - ages[which - 1] : 0;
}

struct certdir_source make_source(enum certdir_source_kind kind, const char *name, const char *tenant)
{
	struct certdir_source source = {.kind = kind, .name = name, .tenant = tenant, .says_enabled = true};
	const bool all_fresh = one_in(2);

	for (int part = 0; kind != CERTDIR_SOURCE_LDAP && part < CERTDIR_PARTS; part++)
		source.synced[part] = all_fresh ? WORLD_NOW - 60 : any_time();
	source.interval[CERTDIR_PART_OF_INTUNE] = one_in(2) ? 3600 : 0;
	if (kind == CERTDIR_SOURCE_IMPORT)
		source.says_enabled = !one_in(3);
	return source;
}

static void model_search(struct certdir_directory *base, struct certdir_sought *sought, size_t count,
			 struct certdir_answer *answer);

static const struct certdir_directory_type model_type = {model_search, world_close};

void make_directory(struct model *model, size_t d, bool ldap)
{
	static const char *const names[DIRECTORIES] = {"one", "two", "three", "four"};
	struct model_directory *directory = &model->directories[d];

	directory->base = (struct certdir_directory){
		.type = &model_type, .name = names[d], .is_live = ldap, .max_age = one_in(8) ? 0 : 3600};
	directory->base.issuers = one_in(10) ? other_issuers : NULL;
	directory->base.domains = ldap ? domains[chance(2)] : NULL;
	directory->state = !one_in(10)	       ? CERTDIR_ANSWERED
			   : ldap || one_in(2) ? CERTDIR_ANSWER_UNAVAILABLE
					       : CERTDIR_ANSWER_MISSING;
	directory->keeps = world_keeps(ldap) | (ldap && one_in(3) ? CERTDIR_BIT(CERTDIR_ID_GUID) : 0);
	if (directory->state == CERTDIR_ANSWER_MISSING)
		directory->keeps = UINT32_MAX;
	directory->base.keeps = directory->keeps;
	directory->source_count = directory->count = 0;
	if (ldap) {
		directory->sources[directory->source_count++] = make_source(CERTDIR_SOURCE_LDAP, names[d], NULL);
		return;
	}
	if (!one_in(5))
		directory->sources[directory->source_count++] = make_source(CERTDIR_SOURCE_TENANT, "contoso", "T1");
	if (one_in(4))
		directory->sources[directory->source_count++] = make_source(CERTDIR_SOURCE_TENANT, "fabrikam", "T2");
	if (one_in(2) || !directory->source_count)
		directory->sources[directory->source_count++] =
			make_source(CERTDIR_SOURCE_IMPORT, "jamf", one_in(2) ? "T1" : NULL);
}

bool make_people(struct model *model)
{
	static struct certdir_value names[] = {{CERTDIR_ID_UPN, PERSON}};
	const bool ldap = one_in(3), old = !ldap && one_in(4);
	const enum certdir_tristate enabled = one_in(2) ? CERTDIR_YES : one_in(2) ? CERTDIR_NO : CERTDIR_UNKNOWN;
	const int64_t expires = one_in(6) ? WORLD_NOW - 1 : 0;

	model->people = (struct model_directory){
		.base = {.type = &model_type, .name = "people", .is_live = ldap, .max_age = 3600},
		.state = one_in(8) ? CERTDIR_ANSWER_UNAVAILABLE : CERTDIR_ANSWERED,
		.keeps = CERTDIR_PERSONS,
		.sources = {{.kind = ldap ? CERTDIR_SOURCE_LDAP : CERTDIR_SOURCE_TENANT,
			     .name = "people",
			     .keeps = CERTDIR_PERSONS,
			     .says_enabled = true,
			     .synced = {[CERTDIR_PART_OF_DEVICES] = WORLD_NOW - (old ? 8000 : 60)}}},
		.source_count = 1,
		.records = {{.device = {.id = "anna",
					.object_id = pool[OBJECT][1], /* whose name space is the people's */
					.enabled = enabled,
					.expires = expires,
					.own = {.is = true}},
			     .values = names,
			     .value_count = 1,
			     .row = 63}},
		.count = !one_in(6),
	};
	model->people.base.keeps = model->people.keeps;
	return model->people.state == CERTDIR_ANSWERED && model->people.count && enabled == CERTDIR_YES && !expires &&
	       !old;
}

static void know(struct model *model, size_t d, size_t source, size_t k)
{
	if (model->directories[d].base.is_live)
		know_in_ldap(model, d, k);
	else if (model->directories[d].sources[source].kind == CERTDIR_SOURCE_TENANT)
		know_in_tenant(model, d, source, k);
	else
		know_in_import(model, d, source, k);
}

/* ---- the policy ---- */

void tighten_policy(struct certdir_policy *policy)
{
	switch (chance(11)) {
	case 0:
		policy->require_managed = true;
		break;
	case 1:
	case 8:
	case 9:
		policy->require_compliant = true;
		break;
	case 2:
		policy->max_inactive = 30 * DAY;
		break;
	case 3:
		policy->groups = only_staff;
		break;
	case 4:
		policy->ownerships = only_company;
		break;
	case 5:
		policy->operating_systems = only_windows;
		break;
	case 6:
		policy->join_types &= CERTDIR_BIT(CERTDIR_JOIN_ENTRA) | CERTDIR_BIT(CERTDIR_JOIN_AD);
		break;
	case 7:
		policy->names_must_agree = true;
		break;
	default:
		policy->twins_deny = true;
		break;
	}
}

static void make_policy(struct certdir_policy *policy)
{
	*policy = (struct certdir_policy){.join_types = UINT32_MAX, .stale_for = DAY};
	policy->allow_stale = one_in(6);
	policy->compliance_unknown_allow = one_in(4);
	policy->enrollment_grace = one_in(6) ? 10 * DAY : 0;
	while (one_in(3))
		tighten_policy(policy);
}

/* ---- the certificate ---- */

void put_name(struct model *model, enum certdir_identity_type type, enum certdir_rank rank, char *value)
{
	static const char *const from[CERTDIR_RANKS] = {"none", "confirming", "chosen", "id", "vouched"};
	struct certdir_certificate *certificate = &model->certificate;

	for (size_t i = 0; i < certificate->count; i++) {
		struct certdir_identity *has = &certificate->identities[i];

		if (has->type == type && has->value == value) { /* the place that says the most counts */
			if (rank > has->rank)
				has->rank = rank;
			return;
		}
	}
	certificate->identities[certificate->count++] =
		(struct certdir_identity){.type = type, .value = value, .from = from[rank], .rank = rank};
	if (type == CERTDIR_ID_NAME && strchr(value, '.')) /* a dotted name is read as a full name, too */
		put_name(model, CERTDIR_ID_DNS, rank, value);
}

static char *dns_name_of(const struct truth *device)
{
	return pool[device->forest < 0 ? DNS_C : device->forest ? DNS_B : DNS_A][device->name];
}

void put_true_names(struct model *model, size_t k, unsigned least)
{
	const struct truth *device = &model->devices[k];
	const unsigned which = least ? 1 + chance(7) : chance(8);

	if (which & 1)
		put_name(model, CERTDIR_ID_NAME, CERTDIR_RANK_CHOSEN, device->called);
	if (which & 2)
		put_name(model, CERTDIR_ID_DNS, CERTDIR_RANK_CHOSEN, dns_name_of(device));
	if (which & 4)
		put_name(model, CERTDIR_ID_SERIAL, CERTDIR_RANK_CHOSEN, device->serial);
}

void put_chosen(struct model *model, size_t victim)
{
	const struct truth *device = &model->devices[victim];

	switch (chance(8)) {
	case 0:
		put_name(model, CERTDIR_ID_SID, CERTDIR_RANK_CONFIRMING, pool[SID][victim]);
		break;
	case 1:
		put_name(model, CERTDIR_ID_ENTRA, CERTDIR_RANK_CONFIRMING, pool[ENTRA][victim]);
		break;
	case 2:
		put_name(model, CERTDIR_ID_DNS, CERTDIR_RANK_CHOSEN, dns_name_of(device));
		break;
	case 3:
		put_name(model, CERTDIR_ID_SERIAL, CERTDIR_RANK_CHOSEN, device->serial);
		break;
	case 4:
		put_name(model, CERTDIR_ID_GUID, CERTDIR_RANK_ID, pool[ENTRA][victim]);
		break;
	case 5:
		put_name(model, CERTDIR_ID_GUID, CERTDIR_RANK_ID, pool[INTUNE][victim]);
		break;
	default:
		put_name(model, CERTDIR_ID_NAME, CERTDIR_RANK_CHOSEN, pool[NAME][device->name]);
		break;
	}
}

static void put_ids(struct model *model, size_t k, unsigned profile)
{
	const size_t id = one_in(6) ? UNKNOWN + k : k; /* a device that nobody has any more, or never had */

	switch (profile) {
	case 0:
		put_name(model, CERTDIR_ID_INTUNE, CERTDIR_RANK_VOUCHED, pool[INTUNE][k]); /* fallthrough */
	case 1:
		put_name(model, CERTDIR_ID_GUID, CERTDIR_RANK_VOUCHED, pool[ENTRA][id]);
		break;
	case 2:
		put_name(model, CERTDIR_ID_INTUNE, CERTDIR_RANK_VOUCHED, pool[INTUNE][id]);
		break;
	case 3:
		put_name(model, CERTDIR_ID_GUID, CERTDIR_RANK_ID, pool[one_in(3) ? INTUNE : ENTRA][id]);
		break;
	case 4:
		put_name(model, CERTDIR_ID_SID, CERTDIR_RANK_VOUCHED, pool[SID][id]);
		break;
	case 5:
		put_name(model, CERTDIR_ID_SERIAL, CERTDIR_RANK_VOUCHED, pool[SERIAL][id]);
		break;
	default:
		break;
	}
}

void begin_certificate(struct model *model, size_t k)
{
	struct certdir_certificate *certificate = &model->certificate;
	const struct truth *device = &model->devices[k];

	memset(certificate, 0, sizeof(*certificate));
	certificate->subject = "CN=test";
	certificate->issuer = "CN=Example CA,DC=example";
	certificate->not_before =
		one_in(8) ? 0 : device->registered + chance((unsigned)(WORLD_NOW - device->registered));
	model->holder = k;
}

void make_certificate(struct model *model)
{
	const size_t k = 1 + chance((unsigned)model->device_count);
	const unsigned profile = chance(10);

	begin_certificate(model, k);
	put_ids(model, k, profile);
	if (profile == 9) /* a name that nobody has any more */
		put_name(model, CERTDIR_ID_NAME, CERTDIR_RANK_CHOSEN, pool[NAME][6 + chance(2)]);
	else
		put_true_names(model, k, profile > 5);
	if (one_in(4))
		put_name(model, CERTDIR_ID_SID, CERTDIR_RANK_CONFIRMING, pool[SID][k]);
	for (unsigned more = model->devices[k].stranger ? 2 : one_in(4); more > 0; more--)
		put_chosen(model, 1 + chance((unsigned)model->device_count));
	model->certificate.person = one_in(10);
	model->certificate.left_out = one_in(30);
	model->certificate.tenant = one_in(8) ? (one_in(4) ? "T2" : "T1") : NULL;
}

/* ---- all of it ---- */

void make_model(struct model *model, uint64_t seed)
{
	random_state = seed;
	model->seed = seed;
	model->people = (struct model_directory){.base = {.type = NULL}};
	model->rows = 0;
	model->device_count = 1 + chance(DEVICES);
	for (size_t k = 1; k <= model->device_count; k++)
		make_device(model, k);
	model->directory_count = 1 + chance(DIRECTORIES);
	for (size_t d = 0; d < model->directory_count; d++) {
		make_directory(model, d, one_in(3));
		for (size_t s = 0; s < model->directories[d].source_count; s++)
			for (size_t k = 1; k <= model->device_count; k++)
				if (!one_in(4))
					know(model, d, s, k);
	}
	make_policy(&model->policy);
	make_certificate(model);
}

/* ---- judging it ---- */

static void model_search(struct certdir_directory *base, struct certdir_sought *sought, size_t count,
			 struct certdir_answer *answer)
{
	struct model_directory *directory = (struct model_directory *)base;

	directory->asked += count > 0;
	answer->keeps = directory->keeps;
	answer->state = directory->state;
	if (directory->state != CERTDIR_ANSWERED)
		return;
	if (!answer->sources) {
		answer->sources = calloc(SOURCES, sizeof(*answer->sources));
		memcpy(answer->sources, directory->sources, sizeof(directory->sources));
		answer->source_count = directory->source_count;
		for (size_t i = 0; i < answer->source_count; i++)
			answer->sources[i].keeps = directory->keeps;
	}
	for (size_t s = 0; s < count; s++) {
		size_t added = 0;

		for (size_t r = 0; r < directory->count; r++) {
			const struct certdir_record *record = &directory->records[r];
			size_t i = 0;

			if (certdir_record_carries(record, directory->sources[record->source].kind, sought[s].type,
						   sought[s].value) == CERTDIR_CARRIES_NOT)
				continue;
			if (added++ == CERTDIR_CARRIERS_MAX) {
				sought[s].many = true;
				break;
			}
			while (i < answer->count && answer->records[i].row != record->row)
				i++;
			if (i == answer->count)
				*certdir_answer_add(answer) = *record;
		}
	}
}

uint64_t row_bit(const struct certdir_record *record)
{
	return UINT64_C(1) << record->row;
}

struct verdict judge(struct model *model)
{
	static const struct certdir_login login = {.now = WORLD_NOW};
	static struct certdir_check check;
	struct certdir_checker checker = {.accepted = UINT32_MAX, .policy = model->policy};
	struct verdict verdict = {0};

	for (size_t d = 0; d < model->directory_count; d++) {
		model->directories[d].asked = 0;
		checker.directories[checker.directory_count++] = &model->directories[d].base;
	}
	checker.people[0] = &model->people.base;
	checker.people_count = model->people.base.type != NULL;
	check.certificate = model->certificate;
	certdir_check_names(&check, &checker, &login);
	verdict.reason = check.decision.reason;
	verdict.allowed = certdir_reason_verdict(verdict.reason) == CERTDIR_ALLOW;
	verdict.by_dates = check.decision.by_dates;
	memcpy(verdict.detail, check.decision.detail, sizeof(verdict.detail));
	for (size_t r = 0; r < check.decision.record_count; r++)
		verdict.device |= row_bit(check.decision.records[r]);
	for (size_t d = 0; d < check.known.count; d++) {
		for (size_t r = 0; r < check.known.answers[d].count; r++)
			verdict.heard |= row_bit(&check.known.answers[d].records[r]);
		check.known.answers[d].count = 0; /* its strings are the pool's */
	}
	if (check.person)
		check.person->known.answers[0].count = 0;
	for (size_t i = model->certificate.count; i < check.certificate.count; i++)
		free(check.certificate.identities[i].value); /* the certificate itself */
	certdir_check_clear(&check);
	return verdict;
}

/* ---- telling it ---- */

static const char *or_dash(const char *text)
{
	return text ? text : "-";
}

static void tell_record(const struct model_directory *directory, const struct certdir_record *record)
{
	static const char *const tristates[] = {"?", "no", "yes"};
	const struct certdir_device *of = &record->device;

	fprintf(stderr, "    row %lld of %s: e=%s i=%s o=%s sid=%s name=%s intune=%s serial=%s enabled=%s",
		(long long)record->row, directory->sources[record->source].name, or_dash(of->entra_device_id),
		or_dash(of->intune_device_id), or_dash(of->object_id), or_dash(of->sid), or_dash(of->name),
		or_dash(of->intune_name), or_dash(of->serial_number), tristates[of->enabled]);
	if (of->tenant)
		fprintf(stderr, " tenant=%s", of->tenant);
	if (of->management_state)
		fprintf(stderr, " state=%s", of->management_state);
	if (of->dns_name_count)
		fprintf(stderr, " dns=%s", of->dns_names[0]);
	if (record->value_count)
		fprintf(stderr, " value=%s", record->values[0].value);
	if (of->former_name_count)
		fprintf(stderr, " former=%s(%lld s ago)", of->former_names[0].name,
			(long long)(WORLD_NOW - of->former_names[0].since));
	if (of->expires)
		fprintf(stderr, " expires=%+lld", (long long)(of->expires - WORLD_NOW));
	for (int which = 0; which < 2; which++) {
		const struct certdir_statement *says = which ? &of->intune : &of->own;

		if (says->is)
			fprintf(stderr, " %s{%scompliant=%s since=%lld managed=%s seen=%lld registered=%lld}",
				which ? "intune" : "own", says->as_of ? "old " : "", tristates[says->compliant],
				(long long)(says->compliant_since ? WORLD_NOW - says->compliant_since : -1),
				tristates[says->managed],
				(long long)(says->last_seen ? WORLD_NOW - says->last_seen : -1),
				(long long)(says->registered ? WORLD_NOW - says->registered : -1));
	}
	fprintf(stderr, "%s%s%s\n", of->group_count ? " staff" : "", record->only_against ? " ONLY AGAINST: " : "",
		record->only_against ? record->only_against : "");
}

void tell(const struct model *model)
{
	const struct certdir_certificate *certificate = &model->certificate;
	const struct certdir_policy *policy = &model->policy;

	fprintf(stderr, "  certificate:");
	for (size_t i = 0; i < certificate->count; i++)
		fprintf(stderr, " %s:%s=%s", certdir_rank_name(certificate->identities[i].rank),
			certdir_identity_type_name(certificate->identities[i].type), certificate->identities[i].value);
	fprintf(stderr, "; issued %lld s ago%s%s%s%s\n",
		(long long)(certificate->not_before ? WORLD_NOW - certificate->not_before : -1),
		certificate->person ? ", a person's" : "", certificate->left_out ? ", names left out" : "",
		certificate->tenant ? ", tenant " : "", certificate->tenant ? certificate->tenant : "");
	fprintf(stderr,
		"  policy: managed=%d compliant=%d unknown=%d inactive=%u grace=%u group=%d own=%d os=%d join=%x "
		"agree=%d "
		"deny=%d stale=%d\n",
		policy->require_managed, policy->require_compliant, policy->compliance_unknown_allow,
		policy->max_inactive, policy->enrollment_grace, policy->groups != NULL, policy->ownerships != NULL,
		policy->operating_systems != NULL, policy->join_types, policy->names_must_agree, policy->twins_deny,
		policy->allow_stale);
	for (size_t d = 0; d < model->directory_count; d++) {
		const struct model_directory *directory = &model->directories[d];

		fprintf(stderr, "  %s %s%s%s keeps=%x max_age=%u\n", directory->base.is_live ? "ldap" : "list",
			directory->base.name, directory->base.issuers ? ", out of scope" : "",
			directory->state != CERTDIR_ANSWERED ? ", DOWN" : "", directory->keeps,
			directory->base.max_age);
		for (size_t s = 0; s < directory->source_count && !directory->base.is_live; s++)
			fprintf(stderr, "   source %s of tenant %s, synced %lld %lld %lld s ago\n",
				directory->sources[s].name, or_dash(directory->sources[s].tenant),
				(long long)(WORLD_NOW - directory->sources[s].synced[0]),
				(long long)(WORLD_NOW - directory->sources[s].synced[1]),
				(long long)(WORLD_NOW - directory->sources[s].synced[2]));
		for (size_t r = 0; r < directory->count; r++)
			tell_record(directory, &directory->records[r]);
	}
}
