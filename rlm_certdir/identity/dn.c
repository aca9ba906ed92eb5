/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Distinguished names as administrators write and copy them: RFC 4514, the displays of OpenSSL and Windows, and the
 * one-line form with slashes that FreeRADIUS keeps in TLS-Client-Cert-Issuer.
 */
#include "text/canonical.h"
#include "identity/der.h"
#include "text/hex.h"
#include "text/utf8.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PAIRS_MAX = 64 };

struct pair {
	const char *type;
	const char *value;
	bool hex; /* the value is the "#" form of RFC 4514 2.4: DER in hex */
	size_t rdn; /* which RDN of the name it belongs to */
};

struct name {
	char *text; /* types and values, each ended by a NUL */
	struct pair pairs[PAIRS_MAX];
	size_t count;
	size_t rdns;
};

/* The few attribute types that Windows displays under other names than OpenSSL. */
static const char *type_name(const char *type)
{
	static const char *const alias[][2] = {
		{"E", "emailAddress"}, {"S", "ST"}, {"2.5.4.3", "CN"}, {"2.5.4.5", "serialNumber"}};

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

bool certdir_dn_each(const char *name, bool (*each)(void *context, const char *type, const char *value), void *context)
{
	struct name parsed = {0};
	bool ok = name_parse(&parsed, name);

	for (size_t i = 0; ok && i < parsed.count; i++)
		ok = each(context, parsed.pairs[i].type, parsed.pairs[i].value);
	free(parsed.text);
	return ok;
}

/* ---- as Windows writes it ---- */

/*
 * The attribute types that CertNameToStr() knows by name (Win32 CERT_X500_NAME_STR; MS-OSCO lists them), and what others call
 * them. All others are written "OID.1.2.3".
 */
static const struct {
	const char *windows, *oid, *other;
} windows_types[] = {
	{"CN", "2.5.4.3", "commonName"},
	{"C", "2.5.4.6", "countryName"},
	{"L", "2.5.4.7", "localityName"},
	{"S", "2.5.4.8", "ST"},
	{"STREET", "2.5.4.9", "streetAddress"},
	{"O", "2.5.4.10", "organizationName"},
	{"OU", "2.5.4.11", "organizationalUnitName"},
	{"T", "2.5.4.12", "title"},
	{"Description", "2.5.4.13", "description"},
	{"PostalCode", "2.5.4.17", "postalCode"},
	{"POBox", "2.5.4.18", "postOfficeBox"},
	{"Phone", "2.5.4.20", "telephoneNumber"},
	{"X21Address", "2.5.4.24", "x121Address"},
	{"SN", "2.5.4.4", "surname"},
	{"SERIALNUMBER", "2.5.4.5", "serialNumber"},
	{"G", "2.5.4.42", "GN"},
	{"I", "2.5.4.43", "initials"},
	{"dnQualifier", "2.5.4.46", "dnQualifier"},
	{"DC", "0.9.2342.19200300.100.1.25", "domainComponent"},
	{"E", "1.2.840.113549.1.9.1", "emailAddress"},
};

enum { OID_TEXT = 128 };

/* Writes what Windows calls `type` into out[OID_TEXT]; false when nobody knows the type. */
static bool windows_type(const char *type, char *out)
{
	ASN1_OBJECT *object;
	char oid[OID_TEXT - sizeof("OID.")];
	int length;

	for (size_t i = 0; i < sizeof windows_types / sizeof *windows_types; i++)
		if (strcasecmp(type, windows_types[i].windows) == 0 || strcasecmp(type, windows_types[i].other) == 0 ||
		    strcmp(type, windows_types[i].oid) == 0) {
			(void)stpcpy(out, windows_types[i].windows);
			return true;
		}
	ERR_set_mark();
	object = OBJ_txt2obj(type, 0);
	length = object ? OBJ_obj2txt(oid, sizeof oid, object, 1) : 0;
	ASN1_OBJECT_free(object);
	ERR_pop_to_mark();
	if (length <= 0 || length >= (int)sizeof oid)
		return false;
	(void)stpcpy(stpcpy(out, "OID."), oid);
	return true;
}

/* The text that stands in "#0C0141"; false when it is no text, or none that we can read. */
static bool hex_text(const char *hex, char text[CERTDIR_VALUE_MAX + 1])
{
	unsigned char bytes[4 * CERTDIR_VALUE_MAX + 8];
	struct certdir_der rest = {bytes, 0}, content;
	size_t length;
	const char *why;
	unsigned tag;

	for (hex++; *hex; hex += 2) {
		const int byte = certdir_hex_byte(hex);

		if (byte < 0 || rest.length == sizeof bytes)
			return false;
		bytes[rest.length++] = (unsigned char)byte;
	}
	if (!certdir_der_take(&rest, &tag, &content) || rest.length > 0 ||
	    !certdir_der_text(tag, content, text, &length, &why) || !certdir_text_valid(text, length, &why))
		return false;
	text[length] = '\0';
	return true;
}

/*
 * Quoted where CertNameToStr() quotes; line ends become commas (MS-PKCA 3.1.5.2.1.5). False when it is no clean text: no
 * account can have it.
 */
static bool print_windows_value(FILE *out, const struct pair *pair)
{
	char text[CERTDIR_VALUE_MAX + 1];
	const char *value = pair->value;
	size_t left, size;
	uint32_t character;
	bool quoted;

	if (pair->hex && hex_text(value, text))
		value = text;
	else if (pair->hex) {
		(void)fputs(value, out);
		return true;
	}
	quoted = !*value || *value == ' ' || value[strlen(value) - 1] == ' ' || strpbrk(value, ",+=\"\n<>#;");
	if (quoted)
		(void)fputc('"', out);
	for (left = strlen(value); left > 0; value += size, left -= size) {
		const bool end_of_line = *value == '\r' || *value == '\n';

		size = certdir_utf8_read(value, left, &character);
		if (size == 0 || (character < 0x20 && !end_of_line) || (character >= 0x7f && character < 0xa0))
			return false;
		if (*value == '"')
			(void)fputc('"', out);
		(void)fwrite(end_of_line ? "," : value, 1, size, out);
	}
	if (quoted)
		(void)fputc('"', out);
	return true;
}

/* False when a type is unknown or a value is no clean text. Pairs of one RDN come out in reverse, too: OpenSSL reverses them, the certificate has them so. */
static bool print_windows(FILE *out, const struct name *name)
{
	for (size_t i = name->count; i-- > 0;) {
		const struct pair *pair = &name->pairs[i];
		char type[OID_TEXT];

		if (!windows_type(pair->type, type))
			return false;
		if (i + 1 < name->count)
			(void)fputs(pair[1].rdn == pair->rdn ? " + " : ",", out);
		(void)fprintf(out, "%s=", type);
		if (!print_windows_value(out, pair))
			return false;
	}
	return true;
}

bool certdir_dn_windows(const char *name, char **text)
{
	struct name parsed = {0};
	size_t length;
	FILE *out = NULL;
	bool ok = false, good;

	*text = NULL;
	if (*name == '/' || !name_parse(&parsed, name)) {
		ok = *name == '/' || parsed.text;
		goto out;
	}
	out = open_memstream(text, &length);
	if (!out)
		goto out;
	good = print_windows(out, &parsed);
	ok = !ferror(out);
	ok = fclose(out) == 0 && ok;
	if (!ok || !good) {
		free(*text);
		*text = NULL;
	}
out:
	free(parsed.text);
	return ok;
}
