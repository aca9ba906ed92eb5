/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/certificates_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "text/hex.h"
#include "text/timestamp.h"

/* ---- serial numbers ---- */

bool certdir_serial_shows_hex(const char *text)
{
	const size_t length = strlen(text);

	return text[0] == '0' || strpbrk(text, "abcdefABCDEF") || (length > 3 && strchr(" :", text[length - 3]));
}

/* A spreadsheet keeps 15 digits and makes zeros of the rest; it drops a zero in front, which leaves half a byte. */
static bool may_be_changed(const char *digits, size_t length)
{
	return length % 2 != 0 || (length > 15 && strspn(digits + 15, "0") == length - 15);
}

bool certdir_serial_parse(const char *text, bool hexadecimal, char *out, size_t size, const char **why)
{
	const bool shown = certdir_serial_shows_hex(text);
	size_t length = 0, zeros;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	out[length++] = '0'; /* for half a byte in front */
	for (; *text; text++) {
		const int digit = certdir_hex_digit(*text);

		if (*text == ' ' || *text == ':')
			continue;
		*why = strpbrk(text, ".,+")
			       ? "a spreadsheet has rounded it: export it again and do not save it from there"
			       : "is no hexadecimal number";
		if (digit < 0)
			return false;
		*why = "is too long for a serial number";
		if (length + 2 > size)
			return false;
		out[length++] = "0123456789ABCDEF"[digit];
	}
	out[length] = '\0';
	*why = "is no number";
	if (length == 1)
		return false;
	*why = "has decimal digits only, and nothing in the file shows that it is hexadecimal: write 0x before it, or "
	       "export the certificate itself (RawCertificate)";
	if (!shown && !hexadecimal)
		return false;
	*why = "has decimal digits only, and a spreadsheet may have changed it: export it again and do not save it "
	       "from there, or write 0x before it";
	if (!shown && may_be_changed(out + 1, length - 1))
		return false;
	/* Whole bytes from the end; a zero byte in front says nothing, and CERT_INFO and the identity room drop it. */
	zeros = length % 2;
	while (length - zeros > 2 && out[zeros] == '0' && out[zeros + 1] == '0')
		zeros += 2;
	memmove(out, out + zeros, length - zeros + 1);
	return true;
}

/* ---- the end of validity ---- */

enum { HALF_DAY = 12 * 3600, DAY = 24 * 3600 };

/* Reads a number of at most `digits` digits. */
static bool take_number(const char **at, int digits, int *number)
{
	const char *start = *at;

	for (*number = 0; **at >= '0' && **at <= '9' && *at - start < digits; (*at)++)
		*number = *number * 10 + (**at - '0');
	return *at > start;
}

static bool take_char(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

/* Blanks, also those that .NET writes before AM and PM: U+00A0, U+202F. */
static void skip_blanks(const char **at)
{
	for (;;) {
		if (**at == ' ')
			(*at)++;
		else if (strncmp(*at, "\xc2\xa0", 2) == 0)
			*at += 2;
		else if (strncmp(*at, "\xe2\x80\xaf", 3) == 0)
			*at += 3;
		else
			return;
	}
}

/* 31.1.2027 or 1/31/2027, and what may follow, as ISO 8601; false when it is neither. */
static bool to_iso(const char *text, char iso[32], bool *half)
{
	const char separator = strchr(text, '/') ? '/' : '.';
	int first, second, year, hours = 0, minutes = 0, seconds = 0;

	*half = false;
	if (!take_number(&text, 2, &first) || !take_char(&text, separator) || !take_number(&text, 2, &second) ||
	    !take_char(&text, separator) || !take_number(&text, 4, &year) || year < 1970)
		return false;
	skip_blanks(&text);
	if (*text && (!take_number(&text, 2, &hours) || !take_char(&text, ':') || !take_number(&text, 2, &minutes) ||
		      (take_char(&text, ':') && !take_number(&text, 2, &seconds))))
		return false;
	skip_blanks(&text);
	*half = strcasecmp(text, "AM") == 0 || strcasecmp(text, "PM") == 0;
	if (*half) {
		if (hours < 1 || hours > 12)
			return false;
		hours = hours % 12 + (strcasecmp(text, "PM") == 0 ? 12 : 0);
	} else if (*text) {
		return false;
	}
	return snprintf(iso, 32, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, separator == '/' ? first : second,
			separator == '/' ? second : first, hours, minutes, seconds) < 32;
}

/* Whether an ISO 8601 time says its zone, which PowerShell's /Date()/ need not. */
static bool has_zone(const char *text)
{
	const char *time = strpbrk(text, "Tt ");

	return text[0] == '/' || (time && strpbrk(time + 1, "Zz+-"));
}

/*
 * What `text` is if it is in UTC, by how much the clock that wrote it may have been away from that (*apart), which is at most 12 hours,
 * and whether it is any time of that day (*day). False with a static `why`.
 */
static bool parse_time(const char *text, int64_t *seconds, int64_t *apart, bool *day, const char **why)
{
	char iso[32];
	bool half;

	*why = "is no time: export it as ISO 8601 (2027-01-31T10:00:00Z), or the certificate itself (RawCertificate)";
	*day = !strchr(text, ':') && text[0] != '/';
	*apart = HALF_DAY;
	if (certdir_timestamp_parse(text, seconds)) {
		*apart = has_zone(text) ? 0 : HALF_DAY;
		return *seconds > 0;
	}
	if (!to_iso(text, iso, &half))
		return false;
	if (strchr(text, '/') && !half) {
		*why = "does not say which is the month: export it as ISO 8601 (2027-01-31T10:00:00Z), or the "
		       "certificate itself (RawCertificate)";
		return false;
	}
	return certdir_timestamp_parse(iso, seconds);
}

bool certdir_validity_parse(const char *text, int64_t *seconds, const char **why)
{
	int64_t apart;
	bool day;

	if (!parse_time(text, seconds, &apart, &day, why))
		return false;
	*seconds += apart + (day ? DAY : 0);
	return true;
}

bool certdir_beginning_parse(const char *text, int64_t *seconds, const char **why)
{
	int64_t apart;
	bool day;

	if (!parse_time(text, seconds, &apart, &day, why))
		return false;
	*seconds = day ? 0 : *seconds - apart;
	return true;
}

/* ---- whether it was revoked ---- */

/* Whether `text` is one of the words, without regard to case. */
static bool is_one_of(const char *text, const char *const *words)
{
	while (*words && strcasecmp(text, *words) != 0)
		words++;
	return *words;
}

enum certdir_certificate_status certdir_status_parse(const char *text)
{
	/* Dispositions in a CA's database (certutil -view): of another CA, of the CA itself, issued, revoked. Others are requests. */
	enum { FOREIGN = 12, OF_CA = 15, OF_CA_LAST = 17, ISSUED = 20, REVOKED = 21 };
	static const char *const revoked[] = {"suspended", "on hold", "onhold", "hold", NULL};
	static const char *const issued[] = {"issued", "active", "valid", "good", "expired", NULL};
	char *end;
	const unsigned long number = strtoul(text, &end, 0);

	if (end != text && (*end == '\0' || *end == ' ')) {
		if (number == REVOKED)
			return CERTDIR_CERTIFICATE_REVOKED;
		return number == ISSUED || number == FOREIGN || (number >= OF_CA && number <= OF_CA_LAST)
			       ? CERTDIR_CERTIFICATE_ISSUED
			       : CERTDIR_CERTIFICATE_NONE;
	}
	if (strncasecmp(text, "revoked", 7) == 0 || is_one_of(text, revoked))
		return CERTDIR_CERTIFICATE_REVOKED;
	return is_one_of(text, issued) ? CERTDIR_CERTIFICATE_ISSUED : CERTDIR_CERTIFICATE_DOUBTFUL;
}

/* ---- what Intune says of it ---- */

/*
 * By number: https://learn.microsoft.com/graph/api/resources/intune-shared-certificateissuancestates, which explains none of them. A "no"
 * are, beside revoked: what failed before a CA was asked or when it was, as no certificate can have come of that; and deleted, which
 * Intune has taken off the device, in most cases because it was revoked: whoever shows it has a copy. What failed later exists and may be
 * in use: a response that was not understood, an installation or deletion that did not work. So does what is left of a profile that the
 * device is no longer given.
 */
static const struct certdir_issuance issuances[] = {
	{"unknown", false},
	{"challengeIssued", false},
	{"challengeIssueFailed", true},
	{"requestCreationFailed", true},
	{"requestSubmitFailed", true},
	{"challengeValidationSucceeded", false},
	{"challengeValidationFailed", true},
	{"issueFailed", true},
	{"issuePending", false},
	{"issued", false},
	{"responseProcessingFailed", false},
	{"responsePending", false},
	{"enrollmentSucceeded", false},
	{"enrollmentNotNeeded", false},
	{"revoked", true},
	{"removedFromCollection", false},
	{"renewVerified", false},
	{"installFailed", false},
	{"installed", false},
	{"deleteFailed", false},
	{"deleted", true},
	{"renewalRequested", false},
	{"requested", false},
	/* Of a certificate that is to be revoked (certificateRevocationStatus of Graph): the order is out, or its CA did not obey. */
	{"revokePending", true},
	{"failed", true},
};

enum { NUMBERED = 23, ISSUANCES = sizeof(issuances) / sizeof(issuances[0]) };

static bool is_words(const char *text, const char *name)
{
	for (; *text; text++) {
		if (*text == ' ')
			continue;
		if (strncasecmp(text, name, 1) != 0)
			return false;
		name++;
	}
	return !*name;
}

const struct certdir_issuance *certdir_issuance_find(const char *text)
{
	const size_t digits = strspn(text, "0123456789");
	const unsigned long number = strtoul(text, NULL, 10);

	if (digits > 0 && !text[digits])
		return number < NUMBERED ? &issuances[number] : NULL;
	for (size_t i = 0; i < ISSUANCES; i++)
		if (is_words(text, issuances[i].name))
			return &issuances[i];
	return NULL;
}
