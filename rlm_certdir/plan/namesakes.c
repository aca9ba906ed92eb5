/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accounts that have the name of a computer of the domain that is not ours: which of the two is the machine, nobody can know. */
#include "plan/planner.h"

/* Devices that Entra Connect has synced from accounts that are not ours, by name. */
static struct certdir_plan_names name_computers(struct certdir_planner *planner)
{
	struct certdir_plan_names names = certdir_plan_names_empty(planner);

	for (size_t i = 0; i < planner->pair_count; i++) {
		struct certdir_plan_pair *pair = &planner->pairs[i];
		const struct certdir_wanted *device = pair->device;

		if (device && device->hybrid && device->sid && device->name && device->name[0] && !pair->synced)
			certdir_plan_name_add(&names, device->name, pair);
	}
	return names;
}

/* How much of "pc1.corp.example" is the computer's name. */
static size_t label(const char *bytes, size_t length)
{
	const char *dot = memchr(bytes, '.', length);

	return dot ? (size_t)(dot - bytes) : length;
}

/* A computer with this name that is not the device itself, or NULL. */
static const struct certdir_wanted *find_computer(const struct certdir_plan_names *computers, const char *bytes,
						  size_t length, const struct certdir_wanted *device)
{
	const struct certdir_plan_name *name = certdir_plan_names_find(computers, 0, bytes, label(bytes, length));

	while (name && name->pair->device == device)
		name = name->next;
	return name ? name->pair->device : NULL;
}

/* A computer with one of these names: a CN, and values of the configuration's columns. */
static const struct certdir_wanted *namesake_of(struct certdir_planner *planner,
						const struct certdir_plan_names *computers,
						const struct certdir_wanted *device, const char *cn,
						const struct certdir_ldap_values *columns)
{
	const struct certdir_wanted *found = find_computer(computers, cn, strlen(cn), device);

	for (size_t i = 0; i < planner->rules->column_count && !found; i++)
		for (size_t v = 0; planner->rules->columns[i].unique && v < columns[i].count && !found; v++) {
			struct certdir_ldap_bytes host;

			if (certdir_plan_host_of(&columns[i].items[v], &host))
				found = find_computer(computers, host.bytes, host.length, device);
		}
	return found;
}

/* Which of the two is the machine nobody can know. */
static void remark_namesake(struct certdir_planner *planner, const struct certdir_plan_names *computers,
			    const struct certdir_plan_pair *pair)
{
	const struct certdir_wanted *device = pair->device,
				    *namesake = namesake_of(planner, computers, device, device->cn, device->values);

	if (namesake)
		certdir_plan_remark(
			planner, CERTDIR_REMARK_PROBLEM, pair->key,
			certdir_arena_print(planner->arena,
					    "its account %s has the name of device %s, which is joined to the "
					    "domain with an account of its own: when both are one machine, "
					    "remove the one that is out of date from Entra ID",
					    device->cn, namesake->key));
}

void certdir_plan_find_namesakes(struct certdir_planner *planner)
{
	struct certdir_plan_names computers;

	if (!certdir_plan_is_computer(planner))
		return;
	computers = name_computers(planner);
	for (size_t i = 0; i < planner->pair_count && computers.count > 0; i++) {
		struct certdir_plan_pair *pair = &planner->pairs[i];

		if (certdir_plan_acts(pair))
			remark_namesake(planner, &computers, pair);
		else if (pair->account && !pair->blocked)
			pair->namesake = namesake_of(planner, &computers, pair->device, pair->account->cn,
						     pair->account->values);
	}
}

bool certdir_plan_gives_up(const struct certdir_planner *planner, const struct certdir_plan_pair *pair, unsigned space,
			   const char *bytes, size_t length)
{
	const char *name = pair->namesake ? pair->namesake->name : NULL;
	const struct certdir_ldap_bytes value = {bytes, length};
	struct certdir_ldap_bytes host = value;

	if (!name || (space != CERTDIR_PLAN_CN && !certdir_plan_host_of(&value, &host)))
		return false;
	return certdir_fold_same(host.bytes, label(host.bytes, host.length), name, strlen(name),
				 certdir_domain_accents(planner->domain));
}
