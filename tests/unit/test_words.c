/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Graph's words, for a sync and for an import alike. */
#include "base/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_trust_types(void **state)
{
	(void)state;
	assert_int_equal(certdir_word_trust_type("AzureAd"), CERTDIR_JOIN_ENTRA);
	assert_int_equal(certdir_word_trust_type("SERVERAD"), CERTDIR_JOIN_HYBRID);
	assert_int_equal(certdir_word_trust_type("workplace"), CERTDIR_JOIN_REGISTERED);
	assert_int_equal(certdir_word_trust_type("entra"), CERTDIR_JOIN_UNKNOWN);
	assert_int_equal(certdir_word_trust_type(""), CERTDIR_JOIN_UNKNOWN);
}

static void test_ownership(void **state)
{
	static const char newer[] = "leased";

	(void)state;
	assert_string_equal(certdir_word_spelled(CERTDIR_KIND_OWNERSHIP, "Company"), "company");
	assert_string_equal(certdir_word_spelled(CERTDIR_KIND_OWNERSHIP, "PERSONAL"), "personal");
	assert_null(certdir_word_spelled(CERTDIR_KIND_OWNERSHIP, "Unknown"));
	assert_null(certdir_word_spelled(CERTDIR_KIND_OWNERSHIP, "unknownfuturevalue"));
	assert_ptr_equal(certdir_word_spelled(CERTDIR_KIND_OWNERSHIP, newer), newer);
}

static void test_states(void **state)
{
	static const char newer[] = "sleeping";

	(void)state;
	assert_string_equal(certdir_word_spelled(CERTDIR_KIND_COMPLIANCE, "INGRACEPERIOD"), "inGracePeriod");
	assert_ptr_equal(certdir_word_spelled(CERTDIR_KIND_COMPLIANCE, newer), newer);
	assert_string_equal(certdir_word_spelled(CERTDIR_KIND_STATE, "wipepending"), "wipePending");
	assert_ptr_equal(certdir_word_spelled(CERTDIR_KIND_STATE, newer), newer);
	assert_string_equal(certdir_word_spelled(CERTDIR_KIND_AGENT, "MDM"), "mdm");
	assert_ptr_equal(certdir_word_spelled(CERTDIR_KIND_AGENT, newer), newer);
}

static void test_no_id(void **state)
{
	static const char *const none[] = {
		"", " ", "--", "0", "00000000-0000-0000-0000-000000000000", "{00000000-0000-0000-0000-000000000000}"};
	static const char *const some[] = {"1", "00000000-0000-0000-0000-000000000001", "n/a", "-a-"};

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_true(certdir_word_no_id(none[i]));
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		assert_false(certdir_word_no_id(some[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trust_types),
		cmocka_unit_test(test_ownership),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_no_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
