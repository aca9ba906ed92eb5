/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One certificate while it is being read: what it gets, and how it is refused. Only files of this room include it. */
#ifndef CERTDIR_IDENTITY_READING_H
#define CERTDIR_IDENTITY_READING_H

#include "identity/field.h"
#include "identity/rules.h"

struct certdir_reading {
	struct certdir_certificate *certificate; /* gets the identities */
	const struct certdir_rules *rules; /* never NULL */
	const struct certdir_section *section; /* what the certificate is known to fit already, or NULL */
	struct certdir_error *error;
};

/* One place: the third dNSName, say. */
struct certdir_place {
	const struct certdir_field *field;
	size_t position; /* from 1, among its kind; 0 = there is but one, or nobody knows */
};

/* Sets the error, place first. Always false, so that it can be returned. */
bool certdir_reading_refuse(struct certdir_reading *reading, const struct certdir_place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* True when the section does not place this field: what is wrong in it says nothing of a device and refuses nothing. */
bool certdir_reading_ignores(const struct certdir_reading *reading, const char *from);

enum certdir_fit {
	CERTDIR_FITS, /* `out` is the canonical form */
	CERTDIR_NOTHING, /* the all-zero GUID, a filler, no number of hardware: says that there is none */
	CERTDIR_UNFIT /* no value of this type */
};

/* Brings `value` into out[CERTDIR_VALUE_MAX + 1]. */
enum certdir_fit certdir_reading_fit(enum certdir_identity_type type, const char *value, size_t length, char *out);

/*
 * Adds an identity, with the section's rank where there is one and else with `rank`, or strengthens the one that is there.
 * The same value at another place is another one, until certdir_rank_settle(). A chosen name for which there is no
 * room is counted as left out. False: no room for an id, or no memory; never for what is only shown.
 */
bool certdir_reading_put(struct certdir_reading *reading, const struct certdir_place *place,
			 enum certdir_identity_type type, const char *canonical, enum certdir_rank rank);

#endif
