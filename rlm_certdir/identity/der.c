/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity/der.h"

#include <string.h>

#include "text/utf8.h"

bool certdir_der_take(struct certdir_der *rest, unsigned *tag, struct certdir_der *content)
{
	const unsigned char *at = rest->bytes;
	size_t left = rest->length, length;

	if (left < 2 || (at[0] & 0x1f) == 0x1f)
		return false;
	*tag = at[0];
	length = at[1];
	at += 2;
	left -= 2;
	if (length >= 0x80) {
		size_t octets = length & 0x7f;

		if (octets == 0 || octets > 4 || octets > left)
			return false;
		for (length = 0; octets > 0; octets--, left--)
			length = length << 8 | *at++;
	}
	if (length > left)
		return false;
	*content = (struct certdir_der){at, length};
	*rest = (struct certdir_der){at + length, left - length};
	return true;
}

bool certdir_der_expect(struct certdir_der *rest, unsigned tag, struct certdir_der *content)
{
	unsigned found;

	return certdir_der_take(rest, &found, content) && found == tag;
}

bool certdir_der_only(struct certdir_der whole, unsigned tag, struct certdir_der *content)
{
	return certdir_der_expect(&whole, tag, content) && whole.length == 0;
}

bool certdir_der_equal(struct certdir_der content, const char *oid, size_t length)
{
	return content.length == length && memcmp(content.bytes, oid, length) == 0;
}

/* Appends a number at *used; false when it and a NUL do not fit. Not snprintf, which takes longer than all of an extension. */
static bool append_number(uint64_t number, char *out, size_t size, size_t *used)
{
	char digits[20];
	size_t count = 0;

	do
		digits[count++] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	if (count >= size - *used)
		return false;
	while (count > 0)
		out[(*used)++] = digits[--count];
	out[*used] = '\0';
	return true;
}

bool certdir_der_oid(struct certdir_der content, char *out, size_t size)
{
	uint64_t arc = 0;
	size_t used = 0;

	if (content.length == 0 || content.bytes[content.length - 1] & 0x80)
		return false;
	for (size_t i = 0; i < content.length; i++) {
		const unsigned char byte = content.bytes[i];

		if ((arc == 0 && byte == 0x80) || arc >> 56)
			return false;
		arc = arc << 7 | (byte & 0x7f);
		if (byte & 0x80)
			continue;
		if (used == 0) {
			/* The first two arcs stand in one number (X.690, 8.19.4). */
			const uint64_t top = arc < 80 ? arc / 40 : 2;

			if (!append_number(top, out, size, &used))
				return false;
			arc -= top * 40;
		}
		if (size - used < 2)
			return false;
		out[used++] = '.';
		if (!append_number(arc, out, size, &used))
			return false;
		arc = 0;
	}
	return true;
}

/* Bytes of one character of this string type, 0 for UTF-8, -1 for what is no string. */
static int text_width(unsigned tag)
{
	switch (tag) {
	case 12: /* UTF8String */
		return 0;
	case 18: /* NumericString */
	case 19: /* PrintableString */
	case 20: /* T61String */
	case 22: /* IA5String */
	case 26: /* VisibleString */
		return 1;
	case 28: /* UniversalString */
		return 4;
	case 30: /* BMPString */
		return 2;
	default:
		return -1;
	}
}

bool certdir_der_is_text(unsigned tag)
{
	return text_width(tag) >= 0;
}

static uint32_t text_unit(const unsigned char *bytes, size_t width)
{
	uint32_t unit = 0;

	for (size_t i = 0; i < width; i++)
		unit = unit << 8 | bytes[i];
	return unit;
}

/* Reads one character of `width` bytes a unit; a surrogate pair of UTF-16 is one. Returns bytes used, 0 when broken. */
static size_t text_character(const unsigned char *bytes, size_t left, size_t width, uint32_t *character)
{
	uint32_t low;

	if (left < width)
		return 0;
	*character = text_unit(bytes, width);
	if (width != 2 || *character < 0xd800 || *character > 0xdbff)
		return width;
	if (left < 4)
		return 0;
	low = text_unit(bytes + 2, 2);
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	*character = 0x10000 + ((*character - 0xd800) << 10) + (low - 0xdc00);
	return 4;
}

bool certdir_der_text(unsigned tag, struct certdir_der content, char *out, size_t *out_length, const char **why)
{
	int width = text_width(tag);
	size_t used, length = 0;

	if (width < 0) {
		*why = "not a string type";
		return false;
	}
	for (size_t i = 0; i < content.length; i += used) {
		uint32_t character = content.bytes[i];
		char utf8[4] = {(char)content.bytes[i]};
		size_t size = 1;

		used = 1;
		if (width > 0) {
			used = text_character(content.bytes + i, content.length - i, (size_t)width, &character);
			size = used ? certdir_utf8_write(character, utf8) : 0;
		}
		if (size == 0) {
			*why = "not the characters of its string type";
			return false;
		}
		if (length + size > CERTDIR_VALUE_MAX) {
			*why = "longer than 255 bytes";
			return false;
		}
		memcpy(out + length, utf8, size);
		length += size;
	}
	*out_length = length;
	return true;
}
