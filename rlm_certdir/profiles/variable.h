/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The variables of Intune's certificate profiles: the one table of them. What a value means where it stands, is identity/'s to say. */
#ifndef CERTDIR_PROFILES_VARIABLE_H
#define CERTDIR_PROFILES_VARIABLE_H

#include "base/certdir.h"

struct certdir_variable {
	const char *name; /* without braces */
	enum certdir_identity_type type; /* that its value is; CERTDIR_ID_TYPES: nobody is looked up by it */
	const char *sample; /* a value, unlike that of all others but other spellings of the same */
	bool hardware; /* a number of the hardware, which Android 12 and later keep from work profiles */
};

/* The variable of this name, in any case, or NULL. */
const struct certdir_variable *certdir_variable_find(const char *name, size_t length);

/* The first one whose sample, in its canonical form, is in `value`, or NULL. */
const struct certdir_variable *certdir_variable_of(const char *value);

/*
 * Takes the next variable off `text`, which moves behind it. *name and *length are what stands between the braces. False when there is none
 * left.
 */
bool certdir_variable_next(const char **text, const char **name, size_t *length);

/* Whether `text` has a variable that is a value of `type`. */
bool certdir_variable_in(const char *text, enum certdir_identity_type type);

/* Whether `text` has a variable that is a number of the hardware. */
bool certdir_variable_hardware_in(const char *text);

/*
 * `text` with the sample of each variable in its place, and nothing in that of an unknown one: what a certificate has. malloc'ed; NULL when
 * memory is out.
 */
char *certdir_variable_fill(const char *text);

#endif
