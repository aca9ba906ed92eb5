/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placeholders/apply.h"

#include "placeholders/password.h"
#include "placeholders/undo.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	WINDOW = 64, /* operations on the way at once */
	MEMBERS_MAX = 200, /* values of one change of a group: some servers do not like thousands */
	ASIDE_MAX = 20 /* entries that may be refused for what they are before something else is wrong */
};

/* An operation on the way. */
struct flight {
	int id;
	size_t step;
	bool reading; /* the version, before the operation itself */
};

/* Changes of one group that are sent together. */
struct members {
	size_t steps[MEMBERS_MAX];
	struct certdir_ldap_bytes values[MEMBERS_MAX];
	size_t count;
	struct certdir_ldap_change change;
	struct certdir_ldap_operation operation;
};

struct run {
	const struct certdir_placeholders_config *config;
	const struct certdir_domain *domain;
	struct certdir_ldap_connection *connection;
	const struct certdir_plan *plan;
	const struct certdir_apply_options *options;
	struct certdir_apply_report *report;
	struct certdir_error *error;
	int64_t now;
	bool *sent; /* for each step: done, or on the way when the connection was lost */
	bool *covered; /* for each step: the file that takes it back knows it */
	const char **seen; /* for each action: its account, once the version was read and right */
	size_t *open; /* for each action: steps that are not done */
	bool *aside; /* for each action: the server refused its entry for what it is; the others go on */
	size_t asides;
	struct flight flights[WINDOW];
	size_t flying;
	bool failed; /* `error` says why: nothing more is sent */
};

static bool going(struct run *run)
{
	if (!run->failed && run->options->stop && *run->options->stop)
		run->report->stopped = true;
	return !run->failed && !run->report->stopped;
}

/* The first failure is the one that is told. */
static void fail(struct run *run, const struct certdir_error *why)
{
	if (!run->failed)
		*run->error = *why;
	run->failed = true;
}

/* ---- what went wrong ---- */

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

/* The right that the server's administrator has to give. */
static void missing_right(const struct run *run, const struct certdir_ldap_operation *operation,
			  char text[CERTDIR_TEXT_MAX])
{
	const char *what = run->config->kind == CERTDIR_PLACEHOLDER_COMPUTER ? "computer objects" : "entries";
	size_t length = 0;

	text[0] = '\0';
	switch (operation->verb) {
	case CERTDIR_LDAP_VERB_ADD:
		certdir_say(text,
			    "let the account that certdir binds as create %s in this OU and write their attributes",
			    what);
		break;
	case CERTDIR_LDAP_VERB_DELETE:
		certdir_say(text, "let the account that certdir binds as delete %s in this OU", what);
		break;
	case CERTDIR_LDAP_VERB_RENAME:
		certdir_say(text,
			    "let the account that certdir binds as write name and cn of %s in this OU, and create and "
			    "delete them where one is moved",
			    what);
		break;
	case CERTDIR_LDAP_VERB_MODIFY:
		certdir_say(text, "let the account that certdir binds as write its ");
		for (size_t i = 0; i < operation->count; i++) {
			length = strlen(text);
			(void)snprintf(text + length, CERTDIR_TEXT_MAX - length, "%s%s", i ? ", " : "",
				       operation->changes[i].attribute);
		}
		break;
	case CERTDIR_LDAP_VERB_READ:
		certdir_say(text, "let the account that certdir binds as read its %s", operation->attribute);
		break;
	}
}

static const char *advice(const struct run *run, const struct certdir_ldap_operation *operation,
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

static void explain(const struct run *run, const struct certdir_ldap_operation *operation, size_t members,
		    const struct certdir_ldap_answer *answer, struct certdir_error *why)
{
	char room[CERTDIR_TEXT_MAX], count[64] = "";

	if (members > 1)
		(void)snprintf(count, sizeof(count), " by %zu members", members);
	certdir_error_set(why, "%s: %s cannot be %s%s: %s: %s", certdir_ldap_connection_uri(run->connection),
			  operation->dn, verb_text(operation), count, answer->text,
			  advice(run, operation, answer->status, room));
}

static void refused(struct run *run, const struct certdir_ldap_operation *operation, size_t members,
		    const struct certdir_ldap_answer *answer)
{
	struct certdir_error why;

	explain(run, operation, members, answer, &why);
	fail(run, &why);
}

/*
 * The server refuses an entry for its values. That may be for something no plan can see (Active Directory takes HOST/x for taken when
 * somebody has HTTP/x), so it would come again each time: one device must not keep all others from their accounts.
 */
static bool set_aside(struct run *run, const struct certdir_step *step, const struct certdir_ldap_answer *answer)
{
	struct certdir_error why;

	if ((answer->status != CERTDIR_LDAP_CONSTRAINT && answer->status != CERTDIR_LDAP_EXISTS) ||
	    run->asides == ASIDE_MAX)
		return false;
	explain(run, &step->operation, 1, answer, &why);
	run->aside[step->action] = true;
	if (run->asides++ == 0 && !run->failed)
		*run->error = why;
	else
		certdir_log(CERTDIR_LOG_ERROR, "%s", why.text);
	return true;
}

/* Whether the entry is what the plan saw. */
static bool version_right(struct run *run, const struct certdir_step *step, const struct certdir_ldap_answer *answer)
{
	const char *uri = certdir_ldap_connection_uri(run->connection), *attribute = run->domain->version_attribute;
	const struct certdir_ldap_operation reading = {
		.verb = CERTDIR_LDAP_VERB_READ, .dn = step->account, .attribute = attribute};
	struct certdir_error why;

	if (answer->status != CERTDIR_LDAP_OK) {
		refused(run, &reading, 1, answer);
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
	fail(run, &why);
	return false;
}

/* ---- one operation ---- */

/*
 * A computer account without a password is one that anybody may use: an empty one, or the name in lower case where the
 * server sets that by itself. So it gets one that nobody knows, us included once it is sent.
 */
static enum certdir_ldap_status send_with_password(struct run *run, const struct certdir_ldap_operation *operation,
						   int *id, struct certdir_error *why)
{
	char password[CERTDIR_PASSWORD_SIZE];
	const struct certdir_ldap_bytes bytes = {password, sizeof(password)};
	struct certdir_ldap_change *changes = calloc(operation->count + 1, sizeof(*changes));
	struct certdir_ldap_operation with = *operation;
	enum certdir_ldap_status status = CERTDIR_LDAP_FAILED;

	if (!changes) {
		certdir_error_set(why, "out of memory");
		return status;
	}
	memcpy(changes, operation->changes, operation->count * sizeof(*changes));
	changes[operation->count] = (struct certdir_ldap_change){.attribute = "unicodePwd", .come = {&bytes, 1}};
	with.changes = changes;
	with.count++;
	if (certdir_password_make(password, why))
		status = certdir_ldap_send(run->connection, &with, id, why);
	explicit_bzero(password, sizeof(password));
	free(changes);
	return status;
}

/* Sends something. Signals wait: the LDAP library takes one that comes in between for the end of the connection. */
static bool send(struct run *run, const struct certdir_ldap_operation *operation, bool password, int *id)
{
	enum certdir_ldap_status status;
	struct certdir_error why;
	sigset_t all, before;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	status = password ? send_with_password(run, operation, id, &why)
			  : certdir_ldap_send(run->connection, operation, id, &why);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (status != CERTDIR_LDAP_OK)
		fail(run, &why);
	return status == CERTDIR_LDAP_OK;
}

/* Waits for any answer. False: there will be none, the connection is lost. */
static bool receive(struct run *run, struct certdir_ldap_answer *answer)
{
	enum certdir_ldap_status status;
	struct certdir_error why, lost;
	sigset_t all, before;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	status = certdir_ldap_receive(run->connection, answer, &why);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (status == CERTDIR_LDAP_OK)
		return true;
	certdir_error_set(&lost, "%s; nobody knows whether what was on the way is done: make a new plan", why.text);
	fail(run, &lost);
	return false;
}

static void step_done(struct run *run, size_t index)
{
	const size_t action = run->plan->steps[index].action;

	run->report->steps++;
	if (--run->open[action] > 0)
		return;
	run->report->actions++;
	if (run->options->done)
		run->options->done(run->options->context, &run->plan->actions[action]);
}

static void tell_progress(const struct run *run)
{
	if (run->options->progress)
		run->options->progress(run->options->context, run->report->steps, run->plan->step_count);
}

/* ---- a phase of operations on different entries ---- */

static bool is_seen(const struct run *run, const struct certdir_step *step)
{
	const char *seen = run->seen[step->action];

	return !step->account || (seen && strcmp(seen, step->account) == 0);
}

/* Takes off for a step: reads the version first if nobody has yet. */
static bool take_off(struct run *run, struct flight *flight)
{
	const struct certdir_step *step = &run->plan->steps[flight->step];
	const struct certdir_ldap_operation reading = {
		.verb = CERTDIR_LDAP_VERB_READ, .dn = step->account, .attribute = run->domain->version_attribute};

	flight->reading = !is_seen(run, step);
	if (flight->reading)
		return send(run, &reading, false, &flight->id);
	if (!send(run, &step->operation, step->password && run->domain->active_directory, &flight->id))
		return false;
	run->sent[flight->step] = true;
	return true;
}

/* What follows an answer: the operation after the reading. False: the flight is over. */
static bool go_on(struct run *run, struct flight *flight, const struct certdir_ldap_answer *answer, bool only_read)
{
	const struct certdir_step *step = &run->plan->steps[flight->step];

	if (flight->reading) {
		if (!version_right(run, step, answer))
			return false;
		run->seen[step->action] = step->account;
		return !only_read && going(run) && take_off(run, flight);
	}
	if (answer->status != CERTDIR_LDAP_OK) {
		run->sent[flight->step] = false;
		if (!set_aside(run, step, answer))
			refused(run, &step->operation, 1, answer);
		return false;
	}
	step_done(run, flight->step);
	tell_progress(run);
	return false;
}

/* Takes one answer to what is on the way. */
static bool land(struct run *run, bool only_read)
{
	struct certdir_ldap_answer answer;
	size_t i = 0;

	if (!receive(run, &answer))
		return false;
	while (i < run->flying && run->flights[i].id != answer.id)
		i++;
	if (i < run->flying && !go_on(run, &run->flights[i], &answer, only_read))
		run->flights[i] = run->flights[--run->flying];
	return true;
}

/* Carries out a phase, as many operations on the way as the window takes; with `only_read` no more than looks at the versions. */
static void run_phase(struct run *run, enum certdir_phase phase, bool only_read)
{
	const struct certdir_plan *plan = run->plan;
	size_t next = 0;

	for (;;) {
		for (; next < plan->step_count && run->flying < WINDOW && going(run); next++) {
			struct flight *flight = &run->flights[run->flying];

			if (plan->steps[next].phase != phase || run->aside[plan->steps[next].action])
				continue;
			if (only_read && is_seen(run, &plan->steps[next]))
				continue;
			flight->step = next;
			if (take_off(run, flight))
				run->flying++;
		}
		if (run->flying == 0 || !land(run, only_read))
			return;
	}
}

/* ---- a phase of changes of a group ---- */

/* One value that comes or goes: what can be sent with others. */
static const struct certdir_ldap_bytes *single_value(const struct certdir_ldap_operation *operation)
{
	const struct certdir_ldap_change *change = operation->changes;

	if (operation->verb != CERTDIR_LDAP_VERB_MODIFY || operation->count != 1 || change->whole ||
	    change->come.count + change->gone.count != 1)
		return NULL;
	return change->come.count ? change->come.items : change->gone.items;
}

static bool belongs(const struct certdir_ldap_operation *first, const struct certdir_ldap_operation *operation)
{
	return single_value(first) && single_value(operation) && strcmp(first->dn, operation->dn) == 0 &&
	       strcmp(first->changes->attribute, operation->changes->attribute) == 0 &&
	       first->changes->come.count == operation->changes->come.count;
}

/*
 * Collects changes of one group, that of the first step of the phase at or behind *next that was not sent; *next moves there. An account's
 * groups stand beside each other, so those of one group are here and there.
 */
static void collect(const struct run *run, enum certdir_phase phase, size_t *next, struct members *members)
{
	const struct certdir_plan *plan = run->plan;
	const struct certdir_ldap_operation *first = NULL;

	members->count = 0;
	for (size_t i = *next; i < plan->step_count && members->count < MEMBERS_MAX; i++) {
		const struct certdir_step *step = &plan->steps[i];

		if (step->phase != phase || run->sent[i] || run->aside[step->action] ||
		    (first && !belongs(first, &step->operation)))
			continue;
		if (!first)
			*next = i;
		first = first ? first : &step->operation;
		if (single_value(first))
			members->values[members->count] = *single_value(&step->operation);
		members->steps[members->count++] = i;
	}
	if (!first)
		return;
	members->operation = *first;
	if (members->count == 1)
		return;
	members->change = *first->changes;
	if (members->change.come.count)
		members->change.come = (struct certdir_ldap_values){members->values, members->count};
	else
		members->change.gone = (struct certdir_ldap_values){members->values, members->count};
	members->operation.changes = &members->change;
}

/* One at a time: they are all changes of one entry, and Active Directory is "busy" for two of those. */
static void change_group(struct run *run, const struct members *members)
{
	struct certdir_ldap_answer answer = {.id = 0};
	bool ok;
	int id;

	if (!send(run, &members->operation, false, &id))
		return;
	for (size_t i = 0; i < members->count; i++)
		run->sent[members->steps[i]] = true;
	do
		if (!receive(run, &answer))
			return;
	while (answer.id != id);
	ok = answer.status == CERTDIR_LDAP_OK;
	if (!ok)
		refused(run, &members->operation, members->count, &answer);
	for (size_t i = 0; i < members->count; i++) {
		run->sent[members->steps[i]] = ok;
		if (ok)
			step_done(run, members->steps[i]);
	}
	tell_progress(run);
}

static void run_members(struct run *run, enum certdir_phase phase)
{
	struct members members;
	size_t next = 0;

	run_phase(run, phase, true);
	while (going(run)) {
		collect(run, phase, &next, &members);
		if (members.count == 0)
			return;
		change_group(run, &members);
	}
}

/* ---- the file that takes it back ---- */

static bool write_undo(struct run *run, const bool *steps, struct certdir_error *why)
{
	return certdir_undo_write(run->config->undo_directory, run->config->name, run->now, run->plan, steps,
				  run->report->undo, why);
}

/*
 * Before a phase begins, the file knows it and what was done before, and no more: taking back a creation that was never tried
 * would delete who had that name until then.
 */
static bool cover(struct run *run, enum certdir_phase phase)
{
	struct certdir_error why;
	bool any = false;

	for (size_t i = 0; i < run->plan->step_count; i++)
		if (run->plan->steps[i].phase == phase)
			run->covered[i] = any = true;
	if (!any)
		return false;
	if (write_undo(run, run->covered, &why))
		return true;
	fail(run, &why);
	return false;
}

/* What was sent and never answered may be done, so it is taken back, too. */
static void conclude_undo(struct run *run)
{
	struct certdir_error why;
	bool any = false, more = false;

	if (!run->report->undo[0])
		return;
	for (size_t i = 0; i < run->plan->step_count; i++) {
		any |= run->sent[i];
		more |= run->covered[i] && !run->sent[i];
	}
	if (!any) {
		(void)unlink(run->report->undo);
		run->report->undo[0] = '\0';
	} else if (more && !write_undo(run, run->sent, &why)) {
		certdir_log(CERTDIR_LOG_WARN, "%s also takes back what was not done: %s", run->report->undo, why.text);
	}
}

/* ---- the plan ---- */

static bool begin(struct run *run)
{
	const struct certdir_plan *plan = run->plan;

	run->sent = calloc(plan->step_count + 1, sizeof(*run->sent));
	run->covered = calloc(plan->step_count + 1, sizeof(*run->covered));
	run->seen = calloc(plan->action_count + 1, sizeof(*run->seen));
	run->open = calloc(plan->action_count + 1, sizeof(*run->open));
	run->aside = calloc(plan->action_count + 1, sizeof(*run->aside));
	if (!run->sent || !run->covered || !run->seen || !run->open || !run->aside) {
		certdir_error_set(run->error, "out of memory");
		return false;
	}
	for (size_t i = 0; i < plan->action_count; i++)
		run->open[i] = plan->actions[i].count;
	return true;
}

static void run_all(struct run *run)
{
	for (unsigned i = 0; i < CERTDIR_PHASES && going(run); i++) {
		const enum certdir_phase phase = (enum certdir_phase)i;

		if (!cover(run, phase))
			continue;
		if (phase == CERTDIR_PHASE_JOIN || phase == CERTDIR_PHASE_LEAVE)
			run_members(run, phase);
		else
			run_phase(run, phase, false);
	}
	conclude_undo(run);
}

bool certdir_apply(const struct certdir_placeholders_config *config, const struct certdir_domain *domain,
		   struct certdir_ldap_connection *connection, const struct certdir_plan *plan,
		   const struct certdir_apply_options *options, struct certdir_apply_report *report,
		   struct certdir_error *error)
{
	struct run run = {
		.config = config,
		.domain = domain,
		.connection = connection,
		.plan = plan,
		.options = options,
		.report = report,
		.error = error,
		.now = (int64_t)time(NULL),
	};
	bool ok = false;

	*report = (struct certdir_apply_report){.actions = 0};
	if (!begin(&run))
		goto out;
	run_all(&run);
	/* A signal that came with the last answer stopped nothing. */
	if (report->steps == plan->step_count)
		report->stopped = false;
	ok = !run.failed && !report->stopped && run.asides == 0;
	if (report->stopped && !run.failed)
		certdir_error_set(error,
				  "stopped by a signal: %zu of %zu actions are done; a new plan goes on from there",
				  report->actions, plan->action_count);
out:
	free(run.sent);
	free(run.covered);
	free(run.seen);
	free(run.open);
	free(run.aside);
	return ok;
}
