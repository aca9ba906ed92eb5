/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placeholders/apply_run.h"

#include <string.h>

enum { MEMBERS_MAX = 200 /* values of one change of a group: some servers do not like thousands */ };

/* Changes of one group that are sent together. */
struct members {
	size_t steps[MEMBERS_MAX];
	struct certdir_ldap_bytes values[MEMBERS_MAX];
	size_t count;
};

/* One value that comes or goes: what can be sent with others. */
static const struct certdir_ldap_bytes *single_value(const struct certdir_ldap_operation *operation)
{
	const struct certdir_ldap_change *change = operation->changes;

	if (operation->verb != CERTDIR_LDAP_VERB_MODIFY || operation->count != 1 || change->whole ||
	    change->added.count + change->deleted.count != 1)
		return NULL;
	return change->added.count ? change->added.items : change->deleted.items;
}

static bool belongs(const struct certdir_ldap_operation *first, const struct certdir_ldap_operation *operation)
{
	return single_value(first) && single_value(operation) && strcmp(first->dn, operation->dn) == 0 &&
	       strcmp(first->changes->attribute, operation->changes->attribute) == 0 &&
	       first->changes->added.count == operation->changes->added.count;
}

/*
 * Collects changes of one group, that of the first step of the phase at or behind *next that was not sent; *next moves there. An account's
 * groups stand beside each other, so those of one group are here and there.
 */
static void collect(struct certdir_apply_run *run, enum certdir_phase phase, size_t *next, struct members *members)
{
	const struct certdir_plan *plan = run->plan;
	const struct certdir_ldap_operation *first = NULL;

	members->count = 0;
	for (size_t i = *next; i < plan->step_count && members->count < MEMBERS_MAX; i++) {
		const struct certdir_step *step = &plan->steps[i];

		if (step->phase != phase || run->sent[i] || run->actions[step->action].aside ||
		    (first && !belongs(first, &step->operation)) || !certdir_apply_may_try(run, step))
			continue;
		if (!first)
			*next = i;
		first = first ? first : &step->operation;
		if (single_value(first))
			members->values[members->count] = *single_value(&step->operation);
		members->steps[members->count++] = i;
	}
}

/* Those who were set aside after they were collected. */
static void drop_aside(const struct certdir_apply_run *run, struct members *members)
{
	size_t kept = 0;

	for (size_t i = 0; i < members->count; i++) {
		if (run->actions[run->plan->steps[members->steps[i]].action].aside)
			continue;
		members->steps[kept] = members->steps[i];
		members->values[kept++] = members->values[i];
	}
	members->count = kept;
}

/* Sends `count` of them and waits for the answer. False: there is none. */
static bool send_slice(struct certdir_apply_run *run, const struct members *members, size_t first, size_t count,
		       struct certdir_ldap_answer *answer)
{
	struct certdir_ldap_operation operation = run->plan->steps[members->steps[first]].operation;
	const struct certdir_ldap_values values = {&members->values[first], count};
	struct certdir_ldap_change change;
	int id;

	if (count > 1) {
		change = *operation.changes;
		*(change.added.count ? &change.added : &change.deleted) = values;
		operation.changes = &change;
	}
	if (!certdir_apply_send(run, &operation, false, &id))
		return false;
	for (size_t i = 0; i < count; i++)
		run->sent[members->steps[first + i]] = true;
	do
		if (!certdir_apply_receive(run, answer))
			return false;
	while (answer->id != id);
	for (size_t i = 0; answer->status != CERTDIR_LDAP_OK && i < count; i++)
		run->sent[members->steps[first + i]] = false;
	return true;
}

/*
 * One change at a time: they are all changes of one entry, and Active Directory is "busy" for two of those. Where one is refused for
 * a member of it, the halves are tried, down to those members; a right that is missing is missing for all.
 */
static void change_group(struct certdir_apply_run *run, const struct members *members, size_t first, size_t count)
{
	struct certdir_ldap_answer answer = {.id = 0};

	if (!certdir_apply_going(run) || !send_slice(run, members, first, count, &answer))
		return;
	if (certdir_apply_is_of_entry(answer.status) && answer.status != CERTDIR_LDAP_DENIED && count > 1) {
		change_group(run, members, first, count / 2);
		change_group(run, members, first + count / 2, count - count / 2);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const size_t index = members->steps[first + i];
		const struct certdir_step *step = &run->plan->steps[index];

		if (answer.status == CERTDIR_LDAP_OK) {
			certdir_apply_given(run, step);
			certdir_apply_step_done(run, index);
		} else {
			certdir_apply_refused(run, step, &step->operation, count, &answer);
		}
	}
	certdir_apply_tell_progress(run);
}

void certdir_apply_members(struct certdir_apply_run *run, enum certdir_phase phase)
{
	struct members members;
	size_t next = 0;

	while (certdir_apply_going(run)) {
		collect(run, phase, &next, &members);
		if (members.count == 0)
			return;
		certdir_apply_look(run, members.steps, members.count);
		drop_aside(run, &members);
		if (members.count > 0)
			change_group(run, &members, 0, members.count);
	}
}
