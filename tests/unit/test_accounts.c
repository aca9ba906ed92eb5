/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the directory, the pure parts: names, values, filters; and the password of a new account. */
#include "text/dn.h"
#include "placeholders/life.h"
#include "placeholders/password.h"
#include "placeholders/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct certdir_arena arena;

static int clear(void **state)
{
	(void)state;
	certdir_arena_clear(&arena);
	return 0;
}

/* ---- names ---- */

static const struct {
	const char *dn;
	const char *value; /* NULL: not to be read */
	const char *parent;
	bool is_cn;
} names[] = {
	{"CN=LAPTOP-7,OU=NPS,DC=corp,DC=example", "LAPTOP-7", "OU=NPS,DC=corp,DC=example", true},
	{"cn=a,ou=b", "a", "ou=b", true},
	{"OU=NPS,DC=corp", "NPS", "DC=corp", false},
	{"CN=a, OU=b", "a", "OU=b", true},
	{"CN=a", "a", "", true},
	{"CN=a\\,b,OU=c", "a,b", "OU=c", true},
	{"CN=a\\2Cb,OU=c", "a,b", "OU=c", true},
	{"CN=a\\\\,OU=c", "a\\", "OU=c", true},
	{"CN=\\20a\\20,OU=c", " a ", "OU=c", true},
	{"CN=\\ a\\ ,OU=c", " a ", "OU=c", true},
	{"CN=\\#a,OU=c", "#a", "OU=c", true},
	{"CN=a\\+b,OU=c", "a+b", "OU=c", true},
	{"CN=a=b,OU=c", "a=b", "OU=c", true},
	{"CN=\\C3\\BC,OU=c", "\xc3\xbc", "OU=c", true},
	{"CN=\xc3\xbc,OU=c", "\xc3\xbc", "OU=c", true},
	{"CN=a\\\"b,OU=c", "a\"b", "OU=c", true},
	/* several attributes, hex, not a text, a name of an object in conflict (a line feed), cut */
	{"CN=a+serialNumber=1,OU=c", NULL, "OU=c", false},
	{"CN=#0401ff,OU=c", NULL, "OU=c", false},
	{"CN=a\\FF,OU=c", NULL, "OU=c", false},
	{"CN=a\\0ACNF:2c7e,OU=c", NULL, "OU=c", false},
	{"CN=a\\00,OU=c", NULL, "OU=c", false},
	{"CN=,OU=c", NULL, "OU=c", false},
	{"CN=a\\", NULL, "", false},
	{"=a,OU=c", NULL, "OU=c", false},
	{"a,OU=c", NULL, "OU=c", false},
	{"", NULL, "", false},
	{",", NULL, "", false},
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = certdir_dn_rdn_value(names[i].dn, NULL, &arena);

		assert_string_equal(certdir_dn_parent(names[i].dn), names[i].parent);
		if (!value != !names[i].value)
			fail_msg("%s: %s", names[i].dn, value ? value : "not read");
		if (!value)
			continue;
		assert_string_equal(value, names[i].value);
		assert_int_equal(certdir_dn_rdn_value(names[i].dn, "CN", &arena) != NULL, names[i].is_cn);
		assert_null(certdir_dn_rdn_value(names[i].dn, "C", &arena));
	}
}

/* ---- values ---- */

static struct certdir_ldap_value value_of(const char *attribute, const char *bytes, size_t length)
{
	return (struct certdir_ldap_value){attribute, strlen(attribute), (const unsigned char *)bytes, length};
}

static void test_attributes(void **state)
{
	struct certdir_ldap_value value = value_of("sAMAccountName", "a", 1);
	const struct certdir_ldap_entry entry = {"", 0, &value, 1, .pieces = NULL};

	(void)state;
	assert_true(certdir_value_of(&value, "samaccountname"));
	assert_false(certdir_value_of(&value, "sAMAccountNam"));
	assert_false(certdir_value_of(&value, "sAMAccountName2"));
	assert_ptr_equal(certdir_value_find(&entry, "SAMACCOUNTNAME"), &value);
	assert_null(certdir_value_find(&entry, "cn"));
	/* A name with a NUL inside is no name of ours. */
	value.attribute = "cn\0xx";
	value.attribute_length = 5;
	assert_false(certdir_value_of(&value, "cn"));
}

static void test_texts(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		bool ok;
	} texts[] = {{"a", 1, true},	     {"\xc3\xbc x", 4, true}, {"", 0, false},
		     {"a\0b", 3, false},     {"a\n", 2, false},	      {"\x7f", 1, false},
		     {"\xc2\x85", 2, false}, {"\xff", 1, false},      {"\xc3", 1, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const struct certdir_ldap_value value = value_of("cn", texts[i].bytes, texts[i].length);
		const char *text = certdir_value_text(&arena, &value);

		assert_int_equal(text != NULL, texts[i].ok);
		if (text)
			assert_memory_equal(text, texts[i].bytes, texts[i].length + 1);
	}
}

static void test_flags(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		uint32_t flags;
	} numbers[] = {{"4096", true, 4096},
		       {"4098", true, 4098},
		       {"-2147483646", true, 0x80000002},
		       {"0", true, 0},
		       {"4294967295", true, UINT32_MAX},
		       {"4294967296", false, 0},
		       {"-2147483649", false, 0},
		       {"", false, 0},
		       {"0x1000", false, 0},
		       {"4096 ", false, 0},
		       {"99999999999999999999", false, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const struct certdir_ldap_value value = value_of("a", numbers[i].text, strlen(numbers[i].text));
		uint32_t flags = 0;

		assert_int_equal(certdir_value_flags(&value, &flags), numbers[i].ok);
		assert_int_equal(flags, numbers[i].flags);
	}
}

static void test_order(void **state)
{
	struct certdir_ldap_bytes values[] = {{"b", 1}, {"ab", 2}, {"", 0}, {"a", 1}, {"\xff", 1}, {"A", 1}};
	static const char *const sorted[] = {"", "A", "a", "ab", "b", "\xff"};

	(void)state;
	qsort(values, 6, sizeof(values[0]), certdir_bytes_compare);
	for (size_t i = 0; i < 6; i++)
		assert_string_equal(values[i].bytes, sorted[i]);
}

static void test_filters(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		const char *filter;
	} filters[] = {{"LAPTOP-7$", 9, "(a=LAPTOP-7$)"},
		       {"HOST/x.corp", 11, "(a=HOST/x.corp)"},
		       {"*)(b=\\", 6, "(a=\\2a\\29\\28b\\3d\\5c)"},
		       {"a\0b", 3, "(a=a\\00b)"},
		       {" \xc3\xbc", 3, "(a=\\20\\c3\\bc)"}};

	(void)state;
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		certdir_filter_print(out, "a", filters[i].bytes, filters[i].length);
		assert_int_equal(fclose(out), 0);
		assert_string_equal(text, filters[i].filter);
		free(text);
	}
}

/* ---- signs of life ---- */

/* An account as we make it, but for one attribute: "" is none, "-" one that is not there. */
static const struct {
	const char *attribute, *value;
	const char *life; /* NULL: none */
} lives[] = {
	{"", "", NULL},
	/* What placeholders have: by use (NPS asks for their groups), by older templates, by hand. */
	{"lastLogonTimestamp", "134142480000000000", NULL},
	{"lastLogon", "134142480000000000", NULL},
	{"logonCount", "12", NULL},
	{"dNSHostName", "pc1.corp.example", NULL},
	{"servicePrincipalName", "HOST/PC1", NULL},
	{"servicePrincipalName", "host/pc1.corp.example:80", NULL},
	{"servicePrincipalName", "RADIUS/PC1", NULL},
	{"servicePrincipalName", "radius/PC1", NULL},
	{"servicePrincipalName", "HTTP/PC1", NULL}, /* an earlier template's */
	{"servicePrincipalName", "WSMANS/PC1", NULL},
	{"description", "TERMSRV/PC1", NULL},
	{"pwdLastSet", "0", NULL},
	{"pwdLastSet", "134142480000000000", NULL},
	{"pwdLastSet", "134142480100000000", NULL}, /* ten seconds later */
	{"pwdLastSet", "134142479000000000", NULL}, /* before: an account that came back from the recycle bin */
	/* What a computer has. */
	{"pwdLastSet", "134142480110000000",
	 "its password was set at 2026-01-30T12:00:11Z, and the account was made at 2026-01-30T12:00:00Z"},
	{"pwdLastSet", "-", "its pwdLastSet cannot be read"},
	{"pwdLastSet", "never", "its pwdLastSet cannot be read"},
	{"whenCreated", "-", "its whenCreated cannot be read"},
	{"whenCreated", "yesterday", "its whenCreated cannot be read"},
	{"operatingSystem", "Windows 11 Enterprise", "operatingSystem Windows 11 Enterprise"},
	{"OPERATINGSYSTEMVERSION", "10.0 (22631)", "operatingSystemVersion 10.0 (22631)"},
	{"operatingSystem", "a\n", "operatingSystem"},
	{"operatingSystem", "", "operatingSystem"},
	{"userCertificate", "\x30\x82", "userCertificate"},
	{"msDS-KeyCredentialLink", "B:4:0001:CN=PC1", "msDS-KeyCredentialLink B:4:0001:CN=PC1"},
	{"ms-Mcs-AdmPwdExpirationTime", "134142480000000000", "ms-Mcs-AdmPwdExpirationTime 134142480000000000"},
	{"msLAPS-PasswordExpirationTime", "134142480000000000", "msLAPS-PasswordExpirationTime 134142480000000000"},
	{"servicePrincipalName", "RestrictedKrbHost/PC1",
	 "servicePrincipalName RestrictedKrbHost/PC1, which Windows registers for a joined computer"},
	{"servicePrincipalName", "termsrv/PC1",
	 "servicePrincipalName termsrv/PC1, which Windows registers for a joined computer"},
	{"servicePrincipalName", "WSMAN", "servicePrincipalName WSMAN, which Windows registers for a joined computer"},
	/* What is a computer to the schema, and no PC. */
	{"objectClass", "computer", NULL},
	{"objectClass", "posixAccount", NULL},
	{"objectClass", "msDS-ManagedServiceAccount", "objectClass msDS-ManagedServiceAccount"},
	{"OBJECTCLASS", "msds-groupmanagedserviceaccount", "objectClass msds-groupmanagedserviceaccount"},
	{"userAccountControl", "4098", NULL},
	{"userAccountControl", "528384", NULL}, /* trusted for delegation: told, and no sign */
	{"userAccountControl", "532480", "userAccountControl 532480, as domain controllers have it"},
	{"userAccountControl", "83890176", "userAccountControl 83890176, as domain controllers have it"},
};

static size_t set_one(struct certdir_ldap_value *values, size_t count, const char *attribute, const char *text)
{
	size_t i = 0;

	while (i < count && strcmp(values[i].attribute, attribute) != 0)
		i++;
	values[i] = value_of(attribute, text, strlen(text));
	if (strcmp(text, "-") != 0)
		return i < count ? count : count + 1;
	values[i] = values[count - 1];
	return count - 1;
}

static void test_life(void **state)
{
	const struct certdir_template template = {"RADIUS/{cn}", true};
	struct certdir_column column = {"servicePrincipalName", &template, 1, true, true};
	const struct certdir_plan_rules rules = {.columns = &column, .column_count = 1};

	(void)state;
	for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
		struct certdir_ldap_value values[4] = {value_of("whenCreated", "20260130120000.0Z", 17),
						       value_of("pwdLastSet", "134142480000000000", 18),
						       value_of("userAccountControl", "4096", 4)};
		struct certdir_ldap_entry entry = {"CN=PC1", 6, values, 3, .pieces = NULL};
		const char *life;

		if (lives[i].attribute[0])
			entry.count = set_one(values, 3, lives[i].attribute, lives[i].value);
		life = certdir_life_find(&rules, &entry, &arena);
		if (!!life != !!lives[i].life || (life && strcmp(life, lives[i].life) != 0))
			fail_msg("%s %s: %s", lives[i].attribute, lives[i].value, life ? life : "no sign");
	}
}

/* More values than the server gives at once: whatever it is, no placeholder has so many. */
static void test_life_in_pieces(void **state)
{
	static const char name[] = "userCertificate;range=0-1499",
			  text[] = "its userCertificate has more values than the server "
				   "gives at once";
	const struct certdir_plan_rules rules = {.column_count = 0};
	const struct certdir_ldap_value values[] = {value_of("whenCreated", "20260130120000.0Z", 17),
						    value_of("pwdLastSet", "134142480000000000", 18)};
	const struct certdir_ldap_entry entry = {"CN=PC1", 6, values, 2, .pieces = name, .pieces_length = strlen(name)};

	(void)state;
	assert_string_equal(certdir_life_find(&rules, &entry, &arena), text);
}

/* A template whose class is the device's own may have written any. */
static void test_life_of_open_class(void **state)
{
	const struct certdir_template template = {"{name}/{cn}", true};
	struct certdir_column column = {"servicePrincipalName", &template, 1, true, true};
	const struct certdir_plan_rules rules = {.columns = &column, .column_count = 1};
	struct certdir_ldap_value values[] = {value_of("whenCreated", "20260130120000.0Z", 17),
					      value_of("pwdLastSet", "134142480000000000", 18),
					      value_of("servicePrincipalName", "TERMSRV/PC1", 11)};
	const struct certdir_ldap_entry entry = {"CN=PC1", 6, values, 3, .pieces = NULL};

	(void)state;
	assert_null(certdir_life_find(&rules, &entry, &arena));
}

/* ---- the password ---- */

static void test_password(void **state)
{
	char values[200][CERTDIR_PASSWORD_SIZE];
	struct certdir_error error;

	(void)state;
	for (size_t n = 0; n < 200; n++) {
		size_t upper = 0, lower = 0, digits = 0;

		assert_true(certdir_password_make(values[n], &error));
		for (size_t i = 0; i < CERTDIR_PASSWORD_SIZE; i += 2) {
			const char c = values[n][i];
			const bool edge = i == 0 || i == CERTDIR_PASSWORD_SIZE - 2;

			assert_int_equal(values[n][i + 1], 0);
			assert_int_equal(c == '"', edge);
			assert_true(c > ' ' && c <= '~');
			upper += c >= 'A' && c <= 'Z';
			lower += c >= 'a' && c <= 'z';
			digits += c >= '0' && c <= '9';
		}
		assert_true(upper > 0 && lower > 0 && digits > 0);
		for (size_t other = 0; other < n; other++)
			assert_memory_not_equal(values[n], values[other], CERTDIR_PASSWORD_SIZE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_names, clear),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test_teardown(test_texts, clear),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_filters),
		cmocka_unit_test_teardown(test_life, clear),
		cmocka_unit_test_teardown(test_life_in_pieces, clear),
		cmocka_unit_test_teardown(test_life_of_open_class, clear),
		cmocka_unit_test(test_password),
	};

	return cmocka_run_group_tests_name("accounts", tests, NULL, NULL);
}
