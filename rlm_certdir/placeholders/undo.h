/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way back of a plan as LDIF (RFC 2849), the last step first: for `certdir placeholders undo`. */
#ifndef CERTDIR_PLACEHOLDERS_UNDO_H
#define CERTDIR_PLACEHOLDERS_UNDO_H

#include <stdio.h>

#include "placeholders/config.h"
#include "plan/plan.h"

/* How a file begins, up to the section's name, and how one ends that was not cut. */
#define CERTDIR_UNDO_HEAD "version: 1\n# Takes back what `certdir placeholders apply` did for [placeholders "
#define CERTDIR_UNDO_END "# The end.\n"

/* What the server calls an entry that was made, as a GUID: one that somebody makes later under its name has another. "" = not known. */
struct certdir_undo_id {
	char text[37];
};

/*
 * Prints what takes `step` back. An entry that was made, whose `id` it is (or NULL), is deleted only while it has the mark that it was
 * made with. An account that was deleted comes back with the attributes that we keep, and with a new SID. False when memory is out;
 * errors of `out` are the caller's to look for.
 */
bool certdir_undo_print(FILE *out, const struct certdir_step *step, const char *mark_attribute, const char *id);

/*
 * Writes NAME-TIME.ldif into the section's undo_directory (made when missing, mode 0700; the file 0600), complete and on the disk before it
 * has its name. `done` (one for each step of the plan, or NULL for all): which ones to take back; `ids`, or NULL: of entries that steps
 * have made. With `filename` not empty that file is
 * replaced, else a new one is named there, and only when there is room for all steps: so a full disk shows before anything is done. False
 * with `error`.
 */
bool certdir_undo_write(const struct certdir_placeholders_config *config, int64_t now, const struct certdir_plan *plan,
			const bool *done, const struct certdir_undo_id *ids, char filename[CERTDIR_TEXT_MAX],
			struct certdir_error *error);

/*
 * The newest of the section's undo files that is newer than `filename`, or "" when there is none or that is no name of such a file: what was done later has to
 * be taken back before, or the server refuses some of what was done earlier.
 */
void certdir_undo_newest(const struct certdir_placeholders_config *config, const char *filename,
			 char newest[CERTDIR_TEXT_MAX]);

/* Removes what killed runs of the section left of files that they were writing. Only for who has the section's lock. */
void certdir_undo_sweep(const struct certdir_placeholders_config *config);

#endif
