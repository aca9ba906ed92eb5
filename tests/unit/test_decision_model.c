/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random worlds of the model, and who may not be let in and who must not be kept out. decision_properties.h looks at one world,
 * decision_comparisons.h compares two.
 *
 *	CERTDIR_MODEL_WORLDS=2000000 test_decision_model	more of them
 *	CERTDIR_MODEL_SEED=17 test_decision_model		one
 */
#include "decision_comparisons.h"

/* ---- the table of issued certificates ---- */

static bool keeps_intune_ids(void)
{
	for (size_t d = 0; d < model.directory_count; d++)
		if (in_scope(&model.directories[d]) && model.directories[d].keeps & CERTDIR_BIT(CERTDIR_ID_INTUNE))
			return true;
	return false;
}

/* Whether the device that was decided on has that Intune id. */
static bool is_device(const char *intune_device_id)
{
	FOR_EACH_ROW(row, verdict.device)
	if (row.record->device.intune_device_id == intune_device_id)
		return true;
	return false;
}

/* Where none has the certificate, all is as before; where one has, it is that device or nobody, and a revoked one is nobody. */
static void issued_decides(void)
{
	static char thumbprint[] = "t";
	static struct certdir_value value = {CERTDIR_ID_CERTIFICATE, thumbprint};
	const size_t d = chance((unsigned)model.directory_count), k = 1 + chance((unsigned)model.device_count);
	struct certdir_issued issued = {.intune_device_id = pool[INTUNE][one_in(8) ? UNKNOWN : k]};
	struct certdir_record *record;

	begin();
	model.certificate.thumbprint = thumbprint;
	judge_changed();
	HOLDS(verdict.reason == was.reason && verdict.device == was.device, "it was %s (%s)",
	      certdir_reason_name(was.reason), was.detail);
	record = in_scope(&model.directories[d]) && model.directories[d].state == CERTDIR_ANSWERED &&
				 !model.directories[d].base.is_live && !model.certificate.tenant
			 ? add_row(&model, d, 0)
			 : NULL;
	if (record) {
		record->device = (struct certdir_device){.id = thumbprint, .intune_device_id = issued.intune_device_id};
		record->issued = &issued;
		record->only_against = "a certificate";
		record->values = &value;
		record->value_count = 1;
		judge_changed();
		HOLDS(!verdict.allowed || !keeps_intune_ids() || is_device(issued.intune_device_id),
		      "it was issued to %s", issued.intune_device_id);
		HOLDS(!verdict.allowed || (verdict.device & ~row_bit(record)), "the row alone lets it in");
		issued.revoked = true;
		judge_changed();
		HOLDS(!verdict.allowed, "it is revoked");
	}
	end();
}

/* ---- from the truth: strangers stay out, and who is known comes in ---- */

/* Nobody has a stranger's device, or somebody who has it said no. He writes what he likes beside its id. */
static void stranger_stays_out(void)
{
	const size_t k = 1 + chance((unsigned)model.device_count);
	const bool never = one_in(2);
	bool kept = false, no = false;

	begin();
	begin_certificate(&model, k);
	put_name(&model, CERTDIR_ID_GUID, one_in(4) ? CERTDIR_RANK_ID : CERTDIR_RANK_VOUCHED,
		 pool[ENTRA][never ? UNKNOWN + k : k]);
	put_true_names(&model, k, 0);
	for (int i = 0; i < 3; i++)
		put_chosen(&model, 1 + chance((unsigned)model.device_count));
	for (size_t d = 0; d < model.directory_count; d++)
		kept |= in_scope(&model.directories[d]) && (model.directories[d].keeps & CERTDIR_BIT(CERTDIR_ID_GUID));
	/* A GUID that is only taken for an id is what a phone's owner can make: another one beside it is as good. */
	for (size_t i = 1; i < model.certificate.count; i++)
		kept &= model.certificate.identities[0].rank > model.certificate.identities[i].rank ||
			model.certificate.identities[i].rank < CERTDIR_RANK_ID;
	FOR_EACH_ROW(row, rows_of_lists())
	no |= row.record->device.entra_device_id == pool[ENTRA][k] && says_no(&row);
	shuffle(model.directories, model.directory_count, sizeof(model.directories[0]));
	if (kept && (never || no)) {
		judge_changed();
		HOLDS(!verdict.allowed, "a stranger came in");
	}
	end();
}

static void remove_device(size_t k)
{
	for (size_t d = 0; d < model.directory_count; d++)
		for (size_t r = model.directories[d].count; r-- > 0;) {
			struct certdir_record *record = &model.directories[d].records[r];
			const char *ids[IDS];
			bool has = false;

			ids_of(record, ids);
			for (int i = 0; i < IDS; i++)
				has |= ids[i] && (ids[i] == pool[ENTRA][k] || ids[i] == pool[INTUNE][k] ||
						  ids[i] == pool[OBJECT][k] || ids[i] == pool[SID][k]);
			if (has)
				*record = model.directories[d].records[--model.directories[d].count];
		}
}

/* A fresh record of its own, in a directory that answers, allows it. */
static struct certdir_record *allow_device(size_t d, size_t k)
{
	struct model_directory *directory = &model.directories[d];
	const bool ldap = directory->base.is_live;
	struct certdir_record *record;

	remove_device(k);
	make_directory(&model, d, ldap);
	directory->base.issuers = NULL;
	directory->state = CERTDIR_ANSWERED;
	directory->keeps = directory->base.keeps = world_keeps(ldap);
	directory->sources[0] =
		make_source(ldap ? CERTDIR_SOURCE_LDAP : CERTDIR_SOURCE_TENANT, "its own", ldap ? NULL : "T1");
	directory->sources[0].synced[CERTDIR_PART_OF_DEVICES] = WORLD_NOW - chance(3600);
	model.devices[k].life = FINE;
	record = add_row(&model, d, 0);
	make_facts(&model.devices[k], record);
	record->device.enabled = CERTDIR_YES;
	record->device.own.is = true;
	record->device.sid = ldap || model.devices[k].linked ? pool[SID][k] : NULL;
	record->device.entra_device_id = ldap ? NULL : pool[ENTRA][k];
	name_row(record);
	return record;
}

/* Intune knows it as well, once it has learnt its Entra id or before, and lists hourly. */
static void allow_in_intune(size_t d, size_t k, struct certdir_record *record, bool apart)
{
	struct certdir_source *source = &model.directories[d].sources[0];

	if (apart && (record = add_row(&model, d, 0)) == NULL)
		return;
	record->device.intune_device_id = pool[INTUNE][k];
	record->device.intune = (struct certdir_statement){.is = true, .compliant = CERTDIR_YES};
	name_row(record);
	source->interval[CERTDIR_PART_OF_INTUNE] = 3600;
	source->synced[CERTDIR_PART_OF_INTUNE] = WORLD_NOW - chance(7200);
	put_name(&model, CERTDIR_ID_INTUNE, CERTDIR_RANK_VOUCHED, pool[INTUNE][k]);
	model.policy.require_compliant = true;
}

/* All other records are other people's: whatever those are called, it comes in with its id. */
static void who_is_known_comes_in(void)
{
	const size_t k = 1 + chance((unsigned)model.device_count), d = chance((unsigned)model.directory_count);
	const bool ldap = model.directories[d].base.is_live, vouched = one_in(2);
	struct certdir_record *record;

	begin();
	record = allow_device(d, k);
	model.policy = (struct certdir_policy){.join_types = UINT32_MAX};
	begin_certificate(&model, k);
	if (ldap)
		put_name(&model, CERTDIR_ID_SID, CERTDIR_RANK_VOUCHED, pool[SID][k]);
	else
		put_name(&model, CERTDIR_ID_GUID, vouched ? CERTDIR_RANK_VOUCHED : CERTDIR_RANK_ID, pool[ENTRA][k]);
	if (!ldap && vouched && one_in(2))
		allow_in_intune(d, k, record, one_in(2));
	put_true_names(&model, k, 0);
	model.certificate.person = one_in(3);
	if (one_in(2)) /* a person's certificate has the person's SID */
		put_name(&model, CERTDIR_ID_SID, CERTDIR_RANK_CONFIRMING,
			 pool[SID][model.certificate.person ? UNKNOWN : k]);
	judge_changed();
	HOLDS(verdict.allowed && (verdict.device & row_bit(record)), "row %lld is known and kept out",
	      (long long)record->row);
	end();
}

/* Somebody calls his device by the first label of a full name. */
static void name_anothers(size_t name)
{
	const size_t d = chance((unsigned)model.directory_count);
	struct certdir_record *record = model.directories[d].base.is_live ? NULL : add_row(&model, d, 0);

	if (record)
		record->device = (struct certdir_device){.id = "another",
							 .entra_device_id = pool[ENTRA][UNKNOWN],
							 .name = pool[NAME][name],
							 .enabled = CERTDIR_YES,
							 .own.is = true};
}

/* The same by names that nobody else bears, where everybody answers. */
static void whose_name_is_his_alone_comes_in(void)
{
	enum { OWN = 9 }; /* no other device is called so */
	const size_t d = chance((unsigned)model.directory_count);
	struct certdir_record *record;
	const unsigned which = 1 + chance(3);
	bool full; /* by the full name that the record has, else by one that lies in nobody's domain */

	for (size_t i = 0; i < model.directory_count; i++)
		if (model.directories[i].state != CERTDIR_ANSWERED || !in_scope(&model.directories[i]))
			return;
	begin();
	record = add_row(&model, d, 0);
	if (record) {
		const bool ldap = model.directories[d].base.is_live;

		if (!ldap)
			model.directories[d].sources[0] = make_source(CERTDIR_SOURCE_TENANT, "its own", "T1");
		model.directories[d].sources[0].synced[0] = WORLD_NOW - 60;
		record->device = (struct certdir_device){
			.id = "own", .name = pool[NAME][OWN], .enabled = CERTDIR_YES, .own.is = true};
		*(ldap ? &record->device.sid : &record->device.entra_device_id) = pool[ldap ? SID : ENTRA][OWN];
		if (ldap && model.directories[d].base.domains == domains[0]) {
			record->device.dns_names = &pool[DNS_A][OWN];
			record->device.dns_name_count = 1;
		}
		full = record->device.dns_name_count && one_in(2);
		if (full && which == 2)
			name_anothers(OWN);
		model.policy = (struct certdir_policy){.join_types = UINT32_MAX, .twins_deny = one_in(2)};
		begin_certificate(&model, 1);
		if (which & 1)
			put_name(&model, CERTDIR_ID_NAME, CERTDIR_RANK_CHOSEN, pool[NAME][OWN]);
		if (which & 2)
			put_name(&model, CERTDIR_ID_DNS, CERTDIR_RANK_CHOSEN, pool[full ? DNS_A : DNS_C][OWN]);
		put_name(&model, CERTDIR_ID_SERIAL, CERTDIR_RANK_CHOSEN, pool[SERIAL][UNKNOWN]);
		judge_changed();
		HOLDS(verdict.allowed && verdict.device == row_bit(record), "row %lld is known and kept out",
		      (long long)record->row);
	}
	end();
}

/* Rule 3: an id that somebody wrote into everything makes nothing one device, and finds nothing. */
static void filler_is_no_id(void)
{
	const unsigned many = CERTDIR_CARRIERS_MAX + 1 + chance(4);

	begin();
	model.directory_count = 1;
	make_directory(&model, 0, false);
	model.directories[0].base.issuers = NULL;
	model.directories[0].state = CERTDIR_ANSWERED;
	model.directories[0].keeps = world_keeps(false);
	model.directories[0].sources[0] = make_source(CERTDIR_SOURCE_TENANT, "contoso", "T1");
	model.directories[0].sources[0].synced[0] = WORLD_NOW - 60;
	model.rows = 0;
	for (unsigned i = 0; i < many; i++) {
		struct certdir_record *record = add_row(&model, 0, 0);

		record->device = (struct certdir_device){.id = pool[ENTRA][i],
							 .entra_device_id = pool[ENTRA][i],
							 .object_id = pool[OBJECT][0],
							 .own.is = true,
							 .enabled = i == 0 ? CERTDIR_YES : CERTDIR_NO};
	}
	shuffle(model.directories[0].records, many, sizeof(struct certdir_record));
	model.policy = (struct certdir_policy){.join_types = UINT32_MAX};
	begin_certificate(&model, 1);
	put_name(&model, CERTDIR_ID_GUID, CERTDIR_RANK_VOUCHED, pool[ENTRA][0]);
	judge_changed();
	HOLDS(verdict.allowed, "it has nothing in common with the others");
	model.certificate.identities[0].value = pool[OBJECT][0];
	judge_changed();
	HOLDS(verdict.reason == CERTDIR_NOT_FOUND || is_failure(verdict.reason), "nobody's own id finds somebody");
	end();
}

/* ---- twins ---- */

static unsigned twins_disabled, twins_in, owners, owners_in;
static bool joined_anew[DEVICES + 2]; /* the laptop of this twin is that of the one before, and kept its certificate */

/* A day's lag of one and a fortnight's of the other: what a directory shows of the last time that it was seen. */
static int64_t shown(int64_t seen, int64_t registered, int64_t lag)
{
	const int64_t at = seen - chance((unsigned)lag);

	return at < registered ? registered : at;
}

static void know_twin(size_t k, bool intune)
{
	const struct truth *device = &model.devices[k];
	struct certdir_record *record = add_row(&model, 0, 0);

	record->device = (struct certdir_device){.entra_device_id = pool[ENTRA][k],
						 .name = pool[NAME][1],
						 .enabled = device->life == DISABLED ? CERTDIR_NO : CERTDIR_YES};
	record->device.own = (struct certdir_statement){.is = true,
							.registered = device->registered,
							.last_seen = shown(device->seen, device->registered, 14 * DAY)};
	if (intune) {
		record->device.intune_device_id = pool[INTUNE][k];
		record->device.intune =
			(struct certdir_statement){.is = true,
						   .registered = device->registered,
						   .last_seen = shown(device->seen, device->registered, DAY)};
		if (one_in(8)) /* it does not sign in to Entra ID at all */
			record->device.own.last_seen = device->registered;
	}
	name_row(record);
}

/*
 * Laptops of one name that follow each other: set up anew, or replaced. Each lives from its registration until it is seen
 * for the last time; the last may live still. Some were stolen and disabled.
 */
static size_t make_twins(bool intune)
{
	const size_t count = 2 + chance(2);
	int64_t at = WORLD_NOW - (100 + chance(600)) * DAY;

	for (size_t k = 1; k <= count; k++) {
		struct truth *device = &model.devices[k];

		*device = (struct truth){.registered = at, .life = one_in(3) ? DISABLED : FINE};
		joined_anew[k] = k > 1 && one_in(5);
		joined_anew[k + 1] = false;
		at += chance(200 * DAY);
		if (at > WORLD_NOW || k == count)
			at = WORLD_NOW;
		device->seen = at;
		at += chance(one_in(2) ? DAY : 60 * DAY);
		if (at > WORLD_NOW)
			at = WORLD_NOW;
		know_twin(k, intune);
		if (at >= WORLD_NOW - DAY)
			return k;
	}
	return count;
}

/* One of them asks for its certificate while it lives, CAs date back up to a day, and Intune has noted its check-in. */
static void issue_to(size_t k)
{
	struct truth *device = &model.devices[k];
	const int64_t issued = device->registered + chance((unsigned)(device->seen - device->registered + 1));

	begin_certificate(&model, k);
	put_name(&model, CERTDIR_ID_NAME, CERTDIR_RANK_CHOSEN, pool[NAME][1]);
	model.certificate.not_before = issued - (one_in(2) ? 600 : chance(DAY));
}

static void make_twin_world(void)
{
	static const int64_t ages[] = {60, 60, 60, 2000, 3599, 7200};
	struct model_directory *directory = &model.directories[0];

	model.rows = 0;
	model.directory_count = 1;
	model.policy = (struct certdir_policy){.join_types = UINT32_MAX};
	make_directory(&model, 0, false);
	directory->base.issuers = NULL;
	directory->base.max_age = 3600;
	directory->state = CERTDIR_ANSWERED;
	directory->keeps = world_keeps(false);
	directory->source_count = 1;
	directory->sources[0] = (struct certdir_source){
		.kind = CERTDIR_SOURCE_TENANT, .name = "contoso", .tenant = "T1", .says_enabled = true};
	directory->sources[0].synced[CERTDIR_PART_OF_DEVICES] = WORLD_NOW - ages[chance(5)];
	directory->sources[0].synced[CERTDIR_PART_OF_INTUNE] = WORLD_NOW - ages[chance(6)];
}

/* Rule 5: dates never take the certificate of one twin for another's, disabled or not. */
static void twin_is_not_mistaken(size_t k)
{
	const struct truth *device = &model.devices[k];
	const uint64_t own = row_bit(&model.directories[0].records[k - 1]);
	bool disabled = device->life == DISABLED;

	for (size_t next = k + 1; joined_anew[next]; next++)
		disabled |= model.devices[next].life == DISABLED;
	verdict = judge(&model);
	HOLDS(!verdict.allowed || verdict.device == own, "it was issued to row %zu", k);
	if (disabled) {
		HOLDS(!verdict.allowed, "the disabled twin of row %zu came in", k);
		twins_disabled++;
		twins_in += verdict.allowed;
	} else if (device->seen == WORLD_NOW) {
		owners++;
		owners_in += verdict.allowed;
	}
}

static void run_twins(uint64_t seed)
{
	size_t count;

	random_state = model.seed = seed;
	make_twin_world();
	count = make_twins(!one_in(3));
	for (size_t k = 1; k <= count; k++) {
		issue_to(k);
		twin_is_not_mistaken(k);
		age_lets_nobody_in();
	}
}

static void test_twins(void **state)
{
	const char *one = getenv("CERTDIR_MODEL_SEED");

	(void)state;
	if (one) {
		run_twins(strtoull(one, NULL, 10));
		return;
	}
	for (uint64_t seed = 1; twins_disabled < 30000; seed++)
		run_twins(seed);
	fprintf(stderr, "twins: %u of %u disabled ones came in, %u of %u living ones (%u %%)\n", twins_in,
		twins_disabled, owners_in, owners, owners_in * 100 / owners);
	assert_int_equal(twins_in, 0);
	assert_true(owners_in * 2 > owners);
}

/* ---- worlds ---- */

static void run_world(uint64_t seed)
{
	make_model(&model, seed);
	for (int i = 0; i < 3; i++) {
		if (i > 0)
			make_certificate(&model);
		verdict = judge(&model);
		check_properties();
		check_comparisons();
		issued_decides();
	}
	stranger_stays_out();
	who_is_known_comes_in();
	whose_name_is_his_alone_comes_in();
	if (seed % 16 == 0)
		filler_is_no_id();
}

static void test_worlds(void **state)
{
	const char *worlds = getenv("CERTDIR_MODEL_WORLDS"), *one = getenv("CERTDIR_MODEL_SEED");
	const uint64_t count = worlds ? strtoull(worlds, NULL, 10) : 20000;

	(void)state;
	if (one) {
		run_world(strtoull(one, NULL, 10));
		return;
	}
	for (uint64_t seed = 1; seed <= count; seed++)
		run_world(seed);
	fprintf(stderr, "%llu worlds\n", (unsigned long long)count);
	for (size_t i = 0; names_of_checked[i]; i++)
		fprintf(stderr, "  %9u x %s\n", checked[i], names_of_checked[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_worlds), cmocka_unit_test(test_twins)};

	pool_fill();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
