/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "{name} {serial_number}" -> a text for one device. */
#ifndef CERTDIR_PLAN_TEMPLATE_H
#define CERTDIR_PLAN_TEMPLATE_H

#include "base/certdir.h"

/* What a template can name: {entra_device_id} {intune_device_id} {name} {serial_number}, and {cn} {domain} where there is one. */
struct certdir_template {
	const char *text; /* borrowed; valid */
	bool uses_cn; /* has {cn} or {domain} */
};

/*
 * Takes `text` (borrowed) when its braces are closed and name something known; `entry`: {cn} and {domain} too. False with `why`,
 * which says what is known.
 */
bool certdir_template_init(struct certdir_template *template, const char *text, bool entry, struct certdir_error *why);

/* What a template is filled from. */
struct certdir_template_source {
	const struct certdir_device *device;
	const char *cn; /* or NULL */
	const char *domain; /* "corp.example", or NULL */
};

/*
 * Fills `out` (size bytes, NUL-terminated). `strict`: false when the device lacks one of the values, `missing` names it
 * ("serial_number"); else what is missing is empty, and blanks that come together or stand at an end are dropped.
 * False with *missing NULL: the text is longer than size - 1.
 */
bool certdir_template_fill(const struct certdir_template *template, const struct certdir_template_source *source,
			   bool strict, char *out, size_t size, const char **missing);

#endif
