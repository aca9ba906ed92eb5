/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which groups and which OU the accounts of a device shall have, and whether the list knows enough to say so. */
#include "wanted_fixture.h"

#define MAIN_OU "OU=Main,DC=x"
#define STAFF_OU "OU=Staff,DC=x"
#define CONTOSO_OU "OU=Contoso,DC=x"

/* Rules by name, by id and by a name in other case; the second is the union of two groups. */
static struct certdir_placeholders_config make_places(void)
{
	static const char *ous[] = {MAIN_OU, STAFF_OU, CONTOSO_OU};
	static struct certdir_place places[] = {{false, "WI-FI STAFF", STAFF_OU, 1}, {true, "contoso", CONTOSO_OU, 2}};
	static struct certdir_target targets[] = {{"CN=all", "member_of"}, {"CN=a", "group"}, {"CN=b", "group"}};
	static struct certdir_group_rule groups[] = {{"guests", 2}, {"wi-fi staff", 1}, {G3, 2}};
	struct certdir_placeholders_config config = make_config("{name}");

	places[0].ou = ous[1];
	places[1].ou = ous[2];
	config.rules.ou = ous[0];
	config.ous = ous;
	config.ou_count = 3;
	config.places = places;
	config.place_count = 2;
	config.targets = targets;
	config.target_count = 3;
	config.member_of = targets[0].dn;
	config.groups = groups;
	config.group_count = 3;
	return config;
}

static void test_places(void **state)
{
	struct certdir_group staff[] = {{(char *)G1, (char *)"Wi-Fi staff", NULL, 0}},
			     both[] = {{(char *)G3, (char *)"x", NULL, 0},
				       {(char *)G1, (char *)"Wi-Fi staff", NULL, 0},
				       {(char *)G2, (char *)"Guests", NULL, 0}},
			     other[] = {{(char *)G3, (char *)"x", NULL, 0}};
	const struct {
		const char *name;
		struct certdir_group *groups;
		size_t count;
		const char *ou;
		unsigned bits, primary;
	} cases[] = {
		{"a", NULL, 0, MAIN_OU, 1, 1},
		{"b", staff, 1, STAFF_OU, 1 | 2, 2},
		{"c", both, 3, STAFF_OU, 1 | 2 | 4, 3},
		{"d", other, 1, MAIN_OU, 1 | 4, 3},
	};
	struct certdir_placeholders_config config = make_places();
	struct certdir_list_writer *writer = wanted_begin(NULL);
	struct certdir_wanted_list wanted;
	struct certdir_arena arena;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		wanted_add(writer, (struct certdir_device){.name = (char *)cases[i].name,
							   .groups = cases[i].groups,
							   .group_count = cases[i].count});
	fixture_publish(writer);
	wanted_list_read(&config, NULL, &arena, &wanted);
	for (size_t i = 0; i < 4; i++) {
		const struct certdir_wanted *device = certdir_wanted_find(&wanted, cases[i].name);

		assert_string_equal(device->ou, cases[i].ou);
		assert_int_equal(device->groups, cases[i].bits);
		assert_int_equal(device->primary, cases[i].primary);
	}
	certdir_arena_clear(&arena);
	/* Without one for all. */
	config.member_of = NULL;
	wanted_list_read(&config, NULL, &arena, &wanted);
	assert_int_equal(certdir_wanted_find(&wanted, "a")->groups, 0);
	assert_int_equal(certdir_wanted_find(&wanted, "a")->primary, 0);
	certdir_arena_clear(&arena);
}

/* By name and by id of the tenant; the first place that fits counts. What has been left for too long is left. */
static void test_tenants(void **state)
{
	struct certdir_group staff[] = {{(char *)G1, (char *)"Wi-Fi staff", NULL, 0}};
	struct certdir_placeholders_config config = make_places();
	struct certdir_list_writer *writer = wanted_begin(NULL);
	struct certdir_wanted_list wanted;
	struct certdir_arena arena;

	(void)state;
	wanted_add(writer, (struct certdir_device){.name = (char *)"a"});
	wanted_source(writer, "contoso", NULL);
	wanted_add(writer, (struct certdir_device){.name = (char *)"b"});
	wanted_add(writer, (struct certdir_device){.name = (char *)"c", .groups = staff, .group_count = 1});
	fixture_run(writer, "UPDATE source SET kind='tenant' WHERE name='contoso'");
	fixture_publish(writer);
	wanted_list_read(&config, NULL, &arena, &wanted);
	assert_string_equal(certdir_wanted_find(&wanted, "a")->ou, MAIN_OU);
	assert_string_equal(certdir_wanted_find(&wanted, "b")->ou, CONTOSO_OU);
	assert_string_equal(certdir_wanted_find(&wanted, "c")->ou, STAFF_OU);
	certdir_arena_clear(&arena);
	for (int late = 0; late < 2; late++) {
		writer = wanted_begin(NULL);
		wanted_add(writer, (struct certdir_device){.name = (char *)"c", .groups = staff, .group_count = 1});
		fixture_run(writer, late ? "UPDATE device_group SET confirmed=1999913599"
					 : "UPDATE device_group SET confirmed=1999913600");
		fixture_publish(writer);
		wanted_list_read(&config, NULL, &arena, &wanted);
		assert_string_equal(certdir_wanted_find(&wanted, "c")->ou, late ? MAIN_OU : STAFF_OU);
		assert_int_equal(certdir_wanted_find(&wanted, "c")->groups, late ? 1 : 3);
		certdir_arena_clear(&arena);
	}
}

/* A group that nobody is in is known, one that was never listed is not. */
static void test_known_groups(void **state)
{
#define UNKNOWN(option, name)                                                                                          \
	option " \"" name                                                                                              \
	       "\": the device list knows no group of this name or id, which is not one that nobody is in: "           \
	       "write group = " name " into [tenant ..] and run certdir sync, or correct the name when the group was " \
	       "renamed; an import knows a "                                                                           \
	       "group only while a device of it is in that"
	static const struct {
		const char *sql, *error;
	} cases[] = {
		{"INSERT INTO grp(source,object_id,name) VALUES(1,'" G1 "','Wi-Fi Staff'),(1,'" G3
		 "','x'),(1,'g','GUESTS')",
		 NULL},
		{"INSERT INTO grp(source,object_id,name) VALUES(1,'" G3 "','x'),(1,'g','guests')",
		 UNKNOWN("group", "wi-fi staff")},
		{"UPDATE source SET kind='tenant',groups_synced=NULL",
		 "the device list is incomplete: the section asks for groups, and no tenant was synced with any yet: "
		 "write group = guests into [tenant ..] and run certdir sync"},
		{"UPDATE source SET kind='tenant',groups_synced=1999913599",
		 "the device list is too old to act on: a group of tenant \"a\" was synced 2033-05-17T03:33:19Z, 24 "
		 "hours ago, and max_age is 24 hours: run certdir sync, and see certdir status for what keeps it from "
		 "working"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct certdir_placeholders_config config = make_places();
		struct certdir_list_writer *writer = wanted_begin(NULL);
		struct certdir_error error = {.text = "none"};
		struct certdir_list_snapshot *list;
		bool usable;

		wanted_add(writer, (struct certdir_device){.name = (char *)"pc1"});
		fixture_run(writer, cases[i].sql);
		fixture_publish(writer);
		list = certdir_list_load(fixture_file, &error);
		usable = certdir_wanted_list_usable(&config, list, NOW, &error);
		if (usable != !cases[i].error || (!usable && strcmp(error.text, cases[i].error) != 0))
			fail_msg("%s: %s", cases[i].sql, error.text);
		/* Places ask for it alone, too. */
		config.group_count = 0;
		usable = certdir_wanted_list_usable(&config, list, NOW, &error);
		assert_int_equal(usable, !cases[i].error);
		if (i == 1)
			assert_string_equal(error.text, UNKNOWN("ou_of_group", "WI-FI STAFF"));
		certdir_list_release(list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_places, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_tenants, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_known_groups, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
