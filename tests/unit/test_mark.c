/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mark that an entry carries. */
#include "directory/mark.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECTION_32 "abcdefghijklmnopqrstuvwxyz-01234"
#define KEY_100 "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
#define KEY_158 KEY_100 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuv"
#define TIME INT64_C(1795341600) /* 2026-11-22T10:00:00Z */

static void check_mark(size_t i, const struct certdir_mark *mark, const char *section, const char *key,
		       enum certdir_mark_state state, int64_t gone)
{
	if (strcmp(mark->section, section) != 0 || strcmp(mark->key, key) != 0 || mark->state != state ||
	    mark->gone != gone)
		fail_msg("case %zu: section \"%s\", key \"%s\", state %d, gone %lld", i, mark->section, mark->key,
			 (int)mark->state, (long long)mark->gone);
}

/* What is printed, and that it reads as the same again. */
static void test_marks(void **state)
{
	static const struct {
		const char *section, *key;
		enum certdir_mark_state state;
		int64_t gone;
		const char *text;
	} cases[] = {
		{"wifi", "2c7e3f0a-1", CERTDIR_MARK_WANTED, 0, "certdir:wifi:2c7e3f0a-1"},
		{"wifi", "2c7e3f0a-1", CERTDIR_MARK_DISABLED, 0, "certdir:wifi:2c7e3f0a-1:disabled"},
		{"wifi", "2c7e3f0a-1", CERTDIR_MARK_GONE, TIME, "certdir:wifi:2c7e3f0a-1:gone=2026-11-22T10:00:00Z"},
		{"wifi", "x", CERTDIR_MARK_GONE, 0, "certdir:wifi:x:gone=1970-01-01T00:00:00Z"},
		{"w", "a:b:c", CERTDIR_MARK_WANTED, 0, "certdir:w:a:b:c"},
		{"w", "a:b:c", CERTDIR_MARK_DISABLED, 0, "certdir:w:a:b:c:disabled"},
		{"w", "m\xc3\xbcller", CERTDIR_MARK_WANTED, 0, "certdir:w:m\xc3\xbcller"},
		/* Keys that look like more than a key. */
		{"w", "a:disabled", CERTDIR_MARK_WANTED, 0, "certdir:w:a:disabled:"},
		{"w", "a:disabled", CERTDIR_MARK_DISABLED, 0, "certdir:w:a:disabled:disabled"},
		{"w", "a:gone=2026-11-22T10:00:00Z", CERTDIR_MARK_WANTED, 0, "certdir:w:a:gone=2026-11-22T10:00:00Z:"},
		{"w", "a:gone=2026-11-22T10:00:00Z", CERTDIR_MARK_GONE, TIME,
		 "certdir:w:a:gone=2026-11-22T10:00:00Z:gone=2026-11-22T10:00:00Z"},
		{"w", "a:", CERTDIR_MARK_WANTED, 0, "certdir:w:a::"},
		{"w", "a:", CERTDIR_MARK_DISABLED, 0, "certdir:w:a::disabled"},
		{"w", ":", CERTDIR_MARK_WANTED, 0, "certdir:w::"},
		{"w", "::", CERTDIR_MARK_WANTED, 0, "certdir:w::::"},
		{"w", ":disabled", CERTDIR_MARK_WANTED, 0, "certdir:w::disabled:"},
		{"w", ":disabled", CERTDIR_MARK_DISABLED, 0, "certdir:w::disabled:disabled"},
		{"w", "a:gone=soon", CERTDIR_MARK_WANTED, 0, "certdir:w:a:gone=soon:"},
		{"w", "a:Disabled", CERTDIR_MARK_WANTED, 0, "certdir:w:a:Disabled:"},
		{"w", "a:gone=x:b", CERTDIR_MARK_WANTED, 0, "certdir:w:a:gone=x:b:"},
		{"w", "disabled", CERTDIR_MARK_WANTED, 0, "certdir:w:disabled"},
		/* The longest. */
		{SECTION_32, KEY_158, CERTDIR_MARK_WANTED, 0, "certdir:" SECTION_32 ":" KEY_158},
		{SECTION_32, KEY_158, CERTDIR_MARK_GONE, TIME,
		 "certdir:" SECTION_32 ":" KEY_158 ":gone=2026-11-22T10:00:00Z"},
	};

	(void)state;
	assert_int_equal(strlen(KEY_158), CERTDIR_MARK_KEY_MAX);
	assert_int_equal(strlen(SECTION_32), CERTDIR_MARK_SECTION_MAX);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct certdir_mark mark = {.state = cases[i].state, .gone = cases[i].gone};
		char text[CERTDIR_MARK_MAX + 1];

		memcpy(mark.section, cases[i].section, strlen(cases[i].section) + 1);
		memcpy(mark.key, cases[i].key, strlen(cases[i].key) + 1);
		certdir_mark_print(&mark, text);
		assert_string_equal(text, cases[i].text);
		memset(&mark, 0xff, sizeof(mark));
		if (!certdir_mark_parse(text, strlen(text), &mark))
			fail_msg("case %zu: \"%s\" is no mark", i, text);
		check_mark(i, &mark, cases[i].section, cases[i].key, cases[i].state, cases[i].gone);
	}
}

/*
 * Other spellings mean what ours do: directories do not tell them apart. What is no time is never in the device's
 * favour.
 */
static void test_near_marks(void **state)
{
	static const struct {
		const char *text, *section, *key;
		enum certdir_mark_state state;
		int64_t gone;
	} cases[] = {
		{"certdir:w:a:Disabled", "w", "a", CERTDIR_MARK_DISABLED, 0},
		{"certdir:w:a:disabled ", "w", "a", CERTDIR_MARK_DISABLED, 0},
		{"  CERTDIR:Fleet:A:DISABLED  ", "Fleet", "A", CERTDIR_MARK_DISABLED, 0},
		{"Certdir:w:a", "w", "a", CERTDIR_MARK_WANTED, 0},
		{"certdir:w:a  ", "w", "a", CERTDIR_MARK_WANTED, 0},
		{"certdir:w:2C7E3F0A-0000-4000-8000-00000000000F", "w", "2c7e3f0a-0000-4000-8000-00000000000f",
		 CERTDIR_MARK_WANTED, 0},
		{"CERTDIR:W:A:GONE=2026-11-22T10:00:00Z", "W", "A", CERTDIR_MARK_GONE, TIME},
		{"certdir:w:a:gone=2026-11-22t10:00:00z ", "w", "a", CERTDIR_MARK_GONE, TIME},
		{"certdir:w:a:gone=2026-11-22", "w", "a", CERTDIR_MARK_DISABLED, 0},
		{"certdir:w:a:gone=", "w", "a", CERTDIR_MARK_DISABLED, 0},
		{"certdir:w:a:gone=2026-11-22 10:00:00Z", "w", "a", CERTDIR_MARK_DISABLED, 0},
		{"certdir:w:a:gone=2026-13-22T10:00:00Z", "w", "a", CERTDIR_MARK_DISABLED, 0},
		{"certdir:w:a:gone=2026-02-30T10:00:00Z", "w", "a", CERTDIR_MARK_DISABLED, 0},
		{"certdir:w:a:gone=1969-12-31T23:59:59Z", "w", "a", CERTDIR_MARK_DISABLED, 0},
		{"certdir:w:a:gone=1:gone=2026-11-22T10:00:00Z", "w", "a:gone=1", CERTDIR_MARK_GONE, TIME},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct certdir_mark mark;

		assert_true(certdir_mark_parse(cases[i].text, strlen(cases[i].text), &mark));
		check_mark(i, &mark, cases[i].section, cases[i].key, cases[i].state, cases[i].gone);
	}
}

static void test_no_marks(void **state)
{
	static const struct {
		const char *bytes;
		size_t length; /* 0 = strlen */
		bool begins; /* means to be one */
	} cases[] = {
		{"", 0, false},
		{"certdir", 0, false},
		{"certdir:", 0, true},
		{"certdir:wifi", 0, true},
		{"certdir:wifi:", 0, true},
		{"certdir::key", 0, true},
		{"certdir:wifi::disabled", 0, true},
		{"certdir:wifi::gone=2026-11-22T10:00:00Z", 0, true},
		{"CERTDIR: wifi", 0, true},
		{"xcertdir:wifi:key", 0, false},
		{"a laptop", 0, false},
		{"certdir:wifi:key\0", 17, true},
		{"certdir:wifi:k\0y", 16, true},
		{"certdir:wifi:key\n", 0, true},
		{"certdir:wifi:\xff", 0, true},
		{"certdir:wifi:\xc3", 0, true},
		{"certdir:" SECTION_32 "x:key", 0, true},
		{"certdir:wifi:" KEY_158 "x", 0, true},
		{"certdir:wifi:" KEY_158 "x:disabled", 0, true},
		{"certdir:wifi:" KEY_158 KEY_158, 0, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const size_t length = cases[i].length ? cases[i].length : strlen(cases[i].bytes);
		struct certdir_mark mark;

		if (certdir_mark_parse(cases[i].bytes, length, &mark) ||
		    certdir_mark_begins(cases[i].bytes, length) != cases[i].begins)
			fail_msg("case %zu: \"%s\"", i, cases[i].bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_near_marks),
		cmocka_unit_test(test_no_marks),
	};

	return cmocka_run_group_tests_name("mark", tests, NULL, NULL);
}
