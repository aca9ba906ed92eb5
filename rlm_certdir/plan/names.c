/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/planner.h"

#include "base/hash.h"

#include <stdlib.h>

/* Whoever finds values with one hash makes a bucket larger, which is searched by halves all the same. */
static uint64_t hash(unsigned space, const struct certdir_ldap_bytes *key)
{
	uint64_t h = CERTDIR_HASH_START ^ space;

	for (size_t i = 0; i < key->length; i++)
		h = certdir_hash_byte(h, certdir_fold_byte(key->bytes[i]));
	return h * UINT64_C(0x9e3779b97f4a7c15);
}

static int order(const struct certdir_plan_name *left, const struct certdir_plan_name *right)
{
	if (left->hash != right->hash)
		return left->hash < right->hash ? -1 : 1;
	if (left->space != right->space)
		return left->space < right->space ? -1 : 1;
	return certdir_fold_compare(&left->key, &right->key);
}

static int compare(const void *a, const void *b)
{
	const struct certdir_plan_name *left = *(struct certdir_plan_name *const *)a,
				       *right = *(struct certdir_plan_name *const *)b;
	const int difference = order(left, right);

	/* Pairs are an array sorted by key; foreign entries have none and come first. */
	return difference ? difference : (left->pair > right->pair) - (left->pair < right->pair);
}

void certdir_plan_names_add(struct certdir_planner *planner, struct certdir_plan_names *names,
			    struct certdir_plan_name name)
{
	struct certdir_plan_name *items;

	if (names->counting) {
		names->count++;
		return;
	}
	items = certdir_plan_grow(planner->arena, names->items, names->count, &names->room, sizeof(*items));
	name.key = certdir_fold_key(planner->arena, name.bytes, name.length, certdir_domain_accents(planner->domain));
	if (!items || !name.key.bytes)
		return;
	names->items = items;
	name.hash = hash(name.space, &name.key);
	items[names->count++] = name;
}

static void add_values(struct certdir_planner *planner, struct certdir_plan_names *names, size_t space,
		       const struct certdir_ldap_values *values, struct certdir_plan_pair *pair)
{
	for (size_t i = 0; i < values->count; i++)
		certdir_plan_names_add(planner, names,
				       (struct certdir_plan_name){.space = (unsigned)space,
								  .bytes = values->items[i].bytes,
								  .length = values->items[i].length,
								  .pair = pair});
}

static void add_columns(struct certdir_planner *planner, struct certdir_plan_names *names,
			const struct certdir_ldap_values *values, struct certdir_plan_pair *pair)
{
	for (size_t i = 0; i < planner->rules->column_count; i++)
		if (planner->rules->columns[i].unique)
			add_values(planner, names, 1 + i, &values[i], pair);
}

/* A certdir_plan_claim_function. */
static bool add_wish(struct certdir_planner *planner, struct certdir_plan_pair *pair, unsigned space, const char *bytes,
		     size_t length, void *context)
{
	(void)context;
	certdir_plan_names_add(
		planner, &planner->wishes,
		(struct certdir_plan_name){.space = space, .bytes = bytes, .length = length, .pair = pair});
	return true;
}

static void add_wishes(struct certdir_planner *planner)
{
	for (size_t i = 0; i < planner->pair_count; i++) {
		struct certdir_plan_pair *pair = &planner->pairs[i];
		const size_t before = planner->wishes.count;

		if (!certdir_plan_acts(pair) || pair->served)
			continue;
		(void)certdir_plan_each_claim(planner, pair, add_wish, NULL);
		pair->served = planner->wishes.count == before;
	}
}

static void add_holdings(struct certdir_planner *planner, struct certdir_plan_pair *pair)
{
	const struct certdir_account *account = pair->account;

	if (!account)
		return;
	if (account->direct)
		certdir_plan_names_add(
			planner, &planner->holdings,
			(struct certdir_plan_name){.bytes = account->cn, .length = strlen(account->cn), .pair = pair});
	if (account->values)
		add_columns(planner, &planner->holdings, account->values, pair);
	if (certdir_plan_maps(planner))
		add_values(planner, &planner->holdings, 1 + planner->rules->column_count, &account->mappings, pair);
}

static void add_owned(struct certdir_planner *planner, struct certdir_plan_pair *pair)
{
	const size_t mappings = 1 + planner->rules->column_count;
	const struct certdir_wanted *device = pair->device;

	if (!device || !certdir_plan_maps(planner))
		return;
	add_values(planner, &planner->owners, mappings, &device->mappings, pair);
	add_values(planner, &planner->owners, mappings, &device->ended, pair);
}

/* Into buckets of one on average: a search then touches one place of memory and not seventeen. */
void certdir_plan_names_sort(struct certdir_arena *arena, struct certdir_plan_names *names)
{
	struct certdir_plan_name **sorted;
	size_t buckets = 2;

	for (names->shift = 63; buckets < names->count; names->shift--)
		buckets *= 2;
	sorted = certdir_arena_alloc(arena, (names->count + 1) * sizeof(*sorted));
	names->starts = certdir_arena_alloc(arena, (buckets + 2) * sizeof(*names->starts));
	names->sorted = sorted;
	if (!sorted || !names->starts)
		return;
	/* Counted two places on and summed up, starts[b + 1] is where bucket b begins; filled, it is where it ends. */
	for (size_t i = 0; i < names->count; i++)
		names->starts[(names->items[i].hash >> names->shift) + 2]++;
	for (size_t b = 2; b < buckets + 2; b++)
		names->starts[b] += names->starts[b - 1];
	for (size_t i = 0; i < names->count; i++)
		sorted[names->starts[(names->items[i].hash >> names->shift) + 1]++] = &names->items[i];
	for (size_t b = 0; b < buckets; b++)
		if (names->starts[b + 1] - names->starts[b] > 1)
			qsort(sorted + names->starts[b], names->starts[b + 1] - names->starts[b], sizeof(*sorted),
			      compare);
}

/* Where nobody wishes for anything, as in most runs, it does not matter who has what. */
static void add_all(struct certdir_planner *planner)
{
	add_wishes(planner);
	for (size_t i = 0; i < planner->pair_count; i++) {
		if (planner->wishes.count > 0)
			add_holdings(planner, &planner->pairs[i]);
		add_owned(planner, &planner->pairs[i]);
	}
	for (size_t i = 0; i < planner->accounts->foreign_count && planner->wishes.count > 0; i++) {
		const struct certdir_account *entry = &planner->accounts->foreign[i];

		if (entry->direct && entry->cn)
			certdir_plan_names_add(planner, &planner->holdings,
					       (struct certdir_plan_name){.bytes = entry->cn,
									  .length = strlen(entry->cn),
									  .dn = entry->dn});
	}
}

/* Counted first: there are hundreds of thousands, and an arena keeps all that an array grew out of. */
bool certdir_plan_names_index(struct certdir_planner *planner)
{
	struct certdir_plan_names *all[] = {&planner->wishes, &planner->holdings, &planner->owners};
	const size_t kinds = sizeof(all) / sizeof(*all);

	for (size_t i = 0; i < kinds; i++)
		all[i]->counting = true;
	add_all(planner);
	for (size_t i = 0; i < kinds; i++) {
		const size_t room = all[i]->count + 1;

		*all[i] = (struct certdir_plan_names){
			.items = certdir_arena_alloc(planner->arena, room * sizeof(*all[i]->items)), .room = room};
	}
	if (!planner->arena->failed)
		add_all(planner);
	for (size_t i = 0; i < kinds && !planner->arena->failed; i++)
		certdir_plan_names_sort(planner->arena, all[i]);
	return !planner->arena->failed;
}

/* The first in its bucket that is not before `sought`, or with `after` the first that is behind it. */
static size_t rank(const struct certdir_plan_names *names, const struct certdir_plan_name *sought, bool after)
{
	const uint32_t *bounds = &names->starts[sought->hash >> names->shift];
	size_t low = bounds[0], high = bounds[1];

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (order(names->sorted[middle], sought) < (after ? 1 : 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t certdir_plan_names_find(const struct certdir_planner *planner, const struct certdir_plan_names *names,
			       unsigned space, const char *bytes, size_t length, size_t *first)
{
	struct certdir_plan_name sought = {
		.space = space,
		.key = certdir_fold_key(planner->arena, bytes, length, certdir_domain_accents(planner->domain))};

	*first = 0;
	if (!sought.key.bytes)
		return 0;
	sought.hash = hash(space, &sought.key);
	*first = rank(names, &sought, false);
	/* Most are there once or not at all. */
	if (*first == names->count || order(names->sorted[*first], &sought) != 0)
		return 0;
	if (*first + 1 == names->count || names->sorted[*first + 1]->hash != sought.hash)
		return 1;
	return rank(names, &sought, true) - *first;
}
