/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a plan is made; for plan*.c alone. Each device is paired with its account, what cannot be done is blocked, and the rest
 * becomes steps.
 */
#ifndef CERTDIR_PLAN_PLANNER_H
#define CERTDIR_PLAN_PLANNER_H

#include <string.h>
#include <strings.h>

#include "plan/account_name.h"
#include "plan/fold.h"
#include "plan/names.h"
#include "plan/plan.h"
#include "text/dn.h"
#include "text/excerpt.h"
#include "text/timestamp.h"

/* A device of the list, an account, or both. */
struct certdir_plan_pair {
	const char *key;
	const struct certdir_wanted *device; /* NULL: not in the list */
	const struct certdir_account *account; /* its own or the one that it takes over; NULL: none */
	struct certdir_plan_pair *from; /* whose account it takes over */
	struct certdir_plan_pair *to; /* who takes its account over */
	bool wanted; /* shall have an account as the device says */
	bool blocked; /* something is in the way: nothing is created, and its account stays as it is */
	bool remove;
	bool served; /* its account had all that the device shall have when names were indexed: nothing is claimed */
	bool queued;
	const struct certdir_account *synced; /* the account that the device is itself, by way of Entra Connect */
	const struct certdir_plan_pair *joined; /* the device that its account is by now */
	const struct certdir_wanted *namesake; /* a computer of the domain that its account gives its names up for */
	const char *aside; /* the CN that its account has in between, or from now on when it is not wanted */
	const char *account_name; /* of one to be created */
	unsigned attempt;
};

/*
 * What a value must be unique among: CERTDIR_PLAN_CN, 1 + index of a column, or 1 + column_count for mappings. All are
 * compared as the directory does (fold.h).
 */
enum { CERTDIR_PLAN_CN };

struct certdir_planner {
	const struct certdir_plan_rules *rules;
	const struct certdir_domain *domain;
	const struct certdir_wanted_list *wanted;
	const struct certdir_accounts *accounts;
	const struct certdir_claims_source *claims;
	int64_t now;
	struct certdir_arena *arena;
	struct certdir_plan *plan;
	struct certdir_plan_pair *pairs; /* sorted by key */
	size_t pair_count;
	/* Values that must be unique, and mappings, whose space is the last. */
	struct certdir_plan_names claimed; /* by devices that act and have them not; */
	struct certdir_plan_names held; /* by entries of the OU (nothing where nothing is claimed); */
	struct certdir_plan_names owned; /* mappings of all devices, also those that have ended */
	struct certdir_plan_names dns; /* of own accounts; empty until somebody asks */
	struct certdir_plan_names asked; /* names of accounts that the domain was asked about */
	struct certdir_plan_pair **queue; /* to be looked at again */
	size_t queue_count;
	size_t step_room, action_room, remark_room;
	struct certdir_ldap_change *yields, *changes; /* of the account that is looked at */
	size_t lost; /* wanted accounts that would be disabled, and those that would be removed; */
	size_t unmapped; /* that stay and lose a mapping whose certificate is not known to have ended; */
	size_t unnamed; /* that keep their CN and lose a service principal name; */
	size_t bereft; /* that lose values of another attribute and get none for them; */
	size_t renamed; /* those that would be renamed or moved; */
	size_t leaving; /* and those that stay wanted and would leave a group */
};

/* Whether two values are the same for whoever has one of them: case does not count, accents do. */
bool certdir_plan_same(const char *a, size_t a_length, const char *b, size_t b_length);
/* Whether `value` is among `values`, to the byte or, where `folded`, as certdir_plan_same() has it. */
bool certdir_plan_has(const struct certdir_ldap_values *values, const struct certdir_ldap_bytes *value, bool folded);

/* Whether anything is done for a wanted device: nothing stands in its way. */
static inline bool certdir_plan_acts(const struct certdir_plan_pair *pair)
{
	return pair->wanted && !pair->blocked;
}

/* Whether the section makes computer accounts, and not other entries. */
static inline bool certdir_plan_is_computer(const struct certdir_planner *planner)
{
	return planner->rules->kind == CERTDIR_PLACEHOLDER_COMPUTER;
}

/* Whether the section looks after altSecurityIdentities: it has certificates, and computer accounts. */
static inline bool certdir_plan_maps(const struct certdir_planner *planner)
{
	return (planner->rules->mapped || planner->rules->issued) && certdir_plan_is_computer(planner);
}

/* Whether the account of the pair gets another DN. */
bool certdir_plan_renames(const struct certdir_plan_pair *pair);

/* pair.c: pairs devices with accounts, by key. */
bool certdir_plan_pair_up(struct certdir_planner *planner);
/* The own account with this DN, or NULL. */
const struct certdir_account *certdir_plan_account_at(struct certdir_planner *planner, const char *dn);
/* Whether an account that was found by DN is the section's to decide on; what becomes of those is settled in the OU. */
bool certdir_plan_decides(struct certdir_planner *planner, const char *dn);
/* Accounts with entries below them cannot be removed. */
void certdir_plan_keep_parents(struct certdir_planner *planner);

/* synced.c: devices of the list that are accounts of the OU, which Entra Connect has synced. */
void certdir_plan_find_synced(struct certdir_planner *planner);
/* life.c */
/* Blocks every pair whose account is a real computer by now: it keeps all that it has, whatever becomes of the device. */
void certdir_plan_find_life(struct certdir_planner *planner);
/* Remarks on what a person did to accounts of ours: it stays, and it is odd. */
void certdir_plan_remark_odd(struct certdir_planner *planner);

/* namesakes.c */
/* Accounts that have the name of another device, which was joined to the domain: those that are not wanted give it up. */
void certdir_plan_find_namesakes(struct certdir_planner *planner);
/* Whether the pair's account gives a value up for its namesake. */
bool certdir_plan_gives_up(const struct certdir_planner *planner, const struct certdir_plan_pair *pair, unsigned space,
			   const char *bytes, size_t length);

/* index.c: fills the tables of the planner. */
bool certdir_plan_index(struct certdir_planner *planner);

/* An empty table of names, which are compared as the domain does. */
static inline struct certdir_plan_names certdir_plan_names_empty(const struct certdir_planner *planner)
{
	return (struct certdir_plan_names){.arena = planner->arena, .accents = certdir_domain_accents(planner->domain)};
}

/* Adds a text to a table that has one space. */
static inline void certdir_plan_name_add(struct certdir_plan_names *names, const char *text,
					 struct certdir_plan_pair *pair)
{
	certdir_plan_names_add(names, (struct certdir_plan_name){.bytes = text, .length = strlen(text), .pair = pair});
}

/* block.c: what is in whose way. */
void certdir_plan_take_over(struct certdir_planner *planner);
/* Blocks whoever cannot have what it shall, and whoever waits for something of theirs. */
void certdir_plan_settle(struct certdir_planner *planner);
/* Blocks one pair, which is then settled; `text` (the arena's) becomes a problem. */
void certdir_plan_block(struct certdir_planner *planner, struct certdir_plan_pair *pair, const char *text);
/* Whether somebody who acts waits for this value of the pair's account; `rename`: by renaming. */
bool certdir_plan_is_awaited(const struct certdir_planner *planner, const struct certdir_plan_pair *pair,
			     unsigned space, const char *bytes, size_t length);
/* Gives accounts that are in another's way another name. */
void certdir_plan_step_aside(struct certdir_planner *planner);
/* Calls `each` for every unique value that the device shall have and the account has not, until it returns false. */
typedef bool (*certdir_plan_claim_function)(struct certdir_planner *planner, struct certdir_plan_pair *pair,
					    unsigned space, const char *bytes, size_t length, void *context);
/* False when `each` said so. */
bool certdir_plan_each_claim(struct certdir_planner *planner, struct certdir_plan_pair *pair,
			     certdir_plan_claim_function each, void *context);
/* "servicePrincipalName" */
const char *certdir_plan_attribute(const struct certdir_planner *planner, unsigned space);

/* claims.c: asks the domain for what the OU does not show; gives new accounts their names. */
bool certdir_plan_claim(struct certdir_planner *planner, struct certdir_error *error);

/* hosts.c */
/*
 * The host of a service principal name: "pc1" of HOST/pc1, of MSSQLSvc/pc1:1433 and of ldap/pc1/corp.example. False: it
 * names none.
 */
bool certdir_plan_host_of(const struct certdir_ldap_bytes *name, struct certdir_ldap_bytes *host);
/* Blocks devices that would pass for another host; and those whose host somebody has in another class. */
void certdir_plan_refuse_hosts(struct certdir_planner *planner);
/* Asks the domain who has those hosts, in any class. False with `error`. */
bool certdir_plan_claim_hosts(struct certdir_planner *planner, struct certdir_error *error);

/* The mark of the section for a device. */
struct certdir_mark certdir_plan_mark(const struct certdir_planner *planner, const char *key,
				      enum certdir_mark_state state, int64_t gone);

/* Whether the mark of a device with this key fits into the attribute. */
bool certdir_plan_can_mark(const struct certdir_planner *planner, const char *key);

/* plan.c: an entry that is not ours is told; actions and remarks in order, steps after their actions. */
void certdir_plan_remark_foreign(struct certdir_planner *planner, const struct certdir_account *entry);
/* False when memory is out. */
bool certdir_plan_sort(struct certdir_planner *planner);

/* mappings.c: altSecurityIdentities. */
bool certdir_plan_mapping_is_strong(const struct certdir_ldap_bytes *mapping);
/* Whether a value goes from the pair's account. */
bool certdir_plan_mapping_goes(const struct certdir_planner *planner, const struct certdir_plan_pair *pair,
			       const struct certdir_ldap_bytes *mapping);
/* Whether a mapping is known to be done with: its certificate was handed in and has ended, whosever it was. */
bool certdir_plan_mapping_has_ended(const struct certdir_planner *planner, const struct certdir_ldap_bytes *mapping);
/* Remarks on accounts without a strong mapping. */
void certdir_plan_remark_unmapped(struct certdir_planner *planner);

/* change.c: what is to be done for one pair; counts what stays. */
void certdir_plan_write(struct certdir_planner *planner, const struct certdir_plan_pair *pair);

/* Several parts with "; " between them; what would become too long is counted. */
struct certdir_plan_text {
	char bytes[CERTDIR_TEXT_MAX];
	size_t length;
	size_t more;
};

/* draft.c: an action while it is made. */
struct certdir_plan_draft {
	struct certdir_planner *planner;
	const struct certdir_plan_pair *pair;
	const struct certdir_account *account; /* of the pair, or NULL */
	const char *dn; /* where the entry is before phase RENAME */
	const char *new_dn; /* and after it */
	const char *cn, *new_cn; /* the same of the CN */
	struct certdir_plan_text why;
	size_t first; /* step */
	size_t yield_count, change_count;
};
/* A change for the phase CHANGE (or of an entry that comes or goes). Values are borrowed. */
void certdir_plan_draft_change(struct certdir_plan_draft *draft, const char *attribute, struct certdir_ldap_values gone,
			       struct certdir_ldap_values come, bool whole);
/* One value, copied. */
struct certdir_ldap_values certdir_plan_one(struct certdir_arena *arena, const char *text);
/* What `have` lacks of being `shall`. */
void certdir_plan_diff(struct certdir_arena *arena, const struct certdir_ldap_values *have,
		       const struct certdir_ldap_values *shall, bool folded, struct certdir_ldap_values *gone,
		       struct certdir_ldap_values *come);
/* Divides what goes: what another waits for goes early. Returns the rest. */
struct certdir_ldap_values certdir_plan_draft_yield(struct certdir_plan_draft *draft, unsigned space,
						    struct certdir_ldap_values gone);
/* The steps of the phases YIELD and ASIDE. */
void certdir_plan_draft_give_way(struct certdir_plan_draft *draft);
/* A step with all changes so far, when there are any. */
void certdir_plan_draft_flush(struct certdir_plan_draft *draft, enum certdir_phase phase, enum certdir_ldap_verb verb,
			      const char *dn, bool password);
/* The targets that an account is in: a bit each, that of its primary group among them. */
uint64_t certdir_plan_groups(const struct certdir_planner *planner, const struct certdir_account *account);
/* The steps of the phases JOIN, PRIMARY and LEAVE. */
void certdir_plan_draft_groups(struct certdir_plan_draft *draft);
/* A step of the phase LEAVE for an entry that is removed. */
void certdir_plan_draft_leave(struct certdir_plan_draft *draft);
/* Makes an action of it when it has steps. */
bool certdir_plan_draft_end(struct certdir_plan_draft *draft, enum certdir_action_kind kind);

/* text.c: texts for people. */
void certdir_plan_remark(struct certdir_planner *planner, enum certdir_remark_kind kind, const char *subject,
			 const char *text);
/* Adds a part. */
void certdir_plan_say(struct certdir_plan_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* `description "a" -> "b"` */
void certdir_plan_say_change(struct certdir_plan_text *text, const char *attribute,
			     const struct certdir_ldap_values *gone, const struct certdir_ldap_values *come);
/* All parts, and how many more there were; the arena's. */
const char *certdir_plan_text_end(struct certdir_plan_text *text, struct certdir_arena *arena);
/* "CN=<cn>" with RFC 4514's escapes. */
const char *certdir_plan_rdn(struct certdir_arena *arena, const char *cn);

/*
 * An array of `count` items that has room for one more: `items` itself, or a copy of twice the room, as an arena gives
 * nothing back. NULL when memory is out, which arena->failed remembers.
 */
void *certdir_plan_grow(struct certdir_arena *arena, void *items, size_t count, size_t *room, size_t size);

#endif
