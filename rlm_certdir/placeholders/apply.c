/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placeholders/apply_run.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "placeholders/password.h"

bool certdir_apply_going(struct certdir_apply_run *run)
{
	if (!run->failed && run->options->stop && *run->options->stop)
		run->report->stopped = true;
	return !run->failed && !run->report->stopped;
}

void certdir_apply_fail(struct certdir_apply_run *run, const struct certdir_error *why)
{
	if (!run->failed)
		*run->error = *why;
	run->failed = true;
}

/* ---- one operation ---- */

bool certdir_apply_send(struct certdir_apply_run *run, const struct certdir_ldap_operation *operation, bool password,
			int *id)
{
	enum certdir_ldap_status status;
	struct certdir_error why;
	sigset_t before;

	certdir_signals_hold(&before);
	status = password ? certdir_password_send(run->connection, operation, id, &why)
			  : certdir_ldap_send(run->connection, operation, id, &why);
	certdir_signals_release(&before);
	if (status != CERTDIR_LDAP_OK)
		certdir_apply_fail(run, &why);
	return status == CERTDIR_LDAP_OK;
}

bool certdir_apply_receive(struct certdir_apply_run *run, struct certdir_ldap_answer *answer)
{
	enum certdir_ldap_status status;
	struct certdir_error why, lost;
	sigset_t before;

	certdir_signals_hold(&before);
	status = certdir_ldap_receive(run->connection, answer, &why);
	certdir_signals_release(&before);
	if (status == CERTDIR_LDAP_OK)
		return true;
	certdir_error_set(&lost, "%s; nobody knows whether what was in flight is done: make a new plan", why.text);
	certdir_apply_fail(run, &lost);
	return false;
}

void certdir_apply_step_done(struct certdir_apply_run *run, size_t index)
{
	const size_t action = run->plan->steps[index].action;

	run->report->steps++;
	if (--run->actions[action].open > 0)
		return;
	run->report->actions++;
	if (run->options->done)
		run->options->done(run->options->context, &run->plan->actions[action]);
}

void certdir_apply_tell_progress(const struct certdir_apply_run *run)
{
	if (run->options->progress)
		run->options->progress(run->options->context, run->report->steps, run->plan->step_count);
}

/* ---- a phase of operations on different entries ---- */

bool certdir_apply_is_seen(const struct certdir_apply_run *run, const struct certdir_step *step)
{
	const char *seen = run->actions[step->action].seen;

	return !step->account || (seen && strcmp(seen, step->account) == 0);
}

/* Sends a step, or what comes before it: reading the version, if nobody has yet. */
static bool send_step(struct certdir_apply_run *run, struct certdir_apply_flight *flight)
{
	const struct certdir_step *step = &run->plan->steps[flight->step];
	const struct certdir_ldap_operation reading = {
		.verb = CERTDIR_LDAP_VERB_READ, .dn = step->account, .attribute = run->domain->version_attribute};

	flight->reading = !certdir_apply_is_seen(run, step);
	if (flight->reading)
		return certdir_apply_send(run, &reading, false, &flight->id);
	if (!certdir_apply_send(run, &step->operation, step->password && run->domain->active_directory, &flight->id))
		return false;
	run->sent[flight->step] = true;
	return true;
}

/*
 * Asks what the server calls the entry that was made, also when the run is to end: whoever takes it back must not delete another that
 * somebody makes later under its name.
 */
static bool read_id(struct certdir_apply_run *run, struct certdir_apply_flight *flight)
{
	const struct certdir_ldap_operation reading = {.verb = CERTDIR_LDAP_VERB_READ,
						       .dn = run->plan->steps[flight->step].operation.dn,
						       .attribute = run->domain->id_attribute};

	flight->naming = true;
	return !run->failed && certdir_apply_send(run, &reading, false, &flight->id);
}

/* What follows an answer: the operation after the reading, the reading after a creation. False: the flight is over. */
static bool follow_up(struct certdir_apply_run *run, struct certdir_apply_flight *flight,
		      const struct certdir_ldap_answer *answer)
{
	const struct certdir_step *step = &run->plan->steps[flight->step];

	if (flight->naming) {
		run->named |= certdir_domain_id_read(run->domain, answer, run->ids[flight->step].text);
		return false;
	}
	if (flight->reading) {
		if (!certdir_apply_version_right(run, step, answer))
			return false;
		run->actions[step->action].seen = step->account;
		return certdir_apply_going(run) && send_step(run, flight);
	}
	if (answer->status != CERTDIR_LDAP_OK) {
		run->sent[flight->step] = false;
		certdir_apply_refused(run, step, &step->operation, 1, answer);
		return false;
	}
	certdir_apply_given(run, step);
	certdir_apply_step_done(run, flight->step);
	certdir_apply_tell_progress(run);
	return step->operation.verb == CERTDIR_LDAP_VERB_ADD && read_id(run, flight);
}

/* Takes one answer to what is in flight. */
static bool take_answer(struct certdir_apply_run *run)
{
	struct certdir_ldap_answer answer;
	size_t i = 0;

	if (!certdir_apply_receive(run, &answer))
		return false;
	while (i < run->flying && run->flights[i].id != answer.id)
		i++;
	if (i < run->flying && !follow_up(run, &run->flights[i], &answer))
		run->flights[i] = run->flights[--run->flying];
	return true;
}

/*
 * Which steps of a phase are tried, and in which order: the first ones are from all over it, so that a right which all of those are
 * refused is one that nobody is given, and not one that a few odd neighbours are refused.
 */
static size_t put_in_order(struct certdir_apply_run *run, enum certdir_phase phase)
{
	size_t count = 0;

	for (size_t i = 0; i < run->plan->step_count; i++)
		if (run->plan->steps[i].phase == phase)
			run->order[count++] = i;
	for (size_t i = 0; count > CERTDIR_APPLY_WINDOW && i < CERTDIR_APPLY_WINDOW; i++) {
		const size_t other = i * count / CERTDIR_APPLY_WINDOW, step = run->order[i];

		run->order[i] = run->order[other];
		run->order[other] = step;
	}
	return count;
}

/*
 * Looks at the next steps of the `count` of a phase, as many as may be in flight at once; *looked moves behind them. False: what is in flight
 * has to be answered first, so that all of these are sent at once, and between a look and the change is a moment.
 */
static bool look_ahead(struct certdir_apply_run *run, size_t count, size_t *looked)
{
	const size_t left = count - *looked, slice = left < CERTDIR_APPLY_WINDOW ? left : CERTDIR_APPLY_WINDOW;
	bool any = false;

	for (size_t i = 0; i < slice; i++)
		any |= certdir_apply_wants_look(run, &run->plan->steps[run->order[*looked + i]]);
	if (any && run->flying > 0)
		return false;
	if (any)
		certdir_apply_look(run, &run->order[*looked], slice);
	*looked += slice;
	return certdir_apply_going(run);
}

/* Carries out a phase, as many operations in flight as the window takes. */
static void run_phase(struct certdir_apply_run *run, enum certdir_phase phase)
{
	const size_t count = put_in_order(run, phase);
	size_t next = 0, looked = 0;

	for (;;) {
		for (; next < count && run->flying < CERTDIR_APPLY_WINDOW && certdir_apply_going(run); next++) {
			struct certdir_apply_flight *flight = &run->flights[run->flying];

			if (next == looked && !look_ahead(run, count, &looked))
				break;
			if (!certdir_apply_may_try(run, &run->plan->steps[run->order[next]]))
				continue;
			*flight = (struct certdir_apply_flight){.step = run->order[next]};
			if (send_step(run, flight))
				run->flying++;
		}
		if (run->flying == 0 || !take_answer(run))
			return;
	}
}

/* ---- the file that takes it back ---- */

static bool write_undo(struct certdir_apply_run *run, const bool *steps, struct certdir_error *why)
{
	run->named = false;
	return certdir_undo_write(run->config, run->now, run->plan, steps, run->ids, run->report->undo, why);
}

/*
 * Before a phase begins, the file knows it and what was done before, and no more: taking back a creation that was never tried
 * would delete who had that name until then.
 */
static bool cover(struct certdir_apply_run *run, enum certdir_phase phase)
{
	struct certdir_error why;
	bool any = false;

	for (size_t i = 0; i < run->plan->step_count; i++)
		if (run->plan->steps[i].phase == phase && !run->actions[run->plan->steps[i].action].aside)
			run->covered[i] = any = true;
	if (!any)
		return false;
	if (write_undo(run, run->covered, &why))
		return true;
	certdir_apply_fail(run, &why);
	return false;
}

/* What was sent and never answered may be done, so it is taken back, too. */
static void conclude_undo(struct certdir_apply_run *run)
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
	} else if ((more || run->named) && !write_undo(run, run->sent, &why)) {
		certdir_log(CERTDIR_LOG_WARN,
			    "%s also takes back what was not done, and does not know all of the accounts that were "
			    "made: %s",
			    run->report->undo, why.text);
	}
}

/* ---- the plan ---- */

static bool begin(struct certdir_apply_run *run)
{
	const struct certdir_plan *plan = run->plan;

	run->sent = calloc(plan->step_count + 1, sizeof(*run->sent));
	run->covered = calloc(plan->step_count + 1, sizeof(*run->covered));
	run->ids = calloc(plan->step_count + 1, sizeof(*run->ids));
	run->order = calloc(plan->step_count + 1, sizeof(*run->order));
	run->keepers = calloc(plan->step_count + 1, sizeof(*run->keepers));
	run->actions = calloc(plan->action_count + 1, sizeof(*run->actions));
	if (!run->sent || !run->covered || !run->ids || !run->order || !run->keepers || !run->actions) {
		certdir_error_set(run->error, "out of memory");
		return false;
	}
	for (size_t i = 0; i < plan->action_count; i++)
		run->actions[i].open = plan->actions[i].count;
	return true;
}

static void end(struct certdir_apply_run *run)
{
	for (size_t i = 0; run->actions && i < run->plan->action_count; i++)
		free(run->actions[i].why);
	for (size_t i = 0; i < run->right_count; i++)
		free(run->rights[i].why);
	free(run->rights);
	free(run->sent);
	free(run->covered);
	free(run->ids);
	free(run->order);
	free(run->keepers);
	free(run->actions);
}

static void run_all(struct certdir_apply_run *run)
{
	for (unsigned i = 0; i < CERTDIR_PHASES && certdir_apply_going(run); i++) {
		const enum certdir_phase phase = (enum certdir_phase)i;

		if (!cover(run, phase))
			continue;
		if (phase == CERTDIR_PHASE_JOIN || phase == CERTDIR_PHASE_LEAVE)
			certdir_apply_members(run, phase);
		else
			run_phase(run, phase);
	}
	conclude_undo(run);
	certdir_apply_conclude(run);
}

bool certdir_apply(const struct certdir_placeholders_config *config, const struct certdir_domain *domain,
		   struct certdir_ldap_connection *connection, const struct certdir_plan *plan,
		   const struct certdir_apply_options *options, struct certdir_apply_report *report,
		   struct certdir_error *error)
{
	struct certdir_apply_run run = {
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
	if (begin(&run)) {
		run_all(&run);
		/* A signal that came with the last answer stopped nothing. */
		if (report->untried == 0 && report->begun == 0)
			report->stopped = false;
		ok = !run.failed && !report->stopped;
		if (report->stopped && !run.failed)
			certdir_error_set(error,
					  "stopped by a signal: %zu of %zu actions are done; a new plan goes on from "
					  "there",
					  report->actions, plan->action_count);
	}
	end(&run);
	return ok;
}
