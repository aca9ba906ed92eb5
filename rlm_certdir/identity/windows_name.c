/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity/windows_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/objects.h>

#include "identity/der.h"
#include "text/canonical.h"
#include "text/dn.h"
#include "text/hex.h"
#include "text/utf8.h"

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

	for (size_t i = 0; i < sizeof(windows_types) / sizeof(windows_types[0]); i++)
		if (strcasecmp(type, windows_types[i].windows) == 0 || strcasecmp(type, windows_types[i].other) == 0 ||
		    strcmp(type, windows_types[i].oid) == 0) {
			(void)stpcpy(out, windows_types[i].windows);
			return true;
		}
	ERR_set_mark();
	object = OBJ_txt2obj(type, 0);
	length = object ? OBJ_obj2txt(oid, sizeof(oid), object, 1) : 0;
	ASN1_OBJECT_free(object);
	ERR_pop_to_mark();
	if (length <= 0 || length >= (int)sizeof(oid))
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

		if (byte < 0 || rest.length == sizeof(bytes))
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
static bool print_windows_value(FILE *out, const struct certdir_dn_pair *pair)
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
		if (size == 0 || (certdir_utf8_control(character) && !end_of_line))
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
static bool print_windows(FILE *out, const struct certdir_dn *name)
{
	for (size_t i = name->count; i-- > 0;) {
		const struct certdir_dn_pair *pair = &name->pairs[i];
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

bool certdir_windows_name(const char *name, char **text)
{
	struct certdir_dn parsed = {.text = NULL};
	size_t length;
	FILE *out = NULL;
	bool ok = false, good;

	*text = NULL;
	if (*name == '/' || !certdir_dn_parse(&parsed, name)) {
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
	certdir_dn_clear(&parsed);
	return ok;
}
