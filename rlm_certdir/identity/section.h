/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A `certificates NAME { .. }` section: for the certificates of an issuer, where each identity may stand and which the CA vouches for. */
#ifndef CERTDIR_IDENTITY_SECTION_H
#define CERTDIR_IDENTITY_SECTION_H

#include "base/certdir.h"

/* What the administrator wrote. Every string is borrowed; NULL or "" = not set. */
struct certdir_section {
	const char *name;
	/*
	 * DNs as `certdir check` prints them, one of which must be the issuer's, and key identifiers in hex: where any
	 * stand, the certificate must claim one of them, too. NULL-terminated; NULL = any issuer.
	 */
	const char *const *issuers;
	const char *template; /* ADCS template, OID or name */
	const char *ekus; /* OIDs, blank-separated: the certificate must have one of them */
	const char *places[CERTDIR_ID_TYPES]; /* fields, blank-separated, where an identity of this type may stand */
	const char *vouched; /* fields, blank-separated, whose values are the CA's word */
	enum certdir_holder holder;
};

/*
 * True when the section can be meant: fields that there are, at least one of them with an identity, nothing vouched for
 * where none stands, issuers that are names or key identifiers, key identifiers only together with a name, a template
 * or ekus only together with an issuer, and names of whom the certificate is held by, a person's if that is one. Else `error` says what is wrong and what would be right.
 */
bool certdir_section_check(const struct certdir_section *section, struct certdir_error *error);

/* The first section that the certificate fits, by its issuer, template and purposes, or NULL. */
const struct certdir_section *certdir_section_find(const struct certdir_section *sections, size_t count,
						   const struct certdir_certificate *certificate);
/*
 * Ranks one identity by its type and the field it stands in. A GUID, a SID or a common name becomes the user's where the section places
 * user_id, user_sid or user_name there; but a GUID not where it also places an id of devices: then a form has to say which it is.
 */
void certdir_section_place(const struct certdir_section *section, struct certdir_identity *identity);
/* True when an identity may stand in this field. */
bool certdir_section_reads(const struct certdir_section *section, const char *from);
/*
 * True when some section has numbers of this type stand in this field. Where it has common names there as well, a serial number could be
 * any of these, and none is taken for one.
 */
bool certdir_section_numbers(const struct certdir_section *sections, size_t count, enum certdir_identity_type type,
			     const char *from);
/* True when what stands in this field is the CA's word. */
bool certdir_section_vouches(const struct certdir_section *section, const char *from);

/* Whose words it has for `holder`: "device", "user", "both". False for others. */
bool certdir_holder_parse(const char *word, enum certdir_holder *holder);

/* The rank of a value for which nobody vouches: GUIDs are taken for ids, SIDs confirm, the rest are names. */
enum certdir_rank certdir_type_rank(enum certdir_identity_type type);

#endif
