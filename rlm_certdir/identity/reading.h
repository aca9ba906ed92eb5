/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One certificate while it is being read. What the files of this room share; nobody else includes it. */
#ifndef CERTDIR_IDENTITY_READING_H
#define CERTDIR_IDENTITY_READING_H

#include "identity/certificate.h"
#include "identity/der.h"

struct certdir_reading {
	struct certdir_certificate *certificate; /* gets the identities */
	const struct certdir_rules *rules; /* never NULL */
	const struct certdir_section *section; /* what the certificate is known to fit already, or NULL */
	struct certdir_error *error;
};

struct certdir_place;

/* A kind of place in a certificate where names stand. */
struct certdir_field {
	const char *from; /* "san.dns" */
	const char *label; /* "SAN dNSName", for messages */
	/* Puts what a non-empty text here means; NULL when it means something to forms only. */
	bool (*meaning)(struct certdir_reading *reading, const struct certdir_place *place, const char *value,
			size_t length);
	bool any; /* others write here, too: `meaning` gets any bytes and skips what is not meant for us */
};

#define CERTDIR_FIELD_NAMES                                                                                            \
	"subject.cn, subject.ou, subject.o, subject.serialNumber, subject.emailAddress, subject.uid, "                 \
	"san.dns, san.uri, san.upn, san.email, san.other"

/* The field that is called `from`, or NULL. */
const struct certdir_field *certdir_field_find(const char *from);

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
	CERTDIR_NOTHING, /* the all-zero GUID, a filler: says that there is none */
	CERTDIR_UNFIT /* no value of this type */
};

/* Brings `value` into out[CERTDIR_VALUE_MAX + 1]. */
enum certdir_fit certdir_reading_fit(enum certdir_identity_type type, const char *value, size_t length, char *out);

/*
 * Adds an identity, with the section's rank where there is one and else with `rank`, or strengthens the one that is there.
 * The same value at another place is another one, until certdir_certificate_settle(). A chosen name for which there is no
 * room is counted as left out. False: no room for an id, or no memory; never for what is only shown.
 */
bool certdir_reading_put(struct certdir_reading *reading, const struct certdir_place *place,
			 enum certdir_identity_type type, const char *canonical, enum certdir_rank rank);

/*
 * True when there is room for one more identity of this rank; what is only shown makes it. Chosen names must leave some
 * for the ids.
 */
bool certdir_certificate_room(struct certdir_certificate *certificate, enum certdir_rank rank);

/* What all names together say: the section's ranks, or whether a name is a person's; then each value once. */
void certdir_certificate_settle(struct certdir_certificate *certificate, const struct certdir_section *section);

/* The first section that the certificate fits, by its issuer, template and purposes, or NULL. */
const struct certdir_section *certdir_section_find(const struct certdir_rules *rules,
						   const struct certdir_certificate *certificate);
/* Ranks one identity by its type and the field it stands in. */
void certdir_section_place(const struct certdir_section *section, struct certdir_identity *identity);
/* True when an identity may stand in this field. */
bool certdir_section_reads(const struct certdir_section *section, const char *from);
/* True when what stands in this field is the CA's word. */
bool certdir_section_vouches(const struct certdir_section *section, const char *from);

/* The rank of a value for which nobody vouches: GUIDs are taken for ids, SIDs confirm, the rest are names. */
enum certdir_rank certdir_type_rank(enum certdir_identity_type type);

/*
 * Notes that the certificate names a person with this mail address or UPN: a CN that is its local part is the person's.
 * Common names are read before it, so that no address has to be kept for later.
 */
void certdir_reading_mail(struct certdir_reading *reading, const char *address, size_t length);

/*
 * Reads untrusted text at `place`: puts what it means, tries the forms. An empty one says nothing. What nobody reads may
 * be anything, and so may what the section does not place. False when it is not acceptable.
 */
bool certdir_reading_text(struct certdir_reading *reading, const struct certdir_place *place, const char *value,
			  size_t length);

/* The same for an ASN.1 string of universal tag `tag`. */
bool certdir_reading_string(struct certdir_reading *reading, const struct certdir_place *place, unsigned tag,
			    struct certdir_der content);

/* True when some form reads this field. */
bool certdir_reading_has_form(const struct certdir_reading *reading, const char *from);

/* Reads the value of the subjectAltName extension. */
bool certdir_san_read(struct certdir_reading *reading, struct certdir_der value);

/*
 * Reads the value of the extension whose OBJECT IDENTIFIER has this content; one that says nothing about devices is skipped.
 * Those that tell which section the certificate fits are read first, those with names (`names`) then. `seen` (0 at first)
 * keeps what was there already: a second one of a kind is refused.
 */
bool certdir_extension_read(struct certdir_reading *reading, bool names, struct certdir_der oid,
			    struct certdir_der value, uint32_t *seen);

/* Lower-case hex of `length` bytes, or NULL when memory is out. The caller frees it. */
char *certdir_hex(const unsigned char *bytes, size_t length);

#endif
