/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device list as it is read: what goes in comes out, what is found by which value, what several devices share. */
#include "list_fixture.h"

#define UDID "00008103-001a2b3c4d5e6f70"
#define OBJECT "aaaaaaaa-0000-4000-8000-000000000007"
#define ENTRA "bbbbbbbb-0000-4000-8000-000000000007"
#define GONE "cccccccc-0000-4000-8000-000000000001"

static void test_device_comes_back(void **state)
{
	char *dns[] = {(char *)"Laptop.Corp.Example.", (char *)"laptop.example"};
	struct certdir_group groups[] = {{.id = (char *)"id-1", .name = (char *)"Wi-Fi staff"},
					 {.name = (char *)"no id"},
					 {.id = (char *)"id-2"}};
	struct certdir_former_name former[] = {{(char *)"DESKTOP-1", 17}, {(char *)"host/desktop-2$", 0}};
	const struct certdir_device device = {.object_id = (char *)"{6A59EA83-02BD-468F-A40B-F2C3D1821983}",
					      .entra_device_id = (char *)G1,
					      .intune_device_id = (char *)G2,
					      .name = (char *)"Laptop-1",
					      .serial_number = (char *)" 5cg1 ",
					      .sid = (char *)"s-1-5-21-1004336348-1177238915-682003330-01133",
					      .owner = (char *)"ada@example.com",
					      .ownership = (char *)"company",
					      .operating_system = (char *)"Windows",
					      .compliance = (char *)"inGracePeriod",
					      .management_state = (char *)"wipePending",
					      .category = (char *)"Kiosk",
					      .enrollment_profile = (char *)"Autopilot 1",
					      .extension_attributes = (char *)"1=a\\|b|7=c",
					      .former_names = former,
					      .former_name_count = 2,
					      .dns_names = dns,
					      .dns_name_count = 2,
					      .groups = groups,
					      .group_count = 3,
					      .enabled = CERTDIR_YES,
					      .managed = CERTDIR_NO,
					      .join_type = CERTDIR_JOIN_HYBRID,
					      .last_seen = 1,
					      .registered = 2,
					      .expires = 3};
	struct certdir_list_writer *writer = fixture_begin(false, "contoso", TENANT_A, 4711);
	const struct certdir_list_source *source;
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader;
	struct certdir_device got;
	struct certdir_error error;
	const char *only_against;

	(void)state;
	assert_true(certdir_list_write_device(writer, &device, &error));
	fixture_publish(writer);
	snapshot = fixture_load();
	reader = fixture_reader(snapshot);
	assert_true(certdir_list_device(reader, 1, &got, &source, &only_against, &error));
	assert_string_equal(source->name, "contoso");
	assert_null(only_against);
	assert_string_equal(got.id, G1);
	assert_string_equal(got.object_id, "6a59ea83-02bd-468f-a40b-f2c3d1821983");
	assert_string_equal(got.entra_device_id, G1);
	assert_string_equal(got.intune_device_id, G2);
	assert_string_equal(got.name, "Laptop-1");
	assert_string_equal(got.serial_number, "5CG1");
	assert_string_equal(got.sid, SID1);
	assert_string_equal(got.owner, "ada@example.com");
	assert_string_equal(got.ownership, "company");
	assert_string_equal(got.operating_system, "Windows");
	assert_string_equal(got.compliance, "inGracePeriod");
	assert_string_equal(got.management_state, "wipePending");
	assert_string_equal(got.category, "Kiosk");
	assert_string_equal(got.enrollment_profile, "Autopilot 1");
	assert_string_equal(got.extension_attributes, "1=a\\|b|7=c");
	assert_null(got.intune_name);
	assert_string_equal(got.tenant, TENANT_A);
	assert_int_equal(got.dns_name_count, 2);
	assert_string_equal(got.dns_names[0], "laptop.corp.example");
	assert_string_equal(got.dns_names[1], "laptop.example");
	assert_int_equal(got.group_count, 3);
	assert_null(got.groups[0].id);
	assert_string_equal(got.groups[0].name, "no id");
	assert_string_equal(got.groups[1].id, "id-1");
	assert_string_equal(got.groups[1].name, "Wi-Fi staff");
	assert_null(got.groups[2].name);
	assert_int_equal(got.enabled, CERTDIR_YES);
	assert_int_equal(got.managed, CERTDIR_NO);
	assert_int_equal(got.join_type, CERTDIR_JOIN_HYBRID);
	assert_int_equal(got.last_seen, 1);
	assert_int_equal(got.registered, 2);
	assert_int_equal(got.expires, 3);
	assert_int_equal(got.former_name_count, 2);
	assert_string_equal(got.former_names[0].name, "DESKTOP-1");
	assert_int_equal(got.former_names[0].since, 17);
	assert_string_equal(got.former_names[1].name, "desktop-2");
	assert_int_equal(got.former_names[1].since, 0);
	assert_true(got.own.is);
	assert_int_equal(got.own.compliant, CERTDIR_YES);
	assert_int_equal(got.own.managed, CERTDIR_NO);
	assert_int_equal(got.own.last_seen, 1);
	assert_int_equal(got.own.registered, 2);
	assert_false(got.intune.is);
	certdir_device_clear(&got);
	assert_false(certdir_list_device(reader, 2, &got, &source, &only_against, &error));
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
}

/* A list of an import, two tenants and an import of no tenant; ids of rows are their places, those of waiting records from 1. */
static void publish_rows(const char *rows)
{
	struct certdir_list_writer *writer = fixture_begin(true, "jamf", NULL, 1);

	fixture_run(writer,
		    "INSERT INTO source(id,name,kind,tenant,synced,intune_synced,intune_interval) VALUES"
		    "(2,'contoso','tenant','" TENANT_A "',1,1,3600),(3,'fabrikam','tenant','" TENANT_B "',1,1,3600)");
	fixture_run(writer, rows);
	fixture_run(writer,
		    "UPDATE source SET devices=(SELECT count(*) FROM device d WHERE d.source=source.id AND d.listed)");
	fixture_publish(writer);
}

/* What counts is kept apart by who says it; what people read is merged. */
static void test_statements(void **state)
{
	static const struct {
		const char *row; /* columns and values */
		struct certdir_statement own, intune;
		const char *only_against;
		enum certdir_tristate managed, enabled; /* merged */
		const char *compliance;
	} cases[] = {
		{"source,compliance,managed,last_seen,registered) VALUES(1,'compliant',0,5,4",
		 {true, 0, CERTDIR_YES, 0, CERTDIR_NO, 5, 4},
		 {0},
		 NULL,
		 CERTDIR_NO,
		 CERTDIR_UNKNOWN,
		 "compliant"},
		{"source,compliance) VALUES(1,'configManager'", {.is = true}, {0}, NULL, 0, 0, "configManager"},
		{"source,object_id,compliance,compliance_since,managed,intune_compliance,intune_last_seen,intune_"
		 "registered,management_state) "
		 "VALUES(2,'" G1 "','noncompliant',77,1,'compliant',9,8,'managed'",
		 {true, 0, CERTDIR_NO, 77, CERTDIR_YES, 0, 0},
		 {true, 0, CERTDIR_YES, 0, CERTDIR_YES, 9, 8},
		 NULL,
		 CERTDIR_YES,
		 CERTDIR_UNKNOWN,
		 "compliant"},
		/* who does not know leaves it to the other, and which agent it is counts */
		{"source,object_id,intune_compliance,compliance,management_state,management_agent,enabled)"
		 " VALUES(2,'" G1 "','configManager','compliant','managed','configurationManagerClientMdm',1",
		 {true, 0, CERTDIR_YES, 0, CERTDIR_UNKNOWN, 0, 0},
		 {true, 0, CERTDIR_UNKNOWN, 0, CERTDIR_YES, 0, 0},
		 NULL,
		 CERTDIR_YES,
		 CERTDIR_YES,
		 "compliant"},
		{"source,object_id,intune_compliance,compliance,management_state,management_agent)"
		 " VALUES(2,'" G1 "','unknown','noncompliant','managed','eas'",
		 {true, 0, CERTDIR_NO, 0, CERTDIR_UNKNOWN, 0, 0},
		 {true, 0, CERTDIR_UNKNOWN, 0, CERTDIR_NO, 0, 0},
		 NULL,
		 CERTDIR_NO,
		 CERTDIR_UNKNOWN,
		 "noncompliant"},
		{"source,object_id,intune_compliance,managed,management_state,management_agent)"
		 " VALUES(2,'" G1 "','unknown',1,'managed','jamf'",
		 {true, 0, CERTDIR_UNKNOWN, 0, CERTDIR_YES, 0, 0},
		 {true, 0, CERTDIR_UNKNOWN, 0, CERTDIR_UNKNOWN, 0, 0},
		 NULL,
		 CERTDIR_YES,
		 CERTDIR_UNKNOWN,
		 "unknown"},
		{"source,object_id,listed) VALUES(2,'" G1 "',0",
		 {.is = true},
		 {0},
		 "kept out by the filter of the sync",
		 0,
		 0,
		 NULL},
		/* Intune alone knows it */
		{"source,intune_device_id,intune_compliance) VALUES(2,'" G1 "','error'",
		 {0},
		 {true, 0, CERTDIR_NO, 0, CERTDIR_UNKNOWN, 0, 0},
		 NULL,
		 CERTDIR_UNKNOWN,
		 CERTDIR_UNKNOWN,
		 "error"},
		{"source,intune_device_id,intune_compliance,management_state) VALUES(2,'" G1 "','error','WipeCanceled'",
		 {0},
		 {true, 0, CERTDIR_NO, 0, CERTDIR_YES, 0, 0},
		 NULL,
		 CERTDIR_YES,
		 CERTDIR_YES,
		 "error"},
		{"source,intune_device_id,management_state) VALUES(1,'" G1 "','managed'",
		 {.is = true},
		 {0},
		 NULL,
		 CERTDIR_UNKNOWN,
		 CERTDIR_YES,
		 NULL},
		{"source,intune_device_id,entra_device_id,management_state) VALUES(1,'" G1 "','" G2 "','managed'",
		 {.is = true},
		 {0},
		 NULL,
		 CERTDIR_UNKNOWN,
		 CERTDIR_UNKNOWN,
		 NULL},
		{"source,intune_device_id,intune_compliance,once_entra) VALUES(2,'" G1 "','inGracePeriod',1",
		 {0},
		 {true, 0, CERTDIR_YES, 0, CERTDIR_UNKNOWN, 0, 0},
		 "Intune's record of it names an Entra device that is gone",
		 0,
		 0,
		 "inGracePeriod"},
		/* as a sync writes it: it is not the filter that keeps it out */
		{"source,listed,intune_device_id,intune_compliance,once_entra) VALUES(2,0,'" G1 "','compliant',1",
		 {0},
		 {true, 0, CERTDIR_YES, 0, CERTDIR_UNKNOWN, 0, 0},
		 "Intune's record of it names an Entra device that is gone",
		 0,
		 0,
		 "compliant"},
		/* what Entra ID has again stands for itself */
		{"source,object_id,intune_compliance,once_entra) VALUES(2,'" G1 "','compliant',1",
		 {.is = true},
		 {true, 0, CERTDIR_YES, 0, CERTDIR_UNKNOWN, 0, 0},
		 NULL,
		 0,
		 0,
		 "compliant"},
		{NULL,
		 {0},
		 {true, 0, CERTDIR_NO, 0, CERTDIR_NO, 6, 5},
		 "Intune's record of it names an Entra device that is gone",
		 CERTDIR_NO,
		 0,
		 "noncompliant"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct certdir_list_source *source;
		struct certdir_list_snapshot *snapshot;
		struct certdir_list_reader *reader;
		struct certdir_device device;
		struct certdir_error error;
		const char *only_against;
		char sql[600];

		(void)snprintf(sql, sizeof(sql), "INSERT INTO device(%s)", cases[i].row);
		publish_rows(
			cases[i].row
				? sql
				: "INSERT INTO intune_waiting(source,entra_device_id,intune_device_id,"
				  "intune_compliance,intune_last_seen,intune_registered,intune_name,management_state)"
				  " VALUES(3,'" G2 "','" G1 "','noncompliant',6,5,'PC-1','retirePending')");
		snapshot = fixture_load();
		reader = fixture_reader(snapshot);
		if (!certdir_list_device(reader, cases[i].row ? 1 : -1, &device, &source, &only_against, &error))
			fail_msg("case %zu: %s", i, error.text);
		for (int s = 0; s < 2; s++) {
			const struct certdir_statement *got = s ? &device.intune : &device.own;
			const struct certdir_statement *want = s ? &cases[i].intune : &cases[i].own;

			if (got->is != want->is || got->compliant != want->compliant ||
			    got->compliant_since != want->compliant_since || got->managed != want->managed ||
			    got->last_seen != want->last_seen || got->registered != want->registered)
				fail_msg("case %zu: the %s statement is wrong", i, s ? "second" : "first");
		}
		if (device.managed != cases[i].managed || device.enabled != cases[i].enabled ||
		    strcmp(device.compliance ? device.compliance : "-",
			   cases[i].compliance ? cases[i].compliance : "-"))
			fail_msg("case %zu: managed %d, enabled %d, compliance %s", i, device.managed, device.enabled,
				 device.compliance ? device.compliance : "-");
		assert_int_equal(!only_against, !cases[i].only_against);
		if (only_against)
			assert_string_equal(only_against, cases[i].only_against);
		if (!cases[i].row) {
			assert_string_equal(device.id, G2);
			assert_string_equal(device.intune_device_id, G1);
			assert_string_equal(device.intune_name, "PC-1");
			assert_string_equal(device.management_state, "retirePending");
			assert_string_equal(device.compliance, "noncompliant");
			assert_string_equal(device.tenant, TENANT_B);
			assert_string_equal(source->name, "fabrikam");
		}
		certdir_device_clear(&device);
		certdir_list_reader_put(reader);
		certdir_list_release(snapshot);
	}
}

static const char lookups[] =
	/* 1 to 6: of the import */
	"INSERT INTO device(id,source,name,entra_device_id,intune_device_id,serial_number,sid) VALUES"
	"(1,1,'PC1','" G1 "','" G2 "',NULL,NULL),(2,1,'pc1',NULL,'" G1 "','SN1',NULL),(3,1,'PC3',NULL,NULL,NULL,'" SID1
	"'),(4,1,NULL,'" G3 "','" G3 "',NULL,NULL),(5,1,'Bj\303\266rk''s iPhone',NULL,NULL,NULL,NULL),"
	"(6,1,'mac.corp.example',NULL,NULL,NULL,NULL);"
	"INSERT INTO dns_name VALUES(1,'pc1.corp.example'),(8,'full.corp.example');"
	/* 7: Entra and Intune, 8: unlisted, 9: of the other tenant, 10: an import's of a tenant */
	"INSERT INTO "
	"device(id,source,listed,object_id,entra_device_id,name,intune_name,intune_compliance,serial_number)"
	" VALUES(7,2,1,'" OBJECT "','" ENTRA "','mac.corp.example','LAPTOP-7','compliant','SN7'),"
	"(8,2,0,'" G2 "','" ENTRA "','short','short',NULL,'SN7'),(9,3,1,NULL,'" G1 "','PC1',NULL,NULL,NULL);"
	"UPDATE device SET udid='" UDID "' WHERE id=6;UPDATE device SET udid='" GONE "' WHERE id=5;"
	"INSERT INTO device(id,source,tenant,name) VALUES(10,1,'" TENANT_B "','PC3');"
	"UPDATE device SET imei='260531793113837',meid='AF0123450ABCDE' WHERE id IN(4,9);"
	"UPDATE device SET wifi_mac='00A0C91E2F3D' WHERE id=7;"
	"INSERT INTO former_name VALUES(7,'pc3',5),(7,'was-7',5),(8,'was-7',6);"
	"INSERT INTO "
	"intune_waiting(id,source,entra_device_id,intune_device_id,intune_compliance,intune_name,serial_number,imei,"
	"meid,"
	"wifi_mac) VALUES(1,2,'" GONE "','" G1
	"','compliant','waits','SN7','260531793113837','AF0123450ABCDE','00A0C91E2F3D')";

static void test_find(void **state)
{
	static const struct {
		enum certdir_identity_type type;
		const char *value;
		const char *rows;
		const char *of_tenant_a;
	} cases[] = {
		/* GUIDs of all kinds are one name space; an id of two kinds is one row */
		{CERTDIR_ID_ENTRA, G1, "1 9 2 -1", "1 2 -1"},
		{CERTDIR_ID_INTUNE, G1, "1 9 2 -1", "1 2 -1"},
		{CERTDIR_ID_GUID, G1, "1 9 2 -1", "1 2 -1"},
		{CERTDIR_ID_GUID, G2, "1 8", "1 8"},
		{CERTDIR_ID_GUID, G3, "4", "4"},
		{CERTDIR_ID_ENTRA, OBJECT, "7", "7"},
		{CERTDIR_ID_ENTRA, ENTRA, "7 8", "7 8"},
		{CERTDIR_ID_ENTRA, GONE, "5 -1", "5 -1"}, /* a UDID, and what waits */
		{CERTDIR_ID_UDID, GONE, "5 -1", "5 -1"},
		{CERTDIR_ID_UDID, UDID, "6", "6"},
		{CERTDIR_ID_GUID, UDID, "6", "6"},
		{CERTDIR_ID_NAME, UDID, "", ""},
		{CERTDIR_ID_ENTRA, TENANT_A, "", ""},
		{CERTDIR_ID_SID, SID1, "3", "3"},
		{CERTDIR_ID_SID_URI, SID1, "3", "3"},
		{CERTDIR_ID_SID, "S-1-5-21-1-2-3-4", "", ""},
		/* without regard to case; a former name does not count now */
		{CERTDIR_ID_NAME, "pc1", "1 2 9", "1 2"},
		{CERTDIR_ID_NAME, "pc3", "3 10", "3"},
		{CERTDIR_ID_NAME, "laptop-7", "7", "7"},
		{CERTDIR_ID_NAME, "short", "8", "8"},
		{CERTDIR_ID_NAME, "was-7", "7 8", "7 8"},
		/* what waits for Entra ID's device speaks against it by its name, too */
		{CERTDIR_ID_NAME, "waits", "-1", "-1"},
		{CERTDIR_ID_NAME, "wait", "", ""},
		{CERTDIR_ID_DNS, "WAITS.corp.example", "-1", "-1"},
		{CERTDIR_ID_DNS, "waits", "-1", "-1"},
		{CERTDIR_ID_NAME, "bj\303\266rk's iphone", "5", "5"},
		{CERTDIR_ID_NAME, "pc", "", ""},
		{CERTDIR_ID_NAME, "pc%", "", ""},
		{CERTDIR_ID_DNS, "pc1.corp.example", "1 2 9", "1 2"},
		{CERTDIR_ID_DNS, "pc1.other.example", "1 2 9", "1 2"},
		{CERTDIR_ID_DNS, "full.corp.example", "8", "8"},
		{CERTDIR_ID_DNS, "laptop-7.corp.example", "7", "7"},
		{CERTDIR_ID_DNS, "pc3", "3 10", "3"},
		/* what an import calls a device, and not what a tenant's owner does */
		{CERTDIR_ID_DNS, "mac.corp.example", "6", "6"},
		{CERTDIR_ID_DNS, "was-7.corp.example", "", ""},
		{CERTDIR_ID_SERIAL, "SN1", "2", "2"},
		{CERTDIR_ID_SERIAL, "sn1", "", ""}, /* not canonical */
		{CERTDIR_ID_SERIAL, "SN7", "7 8 -1", "7 8 -1"},
		{CERTDIR_ID_IMEI, "260531793113837", "4 9 -1", "4 -1"},
		{CERTDIR_ID_MEID, "AF0123450ABCDE", "4 9 -1", "4 -1"},
		{CERTDIR_ID_MEID, "260531793113837", "", ""},
		{CERTDIR_ID_WIFI_MAC, "00A0C91E2F3D", "7 -1", "7 -1"},
		{CERTDIR_ID_PERMANENT, "SN7", "7 8 -1", "7 8 -1"},
		{CERTDIR_ID_PERMANENT, UDID, "6", "6"},
		{CERTDIR_ID_PERMANENT, ENTRA, "", ""},
		{CERTDIR_ID_UPN, "ada@example.com", "", ""},
		{CERTDIR_ID_MAPPING, "X509:<SKI>00", "", ""},
	};
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader;
	struct certdir_error error;
	int64_t rows[CERTDIR_LIST_FIND_MAX];

	(void)state;
	publish_rows(lookups);
	snapshot = fixture_load();
	reader = fixture_reader(snapshot);
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(*cases); i++) {
		const bool limited = i % 2;
		const char *wanted = limited ? cases[i / 2].of_tenant_a : cases[i / 2].rows;
		bool more = true;
		char got[64] = "";
		int count = certdir_list_find(reader, limited ? TENANT_A : NULL, cases[i / 2].type, cases[i / 2].value,
					      rows, &more, &error);

		assert_true(count >= 0);
		assert_false(more);
		for (int r = 0; r < count; r++)
			(void)snprintf(got + strlen(got), 8, "%s%d", r ? " " : "", (int)rows[r]);
		if (strcmp(got, wanted) != 0)
			fail_msg("%s %s%s: rows \"%s\", not \"%s\"", certdir_identity_type_name(cases[i / 2].type),
				 cases[i / 2].value, limited ? " of a tenant" : "", got, wanted);
	}
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
}

/* So many rows of an INSERT. */
#define TIMES(count) "WITH n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<" #count ") SELECT "

static void test_find_has_a_limit(void **state)
{
	static const struct {
		enum certdir_identity_type type;
		const char *value, *tenant;
		int count;
		bool more;
	} cases[] = {
		{CERTDIR_ID_NAME, "iphone", NULL, CERTDIR_LIST_FIND_MAX, true},
		{CERTDIR_ID_NAME, "sixteen", NULL, CERTDIR_LIST_FIND_MAX, false},
		/* what another tenant has is not counted */
		{CERTDIR_ID_NAME, "iphone", TENANT_A, 1, false},
		/* the one that has the full name is not lost among those that are called by its first label */
		{CERTDIR_ID_DNS, "iphone.corp.example", NULL, CERTDIR_LIST_FIND_MAX, false},
		{CERTDIR_ID_DNS, "iphone.other.example", NULL, CERTDIR_LIST_FIND_MAX, true},
		{CERTDIR_ID_GUID, G1, NULL, CERTDIR_LIST_FIND_MAX, true},
		{CERTDIR_ID_GUID, G2, NULL, CERTDIR_LIST_FIND_MAX, false},
	};
	struct certdir_list_writer *writer = fixture_begin(true, "jamf", NULL, 1);
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader;
	struct certdir_error error;
	int64_t rows[CERTDIR_LIST_FIND_MAX];
	bool more;

	(void)state;
	fixture_run(writer, "INSERT INTO source(id,name,kind,tenant,synced) VALUES(2,'contoso','tenant','" TENANT_A
			    "',1),(3,'fabrikam','tenant','" TENANT_B "',1)");
	fixture_run(writer, "INSERT INTO device(source,name) " TIMES(100) "3,'iPhone' FROM n");
	fixture_run(writer, "INSERT INTO device(source,name) " TIMES(16) "1,'sixteen' FROM n");
	fixture_run(writer, "INSERT INTO device(source,entra_device_id,intune_device_id) " TIMES(16) "1,'" G2 "','" G2
												     "' FROM n");
	/* one of 17 waits */
	fixture_run(writer, "INSERT INTO device(source,intune_device_id) " TIMES(16) "1,'" G1 "' FROM n");
	fixture_run(writer, "INSERT INTO intune_waiting(source,entra_device_id,intune_device_id) VALUES(2,'" G3 "','" G1
			    "');INSERT INTO device(id,source,name) VALUES(1000,2,'iPhone');"
			    "INSERT INTO dns_name VALUES(1000,'iphone.corp.example')");
	fixture_publish(writer);
	snapshot = fixture_load();
	reader = fixture_reader(snapshot);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int count =
			certdir_list_find(reader, cases[i].tenant, cases[i].type, cases[i].value, rows, &more, &error);

		if (count != cases[i].count || more != cases[i].more)
			fail_msg("case %zu: %d rows%s", i, count, more ? " and more" : "");
		if (cases[i].type == CERTDIR_ID_DNS && !more)
			assert_int_equal(rows[0], 1000);
	}
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
}

static void test_compliance(void **state)
{
	static const struct {
		const char *word;
		enum certdir_tristate compliant;
	} cases[] = {{"compliant", CERTDIR_YES},     {"inGracePeriod", CERTDIR_YES},
		     {"noncompliant", CERTDIR_NO},   {"conflict", CERTDIR_NO},
		     {"error", CERTDIR_NO},	     {"configManager", CERTDIR_UNKNOWN},
		     {"unknown", CERTDIR_UNKNOWN},   {"unknownFutureValue", CERTDIR_UNKNOWN},
		     {"Compliant", CERTDIR_UNKNOWN}, {"", CERTDIR_UNKNOWN},
		     {NULL, CERTDIR_UNKNOWN}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(certdir_compliance(cases[i].word), cases[i].compliant);
}

static void test_sources(void **state)
{
	struct certdir_list_writer *writer = fixture_begin(false, "a", TENANT_A, 100);
	const struct certdir_list_source *sources;
	struct certdir_list_snapshot *snapshot;
	struct certdir_error error;
	size_t count;

	(void)state;
	fixture_add(writer, &(struct certdir_device){.entra_device_id = (char *)G1});
	fixture_add(writer, &(struct certdir_device){.entra_device_id = (char *)G2, .tenant = (char *)TENANT_A});
	assert_true(certdir_list_write_source(writer, "b", NULL, 200, &error));
	fixture_add(writer, &(struct certdir_device){.sid = (char *)SID1, .tenant = (char *)TENANT_B});
	fixture_publish(writer);
	/* A new edition of one source leaves the other as it was. */
	writer = fixture_begin(false, "a", TENANT_A, 300);
	fixture_add(writer, &(struct certdir_device){.entra_device_id = (char *)G3, .name = (char *)"x"});
	fixture_publish(writer);
	snapshot = fixture_load();
	sources = certdir_list_sources(snapshot, &count);
	assert_int_equal(count, 2);
	assert_string_equal(sources[0].name, "a");
	assert_string_equal(sources[0].tenant, TENANT_A);
	assert_int_equal(sources[0].synced, 300);
	assert_int_equal(sources[0].devices, 1);
	assert_int_equal(sources[0].holds, CERTDIR_BIT(CERTDIR_ID_ENTRA) | CERTDIR_BIT(CERTDIR_ID_GUID) |
						   CERTDIR_BIT(CERTDIR_ID_NAME) | CERTDIR_BIT(CERTDIR_ID_DNS));
	assert_null(sources[1].tenant);
	assert_int_equal(sources[1].holds, CERTDIR_BIT(CERTDIR_ID_SID) | CERTDIR_BIT(CERTDIR_ID_SID_URI));
	assert_int_equal(certdir_list_device_count(snapshot), 2);
	certdir_list_release(snapshot);
	/* What a tenant's parts say of themselves. */
	writer = fixture_begin(true, "b", NULL, 1);
	fixture_run(writer, "INSERT INTO source(name,kind,tenant,synced,intune_synced,intune_interval,groups_synced) "
			    "VALUES('contoso','tenant','" TENANT_A "',10,20,7200,30);UPDATE source SET says_enabled=0 "
			    "WHERE name='b'");
	fixture_publish(writer);
	snapshot = fixture_load();
	sources = certdir_list_sources(snapshot, &count);
	assert_int_equal(count, 2);
	assert_false(sources[0].says_enabled || sources[0].kind == CERTDIR_SOURCE_TENANT || sources[0].intune_interval);
	assert_true(sources[1].says_enabled && sources[1].kind == CERTDIR_SOURCE_TENANT);
	assert_int_equal(sources[1].synced, 10);
	assert_int_equal(sources[1].intune_synced, 20);
	assert_int_equal(sources[1].intune_interval, 7200);
	assert_int_equal(sources[1].groups_synced, 30);
	certdir_list_release(snapshot);
}

static bool count_each(void *context, int64_t row, const struct certdir_device *device,
		       const struct certdir_list_source *source)
{
	char *names = context;

	(void)row;
	(void)source;
	strcat(strcat(names, device->id), " ");
	return strlen(names) < 20;
}

static void test_each_in_order_of_name(void **state)
{
	struct certdir_list_writer *writer = fixture_begin(false, "test", NULL, 1);
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader;
	struct certdir_error error;
	char names[64] = "";

	(void)state;
	fixture_add(writer, &(struct certdir_device){.name = (char *)"gamma9"});
	fixture_add(writer, &(struct certdir_device){.name = (char *)"Beta99"});
	fixture_add(writer, &(struct certdir_device){.name = (char *)"alpha9"});
	fixture_add(writer, &(struct certdir_device){.name = (char *)"omega9"});
	fixture_publish(writer);
	snapshot = fixture_load();
	reader = fixture_reader(snapshot);
	assert_true(certdir_list_each(reader, count_each, names, &error));
	assert_string_equal(names, "alpha9 Beta99 gamma9 ");
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
}

static void collect(void *context, const char *text)
{
	char *all = context;

	strcat(strcat(all, text), "\n");
}

/* Rows that were slipped in between are in no count, or of no source. */
static void test_verify_counts(void **state)
{
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader;
	struct certdir_error error;
	struct certdir_list_writer *writer;
	char problems[2048] = "";

	(void)state;
	fixture_edition(1, 5);
	writer = certdir_list_write_begin(fixture_file, false, NULL, &error);
	assert_non_null(writer);
	fixture_run(writer, "INSERT INTO device(source,name) VALUES(1,'STOLEN')");
	fixture_run(writer, "INSERT INTO certificate(id,source,thumbprint) VALUES(1,1,'AA'),(2,99,'BB')");
	fixture_publish(writer);
	snapshot = fixture_load();
	reader = fixture_reader(snapshot);
	assert_int_equal(certdir_list_verify(reader, collect, problems, &error), 3);
	assert_string_equal(problems, "table certificate row 2 refers to a missing row of source\n"
				      "source test says that it has 5 devices, and has 6\n"
				      "source test says that it has 0 issued certificates, and has 1\n");
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
}

/* One source's devices that share what only one should have; two sources may know one device. */
static void test_verify(void **state)
{
	static const char rows[] =
		"INSERT INTO device(id,source,listed,name,entra_device_id,sid,serial_number,intune_name) VALUES"
		"(1,1,1,'one','" G1 "','" SID1 "','S1',NULL),(2,1,1,'two','" G1 "',NULL,'S2',NULL),"
		"(3,2,1,'ONE','" G1 "','" SID1 "','S1',NULL),(4,2,0,'three','" G1 "',NULL,'S1',NULL),"
		"(5,2,1,'one',NULL,NULL,'S3','four'),(6,2,1,'four',NULL,NULL,'S3','four'),"
		"(7,3,1,'one','" G1 "','" SID1 "','S1',NULL)";
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader;
	struct certdir_list_shared shared;
	struct certdir_error error;
	char problems[2048] = "";

	(void)state;
	publish_rows(rows);
	snapshot = fixture_load();
	reader = fixture_reader(snapshot);
	assert_int_equal(certdir_list_verify(reader, collect, problems, &error), 2);
	assert_string_equal(problems, "entra_device_id " G1 " stands in 2 devices of source jamf: \"one\", \"two\"\n"
				      "serial_number S3 stands in 2 devices of source contoso: \"one\", \"four\"\n");
	assert_true(certdir_list_shared(reader, &shared, &error));
	assert_int_equal(shared.names, 2); /* contoso's "one" and "four" */
	assert_int_equal(shared.devices, 3);
	assert_int_equal(shared.serials, 1);
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_device_comes_back),	  TEST(test_statements), TEST(test_find),
		TEST(test_find_has_a_limit),	  TEST(test_compliance), TEST(test_sources),
		TEST(test_each_in_order_of_name), TEST(test_verify),	 TEST(test_verify_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
