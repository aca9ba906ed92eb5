/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/input.h"

#include <errno.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char *too_large(const char *file, char *bytes, struct certdir_error *error)
{
	certdir_error_set(error, "%s is larger than %d MiB: no list of devices or certificates is, see what it is",
			  file, CERTDIR_INPUT_MAX >> 20);
	free(bytes);
	return NULL;
}

/* Whether a regular file says itself that it is too large: it may be sparse, and need not be read to be refused. */
static bool is_too_large(FILE *in)
{
	struct stat status;

	return fstat(fileno(in), &status) == 0 && S_ISREG(status.st_mode) && status.st_size > CERTDIR_INPUT_MAX;
}

static char *read_all(FILE *in, const char *file, size_t *length, struct certdir_error *error)
{
	size_t room = 0;
	char *bytes = NULL;

	*length = 0;
	if (is_too_large(in))
		return too_large(file, bytes, error);
	do {
		if (*length > CERTDIR_INPUT_MAX)
			return too_large(file, bytes, error);
		if (*length + 1 >= room) {
			char *grown = realloc(bytes, room = room ? room * 2 : 65536);

			if (!grown) {
				certdir_error_set(error, "%s: out of memory", file);
				free(bytes);
				return NULL;
			}
			bytes = grown;
		}
		*length += fread(bytes + *length, 1, room - *length - 1, in);
	} while (!feof(in) && !ferror(in));
	if (ferror(in)) {
		certdir_error_set(error, "%s cannot be read: %s", file, strerror(errno));
		free(bytes);
		return NULL;
	}
	bytes[*length] = '\0';
	return bytes;
}

/* A UTF-16 text without its mark to UTF-8. */
static char *from_utf16(const char *charset, char *bytes, size_t *length, const char *file, struct certdir_error *error)
{
	/* Two bytes become three at most. */
	size_t room = *length / 2 * 3 + 1, left = room - 1, in_left = *length;
	char *text = malloc(room), *out = text, *in = bytes;
	iconv_t conversion = iconv_open("UTF-8", charset);
	bool ok = false;

	if (!text || conversion == (iconv_t)-1)
		certdir_error_set(error, "%s is %s and cannot be converted: save it as UTF-8", file, charset);
	else if (iconv(conversion, &in, &in_left, &out, &left) == (size_t)-1)
		certdir_error_set(error, "%s is not valid %s at byte %zu: save it as UTF-8", file, charset,
				  *length - in_left + 2);
	else
		ok = true;
	if (conversion != (iconv_t)-1)
		(void)iconv_close(conversion);
	if (!ok) {
		free(text);
		return NULL;
	}
	*length = (size_t)(out - text);
	*out = '\0';
	return text;
}

/* UTF-8's byte order marks: programs that read one may write another before it, and the first column would bear it. */
static void drop_marks(char *bytes, size_t *length)
{
	size_t marks = 0;

	while (*length - marks >= 3 && memcmp(bytes + marks, "\xef\xbb\xbf", 3) == 0)
		marks += 3;
	*length -= marks;
	memmove(bytes, bytes + marks, *length + 1);
}

char *certdir_input_read(const char *file, size_t *length, struct certdir_error *error)
{
	FILE *in = strcmp(file, "-") == 0 ? stdin : fopen(file, "re");
	char *bytes, *text;

	if (!in) {
		certdir_error_set(error, "%s cannot be read: %s", file, strerror(errno));
		return NULL;
	}
	bytes = read_all(in, file, length, error);
	if (in != stdin)
		(void)fclose(in);
	if (!bytes)
		return NULL;
	drop_marks(bytes, length);
	if (*length < 2 || (memcmp(bytes, "\xff\xfe", 2) != 0 && memcmp(bytes, "\xfe\xff", 2) != 0))
		return bytes;
	*length -= 2;
	text = from_utf16((unsigned char)bytes[0] == 0xff ? "UTF-16LE" : "UTF-16BE", bytes + 2, length, file, error);
	free(bytes);
	if (text)
		drop_marks(text, length);
	return text;
}
