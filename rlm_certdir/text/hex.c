/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "text/hex.h"

#include <stdlib.h>

int certdir_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int certdir_hex_byte(const char *text)
{
	const int high = certdir_hex_digit(text[0]), low = high < 0 ? -1 : certdir_hex_digit(text[1]);

	return low < 0 ? -1 : high << 4 | low;
}

char *certdir_hex_put(char *out, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";

	*out++ = digits[byte >> 4];
	*out++ = digits[byte & 15];
	return out;
}

void certdir_hex_print(const void *bytes, size_t length, char *out)
{
	for (size_t i = 0; i < length; i++)
		out = certdir_hex_put(out, ((const unsigned char *)bytes)[i]);
	*out = '\0';
}

char *certdir_hex_copy(const void *bytes, size_t length)
{
	char *hex = malloc(2 * length + 1);

	if (hex)
		certdir_hex_print(bytes, length, hex);
	return hex;
}
