/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a command fails: people read it on standard error, and programs that asked for --json as an object on standard output. */
#ifndef CERTDIR_CLI_FAILURE_H
#define CERTDIR_CLI_FAILURE_H

#include <stdbool.h>

/*
 * Says "certdir: TEXT" on standard error and keeps the text for certdir_cli_failure_print(). `file` is the file that is at fault, or
 * NULL when it is none. Returns `code`, the exit code that the command is going to end with.
 */
int certdir_cli_fail(int code, const char *file, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same of an option, as it is typed. */
int certdir_cli_fail_option(int code, const char *option, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Only keeps it, where standard error has it already. Texts are copied; `file` and `option` may be NULL. */
void certdir_cli_failure_keep(const char *file, const char *option, const char *text);

/*
 * Prints what was kept last as {"error":{"text":..,"file":..,"option":..,"exit":CODE}} on a line of standard output. False when that
 * cannot be written.
 */
bool certdir_cli_failure_print(int code);

#endif
