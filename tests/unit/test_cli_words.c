/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers, times and answers as the commands say them: each border once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/words.c"

static void test_ages(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} ages[] = {{-5, "0 s"},      {0, "0 s"},	  {119, "119 s"},
		    {120, "2 min"},   {7199, "119 min"},  {7200, "2 h"},
		    {172799, "47 h"}, {172800, "2 days"}, {INT64_MAX - 1, "106751991167300 days"}};
	char out[CERTDIR_CLI_AGE_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(ages) / sizeof(ages[0]); i++)
		assert_string_equal(certdir_cli_age(ages[i].seconds, out), ages[i].text);
	assert_string_equal(certdir_cli_good_for(0, out), "");
	assert_string_equal(certdir_cli_good_for(30 * 86400, out), ", good for 30 days");
}

static void test_dates(void **state)
{
	char out[CERTDIR_CLI_DATE_SIZE];

	(void)state;
	assert_string_equal(certdir_cli_date(1795341600, out), "2026-11-22 10:00:00Z");
	assert_string_equal(certdir_cli_date(INT64_MAX, out), "a date that is out of range");
}

static void test_expiry(void **state)
{
	const int64_t now = 1795341600, day = 86400;
	char when[CERTDIR_CLI_EXPIRY_SIZE];

	(void)state;
	assert_false(certdir_cli_expires_soon(0, now, when));
	assert_false(certdir_cli_expires_soon(now + 31 * day, now, when));
	assert_string_equal(when, "in 31 days");
	assert_false(certdir_cli_expires_soon(now + 30 * day, now, when));
	assert_true(certdir_cli_expires_soon(now + 30 * day - 1, now, when));
	assert_string_equal(when, "in 29 days");
	assert_true(certdir_cli_expires_soon(now, now, when));
	assert_string_equal(when, "in 0 s");
	assert_true(certdir_cli_expires_soon(now - 3 * day, now, when));
	assert_string_equal(when, "3 days ago");
	assert_non_null(strstr(certdir_cli_expiry_advice(true), "certdir setup"));
	assert_non_null(strstr(certdir_cli_expiry_advice(false), "upload it to the app registration"));
}

static void test_words(void **state)
{
	char name[] = "PC01", intune[] = "PC02";
	struct certdir_device device = {.intune_name = intune};

	(void)state;
	assert_string_equal(certdir_cli_yes_no(CERTDIR_YES, "?"), "yes");
	assert_string_equal(certdir_cli_yes_no(CERTDIR_NO, "?"), "no");
	assert_string_equal(certdir_cli_yes_no(CERTDIR_UNKNOWN, "not known"), "not known");
	assert_string_equal(certdir_cli_plural(0), "s");
	assert_string_equal(certdir_cli_plural(1), "");
	assert_string_equal(certdir_cli_plural(2), "s");
	assert_string_equal(certdir_cli_device_name(&device, "-"), "PC02");
	device.name = name;
	assert_string_equal(certdir_cli_device_name(&device, "-"), "PC01");
	device = (struct certdir_device){.name = NULL};
	assert_string_equal(certdir_cli_device_name(&device, "-"), "-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_ages), cmocka_unit_test(test_dates),
					   cmocka_unit_test(test_expiry), cmocka_unit_test(test_words)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
