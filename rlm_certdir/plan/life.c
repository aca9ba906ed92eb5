/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/planner.h"

#include <stdlib.h>

/* ---- Entra Connect ---- */

/* What an account would be known by if it was synced: of devices that came from an Active Directory, mostly few. */
struct identity {
	const char *text; /* SID, or device id */
	struct certdir_plan_pair *pair;
};

static int by_text(const void *a, const void *b)
{
	const struct identity *left = a, *right = b;
	const int order = strcasecmp(left->text, right->text);

	return order ? order : (left->pair > right->pair) - (left->pair < right->pair);
}

static size_t note_identities(struct certdir_planner *planner, struct identity *identities)
{
	size_t count = 0;

	for (size_t i = 0; i < planner->pair_count; i++) {
		struct certdir_plan_pair *pair = &planner->pairs[i];

		if (pair->device && pair->device->sid)
			identities[count++] = (struct identity){pair->device->sid, pair};
		if (pair->device && pair->device->hybrid)
			identities[count++] = (struct identity){pair->key, pair};
	}
	if (count > 1)
		qsort(identities, count, sizeof(*identities), by_text);
	return count;
}

static void note_synced(struct certdir_planner *planner, struct certdir_plan_pair *pair,
			const struct certdir_account *account)
{
	pair->synced = account;
	if (account->life)
		certdir_plan_pair_of(planner, account)->joined = pair;
	if (!certdir_plan_acts(pair))
		return;
	pair->blocked = true;
	certdir_plan_remark(planner, CERTDIR_REMARK_PROBLEM, pair->key,
			    certdir_arena_print(planner->arena, "this device is %s itself, which %s: %s", account->dn,
						account->life ? "was joined to the domain" : "Entra Connect has synced",
						pair->account ? "its account is left as it is" : "it gets no account"));
}

static void find_devices(struct certdir_planner *planner, const struct identity *identities, size_t count,
			 const char *text, const struct certdir_account *account)
{
	size_t low = 0, high = count;

	while (text && low < high) {
		const size_t middle = low + (high - low) / 2;

		if (strcasecmp(identities[middle].text, text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; text && low < count && strcasecmp(identities[low].text, text) == 0; low++)
		if (!identities[low].pair->synced)
			note_synced(planner, identities[low].pair, account);
}

void certdir_plan_find_synced(struct certdir_planner *planner)
{
	struct identity *identities =
		certdir_arena_alloc(planner->arena, (2 * planner->pair_count + 1) * sizeof(*identities));
	const struct certdir_accounts *accounts = planner->accounts;
	const struct certdir_plan_pair *first = NULL;
	size_t count = identities ? note_identities(planner, identities) : 0, found = 0;

	for (size_t i = 0; count > 0 && i < accounts->own_count; i++) {
		find_devices(planner, identities, count, accounts->own[i].sid, &accounts->own[i]);
		find_devices(planner, identities, count, accounts->own[i].guid, &accounts->own[i]);
	}
	for (size_t i = 0; i < planner->pair_count; i++)
		if (planner->pairs[i].synced && !planner->pairs[i].synced->life && found++ == 0)
			first = &planner->pairs[i];
	if (first)
		certdir_plan_remark(planner, CERTDIR_REMARK_WARNING,
				    first->synced->ou ? first->synced->ou : planner->rules->ou,
				    certdir_arena_print(planner->arena,
							"Entra Connect syncs this OU: %zu devices of the list are "
							"accounts of it (%s is %s): take the OU out of its "
							"synchronization, or every account comes back as a device",
							found, first->key, first->synced->dn));
}

/* ---- accounts that are real computers by now ---- */

static const char *say_life(struct certdir_planner *planner, const struct certdir_plan_pair *pair)
{
	const struct certdir_account *account = pair->account;
	const char *mark = planner->rules->mark_attribute;

	if (pair->joined)
		return certdir_arena_print(
			planner->arena,
			"%s, the placeholder of device %s, was joined to the domain and is device %s "
			"now: it is left as it is; move it out of the OU and clear its %s",
			account->dn, pair->key, pair->joined->key, mark);
	return certdir_arena_print(planner->arena,
				   "%s is a real computer by now (%s): it is left as it is; move it out of the OU and "
				   "clear its %s",
				   account->dn, account->life, mark);
}

void certdir_plan_find_life(struct certdir_planner *planner)
{
	for (size_t i = 0; i < planner->pair_count; i++) {
		struct certdir_plan_pair *pair = &planner->pairs[i];

		if (!pair->account || !pair->account->life)
			continue;
		pair->blocked = true;
		pair->remove = false;
		certdir_plan_remark(planner, CERTDIR_REMARK_PROBLEM, pair->key, say_life(planner, pair));
	}
}

/* ---- computers of the domain that are not ours ---- */

/* A device that Entra Connect has synced from an account that is not ours. */
struct computer {
	struct certdir_ldap_bytes key; /* of its name, as it is compared (fold.h) */
	const struct certdir_wanted *device;
};

struct computers {
	struct computer *items; /* by name */
	size_t count;
};

static int by_name(const void *a, const void *b)
{
	const struct computer *left = a, *right = b;
	const int order = certdir_fold_compare(&left->key, &right->key);

	return order ? order : strcmp(left->device->key, right->device->key);
}

static struct computers note_computers(struct certdir_planner *planner)
{
	struct computers computers = {
		certdir_arena_alloc(planner->arena, (planner->pair_count + 1) * sizeof(struct computer)), 0};

	for (size_t i = 0; computers.items && i < planner->pair_count; i++) {
		const struct certdir_plan_pair *pair = &planner->pairs[i];
		const struct certdir_wanted *device = pair->device;

		if (device && device->hybrid && device->sid && device->name && device->name[0] && !pair->synced)
			computers.items[computers.count++] =
				(struct computer){certdir_fold_key(planner->arena, device->name, strlen(device->name),
								   certdir_domain_accents(planner->domain)),
						  device};
	}
	if (computers.count > 1)
		qsort(computers.items, computers.count, sizeof(struct computer), by_name);
	return computers;
}

/* How much of "pc1.corp.example" is the computer's name. */
static size_t label(const char *bytes, size_t length)
{
	const char *dot = memchr(bytes, '.', length);

	return dot ? (size_t)(dot - bytes) : length;
}

/* A computer with this name that is not the device itself, or NULL. */
static const struct certdir_wanted *find_computer(struct certdir_planner *planner, const struct computers *computers,
						  const char *bytes, size_t length, const struct certdir_wanted *device)
{
	const struct certdir_ldap_bytes key =
		certdir_fold_key(planner->arena, bytes, label(bytes, length), certdir_domain_accents(planner->domain));
	size_t low = 0, high = computers->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (certdir_fold_compare(&computers->items[middle].key, &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < computers->count && certdir_fold_compare(&computers->items[low].key, &key) == 0; low++)
		if (computers->items[low].device != device)
			return computers->items[low].device;
	return NULL;
}

/* A computer with one of these names: a CN, and values of the configuration's columns. */
static const struct certdir_wanted *namesake_of(struct certdir_planner *planner, const struct computers *computers,
						const struct certdir_wanted *device, const char *cn,
						const struct certdir_ldap_values *columns)
{
	const struct certdir_wanted *found = find_computer(planner, computers, cn, strlen(cn), device);

	for (size_t i = 0; i < planner->rules->column_count && !found; i++)
		for (size_t v = 0; planner->rules->columns[i].unique && v < columns[i].count && !found; v++) {
			struct certdir_ldap_bytes host;

			if (certdir_plan_host_of(&columns[i].items[v], &host))
				found = find_computer(planner, computers, host.bytes, host.length, device);
		}
	return found;
}

/* Which of the two is the machine nobody can know. */
static void remark_namesake(struct certdir_planner *planner, const struct computers *computers,
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
	struct computers computers;

	if (!certdir_plan_is_computer(planner))
		return;
	computers = note_computers(planner);
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

/* ---- what a person did ---- */

/* MS-ADTS 2.2.16. */
static const struct {
	uint32_t bit;
	const char *name, *means;
} odd_flags[] = {
	{0x20, "PASSWD_NOTREQD", "it may have an empty password"},
	{0x80000, "TRUSTED_FOR_DELEGATION", "it may act as anybody who logs on to it"},
	{0x1000000, "TRUSTED_TO_AUTH_FOR_DELEGATION", "it may act as anybody"},
	{0x400000, "DONT_REQ_PREAUTH", "anybody may ask for what its password can be guessed from"},
};

static void remark_odd(struct certdir_planner *planner, const struct certdir_plan_pair *pair)
{
	const struct certdir_account *account = pair->account;
	char when[CERTDIR_TIMESTAMP_SIZE];

	for (size_t i = 0; i < sizeof(odd_flags) / sizeof(*odd_flags); i++)
		if (account->control & odd_flags[i].bit)
			certdir_plan_remark(
				planner, CERTDIR_REMARK_PROBLEM, pair->key,
				certdir_arena_print(planner->arena,
						    "userAccountControl of %s has %s, which certdir never sets "
						    "and leaves as it is: %s; take it away",
						    account->dn, odd_flags[i].name, odd_flags[i].means));
	if (!pair->wanted || !planner->rules->enabled || account->expires == 0 || account->expires > planner->now)
		return;
	certdir_timestamp_print(account->expires, when);
	certdir_plan_remark(
		planner, CERTDIR_REMARK_PROBLEM, pair->key,
		certdir_arena_print(planner->arena,
				    "accountExpires of %s was at %s, so that nobody is let in by it; certdir "
				    "never sets it and leaves it as it is: clear it",
				    account->dn, when));
}

void certdir_plan_remark_odd(struct certdir_planner *planner)
{
	if (!certdir_plan_is_computer(planner))
		return;
	for (size_t i = 0; i < planner->pair_count; i++) {
		const struct certdir_plan_pair *pair = &planner->pairs[i];

		/* What becomes of a real computer is its own. */
		if (pair->account && !pair->account->life && !pair->to)
			remark_odd(planner, pair);
	}
}
