/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One certificate while it is being read. What the files of this room share; nobody else includes it. */
#ifndef CERTDIR_IDENTITY_READING_H
#define CERTDIR_IDENTITY_READING_H

#include "identity/certificate.h"
#include "identity/der.h"

struct certdir_reading {
	struct certdir_certificate *certificate; /* gets the identities */
	const struct certdir_form *forms;
	size_t form_count;
	struct certdir_error *error;
};

struct certdir_place;

/* A kind of place in a certificate where names stand. */
struct certdir_field {
	const char *from; /* "san.dns" */
	const char *label; /* "SAN dNSName", for messages */
	/* Puts what a valid, non-empty text here means; NULL when it means something to forms only. */
	bool (*meaning)(struct certdir_reading *reading, const struct certdir_place *place, const char *value,
			size_t length);
};

#define CERTDIR_FIELD_NAMES                                                                                            \
	"subject.cn, subject.ou, subject.o, subject.serialNumber, subject.emailAddress, subject.uid, san.dns, "        \
	"san.uri, "                                                                                                    \
	"san.upn, san.email, san.other"

/* The field that is called `from`, or NULL. */
const struct certdir_field *certdir_field_find(const char *from);

/* One place: the third dNSName, say. */
struct certdir_place {
	const struct certdir_field *field;
	size_t position; /* from 1, among its kind; 0 = there is but one, or nobody knows */
	bool several; /* there are more of its kind */
};

/* Sets the error, place first. Always false, so that it can be returned. */
bool certdir_reading_refuse(struct certdir_reading *reading, const struct certdir_place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

enum certdir_fit {
	CERTDIR_FITS, /* `out` is the canonical form */
	CERTDIR_NOTHING, /* the all-zero GUID: says that there is none */
	CERTDIR_UNFIT /* no value of this type */
};

/* Brings `value` into out[CERTDIR_VALUE_MAX + 1]. */
enum certdir_fit certdir_reading_fit(enum certdir_identity_type type, const char *value, size_t length, char *out);

/* Adds an identity, or strengthens the one that is there. False: too many, or no memory. */
bool certdir_reading_put(struct certdir_reading *reading, const struct certdir_place *place,
			 enum certdir_identity_type type, const char *canonical, bool immutable, bool tentative);

/*
 * Reads untrusted text at `place`: validates it, puts what it means, tries the forms. An empty one says nothing.
 * False when it is not acceptable.
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
 * `seen` (0 at first) keeps what was there already: a second one of a kind is refused.
 */
bool certdir_extension_read(struct certdir_reading *reading, struct certdir_der oid, struct certdir_der value,
			    uint32_t *seen);

/* Lower-case hex of `length` bytes, or NULL when memory is out. The caller frees it. */
char *certdir_hex(const unsigned char *bytes, size_t length);

#endif
