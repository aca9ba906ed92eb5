/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the list to what shall stand in the directory: who passes, which values, and whether the list may be acted on at all. */
#include "directory/mark.h"
#include "wanted_fixture.h"

/* ---- selection ---- */

static const char *const two_groups[] = {"Wi-Fi staff", G3, NULL}, *const systems[] = {"Windows", "macOS", NULL};

/* Whether it is what no other record of the device outweighs. */
static bool says_no(const char *why_not)
{
	return why_not && (strcmp(why_not, "is disabled") == 0 || strncmp(why_not, "is to be wiped", 14) == 0 ||
			   strcmp(why_not, "has an account that expired") == 0);
}

static void test_selection(void **state)
{
	static struct certdir_group groups[] = {{(char *)G1, (char *)"others", NULL, 0},
						{(char *)G2, (char *)"WI-FI STAFF", NULL, 0}},
				    by_id[] = {{(char *)G3, NULL, NULL, 0}}, none[] = {{NULL, NULL, NULL, 0}};
	static const struct certdir_selection plain = {.join_types = CERTDIR_BIT(CERTDIR_JOIN_ENTRA),
						       .require_enabled = true},
					      any = {.join_types = CERTDIR_BIT(CERTDIR_JOIN_ENTRA)},
					      managed = {.join_types = CERTDIR_BIT(CERTDIR_JOIN_ENTRA),
							 .require_managed = true},
					      compliant = {.join_types = CERTDIR_BIT(CERTDIR_JOIN_ENTRA),
							   .require_compliant = true},
					      hybrid = {.join_types = CERTDIR_BIT(CERTDIR_JOIN_HYBRID)},
					      grouped = {.join_types = CERTDIR_BIT(CERTDIR_JOIN_ENTRA),
							 .groups = (const char **)two_groups},
					      of_system = {.join_types = CERTDIR_BIT(CERTDIR_JOIN_ENTRA),
							   .operating_systems = (const char **)systems};
	static const struct {
		const struct certdir_selection *selection;
		struct certdir_device device; /* joined to Entra ID unless it says something else */
		const char *why_not;
		enum certdir_left_out left_out;
	} cases[] = {
		{&plain, {.enabled = CERTDIR_YES}, NULL, CERTDIR_LEFT_OUT_NOT},
		{&plain, {.enabled = CERTDIR_NO}, "is disabled", CERTDIR_LEFT_OUT_DISABLED},
		{&plain, {.enabled = CERTDIR_UNKNOWN}, "is not known to be enabled", CERTDIR_LEFT_OUT_ENABLED_UNKNOWN},
		{&plain,
		 {.enabled = CERTDIR_YES, .management_state = (char *)"wipePending"},
		 "is to be wiped, retired or deleted in Intune",
		 CERTDIR_LEFT_OUT_RETIRED},
		{&plain, {.enabled = CERTDIR_YES, .expires = NOW + 1}, NULL, CERTDIR_LEFT_OUT_NOT},
		{&plain,
		 {.enabled = CERTDIR_YES, .expires = NOW},
		 "has an account that expired",
		 CERTDIR_LEFT_OUT_EXPIRED},
		{&any,
		 {.enabled = CERTDIR_UNKNOWN, .expires = NOW},
		 "has an account that expired",
		 CERTDIR_LEFT_OUT_EXPIRED},
		{&plain,
		 {.enabled = CERTDIR_YES, .join_type = CERTDIR_JOIN_HYBRID},
		 "is hybrid joined (ServerAd)",
		 CERTDIR_LEFT_OUT_TRUST_TYPE},
		{&plain,
		 {.enabled = CERTDIR_YES, .join_type = CERTDIR_JOIN_REGISTERED},
		 "is only registered (Workplace)",
		 CERTDIR_LEFT_OUT_TRUST_TYPE},
		{&plain,
		 {.enabled = CERTDIR_YES, .join_type = CERTDIR_JOIN_AD},
		 "is joined to Active Directory alone",
		 CERTDIR_LEFT_OUT_TRUST_TYPE},
		{&plain,
		 {.enabled = CERTDIR_YES, .join_type = CERTDIR_JOIN_TYPES},
		 "has no known trust type",
		 CERTDIR_LEFT_OUT_UNTYPED},
		{&any, {.enabled = CERTDIR_NO}, NULL, CERTDIR_LEFT_OUT_NOT},
		{&any, {.enabled = CERTDIR_UNKNOWN}, NULL, CERTDIR_LEFT_OUT_NOT},
		{&hybrid, {.join_type = CERTDIR_JOIN_HYBRID}, NULL, CERTDIR_LEFT_OUT_NOT},
		{&hybrid,
		 {.join_type = CERTDIR_JOIN_ENTRA},
		 "is joined to Entra ID (AzureAd)",
		 CERTDIR_LEFT_OUT_TRUST_TYPE},
		{&managed, {.managed = CERTDIR_YES}, NULL, CERTDIR_LEFT_OUT_NOT},
		{&managed, {.managed = CERTDIR_NO}, "is not managed", CERTDIR_LEFT_OUT_NOT_MANAGED},
		{&managed, {.managed = CERTDIR_UNKNOWN}, "is not known to be managed", CERTDIR_LEFT_OUT_NOT_MANAGED},
		{&compliant, {.compliance = (char *)"compliant"}, NULL, CERTDIR_LEFT_OUT_NOT},
		{&compliant, {.compliance = (char *)"inGracePeriod"}, NULL, CERTDIR_LEFT_OUT_NOT},
		{&compliant,
		 {.compliance = (char *)"noncompliant"},
		 "is not compliant",
		 CERTDIR_LEFT_OUT_NOT_COMPLIANT},
		{&compliant, {.compliance = (char *)"conflict"}, "is not compliant", CERTDIR_LEFT_OUT_NOT_COMPLIANT},
		{&compliant,
		 {.compliance = (char *)"configManager"},
		 "is not known to be compliant",
		 CERTDIR_LEFT_OUT_COMPLIANCE_UNKNOWN},
		{&compliant, {.compliance = NULL}, "is not known to be compliant", CERTDIR_LEFT_OUT_COMPLIANCE_UNKNOWN},
		{&grouped, {.groups = groups, .group_count = 2}, NULL, CERTDIR_LEFT_OUT_NOT},
		{&grouped, {.groups = by_id, .group_count = 1}, NULL, CERTDIR_LEFT_OUT_NOT},
		{&grouped,
		 {.groups = groups, .group_count = 1},
		 "is not in Wi-Fi staff nor in the other groups of require_group",
		 CERTDIR_LEFT_OUT_NOT_IN_GROUP},
		{&grouped,
		 {.groups = none, .group_count = 1},
		 "is not in Wi-Fi staff nor in the other groups of require_group",
		 CERTDIR_LEFT_OUT_NOT_IN_GROUP},
		{&grouped,
		 {.groups = NULL},
		 "is not in Wi-Fi staff nor in the other groups of require_group",
		 CERTDIR_LEFT_OUT_NOT_IN_GROUP},
		{&of_system, {.operating_system = (char *)"windows"}, NULL, CERTDIR_LEFT_OUT_NOT},
		{&of_system, {.operating_system = (char *)"MacOS"}, NULL, CERTDIR_LEFT_OUT_NOT},
		{&of_system,
		 {.operating_system = (char *)"iOS"},
		 "has iOS as operating system",
		 CERTDIR_LEFT_OUT_OPERATING_SYSTEM},
		{&of_system,
		 {.operating_system = NULL},
		 "has no known operating system",
		 CERTDIR_LEFT_OUT_OPERATING_SYSTEM},
	};
	static const struct certdir_list_source source = {.name = "t",
							  .kind = CERTDIR_SOURCE_TENANT,
							  .synced = NOW,
							  .intune_synced = NOW,
							  .groups_synced = NOW,
							  .says_enabled = true};
	struct certdir_arena arena = {0};
	const char *why_not;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct certdir_device device = cases[i].device;
		enum certdir_left_out left_out;

		device.own.is = true;
		device.own.managed = device.managed;
		device.own.compliant = certdir_compliance(device.compliance);
		device.id = (char *)"d";
		if (device.join_type == CERTDIR_JOIN_UNKNOWN)
			device.join_type = CERTDIR_JOIN_ENTRA;
		else if (device.join_type == CERTDIR_JOIN_TYPES)
			device.join_type = CERTDIR_JOIN_UNKNOWN;
		left_out = certdir_selection_judge(cases[i].selection, &device, &source, NOW, &arena, &why_not);
		assert_int_equal(left_out, cases[i].left_out);
		assert_int_equal(left_out == CERTDIR_LEFT_OUT_NOT, cases[i].why_not == NULL);
		assert_int_equal(certdir_left_out_is_no(left_out), says_no(cases[i].why_not));
		if (cases[i].why_not)
			assert_string_equal(why_not, cases[i].why_not);
		else
			assert_null(why_not);
	}
	certdir_arena_clear(&arena);
}

/* ---- what stands there ---- */

/* "HOST/pc1 HOST/pc1.corp.example|pc1.corp.example|" */
static void print_values(const struct certdir_wanted *wanted, char out[600])
{
	out[0] = '\0';
	for (size_t i = 0; i < 3; i++) {
		for (size_t j = 0; j < wanted->values[i].count; j++)
			(void)snprintf(out + strlen(out), 600 - strlen(out), "%s%.*s", j ? " " : "",
				       (int)wanted->values[i].items[j].length, wanted->values[i].items[j].bytes);
		(void)snprintf(out + strlen(out), 600 - strlen(out), "|");
	}
}

static void test_values(void **state)
{
	static const struct {
		const char *key, *cn, *values, *domain;
		bool hybrid;
	} wanted_devices[] = {
		/* G1 has everything; G3 is named as its CN is; G2 has neither name nor serial number */
		{G1, G1, "HOST/" G1 ".corp.example HOST/LAPTOP-1 host/" G1 "|" G1 ".corp.example|LAPTOP-1 SN1|",
		 "corp.example", false},
		{G2, G2, "HOST/" G2 ".corp.example host/" G2 "|" G2 ".corp.example||", "corp.example", false},
		{G3, G3, "HOST/" G3 ".corp.example host/" G3 "|" G3 ".corp.example|" G3 "|", "corp.example", true},
		{G1, G1, "HOST/LAPTOP-1 host/" G1 "||LAPTOP-1 SN1|", NULL, false},
	};
	struct certdir_list_writer *writer = wanted_begin(NULL);
	const struct certdir_placeholders_config config = make_config("{entra_device_id}");
	struct certdir_wanted_list wanted;
	struct certdir_arena arena;
	char values[600];

	(void)state;
	wanted_add(writer, (struct certdir_device){.entra_device_id = (char *)G3,
						   .name = (char *)G3,
						   .sid = (char *)SID1,
						   .join_type = CERTDIR_JOIN_HYBRID});
	wanted_add(writer, (struct certdir_device){.entra_device_id = (char *)G1,
						   .name = (char *)"LAPTOP-1",
						   .serial_number = (char *)"SN1"});
	wanted_add(writer, (struct certdir_device){.entra_device_id = (char *)G2});
	fixture_publish(writer);
	for (size_t i = 0; i < sizeof(wanted_devices) / sizeof(wanted_devices[0]); i++) {
		const struct certdir_wanted *device;

		wanted_list_read(&config, wanted_devices[i].domain, &arena, &wanted);
		assert_int_equal(wanted.count, 3);
		assert_int_equal(wanted.selected, 2);
		assert_string_equal(wanted.devices[0].key, G1);
		assert_string_equal(wanted.devices[1].key, G2);
		assert_string_equal(wanted.devices[2].key, G3);
		device = certdir_wanted_find(&wanted, wanted_devices[i].key);
		assert_non_null(device);
		assert_string_equal(device->key, wanted_devices[i].key);
		assert_string_equal(device->cn, wanted_devices[i].cn);
		assert_null(device->problem);
		assert_int_equal(device->hybrid, wanted_devices[i].hybrid);
		assert_int_equal(device->why_not != NULL, wanted_devices[i].hybrid);
		print_values(device, values);
		assert_string_equal(values, wanted_devices[i].values);
		assert_null(certdir_wanted_find(&wanted, "0"));
		assert_null(certdir_wanted_find(&wanted, "zzz"));
		certdir_arena_clear(&arena);
	}
}

#define X16 "xxxxxxxxxxxxxxxx"
#define X64 X16 X16 X16 X16
/* Four bytes each, and two units of UTF-16. */
#define LAPTOP "\xf0\x9f\x92\xbb"
#define LAPTOP8 LAPTOP LAPTOP LAPTOP LAPTOP LAPTOP LAPTOP LAPTOP LAPTOP

static void test_problems(void **state)
{
	static const struct {
		const char *name; /* template */
		struct certdir_device device;
		const char *cn, *problem;
	} cases[] = {
		{"{name}", {.name = (char *)"pc1"}, "pc1", NULL},
		{" {name} ", {.name = (char *)"pc1"}, "pc1", NULL},
		{"{name}", {.entra_device_id = (char *)G1, .name = (char *)" "}, NULL, "has no name"},
		{"{serial_number}", {.name = (char *)"pc1"}, NULL, "has no serial_number"},
		{"{intune_device_id}", {.name = (char *)"pc1"}, NULL, "has no intune_device_id"},
		{"{name}", {.name = (char *)X64}, X64, NULL},
		{"{name}",
		 {.name = (char *)X64 "y"},
		 NULL,
		 "would get a name of 65 characters, and a CN has at most 64: " X16 X16 "xxxxxxxx.."},
		{"{name}", {.name = (char *)LAPTOP8 LAPTOP8 LAPTOP8 LAPTOP8}, LAPTOP8 LAPTOP8 LAPTOP8 LAPTOP8, NULL},
		{"{name}",
		 {.name = (char *)LAPTOP8 LAPTOP8 LAPTOP8 LAPTOP8 "x"},
		 NULL,
		 "would get a name of 65 characters, and a CN has at most 64: " LAPTOP8 LAPTOP LAPTOP ".."},
		{"{name}{name}{name}{name}{name}",
		 {.entra_device_id = (char *)G1, .name = (char *)X64 X64 X64 X16},
		 NULL,
		 "would get a name of more than 1024 bytes"},
		{"pc",
		 {.name = (char *)"nameless"},
		 "pc",
		 "has no id, serial number or name that it could be known by"},
		{"pc", {.serial_number = (char *)X64 X64 X16 "xxxxxxxxxxxxxy"}, "pc", NULL},
		{"pc",
		 {.serial_number = (char *)X64 X64 X16 "xxxxxxxxxxxxxxy"},
		 "pc",
		 "has an id of 159 bytes, and a mark holds 158"},
		{"pc", {.name = (char *)"pc1:disabled"}, "pc", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct certdir_placeholders_config config = make_config(cases[i].name);
		struct certdir_list_writer *writer = wanted_begin(NULL);
		struct certdir_device disabled = cases[i].device;
		struct certdir_wanted_list wanted;
		struct certdir_arena arena;

		wanted_add(writer, cases[i].device);
		fixture_run(writer, "UPDATE device SET name=NULL WHERE name='nameless'");
		fixture_publish(writer);
		wanted_list_read(&config, "corp.example", &arena, &wanted);
		assert_int_equal(wanted.count, 1);
		assert_int_equal(wanted.selected, 1);
		assert_null(wanted.devices[0].why_not);
		assert_int_equal(wanted.devices[0].cn != NULL, cases[i].cn != NULL);
		if (cases[i].cn)
			assert_string_equal(wanted.devices[0].cn, cases[i].cn);
		assert_int_equal(wanted.devices[0].values != NULL, cases[i].cn != NULL);
		if (cases[i].problem && !wanted.devices[0].problem)
			fail_msg("no problem: %s", cases[i].problem);
		if (wanted.devices[0].problem)
			assert_string_equal(wanted.devices[0].problem, cases[i].problem ? cases[i].problem : "none");
		certdir_arena_clear(&arena);

		/* Of one that shall have no entry nothing is a problem. */
		disabled.enabled = CERTDIR_NO;
		writer = wanted_begin(NULL);
		wanted_add(writer, disabled);
		fixture_publish(writer);
		wanted_list_read(&config, "corp.example", &arena, &wanted);
		assert_int_equal(wanted.selected, 0);
		assert_string_equal(wanted.devices[0].why_not, "is disabled");
		assert_null(wanted.devices[0].problem);
		certdir_arena_clear(&arena);
	}
}

/* A value that does not fit is no value, and is said. */
static void test_long_value(void **state)
{
	struct certdir_list_writer *writer = wanted_begin(NULL);
	struct certdir_placeholders_config config = make_config("{name}");
	static const char text[] = "{serial_number}{serial_number}{serial_number}{serial_number}{serial_number}";
	struct certdir_wanted_list wanted;
	struct certdir_arena arena;
	struct certdir_error why;
	char values[600];

	(void)state;
	assert_true(certdir_template_init(&description[0], text, true, &why));
	wanted_add(writer, (struct certdir_device){.entra_device_id = (char *)G1,
						   .name = (char *)"pc1",
						   .serial_number = (char *)"s" X64 X64 X64 X16});
	fixture_publish(writer);
	wanted_list_read(&config, "corp.example", &arena, &wanted);
	assert_string_equal(wanted.devices[0].problem, "would get more than 1024 bytes of description");
	print_values(&wanted.devices[0], values);
	/* "host/pc1" and "HOST/pc1" are one. */
	assert_string_equal(values, "HOST/pc1.corp.example host/pc1|pc1.corp.example||");
	certdir_arena_clear(&arena);
}

/* ---- several with one id ---- */

/* Lower case: disabled, or only r: retired; x: not known to be enabled; upper case: enabled. */
static void add_each(struct certdir_list_writer *writer, const char *devices)
{
	for (; *devices; devices++) {
		char name[2] = {*devices, '\0'};

		wanted_add(writer, (struct certdir_device){
					   .serial_number = (char *)"SN1",
					   .name = name,
					   .management_state = (char *)(*devices == 'r' ? "wipePending" : NULL),
					   .enabled = *devices < 'a' || *devices == 'r' ? CERTDIR_YES : CERTDIR_NO});
	}
}

static void test_duplicates(void **state)
{
#define TWICE(a, b)                                                                                                    \
	"stands in the list more than once (in \"" a "\" and in \"" b "\"), and none of them counts before the others"
	static const struct {
		const char *tenant, *import, *import_tenant; /* devices of each; the tenant that the import names */
		const char *name; /* of the one that counts */
		const char *why_not, *problem;
	} cases[] = {
		{"T", "", NULL, "T", NULL, NULL},
		{"T", "I", NULL, "T", NULL, NULL},
		{"t", "I", NULL, "t", "is disabled", NULL},
		/* a "no" counts wherever it stands; that nobody knows is none */
		{"T", "i", NULL, "T", "is disabled", NULL},
		{"T", "Ir", NULL, "T", "is to be wiped, retired or deleted in Intune", NULL},
		{"T", "x", NULL, "T", NULL, NULL},
		{"x", "I", NULL, "x", "is not known to be enabled", NULL},
		{"x", "i", NULL, "x", "is disabled", NULL},
		{"r", "i", NULL, "r", "is to be wiped, retired or deleted in Intune", NULL},
		{"T", "IJ", TENANT_A, "T", NULL, NULL},
		/* of another tenant: who knows better? */
		{"T", "I", TENANT_B, "I", NULL, TWICE("b", "a")},
		{"t", "I", TENANT_B, "I", "is disabled", NULL},
		{"T", "i", TENANT_B, "T", "is disabled", NULL},
		{"x", "I", TENANT_B, "I", NULL, TWICE("b", "a")},
		{"t", "i", TENANT_B, "i", "is disabled", NULL},
		{"TU", "", NULL, "T", NULL, TWICE("a", "a")},
		{"TU", "I", NULL, "T", NULL, TWICE("a", "a")},
		{"tU", "", NULL, "U", "is disabled", NULL},
		{"xU", "", NULL, "U", NULL, TWICE("a", "a")},
		{"Ux", "", NULL, "U", NULL, TWICE("a", "a")},
		{"tu", "", NULL, "t", "is disabled", NULL},
		{"", "IJ", NULL, "I", NULL, TWICE("b", "b")},
	};
	const struct certdir_placeholders_config config = make_config("{name}");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct certdir_list_writer *writer = wanted_begin(TENANT_A);
		struct certdir_wanted_list wanted;
		struct certdir_arena arena;

		add_each(writer, cases[i].tenant);
		wanted_source(writer, "b", cases[i].import_tenant);
		add_each(writer, cases[i].import);
		fixture_run(writer, "UPDATE source SET kind='tenant' WHERE name='a';"
				    "UPDATE device SET enabled=NULL WHERE name='x'");
		fixture_publish(writer);
		wanted_list_read(&config, "corp.example", &arena, &wanted);
		assert_int_equal(wanted.count, 1);
		assert_string_equal(wanted.devices[0].key, "SN1");
		assert_string_equal(wanted.devices[0].name, cases[i].name);
		assert_string_equal(wanted.devices[0].why_not ? wanted.devices[0].why_not : "-",
				    cases[i].why_not ? cases[i].why_not : "-");
		assert_string_equal(wanted.devices[0].problem ? wanted.devices[0].problem : "-",
				    cases[i].problem ? cases[i].problem : "-");
		assert_int_equal(wanted.selected, cases[i].why_not == NULL);
		/* Whose "no" counts is also who is counted. */
		assert_int_equal(wanted.left_out[CERTDIR_LEFT_OUT_DISABLED],
				 cases[i].why_not && strcmp(cases[i].why_not, "is disabled") == 0);
		assert_int_equal(wanted.left_out[CERTDIR_LEFT_OUT_RETIRED],
				 cases[i].why_not && cases[i].why_not[3] == 't');
		certdir_arena_clear(&arena);
	}
}

/* How many are left out for what, each device once and for the first reason; every device of the list is somewhere. */
static void test_left_out(void **state)
{
	struct certdir_placeholders_config config = make_config("{name}");
	struct certdir_list_writer *writer = wanted_begin(NULL);
	struct certdir_wanted_list wanted;
	struct certdir_arena arena;
	size_t sum = 0;

	(void)state;
	config.selection.operating_systems = (const char **)systems;
	/* In order of certdir_left_out: selected, disabled, and so on. */
	wanted_add(writer, (struct certdir_device){.name = (char *)"a", .operating_system = (char *)"Windows"});
	wanted_add(writer, (struct certdir_device){.name = (char *)"b", .enabled = CERTDIR_NO});
	wanted_add(writer, (struct certdir_device){.name = (char *)"c", .join_type = CERTDIR_JOIN_HYBRID});
	wanted_add(writer, (struct certdir_device){
				   .name = (char *)"d", .join_type = CERTDIR_JOIN_REGISTERED, .enabled = CERTDIR_NO});
	wanted_add(writer, (struct certdir_device){.name = (char *)"e", .join_type = CERTDIR_JOIN_REGISTERED});
	wanted_add(writer, (struct certdir_device){.name = (char *)"f", .operating_system = (char *)"iOS"});
	wanted_add(writer, (struct certdir_device){.name = (char *)"g"});
	wanted_add(writer, (struct certdir_device){.name = (char *)"h"});
	fixture_run(writer, "UPDATE device SET join_type=NULL WHERE name='g'");
	wanted_source(writer, "dc", NULL);
	wanted_add(writer, (struct certdir_device){.name = (char *)"i"});
	fixture_run(writer, "UPDATE source SET kind='ldap' WHERE name='dc'");
	fixture_publish(writer);
	wanted_list_read(&config, NULL, &arena, &wanted);
	assert_int_equal(wanted.selected, 1);
	assert_int_equal(wanted.left_out[CERTDIR_LEFT_OUT_NOT], 1);
	assert_int_equal(wanted.left_out[CERTDIR_LEFT_OUT_DISABLED], 2);
	assert_int_equal(wanted.left_out[CERTDIR_LEFT_OUT_TRUST_TYPE], 2);
	assert_int_equal(wanted.left_out[CERTDIR_LEFT_OUT_UNTYPED], 1);
	assert_int_equal(wanted.left_out[CERTDIR_LEFT_OUT_OPERATING_SYSTEM], 2);
	assert_int_equal(wanted.left_out[CERTDIR_LEFT_OUT_LDAP], 1);
	for (size_t i = 0; i < CERTDIR_LEFT_OUTS; i++)
		sum += wanted.left_out[i];
	assert_int_equal(sum, 9);
	certdir_arena_clear(&arena);
}

/* Many, so that the array grows, sorted by key whatever their names. */
static void test_many(void **state)
{
	enum { MANY = 5000 };
	struct certdir_list_writer *writer = wanted_begin(NULL);
	const struct certdir_placeholders_config config = make_config("{name}");
	struct certdir_wanted_list wanted;
	struct certdir_arena arena;
	char name[32], serial[32];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "PC-%d", i * 7919 % MANY);
		(void)snprintf(serial, sizeof(serial), "SN%d", i);
		wanted_add(writer, (struct certdir_device){.name = name, .serial_number = serial});
	}
	fixture_publish(writer);
	wanted_list_read(&config, "corp.example", &arena, &wanted);
	assert_int_equal(wanted.count, MANY);
	assert_int_equal(wanted.selected, MANY);
	for (size_t i = 1; i < wanted.count; i++)
		assert_true(strcmp(wanted.devices[i - 1].key, wanted.devices[i].key) < 0);
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "PC-%d", i * 7919 % MANY);
		(void)snprintf(serial, sizeof(serial), "SN%d", i);
		assert_string_equal(certdir_wanted_find(&wanted, serial)->cn, name);
	}
	certdir_arena_clear(&arena);
}

/* ---- whether the list may be acted on ---- */

static void test_usable(void **state)
{
#define TENANT_ROW "UPDATE source SET kind='tenant',intune_synced=1999913600,groups_synced=1999913600,synced="
#define INCOMPLETE "the device list is incomplete: "
	static const char *const group[] = {"Wi-Fi staff", NULL};
	static const struct {
		const char *sql; /* what becomes of an import "a" with a device that was imported just now */
		const char *name; /* template */
		bool compliant, managed, grouped;
		const char *error;
	} cases[] = {
		{"SELECT 1", "{name}", true, true, true, NULL},
		{"DELETE FROM device", "{name}", false, false, false,
		 "the device list is empty, which is no reason to take every account away: run certdir sync or certdir "
		 "list import first"},
		{TENANT_ROW "2000000000", "{serial_number}", true, true, true, NULL},
		{TENANT_ROW "1999913600", "{name}", false, false, false, NULL},
		{TENANT_ROW "1999913599", "{name}", false, false, false,
		 "the device list is too old to act on: tenant \"a\" was synced 2033-05-17T03:33:19Z, 24 hours ago, "
		 "and "
		 "max_age is 24 hours: run certdir sync, and see certdir status for what keeps it from working"},
		{"UPDATE source SET synced=1999000000", "{name}", false, false, false,
		 "the device list is too old to act on: import \"a\" was imported 2033-05-06T13:46:40Z, 11 days ago, "
		 "and "
		 "max_age is 24 hours: import it again with certdir list import, or raise max_age"},
		{"INSERT INTO source(name,kind,synced) VALUES('b','tenant',1999999999),('c','import',7)", "{name}",
		 false, false, false,
		 "the device list is too old to act on: import \"c\" was imported 1970-01-01T00:00:07Z, 23148 days "
		 "ago, "
		 "and max_age is 24 hours: import it again with certdir list import, or raise max_age"},
		/* a clock that was set back */
		{TENANT_ROW "2000000060", "{name}", false, false, false, NULL},
		/* parts */
		{TENANT_ROW "2000000000,intune_synced=NULL", "{name}", false, false, false, NULL},
		{TENANT_ROW "2000000000,intune_synced=NULL", "{name}", true, false, false,
		 INCOMPLETE "require_compliant = yes asks for Intune, which no tenant was synced with yet: run certdir "
			    "sync, and see certdir status for what keeps Intune out"},
		{TENANT_ROW "2000000000,intune_synced=NULL", "{name}", false, true, false,
		 INCOMPLETE "require_managed = yes asks for Intune, which no tenant was synced with yet: run certdir "
			    "sync, and see certdir status for what keeps Intune out"},
		{TENANT_ROW "2000000000,intune_synced=NULL", "{serial_number}", false, false, false,
		 INCOMPLETE "{serial_number} in name asks for Intune, which no tenant was synced with yet: run certdir "
			    "sync, and see certdir status for what keeps Intune out"},
		{TENANT_ROW "2000000000,intune_synced=NULL", "{intune_device_id}", false, false, false,
		 INCOMPLETE "{intune_device_id} in name asks for Intune, which no tenant was synced with yet: run "
			    "certdir sync, and see certdir status for what keeps Intune out"},
		{TENANT_ROW "2000000000,groups_synced=NULL", "{name}", true, false, false, NULL},
		{TENANT_ROW "2000000000,groups_synced=0", "{name}", false, false, true,
		 INCOMPLETE "require_group asks for groups, and no tenant was synced with any yet: write group = Wi-Fi "
			    "staff into [tenant ..] and run certdir sync"},
		/* parts that are too old, when they are asked for */
		{TENANT_ROW "2000000000,intune_synced=1999000000", "{name}", false, false, true, NULL},
		{TENANT_ROW "2000000000,intune_synced=1999000000", "{name}", true, false, false,
		 "the device list is too old to act on: Intune of tenant \"a\" was synced 2033-05-06T13:46:40Z, 11 "
		 "days "
		 "ago, and max_age is 24 hours: run certdir sync, and see certdir status for what keeps it from "
		 "working"},
		{TENANT_ROW "2000000000,groups_synced=1999000000", "{name}", true, true, false, NULL},
		{TENANT_ROW "2000000000,groups_synced=1999000000", "{name}", false, false, true,
		 "the device list is too old to act on: a group of tenant \"a\" was synced 2033-05-06T13:46:40Z, 11 "
		 "days "
		 "ago, and max_age is 24 hours: run certdir sync, and see certdir status for what keeps it from "
		 "working"},
		/* one that has groups beside one that has none */
		{TENANT_ROW "2000000000;INSERT INTO source(name,kind,synced) VALUES('b','tenant',2000000000)", "{name}",
		 true, false, true, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct certdir_list_writer *writer = wanted_begin(NULL);
		struct certdir_placeholders_config config = make_config(cases[i].name);
		struct certdir_error error = {.text = "none"};
		struct certdir_list_snapshot *list;
		bool usable;

		config.selection.require_compliant = cases[i].compliant;
		config.selection.require_managed = cases[i].managed;
		config.selection.groups = cases[i].grouped ? (const char **)group : NULL;
		wanted_add(writer, (struct certdir_device){.name = (char *)"pc1"});
		fixture_run(writer, cases[i].sql);
		fixture_publish(writer);
		list = certdir_list_load(fixture_file, &error);
		assert_non_null(list);
		usable = certdir_wanted_list_usable(&config, list, NOW, &error);
		if (usable != !cases[i].error)
			fail_msg("%s: %s", cases[i].sql, error.text);
		if (!usable)
			assert_string_equal(error.text, cases[i].error);
		certdir_list_release(list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_selection),
		cmocka_unit_test_setup_teardown(test_values, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_problems, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_long_value, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_duplicates, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_left_out, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_many, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_usable, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
