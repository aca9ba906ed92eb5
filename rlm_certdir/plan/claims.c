/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/planner.h"

enum { ATTEMPTS = 32 };

/* ---- claims ---- */

/* A value that is asked about, and for whom. */
struct asked {
	struct certdir_plan_pair *pair;
	unsigned space; /* ACCOUNT_NAME, or as in struct certdir_plan_name */
	const char *bytes;
	size_t length;
	bool chosen; /* an account's name that gives way when it is taken */
};

enum { ACCOUNT_NAME = CERTDIR_PLAN_CN }; /* CNs are the OU's alone and not asked about */

struct questions {
	struct asked *items;
	size_t count, room;
};

static void add_question(struct certdir_planner *planner, struct questions *questions, struct asked asked)
{
	struct asked *items =
		certdir_plan_grow(planner->arena, questions->items, questions->count, &questions->room, sizeof(*items));

	if (!items)
		return;
	questions->items = items;
	items[questions->count++] = asked;
}

static bool ask_for(struct certdir_planner *planner, struct certdir_plan_pair *pair, unsigned space, const char *bytes,
		    size_t length, void *context)
{
	if (space != CERTDIR_PLAN_CN)
		add_question(planner, context, (struct asked){pair, space, bytes, length, false});
	return true;
}

/* Asks about the name that a computer of this CN would have. */
static void ask_for_namesake(struct certdir_planner *planner, struct questions *questions,
			     struct certdir_plan_pair *pair)
{
	char text[CERTDIR_ACCOUNT_NAME_SIZE], *name;

	certdir_account_name(pair->device->cn, pair->key, 0, text);
	name = certdir_arena_copy(planner->arena, text, strlen(text));
	if (name)
		add_question(planner, questions, (struct asked){pair, ACCOUNT_NAME, name, strlen(name), false});
}

/* The next name that was not asked about yet, for this account or for another new one. */
static void choose_name(struct certdir_planner *planner, struct questions *questions, struct certdir_plan_pair *pair)
{
	for (; pair->attempt < ATTEMPTS && !planner->arena->failed; pair->attempt++) {
		char text[CERTDIR_ACCOUNT_NAME_SIZE];

		certdir_account_name(pair->device->cn, pair->key, pair->attempt, text);
		if (certdir_plan_names_find(&planner->asked, 0, text, strlen(text)))
			continue;
		pair->account_name = certdir_arena_copy(planner->arena, text, strlen(text));
		if (!pair->account_name)
			return;
		certdir_plan_name_add(&planner->asked, pair->account_name, pair);
		add_question(planner, questions,
			     (struct asked){pair, ACCOUNT_NAME, pair->account_name, strlen(pair->account_name), true});
		return;
	}
	certdir_plan_block(planner, pair,
			   certdir_arena_print(planner->arena, "%d account names from \"%s\" on are all taken",
					       ATTEMPTS, pair->device->cn));
}

static void first_questions(struct certdir_planner *planner, struct questions *questions)
{
	for (size_t i = 0; i < planner->pair_count && !planner->arena->failed; i++) {
		struct certdir_plan_pair *pair = &planner->pairs[i];

		const size_t before = questions->count;

		if (!certdir_plan_acts(pair))
			continue;
		(void)certdir_plan_each_claim(planner, pair, ask_for, questions);
		if (!certdir_plan_is_computer(planner))
			continue;
		if (!pair->account)
			choose_name(planner, questions, pair);
		/* Where another new account has asked for the first choice, or an account is to get names. */
		if (pair->account ? questions->count > before : pair->attempt > 0)
			ask_for_namesake(planner, questions, pair);
	}
}

/*
 * How many own accounts have the value (not: how many values): what becomes of those has been settled already. And whether `holder` is one of
 * them.
 */
static size_t known_holders(struct certdir_planner *planner, const struct asked *asked, const char *holder,
			    bool *is_known)
{
	const struct certdir_account *account = certdir_plan_account_at(planner, holder);
	const struct certdir_plan_pair *last = NULL;
	const struct certdir_plan_name *holding =
		certdir_plan_names_find(&planner->held, asked->space, asked->bytes, asked->length);
	size_t count = 0;

	*is_known = false;
	for (; holding; holding = holding->next) {
		const struct certdir_plan_pair *pair = holding->pair;

		/* It may have the value in several spellings, which stand beside each other. */
		count += pair != last;
		last = pair;
		*is_known |= account && pair->account == account;
	}
	return count;
}

static bool is_same(const struct certdir_planner *planner, const char *cn, const char *name, size_t length)
{
	return certdir_fold_same(cn, strlen(cn), name, length, certdir_domain_accents(planner->domain));
}

/*
 * Whether who has the account's name is a computer that is called as the device, and not one whose longer name is cut to the same 15
 * characters: it may have no service principal names yet, and would lose them to our account.
 */
static bool is_namesake(struct certdir_planner *planner, const struct asked *asked, const struct certdir_claim *claim)
{
	const char *cn = asked->pair->device->cn;
	const char *name;

	if (certdir_plan_decides(planner, claim->holder))
		return false;
	return is_same(planner, cn, asked->bytes, asked->length - 1) ||
	       ((name = certdir_dn_rdn_value(claim->holder, NULL, planner->arena)) &&
		is_same(planner, cn, name, strlen(name))) ||
	       (claim->host && is_same(planner, cn, claim->host, strcspn(claim->host, ".")));
}

static void hear(struct certdir_planner *planner, struct questions *next, const struct asked *asked,
		 const struct certdir_claim *claim)
{
	char quoted[CERTDIR_EXCERPT_QUOTED];
	bool is_known;

	if (!claim->holder || !certdir_plan_acts(asked->pair))
		return;
	if (asked->space == ACCOUNT_NAME && !is_namesake(planner, asked, claim)) {
		if (asked->chosen)
			choose_name(planner, next, asked->pair);
		return;
	}
	if (asked->space == ACCOUNT_NAME) {
		certdir_plan_block(planner, asked->pair,
				   certdir_arena_print(
					   planner->arena, "%s %s is that of %s: a computer called so is there already",
					   claim->attribute, certdir_excerpt_quote(asked->bytes, asked->length, quoted),
					   claim->holder));
		return;
	}
	if (known_holders(planner, asked, claim->holder, &is_known) >= claim->holders && is_known)
		return;
	certdir_plan_block(planner, asked->pair,
			   certdir_arena_print(planner->arena, "%s %s is held by %s%s", claim->attribute,
					       certdir_excerpt_quote(asked->bytes, asked->length, quoted),
					       claim->holder, is_known ? ", and by an entry that is not ours" : ""));
}

static bool ask(struct certdir_planner *planner, const struct questions *questions, struct certdir_claim *claims,
		struct certdir_error *error)
{
	for (size_t i = 0; i < questions->count; i++) {
		const struct asked *asked = &questions->items[i];

		claims[i] = (struct certdir_claim){
			.attribute = asked->space == ACCOUNT_NAME ? "sAMAccountName"
								  : certdir_plan_attribute(planner, asked->space),
			/* Values that templates and certificates made: texts. */
			.value = certdir_arena_copy(planner->arena, asked->bytes, asked->length)};
		if (!claims[i].value)
			return false;
	}
	return planner->claims->ask(planner->claims->context, claims, questions->count, error);
}

bool certdir_plan_claim(struct certdir_planner *planner, struct certdir_error *error)
{
	struct questions questions = {NULL, 0, 0};

	first_questions(planner, &questions);
	while (questions.count > 0 && !planner->arena->failed) {
		struct questions next = {NULL, 0, 0};
		struct certdir_claim *claims = certdir_arena_alloc(planner->arena, questions.count * sizeof(*claims));

		if (!claims || !ask(planner, &questions, claims, error))
			return false;
		for (size_t i = 0; i < questions.count; i++)
			hear(planner, &next, &questions.items[i], &claims[i]);
		questions = next;
	}
	return !planner->arena->failed;
}
