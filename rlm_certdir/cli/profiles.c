/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `certdir profiles`: what will go wrong with the certificates of Intune's profiles. */
#include <signal.h>
#include <sysexits.h>

#include "cli/commands.h"
#include "cli/failure.h"
#include "cli/profiles_gather.h"
#include "cli/profiles_print.h"

static int report(struct certdir_cli_profiles *gathered)
{
	const struct certdir_profiles *profiles = &gathered->profiles;
	struct certdir_profiles_report found;
	int status = EX_OSERR;

	if (certdir_cli_profiles_judge(gathered, &found) &&
	    (gathered->options->json ? certdir_cli_profiles_json(profiles, &found)
				     : certdir_cli_profiles_text(profiles, &found)))
		status = profiles->incomplete ? EX_UNAVAILABLE : found.faults ? 1 : 0;
	else
		(void)certdir_cli_fail(status, NULL, "out of memory");
	certdir_report_clear(&found);
	return status;
}

/* What a directory of raddb has to say while it is opened is none of this. */
static void keep_quiet(enum certdir_log_level level, const char *text)
{
	(void)level, (void)text;
}

int certdir_cli_profiles(const struct certdir_cli_options *options)
{
	struct certdir_cli_profiles gathered;
	struct raddb_file *raddb = NULL;
	int status;

	if (options->from && (options->save || options->operands[0]))
		return certdir_cli_misuse(options, "--from", "--from DIR asks no tenant: leave out %s",
					  options->save ? "--save" : options->operands[0]);
	(void)signal(SIGPIPE, SIG_IGN);
	certdir_log_set(keep_quiet);
	status = certdir_cli_profiles_gather(&gathered, options, INT32_MAX);
	/* The process becomes the server's user, so this is the last that is read. */
	if (!status && options->raddb) {
		raddb = raddb_file_open(options->raddb, NULL);
		if (raddb)
			certdir_cli_profiles_server(&gathered, raddb);
		else
			status = EX_CONFIG;
	}
	if (!status)
		status = report(&gathered);
	certdir_cli_profiles_clear(&gathered);
	if (raddb)
		raddb_file_close(raddb);
	return status;
}
