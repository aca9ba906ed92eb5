/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flow, start to end: list and certificates -> wanted; OU -> accounts; both -> plan; plan -> directory. */
#ifndef CERTDIR_PLACEHOLDERS_H
#define CERTDIR_PLACEHOLDERS_H

#include "ldap/session.h"
#include "placeholders/apply.h"
#include "placeholders/mappings.h"
#include "placeholders/take_back.h"

/* One section at work; certdir_placeholders_close() ends it. */
struct certdir_placeholders {
	const struct certdir_placeholders_config *config;
	struct certdir_domain domain;
	struct certdir_wanted_list wanted;
	struct certdir_accounts accounts;
	struct certdir_mappings_report mappings;
	struct certdir_plan plan;
	/* the rest is the room's own */
	struct certdir_arena arena; /* all of the above, but for */
	struct certdir_arena list_arena; /* `wanted`: it is read by a thread of its own */
	bool tables; /* the list has tables of issued certificates */
	struct certdir_ldap_session session;
};

/* What came of making a plan. */
enum certdir_placeholders_outcome {
	CERTDIR_PLACEHOLDERS_OK, /* there is a plan; it may be `refused` */
	CERTDIR_PLACEHOLDERS_GUARD, /* the list is not to be acted on */
	CERTDIR_PLACEHOLDERS_FAILED
};

/*
 * Feeds the certificates of a section: calls certdir_mappings_add() for each. False with `error`.
 * Reading files is the caller's.
 */
typedef bool (*certdir_placeholders_certificates)(const struct certdir_placeholders_config *config,
						  struct certdir_mappings *mappings, int64_t now,
						  struct certdir_error *error);

/*
 * Reads the list `filename` and the directory and makes the plan as of `now`. Changes nothing anywhere. certdir_placeholders_close() follows in
 * any case. Anything but OK sets `error`.
 */
enum certdir_placeholders_outcome certdir_placeholders_plan(struct certdir_placeholders *placeholders,
							    const struct certdir_placeholders_config *config,
							    const char *filename,
							    certdir_placeholders_certificates certificates, int64_t now,
							    struct certdir_error *error);

/*
 * Reads the section's accounts from the directory and nothing else, the list neither. certdir_placeholders_close() follows in any case. False
 * with `error`.
 */
bool certdir_placeholders_look(struct certdir_placeholders *placeholders,
			       const struct certdir_placeholders_config *config, struct certdir_error *error);

/* Carries the plan out over the same connection, so on the same server. As certdir_apply(). */
bool certdir_placeholders_apply(struct certdir_placeholders *placeholders, const struct certdir_apply_options *options,
				struct certdir_apply_report *report, struct certdir_error *error);

/*
 * Takes back what `file` says on the first server of the section that takes changes. As
 * certdir_take_back(). certdir_placeholders_close() follows in any case.
 */
bool certdir_placeholders_undo(struct certdir_placeholders *placeholders,
			       const struct certdir_placeholders_config *config, const struct certdir_undo_file *file,
			       const struct certdir_take_back_options *options, struct certdir_take_back_report *report,
			       struct certdir_error *error);

/*
 * One at a time changes what a section keeps: waits for another apply or undo of it on this machine, and sweeps up the unfinished undo
 * files of those that were killed. *lock is a descriptor, whose close() lets the next one in; -1 where undo_directory cannot be written:
 * apply changes nothing then, and undo goes on alone. False with `error`: the other takes too long, or a signal came.
 */
bool certdir_placeholders_lock(const struct certdir_placeholders_config *config, int *lock,
			       struct certdir_error *error);

/* Closes the connection and frees all that was planned. */
void certdir_placeholders_close(struct certdir_placeholders *placeholders);

#endif
