/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity/form.h"

#include <string.h>

#include "identity/pattern.h"
#include "identity/reading.h"

bool certdir_form_compile(struct certdir_form *form, const char *name, const char *from, const char *pattern,
			  enum certdir_identity_type type, struct certdir_error *error)
{
	const struct certdir_field *field = certdir_field_find(from);
	const char *why;
	size_t at;

	*form = (struct certdir_form){.name = name, .type = type};
	if (!field) {
		certdir_error_set(error,
				  "form \"%s\": no field \"%s\" in a certificate: use one of " CERTDIR_FIELD_NAMES,
				  name, from);
		return false;
	}
	if (type == CERTDIR_ID_SID) {
		/* `sid` is the CA's own word, in its extension. What a form finds was written by the requester. */
		certdir_error_set(error, "form \"%s\": type sid is the SID extension's alone: use sid_uri", name);
		return false;
	}
	form->from = field->from;
	form->pattern = certdir_pattern_compile(pattern, &why, &at);
	if (!form->pattern)
		certdir_error_set(error, "form \"%s\": pattern \"%.*s\", at character %zu: %s", name,
				  CERTDIR_PATTERN_MAX, pattern, at + 1, why);
	return form->pattern != NULL;
}

void certdir_form_clear(struct certdir_form *form)
{
	certdir_pattern_free(form->pattern);
	*form = (struct certdir_form){0};
}

bool certdir_form_match(const struct certdir_form *form, const char *value, size_t length, size_t *start, size_t *end)
{
	return certdir_pattern_match(form->pattern, value, length, start, end);
}
