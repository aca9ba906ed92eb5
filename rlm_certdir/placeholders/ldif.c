/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placeholders/ldif.h"

#include <stdbool.h>
#include <string.h>

static bool is_safe(const char *bytes, size_t length)
{
	if (length == 0)
		return true;
	if (memchr(" :<", bytes[0], 3) || bytes[length - 1] == ' ')
		return false;
	for (size_t i = 0; i < length; i++)
		if (bytes[i] < ' ' || bytes[i] > '~')
			return false;
	return true;
}

static void print_base64(FILE *out, const unsigned char *bytes, size_t length)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < length; i += 3) {
		const size_t left = length - i;
		const unsigned b = left > 1 ? bytes[i + 1] : 0, c = left > 2 ? bytes[i + 2] : 0;
		const unsigned group = (unsigned)bytes[i] << 16 | b << 8 | c;

		(void)fputc(digits[group >> 18], out);
		(void)fputc(digits[group >> 12 & 63], out);
		(void)fputc(left > 1 ? digits[group >> 6 & 63] : '=', out);
		(void)fputc(left > 2 ? digits[group & 63] : '=', out);
	}
}

void certdir_ldif_print(FILE *out, const char *name, const char *bytes, size_t length)
{
	if (is_safe(bytes, length)) {
		(void)fprintf(out, length > 0 ? "%s: " : "%s:", name);
		(void)fwrite(bytes, 1, length, out);
	} else {
		(void)fprintf(out, "%s:: ", name);
		print_base64(out, (const unsigned char *)bytes, length);
	}
	(void)fputc('\n', out);
}
