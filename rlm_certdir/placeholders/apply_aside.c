/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placeholders/apply_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "placeholders/accounts.h"
#include "text/excerpt.h"

/* Entries that are refused alike, and none is not: more than a few odd ones, so the right is missing. */
enum { SEVERAL = 5 };

/* ---- words ---- */

static const char *verb_text(const struct certdir_ldap_operation *operation)
{
	switch (operation->verb) {
	case CERTDIR_LDAP_VERB_ADD:
		return "created";
	case CERTDIR_LDAP_VERB_MODIFY:
		return "changed";
	case CERTDIR_LDAP_VERB_RENAME:
		return "renamed";
	case CERTDIR_LDAP_VERB_DELETE:
		return "deleted";
	case CERTDIR_LDAP_VERB_READ:
		break;
	}
	return "read";
}

static void add_text(char text[CERTDIR_TEXT_MAX], const char *before, const char *more)
{
	const size_t length = strlen(text);

	(void)snprintf(text + length, CERTDIR_TEXT_MAX - length, "%s%s", before, more);
}

static void add_attributes(char text[CERTDIR_TEXT_MAX], const struct certdir_ldap_operation *operation)
{
	for (size_t i = 0; i < operation->count; i++)
		add_text(text, i ? ", " : "", operation->changes[i].attribute);
}

/* The right that the server's administrator has to give. */
static void missing_right(const struct certdir_apply_run *run, const struct certdir_ldap_operation *operation,
			  char text[CERTDIR_TEXT_MAX])
{
	static const char who[] = "let the account that certdir binds as";
	static const char odd[] = "; if others are let through, see what protects this entry";
	const char *what = run->config->rules.kind == CERTDIR_PLACEHOLDER_COMPUTER ? "computer objects" : "entries";

	switch (operation->verb) {
	case CERTDIR_LDAP_VERB_ADD:
		certdir_say(text, "%s create %s in this OU and write their attributes", who, what);
		break;
	case CERTDIR_LDAP_VERB_DELETE:
		certdir_say(text, "%s delete %s in this OU%s", who, what, odd);
		break;
	case CERTDIR_LDAP_VERB_RENAME:
		certdir_say(text,
			    "%s write name and cn of %s in this OU, and create and delete them where one is moved%s",
			    who, what, odd);
		break;
	case CERTDIR_LDAP_VERB_MODIFY:
		certdir_say(text, "%s write its ", who);
		add_attributes(text, operation);
		add_text(text, odd, "");
		break;
	case CERTDIR_LDAP_VERB_READ:
		certdir_say(text, "%s read its %s", who, operation->attribute);
		break;
	}
}

static const char *advice(const struct certdir_apply_run *run, const struct certdir_ldap_operation *operation,
			  enum certdir_ldap_status status, char room[CERTDIR_TEXT_MAX])
{
	switch (status) {
	case CERTDIR_LDAP_DENIED:
	case CERTDIR_LDAP_REFUSED:
		missing_right(run, operation, room);
		return room;
	case CERTDIR_LDAP_READ_ONLY:
		if (operation->verb == CERTDIR_LDAP_VERB_ADD && run->domain->active_directory)
			return "it takes no changes, so name a writable domain controller as server; or it takes no "
			       "password of a new account without encryption: use ldaps://, start_tls or bind = gssapi";
		return "it takes no changes, or not this one: see its own words; if it is a copy, name as server one "
		       "that takes changes";
	case CERTDIR_LDAP_CONSTRAINT:
		return "a value breaks a rule, or somebody has a name that must be unique; HOST/x is taken by HTTP/x "
		       "or cifs/x, too";
	case CERTDIR_LDAP_NOT_LEAF:
		return "look at what stands below it, and move or delete that";
	case CERTDIR_LDAP_CHANGED:
		return "somebody changed it since the plan was made: make a new plan";
	case CERTDIR_LDAP_EXISTS:
		return "somebody made it since the plan was made, or it may not be seen: make a new plan";
	case CERTDIR_LDAP_NO_OBJECT:
		return "it, or what stands above it, went away since the plan was made, or may not be seen: make a new "
		       "plan";
	default:
		return "what was done so far stays: make a new plan when this is settled";
	}
}

static void explain(const struct certdir_apply_run *run, const struct certdir_ldap_operation *operation, size_t members,
		    const struct certdir_ldap_answer *answer, struct certdir_error *why)
{
	const struct certdir_ldap_change *change = operation->count == 1 ? operation->changes : NULL;
	char room[CERTDIR_TEXT_MAX], count[CERTDIR_TEXT_MAX] = "";

	if (members > 1)
		certdir_say(count, " by %zu members", members);
	else if (change && strcmp(change->attribute, "member") == 0 && change->added.count + change->deleted.count == 1)
		certdir_say(count, " by its member %s",
			    (change->added.count ? change->added : change->deleted).items[0].bytes);
	certdir_error_set(why, "%s: %s cannot be %s%s: %s: %s", certdir_ldap_connection_uri(run->connection),
			  operation->dn, verb_text(operation), count, answer->text,
			  advice(run, operation, answer->status, room));
}

/* ---- setting aside ---- */

/* `why` NULL: it was not tried, for what others were refused for. */
static void set_aside(struct certdir_apply_run *run, size_t action, const char *why)
{
	const size_t first = run->plan->actions[action].first;

	if (run->actions[action].aside)
		return;
	run->actions[action].aside = true;
	run->actions[action].why = why ? strdup(why) : NULL;
	for (size_t i = first; i < first + run->plan->actions[action].count; i++)
		if (run->plan->steps[i].phase == CERTDIR_PHASE_YIELD && !run->sent[i])
			run->keepers[run->keeper_count++] = i;
}

static bool is_same_right(const struct certdir_step *one, const struct certdir_step *other)
{
	const struct certdir_ldap_operation *a = &one->operation, *b = &other->operation;
	const bool members = one->phase == CERTDIR_PHASE_JOIN || one->phase == CERTDIR_PHASE_LEAVE;

	if (a->verb != b->verb || (a->verb != CERTDIR_LDAP_VERB_DELETE && a->count != b->count))
		return false;
	if (members && strcasecmp(a->dn, b->dn) != 0)
		return false;
	for (size_t i = 0; a->verb != CERTDIR_LDAP_VERB_DELETE && i < a->count; i++)
		if (strcasecmp(a->changes[i].attribute, b->changes[i].attribute) != 0)
			return false;
	return true;
}

/* NULL when memory is out: then every entry is tried. */
static struct certdir_apply_right *right_of(struct certdir_apply_run *run, const struct certdir_step *step)
{
	struct certdir_apply_right *right;

	for (size_t i = 0; i < run->right_count; i++)
		if (is_same_right(run->rights[i].example, step))
			return &run->rights[i];
	right = certdir_array_next(&run->rights, run->right_count, sizeof(*right));
	if (!right)
		return NULL;
	right->example = step;
	run->right_count++;
	return right;
}

void certdir_apply_given(struct certdir_apply_run *run, const struct certdir_step *step)
{
	struct certdir_apply_right *right = right_of(run, step);

	if (right)
		right->given++;
}

/* Whether what the server says may be said of all such operations, and not of this entry alone. */
static bool is_of_right(enum certdir_ldap_status status)
{
	return status == CERTDIR_LDAP_DENIED || status == CERTDIR_LDAP_READ_ONLY || status == CERTDIR_LDAP_FAILED;
}

bool certdir_apply_is_of_entry(enum certdir_ldap_status status)
{
	return status == CERTDIR_LDAP_NO_OBJECT || status == CERTDIR_LDAP_EXISTS || status == CERTDIR_LDAP_CONSTRAINT ||
	       status == CERTDIR_LDAP_CHANGED || status == CERTDIR_LDAP_NOT_LEAF || is_of_right(status);
}

void certdir_apply_refused(struct certdir_apply_run *run, const struct certdir_step *step,
			   const struct certdir_ldap_operation *operation, size_t members,
			   const struct certdir_ldap_answer *answer)
{
	struct certdir_apply_right *right = is_of_right(answer->status) ? right_of(run, step) : NULL;
	struct certdir_error why;

	explain(run, operation, members, answer, &why);
	if (!certdir_apply_is_of_entry(answer->status)) {
		certdir_apply_fail(run, &why);
		return;
	}
	set_aside(run, step->action, why.text);
	if (right && operation->verb != CERTDIR_LDAP_VERB_READ && right->refused++ == 0)
		right->why = strdup(why.text);
}

bool certdir_apply_version_right(struct certdir_apply_run *run, const struct certdir_step *step,
				 const struct certdir_ldap_answer *answer)
{
	const char *uri = certdir_ldap_connection_uri(run->connection), *attribute = run->domain->version_attribute;
	const struct certdir_ldap_operation reading = {
		.verb = CERTDIR_LDAP_VERB_READ, .dn = step->account, .attribute = attribute};
	struct certdir_error why;

	if (answer->status != CERTDIR_LDAP_OK) {
		certdir_apply_refused(run, step, &reading, 1, answer);
		return false;
	}
	if (answer->found && strcmp(answer->value, step->version) == 0)
		return true;
	if (answer->found)
		certdir_error_set(
			&why,
			"%s: %s was changed by somebody since the plan was made (its %s was %s and is %s): make a "
			"new plan",
			uri, step->account, attribute, step->version, answer->value);
	else
		certdir_error_set(&why, "%s: %s: its %s cannot be read any more: make a new plan", uri, step->account,
				  attribute);
	set_aside(run, step->action, why.text);
	return false;
}

/* ---- the second look ---- */

/* Why the entry is not to be touched, or NULL; what is not there, the operation finds. */
static const char *why_not(const struct certdir_account *account)
{
	if (account->life)
		return account->life;
	return account->own ? NULL : "it has not the section's mark any more, or that may not be read";
}

/* What the entry of a step is called now; a group is changed for its member. */
static const char *entry_of(const struct certdir_step *step)
{
	const struct certdir_ldap_change *change = step->operation.changes;

	if (step->phase != CERTDIR_PHASE_JOIN && step->phase != CERTDIR_PHASE_LEAVE)
		return step->operation.dn;
	return (change->added.count ? change->added : change->deleted).items[0].bytes;
}

/* What the plan saw, if nobody has asked for the version yet. */
static void compare_version(struct certdir_apply_run *run, const struct certdir_step *step,
			    const struct certdir_account_look *look)
{
	struct certdir_ldap_answer answer = {.status = look->status, .found = look->account.version != NULL};

	if (certdir_apply_is_seen(run, step))
		return;
	certdir_say(answer.text, "there is no such entry");
	if (answer.found)
		(void)snprintf(answer.value, sizeof(answer.value), "%s", look->account.version);
	if (certdir_apply_version_right(run, step, &answer))
		run->actions[step->action].seen = step->account;
}

static void judge(struct certdir_apply_run *run, const struct certdir_step *step,
		  const struct certdir_account_look *look)
{
	const char *text = look->status == CERTDIR_LDAP_OK ? why_not(&look->account) : NULL;
	struct certdir_error why;

	if (text) {
		certdir_error_set(&why,
				  "%s: %s is another's or a real computer by now, and is left as it is: %s: make a new "
				  "plan",
				  certdir_ldap_connection_uri(run->connection), look->dn, text);
		set_aside(run, step->action, why.text);
	} else if (look->status != CERTDIR_LDAP_OK && look->status != CERTDIR_LDAP_NO_OBJECT) {
		set_aside(run, step->action, look->why.text);
	} else {
		compare_version(run, step, look);
	}
}

bool certdir_apply_wants_look(const struct certdir_apply_run *run, const struct certdir_step *step)
{
	if (run->actions[step->action].aside)
		return false;
	if (step->phase == CERTDIR_PHASE_JOIN || step->phase == CERTDIR_PHASE_LEAVE)
		return true;
	return step->operation.verb != CERTDIR_LDAP_VERB_ADD && certdir_apply_is_seen(run, step);
}

/* False: the connection is lost, or memory is out. Signals wait, as in certdir_apply_send(). */
static bool look_at_all(struct certdir_apply_run *run, struct certdir_arena *arena, struct certdir_account_look *looks,
			size_t count)
{
	struct certdir_error why;
	sigset_t before;
	bool ok;

	certdir_signals_hold(&before);
	ok = certdir_accounts_look(run->config, run->domain, run->connection, arena, looks, count, &why);
	certdir_signals_release(&before);
	if (!ok)
		certdir_apply_fail(run, &why);
	return ok;
}

void certdir_apply_look(struct certdir_apply_run *run, const size_t *steps, size_t count)
{
	struct certdir_account_look *looks = calloc(count + 1, sizeof(*looks));
	const struct certdir_step **about = calloc(count + 1, sizeof(*about));
	struct certdir_arena arena = {NULL};
	struct certdir_error why;
	size_t wanted = 0;

	for (size_t i = 0; looks && about && i < count; i++)
		if (certdir_apply_wants_look(run, &run->plan->steps[steps[i]])) {
			about[wanted] = &run->plan->steps[steps[i]];
			looks[wanted].dn = entry_of(about[wanted]);
			wanted++;
		}
	certdir_error_set(&why, "out of memory");
	if (!looks || !about)
		certdir_apply_fail(run, &why);
	else if (look_at_all(run, &arena, looks, wanted))
		for (size_t i = 0; i < wanted; i++)
			judge(run, about[i], &looks[i]);
	certdir_arena_clear(&arena);
	free(looks);
	free(about);
}

/* ---- what is not tried ---- */

static bool holds_same(const struct certdir_ldap_values *values, const struct certdir_ldap_bytes *value,
		       enum certdir_accents accents)
{
	for (size_t i = 0; i < values->count; i++)
		if (certdir_fold_same(values->items[i].bytes, values->items[i].length, value->bytes, value->length,
				      accents))
			return true;
	return false;
}

/*
 * A value that `takes` gives an entry and that `gives`, which was not done, would have taken from another; or NULL. Compared as the
 * plan does, which has found them to be one name.
 */
static const struct certdir_ldap_bytes *find_kept(const struct certdir_ldap_operation *takes,
						  const struct certdir_ldap_operation *gives,
						  enum certdir_accents accents)
{
	for (size_t i = 0; i < gives->count; i++)
		for (size_t k = 0; k < takes->count; k++) {
			const struct certdir_ldap_values *gone = &gives->changes[i].deleted;

			if (strcasecmp(gives->changes[i].attribute, takes->changes[k].attribute) != 0)
				continue;
			for (size_t value = 0; value < gone->count; value++)
				if (holds_same(&takes->changes[k].added, &gone->items[value], accents))
					return &gone->items[value];
		}
	return NULL;
}

/* Active Directory itself lets two accounts have one certificate mapping, and then NPS lets neither in. */
static bool is_kept_by_another(struct certdir_apply_run *run, const struct certdir_step *step)
{
	if (step->phase != CERTDIR_PHASE_CREATE && step->phase != CERTDIR_PHASE_CHANGE)
		return false;
	for (size_t i = 0; i < run->keeper_count; i++) {
		const struct certdir_ldap_operation *gives = &run->plan->steps[run->keepers[i]].operation;
		const struct certdir_ldap_bytes *value =
			find_kept(&step->operation, gives, certdir_domain_accents(run->domain));
		char quoted[CERTDIR_EXCERPT_QUOTED];
		struct certdir_error why;

		if (!value)
			continue;
		certdir_error_set(&why, "%s still has %s, which it was to give up: see why it was set aside", gives->dn,
				  certdir_excerpt_quote(value->bytes, value->length, quoted));
		set_aside(run, step->action, why.text);
		return true;
	}
	return false;
}

bool certdir_apply_may_try(struct certdir_apply_run *run, const struct certdir_step *step)
{
	struct certdir_apply_right *right;

	if (run->actions[step->action].aside)
		return false;
	right = right_of(run, step);
	if (right && right->given == 0 && right->refused >= CERTDIR_APPLY_WINDOW) {
		set_aside(run, step->action, NULL);
		return false;
	}
	return !is_kept_by_another(run, step);
}

/* ---- the end ---- */

/* "servicePrincipalName, membership of CN=.." */
static void say_left(const struct certdir_apply_run *run, const struct certdir_action *action,
		     char text[CERTDIR_TEXT_MAX])
{
	text[0] = '\0';
	for (size_t i = action->first; i < action->first + action->count; i++) {
		const struct certdir_step *step = &run->plan->steps[i];
		const char *separator = text[0] ? ", " : "";

		if (run->sent[i])
			continue;
		if (step->phase == CERTDIR_PHASE_JOIN || step->phase == CERTDIR_PHASE_LEAVE) {
			add_text(text, separator, step->phase == CERTDIR_PHASE_JOIN ? "join " : "leave ");
			add_text(text, step->operation.dn, "");
		} else if (step->operation.verb == CERTDIR_LDAP_VERB_MODIFY) {
			add_text(text, separator, "");
			add_attributes(text, &step->operation);
		} else {
			add_text(text, separator,
				 step->operation.verb == CERTDIR_LDAP_VERB_RENAME   ? "rename"
				 : step->operation.verb == CERTDIR_LDAP_VERB_DELETE ? "delete"
										    : "create");
		}
	}
}

static void count_action(struct certdir_apply_run *run, size_t index)
{
	const struct certdir_action *action = &run->plan->actions[index];
	const bool begun = run->actions[index].open < action->count;
	char left[CERTDIR_TEXT_MAX] = "";

	if (run->actions[index].open == 0)
		return; /* it was counted when it was done */
	if (begun)
		run->report->begun++;
	else if (run->actions[index].why)
		run->report->aside++;
	else
		run->report->untried++;
	if (!run->options->left || (!begun && !run->actions[index].why))
		return;
	if (begun)
		say_left(run, action, left);
	run->options->left(run->options->context, action, run->actions[index].why ? run->actions[index].why : "", left);
}

void certdir_apply_conclude(struct certdir_apply_run *run)
{
	for (size_t i = 0; i < run->plan->action_count; i++)
		count_action(run, i);
	for (size_t i = 0; i < run->right_count; i++) {
		const struct certdir_apply_right *right = &run->rights[i];
		struct certdir_error why;

		if (right->given > 0 || right->refused < SEVERAL)
			continue;
		certdir_error_set(&why, "%s; the same was refused for %zu more and given to none",
				  right->why ? right->why : "the server refused an entry", right->refused - 1);
		certdir_apply_fail(run, &why);
	}
}
