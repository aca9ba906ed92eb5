/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/text.h"

#include <string.h>
#include <strings.h>

#include "base/words.h"
#include "text/canonical.h"
#include "text/excerpt.h"
#include "text/utf8.h"

enum { SHOWN_SIZE = 101 }; /* of a text that may not be stored, in a message */

bool certdir_list_text_refuse(const char *device, const char *field, const char *text, const char *why,
			      struct certdir_error *error)
{
	char shown_device[SHOWN_SIZE], shown_text[SHOWN_SIZE];

	certdir_excerpt_clean(shown_device, sizeof(shown_device), device);
	certdir_excerpt_clean(shown_text, sizeof(shown_text), text);
	certdir_error_set(error, "device \"%s\": %s \"%s\" %s", shown_device, field, shown_text, why);
	return false;
}

/* NULL when `text` may be stored. */
static const char *fault(const char *text)
{
	static const char *const words[] = {[CERTDIR_TEXT_CLEAN] = NULL,
					    [CERTDIR_TEXT_NUL] = NULL, /* `text` ends there */
					    [CERTDIR_TEXT_NOT_UTF8] = "is not UTF-8",
					    [CERTDIR_TEXT_CONTROL] = "has a control character inside"};
	const size_t length = strlen(text);

	if (length == 0)
		return "is empty";
	if (length > CERTDIR_LIST_TEXT_MAX)
		return "is longer than 1024 bytes";
	return words[certdir_text_fault(text, length)];
}

bool certdir_list_text_check(const char *device, const char *field, const char *text, struct certdir_error *error)
{
	const char *why = fault(text);

	return !why || certdir_list_text_refuse(device, field, text, why, error);
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

static enum certdir_list_text form_identity(enum certdir_identity_type type, const char *text, char *out)
{
	return certdir_canonical(type, text, strlen(text), out) ? CERTDIR_TEXT_MADE : CERTDIR_TEXT_REFUSED;
}

static enum certdir_list_text form_name(const char *text, char *out)
{
	char canonical[CERTDIR_VALUE_MAX + 1];
	size_t length = strlen(text);

	if (certdir_canonical(CERTDIR_ID_NAME, text, length, canonical))
		text = spelling(text, canonical, &length);
	memcpy(out, text, length);
	out[length] = '\0';
	return CERTDIR_TEXT_MADE;
}

/* What is none is kept as it is, and so is equal to no identity. */
static enum certdir_list_text form_number(enum certdir_identity_type type, const char *text, char *out)
{
	if (!certdir_canonical(type, text, strlen(text), out))
		strcpy(out, text);
	return CERTDIR_TEXT_MADE;
}

enum certdir_list_text certdir_list_text_form(enum certdir_list_form form, const char *text,
					      char out[CERTDIR_LIST_TEXT_MAX + 1], const char **why)
{
	if (text[strspn(text, " ")] == '\0')
		return CERTDIR_TEXT_NONE;
	*why = fault(text);
	if (*why)
		return CERTDIR_TEXT_REFUSED;
	switch (form) {
	case CERTDIR_FORM_TEXT:
		strcpy(out, text);
		break;
	case CERTDIR_FORM_NAME:
		return form_name(text, out);
	case CERTDIR_FORM_GUID:
		*why = "is not a GUID";
		return certdir_word_no_id(text) ? CERTDIR_TEXT_NONE : form_identity(CERTDIR_ID_GUID, text, out);
	case CERTDIR_FORM_UDID:
		*why = "is not a UDID";
		return certdir_word_no_id(text) ? CERTDIR_TEXT_NONE : form_identity(CERTDIR_ID_UDID, text, out);
	case CERTDIR_FORM_SID:
		*why = "is not a SID";
		return form_identity(CERTDIR_ID_SID, text, out);
	case CERTDIR_FORM_IMEI:
		return form_number(CERTDIR_ID_IMEI, text, out);
	case CERTDIR_FORM_MEID:
		return form_number(CERTDIR_ID_MEID, text, out);
	case CERTDIR_FORM_MAC:
		return form_number(CERTDIR_ID_WIFI_MAC, text, out);
	case CERTDIR_FORM_SERIAL:
		*why = "is not a serial number";
		if (strlen(text) > CERTDIR_VALUE_MAX)
			return CERTDIR_TEXT_REFUSED;
		/* What is none all the same is what makers leave in for want of one. */
		return certdir_canonical(CERTDIR_ID_SERIAL, text, strlen(text), out) ? CERTDIR_TEXT_MADE
										     : CERTDIR_TEXT_NONE;
	}
	return CERTDIR_TEXT_MADE;
}

static bool copy_made(const char *device, const char *field, const char *text, const char *form, char **made,
		      struct certdir_error *error)
{
	*made = strdup(form);
	return *made || certdir_list_text_refuse(device, field, text, "cannot be stored: out of memory", error);
}

bool certdir_list_text_make(const char *device, const char *field, enum certdir_list_form form, const char *text,
			    char **made, struct certdir_error *error)
{
	char out[CERTDIR_LIST_TEXT_MAX + 1];
	const char *why = "";

	*made = NULL;
	switch (certdir_list_text_form(form, text, out, &why)) {
	case CERTDIR_TEXT_NONE:
		return true;
	case CERTDIR_TEXT_REFUSED:
		return certdir_list_text_refuse(device, field, text, why, error);
	case CERTDIR_TEXT_MADE:
		break;
	}
	return copy_made(device, field, text, out, made, error);
}

bool certdir_list_dns_name_make(const char *device, const char *text, char **made, struct certdir_error *error)
{
	char out[CERTDIR_VALUE_MAX + 1];

	*made = NULL;
	if (!certdir_canonical(CERTDIR_ID_DNS, text, strlen(text), out))
		return certdir_list_text_refuse(device, "dns_name", text, "is not a DNS name", error);
	return copy_made(device, "dns_name", text, out, made, error);
}
