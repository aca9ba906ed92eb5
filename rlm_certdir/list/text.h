/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text on its way into the list: what is refused, and one spelling for what is compared. */
#ifndef CERTDIR_LIST_TEXT_H
#define CERTDIR_LIST_TEXT_H

#include "list/schema.h"

enum { CERTDIR_LIST_TEXT_MAX = 1024 }; /* bytes; Graph's longest text, 256 characters, has at most 1024 */

/* False with `error` when `text` is empty, too long, not UTF-8, or holds control characters. `device` and `field` name it. */
bool certdir_list_text_check(const char *device, const char *field, const char *text, struct certdir_error *error);

enum certdir_list_text { CERTDIR_TEXT_MADE, CERTDIR_TEXT_NONE, CERTDIR_TEXT_REFUSED };

/*
 * Brings `text` into form. A blank text, the all-zero GUID, and a filler where a serial number is due ("Default string") are
 * NONE. REFUSED with `why`, static: "is not a GUID". A name longer than an identity can be is kept as it is; it can never be
 * equal to one.
 */
enum certdir_list_text certdir_list_text_form(enum certdir_list_form form, const char *text,
					      char out[CERTDIR_LIST_TEXT_MAX + 1], const char **why);
/* The error for it, with the text as far as it can be shown; always false. */
bool certdir_list_text_refuse(const char *device, const char *field, const char *text, const char *why,
			      struct certdir_error *error);

/*
 * The text to store: the caller frees *made. What is NONE leaves *made NULL, which is no error.
 */
bool certdir_list_text_make(const char *device, const char *field, enum certdir_list_form form, const char *text,
			    char **made, struct certdir_error *error);
bool certdir_list_dns_name_make(const char *device, const char *text, char **made, struct certdir_error *error);

#endif
