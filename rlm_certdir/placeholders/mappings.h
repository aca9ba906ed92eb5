/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates that the administrator hands in -> the strong mappings of each device. */
#ifndef CERTDIR_PLACEHOLDERS_MAPPINGS_H
#define CERTDIR_PLACEHOLDERS_MAPPINGS_H

#include "placeholders/wanted.h"

/* What became of the certificates. */
struct certdir_mappings_report {
	size_t certificates, matched, ended, unmatched;
};

struct certdir_mappings;

/*
 * Looks certificates up in the list (a file name) with the code that decides logins: the same identities, the same agreement. NULL with
 * `error`. `wanted`, `config` and `arena` must outlive it; the mappings land in `wanted` at certdir_mappings_finish().
 */
struct certdir_mappings *certdir_mappings_begin(const struct certdir_placeholders_config *config, const char *list,
						struct certdir_wanted_list *wanted, struct certdir_arena *arena,
						struct certdir_error *error);

/*
 * Takes one certificate; `origin` ("laptops.csv line 7") is for messages and need not live on. Not valid any more at `now`: its mapping
 * is one that has ended. One that names no device of the list, or none for certain, is counted and said in the log. False with
 * `error` when memory is out or the list cannot be read.
 */
bool certdir_mappings_add(struct certdir_mappings *mappings, const struct certdir_certificate *certificate,
			  const char *origin, int64_t now, struct certdir_error *error);

/* Counts a certificate that is malformed, and says `why`: names beside one that cannot be trusted are not to be trusted either. */
void certdir_mappings_refuse(struct certdir_mappings *mappings, const char *origin, const char *why);

/*
 * Gives each device its mappings: none that two devices would share (the same key in two certificates). Frees `mappings`, on false,
 * too.
 */
bool certdir_mappings_finish(struct certdir_mappings *mappings, struct certdir_mappings_report *report,
			     struct certdir_error *error);

#endif
