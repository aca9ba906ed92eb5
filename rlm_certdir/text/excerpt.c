/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "text/excerpt.h"

#include "text/utf8.h"

#include <string.h>

const char *certdir_excerpt(char *out, size_t size, const char *text, size_t length)
{
	static const char more[] = "..";
	size_t used = 0, bytes;
	uint32_t character;

	while (used < length) {
		bytes = certdir_utf8_read(text + used, length - used, &character);
		if (bytes == 0 || used + bytes > size - sizeof(more))
			break;
		if (certdir_utf8_hidden(character))
			memset(out + used, ' ', bytes);
		else
			memcpy(out + used, text + used, bytes);
		used += bytes;
	}
	memcpy(out + used, used < length ? more : "", used < length ? sizeof(more) : 1);
	return out;
}

void certdir_excerpt_clean(char *out, size_t size, const char *text)
{
	size_t left = strlen(text), used = 0, bytes;
	uint32_t character;

	for (; left > 0; text += bytes, left -= bytes) {
		const char *shown = text;
		size_t room;

		bytes = room = certdir_utf8_read(text, left, &character);
		if (bytes == 0 || certdir_utf8_hidden(character)) {
			bytes = bytes ? bytes : 1;
			shown = "?";
			room = 1;
		}
		if (used + room >= size)
			break;
		memcpy(out + used, shown, room);
		used += room;
	}
	out[used] = '\0';
}
