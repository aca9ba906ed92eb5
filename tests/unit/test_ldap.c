/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pure parts of the LDAP directory: attribute maps, filters, entries. */
#include "directory/ldap_entry.h"
#include "directory/ldap_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SID "S-1-5-21-1-2-3-1104"
#define SID_BYTES "\1\5\0\0\0\0\0\5\x15\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\x50\4\0\0"

static struct certdir_ldap_map map_of(const char *sid, const char *dns, const char *name, const char *entra)
{
	const char *const attributes[CERTDIR_ID_TYPES] = {
		[CERTDIR_ID_SID] = sid, [CERTDIR_ID_DNS] = dns, [CERTDIR_ID_NAME] = name, [CERTDIR_ID_ENTRA] = entra};
	struct certdir_ldap_map map;
	struct certdir_error error = {""};

	if (!certdir_ldap_map_init(&map, attributes, &error))
		fail_msg("%s", error.text);
	return map;
}

static struct certdir_ldap_map ad_map(void)
{
	struct certdir_ldap_map map;
	struct certdir_error error = {""};

	assert_true(certdir_ldap_map_init(&map, certdir_ldap_default_attributes, &error));
	return map;
}

/* A certificate with one identity of each kind in `types`, whose values are borrowed. */
static void put(struct certdir_certificate *certificate, enum certdir_identity_type type, const char *value)
{
	certificate->identities[certificate->count++] =
		(struct certdir_identity){.type = type, .value = (char *)(uintptr_t)value};
}

/* ---- attribute maps ---- */

static void test_map(void **state)
{
	static const struct {
		const char *sid, *dns, *name, *entra;
		const char *wrong; /* part of the error, or NULL */
		uint32_t holds;
	} cases[] = {
		{"objectSid", "", "cn", "", NULL,
		 CERTDIR_BIT(CERTDIR_ID_SID) | CERTDIR_BIT(CERTDIR_ID_SID_URI) | CERTDIR_BIT(CERTDIR_ID_NAME)},
		{NULL, " dNSHostName\tservicePrincipalName ", NULL, NULL, NULL, CERTDIR_BIT(CERTDIR_ID_DNS)},
		{"", "", "", "msDS-cloudExtensionAttribute1", NULL,
		 CERTDIR_BIT(CERTDIR_ID_ENTRA) | CERTDIR_BIT(CERTDIR_ID_GUID)},
		{"", "", "2.5.4.3", "", NULL, CERTDIR_BIT(CERTDIR_ID_NAME)},
		{"", "", "", "", "no attribute", 0},
		{"", "", "cn)(x=*", "", "\"cn)(x=*\" for common_name", 0},
		{"", "", "cn,sn", "", "\"cn,sn\"", 0},
		{"", "", "cn;binary", "", "\"cn;binary\"", 0},
		{"", "", "42", "", "\"42\"", 0},
		{"", "", "c\xc3\xa4", "", "for common_name", 0},
		{"", "OBJECTSID", "", "", "objectSid holds SIDs, not dns_name", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const attributes[CERTDIR_ID_TYPES] = {[CERTDIR_ID_SID] = cases[i].sid,
								  [CERTDIR_ID_DNS] = cases[i].dns,
								  [CERTDIR_ID_NAME] = cases[i].name,
								  [CERTDIR_ID_ENTRA] = cases[i].entra};
		struct certdir_ldap_map map;
		struct certdir_error error = {""};
		const bool ok = certdir_ldap_map_init(&map, attributes, &error);

		assert_int_equal(ok, !cases[i].wrong);
		if (cases[i].wrong && !strstr(error.text, cases[i].wrong))
			fail_msg("case %zu: %s", i, error.text);
		assert_int_equal(map.holds, cases[i].holds);
		certdir_ldap_map_clear(&map);
	}
}

static void test_column_value(void **state)
{
	static const struct {
		enum certdir_ldap_form form;
		const char *identity;
		const char *value;
		size_t length;
	} cases[] = {
		{CERTDIR_LDAP_PLAIN, "pc01", "pc01", 4},
		{CERTDIR_LDAP_SPN, "pc01.corp.example", "HOST/pc01.corp.example", 22},
		{CERTDIR_LDAP_SAM, "a-name-of-more-than-fifteen", "a-name-of-more-than-fifteen$", 28},
		{CERTDIR_LDAP_SID, SID, SID_BYTES, 28},
		{CERTDIR_LDAP_SID, "pc01", "", 0},
		{CERTDIR_LDAP_PLAIN, "", "", 0},
	};
	unsigned char value[CERTDIR_LDAP_VALUE_MAX];
	char longest[CERTDIR_VALUE_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct certdir_ldap_column column = {CERTDIR_ID_NAME, cases[i].form, NULL};

		assert_int_equal(certdir_ldap_column_value(&column, cases[i].identity, value), cases[i].length);
		assert_memory_equal(value, cases[i].value, cases[i].length);
	}
	memset(longest, 'x', CERTDIR_VALUE_MAX);
	longest[CERTDIR_VALUE_MAX] = '\0';
	assert_int_equal(certdir_ldap_column_value(
				 &(struct certdir_ldap_column){CERTDIR_ID_DNS, CERTDIR_LDAP_SPN, NULL}, longest, value),
			 CERTDIR_VALUE_MAX + 5);
}

/* ---- filters ---- */

static void test_filter_valid(void **state)
{
	static const struct {
		const char *filter;
		bool valid;
	} cases[] = {
		{"(objectClass=computer)", true},
		{"(&(a=b)(!(c=d)))", true},
		{"(a=b)(c=d)", true},
		{"(cn=\\28)", true},
		{"", false},
		{"objectClass=computer", false},
		{"(a=b", false},
		{"(a=b))", false},
		{"(a=b))(|(c=*)", false},
		{" (a=b)", false},
		{"(a=b)x", false},
		{")(", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct certdir_error error = {""};

		if (certdir_ldap_filter_valid(cases[i].filter, &error) != cases[i].valid)
			fail_msg("%s", cases[i].filter);
		assert_int_equal(error.text[0] == '\0', cases[i].valid);
	}
}

static void test_filter_value(void **state)
{
	static const struct {
		const char *name;
		const char *written;
	} cases[] = {
		{"pc01.corp-x_y", "pc01.corp-x_y"},
		{"*", "\\2a"},
		{"a)(cn=*", "a\\29\\28cn\\3d\\2a"},
		{"back\\slash", "back\\5cslash"},
		{"%2a", "\\252a"},
		{"\\2a", "\\5c2a"},
		{" pc 01 ", "\\20pc\\2001\\20"},
		{"m\xc3\xbcller", "m\\c3\\bcller"},
		{"\x01\x7f", "\\01\\7f"},
		{"a&b|c!d<e>f~g,h;i\"j+k#l", "a\\26b\\7cc\\21d\\3ce\\3ef\\7eg\\2ch\\3bi\\22j\\2bk\\23l"},
	};
	struct certdir_ldap_map map = map_of("", "", "cn", "");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct certdir_certificate certificate = {.count = 0};
		char *filter, expected[256];

		put(&certificate, CERTDIR_ID_NAME, cases[i].name);
		assert_int_equal(certdir_ldap_filter_build(&filter, "(a=b)", &map, &certificate, 1), 1);
		snprintf(expected, sizeof(expected), "(&(a=b)(|(cn=%s)))", cases[i].written);
		assert_string_equal(filter, expected);
		free(filter);
	}
	certdir_ldap_map_clear(&map);
}

static void test_filter_of_several(void **state)
{
	struct certdir_ldap_map map = ad_map();
	struct certdir_certificate certificate = {.count = 0};
	char *filter;

	(void)state;
	put(&certificate, CERTDIR_ID_SID, SID);
	put(&certificate, CERTDIR_ID_SERIAL, "SER-1"); /* not held by the default map */
	put(&certificate, CERTDIR_ID_DNS, "pc01.corp");
	put(&certificate, CERTDIR_ID_NAME, "pc01");
	put(&certificate, CERTDIR_ID_SID, "no SID");
	assert_int_equal(certdir_ldap_filter_build(&filter, "(objectClass=computer)", &map, &certificate, UINT64_MAX),
			 5);
	assert_string_equal(filter, "(&(objectClass=computer)(|"
				    "(objectSid=\\01\\05\\00\\00\\00\\00\\00\\05\\15\\00\\00\\00\\01\\00\\00\\00"
				    "\\02\\00\\00\\00\\03\\00\\00\\00\\50\\04\\00\\00)"
				    "(dNSHostName=pc01.corp)(servicePrincipalName=HOST/pc01.corp)"
				    "(cn=pc01)(sAMAccountName=pc01$)))");
	free(filter);
	assert_int_equal(certdir_ldap_filter_build(&filter, "(a=b)", &map, &certificate, 1 << 3), 2);
	assert_string_equal(filter, "(&(a=b)(|(cn=pc01)(sAMAccountName=pc01$)))");
	free(filter);
	assert_int_equal(certdir_ldap_filter_build(&filter, "(a=b)", &map, &certificate, 1 << 1 | 1 << 4), 0);
	assert_null(filter);
	certdir_ldap_map_clear(&map);
}

/* The longest names there can be, each byte of which is escaped. */
static void test_filter_longest(void **state)
{
	struct certdir_ldap_map map = ad_map();
	struct certdir_certificate certificate = {.count = 0};
	char name[CERTDIR_VALUE_MAX + 1], *filter;

	(void)state;
	memset(name, '*', CERTDIR_VALUE_MAX);
	name[CERTDIR_VALUE_MAX] = '\0';
	while (certificate.count < CERTDIR_IDENTITIES_MAX)
		put(&certificate, CERTDIR_ID_DNS, name);
	assert_int_equal(certdir_ldap_filter_build(&filter, "(a=b)", &map, &certificate, UINT64_MAX),
			 2 * CERTDIR_IDENTITIES_MAX);
	assert_null(strchr(filter, '*'));
	free(filter);
	certdir_ldap_map_clear(&map);
}

/* ---- entries ---- */

enum { VALUES_MAX = 8 };

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
	return (struct certdir_ldap_entry){dn, strlen(dn), values, count};
}

static void test_found_by(void **state)
{
	/* The certificate: 0 sid, 1 dns_name pc01.corp, 2 common_name pc01, 3 common_name m\xc3\xbcller, 4 sid_uri */
	static const struct {
		struct pair pairs[VALUES_MAX];
		uint64_t by;
	} cases[] = {
		{{{"objectSid", SID_BYTES, 28}}, 1 << 0 | 1 << 4},
		{{{"objectSid", SID_BYTES, 27}}, 0},
		{{{"objectSid", SID, 0}}, 0},
		{{{"OBJECTSID", SID_BYTES, 28}, {"CN", "PC01", 0}}, 1 << 0 | 1 << 2 | 1 << 4},
		{{{"dNSHostName", "PC01.Corp", 0}}, 1 << 1},
		{{{"dNSHostName", "pc01.corp\0.evil", 15}}, 0},
		{{{"dNSHostName", "pc01.cor", 0}}, 0},
		{{{"servicePrincipalName", "WSMAN/pc01.corp", 0}}, 0},
		{{{"servicePrincipalName", "WSMAN/x", 0}, {"servicePrincipalName", "host/PC01.CORP", 0}}, 1 << 1},
		{{{"sAMAccountName", "PC01$", 0}}, 1 << 2},
		{{{"sAMAccountName", "PC01", 0}}, 0},
		{{{"cn", "m\xc3\xbcller", 0}}, 1 << 3},
		{{{"cn", "muller", 0}}, 0},
		{{{"cn", "m\xc3\x9cller", 0}}, 0},
		{{{"cn", "", 0}, {"description", "pc01", 0}, {"c", "pc01", 0}, {"cnn", "pc01", 0}}, 0},
		{{{NULL, NULL, 0}}, 0},
	};
	struct certdir_ldap_map map = ad_map();
	struct certdir_certificate certificate = {.count = 0};

	(void)state;
	put(&certificate, CERTDIR_ID_SID, SID);
	put(&certificate, CERTDIR_ID_DNS, "pc01.corp");
	put(&certificate, CERTDIR_ID_NAME, "pc01");
	put(&certificate, CERTDIR_ID_NAME, "m\xc3\xbcller");
	put(&certificate, CERTDIR_ID_SID_URI, SID);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct certdir_ldap_value values[VALUES_MAX];
		const struct certdir_ldap_entry entry = entry_of("cn=x", cases[i].pairs, values);
		const uint64_t by = certdir_ldap_entry_found_by(&entry, &map, &certificate, UINT64_MAX);

		if (by != cases[i].by)
			fail_msg("case %zu: %#llx", i, (unsigned long long)by);
		assert_int_equal(certdir_ldap_entry_found_by(&entry, &map, &certificate, 1 << 2), by & 1 << 2);
	}
	certdir_ldap_map_clear(&map);
}

static void test_account(void **state)
{
	static const struct {
		struct pair pairs[VALUES_MAX];
		enum certdir_tristate enabled;
		int64_t expires;
		enum certdir_join_type join_type;
		enum certdir_ldap_entry_state state;
	} cases[] = {
		{{{"userAccountControl", "4096", 0}}, CERTDIR_YES, 0, CERTDIR_JOIN_AD, CERTDIR_LDAP_ENTRY_OK},
		{{{"userAccountControl", "4098", 0}}, CERTDIR_NO, 0, CERTDIR_JOIN_AD, CERTDIR_LDAP_ENTRY_OK},
		{{{"userAccountControl", "4294967295", 0}}, CERTDIR_NO, 0, CERTDIR_JOIN_AD, CERTDIR_LDAP_ENTRY_OK},
		{{{"userAccountControl", "4294971392", 0}}, CERTDIR_NO, 0, CERTDIR_JOIN_AD, CERTDIR_LDAP_ENTRY_OK},
		{{{"userAccountControl", "-4096", 0}}, CERTDIR_NO, 0, CERTDIR_JOIN_AD, CERTDIR_LDAP_ENTRY_OK},
		{{{"userAccountControl", "-", 0}}, CERTDIR_NO, 0, CERTDIR_JOIN_AD, CERTDIR_LDAP_ENTRY_OK},
		{{{"userAccountControl", " 4096", 0}}, CERTDIR_NO, 0, CERTDIR_JOIN_AD, CERTDIR_LDAP_ENTRY_OK},
		{{{"userAccountControl", "4096", 5}}, CERTDIR_NO, 0, CERTDIR_JOIN_AD, CERTDIR_LDAP_ENTRY_OK},
		{{{"userAccountControl", "", 0}}, CERTDIR_NO, 0, CERTDIR_JOIN_AD, CERTDIR_LDAP_ENTRY_OK},
		{{{"userAccountControl", "4096", 0}, {"userAccountControl", "4098", 0}},
		 CERTDIR_NO,
		 0,
		 CERTDIR_JOIN_AD,
		 CERTDIR_LDAP_ENTRY_OK},
		{{{"cn", "x", 0}}, CERTDIR_YES, 0, CERTDIR_JOIN_UNKNOWN, CERTDIR_LDAP_ENTRY_OK},
		{{{"objectSid", SID_BYTES, 28}}, CERTDIR_UNKNOWN, 0, CERTDIR_JOIN_AD, CERTDIR_LDAP_ENTRY_HIDDEN},
		{{{"sAMAccountName", "PC01$", 0}}, CERTDIR_UNKNOWN, 0, CERTDIR_JOIN_AD, CERTDIR_LDAP_ENTRY_HIDDEN},
		{{{"accountExpires", "0", 0}}, CERTDIR_YES, 0, CERTDIR_JOIN_UNKNOWN, CERTDIR_LDAP_ENTRY_OK},
		{{{"accountExpires", "9223372036854775807", 0}},
		 CERTDIR_YES,
		 0,
		 CERTDIR_JOIN_UNKNOWN,
		 CERTDIR_LDAP_ENTRY_OK},
		{{{"accountExpires", "134124192000000000", 0}},
		 CERTDIR_YES,
		 1767945600,
		 CERTDIR_JOIN_UNKNOWN,
		 CERTDIR_LDAP_ENTRY_OK},
		{{{"accountExpires", "1", 0}}, CERTDIR_YES, 1, CERTDIR_JOIN_UNKNOWN, CERTDIR_LDAP_ENTRY_OK},
		{{{"accountExpires", "116444736000000000", 0}},
		 CERTDIR_YES,
		 1,
		 CERTDIR_JOIN_UNKNOWN,
		 CERTDIR_LDAP_ENTRY_OK},
		{{{"accountExpires", "-1", 0}}, CERTDIR_NO, 0, CERTDIR_JOIN_UNKNOWN, CERTDIR_LDAP_ENTRY_OK},
		{{{"accountExpires", "9223372036854775808", 0}},
		 CERTDIR_NO,
		 0,
		 CERTDIR_JOIN_UNKNOWN,
		 CERTDIR_LDAP_ENTRY_OK},
		{{{"accountExpires", "0", 0}, {"accountExpires", "0", 0}},
		 CERTDIR_NO,
		 0,
		 CERTDIR_JOIN_UNKNOWN,
		 CERTDIR_LDAP_ENTRY_OK},
		{{{"userAccountControl", "4098", 0}, {"accountExpires", "0", 0}},
		 CERTDIR_NO,
		 0,
		 CERTDIR_JOIN_AD,
		 CERTDIR_LDAP_ENTRY_OK},
	};
	struct certdir_ldap_map map = ad_map();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct certdir_ldap_value values[VALUES_MAX];
		const struct certdir_ldap_entry entry = entry_of("cn=x", cases[i].pairs, values);
		struct certdir_device device;

		if (certdir_ldap_entry_device(&device, &entry, &map) != cases[i].state ||
		    device.enabled != cases[i].enabled || device.expires != cases[i].expires ||
		    device.join_type != cases[i].join_type)
			fail_msg("case %zu: enabled %d, expires %lld", i, (int)device.enabled,
				 (long long)device.expires);
		certdir_device_clear(&device);
	}
	certdir_ldap_map_clear(&map);
}

#define WANTED "certdir:wifi:2c7e3f0a-0000-4000-8000-000000000001"
#define GONE WANTED ":gone=2026-11-22T10:00:00Z"

static void test_marks(void **state)
{
	static const struct {
		struct pair pairs[VALUES_MAX];
		enum certdir_tristate enabled;
	} cases[] = {
		{{{"description", WANTED, 0}}, CERTDIR_YES},
		{{{"description", WANTED ":disabled", 0}}, CERTDIR_NO},
		{{{"description", GONE, 0}}, CERTDIR_NO},
		{{{"adminDescription", WANTED ":disabled", 0}}, CERTDIR_NO},
		{{{"ADMINDESCRIPTION", GONE, 0}}, CERTDIR_NO},
		{{{"description", "a laptop", 0}, {"description", GONE, 0}, {"description", WANTED, 0}}, CERTDIR_NO},
		{{{"adminDescription", WANTED, 0}, {"description", "certdir:other:x:disabled", 0}}, CERTDIR_NO},
		{{{"description", "a laptop", 0}}, CERTDIR_YES},
		{{{"description", "disabled", 0}}, CERTDIR_YES},
		{{{"description", "x" WANTED ":disabled", 0}}, CERTDIR_YES},
		{{{"description", WANTED ":disabled\0", sizeof(WANTED ":disabled")}}, CERTDIR_YES},
		{{{"displayName", WANTED ":disabled", 0}}, CERTDIR_YES},
		/* A mark never lets anybody in. */
		{{{"userAccountControl", "4098", 0}, {"adminDescription", WANTED, 0}}, CERTDIR_NO},
		{{{"userAccountControl", "4096", 0}, {"adminDescription", WANTED, 0}}, CERTDIR_YES},
		{{{"userAccountControl", "4096", 0}, {"adminDescription", GONE, 0}}, CERTDIR_NO},
		{{{"accountExpires", "-1", 0}, {"description", WANTED, 0}}, CERTDIR_NO},
		{{{"sAMAccountName", "PC01$", 0}, {"adminDescription", WANTED, 0}}, CERTDIR_UNKNOWN},
		{{{"sAMAccountName", "PC01$", 0}, {"adminDescription", GONE, 0}}, CERTDIR_NO},
	};
	struct certdir_ldap_map map = ad_map();
	size_t asked = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct certdir_ldap_value values[VALUES_MAX];
		const struct certdir_ldap_entry entry = entry_of("cn=x", cases[i].pairs, values);
		struct certdir_device device;

		assert_int_not_equal(certdir_ldap_entry_device(&device, &entry, &map), CERTDIR_LDAP_ENTRY_MEMORY);
		if (device.enabled != cases[i].enabled)
			fail_msg("case %zu: enabled %d", i, (int)device.enabled);
		certdir_device_clear(&device);
	}
	for (size_t i = 0; certdir_ldap_entry_attributes[i]; i++)
		asked += strcmp(certdir_ldap_entry_attributes[i], "adminDescription") == 0 ||
			 strcmp(certdir_ldap_entry_attributes[i], "description") == 0;
	assert_int_equal(asked, 2);
	certdir_ldap_map_clear(&map);
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
	struct certdir_ldap_map map = ad_map();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct pair pairs[VALUES_MAX] = {{"whenCreated", cases[i].text, 0},
						       {"lastLogonTimestamp", "133828000000000000", 0}};
		struct certdir_ldap_value values[VALUES_MAX];
		const struct certdir_ldap_entry entry = entry_of("cn=x", pairs, values);
		struct certdir_device device;

		assert_int_equal(certdir_ldap_entry_device(&device, &entry, &map), CERTDIR_LDAP_ENTRY_OK);
		assert_int_equal(device.registered, cases[i].seconds);
		assert_int_equal(device.last_seen, 1738326400);
		certdir_device_clear(&device);
	}
	certdir_ldap_map_clear(&map);
}

static void test_groups(void **state)
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
		{"cn=tail\\", "tail\\"},
		{"cn=\\00,dc=corp", NULL},
		{"cn=\\ff,dc=corp", NULL},
		{"cn=,dc=corp", NULL},
		{"nonsense", NULL},
	};
	struct certdir_ldap_map map = ad_map();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct pair pairs[VALUES_MAX] = {
			{"memberOf", "cn=\xff", 0}, {"memberOf", cases[i].dn, 0}, {"memberOf", "cn=a\0", 5}};
		struct certdir_ldap_value values[VALUES_MAX];
		const struct certdir_ldap_entry entry = entry_of("cn=x", pairs, values);
		struct certdir_device device;

		assert_int_equal(certdir_ldap_entry_device(&device, &entry, &map), CERTDIR_LDAP_ENTRY_OK);
		assert_int_equal(device.group_count, 1);
		assert_string_equal(device.groups[0].id, cases[i].dn);
		if (cases[i].name)
			assert_string_equal(device.groups[0].name, cases[i].name);
		else
			assert_null(device.groups[0].name);
		certdir_device_clear(&device);
	}
	certdir_ldap_map_clear(&map);
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
	struct certdir_device device;

	(void)state;
	assert_int_equal(certdir_ldap_entry_device(&device, &entry, &map), CERTDIR_LDAP_ENTRY_HIDDEN);
	assert_string_equal(device.name, "PC01");
	assert_int_equal(device.dns_name_count, 2);
	assert_string_equal(device.dns_names[0], "pc01.corp");
	assert_string_equal(device.dns_names[1], "alias.corp");
	assert_string_equal(device.entra_device_id, "0a1b2c3d-0000-4000-8000-00000000000f");
	assert_null(device.sid);
	certdir_device_clear(&device);
	certdir_ldap_map_clear(&map);
}

static void test_dn(void **state)
{
	struct certdir_ldap_map map = ad_map();
	struct certdir_ldap_entry entry = {.dn = "", .dn_length = 0};
	struct certdir_device device;
	char dn[1001];

	(void)state;
	assert_int_equal(certdir_ldap_entry_device(&device, &entry, &map), CERTDIR_LDAP_ENTRY_BAD);
	assert_null(device.id);
	/* Longer than any one value, with two-byte characters across every border. */
	for (size_t shift = 0; shift < 2; shift++) {
		memset(dn, 'x', sizeof(dn));
		for (size_t i = shift; i + 1 < 1000; i += 2)
			memcpy(dn + i, "\xc3\xbc", 2);
		dn[1000] = '\0';
		entry.dn = dn;
		entry.dn_length = 1000;
		assert_int_equal(certdir_ldap_entry_device(&device, &entry, &map), CERTDIR_LDAP_ENTRY_OK);
		assert_string_equal(device.id, dn);
		certdir_device_clear(&device);
		dn[700 + shift] = '\0';
		assert_int_equal(certdir_ldap_entry_device(&device, &entry, &map), CERTDIR_LDAP_ENTRY_BAD);
	}
	certdir_ldap_map_clear(&map);
}

static void test_uri(void **state)
{
	static const struct {
		const char *server;
		uint16_t port;
		const char *uri;
	} cases[] = {
		{"dc1.corp.example", 0, "ldap://dc1.corp.example:389"},
		{"dc1.corp.example", 389, "ldap://dc1.corp.example:389"},
		{"dc1.corp.example", 636, "ldaps://dc1.corp.example:636"},
		{"dc1.corp.example:1389", 389, "ldap://dc1.corp.example:1389"},
		{"::1", 389, "ldap://[::1]:389"},
		{"[::1]", 389, "ldap://[::1]:389"},
		{"10.0.0.1", 3268, "ldap://10.0.0.1:3268"},
		{"ldaps://dc1:1636", 389, "ldaps://dc1:1636"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *uri = certdir_ldap_uri(cases[i].server, cases[i].port);

		assert_string_equal(uri, cases[i].uri);
		free(uri);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_column_value),
		cmocka_unit_test(test_filter_valid),
		cmocka_unit_test(test_filter_value),
		cmocka_unit_test(test_filter_of_several),
		cmocka_unit_test(test_filter_longest),
		cmocka_unit_test(test_found_by),
		cmocka_unit_test(test_account),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_dn),
		cmocka_unit_test(test_uri),
	};

	return cmocka_run_group_tests_name("ldap", tests, NULL, NULL);
}
