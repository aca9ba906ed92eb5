/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/planner.h"

/* RID of Domain Computers: what the primary group of a new computer is (MS-SAMR 3.1.1.8.1). */
enum { DOMAIN_COMPUTERS = 515 };

void certdir_plan_draft_change(struct certdir_plan_draft *draft, const char *attribute, struct certdir_ldap_values gone,
			       struct certdir_ldap_values come, bool whole)
{
	if (gone.count > 0 || come.count > 0)
		draft->planner->changes[draft->change_count++] =
			(struct certdir_ldap_change){attribute, gone, come, whole};
}

struct certdir_ldap_values certdir_plan_draft_yield(struct certdir_plan_draft *draft, unsigned space,
						    struct certdir_ldap_values gone)
{
	struct certdir_planner *planner = draft->planner;
	struct certdir_ldap_bytes *items;
	struct certdir_ldap_values early, late;

	if (gone.count == 0)
		return gone;
	items = certdir_arena_alloc(planner->arena, gone.count * sizeof(*items));
	if (!items)
		return gone;
	/* The early ones from the front, the others behind them. */
	early = (struct certdir_ldap_values){items, 0};
	for (size_t i = 0; i < gone.count; i++)
		if (certdir_plan_is_awaited(planner, draft->pair, space, gone.items[i].bytes, gone.items[i].length))
			items[early.count++] = gone.items[i];
	late = (struct certdir_ldap_values){items + early.count, 0};
	for (size_t i = 0; i < gone.count; i++)
		if (!certdir_plan_has(&early, &gone.items[i], false))
			items[early.count + late.count++] = gone.items[i];
	if (early.count > 0)
		planner->yields[draft->yield_count++] = (struct certdir_ldap_change){
			.attribute = certdir_plan_attribute(planner, space), .deleted = early};
	return late;
}

/* ---- steps ---- */

/* An account that is taken over has the new device's mark from phase CHANGE on. */
static const char *mark_of(const struct certdir_plan_draft *draft, enum certdir_phase phase)
{
	const struct certdir_planner *planner = draft->planner;
	char text[CERTDIR_MARK_MAX + 1];
	struct certdir_mark mark;

	if (!draft->account)
		return NULL;
	if (!draft->pair->from || phase < CERTDIR_PHASE_CHANGE)
		return draft->account->mark_text;
	mark = certdir_plan_mark(planner, draft->pair->key, CERTDIR_MARK_WANTED, 0);
	certdir_mark_print(&mark, text);
	return certdir_arena_copy(planner->arena, text, strlen(text));
}

static void add_step(struct certdir_plan_draft *draft, enum certdir_phase phase,
		     struct certdir_ldap_operation operation, bool password)
{
	struct certdir_planner *planner = draft->planner;
	struct certdir_plan *plan = planner->plan;
	struct certdir_step *steps =
		certdir_plan_grow(planner->arena, plan->steps, plan->step_count, &planner->step_room, sizeof(*steps));

	if (!steps)
		return;
	plan->steps = steps;
	steps[plan->step_count++] = (struct certdir_step){
		.phase = phase,
		.operation = operation,
		.password = password,
		.account = draft->account ? draft->account->dn : NULL,
		.version = draft->account ? draft->account->version : NULL,
		.mark = mark_of(draft, phase),
	};
}

/* A step whose changes are copied, since the planner's arrays serve the next account. */
static void step_changes(struct certdir_plan_draft *draft, enum certdir_phase phase, enum certdir_ldap_verb verb,
			 const char *dn, const struct certdir_ldap_change *changes, size_t count, bool password)
{
	struct certdir_ldap_change *copy = certdir_arena_alloc(draft->planner->arena, count * sizeof(*copy));

	if (!copy)
		return;
	memcpy(copy, changes, count * sizeof(*copy));
	add_step(draft, phase, (struct certdir_ldap_operation){.verb = verb, .dn = dn, .changes = copy, .count = count},
		 password);
}

void certdir_plan_draft_flush(struct certdir_plan_draft *draft, enum certdir_phase phase, enum certdir_ldap_verb verb,
			      const char *dn, bool password)
{
	if (draft->change_count > 0)
		step_changes(draft, phase, verb, dn, draft->planner->changes, draft->change_count, password);
}

static void step_rename(struct certdir_plan_draft *draft, enum certdir_phase phase, const char *dn, const char *cn,
			const char *ou)
{
	add_step(draft, phase,
		 (struct certdir_ldap_operation){.verb = CERTDIR_LDAP_VERB_RENAME,
						 .dn = dn,
						 .rdn = certdir_plan_rdn(draft->planner->arena, cn),
						 .parent = ou},
		 false);
}

void certdir_plan_draft_give_way(struct certdir_plan_draft *draft)
{
	const char *dn = draft->account->dn;

	if (draft->yield_count > 0)
		step_changes(draft, CERTDIR_PHASE_YIELD, CERTDIR_LDAP_VERB_MODIFY, dn, draft->planner->yields,
			     draft->yield_count, false);
	if (draft->pair->aside)
		step_rename(draft, CERTDIR_PHASE_ASIDE, dn, draft->pair->aside, draft->account->ou);
	if (draft->new_dn != draft->dn)
		step_rename(draft, CERTDIR_PHASE_RENAME, draft->dn, draft->new_cn, draft->pair->device->ou);
}

/* ---- groups ---- */

static void step_one(struct certdir_plan_draft *draft, enum certdir_phase phase, const char *dn,
		     const struct certdir_ldap_change change)
{
	step_changes(draft, phase, CERTDIR_LDAP_VERB_MODIFY, dn, &change, 1, false);
}

static struct certdir_ldap_values rid(struct certdir_arena *arena, uint32_t group)
{
	const char *text = group ? certdir_arena_print(arena, "%u", group) : NULL;

	return text ? certdir_plan_one(arena, text) : (struct certdir_ldap_values){NULL, 0};
}

static void step_member(struct certdir_plan_draft *draft, enum certdir_phase phase, const char *group, const char *dn)
{
	const struct certdir_ldap_values member = certdir_plan_one(draft->planner->arena, dn), none = {NULL, 0};
	const bool joins = phase == CERTDIR_PHASE_JOIN;

	step_one(draft, phase, group,
		 (struct certdir_ldap_change){
			 .attribute = "member", .deleted = joins ? none : member, .added = joins ? member : none});
}

/* The targets that have this RID: one, or none. */
static uint64_t targets_of(const struct certdir_planner *planner, uint32_t id)
{
	uint64_t targets = 0;

	for (size_t i = 0; id != 0 && i < planner->domain->group_count; i++)
		if (planner->domain->groups[i].id == id)
			targets |= UINT64_C(1) << i;
	return targets;
}

uint64_t certdir_plan_groups(const struct certdir_planner *planner, const struct certdir_account *account)
{
	return account->groups | targets_of(planner, account->primary_group);
}

/* What the account's primary group shall be. Without primary_group only one that it must not be in is changed. */
static uint32_t primary_of(const struct certdir_planner *planner, const struct certdir_wanted *device, uint32_t before)
{
	const struct certdir_domain *domain = planner->domain;
	const bool forced = planner->rules->primary_group;

	if (forced && device->primary && domain->groups[device->primary - 1].id)
		return domain->groups[device->primary - 1].id;
	if (domain->computers && (forced || (targets_of(planner, before) & ~device->groups)))
		return DOMAIN_COMPUTERS;
	return before;
}

static void step_members(struct certdir_plan_draft *draft, enum certdir_phase phase, uint64_t groups)
{
	const struct certdir_planner *planner = draft->planner;

	for (size_t i = 0; i < planner->domain->group_count; i++) {
		if (!(groups >> i & 1))
			continue;
		step_member(draft, phase, planner->domain->groups[i].dn, draft->new_dn);
		if (draft->account)
			certdir_plan_say(&draft->why, "%s %s", phase == CERTDIR_PHASE_JOIN ? "joins" : "leaves",
					 planner->domain->groups[i].name);
	}
}

static const char *group_name(const struct certdir_planner *planner, uint32_t id)
{
	const uint64_t targets = targets_of(planner, id);

	return targets ? planner->domain->groups[__builtin_ctzll(targets)].name : "Domain Computers";
}

static void make_primary(struct certdir_plan_draft *draft, uint32_t before, uint32_t after)
{
	struct certdir_arena *arena = draft->planner->arena;

	if (before == after)
		return;
	step_one(draft, CERTDIR_PHASE_PRIMARY, draft->new_dn,
		 (struct certdir_ldap_change){"primaryGroupID", rid(arena, before), rid(arena, after), true});
	if (draft->account)
		certdir_plan_say(&draft->why, "%s becomes its primary group", group_name(draft->planner, after));
}

/* Servers take a deleted entry out of its groups by themselves, more or less; and nobody would put it back with the entry. */
void certdir_plan_draft_leave(struct certdir_plan_draft *draft)
{
	const struct certdir_planner *planner = draft->planner;

	for (size_t i = 0; i < planner->domain->group_count; i++)
		if (draft->account->groups >> i & 1)
			step_member(draft, CERTDIR_PHASE_LEAVE, planner->domain->groups[i].dn, draft->dn);
}

/*
 * A primary group is one that the account is in before, and the one that it was becomes an ordinary one by itself (MS-SAMR 3.1.1.8.2),
 * which is left after that. So this is the order: join, make primary, leave.
 */
void certdir_plan_draft_groups(struct certdir_plan_draft *draft)
{
	struct certdir_planner *planner = draft->planner;
	const struct certdir_domain *domain = planner->domain;
	const struct certdir_account *account = draft->account;
	const struct certdir_wanted *device = draft->pair->device;
	const uint32_t before = account ? account->primary_group : DOMAIN_COMPUTERS,
		       after = primary_of(planner, device, before);
	const uint64_t have = (account ? account->groups : 0) | targets_of(planner, before),
		       leaves = have & ~device->groups & ~targets_of(planner, after);
	const bool computers = domain->computers && !targets_of(planner, DOMAIN_COMPUTERS),
		   in_computers = account && account->in_computers;

	if (planner->domain->group_count == 0)
		return;
	step_members(draft, CERTDIR_PHASE_JOIN, device->groups & ~have);
	if (computers && before != after && after == DOMAIN_COMPUTERS && !in_computers)
		step_member(draft, CERTDIR_PHASE_JOIN, domain->computers, draft->new_dn);
	make_primary(draft, before, after);
	step_members(draft, CERTDIR_PHASE_LEAVE, leaves);
	if (computers && planner->rules->primary_group && after != DOMAIN_COMPUTERS &&
	    (in_computers || before == DOMAIN_COMPUTERS)) {
		step_member(draft, CERTDIR_PHASE_LEAVE, domain->computers, draft->new_dn);
		if (account)
			certdir_plan_say(&draft->why, "leaves Domain Computers");
	}
	if (account && leaves && account->mark->state == CERTDIR_MARK_WANTED)
		planner->leaving++;
}

/* ---- the action ---- */

bool certdir_plan_draft_end(struct certdir_plan_draft *draft, enum certdir_action_kind kind)
{
	struct certdir_planner *planner = draft->planner;
	struct certdir_plan *plan = planner->plan;
	struct certdir_action *actions;

	if (plan->step_count == draft->first)
		return false;
	actions = certdir_plan_grow(planner->arena, plan->actions, plan->action_count, &planner->action_room,
				    sizeof(*actions));
	if (!actions)
		return false;
	plan->actions = actions;
	actions[plan->action_count++] = (struct certdir_action){
		.kind = kind,
		.key = draft->pair->key,
		.name = kind == CERTDIR_ACTION_REMOVE ? draft->account->cn : draft->new_cn,
		.dn = kind == CERTDIR_ACTION_REMOVE ? draft->account->dn : draft->new_dn,
		.account_name = draft->account ? draft->account->account_name : draft->pair->account_name,
		.why = certdir_plan_text_end(&draft->why, planner->arena),
		.first = draft->first,
		.count = plan->step_count - draft->first,
	};
	plan->kinds[kind]++;
	return true;
}
