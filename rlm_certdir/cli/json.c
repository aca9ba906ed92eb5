/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/json.h"

#include <stdio.h>

bool certdir_cli_json_print(json_t *object)
{
	const bool ok = object && json_dumpf(object, stdout, JSON_COMPACT) == 0 && putchar('\n') != EOF;

	if (!object)
		fprintf(stderr, "certdir: out of memory: the result cannot be printed\n");
	json_decref(object);
	return ok;
}
