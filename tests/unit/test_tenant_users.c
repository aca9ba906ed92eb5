/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The people of a tenant: what pages of users leave in the list, what the guard keeps, and who is found by which name. */
#include "tenant_script.h"

static char *logged;

static void take_line(enum certdir_log_level level, const char *text)
{
	(void)level;
	free(logged);
	logged = strdup(text);
}

/* ---- the list's people as text ---- */

static void add(char *out, const char *key, const char *value)
{
	if (value)
		(void)snprintf(out + strlen(out), TEXT - strlen(out), " %s=%s", key, value);
}

static const char *value_of(const struct certdir_list_person *person, enum certdir_identity_type type)
{
	for (size_t i = 0; i < person->value_count; i++)
		if (person->values[i].type == type)
			return person->values[i].value;
	return NULL;
}

static void clear_person(struct certdir_list_person *person)
{
	for (size_t i = 0; i < person->value_count; i++)
		free(person->values[i].value);
	free(person->values);
	certdir_device_clear(&person->person);
}

/* "1 upn=a@b e=y g=1/Staff kept=1000", as the module reads the row. */
static void person_text(struct certdir_list_reader *reader, int64_t row, char out[TEXT])
{
	const struct certdir_list_source *source;
	struct certdir_list_person record;
	const struct certdir_device *person = &record.person;
	struct certdir_error error;
	char number[24];

	assert_true(certdir_list_user(reader, row, &record, &source, &error));
	assert_string_equal(source->name, "contoso");
	assert_string_equal(person->tenant, source->tenant);
	assert_string_equal(person->id, person->object_id);
	strcpy(out, number_of(person->id, 'a', number));
	add(out, "upn", value_of(&record, CERTDIR_ID_UPN));
	if (person->enabled != CERTDIR_UNKNOWN)
		add(out, "e", person->enabled == CERTDIR_YES ? "y" : "n");
	add(out, "s", person->sid);
	add(out, "sam", value_of(&record, CERTDIR_ID_USER_NAME));
	add(out, "mail", value_of(&record, CERTDIR_ID_MAIL));
	for (size_t g = 0; g < person->group_count; g++) {
		add(out, "g", number_of(person->groups[g].id, 'e', number));
		(void)snprintf(out + strlen(out), TEXT - strlen(out), "/%s%s", person->groups[g].name,
			       person->groups[g].as_of ? "?" : "");
	}
	if (person->own.as_of)
		(void)snprintf(out + strlen(out), TEXT - strlen(out), " kept=%d", (int)person->own.as_of);
	clear_person(&record);
}

static struct certdir_list_reader *read_list(struct certdir_list_snapshot **snapshot)
{
	struct certdir_error error;
	struct certdir_list_reader *reader;

	*snapshot = certdir_list_load(fixture_file, &error);
	if (!*snapshot)
		fail_msg("%s", error.text);
	reader = certdir_list_reader_get(*snapshot, &error);
	assert_non_null(reader);
	return reader;
}

/* All people, of whom the list has to know how many there are. */
static void people_text(char out[TEXT])
{
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader = read_list(&snapshot);
	struct lines lines = {.source = "contoso"};
	char rows[TEXT], counted[TEXT], *rest;

	query_text("SELECT id FROM user", rows);
	for (char *row = strtok_r(rows, " ", &rest); row; row = strtok_r(NULL, " ", &rest)) {
		char text[TEXT];

		person_text(reader, atoi(row), text);
		lines_add(&lines, text);
	}
	query_text("SELECT users FROM source WHERE name='contoso'", counted);
	if ((size_t)atoi(counted) != lines.count)
		fail_msg("%s users are counted, %zu are there", counted, lines.count);
	lines_join(&lines, out);
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
}

static void expect_people(const char *script, const char *wanted)
{
	struct world world;
	char got[TEXT];

	(void)unlink(fixture_file);
	world_begin(&world);
	run(&world, script);
	world_publish(&world);
	people_text(got);
	if (strcmp(got, wanted) != 0)
		fail_msg("%s\ngives \"%s\"\nand not \"%s\"", script, got, wanted);
}

#define PEOPLE(name, ...)                                                                                              \
	static void name(void **state)                                                                                 \
	{                                                                                                              \
		static const struct history table[] = {__VA_ARGS__};                                                   \
                                                                                                                       \
		(void)state;                                                                                           \
		for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)                                            \
			expect_people(table[i].script, table[i].list);                                                 \
	}

#define ANNA "put 1 upn=Anna@Contoso.Example e=y s=S-1-5-21-1-2-3-4 sam=ANNA dn=CN=Anna mail=A.Nna@contoso.example; "

PEOPLE(test_pages,
       /* what is compared is lower case, and the DN as it is */
       {"users full; " ANNA "end",
	"1 upn=anna@contoso.example e=y s=S-1-5-21-1-2-3-4 sam=anna mail=a.nna@contoso.example"},
       {"users full; put 1 upn=a@b; put 2 e=n; end", "1 upn=a@b; 2 e=n"},
       /* what a page does not name stays, and null clears */
       {"users full; " ANNA "end; publish; users delta; put 1 e=n; end",
	"1 upn=anna@contoso.example e=n s=S-1-5-21-1-2-3-4 sam=anna mail=a.nna@contoso.example"},
       {"users full; " ANNA "end; publish; users delta; put 1 s=- sam=- mail=-; end", "1 upn=anna@contoso.example e=y"},
       {"users full; put 1 e=y; end; users delta; put 1 e=-; end", "1"},
       /* pages repeat themselves, and the last word counts */
       {"users full; put 1 upn=a@b e=y; put 1 e=n; put 1 upn=c@d; end", "1 upn=c@d e=n"},
       {"users full; put 1 e=y; rm 1; end", ""}, {"users full; put 1 e=y; rm 1; put 1 e=n; end", "1 e=n"},
       {"users full; rm 1; put 1 e=y; end", "1 e=y"}, {"users full; rm 9; end", ""},
       /* a whole listing is all there is, and a delta is what changed */
       {"users full; put 1; put 2; end; publish; users full; put 2; put 3; end", "2; 3"},
       {"users full; put 1; put 2; end; publish; users delta; put 3; rm 2; end", "1; 3"},
       {"users full; put 1 upn=a@b e=y; end; users delta; rm 1; end; users delta; put 1 upn=a@b e=n; end",
	"1 upn=a@b e=n"},
       /* what broke off was not */
       {"users full; put 1; end; users delta; rm 1; put 2; abandon; users delta; put 3; end", "1; 3"},
       {"users full; put 1; end; publish; forget", ""},
       /* two of one name are two */
       {"users full; put 1 upn=a@b; put 2 upn=A@B; end", "1 upn=a@b; 2 upn=a@b"},
       /* devices are others, whatever they are called */
       {"full; put 1 n=A; end; users full; put 1 upn=a@b; end; full; put 2; end", "1 upn=a@b"})

PEOPLE(test_groups, {"users full; put 1; put 2; end; people 1 Staff; member 1; end", "1 g=1/Staff; 2"},
       {"users full; put 1; end; people 1 Staff; member 1; member 7; end; people 2 All; member 1; end",
	"1 g=1/Staff g=2/All"},
       /* the devices of a group and its users do not touch each other */
       {"full; put 1; end; users full; put 1; end; people 1 Staff; member 1; end; group 1 Staff; end", "1 g=1/Staff"},
       {"full; put 1; end; users full; put 1; end; people 1 Staff; end; group 1 Staff; member 1; end", "1"},
       {"users full; put 1; put 2; end; people 1 Staff; member 1; end; publish; people 1 Staff; member 2; end",
	"1; 2 g=1/Staff"},
       /* whoever went and comes again is in none */
       {"users full; put 1; end; people 1 S; member 1; end; users delta; rm 1; end; users delta; put 1; end", "1"},
       {"users full; put 1; end; people 1 S; member 1; end; publish; keep", "1"},
       {"users full; put 1; end; people 1 S; member 1; end; publish; forget; users full; put 1; end", "1"},
       {"shrink 10; users full; put 1; put 2; put 3; end; people 1 S; member 1; member 2; member 3; end; group 1 S; "
	"end; publish; "
	"now 2000; people 1 S; shrunk",
	"1 g=1/S?; 2 g=1/S?; 3 g=1/S?"})

/* What is no such text is left out, what is no id is not believed, and nothing gets out of its column. */
static void test_hostile(void **state)
{
	static const struct {
		const char *property, *list, *log;
	} cases[] = {
		{"upn=a\x01@b", "1", "userPrincipalName"},	    {"upn=\xff\xfe", "1", "userPrincipalName"},
		{"sam=a\nb", "1", "onPremisesSamAccountName"},	    {"mail=\x7f@b", "1", "mail"},
		{"s=S-1-5", "1", "onPremisesSecurityIdentifier"},   {"s=nonsense", "1", "onPremisesSecurityIdentifier"},
		{"dn=CN=\x02", "1", "onPremisesDistinguishedName"}, {"upn=')/*DROP", "1 upn=')/*drop", NULL},
		{"upn=\xc3\x84@b", "1 upn=\xc3\x84@b", NULL},	    {"upn=%s%n@b", "1 upn=%s%n@b", NULL},
	};

	(void)state;
	certdir_log_set(take_line);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char script[256];

		free(logged);
		logged = NULL;
		(void)snprintf(script, sizeof(script), "users full; put 1 %s; end", cases[i].property);
		expect_people(script, cases[i].list);
		if (!logged != !cases[i].log || (logged && !strstr(logged, cases[i].log)))
			fail_msg("%s: logged is %s", cases[i].property, logged ? logged : "nothing");
	}
	free(logged);
	logged = NULL;
	certdir_log_set(NULL);
}

/* A name that fits nowhere is left out whole, and never cut. */
static void test_long(void **state)
{
	static const char *const keys[] = {"upn", "sam", "mail", "dn"};

	(void)state;
	certdir_log_set(take_line);
	for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++) {
		char name[9000], script[9100];

		memset(name, 'a', sizeof(name) - 1);
		name[sizeof(name) - 1] = '\0';
		(void)snprintf(script, sizeof(script), "users full; put 1 %s=%s; end", keys[k], name);
		expect_people(script, "1");
	}
	free(logged);
	logged = NULL;
	certdir_log_set(NULL);
}

static void test_refused(void **state)
{
	static const char *const ids[] = {"", "nonsense", "00000001-0000-4000-8000-a0000000000", NULL};
	struct certdir_tenant_counts counts;
	struct certdir_error error;
	struct world world;
	char got[TEXT];

	(void)state;
	world_begin(&world);
	run(&world, "users full; put 1; end; publish");
	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
		const struct certdir_tenant_user user = {.user_id = ids[i]};

		world_open(&world);
		assert_true(certdir_tenant_users_begin(world.tenant, true, &error));
		assert_false(certdir_tenant_users_put(world.tenant, &user, 0, &error));
		assert_non_null(strstr(error.text, "not believed"));
		/* Nothing of such an answer is taken, although somebody calls it complete. */
		assert_int_equal(certdir_tenant_users_end(world.tenant, "link", &counts, &error), CERTDIR_ENDED_FAILED);
		certdir_tenant_part_abandon(world.tenant);
	}
	/* Not within another part. */
	run(&world, "full");
	assert_false(certdir_tenant_users_put(world.tenant, &(struct certdir_tenant_user){.user_id = G1}, 0, &error));
	assert_false(certdir_tenant_users_remove(world.tenant, G1, &error));
	run(&world, "end");
	world_publish(&world);
	people_text(got);
	assert_string_equal(got, "1");
}

/* ---- the guard ---- */

/* Two of two are too many to lose. All else is taken, a "no" too; what is kept has the age of when it was known last. */
PEOPLE(test_guard_keeps,
       {"shrink 10; users full; put 1 e=y; put 2 e=y; end; publish; now 2000; users delta; rm 1; rm 2; put 1 e=n; rm "
	"1; put 3; "
	"shrunk",
	"1 e=n kept=1000; 2 e=y kept=1000; 3"},
       {"shrink 10; users full; put 1; put 2; end; publish; now 2000; users full; put 3 e=y; shrunk",
	"1 kept=1000; 2 kept=1000; 3 e=y"},
       /* they wait with the age that they have, until they come again or somebody lets them go */
       {"shrink 10; users full; put 1; put 2; end; publish; now 2000; users delta; rm 1; rm 2; shrunk; now 3000; users "
	"delta; shrunk",
	"1 kept=1000; 2 kept=1000"},
       {"shrink 10; users full; put 1; put 2; end; now 2000; users delta; rm 1; rm 2; shrunk; users delta; put 1 e=y; "
	"end",
	"1 e=y"},
       {"shrink 10; users full; put 1; put 2; end; now 2000; users delta; rm 1; rm 2; shrunk; shrink 100; users delta; "
	"end",
	""},
       {"shrink 10; users full; put 1; put 2; end; users delta; rm 1; end", "2"},
       {"shrink 10; users full; put 1; put 2; end; users delta; put 4; put 5; put 6; rm 4; rm 5; rm 6; end", "1; 2"})

static void put_people(struct world *world, int from, int to)
{
	char command[64];

	for (int i = from; i <= to; i++) {
		(void)snprintf(command, sizeof(command), "put %x upn=u%d@b", i, i);
		run(world, command);
	}
}

static void test_guard(void **state)
{
	static const struct {
		int before, after;
		unsigned max;
		const char *how;
	} cases[] = {{100, 90, 10, "end"}, {100, 89, 10, "shrunk"}, {100, 0, 100, "end"}, {3, 0, 10, "shrunk"},
		     {3, 1, 10, "end"},	   {1, 0, 10, "end"},	    {0, 0, 10, "end"},	  {10, 40, 0, "end"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const int lost = cases[i].before > cases[i].after ? cases[i].before - cases[i].after : 0;
		char option[32], wanted[64], link[TEXT];
		struct world world;
		bool kept;

		(void)unlink(fixture_file);
		world_begin(&world);
		run(&world, "users full");
		put_people(&world, 1, cases[i].before);
		(void)snprintf(option, sizeof(option), "end; shrink %u; users full", cases[i].max);
		run(&world, option);
		put_people(&world, 1, cases[i].after);
		run(&world, cases[i].how);
		kept = strcmp(cases[i].how, "shrunk") == 0;
		assert_int_equal(world.counts.before, cases[i].before);
		assert_int_equal(world.counts.lost, kept ? 0 : lost);
		assert_int_equal(world.counts.kept, kept ? lost : 0);
		assert_int_equal(world.counts.added,
				 cases[i].after > cases[i].before ? cases[i].after - cases[i].before : 0);
		assert_int_equal(world.counts.after, kept ? cases[i].before : cases[i].after);
		(void)snprintf(wanted, sizeof(wanted), "%d of %d users would be lost", lost, cases[i].before);
		if (kept && (!strstr(world.failure, wanted) || !strstr(world.failure, "--force")))
			fail_msg("\"%s\" does not say \"%s\"", world.failure, wanted);
		world_publish(&world);
		/* After a listing that shrunk the next one is whole, too: no delta would bring what this one left out. */
		query_text("SELECT ifnull(users_link,'none') FROM source", link);
		assert_string_equal(link, kept ? "none" : "link");
	}
}

/* ---- who is found ---- */

static void test_found(void **state)
{
	static const struct {
		enum certdir_identity_type type;
		const char *value, *tenant;
		int count;
		bool more;
	} cases[] = {
		{CERTDIR_ID_UPN, "anna@contoso.example", NULL, 1, false},
		{CERTDIR_ID_UPN, "ANNA@contoso.example", NULL, 0,
		 false}, /* who asks has it in its canonical spelling */
		{CERTDIR_ID_USER_ID, "00000001-0000-4000-8000-a00000000000", NULL, 1, false},
		{CERTDIR_ID_GUID, "00000001-0000-4000-8000-a00000000000", NULL, 0, false},
		{CERTDIR_ID_USER_SID, "S-1-5-21-1-2-3-4", NULL, 1, false},
		{CERTDIR_ID_SID, "S-1-5-21-1-2-3-4", NULL, 0, false},
		{CERTDIR_ID_USER_NAME, "anna", NULL, 1, false},
		{CERTDIR_ID_NAME, "anna", NULL, 0, false},
		{CERTDIR_ID_MAIL, "a.nna@contoso.example", NULL, 1, false},
		{CERTDIR_ID_MAIL, "anna@contoso.example", NULL, 0, false},
		{CERTDIR_ID_MAIL, "twin@b", NULL, 2, false},
		{CERTDIR_ID_MAIL, "many@b", NULL, CERTDIR_LIST_FIND_MAX, true},
		{CERTDIR_ID_UPN, "anna@contoso.example", "00000001-0000-4000-8000-b00000000000", 1, false},
		{CERTDIR_ID_UPN, "anna@contoso.example", "00000002-0000-4000-8000-b00000000000", 0, false},
		{CERTDIR_ID_UPN, "' OR 1=1 --", NULL, 0, false},
		{CERTDIR_ID_UPN, "", NULL, 0, false},
	};
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader;
	struct world world;
	char command[64];

	(void)state;
	world_begin(&world);
	run(&world, "users full; " ANNA "put 2 mail=twin@b; put 3 mail=Twin@b");
	for (int i = 0; i <= CERTDIR_LIST_FIND_MAX; i++) {
		(void)snprintf(command, sizeof(command), "put %x mail=many@b", 16 + i);
		run(&world, command);
	}
	run(&world, "end; publish");
	reader = read_list(&snapshot);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int64_t rows[CERTDIR_LIST_FIND_MAX];
		struct certdir_error error;
		bool more;

		if (certdir_list_find_user(reader, cases[i].tenant, cases[i].type, cases[i].value, rows, &more,
					   &error) != cases[i].count ||
		    more != cases[i].more)
			fail_msg("%s %s", certdir_identity_type_name(cases[i].type), cases[i].value);
	}
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_pages),   TEST(test_groups),	    TEST(test_hostile), TEST(test_long),
		TEST(test_refused), TEST(test_guard_keeps), TEST(test_guard),	TEST(test_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
