/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/planner.h"

bool certdir_plan_renames(const struct certdir_plan_pair *pair)
{
	const struct certdir_account *account = pair->account;

	return certdir_plan_acts(pair) && account &&
	       (account->ou != pair->device->ou ||
		!certdir_plan_same(account->cn, strlen(account->cn), pair->device->cn, strlen(pair->device->cn)));
}

/* ---- by key ---- */

static struct certdir_plan_pair *add(struct certdir_planner *planner, const char *key,
				     const struct certdir_wanted *device, const struct certdir_account *account)
{
	struct certdir_plan_pair *pair = &planner->pairs[planner->pair_count++];

	*pair = (struct certdir_plan_pair){.key = key, .device = device, .account = account};
	pair->wanted = device && !device->why_not;
	return pair;
}

/* Which of them is the wanted device's cannot be known, so all stay as they are. */
static void block_several(struct certdir_planner *planner, const char *key, const struct certdir_wanted *device,
			  const struct certdir_account *accounts, size_t count)
{
	enum { NAMED = 4 };
	const char *names = accounts[0].dn;

	for (size_t i = 0; i < count; i++)
		add(planner, key, NULL, &accounts[i])->blocked = true;
	add(planner, key, device, NULL)->blocked = true;
	for (size_t i = 1; i < count && i < NAMED && names; i++)
		names = certdir_arena_print(planner->arena, "%s; %s", names, accounts[i].dn);
	certdir_plan_remark(planner, CERTDIR_REMARK_PROBLEM, key,
			    certdir_arena_print(planner->arena,
						"%zu accounts carry the mark of this device and are left as they are: "
						"%s%s: clear the %s of all but one, and of any that is a real computer",
						count, names ? names : "", count > NAMED ? "; .." : "",
						planner->rules->mark_attribute));
}

struct certdir_mark certdir_plan_mark(const struct certdir_planner *planner, const char *key,
				      enum certdir_mark_state state, int64_t gone)
{
	struct certdir_mark mark = {.state = state, .gone = state == CERTDIR_MARK_GONE ? gone : 0};

	memcpy(mark.section, planner->rules->name, strnlen(planner->rules->name, sizeof(mark.section) - 1));
	memcpy(mark.key, key, strnlen(key, sizeof(mark.key) - 1));
	return mark;
}

/* A mark that reads otherwise, or is none, would make the account another's. */
bool certdir_plan_can_mark(const struct certdir_planner *planner, const char *key)
{
	const struct certdir_mark mark = certdir_plan_mark(planner, key, CERTDIR_MARK_WANTED, 0);
	char text[CERTDIR_MARK_MAX + 1];
	struct certdir_mark again;

	certdir_mark_print(&mark, text);
	return strcmp(mark.key, key) == 0 && certdir_mark_parse(text, strlen(text), &again) &&
	       again.state == CERTDIR_MARK_WANTED && strcmp(again.key, key) == 0;
}

static void look_at_device(struct certdir_planner *planner, struct certdir_plan_pair *pair)
{
	const char *problem = pair->wanted ? pair->device->problem : NULL;

	if (pair->wanted && !problem && !pair->account && !certdir_plan_can_mark(planner, pair->key))
		problem = "its id is too long for a mark, or no plain text";
	if (!problem)
		return;
	pair->blocked = true;
	certdir_plan_remark(
		planner, CERTDIR_REMARK_PROBLEM, pair->key,
		certdir_arena_print(planner->arena, "%s%s", problem,
				    pair->account ? ": its account is left as it is" : ": it gets no account"));
}

/* An account of a device that was not there for long enough goes, when it was disabled all the time. */
static void look_at_account(const struct certdir_planner *planner, struct certdir_plan_pair *pair)
{
	const struct certdir_account *account = pair->account;

	if (pair->device || pair->blocked || account->mark->state != CERTDIR_MARK_GONE)
		return;
	if (certdir_plan_is_computer(planner) && !account->disabled)
		return;
	pair->remove = planner->now - account->mark->gone >= planner->rules->delete_after;
}

bool certdir_plan_pair_up(struct certdir_planner *planner)
{
	const struct certdir_wanted_list *wanted = planner->wanted;
	const struct certdir_accounts *accounts = planner->accounts;
	size_t w = 0, a = 0;

	planner->pairs = certdir_arena_alloc(planner->arena,
					     (wanted->count + accounts->own_count + 1) * sizeof(*planner->pairs));
	if (!planner->pairs)
		return false;
	while (w < wanted->count || a < accounts->own_count) {
		const struct certdir_account *account = a < accounts->own_count ? &accounts->own[a] : NULL;
		const int order = w == wanted->count ? 1
				  : !account	     ? -1
						     : strcmp(wanted->devices[w].key, account->mark->key);
		const struct certdir_wanted *device = order <= 0 ? &wanted->devices[w++] : NULL;
		const char *key = device ? device->key : account->mark->key;
		size_t several = 0;

		if (order >= 0)
			while (a + several < accounts->own_count &&
			       strcmp(accounts->own[a + several].mark->key, key) == 0)
				several++;
		if (several > 1 && device && !device->why_not)
			block_several(planner, key, device, account, several);
		else if (several == 0)
			look_at_device(planner, add(planner, key, device, NULL));
		else
			/* Of a device that must not come in all go, however many they are. */
			for (size_t i = 0; i < several; i++) {
				struct certdir_plan_pair *pair = add(planner, key, device, &account[i]);

				look_at_device(planner, pair);
				look_at_account(planner, pair);
			}
		a += several;
	}
	return true;
}

/* ---- by DN ---- */

/* Made when somebody asks first: in most runs nobody does. */
static void name_accounts(struct certdir_planner *planner)
{
	const struct certdir_accounts *accounts = planner->accounts;

	for (size_t i = 0; i < accounts->own_count; i++)
		certdir_plan_names_add(&planner->dns, (struct certdir_plan_name){.bytes = accounts->own[i].dn,
										 .length = strlen(accounts->own[i].dn),
										 .account = &accounts->own[i]});
}

const struct certdir_account *certdir_plan_account_at(struct certdir_planner *planner, const char *dn)
{
	const struct certdir_plan_name *name;

	if (planner->dns.count == 0)
		name_accounts(planner);
	name = certdir_plan_names_find(&planner->dns, 0, dn, strlen(dn));
	return name ? name->account : NULL;
}

bool certdir_plan_decides(struct certdir_planner *planner, const char *dn)
{
	const struct certdir_account *account = certdir_plan_account_at(planner, dn);

	return account && !account->life;
}

void certdir_plan_keep_parents(struct certdir_planner *planner)
{
	for (size_t i = 0; i < planner->pair_count; i++) {
		struct certdir_plan_pair *pair = &planner->pairs[i];

		if (!pair->remove || !pair->account->child)
			continue;
		pair->remove = false;
		certdir_plan_remark(planner, CERTDIR_REMARK_PROBLEM, pair->key,
				    certdir_arena_print(planner->arena,
							"%s cannot be removed: entries stand below it, such as %s",
							pair->account->dn, pair->account->child));
	}
}
