/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan -> the directory. */
#ifndef CERTDIR_PLACEHOLDERS_APPLY_H
#define CERTDIR_PLACEHOLDERS_APPLY_H

#include "placeholders/plan.h"

struct certdir_apply_options {
	const volatile int *stop; /* not 0: end after what is on the way */
	/* An action is done, all of its steps; called once for each. */
	void (*done)(void *context, const struct certdir_action *action);
	/* Where it is: steps answered of all. */
	void (*progress)(void *context, size_t steps, size_t of);
	void *context;
};

struct certdir_apply_report {
	size_t actions; /* done, whole */
	size_t steps;
	bool stopped; /* by `stop` */
	char undo[CERTDIR_TEXT_MAX]; /* the file that takes it back; "" when nothing was done */
};

/*
 * Carries the plan out, many operations on the way at once, phase by phase. Before the first change of an entry its version is read: when it
 * is not the plan's, and when the server refuses anything, nothing more is sent, and `error` says which entry and why. Only an entry that it
 * refuses for its values (a few of them) is set aside, told in `error` and the log, and the others go on. What
 * was done stays; a new plan goes on from there. Before a phase begins, a file is on the disk that undoes it and what was done before it
 * (not more: undoing a creation that was never tried would delete who still has that name); at the end it holds what was done. Signals
 * wait while an answer is waited for. True when all was done.
 */
bool certdir_apply(const struct certdir_placeholders_config *config, const struct certdir_domain *domain,
		   struct certdir_ldap_connection *connection, const struct certdir_plan *plan,
		   const struct certdir_apply_options *options, struct certdir_apply_report *report,
		   struct certdir_error *error);

#endif
