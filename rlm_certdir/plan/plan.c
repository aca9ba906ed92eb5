/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/planner.h"

#include <stdlib.h>

#include "base/shrink.h"

/* ---- the guard ---- */

struct guarded {
	const char *what;
	size_t count, of;
};

/*
 * Whether max_remove allows it. That all accounts are lost is never taken for the few that always may go; that all of a few are changed
 * is.
 */
static bool is_allowed(const struct certdir_planner *planner, const struct guarded *guarded, bool lost)
{
	return certdir_shrink_allowed(guarded->of + !lost, guarded->count, planner->rules->max_remove);
}

static bool has_strong_mapping(const struct certdir_account *account)
{
	for (size_t i = 0; i < account->mappings.count; i++)
		if (certdir_plan_mapping_is_strong(&account->mappings.items[i]))
			return true;
	return false;
}

/* Several mistakes at once are told at once: --force lets all of it go. */
static void guard_changes(struct certdir_planner *planner)
{
	const struct certdir_accounts *accounts = planner->accounts;
	struct certdir_plan *plan = planner->plan;
	struct guarded changes[] = {
		{"be disabled or removed", planner->lost, plan->kinds[CERTDIR_ACTION_REMOVE]},
		{"lose a mapping whose certificate is not known to have ended", planner->unmapped, 0},
		{"lose a service principal name", planner->unnamed, 0},
		{"lose a value of an attribute and get no other", planner->bereft, 0},
		{"be renamed or moved", planner->renamed, 0},
		{"leave a group", planner->leaving, 0},
	};
	struct certdir_plan_text text = {.length = 0};

	/* Real computers, which nothing is done to, make no change of all others one of a few. */
	for (size_t i = 0; i < accounts->own_count; i++)
		if (accounts->own[i].mark->state == CERTDIR_MARK_WANTED && !accounts->own[i].life) {
			changes[0].of++;
			changes[1].of += has_strong_mapping(&accounts->own[i]);
			changes[2].of++;
			changes[3].of++;
			changes[4].of++;
			changes[5].of += certdir_plan_groups(planner, &accounts->own[i]) != 0;
		}
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++)
		if (!is_allowed(planner, &changes[i], i == 0))
			certdir_plan_say(&text, "%zu of %zu account%s would %s", changes[i].count, changes[i].of,
					 changes[i].of == 1 ? "" : "s", changes[i].what);
	if (text.length > 0)
		certdir_say(
			plan->refusal,
			"%s, and max_remove = %u%% allows fewer: look at the plan, and use --force when it is right",
			text.bytes, planner->rules->max_remove);
}

static void guard(struct certdir_planner *planner)
{
	const struct certdir_accounts *accounts = planner->accounts;
	struct certdir_plan *plan = planner->plan;

	if (plan->action_count > 0 && plan->wanted == 0 && accounts->own_count > 0)
		certdir_say(
			plan->refusal,
			"no device of the list is selected, and the OU has %zu account%s: look at what [placeholders "
			"%s] selects, and use --force when all of them are to go",
			accounts->own_count, accounts->own_count == 1 ? "" : "s", planner->rules->name);
	else
		guard_changes(planner);
	plan->refused = plan->refusal[0];
}

/* ---- remarks ---- */

static const char *why_foreign(const struct certdir_planner *planner, const struct certdir_account *entry)
{
	if (!entry->mark)
		return "is not ours and stays as it is: this OU should hold nothing else";
	if (strcasecmp(entry->mark->section, planner->rules->name) != 0)
		return certdir_arena_print(planner->arena,
					   "belongs to [placeholders %s] and stays as it is: give each section an OU "
					   "of its own",
					   entry->mark->section);
	return certdir_arena_print(planner->arena,
				   "carries our mark and is no entry of [placeholders %s]: it stays as it is",
				   planner->rules->name);
}

void certdir_plan_remark_foreign(struct certdir_planner *planner, const struct certdir_account *entry)
{
	certdir_plan_remark(planner, CERTDIR_REMARK_FOREIGN, entry->dn, why_foreign(planner, entry));
}

/* ---- order ---- */

static int compare_remarks(const void *a, const void *b)
{
	const struct certdir_remark *left = a, *right = b;
	int order = (left->kind > right->kind) - (left->kind < right->kind);

	if (!order)
		order = strcmp(left->subject, right->subject);
	return order ? order : strcmp(left->text, right->text);
}

static int compare_actions(const void *a, const void *b)
{
	const struct certdir_action *left = a, *right = b;
	int order = (left->kind > right->kind) - (left->kind < right->kind);

	if (!order)
		order = strcmp(left->name, right->name);
	return order ? order : strcmp(left->key, right->key);
}

/* Actions in order, and their steps after them. */
bool certdir_plan_sort(struct certdir_planner *planner)
{
	struct certdir_plan *plan = planner->plan;
	struct certdir_step *steps = certdir_arena_alloc(planner->arena, (plan->step_count + 1) * sizeof(*steps));
	size_t count = 0;

	if (!steps)
		return false;
	if (plan->remark_count > 1)
		qsort(plan->remarks, plan->remark_count, sizeof(*plan->remarks), compare_remarks);
	if (plan->action_count > 1)
		qsort(plan->actions, plan->action_count, sizeof(*plan->actions), compare_actions);
	for (size_t i = 0; i < plan->action_count; i++) {
		struct certdir_action *action = &plan->actions[i];
		const size_t first = count;

		for (size_t k = 0; k < action->count; k++) {
			steps[count] = plan->steps[action->first + k];
			steps[count++].action = i;
		}
		action->first = first;
	}
	plan->steps = steps;
	return true;
}

/* ---- the flow ---- */

static bool prepare(struct certdir_planner *planner)
{
	/* Next to the columns: object classes, CN, account name, control, mark, mappings. */
	const size_t changes = planner->rules->column_count + 8;

	planner->claimed = planner->held = planner->owned = planner->dns = planner->asked =
		certdir_plan_names_empty(planner);
	if (!certdir_plan_pair_up(planner))
		return false;
	planner->queue = certdir_arena_alloc(planner->arena, (planner->pair_count + 1) * sizeof(*planner->queue));
	planner->yields = certdir_arena_alloc(planner->arena, changes * sizeof(*planner->yields));
	planner->changes = certdir_arena_alloc(planner->arena, changes * sizeof(*planner->changes));
	if (!planner->queue || !planner->yields || !planner->changes)
		return false;
	certdir_plan_find_synced(planner);
	certdir_plan_find_life(planner);
	certdir_plan_keep_parents(planner);
	certdir_plan_find_namesakes(planner);
	certdir_plan_refuse_hosts(planner);
	return certdir_plan_index(planner);
}

static bool make(struct certdir_planner *planner, struct certdir_error *error)
{
	if (!prepare(planner))
		return false;
	certdir_plan_take_over(planner);
	certdir_plan_settle(planner);
	if (!certdir_plan_claim(planner, error) || !certdir_plan_claim_hosts(planner, error))
		return false;
	certdir_plan_step_aside(planner);
	for (size_t i = 0; i < planner->pair_count && !planner->arena->failed; i++)
		certdir_plan_write(planner, &planner->pairs[i]);
	certdir_plan_remark_unmapped(planner);
	certdir_plan_remark_odd(planner);
	for (size_t i = 0; i < planner->accounts->foreign_count; i++)
		certdir_plan_remark_foreign(planner, &planner->accounts->foreign[i]);
	if (planner->arena->failed || !certdir_plan_sort(planner))
		return false;
	guard(planner);
	return true;
}

bool certdir_plan_make(const struct certdir_plan_rules *rules, const struct certdir_domain *domain,
		       const struct certdir_wanted_list *wanted, const struct certdir_accounts *accounts,
		       const struct certdir_claims_source *claims, int64_t now, struct certdir_arena *arena,
		       struct certdir_plan *plan, struct certdir_error *error)
{
	struct certdir_planner planner = {
		.rules = rules,
		.domain = domain,
		.wanted = wanted,
		.accounts = accounts,
		.claims = claims,
		.now = now,
		.arena = arena,
		.plan = plan,
	};

	*plan = (struct certdir_plan){.wanted = wanted->selected, .own = accounts->own_count};
	if (make(&planner, error))
		return true;
	if (arena->failed)
		certdir_error_set(error, "out of memory while planning %zu devices and %zu accounts", wanted->count,
				  accounts->own_count);
	*plan = (struct certdir_plan){.actions = NULL};
	return false;
}
