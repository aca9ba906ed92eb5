/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines of a journal, one after the other, in memory of a fixed size. */
#ifndef CERTDIR_CLI_JOURNAL_LINES_H
#define CERTDIR_CLI_JOURNAL_LINES_H

#include <stdio.h>

#include "base/certdir.h"

/*
 * A line, without its line feed, and its number. `text` is NULL for one that is longer than CERTDIR_CLI_REPLAY_LINE_MAX, and so no decision of
 * ours. False ends the reading.
 */
typedef bool (*certdir_cli_journal_take)(void *context, const char *text, size_t length, size_t number);

/*
 * All lines of `in`, empty ones left out. A last one without its end is being written, or was cut: it is given, too. False: memory is out;
 * that `in` could not be read to its end, ferror(3) tells.
 */
bool certdir_cli_journal_each(FILE *in, certdir_cli_journal_take take, void *context);

#endif
