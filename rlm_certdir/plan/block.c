/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/planner.h"

#include "base/hash.h"

const char *certdir_plan_attribute(const struct certdir_planner *planner, unsigned space)
{
	if (space == CERTDIR_PLAN_CN)
		return "CN";
	return space <= planner->rules->column_count ? planner->rules->columns[space - 1].attribute
						     : "altSecurityIdentities";
}

/* A CN only in its OU: another may stand in the place where the account is moved to. */
static bool has(const struct certdir_planner *planner, const struct certdir_plan_pair *pair, unsigned space,
		const char *bytes, size_t length)
{
	const struct certdir_account *account = pair->account;
	const struct certdir_ldap_bytes value = {bytes, length};

	if (!account)
		return false;
	if (space == CERTDIR_PLAN_CN)
		return account->ou == pair->device->ou &&
		       certdir_plan_same(account->cn, strlen(account->cn), bytes, length);
	if (space <= planner->rules->column_count)
		return account->values && certdir_plan_has(&account->values[space - 1], &value, true);
	return certdir_plan_has(&account->mappings, &value, true);
}

/* ---- what a device shall have and has not ---- */

static bool each_value(struct certdir_planner *planner, struct certdir_plan_pair *pair, unsigned space,
		       const struct certdir_ldap_values *values, certdir_plan_claim_function each, void *context)
{
	for (size_t i = 0; i < values->count; i++)
		if (!has(planner, pair, space, values->items[i].bytes, values->items[i].length) &&
		    !each(planner, pair, space, values->items[i].bytes, values->items[i].length, context))
			return false;
	return true;
}

bool certdir_plan_each_claim(struct certdir_planner *planner, struct certdir_plan_pair *pair,
			     certdir_plan_claim_function each, void *context)
{
	const struct certdir_wanted *device = pair->device;
	const unsigned columns = (unsigned)planner->rules->column_count;
	size_t length;

	if (pair->served)
		return true;
	length = strlen(device->cn);
	if (!has(planner, pair, CERTDIR_PLAN_CN, device->cn, length) &&
	    !each(planner, pair, CERTDIR_PLAN_CN, device->cn, length, context))
		return false;
	for (unsigned i = 0; i < columns; i++)
		if (planner->rules->columns[i].unique &&
		    !each_value(planner, pair, 1 + i, &device->values[i], each, context))
			return false;
	return !certdir_plan_maps(planner) || each_value(planner, pair, 1 + columns, &device->mappings, each, context);
}

/* ---- who keeps what ---- */

/* Who decides on the account that a pair was found with. */
static const struct certdir_plan_pair *owner_of(const struct certdir_plan_pair *pair)
{
	return pair->to ? pair->to : pair;
}

/* Whether an entry that has a value which another shall have keeps it. */
static bool keeps(const struct certdir_planner *planner, const struct certdir_plan_name *holding)
{
	const struct certdir_ldap_bytes value = {holding->bytes, holding->length};
	const struct certdir_plan_pair *owner;

	if (!holding->pair)
		return true;
	owner = owner_of(holding->pair);
	if (owner->blocked)
		return true;
	if (holding->space > planner->rules->column_count)
		return !certdir_plan_mapping_goes(planner, owner, &value);
	/* A device that must not come in is not in the way of one that may. */
	if (!owner->wanted)
		return false;
	if (holding->space == CERTDIR_PLAN_CN)
		return certdir_plan_same(owner->device->cn, strlen(owner->device->cn), value.bytes, value.length);
	return certdir_plan_has(&owner->device->values[holding->space - 1], &value, true);
}

/* Another device that shall have the value, or NULL. One that has it already keeps it, so these are all without. */
static const struct certdir_plan_pair *rival_of(const struct certdir_planner *planner,
						const struct certdir_plan_pair *pair, unsigned space, const char *bytes,
						size_t length, size_t *count)
{
	const struct certdir_plan_name *claim = certdir_plan_names_find(&planner->claimed, space, bytes, length);

	*count = claim ? claim->count : 0;
	while (claim && claim->pair == pair)
		claim = claim->next;
	return claim ? claim->pair : NULL;
}

bool certdir_plan_is_awaited(const struct certdir_planner *planner, const struct certdir_plan_pair *pair,
			     unsigned space, const char *bytes, size_t length)
{
	const struct certdir_plan_name *claim = certdir_plan_names_find(&planner->claimed, space, bytes, length);

	if (certdir_plan_gives_up(planner, pair, space, bytes, length))
		return true;
	for (; claim; claim = claim->next) {
		const struct certdir_plan_pair *other = claim->pair;

		/* A new entry comes after all renames; a value goes in good time for any. */
		if (other != pair && certdir_plan_acts(other) && (other->account || space != CERTDIR_PLAN_CN) &&
		    !has(planner, other, space, bytes, length))
			return true;
	}
	return false;
}

/* ---- taking over ---- */

void certdir_plan_take_over(struct certdir_planner *planner)
{
	for (size_t i = 0; i < planner->pair_count; i++) {
		struct certdir_plan_pair *pair = &planner->pairs[i], *from;
		const char *cn = pair->device ? pair->device->cn : NULL;
		const struct certdir_plan_name *holder;
		size_t count;

		if (!certdir_plan_acts(pair) || pair->account)
			continue;
		holder = certdir_plan_names_find(&planner->held, CERTDIR_PLAN_CN, cn, strlen(cn));
		from = holder && !holder->next ? holder->pair : NULL;
		if (!from || from->wanted || from->blocked ||
		    rival_of(planner, pair, CERTDIR_PLAN_CN, cn, strlen(cn), &count))
			continue;
		pair->account = from->account;
		pair->from = from;
		from->to = pair;
	}
}

/* ---- blocking ---- */

static void enqueue(struct certdir_planner *planner, struct certdir_plan_pair *pair)
{
	if (pair->queued || !certdir_plan_acts(pair))
		return;
	pair->queued = true;
	planner->queue[planner->queue_count++] = pair;
}

static void enqueue_waiting(struct certdir_planner *planner, unsigned space, const char *bytes, size_t length)
{
	const struct certdir_plan_name *claim = certdir_plan_names_find(&planner->claimed, space, bytes, length);

	for (; claim; claim = claim->next)
		enqueue(planner, claim->pair);
}

/* The account keeps what it has after all: who was to get some of it is looked at again. */
static void enqueue_dependents(struct certdir_planner *planner, const struct certdir_account *account)
{
	const unsigned columns = (unsigned)planner->rules->column_count;

	if (account->direct)
		enqueue_waiting(planner, CERTDIR_PLAN_CN, account->cn, strlen(account->cn));
	for (unsigned space = 1; space <= columns + 1; space++) {
		const struct certdir_ldap_values *values = space > columns   ? &account->mappings
							   : account->values ? &account->values[space - 1]
									     : NULL;

		if (space <= columns && !planner->rules->columns[space - 1].unique)
			continue;
		for (size_t i = 0; values && i < values->count; i++)
			enqueue_waiting(planner, space, values->items[i].bytes, values->items[i].length);
	}
}

static void block(struct certdir_planner *planner, struct certdir_plan_pair *pair, const char *text)
{
	const struct certdir_account *account = pair->account;
	const bool left = account && !pair->from;

	pair->blocked = true;
	if (pair->from) {
		pair->from->to = NULL;
		pair->from = NULL;
		pair->account = NULL;
	}
	certdir_plan_remark(planner, CERTDIR_REMARK_PROBLEM, pair->key,
			    certdir_arena_print(planner->arena, "%s: %s", text ? text : "",
						left ? "its account is left as it is" : "it gets no account"));
	if (account)
		enqueue_dependents(planner, account);
}

static const char *say_held(struct certdir_planner *planner, unsigned space, const char *quoted,
			    const struct certdir_plan_name *holding)
{
	const char *attribute = certdir_plan_attribute(planner, space);

	if (!holding->pair)
		return certdir_arena_print(planner->arena, "%s %s is taken by %s, which is not ours%s", attribute,
					   quoted, holding->account->dn,
					   certdir_plan_is_computer(planner) ? " (adopt takes over what a script made)"
									     : "");
	if (holding->pair->account->life)
		return certdir_arena_print(planner->arena, "%s %s is held by %s, which is a real computer by now",
					   attribute, quoted, holding->pair->account->dn);
	return certdir_arena_print(planner->arena, "%s %s is held by %s, the account of device %s", attribute, quoted,
				   holding->pair->account->dn, owner_of(holding->pair)->key);
}

/* Looks at one claim; false when it cannot be had, and *text (a const char *) says why. */
static bool check(struct certdir_planner *planner, struct certdir_plan_pair *pair, unsigned space, const char *bytes,
		  size_t length, void *context)
{
	const char **text = context;
	char quoted[CERTDIR_EXCERPT_QUOTED];
	const struct certdir_plan_name *holding = certdir_plan_names_find(&planner->held, space, bytes, length);
	const struct certdir_plan_pair *rival;
	size_t rivals;

	for (; holding; holding = holding->next) {
		/* What it has in another spelling is its own. */
		if (holding->pair == pair || (pair->from && holding->pair == pair->from) || !keeps(planner, holding))
			continue;
		*text = say_held(planner, space, certdir_excerpt_quote(bytes, length, quoted), holding);
		return false;
	}
	rival = rival_of(planner, pair, space, bytes, length, &rivals);
	if (!rival)
		return true;
	*text = certdir_arena_print(planner->arena, "%s %s is meant for %zu devices (another is %s)",
				    certdir_plan_attribute(planner, space),
				    certdir_excerpt_quote(bytes, length, quoted), rivals, rival->key);
	return false;
}

static void run_queue(struct certdir_planner *planner)
{
	while (planner->queue_count > 0) {
		struct certdir_plan_pair *pair = planner->queue[--planner->queue_count];
		const char *text = NULL;

		pair->queued = false;
		if (certdir_plan_acts(pair) && !certdir_plan_each_claim(planner, pair, check, &text))
			block(planner, pair, text);
	}
}

void certdir_plan_settle(struct certdir_planner *planner)
{
	for (size_t i = planner->pair_count; i-- > 0;)
		enqueue(planner, &planner->pairs[i]);
	run_queue(planner);
}

void certdir_plan_block(struct certdir_planner *planner, struct certdir_plan_pair *pair, const char *text)
{
	if (!certdir_plan_acts(pair))
		return;
	block(planner, pair, text);
	run_queue(planner);
}

/* ---- stepping aside ---- */

/* A name that nobody in the OU has or shall have; from the key, so that a run after an interruption finds the same. */
static const char *spare_name(struct certdir_planner *planner, const char *key)
{
	const uint64_t hash = certdir_hash_text(key);

	for (unsigned i = 0;; i++) {
		const char *name =
			certdir_arena_print(planner->arena, "certdir-%016llx%.0u", (unsigned long long)hash, i);

		if (!name || (!certdir_plan_names_find(&planner->held, CERTDIR_PLAN_CN, name, strlen(name)) &&
			      !certdir_plan_names_find(&planner->claimed, CERTDIR_PLAN_CN, name, strlen(name))))
			return name;
	}
}

void certdir_plan_step_aside(struct certdir_planner *planner)
{
	for (size_t i = 0; i < planner->pair_count; i++) {
		struct certdir_plan_pair *pair = &planner->pairs[i];
		const struct certdir_account *account = pair->account;

		if (!account || !account->direct || pair->blocked || pair->to ||
		    (pair->wanted && !certdir_plan_renames(pair)))
			continue;
		if (certdir_plan_is_awaited(planner, pair, CERTDIR_PLAN_CN, account->cn, strlen(account->cn)))
			pair->aside = spare_name(planner, pair->key);
	}
}
