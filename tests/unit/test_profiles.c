/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pure part of certdir profiles, from tables: variables, who gets a profile, what another one lacks, names of servers, sections. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "profiles/check.h"
#include "profiles/sections.h"
#include "profiles/specimen.h"

#define COUNT(_array) (sizeof(_array) / sizeof((_array)[0]))

/* ---- variables ---- */

static void test_variables(void **state)
{
	static const struct {
		const char *text, *filled;
	} cases[] = {
		{"", ""},
		{"plain", "plain"},
		{"CN={{SerialNumber}}", "CN=S4MPLE7Q"},
		{"{{serialnumber}}-{{Device_Serial}}", "S4MPLE7Q-S4MPLE7Q"},
		{"a{{Nobody}}b", "ab"},
		{"{{", "{{"},
		{"{{}}", ""},
		{"{{SerialNumber", "{{SerialNumber"},
		{"}}{{SerialNumber}}{{", "}}S4MPLE7Q{{"},
		{"{{ {{SerialNumber}}", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *filled = certdir_variable_fill(cases[i].text);

		assert_string_equal(filled, cases[i].filled);
		free(filled);
	}
	assert_true(certdir_variable_in("x{{AzureADDeviceId}}", CERTDIR_ID_ENTRA));
	assert_false(certdir_variable_in("x{{AzureADDeviceId}}", CERTDIR_ID_INTUNE));
	assert_true(certdir_variable_hardware_in("{{UserName}} {{IMEINumber}}"));
	assert_null(certdir_variable_find("DeviceIdx", 9));
}

/* ---- who gets a profile ---- */

#define DEVICES                                                                                                        \
	{                                                                                                              \
		CERTDIR_TARGET_ALL_DEVICES, NULL, false, false                                                         \
	}
#define USERS                                                                                                          \
	{                                                                                                              \
		CERTDIR_TARGET_ALL_USERS, NULL, false, false                                                           \
	}
#define IN(_group, _known)                                                                                             \
	{                                                                                                              \
		CERTDIR_TARGET_GROUP, _group, false, _known                                                            \
	}
#define OUT(_group, _known)                                                                                            \
	{                                                                                                              \
		CERTDIR_TARGET_EXCLUDED, _group, false, _known                                                         \
	}

static void test_meant(void **state)
{
	static const struct {
		const char *name;
		enum certdir_platform platform;
		struct certdir_profile_target targets[3];
		size_t count;
		enum certdir_meant meant;
	} cases[] = {
		{"nobody", CERTDIR_PLATFORM_WINDOWS, {{0}}, 0, CERTDIR_MEANT_NOT},
		{"all", CERTDIR_PLATFORM_WINDOWS, {DEVICES}, 1, CERTDIR_MEANT_YES},
		{"another system", CERTDIR_PLATFORM_IOS, {DEVICES}, 1, CERTDIR_MEANT_NOT},
		{"no known platform", CERTDIR_PLATFORM_UNKNOWN, {DEVICES}, 1, CERTDIR_MEANT_NOT},
		{"users, and it has one", CERTDIR_PLATFORM_WINDOWS, {USERS}, 1, CERTDIR_MEANT_YES},
		{"its group", CERTDIR_PLATFORM_WINDOWS, {IN("mine", true)}, 1, CERTDIR_MEANT_YES},
		{"another group", CERTDIR_PLATFORM_WINDOWS, {IN("other", true)}, 1, CERTDIR_MEANT_NOT},
		{"a group that nobody knows", CERTDIR_PLATFORM_WINDOWS, {IN("other", false)}, 1, CERTDIR_MEANT_PERHAPS},
		{"left out", CERTDIR_PLATFORM_WINDOWS, {DEVICES, OUT("mine", true)}, 2, CERTDIR_MEANT_NOT},
		{"others are left out", CERTDIR_PLATFORM_WINDOWS, {DEVICES, OUT("other", true)}, 2, CERTDIR_MEANT_YES},
		{"perhaps left out", CERTDIR_PLATFORM_WINDOWS, {DEVICES, OUT("x", false)}, 2, CERTDIR_MEANT_PERHAPS},
		{"left out beats its group",
		 CERTDIR_PLATFORM_WINDOWS,
		 {OUT("mine", true), IN("mine", true)},
		 2,
		 CERTDIR_MEANT_NOT},
		{"left out of nothing", CERTDIR_PLATFORM_WINDOWS, {OUT("x", false)}, 1, CERTDIR_MEANT_NOT},
		{"filter",
		 CERTDIR_PLATFORM_WINDOWS,
		 {{CERTDIR_TARGET_ALL_DEVICES, NULL, true, false}},
		 1,
		 CERTDIR_MEANT_PERHAPS},
		{"filter of another group",
		 CERTDIR_PLATFORM_WINDOWS,
		 {{CERTDIR_TARGET_GROUP, "other", true, true}},
		 1,
		 CERTDIR_MEANT_NOT},
		{"filter and none",
		 CERTDIR_PLATFORM_WINDOWS,
		 {{CERTDIR_TARGET_ALL_DEVICES, NULL, true, false}, IN("mine", true)},
		 2,
		 CERTDIR_MEANT_YES},
		{"newer than we",
		 CERTDIR_PLATFORM_WINDOWS,
		 {{CERTDIR_TARGET_OTHER, NULL, false, false}},
		 1,
		 CERTDIR_MEANT_PERHAPS},
	};
	struct certdir_group groups[] = {{.id = (char *)"first"}, {.id = (char *)"MINE"}};
	struct certdir_device device = {.id = (char *)"d",
					.operating_system = (char *)"Windows",
					.intune_device_id = (char *)"i",
					.owner = (char *)"anna",
					.groups = groups,
					.group_count = COUNT(groups)};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct certdir_profile profile = {.platform = cases[i].platform, .target_count = cases[i].count};
		struct certdir_profile_target targets[3];

		memcpy(targets, cases[i].targets, sizeof(targets));
		profile.targets = targets;
		if (certdir_target_means(&profile, &device) != cases[i].meant)
			fail_msg("%s: %d", cases[i].name, certdir_target_means(&profile, &device));
	}
}

static void test_systems(void **state)
{
	static const struct {
		const char *system, *ownership;
		enum certdir_platform platform;
		bool is;
	} cases[] = {
		{"Windows", NULL, CERTDIR_PLATFORM_WINDOWS, true},
		{"IPad", NULL, CERTDIR_PLATFORM_IOS, true},
		{"iOS", "company", CERTDIR_PLATFORM_IOS, true},
		{"iPhone", NULL, CERTDIR_PLATFORM_MACOS, false},
		{"MacMDM", NULL, CERTDIR_PLATFORM_MACOS, true},
		{"AndroidEnterprise", "company", CERTDIR_PLATFORM_ANDROID_CORPORATE, true},
		{"AndroidEnterprise", "company", CERTDIR_PLATFORM_ANDROID_WORK, false},
		{"Android", "personal", CERTDIR_PLATFORM_ANDROID_WORK, true},
		{"Android", "personal", CERTDIR_PLATFORM_ANDROID_CORPORATE, false},
		{"Android", NULL, CERTDIR_PLATFORM_ANDROID_CORPORATE, true},
		{"Linux", NULL, CERTDIR_PLATFORM_ANDROID, false},
		{NULL, NULL, CERTDIR_PLATFORM_WINDOWS, false},
	};
	struct certdir_profile_target all = DEVICES;
	struct certdir_profile profile = {.targets = &all, .target_count = 1};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct certdir_device device = {.operating_system = (char *)cases[i].system,
						.ownership = (char *)cases[i].ownership,
						.managed = CERTDIR_YES};

		profile.platform = cases[i].platform;
		if ((certdir_target_means(&profile, &device) == CERTDIR_MEANT_YES) != cases[i].is)
			fail_msg("%s, %d", cases[i].system, (int)cases[i].platform);
		/* What Intune does not manage gets nothing. */
		device.managed = CERTDIR_UNKNOWN;
		assert_int_equal(certdir_target_means(&profile, &device), CERTDIR_MEANT_NOT);
	}
}

/* ---- reports ---- */

/* What is found for the first of `count` profiles without a list: the code of the first finding, or "". */
static const char *first_code(struct certdir_profile *items, size_t count, const struct certdir_profiles_world *world)
{
	static char code[64];
	const struct certdir_profiles profiles = {.items = items, .count = count};
	struct certdir_fleet *fleet = certdir_fleet_open(&profiles, world);
	struct certdir_profiles_report report;

	assert_non_null(fleet);
	assert_true(certdir_report_make(&report, fleet));
	code[0] = '\0';
	for (size_t i = report.count; i-- > 0;)
		if (report.findings[i].profile == &items[0])
			strncpy(code, report.findings[i].code, sizeof(code) - 1);
	certdir_report_clear(&report);
	certdir_fleet_close(fleet);
	return code;
}

static void test_assignments(void **state)
{
	static const struct {
		const char *name;
		struct certdir_profile_target certificate[2], root[2];
		const char *code;
	} cases[] = {
		{"the same group", {IN("a", false)}, {IN("a", false)}, ""},
		{"another group", {IN("a", true)}, {IN("b", true)}, "root-assignment"},
		{"one of two groups", {IN("a", true), IN("b", true)}, {IN("a", true)}, "root-assignment"},
		{"a group among all devices", {IN("a", true)}, {DEVICES}, ""},
		{"a group that may be of users among all devices", {IN("a", false)}, {DEVICES}, ""},
		{"a group of devices, and all users", {IN("a", true)}, {USERS}, "root-assignment"},
		{"a group that may be of users among all users", {IN("a", false)}, {USERS}, ""},
		{"a group among everybody", {IN("a", true)}, {DEVICES, USERS}, ""},
		{"all devices, and a group", {DEVICES}, {IN("a", true)}, "root-assignment"},
		{"all devices, and all users", {DEVICES}, {USERS}, "root-assignment"},
		{"all users, and all devices", {USERS}, {DEVICES}, "root-assignment"},
		{"the root leaves out some", {DEVICES}, {DEVICES, OUT("a", true)}, "root-assignment"},
		{"both leave out the same", {DEVICES, OUT("a", true)}, {DEVICES, OUT("a", true)}, ""},
		{"the certificate leaves out more", {DEVICES, OUT("a", true)}, {DEVICES}, ""},
		{"the root goes to nobody", {DEVICES}, {{0}}, "root-assignment"},
	};
	static const struct certdir_profile_name name = {"san.uri", "IntuneDeviceId://{{DeviceId}}"};
	static const char *const roots[] = {"r"};
	const struct certdir_profiles_world world = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct certdir_profile_target certificate[2], root[2];
		struct certdir_profile items[] = {
			{.id = "c",
			 .name = "C",
			 .kind = CERTDIR_PROFILE_SCEP,
			 .platform = CERTDIR_PLATFORM_MACOS,
			 .names = &name,
			 .name_count = 1,
			 .related = true,
			 .roots = roots,
			 .root_count = 1,
			 .targets = certificate},
			{.id = "r", .name = "R", .kind = CERTDIR_PROFILE_ROOT, .targets = root},
		};

		memcpy(certificate, cases[i].certificate, sizeof(certificate));
		memcpy(root, cases[i].root, sizeof(root));
		/* A zeroed one is a group without an id: none. */
		items[0].target_count = certificate[1].kind ? 2 : certificate[1].group ? 2 : 1;
		items[1].target_count = root[1].kind || root[1].group ? 2 : root[0].kind || root[0].group ? 1 : 0;
		if (strcmp(first_code(items, COUNT(items), &world), cases[i].code) != 0)
			fail_msg("%s: \"%s\"", cases[i].name, first_code(items, COUNT(items), &world));
	}
}

/* Whether every device of a group has the root is the list's to tell, as far as the list knows who is meant. */
static void test_group_within_another(void **state)
{
	static const struct {
		const char *name;
		struct certdir_profile_target certificate, root;
		const char *groups[2];
		bool note;
	} cases[] = {
		{"all are in the other", IN("pilot", true), IN("all", true), {"pilot", "all"}, true},
		{"one is not", IN("pilot", true), IN("all", true), {"pilot", "other"}, false},
		{"nobody knows", IN("pilot", true), IN("all", false), {"pilot", "all"}, true},
		{"nobody knows of this one", IN("pilot", true), IN("all", false), {"pilot", "other"}, false},
		{"the group may have others", IN("pilot", false), IN("all", true), {"pilot", "all"}, false},
		{"all devices, one of which is in the group", DEVICES, IN("all", true), {"all", "pilot"}, true},
		{"users are not counted", USERS, DEVICES, {"all", "pilot"}, false},
	};
	static const char *const roots[] = {"r"};
	const struct certdir_profiles_world world = {.has_list = true};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct certdir_profile_target targets[] = {cases[i].certificate, cases[i].root};
		struct certdir_profile items[] = {{.id = "c",
						   .name = "C",
						   .kind = CERTDIR_PROFILE_PFX,
						   .platform = CERTDIR_PLATFORM_MACOS,
						   .roots = roots,
						   .root_count = 1,
						   .targets = &targets[0],
						   .target_count = 1},
						  {.id = "r",
						   .name = "R",
						   .kind = CERTDIR_PROFILE_ROOT,
						   .platform = CERTDIR_PLATFORM_MACOS,
						   .targets = &targets[1],
						   .target_count = 1}};
		const struct certdir_profiles profiles = {.items = items, .count = 2};
		struct certdir_group groups[] = {{.id = (char *)cases[i].groups[0]},
						 {.id = (char *)cases[i].groups[1]}};
		const struct certdir_device device = {.id = (char *)"d",
						      .intune_device_id = (char *)"i",
						      .operating_system = (char *)"macOS",
						      .owner = (char *)"anna",
						      .groups = groups,
						      .group_count = 2};
		struct certdir_fleet *fleet = certdir_fleet_open(&profiles, &world);
		struct certdir_profiles_report report;
		bool found = false;

		assert_non_null(fleet);
		assert_true(certdir_fleet_device(fleet, &device));
		assert_true(certdir_report_make(&report, fleet));
		for (size_t f = 0; f < report.count; f++) {
			if (strcmp(report.findings[f].code, "root-assignment") != 0)
				continue;
			found = true;
			if (report.findings[f].note != cases[i].note)
				fail_msg("%s", cases[i].name);
		}
		assert_true(found);
		certdir_report_clear(&report);
		certdir_fleet_close(fleet);
	}
}

static void test_server_names(void **state)
{
	static const struct {
		const char *wanted;
		enum certdir_platform platform;
		bool fits;
	} cases[] = {
		{"radius.example.com", CERTDIR_PLATFORM_WINDOWS, true},
		{"RADIUS.Example.com", CERTDIR_PLATFORM_IOS, true},
		{"*.example.com", CERTDIR_PLATFORM_IOS, true},
		{"*.com", CERTDIR_PLATFORM_IOS, false},
		{"example.com", CERTDIR_PLATFORM_IOS, false},
		{"example.com", CERTDIR_PLATFORM_ANDROID_WORK, true},
		{"ample.com", CERTDIR_PLATFORM_ANDROID, false},
		{"^radius[0-9]\\.example\\.com$", CERTDIR_PLATFORM_WINDOWS, true}, /* not tried */
		{"nps.example.com", CERTDIR_PLATFORM_WINDOWS, false},
		{"", CERTDIR_PLATFORM_WINDOWS, false},
		{"nps.example.com; radius.example.com", CERTDIR_PLATFORM_WINDOWS, true},
		{";radius.example.com;", CERTDIR_PLATFORM_WINDOWS, true},
		{"nps.example.com;;", CERTDIR_PLATFORM_WINDOWS, false},
	};
	struct certdir_certificate server = {
		.identities = {{.type = CERTDIR_ID_DNS, .value = (char *)"radius.example.com"}}, .count = 1};
	const struct certdir_profiles_world world = {.server = &server, .server_count = 1};
	struct certdir_profile_target all = DEVICES;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct certdir_profile profile = {.id = "w",
						  .name = "W",
						  .kind = CERTDIR_PROFILE_NETWORK,
						  .platform = cases[i].platform,
						  .tls = true,
						  .server_names = &cases[i].wanted,
						  .server_name_count = 1,
						  .targets = &all,
						  .target_count = 1};

		if (strcmp(first_code(&profile, 1, &world), cases[i].fits ? "" : "server-name") != 0)
			fail_msg("%s", cases[i].wanted);
	}
}

/* A CA that was renewed with another key under the same name is another one, where the certificates tell the keys. */
static void test_roots(void **state)
{
	static const struct {
		const char *subject, *ski, *issuer, *issuer_key;
		bool leads;
	} cases[] = {
		{"CN=Root", "aa", "CN=Root", "aa", true}, {"CN=Root", "aa", "CN=Root", "bb", false},
		{"CN=Root", NULL, "CN=Root", "bb", true}, {"CN=Root", "aa", "CN=Root", NULL, true},
		{"CN=Root", "aa", "CN=Rot", "aa", false}, {"CN=Root,O=X", NULL, "O=X, CN=Root", NULL, true},
	};
	static const char *const roots[] = {"r"};
	struct certdir_profile_target all = DEVICES;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct certdir_certificate server = {.issuer = (char *)cases[i].issuer,
						     .issuer_key = (char *)cases[i].issuer_key};
		const struct certdir_profiles_world world = {.server = &server, .server_count = 1};
		struct certdir_profile items[] = {
			{.id = "w",
			 .name = "W",
			 .kind = CERTDIR_PROFILE_NETWORK,
			 .tls = true,
			 .roots = roots,
			 .root_count = 1,
			 .targets = &all,
			 .target_count = 1},
			{.id = "r",
			 .name = "R",
			 .kind = CERTDIR_PROFILE_ROOT,
			 .targets = &all,
			 .target_count = 1,
			 .certificate = {.subject = (char *)cases[i].subject, .ski = (char *)cases[i].ski}},
		};

		if (strcmp(first_code(items, COUNT(items), &world), cases[i].leads ? "" : "other-root") != 0)
			fail_msg("%zu", i);
	}
}

/* ---- sections ---- */

static void test_sections(void **state)
{
	static const struct {
		struct certdir_profile_name names[3];
		const char *ca, *due;
	} cases[] = {
		{{{"subject.cn", "{{AAD_Device_ID}}"}},
		 "Contoso",
		 "certificates intune1 {\n\tissuer = \"CN=Contoso\"\n\tentra_device_id = \"subject.cn\"\n\tvouched = "
		 "\"subject.cn\"\n}\n"},
		/* What the device chooses in the same place is not vouched for. */
		{{{"san.uri", "IntuneDeviceId://{{DeviceId}}"}, {"san.uri", "{{DeviceName}}"}},
		 NULL,
		 "certificates intune2 {\n\tintune_device_id = \"san.uri\"\n\tcommon_name = \"san.uri\"\n}\n"},
		{{{"san.dns", "{{FullyQualifiedDomainName}}"}, {"san.dns", "{{DeviceName}}.x.example"}},
		 NULL,
		 "certificates intune1 {\n\tdns_name = \"san.dns\"\n}\n"},
		/* The SID confirms, and is left out where the place is vouched for. */
		{{{"san.uri", "tag:microsoft.com,2022-09-14:sid:{{OnPremisesSecurityIdentifier}}"},
		  {"subject.cn", "{{DeviceName}}"}},
		 NULL,
		 "certificates intune1 {\n\tsid_uri = \"san.uri\"\n\tcommon_name = \"subject.cn\"\n}\n"},
		{{{"san.uri", "tag:microsoft.com,2022-09-14:sid:{{OnPremisesSecurityIdentifier}}"},
		  {"san.uri", "DeviceId:{{DeviceId}}"}},
		 NULL,
		 "certificates intune1 {\n\tintune_device_id = \"san.uri\"\n\tvouched = \"san.uri\"\n}\n"},
		{{{"subject.cn", "A.{{SerialNumber}}"}},
		 "Say \"x\"\\",
		 "form intune1 {\n\tfrom = \"subject.cn\"\n\tpattern = \"^A.(.+)$\"\n\ttype = serial_number\n}\n"
		 "certificates intune2 {\n\tissuer = \"CN=Say \\\"x\\\"\\\\\"\n\tserial_number = \"subject.cn\"\n}\n"},
		{{{"subject.cn", "{{UserName}}"}, {"san.upn", "{{UserPrincipalName}}"}},
		 NULL,
		 "certificates intune1 {\n\tholder = user\n\tupn = \"san.upn\"\n}\n"},
		{{{"subject.emailAddress", "{{EmailAddress}}"},
		  {"san.uri", "tag:microsoft.com,2022-09-14:sid:{{OnPremisesSecurityIdentifier}}"},
		  {"subject.cn", "{{OnPremisesSamAccountName}}"}},
		 NULL,
		 "certificates intune1 {\n\tholder = user\n\tuser_sid = \"san.uri\"\n\tuser_name = "
		 "\"subject.cn\"\n\tmail = "
		 "\"subject.emailAddress\"\n}\n"},
		/* A form for any text would refuse what other certificates of the server have there. */
		{{{"subject.cn", "{{IMEI}}"},
		  {"subject.serialNumber", "{{SerialNumber}}"},
		  {"san.uri", "MAC:{{WiFiMacAddress}}"}},
		 "Contoso",
		 "# C\nform intune1 {\n\tfrom = \"san.uri\"\n\tpattern = \"^MAC:(.+)$\"\n\ttype = "
		 "wifi_mac\n}\ncertificates intune2 "
		 "{\n\tissuer = \"CN=Contoso\"\n\tserial_number = \"subject.serialNumber\"\n\timei = "
		 "\"subject.cn\"\n\twifi_mac = \"san.uri\"\n}\n"},
		{{{"subject.cn", "{{Department}}"}}, NULL, "\n# C\n# (they name nobody)\n"},
		{{{"subject.cn", "Wi-Fi"}, {"subject.cn", "{{DeviceId}}{{"}},
		 NULL,
		 "{\n\tintune_device_id = \"subject.cn\"\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct certdir_profile profile = {.id = "c",
						  .name = "C",
						  .kind = CERTDIR_PROFILE_PKCS,
						  .ca = cases[i].ca,
						  .names = cases[i].names};
		const struct certdir_profiles profiles = {.items = &profile, .count = 1};
		char *text;

		while (profile.name_count < 3 && cases[i].names[profile.name_count].from)
			profile.name_count++;
		text = certdir_sections_print(&profiles);
		assert_non_null(text);
		if (!strstr(text, cases[i].due))
			fail_msg("case %zu:\n%s", i, text);
		free(text);
	}
}

/* One CA for devices and people: sections by what only the ones have, or a hint. */
static void test_sections_of_both(void **state)
{
	static const struct certdir_profile_name device = {"san.uri", "DeviceId:{{DeviceId}}"};
	static const struct certdir_profile_name person = {"san.upn", "{{UserPrincipalName}}"};
	static const char *const plain[] = {"1.3.6.1.5.5.7.3.2"};
	static const char *const more[] = {"1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.311.20.2.2"};
#define EKU "\tekus = \"1.3.6.1.4.1.311.20.2.2\"\n"
	static const struct {
		const char *const *device, *const *person; /* purposes */
		size_t device_count, person_count;
		const char *due[2]; /* in this order */
	} cases[] = {
		{plain,
		 more,
		 1,
		 2,
		 {"certificates intune1 {\n\tissuer = \"CN=One\"\n" EKU "\tholder = user\n\tupn = \"san.upn\"\n}\n",
		  "certificates intune2 {\n\tissuer = \"CN=One\"\n\tintune_device_id"}},
		{more,
		 plain,
		 2,
		 1,
		 {"certificates intune1 {\n\tissuer = \"CN=One\"\n" EKU "\tintune_device_id",
		  "certificates intune2 {\n\tissuer = \"CN=One\"\n\tholder = user"}},
		{plain,
		 plain,
		 1,
		 1,
		 {"certificates intune1 {\n\tissuer = \"CN=One\"\n\tintune_device_id",
		  "fit:\n## P\n#certificates intune2 {\n#\tissuer = \"CN=One\"\n#\tholder = user\n#\tupn"}},
	};
#undef EKU

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct certdir_profile items[] = {{.id = "d",
						   .name = "D",
						   .kind = CERTDIR_PROFILE_PKCS,
						   .ca = "One",
						   .names = &device,
						   .name_count = 1,
						   .ekus = cases[i].device,
						   .eku_count = cases[i].device_count},
						  {.id = "p",
						   .name = "P",
						   .kind = CERTDIR_PROFILE_PKCS,
						   .ca = "One",
						   .names = &person,
						   .name_count = 1,
						   .ekus = cases[i].person,
						   .eku_count = cases[i].person_count}};
		const struct certdir_profiles profiles = {.items = items, .count = 2};
		char *text = certdir_sections_print(&profiles);
		const char *first, *second;

		assert_non_null(text);
		first = strstr(text, cases[i].due[0]);
		second = strstr(text, cases[i].due[1]);
		if (!first || !second || second < first)
			fail_msg("case %zu:\n%s", i, text);
		free(text);
	}
}

/* A PKCS profile tells the CN of its CA alone: the whole name is that of the certificate that devices are given. */
static void test_issuer_of_pkcs(void **state)
{
	struct certdir_profile items[] = {
		{.id = "a", .kind = CERTDIR_PROFILE_ROOT, .certificate = {.subject = (char *)"CN=Other,O=One"}},
		{.id = "b",
		 .kind = CERTDIR_PROFILE_ROOT,
		 .certificate = {.subject = (char *)"CN=one,DC=corp,DC=example"}},
		{.id = "c", .kind = CERTDIR_PROFILE_PKCS, .ca = "One"},
		{.id = "d", .kind = CERTDIR_PROFILE_PKCS, .ca = "Two"}};
	const struct certdir_profiles profiles = {.items = items, .count = COUNT(items)};

	(void)state;
	assert_string_equal(certdir_specimen_issuer(&profiles, &items[2]), "CN=one,DC=corp,DC=example");
	assert_null(certdir_specimen_issuer(&profiles, &items[3]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_variables),      cmocka_unit_test(test_meant),
		cmocka_unit_test(test_systems),	       cmocka_unit_test(test_assignments),
		cmocka_unit_test(test_server_names),   cmocka_unit_test(test_roots),
		cmocka_unit_test(test_sections),       cmocka_unit_test(test_sections_of_both),
		cmocka_unit_test(test_issuer_of_pkcs), cmocka_unit_test(test_group_within_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
