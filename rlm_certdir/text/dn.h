/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Distinguished names as administrators write and copy them: RFC 4514, the displays of OpenSSL and Windows, and the
 * one-line form with slashes that FreeRADIUS keeps in TLS-Client-Cert-Issuer.
 */
#ifndef CERTDIR_DN_H
#define CERTDIR_DN_H

#include "base/arena.h"
#include "base/certdir.h"

enum { CERTDIR_DN_PAIRS_MAX = 64 };

struct certdir_dn_pair {
	const char *type; /* as it stands there, but Windows' E and S are emailAddress and ST */
	const char *value;
	bool hex; /* the value is the "#" form of RFC 4514 2.4: DER in hex */
	size_t rdn; /* which RDN of the name it belongs to */
};

struct certdir_dn {
	char *text; /* types and values, each ended by a NUL */
	struct certdir_dn_pair pairs[CERTDIR_DN_PAIRS_MAX];
	size_t count;
	size_t rdns;
};

/*
 * Reads a name. False when it is none, or when memory is out (then name->text is NULL). In any case certdir_dn_clear() ends it.
 */
bool certdir_dn_parse(struct certdir_dn *name, const char *text);
void certdir_dn_clear(struct certdir_dn *name);

/*
 * True when two distinguished names are the same: RDN by RDN, without regard to case, blanks around separators,
 * or which end the string starts from (RFC 4514 puts the CN first, OpenSSL's and Windows' displays often last). The
 * one-line form of FreeRADIUS's attributes, "/C=DE/CN=x", is read too. What is no distinguished name, the empty one
 * included, is nobody's: false.
 */
bool certdir_dn_equal(const char *a, const char *b);

/* A hash that names which are the same have in common, however they are written; 0 for what is no distinguished name. No digest. */
uint64_t certdir_dn_hash(const char *name);

/* Whether `name` is the issuer of a certificate, of which only the issuer's hash may be left. */
bool certdir_dn_is_issuer(const char *name, const struct certdir_certificate *certificate);

/*
 * Calls `each` for every attribute of a distinguished name, in the order it is written in, until it returns false. Types are
 * spelled as they stand there, but Windows' E and S are emailAddress and ST. False also when `name` is no distinguished name.
 */
bool certdir_dn_each(const char *name, bool (*each)(void *context, const char *type, const char *value), void *context);

/*
 * Writes the DNS domain that the DC= of a name stand for, canonical: corp.example for DC=corp,DC=example. Other attributes are passed
 * over, or, with `only`, make it no domain. False when it is none.
 */
bool certdir_dn_domain(const char *name, bool only, char domain[CERTDIR_VALUE_MAX + 1]);

/* The entry that `dn`, a DN as servers write them, stands directly below: what follows its first RDN; "" = nothing does. */
const char *certdir_dn_parent(const char *dn);
/* How many bytes of it are the first RDN. */
size_t certdir_dn_rdn_length(const char *dn);
/*
 * The value of its first RDN, unescaped, the arena's; `type`, when given, is the attribute that it has to be of. NULL: the RDN is none,
 * or has several attributes or another, or a value that is no clean text; or memory is out, which arena->failed remembers.
 */
char *certdir_dn_rdn_value(const char *dn, const char *type, struct certdir_arena *arena);

#endif
