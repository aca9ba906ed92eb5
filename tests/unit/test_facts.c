/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the records of one device say together. */
#include "facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Gathers what is told, each with a line end. */
static void take(void *context, const char *text)
{
	char *all = context;

	strcat(all, text);
	strcat(all, "\n");
}

static struct certdir_decision of_two(const struct certdir_record *first, const struct certdir_record *second)
{
	return (struct certdir_decision){.records = {first, second}, .record_count = 2, .member = 3};
}

static void test_first_record_that_has_it(void **state)
{
	char id[] = "one", other[] = "two", name[] = "PC01", empty[] = "";
	struct certdir_record first = {.device = {.id = id, .name = empty}};
	struct certdir_record second = {.device = {.id = other, .name = name, .join_type = CERTDIR_JOIN_HYBRID}};
	const struct certdir_decision decision = of_two(&first, &second), none = {.record_count = 0};

	(void)state;
	assert_string_equal(CERTDIR_FACT(&decision, id), "one");
	assert_string_equal(CERTDIR_FACT(&decision, name), "PC01");
	assert_null(CERTDIR_FACT(&decision, owner));
	assert_int_equal(certdir_facts_join_type(&decision), CERTDIR_JOIN_HYBRID);
	assert_null(CERTDIR_FACT(&none, id));
	assert_int_equal(certdir_facts_join_type(&none), CERTDIR_JOIN_UNKNOWN);
}

static void test_groups_of_all_records(void **state)
{
	char a[] = "id-a", b[] = "id-b", dn[] = "CN=c,DC=x", staff[] = "Staff", other[] = "Other", same[] = "STAFF";
	struct certdir_group groups[] = {{.id = a, .name = staff}, {.id = b, .name = other}};
	struct certdir_group more[] = {{.id = dn}, {.id = b, .name = same}};
	struct certdir_record first = {.device = {.groups = groups, .group_count = 2}};
	struct certdir_record second = {.device = {.groups = more, .group_count = 2}};
	const struct certdir_decision decision = of_two(&first, &second);
	struct certdir_decision old = decision;
	char all[256] = "";

	(void)state;
	certdir_facts_groups(&decision, take, all);
	assert_string_equal(all, "Staff\nOther\nCN=c,DC=x\n");
	/* Those of the first are too old to go by. */
	old.member = 2;
	all[0] = '\0';
	certdir_facts_groups(&old, take, all);
	assert_string_equal(all, "CN=c,DC=x\nSTAFF\n");
}

static void test_extension_attributes(void **state)
{
	static const struct {
		const char *stored, *told;
	} cases[] = {
		{"1=value", "1=value\n"},
		{"1=a|7=b", "1=a\n7=b\n"},
		{"1=a\\|b|7=c\\\\", "1=a|b\n7=c\\\n"},
		{"1=a\\|7=b", "1=a|7=b\n"},
		{"1=|2=x", "1=\n2=x\n"},
		{"1=a\\", "1=a\\\n"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char stored[64], all[256] = "";
		struct certdir_record record = {.device = {.extension_attributes = stored}};
		const struct certdir_decision decision = {.records = {&record}, .record_count = 1};

		snprintf(stored, sizeof(stored), "%s", cases[i].stored);
		assert_true(certdir_facts_extensions(&decision, take, all));
		assert_string_equal(all, cases[i].told);
	}
}

static void test_matched_by_and_age(void **state)
{
	char value[] = "pc01", text[CERTDIR_MATCHED_BY_SIZE];
	const struct certdir_identity by = {.type = CERTDIR_ID_NAME, .value = value, .from = "subject.cn"};
	struct certdir_decision decision = {.matched_by = &by};

	(void)state;
	assert_string_equal(certdir_facts_matched_by(&decision, text), "common_name");
	decision.by_dates = true;
	assert_string_equal(certdir_facts_matched_by(&decision, text), "common_name+dates");
	decision.matched_by = NULL;
	assert_string_equal(certdir_facts_matched_by(&decision, text), "");
	decision.reason = CERTDIR_NOT_FOUND;
	assert_false(certdir_facts_have_age(&decision));
	decision.reason = CERTDIR_LIST_STALE;
	assert_true(certdir_facts_have_age(&decision));
	decision = (struct certdir_decision){.record_count = 1};
	assert_true(certdir_facts_have_age(&decision));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_record_that_has_it),
		cmocka_unit_test(test_groups_of_all_records),
		cmocka_unit_test(test_extension_attributes),
		cmocka_unit_test(test_matched_by_and_age),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
