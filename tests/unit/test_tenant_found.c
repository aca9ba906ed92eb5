/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is found when tenants and imports know the same device, and what is ambiguous. */
#include "tenant_script.h"

static void test_tenants_come_first(void **state)
{
	char entra[40], intune[40], tenant[40];
	const struct certdir_device twin = {.entra_device_id = make_guid('d', 1, entra),
					    .intune_device_id = make_guid('c', 1, intune),
					    .serial_number = (char *)"SN1",
					    .sid = (char *)"S-1-5-21-1-2-3-1",
					    .name = (char *)"A"};
	static const struct {
		enum certdir_identity_type type;
		const char *value;
		int found;
	} cases[] = {{CERTDIR_ID_ENTRA, "00000001-0000-4000-8000-d00000000000", 1},
		     {CERTDIR_ID_INTUNE, "00000001-0000-4000-8000-c00000000000", 1},
		     {CERTDIR_ID_GUID, "00000001-0000-4000-8000-d00000000000", 1},
		     {CERTDIR_ID_GUID, "00000001-0000-4000-8000-c00000000000", 1},
		     {CERTDIR_ID_SERIAL, "SN1", 1},
		     {CERTDIR_ID_SID, "S-1-5-21-1-2-3-1", 1},
		     {CERTDIR_ID_NAME, "a", CERTDIR_LIST_FIND_MAX},
		     {CERTDIR_ID_SERIAL, "SN2", 2}};
	int64_t rows[CERTDIR_LIST_FIND_MAX];
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader;
	struct certdir_list_writer *writer;
	struct certdir_error error;
	struct world world;

	(void)state;
	/* More imports than a find gives rows, and they stand first. */
	writer = fixture_begin(false, "import 0", NULL, 1);
	for (int i = 0; i < 30; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "import %d", i);
		assert_true(certdir_list_write_source(writer, name, NULL, 1, &error));
		fixture_add(writer, &twin);
		if (i < 2)
			fixture_add(writer, &(struct certdir_device){.serial_number = (char *)"SN2"});
	}
	fixture_publish(writer);
	world_begin(&world);
	run(&world, "filter enabled; full; put 1 d=1 n=A s=1 e=y; put 2 d=2 e=n; end; intune; rec 1 d=1 sn=SN1; rec 2 "
		    "d=2 sn=SN2; end;"
		    "publish");
	snapshot = certdir_list_load(fixture_file, &error);
	reader = certdir_list_reader_get(snapshot, &error);
	assert_non_null(reader);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int count = certdir_list_find(reader, cases[i].type, cases[i].value, rows, &error), carried = 0;

		if (count != cases[i].found)
			fail_msg("%s: %d devices", cases[i].value, count);
		for (int64_t row = 1; row < 40; row++)
			carried += certdir_list_carries(reader, cases[i].type, cases[i].value, row, &error);
		assert_int_equal(carried, cases[i].type == CERTDIR_ID_NAME ? 31 : count);
		for (int r = 0; r < count; r++)
			assert_int_equal(certdir_list_carries(reader, cases[i].type, cases[i].value, rows[r], &error),
					 1);
	}
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
	/* An import that is of another tenant is not that tenant's to know better. */
	writer = fixture_begin(false, "import 0", make_guid('b', 9, tenant), 1);
	fixture_add(writer, &twin);
	fixture_publish(writer);
	snapshot = certdir_list_load(fixture_file, &error);
	reader = certdir_list_reader_get(snapshot, &error);
	assert_int_equal(certdir_list_find(reader, CERTDIR_ID_ENTRA, cases[0].value, rows, &error), 2);
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
}

static void note_problem(void *context, const char *text)
{
	strcat(strcat(context, text), "|");
}

static void test_verify(void **state)
{
	static const struct {
		const char *script;
		int64_t problems;
	} cases[] = {{"full; put 1 d=1; put 2 d=1; end", 1},
		     {"full; put 1 d=1; put 2 d=1; end; intune; rec 1 d=1; end", 2},
		     {"filter enabled; full; put 1 d=1 e=y; put 2 d=1 e=n; end", 0},
		     {"full; put 1 d=2; end", 0}, /* an import has it too, and the tenant knows better */
		     {"full; put 1 d=3; end", 1}}; /* two imports have 2, and no tenant */

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct certdir_list_writer *writer;
		struct certdir_list_snapshot *snapshot;
		struct certdir_list_reader *reader;
		char entra[40], text[4096] = "";
		struct certdir_error error;
		struct world world;

		(void)unlink(fixture_file);
		writer = fixture_begin(false, "import 1", NULL, 1);
		if (i >= 3) {
			fixture_add(writer, &(struct certdir_device){.entra_device_id = make_guid('d', 2, entra)});
			assert_true(certdir_list_write_source(writer, "import 2", NULL, 1, &error));
			fixture_add(writer, &(struct certdir_device){.entra_device_id = make_guid('d', 2, entra)});
		}
		fixture_publish(writer);
		world_begin(&world);
		run(&world, cases[i].script);
		world_publish(&world);
		snapshot = certdir_list_load(fixture_file, &error);
		reader = certdir_list_reader_get(snapshot, &error);
		if (certdir_list_verify(reader, note_problem, text, &error) != cases[i].problems)
			fail_msg("%s: %s", cases[i].script, text);
		certdir_list_reader_put(reader);
		certdir_list_release(snapshot);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_tenants_come_first),
		TEST(test_verify),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
