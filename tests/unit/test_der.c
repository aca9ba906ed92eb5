/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The smallest steps of reading a certificate's bytes: lengths of DER, and where UTF-8 begins to be none. */
#include "identity/der.h"
#include "text/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *bytes;
	size_t size;
	int length; /* of the content, -1: refused */
	size_t rest;
} elements[] = {
	{"\x04\x00", 2, 0, 0},
	{"\x04\x01x", 3, 1, 0},
	{"\x04\x01xy", 4, 1, 1},
	{"\x04\x02x", 3, -1, 0}, /* one more than there is */
	{"\x04\x01", 2, -1, 0},
	{"\x04", 1, -1, 0},
	{"\x04\x81\x01x", 4, 1, 0},
	{"\x04\x81\x02x", 4, -1, 0},
	{"\x04\x82\x00\x01x", 5, 1, 0},
	{"\x04\x82\x01", 3, -1, 0}, /* octets of the length are missing */
	{"\x04\x84\x00\x00\x00\x01x", 7, 1, 0},
	{"\x04\x84\xff\xff\xff\xffx", 7, -1, 0},
	{"\x04\x85\x00\x00\x00\x00\x01x", 8, -1, 0},
	{"\x04\x80x", 3, -1, 0}, /* indefinite */
	{"\x1f\x01x", 3, -1, 0}, /* a tag of several octets */
};

static void test_lengths(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++) {
		struct certdir_der rest = {(const unsigned char *)elements[i].bytes, elements[i].size}, content = {0};
		unsigned tag = 0;
		const bool taken = certdir_der_take(&rest, &tag, &content);

		if (taken != (elements[i].length >= 0))
			fail_msg("element %zu is %s", i, taken ? "taken" : "refused");
		if (taken && (content.length != (size_t)elements[i].length || rest.length != elements[i].rest))
			fail_msg("element %zu has %zu bytes before %zu", i, content.length, rest.length);
	}
}

/* Without an end there is no length, also where 128 bytes follow. */
static void test_indefinite(void **state)
{
	const unsigned char bytes[200] = {0x04, 0x80};
	struct certdir_der rest = {bytes, sizeof(bytes)}, content;
	unsigned tag;

	(void)state;
	assert_false(certdir_der_take(&rest, &tag, &content));
}

static const struct {
	const char *bytes;
	size_t size; /* of the character, 0: it is none */
	uint32_t character;
} characters[] = {
	{"\x7f", 1, 0x7f},
	{"\x80", 0, 0},
	{"\xc1\xbf", 0, 0}, /* overlong */
	{"\xc2\x80", 2, 0x80},
	{"\xdf\xbf", 2, 0x7ff},
	{"\xe0\x9f\xbf", 0, 0},
	{"\xe0\xa0\x80", 3, 0x800},
	{"\xed\x9f\xbf", 3, 0xd7ff},
	{"\xed\xa0\x80", 0, 0}, /* the first surrogate */
	{"\xed\xbf\xbf", 0, 0}, /* the last one */
	{"\xee\x80\x80", 3, 0xe000},
	{"\xef\xbf\xbf", 3, 0xffff},
	{"\xf0\x8f\xbf\xbf", 0, 0},
	{"\xf0\x90\x80\x80", 4, 0x10000},
	{"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
	{"\xf4\x90\x80\x80", 0, 0},
	{"\xf8\x88\x80\x80\x80", 0, 0},
	{"\xc2", 0, 0}, /* cut */
	{"\xe0\xa0", 0, 0},
	{"\xf0\x90\x80", 0, 0},
	{"\xc2\x7f", 0, 0}, /* not followed by what follows */
	{"\xc2\xc0", 0, 0},
};

static void test_characters(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(characters) / sizeof(characters[0]); i++) {
		const char *bytes = characters[i].bytes;
		uint32_t character = 0;
		char again[4];
		const size_t size = certdir_utf8_read(bytes, strlen(bytes), &character);

		if (size != characters[i].size || (size && character != characters[i].character))
			fail_msg("character %zu: %zu bytes, U+%04X", i, size, (unsigned)character);
		if (size > 1) /* what is cut is none, also where the rest stands behind it */
			assert_int_equal(certdir_utf8_read(bytes, size - 1, &character), 0);
		if (size) {
			character = characters[i].character;
			assert_int_equal(certdir_utf8_write(character, again), size);
			assert_memory_equal(again, bytes, size);
		}
	}
}

/* What no name may have in it: the first and the last of each range, and who stands beside them. */
static void test_hidden(void **state)
{
	static const uint32_t hidden[] = {0x0,	  0x1f,	  0x7f,	  0x9f,	  0x61c,  0x200e, 0x200f,
					  0x2028, 0x2029, 0x202a, 0x202e, 0x2066, 0x2069};
	static const uint32_t shown[] = {0x20,	 0x7e,	 0xa0,	 0x61b,	 0x61d, 0x200d,
					 0x2010, 0x2027, 0x202f, 0x2065, 0x206a};

	(void)state;
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (!certdir_utf8_hidden(hidden[i]))
			fail_msg("U+%04X is shown", (unsigned)hidden[i]);
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		if (certdir_utf8_hidden(shown[i]))
			fail_msg("U+%04X is hidden", (unsigned)shown[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_indefinite),
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
