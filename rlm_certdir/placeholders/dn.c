/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placeholders/dn.h"

#include "text/canonical.h"
#include "text/hex.h"

#include <string.h>
#include <strings.h>

size_t certdir_dn_rdn_length(const char *dn)
{
	size_t at = 0;

	while (dn[at] && dn[at] != ',' && dn[at] != ';') {
		if (dn[at] == '\\' && dn[at + 1])
			at++;
		at++;
	}
	return at;
}

const char *certdir_dn_parent(const char *dn)
{
	const char *at = dn + certdir_dn_rdn_length(dn);

	if (*at)
		at++;
	while (*at == ' ')
		at++;
	return at;
}

/* Copies a value without its escapes. Returns how long it became, or -1: a second attribute follows, or an escape is cut. */
static long unescape(const char *at, const char *end, char *out)
{
	char *start = out;

	while (at < end) {
		if (*at == '+')
			return -1;
		if (*at == '\\') {
			const int value = end - at > 2 ? certdir_hex_byte(at + 1) : -1;

			if (++at == end)
				return -1;
			if (value >= 0) {
				*out++ = (char)value;
				at += 2;
				continue;
			}
		}
		*out++ = *at++;
	}
	return out - start;
}

bool certdir_rdn_read(const char *dn, struct certdir_arena *arena, struct certdir_rdn *rdn)
{
	const char *end = dn + certdir_dn_rdn_length(dn), *equals = memchr(dn, '=', (size_t)(end - dn)), *why;
	long length;

	if (!equals || equals == dn || equals[1] == '#')
		return false;
	rdn->type = dn;
	rdn->type_length = (size_t)(equals - dn);
	rdn->value = certdir_arena_copy(arena, equals + 1, (size_t)(end - equals - 1));
	if (!rdn->value)
		return false;
	length = unescape(equals + 1, end, rdn->value);
	if (length < 0)
		return false;
	rdn->value[length] = '\0';
	return certdir_text_valid(rdn->value, (size_t)length, &why);
}

bool certdir_rdn_is(const struct certdir_rdn *rdn, const char *type)
{
	return rdn->type_length == strlen(type) && strncasecmp(rdn->type, type, rdn->type_length) == 0;
}
