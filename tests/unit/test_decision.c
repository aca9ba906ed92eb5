/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agreement rule and the policy, from tests/vectors/decisions.json, and the rules between directories. */
#include "checker.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { NOW = 1000000 };

static const struct certdir_login login = {.now = NOW};

/* Every reason must have come up when the tests are through. */
static bool seen[CERTDIR_REASONS];

/* ---- one directory's answer, as a vector tells it ---- */

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static const char *text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static int64_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static enum certdir_tristate tristate(const json_t *object, const char *key, enum certdir_tristate otherwise)
{
	const json_t *value = json_object_get(object, key);

	if (!value)
		return otherwise;
	return json_is_null(value) ? CERTDIR_UNKNOWN : json_is_true(value) ? CERTDIR_YES : CERTDIR_NO;
}

static void read_identity(const json_t *vector, struct certdir_identity *id)
{
	assert_true(certdir_identity_type_parse(text(vector, "type"), &id->type));
	id->value = copy(text(vector, "value"));
	id->from = "subject.cn";
	id->immutable = json_is_true(json_object_get(vector, "immutable"));
	id->tentative = json_is_true(json_object_get(vector, "tentative"));
}

/* A vector about policy alone leaves the identities out: then there is one name, and each device carries it. */
static void read_certificate(const json_t *vector, struct certdir_certificate *certificate)
{
	const json_t *identities = json_object_get(vector, "identities"), *id;
	size_t i;

	certificate->tenant = copy(text(vector, "tenant"));
	certificate->subject = copy("CN=test");
	certificate->issuer = copy("CN=Example CA,DC=example");
	certificate->serial = copy("01");
	if (!identities) {
		certificate->identities[0] =
			(struct certdir_identity){CERTDIR_ID_NAME, copy("pc1"), "subject.cn", false, false};
		certificate->count = 1;
	}
	json_array_foreach(identities, i, id) read_identity(id, &certificate->identities[certificate->count++]);
}

static uint64_t bits(const json_t *array)
{
	const json_t *item;
	uint64_t set = 0;
	size_t i;

	json_array_foreach(array, i, item) set |= UINT64_C(1) << json_integer_value(item);
	return set;
}

static void read_groups(const json_t *array, struct certdir_device *device)
{
	const json_t *group;
	size_t i;

	if (!array)
		return;
	device->groups = calloc(json_array_size(array), sizeof(*device->groups));
	json_array_foreach(array, i, group)
	{
		device->groups[i].id = copy(json_string_value(json_array_get(group, 0)));
		device->groups[i].name = copy(json_string_value(json_array_get(group, 1)));
		device->group_count++;
	}
}

static void read_device(const json_t *vector, struct certdir_match *match)
{
	struct certdir_device *device = &match->device;

	match->by = json_object_get(vector, "by") ? bits(json_object_get(vector, "by")) : 1;
	match->stale = json_is_true(json_object_get(vector, "stale"));
	device->id = copy(text(vector, "id"));
	device->sid = copy(text(vector, "sid"));
	device->tenant = copy(text(vector, "tenant"));
	device->compliance = copy(text(vector, "compliance"));
	device->enabled = tristate(vector, "enabled", CERTDIR_YES);
	device->managed = tristate(vector, "managed", CERTDIR_UNKNOWN);
	device->registered = number(vector, "registered");
	device->last_seen = number(vector, "last_seen");
	device->expires = number(vector, "expires");
	if (text(vector, "join_type"))
		assert_true(certdir_join_type_parse(text(vector, "join_type"), &device->join_type));
	read_groups(json_object_get(vector, "groups"), device);
}

static void read_answer(const json_t *vector, struct certdir_answer *answer)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(vector, "holds"), i, item)
	{
		enum certdir_identity_type type;

		assert_true(certdir_identity_type_parse(json_string_value(item), &type));
		answer->holds |= CERTDIR_BIT(type);
	}
	answer->truncated = bits(json_object_get(vector, "truncated"));
	json_array_foreach(json_object_get(vector, "devices"), i, item) read_device(item, certdir_answer_add(answer));
}

static void read_policy(const json_t *vector, struct certdir_policy *policy, const char *groups[4])
{
	const json_t *item;
	size_t i;

	policy->require_managed = json_is_true(json_object_get(vector, "require_managed"));
	policy->require_compliant = json_is_true(json_object_get(vector, "require_compliant"));
	policy->compliance_unknown_allow = text(vector, "compliance_unknown") != NULL;
	policy->allow_stale = text(vector, "on_unavailable") != NULL;
	policy->enrollment_grace = (uint32_t)number(vector, "enrollment_grace");
	policy->max_inactive = (uint32_t)number(vector, "max_inactive");
	policy->join_types = json_object_get(vector, "join_types") ? 0 : UINT32_MAX;
	json_array_foreach(json_object_get(vector, "join_types"), i, item)
	{
		enum certdir_join_type type;

		assert_true(certdir_join_type_parse(json_string_value(item), &type));
		policy->join_types |= CERTDIR_BIT(type);
	}
	json_array_foreach(json_object_get(vector, "groups"), i, item) groups[i] = json_string_value(item);
	policy->groups = groups;
}

/* ---- a directory that answers from a vector, and counts how often it was asked ---- */

struct scripted {
	struct certdir_directory base;
	const json_t *vector;
	enum certdir_answer_state state;
	bool stale;
	unsigned asked;
};

static void scripted_search(struct certdir_directory *directory, const struct certdir_certificate *certificate,
			    uint64_t ask, int64_t now, struct certdir_answer *answer)
{
	struct scripted *scripted = (struct scripted *)directory;

	(void)certificate, (void)ask, (void)now;
	scripted->asked++;
	answer->state = scripted->state;
	answer->stale = scripted->stale;
	if (scripted->state == CERTDIR_ANSWERED && scripted->vector)
		read_answer(scripted->vector, answer);
}

static void scripted_close(struct certdir_directory *directory)
{
	(void)directory;
}

static const struct certdir_directory_type scripted_type = {scripted_search, scripted_close};

static void run_vector(const json_t *vector)
{
	struct scripted scripted = {{&scripted_type, "list", NULL}, vector, CERTDIR_ANSWERED, false, 0};
	const char *groups[4] = {NULL}, *reason = text(vector, "reason");
	struct certdir_checker checker = {
		.accepted = UINT32_MAX, .directories = {&scripted.base}, .directory_count = 1};
	struct certdir_check check = {0};
	const struct certdir_decision *decision = &check.decision;

	read_policy(json_object_get(vector, "policy"), &checker.policy, groups);
	read_certificate(vector, &check.certificate);
	/* Judge what the directory says directly: no-identity is the checker's own, and tested below. */
	scripted_search(&scripted.base, NULL, 0, NOW, &check.answers[0]);
	certdir_agree(&check.certificate, UINT64_MAX, &check.answers[0], &check.decision);
	if (decision->reason == CERTDIR_ALLOWED)
		certdir_judge(&checker.policy, NOW, &check.decision);
	seen[decision->reason] = true;
	if (strcmp(certdir_reason_name(decision->reason), reason) != 0)
		fail_msg("%s: %s (%s), expected %s", text(vector, "name"), certdir_reason_name(decision->reason),
			 decision->detail, reason);
	if (text(vector, "device"))
		assert_string_equal(decision->match->device.id, text(vector, "device"));
	if (text(vector, "matched_by"))
		assert_string_equal(certdir_identity_type_name(decision->matched_by->type), text(vector, "matched_by"));
	if (certdir_reason_verdict(decision->reason) != CERTDIR_ALLOW)
		assert_true(decision->detail[0] != '\0');
	check.parsed = true;
	certdir_check_clear(&check);
}

static void test_vectors(void **state)
{
	json_t *vectors = vectors_load("decisions.json"), *vector;
	size_t i;

	(void)state;
	json_array_foreach(vectors, i, vector) run_vector(vector);
	json_decref(vectors);
}

/* ---- between directories ---- */

/* What a directory says in the cases below. */
enum says { YES, NO, DISABLED, DOWN, MISSING, STALE_NO, STALE_YES, NOT_ASKED };

static void script(struct scripted *scripted, enum says says)
{
	static const char *const texts[] = {
		[YES] = "{\"holds\":[\"common_name\"],\"devices\":[{\"id\":\"a\"}]}",
		[DISABLED] = "{\"holds\":[\"common_name\"],\"devices\":[{\"id\":\"a\",\"enabled\":false}]}",
		[STALE_YES] = "{\"holds\":[\"common_name\"],\"devices\":[{\"id\":\"a\",\"stale\":true}]}",
		[STALE_NO] = "{\"holds\":[\"common_name\"],\"devices\":[]}",
		[NO] = "{\"holds\":[\"common_name\"],\"devices\":[]}",
	};

	memset(scripted, 0, sizeof(*scripted));
	scripted->base = (struct certdir_directory){&scripted_type, "d", NULL};
	scripted->state = says == DOWN	    ? CERTDIR_ANSWER_UNAVAILABLE
			  : says == MISSING ? CERTDIR_ANSWER_MISSING
					    : CERTDIR_ANSWERED;
	scripted->stale = says == STALE_NO || says == STALE_YES;
	if (scripted->state == CERTDIR_ANSWERED)
		scripted->vector = json_loads(texts[says == NOT_ASKED ? YES : says], 0, NULL);
}

static void test_directories(void **state)
{
	static const struct {
		enum says first, second;
		bool allow_stale;
		enum certdir_reason reason;
		unsigned asked; /* how many of the two */
	} cases[] = {
		{YES, NOT_ASKED, false, CERTDIR_ALLOWED, 1},
		{DISABLED, NOT_ASKED, false, CERTDIR_DISABLED, 1},
		{NO, YES, false, CERTDIR_ALLOWED, 2},
		{NO, NO, false, CERTDIR_NOT_FOUND, 2},
		{NO, DISABLED, false, CERTDIR_DISABLED, 2},
		/* A directory that is down keeps no known device out, and lets no unknown one in. */
		{DOWN, YES, false, CERTDIR_ALLOWED, 2},
		{MISSING, YES, false, CERTDIR_ALLOWED, 2},
		{DOWN, NO, false, CERTDIR_DIRECTORY_UNAVAILABLE, 2},
		{NO, DOWN, false, CERTDIR_DIRECTORY_UNAVAILABLE, 2},
		{MISSING, NO, false, CERTDIR_LIST_MISSING, 2},
		{MISSING, DOWN, false, CERTDIR_LIST_MISSING, 2},
		{MISSING, NO, true, CERTDIR_LIST_MISSING, 2},
		{STALE_NO, NO, false, CERTDIR_LIST_STALE, 2},
		{STALE_NO, NO, true, CERTDIR_LIST_STALE, 2},
		{STALE_NO, YES, false, CERTDIR_ALLOWED, 2},
		{STALE_YES, NO, false, CERTDIR_LIST_STALE, 2},
		{STALE_YES, YES, false, CERTDIR_ALLOWED, 2},
		/* on_unavailable = stale is the last resort, after the others were asked. */
		{STALE_YES, DOWN, true, CERTDIR_ALLOWED_STALE, 2},
		{STALE_YES, NO, true, CERTDIR_ALLOWED_STALE, 2},
		{STALE_YES, DISABLED, true, CERTDIR_DISABLED, 2},
		{DOWN, STALE_YES, true, CERTDIR_ALLOWED_STALE, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scripted first, second;
		struct certdir_checker checker = {.accepted = UINT32_MAX, .directory_count = 2};
		struct certdir_check check = {0};

		script(&first, cases[i].first);
		script(&second, cases[i].second);
		checker.directories[0] = &first.base;
		checker.directories[1] = &second.base;
		checker.policy.join_types = UINT32_MAX;
		checker.policy.allow_stale = cases[i].allow_stale;
		read_certificate(NULL, &check.certificate);
		certdir_check_names(&check, &checker, &login);
		seen[check.decision.reason] = true;
		if (check.decision.reason != cases[i].reason || first.asked + second.asked != cases[i].asked)
			fail_msg("case %zu: %s after asking %u", i, certdir_reason_name(check.decision.reason),
				 first.asked + second.asked);
		certdir_check_clear(&check);
		json_decref((json_t *)first.vector);
		json_decref((json_t *)second.vector);
	}
}

static void test_issuer(void **state)
{
	static const char *const ours[] = {"cn=Example CA, dc=example", NULL}, *const other[] = {"CN=Other CA", NULL};
	struct scripted first, second;
	struct certdir_checker checker = {
		.accepted = UINT32_MAX, .directory_count = 2, .policy.join_types = UINT32_MAX};
	struct certdir_check check = {0};

	(void)state;
	script(&first, DISABLED);
	script(&second, YES);
	checker.directories[0] = &first.base;
	checker.directories[1] = &second.base;
	first.base.issuers = other;
	second.base.issuers = ours;
	read_certificate(NULL, &check.certificate);
	certdir_check_names(&check, &checker, &login);
	assert_int_equal(check.decision.reason, CERTDIR_ALLOWED);
	assert_int_equal(first.asked, 0);
	certdir_check_clear(&check);

	second.base.issuers = other;
	read_certificate(NULL, &check.certificate);
	certdir_check_names(&check, &checker, &login);
	assert_int_equal(check.decision.reason, CERTDIR_ISSUER);
	seen[check.decision.reason] = true;
	certdir_check_clear(&check);
	json_decref((json_t *)first.vector);
	json_decref((json_t *)second.vector);
}

static void test_no_identity(void **state)
{
	struct scripted only;
	struct certdir_checker checker = {.accepted = CERTDIR_BIT(CERTDIR_ID_SID), .directory_count = 1};
	struct certdir_check check = {0};

	(void)state;
	script(&only, YES);
	checker.directories[0] = &only.base;
	read_certificate(NULL, &check.certificate); /* a common_name, which is not accepted */
	certdir_check_names(&check, &checker, &login);
	assert_int_equal(check.decision.reason, CERTDIR_NO_IDENTITY);
	seen[check.decision.reason] = true;
	assert_int_equal(only.asked, 0);
	certdir_check_clear(&check);
	certdir_check_der(&check, &checker, (const unsigned char *)"x", 1, &login);
	assert_int_equal(check.decision.reason, CERTDIR_MALFORMED_CERTIFICATE);
	seen[check.decision.reason] = true;
	certdir_check_clear(&check);
	json_decref((json_t *)only.vector);
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

/* user_name = match: a known device under a false name, and a false name that changes nothing about a denial. */
static void test_name_mismatch(void **state)
{
	static const struct {
		enum says says;
		const char *name;
		enum certdir_reason reason;
	} cases[] = {
		{YES, "host/pc1", CERTDIR_ALLOWED},
		{YES, "pc2", CERTDIR_NAME_MISMATCH},
		{NO, "pc2", CERTDIR_NOT_FOUND},
		{YES, NULL, CERTDIR_ALLOWED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const name = cases[i].name;
		const struct certdir_login named = {name, name ? strlen(name) : 0, NOW};
		struct certdir_checker checker = {.accepted = UINT32_MAX, .directory_count = 1};
		struct certdir_check check = {0};
		struct scripted only;

		script(&only, cases[i].says);
		checker.directories[0] = &only.base;
		checker.policy.join_types = UINT32_MAX;
		checker.policy.match_user_name = true;
		read_certificate(NULL, &check.certificate);
		certdir_check_names(&check, &checker, &named);
		assert_int_equal(check.decision.reason, cases[i].reason);
		seen[check.decision.reason] = true;
		certdir_check_clear(&check);
		json_decref((json_t *)only.vector);
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
		/* Without a certificate nothing is judged: the module says so itself. */
		assert_true(seen[i] || reason == CERTDIR_NO_CERTIFICATE);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),	  cmocka_unit_test(test_directories),
		cmocka_unit_test(test_issuer),	  cmocka_unit_test(test_no_identity),
		cmocka_unit_test(test_user_name), cmocka_unit_test(test_name_mismatch),
		cmocka_unit_test(test_reasons),	  cmocka_unit_test(test_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
