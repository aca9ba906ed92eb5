/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An administrator's own certificate forms: where in the certificate, an anchored pattern with one group, the type. */
#ifndef CERTDIR_IDENTITY_FORM_H
#define CERTDIR_IDENTITY_FORM_H

#include "certdir.h"

struct certdir_pattern; /* compiled; opaque */

struct certdir_form {
	const char *name; /* borrowed, for messages */
	const char *from; /* static string out of the table of fields */
	struct certdir_pattern *pattern;
	enum certdir_identity_type type;
};

/*
 * Compiles one form. `from` is one of the fields that `certdir check` prints (subject.cn, subject.ou, subject.o,
 * subject.serialNumber, subject.emailAddress, subject.uid, san.dns, san.uri, san.upn, san.email, san.other).
 * `pattern` starts with ^, ends with $, has exactly one group; matching cost is bounded by pattern length x value length.
 * The syntax stands in pattern.h. `type` is any but sid: that one is the CA's word, and a form reads the requester's.
 * `name` is borrowed and must outlive the form. False: `error` says what is wrong and what would be right.
 */
bool certdir_form_compile(struct certdir_form *form, const char *name, const char *from, const char *pattern,
			  enum certdir_identity_type type, struct certdir_error *error);
void certdir_form_clear(struct certdir_form *form);

/* True when `value` (length bytes, validated UTF-8) matches; the group is [*start, *end) of it. Thread-safe. */
bool certdir_form_match(const struct certdir_form *form, const char *value, size_t length, size_t *start, size_t *end);

#endif
