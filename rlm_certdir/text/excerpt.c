/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "text/excerpt.h"

#include <stdio.h>
#include <string.h>

#include "text/utf8.h"

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

/* ---- in quotes ---- */

/* How many bytes of a plain character start here, 0 = it needs an escape. */
static size_t plain(const char *bytes, size_t length)
{
	uint32_t character;
	const size_t size = certdir_utf8_read(bytes, length, &character);

	return size > 0 && !certdir_utf8_control(character) && character != '"' && character != '\\' ? size : 0;
}

const char *certdir_excerpt_quote(const char *bytes, size_t length, char out[CERTDIR_EXCERPT_QUOTED])
{
	/* Room for one more character or escape, `".."` and NUL. */
	enum { FULL = CERTDIR_EXCERPT_QUOTED - 4 - 4 };
	size_t at = 0, used = 0;

	out[used++] = '"';
	while (at < length && used < FULL) {
		const size_t size = plain(bytes + at, length - at);

		if (size > 0) {
			memcpy(out + used, bytes + at, size);
			used += size;
			at += size;
		} else {
			used += (size_t)snprintf(out + used, CERTDIR_EXCERPT_QUOTED - used, "\\%02x",
						 (unsigned char)bytes[at]);
			at++;
		}
	}
	(void)strcpy(out + used, at < length ? "\".." : "\"");
	return out;
}
