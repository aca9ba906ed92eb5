/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of values, as few as an entry has of one attribute. */
#include "plan/planner.h"

int certdir_bytes_compare(const void *a, const void *b)
{
	const struct certdir_ldap_bytes *left = a, *right = b;
	const size_t common = left->length < right->length ? left->length : right->length;
	const int order = common > 0 ? memcmp(left->bytes, right->bytes, common) : 0;

	return order ? order : (left->length > right->length) - (left->length < right->length);
}

bool certdir_plan_same(const char *a, size_t a_length, const char *b, size_t b_length)
{
	return certdir_fold_same(a, a_length, b, b_length, CERTDIR_ACCENTS_COUNT);
}

bool certdir_plan_has(const struct certdir_ldap_values *values, const struct certdir_ldap_bytes *value, bool folded)
{
	/* What is as it should be has the same bytes, and folding costs ten times as much as comparing these. */
	for (size_t i = 0; i < values->count; i++)
		if (certdir_bytes_compare(&values->items[i], value) == 0)
			return true;
	for (size_t i = 0; folded && i < values->count; i++)
		if (certdir_plan_same(values->items[i].bytes, values->items[i].length, value->bytes, value->length))
			return true;
	return false;
}

struct certdir_ldap_values certdir_plan_one(struct certdir_arena *arena, const char *text)
{
	struct certdir_ldap_bytes *item = certdir_arena_alloc(arena, sizeof(*item));
	const size_t length = strlen(text);

	if (!item)
		return (struct certdir_ldap_values){NULL, 0};
	*item = (struct certdir_ldap_bytes){certdir_arena_copy(arena, text, length), length};
	return (struct certdir_ldap_values){item, item->bytes ? 1 : 0};
}

/* Those of `from` that are not in `without`, each once; NULL items when there are none. */
static struct certdir_ldap_values subtract(struct certdir_arena *arena, const struct certdir_ldap_values *from,
					   const struct certdir_ldap_values *without, bool folded)
{
	struct certdir_ldap_bytes *items = NULL;
	struct certdir_ldap_values rest = {NULL, 0};

	for (size_t i = 0; i < from->count; i++) {
		if (certdir_plan_has(without, &from->items[i], folded) ||
		    certdir_plan_has(&rest, &from->items[i], folded))
			continue;
		if (!items)
			items = certdir_arena_alloc(arena, (from->count - i) * sizeof(*items));
		if (!items)
			return rest;
		items[rest.count++] = from->items[i];
		rest.items = items;
	}
	return rest;
}

void certdir_plan_diff(struct certdir_arena *arena, const struct certdir_ldap_values *have,
		       const struct certdir_ldap_values *shall, bool folded, struct certdir_ldap_values *gone,
		       struct certdir_ldap_values *come)
{
	*gone = subtract(arena, have, shall, folded);
	*come = subtract(arena, shall, have, folded);
}
