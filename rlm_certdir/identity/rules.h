/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the administrator says of certificates. */
#ifndef CERTDIR_IDENTITY_RULES_H
#define CERTDIR_IDENTITY_RULES_H

#include "identity/form.h"
#include "identity/section.h"

/* Borrowed; NULL instead of it, or zeroed, is the defaults. */
struct certdir_rules {
	const struct certdir_form *forms; /* tried on every value of their field, in addition */
	size_t form_count;
	const struct certdir_section
		*sections; /* the first that a certificate fits holds; it is in certificate->section */
	size_t section_count;
	/* NULL, or told every text at a place that a form can name, valid and not empty; `value` lives during the call. */
	void (*see)(void *context, const char *from, const char *value, size_t length);
	void *context; /* of `see` */
};

#endif
