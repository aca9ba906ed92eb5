/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/json.h"

#include <stdio.h>
#include <sysexits.h>

#include "text/timestamp.h"

bool certdir_cli_json_print(json_t *object)
{
	const bool ok = object && json_dumpf(object, stdout, JSON_COMPACT) == 0 && putchar('\n') != EOF;

	if (!object)
		fprintf(stderr, "certdir: out of memory: the result cannot be printed\n");
	json_decref(object);
	return ok;
}

int certdir_cli_json_exit(json_t *object)
{
	return certdir_cli_json_print(object) ? 0 : EX_IOERR;
}

json_t *certdir_cli_json_text(const char *text)
{
	json_t *string = text ? json_string(text) : NULL;

	return string ? string : json_null();
}

json_t *certdir_cli_json_tristate(enum certdir_tristate is)
{
	return is == CERTDIR_UNKNOWN ? json_null() : json_boolean(is == CERTDIR_YES);
}

json_t *certdir_cli_json_time(int64_t seconds)
{
	char text[CERTDIR_TIMESTAMP_SIZE];

	if (seconds == 0)
		return json_null();
	certdir_timestamp_print(seconds, text);
	return json_string(text);
}
