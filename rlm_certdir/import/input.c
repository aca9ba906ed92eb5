/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/input.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
	const bool standard = strcmp(file, "-") == 0;
	const int in = standard ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
	char *bytes = in >= 0 ? certdir_file_load(in, CERTDIR_INPUT_MAX, length) : NULL, *text;

	if (!bytes && errno == EFBIG)
		certdir_error_set(error,
				  "%s is larger than %d MiB: no list of devices or certificates is, see what it is",
				  file, CERTDIR_INPUT_MAX >> 20);
	else if (!bytes && errno == ENOMEM)
		certdir_error_set(error, "%s: out of memory", file);
	else if (!bytes)
		certdir_error_set(error, "%s cannot be read: %s", file, strerror(errno));
	if (in >= 0 && !standard)
		(void)close(in);
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
