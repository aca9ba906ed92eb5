/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a directory takes for the same name. */
#include "plan/fold.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

enum { DIFFERENT, ACCENTS, SAME }; /* ACCENTS: the same where they do not count */

static const struct {
	const char *a, *b;
	int expected;
} pairs[] = {
	{"PC1", "pc1", SAME},
	{"PC1", "PC2", DIFFERENT},
	{"PC1", "PC11", DIFFERENT},
	{"", "", SAME},
	{"", "x", DIFFERENT},
	/* case beyond ASCII */
	{"M\u00fcller-PC", "M\u00dcLLER-PC", SAME},
	{"M\u00fcller-PC", "Mu\u0308LLER-pc", SAME},
	{"\u0391\u0392\u03a3", "\u03b1\u03b2\u03c2", SAME},
	{"\u041f\u041a-1", "\u043f\u043a-1", SAME},
	{"STRASSE", "stra\u00dfe", SAME},
	{"\ufb01x", "FIX", SAME},
	/* accents: of Latin, Greek, Cyrillic letters, kana */
	{"Muller-PC", "M\u00dcLLER-PC", ACCENTS},
	{"Mueller-PC", "M\u00fcller-PC", DIFFERENT},
	{"bjorn", "Bj\u01eb\u1e59\u0304n", ACCENTS},
	{"SOREN", "s\u00f8ren", ACCENTS},
	{"aegir", "\u00c6GIR", ACCENTS},
	{"LODZ", "\u0141\u00f3d\u017a", ACCENTS},
	{"\u03ac", "\u03b1", ACCENTS},
	{"\u0451", "\u0435", ACCENTS},
	{"\u304b", "\u304c", ACCENTS},
	{"\u3064", "\u30c4", ACCENTS},
	/* width and other forms of one letter */
	{"\uff30\uff23\uff11", "pc1", SAME},
	{"\u24c7", "r", SAME},
	{"a\uff0fb", "a/b", SAME},
	/* blanks and what nobody sees */
	{"PC  1", "PC 1", SAME},
	{" PC 1 ", "PC 1", SAME},
	{"PC1", "PC 1", DIFFERENT},
	{"PC\u00a01", "PC 1", SAME},
	{"P\u00adC\u200b1", "PC1", SAME},
	{"  ", " ", SAME},
	/* no UTF-8: bytes */
	{"\xff", "\xfe", DIFFERENT},
	{"\xff", "\xff", SAME},
	{"M\xfcller", "M\u00fcller", DIFFERENT},
	{"\xed\xa0\x80", "\xed\xa0\x80", SAME},
};

static bool same(const char *a, const char *b, enum certdir_accents accents)
{
	return certdir_fold_same(a, strlen(a), b, strlen(b), accents);
}

static void test_pairs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		const char *a = pairs[i].a, *b = pairs[i].b;

		if (same(a, b, CERTDIR_ACCENTS_COUNT) != (pairs[i].expected == SAME) ||
		    same(b, a, CERTDIR_ACCENTS_COUNT) != (pairs[i].expected == SAME) ||
		    same(a, b, CERTDIR_ACCENTS_IGNORED) != (pairs[i].expected != DIFFERENT) ||
		    same(b, a, CERTDIR_ACCENTS_IGNORED) != (pairs[i].expected != DIFFERENT))
			fail_msg("\"%s\" and \"%s\"", a, b);
	}
}

/* The key of a key is the key: of a name with accents it is that of the name without. */
static void test_keys(void **state)
{
	struct certdir_arena arena = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		for (int accents = CERTDIR_ACCENTS_COUNT; accents <= CERTDIR_ACCENTS_IGNORED; accents++) {
			const struct certdir_ldap_bytes key =
				certdir_fold_key(&arena, pairs[i].b, strlen(pairs[i].b), (enum certdir_accents)accents);
			const struct certdir_ldap_bytes again =
				certdir_fold_key(&arena, key.bytes, key.length, (enum certdir_accents)accents);

			assert_int_equal(key.length, again.length);
			assert_memory_equal(key.bytes, again.bytes, key.length);
		}
	assert_false(arena.failed);
	certdir_arena_clear(&arena);
}

static void test_plain_is_not_copied(void **state)
{
	struct certdir_arena arena = {0};
	const char *text = "HOST/LAPTOP-7.corp.example";

	(void)state;
	assert_ptr_equal(certdir_fold_key(&arena, text, strlen(text), CERTDIR_ACCENTS_IGNORED).bytes, text);
	assert_null(arena.blocks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_plain_is_not_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
