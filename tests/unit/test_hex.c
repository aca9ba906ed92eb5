/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hexadecimal digits and the hash of tables: from tables. */
#include "base/hash.h"
#include "text/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_digits(void **state)
{
	static const char digits[] = "0123456789abcdef";

	(void)state;
	for (int c = 0; c < 256; c++) {
		const char *at = c ? strchr("0123456789abcdefABCDEF", c) : NULL;
		const int expected = !at ? -1 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : (int)(strchr(digits, c) - digits);

		assert_int_equal(certdir_hex_digit((char)c), expected);
	}
}

static void test_byte(void **state)
{
	static const struct {
		const char *text;
		int byte;
	} cases[] = {{"00", 0}, {"0f", 15}, {"F0", 240}, {"fFx", 255}, {"", -1},
		     {"a", -1}, {"ag", -1}, {"ga", -1},	 {" 1", -1},   {"0x", -1}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(certdir_hex_byte(cases[i].text), cases[i].byte);
}

static void test_print(void **state)
{
	char text[9] = "........";

	(void)state;
	certdir_hex_print("\x00\x1f\xa0\xff", 4, text);
	assert_string_equal(text, "001fa0ff");
	certdir_hex_print("", 0, text);
	assert_string_equal(text, "");
}

/* Vectors of the authors (http://www.isthe.com/chongo/tech/comp/fnv): names that were made by it must stay what they are. */
static void test_hash(void **state)
{
	(void)state;
	assert_true(certdir_hash_text("") == UINT64_C(0xcbf29ce484222325));
	assert_true(certdir_hash_text("a") == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(certdir_hash_text("foobar") == UINT64_C(0x85944171f73967e8));
	assert_true(certdir_hash_byte(CERTDIR_HASH_START, 'a') == certdir_hash_text("a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digits),
		cmocka_unit_test(test_byte),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
