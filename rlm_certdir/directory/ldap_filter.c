/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/ldap_filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool certdir_ldap_filter_valid(const char *filter, struct certdir_error *error)
{
	long depth = 0;
	const char *p = filter;

	/* A parenthesis that belongs to a value is written \28 or \29, so that counting them is exact. */
	for (; *p; p++) {
		if (*p == '(')
			depth++;
		else if (depth == 0)
			break;
		else if (*p == ')')
			depth--;
	}
	if (*p || depth != 0 || p == filter) {
		certdir_error_set(error,
				  "ldap: the filter \"%s\" is not of the form (objectClass=computer): "
				  "check its parentheses",
				  filter);
		return false;
	}
	return true;
}

/*
 * Writes a value so that no byte of it can mean anything in a filter: all but plain characters become \xx. Values
 * come from certificates; which bytes the LDAP library or the server would take amiss is not left to be found out.
 */
static char *put_value(char *out, const unsigned char *value, size_t length, bool binary)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-$/@:";
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < length; i++) {
		if (!binary && value[i] && strchr(plain, value[i])) {
			*out++ = (char)value[i];
		} else {
			*out++ = '\\';
			*out++ = hex[value[i] >> 4];
			*out++ = hex[value[i] & 15];
		}
	}
	return out;
}

/* Writes one comparison per identity and column to `out`, or only counts them and their room when `out` is NULL. */
static size_t put_comparisons(char **out, size_t *room, const struct certdir_ldap_map *map,
			      const struct certdir_certificate *certificate, uint64_t ask)
{
	unsigned char value[CERTDIR_LDAP_VALUE_MAX];
	size_t count = 0;

	for (size_t i = 0; i < certificate->count; i++)
		for (size_t c = 0; c < map->count; c++) {
			const struct certdir_ldap_column *column = &map->columns[c];
			size_t length;

			if (!(ask >> i & 1) || column->type != certificate->identities[i].type)
				continue;
			length = certdir_ldap_column_value(column, certificate->identities[i].value, value);
			if (length == 0)
				continue;
			count++;
			*room += strlen("(=)") + strlen(column->attribute) + 3 * length;
			if (out) {
				*out = stpcpy(stpcpy(stpcpy(*out, "("), column->attribute), "=");
				*out = put_value(*out, value, length, column->form == CERTDIR_LDAP_SID);
				*out = stpcpy(*out, ")");
			}
		}
	return count;
}

size_t certdir_ldap_filter_build(char **filter, const char *devices, const struct certdir_ldap_map *map,
				 const struct certdir_certificate *certificate, uint64_t ask)
{
	size_t room = strlen("(&(|))") + strlen(devices) + 1;
	size_t count = put_comparisons(NULL, &room, map, certificate, ask);
	char *p;

	*filter = count ? malloc(room) : NULL;
	if (*filter) {
		p = stpcpy(stpcpy(stpcpy(*filter, "(&"), devices), "(|");
		(void)put_comparisons(&p, &room, map, certificate, ask);
		(void)stpcpy(p, "))");
	}
	return count;
}
