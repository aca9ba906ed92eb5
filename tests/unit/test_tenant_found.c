/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is found in a list that tenants and imports fill, and what is told of ids that several devices have. */
#include "tenant_script.h"

/* Rows of every source are found, listed or not, and Intune's waiting records, too. */
static void test_all_are_found(void **state)
{
	char entra[40], intune[40];
	const struct certdir_device twin = {.entra_device_id = make_guid('d', 1, entra),
					    .intune_device_id = make_guid('c', 1, intune),
					    .serial_number = (char *)"SN1",
					    .sid = (char *)"S-1-5-21-1-2-3-1",
					    .name = (char *)"A"};
	static const struct {
		enum certdir_identity_type type;
		const char *value;
		int found, against; /* rows; those of them that can only speak against */
	} cases[] = {{CERTDIR_ID_ENTRA, "00000001-0000-4000-8000-d00000000000", 2, 0},
		     {CERTDIR_ID_INTUNE, "00000001-0000-4000-8000-c00000000000", 2, 0},
		     {CERTDIR_ID_GUID, "00000001-0000-4000-8000-a00000000000", 1, 0},
		     {CERTDIR_ID_GUID, "00000002-0000-4000-8000-c00000000000", 1, 1},
		     {CERTDIR_ID_GUID, "00000003-0000-4000-8000-c00000000000", 1, 1},
		     {CERTDIR_ID_GUID, "00000009-0000-4000-8000-d00000000000", 1, 1},
		     {CERTDIR_ID_GUID, "00000004-0000-4000-8000-c00000000000", 1, 1},
		     {CERTDIR_ID_SERIAL, "SN1", 2, 0},
		     {CERTDIR_ID_SERIAL, "SN2", 1, 1},
		     {CERTDIR_ID_SERIAL, "SN3", 1, 1},
		     {CERTDIR_ID_NAME, "c", 1, 1},
		     {CERTDIR_ID_SID, "S-1-5-21-1-2-3-1", 2, 0},
		     {CERTDIR_ID_NAME, "a", 2, 0},
		     {CERTDIR_ID_NAME, "b", 1, 1}};
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader;
	struct certdir_list_writer *writer;
	struct certdir_error error;
	struct world world;

	(void)state;
	writer = fixture_begin(false, "import", NULL, 1);
	fixture_add(writer, &twin);
	fixture_publish(writer);
	world_begin(&world);
	run(&world, "filter enabled; full; put 1 d=1 n=A s=1 e=y; put 2 d=2 e=n; end; intune; rec 1 d=1 sn=SN1; rec 2 "
		    "d=2 sn=SN2; rec 3 d=9 sn=SN3 n=C; rec 4 d=0 n=B st=discovered; end; publish");
	snapshot = certdir_list_load(fixture_file, &error);
	reader = certdir_list_reader_get(snapshot, &error);
	assert_non_null(reader);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int64_t rows[CERTDIR_LIST_FIND_MAX];
		int against = 0, count;
		bool more;

		count = certdir_list_find(reader, NULL, cases[i].type, cases[i].value, rows, &more, &error);
		for (int r = 0; r < count; r++) {
			const struct certdir_list_source *source;
			struct certdir_device device;
			const char *only_against;

			assert_true(certdir_list_device(reader, rows[r], &device, &source, &only_against, &error));
			against += only_against != NULL;
			certdir_device_clear(&device);
		}
		if (count != cases[i].found || against != cases[i].against || more)
			fail_msg("%s: %d devices, %d against", cases[i].value, count, against);
	}
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
		     {"full; put 1 d=1; put 2 d=2; end; intune; rec 1 d=1 sn=S1; rec 2 d=2 sn=S1; end", 1},
		     {"full; put 1 d=2; end", 0}, /* two imports have it, too: sources may know the same device */
		     {"full; put 1 d=3; end", 0}};

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
		if (i >= 4) {
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
		TEST(test_all_are_found),
		TEST(test_verify),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
