/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "text/utf8.h"

#include <stdio.h>
#include <string.h>

static size_t utf8_length(uint32_t character)
{
	if (character < 0x80)
		return 1;
	if (character < 0x800)
		return 2;
	if (character < 0x10000)
		return character >= 0xd800 && character <= 0xdfff ? 0 : 3;
	return character <= 0x10ffff ? 4 : 0;
}

size_t certdir_utf8_read(const char *bytes, size_t length, uint32_t *character)
{
	unsigned char first = (unsigned char)bytes[0];
	size_t size = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;
	uint32_t value = size == 1 ? first : first & (0x7fU >> size);

	if (size == 0 || size > length)
		return 0;
	for (size_t i = 1; i < size; i++) {
		unsigned char next = (unsigned char)bytes[i];

		if ((next & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (next & 0x3fU);
	}
	*character = value;
	/* The one right length refuses overlong forms and surrogates at once. */
	return utf8_length(value) == size ? size : 0;
}

size_t certdir_utf8_write(uint32_t character, char bytes[4])
{
	size_t size = utf8_length(character);

	if (size == 0)
		return 0;
	if (size == 1) {
		bytes[0] = (char)character;
		return 1;
	}
	for (size_t i = size - 1; i > 0; i--, character >>= 6)
		bytes[i] = (char)(0x80 | (character & 0x3f));
	bytes[0] = (char)((0xf00U >> size & 0xff) | character);
	return size;
}

bool certdir_utf8_control(uint32_t character)
{
	return character < 0x20 || (character >= 0x7f && character < 0xa0);
}

bool certdir_utf8_reorders(uint32_t character)
{
	return character == 0x061c || character == 0x200e || character == 0x200f ||
	       (character >= 0x202a && character <= 0x202e) || (character >= 0x2066 && character <= 0x2069);
}

bool certdir_utf8_hidden(uint32_t character)
{
	return certdir_utf8_control(character) || character == 0x2028 || character == 0x2029 ||
	       certdir_utf8_reorders(character);
}

enum certdir_text_fault certdir_text_fault(const char *bytes, size_t length)
{
	uint32_t character;
	size_t size;

	if (length > 0 && memchr(bytes, 0, length))
		return CERTDIR_TEXT_NUL;
	for (size_t i = 0; i < length; i += size) {
		size = 1;
		if (bytes[i] >= ' ' && bytes[i] <= '~')
			continue;
		size = certdir_utf8_read(bytes + i, length - i, &character);
		if (size == 0)
			return CERTDIR_TEXT_NOT_UTF8;
		if (certdir_utf8_control(character))
			return CERTDIR_TEXT_CONTROL;
	}
	return CERTDIR_TEXT_CLEAN;
}

void certdir_utf8_escape(const char *text, char *out, size_t size)
{
	size_t length = strlen(text), used = 0, bytes, room;
	uint32_t character;

	for (; length > 0; text += bytes, length -= bytes) {
		char escaped[8];
		const char *from = text;

		room = certdir_utf8_read(text, length, &character);
		bytes = room ? room : 1;
		if (room && certdir_utf8_reorders(character)) {
			room = (size_t)snprintf(escaped, sizeof(escaped), "\\u%04x", (unsigned)(character & 0xffff));
			from = escaped;
		} else {
			room = bytes;
		}
		if (used + room >= size)
			break;
		memcpy(out + used, from, room);
		used += room;
	}
	out[used] = '\0';
}
