/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices of the list that are accounts of the OU, which Entra Connect has synced. */
#include "plan/planner.h"

static void note_synced(struct certdir_planner *planner, struct certdir_plan_pair *pair,
			struct certdir_plan_pair *holder)
{
	const struct certdir_account *account = holder->account;

	pair->synced = account;
	if (account->life)
		holder->joined = pair;
	if (!certdir_plan_acts(pair))
		return;
	pair->blocked = true;
	certdir_plan_remark(planner, CERTDIR_REMARK_PROBLEM, pair->key,
			    certdir_arena_print(planner->arena, "this device is %s itself, which %s: %s", account->dn,
						account->life ? "was joined to the domain" : "Entra Connect has synced",
						pair->account ? "its account is left as it is" : "it gets no account"));
}

/* What an account would be known by if it was synced, SID or device id: of devices that came from an Active Directory, mostly few. */
static struct certdir_plan_names name_devices(struct certdir_planner *planner)
{
	struct certdir_plan_names names = certdir_plan_names_empty(planner);

	for (size_t i = 0; i < planner->pair_count; i++) {
		struct certdir_plan_pair *pair = &planner->pairs[i];

		if (pair->device && pair->device->sid)
			certdir_plan_name_add(&names, pair->device->sid, pair);
		if (pair->device && pair->device->hybrid)
			certdir_plan_name_add(&names, pair->key, pair);
	}
	return names;
}

static void find_devices(struct certdir_planner *planner, const struct certdir_plan_names *names, const char *id,
			 struct certdir_plan_pair *holder)
{
	const struct certdir_plan_name *name = id ? certdir_plan_names_find(names, 0, id, strlen(id)) : NULL;

	for (; name; name = name->next)
		if (!name->pair->synced)
			note_synced(planner, name->pair, holder);
}

void certdir_plan_find_synced(struct certdir_planner *planner)
{
	const struct certdir_plan_names names = name_devices(planner);
	const struct certdir_plan_pair *first = NULL;
	size_t found = 0;

	for (size_t i = 0; names.count > 0 && i < planner->pair_count; i++) {
		struct certdir_plan_pair *holder = &planner->pairs[i];

		if (!holder->account)
			continue;
		find_devices(planner, &names, holder->account->sid, holder);
		find_devices(planner, &names, holder->account->guid, holder);
	}
	for (size_t i = 0; i < planner->pair_count; i++)
		if (planner->pairs[i].synced && !planner->pairs[i].synced->life && found++ == 0)
			first = &planner->pairs[i];
	if (first)
		certdir_plan_remark(
			planner, CERTDIR_REMARK_WARNING, first->synced->ou ? first->synced->ou : planner->rules->ou,
			certdir_arena_print(planner->arena,
					    "Entra Connect syncs this OU, and so makes devices of "
					    "its accounts: %zu of the list (%s is %s). Take the OU out of its "
					    "synchronization, or every account comes back as a device",
					    found, first->key, first->synced->dn));
}
