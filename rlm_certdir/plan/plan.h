/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wanted and what is there -> what is to be done, and why. Pure: no I/O, the time is a parameter. */
#ifndef CERTDIR_PLAN_H
#define CERTDIR_PLAN_H

#include "plan/input.h"

enum certdir_action_kind {
	CERTDIR_ACTION_CREATE,
	CERTDIR_ACTION_MOVE, /* renamed, or brought back into the OU; may change attributes, too */
	CERTDIR_ACTION_CHANGE,
	CERTDIR_ACTION_ENABLE, /* may change attributes, too */
	CERTDIR_ACTION_DISABLE,
	CERTDIR_ACTION_REMOVE,
	CERTDIR_ACTION_ADOPT, /* of certdir_plan_adopt() alone: gets the mark */
	CERTDIR_ACTION_KINDS
};
const char *certdir_action_name(enum certdir_action_kind kind); /* "create", "move", .. */

/*
 * The order in which operations are carried out, all of one phase before the next. What must be unique is given up
 * before another takes it, and nothing is deleted before all the rest is done. An entry that is no
 * group has at most one operation in a phase, so that those of a phase may be in flight in any order.
 */
enum certdir_phase {
	CERTDIR_PHASE_DISABLE, /* who must not come in any more: nothing else may keep that waiting */
	CERTDIR_PHASE_YIELD, /* unique values go */
	CERTDIR_PHASE_ASIDE, /* entries step aside to a temporary name */
	CERTDIR_PHASE_RENAME,
	CERTDIR_PHASE_CHANGE,
	CERTDIR_PHASE_CREATE,
	CERTDIR_PHASE_JOIN, /* members into groups: changes of the groups, one value each; apply sends many together */
	CERTDIR_PHASE_PRIMARY,
	CERTDIR_PHASE_LEAVE, /* members out of groups, also when they are deleted */
	CERTDIR_PHASE_DELETE,
	CERTDIR_PHASES
};

struct certdir_step {
	enum certdir_phase phase;
	struct certdir_ldap_operation operation;
	bool password; /* ADD: give the account a random password that nobody knows, or everybody could guess it */
	size_t action; /* index */
	const char *
		account; /* DN at plan time of the entry whose version must still be `version`; NULL = made by this plan */
	const char *version;
	const char *mark; /* of that entry when the step is done, as far as its device goes; or NULL */
};

struct certdir_action {
	enum certdir_action_kind kind;
	const char *key; /* of the device */
	const char *name; /* for people: the CN */
	const char *dn; /* after the action; of one that is removed, before */
	const char *account_name; /* sAMAccountName, or NULL */
	const char *why; /* "new device \"LAPTOP-7\"", "servicePrincipalName HOST/a -> HOST/b; joins Wi-Fi" */
	size_t first, count; /* its steps: plan.steps[first..], in order of phase */
};

/* What a person has to look at. The plan leaves these entries and devices alone. */
struct certdir_remark {
	enum certdir_remark_kind {
		CERTDIR_REMARK_PROBLEM, /* a device or an entry of ours that is not as it should be, and nothing is done about it */
		CERTDIR_REMARK_FOREIGN, /* an entry in the OU that is not ours */
		CERTDIR_REMARK_NO_MAPPING, /* an enabled account without a strong mapping: NPS refuses it */
		CERTDIR_REMARK_NPS_REFUSES, /* the same, though a table knows its certificates: why they give none */
		CERTDIR_REMARK_WARNING /* of the whole: the OU is synced by Entra Connect, .. */
	} kind;
	const char *subject; /* key of the device, or DN, or "" */
	const char *text; /* a sentence */
};

struct certdir_plan {
	struct certdir_action *actions; /* sorted by kind as above, then by CN */
	size_t action_count;
	struct certdir_step *steps; /* sorted by action */
	size_t step_count;
	struct certdir_remark *remarks; /* sorted by kind, then by subject */
	size_t remark_count;
	size_t kinds[CERTDIR_ACTION_KINDS]; /* how many actions of each */
	size_t wanted, own, unchanged; /* selected devices; own accounts before; own accounts that stay as they are */
	const char *
		unmapped; /* for people: how many enabled accounts have no strong mapping; NULL = none, or mappings are not kept */
	bool refused; /* more would be lost or changed than max_remove allows: `refusal` says what */
	char refusal[CERTDIR_TEXT_MAX];
};

/*
 * Makes the plan. Deterministic: the same input gives the same plan, and the plan of what a complete apply leaves
 * is empty. All memory is the arena's; `wanted` and `accounts` must outlive the plan. False with `error`: memory is out, or asking failed.
 */
bool certdir_plan_make(const struct certdir_plan_rules *rules, const struct certdir_domain *domain,
		       const struct certdir_wanted_list *wanted, const struct certdir_accounts *accounts,
		       const struct certdir_claims_source *claims, int64_t now, struct certdir_arena *arena,
		       struct certdir_plan *plan, struct certdir_error *error);

/*
 * The plan of marking computers without a mark that stand directly in the section's OUs, and whose CN or account name is the pattern
 * (certdir_wanted.pattern) of exactly one device of the list that has no account. Who fits and is left is a problem. As certdir_plan_make().
 */
bool certdir_plan_adopt(const struct certdir_plan_rules *rules, const struct certdir_domain *domain,
			const struct certdir_wanted_list *wanted, const struct certdir_accounts *accounts, int64_t now,
			struct certdir_arena *arena, struct certdir_plan *plan, struct certdir_error *error);

#endif
