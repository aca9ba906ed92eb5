/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who asks for which values that must be unique, who has them, and whose the mappings are. */
#include "plan/planner.h"

static void add_values(struct certdir_plan_names *names, size_t space, const struct certdir_ldap_values *values,
		       struct certdir_plan_pair *pair)
{
	for (size_t i = 0; i < values->count; i++)
		certdir_plan_names_add(names, (struct certdir_plan_name){.space = (unsigned)space,
									 .bytes = values->items[i].bytes,
									 .length = values->items[i].length,
									 .pair = pair});
}

/* A certdir_plan_claim_function. */
static bool add_wish(struct certdir_planner *planner, struct certdir_plan_pair *pair, unsigned space, const char *bytes,
		     size_t length, void *context)
{
	bool *any = context;

	*any = true;
	certdir_plan_names_add(
		&planner->claimed,
		(struct certdir_plan_name){.space = space, .bytes = bytes, .length = length, .pair = pair});
	return true;
}

static void add_claimed(struct certdir_planner *planner)
{
	for (size_t i = 0; i < planner->pair_count; i++) {
		struct certdir_plan_pair *pair = &planner->pairs[i];
		bool any = false;

		if (!certdir_plan_acts(pair))
			continue;
		(void)certdir_plan_each_claim(planner, pair, add_wish, &any);
		pair->served = !any;
	}
}

static void add_foreign(struct certdir_planner *planner)
{
	for (size_t i = 0; i < planner->accounts->foreign_count; i++) {
		const struct certdir_account *entry = &planner->accounts->foreign[i];

		if (entry->direct && entry->cn)
			certdir_plan_names_add(&planner->held, (struct certdir_plan_name){.bytes = entry->cn,
											  .length = strlen(entry->cn),
											  .account = entry});
	}
}

static void add_held(struct certdir_planner *planner, struct certdir_plan_pair *pair)
{
	const struct certdir_account *account = pair->account;
	const size_t columns = planner->rules->column_count;

	if (!account)
		return;
	if (account->direct)
		certdir_plan_names_add(
			&planner->held,
			(struct certdir_plan_name){.bytes = account->cn, .length = strlen(account->cn), .pair = pair});
	for (size_t i = 0; account->values && i < columns; i++)
		if (planner->rules->columns[i].unique)
			add_values(&planner->held, 1 + i, &account->values[i], pair);
	if (certdir_plan_maps(planner))
		add_values(&planner->held, 1 + columns, &account->mappings, pair);
}

static void add_owned(struct certdir_planner *planner, struct certdir_plan_pair *pair)
{
	const size_t mappings = 1 + planner->rules->column_count;

	if (!pair->device || !certdir_plan_maps(planner))
		return;
	add_values(&planner->owned, mappings, &pair->device->mappings, pair);
	add_values(&planner->owned, mappings, &pair->device->ended, pair);
}

bool certdir_plan_index(struct certdir_planner *planner)
{
	add_claimed(planner);
	/* Where nobody asks for anything, as in most runs, it does not matter who has what. */
	if (planner->claimed.count > 0)
		add_foreign(planner);
	for (size_t i = 0; i < planner->pair_count; i++) {
		if (planner->claimed.count > 0)
			add_held(planner, &planner->pairs[i]);
		add_owned(planner, &planner->pairs[i]);
	}
	return !planner->arena->failed;
}
