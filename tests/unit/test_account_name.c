/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/account_name.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

static const char *name_of(const char *cn, const char *key, unsigned attempt)
{
	static char out[CERTDIR_ACCOUNT_NAME_SIZE];

	memset(out, 'x', sizeof(out));
	certdir_account_name(cn, key, attempt, out);
	assert_non_null(memchr(out, '\0', sizeof(out)));
	return out;
}

static void test_first(void **state)
{
	static const struct {
		const char *cn, *name;
	} names[] = {
		{"PC1", "PC1$"},
		{"laptop-7", "LAPTOP-7$"},
		{"x", "X$"},
		{"WORKSTATION-BER", "WORKSTATION-BER$"},
		{"WORKSTATION-BERLIN-1", "WORKSTATION-BER$"},
		{"2c7e3f0a-1111-2222-3333-444455556666", "2C7E3F0A-1111-2$"},
		{"Müllers PC", "M-LLERS-PC$"},
		{"\xf0\x9f\x98\x80\xf0\x9f\x98\x80", "--$"},
		{"a b\tc\x7f", "A-B-C-$"},
		{"\"/\\[]:;|=,+*?<>", "---------------$"},
		{"a@b.c_d$", "A-B.C_D$$"},
		{"123456789012345\xc3\xa4", "123456789012345$"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_string_equal(name_of(names[i].cn, "key", 0), names[i].name);
}

static bool is_made(const char *name, const char *start)
{
	const size_t length = strlen(start);

	return strncmp(name, start, length) == 0 && name[length] == '-' &&
	       strspn(name + length + 1, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789") == 6 &&
	       strcmp(name + length + 7, "$") == 0;
}

static void test_others(void **state)
{
	char one[CERTDIR_ACCOUNT_NAME_SIZE];

	(void)state;
	assert_true(is_made(name_of("WORKSTATION-BERLIN-1", "k1", 1), "WORKSTAT"));
	assert_true(is_made(name_of("pc", "k1", 1), "PC"));
	assert_true(is_made(name_of("\xc3\xa4", "k1", 7), "-"));
	/* Names that accounts have got must stay what they are. */
	assert_string_equal(name_of("WORKSTATION-BERLIN-2", "k2", 1), "WORKSTAT-5KLV7M$");
	assert_string_equal(name_of("WORKSTATION-BERLIN-2", "k2", 2), "WORKSTAT-Z2T5P5$");
	/* It is the device's own, and each attempt is another. */
	(void)strcpy(one, name_of("WORKSTATION-BERLIN-1", "k1", 1));
	assert_string_equal(one, name_of("WORKSTATION-BERLIN-9", "k1", 1));
	assert_string_not_equal(one, name_of("WORKSTATION-BERLIN-1", "k1", 2));
	assert_string_not_equal(one, name_of("WORKSTATION-BERLIN-1", "k2", 1));
}

static int by_text(const void *a, const void *b)
{
	return memcmp(a, b, CERTDIR_ACCOUNT_NAME_SIZE);
}

/* 30 bits: of 20,000 keys that differ little, hardly two get one name. */
static void test_spread(void **state)
{
	enum { KEYS = 20000 };
	static char names[KEYS][CERTDIR_ACCOUNT_NAME_SIZE];
	size_t same = 0;

	(void)state;
	for (int i = 0; i < KEYS; i++) {
		char key[16];

		(void)snprintf(key, sizeof(key), "%d", i);
		(void)strcpy(names[i], name_of("WORKSTATION", key, 1));
	}
	qsort(names, KEYS, sizeof(*names), by_text);
	for (int i = 1; i < KEYS; i++)
		same += strcmp(names[i - 1], names[i]) == 0;
	assert_in_range(same, 0, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
