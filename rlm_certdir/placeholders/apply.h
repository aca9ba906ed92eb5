/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan -> the directory. */
#ifndef CERTDIR_PLACEHOLDERS_APPLY_H
#define CERTDIR_PLACEHOLDERS_APPLY_H

#include "placeholders/config.h"
#include "plan/plan.h"

struct certdir_apply_options {
	const volatile int *stop; /* not 0: end after what is in flight */
	/* An action is done, all of its steps; called once for each. */
	void (*done)(void *context, const struct certdir_action *action);
	/*
	 * At the end, for each action that was set aside or is done in part: what the server said and what to do about it
	 * ("": nobody refused it), and which steps are left ("": all of them). Not for those that were never tried.
	 */
	void (*left)(void *context, const struct certdir_action *action, const char *why, const char *left);
	/* Where it is: steps answered of all. */
	void (*progress)(void *context, size_t steps, size_t of);
	void *context;
};

struct certdir_apply_report {
	/* Each action of the plan counts in one of these. */
	size_t actions; /* done, whole */
	size_t begun; /* some steps done, others not */
	size_t aside; /* refused by the server, or the entry is not what the plan saw; nothing of it is done */
	size_t untried; /* the run ended before, or nobody is given the right */
	size_t steps;
	bool stopped; /* by `stop` */
	char undo[CERTDIR_TEXT_MAX]; /* the file that takes it back; "" when nothing was done */
};

/*
 * Carries the plan out, many operations in flight at once, phase by phase. Before the first change of an entry its version is read, and
 * before each later one the entry is looked at, a moment before. An
 * entry that is not what the plan saw, and one that the server refuses, is set aside, and the others go on: what stands in
 * the way of one of them may be there for good. What a set aside entry did not give up is not given to another. Where one and
 * the same right is refused for all of many entries, no more of those are tried. What was done stays; a new plan goes on from there.
 *
 * Before a phase begins, a file is on the disk that undoes it and what was done before it (not more: undoing a creation that
 * was never tried would delete who still has that name); at the end it holds what was done. Signals wait while an answer is waited
 * for. True when the plan was gone through to its end, whatever was set aside; false with `error`: the connection was
 * lost, the server is not able, a right is missing that several entries need, the file cannot be written, or a signal came.
 */
bool certdir_apply(const struct certdir_placeholders_config *config, const struct certdir_domain *domain,
		   struct certdir_ldap_connection *connection, const struct certdir_plan *plan,
		   const struct certdir_apply_options *options, struct certdir_apply_report *report,
		   struct certdir_error *error);

#endif
