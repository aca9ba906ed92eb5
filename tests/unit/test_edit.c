/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings go into a conf, and nothing else of it changes. */
#include "conf/edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void expect(const char *before, const char *after)
{
	static const char *const two[] = {"2", NULL}, *const groups[] = {"A", "B", NULL};
	static const struct certdir_conf_setting settings[] = {{"b", two}, {"group", groups}};
	char *once = certdir_conf_edit(before, "tenant x", settings, 2);
	char *twice = once ? certdir_conf_edit(once, "tenant x", settings, 2) : NULL;

	assert_string_equal(once, after);
	assert_string_equal(twice, after);
	free(once);
	free(twice);
}

static void test_a_section_is_made(void **state)
{
	(void)state;
	expect("", "[tenant x]\nb = 2\ngroup = A\ngroup = B\n");
	expect("[list]\nb = 1", "[list]\nb = 1\n\n[tenant x]\nb = 2\ngroup = A\ngroup = B\n");
	expect("[tenant xy]\nb = 1\n", "[tenant xy]\nb = 1\n\n[tenant x]\nb = 2\ngroup = A\ngroup = B\n");
	expect("[tenant]\nb = 1\n", "[tenant]\nb = 1\n\n[tenant x]\nb = 2\ngroup = A\ngroup = B\n");
}

static void test_a_section_is_changed(void **state)
{
	(void)state;
	expect("[tenant x]\n", "[tenant x]\nb = 2\ngroup = A\ngroup = B\n");
	expect("[ tenant x ]\n; why\n\tb= 1\r\nbb = 3\n\n\n[list]\nb = 1\n",
	       "[ tenant x ]\n; why\nb = 2\nbb = 3\ngroup = A\ngroup = B\n\n\n[list]\nb = 1\n");
	expect("[tenant x]\ngroup = C\na = 1\ngroup = A\nb = 7\nb = 8\n# end",
	       "[tenant x]\ngroup = A\ngroup = B\na = 1\nb = 2\n# end\n");
	expect("[tenant x]\n; b = 1\n#group = 4\n", "[tenant x]\n; b = 1\n#group = 4\nb = 2\ngroup = A\ngroup = B\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_section_is_made),
					   cmocka_unit_test(test_a_section_is_changed)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
