/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/certdir.h"

void certdir_vsay(char text[CERTDIR_TEXT_MAX], const char *format, va_list arguments)
{
	static const char more[] = "..";
	const int length = vsnprintf(text, CERTDIR_TEXT_MAX, format, arguments);
	size_t cut = CERTDIR_TEXT_MAX - sizeof(more);

	if (length < CERTDIR_TEXT_MAX)
		return;
	/* Back to the first byte of the character that would be cut. */
	while (cut > 0 && ((unsigned char)text[cut] & 0xc0) == 0x80)
		cut--;
	memcpy(text + cut, more, sizeof(more));
}

void certdir_say(char text[CERTDIR_TEXT_MAX], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	certdir_vsay(text, format, arguments);
	va_end(arguments);
}

void certdir_error_set(struct certdir_error *error, const char *format, ...)
{
	va_list arguments;

	error->about = NULL;
	va_start(arguments, format);
	certdir_vsay(error->text, format, arguments);
	va_end(arguments);
}

void certdir_error_set_about(struct certdir_error *error, const char *about, const char *format, ...)
{
	va_list arguments;

	error->about = about;
	va_start(arguments, format);
	certdir_vsay(error->text, format, arguments);
	va_end(arguments);
}

char *certdir_print(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	return text;
}
