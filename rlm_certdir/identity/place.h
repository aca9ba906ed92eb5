/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Untrusted text at a place of a certificate: what it means, and what the forms take out of it. */
#ifndef CERTDIR_IDENTITY_PLACE_H
#define CERTDIR_IDENTITY_PLACE_H

#include "identity/der.h"
#include "identity/reading.h"

/*
 * Reads untrusted text at `place`: puts what it means, tries the forms. An empty one says nothing. What nobody reads may
 * be anything, and so may what the section does not place. False when it is not acceptable.
 */
bool certdir_place_text(struct certdir_reading *reading, const struct certdir_place *place, const char *value,
			size_t length);

/* The same for an ASN.1 string of universal tag `tag`. */
bool certdir_place_string(struct certdir_reading *reading, const struct certdir_place *place, unsigned tag,
			  struct certdir_der content);

/* True when some form reads this field. */
bool certdir_place_has_form(const struct certdir_reading *reading, const char *from);

#endif
