/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/journal_lines.h"

#include <stdlib.h>
#include <string.h>

#include "cli/replay_line.h"

struct lines {
	certdir_cli_journal_take take;
	void *context;
	size_t number;
	bool skipping; /* the rest of a line that is too long */
	bool ended; /* nobody wants more */
};

static void give(struct lines *lines, const char *text, size_t length)
{
	lines->ended = (length || !text) && !lines->take(lines->context, text, length, lines->number);
}

/* All whole lines of the buffer. Returns how many bytes they took. */
static size_t take_lines(struct lines *lines, const char *buffer, size_t filled)
{
	size_t begin = 0;
	const char *end;

	while (!lines->ended && (end = memchr(buffer + begin, '\n', filled - begin))) {
		const size_t length = (size_t)(end - buffer) - begin;

		lines->number++;
		if (!lines->skipping)
			give(lines, buffer + begin, length);
		lines->skipping = false;
		begin += length + 1;
	}
	return begin;
}

bool certdir_cli_journal_each(FILE *in, certdir_cli_journal_take take, void *context)
{
	struct lines lines = {.take = take, .context = context};
	char *buffer = malloc(CERTDIR_CLI_REPLAY_LINE_MAX);
	size_t filled = 0, more, taken;

	while (buffer && !lines.ended &&
	       (more = fread(buffer + filled, 1, CERTDIR_CLI_REPLAY_LINE_MAX - filled, in)) > 0) {
		filled += more;
		taken = take_lines(&lines, buffer, filled);
		filled -= taken;
		memmove(buffer, buffer + taken, filled);
		if (filled < CERTDIR_CLI_REPLAY_LINE_MAX)
			continue;
		lines.number++;
		if (!lines.skipping)
			give(&lines, NULL, 0);
		lines.number--;
		lines.skipping = true;
		filled = 0;
	}
	lines.number++;
	if (buffer && !lines.ended && !lines.skipping)
		give(&lines, buffer, filled);
	free(buffer);
	return buffer;
}
