/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/text.h"

#include "identity/canonical.h"
#include "identity/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What may be shown of a text that may not be stored: at most 100 bytes, "?" for what would not print. */
static void show(const char *text, char out[104])
{
	size_t length = strlen(text), at = 0, size;
	uint32_t character;

	for (size_t i = 0; i < length && at < 100; i += size) {
		size = certdir_utf8_read(text + i, length - i, &character);
		if (size == 0 || character < 0x20 || (character >= 0x7f && character < 0xa0)) {
			size = size == 0 ? 1 : size;
			out[at++] = '?';
		} else {
			memcpy(out + at, text + i, size);
			at += size;
		}
	}
	out[at] = '\0';
}

static bool refuse(const char *device, const char *field, const char *text, const char *why,
		   struct certdir_error *error)
{
	char shown_device[104], shown_text[104];

	show(device, shown_device);
	show(text, shown_text);
	certdir_error_set(error, "device \"%s\": %s \"%s\" %s", shown_device, field, shown_text, why);
	return false;
}

bool certdir_list_text_check(const char *device, const char *field, const char *text, struct certdir_error *error)
{
	size_t length = strlen(text), size;
	uint32_t character;

	if (length == 0)
		return refuse(device, field, text, "is empty", error);
	if (length > CERTDIR_LIST_TEXT_MAX)
		return refuse(device, field, text, "is longer than 1024 bytes", error);
	for (size_t i = 0; i < length; i += size) {
		size = certdir_utf8_read(text + i, length - i, &character);
		if (size == 0)
			return refuse(device, field, text, "is not UTF-8", error);
		if (character < 0x20 || (character >= 0x7f && character < 0xa0))
			return refuse(device, field, text, "has a control character inside", error);
	}
	return true;
}

static bool is_zero_guid(const char *text)
{
	return strspn(text, "{}0- ") == strlen(text);
}

/* The stretch of `text` that `canonical` is the canonical form of: the same name in the spelling that was given. */
static const char *spelling(const char *text, const char *canonical, size_t *length)
{
	size_t size = strlen(canonical);

	*length = size;
	for (const char *at = text; strlen(at) >= size; at++)
		if (strncasecmp(at, canonical, size) == 0)
			return at;
	*length = strlen(text);
	return text;
}

static bool make_identity(const char *device, const char *field, enum certdir_identity_type type, const char *wanted,
			  const char *text, char **made, struct certdir_error *error)
{
	char canonical[CERTDIR_VALUE_MAX + 1];

	if (!certdir_canonical(type, text, strlen(text), canonical))
		return refuse(device, field, text, wanted, error);
	*made = strdup(canonical);
	return *made || refuse(device, field, text, "cannot be stored: out of memory", error);
}

static bool make_name(const char *device, const char *field, const char *text, char **made, struct certdir_error *error)
{
	char canonical[CERTDIR_VALUE_MAX + 1];
	size_t length = strlen(text);

	if (certdir_canonical(CERTDIR_ID_NAME, text, length, canonical))
		text = spelling(text, canonical, &length);
	*made = strndup(text, length);
	return *made || refuse(device, field, text, "cannot be stored: out of memory", error);
}

bool certdir_list_text_make(const char *device, const char *field, enum certdir_list_form form, const char *text,
			    char **made, struct certdir_error *error)
{
	*made = NULL;
	if (text[strspn(text, " ")] == '\0')
		return true;
	if (!certdir_list_text_check(device, field, text, error))
		return false;
	switch (form) {
	case CERTDIR_FORM_TEXT:
		*made = strdup(text);
		return *made || refuse(device, field, text, "cannot be stored: out of memory", error);
	case CERTDIR_FORM_NAME:
		return make_name(device, field, text, made, error);
	case CERTDIR_FORM_GUID:
		return is_zero_guid(text) ||
		       make_identity(device, field, CERTDIR_ID_GUID, "is not a GUID", text, made, error);
	case CERTDIR_FORM_SID:
		return make_identity(device, field, CERTDIR_ID_SID, "is not a SID", text, made, error);
	case CERTDIR_FORM_SERIAL:
		return make_identity(device, field, CERTDIR_ID_SERIAL, "is not a serial number", text, made, error);
	}
	return true;
}

bool certdir_list_dns_name_make(const char *device, const char *text, char **made, struct certdir_error *error)
{
	*made = NULL;
	return make_identity(device, "dns_name", CERTDIR_ID_DNS, "is not a DNS name", text, made, error);
}
