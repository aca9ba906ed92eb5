/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words in colour, for people at a terminal. Each says the same without it. */
#ifndef CERTDIR_CLI_COLOR_H
#define CERTDIR_CLI_COLOR_H

enum certdir_cli_color { CERTDIR_CLI_PLAIN, CERTDIR_CLI_GREEN, CERTDIR_CLI_RED, CERTDIR_CLI_YELLOW };

/*
 * What switches standard output to that colour, or, with CERTDIR_CLI_PLAIN, back. "" where it is no terminal, or one without colours (TERM), or
 * somebody wants none (NO_COLOR, see no-color.org).
 */
const char *certdir_cli_color(enum certdir_cli_color color);

#endif
