/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DER (X.690), as much of it as the inside of a certificate's extensions needs. Reads in place, allocates nothing. */
#ifndef CERTDIR_IDENTITY_DER_H
#define CERTDIR_IDENTITY_DER_H

#include "base/certdir.h"

enum {
	CERTDIR_DER_INTEGER = 0x02,
	CERTDIR_DER_OCTETS = 0x04,
	CERTDIR_DER_OID = 0x06,
	CERTDIR_DER_SEQUENCE = 0x30,
	CERTDIR_DER_KEY_ID = 0x80, /* [0], primitive */
	CERTDIR_DER_CONTEXT_0 = 0xa0 /* constructed */
};

/* A piece of DER, borrowed. */
struct certdir_der {
	const unsigned char *bytes;
	size_t length;
};

/*
 * Takes the first element off `rest`: its tag byte and its content. False when `rest` is empty or broken: an
 * indefinite length, a tag number above 30, an end beyond `rest`. A length in a longer form than needed is read by its
 * value: Entra ID's own encoder writes `04 81 10`.
 */
bool certdir_der_take(struct certdir_der *rest, unsigned *tag, struct certdir_der *content);

/* The same, when the element has to be of this `tag`. */
bool certdir_der_expect(struct certdir_der *rest, unsigned tag, struct certdir_der *content);

/* The same, when nothing may follow it. */
bool certdir_der_only(struct certdir_der whole, unsigned tag, struct certdir_der *content);

/* True when the content of an OBJECT IDENTIFIER is that of `oid`, given as its encoded content. */
bool certdir_der_equal(struct certdir_der content, const char *oid, size_t length);

/* Writes the dotted text of an OBJECT IDENTIFIER's content; false when it is broken, an arc is over 2^63, or it does not fit. */
bool certdir_der_oid(struct certdir_der content, char *out, size_t size);

/* True for the universal tags that certdir_der_text() decodes. */
bool certdir_der_is_text(unsigned tag);

/*
 * Decodes the content of an ASN.1 character string of this universal tag (UTF8, BMP, Universal, T61, Printable, IA5,
 * Numeric, Visible) into UTF-8, out[CERTDIR_VALUE_MAX]. T61 is read as Latin-1, as everybody does; BMP as UTF-16, as
 * Windows writes it. False with a static `why`: not a string type, cut inside a character, too long. What comes out is
 * no valid text yet: see certdir_text_valid().
 */
bool certdir_der_text(unsigned tag, struct certdir_der content, char *out, size_t *out_length, const char **why);

#endif
