/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/certdir.h"

static void log_to_stderr(enum certdir_log_level level, const char *text)
{
	static const char *const prefix[] = {"", "warning: ", "error: "};

	fprintf(stderr, "certdir: %s%s\n", prefix[level], text);
}

static _Atomic(certdir_log_function) sink = log_to_stderr;

void certdir_log_set(certdir_log_function function)
{
	atomic_store(&sink, function ? function : log_to_stderr);
}

void certdir_log(enum certdir_log_level level, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	atomic_load (&sink)(level, text);
}
