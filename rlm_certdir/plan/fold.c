/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/fold.h"

#include <stdlib.h>
#include <string.h>

#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

/* Letters that Unicode does not take apart and Windows compares as these; case-folded. */
static const struct {
	ucs4_t letter;
	const char *as;
} undivided[] = {
	{0xe6, "ae"}, {0xf0, "d"},  {0xf8, "o"},  {0xfe, "th"},	 {0x111, "d"},
	{0x127, "h"}, {0x131, "i"}, {0x142, "l"}, {0x153, "oe"}, {0x167, "t"},
};

/* Hiragana to katakana, which are as far from each other as their blocks. */
enum { HIRAGANA = 0x3041, HIRAGANA_END = 0x3096, TO_KATAKANA = 0x60 };

/* Whether it is ASCII without a blank that would not count: at an end, or behind another. */
static bool is_plain(const char *bytes, size_t length)
{
	const char *end = bytes + length, *blank = length > 0 ? memchr(bytes, ' ', length) : NULL;
	unsigned char all = 0;

	for (const char *at = bytes; at < end; at++)
		all |= (unsigned char)*at;
	for (; blank; blank = memchr(blank, ' ', (size_t)(end - blank)))
		if (blank == bytes || ++blank == end || *blank == ' ')
			return false;
	return all < 0x80;
}

/* How a case-folded character without its accents is written; returns how many bytes. */
static size_t write_base(ucs4_t character, uint8_t out[6])
{
	int length;

	if (uc_combining_class(character) != 0)
		return 0;
	for (size_t i = 0; i < sizeof(undivided) / sizeof(*undivided); i++)
		if (undivided[i].letter == character) {
			memcpy(out, undivided[i].as, strlen(undivided[i].as));
			return strlen(undivided[i].as);
		}
	if (character >= HIRAGANA && character <= HIRAGANA_END)
		character += TO_KATAKANA;
	length = u8_uctomb(out, character, 6);
	return length > 0 ? (size_t)length : 0;
}

/* In place: without what does not count. Nothing of it becomes longer. Returns the new length. */
static size_t reduce(uint8_t *text, size_t length, enum certdir_accents accents)
{
	size_t used = 0, size;

	for (size_t at = 0; at < length; at += size) {
		ucs4_t character;
		uint8_t base[6];
		size_t count;

		size = (size_t)u8_mbtouc_unsafe(&character, text + at, length - at);
		if (uc_is_property_default_ignorable_code_point(character) ||
		    (character == ' ' && (used == 0 || text[used - 1] == ' ')))
			continue;
		memcpy(base, text + at, size);
		count = accents == CERTDIR_ACCENTS_COUNT ? size : write_base(character, base);
		memcpy(text + used, base, count);
		used += count;
	}
	return used > 0 && text[used - 1] == ' ' ? used - 1 : used;
}

/* The key of a text; `made` is what of it was malloc'ed, or NULL. No bytes: memory is out. */
struct key {
	const char *bytes;
	size_t length;
	uint8_t *made;
};

static struct key key_of(const char *bytes, size_t length, enum certdir_accents accents)
{
	struct key key = {bytes, length, NULL};

	/* u8_casefold() would make one character of all that is no UTF-8. */
	if (is_plain(bytes, length) || u8_check((const uint8_t *)bytes, length))
		return key;
	key.made = u8_casefold((const uint8_t *)bytes, length, NULL, UNINORM_NFKD, NULL, &key.length);
	if (!key.made)
		return (struct key){NULL, 0, NULL};
	key.length = reduce(key.made, key.length, accents);
	key.bytes = (const char *)key.made;
	return key;
}

struct certdir_ldap_bytes certdir_fold_key(struct certdir_arena *arena, const char *bytes, size_t length,
					   enum certdir_accents accents)
{
	struct key key = key_of(bytes, length, accents);

	if (key.made)
		key.bytes = certdir_arena_copy(arena, key.bytes, key.length);
	free(key.made);
	arena->failed |= !key.bytes;
	return (struct certdir_ldap_bytes){key.bytes, key.length};
}

int certdir_fold_compare(const struct certdir_ldap_bytes *a, const struct certdir_ldap_bytes *b)
{
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	for (size_t i = 0; i < a->length; i++) {
		const int difference = certdir_fold_byte(a->bytes[i]) - certdir_fold_byte(b->bytes[i]);

		if (difference)
			return difference;
	}
	return 0;
}

bool certdir_fold_same(const char *a, size_t a_length, const char *b, size_t b_length, enum certdir_accents accents)
{
	struct key left, right;
	bool same;

	if (a_length == b_length && memcmp(a, b, a_length) == 0)
		return true;
	left = key_of(a, a_length, accents);
	right = key_of(b, b_length, accents);
	same = left.bytes && right.bytes &&
	       certdir_fold_compare(&(struct certdir_ldap_bytes){left.bytes, left.length},
				    &(struct certdir_ldap_bytes){right.bytes, right.length}) == 0;
	free(left.made);
	free(right.made);
	return same;
}
