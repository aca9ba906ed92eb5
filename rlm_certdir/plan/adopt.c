/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accounts that a script made for devices of the list become ours: each gets its mark, and nothing else. They are found by name, once, while an
 * administrator looks on; whatever leaves a doubt is told and left alone.
 */
#include "plan/planner.h"

/* What a name is compared with: the whole text of the pattern, or the part of it that fits an account's name. */
enum { WHOLE, CUT };
enum { CUT_CHARACTERS = 15, NAMED = 5 };

/* ---- devices ---- */

/* How many bytes the first characters of a text are; 0 when it has no more than those. */
static size_t cut(const char *text)
{
	size_t at = 0;

	for (unsigned count = 0; text[at]; at++)
		if (((unsigned char)text[at] & 0xc0) != 0x80 && count++ == CUT_CHARACTERS)
			return at;
	return 0;
}

/* A pair for each device of the list, with the account that it has already, or none. */
static bool pair_devices(struct certdir_planner *planner)
{
	const struct certdir_wanted_list *wanted = planner->wanted;
	const struct certdir_accounts *accounts = planner->accounts;
	size_t a = 0;

	planner->pairs = certdir_arena_alloc(planner->arena, (wanted->count + 1) * sizeof(*planner->pairs));
	planner->changes = certdir_arena_alloc(planner->arena, 2 * sizeof(*planner->changes));
	if (!planner->pairs || !planner->changes)
		return false;
	for (size_t i = 0; i < wanted->count; i++) {
		const struct certdir_wanted *device = &wanted->devices[i];
		struct certdir_plan_pair *pair = &planner->pairs[planner->pair_count++];

		while (a < accounts->own_count && strcmp(accounts->own[a].mark->key, device->key) < 0)
			a++;
		*pair = (struct certdir_plan_pair){.key = device->key, .device = device};
		if (a < accounts->own_count && strcmp(accounts->own[a].mark->key, device->key) == 0)
			pair->account = &accounts->own[a];
	}
	return true;
}

static bool index_devices(struct certdir_planner *planner, struct certdir_plan_names *names)
{
	for (size_t i = 0; i < planner->pair_count; i++) {
		struct certdir_plan_pair *pair = &planner->pairs[i];
		const char *text = pair->device->pattern;

		if (!text)
			continue;
		certdir_plan_names_add(names,
				       (struct certdir_plan_name){
					       .space = WHOLE, .bytes = text, .length = strlen(text), .pair = pair});
		if (cut(text) > 0)
			certdir_plan_names_add(names,
					       (struct certdir_plan_name){
						       .space = CUT, .bytes = text, .length = cut(text), .pair = pair});
	}
	return !planner->arena->failed;
}

/* ---- accounts ---- */

/* The devices that an account could be of. */
struct fit {
	struct certdir_plan_pair *pair; /* one of them, or NULL */
	const struct certdir_plan_pair *other; /* another one: nobody knows which */
};

static void look_up(const struct certdir_plan_names *names, unsigned space, const char *name, size_t length,
		    struct fit *fit)
{
	const struct certdir_plan_name *found = certdir_plan_names_find(names, space, name, length);

	for (; found; found = found->next) {
		struct certdir_plan_pair *pair = found->pair;

		if (!fit->pair)
			fit->pair = pair;
		else if (fit->pair != pair)
			fit->other = pair;
	}
}

/* A part of a name counts only where no whole one does. */
static struct fit fit_of(const struct certdir_plan_names *names, const struct certdir_account *account)
{
	const char *name = account->account_name ? account->account_name : "";
	size_t length = strlen(name);
	struct fit fit = {NULL, NULL};

	if (length > 0 && name[length - 1] == '$')
		length--;
	look_up(names, WHOLE, account->cn, strlen(account->cn), &fit);
	look_up(names, WHOLE, name, length, &fit);
	if (!fit.pair)
		look_up(names, CUT, name, length, &fit);
	return fit;
}

/* What the device itself says against it, or NULL. */
static const char *device_refuses(struct certdir_planner *planner, const struct certdir_plan_pair *pair,
				  const struct certdir_account *account)
{
	const struct certdir_wanted *device = pair->device;

	if (pair->account)
		return certdir_arena_print(planner->arena, "has an account already: %s", pair->account->dn);
	if (device->hybrid || device->sid || (account->guid && strcasecmp(account->guid, pair->key) == 0))
		return "is a computer of Active Directory that Entra Connect has synced";
	if (device->left_out == CERTDIR_LEFT_OUT_TRUST_TYPE || device->left_out == CERTDIR_LEFT_OUT_UNTYPED ||
	    device->left_out == CERTDIR_LEFT_OUT_LDAP)
		return certdir_arena_print(planner->arena, "is none for this section: it %s", device->why_not);
	if (!certdir_plan_can_mark(planner, pair->key))
		return "has an id that is too long for a mark, or no plain text";
	return NULL;
}

static const char *why_left(struct certdir_planner *planner, const struct certdir_account *account,
			    const struct fit *fit)
{
	const char *why;

	if (fit->other)
		return certdir_arena_print(planner->arena,
					   "fits several devices, such as %s and %s: it is left as it is",
					   fit->pair->key, fit->other->key);
	if (fit->pair->attempt > 1)
		return certdir_arena_print(planner->arena, "%u accounts fit device %s: they are left as they are",
					   fit->pair->attempt, fit->pair->key);
	if (account->life)
		return certdir_arena_print(
			planner->arena,
			"is a real computer by now (%s), although its name fits device %s: it is left "
			"as it is",
			account->life, fit->pair->key);
	if (account->unfit)
		return certdir_arena_print(planner->arena, "fits device %s, but %s: it is left as it is",
					   fit->pair->key, account->unfit);
	why = device_refuses(planner, fit->pair, account);
	return why ? certdir_arena_print(planner->arena, "fits device %s, which %s: it is left as it is",
					 fit->pair->key, why)
		   : NULL;
}

static void adopt(struct certdir_planner *planner, const struct certdir_plan_pair *pair,
		  const struct certdir_account *account)
{
	const struct certdir_mark mark = certdir_plan_mark(planner, pair->key, CERTDIR_MARK_WANTED, 0);
	struct certdir_plan_draft draft = {.planner = planner,
					   .pair = pair,
					   .account = account,
					   .dn = account->dn,
					   .new_dn = account->dn,
					   .cn = account->cn,
					   .new_cn = account->cn,
					   .first = planner->plan->step_count};
	const struct certdir_wanted *device = pair->device;
	char text[CERTDIR_MARK_MAX + 1], name[CERTDIR_EXCERPT_QUOTED];

	certdir_mark_print(&mark, text);
	certdir_plan_draft_change(&draft, planner->rules->mark_attribute, (struct certdir_ldap_values){NULL, 0},
				  certdir_plan_one(planner->arena, text), false);
	certdir_plan_say(&draft.why, "device %s", pair->key);
	if (device->name)
		certdir_plan_say(&draft.why, "called %s",
				 certdir_excerpt_quote(device->name, strlen(device->name), name));
	if (device->why_not)
		certdir_plan_say(&draft.why, "%s: the next apply disables it", device->why_not);
	else if (account->disabled && planner->rules->enabled)
		certdir_plan_say(&draft.why, "it is disabled: the next apply enables it");
	certdir_plan_draft_flush(&draft, CERTDIR_PHASE_CHANGE, CERTDIR_LDAP_VERB_MODIFY, account->dn, false);
	(void)certdir_plan_draft_end(&draft, CERTDIR_ACTION_ADOPT);
}

/* ---- the plan ---- */

static bool is_candidate(const struct certdir_account *account)
{
	return account->computer && account->direct && !account->mark;
}

/* Computers that no device is: how many, and the first of them. */
static void tell_strangers(struct certdir_planner *planner, const struct fit *fits)
{
	const struct certdir_accounts *accounts = planner->accounts;
	const char *names = "";
	size_t count = 0;

	for (size_t i = 0; i < accounts->foreign_count && names; i++) {
		const struct certdir_account *account = &accounts->foreign[i];

		if (!is_candidate(account) || fits[i].pair)
			continue;
		if (count++ < NAMED)
			names = certdir_arena_print(planner->arena, "%s%s%s", names, *names ? ", " : "", account->cn);
	}
	if (count > 0 && names)
		certdir_plan_remark(planner, CERTDIR_REMARK_WARNING, "",
				    certdir_arena_print(planner->arena,
							"%zu computer%s without a device in the list: nothing changes "
							"there, and NPS lets in who is enabled: %s%s",
							count, count == 1 ? "" : "s", names,
							count > NAMED ? ", .." : ""));
}

static bool make(struct certdir_planner *planner)
{
	const struct certdir_accounts *accounts = planner->accounts;
	struct fit *fits = certdir_arena_alloc(planner->arena, (accounts->foreign_count + 1) * sizeof(*fits));
	struct certdir_plan_names names = certdir_plan_names_empty(planner);

	if (!fits || !pair_devices(planner) || !index_devices(planner, &names))
		return false;
	for (size_t i = 0; i < accounts->foreign_count; i++) {
		if (is_candidate(&accounts->foreign[i]))
			fits[i] = fit_of(&names, &accounts->foreign[i]);
		if (fits[i].pair)
			fits[i].pair->attempt++;
	}
	for (size_t i = 0; i < accounts->foreign_count && !planner->arena->failed; i++) {
		const struct certdir_account *account = &accounts->foreign[i];
		const char *why = fits[i].pair ? why_left(planner, account, &fits[i]) : NULL;

		if (account->mark)
			certdir_plan_remark_foreign(planner, account);
		else if (why)
			certdir_plan_remark(planner, CERTDIR_REMARK_PROBLEM, account->dn, why);
		else if (fits[i].pair && !planner->arena->failed)
			adopt(planner, fits[i].pair, account);
	}
	tell_strangers(planner, fits);
	if (accounts->own_count + accounts->foreign_count == 0)
		certdir_plan_remark(planner, CERTDIR_REMARK_PROBLEM, "",
				    "there is nothing to be seen in the section's OUs: look whether `ou` is where the "
				    "script has its "
				    "computers, and whether the account that certdir binds as may read them");
	return !planner->arena->failed && certdir_plan_sort(planner);
}

bool certdir_plan_adopt(const struct certdir_plan_rules *rules, const struct certdir_domain *domain,
			const struct certdir_wanted_list *wanted, const struct certdir_accounts *accounts, int64_t now,
			struct certdir_arena *arena, struct certdir_plan *plan, struct certdir_error *error)
{
	struct certdir_planner planner = {.rules = rules,
					  .domain = domain,
					  .wanted = wanted,
					  .accounts = accounts,
					  .now = now,
					  .arena = arena,
					  .plan = plan};

	*plan = (struct certdir_plan){
		.wanted = wanted->selected, .own = accounts->own_count, .unchanged = accounts->own_count};
	if (make(&planner))
		return true;
	certdir_error_set(error, "out of memory while looking at %zu devices and %zu accounts", wanted->count,
			  accounts->foreign_count);
	*plan = (struct certdir_plan){.actions = NULL};
	return false;
}
