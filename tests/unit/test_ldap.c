/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pure parts of the LDAP directory that make a search: attribute maps, filters, domains, server names. */
#include "directory/ldap.h"
#include "directory/ldap_domain.h"
#include "directory/ldap_filter.h"
#include "ldap_fixture.h"

/* The filter of one search for `count` values; the caller frees it. */
static char *filter_of(const struct certdir_ldap_map *map, const char *devices, const struct certdir_sought *sought,
		       size_t count)
{
	struct certdir_ldap_terms terms;
	char *filter;

	assert_true(certdir_ldap_terms_make(&terms, map, sought, count));
	filter = certdir_ldap_filter_build(devices, &terms);
	assert_non_null(filter);
	certdir_ldap_terms_clear(&terms);
	return filter;
}

/* ---- attribute maps ---- */

static void test_map(void **state)
{
	static const struct {
		const char *sid, *dns, *name, *entra;
		const char *wrong; /* part of the error, or NULL */
		uint32_t keeps;
	} cases[] = {
		{"objectSid", "", "cn", "", NULL, CERTDIR_BIT(CERTDIR_ID_SID) | CERTDIR_BIT(CERTDIR_ID_NAME)},
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
		struct certdir_error error = {.text = ""};
		const bool ok = certdir_ldap_map_init(&map, attributes, &error);

		assert_int_equal(ok, !cases[i].wrong);
		if (cases[i].wrong && !strstr(error.text, cases[i].wrong))
			fail_msg("case %zu: %s", i, error.text);
		assert_int_equal(map.keeps, cases[i].keeps);
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
		{CERTDIR_LDAP_MAC, "00A0C91E2F3D", "00:A0:C9:1E:2F:3D", 17},
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
		struct certdir_error error = {.text = ""};

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
		const struct certdir_sought sought = {.type = CERTDIR_ID_NAME, .value = cases[i].name};
		char *filter = filter_of(&map, "(a=b)", &sought, 1), expected[256];

		snprintf(expected, sizeof(expected), "(&(a=b)(|(cn=%s)))", cases[i].written);
		assert_string_equal(filter, expected);
		free(filter);
	}
	certdir_ldap_map_clear(&map);
}

#define SID_WRITTEN                                                                                                    \
	"\\01\\05\\00\\00\\00\\00\\00\\05\\15\\00\\00\\00\\01\\00\\00\\00\\02\\00\\00\\00\\03\\00\\00\\00\\50\\04\\00" \
	"\\00"

/* Which comparisons a value is looked up by. */
static void test_terms(void **state)
{
	static const struct {
		const char *entra, *intune, *guid;
		struct certdir_sought sought[4];
		const char *terms; /* "" = none */
	} cases[] = {
		{"", "", "", {{.type = CERTDIR_ID_SID, .value = SID}}, "(objectSid=" SID_WRITTEN ")"},
		{"", "", "", {{.type = CERTDIR_ID_SID, .value = "no SID"}}, ""},
		{"", "", "", {{CERTDIR_ID_SID_URI, SID, false, NULL}}, ""},
		{"", "", "", {{.type = CERTDIR_ID_SERIAL, .value = "SER-1"}}, ""},
		{"", "", "", {{.type = CERTDIR_ID_GUID, .value = GUID}}, ""},
		{"", "", "", {{.type = CERTDIR_ID_UPN, .value = "pc01$@corp"}}, "(userPrincipalName=pc01$@corp)"},
		{"", "", "", {{.type = CERTDIR_ID_NAME, .value = "pc01"}}, "(cn=pc01)(sAMAccountName=pc01$)"},
		{"",
		 "",
		 "",
		 {{.type = CERTDIR_ID_NAME, .value = "fifteen-letters"}},
		 "(cn=fifteen-letters)(sAMAccountName=fifteen-letters$)"},
		{"",
		 "",
		 "",
		 {{.type = CERTDIR_ID_NAME, .value = "sixteen-letters-"}},
		 "(cn=sixteen-letters-)(sAMAccountName=sixteen-letters-$)(sAMAccountName=sixteen-letters$)"},
		{"",
		 "",
		 "",
		 {{.type = CERTDIR_ID_NAME, .value = "not-ascii-is-m\xc3\xbcller"}},
		 "(cn=not-ascii-is-m\\c3\\bcller)(sAMAccountName=not-ascii-is-m\\c3\\bcller$)"},
		{"",
		 "",
		 "",
		 {{.type = CERTDIR_ID_DNS, .value = "pc01.corp"}},
		 "(dNSHostName=pc01.corp)(servicePrincipalName=HOST/"
		 "pc01.corp)(cn=pc01.corp)(cn=pc01)(sAMAccountName=pc01$)"},
		{"",
		 "",
		 "",
		 {{.type = CERTDIR_ID_DNS, .value = "a-long-computer-name.corp"}},
		 "(dNSHostName=a-long-computer-name.corp)(servicePrincipalName=HOST/a-long-computer-name.corp)"
		 "(cn=a-long-computer-name.corp)(cn=a-long-computer-name)(sAMAccountName=a-long-computer-name$)"
		 "(sAMAccountName=a-long-computer$)"},
		/* Each comparison once. */
		{"",
		 "",
		 "",
		 {{.type = CERTDIR_ID_NAME, .value = "pc01"},
		  {.type = CERTDIR_ID_DNS, .value = "pc01.corp"},
		  {.type = CERTDIR_ID_NAME, .value = "pc01"}},
		 "(cn=pc01)(sAMAccountName=pc01$)(dNSHostName=pc01.corp)(servicePrincipalName=HOST/"
		 "pc01.corp)(cn=pc01.corp)"},
		/* GUIDs are one name space. */
		{"a", "b", "a", {{.type = CERTDIR_ID_ENTRA, .value = GUID}}, "(a=" GUID ")(b=" GUID ")"},
		{"a", "b", "c", {{.type = CERTDIR_ID_INTUNE, .value = GUID}}, "(a=" GUID ")(b=" GUID ")(c=" GUID ")"},
		{"a", "", "", {{.type = CERTDIR_ID_GUID, .value = GUID}}, "(a=" GUID ")"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *attributes[CERTDIR_ID_TYPES];
		struct certdir_ldap_map map;
		struct certdir_error error = {.text = ""};
		char expected[512], *filter;
		size_t count = 0;

		memcpy(attributes, certdir_ldap_default_attributes, sizeof(attributes));
		attributes[CERTDIR_ID_ENTRA] = cases[i].entra;
		attributes[CERTDIR_ID_INTUNE] = cases[i].intune;
		attributes[CERTDIR_ID_GUID] = cases[i].guid;
		assert_true(certdir_ldap_map_init(&map, attributes, &error));
		while (count < 4 && cases[i].sought[count].value)
			count++;
		filter = filter_of(&map, "(a=b)", cases[i].sought, count);
		snprintf(expected, sizeof(expected), "(&(a=b)(|%s))", cases[i].terms);
		assert_string_equal(filter, expected);
		free(filter);
		certdir_ldap_map_clear(&map);
	}
}

/* The longest names there can be, each byte of which is escaped. */
static void test_filter_longest(void **state)
{
	enum { COUNT = 64 };
	struct certdir_ldap_map map = ad_map();
	struct certdir_sought sought[COUNT];
	char names[COUNT][CERTDIR_VALUE_MAX + 1], *filter;
	size_t comparisons = 0;

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		memset(names[i], '*', CERTDIR_VALUE_MAX);
		names[i][i] = '#';
		names[i][CERTDIR_VALUE_MAX] = '\0';
		sought[i] = (struct certdir_sought){.type = CERTDIR_ID_DNS, .value = names[i]};
	}
	filter = filter_of(&map, "(a=b)", sought, COUNT);
	for (const char *p = filter; (p = strchr(p, '=')) != NULL; p++)
		comparisons++;
	/* dNSHostName, servicePrincipalName, cn and sAMAccountName of each, and what 15 characters leave of them. */
	assert_int_equal(comparisons, 1 + 4 * COUNT + 16);
	assert_null(strchr(filter, '*'));
	free(filter);
	certdir_ldap_map_clear(&map);
}

static void test_filter_groups(void **state)
{
	char *filter = certdir_ldap_filter_groups("CN=a\\2C (b)*,DC=x", (const unsigned char *)SID_BYTES, 28);

	(void)state;
	assert_string_equal(filter, "(|(member:1.2.840.113556.1.4.1941:=CN\\3da\\5c2C\\20\\28b\\29\\2a\\2cDC\\3dx)"
				    "(objectSid=" SID_WRITTEN "))");
	free(filter);
	filter = certdir_ldap_filter_groups("CN=a", NULL, 0);
	assert_string_equal(filter, "(|(member:1.2.840.113556.1.4.1941:=CN\\3da))");
	free(filter);
}

/* ---- where to ask ---- */

static void test_domains(void **state)
{
	static const struct {
		const char *words, *base, *domains; /* blank-separated; NULL = an error */
		const char *root;
	} cases[] = {
		{"", "DC=corp,DC=example", "corp.example", "DC=corp,DC=example"},
		{NULL, "OU=x,dc=A , Dc=b", "a.b", "dc=A , Dc=b"},
		{"", "OU=x\\,DC=y,DC=a", "a", "DC=a"},
		{"", "DC=x,OU=y,DC=a", "x.a", "DC=a"},
		{"", "o=corp", "", "o=corp"},
		{"", "", "", ""},
		{"", "DC=a b,DC=c", "", "DC=a b,DC=c"},
		{" Corp.Example.\tb.example", "DC=a", "corp.example b.example", "DC=a"},
		{"corp.example", "", "corp.example", ""},
		{"a,b", "DC=a", NULL, "DC=a"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct certdir_error error = {.text = ""};
		char **domains, joined[256] = "";
		const bool ok = certdir_ldap_domains_make(&domains, cases[i].words, cases[i].base, &error);

		assert_int_equal(ok, cases[i].domains != NULL);
		assert_int_equal(error.text[0] == '\0', ok);
		for (size_t d = 0; domains && domains[d]; d++)
			snprintf(joined + strlen(joined), sizeof(joined) - strlen(joined), "%s%s", d ? " " : "",
				 domains[d]);
		assert_string_equal(joined, ok ? cases[i].domains : "");
		assert_true(!domains || domains[0]);
		assert_string_equal(certdir_ldap_domain_root(cases[i].base), cases[i].root);
		certdir_ldap_domains_free(domains);
	}
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

/* ---- whose answers they are ---- */

/* Whoever asks as another account, or for other entries, may hear something else. */
static void test_origin(void **state)
{
	static const char *const servers[] = {"ldaps://dc1", NULL}, *const others[] = {"ldaps://dc1", "ldaps://dc2",
										       NULL};
	const struct certdir_ldap_directory_config base = {
		.server = {.servers = servers, .identity = "cn=a"}, .base_dn = "dc=x", .filter = "(a=b)"};
	struct certdir_ldap_directory_config cases[10];
	const size_t count = sizeof(cases) / sizeof(cases[0]);
	char *texts[sizeof(cases) / sizeof(cases[0])];

	(void)state;
	for (size_t i = 0; i < count; i++)
		cases[i] = base;
	cases[1].server.servers = others;
	cases[2].server.identity = "cn=b";
	cases[3].server.bind = CERTDIR_LDAP_BIND_EXTERNAL;
	cases[4].server.keytab = "/etc/a.keytab";
	cases[5].server.certificate_file = "/etc/a.pem";
	cases[6].base_dn = "dc=y";
	cases[7].filter = "(a=c)";
	cases[8].group_base_dn = "ou=g,dc=x";
	cases[9].attributes[CERTDIR_ID_NAME] = "cn";
	for (size_t i = 0; i < count; i++) {
		texts[i] = certdir_ldap_directory_origin(&cases[i]);
		assert_non_null(texts[i]);
		for (size_t k = 0; k < i; k++)
			if (strcmp(texts[i], texts[k]) == 0)
				fail_msg("cases %zu and %zu are the same", k, i);
	}
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
	/* The password may change, and is in no file. */
	cases[0].server.password = "secret";
	texts[0] = certdir_ldap_directory_origin(&cases[0]);
	texts[1] = certdir_ldap_directory_origin(&base);
	assert_string_equal(texts[0], texts[1]);
	free(texts[0]);
	free(texts[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map),	      cmocka_unit_test(test_column_value),
		cmocka_unit_test(test_filter_valid),  cmocka_unit_test(test_filter_value),
		cmocka_unit_test(test_terms),	      cmocka_unit_test(test_filter_longest),
		cmocka_unit_test(test_filter_groups), cmocka_unit_test(test_domains),
		cmocka_unit_test(test_uri),	      cmocka_unit_test(test_origin),
	};

	return cmocka_run_group_tests_name("ldap", tests, NULL, NULL);
}
