/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said of many entries in the same words is one line for people: how many they are, and the first of them. */
#ifndef CERTDIR_CLI_PLACEHOLDERS_ALIKE_H
#define CERTDIR_CLI_PLACEHOLDERS_ALIKE_H

#include <stdbool.h>
#include <stddef.h>

struct certdir_cli_alike_line;

/* Zero-initialised it has no lines; certdir_cli_alike_print() ends it. */
struct certdir_cli_alike {
	struct certdir_cli_alike_line *lines;
	size_t count;
	bool failed; /* memory is out */
};

/*
 * Keeps a line "LABEL NAME: TEXT" for later. `label` must outlive it, the others are copied. Where `text` calls the entry by
 * its `dn` (or NULL), that makes no difference between two lines, and what is printed of both says ENTRY.
 */
void certdir_cli_alike_add(struct certdir_cli_alike *alike, const char *label, const char *name, const char *text,
			   const char *dn);

/* Prints the lines on stdout, by the first of each kind, and frees them. False: printing failed, or memory is out. */
bool certdir_cli_alike_print(struct certdir_cli_alike *alike);

#endif
