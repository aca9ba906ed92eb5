/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/failure.h"

#include <stdarg.h>
#include <stdio.h>

#include "cli/json.h"
#include "text/excerpt.h"

/* The last one is what ends the command. Programs are told of one failure, so that there is no list of them. */
static struct {
	char text[CERTDIR_TEXT_MAX], file[CERTDIR_TEXT_MAX], option[CERTDIR_TEXT_MAX];
} kept;

/* JSON is UTF-8, and names of files may be anything. */
void certdir_cli_failure_keep(const char *file, const char *option, const char *text)
{
	certdir_excerpt_clean(kept.text, sizeof(kept.text), text);
	certdir_excerpt_clean(kept.file, sizeof(kept.file), file ? file : "");
	certdir_excerpt_clean(kept.option, sizeof(kept.option), option ? option : "");
}

static void say(const char *file, const char *option, const char *format, va_list arguments)
{
	char text[CERTDIR_TEXT_MAX];
	va_list again;

	va_copy(again, arguments);
	certdir_vsay(text, format, again);
	va_end(again);
	certdir_cli_failure_keep(file, option, text);
	fputs("certdir: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

int certdir_cli_fail(int code, const char *file, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(file, NULL, format, arguments);
	va_end(arguments);
	return code;
}

int certdir_cli_fail_option(int code, const char *option, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(NULL, option, format, arguments);
	va_end(arguments);
	return code;
}

bool certdir_cli_failure_print(int code)
{
	const char *text = kept.text[0] ? kept.text : "standard error says why";

	return certdir_cli_json_print(json_pack("{s:{s:s,s:o,s:o,s:i}}", "error", "text", text, "file",
						certdir_cli_json_text(kept.file[0] ? kept.file : NULL), "option",
						certdir_cli_json_text(kept.option[0] ? kept.option : NULL), "exit",
						code));
}
