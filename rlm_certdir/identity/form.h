/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An administrator's own certificate forms: where in the certificate, a pattern of PCRE2 with one group, the type. */
#ifndef CERTDIR_IDENTITY_FORM_H
#define CERTDIR_IDENTITY_FORM_H

#include "base/certdir.h"

enum { CERTDIR_PATTERN_MAX = 256 }; /* bytes */

struct pcre2_real_code_8; /* pcre2.h stays in form.c */
struct pcre2_real_match_context_8;

struct certdir_form {
	const char *name; /* borrowed, for messages */
	const char *from; /* static string out of the table of fields */
	struct pcre2_real_code_8 *pattern;
	struct pcre2_real_match_context_8 *limits;
	enum certdir_identity_type type;
};

/*
 * Compiles one form. `from` is one of the fields that `certdir check` prints (subject.cn, subject.ou, subject.o,
 * subject.serialNumber, subject.emailAddress, subject.uid, san.dns, san.uri, san.upn, san.email,
 * san.permanentIdentifier, san.other).
 * `pattern` (pcre2pattern(3), UTF-8) starts with ^, ends with $ and has exactly one group. It is the whole value that has to match.
 * `type` is any but sid: that one is the CA's word, and a form reads the requester's.
 * `name` is borrowed and must outlive the form. False: `error` says what is wrong and what would be right.
 */
bool certdir_form_compile(struct certdir_form *form, const char *name, const char *from, const char *pattern,
			  enum certdir_identity_type type, struct certdir_error *error);
void certdir_form_clear(struct certdir_form *form);

/*
 * True when `value` (length bytes, validated UTF-8) matches and the group took part, which is [*start, *end) of it. The cost is bounded: a
 * value that would take more steps does not match. Thread-safe.
 */
bool certdir_form_match(const struct certdir_form *form, const char *value, size_t length, size_t *start, size_t *end);

#endif
