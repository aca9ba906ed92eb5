/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Security identifiers (MS-DTYP 2.4.2): text "S-1-authority-sub-sub..", bytes: revision, count, authority (6, big-endian), subs. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "text/canonical.h"
#include "text/hex.h"

enum { SUBS_MAX = 15 };

/* sprintf() was a sixth of what reading an entry takes. */
static char *print_number(char *at, uint32_t number)
{
	char digits[10];
	size_t count = 0;

	do
		digits[count++] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	while (count > 0)
		*at++ = digits[--count];
	return at;
}

bool certdir_sid_from_bytes(const unsigned char *bytes, size_t length, char *out)
{
	uint64_t authority = 0;
	char *at = out;

	/* A SID without any sub-authority names nobody. */
	if (length < 12 || bytes[0] != 1 || bytes[1] < 1 || bytes[1] > SUBS_MAX || length != 8 + (size_t)bytes[1] * 4)
		return false;
	for (size_t i = 2; i < 8; i++)
		authority = authority << 8 | bytes[i];
	/* 32 bits and less stand in decimal, more in hex. At most 18 + 15 x 11 characters. */
	at += sprintf(at, authority >> 32 ? "S-1-0x%012" PRIX64 : "S-1-%" PRIu64, authority);
	for (const unsigned char *sub = bytes + 8; sub < bytes + length; sub += 4) {
		uint32_t value = sub[0] | (uint32_t)sub[1] << 8 | (uint32_t)sub[2] << 16 | (uint32_t)sub[3] << 24;

		*at++ = '-';
		at = print_number(at, value);
	}
	*at = '\0';
	return true;
}

/* Reads "-number" with number <= max; hex after "0x" when allowed. NULL when there is none. */
static const char *read_number(const char *at, bool hex, uint64_t max, uint64_t *number)
{
	unsigned base = 10;
	const char *start;
	int digit;

	if (*at++ != '-')
		return NULL;
	if (hex && at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
		base = 16;
		at += 2;
	}
	start = at;
	for (*number = 0; (digit = certdir_hex_digit(*at)) >= 0 && digit < (int)base; at++) {
		*number = *number * base + (unsigned)digit;
		if (*number > max)
			return NULL;
	}
	return at > start ? at : NULL;
}

size_t certdir_sid_to_bytes(const char *sid, unsigned char bytes[68])
{
	uint64_t number;
	size_t count = 0;

	if (sid[0] != 'S' && sid[0] != 's')
		return 0;
	sid = read_number(sid + 1, false, 1, &number);
	if (!sid || number != 1)
		return 0;
	sid = read_number(sid, true, (UINT64_C(1) << 48) - 1, &number);
	if (!sid)
		return 0;
	for (size_t i = 0; i < 6; i++)
		bytes[2 + i] = (unsigned char)(number >> (40 - 8 * i));
	for (; *sid; count++) {
		if (count == SUBS_MAX)
			return 0;
		sid = read_number(sid, false, UINT32_MAX, &number);
		if (!sid)
			return 0;
		for (size_t i = 0; i < 4; i++)
			bytes[8 + 4 * count + i] = (unsigned char)(number >> (8 * i));
	}
	bytes[0] = 1;
	bytes[1] = (unsigned char)count;
	return count ? 8 + 4 * count : 0;
}

bool certdir_sid_object_id(const char *sid, char guid[37])
{
	static const unsigned char entra[] = {1, 5, 0, 0, 0, 0, 0, 12, 1, 0, 0, 0}, none[16];
	unsigned char bytes[68];

	if (certdir_sid_to_bytes(sid, bytes) != sizeof(entra) + 16 || memcmp(bytes, entra, sizeof(entra)) != 0 ||
	    memcmp(bytes + sizeof(entra), none, sizeof(none)) == 0)
		return false;
	certdir_guid_from_bytes(bytes + sizeof(entra), guid);
	return true;
}
