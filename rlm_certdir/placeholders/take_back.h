/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An undo file -> the directory. */
#ifndef CERTDIR_PLACEHOLDERS_TAKE_BACK_H
#define CERTDIR_PLACEHOLDERS_TAKE_BACK_H

#include "ldap/records.h"
#include "placeholders/accounts.h"

struct certdir_undo_file {
	const char *filename; /* borrowed */
	char section[CERTDIR_MARK_SECTION_MAX + 1]; /* whose apply it takes back */
	int64_t time; /* when that began */
	struct certdir_ldap_records records;
};

/* Reads it whole. False with `error`: it cannot be read, was cut, or is no undo file; nothing is owned. */
bool certdir_undo_file_read(const char *filename, struct certdir_undo_file *file, struct certdir_error *error);
void certdir_undo_file_clear(struct certdir_undo_file *file);

/*
 * Whether all of it is what an apply of this section can have written: marks, places, groups, attributes and classes are the
 * section's, and no flag of userAccountControl comes that a placeholder does not have. False with `error`, which names file and line.
 */
bool certdir_undo_file_check(const struct certdir_undo_file *file, const struct certdir_placeholders_config *config,
			     const struct certdir_domain *domain, struct certdir_error *error);

/* A value of userAccountControl as the file has it. False when it is no number. */
bool certdir_undo_control(const struct certdir_ldap_bytes *value, uint32_t *control);

enum certdir_take_back_outcome {
	CERTDIR_TAKE_BACK_DONE,
	CERTDIR_TAKE_BACK_NOTHING, /* there is nothing (more) to take back: it is not there, or is there again */
	CERTDIR_TAKE_BACK_LEFT, /* the entry is another's or a real computer by now, or the server refused */
	CERTDIR_TAKE_BACK_OUTCOMES
};

struct certdir_take_back_options {
	bool dry_run; /* carry out nothing: CERTDIR_TAKE_BACK_DONE is what would be done */
	const volatile int *stop; /* not 0: end after the record that is in flight */
	/* What came of each record; `why` is a sentence, "" when it is done. */
	void (*told)(void *context, enum certdir_take_back_outcome outcome,
		     const struct certdir_ldap_operation *operation, const char *why);
	void *context;
};

struct certdir_take_back_report {
	size_t counts[CERTDIR_TAKE_BACK_OUTCOMES], records;
	bool stopped; /* by `stop` */
};

/*
 * Checks the file as certdir_undo_file_check() does, and carries out the records one by one, each after a look at the
 * entries that it is about: they must have the section's mark, be the same
 * device's, and have no life of their own. An account is deleted only when it is the very one that the run has made: by its id, or, where
 * the file does not have that (it is of an earlier version, or the run was killed), when it was made within a day of the run. One comes
 * back only when its device has no other by now. An account that comes back gets a random password. Signals wait while an answer is
 * waited for. True when the file was gone through to its end, whatever was left alone; false with `error`: the connection was lost, or
 * a signal came.
 */
bool certdir_take_back(const struct certdir_undo_file *file, const struct certdir_placeholders_config *config,
		       const struct certdir_domain *domain, struct certdir_ldap_connection *connection,
		       const struct certdir_take_back_options *options, struct certdir_take_back_report *report,
		       struct certdir_error *error);

#endif
