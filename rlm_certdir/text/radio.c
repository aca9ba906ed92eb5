/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "text/radio.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/hex.h"

enum { DIGITS_MAX = 19 };

/* Copies what is not in `between`, hex digits in upper case; how many there are, 0 when they are too many or something else. */
static size_t squeeze(const char *value, size_t length, const char *between, char out[DIGITS_MAX + 1])
{
	size_t count = 0;

	for (size_t i = 0; i < length; i++) {
		if (value[i] && strchr(between, value[i]))
			continue;
		if (count == DIGITS_MAX || certdir_hex_digit(value[i]) < 0)
			return 0;
		out[count++] = "0123456789ABCDEF"[certdir_hex_digit(value[i])];
	}
	out[count] = '\0';
	return count;
}

static bool is_decimal(const char *digits)
{
	return digits[strspn(digits, "0123456789")] == '\0';
}

/* ISO/IEC 7812-1, annex B, of 14 digits. */
static char luhn(const char *digits)
{
	int sum = 0;

	for (size_t i = 0; i < 14; i++) {
		const int digit = (digits[i] - '0') * (i % 2 ? 2 : 1);

		sum += digit > 9 ? digit - 9 : digit;
	}
	return (char)('0' + (10 - sum % 10) % 10);
}

bool certdir_imei_read(const char *value, size_t length, char *out)
{
	char digits[DIGITS_MAX + 1];
	const size_t count = squeeze(value, length, " -/.", digits);

	if (count < 14 || count > 16 || !is_decimal(digits))
		return false;
	memcpy(out, digits, 14);
	out[14] = luhn(digits);
	out[15] = '\0';
	return true;
}

bool certdir_meid_read(const char *value, size_t length, char *out)
{
	char digits[DIGITS_MAX + 1], high[11] = "", low[9] = "";
	const size_t count = squeeze(value, length, " -", digits);
	unsigned long long first, second;

	if (count == 14 || count == 15) {
		memcpy(out, digits, 14);
		out[14] = '\0';
		return true;
	}
	if ((count != 18 && count != 19) || !is_decimal(digits))
		return false;
	memcpy(high, digits, 10);
	memcpy(low, digits + 10, 8);
	first = strtoull(high, NULL, 10);
	second = strtoull(low, NULL, 10);
	if (first > UINT32_MAX || second > 0xffffff)
		return false;
	(void)snprintf(out, 15, "%08" PRIX32 "%06" PRIX32, (uint32_t)first, (uint32_t)second);
	return true;
}

bool certdir_mac_read(const char *value, size_t length, char *out)
{
	char digits[DIGITS_MAX + 1];

	if (squeeze(value, length, ":-. ", digits) != 12 || (certdir_hex_digit(digits[1]) & 3))
		return false;
	memcpy(out, digits, 13);
	return true;
}
