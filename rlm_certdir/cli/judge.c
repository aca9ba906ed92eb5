/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/judge.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/failure.h"
#include "cli/raddb_file.h"
#include "directory/list.h"

/* What a server with an empty certdir { } section and this list would do. */
static int open_list(struct certdir_cli_judge *judge, const char *filename, uint32_t max_age)
{
	const struct certdir_list_config config = {.filename = filename, .max_age = max_age};
	struct certdir_checker *checker = &judge->own;
	struct certdir_error error;

	checker->policy = (struct certdir_policy){.join_types = UINT32_MAX, .stale_for = 86400};
	checker->accepted =
		~(CERTDIR_BIT(CERTDIR_ID_SID_URI) | CERTDIR_BIT(CERTDIR_ID_UPN) | CERTDIR_BIT(CERTDIR_ID_MAPPING));
	checker->directories[0] = certdir_list_directory_open(&config, false, &error);
	if (!checker->directories[0])
		return certdir_cli_fail(EX_SOFTWARE, filename, "%s", error.text);
	checker->directories[0]->name = "list";
	checker->directory_count = 1;
	judge->checker = checker;
	return 0;
}

/* Debian and Ubuntu, then RHEL and its kin. */
const char *certdir_cli_default_raddb(void)
{
	static const char *const places[] = {"/etc/freeradius/3.0", "/etc/raddb"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (access(places[i], F_OK) == 0 || errno == EACCES)
			return places[i];
	return NULL;
}

static int open_raddb(struct certdir_cli_judge *judge, const char *directory, const char *module)
{
	if (!directory)
		return certdir_cli_fail_option(EX_USAGE, "--raddb",
					       "no FreeRADIUS configuration found: name it with --raddb DIR, or a list "
					       "with --list FILE");
	judge->raddb = raddb_file_open(directory, module);
	if (!judge->raddb)
		return EX_CONFIG;
	judge->checker = raddb_file_checker(judge->raddb);
	judge->findings = raddb_file_findings(judge->raddb, &judge->finding_count);
	judge->observes = raddb_file_observes(judge->raddb);
	return 0;
}

int certdir_cli_judge_open(struct certdir_cli_judge *judge, const struct certdir_cli_options *options, uint32_t max_age)
{
	memset(judge, 0, sizeof(*judge));
	if (options->list && (options->raddb || options->module))
		return certdir_cli_misuse(options, "--list", "--list stands alone, without --raddb and --module");
	if (options->list)
		return open_list(judge, options->list, max_age);
	return open_raddb(judge, options->raddb ? options->raddb : certdir_cli_default_raddb(), options->module);
}

void certdir_cli_judge_close(struct certdir_cli_judge *judge)
{
	certdir_checker_clear(&judge->own);
	if (judge->raddb)
		raddb_file_close(judge->raddb);
}
