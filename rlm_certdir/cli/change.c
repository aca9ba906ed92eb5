/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/change.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "cli/json.h"
#include "cli/words.h"
#include "text/timestamp.h"

static const char *name_of(const struct certdir_list_change *change)
{
	return certdir_cli_text_or(change->name, certdir_cli_text_or(change->device, "-"));
}

void certdir_cli_change_print(const struct certdir_list_change *change)
{
	const bool has_id = change->name && change->device;
	char at[CERTDIR_TIMESTAMP_SIZE];

	certdir_timestamp_print(change->at, at);
	printf("%s  %s  %s%s%s%s  %s", at, change->source, name_of(change), has_id ? " (" : "",
	       has_id ? change->device : "", has_id ? ")" : "", change->what);
	if (change->before || change->after)
		printf("  %s -> %s", certdir_cli_text_or(change->before, "-"), certdir_cli_text_or(change->after, "-"));
	putchar('\n');
}

void certdir_cli_change_print_would(const struct certdir_list_change *change)
{
	const char *name = name_of(change), *before = change->before, *after = change->after;

	printf("%s: would ", change->source);
	if (strcmp(change->what, "added") == 0)
		printf("add %s", name);
	else if (strcmp(change->what, "removed") == 0)
		printf("remove %s", name);
	else if (strcmp(change->what, "renamed") == 0)
		printf("rename %s to %s", certdir_cli_text_or(before, "-"), certdir_cli_text_or(after, "-"));
	else if (strcmp(change->what, "group") == 0 && after)
		printf("put %s into group %s", name, after);
	else if (strcmp(change->what, "group") == 0)
		printf("take %s out of group %s", name, certdir_cli_text_or(before, "-"));
	else
		printf("change %s of %s from %s to %s", change->what, name, certdir_cli_text_or(before, "-"),
		       certdir_cli_text_or(after, "-"));
	if (change->device)
		printf(" (%s)", change->device);
	putchar('\n');
}

bool certdir_cli_change_print_json(const struct certdir_list_change *change)
{
	char at[CERTDIR_TIMESTAMP_SIZE];

	certdir_timestamp_print(change->at, at);
	return certdir_cli_json_print(json_pack("{s:s,s:s,s:s?,s:s?,s:s,s:s?,s:s?}", "at", at, "source", change->source,
						"device", change->device, "name", change->name, "what", change->what,
						"before", change->before, "after", change->after));
}
