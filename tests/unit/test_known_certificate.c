/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A certificate that a list's table of issued ones has: which device it lets in, and what it keeps out. */
#include "checker.h"
#include "directory/list.h"
#include "list_fixture.h"

#define NOW 2000000000
#define INTUNE_1 "00000001-0000-4000-8000-c00000000000"
#define INTUNE_2 "00000002-0000-4000-8000-c00000000000"
#define INTUNE_9 "00000009-0000-4000-8000-c00000000000"
#define THUMB "00112233445566778899aabbccddeeff00112233"

/* Two enabled devices of one name, the second has a serial number; the third is disabled. */
static const char devices[] =
	"INSERT INTO source(id,name,kind,tenant,synced,intune_synced,intune_interval,certificates_synced,"
	"certificates_interval) VALUES(1,'contoso','tenant','" TENANT_A "',1999999990,%lld,3600,%lld,3600);"
	"INSERT INTO device(source,object_id,entra_device_id,intune_device_id,name,enabled,intune_compliance,"
	"management_state,serial_number) VALUES"
	"(1,'" G1 "','00000001-0000-4000-8000-d00000000000','" INTUNE_1 "','PC01',1,'compliant','managed','S1'),"
	"(1,'" G2 "','00000002-0000-4000-8000-d00000000000','" INTUNE_2 "','PC01',1,'compliant','managed','S2'),"
	"(1,'" G3 "','00000003-0000-4000-8000-d00000000000','00000003-0000-4000-8000-c00000000000','PC03',0,"
	"'compliant','managed',NULL);";

/* Of people: max is there, and PC03 is disabled. */
static const char users[] = "UPDATE source SET users_synced=1999999990;"
			    "INSERT INTO user(source,user_id,upn,enabled) VALUES(1,'" G1 "','max@contoso.com',1);";

struct test {
	const char *rows; /* (thumbprint,intune_device_id,revoked,upn,entra_device_id) of table certificate */
	const char *names; /* "common_name=pc01 intune_device_id=.." */
	bool require;
	int64_t synced; /* the table, seconds ago; 0 = never */
	int64_t issued; /* the certificate, seconds ago */
	enum certdir_reason reason;
	const char *id, *by; /* of the device, or NULL */
	int64_t intune; /* that part, seconds ago; 0 = 10 */
};

#define NEVER (-1)

#define ROW(device) "('" THUMB "','" device "',0,NULL,NULL)"
#define REVOKED(device) "('" THUMB "'," device ",1,'max@contoso.com',NULL)"
#define OTHER_THUMB "('ff112233445566778899aabbccddeeff00112233','" INTUNE_1 "',0,NULL,NULL)"
#define ENTRA_ROW(entra) "('" THUMB "',NULL,0,NULL,'" entra "')"
#define ENTRA_9 "00000009-0000-4000-8000-d00000000000"
#define ENTRA_1 "00000001-0000-4000-8000-d00000000000"
#define ENTRA_2 "00000002-0000-4000-8000-d00000000000"

static const struct test tests_of[] = {
	/* without a row it says nothing */
	{NULL, "common_name=wi-fi", false, 60, 60, CERTDIR_NOT_FOUND, NULL, NULL, 0},
	{NULL, "", false, 60, 60, CERTDIR_NO_IDENTITY, NULL, NULL, 0},
	{OTHER_THUMB, "common_name=wi-fi", false, 60, 60, CERTDIR_NOT_FOUND, NULL, NULL, 0},
	{OTHER_THUMB, "common_name=pc01", false, 60, 60, CERTDIR_AMBIGUOUS, NULL, NULL, 0},
	{OTHER_THUMB, "serial_number=S1", false, 60, 60, CERTDIR_ALLOWED, ENTRA_1, "serial_number", 0},
	/* with one it decides before names, and before what is taken for an id */
	{ROW(INTUNE_1), "", false, 60, 60, CERTDIR_ALLOWED, ENTRA_1, "certificate", 0},
	{ROW(INTUNE_1), "common_name=wi-fi", false, 60, 60, CERTDIR_ALLOWED, ENTRA_1, "certificate", 0},
	{ROW(INTUNE_1), "common_name=pc01", false, 60, 60, CERTDIR_ALLOWED, ENTRA_1, "certificate", 0},
	{ROW(INTUNE_1), "serial_number=S2", false, 60, 60, CERTDIR_ALLOWED, ENTRA_1, "certificate", 0},
	{ROW(INTUNE_1), "device_guid=" INTUNE_2, false, 60, 60, CERTDIR_ALLOWED, ENTRA_1, "certificate", 0},
	{ROW(INTUNE_1), "vouched=" INTUNE_1, false, 60, 60, CERTDIR_ALLOWED, ENTRA_1, "intune_device_id", 0},
	/* the CA vouches for another device */
	{ROW(INTUNE_1), "vouched=" INTUNE_2, false, 60, 60, CERTDIR_CONFLICT, NULL, NULL, 0},
	{ROW(INTUNE_9), "vouched=" INTUNE_1, false, 60, 60, CERTDIR_CONFLICT, NULL, NULL, 0},
	/* its device is disabled, or gone */
	{ROW("00000003-0000-4000-8000-c00000000000"), "common_name=pc01", false, 60, 60, CERTDIR_DISABLED, NULL, NULL,
	 0},
	{ROW(INTUNE_9), "serial_number=S1", false, 60, 60, CERTDIR_NOT_FOUND, NULL, NULL, 0},
	/* revoked lets nobody in, however old, and whoever it is of */
	{REVOKED("'" INTUNE_1 "'"), "common_name=wi-fi", false, 60, 60, CERTDIR_REVOKED, NULL, NULL, 0},
	{REVOKED("'" INTUNE_1 "'"), "serial_number=S1", false, 900000, 60, CERTDIR_REVOKED, NULL, NULL, 0},
	{REVOKED("NULL"), "serial_number=S1", false, 60, 60, CERTDIR_REVOKED, NULL, NULL, 0},
	/* of two devices */
	{ROW(INTUNE_1) "," ROW(INTUNE_2), "serial_number=S1", false, 60, 60, CERTDIR_CONFLICT, NULL, NULL, 0},
	/* a user's certificate without a device decides nothing */
	{"('" THUMB "',NULL,0,'max@contoso.com',NULL)", "serial_number=S1", false, 60, 60, CERTDIR_ALLOWED, ENTRA_1,
	 "serial_number", 0},
	/* require_known_certificate */
	{ROW(INTUNE_1), "common_name=wi-fi", true, 60, 900000, CERTDIR_ALLOWED, ENTRA_1, "certificate", 0},
	{"('" THUMB "',NULL,0,'max@contoso.com',NULL)", "serial_number=S1", true, 60, 900000, CERTDIR_ALLOWED, ENTRA_1,
	 "serial_number", 0},
	{OTHER_THUMB, "serial_number=S1", true, 60, 900000, CERTDIR_NOT_FOUND, NULL, NULL, 0},
	{OTHER_THUMB, "serial_number=S1", true, 60, 1061, CERTDIR_NOT_FOUND, NULL, NULL, 0},
	{OTHER_THUMB, "serial_number=S1", true, 60, 1059, CERTDIR_ALLOWED, ENTRA_1, "serial_number", 0},
	{NULL, "serial_number=S1", true, 60, 900000, CERTDIR_NOT_FOUND, NULL, NULL, 0},
	{NULL, "serial_number=S1", true, 0, 60, CERTDIR_LIST_STALE, NULL, NULL, 0},
	{ROW(INTUNE_1), "common_name=wi-fi", true, 7201, 900000, CERTDIR_LIST_STALE, NULL, NULL, 0},
	{ROW(INTUNE_1), "common_name=wi-fi", true, 7199, 900000, CERTDIR_ALLOWED, ENTRA_1, "certificate", 0},
	{OTHER_THUMB, "serial_number=S1", true, 7201, 60, CERTDIR_LIST_STALE, NULL, NULL, 0},
	{OTHER_THUMB, "serial_number=S1", true, -900, 60, CERTDIR_LIST_STALE, NULL, NULL, 0},
	/* what knows Intune's ids is behind */
	{ROW(INTUNE_9), "", false, 60, 60, CERTDIR_NOT_FOUND, NULL, NULL, 7199},
	{ROW(INTUNE_9), "", false, 60, 60, CERTDIR_LIST_STALE, NULL, NULL, 7201},
	{ROW(INTUNE_9), "vouched=" INTUNE_9, false, 60, 60, CERTDIR_LIST_STALE, NULL, NULL, 7201},
	{OTHER_THUMB, "vouched=" INTUNE_9, false, 60, 60, CERTDIR_LIST_STALE, NULL, NULL, 7201},
	{OTHER_THUMB, "device_guid=" INTUNE_9, false, 60, 60, CERTDIR_NOT_FOUND, NULL, NULL, 7201},
	{ENTRA_ROW(INTUNE_9), "", false, 60, 60, CERTDIR_NOT_FOUND, NULL, NULL, 7201},
	{ROW(INTUNE_1), "", false, 60, 60, CERTDIR_ALLOWED, ENTRA_1, "certificate", 7201},
	/* nothing in scope keeps Intune's ids, and so the row says nothing but that it is revoked */
	{ROW(INTUNE_9), "entra_device_id=" ENTRA_1, false, 60, 60, CERTDIR_ALLOWED, ENTRA_1, "entra_device_id", NEVER},
	{ROW(INTUNE_9), "common_name=pc03", false, 60, 60, CERTDIR_DISABLED, NULL, NULL, NEVER},
	{ROW(INTUNE_9), "", false, 60, 60, CERTDIR_NOT_FOUND, NULL, NULL, NEVER},
	{REVOKED("'" INTUNE_9 "'"), "entra_device_id=" ENTRA_1, false, 60, 60, CERTDIR_REVOKED, NULL, NULL, NEVER},
	{ENTRA_ROW(ENTRA_1), "common_name=pc03", false, 60, 60, CERTDIR_ALLOWED, ENTRA_1, "certificate", NEVER},
	{ENTRA_ROW(ENTRA_9), "common_name=pc03", false, 60, 60, CERTDIR_NOT_FOUND, NULL, NULL, NEVER},
};

static void make_list(const struct test *test)
{
	struct certdir_list_writer *writer;
	struct certdir_error error;
	char sql[4096];

	(void)unlink(fixture_file);
	writer = certdir_list_write_begin(fixture_file, false, NULL, &error);
	assert_non_null(writer);
	(void)snprintf(sql, sizeof(sql), devices,
		       test->intune == NEVER ? 0 : (long long)(NOW - (test->intune ? test->intune : 10)),
		       test->synced ? (long long)(NOW - test->synced) : 0);
	fixture_run(writer, sql);
	fixture_run(writer, users);
	if (test->rows) {
		(void)snprintf(
			sql, sizeof(sql),
			"INSERT INTO certificate(source,thumbprint,intune_device_id,revoked,upn,entra_device_id) "
			"SELECT 1,* FROM(VALUES%s)",
			test->rows);
		fixture_run(writer, sql);
	}
	fixture_publish(writer);
}

static void add_names(struct certdir_certificate *certificate, const char *names)
{
	char copy[512], *saved = NULL;

	(void)snprintf(copy, sizeof(copy), "%s", names);
	for (char *word = strtok_r(copy, " ", &saved); word; word = strtok_r(NULL, " ", &saved)) {
		struct certdir_identity *id = &certificate->identities[certificate->count++];
		char *value = strchr(word, '=');

		*value++ = '\0';
		id->from = "subject.cn";
		id->value = strdup(value);
		id->rank = CERTDIR_RANK_CHOSEN;
		if (strcmp(word, "vouched") == 0) {
			id->type = CERTDIR_ID_INTUNE;
			id->rank = CERTDIR_RANK_VOUCHED;
			continue;
		}
		assert_true(certdir_identity_type_parse(word, &id->type));
		if (id->type == CERTDIR_ID_GUID)
			id->rank = CERTDIR_RANK_ID;
	}
}

static const struct {
	enum certdir_holder holder;
	struct test test;
} tests_of_people[] = {
	{CERTDIR_HOLDER_USER, {NULL, "upn=max@contoso.com", false, 60, 60, CERTDIR_ALLOWED, NULL, NULL, 0}},
	{CERTDIR_HOLDER_USER, {ROW(INTUNE_9), "upn=max@contoso.com", false, 60, 60, CERTDIR_ALLOWED, NULL, NULL, 0}},
	/* revoked lets nobody in, whosever it is, on whatever device */
	{CERTDIR_HOLDER_USER, {REVOKED("NULL"), "upn=max@contoso.com", false, 60, 60, CERTDIR_REVOKED, NULL, NULL, 0}},
	{CERTDIR_HOLDER_USER,
	 {REVOKED("'" INTUNE_1 "'"), "upn=max@contoso.com", false, 900000, 60, CERTDIR_REVOKED, NULL, NULL, 0}},
	{CERTDIR_HOLDER_BOTH, {REVOKED("NULL"), "upn=max@contoso.com", false, 60, 60, CERTDIR_REVOKED, NULL, NULL, 0}},
	{CERTDIR_HOLDER_USER,
	 {REVOKED("NULL"), "upn=ben@contoso.com", false, 60, 60, CERTDIR_NOT_FOUND, NULL, NULL, 0}},
	/* where a table says which device it is on, that one has to be fine, too; else there is none to ask for */
	{CERTDIR_HOLDER_BOTH, {NULL, "upn=max@contoso.com", false, 60, 60, CERTDIR_ALLOWED, NULL, NULL, 0}},
	{CERTDIR_HOLDER_BOTH,
	 {"('" THUMB "',NULL,0,NULL,NULL)", "upn=max@contoso.com", false, 60, 60, CERTDIR_ALLOWED, NULL, NULL, 0}},
	{CERTDIR_HOLDER_BOTH,
	 {ROW(INTUNE_1), "upn=max@contoso.com", false, 60, 60, CERTDIR_ALLOWED, ENTRA_1, "certificate", 0}},
	{CERTDIR_HOLDER_BOTH,
	 {ROW("00000003-0000-4000-8000-c00000000000"), "upn=max@contoso.com", false, 60, 60, CERTDIR_DISABLED, NULL,
	  NULL, 0}},
	/* require_known_certificate */
	{CERTDIR_HOLDER_USER, {OTHER_THUMB, "upn=max@contoso.com", true, 60, 900000, CERTDIR_NOT_FOUND, NULL, NULL, 0}},
	{CERTDIR_HOLDER_USER, {OTHER_THUMB, "upn=max@contoso.com", true, 60, 1059, CERTDIR_ALLOWED, NULL, NULL, 0}},
	{CERTDIR_HOLDER_USER, {ROW(INTUNE_9), "upn=max@contoso.com", true, 60, 900000, CERTDIR_ALLOWED, NULL, NULL, 0}},
	{CERTDIR_HOLDER_USER, {NULL, "upn=max@contoso.com", true, 0, 60, CERTDIR_LIST_STALE, NULL, NULL, 0}},
};

static void check_case(const struct test *test, enum certdir_holder holder, size_t i)
{
	const struct certdir_list_config config = {.filename = fixture_file, .max_age = 3600};
	struct certdir_checker checker = {.accepted = UINT32_MAX & ~CERTDIR_BIT(CERTDIR_ID_MAPPING),
					  .policy = {.join_types = UINT32_MAX,
						     .require_known_certificate = test->require,
						     .known_certificate_grace = 1000}};
	const struct certdir_login login = {.now = NOW};
	struct certdir_check check = {.parsed = true};
	struct certdir_error error;
	const char *by;

	make_list(test);
	checker.directories[0] = certdir_list_directory_open(&config, false, &error);
	assert_non_null(checker.directories[0]);
	checker.directory_count = 1;
	checker.people[0] = certdir_list_directory_people(checker.directories[0]);
	checker.people_count = 1;
	check.certificate.holder = holder;
	check.certificate.issuer = strdup("CN=Contoso CA");
	check.certificate.thumbprint = strdup(THUMB);
	check.certificate.not_before = NOW - test->issued;
	add_names(&check.certificate, test->names);
	certdir_check_names(&check, &checker, &login);
	if (check.decision.reason != test->reason)
		fail_msg("test %zu: %s: %s", i, certdir_reason_name(check.decision.reason), check.decision.detail);
	by = check.decision.matched_by ? certdir_identity_type_name(check.decision.matched_by->type) : "";
	if (test->id && (strcmp(check.decision.records[0]->device.id, test->id) != 0 || strcmp(by, test->by) != 0))
		fail_msg("test %zu: %s by %s", i, check.decision.records[0]->device.id, by);
	certdir_check_clear(&check);
	certdir_checker_clear(&checker);
}

static void test_decisions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(tests_of) / sizeof(*tests_of); i++)
		check_case(&tests_of[i], CERTDIR_HOLDER_DEVICE, i);
}

static void test_people(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(tests_of_people) / sizeof(*tests_of_people); i++)
		check_case(&tests_of_people[i].test, tests_of_people[i].holder, i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_decisions), cmocka_unit_test(test_people)};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
