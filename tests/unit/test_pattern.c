/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Patterns of forms: what matches, what is refused, and that no pattern takes long. */
#include "identity/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static const struct {
	const char *pattern, *value;
	const char *group; /* NULL: no match */
} matches[] = {
	{"^(abc)$", "abc", "abc"},
	{"^(abc)$", "abcd", NULL},
	{"^(abc)$", "xabc", NULL},
	{"^(abc)$", "ABC", NULL},
	{"^(abc)$", "", NULL},
	{"^()$", "", ""},
	{"^(.*)$", "", ""},
	{"^(.+)$", "", NULL},
	{"^urn:example:device:(.+)$", "urn:example:device:7", "7"},
	{"^urn:example:device:(.+)$", "urn:example:device:", NULL},
	{"^a(.)c$", "a\303\244c", "\303\244"},
	{"^a(..)c$", "a\303\244c", NULL},
	{"^([\303\240-\303\277]+)$", "\303\244\303\266", "\303\244\303\266"},
	{"^([^\303\244]+)$", "a\303\244", NULL},
	{"^(\\d+)-(?:\\w+)$", "12-a_9", "12"},
	{"^(\\d+)$", "1a", NULL},
	{"^(\\w+)$", "a-b", NULL},
	{"^(\\w+)$", "\303\244", NULL},
	{"^a\\.(b)$", "a.b", "b"},
	{"^a\\.(b)$", "axb", NULL},
	{"^(\\$\\^\\\\\\(\\)\\[\\]\\{\\}\\*\\+\\?\\|)$", "$^\\()[]{}*+?|", "$^\\()[]{}*+?|"},
	{"^([a-c]+)$", "abc", "abc"},
	{"^([a-c]+)$", "abd", NULL},
	{"^([^a-c]+)$", "xyz", "xyz"},
	{"^([^a-c]+)$", "xyc", NULL},
	{"^([a-])$", "-", "-"},
	{"^([-a])$", "-", "-"},
	{"^([\\d-]+)$", "1-2", "1-2"},
	{"^([\\]\\\\^]+)$", "]\\^", "]\\^"},
	{"^([\\w.]+)@x$", "a.b_1@x", "a.b_1"},
	{"^([.*])$", "a", NULL},
	{"^(a{3})$", "aaa", "aaa"},
	{"^(a{3})$", "aa", NULL},
	{"^(a{3})$", "aaaa", NULL},
	{"^(a{2,3})$", "aa", "aa"},
	{"^(a{2,3})$", "aaa", "aaa"},
	{"^(a{2,3})$", "aaaa", NULL},
	{"^(a{2,})$", "aaaaa", "aaaaa"},
	{"^(a{2,})$", "a", NULL},
	{"^(a{0,1})b$", "b", ""},
	{"^(x)a{0}$", "x", "x"},
	{"^(x)a{0}$", "xa", NULL},
	{"^(?:ab){2}(c)$", "ababc", "c"},
	{"^(a*)(?:a*)$", "aaa", "aaa"},
	{"^(a?)(?:a*)$", "aaa", "a"},
	{"^(?:a*)(a*)$", "aaa", ""},
	{"^(a|ab)(?:c|bcd)$", "abcd", "a"},
	{"^(ab|a)(?:c|bcd)$", "abcd", "a"},
	{"^(ab|a)(?:cd|bcd)$", "abcd", "ab"},
	{"^(a|b|c)$", "c", "c"},
	{"^(a|b|c)$", "d", NULL},
	{"^(a|)$", "", ""},
	{"^(?:x|y(?:1|2))=(.+)$", "y2=v", "v"},
	{"^(?:x|y(?:1|2))=(.+)$", "y=v", NULL},
	{"^(?:(a)|b)$", "a", "a"},
	{"^(?:(a)|b)$", "b", NULL}, /* the group took no part: nothing to take */
	{"^(?:(.),)*x$", "a,b,x", "b"},
	{"^(?:a|b)*(c)$", "ababc", "c"},
	{"^(?:a*)*(b)$", "aab", "b"},
	{"^(a*)*b$", "aab", "aa"},
	{"^(?:a+)+(b)$", "aab", "b"},
	{"^(?:a?){3}(b)$", "aab", "b"},
	{"^(?:){3}(b)$", "b", "b"},
	{"^(?:)*(b)$", "b", "b"},
	{"^(?:a|)*(b)$", "aab", "b"},
	{"^]}(.)$", "]}x", "x"},
};

static void test_matches(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof matches / sizeof *matches; i++) {
		const char *why, *value = matches[i].value, *expected = matches[i].group;
		size_t at, start = 0, end = 0;
		struct certdir_pattern *pattern = certdir_pattern_compile(matches[i].pattern, &why, &at);
		bool found;

		if (!pattern)
			fail_msg("%s: at %zu: %s", matches[i].pattern, at, why);
		found = certdir_pattern_match(pattern, value, strlen(value), &start, &end);
		if (found != (expected != NULL))
			fail_msg("%s on \"%s\": %s", matches[i].pattern, value, found ? "matches" : "does not match");
		if (found && (end - start != strlen(expected) || memcmp(value + start, expected, end - start) != 0))
			fail_msg("%s on \"%s\": takes %zu to %zu, not \"%s\"", matches[i].pattern, value, start, end,
				 expected);
		certdir_pattern_free(pattern);
	}
}

static const struct {
	const char *pattern;
	size_t at;
	const char *why; /* its beginning */
} refusals[] = {
	{"", 0, "has to start with ^"},
	{"^", 0, "has to start with ^"},
	{"(a)$", 0, "has to start with ^"},
	{"^(a)", 0, "has to end with $"},
	{"^(a)\\$", 5, "only \\d, \\w"},
	{"^a$", 2, "no group"},
	{"^(?:a)$", 6, "no group"},
	{"^(a)(b)$", 5, "a second group"},
	{"^((a))$", 3, "a second group"},
	{"^(a$", 3, ") is missing"},
	{"^(a))$", 4, "( is missing"},
	{"^)(a)$", 1, "( is missing"},
	{"^((((($", 3, "a second group"},
	{"^(?:(?:(?:$", 10, ") is missing"},
	{"^([a)$", 5, "] is missing"},
	{"^([$", 3, "] is missing"},
	{"^([^$", 4, "] is missing"},
	{"^([])$", 3, "[] holds nothing"},
	{"^([^])$", 4, "[] holds nothing"},
	{"^([z-a])$", 6, "a range runs"},
	{"^([a-\\d])$", 7, "a range ends"},
	{"^([[:alpha:]])$", 4, "[: :] is not known"},
	{"^(a|b)|c$", 6, "| stands between parentheses"},
	{"^(\\s)$", 4, "only \\d, \\w"},
	{"^(\\1)$", 4, "only \\d, \\w"},
	{"^(\\", 0, "has to end with $"},
	{"^([\\$", 4, "only \\d, \\w"},
	{"^(?=a)$", 2, "after (? only :"},
	{"^(?<n>a)$", 2, "after (? only :"},
	{"^(?$", 2, "after (? only :"},
	{"^*(a)$", 2, "nothing to repeat"},
	{"^(+)$", 3, "nothing to repeat"},
	{"^({2})$", 3, "nothing to repeat"},
	{"^(a**)$", 4, "a repeat of a repeat"},
	{"^(a*?)$", 4, "a repeat of a repeat"},
	{"^(a{2}+)$", 6, "a repeat of a repeat"},
	{"^(a{2}{3})$", 7, "nothing to repeat"},
	{"^(a{})$", 4, "repeats are written"},
	{"^(a{,2})$", 6, "repeats are written"},
	{"^(a{3,2})$", 7, "repeats are written"},
	{"^(a{2)$", 5, "repeats are written"},
	{"^(a{$", 4, "repeats are written"},
	{"^(a{x})$", 4, "repeats are written"},
	{"^(a{256})$", 7, "at most 255"},
	{"^(a{99999999999999})$", 7, "at most 255"},
	{"^(?:(?:a{255}){255}){255}(b)$", 19, "too large"},
	{"^((?:a{100}){11})$", 16, "too large"},
	{"^(a^b)$", 4, "^ and $ stand at the ends"},
	{"^(a$b)$", 4, "^ and $ stand at the ends"},
	{"^(\377)$", 0, "not UTF-8"},
};

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		const char *why = "";
		size_t at = 0;
		struct certdir_pattern *pattern = certdir_pattern_compile(refusals[i].pattern, &why, &at);

		if (pattern)
			fail_msg("%s: taken", refusals[i].pattern);
		if (strncmp(why, refusals[i].why, strlen(refusals[i].why)) != 0 || at != refusals[i].at)
			fail_msg("%s: at %zu: %s", refusals[i].pattern, at, why);
	}
}

static void test_long_pattern(void **state)
{
	char text[CERTDIR_PATTERN_MAX + 2];
	struct certdir_pattern *pattern;
	const char *why;
	size_t at;

	(void)state;
	memset(text, 'a', sizeof text);
	memcpy(text, "^(.)", 4);
	text[CERTDIR_PATTERN_MAX - 1] = '$';
	text[CERTDIR_PATTERN_MAX] = '\0';
	pattern = certdir_pattern_compile(text, &why, &at);
	assert_non_null(pattern);
	certdir_pattern_free(pattern);
	text[CERTDIR_PATTERN_MAX - 1] = 'a';
	text[CERTDIR_PATTERN_MAX] = '$';
	text[CERTDIR_PATTERN_MAX + 1] = '\0';
	assert_null(certdir_pattern_compile(text, &why, &at));
	assert_string_equal(why, "longer than 256 bytes");
}

/* Patterns that take for ever where all ways are tried one after the other. */
static void test_hostile(void **state)
{
	static const char *const patterns[] = {
		"^(a*)*b$",
		"^(?:a+)+(b)$",
		"^(?:a|a)*(b)$",
		"^(?:a|aa)+(b)$",
		"^(?:(?:(?:(?:a*)*)*)*)*(b)$",
		"^(?:a?){250}(?:a){250}(b)$",
		"^(?:.*.*.*.*.*.*.*.*.*.*)(b)$",
		"^(?:(?:a{0,20}){0,20})(b)$",
		"^(?:[^b]{0,150}){3}(b)$",
	};
	char value[255];
	clock_t begin = clock();

	(void)state;
	memset(value, 'a', sizeof value);
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
		const char *why;
		size_t at, start, end;
		struct certdir_pattern *pattern = certdir_pattern_compile(patterns[i], &why, &at);

		if (!pattern)
			fail_msg("%s: at %zu: %s", patterns[i], at, why);
		assert_false(certdir_pattern_match(pattern, value, sizeof value, &start, &end));
		certdir_pattern_free(pattern);
	}
	/* Some milliseconds; a second is for valgrind. */
	assert_true((double)(clock() - begin) / CLOCKS_PER_SEC < 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_long_pattern),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
