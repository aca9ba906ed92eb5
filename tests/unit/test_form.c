/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Patterns of forms: what matches, what is refused, and that no pattern takes long. PCRE2's own tests are elsewhere. */
#include "identity/form.h"

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
	{"^(a*)*b$", "aab", ""},
	{"^(?:a+)+(b)$", "aab", "b"},
	{"^(?:a?){3}(b)$", "aab", "b"},
	{"^(?:){3}(b)$", "b", "b"},
	{"^(?:)*(b)$", "b", "b"},
	{"^(?:a|)*(b)$", "aab", "b"},
	{"^]}(.)$", "]}x", "x"},
};

static bool compile(struct certdir_form *form, const char *pattern, struct certdir_error *error)
{
	return certdir_form_compile(form, "f", "san.uri", pattern, CERTDIR_ID_SERIAL, error);
}

static void test_matches(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof matches / sizeof *matches; i++) {
		const char *value = matches[i].value, *expected = matches[i].group;
		size_t start = 0, end = 0;
		struct certdir_error error;
		struct certdir_form form;
		bool found;

		if (!compile(&form, matches[i].pattern, &error))
			fail_msg("%s: %s", matches[i].pattern, error.text);
		found = certdir_form_match(&form, value, strlen(value), &start, &end);
		if (found != (expected != NULL))
			fail_msg("%s on \"%s\": %s", matches[i].pattern, value, found ? "matches" : "does not match");
		if (found && (end - start != strlen(expected) || memcmp(value + start, expected, end - start) != 0))
			fail_msg("%s on \"%s\": takes %zu to %zu, not \"%s\"", matches[i].pattern, value, start, end,
				 expected);
		certdir_form_clear(&form);
	}
}

static const struct {
	const char *pattern;
	const char *why; /* is in the text */
} refusals[] = {
	{"", "has to start with ^"},
	{"^", "has to end with $"},
	{"(a)$", "has to start with ^"},
	{"^(a)", "has to end with $"},
	{"^a$", "no group"},
	{"^(?:a)$", "no group"},
	{"^(a)(b)$", "more than one group: (?: ) takes nothing"},
	{"^((a))$", "more than one group"},
	{"^(a$", "at character 5: missing closing parenthesis"},
	{"^(a))$", "at character 5: unmatched closing parenthesis"},
	{"^([a)$", "missing terminating ]"},
	{"^([z-a])$", "at character 6: range out of order"},
	{"^*(a)$", "quantifier does not follow"},
	{"^(a{3,2})$", "numbers out of order"},
	{"^(\\C)$", "\\C is disabled"},
	{"^(\377)$", "UTF-8"},
};

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		struct certdir_error error;
		struct certdir_form form;

		if (compile(&form, refusals[i].pattern, &error))
			fail_msg("%s: taken", refusals[i].pattern);
		if (!strstr(error.text, refusals[i].why) || strncmp(error.text, "form \"f\": pattern \"", 19) != 0)
			fail_msg("%s: %s", refusals[i].pattern, error.text);
		assert_null(form.pattern);
	}
}

static void test_long_pattern(void **state)
{
	char text[CERTDIR_PATTERN_MAX + 2];
	struct certdir_error error;
	struct certdir_form form;

	(void)state;
	memset(text, 'a', sizeof text);
	memcpy(text, "^(.)", 4);
	text[CERTDIR_PATTERN_MAX - 1] = '$';
	text[CERTDIR_PATTERN_MAX] = '\0';
	assert_true(compile(&form, text, &error));
	certdir_form_clear(&form);
	text[CERTDIR_PATTERN_MAX - 1] = 'a';
	text[CERTDIR_PATTERN_MAX] = '$';
	text[CERTDIR_PATTERN_MAX + 1] = '\0';
	assert_false(compile(&form, text, &error));
	assert_non_null(strstr(error.text, "too long"));
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
		struct certdir_error error;
		struct certdir_form form;
		size_t start, end;

		if (!compile(&form, patterns[i], &error))
			fail_msg("%s", error.text);
		assert_false(certdir_form_match(&form, value, sizeof value, &start, &end));
		certdir_form_clear(&form);
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
