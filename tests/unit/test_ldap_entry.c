/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the LDAP directory makes of an entry: the device, its names and ids, its groups. */
#include "directory/ldap_entry.h"
#include "directory/ldap_group.h"
#include "text/canonical.h"
#include "ldap_fixture.h"

static void clear_record(struct certdir_record *record)
{
	certdir_device_clear(&record->device);
	for (size_t i = 0; i < record->value_count; i++)
		free(record->values[i].value);
	free(record->values);
	memset(record, 0, sizeof(*record));
}

static bool has_value(const struct certdir_record *record, enum certdir_identity_type type, const char *value)
{
	for (size_t i = 0; i < record->value_count; i++)
		if (record->values[i].type == type && strcmp(record->values[i].value, value) == 0)
			return true;
	return false;
}

enum { VALUES_MAX = 10 };

/* An attribute and its value; a length of 0 means up to the NUL. */
struct pair {
	const char *attribute;
	const char *bytes;
	size_t length;
};

static struct certdir_ldap_entry entry_of(const char *dn, const struct pair pairs[VALUES_MAX],
					  struct certdir_ldap_value values[VALUES_MAX])
{
	size_t count = 0;

	for (; count < VALUES_MAX && pairs[count].attribute; count++)
		values[count] = (struct certdir_ldap_value){pairs[count].attribute, strlen(pairs[count].attribute),
							    (const unsigned char *)pairs[count].bytes,
							    pairs[count].length ? pairs[count].length
										: strlen(pairs[count].bytes)};
	return (struct certdir_ldap_entry){dn, strlen(dn), values, count, NULL, 0};
}

static void test_entry_has(void **state)
{
	static const struct {
		struct pair pairs[VALUES_MAX];
		struct certdir_sought sought;
		bool has;
	} cases[] = {
		{{{"objectSid", SID_BYTES, 28}}, {CERTDIR_ID_SID, SID, false, NULL}, true},
		{{{"objectSid", SID_BYTES, 27}}, {CERTDIR_ID_SID, SID, false, NULL}, false},
		{{{"objectSid", SID, 0}}, {CERTDIR_ID_SID, SID, false, NULL}, false},
		{{{"CN", "PC01", 0}, {"OBJECTSID", SID_BYTES, 28}}, {CERTDIR_ID_SID, SID, false, NULL}, true},
		{{{"dNSHostName", "PC01.Corp", 0}}, {CERTDIR_ID_DNS, "pc01.corp", false, NULL}, true},
		{{{"dNSHostName", "pc01.corp\0.evil", 15}}, {CERTDIR_ID_DNS, "pc01.corp", false, NULL}, false},
		{{{"dNSHostName", "pc01.cor", 0}}, {CERTDIR_ID_DNS, "pc01.corp", false, NULL}, false},
		{{{"servicePrincipalName", "WSMAN/pc01.corp", 0}}, {CERTDIR_ID_DNS, "pc01.corp", false, NULL}, false},
		{{{"servicePrincipalName", "WSMAN/x", 0}, {"servicePrincipalName", "host/PC01.CORP", 0}},
		 {CERTDIR_ID_DNS, "pc01.corp", false, NULL},
		 true},
		{{{"sAMAccountName", "PC01$", 0}}, {CERTDIR_ID_DNS, "pc01.corp", false, NULL}, true},
		{{{"sAMAccountName", "PC01$", 0}}, {CERTDIR_ID_NAME, "pc01", false, NULL}, true},
		{{{"sAMAccountName", "PC01", 0}}, {CERTDIR_ID_NAME, "pc01", false, NULL}, false},
		{{{"sAMAccountName", "FIFTEEN-LETTERS$", 0}},
		 {CERTDIR_ID_NAME, "fifteen-letters-and-more", false, NULL},
		 true},
		{{{"cn", "fifteen-letters", 0}}, {CERTDIR_ID_NAME, "fifteen-letters-and-more", false, NULL}, false},
		{{{"cn", "m\xc3\xbcller", 0}}, {CERTDIR_ID_NAME, "m\xc3\xbcller", false, NULL}, true},
		{{{"cn", "muller", 0}}, {CERTDIR_ID_NAME, "m\xc3\xbcller", false, NULL}, false},
		{{{"cn", "m\xc3\x9cller", 0}}, {CERTDIR_ID_NAME, "m\xc3\xbcller", false, NULL}, false},
		{{{"cn", "", 0}, {"description", "pc01", 0}, {"c", "pc01", 0}, {"cnn", "pc01", 0}},
		 {CERTDIR_ID_NAME, "pc01", false, NULL},
		 false},
		{{{NULL, NULL, 0}}, {CERTDIR_ID_NAME, "pc01", false, NULL}, false},
	};
	struct certdir_ldap_map map = ad_map();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct certdir_ldap_value values[VALUES_MAX];
		const struct certdir_ldap_entry entry = entry_of("cn=x", cases[i].pairs, values);
		struct certdir_ldap_terms terms;

		assert_true(certdir_ldap_terms_make(&terms, &map, &cases[i].sought, 1));
		if (certdir_ldap_entry_has(&entry, &terms) != cases[i].has)
			fail_msg("case %zu", i);
		certdir_ldap_terms_clear(&terms);
	}
	certdir_ldap_map_clear(&map);
}

/* Reads an entry by Active Directory's map; the caller clears the record. */
static struct certdir_record record_of(const struct certdir_ldap_entry *entry, struct certdir_ldap_remarks *remarks)
{
	struct certdir_ldap_map map = ad_map();
	struct certdir_record record = {.row = 0};

	assert_true(certdir_ldap_entry_read(&record, entry, &map, remarks));
	certdir_ldap_map_clear(&map);
	return record;
}

static void test_account(void **state)
{
	static const struct {
		struct pair pairs[VALUES_MAX];
		enum certdir_tristate enabled;
		int64_t expires;
		enum certdir_join_type join_type;
		bool hidden;
	} cases[] = {
		{{{"userAccountControl", "4096", 0}}, CERTDIR_YES, 0, CERTDIR_JOIN_AD, false},
		{{{"userAccountControl", "4098", 0}}, CERTDIR_NO, 0, CERTDIR_JOIN_AD, false},
		{{{"userAccountControl", "4294967295", 0}}, CERTDIR_NO, 0, CERTDIR_JOIN_AD, false},
		{{{"userAccountControl", "4294971392", 0}}, CERTDIR_NO, 0, CERTDIR_JOIN_AD, false},
		{{{"userAccountControl", "-4096", 0}}, CERTDIR_NO, 0, CERTDIR_JOIN_AD, false},
		{{{"userAccountControl", "-", 0}}, CERTDIR_NO, 0, CERTDIR_JOIN_AD, false},
		{{{"userAccountControl", " 4096", 0}}, CERTDIR_NO, 0, CERTDIR_JOIN_AD, false},
		{{{"userAccountControl", "4096", 5}}, CERTDIR_NO, 0, CERTDIR_JOIN_AD, false},
		{{{"userAccountControl", "", 0}}, CERTDIR_NO, 0, CERTDIR_JOIN_AD, false},
		{{{"userAccountControl", "4096", 0}, {"userAccountControl", "4098", 0}},
		 CERTDIR_NO,
		 0,
		 CERTDIR_JOIN_AD,
		 false},
		{{{"cn", "x", 0}}, CERTDIR_YES, 0, CERTDIR_JOIN_UNKNOWN, false},
		{{{"objectSid", SID_BYTES, 28}}, CERTDIR_UNKNOWN, 0, CERTDIR_JOIN_AD, true},
		{{{"sAMAccountName", "PC01$", 0}}, CERTDIR_UNKNOWN, 0, CERTDIR_JOIN_AD, true},
		{{{"accountExpires", "0", 0}}, CERTDIR_YES, 0, CERTDIR_JOIN_UNKNOWN, false},
		{{{"accountExpires", "9223372036854775807", 0}}, CERTDIR_YES, 0, CERTDIR_JOIN_UNKNOWN, false},
		{{{"accountExpires", "134124192000000000", 0}}, CERTDIR_YES, 1767945600, CERTDIR_JOIN_UNKNOWN, false},
		{{{"accountExpires", "1", 0}}, CERTDIR_YES, 1, CERTDIR_JOIN_UNKNOWN, false},
		{{{"accountExpires", "116444736000000000", 0}}, CERTDIR_YES, 1, CERTDIR_JOIN_UNKNOWN, false},
		{{{"accountExpires", "-1", 0}}, CERTDIR_NO, 0, CERTDIR_JOIN_UNKNOWN, false},
		{{{"accountExpires", "9223372036854775808", 0}}, CERTDIR_NO, 0, CERTDIR_JOIN_UNKNOWN, false},
		{{{"accountExpires", "0", 0}, {"accountExpires", "0", 0}}, CERTDIR_NO, 0, CERTDIR_JOIN_UNKNOWN, false},
		{{{"userAccountControl", "4098", 0}, {"accountExpires", "0", 0}},
		 CERTDIR_NO,
		 0,
		 CERTDIR_JOIN_AD,
		 false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct certdir_ldap_value values[VALUES_MAX];
		const struct certdir_ldap_entry entry = entry_of("cn=x", cases[i].pairs, values);
		struct certdir_ldap_remarks remarks;
		struct certdir_record record = record_of(&entry, &remarks);

		if (remarks.hidden != cases[i].hidden || record.device.enabled != cases[i].enabled ||
		    record.device.expires != cases[i].expires || record.device.join_type != cases[i].join_type)
			fail_msg("case %zu: enabled %d, expires %lld", i, (int)record.device.enabled,
				 (long long)record.device.expires);
		clear_record(&record);
	}
}

#define WANTED "certdir:wifi:2c7e3f0a-0000-4000-8000-000000000001"
#define GONE WANTED ":gone=2026-11-22T10:00:00Z"

static void test_marks(void **state)
{
	static const struct {
		struct pair pairs[VALUES_MAX];
		enum certdir_tristate enabled;
		bool key; /* the record has the id of the device that the entry stands for */
	} cases[] = {
		{{{"description", WANTED, 0}}, CERTDIR_YES, true},
		{{{"description", WANTED ":disabled", 0}}, CERTDIR_NO, true},
		{{{"description", WANTED ":Disabled ", 0}}, CERTDIR_NO, true},
		{{{"description", "CERTDIR:wifi:x:DISABLED", 0}}, CERTDIR_NO, false},
		{{{"description", GONE, 0}}, CERTDIR_NO, true},
		{{{"description", WANTED ":gone=soon", 0}}, CERTDIR_NO, true},
		{{{"adminDescription", WANTED ":disabled", 0}}, CERTDIR_NO, true},
		{{{"ADMINDESCRIPTION", GONE, 0}}, CERTDIR_NO, true},
		{{{"description", "a laptop", 0}, {"description", GONE, 0}}, CERTDIR_NO, true},
		/* Of two, nobody knows which device it is; each "no" counts. */
		{{{"description", GONE, 0}, {"description", WANTED, 0}}, CERTDIR_NO, false},
		{{{"adminDescription", WANTED, 0}, {"description", "certdir:other:x:disabled", 0}}, CERTDIR_NO, true},
		{{{"description", "a laptop", 0}}, CERTDIR_YES, false},
		{{{"description", "disabled", 0}}, CERTDIR_YES, false},
		{{{"description", "x" WANTED ":disabled", 0}}, CERTDIR_YES, false},
		/* What means to be a mark and is none. */
		{{{"description", WANTED ":disabled\0", sizeof(WANTED ":disabled")}}, CERTDIR_NO, false},
		{{{"description", WANTED "\n", 0}}, CERTDIR_NO, false},
		{{{"description", " certDIR:", 0}}, CERTDIR_NO, false},
		{{{"adminDescription", "certdir:wifi:\xff", 0}}, CERTDIR_NO, false},
		{{{"displayName", WANTED ":disabled", 0}}, CERTDIR_YES, false},
		/* A mark never lets anybody in. */
		{{{"userAccountControl", "4098", 0}, {"adminDescription", WANTED, 0}}, CERTDIR_NO, true},
		{{{"userAccountControl", "4096", 0}, {"adminDescription", WANTED, 0}}, CERTDIR_YES, true},
		{{{"userAccountControl", "4096", 0}, {"adminDescription", GONE, 0}}, CERTDIR_NO, true},
		/* In Active Directory whoever joined the computer writes its description. */
		{{{"userAccountControl", "4096", 0}, {"description", WANTED, 0}}, CERTDIR_YES, false},
		{{{"objectSid", SID_BYTES, 28}, {"description", GONE, 0}}, CERTDIR_NO, false},
		{{{"accountExpires", "-1", 0}, {"description", WANTED, 0}}, CERTDIR_NO, true},
		{{{"sAMAccountName", "PC01$", 0}, {"adminDescription", WANTED, 0}}, CERTDIR_UNKNOWN, true},
		{{{"sAMAccountName", "PC01$", 0}, {"adminDescription", GONE, 0}}, CERTDIR_NO, true},
	};
	size_t asked = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct certdir_ldap_value values[VALUES_MAX];
		const struct certdir_ldap_entry entry = entry_of("cn=x", cases[i].pairs, values);
		struct certdir_ldap_remarks remarks;
		struct certdir_record record = record_of(&entry, &remarks);

		if (record.device.enabled != cases[i].enabled ||
		    has_value(&record, CERTDIR_ID_GUID, "2c7e3f0a-0000-4000-8000-000000000001") != cases[i].key)
			fail_msg("case %zu: enabled %d", i, (int)record.device.enabled);
		clear_record(&record);
	}
	for (size_t i = 0; certdir_ldap_entry_attributes[i]; i++)
		asked += strcmp(certdir_ldap_entry_attributes[i], "adminDescription") == 0 ||
			 strcmp(certdir_ldap_entry_attributes[i], "description") == 0;
	assert_int_equal(asked, 2);
}

static void test_times(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} cases[] = {
		{"20250131120000.0Z", 1738324800},
		{"20250131120000Z", 1738324800},
		{"20240229235959.0Z", 1709251199},
		{"20250131120000.0+0100", 0},
		{"20250131120000", 0},
		{"20251331120000.0Z", 0},
		{"20250100120000.0Z", 0},
		{"2025013112000x.0Z", 0},
		{"00000101000000.0Z", 0},
		{"", 0},
		{"Z", 0},
		{"20250131120000x0Z", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct pair pairs[VALUES_MAX] = {{"whenCreated", cases[i].text, 0},
						       {"lastLogonTimestamp", "133828000000000000", 0}};
		struct certdir_ldap_value values[VALUES_MAX];
		const struct certdir_ldap_entry entry = entry_of("cn=x", pairs, values);
		struct certdir_ldap_remarks remarks;
		struct certdir_record record = record_of(&entry, &remarks);
		const struct certdir_statement *own = &record.device.own;

		assert_int_equal(record.device.registered, cases[i].seconds);
		assert_int_equal(record.device.last_seen, 1738326400);
		assert_true(own->is && own->registered == cases[i].seconds && own->last_seen == 1738326400);
		assert_true(own->managed == CERTDIR_UNKNOWN && own->compliant == CERTDIR_UNKNOWN);
		assert_false(record.device.intune.is);
		clear_record(&record);
	}
}

static void test_group_names(void **state)
{
	static const struct {
		const char *dn;
		const char *name;
	} cases[] = {
		{"CN=Wi-Fi staff,OU=Groups,DC=corp", "Wi-Fi staff"},
		{"cn=a\\, b,dc=corp", "a, b"},
		{"cn=a\\2C b\\5c,dc=corp", "a, b\\"},
		{"cn=m\\C3\\BCller,dc=corp", "m\xc3\xbcller"},
		{"cn=a+ou=b,dc=corp", "a"},
		{"cn=tail\\", NULL},
		{"cn=\\00,dc=corp", NULL},
		{"cn=\\ff,dc=corp", NULL},
		{"cn=,dc=corp", NULL},
		{"nonsense", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *tail = strrchr(cases[i].dn, ',');
		char *base = certdir_ldap_dn_normal(tail ? tail + 1 : "dc=corp");
		const struct pair pairs[VALUES_MAX] = {
			{"memberOf", "cn=\xff", 0}, {"memberOf", cases[i].dn, 0}, {"memberOf", "cn=a\0", 5}};
		struct certdir_ldap_value values[VALUES_MAX];
		const struct certdir_ldap_entry entry = entry_of("cn=x", pairs, values);
		struct certdir_device device = {.id = NULL};
		bool cut = false;

		assert_true(certdir_ldap_group_read(&device, &entry, base, &cut));
		assert_int_equal(device.group_count, 1);
		assert_string_equal(device.groups[0].id, cases[i].dn);
		assert_false(cut);
		if (cases[i].name)
			assert_string_equal(device.groups[0].name, cases[i].name);
		else
			assert_null(device.groups[0].name);
		certdir_device_clear(&device);
		free(base);
	}
}

/* Only below group_base_dn has a group a bare name. */
static void test_groups_below(void **state)
{
	static const struct {
		const char *base, *dn;
		bool below;
	} cases[] = {
		{"OU=Groups,DC=corp", "CN=a,OU=Groups,DC=corp", true},
		{"ou=groups , dc = CORP ", "CN=a,OU=Groups,DC=corp", true},
		{"OU=Groups,DC=corp", "CN=a, ou=GROUPS,  dc=corp", true},
		{"OU=Groups,DC=corp", "CN=a,OU=x,OU=Groups,DC=corp", true},
		{"OU=a\\, b,DC=corp", "CN=a,OU=a\\2c b,DC=corp", true},
		{"OU=a\\, b,DC=corp", "CN=a,OU=a\\2C  b,DC=corp", false},
		{"OU=\\47roups,DC=corp", "CN=a,OU=groups,DC=corp", true},
		{"OU=Groups,DC=corp", "OU=Groups,DC=corp", false},
		{"OU=Groups,DC=corp", "CN=a,OU=Helpdesk,DC=corp", false},
		{"OU=Groups,DC=corp", "CN=a,OU=xGroups,DC=corp", false},
		{"OU=Groups,DC=corp", "CN=x\\,OU=Groups,DC=corp", false},
		{"OU=Groups,DC=corp", "CN=x\\2cOU=Groups,DC=corp", false},
		{"OU=Groups,DC=corp", "CN=x\\\\,OU=Groups,DC=corp", true},
		{"OU=Groups,DC=corp", "CN=a,OU\\=Groups,DC=corp", false},
		{"OU=Groups,DC=corp", "CN=a,OU=Groups\\ ,DC=corp", false},
		{"OU=Groups,DC=corp", "CN=a,OU=Groups,DC=corp,DC=evil", false},
		{"Groups,DC=corp", "CN=a,OU=Groups,DC=corp", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *base = certdir_ldap_dn_normal(cases[i].base);
		const struct certdir_ldap_entry group = {cases[i].dn, strlen(cases[i].dn), NULL, 0, NULL, 0};
		struct certdir_device device = {.id = NULL};
		bool cut = false;

		assert_true(certdir_ldap_group_add(&device, &group, base, &cut));
		if ((device.groups[0].name != NULL) != cases[i].below)
			fail_msg("case %zu: \"%s\" below \"%s\" (%s)", i, cases[i].dn, cases[i].base, base);
		free(base);
		certdir_device_clear(&device);
		assert_true(certdir_ldap_group_add(&device, &group, NULL, &cut));
		assert_null(device.groups[0].name);
		certdir_device_clear(&device);
	}
}

static void test_primary_group(void **state)
{
	static const struct {
		struct pair pairs[VALUES_MAX];
		bool account;
		const char *sid; /* NULL = not known */
	} cases[] = {
		{{{"objectSid", SID_BYTES, 28}, {"primaryGroupID", "515", 0}}, true, "S-1-5-21-1-2-3-515"},
		{{{"objectSid", SID_BYTES, 28}, {"primarygroupid", "4294967295", 0}},
		 true,
		 "S-1-5-21-1-2-3-4294967295"},
		{{{"objectSid", SID_BYTES, 28}, {"primaryGroupID", "4294967296", 0}}, true, NULL},
		{{{"objectSid", SID_BYTES, 28}, {"primaryGroupID", "-1", 0}}, true, NULL},
		{{{"objectSid", SID_BYTES, 28}, {"primaryGroupID", "515", 0}, {"primaryGroupID", "516", 0}},
		 true,
		 NULL},
		{{{"objectSid", SID_BYTES, 28}}, true, NULL},
		{{{"objectSid", SID_BYTES, 27}, {"primaryGroupID", "515", 0}}, false, NULL},
		{{{"primaryGroupID", "515", 0}}, false, NULL},
	};
	unsigned char sid[68];
	char text[CERTDIR_VALUE_MAX + 1];
	size_t length;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct certdir_ldap_value values[VALUES_MAX];
		const struct certdir_ldap_entry entry = entry_of("cn=x", cases[i].pairs, values);

		assert_int_equal(certdir_ldap_primary_group(&entry, sid, &length), cases[i].account);
		assert_int_equal(length, cases[i].sid ? 28 : 0);
		if (cases[i].sid) {
			assert_true(certdir_sid_from_bytes(sid, length, text));
			assert_string_equal(text, cases[i].sid);
		}
	}
}

static void test_names(void **state)
{
	static const struct pair pairs[VALUES_MAX] = {{"sAMAccountName", "PC01$", 0},
						      {"dNSHostName", "PC01.Corp.", 0},
						      {"servicePrincipalName", "host/pc01.CORP", 0},
						      {"servicePrincipalName", "HOST/pc01", 0},
						      {"servicePrincipalName", "HOST/alias.corp", 0},
						      {"servicePrincipalName", "WSMAN/other.corp", 0},
						      {"servicePrincipalName", "HOST/", 0},
						      {"extensionName", "0A1B2C3D-0000-4000-8000-00000000000F", 0}};
	struct certdir_ldap_map map = map_of("objectSid", "", "", "extensionName");
	struct certdir_ldap_value values[VALUES_MAX];
	const struct certdir_ldap_entry entry = entry_of("cn=x", pairs, values);
	struct certdir_ldap_remarks remarks;
	struct certdir_record record = {.row = 0};

	(void)state;
	assert_true(certdir_ldap_entry_read(&record, &entry, &map, &remarks));
	assert_true(remarks.hidden && !remarks.cut);
	assert_string_equal(record.device.name, "PC01");
	assert_true(record.value_count == 1 && has_value(&record, CERTDIR_ID_NAME, "pc01"));
	assert_int_equal(record.device.dns_name_count, 2);
	assert_string_equal(record.device.dns_names[0], "pc01.corp");
	assert_string_equal(record.device.dns_names[1], "alias.corp");
	assert_string_equal(record.device.entra_device_id, GUID);
	assert_null(record.device.sid);
	clear_record(&record);
	certdir_ldap_map_clear(&map);
}

/* Everything that an entry is known by: fields for what there is one of, values for the rest. */
static void test_values(void **state)
{
	static const struct pair pairs[VALUES_MAX] = {{"cn", "One", 0},
						      {"cn", "Two", 0},
						      {"altSecurityIdentities", "X509:<SKI>AbCd", 0},
						      {"altSecurityIdentities", "X509:<SHA1-PUKEY>\n", 0},
						      {"userPrincipalName", "One$@Corp", 0},
						      {"asset", "ser-1", 0},
						      {"asset", "SER-2", 0},
						      {"macAddress", "00:a0:c9:1e:2f:3d", 0},
						      {"phone", "26-053179-311383-7", 0},
						      {"id", "{0A1B2C3D-0000-4000-8000-00000000000F}", 0}};
	const char *attributes[CERTDIR_ID_TYPES];
	struct certdir_ldap_value values[VALUES_MAX];
	const struct certdir_ldap_entry entry = entry_of("cn=x", pairs, values);
	struct certdir_ldap_map map;
	struct certdir_error error = {.text = ""};
	struct certdir_ldap_remarks remarks;
	struct certdir_record record = {.row = 0};

	(void)state;
	memcpy(attributes, certdir_ldap_default_attributes, sizeof(attributes));
	attributes[CERTDIR_ID_SERIAL] = "asset";
	attributes[CERTDIR_ID_INTUNE] = "none id";
	attributes[CERTDIR_ID_GUID] = "id";
	attributes[CERTDIR_ID_WIFI_MAC] = "macAddress";
	attributes[CERTDIR_ID_IMEI] = "phone";
	assert_true(certdir_ldap_map_init(&map, attributes, &error));
	assert_true(certdir_ldap_entry_read(&record, &entry, &map, &remarks));
	assert_string_equal(record.device.name, "One");
	assert_true(has_value(&record, CERTDIR_ID_NAME, "one") && has_value(&record, CERTDIR_ID_NAME, "two"));
	assert_true(has_value(&record, CERTDIR_ID_MAPPING, "X509:<SKI>AbCd"));
	assert_true(has_value(&record, CERTDIR_ID_UPN, "one$@corp"));
	assert_true(has_value(&record, CERTDIR_ID_WIFI_MAC, "00A0C91E2F3D"));
	assert_true(has_value(&record, CERTDIR_ID_IMEI, "260531793113837"));
	assert_null(record.device.serial_number);
	assert_true(has_value(&record, CERTDIR_ID_SERIAL, "SER-1") && has_value(&record, CERTDIR_ID_SERIAL, "SER-2"));
	assert_string_equal(record.device.intune_device_id, GUID);
	assert_true(has_value(&record, CERTDIR_ID_GUID, GUID));
	assert_int_equal(record.value_count, 9);
	clear_record(&record);
	certdir_ldap_map_clear(&map);
}

/* A server may send as much as it likes. */
static void test_too_much(void **state)
{
	enum { COUNT = 3000 };
	static char texts[COUNT][32];
	static struct certdir_ldap_value values[COUNT];
	const struct certdir_ldap_entry entry = {"cn=x", 4, values, COUNT, .pieces = NULL};
	static const char *const attributes[] = {"cn", "dNSHostName", "memberOf"};

	(void)state;
	for (size_t a = 0; a < 3; a++) {
		struct certdir_ldap_remarks remarks;
		struct certdir_record record;
		bool cut = false;

		for (size_t i = 0; i < COUNT; i++) {
			snprintf(texts[i], sizeof(texts[i]), "cn=x%zu.y", i);
			values[i] = (struct certdir_ldap_value){attributes[a], strlen(attributes[a]),
								(const unsigned char *)texts[i] + (a < 2 ? 3 : 0),
								strlen(texts[i]) - (a < 2 ? 3 : 0)};
		}
		record = record_of(&entry, &remarks);
		assert_true(certdir_ldap_group_read(&record.device, &entry, NULL, &cut));
		assert_int_equal(a < 2 ? remarks.cut : cut, true);
		assert_int_equal(a == 0	  ? record.value_count
				 : a == 1 ? record.device.dns_name_count
					  : record.device.group_count,
				 1000);
		clear_record(&record);
	}
}

static void test_text(void **state)
{
	struct certdir_ldap_entry entry = {.dn = NULL};
	struct certdir_ldap_remarks remarks;
	char dn[1001];

	(void)state;
	assert_false(certdir_ldap_text_valid("", 0));
	/* Longer than any one value, with two-byte characters across every border. */
	for (size_t shift = 0; shift < 2; shift++) {
		struct certdir_record record;

		memset(dn, 'x', sizeof(dn));
		for (size_t i = shift; i + 1 < 1000; i += 2)
			memcpy(dn + i, "\xc3\xbc", 2);
		dn[1000] = '\0';
		assert_true(certdir_ldap_text_valid(dn, 1000));
		entry.dn = dn;
		entry.dn_length = 1000;
		record = record_of(&entry, &remarks);
		assert_string_equal(record.device.id, dn);
		clear_record(&record);
		dn[700 + shift] = '\0';
		assert_false(certdir_ldap_text_valid(dn, 1000));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entry_has),     cmocka_unit_test(test_account),
		cmocka_unit_test(test_marks),	      cmocka_unit_test(test_times),
		cmocka_unit_test(test_group_names),   cmocka_unit_test(test_groups_below),
		cmocka_unit_test(test_primary_group), cmocka_unit_test(test_names),
		cmocka_unit_test(test_values),	      cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests_name("ldap_entry", tests, NULL, NULL);
}
