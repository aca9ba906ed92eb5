/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/planner.h"

/* userAccountControl (MS-ADTS 2.2.16): a workstation's account; disabled. */
enum { WORKSTATION = 0x1000, DISABLED = 0x2 };

static bool is_cn(const struct certdir_column *column)
{
	return strcasecmp(column->attribute, "cn") == 0;
}

/* The values of a naming attribute: `values` without one and with another. */
static struct certdir_ldap_values with_cn(struct certdir_arena *arena, const struct certdir_ldap_values *values,
					  const char *without, const char *cn)
{
	struct certdir_ldap_bytes *items = certdir_arena_alloc(arena, (values->count + 1) * sizeof(*items));
	const struct certdir_ldap_bytes added = {cn, strlen(cn)};
	size_t count = 0;

	if (!items)
		return (struct certdir_ldap_values){NULL, 0};
	items[count++] = added;
	for (size_t i = 0; i < values->count; i++) {
		const struct certdir_ldap_bytes *value = &values->items[i];

		if (!certdir_plan_same(value->bytes, value->length, cn, added.length) &&
		    !(without && certdir_plan_same(value->bytes, value->length, without, strlen(without))))
			items[count++] = *value;
	}
	return (struct certdir_ldap_values){items, count};
}

/* ---- entries that come and go ---- */

static void change_to(struct certdir_plan_draft *draft, const char *attribute, const char *text)
{
	certdir_plan_draft_change(draft, attribute, (struct certdir_ldap_values){NULL, 0},
				  certdir_plan_one(draft->planner->arena, text), false);
}

static void add_classes(struct certdir_plan_draft *draft)
{
	struct certdir_arena *arena = draft->planner->arena;
	const char **classes = draft->planner->rules->object_classes;
	struct certdir_ldap_bytes *items;
	size_t count = 0;

	while (classes[count])
		count++;
	items = certdir_arena_alloc(arena, (count + 1) * sizeof(*items));
	if (!items)
		return;
	for (size_t i = 0; i < count; i++)
		items[i] = (struct certdir_ldap_bytes){classes[i], strlen(classes[i])};
	certdir_plan_draft_change(draft, "objectClass", (struct certdir_ldap_values){NULL, 0},
				  (struct certdir_ldap_values){items, count}, false);
}

/* Object classes and the CN, which may have more values in a column of its own. */
static void add_naming(struct certdir_plan_draft *draft, const struct certdir_ldap_values *values, const char *without,
		       const char *cn)
{
	const struct certdir_plan_rules *rules = draft->planner->rules;
	const struct certdir_ldap_values none = {NULL, 0}, *more = &none;

	for (size_t i = 0; values && i < rules->column_count; i++)
		if (is_cn(&rules->columns[i]))
			more = &values[i];
	add_classes(draft);
	certdir_plan_draft_change(draft, "cn", none, with_cn(draft->planner->arena, more, without, cn), false);
}

static void add_account(struct certdir_plan_draft *draft, const char *account_name, uint32_t control)
{
	if (!certdir_plan_is_computer(draft->planner))
		return;
	if (account_name)
		change_to(draft, "sAMAccountName", account_name);
	if (control) {
		const char *text = certdir_arena_print(draft->planner->arena, "%d", (int32_t)control);

		if (text)
			change_to(draft, "userAccountControl", text);
	}
}

static const char *print_mark(struct certdir_planner *planner, const struct certdir_mark *mark)
{
	char text[CERTDIR_MARK_MAX + 1];

	certdir_mark_print(mark, text);
	return certdir_arena_copy(planner->arena, text, strlen(text));
}

static void write_new(struct certdir_plan_draft *draft)
{
	struct certdir_planner *planner = draft->planner;
	const struct certdir_plan_rules *rules = planner->rules;
	const struct certdir_wanted *device = draft->pair->device;
	const struct certdir_mark mark = certdir_plan_mark(planner, draft->pair->key, CERTDIR_MARK_WANTED, 0);
	const char *text = print_mark(planner, &mark);
	const struct certdir_ldap_values none = {NULL, 0};
	struct certdir_ldap_values gone, come;
	char name[CERTDIR_EXCERPT_QUOTED];

	add_naming(draft, device->values, NULL, device->cn);
	add_account(draft, draft->pair->account_name, rules->enabled ? WORKSTATION : WORKSTATION | DISABLED);
	if (text)
		change_to(draft, rules->mark_attribute, text);
	for (size_t i = 0; i < rules->column_count; i++) {
		if (is_cn(&rules->columns[i]))
			continue;
		certdir_plan_diff(planner->arena, &none, &device->values[i], rules->columns[i].folded, &gone, &come);
		certdir_plan_draft_change(draft, rules->columns[i].attribute, gone, come, false);
	}
	if (certdir_plan_maps(planner)) {
		certdir_plan_diff(planner->arena, &none, &device->mappings, true, &gone, &come);
		certdir_plan_draft_change(draft, "altSecurityIdentities", gone, come, false);
	}
	if (device->name)
		certdir_plan_say(&draft->why, "new device %s",
				 certdir_excerpt_quote(device->name, strlen(device->name), name));
	else
		certdir_plan_say(&draft->why, "new device");
	certdir_plan_draft_flush(draft, CERTDIR_PHASE_CREATE, CERTDIR_LDAP_VERB_ADD, draft->new_dn,
				 certdir_plan_is_computer(planner));
	certdir_plan_draft_groups(draft);
	(void)certdir_plan_draft_end(draft, CERTDIR_ACTION_CREATE);
}

/* What it has is written down for the way back, but for what it gives up before. */
static void write_removal(struct certdir_plan_draft *draft)
{
	struct certdir_planner *planner = draft->planner;
	const struct certdir_plan_rules *rules = planner->rules;
	const struct certdir_account *account = draft->account;
	const unsigned mappings = 1 + (unsigned)rules->column_count;
	const struct certdir_ldap_values none = {NULL, 0};
	char since[CERTDIR_TIMESTAMP_SIZE];

	add_naming(draft, account->values, draft->pair->aside ? account->cn : NULL, draft->cn);
	/* A flag that a person has set does not come back. */
	add_account(draft, account->account_name, account->control ? WORKSTATION | (account->control & DISABLED) : 0);
	change_to(draft, rules->mark_attribute, account->mark_text);
	for (unsigned i = 0; account->values && i < rules->column_count; i++) {
		struct certdir_ldap_values values = account->values[i];

		if (is_cn(&rules->columns[i]))
			continue;
		if (rules->columns[i].unique)
			values = certdir_plan_draft_yield(draft, 1 + i, values);
		certdir_plan_draft_change(draft, rules->columns[i].attribute, none, values, false);
	}
	certdir_plan_draft_change(draft, "altSecurityIdentities", none,
				  certdir_plan_draft_yield(draft, mappings, account->mappings), false);
	certdir_plan_draft_give_way(draft);
	certdir_plan_draft_leave(draft);
	certdir_timestamp_print(account->mark->gone, since);
	certdir_plan_say(&draft->why, "is not in the list since %s", since);
	certdir_plan_draft_flush(draft, CERTDIR_PHASE_DELETE, CERTDIR_LDAP_VERB_DELETE, draft->dn, false);
	planner->lost++;
	(void)certdir_plan_draft_end(draft, CERTDIR_ACTION_REMOVE);
}

/* ---- accounts that stay ---- */

/* The mark that the account shall have. */
static struct certdir_mark next_mark(const struct certdir_plan_draft *draft)
{
	const struct certdir_planner *planner = draft->planner;
	const struct certdir_plan_pair *pair = draft->pair;
	const struct certdir_mark *mark = draft->account->mark;
	int64_t gone = planner->now;

	if (pair->wanted)
		return certdir_plan_mark(planner, pair->key, CERTDIR_MARK_WANTED, 0);
	if (pair->device)
		return certdir_plan_mark(planner, pair->key, CERTDIR_MARK_DISABLED, 0);
	/* Only an account that was disabled all the time has been gone for so long. */
	if (mark->state == CERTDIR_MARK_GONE && mark->gone < gone &&
	    (draft->account->disabled || !certdir_plan_is_computer(planner)))
		gone = mark->gone;
	return certdir_plan_mark(planner, pair->key, CERTDIR_MARK_GONE, gone);
}

static bool change_mark(struct certdir_plan_draft *draft, const struct certdir_mark *next)
{
	struct certdir_planner *planner = draft->planner;
	const struct certdir_mark *mark = draft->account->mark;
	const char *text;

	if (mark->state == next->state && strcmp(mark->key, next->key) == 0 &&
	    (next->state != CERTDIR_MARK_GONE || mark->gone == next->gone))
		return false;
	text = print_mark(planner, next);
	if (text)
		certdir_plan_draft_change(draft, planner->rules->mark_attribute,
					  certdir_plan_one(planner->arena, draft->account->mark_text),
					  certdir_plan_one(planner->arena, text), false);
	return true;
}

/* Returns -1 when the account becomes a disabled one, 1 when it becomes an enabled one, 0 = neither. */
static int change_control(struct certdir_plan_draft *draft)
{
	struct certdir_planner *planner = draft->planner;
	const uint32_t before = draft->account->control, known = before ? before : WORKSTATION,
		       after = draft->pair->wanted && planner->rules->enabled ? known & ~(uint32_t)DISABLED
									      : known | DISABLED;
	const char *old, *new;

	if (!certdir_plan_is_computer(planner) || after == before)
		return 0;
	old = certdir_arena_print(planner->arena, "%d", (int32_t)before);
	new = certdir_arena_print(planner->arena, "%d", (int32_t)after);
	if (!old || !new)
		return 0;
	certdir_plan_draft_change(draft, "userAccountControl",
				  before ? certdir_plan_one(planner->arena, old)
					 : (struct certdir_ldap_values){NULL, 0},
				  certdir_plan_one(planner->arena, new), true);
	return after & DISABLED ? -1 : 1;
}

static void change_columns(struct certdir_plan_draft *draft)
{
	struct certdir_planner *planner = draft->planner;
	const struct certdir_plan_rules *rules = planner->rules;
	bool unnamed = false, bereft = false;

	for (unsigned i = 0; i < rules->column_count; i++) {
		const struct certdir_column *column = &rules->columns[i];
		struct certdir_ldap_values have = draft->account->values[i], shall = draft->pair->device->values[i];
		struct certdir_ldap_values gone, come;

		if (is_cn(column)) {
			/* The server has changed the RDN's own value by then. */
			have = with_cn(planner->arena, &have, draft->new_dn != draft->dn ? draft->account->cn : NULL,
				       draft->new_cn);
			shall = with_cn(planner->arena, &shall, NULL, draft->new_cn);
		}
		certdir_plan_diff(planner->arena, &have, &shall, column->folded, &gone, &come);
		certdir_plan_say_change(&draft->why, column->attribute, &gone, &come);
		unnamed |= column->unique && gone.count > 0;
		bereft |= !column->unique && gone.count > 0 && come.count == 0;
		if (column->unique)
			gone = certdir_plan_draft_yield(draft, 1 + i, gone);
		certdir_plan_draft_change(draft, column->attribute, gone, come, false);
	}
	planner->bereft += bereft;
	/* One that is called otherwise has other names, and is counted for that. */
	planner->unnamed += unnamed && draft->new_dn == draft->dn;
}

/* A device that is not wanted gives up what others wait for, and nothing else. */
static void make_room(struct certdir_plan_draft *draft)
{
	const struct certdir_plan_rules *rules = draft->planner->rules;
	const struct certdir_ldap_values none = {NULL, 0};
	char name[CERTDIR_EXCERPT_QUOTED];

	if (draft->pair->aside)
		certdir_plan_say(&draft->why, "another device is now called %s",
				 certdir_excerpt_quote(draft->account->cn, strlen(draft->account->cn), name));
	for (unsigned i = 0; i < rules->column_count; i++) {
		const size_t before = draft->yield_count;

		if (!rules->columns[i].unique)
			continue;
		(void)certdir_plan_draft_yield(draft, 1 + i, draft->account->values[i]);
		if (draft->yield_count > before)
			certdir_plan_say_change(&draft->why, rules->columns[i].attribute,
						&draft->planner->yields[before].deleted, &none);
	}
}

static void change_mappings(struct certdir_plan_draft *draft)
{
	struct certdir_planner *planner = draft->planner;
	const struct certdir_ldap_values *have = &draft->account->mappings, none = {NULL, 0};
	struct certdir_ldap_bytes *items = NULL;
	struct certdir_ldap_values gone = {NULL, 0}, come = {NULL, 0}, ignored;
	bool in_doubt = false;

	for (size_t i = 0; i < have->count; i++) {
		if (!certdir_plan_mapping_goes(planner, draft->pair, &have->items[i]))
			continue;
		if (!items)
			items = certdir_arena_alloc(planner->arena, (have->count - i) * sizeof(*items));
		if (!items)
			return;
		items[gone.count++] = have->items[i];
		gone.items = items;
		in_doubt |= !certdir_plan_mapping_has_ended(planner, &have->items[i]);
	}
	/*
	 * One that is taken over loses the former device's, which is not wanted any more. Where none comes instead, it may be the same
	 * device, which a list has by another id.
	 */
	planner->unmapped +=
		in_doubt && draft->pair->wanted && (!draft->pair->from || draft->pair->device->mappings.count == 0);
	if (draft->pair->wanted && certdir_plan_maps(planner))
		certdir_plan_diff(planner->arena, have, &draft->pair->device->mappings, true, &ignored, &come);
	if (gone.count == 0 && come.count == 0)
		return;
	certdir_plan_say_change(&draft->why, "altSecurityIdentities", &gone, &come);
	gone = certdir_plan_draft_yield(draft, 1 + (unsigned)planner->rules->column_count, gone);
	certdir_plan_draft_change(draft, "altSecurityIdentities", gone.count ? gone : none, come, false);
}

/* ---- why ---- */

static void say_unwanted(struct certdir_plan_draft *draft, const struct certdir_mark *next, int control)
{
	const enum certdir_mark_state before = draft->account->mark->state;
	const struct certdir_wanted *device = draft->pair->device;

	if (before == CERTDIR_MARK_GONE && next->state == CERTDIR_MARK_DISABLED)
		certdir_plan_say(&draft->why, "is in the list again, and %s", device->why_not);
	else if (before != next->state)
		certdir_plan_say(&draft->why, "%s", device ? device->why_not : "is not in the list any more");
	else if (control)
		certdir_plan_say(&draft->why, "%s, and the account was enabled",
				 device ? device->why_not : "is not in the list");
	else if (draft->account->mark->gone != next->gone)
		certdir_plan_say(&draft->why, "its mark had a time in the future");
}

static void say_wanted(struct certdir_plan_draft *draft, int control)
{
	const struct certdir_plan_pair *pair = draft->pair;
	const struct certdir_mark *mark = draft->account->mark;

	if (pair->from)
		certdir_plan_say(&draft->why, "re-enrolled: was device %s", mark->key);
	else if (mark->state == CERTDIR_MARK_GONE)
		certdir_plan_say(&draft->why, "is in the list again");
	else if (mark->state == CERTDIR_MARK_DISABLED)
		certdir_plan_say(&draft->why, "is wanted again");
	else if (control > 0)
		certdir_plan_say(&draft->why, "the account was disabled");
	if (control < 0)
		certdir_plan_say(&draft->why, "enabled = no");
}

static void say_moved(struct certdir_plan_draft *draft)
{
	const struct certdir_account *account = draft->account;
	char old[CERTDIR_EXCERPT_QUOTED], new[CERTDIR_EXCERPT_QUOTED];

	if (draft->new_dn == draft->dn)
		return;
	if (account->ou != draft->pair->device->ou)
		certdir_plan_say(&draft->why, "was in %s", certdir_dn_parent(account->dn));
	if (!certdir_plan_same(account->cn, strlen(account->cn), draft->new_cn, strlen(draft->new_cn)))
		certdir_plan_say(&draft->why, "CN %s -> %s",
				 certdir_excerpt_quote(account->cn, strlen(account->cn), old),
				 certdir_excerpt_quote(draft->new_cn, strlen(draft->new_cn), new));
}

/* ---- the whole ---- */

static enum certdir_action_kind kind_of(const struct certdir_plan_draft *draft, const struct certdir_mark *next,
					int control)
{
	const bool was = draft->account->mark->state == CERTDIR_MARK_WANTED, is = next->state == CERTDIR_MARK_WANTED;

	if (control < 0 || (was && !is))
		return CERTDIR_ACTION_DISABLE;
	if (control > 0 || (is && !was && draft->planner->rules->enabled))
		return CERTDIR_ACTION_ENABLE;
	return draft->new_dn != draft->account->dn ? CERTDIR_ACTION_MOVE : CERTDIR_ACTION_CHANGE;
}

static void write_change(struct certdir_plan_draft *draft)
{
	const struct certdir_mark next = next_mark(draft);
	const bool marked = change_mark(draft, &next);
	const int control = change_control(draft);
	const enum certdir_action_kind kind = kind_of(draft, &next, control);

	if (draft->pair->wanted) {
		draft->planner->renamed += draft->new_dn != draft->dn;
		say_wanted(draft, control);
		say_moved(draft);
		change_columns(draft);
	} else {
		if (marked || control)
			say_unwanted(draft, &next, control);
		certdir_plan_draft_flush(draft, CERTDIR_PHASE_DISABLE, CERTDIR_LDAP_VERB_MODIFY, draft->account->dn,
					 false);
		draft->change_count = 0;
		make_room(draft);
	}
	change_mappings(draft);
	certdir_plan_draft_give_way(draft);
	certdir_plan_draft_flush(draft, CERTDIR_PHASE_CHANGE, CERTDIR_LDAP_VERB_MODIFY, draft->new_dn, false);
	if (draft->pair->wanted)
		certdir_plan_draft_groups(draft);
	if (!certdir_plan_draft_end(draft, kind))
		draft->planner->plan->unchanged++;
	else if (kind == CERTDIR_ACTION_DISABLE && draft->account->mark->state == CERTDIR_MARK_WANTED)
		draft->planner->lost++;
}

static const char *dn_of(struct certdir_planner *planner, const char *cn, const char *ou)
{
	const char *rdn = certdir_plan_rdn(planner->arena, cn);

	return rdn ? certdir_arena_print(planner->arena, "%s,%s", rdn, ou) : NULL;
}

void certdir_plan_write(struct certdir_planner *planner, const struct certdir_plan_pair *pair)
{
	const struct certdir_account *account = pair->account;
	struct certdir_plan_draft draft = {
		.planner = planner, .pair = pair, .account = account, .first = planner->plan->step_count};

	if (pair->to || (!account && !certdir_plan_acts(pair)))
		return;
	if (pair->blocked) {
		planner->plan->unchanged++;
		return;
	}
	draft.cn = pair->aside ? pair->aside : account ? account->cn : pair->device->cn;
	draft.dn = !account	 ? dn_of(planner, draft.cn, pair->device->ou)
		   : pair->aside ? dn_of(planner, draft.cn, account->ou)
				 : account->dn;
	draft.new_cn = certdir_plan_renames(pair) ? pair->device->cn : draft.cn;
	draft.new_dn = certdir_plan_renames(pair) ? dn_of(planner, draft.new_cn, pair->device->ou) : draft.dn;
	if (!draft.dn || !draft.new_dn)
		return;
	if (!account)
		write_new(&draft);
	else if (pair->remove)
		write_removal(&draft);
	else
		write_change(&draft);
}
