/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list as a directory: searches. What it does when its file changes is in test_list_watch.c. */
#include "watched_fixture.h"

#include <sqlite3.h>

static struct certdir_directory *watched;

/* ---- one list for all searches: an import of no tenant, two tenants ---- */

#define OBJECT "03020100-0000-4000-8000-000000000007"
#define OBJECT_SID "S-1-12-1-50462976-1073741824-128-117440512"
#define ENTRA "bbbbbbbb-0000-4000-8000-000000000007"
#define GONE "cccccccc-0000-4000-8000-000000000001"
#define UNLISTED "kept out by the filter of the sync"
#define ONCE "Intune's record of it names an Entra device that is gone"
#define NO_TENANT "of no tenant, and the list is limited to one"

static void publish_sources(const char *rows)
{
	struct certdir_list_writer *writer = fixture_begin(true, "jamf", NULL, 1000);

	fixture_run(writer, "INSERT INTO source(id,name,kind,tenant,synced,intune_synced,intune_interval,groups_synced)"
			    " VALUES(2,'contoso','tenant','" TENANT_A "',2000,2100,3600,NULL),"
			    "(3,'fabrikam','tenant','" TENANT_B "',3000,NULL,NULL,3300)");
	fixture_run(writer, rows);
	fixture_publish(writer);
}

static const char rows[] =
	"INSERT INTO device(id,source,tenant,name,entra_device_id,sid,serial_number) VALUES"
	"(1,1,NULL,'PC1','" ENTRA "','" SID1 "',NULL),(2,1,'" TENANT_A "','two',NULL,NULL,'SN2'),"
	"(3,1,'" TENANT_B "','three',NULL,NULL,'SN2');"
	"INSERT INTO dns_name VALUES(1,'pc1.corp.example');"
	"INSERT INTO "
	"device(id,source,listed,object_id,entra_device_id,intune_device_id,name,intune_compliance,once_entra)"
	" VALUES(7,2,1,'" OBJECT "','" ENTRA "','" G1 "','pc1','compliant',NULL),"
	"(8,2,0,'" G2 "',NULL,NULL,'pc1',NULL,NULL),(9,2,1,NULL,NULL,'" G3 "','alone','compliant',NULL),"
	"(10,2,1,NULL,NULL,'" G2 "','wiped','compliant',1),(11,3,1,'" G2 "',NULL,NULL,'pc1',NULL,NULL);"
	"INSERT INTO former_name VALUES(9,'was-9',5);"
	"INSERT INTO "
	"intune_waiting(id,source,entra_device_id,intune_device_id,intune_compliance,intune_name,serial_number)"
	" VALUES(1,2,'" GONE "','" G1 "','compliant','GONE-1','SN-GONE')";

/* "1 8(kept out..)": rows in order with why they only speak against. */
static void answer_text(const struct certdir_answer *answer, char out[512])
{
	out[0] = '\0';
	for (size_t i = 0; i < answer->count; i++)
		(void)snprintf(out + strlen(out), 512 - strlen(out), "%s%d%s%s%s", i ? " " : "",
			       (int)answer->records[i].row, answer->records[i].only_against ? "(" : "",
			       answer->records[i].only_against ? answer->records[i].only_against : "",
			       answer->records[i].only_against ? ")" : "");
}

static void test_search_finds(void **state)
{
	static const struct {
		enum certdir_identity_type type;
		const char *value;
		const char *all;
		const char *tenant; /* the list limited to TENANT_A */
	} cases[] = {
		{CERTDIR_ID_ENTRA, ENTRA, "1 7", "1(" NO_TENANT ") 7"},
		{CERTDIR_ID_INTUNE, ENTRA, "1 7", "1(" NO_TENANT ") 7"},
		{CERTDIR_ID_GUID, G1, "7 -1(" ONCE ")", "7 -1(" ONCE ")"},
		{CERTDIR_ID_GUID, GONE, "-1(" ONCE ")", "-1(" ONCE ")"},
		{CERTDIR_ID_GUID, G2, "10(" ONCE ") 8(" UNLISTED ") 11", "10(" ONCE ") 8(" UNLISTED ")"},
		{CERTDIR_ID_GUID, G3, "9", "9"},
		{CERTDIR_ID_SID, SID1, "1", "1(" NO_TENANT ")"},
		{CERTDIR_ID_SID_URI, SID1, "1", "1(" NO_TENANT ")"},
		{CERTDIR_ID_SID, OBJECT_SID, "7", "7"},
		{CERTDIR_ID_NAME, "pc1", "1 7 8(" UNLISTED ") 11", "1(" NO_TENANT ") 7 8(" UNLISTED ")"},
		{CERTDIR_ID_NAME, "was-9", "9", "9"},
		{CERTDIR_ID_DNS, "pc1.corp.example", "1 7 8(" UNLISTED ") 11", "1(" NO_TENANT ") 7 8(" UNLISTED ")"},
		{CERTDIR_ID_DNS, "two.corp.example", "2", "2"},
		{CERTDIR_ID_SERIAL, "SN2", "2 3", "2"},
		{CERTDIR_ID_NAME, "gone-1", "-1(" ONCE ")", "-1(" ONCE ")"},
		{CERTDIR_ID_DNS, "gone-1.corp.example", "-1(" ONCE ")", "-1(" ONCE ")"},
		{CERTDIR_ID_SERIAL, "SN-GONE", "-1(" ONCE ")", "-1(" ONCE ")"},
		{CERTDIR_ID_NAME, "nobody", "", ""},
		{CERTDIR_ID_UPN, "ada@example.com", "", ""},
	};

	(void)state;
	publish_sources(rows);
	for (int limited = 0; limited < 2; limited++) {
		const struct certdir_list_config config = {
			.filename = fixture_file, .tenant = limited ? "{72F988BF-86F1-41AF-91AB-2D7CD011DB47}" : ""};
		struct certdir_directory *directory = open_list(&config, false);

		for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
			struct certdir_sought sought = {.type = cases[i].type, .value = cases[i].value};
			struct certdir_answer answer = {0};
			char got[512];

			directory->type->search(directory, &sought, 1, &answer);
			assert_int_equal(answer.state, CERTDIR_ANSWERED);
			answer_text(&answer, got);
			if (sought.many || strcmp(got, limited ? cases[i].tenant : cases[i].all) != 0)
				fail_msg("case %zu%s: \"%s\"%s", i, limited ? ", limited" : "", got,
					 sought.many ? " and more" : "");
			certdir_answer_clear(&answer);
		}
		directory->type->close(directory);
	}
}

/* What the configuration asks for and nobody has is told, once for all editions in which it is so. */
static void test_tells_what_nobody_has(void **state)
{
	static const char *const groups[] = {"STAFF", "Staf", "empty", "11111111-0000-4000-8000-00000000000a", NULL};
	struct certdir_list_config config = {.filename = fixture_file, .tenant = TENANT_A, .groups = groups};
	struct certdir_directory *directory;

	(void)state;
	publish_sources(
		"INSERT INTO device(id,source,entra_device_id) VALUES(1,2,'" ENTRA "');"
		"INSERT INTO grp(id,source,object_id,name) VALUES(1,2,'11111111-0000-4000-8000-00000000000A','Staff'),"
		"(2,2,NULL,'empty');INSERT INTO device_group(device,grp) VALUES(1,1)");
	directory = open_list(&config, false);
	assert_int_equal(log_count("require_group"), 2);
	assert_int_equal(log_count("require_group = \"Staf\": no device is in a group of that name or object id"), 1);
	assert_int_equal(log_count("require_group = \"empty\""), 1);
	assert_int_equal(log_count("no source is of that tenant"), 0);
	directory->type->close(directory);
}

/* Sources in scope with their parts, and what they know devices by. */
static void test_search_describes_sources(void **state)
{
	const uint32_t of_tenant = CERTDIR_BIT(CERTDIR_ID_ENTRA) | CERTDIR_BIT(CERTDIR_ID_GUID) |
				   CERTDIR_BIT(CERTDIR_ID_SID) | CERTDIR_BIT(CERTDIR_ID_SID_URI) |
				   CERTDIR_BIT(CERTDIR_ID_NAME) | CERTDIR_BIT(CERTDIR_ID_DNS);
	const uint32_t of_intune = CERTDIR_BIT(CERTDIR_ID_INTUNE) | CERTDIR_BIT(CERTDIR_ID_SERIAL) |
				   CERTDIR_BIT(CERTDIR_ID_PERMANENT) | CERTDIR_BIT(CERTDIR_ID_IMEI) |
				   CERTDIR_BIT(CERTDIR_ID_MEID) | CERTDIR_BIT(CERTDIR_ID_WIFI_MAC);
	struct certdir_list_config config = {.filename = fixture_file, .tenant = TENANT_A, .max_age = 60};
	struct certdir_sought sought = {.type = CERTDIR_ID_GUID, .value = ENTRA};
	struct certdir_directory *directory;
	struct certdir_answer answer = {0};

	(void)state;
	publish_sources("INSERT INTO device(source,entra_device_id) VALUES(1,'" ENTRA "'),(2,'" ENTRA "')");
	directory = open_list(&config, false);
	assert_false(directory->is_live || directory->keeps || directory->domains);
	assert_int_equal(directory->max_age, 60);
	directory->type->search(directory, NULL, 0, &answer); /* asks for nothing, and tells about itself */
	assert_int_equal(answer.state, CERTDIR_ANSWERED);
	assert_int_equal(answer.count, 0);
	assert_int_equal(answer.keeps, of_tenant | of_intune);
	assert_int_equal(answer.source_count, 2); /* the other tenant is out of scope */
	assert_int_equal(answer.sources[0].kind, CERTDIR_SOURCE_IMPORT);
	assert_string_equal(answer.sources[0].name, "jamf");
	assert_null(answer.sources[0].tenant);
	assert_int_equal(answer.sources[0].synced[CERTDIR_PART_OF_DEVICES], 1000);
	assert_int_equal(answer.sources[1].kind, CERTDIR_SOURCE_TENANT);
	assert_string_equal(answer.sources[1].tenant, TENANT_A);
	assert_int_equal(answer.sources[1].synced[CERTDIR_PART_OF_DEVICES], 2000);
	assert_int_equal(answer.sources[1].synced[CERTDIR_PART_OF_INTUNE], 2100);
	assert_int_equal(answer.sources[1].synced[CERTDIR_PART_OF_GROUPS], 0);
	assert_int_equal(answer.sources[1].interval[CERTDIR_PART_OF_INTUNE], 3600);
	assert_int_equal(answer.sources[1].interval[CERTDIR_PART_OF_DEVICES], 0);
	assert_true(answer.sources[1].says_enabled);
	assert_int_equal(answer.sources[0].keeps, CERTDIR_BIT(CERTDIR_ID_ENTRA) | CERTDIR_BIT(CERTDIR_ID_GUID));
	assert_int_equal(answer.sources[1].keeps, of_tenant | of_intune);
	directory->type->search(directory, &sought, 1, &answer);
	assert_int_equal(answer.count, 2);
	assert_int_equal(answer.records[0].source, 0);
	assert_int_equal(answer.records[1].source, 1);
	assert_int_equal(answer.source_count, 2);
	certdir_answer_clear(&answer);
	directory->type->close(directory);

	config.tenant = TENANT_B; /* whose Intune was never synced */
	directory = open_list(&config, false);
	directory->type->search(directory, NULL, 0, &answer);
	assert_int_equal(answer.keeps, of_tenant);
	assert_int_equal(answer.sources[1].synced[CERTDIR_PART_OF_GROUPS], 3300);
	certdir_answer_clear(&answer);
	directory->type->close(directory);

	fixture_edition(1, 1); /* an import that has names alone */
	config.tenant = NULL;
	directory = open_list(&config, false);
	directory->type->search(directory, NULL, 0, &answer);
	assert_int_equal(answer.keeps, CERTDIR_BIT(CERTDIR_ID_NAME) | CERTDIR_BIT(CERTDIR_ID_DNS));
	certdir_answer_clear(&answer);
	directory->type->close(directory);

	config.tenant = "contoso.example";
	{
		struct certdir_error error;

		assert_null(certdir_list_directory_open(&config, false, &error));
		assert_non_null(strstr(error.text, "not a GUID"));
	}
}

/* What was never loaded may be known by anything; what an import's rows carry is known. */
static void test_search_keeps(void **state)
{
	const uint32_t ids = CERTDIR_BIT(CERTDIR_ID_GUID) | CERTDIR_BIT(CERTDIR_ID_ENTRA),
		       names = CERTDIR_BIT(CERTDIR_ID_NAME) | CERTDIR_BIT(CERTDIR_ID_DNS);
	const struct {
		const char *source; /* tenant of the only one; "" = there is none */
		const char *tenant; /* of the configuration */
		struct certdir_device device;
		uint32_t keeps, source_keeps;
	} cases[] = {
		{"", NULL, {0}, UINT32_MAX, 0},
		{"", TENANT_A, {0}, UINT32_MAX, 0},
		{NULL, NULL, {.name = (char *)"a"}, names, names},
		{NULL, NULL, {.entra_device_id = (char *)G1}, ids, ids},
		{NULL, NULL, {.object_id = (char *)G1}, CERTDIR_BIT(CERTDIR_ID_GUID), CERTDIR_BIT(CERTDIR_ID_GUID)},
		{NULL, TENANT_A, {.name = (char *)"a"}, UINT32_MAX, names},
		{TENANT_A, TENANT_A, {.name = (char *)"a"}, names, names},
		{TENANT_B, TENANT_A, {.name = (char *)"a"}, UINT32_MAX, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct certdir_list_config config = {.filename = fixture_file, .tenant = cases[i].tenant};
		const bool none = cases[i].source && !*cases[i].source;
		struct certdir_list_writer *writer = fixture_begin(true, "jamf", none ? NULL : cases[i].source, 1000);
		struct certdir_directory *directory;
		struct certdir_answer answer = {0};

		if (none)
			fixture_run(writer, "DELETE FROM source");
		else
			fixture_add(writer, &cases[i].device);
		fixture_publish(writer);
		directory = open_list(&config, false);
		directory->type->search(directory, NULL, 0, &answer);
		assert_int_equal(answer.state, CERTDIR_ANSWERED);
		if (answer.keeps != cases[i].keeps ||
		    (answer.source_count ? answer.sources[0].keeps : 0) != cases[i].source_keeps)
			fail_msg("case %zu: %x", i, answer.keeps);
		certdir_answer_clear(&answer);
		directory->type->close(directory);
	}
}

/* A login asks again with what it learnt, and ends on the edition that it began with. */
static void test_search_goes_on(void **state)
{
	const struct certdir_list_config config = {.filename = fixture_file};
	struct certdir_sought first[] = {{.type = CERTDIR_ID_ENTRA, .value = ENTRA},
					 {.type = CERTDIR_ID_NAME, .value = "pc1"}};
	struct certdir_sought second[] = {{.type = CERTDIR_ID_GUID, .value = G1},
					  {.type = CERTDIR_ID_SID, .value = SID1}};
	struct certdir_answer answer = {0};
	char got[512];

	(void)state;
	publish_sources(rows);
	watched = open_list(&config, true);
	watched->type->search(watched, first, 2, &answer);
	answer_text(&answer, got);
	assert_string_equal(got, "1 7 8(" UNLISTED ") 11");
	assert_int_equal(answer.records[0].device.dns_name_count, 1);
	log_clear();
	fixture_edition(1, 1);
	wait_for_log(": 1 device;");
	watched->type->search(watched, second, 2, &answer);
	answer_text(&answer, got);
	assert_string_equal(got, "1 7 8(" UNLISTED ") 11 -1(" ONCE ")");
	assert_string_equal(answer.sources[1].name, "contoso");
	certdir_answer_clear(&answer);
	watched->type->search(watched, second, 2, &answer);
	assert_int_equal(answer.count, 0);
	certdir_answer_clear(&answer);
	watched->type->close(watched);
}

/* So many devices of one name that none of them is told apart by it: an id finds its device all the same. */
static void test_search_many(void **state)
{
	const struct certdir_list_config config = {.filename = fixture_file};
	struct certdir_sought sought[] = {{.type = CERTDIR_ID_NAME, .value = "iphone"},
					  {.type = CERTDIR_ID_ENTRA, .value = G1},
					  {.type = CERTDIR_ID_NAME, .value = "ipad"}};
	struct certdir_list_writer *writer = fixture_begin(false, "test", NULL, 1000);
	struct certdir_directory *directory;
	struct certdir_answer answer = {0};

	(void)state;
	for (int i = 0; i < 50; i++)
		fixture_add(writer, &(struct certdir_device){.name = (char *)"iPhone"});
	fixture_add(writer, &(struct certdir_device){.name = (char *)"iPhone", .entra_device_id = (char *)G1});
	for (int i = 0; i < CERTDIR_LIST_FIND_MAX; i++)
		fixture_add(writer, &(struct certdir_device){.name = (char *)"iPad"});
	fixture_publish(writer);
	directory = open_list(&config, false);
	directory->type->search(directory, sought, 3, &answer);
	assert_int_equal(answer.state, CERTDIR_ANSWERED);
	assert_true(sought[0].many && !sought[1].many && !sought[2].many);
	assert_int_equal(answer.count, 2 * CERTDIR_LIST_FIND_MAX + 1);
	assert_string_equal(answer.records[CERTDIR_LIST_FIND_MAX].device.id, G1);
	directory->type->search(directory, sought, 1, &answer); /* `many` stays, and nothing is added twice */
	assert_true(sought[0].many);
	assert_int_equal(answer.count, 2 * CERTDIR_LIST_FIND_MAX + 1);
	certdir_answer_clear(&answer);
	directory->type->close(directory);
}

/* What an answer has no room for is not there, and is told of; what is there stays: there may be a "no" among it. */
static void test_search_too_many(void **state)
{
	const struct certdir_list_config config = {.filename = fixture_file};
	struct certdir_list_writer *writer = fixture_begin(false, "test", NULL, 1000);
	struct certdir_sought sought[CERTDIR_RECORDS_MAX / CERTDIR_LIST_FIND_MAX + 1];
	char names[CERTDIR_RECORDS_MAX / CERTDIR_LIST_FIND_MAX + 1][16];
	struct certdir_directory *directory;
	struct certdir_answer answer = {0};
	const size_t count = sizeof(sought) / sizeof(*sought);

	(void)state;
	for (size_t n = 0; n < count; n++) {
		(void)snprintf(names[n], sizeof(names[n]), "n%zu", n);
		sought[n] = (struct certdir_sought){.type = CERTDIR_ID_NAME, .value = names[n]};
		for (int i = 0; i < (n + 1 < count ? CERTDIR_LIST_FIND_MAX : 1); i++)
			fixture_add(writer, &(struct certdir_device){.name = names[n]});
	}
	fixture_publish(writer);
	directory = open_list(&config, false);
	directory->type->search(directory, sought, count - 1, &answer);
	assert_int_equal(answer.state, CERTDIR_ANSWERED);
	assert_int_equal(answer.count, CERTDIR_RECORDS_MAX);
	assert_false(answer.full);
	for (int again = 0; again < 2; again++) {
		directory->type->search(directory, sought, count, &answer);
		assert_int_equal(answer.state, CERTDIR_ANSWERED);
		assert_true(answer.full);
		assert_int_equal(answer.count, CERTDIR_RECORDS_MAX);
		assert_string_equal(answer.records[0].device.name, "n0");
	}
	certdir_answer_clear(&answer);
	assert_int_equal(answer.state, CERTDIR_NOT_ASKED);
	directory->type->close(directory);
}

/* A page of the index is damaged under a true seal: that is no "not found". */
static void test_search_fails(void **state)
{
	const struct certdir_list_config config = {.filename = fixture_file};
	struct certdir_sought sought[] = {{.type = CERTDIR_ID_SERIAL, .value = "X"},
					  {.type = CERTDIR_ID_NAME, .value = "pc-7"}};
	struct certdir_directory *directory;
	struct certdir_answer answer = {0};
	unsigned char *file;
	sqlite3_stmt *stmt;
	size_t size, image;
	sqlite3 *db;

	(void)state;
	fixture_edition(1, DEVICES);
	assert_int_equal(sqlite3_open_v2(fixture_file, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT rootpage FROM sqlite_schema WHERE name='device_by_name'", -1,
					    &stmt, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	file = fixture_read(&size);
	image = fixture_image(file, size);
	memset(file + (sqlite3_column_int64(stmt, 0) - 1) * 4096, 0xa5, 4096);
	sqlite3_finalize(stmt);
	(void)sqlite3_close(db);
	fixture_seal(file, image);
	free(file);
	directory = open_list(&config, false);
	directory->type->search(directory, sought, 1, &answer);
	assert_int_equal(answer.state, CERTDIR_ANSWERED);
	directory->type->search(directory, sought, 2, &answer);
	assert_int_equal(answer.state, CERTDIR_ANSWER_UNAVAILABLE);
	assert_non_null(strstr(answer.detail, "malformed"));
	certdir_answer_clear(&answer);
	directory->type->close(directory);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, watched_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_search_finds),    TEST(test_tells_what_nobody_has), TEST(test_search_describes_sources),
		TEST(test_search_keeps),    TEST(test_search_goes_on),	      TEST(test_search_many),
		TEST(test_search_too_many), TEST(test_search_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
