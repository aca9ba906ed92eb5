/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line of the journal: each key with what it stands for, and nothing that breaks it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "decision_json.h"

static json_t *line_of(const struct certdir_check *check, const struct certdir_told *told)
{
	size_t length;
	char *text = certdir_decision_json(check, told, &length);
	json_t *line;

	assert_non_null(text);
	assert_ptr_equal(memchr(text, '\n', length), text + length - 1);
	line = json_loadb(text, length, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(line);
	free(text);
	return line;
}

/* A value by its way: keys with dots between, and numbers in arrays. */
static json_t *at(json_t *line, const char *way)
{
	char copy[128], *rest = NULL;

	(void)strncpy(copy, way, sizeof(copy) - 1);
	copy[sizeof(copy) - 1] = '\0';
	for (char *key = strtok_r(copy, ".", &rest); key; key = strtok_r(NULL, ".", &rest))
		line = json_is_array(line) ? json_array_get(line, strtoul(key, NULL, 10)) : json_object_get(line, key);
	return line;
}

static void assert_text(json_t *line, const char *way, const char *expected)
{
	const char *text = json_string_value(at(line, way));

	if (!text || strcmp(text, expected) != 0)
		fail_msg("%s is \"%s\", not \"%s\"", way, text ? text : "(none)", expected);
}

static void assert_number(json_t *line, const char *way, json_int_t expected)
{
	assert_true(json_is_integer(at(line, way)));
	assert_int_equal(json_integer_value(at(line, way)), expected);
}

static const struct certdir_told bare = {.at = 1000000, .module = "certdir", .port = -1};

static void test_unseen(void **state)
{
	struct certdir_check check = {.decision = {.reason = CERTDIR_UNSEEN, .detail = "never saw it"}};
	json_t *line = line_of(&check, &bare);

	(void)state;
	assert_number(line, "version", 1);
	assert_text(line, "time", "1970-01-01T00:00:01.000Z");
	assert_text(line, "mode", "enforce");
	assert_text(line, "decision", "deny");
	assert_text(line, "reason", "unseen");
	assert_text(line, "detail", "never saw it");
	assert_int_equal(json_object_size(at(line, "login")), 0);
	assert_int_equal(json_object_size(at(line, "nas")), 0);
	assert_int_equal(json_array_size(at(line, "lookups")), 0);
	assert_null(at(line, "certificate"));
	assert_null(at(line, "device"));
	assert_null(at(line, "person"));
	assert_null(at(line, "age"));
	json_decref(line);
}

static struct certdir_source sources[] = {
	{.name = "contoso", .synced = {[CERTDIR_PART_OF_DEVICES] = 1700000000, [CERTDIR_PART_OF_GROUPS] = 1699999000}},
};
static char hostile[] = "B\xc3\xbc\"\\\n\xe2\x80\xaeX", group_id[] = "g1", upn[] = "ann@example.org", id[] = "7";
static struct certdir_group groups[] = {{.id = group_id, .name = hostile}};
static struct certdir_record device = {
	.device = {.id = id, .name = hostile, .extension_attributes = hostile, .groups = groups, .group_count = 1}};
static struct certdir_value values[] = {{CERTDIR_ID_UPN, upn}};
static struct certdir_record person_record = {.device = {.id = id}, .values = values, .value_count = 1};
static const struct certdir_directory list = {.name = "list"}, down = {.name = "ldap"};

static void test_all_of_it(void **state)
{
	static const unsigned char der[] = {0x30, 0x03, 0x02, 0x01, 0x00};
	static struct certdir_check person, check;
	const struct certdir_told told = {.at = INT64_C(1700000010123456),
					  .took = 297,
					  .module = "wired",
					  .observe = true,
					  .user_name = "a\0b\xff",
					  .user_name_length = 4,
					  .station = "02-00",
					  .called_station = "03-00:Office",
					  .ssid = "Office",
					  .session = "0001",
					  .client = "192.0.2.1",
					  .nas = "switch-1",
					  .nas_address = "2001:db8::1",
					  .port = 0,
					  .port_id = "gi1/0/7",
					  .der = der,
					  .der_length = sizeof(der)};
	json_t *line;

	(void)state;
	check.parsed = true;
	check.certificate.issuer = hostile;
	check.certificate.serial = id;
	check.certificate.holder = CERTDIR_HOLDER_BOTH;
	check.certificate.identities[0] =
		(struct certdir_identity){CERTDIR_ID_NAME, hostile, "subject.cn", CERTDIR_RANK_CHOSEN, false};
	check.certificate.identities[1] =
		(struct certdir_identity){CERTDIR_ID_UPN, upn, "san.upn", CERTDIR_RANK_CHOSEN, false};
	check.certificate.count = 2;
	check.deciding = 1;
	check.decision = (struct certdir_decision){.reason = CERTDIR_DISABLED,
						   .records = {&device},
						   .record_count = 1,
						   .member = 1,
						   .directory = "list",
						   .matched_by = &check.certificate.identities[0],
						   .by_dates = true,
						   .only_compliance = true,
						   .age = 10};
	check.known.count = 2;
	check.known.directories[0] = &list;
	check.known.answers[0] =
		(struct certdir_answer){.state = CERTDIR_ANSWERED, .sources = sources, .source_count = 1, .count = 1};
	check.known.directories[1] = &down;
	check.known.answers[1] = (struct certdir_answer){.state = CERTDIR_ANSWER_UNAVAILABLE, .detail = "no answer"};
	person.decision =
		(struct certdir_decision){.reason = CERTDIR_ALLOWED, .records = {&person_record}, .record_count = 1};
	person.deciding = 2;
	check.person = &person;
	line = line_of(&check, &told);
	assert_text(line, "time", "2023-11-14T22:13:30.123Z");
	assert_text(line, "module", "wired");
	assert_text(line, "mode", "observe");
	assert_text(line, "decision", "deny");
	assert_true(json_is_true(at(line, "only_compliance")));
	assert_text(line, "matched.by", "common_name+dates");
	assert_text(line, "matched.value", hostile);
	assert_number(line, "age", 10);
	assert_number(line, "took", 297);
	assert_int_equal(json_string_length(at(line, "login.user_name")), 6);
	assert_memory_equal(json_string_value(at(line, "login.user_name")), "a\0b\xef\xbf\xbd", 6);
	assert_text(line, "login.upn", upn);
	assert_text(line, "login.station", "02-00");
	assert_text(line, "login.called_station", "03-00:Office");
	assert_text(line, "login.ssid", "Office");
	assert_text(line, "login.session", "0001");
	assert_text(line, "nas.client", "192.0.2.1");
	assert_text(line, "nas.identifier", "switch-1");
	assert_text(line, "nas.address", "2001:db8::1");
	assert_number(line, "nas.port", 0);
	assert_text(line, "nas.port_id", "gi1/0/7");
	assert_text(line, "certificate.issuer", hostile);
	assert_text(line, "certificate.holder", "both");
	assert_text(line, "certificate.der", "MAMCAQA=");
	assert_text(line, "certificate.identities.0.type", "common_name");
	assert_text(line, "certificate.identities.0.rank", "chosen");
	assert_true(json_is_true(at(line, "certificate.identities.0.deciding")));
	assert_true(json_is_true(at(line, "certificate.identities.1.deciding")));
	assert_text(line, "lookups.0.state", "answered");
	assert_number(line, "lookups.0.records", 1);
	assert_number(line, "lookups.0.sources.0.devices", 10);
	assert_number(line, "lookups.0.sources.0.groups", 1010);
	assert_null(at(line, "lookups.0.sources.0.intune"));
	assert_text(line, "lookups.1.state", "unavailable");
	assert_text(line, "lookups.1.detail", "no answer");
	assert_text(line, "device.name", hostile);
	assert_text(line, "device.groups.0", hostile);
	assert_int_equal(json_array_size(at(line, "device.extension_attributes")), 1);
	assert_text(line, "person.reason", "allowed");
	assert_text(line, "person.name", upn);
	assert_null(at(line, "person.owner"));
	json_decref(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_unseen), cmocka_unit_test(test_all_of_it)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
