/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan while it is carried out; for apply*.c alone. */
#ifndef CERTDIR_PLACEHOLDERS_APPLY_RUN_H
#define CERTDIR_PLACEHOLDERS_APPLY_RUN_H

#include "placeholders/accounts.h"
#include "placeholders/apply.h"
#include "placeholders/signals.h"
#include "placeholders/undo.h"

enum { CERTDIR_APPLY_WINDOW = 64 /* operations in flight at once */ };

/* An operation in flight. */
struct certdir_apply_flight {
	int id;
	size_t step;
	bool reading; /* the version, before the operation itself */
	bool naming; /* it is done: reading what the server calls the entry that was made */
};

/* What the server's administrator gives as one: a verb, and the attributes or the group that it is for. */
struct certdir_apply_right {
	const struct certdir_step *example;
	size_t given, refused;
	char *why; /* of the first refusal; NULL when memory was out */
};

/* How far an action is. */
struct certdir_apply_action {
	const char *seen; /* its account, once the version was read and right */
	size_t open; /* steps that are not done */
	bool aside; /* nothing more of it is tried */
	char *why; /* what the server said; NULL = it is not set aside, nobody asked, or memory was out */
};

struct certdir_apply_run {
	const struct certdir_placeholders_config *config;
	const struct certdir_domain *domain;
	struct certdir_ldap_connection *connection;
	const struct certdir_plan *plan;
	const struct certdir_apply_options *options;
	struct certdir_apply_report *report;
	struct certdir_error *error;
	int64_t now;
	bool *sent; /* for each step: done, or in flight when the connection was lost */
	bool *covered; /* for each step: the file that takes it back knows it */
	struct certdir_undo_id *ids; /* for each step: of the entry that it has made */
	bool named; /* some of those came since the file was written */
	size_t *order; /* the steps of a phase, as they are tried */
	struct certdir_apply_action *actions; /* for each action */
	size_t *keepers; /* steps of those that would have given up values which others may wait for */
	size_t keeper_count;
	struct certdir_apply_right *rights;
	size_t right_count;
	struct certdir_apply_flight flights[CERTDIR_APPLY_WINDOW];
	size_t flying;
	bool failed; /* `error` says why: nothing more is sent */
};

/* apply.c */
/* Whether more is to be sent. */
bool certdir_apply_going(struct certdir_apply_run *run);
/* Nothing more is sent. The first failure is the one that is told. */
void certdir_apply_fail(struct certdir_apply_run *run, const struct certdir_error *why);
/* Sends something. Signals wait: the LDAP library takes one that comes in between for the end of the connection. */
bool certdir_apply_send(struct certdir_apply_run *run, const struct certdir_ldap_operation *operation, bool password,
			int *id);
/* Waits for any answer. False: there will be none, the connection is lost. */
bool certdir_apply_receive(struct certdir_apply_run *run, struct certdir_ldap_answer *answer);
/* The step was carried out: counts it, and its action when that was the last one of it. */
void certdir_apply_step_done(struct certdir_apply_run *run, size_t index);
/* Tells the caller where the run is. */
void certdir_apply_tell_progress(const struct certdir_apply_run *run);
/* Whether the version of the entry was read and is the plan's, or there was no such entry then. */
bool certdir_apply_is_seen(const struct certdir_apply_run *run, const struct certdir_step *step);

/* apply_members.c */
/* Carries out a phase of changes of groups. */
void certdir_apply_members(struct certdir_apply_run *run, enum certdir_phase phase);

/* apply_aside.c: what does not go as planned, and what to do about it. */
/* Whether an answer is about the entry or a right to it, and not about the server or our identity. */
bool certdir_apply_is_of_entry(enum certdir_ldap_status status);
/*
 * An operation of a step was refused: the action is set aside, so that one odd entry does not keep all others from what is
 * theirs. Only what says nothing of the entry (a server that is going down, an identity that is not taken) ends the run.
 * `members`: how many steps went together.
 */
void certdir_apply_refused(struct certdir_apply_run *run, const struct certdir_step *step,
			   const struct certdir_ldap_operation *operation, size_t members,
			   const struct certdir_ldap_answer *answer);
/* Whether the entry is what the plan saw, as the answer to reading its version says; else its action is set aside. */
bool certdir_apply_version_right(struct certdir_apply_run *run, const struct certdir_step *step,
				 const struct certdir_ldap_answer *answer);
/*
 * The version of an entry is read right before its first change. In later phases, perhaps minutes later, it has another one by what we have
 * done ourselves: it, and one that this run has made, is looked at instead. So is who is to become a member of a group or to be none.
 */
bool certdir_apply_wants_look(const struct certdir_apply_run *run, const struct certdir_step *step);
/* Looks at the entries of `count` steps (indexes), of those that want it. What is another's or a real computer by now is set aside. */
void certdir_apply_look(struct certdir_apply_run *run, const size_t *steps, size_t count);
/* Whether the step may be tried now; else its action is set aside. */
bool certdir_apply_may_try(struct certdir_apply_run *run, const struct certdir_step *step);
/* The step was carried out: so we have the right that it needs. */
void certdir_apply_given(struct certdir_apply_run *run, const struct certdir_step *step);
/* At the end: counts the actions, tells of those that are left, and sets the run's error when a right is missing. */
void certdir_apply_conclude(struct certdir_apply_run *run);

#endif
