/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything that the CLI prints, made safe to look at. */
#ifndef CERTDIR_CLI_VISIBLE_H
#define CERTDIR_CLI_VISIBLE_H

#include <stdbool.h>

/*
 * From now on, characters that change the order in which others show (certdir_utf8_reorders()) leave this program as \u202e: names
 * of devices are chosen by their users, and one must not look like another. In JSON this is the same text. One place for all of it,
 * so that no line that prints a name can forget it. When memory is out, nothing changes.
 */
void certdir_cli_visible_begin(void);
/* Standard output carries data for another program, in which each byte counts: it is left as it is. */
void certdir_cli_visible_end(void);

/* Whether nothing has been printed on standard output yet. */
bool certdir_cli_visible_silent(void);

/* A copy of a server's or a file's `text` in which what is not fit to print is "?"; free() it. NULL when memory is out. */
char *certdir_cli_visible_copy(const char *text);

#endif
