/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text from outside: what is clean, what is shown of it, GUIDs, times, domains: from tables. */
#include "ldap/filter.h"
#include "text/canonical.h"
#include "text/dn.h"
#include "text/excerpt.h"
#include "text/timestamp.h"
#include "text/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(text) text, sizeof(text) - 1

static void test_fault(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		enum certdir_text_fault fault;
	} cases[] = {
		{BYTES(""), CERTDIR_TEXT_CLEAN},
		{BYTES("a ~\302\240\360\237\222\273"), CERTDIR_TEXT_CLEAN},
		{BYTES("\342\200\256"), CERTDIR_TEXT_CLEAN}, /* reorders, and is no control character */
		{BYTES("a\0"), CERTDIR_TEXT_NUL},
		{BYTES("\377\0"), CERTDIR_TEXT_NUL},
		{BYTES("\n\377"), CERTDIR_TEXT_CONTROL},
		{BYTES("\377\n"), CERTDIR_TEXT_NOT_UTF8},
		{BYTES("a\177"), CERTDIR_TEXT_CONTROL},
		{BYTES("\302\237"), CERTDIR_TEXT_CONTROL},
		{BYTES("a\303"), CERTDIR_TEXT_NOT_UTF8},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(certdir_text_fault(cases[i].bytes, cases[i].length), cases[i].fault);
	for (uint32_t character = 0; character < 0x300; character++)
		assert_int_equal(certdir_utf8_control(character),
				 character < 0x20 || (character >= 0x7f && character <= 0x9f));
}

static void test_guid_is(void **state)
{
	static const struct {
		const char *text;
		bool is, zero;
	} cases[] = {
		{"5f0e3b0a-6c1d-4a57-9b1e-0d3c2a4b5c6d", true, false},
		{"5F0E3B0A-6C1D-4A57-9B1E-0D3C2A4B5C6D", true, false},
		{"00000000-0000-0000-0000-000000000000", true, true},
		{"{5f0e3b0a-6c1d-4a57-9b1e-0d3c2a4b5c6d}", false, false},
		{" 5f0e3b0a-6c1d-4a57-9b1e-0d3c2a4b5c6", false, false},
		{"5f0e3b0a-6c1d-4a57-9b1e-0d3c2a4b5c6g", false, false},
		{"5f0e3b0a-6c1d-4a57-9b1e00d3c2a4b5c6d", false, false},
		{"5f0e3b0a-6c1d-4a57-9b1e-0d3c2a4b5c6", false, false},
		{"", false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool zero = true;

		assert_int_equal(certdir_guid_is(cases[i].text, &zero), cases[i].is);
		if (cases[i].is)
			assert_int_equal(zero, cases[i].zero);
	}
}

static void test_excerpt_clean(void **state)
{
	static const struct {
		const char *text, *shown; /* in 8 bytes */
	} cases[] = {
		{"", ""},
		{"abcdefg", "abcdefg"},
		{"abcdefgh", "abcdefg"},
		{"abcde\303\274", "abcde\303\274"},
		{"abcdef\303\274", "abcdef"},
		{"a\nb\033", "a?b?"},
		{"\377\303(", "?"
			      "?("},
		{"\342\200\256x", "?x"},
	};
	char out[9];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		out[8] = '#';
		certdir_excerpt_clean(out, 8, cases[i].text);
		assert_string_equal(out, cases[i].shown);
		assert_int_equal(out[8], '#');
	}
}

static void test_excerpt(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		const char *shown; /* in 8 bytes */
	} cases[] = {
		{BYTES(""), ""},
		{BYTES("abcde"), "abcde"},
		{BYTES("abcdef"), "abcde.."},
		{BYTES("abc\303\274"), "abc\303\274"},
		{BYTES("abcd\303\274"), "abcd.."},
		{BYTES("a\nb\0c"), "a b c"},
		{BYTES("\033[\177\302\205"), " [   "},
		{BYTES("ab\377c"), "ab.."},
	};
	char out[9] = "";

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		out[8] = '#';
		assert_ptr_equal(certdir_excerpt(out, 8, cases[i].text, cases[i].length), out);
		assert_string_equal(out, cases[i].shown);
		assert_int_equal(out[8], '#');
	}
}

static void test_timestamps(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds; /* -1 = none */
	} cases[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"1970-01-01T00:00:01Z", 1},
		{"2024-02-29T23:59:59Z", 1709251199},
		{"2000-02-29T12:00:00Z", 951825600},
		{"2100-03-01T00:00:00Z", 4107542400},
		{"9999-12-31T23:59:59Z", 253402300799},
		{"2024-05-01", 1714521600},
		{"2024-05-01T10:00Z", 1714557600},
		{"2024-05-01 10:00:00", 1714557600},
		{"2024-05-01t10:00:00z", 1714557600},
		{"2024-05-01T10:00:00.9999999Z", 1714557600},
		{"2024-05-01T12:00:00+02:00", 1714557600},
		{"2024-05-01T01:30:00-0830", 1714557600},
		{"2016-12-31T23:59:60Z", 1483228800}, /* a leap second */
		{"/Date(1714557600000)/", 1714557600},
		{"/Date(1714557600000+0200)/", 1714557600},
		/* none */
		{"0001-01-01T00:00:00Z", 0},
		{"0000-01-01T00:00:00Z", 0},
		{"1601-01-01T00:00:00Z", 0},
		{"1969-12-31T23:59:59Z", 0},
		{"1970-01-01T00:00:00+01:00", 0},
		{"/Date(-62135596800000)/", 0},
		/* no times */
		{"", -1},
		{"2023-02-29T00:00:00Z", -1},
		{"2100-02-29T00:00:00Z", -1},
		{"2024-04-31T00:00:00Z", -1},
		{"2024-00-10T00:00:00Z", -1},
		{"2024-13-10T00:00:00Z", -1},
		{"2024-01-00T00:00:00Z", -1},
		{"2024-01-32T00:00:00Z", -1},
		{"2024-05-01T24:00:00Z", -1},
		{"2024-05-01T10:60:00Z", -1},
		{"2024-05-01T10:00:61Z", -1},
		{"2024-05-01T10:00:00.Z", -1},
		{"2024-05-01T10:00:00+2", -1},
		{"2024-05-01T10:00:00+24:00", -1},
		{"2024-05-01T10:00:00Zx", -1},
		{"2024-05-01T", -1},
		{"2024-5-1", -1},
		{"24-05-01", -1},
		{"01.05.2024", -1},
		{" 2024-05-01", -1},
		{"/Date(x)/", -1},
		{"/Date(1714557600000", -1},
	};
	int64_t seconds;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (!certdir_timestamp_parse(cases[i].text, &seconds))
			seconds = -1;
		if (seconds != cases[i].seconds)
			fail_msg("%s: %lld", cases[i].text, (long long)seconds);
	}
}

/* Every day of four centuries and more, against the C library. */
static void test_every_day(void **state)
{
	char text[CERTDIR_TIMESTAMP_SIZE];
	int64_t seconds;

	(void)state;
	for (int64_t day = 0; day < 160000; day++) {
		certdir_timestamp_print(day * 86400 + day % 86400, text);
		assert_true(certdir_timestamp_parse(text, &seconds));
		assert_int_equal(seconds, day * 86400 + day % 86400);
	}
}

static void test_time_printed(void **state)
{
	char text[CERTDIR_TIMESTAMP_SIZE];

	(void)state;
	certdir_timestamp_print(1714557600, text);
	assert_string_equal(text, "2024-05-01T10:00:00Z");
	assert_true(certdir_timestamp_show(1714557600, text));
	assert_string_equal(text, "2024-05-01 10:00:00Z");
	certdir_timestamp_print(INT64_MIN, text);
	assert_string_equal(text, "@-9223372036854775808");
	assert_false(certdir_timestamp_show(INT64_MAX, text));
}

static void test_domain(void **state)
{
	static const struct {
		const char *name, *some, *only; /* NULL: none */
	} cases[] = {
		{"DC=Corp,dc=example", "corp.example", "corp.example"},
		{"ou=x, DC=corp, DC=example", "corp.example", NULL},
		{"OU=x,DC=corp,OU=y,DC=example", "corp.example", NULL},
		{"DC=corp.example", "corp.example", "corp.example"},
		{"DC=,DC=example", NULL, NULL},
		{"DC=a b", NULL, NULL},
		{"O=x", NULL, NULL},
		{"x", NULL, NULL},
		{"", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char domain[CERTDIR_VALUE_MAX + 1];

		assert_int_equal(certdir_dn_domain(cases[i].name, false, domain), cases[i].some != NULL);
		if (cases[i].some)
			assert_string_equal(domain, cases[i].some);
		assert_int_equal(certdir_dn_domain(cases[i].name, true, domain), cases[i].only != NULL);
		if (cases[i].only)
			assert_string_equal(domain, cases[i].only);
	}
}

static void test_filter_byte(void **state)
{
	static const struct {
		unsigned char byte;
		const char *put;
	} cases[] = {{'a', "a"},    {'Z', "Z"},	    {'0', "0"},	    {'$', "$"},	    {'*', "\\2a"}, {'(', "\\28"},
		     {')', "\\29"}, {'\\', "\\5c"}, {'\0', "\\00"}, {0xff, "\\ff"}, {' ', "\\20"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char out[CERTDIR_LDAP_FILTER_BYTE + 1];

		*certdir_ldap_filter_put(out, cases[i].byte) = '\0';
		assert_string_equal(out, cases[i].put);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fault),	      cmocka_unit_test(test_guid_is),
		cmocka_unit_test(test_excerpt_clean), cmocka_unit_test(test_excerpt),
		cmocka_unit_test(test_timestamps),    cmocka_unit_test(test_every_day),
		cmocka_unit_test(test_time_printed),  cmocka_unit_test(test_domain),
		cmocka_unit_test(test_filter_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
