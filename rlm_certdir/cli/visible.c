/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/visible.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "text/excerpt.h"
#include "text/utf8.h"

enum { CHARACTER_MAX = 4 };

struct output {
	int fd;
	bool plain, used;
	char begun[CHARACTER_MAX]; /* the first bytes of a character whose others come with the next write */
	size_t length;
};

static struct output outputs[] = {{.fd = STDOUT_FILENO}, {.fd = STDERR_FILENO}};

/* Whether the bytes are the beginning of a character that may be one of those, and not all of it. */
static bool is_begun(const char *bytes, size_t length)
{
	return length < 3 && (bytes[0] == '\xe2' || (bytes[0] == '\xd8' && length < 2));
}

/* Writes up to where a character is cut; that is kept. */
static bool write_visibly(struct output *output, const char *bytes, size_t length)
{
	size_t done = 0, size;
	uint32_t character;

	for (size_t at = 0; at < length; at += size) {
		char escaped[8];

		if (is_begun(bytes + at, length - at)) {
			memcpy(output->begun, bytes + at, length - at);
			output->length = length - at;
			return certdir_file_write(output->fd, bytes + done, at - done);
		}
		size = certdir_utf8_read(bytes + at, length - at, &character);
		if (size == 0 || !certdir_utf8_reorders(character)) {
			size = size ? size : 1;
			continue;
		}
		(void)snprintf(escaped, sizeof(escaped), "\\u%04x", character);
		if (!certdir_file_write(output->fd, bytes + done, at - done) ||
		    !certdir_file_write(output->fd, escaped, strlen(escaped)))
			return false;
		done = at + size;
	}
	return certdir_file_write(output->fd, bytes + done, length - done);
}

/* What was kept, with as much of the new as makes it whole, and then the rest. */
static ssize_t write_output(void *cookie, const char *bytes, size_t length)
{
	struct output *output = cookie;
	size_t used = 0;

	output->used = true;
	if (output->plain)
		return certdir_file_write(output->fd, bytes, length) ? (ssize_t)length : 0;
	if (output->length) {
		char whole[CHARACTER_MAX];
		size_t size = output->length;

		memcpy(whole, output->begun, size);
		output->length = 0;
		do
			whole[size++] = bytes[used++];
		while (used < length && is_begun(whole, size));
		if (!write_visibly(output, whole, size))
			return 0;
	}
	return write_visibly(output, bytes + used, length - used) ? (ssize_t)length : 0;
}

void certdir_cli_visible_begin(void)
{
	static const cookie_io_functions_t functions = {.write = write_output};
	FILE *out = fopencookie(&outputs[0], "w", functions), *error = fopencookie(&outputs[1], "w", functions);

	if (out) {
		(void)setvbuf(out, NULL, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF, BUFSIZ);
		stdout = out;
	}
	if (error) {
		(void)setvbuf(error, NULL, _IOLBF, BUFSIZ);
		stderr = error;
	}
}

void certdir_cli_visible_end(void)
{
	(void)fflush(stdout);
	outputs[0].plain = true;
}

bool certdir_cli_visible_silent(void)
{
	return fflush(stdout) == 0 && !outputs[0].used;
}

char *certdir_cli_visible_copy(const char *text)
{
	const size_t size = strlen(text) + 1;
	char *copy = malloc(size);

	if (copy)
		certdir_excerpt_clean(copy, size, text);
	return copy;
}
