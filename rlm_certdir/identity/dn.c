/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Distinguished names as administrators write and copy them: RFC 4514, the displays of OpenSSL and Windows, and the
 * one-line form with slashes that FreeRADIUS keeps in TLS-Client-Cert-Issuer.
 */
#include "identity/canonical.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PAIRS_MAX = 64 };

struct pair {
	const char *type;
	const char *value;
	size_t rdn; /* which RDN of the name it belongs to */
};

struct name {
	char *text; /* types and values, each ended by a NUL */
	struct pair pairs[PAIRS_MAX];
	size_t count;
	size_t rdns;
};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The few attribute types that Windows displays under other names than OpenSSL. */
static const char *type_name(const char *type)
{
	static const char *const alias[][2] = {{"E", "emailAddress"}, {"S", "ST"}, {"2.5.4.3", "CN"}};

	if (strncasecmp(type, "OID.", 4) == 0)
		type += 4;
	for (size_t i = 0; i < sizeof alias / sizeof *alias; i++)
		if (strcasecmp(type, alias[i][0]) == 0)
			return alias[i][1];
	return type;
}

static const char *skip_blanks(const char *at)
{
	while (*at == ' ')
		at++;
	return at;
}

/* Copies an attribute type up to its '='; NULL when there is none. `out` moves behind the copy. */
static const char *read_type(const char *at, char **out)
{
	char *start = *out;

	at = skip_blanks(at);
	while (*at && !strchr("=,;+\"\\", *at))
		*(*out)++ = *at++;
	while (*out > start && (*out)[-1] == ' ')
		(*out)--;
	if (*at != '=' || *out == start)
		return NULL;
	*(*out)++ = '\0';
	return at + 1;
}

/* Copies one value without its escapes and quotes, up to a separator or the end; NULL when it is broken. */
static const char *read_value(const char *at, char **out)
{
	char *kept = *out; /* blanks behind this are outer ones */
	bool quoted = false;

	for (at = skip_blanks(at); *at && (quoted || !strchr(",;+", *at)); at++) {
		if (*at == '"') {
			quoted = !quoted;
			kept = *out;
			continue;
		}
		if (*at == '\\') {
			int high = hex_digit(at[1]), low = high < 0 ? -1 : hex_digit(at[2]);

			if (low >= 0 && (high | low) == 0)
				return NULL;
			if (low < 0 && !at[1])
				return NULL;
			*(*out)++ = (char)(low < 0 ? at[1] : high << 4 | low);
			at += low < 0 ? 1 : 2;
			kept = *out;
			continue;
		}
		*(*out)++ = *at;
		if (*at != ' ' || quoted)
			kept = *out;
	}
	if (quoted)
		return NULL;
	*out = kept;
	*(*out)++ = '\0';
	return at;
}

/* "/C=DE/O=Example": one pair each, nothing escaped. A slash that no type follows belongs to the value. */
static bool is_slash_type(const char *at)
{
	size_t length;

	if (*at++ != '/')
		return false;
	length = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.");
	return length > 0 && at[length] == '=';
}

static bool slash_parse(struct name *name, const char *text, char *out)
{
	while (*text) {
		struct pair *pair = &name->pairs[name->count];

		if (name->count == PAIRS_MAX || !is_slash_type(text))
			return false;
		pair->type = out;
		for (text++; *text != '='; text++)
			*out++ = *text;
		*out++ = '\0';
		pair->type = type_name(pair->type);
		pair->value = out;
		for (text++; *text && !is_slash_type(text); text++)
			*out++ = *text;
		*out++ = '\0';
		pair->rdn = name->rdns++;
		name->count++;
	}
	return true;
}

static bool name_parse(struct name *name, const char *text)
{
	char *out = name->text = malloc(2 * strlen(text) + 2);

	if (!out)
		return false;
	if (*text == '/')
		return slash_parse(name, text, out);
	for (;;) {
		struct pair *pair = &name->pairs[name->count];

		if (name->count == PAIRS_MAX)
			return false;
		pair->type = out;
		text = read_type(text, &out);
		if (!text)
			return false;
		pair->type = type_name(pair->type);
		pair->value = out;
		text = read_value(text, &out);
		if (!text)
			return false;
		pair->rdn = name->rdns;
		name->count++;
		if (*text != '+')
			name->rdns++;
		if (!*text++)
			return true;
	}
}

static bool rdn_has(const struct name *name, size_t rdn, const struct pair *wanted)
{
	for (size_t i = 0; i < name->count; i++) {
		const struct pair *pair = &name->pairs[i];

		if (pair->rdn == rdn && strcasecmp(pair->type, wanted->type) == 0 &&
		    strcasecmp(pair->value, wanted->value) == 0)
			return true;
	}
	return false;
}

/* An RDN is a set: the order of its pairs says nothing. */
static bool rdn_equal(const struct name *a, size_t rdn_a, const struct name *b, size_t rdn_b)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->pairs[i].rdn == rdn_a && !rdn_has(b, rdn_b, &a->pairs[i]))
			return false;
	for (size_t i = 0; i < b->count; i++)
		if (b->pairs[i].rdn == rdn_b && !rdn_has(a, rdn_a, &b->pairs[i]))
			return false;
	return true;
}

static bool name_equal(const struct name *a, const struct name *b, bool reverse)
{
	for (size_t i = 0; i < a->rdns; i++)
		if (!rdn_equal(a, i, b, reverse ? b->rdns - 1 - i : i))
			return false;
	return true;
}

bool certdir_dn_equal(const char *a, const char *b)
{
	struct name name_a = {0}, name_b = {0};
	bool equal;

	equal = name_parse(&name_a, a) && name_parse(&name_b, b) && name_a.rdns == name_b.rdns &&
		(name_equal(&name_a, &name_b, false) || name_equal(&name_a, &name_b, true));
	free(name_a.text);
	free(name_b.text);
	return equal;
}
