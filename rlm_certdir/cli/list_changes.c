/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `certdir list changes`: what became different, and when. */
#include <sysexits.h>
#include <time.h>

#include "cli/change.h"
#include "cli/failure.h"
#include "cli/list.h"
#include "conf/conf.h"
#include "text/timestamp.h"

enum { DAY = 86400 };

static bool print_change(void *context, const struct certdir_list_change *change)
{
	const struct certdir_cli_options *options = context;

	if (!options->json)
		certdir_cli_change_print(change);
	return !options->json || certdir_cli_change_print_json(change);
}

/* "2d" ago, or a point in time. */
static bool read_since(const char *text, int64_t *since)
{
	int64_t now = (int64_t)time(NULL), ago;

	if (!text)
		*since = now - DAY;
	else if (certdir_duration_parse(text, &ago))
		*since = now - ago;
	else
		return certdir_timestamp_parse(text, since);
	return true;
}

int certdir_cli_list_changes(const struct certdir_cli_options *options)
{
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader;
	struct certdir_error error;
	int64_t since;
	bool ok;

	if (!read_since(options->since, &since))
		return certdir_cli_fail_option(EX_USAGE, "--since",
					       "--since %s: this is how long ago, as 2d or 12h, or a time, as "
					       "2026-11-01T00:00:00Z",
					       options->since);
	if (!certdir_cli_list_open(options, &snapshot, &reader))
		return EX_NOINPUT;
	ok = certdir_list_changes(reader, since, print_change, (void *)options, &error);
	if (!ok)
		(void)certdir_cli_fail(EX_NOINPUT, options->list, "%s", error.text);
	certdir_cli_list_close(snapshot, reader);
	return ok ? 0 : EX_NOINPUT;
}
