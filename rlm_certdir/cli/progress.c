/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/progress.h"

#include "background.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { SECOND = 1000000, PAUSE = SECOND / 10, LINE_MAX_BYTES = 200 };

static struct {
	bool on;
	bool drawn; /* something stands in the line */
	int64_t begun; /* the topic, or what comes before it; microseconds, as drawn_at */
	int64_t drawn_at;
	char topic[80], what[80];
	size_t objects;
} line;

static void log_between(enum certdir_log_level level, const char *text)
{
	static const char *const prefix[] = {"", "warning: ", "error: "};

	certdir_cli_progress_clear();
	fprintf(stderr, "certdir: %s%s\n", prefix[level], text);
}

void certdir_cli_progress_begin(void)
{
	memset(&line, 0, sizeof(line));
	line.on = isatty(STDERR_FILENO);
	line.begun = certdir_monotonic();
	if (line.on)
		certdir_log_set(log_between);
}

static void draw(int64_t now)
{
	struct winsize size = {0};
	char text[LINE_MAX_BYTES];
	int64_t elapsed = now - line.begun;
	int width = LINE_MAX_BYTES;

	(void)snprintf(text, sizeof(text), "%s: %s, %" PRIu64 " a second", line.topic, line.what,
		       elapsed > 0 ? (uint64_t)line.objects * SECOND / (uint64_t)elapsed : 0);
	/* A line that wraps cannot be written over. */
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
		width = size.ws_col - 1;
	fprintf(stderr, "\r%.*s\033[K", width, text);
	line.drawn = true;
	line.drawn_at = now;
}

/* The line of the topic that is over shows its last numbers and stays. */
static void finish_topic(void)
{
	if (line.topic[0] == '\0')
		return;
	draw(certdir_monotonic());
	fputc('\n', stderr);
	line.drawn = false;
	line.begun = line.drawn_at;
}

void certdir_cli_progress_show(const char *topic, const char *what, size_t objects)
{
	int64_t now = certdir_monotonic();

	if (!line.on)
		return;
	if (strcmp(topic, line.topic) != 0) {
		finish_topic();
		(void)snprintf(line.topic, sizeof(line.topic), "%s", topic);
		line.drawn_at = 0;
	}
	(void)snprintf(line.what, sizeof(line.what), "%s", what);
	line.objects = objects;
	if (now - line.drawn_at >= PAUSE)
		draw(now);
}

void certdir_cli_progress_clear(void)
{
	if (line.drawn)
		fputs("\r\033[K", stderr);
	line.drawn = false;
}

void certdir_cli_progress_end(void)
{
	if (!line.on)
		return;
	finish_topic();
	line.on = false;
	certdir_log_set(NULL);
}
