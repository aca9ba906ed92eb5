/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/names.h"

#include "base/hash.h"

enum { SIZE = 1024 };

/* Whoever finds names with one hash makes a place longer; but it takes thousands of devices until that is felt. */
static uint64_t hash_of(unsigned space, const struct certdir_ldap_bytes *key)
{
	uint64_t hash = CERTDIR_HASH_START ^ space;

	for (size_t i = 0; i < key->length; i++)
		hash = certdir_hash_byte(hash, certdir_fold_byte(key->bytes[i]));
	return hash ^ hash >> 32;
}

/* Where the first of this name stands, or would stand. */
static struct certdir_plan_name **place_of(const struct certdir_plan_names *names, const struct certdir_plan_name *name)
{
	struct certdir_plan_name **at = &names->places[name->hash & (names->size - 1)];

	while (*at && ((*at)->hash != name->hash || (*at)->space != name->space ||
		       certdir_fold_compare(&(*at)->key, &name->key) != 0))
		at = &(*at)->neighbour;
	return at;
}

/* Makes the table twice as large, so that a place has one name on average. */
static bool widen(struct certdir_plan_names *names)
{
	struct certdir_plan_names wider = *names;

	wider.size = names->size ? 2 * names->size : SIZE;
	wider.places = certdir_arena_alloc(names->arena, wider.size * sizeof(*wider.places));
	if (!wider.places)
		return false;
	for (size_t i = 0; i < names->size; i++)
		for (struct certdir_plan_name *name = names->places[i], *next; name; name = next) {
			next = name->neighbour;
			name->neighbour = NULL;
			*place_of(&wider, name) = name;
		}
	*names = wider;
	return true;
}

void certdir_plan_names_add(struct certdir_plan_names *names, struct certdir_plan_name name)
{
	struct certdir_plan_name *added = certdir_arena_alloc(names->arena, sizeof(*added)), **at;

	name.key = certdir_fold_key(names->arena, name.bytes, name.length, names->accents);
	if (!added || !name.key.bytes || (names->count == names->size && !widen(names)))
		return;
	name.hash = hash_of(name.space, &name.key);
	*added = name;
	at = place_of(names, added);
	if (*at) {
		(*at)->last->next = added;
		(*at)->last = added;
		(*at)->count++;
	} else {
		*at = added->last = added;
		added->count = 1;
		names->count++;
	}
}

const struct certdir_plan_name *certdir_plan_names_find(const struct certdir_plan_names *names, unsigned space,
							const char *bytes, size_t length)
{
	struct certdir_plan_name sought = {.space = space,
					   .key = certdir_fold_key(names->arena, bytes, length, names->accents)};

	if (!sought.key.bytes || names->size == 0)
		return NULL;
	sought.hash = hash_of(space, &sought.key);
	return *place_of(names, &sought);
}
