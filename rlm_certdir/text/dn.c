/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "text/dn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "text/canonical.h"
#include "text/hex.h"

/* The few attribute types that Windows displays under other names than OpenSSL. */
static const char *type_name(const char *type)
{
	static const char *const alias[][2] = {
		{"E", "emailAddress"}, {"S", "ST"}, {"2.5.4.3", "CN"}, {"2.5.4.5", "serialNumber"}};

	if (strncasecmp(type, "OID.", 4) == 0)
		type += 4;
	for (size_t i = 0; i < sizeof(alias) / sizeof(alias[0]); i++)
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

/*
 * Copies one value without its escapes and quotes, up to a separator or the end; NULL when it is broken. Windows writes a
 * quote inside quotes twice.
 */
static const char *read_value(const char *at, char **out)
{
	char *kept = *out; /* blanks behind this are outer ones */
	bool quoted = false;

	for (at = skip_blanks(at); *at && (quoted || !strchr(",;+", *at)); at++) {
		if (quoted && at[0] == '"' && at[1] == '"') {
			*(*out)++ = *at++;
			kept = *out;
			continue;
		}
		if (*at == '"') {
			quoted = !quoted;
			kept = *out;
			continue;
		}
		if (*at == '\\') {
			const int byte = certdir_hex_byte(at + 1);

			if (byte == 0 || (byte < 0 && !at[1]))
				return NULL;
			*(*out)++ = (char)(byte < 0 ? at[1] : byte);
			at += byte < 0 ? 1 : 2;
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

static bool slash_parse(struct certdir_dn *name, const char *text, char *out)
{
	while (*text) {
		struct certdir_dn_pair *pair = &name->pairs[name->count];

		if (name->count == CERTDIR_DN_PAIRS_MAX || !is_slash_type(text))
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

bool certdir_dn_parse(struct certdir_dn *name, const char *text)
{
	char *out = malloc(2 * strlen(text) + 2);

	*name = (struct certdir_dn){.text = out};
	if (!out)
		return false;
	if (*text == '/')
		return slash_parse(name, text, out);
	for (;;) {
		struct certdir_dn_pair *pair = &name->pairs[name->count];

		if (name->count == CERTDIR_DN_PAIRS_MAX)
			return false;
		pair->type = out;
		text = read_type(text, &out);
		if (!text)
			return false;
		pair->type = type_name(pair->type);
		pair->value = out;
		pair->hex = *skip_blanks(text) == '#';
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

void certdir_dn_clear(struct certdir_dn *name)
{
	free(name->text);
	*name = (struct certdir_dn){.text = NULL};
}

static bool rdn_has(const struct certdir_dn *name, size_t rdn, const struct certdir_dn_pair *wanted)
{
	for (size_t i = 0; i < name->count; i++) {
		const struct certdir_dn_pair *pair = &name->pairs[i];

		if (pair->rdn == rdn && strcasecmp(pair->type, wanted->type) == 0 &&
		    strcasecmp(pair->value, wanted->value) == 0)
			return true;
	}
	return false;
}

/* An RDN is a set: the order of its pairs says nothing. */
static bool rdn_equal(const struct certdir_dn *a, size_t rdn_a, const struct certdir_dn *b, size_t rdn_b)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->pairs[i].rdn == rdn_a && !rdn_has(b, rdn_b, &a->pairs[i]))
			return false;
	for (size_t i = 0; i < b->count; i++)
		if (b->pairs[i].rdn == rdn_b && !rdn_has(a, rdn_a, &b->pairs[i]))
			return false;
	return true;
}

static bool name_equal(const struct certdir_dn *a, const struct certdir_dn *b, bool reverse)
{
	for (size_t i = 0; i < a->rdns; i++)
		if (!rdn_equal(a, i, b, reverse ? b->rdns - 1 - i : i))
			return false;
	return true;
}

bool certdir_dn_equal(const char *a, const char *b)
{
	struct certdir_dn name_a, name_b = {.text = NULL};
	bool equal;

	equal = certdir_dn_parse(&name_a, a) && certdir_dn_parse(&name_b, b) && name_a.rdns == name_b.rdns &&
		(name_equal(&name_a, &name_b, false) || name_equal(&name_a, &name_b, true));
	certdir_dn_clear(&name_a);
	certdir_dn_clear(&name_b);
	return equal;
}

static uint64_t hash_pair(const struct certdir_dn_pair *pair)
{
	const uint64_t type = certdir_hash_folded(CERTDIR_HASH_START, pair->type);

	return certdir_hash_byte(certdir_hash_folded(certdir_hash_byte(type, 0), pair->value), 0);
}

/* A sum, as an RDN has no order; a pair that stands there twice is one. */
static uint64_t rdn_hash(const struct certdir_dn *name, size_t rdn)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < name->count; i++) {
		struct certdir_dn before = *name;

		before.count = i;
		if (name->pairs[i].rdn == rdn && !rdn_has(&before, rdn, &name->pairs[i]))
			sum += hash_pair(&name->pairs[i]);
	}
	return sum;
}

static uint64_t mix(uint64_t hash, uint64_t more)
{
	for (; more; more >>= 8)
		hash = certdir_hash_byte(hash, (unsigned char)more);
	return certdir_hash_byte(hash, 0);
}

uint64_t certdir_dn_hash(const char *text)
{
	uint64_t forward = CERTDIR_HASH_START, backward = CERTDIR_HASH_START;
	struct certdir_dn name;
	const bool ok = certdir_dn_parse(&name, text);

	for (size_t i = 0; ok && i < name.rdns; i++) {
		forward = mix(forward, rdn_hash(&name, i));
		backward = mix(backward, rdn_hash(&name, name.rdns - 1 - i));
	}
	certdir_dn_clear(&name);
	if (!ok)
		return 0;
	return forward + backward ? forward + backward : 1;
}

bool certdir_dn_is_issuer(const char *name, const struct certdir_certificate *certificate)
{
	return certificate->issuer_hash ? certdir_dn_hash(name) == certificate->issuer_hash
					: certificate->issuer && certdir_dn_equal(name, certificate->issuer);
}

bool certdir_dn_each(const char *name, bool (*each)(void *context, const char *type, const char *value), void *context)
{
	struct certdir_dn parsed;
	bool ok = certdir_dn_parse(&parsed, name);

	for (size_t i = 0; ok && i < parsed.count; i++)
		ok = each(context, parsed.pairs[i].type, parsed.pairs[i].value);
	certdir_dn_clear(&parsed);
	return ok;
}

struct spelling {
	char name[CERTDIR_VALUE_MAX + 1];
	size_t length;
	bool only; /* nothing but DC= may stand there */
};

static bool add_component(void *context, const char *type, const char *value)
{
	struct spelling *spelling = context;
	const size_t room = sizeof(spelling->name) - spelling->length;
	int length;

	if (strcasecmp(type, "DC") != 0)
		return !spelling->only;
	if (!*value)
		return false;
	length = snprintf(spelling->name + spelling->length, room, "%s%s", spelling->length ? "." : "", value);
	if (length < 0 || (size_t)length >= room)
		return false;
	spelling->length += (size_t)length;
	return true;
}

bool certdir_dn_domain(const char *name, bool only, char domain[CERTDIR_VALUE_MAX + 1])
{
	struct spelling spelling = {.length = 0, .only = only};

	return certdir_dn_each(name, add_component, &spelling) &&
	       certdir_canonical(CERTDIR_ID_DNS, spelling.name, spelling.length, domain);
}

/* ---- the names of entries ---- */

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

char *certdir_dn_rdn_value(const char *dn, const char *type, struct certdir_arena *arena)
{
	char *rdn = strndup(dn, certdir_dn_rdn_length(dn)), *value = NULL;
	struct certdir_dn name = {.text = NULL};
	const char *why;

	if (rdn && certdir_dn_parse(&name, rdn) && name.count == 1 && !name.pairs[0].hex &&
	    (!type || strcasecmp(name.pairs[0].type, type) == 0) &&
	    certdir_text_valid(name.pairs[0].value, strlen(name.pairs[0].value), &why))
		value = certdir_arena_copy(arena, name.pairs[0].value, strlen(name.pairs[0].value));
	/* Who knows no name for want of memory must not take the entry for another's. */
	arena->failed |= !rdn || !name.text;
	certdir_dn_clear(&name);
	free(rdn);
	return value;
}
