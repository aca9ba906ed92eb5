/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "text/canonical.h"

#include <string.h>

#include "base/ascii.h"
#include "text/hex.h"
#include "text/radio.h"
#include "text/utf8.h"

/* Not by ctype.h, as base/ascii.h says. */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool certdir_type_is_guid(enum certdir_identity_type type)
{
	return type == CERTDIR_ID_ENTRA || type == CERTDIR_ID_INTUNE || type == CERTDIR_ID_GUID ||
	       type == CERTDIR_ID_UDID;
}

bool certdir_type_is_hardware(enum certdir_identity_type type)
{
	return type == CERTDIR_ID_SERIAL || type == CERTDIR_ID_IMEI || type == CERTDIR_ID_MEID ||
	       type == CERTDIR_ID_WIFI_MAC || type == CERTDIR_ID_PERMANENT;
}

bool certdir_text_valid(const char *bytes, size_t length, const char **why)
{
	*why = NULL;
	if (length == 0)
		*why = "empty";
	else if (length > CERTDIR_VALUE_MAX)
		*why = "longer than 255 bytes";
	return !*why && certdir_text_clean(bytes, length, why);
}

bool certdir_text_clean(const char *bytes, size_t length, const char **why)
{
	static const char *const words[] = {[CERTDIR_TEXT_CLEAN] = NULL,
					    [CERTDIR_TEXT_NUL] = "NUL byte inside",
					    [CERTDIR_TEXT_NOT_UTF8] = "not UTF-8",
					    [CERTDIR_TEXT_CONTROL] = "control character"};

	*why = words[certdir_text_fault(bytes, length)];
	return !*why;
}

static void trim(const char **value, size_t *length)
{
	while (*length > 0 && (*value)[0] == ' ') {
		(*value)++;
		(*length)--;
	}
	while (*length > 0 && (*value)[*length - 1] == ' ')
		(*length)--;
}

/* Copies the 36 characters of a GUID in lower case. */
static bool read_guid(const char *text, char out[37], bool *zero)
{
	*zero = true;
	for (size_t i = 0; i < 36; i++) {
		const char c = certdir_ascii_lower(text[i]);
		const bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? c != '-' : !is_digit(c) && (c < 'a' || c > 'f'))
			return false;
		*zero = *zero && (dash || c == '0');
		out[i] = c;
	}
	out[36] = '\0';
	return true;
}

bool certdir_guid_is(const char *text, bool *zero)
{
	char out[37];

	*zero = false;
	return strlen(text) == 36 && read_guid(text, out, zero);
}

static bool canonical_guid(const char *value, size_t length, char *out)
{
	bool zero;

	if (length == 38 && value[0] == '{' && value[37] == '}') {
		value++;
		length -= 2;
	}
	return length == 36 && read_guid(value, out, &zero) && !zero;
}

/* Macs have a GUID; iPhones and iPads 40 hex digits, or 8, a dash and 16 since 2018. */
static bool canonical_udid(const char *value, size_t length, char *out)
{
	bool zero = true;

	if (length != 40 && length != 25)
		return canonical_guid(value, length, out);
	for (size_t i = 0; i < length; i++) {
		const bool dash = length == 25 && i == 8;

		if (dash ? value[i] != '-' : certdir_hex_digit(value[i]) < 0)
			return false;
		zero = zero && (dash || value[i] == '0');
		out[i] = certdir_ascii_lower(value[i]);
	}
	out[length] = '\0';
	return !zero;
}

/* A thumbprint as Windows shows it: pairs of digits, apart or not. */
static bool canonical_thumbprint(const char *value, size_t length, char *out)
{
	size_t digits = 0;

	for (size_t i = 0; i < length; i++) {
		if (value[i] == ' ' || value[i] == ':')
			continue;
		if (certdir_hex_digit(value[i]) < 0 || digits == 40)
			return false;
		out[digits++] = certdir_ascii_lower(value[i]);
	}
	out[digits] = '\0';
	return digits == 40 && strspn(out, "0") < 40;
}

static bool canonical_sid(const char *value, size_t length, char *out)
{
	char text[CERTDIR_VALUE_MAX + 1];
	unsigned char bytes[68];
	size_t size;

	if (length > CERTDIR_VALUE_MAX || memchr(value, 0, length))
		return false;
	memcpy(text, value, length);
	text[length] = '\0';
	size = certdir_sid_to_bytes(text, bytes);
	return size > 0 && certdir_sid_from_bytes(bytes, size, out);
}

static bool canonical_dns(const char *value, size_t length, char *out)
{
	size_t label = 0;

	if (length > 0 && value[length - 1] == '.')
		length--;
	if (length == 0 || length > 253)
		return false;
	for (size_t i = 0; i < length; i++) {
		char c = certdir_ascii_lower(value[i]);

		if (c == '.') {
			if (label == 0)
				return false;
			label = 0;
		} else if (!is_digit(c) && (c < 'a' || c > 'z') && c != '-' && c != '_') {
			return false;
		} else if (++label > 63) {
			return false;
		}
		out[i] = c;
	}
	out[length] = '\0';
	return label > 0;
}

static bool has_host(const char *value, size_t length)
{
	static const char host[] = "host/";

	if (length < sizeof(host) - 1)
		return false;
	for (size_t i = 0; i < sizeof(host) - 1; i++)
		if (certdir_ascii_lower(value[i]) != host[i])
			return false;
	return true;
}

/* What stands for a serial number in boards that nobody gave one. `serial` is canonical but for this. */
static bool is_filler(const char *serial)
{
	static const char *const fillers[] = {
		"DEFAULT STRING",
		"TO BE FILLED BY O.E.M.",
		"TO BE FILLED BY O.E.M",
		"OEM",
		"SYSTEM SERIAL NUMBER",
		"BASE BOARD SERIAL NUMBER",
		"NOT SPECIFIED",
		"NOT AVAILABLE",
		"NOT APPLICABLE",
		"EMPTY",
		"NONE",
		"N/A",
		"NA",
		"INVALID",
		"UNKNOWN",
		"CHASSIS SERIAL NUMBER",
		"123456789",
		"1234567890",
		"0123456789",
		"SYS-1234567890",
		"123456789012347", /* of radios: canonical IMEIs that emulators and reset phones have */
		"012345678901237",
		"004999010640000",
	};
	char squeezed[CERTDIR_VALUE_MAX + 1];
	size_t length = 0, same = 0;

	for (const char *at = serial; *at; at++)
		if (at[0] != ' ' || at[1] != ' ')
			squeezed[length++] = *at;
	squeezed[length] = '\0';
	while (same < length && squeezed[same] == squeezed[0])
		same++;
	if (same == length && (squeezed[0] == '0' || length >= 4))
		return true;
	for (size_t i = 0; i < sizeof(fillers) / sizeof(fillers[0]); i++)
		if (strcmp(squeezed, fillers[i]) == 0)
			return true;
	return false;
}

/*
 * What a CA has had a device attest of itself: a serial number or a UDID, and so in the spelling of what it is compared with. Others
 * write there what they like.
 */
static bool canonical_permanent(const char *value, size_t length, char *out)
{
	return canonical_udid(value, length, out) || certdir_canonical(CERTDIR_ID_SERIAL, value, length, out);
}

static bool canonical_text(enum certdir_identity_type type, const char *value, size_t length, char *out)
{
	const char *why;

	if (type == CERTDIR_ID_NAME) {
		if (has_host(value, length)) {
			value += 5;
			length -= 5;
		}
		if (length > 0 && value[length - 1] == '$')
			length--;
		trim(&value, &length);
		/* Twice is no way to write a name, and one form must be its own canonical form. */
		if (has_host(value, length) || (length > 0 && value[length - 1] == '$'))
			return false;
	}
	if (!certdir_text_valid(value, length, &why))
		return false;
	for (size_t i = 0; i < length; i++)
		out[i] = type == CERTDIR_ID_SERIAL ? certdir_ascii_upper(value[i]) : certdir_ascii_lower(value[i]);
	out[length] = '\0';
	return type != CERTDIR_ID_SERIAL || !is_filler(out);
}

bool certdir_canonical(enum certdir_identity_type type, const char *value, size_t length, char *out)
{
	if (type != CERTDIR_ID_DNS && type != CERTDIR_ID_SID && type != CERTDIR_ID_SID_URI &&
	    type != CERTDIR_ID_USER_SID)
		trim(&value, &length);
	switch (type) {
	case CERTDIR_ID_ENTRA:
	case CERTDIR_ID_INTUNE:
	case CERTDIR_ID_GUID:
	case CERTDIR_ID_USER_ID:
		return canonical_guid(value, length, out);
	case CERTDIR_ID_UDID:
		return canonical_udid(value, length, out);
	case CERTDIR_ID_SID:
	case CERTDIR_ID_SID_URI:
	case CERTDIR_ID_USER_SID:
		return canonical_sid(value, length, out);
	case CERTDIR_ID_DNS:
		return canonical_dns(value, length, out);
	case CERTDIR_ID_NAME:
	case CERTDIR_ID_SERIAL:
	case CERTDIR_ID_UPN:
	case CERTDIR_ID_USER_NAME:
	case CERTDIR_ID_MAIL:
		return canonical_text(type, value, length, out);
	case CERTDIR_ID_CERTIFICATE:
		return canonical_thumbprint(value, length, out);
	case CERTDIR_ID_IMEI:
		return certdir_imei_read(value, length, out) && !is_filler(out);
	case CERTDIR_ID_MEID:
		return certdir_meid_read(value, length, out) && !is_filler(out);
	case CERTDIR_ID_WIFI_MAC:
		return certdir_mac_read(value, length, out) && !is_filler(out);
	case CERTDIR_ID_PERMANENT:
		return canonical_permanent(value, length, out);
	case CERTDIR_ID_MAPPING: /* made here, never read from outside */
	case CERTDIR_ID_TYPES:
		break;
	}
	return false;
}

void certdir_guid_from_bytes(const unsigned char bytes[16], char out[37])
{
	/* Position in `bytes` of each pair of digits; -1 is a dash. */
	static const signed char order[20] = {3, 2, 1, 0, -1, 5, 4, -1, 7, 6, -1, 8, 9, -1, 10, 11, 12, 13, 14, 15};

	for (size_t i = 0; i < sizeof(order); i++)
		if (order[i] < 0)
			*out++ = '-';
		else
			out = certdir_hex_put(out, bytes[order[i]]);
	*out = '\0';
}
