/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/ldap_filter.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "ldap/filter.h"
#include "text/canonical.h"
#include "text/hex.h"

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

/* Of a binary value all bytes become \xx. */
static char *put_value(char *out, const unsigned char *value, size_t length, bool binary)
{
	for (size_t i = 0; i < length; i++) {
		if (!binary) {
			out = certdir_ldap_filter_put(out, value[i]);
		} else {
			*out++ = '\\';
			out = certdir_hex_put(out, value[i]);
		}
	}
	return out;
}

/* ---- what values are looked up by ---- */

/* Names that a CN and a SAN both have would be compared twice otherwise. */
static bool is_there(const struct certdir_ldap_terms *terms, const struct certdir_ldap_term *term)
{
	for (size_t i = 0; i < terms->count; i++) {
		const struct certdir_ldap_term *other = &terms->items[i];

		if (other->length == term->length && memcmp(other->value, term->value, term->length) == 0 &&
		    strcasecmp(other->column->attribute, term->column->attribute) == 0)
			return true;
	}
	return false;
}

static bool add_term(struct certdir_ldap_terms *terms, const struct certdir_ldap_column *column, const char *value)
{
	struct certdir_ldap_term term = {.column = column}, *item;

	term.length = certdir_ldap_column_value(column, value, term.value);
	if (term.length == 0 || is_there(terms, &term))
		return true;
	item = certdir_array_next(&terms->items, terms->count, sizeof(*item));
	if (!item)
		return false;
	*item = term;
	terms->count++;
	return true;
}

/*
 * Only ASCII is cut: half a character would be no text, and the DNS name that must tell the rest has no other letters.
 */
static bool is_cut(const char *value)
{
	for (size_t i = 0; i < CERTDIR_LDAP_SAM_MAX; i++)
		if (!value[i] || (unsigned char)value[i] > 0x7f)
			return false;
	return value[CERTDIR_LDAP_SAM_MAX];
}

static bool add_value(struct certdir_ldap_terms *terms, const struct certdir_ldap_map *map,
		      enum certdir_identity_type type, const char *value)
{
	char cut[CERTDIR_LDAP_SAM_MAX + 1] = "";

	if (is_cut(value))
		memcpy(cut, value, CERTDIR_LDAP_SAM_MAX);
	for (size_t c = 0; c < map->count; c++) {
		const struct certdir_ldap_column *column = &map->columns[c];

		if (column->type != type && !(certdir_type_is_guid(column->type) && certdir_type_is_guid(type)))
			continue;
		if (!add_term(terms, column, value) ||
		    (*cut && column->form == CERTDIR_LDAP_SAM && !add_term(terms, column, cut)))
			return false;
	}
	return true;
}

/* A computer that is named by its full name, and one that has only the short one. */
static bool add_dns_as_name(struct certdir_ldap_terms *terms, const struct certdir_ldap_map *map, const char *value)
{
	char label[CERTDIR_VALUE_MAX + 1];
	const size_t length = strcspn(value, ".");

	for (size_t c = 0; c < map->count; c++)
		if (map->columns[c].type == CERTDIR_ID_NAME && map->columns[c].form == CERTDIR_LDAP_PLAIN &&
		    !add_term(terms, &map->columns[c], value))
			return false;
	if (length > CERTDIR_VALUE_MAX)
		return true;
	memcpy(label, value, length);
	label[length] = '\0';
	return add_value(terms, map, CERTDIR_ID_NAME, label);
}

bool certdir_ldap_terms_make(struct certdir_ldap_terms *terms, const struct certdir_ldap_map *map,
			     const struct certdir_sought *sought, size_t count)
{
	memset(terms, 0, sizeof(*terms));
	for (size_t i = 0; i < count; i++)
		if (!sought[i].many &&
		    (!add_value(terms, map, sought[i].type, sought[i].value) ||
		     (sought[i].type == CERTDIR_ID_DNS && !add_dns_as_name(terms, map, sought[i].value)))) {
			certdir_ldap_terms_clear(terms);
			return false;
		}
	return true;
}

void certdir_ldap_terms_clear(struct certdir_ldap_terms *terms)
{
	free(terms->items);
	memset(terms, 0, sizeof(*terms));
}

/* ---- filters ---- */

char *certdir_ldap_filter_build(const char *devices, const struct certdir_ldap_terms *terms)
{
	size_t room = strlen("(&(|))") + strlen(devices) + 1;
	char *filter, *p;

	for (size_t i = 0; i < terms->count; i++)
		room += strlen("(=)") + strlen(terms->items[i].column->attribute) + 3 * terms->items[i].length;
	filter = malloc(room);
	if (!filter)
		return NULL;
	p = stpcpy(stpcpy(stpcpy(filter, "(&"), devices), "(|");
	for (size_t i = 0; i < terms->count; i++) {
		const struct certdir_ldap_term *term = &terms->items[i];

		p = stpcpy(stpcpy(stpcpy(p, "("), term->column->attribute), "=");
		p = put_value(p, term->value, term->length, term->column->form == CERTDIR_LDAP_SID);
		p = stpcpy(p, ")");
	}
	(void)stpcpy(p, "))");
	return filter;
}

char *certdir_ldap_filter_groups(const char *dn, const unsigned char *sid, size_t length)
{
	static const char member[] = "(|(member:1.2.840.113556.1.4.1941:=", primary[] = "(objectSid=";
	char *filter = malloc(sizeof(member) + 3 * strlen(dn) + sizeof(primary) + 3 * length + strlen(")))")), *p;

	if (!filter)
		return NULL;
	p = stpcpy(filter, member);
	p = stpcpy(put_value(p, (const unsigned char *)dn, strlen(dn), false), ")");
	if (length)
		p = stpcpy(put_value(stpcpy(p, primary), sid, length, true), ")");
	(void)stpcpy(p, ")");
	return filter;
}
