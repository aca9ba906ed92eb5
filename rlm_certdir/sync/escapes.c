/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/escapes.h"

#include <string.h>

#include "text/hex.h"

enum { UNIT = 6 /* bytes of \uXXXX */, PAIR = CERTDIR_ESCAPES_HELD };

/* Reads the four digits of a \uXXXX; -1 when there are less, -2 when one of those that are there is none. */
static int read_unit(const char *digits, size_t length)
{
	int unit = 0;

	for (size_t i = 0; i < 4; i++) {
		const int digit = i < length ? certdir_hex_digit(digits[i]) : 0;

		if (i >= length)
			return -1;
		if (digit < 0)
			return -2;
		unit = unit * 16 + digit;
	}
	return unit;
}

/*
 * How many bytes the escape at `at` has, a surrogate pair counted as one; 0 when `length` bytes do not tell. What is no
 * escape at all is left to the parser.
 */
static size_t escape_length(const char *at, size_t length, bool *lone)
{
	int unit;

	*lone = false;
	if (length < 2)
		return 0;
	if (at[1] != 'u')
		return 2;
	unit = read_unit(at + 2, length - 2);
	if (unit < 0)
		return unit == -1 ? 0 : 2;
	if (unit < 0xd800 || unit > 0xdfff)
		return UNIT;
	*lone = true;
	if (unit >= 0xdc00 || (length > UNIT && at[UNIT] != '\\') || (length > UNIT + 1 && at[UNIT + 1] != 'u'))
		return UNIT;
	if (length < UNIT + 2)
		return 0;
	unit = read_unit(at + UNIT + 2, length - UNIT - 2);
	if (unit == -1)
		return 0;
	*lone = unit < 0xdc00 || unit > 0xdfff;
	return *lone ? UNIT : PAIR;
}

/* Gives away what is held back, as far as it can be told what it is. Behind a lone surrogate, bytes of another text may be held. */
static bool release(struct certdir_escapes *escapes, certdir_escapes_take take, void *context)
{
	while (escapes->length > 0) {
		bool lone = false;
		const size_t length =
			escapes->held[0] == '\\' ? escape_length(escapes->held, escapes->length, &lone) : 1;

		if (length == 0)
			break;
		if (!take(context, lone ? "\\ufffd" : escapes->held, length))
			return false;
		escapes->length -= length;
		memmove(escapes->held, escapes->held + length, escapes->length);
	}
	return true;
}

/* In one piece unless there is a lone surrogate in it: a parser that gets a text in two has to copy it. */
bool certdir_escapes_feed(struct certdir_escapes *escapes, const char *bytes, size_t length, certdir_escapes_take take,
			  void *context)
{
	const char *const end = bytes + length, *at;
	size_t escape;
	bool lone;

	while (escapes->length > 0 && bytes < end) {
		escapes->held[escapes->length++] = *bytes++;
		if (!release(escapes, take, context))
			return false;
	}
	for (at = bytes; at < end && (at = memchr(at, '\\', (size_t)(end - at))); at += escape) {
		escape = escape_length(at, (size_t)(end - at), &lone);
		if (escape > 0 && !lone)
			continue;
		if (at > bytes && !take(context, bytes, (size_t)(at - bytes)))
			return false;
		bytes = at + escape;
		if (escape == 0) {
			escapes->length = (size_t)(end - at);
			memcpy(escapes->held, at, escapes->length);
			return true;
		}
		if (!take(context, "\\ufffd", UNIT))
			return false;
	}
	return bytes == end || take(context, bytes, (size_t)(end - bytes));
}
