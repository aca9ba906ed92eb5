/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates that the administrator hands in, and those of the list's tables -> the strong mappings of each device. */
#ifndef CERTDIR_PLACEHOLDERS_MAPPINGS_H
#define CERTDIR_PLACEHOLDERS_MAPPINGS_H

#include "placeholders/wanted.h"

/* What became of the certificates: each is matched, ended or unmatched. */
struct certdir_mappings_report {
	size_t certificates;
	size_t matched; /* valid, and its device has got a mapping of it */
	size_t ended; /* of a device, and not valid any more or revoked */
	size_t unmatched; /* malformed, of no device for certain, or without a mapping that its device alone has */
	struct {
		size_t certificates, matched, ended, unmatched;
	} issued; /* the same of those that only a table has, and that were issued to a device */
	size_t forms
		[CERTDIR_MAPPING_FORMS]; /* how many of those that were handed in and are matched gave a mapping of this form */
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
 * Takes one certificate; `origin` ("laptops.csv line 7") is for messages and need not live on. Not valid any more at `now`, or
 * `revoked`: its mappings are ones that have ended. So are those of the forms that the section does not ask for, if it has one that
 * it does. One that names no device of the list, or none for certain, is counted and said in the log, and so is one that only names
 * a device that was registered after it was issued. False with `error` when memory is out or the list cannot be read.
 */
bool certdir_mappings_add(struct certdir_mappings *mappings, const struct certdir_certificate *certificate,
			  const char *origin, bool revoked, int64_t now, struct certdir_error *error);

/* Counts a certificate that is not to be gone by, and says why: names beside a malformed one are not to be trusted either. */
void certdir_mappings_refuse(struct certdir_mappings *mappings, const char *origin, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Takes the tables of issued certificates of the list, after those that were handed in. A row is of the device that the flow finds by the
 * row's own ids, and gives it issuer and serial number where the issuer's text can mean but one name, else certdir_wanted.unmapped. Of a
 * certificate that was handed in, too, a row says whose it is and whether it was revoked, no more. False with
 * `error` when memory is out or the list cannot be read.
 */
bool certdir_mappings_add_issued(struct certdir_mappings *mappings, int64_t now, struct certdir_error *error);

/*
 * Gives each device its mappings: none that two devices would share (the same key in two certificates). Frees `mappings`, on false,
 * too.
 */
bool certdir_mappings_finish(struct certdir_mappings *mappings, struct certdir_mappings_report *report,
			     struct certdir_error *error);

#endif
