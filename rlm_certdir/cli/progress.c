/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/progress.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/background.h"

enum { SECOND = 1000000, PAUSE = SECOND / 10, LINE_MAX_BYTES = 200 };

/* The log speaks from any thread; all else is the main thread's. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static struct {
	bool on;
	size_t drawn; /* lines that stand there */
	size_t height; /* of the terminal */
	int width;
	int64_t begun; /* the topic, or what comes before it; microseconds, as drawn_at */
	int64_t drawn_at;
	char topic[80], what[80];
	size_t objects;
} block;

static void clear(void)
{
	for (; block.drawn > 0; block.drawn--)
		fputs(block.drawn > 1 ? "\r\033[K\033[A" : "\r\033[K", stderr);
}

void certdir_cli_progress_clear(void)
{
	(void)pthread_mutex_lock(&mutex);
	clear();
	(void)fflush(stderr); /* what comes now goes to standard output */
	(void)pthread_mutex_unlock(&mutex);
}

static void log_between(enum certdir_log_level level, const char *text)
{
	static const char *const prefix[] = {"", "warning: ", "error: "};

	(void)pthread_mutex_lock(&mutex);
	clear();
	fprintf(stderr, "certdir: %s%s\n", prefix[level], text);
	(void)pthread_mutex_unlock(&mutex);
}

void certdir_cli_progress_begin(void)
{
	memset(&block, 0, sizeof(block));
	block.on = isatty(STDERR_FILENO);
	block.begun = certdir_monotonic();
	if (block.on)
		certdir_log_set(log_between);
}

/* ---- lines ---- */

static void draw_begin(void)
{
	struct winsize size = {0};

	(void)pthread_mutex_lock(&mutex);
	clear();
	block.width = LINE_MAX_BYTES;
	block.height = 24;
	/* A line that wraps, and one that scrolls away, cannot be written over. */
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 && size.ws_row > 1) {
		block.width = size.ws_col - 1;
		block.height = size.ws_row;
	}
}

static void draw_end(void)
{
	block.drawn_at = certdir_monotonic();
	(void)fflush(stderr);
	(void)pthread_mutex_unlock(&mutex);
}

/* Within draw_begin() and draw_end(). */
void certdir_cli_progress_line(const char *format, ...)
{
	char text[LINE_MAX_BYTES];
	va_list arguments;

	if (block.drawn + 1 >= block.height)
		return;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	fprintf(stderr, "%s%.*s", block.drawn ? "\n" : "", block.width, text);
	block.drawn++;
}

bool certdir_cli_progress_lines(void)
{
	if (!block.on || certdir_monotonic() - block.drawn_at < PAUSE)
		return false;
	draw_begin();
	return true;
}

void certdir_cli_progress_drawn(void)
{
	draw_end();
}

int64_t certdir_cli_progress_next(void)
{
	return block.on ? certdir_monotonic() + PAUSE : INT64_MAX;
}

/* ---- one topic after the other ---- */

static void draw(int64_t now)
{
	int64_t elapsed = now - block.begun;

	draw_begin();
	certdir_cli_progress_line("%s: %s, %" PRIu64 " a second", block.topic, block.what,
				  elapsed > 0 ? (uint64_t)block.objects * SECOND / (uint64_t)elapsed : 0);
	draw_end();
}

/* The line of the topic that is over shows its last numbers and stays. */
static void finish_topic(void)
{
	if (block.topic[0] == '\0')
		return;
	draw(certdir_monotonic());
	fputc('\n', stderr);
	block.drawn = 0;
	block.begun = block.drawn_at;
}

void certdir_cli_progress_show(const char *topic, const char *what, size_t objects)
{
	int64_t now = certdir_monotonic();

	if (!block.on)
		return;
	if (strcmp(topic, block.topic) != 0) {
		finish_topic();
		(void)snprintf(block.topic, sizeof(block.topic), "%s", topic);
		block.drawn_at = 0;
	}
	(void)snprintf(block.what, sizeof(block.what), "%s", what);
	block.objects = objects;
	if (now - block.drawn_at >= PAUSE)
		draw(now);
}

void certdir_cli_progress_end(void)
{
	if (!block.on)
		return;
	certdir_cli_progress_clear();
	finish_topic();
	block.on = false;
	certdir_log_set(NULL);
}
