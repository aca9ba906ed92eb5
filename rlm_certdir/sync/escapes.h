/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON on its way to a parser that makes "?", or another character, of a lone surrogate (RFC 8259, 8.2): "\ud800" becomes "\ufffd". The
 * bytes come in pieces of any size, so an escape whose end has not come is held back.
 */
#ifndef CERTDIR_SYNC_ESCAPES_H
#define CERTDIR_SYNC_ESCAPES_H

#include <stdbool.h>
#include <stddef.h>

enum { CERTDIR_ESCAPES_HELD = 12 /* bytes of \uXXXX\uXXXX, a surrogate pair */ };

/* Zeroed at the beginning. */
struct certdir_escapes {
	char held[CERTDIR_ESCAPES_HELD];
	size_t length; /* of what is held back; at the end of the JSON it is the caller's to take */
};

/* Takes the bytes; false ends it. */
typedef bool (*certdir_escapes_take)(void *context, const char *bytes, size_t length);

/* Gives `take` the bytes, as far as it can be told what they are. False from `take`. */
bool certdir_escapes_feed(struct certdir_escapes *escapes, const char *bytes, size_t length, certdir_escapes_take take,
			  void *context);

#endif
