/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is decided in which world: from tests/vectors/decisions.json, through the flow of a login. */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct certdir_login login = {.now = WORLD_NOW};

/* Every reason must have come up when the tests are through. */
static bool seen[CERTDIR_REASONS];

static struct world world;

static const char *first_id(const struct certdir_decision *decision)
{
	return decision->record_count ? decision->records[0]->device.id : "nobody";
}

/* What is wrong with one vector: all of it is told. */
static unsigned wrongs;

static void wrong(const json_t *vector, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void wrong(const json_t *vector, const char *format, ...)
{
	char text[2 * CERTDIR_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	print_error("%s: %s\n", world_text(vector, "name"), text);
	wrongs++;
}

/* {"ad": 0}: how often a directory was asked */
static void check_asked(const json_t *vector)
{
	const json_t *item;
	const char *name;

	json_object_foreach(json_object_get(vector, "asked"), name, item)
	{
		const struct world_directory *directory = NULL;

		for (size_t d = 0; d < world.checker.directory_count; d++)
			if (strcmp(world.directories[d].base.name, name) == 0)
				directory = &world.directories[d];
		if (!directory || directory->asked != (unsigned)json_integer_value(item))
			wrong(vector, "%s was asked %u times", name, directory ? directory->asked : 0);
	}
}

static void check_who(const json_t *vector, const struct certdir_decision *decision)
{
	const char *device = world_text(vector, "device"), *by = world_text(vector, "by");
	const char *directory = world_text(vector, "directory"), *user = world_text(vector, "user");
	const char *who = world.check.person ? first_id(&world.check.person->decision) : "nobody";

	if (user && strcmp(who, user) != 0)
		wrong(vector, "the person is %s, not %s", who, user);
	if (device && strcmp(first_id(decision), device) != 0)
		wrong(vector, "it is %s, not %s", first_id(decision), device);
	if (by && (!decision->matched_by || strcmp(certdir_identity_type_name(decision->matched_by->type), by) != 0))
		wrong(vector, "matched by %s, not %s",
		      decision->matched_by ? certdir_identity_type_name(decision->matched_by->type) : "nothing", by);
	if (directory && (!decision->directory || strcmp(decision->directory, directory) != 0))
		wrong(vector, "by directory %s", decision->directory ? decision->directory : "none");
	if (decision->by_dates != json_is_true(json_object_get(vector, "by_dates")))
		wrong(vector, "by_dates is %d", decision->by_dates);
}

static void run_vector(const json_t *vector)
{
	const struct certdir_decision *decision = &world.check.decision;
	const json_t *age = json_object_get(vector, "age"), *quarantine = json_object_get(vector, "only_compliance");
	const char *reason = world_text(vector, "reason"), *says = world_text(vector, "says");
	const char *word = world_text(vector, "compliance");
	const json_t *member = json_object_get(vector, "member");

	world_read(vector, &world);
	world_decide(&world);
	seen[decision->reason] = true;
	if (!reason || strcmp(certdir_reason_name(decision->reason), reason) != 0)
		wrong(vector, "%s (%s), expected %s", certdir_reason_name(decision->reason), decision->detail, reason);
	check_who(vector, decision);
	if (age && decision->age != json_integer_value(age))
		wrong(vector, "the age is %lld", (long long)decision->age);
	if (quarantine && decision->only_compliance != json_is_true(quarantine))
		wrong(vector, "only_compliance is %d", decision->only_compliance);
	if (word && (!decision->compliance || strcmp(decision->compliance, word) != 0))
		wrong(vector, "its compliance is %s", decision->compliance ? decision->compliance : "not told");
	if (member && decision->member != json_integer_value(member))
		wrong(vector, "groups count of the records %x", decision->member);
	if (says && !strstr(decision->detail, says))
		wrong(vector, "it says \"%s\", without \"%s\"", decision->detail, says);
	if (certdir_reason_verdict(decision->reason) != CERTDIR_ALLOW && !decision->detail[0])
		wrong(vector, "%s", "no detail");
	check_asked(vector);
	world_clear(&world);
}

/* A vector is a test of its own, so that one that is wrong keeps no other from being looked at. */
static void test_vector(void **state)
{
	wrongs = 0;
	run_vector(*state);
	assert_int_equal(wrongs, 0);
}

/* ---- people: who may never come in ---- */

/* How somebody stands in a directory; WANTED is in the group that is required. */
enum standing { WANTED, STRANGER_TO_THE_GROUP, DISABLED, UNKNOWN, GONE, STANDINGS };

static json_t *somebody(enum standing standing, const char *id, const char *value)
{
	return standing == GONE ? json_array()
				: json_pack("[{s:s, s:s, s:[[s,s]], s:s, s:o, s:[s]}]", "o", id, "id", id, "values",
					    "upn", value, "name", value, "enabled",
					    standing == UNKNOWN ? json_null() : json_boolean(standing != DISABLED),
					    "groups", standing == WANTED ? "staff" : "guests");
}

static enum certdir_verdict decide_people(const char *holder, const char *kind, enum standing person,
					  enum standing device, bool groups)
{
	json_t *vector = json_pack("{s:s, s:s, s:[{s:o}], s:[{s:o}], s:o}", "cert", "UPN:anna@x CN:pc1", "holder",
				   holder, "directories", kind, somebody(device, "E1", "pc1"), "people", kind,
				   somebody(person, "U1", "anna@x"), "policy",
				   groups ? json_pack("{s:[s]}", "groups", "staff") : json_object());
	enum certdir_verdict verdict;

	assert_non_null(vector);
	world_read(vector, &world);
	world_decide(&world);
	verdict = certdir_reason_verdict(world.check.decision.reason);
	world_clear(&world);
	json_decref(vector);
	return verdict;
}

static bool is_there(enum standing standing)
{
	return standing == WANTED || standing == STRANGER_TO_THE_GROUP;
}

/* Whatever the other is: nobody who is not there and enabled helps anybody in, and either's group is enough. */
static void test_people_never(void **state)
{
	static const char *const kinds[] = {"list", "ldap"};

	(void)state;
	for (unsigned person = 0; person < STANDINGS; person++)
		for (unsigned device = 0; device < STANDINGS; device++)
			for (unsigned i = 0; i < 8; i++) {
				const bool both = i & 1, groups = i & 2;
				const bool member = person == WANTED || (both && device == WANTED);
				const bool fine =
					is_there(person) && (!both || is_there(device)) && (member || !groups);

				assert_int_equal(decide_people(both ? "both" : "user", kinds[i >> 2], person, device,
							       groups) == CERTDIR_ALLOW,
						 fine);
			}
}

/* ---- the order of reasons ---- */

/* What brings each reason about, on top of those behind it: changes of the device (which is E1, with the SID s1) and of the policy. */
static const struct {
	enum certdir_reason reason;
	const char *device, *policy;
} flaws[] = {
	{CERTDIR_SID_MISMATCH, "{\"sid\": \"s2\"}", "{}"},
	{CERTDIR_RETIRED, "{\"state\": \"wipePending\"}", "{}"},
	{CERTDIR_DISABLED, "{\"enabled\": false}", "{}"},
	{CERTDIR_NAME_MISMATCH, "{}", "{\"names_must_agree\": true}"},
	{CERTDIR_JOIN_TYPE, "{\"join\": \"entra\"}", "{\"join_types\": [\"hybrid\"]}"},
	{CERTDIR_OWNERSHIP, "{\"ownership\": \"personal\"}", "{\"ownership\": [\"company\"]}"},
	{CERTDIR_SYSTEM, "{\"system\": \"iOS\"}", "{\"operating_systems\": [\"Windows\"]}"},
	{CERTDIR_NOT_MANAGED, "{}", "{\"require_managed\": true}"},
	{CERTDIR_NOT_COMPLIANT, "{\"own\": {\"compliant\": false}}", "{\"require_compliant\": true}"},
	{CERTDIR_COMPLIANCE_UNKNOWN, "{}", "{\"require_compliant\": true}"},
	{CERTDIR_INACTIVE, "{\"seen\": 864000}", "{\"max_inactive\": 3600}"},
	{CERTDIR_NOT_IN_GROUP, "{}", "{\"groups\": [\"staff\"]}"},
};

static void add(json_t *object, const char *text)
{
	json_t *more = json_loads(text, 0, NULL);

	assert_non_null(more);
	(void)json_object_update(object, more);
	json_decref(more);
}

/* A device with all that is behind a reason against it is kept out by that one, and the reasons stand in that order. */
static void test_order(void **state)
{
	json_t *device = json_pack("{s:s, s:s}", "e", "E1", "sid", "s1"), *policy = json_object();

	(void)state;
	for (size_t i = sizeof(flaws) / sizeof(flaws[0]); i-- > 0;) {
		json_t *vector;

		assert_true(i == 0 || flaws[i - 1].reason < flaws[i].reason);
		add(device, flaws[i].device);
		add(policy, flaws[i].policy);
		vector = json_pack("{s:s, s:[{s:[O, {s:s, s:s}]}], s:O}", "cert", "URI:E1 SID:s1 CN:pc2", "directories",
				   "list", device, "e", "E2", "name", "pc2", "policy", policy);
		world_read(vector, &world);
		world_decide(&world);
		assert_string_equal(certdir_reason_name(world.check.decision.reason),
				    certdir_reason_name(flaws[i].reason));
		world_clear(&world);
		json_decref(vector);
	}
	json_decref(device);
	json_decref(policy);
}

/* Of a device and a person, whatever each is: the first in that order counts, and only who is allowed twice comes in. */
static void test_order_of_two(void **state)
{
	(void)state;
	for (unsigned d = 0; d < CERTDIR_REASONS; d++)
		for (unsigned p = 0; p < CERTDIR_REASONS; p++) {
			struct certdir_decision device = {.reason = d, .only_compliance = true}, person = {.reason = p};
			const bool fine = certdir_reason_verdict(p) == CERTDIR_ALLOW;

			certdir_decision_take(&device, &person, "the user");
			assert_int_equal(device.reason, d < p ? d : p);
			assert_true(certdir_reason_verdict(device.reason) != CERTDIR_ALLOW ||
				    (fine && certdir_reason_verdict(d) == CERTDIR_ALLOW));
			assert_int_equal(device.only_compliance, fine);
		}
}

/* ---- what the flow itself says ---- */

/* One device that its certificate names, and a second directory that has it disabled. */
static json_t *small_world(void)
{
	return json_loads("{\"cert\":\"CN:pc1\",\"directories\":[{\"list\":[{\"e\":\"E1\",\"name\":\"pc1\"}]},"
			  "{\"name\":\"second\",\"list\":[{\"e\":\"E1\",\"name\":\"pc1\",\"enabled\":false}]}]}",
			  0, NULL);
}

/* A directory that does not serve the issuer neither helps nor harms. */
static void test_issuer(void **state)
{
	static const char *const ours[] = {"cn=Example CA, dc=example", NULL}, *const other[] = {"CN=Other CA", NULL};
	json_t *vector = small_world();

	(void)state;
	world_read(vector, &world);
	world.directories[0].base.issuers = ours;
	world.directories[1].base.issuers = other;
	world_decide(&world);
	assert_int_equal(world.check.decision.reason, CERTDIR_ALLOWED);
	assert_int_equal(world.directories[1].asked, 0);
	world_clear(&world);

	world_read(vector, &world);
	world.directories[0].base.issuers = world.directories[1].base.issuers = other;
	world_decide(&world);
	assert_int_equal(world.check.decision.reason, CERTDIR_ISSUER);
	seen[world.check.decision.reason] = true;
	world_clear(&world);
	json_decref(vector);
}

/* Where there are `certificates` sections, one of them has to fit. */
static void test_no_section(void **state)
{
	struct certdir_section section = {.name = "intune"};
	json_t *vector = small_world();

	(void)state;
	world_read(vector, &world);
	world.checker.directory_count = 1;
	world.checker.sections = &section;
	world.checker.section_count = 1;
	world_decide(&world);
	assert_int_equal(world.check.decision.reason, CERTDIR_ISSUER);
	world.checker.directory_count = 2;
	world_clear(&world);

	world_read(vector, &world);
	world.checker.directory_count = 1;
	world.checker.sections = &section;
	world.checker.section_count = 1;
	world.check.certificate.section = section.name;
	world_decide(&world);
	assert_int_equal(world.check.decision.reason, CERTDIR_ALLOWED);
	world.checker.directory_count = 2;
	world_clear(&world);
	json_decref(vector);
}

static void test_no_identity(void **state)
{
	json_t *vector = small_world();

	(void)state;
	world_read(vector, &world);
	world.checker.accepted = CERTDIR_BIT(CERTDIR_ID_SID); /* its common_name is not */
	world_decide(&world);
	assert_int_equal(world.check.decision.reason, CERTDIR_NO_IDENTITY);
	seen[world.check.decision.reason] = true;
	assert_int_equal(world.directories[0].asked, 0);
	certdir_check_clear(&world.check);
	certdir_check_der(&world.check, &world.checker, (const unsigned char *)"x", 1, &login);
	assert_int_equal(world.check.decision.reason, CERTDIR_MALFORMED_CERTIFICATE);
	seen[world.check.decision.reason] = true;
	world_clear(&world);
	json_decref(vector);
}

/* A device of `count` records, each of which names the next; `wide` ones bring more ids than are asked for. */
static json_t *long_chain(int count, bool wide)
{
	json_t *list = json_array();

	for (int i = 0; i < count; i++) {
		json_t *record = json_pack("{s:o, s:o, s:s}", "e", json_sprintf("E%d", i), "i",
					   json_sprintf("E%d", i + 1), "name", i ? "other" : "pc1");

		if (wide)
			(void)json_object_set_new(record, "sid", json_sprintf("S%d", i));
		if (wide)
			(void)json_object_set_new(record, "o", json_sprintf("O%d", i));
		(void)json_array_append_new(list, record);
	}
	return json_pack("{s:s, s:[{s:o}]}", "cert", "CN:pc1", "directories", "list", list);
}

/* More than can be looked at: nobody knows any more that a name is one device's. */
static void test_too_much(void **state)
{
	static const struct {
		int count;
		bool wide;
		enum certdir_reason reason;
	} cases[] = {
		{50, true, CERTDIR_ALLOWED},
		{100, false, CERTDIR_ALLOWED},
		{100, true, CERTDIR_AMBIGUOUS},
		{CERTDIR_RECORDS_MAX + 1, false, CERTDIR_AMBIGUOUS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *vector = long_chain(cases[i].count, cases[i].wide);

		world_read(vector, &world);
		world_decide(&world);
		assert_int_equal(world.check.decision.reason, cases[i].reason);
		world_clear(&world);
		json_decref(vector);
	}
}

/* The same through names: the records that filled the answer teach ids, which are not taken up any more (and must not leak). */
static void test_full_answer(void **state)
{
	json_t *list = json_array(), *vector;
	char cert[256] = "CN:n0";

	(void)state;
	for (int n = 0; n < 9; n++) {
		if (n)
			(void)snprintf(cert + strlen(cert), sizeof(cert) - strlen(cert), " CN:n%d", n);
		for (int i = 0; i < CERTDIR_CARRIERS_MAX; i++)
			(void)json_array_append_new(list, json_pack("{s:o, s:o}", "e", json_sprintf("E%d-%d", n, i),
								    "name", json_sprintf("n%d", n)));
	}
	vector = json_pack("{s:s, s:[{s:o}]}", "cert", cert, "directories", "list", list);
	world_read(vector, &world);
	world_decide(&world);
	assert_true(world.check.known.answers[0].full);
	assert_int_not_equal(certdir_reason_verdict(world.check.decision.reason), CERTDIR_ALLOW);
	world_clear(&world);
	json_decref(vector);
}

static void test_user_name(void **state)
{
	static const struct {
		const char *name;
		bool matches;
	} cases[] = {
		{"pc1", true},
		{"PC1", true},
		{"host/pc1", true},
		{"HOST/PC1.corp.example", true},
		{"PC1$", true},
		{"CORP\\PC1$", true},
		{"pc1$@corp.example", true},
		{"host/pc1.corp.example.", true},
		{"pc1@corp.example", true},
		{"3f2504e0-4f89-11d3-9a0c-0305e82c3301", true},
		{"pc2", false},
		{"", false},
		{"host/", false},
		{"$", false},
		{"@corp.example", false},
		{"pc", false},
		{"pc11", false},
		{"anonymous", false},
		{"pc1.corp", true},
		{".", false},
	};
	struct certdir_certificate certificate = {.count = 3};

	(void)state;
	certificate.identities[0] = (struct certdir_identity){.type = CERTDIR_ID_NAME, .value = (char[]){"pc1"}};
	certificate.identities[1] =
		(struct certdir_identity){.type = CERTDIR_ID_DNS, .value = (char[]){"pc1.corp.example"}};
	certificate.identities[2] = (struct certdir_identity){
		.type = CERTDIR_ID_ENTRA, .value = (char[]){"3f2504e0-4f89-11d3-9a0c-0305e82c3301"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (certdir_user_name_matches(&certificate, cases[i].name, strlen(cases[i].name)) != cases[i].matches)
			fail_msg("\"%s\" should%s match", cases[i].name, cases[i].matches ? "" : " not");
	/* Of two domains, one is not the other. */
	certificate.count = 2;
	certificate.identities[0].type = CERTDIR_ID_UPN;
	assert_false(certdir_user_name_matches(&certificate, "pc1.evil.example", strlen("pc1.evil.example")));
}

/* user_name = match: a known device under a false name, and one that changes nothing about an earlier reason. */
static void test_name_mismatch(void **state)
{
	static const struct {
		const char *device, *name;
		enum certdir_reason reason;
	} cases[] = {
		{"{\"e\":\"E1\",\"name\":\"pc1\"}", "host/pc1", CERTDIR_ALLOWED},
		{"{\"e\":\"E1\",\"name\":\"pc1\"}", "pc2", CERTDIR_NAME_MISMATCH},
		{"{\"e\":\"E1\",\"name\":\"pc3\"}", "pc2", CERTDIR_NOT_FOUND},
		{"{\"e\":\"E1\",\"name\":\"pc1\",\"enabled\":false}", "pc2", CERTDIR_DISABLED},
		/* A quarantine must not take a device under a false name. */
		{"{\"e\":\"E1\",\"name\":\"pc1\",\"own\":{\"compliant\":false}}", "pc2", CERTDIR_NAME_MISMATCH},
		{"{\"e\":\"E1\",\"name\":\"pc1\",\"own\":{\"compliant\":true}}", NULL, CERTDIR_ALLOWED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const name = cases[i].name;
		const struct certdir_login named = {name, name ? strlen(name) : 0, WORLD_NOW};
		json_t *vector = json_pack("{s:s, s:[{s:[o]}], s:{s:b}}", "cert", "CN:pc1", "directories", "list",
					   json_loads(cases[i].device, 0, NULL), "policy", "require_compliant", i > 3);

		world_read(vector, &world);
		world.checker.policy.match_user_name = true;
		certdir_check_names(&world.check, &world.checker, &named);
		assert_int_equal(world.check.decision.reason, cases[i].reason);
		seen[world.check.decision.reason] = true;
		world_clear(&world);
		json_decref(vector);
	}
}

/* Every reason has a name, a verdict and an advice, and nothing but the two allows. */
static void test_reasons(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CERTDIR_REASONS; i++) {
		const enum certdir_reason reason = (enum certdir_reason)i;

		assert_non_null(certdir_reason_name(reason));
		assert_non_null(certdir_reason_advice(reason));
		/* Where there is nothing to judge, the module says so itself. */
		assert_true(seen[i] || reason == CERTDIR_NO_CERTIFICATE || reason == CERTDIR_UNSEEN);
		assert_int_equal(certdir_reason_verdict(reason) == CERTDIR_ALLOW,
				 reason == CERTDIR_ALLOWED || reason == CERTDIR_ALLOWED_STALE);
	}
}

/* What does not fit ends after a whole character, so that it stays valid in JSON. */
static void test_say(void **state)
{
	char text[CERTDIR_TEXT_MAX], long_text[3 * CERTDIR_TEXT_MAX];

	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		memset(long_text, 'x', shift);
		for (size_t i = shift; i + 4 < sizeof(long_text); i += 3)
			memcpy(long_text + i, "\xe2\x82\xac", 4);
		certdir_say(text, "%s", long_text);
		assert_true(strlen(text) > CERTDIR_TEXT_MAX - 6 && strlen(text) < CERTDIR_TEXT_MAX);
		assert_string_equal(text + strlen(text) - 2, "..");
		assert_int_equal((strlen(text) - 2 - shift) % 3, 0);
	}
	memset(long_text, 'x', CERTDIR_TEXT_MAX - 1);
	long_text[CERTDIR_TEXT_MAX - 1] = '\0';
	certdir_say(text, "%s", long_text);
	assert_string_equal(text, long_text);
}

enum { VECTORS_LEAST = 150 }; /* a file that lost some of them must not pass */

int main(void)
{
	/* test_reasons comes last: it asks what came up before. */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_issuer),	      cmocka_unit_test(test_no_section),
		cmocka_unit_test(test_no_identity),   cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_full_answer),   cmocka_unit_test(test_user_name),
		cmocka_unit_test(test_name_mismatch), cmocka_unit_test(test_say),
		cmocka_unit_test(test_reasons),	      cmocka_unit_test(test_people_never),
		cmocka_unit_test(test_order),	      cmocka_unit_test(test_order_of_two),
	};
	json_t *vectors = vectors_load("decisions.json"), *vector;
	const size_t count = json_array_size(vectors);
	struct CMUnitTest *cases = calloc(count, sizeof(*cases));
	size_t i;
	int failed;

	if (!cases || count < VECTORS_LEAST) {
		(void)fprintf(stderr, "decisions.json has only %zu vectors\n", count);
		return 1;
	}
	json_array_foreach(vectors, i, vector)
	{
		cases[i] = (struct CMUnitTest){
			.name = world_text(vector, "name"), .test_func = test_vector, .initial_state = vector};
	}
	failed = _cmocka_run_group_tests("vectors", cases, count, NULL, NULL);
	failed += cmocka_run_group_tests(tests, NULL, NULL);
	free(cases);
	json_decref(vectors);
	return failed;
}
