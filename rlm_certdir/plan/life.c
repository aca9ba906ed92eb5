/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accounts that are not what certdir made any more: a real computer has one, or a person has changed it. */
#include "plan/planner.h"

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
