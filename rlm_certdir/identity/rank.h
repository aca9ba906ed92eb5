/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much each name of a certificate says beside the others. */
#ifndef CERTDIR_IDENTITY_RANK_H
#define CERTDIR_IDENTITY_RANK_H

#include "identity/section.h"

/*
 * True when there is room for one more identity of this rank; what is only shown makes it. Chosen names must leave some
 * for the ids.
 */
bool certdir_rank_room(struct certdir_certificate *certificate, enum certdir_rank rank);

/* What all names together say: the section's ranks, or whether a name is a person's; then each value once. */
void certdir_rank_settle(struct certdir_certificate *certificate, const struct certdir_section *section);

/*
 * Notes that the certificate names a person with this mail address or UPN: a CN that is its local part is the person's, unless a section
 * says what it is.
 * Common names are read before it, so that no address has to be kept for later.
 */
void certdir_rank_person(struct certdir_certificate *certificate, const struct certdir_section *section,
			 const char *address, size_t length);

#endif
