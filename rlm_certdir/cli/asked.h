/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a check asked of which directory, and what the records say: for those who explain it. */
#ifndef CERTDIR_CLI_ASKED_H
#define CERTDIR_CLI_ASKED_H

#include "checker.h"

/* What all records of the device say of what only some of them know. A "no" stands whoever says it. */
struct certdir_cli_asked_summary {
	enum certdir_tristate enabled, managed;
	int64_t last_seen, registered;
};

/* Sees a text of the certificate, and where it stands. */
typedef void (*certdir_cli_place_function)(void *context, const char *from, const char *value, size_t length);

/* How many records of directory `d` carry identity `i`. */
size_t certdir_cli_asked_count(const struct certdir_check *check, size_t d, size_t i);
/*
 * Whether directory `d` was asked for identity `i`: it knows devices by such values, or has a table of issued certificates where `i` is
 * one; and what confirms costs no round trip to a live one.
 */
bool certdir_cli_asked_looked_up(const struct certdir_check *check, size_t d, size_t i);
/* The answer that a record of the decision stands in, by the place of its directory. */
size_t certdir_cli_asked_directory(const struct certdir_check *check, const struct certdir_record *record);
/* Which of that answer's sources said it. */
const struct certdir_source *certdir_cli_asked_source(const struct certdir_check *check,
						      const struct certdir_record *record);
/* What the records that were decided on say together. */
struct certdir_cli_asked_summary certdir_cli_asked_summary(const struct certdir_decision *decision);
/* Whether a record was found by the certificate's own names, and not by an id that another record taught. */
bool certdir_cli_asked_carries_any(const struct certdir_check *check, size_t d, const struct certdir_record *record);
/* Whether directory `d` keeps a kind of identity that the certificate has and that was sought. */
bool certdir_cli_asked_knows_any(const struct certdir_check *check, size_t d);
/*
 * Where no table of issued certificates has the one that was checked: when the newest of directory `d` was made (Unix seconds). 0: some
 * table has it, `d` has none, or tables were not asked.
 */
int64_t certdir_cli_asked_in_vain(const struct certdir_check *check, size_t d);
/* Every text in the certificate, where it stands: what a form or a certificates section can name. */
void certdir_cli_asked_places(const unsigned char *der, size_t length, certdir_cli_place_function see, void *context);

#endif
