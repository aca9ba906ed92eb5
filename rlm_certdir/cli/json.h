/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `--json` prints: one object on a line. */
#ifndef CERTDIR_CLI_JSON_H
#define CERTDIR_CLI_JSON_H

#include <jansson.h>

#include "base/certdir.h"

/*
 * Prints `object` on a line of standard output and frees it. NULL stands for one that could not be made: that is said, and nothing is
 * printed. False when nothing whole was printed; that standard output cannot be written is main()'s to tell.
 */
bool certdir_cli_json_print(json_t *object);

/* The same as an exit code: 0, or 74. */
int certdir_cli_json_exit(json_t *object);

/* A text; null for NULL, and for what is no UTF-8, as a file's name may be. */
json_t *certdir_cli_json_text(const char *text);
/* Yes or no; null for what is not known. */
json_t *certdir_cli_json_tristate(enum certdir_tristate is);
/* A point in time (Unix seconds) as ISO 8601; null for 0, which stands for one that is not known. */
json_t *certdir_cli_json_time(int64_t seconds);

#endif
