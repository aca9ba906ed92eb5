/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity/form.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "identity/field.h"

/*
 * What one value may cost: strangers choose it, and some patterns that look harmless take exponential time. A usual pattern needs some
 * hundred steps for the longest value, and 100,000 take about a millisecond.
 */
enum { STEPS_MAX = 100000, DEPTH_MAX = 10000, HEAP_MAX = 1024 /* KiB */ };

static bool refuse_pattern(const char *name, const char *pattern, const char *why, struct certdir_error *error)
{
	certdir_error_set(error, "form \"%s\": pattern \"%.*s\": %s", name, CERTDIR_PATTERN_MAX, pattern, why);
	return false;
}

/* A pattern without ^ and $ would be meant to be looked for inside of a value, which no pattern is. */
static const char *not_anchored(const char *pattern)
{
	const size_t length = strlen(pattern);

	if (length > CERTDIR_PATTERN_MAX)
		return "it is too long";
	if (pattern[0] != '^')
		return "it has to start with ^";
	return length < 2 || pattern[length - 1] != '$' ? "it has to end with $" : NULL;
}

static bool compile(struct certdir_form *form, const char *pattern, struct certdir_error *error)
{
	const uint32_t options =
		PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C;
	const char *why = not_anchored(pattern);
	PCRE2_UCHAR text[128];
	uint32_t groups = 0;
	PCRE2_SIZE at;
	int code;

	if (why)
		return refuse_pattern(form->name, pattern, why, error);
	form->pattern = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, &code, &at, NULL);
	if (!form->pattern) {
		(void)pcre2_get_error_message(code, text, sizeof(text));
		certdir_error_set(error, "form \"%s\": pattern \"%s\", at character %zu: %s", form->name, pattern,
				  at + 1, (const char *)text);
		return false;
	}
	(void)pcre2_pattern_info(form->pattern, PCRE2_INFO_CAPTURECOUNT, &groups);
	if (groups != 1)
		return refuse_pattern(form->name, pattern,
				      groups ? "it has more than one group: (?: ) takes nothing"
					     : "it has no group: put what is to be taken between ( and )",
				      error);
	form->limits = pcre2_match_context_create(NULL);
	if (!form->limits)
		return refuse_pattern(form->name, pattern, "out of memory", error);
	(void)pcre2_set_match_limit(form->limits, STEPS_MAX);
	(void)pcre2_set_depth_limit(form->limits, DEPTH_MAX);
	(void)pcre2_set_heap_limit(form->limits, HEAP_MAX);
	return true;
}

bool certdir_form_compile(struct certdir_form *form, const char *name, const char *from, const char *pattern,
			  enum certdir_identity_type type, struct certdir_error *error)
{
	const struct certdir_field *field = certdir_field_find(from);

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
	if (compile(form, pattern, error))
		return true;
	certdir_form_clear(form);
	return false;
}

void certdir_form_clear(struct certdir_form *form)
{
	pcre2_code_free(form->pattern);
	pcre2_match_context_free(form->limits);
	*form = (struct certdir_form){0};
}

bool certdir_form_match(const struct certdir_form *form, const char *value, size_t length, size_t *start, size_t *end)
{
	pcre2_match_data *match = pcre2_match_data_create(2, NULL);
	PCRE2_SIZE *found;
	bool ok;

	if (!match)
		return false;
	/* More than 1: the group took part. A value that comes to a limit is one that does not match. */
	ok = pcre2_match(form->pattern, (PCRE2_SPTR)value, length, 0, PCRE2_NO_UTF_CHECK, match, form->limits) > 1;
	found = pcre2_get_ovector_pointer(match);
	*start = ok ? found[2] : 0;
	*end = ok ? found[3] : 0;
	pcre2_match_data_free(match);
	return ok;
}
