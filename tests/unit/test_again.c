/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions judged again, in the random worlds of the model: nobody is put out of a world that has not changed, and nobody stays whose device
 * was disabled, retired or removed, or whose certificate was revoked. And what is rare, from worlds made for it.
 *
 *	CERTDIR_MODEL_WORLDS=2000000 test_again		more of them
 *	CERTDIR_MODEL_SEED=17 test_again		one
 */
#include "again.h"
#include "decision_model.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define THUMBPRINT "00112233445566778899aabbccddeeff00112233"

static const struct certdir_class_key key = {.bytes = {7}};
static struct model model;
static char thumbprint[] = THUMBPRINT;

/* How often something was looked at, and came out so. */
static struct {
	unsigned logins, classes, unsealed, by_ids, by_names, lists, lists_stay, unheard_of;
	unsigned changes, out_and_in, stays_and_out, denied, observed;
} seen;

/* ---- judging, and what is left of it ---- */

static void open_checker(struct certdir_checker *checker)
{
	*checker = (struct certdir_checker){.accepted = UINT32_MAX, .policy = model.policy};
	for (size_t d = 0; d < model.directory_count; d++)
		checker->directories[checker->directory_count++] = &model.directories[d].base;
	checker->people[0] = &model.people.base;
	checker->people_count = model.people.base.type != NULL;
}

static void log_in(struct certdir_check *check)
{
	const struct certdir_login login = {.now = WORLD_NOW};
	struct certdir_checker checker;

	open_checker(&checker);
	memset(check, 0, sizeof(*check));
	check->certificate = model.certificate;
	certdir_check_names(check, &checker, &login);
}

static void judge_again(struct certdir_check *check, const struct certdir_class *class, bool live)
{
	struct certdir_checker checker;

	open_checker(&checker);
	certdir_check_again(check, &checker, class, live, WORLD_NOW);
}

static void forget(struct certdir_check *check)
{
	for (size_t d = 0; d < check->known.count; d++)
		check->known.answers[d].count = 0; /* its strings are the pool's */
	if (check->person)
		check->person->known.answers[0].count = 0;
	if (!check->parsed)
		for (size_t i = model.certificate.count; i < check->certificate.count; i++)
			free(check->certificate.identities[i].value);
	certdir_check_clear(check);
}

static void complain(const char *property, const struct certdir_class *class, const struct certdir_check *first,
		     const struct certdir_check *check)
{
	fprintf(stderr, "world %llu: %s\n", (unsigned long long)model.seed, property);
	tell(&model);
	fprintf(stderr, "  login: %s %s (%zu records)\n", certdir_reason_name(first->decision.reason),
		first->decision.detail, first->decision.record_count);
	fprintf(stderr, "  again: %s %s\n  class:%s%s%s", certdir_reason_name(check->decision.reason),
		check->decision.detail, class->asked_of_device ? " by names" : "", class->live ? " live" : "",
		class->quarantine ? " quarantine" : "");
	for (size_t i = 0; i < class->id_count; i++)
		fprintf(stderr, " %s:%s=%s", certdir_rank_name(class->ids[i].rank),
			certdir_identity_type_name(class->ids[i].type), class->ids[i].value);
	fprintf(stderr, "\n");
	fail_msg("world %llu: %s", (unsigned long long)model.seed, property);
}

/* ---- the worlds, with what the model has not ---- */

static const char *const same_issuer[] = {"CN=Nobody", "dc=EXAMPLE, cn=example  CA", "DC=example,CN=Example CA", NULL};

static void add_person(void)
{
	(void)make_people(&model);
	put_name(&model, CERTDIR_ID_UPN, CERTDIR_RANK_CHOSEN, PERSON);
	model.certificate.holder = one_in(2) ? CERTDIR_HOLDER_USER : CERTDIR_HOLDER_BOTH;
}

/* An id that so many carry is none. */
static void add_filler(size_t k)
{
	const size_t d = chance((unsigned)model.directory_count);

	for (int i = 0; i < 17 && !model.directories[d].base.is_live; i++) {
		struct certdir_record *record = add_row(&model, d, 0);

		if (!record)
			return;
		record->device = (struct certdir_device){.id = "filler",
							 .object_id = pool[OBJECT][k],
							 .sid = pool[SID][k],
							 .enabled = CERTDIR_YES,
							 .own.is = true};
	}
}

static struct certdir_issued issued;
static struct certdir_value issued_value = {CERTDIR_ID_CERTIFICATE, thumbprint};

/* In the table of a list that answers; NULL: there is none. */
static struct certdir_record *add_issued(size_t k)
{
	const size_t d = chance((unsigned)model.directory_count);
	struct certdir_record *record =
		model.directories[d].state == CERTDIR_ANSWERED && !model.directories[d].base.is_live && k
			? add_row(&model, d, 0)
			: NULL;

	if (!record)
		return NULL;
	issued = (struct certdir_issued){.intune_device_id = pool[INTUNE][k], .thumbprint = thumbprint};
	record->device = (struct certdir_device){.id = thumbprint, .intune_device_id = issued.intune_device_id};
	record->issued = &issued;
	record->only_against = "a certificate";
	record->values = &issued_value;
	record->value_count = 1;
	return record;
}

static void make_world(uint64_t seed)
{
	issued.revoked = false;
	make_model(&model, seed);
	for (size_t d = 0; d < model.directory_count; d++)
		if (!model.directories[d].base.issuers && one_in(3))
			model.directories[d].base.issuers = same_issuer;
	if (one_in(4))
		add_person();
	if (one_in(8))
		add_filler(1 + chance((unsigned)model.device_count));
	if (one_in(4)) {
		model.certificate.thumbprint = thumbprint;
		(void)add_issued(model.holder);
	}
	model.policy.require_enabled_owner = one_in(8);
}

/* ---- a session ---- */

/* False: nobody came in, or no Class can be made of it. */
static bool begin_session(struct certdir_class *class, struct certdir_check *login)
{
	char text[CERTDIR_CLASS_MAX + 1];

	log_in(login);
	certdir_class_of(class, login, "certdir", WORLD_NOW);
	if (certdir_reason_verdict(login->decision.reason) != CERTDIR_ALLOW && !login->decision.only_compliance) {
		assert_int_equal(class->id_count, 0);
		return false;
	}
	seen.logins++;
	if (!class->id_count)
		return false;
	seen.classes++;
	/* Tenants of the model are no GUIDs. */
	if (model.certificate.tenant)
		return true;
	if (!certdir_class_seal(class, &key, text)) {
		seen.unsealed++;
		return false;
	}
	assert_true(certdir_class_open(class, text, strlen(text), &key, "certdir"));
	return true;
}

/* ---- nobody is put out of a world that has not changed ---- */

static uint64_t rows_heard(const struct certdir_check *check)
{
	uint64_t rows = 0;

	for (size_t d = 0; d < check->known.count; d++)
		for (size_t r = 0; r < check->known.answers[d].count; r++)
			rows |= row_bit(&check->known.answers[d].records[r]);
	return rows;
}

/*
 * But by a record that the login could not find: LDAP is asked in order, each directory once, and so the first by names alone, of which a
 * later one has the ids.
 */
static bool is_unheard_of(const struct certdir_class *class, const struct certdir_check *login,
			  const struct certdir_check *check)
{
	return class->asked_of_device && (rows_heard(check) & ~rows_heard(login));
}

static void stays(const struct certdir_class *class, const struct certdir_check *login)
{
	struct certdir_check check;

	judge_again(&check, class, true);
	if (!certdir_class_stays(class, &check) && is_unheard_of(class, login, &check))
		seen.unheard_of++;
	else if (!certdir_class_stays(class, &check))
		complain("put out, and nothing has changed", class, login, &check);
	if (certdir_class_changed(class, &check))
		complain("moved, and nothing has changed", class, login, &check);
	seen.by_ids += class->ids[0].rank >= CERTDIR_RANK_ID;
	seen.by_names += class->asked_of_device && class->ids[0].rank > CERTDIR_RANK_CHOSEN;
	forget(&check);
	judge_again(&check, class, false);
	seen.lists++;
	seen.lists_stay += certdir_class_stays(class, &check);
	if (certdir_class_changed(class, &check) && class->live)
		complain("moved by lists alone", class, login, &check);
	forget(&check);
}

/* ---- nobody stays whose device is not wanted any more ---- */

/* The record in its directory of the r-th that a device has. */
static struct certdir_record *row_of(const struct certdir_check *login, size_t r, struct model_directory **directory)
{
	for (size_t d = 0; d < model.directory_count; d++)
		for (size_t i = 0; i < model.directories[d].count; i++)
			if (model.directories[d].records[i].row == login->decision.records[r]->row) {
				*directory = &model.directories[d];
				return &model.directories[d].records[i];
			}
	return NULL;
}

static void goes(const char *property, const struct certdir_class *class, const struct certdir_check *login)
{
	struct certdir_check check;

	judge_again(&check, class, true);
	if (certdir_class_stays(class, &check))
		complain(property, class, login, &check);
	forget(&check);
}

/* One of its records says no: whichever. */
static void goes_when_disabled(const struct certdir_class *class, const struct certdir_check *login)
{
	for (size_t r = 0; r < login->decision.record_count; r++) {
		struct model_directory *directory;
		struct certdir_record *record = row_of(login, r, &directory), before;

		assert_non_null(record);
		before = *record;
		if (record->issued)
			continue;
		record->device.enabled = CERTDIR_NO;
		goes("it was disabled, and stays", class, login);
		*record = before;
		record->device.management_state = "wipePending";
		goes("it was retired, and stays", class, login);
		*record = before;
		record->device.expires = WORLD_NOW - 1;
		goes("it has expired, and stays", class, login);
		*record = before;
	}
}

static void goes_when_revoked(const struct certdir_class *class, const struct certdir_check *login)
{
	for (size_t r = 0; r < login->decision.record_count; r++)
		if (login->decision.records[r]->issued) {
			issued.revoked = true;
			goes("its certificate was revoked, and it stays", class, login);
			issued.revoked = false;
		}
}

static void goes_when_the_person_is_disabled(const struct certdir_class *class, const struct certdir_check *login)
{
	struct certdir_record *record = &model.people.records[0];
	const enum certdir_tristate enabled = record->device.enabled;

	if (!login->person || login->owner || !login->person->decision.record_count)
		return;
	record->device.enabled = CERTDIR_NO;
	goes("the person was disabled, and stays", class, login);
	record->device.enabled = enabled;
	model.people.count = 0;
	goes("the person was removed, and stays", class, login);
	model.people.count = 1;
}

/* Whether a row speaks for it that the login did not need, or did not know how to ask for. */
static bool is_by_another_row(const struct certdir_check *login, const struct certdir_check *check)
{
	for (size_t r = 0; r < check->decision.record_count; r++)
		if (!(row_bit(check->decision.records[r]) & rows_heard(login)))
			return true;
	return false;
}

/*
 * All its records go. LDAP may have another that was not needed, or shares an id with those. Who is known by names without an id may be found
 * as another of that name, as a login would let it in.
 */
static void goes_when_removed(const struct certdir_class *class, const struct certdir_check *login)
{
	struct certdir_check check, anew;

	if (!login->decision.record_count || login->decision.record_count == CERTDIR_DEVICE_RECORDS_MAX)
		return; /* not all of them are told */
	for (size_t r = 0; r < login->decision.record_count; r++) {
		struct model_directory *directory = NULL;
		struct certdir_record *record = row_of(login, r, &directory);

		if (!login->decision.records[r]->issued)
			*record = directory->records[--directory->count];
	}
	judge_again(&check, class, true);
	log_in(&anew);
	if (certdir_class_stays(class, &check) && !is_by_another_row(login, &check) &&
	    (class->ids[0].rank > CERTDIR_RANK_CHOSEN ||
	     certdir_reason_verdict(anew.decision.reason) != certdir_reason_verdict(check.decision.reason)))
		complain("it was removed, and stays", class, login, &check);
	forget(&check);
	forget(&anew);
}

/* ---- who is let in because certdir only observes ---- */

/* Nothing has changed, and certdir enforces: nobody stays. */
static void goes_when_enforced(const struct certdir_check *login)
{
	struct certdir_class class;
	struct certdir_check check;

	certdir_class_of_observed(&class, login, "certdir", WORLD_NOW);
	if (!class.id_count)
		return;
	seen.observed++;
	assert_string_not_equal(class.id, "");
	judge_again(&check, &class, true);
	if (check.decision.reason != login->decision.reason)
		complain("observed, and judged otherwise", &class, login, &check);
	if (certdir_class_stays(&class, &check))
		complain("observed, and stays", &class, login, &check);
	forget(&check);
}

/* ---- how far a second judgement is from another login ---- */

static void change_something(void)
{
	struct model_directory *directory = &model.directories[chance((unsigned)model.directory_count)];
	struct certdir_record *record =
		directory->count ? &directory->records[chance((unsigned)directory->count)] : NULL;

	if (!record)
		return;
	switch (chance(4)) {
	case 0:
		record->device.enabled = record->device.enabled == CERTDIR_NO ? CERTDIR_YES : CERTDIR_NO;
		break;
	case 1:
		*record = directory->records[--directory->count];
		break;
	case 2:
		record->device.name = pool[NAME][1 + chance(8)];
		break;
	default:
		record->device.own.compliant = CERTDIR_NO;
		break;
	}
}

/* Anything changes. Neither has to say what the other does, but they seldom differ. */
static void compare_with_login(const struct certdir_class *class)
{
	struct certdir_check check, anew;
	bool in, out;

	change_something();
	judge_again(&check, class, true);
	log_in(&anew);
	in = certdir_reason_verdict(anew.decision.reason) == CERTDIR_ALLOW;
	out = certdir_reason_verdict(anew.decision.reason) == CERTDIR_DENY && !anew.decision.only_compliance;
	seen.changes++;
	seen.out_and_in += in && certdir_reason_verdict(check.decision.reason) == CERTDIR_DENY;
	seen.stays_and_out += out && certdir_class_stays(class, &check);
	forget(&check);
	forget(&anew);
}

static void run_world(uint64_t seed)
{
	static struct model before;
	struct certdir_class class;
	struct certdir_check login;

	make_world(seed);
	if (begin_session(&class, &login)) {
		stays(&class, &login);
		goes_when_disabled(&class, &login);
		goes_when_revoked(&class, &login);
		goes_when_the_person_is_disabled(&class, &login);
		before = model;
		compare_with_login(&class);
		model = before;
		goes_when_removed(&class, &login);
		model = before;
	}
	if (certdir_reason_verdict(login.decision.reason) != CERTDIR_ALLOW) {
		seen.denied++;
		goes_when_enforced(&login);
	}
	forget(&login);
}

static void test_worlds(void **state)
{
	const char *worlds = getenv("CERTDIR_MODEL_WORLDS"), *one = getenv("CERTDIR_MODEL_SEED");
	const uint64_t count = worlds ? strtoull(worlds, NULL, 10) : 60000;

	(void)state;
	if (one) {
		run_world(strtoull(one, NULL, 10));
		return;
	}
	for (uint64_t seed = 1; seed <= count; seed++)
		run_world(seed);
	fprintf(stderr,
		"%u let in, %u classes (%u do not fit), %u by ids, %u of them for names; lists alone keep %u of %u, %u "
		"put out by who was not asked by ids\n"
		"of %u changes, %u put out whom a login lets in, %u keep whom a login keeps out; %u of %u denied have "
		"a class\n",
		seen.logins, seen.classes, seen.unsealed, seen.by_ids, seen.by_names, seen.lists_stay, seen.lists,
		seen.unheard_of, seen.changes, seen.out_and_in, seen.stays_and_out, seen.observed, seen.denied);
	assert_true(seen.classes - seen.unsealed > seen.logins / 10 * 9);
	assert_true(seen.unheard_of <= seen.logins / 1000);
	assert_true(seen.observed > seen.denied / 10 * 9);
	assert_true(seen.out_and_in <= seen.changes / 500);
	assert_true(seen.stays_and_out <= seen.changes / 30);
}

/* ---- one by one ---- */

#define LIST_OF(record, more) "\"directories\": [{\"list\": [" record "]" more "}]"
#define PC "{\"e\": \"E1\", \"name\": \"pc01\"}"
#define STAFF "{\"e\": \"E1\", \"name\": \"pc01\", \"groups\": [\"Staff\"]}"
#define BY_NAME "\"cert\": \"CN:pc01\", "
#define LIST_AND_LDAP(list, ldap) "\"directories\": [{\"list\": [" list "]}, {\"ldap\": [" ldap "]}]"
#define AD_PC "{\"id\": \"cn=pc01\", \"sid\": \"S-1-5-21-1-2-3-1104\", \"name\": \"pc01\", \"groups\": [\"Staff\"]}"
#define CERTIFICATE "\"thumbprint\": \"" THUMBPRINT "\", "
#define ROW(issued)                                                                                                    \
	"{\"id\": \"row\", \"own\": null, \"values\": [[\"certificate\", \"" THUMBPRINT "\"]], \"issued\": " issued "}"
#define ANNA "{\"id\": \"anna\", \"o\": \"O9\", \"values\": [[\"upn\", \"anna@x\"]]}"
#define COMPLIANT "\"policy\": {\"require_compliant\": true}, "
#define IS(compliance) LIST_OF("{\"e\": \"E1\", \"name\": \"pc01\", \"own\": {\"compliant\": " compliance "}}", "")

/* The world of the login, what of it is another one later, and what comes out then. */
static const struct again {
	const char *name, *login, *later;
	bool live;
	enum certdir_reason reason;
	bool stays, changed;
} cases[] = {
	{"nothing is new", BY_NAME LIST_OF(PC, ""), "", true, CERTDIR_ALLOWED, true, false},
	{"its name is another's by now", BY_NAME LIST_OF(PC, ""),
	 LIST_OF("{\"e\": \"E1\", \"name\": \"old\"}, {\"e\": \"E2\", \"name\": \"pc01\", \"enabled\": false}", ""),
	 true, CERTDIR_ALLOWED, true, false},
	{"it was removed, and another is called so", BY_NAME LIST_OF(PC, ""),
	 LIST_OF("{\"e\": \"E2\", \"name\": \"pc01\"}", ""), true, CERTDIR_NOT_FOUND, false, false},
	{"the list is gone", BY_NAME LIST_OF(PC, ""), LIST_OF(PC, ", \"missing\": true"), true, CERTDIR_LIST_MISSING,
	 false, false},
	{"the list is too old for a yes", BY_NAME LIST_OF(PC, ""),
	 LIST_OF(PC, ", \"sources\": {\"t\": {\"tenant\": \"T\", \"age\": 9999}}"), true, CERTDIR_LIST_STALE, false,
	 false},
	{"it is in another group", BY_NAME LIST_OF(PC, ""), LIST_OF(STAFF, ""), true, CERTDIR_ALLOWED, true, true},
	{"it has left its group", BY_NAME LIST_OF(STAFF, ""), LIST_OF(PC, ""), true, CERTDIR_ALLOWED, true, true},
	{"its groups are too old to be told", BY_NAME LIST_OF(STAFF, ""),
	 LIST_OF(STAFF, ", \"sources\": {\"t\": {\"tenant\": \"T\", \"groups_age\": 9999}}"), true, CERTDIR_ALLOWED,
	 true, false},
	{"LDAP, which has its group, is down", BY_NAME LIST_AND_LDAP(PC, AD_PC),
	 "\"directories\": [{\"list\": [" PC "]}, {\"ldap\": [], \"down\": true}]", true, CERTDIR_ALLOWED, true, false},
	{"LDAP, which has its group, is not asked", BY_NAME LIST_AND_LDAP(PC, AD_PC), "", false, CERTDIR_ALLOWED, true,
	 false},
	{"LDAP has disabled it, and the list has not", BY_NAME LIST_AND_LDAP(PC, AD_PC),
	 LIST_AND_LDAP(
		 PC,
		 "{\"id\": \"cn=pc01\", \"sid\": \"S-1-5-21-1-2-3-1104\", \"name\": \"other\", \"enabled\": false}"),
	 true, CERTDIR_DISABLED, false, false},
	{"LDAP alone has it, and is not asked", BY_NAME LIST_AND_LDAP("", AD_PC), "", false, CERTDIR_NOT_FOUND, false,
	 false},
	{"LDAP alone has it", BY_NAME LIST_AND_LDAP("", AD_PC), "", true, CERTDIR_ALLOWED, true, false},
	{"LDAP alone has it, and is down", BY_NAME LIST_AND_LDAP("", AD_PC),
	 "\"directories\": [{\"list\": []}, {\"ldap\": [], \"down\": true}]", true, CERTDIR_DIRECTORY_UNAVAILABLE,
	 false, false},
	{"an account that ids find and names do not",
	 BY_NAME "\"directories\": [{\"ldap\": [{\"id\": \"cn=x\", \"sid\": \"S-1-5-21-1-2-3-1104\", \"name\": \"x\", "
		 "\"groups\": [\"Guests\"]}]}, "
		 "{\"ldap\": [" AD_PC "]}]",
	 "", true, CERTDIR_ALLOWED, true, false},
	{"in quarantine", BY_NAME COMPLIANT IS("false"), "", true, CERTDIR_NOT_COMPLIANT, true, false},
	{"out of quarantine", BY_NAME COMPLIANT IS("false"), IS("true"), true, CERTDIR_ALLOWED, true, true},
	{"into quarantine, for which it has to log in", BY_NAME COMPLIANT IS("true"), IS("false"), true,
	 CERTDIR_NOT_COMPLIANT, false, false},
	{"the issuer is served, as it is written there",
	 BY_NAME LIST_OF(PC, ", \"issuer\": \"dc=example,cn=example ca\""), "", true, CERTDIR_ALLOWED, true, false},
	{"the issuer is served no more", BY_NAME LIST_OF(PC, ""), LIST_OF(PC, ", \"issuer\": \"CN=Other CA\""), true,
	 CERTDIR_ISSUER, false, false},
	{"its certificate is revoked", CERTIFICATE BY_NAME LIST_OF(PC ", " ROW("{}"), ""),
	 LIST_OF(PC ", " ROW("{\"revoked\": true}"), ""), true, CERTDIR_REVOKED, false, false},
	{"the person is disabled",
	 "\"cert\": \"UPN:anna@x\", \"holder\": \"user\", \"directories\": [], \"people\": [{\"list\": [" ANNA "]}]",
	 "\"people\": [{\"list\": [{\"id\": \"anna\", \"o\": \"O9\", \"values\": [[\"upn\", \"anna@y\"]], \"enabled\": "
	 "false}]}]",
	 true, CERTDIR_DISABLED, false, false},
	{"the person is called otherwise",
	 "\"cert\": \"UPN:anna@x\", \"holder\": \"user\", \"directories\": [], \"people\": [{\"list\": [" ANNA "]}]",
	 "\"people\": [{\"list\": [{\"id\": \"anna\", \"o\": \"O9\", \"values\": [[\"upn\", \"anna@y\"]]}]}]", true,
	 CERTDIR_ALLOWED, true, false},
};

/* What the worlds borrow their texts from: of the login, of later. */
static json_t *worlds_of[2];

/* The text of one, or of the other put over it. */
static void read_world(const struct again *again, bool later, struct world *world)
{
	char text[4096];
	json_error_t error;
	json_t *vector, *more;

	(void)snprintf(text, sizeof(text), "{%s}", again->login);
	vector = json_loads(text, 0, &error);
	(void)snprintf(text, sizeof(text), "{%s}", later ? again->later : "");
	more = json_loads(text, 0, &error);
	if (!vector || !more)
		fail_msg("%s: %s", again->name, error.text);
	json_object_update(vector, more);
	world_read(vector, world);
	json_decref(more);
	worlds_of[later] = vector;
}

static void judge_case(const struct again *again)
{
	static struct world login, later;
	struct certdir_class class;
	char text[CERTDIR_CLASS_MAX + 1];
	struct certdir_check check;

	read_world(again, false, &login);
	world_decide(&login);
	certdir_class_of(&class, &login.check, "certdir", WORLD_NOW);
	if (!certdir_class_seal(&class, &key, text) || !certdir_class_open(&class, text, strlen(text), &key, "certdir"))
		fail_msg("%s: no class, as the login is %s (%s)", again->name,
			 certdir_reason_name(login.check.decision.reason), login.check.decision.detail);
	read_world(again, true, &later);
	certdir_check_again(&check, &later.checker, &class, again->live, WORLD_NOW);
	if (check.decision.reason != again->reason || certdir_class_stays(&class, &check) != again->stays ||
	    certdir_class_changed(&class, &check) != again->changed)
		fail_msg("%s: %s (%s), stays %d, changed %d", again->name, certdir_reason_name(check.decision.reason),
			 check.decision.detail, certdir_class_stays(&class, &check),
			 certdir_class_changed(&class, &check));
	/* Told once, it is no change any more. */
	certdir_class_renew(&class, &check);
	assert_false(certdir_class_changed(&class, &check));
	certdir_check_clear(&check);
	world_clear(&login);
	world_clear(&later);
	json_decref(worlds_of[0]);
	json_decref(worlds_of[1]);
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		judge_case(&cases[i]);
}

/* A `certificates` section that is there no more fits nothing. */
static void test_section(void **state)
{
	static struct certdir_section sections[] = {{.name = "intune"}, {.name = "other"}};
	static const struct again again = {"a section", BY_NAME LIST_OF(PC, ""), "", true, CERTDIR_ALLOWED, true,
					   false};
	static struct world world;
	struct certdir_class class;
	struct certdir_check check;

	(void)state;
	read_world(&again, false, &world);
	world.checker.sections = sections;
	world.checker.section_count = 2;
	world.check.certificate.section = "intune";
	world_decide(&world);
	certdir_class_of(&class, &world.check, "certdir", WORLD_NOW);
	for (int gone = 0; gone < 2; gone++) {
		world.checker.sections = sections + gone;
		world.checker.section_count = 2 - (size_t)gone;
		certdir_check_again(&check, &world.checker, &class, true, WORLD_NOW);
		assert_int_equal(check.decision.reason, gone ? CERTDIR_ISSUER : CERTDIR_ALLOWED);
		certdir_check_clear(&check);
	}
	/* Of a login before there were any: nobody can tell. */
	class.section = 0;
	certdir_check_again(&check, &world.checker, &class, true, WORLD_NOW);
	assert_int_equal(certdir_reason_verdict(check.decision.reason), CERTDIR_UNSURE);
	certdir_check_clear(&check);
	world.checker.sections = NULL;
	world.checker.section_count = 0;
	world_clear(&world);
	json_decref(worlds_of[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases), cmocka_unit_test(test_section),
					   cmocka_unit_test(test_worlds)};

	pool_fill();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
