/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of others: whose export it is, what its words mean, misspelt names, CSV without formulas. */
#include "text/utf8.h"
#include "import/csv.h"
#include "import/device_json.h"
#include "import/export.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* "a|b" as an array. */
static json_t *names_of(const char *text)
{
	json_t *names = json_array();
	char *item;

	while (certdir_device_json_split(&text, &item)) {
		(void)json_array_append_new(names, json_string(item));
		free(item);
	}
	return names;
}

static void test_whose_export(void **state)
{
	static const struct {
		const char *names, *export;
	} cases[] = {
		{"Computer Name|Serial Number", "Jamf Pro"},
		{"COMPUTER NAME|udid", "Jamf Pro"},
		{"Jamf Pro Computer ID|Model", "Jamf Pro"},
		{"Display Name|Device ID|JSS Mobile Device ID|Serial Number", "Jamf Pro"},
		{"Device Serial Number|Windows Product ID|Hardware Hash", "Windows Autopilot"},
		{"Serial number|Manufacturer|Model|Group tag|Profile status", "Windows Autopilot"},
		{"Device name|Managed by|Ownership|Compliance", "Intune admin center"},
		{"Device ID|Device name|Serial number", "Intune admin center"},
		{"Device name|Microsoft Entra Device ID", "Intune admin center"},
		{"displayName|accountEnabled|joinType (trustType)|deviceId", "Entra admin center"},
		{"deviceId|serialNumber|orgUnitPath", "Google Admin"},
		{"serialNumber|annotatedUser", "Google Admin"},
		{"deviceId|displayName|serialNumber|accountEnabled", NULL},
		{"id|deviceName|serialNumber|azureADDeviceId|complianceState", NULL},
		{"Computer Name", NULL},
		{"Serial Number", NULL},
		{"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *names = names_of(cases[i].names);
		const struct certdir_export *export = certdir_export_find(names);

		if (cases[i].export)
			assert_string_equal(export ? certdir_export_name(export) : cases[i].names, cases[i].export);
		else if (export)
			fail_msg("%s is taken for an export of %s", cases[i].names, certdir_export_name(export));
		json_decref(names);
	}
}

/* A row of an export, and the properties that it becomes; what is left of it. */
static void test_meaning(void **state)
{
	static const struct {
		const char *names, *row, *object, *left;
	} cases[] = {
		{"serialNumber|orgUnitPath",
		 "{\"deviceId\":\"3f2504e0-4f89-11d3-9a0c-0305e82c3301\",\"serialNumber\":\"S\",\"status\":\"active\"}",
		 "{\"serialNumber\":\"S\",\"accountEnabled\":\"true\"}", "{}"},
		{"serialNumber|orgUnitPath", "{\"status\":\"DISABLED\",\"macAddress\":\"aa\"}",
		 "{\"accountEnabled\":\"false\",\"wiFiMacAddress\":\"aa\"}", "{}"},
		/* A word that nobody knows says nothing, and does not say that it is enabled. */
		{"serialNumber|orgUnitPath", "{\"status\":\"LOST\"}", "{\"accountEnabled\":null}",
		 "{\"status \\\"LOST\\\"\":null}"},
		{"Device name|Managed by",
		 "{\"Device ID\":\"i\",\"Azure AD Device ID\":\"e\",\"Device name\":\"n\",\"Compliance\":\"In grace "
		 "period\"}",
		 "{\"intuneDeviceId\":\"i\",\"deviceId\":\"e\",\"deviceName\":\"n\",\"complianceState\":"
		 "\"inGracePeriod\"}",
		 "{}"},
		{"Device name|Managed by",
		 "{\"Managed by\":\"ConfigMgr\",\"JoinType\":\"Hybrid Azure AD joined\",\"Ownership\":\"Corporate\"}",
		 "{\"isManaged\":null,\"trustType\":\"ServerAd\",\"managedDeviceOwnerType\":\"company\"}",
		 "{\"Managed by \\\"ConfigMgr\\\"\":null}"},
		{"Device name|Managed by",
		 "{\"Device state\":\"Wipe pending\",\"Azure AD registered\":\"True\",\"Last check-in\":\"2024-05-01 "
		 "10:00:00.0000000\"}",
		 "{\"managementState\":\"wipePending\",\"lastSyncDateTime\":\"2024-05-01 10:00:00.0000000\"}", "{}"},
		{"Device name|Managed by", "{\"Last check-in\":\"5/1/2024 10:00 AM\"}", "{\"lastSyncDateTime\":null}",
		 "{\"Last check-in where it is no time as 2024-05-01T10:00:00Z\":null}"},
		{"Computer Name|UDID",
		 "{\"Managed\":\"Unmanaged\",\"UDID\":\"u\",\"Jamf Pro Computer ID\":\"3\",\"groupNames\":\"g\"}",
		 "{\"isManaged\":\"false\",\"udid\":\"u\",\"groupNames\":\"g\"}", "{}"},
		{"joinType (trustType)",
		 "{\"joinType (trustType)\":\"Azure AD "
		 "registered\",\"deviceId\":\"e\",\"objectId\":\"o\",\"accountEnabled\":\"True\"}",
		 "{\"trustType\":\"Workplace\",\"deviceId\":\"e\",\"id\":\"o\",\"accountEnabled\":\"True\"}", "{}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *names = names_of(cases[i].names), *left = json_object(), *object;
		json_t *row = json_loads(cases[i].row, 0, NULL), *want = json_loads(cases[i].object, 0, NULL);
		json_t *want_left = json_loads(cases[i].left, 0, NULL);

		assert_true(row && want && want_left);
		object = certdir_export_read(certdir_export_find(names), row, left);
		if (!json_equal(object, want) || !json_equal(left, want_left))
			fail_msg("case %zu: %s, left %s", i, json_dumps(object, 0), json_dumps(left, 0));
		json_decref(names);
		json_decref(left);
		json_decref(object);
		json_decref(row);
		json_decref(want);
		json_decref(want_left);
	}
}

static void test_misspelt(void **state)
{
	static const struct {
		const char *name, *near;
	} cases[] = {
		{"acountEnabled", "accountEnabled"},
		{"Account Enabled", "accountEnabled"},
		{"account_enabled", "accountEnabled"},
		{"accountEnable", "accountEnabled"},
		{"Serial Number", "serialNumber"},
		{"device-id", "deviceId"},
		{"deviceIds", "deviceId"},
		{"isManagd", "isManaged"},
		{"u_did", "udid"},
		{"meid", "meid"},
		{"imei", "imei"},
		{"model", NULL},
		{"operatingSystemVersion", NULL},
		{"deviceType", NULL},
		{"enabled", "accountEnabled"},
		{"Is Enabled", "accountEnabled"},
		{"Activation Lock Enabled", NULL},
		{"userId", NULL},
		{"", NULL},
	};
	char longest[300];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *near = certdir_device_json_near(cases[i].name);

		if (cases[i].near)
			assert_string_equal(near ? near : "none", cases[i].near);
		else if (near)
			fail_msg("%s is taken for %s", cases[i].name, near);
	}
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_null(certdir_device_json_near(longest));
}

static void read_device(const char *text, bool ok, const char *says)
{
	json_t *object = json_loads(text, 0, NULL), *ignored = json_object();
	struct certdir_device_record record;
	struct certdir_error error;

	for (int again = 0; again < 2; again++) {
		assert_int_equal(certdir_device_json_read(&record, object, ignored, &error), ok);
		if (ok)
			assert_int_equal(record.says_enabled, says != NULL);
		else if (!strstr(error.text, says))
			fail_msg("%s: %s", text, error.text);
		if (ok)
			certdir_device_record_clear(&record);
	}
	json_decref(object);
	json_decref(ignored);
}

static void test_says_enabled(void **state)
{
	(void)state;
	read_device("{\"displayName\":\"a\",\"model\":\"x\"}", true, NULL);
	read_device("{\"displayName\":\"a\",\"AccountEnabled\":true}", true, "yes");
	read_device("{\"displayName\":\"a\",\"accountEnabled\":null}", true, "it is there");
	read_device("{\"displayName\":\"a\",\"acountEnabled\":false}", false, "did you mean accountEnabled?");
	read_device("{\"displayName\":\"a\",\"Enabled\":false}", false, "did you mean accountEnabled?");
	read_device("{\"displayName\":\"a\",\"accountEnabled\":false,\"AccountEnabled\":true}", false,
		    "accountEnabled true stands twice");
	read_device("{\"id\":\"3f2504e0-4f89-41d3-9a0c-0305e82c3301\",\"@removed\":{\"reason\":\"deleted\"}}", false,
		    "a delta query");
}

/* A spreadsheet calculates none of it, and what is read back is the same. */
static void test_formulas(void **state)
{
	static const struct {
		const char *field, *written;
	} cases[] = {
		{"=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"},
		{"+1", "'+1"},
		{"-1", "'-1"},
		{"@SUM(A1)", "'@SUM(A1)"},
		{"\tx", "'\tx"},
		{"'=x", "''=x"},
		{"''-x", "'''-x"},
		{"=a,\"b\"", "\"'=a,\"\"b\"\"\""},
		{"'quoted'", "'quoted'"},
		{"'", "'"},
		{"PC-1", "PC-1"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct certdir_error error;
		struct certdir_csv csv;
		char *written = NULL;
		size_t length;
		FILE *out = open_memstream(&written, &length);
		bool done;

		certdir_csv_print(out, cases[i].field);
		fputs(",x", out);
		(void)fclose(out);
		written[length - 2] = '\0';
		assert_string_equal(written, cases[i].written);
		written[length - 2] = ',';
		certdir_csv_init(&csv, written, length);
		assert_true(certdir_csv_next(&csv, &done, &error));
		assert_string_equal(csv.fields[0], cases[i].field);
		assert_string_equal(csv.fields[1], "x");
		certdir_csv_clear(&csv);
		free(written);
	}
}

static void test_order(void **state)
{
	char out[16];

	(void)state;
	certdir_utf8_escape("a\342\200\256b\330\234\303\251", out, sizeof(out));
	assert_string_equal(out, "a\\u202eb\\u061c"); /* and no half of what comes next */
	certdir_utf8_escape("\342\201\246\377", out, sizeof(out));
	assert_string_equal(out, "\\u2066\377");
	certdir_utf8_escape("\342\200\223\342\200", out, sizeof(out));
	assert_string_equal(out, "\342\200\223\342\200");
	assert_true(certdir_utf8_hidden(0x200f) && certdir_utf8_hidden(0x2069) && certdir_utf8_hidden('\n'));
	assert_false(certdir_utf8_reorders(0x200d) || certdir_utf8_hidden(0x5d0) || certdir_utf8_reorders('\n'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whose_export), cmocka_unit_test(test_meaning),  cmocka_unit_test(test_misspelt),
		cmocka_unit_test(test_says_enabled), cmocka_unit_test(test_formulas), cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
