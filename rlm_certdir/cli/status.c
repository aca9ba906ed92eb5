/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `certdir status`: how the list is doing. */
#include <stdio.h>
#include <sysexits.h>

#include "cli/commands.h"
#include "cli/failure.h"
#include "cli/status_gather.h"
#include "cli/status_print.h"
#include "cli/status_prometheus.h"

static int exit_code(const struct certdir_cli_status *status)
{
	if (status->list_error[0])
		return EX_NOINPUT;
	for (size_t i = 0; i < status->tenant_count; i++)
		if (certdir_cli_tenant_needs_help(status, &status->tenants[i]))
			return 1;
	for (size_t i = 0; i < json_array_size(status->sections); i++)
		if (certdir_cli_section_needs_help(json_array_get(status->sections, i)))
			return 1;
	return status->held > 0;
}

/* Returns the exit code. */
static int show(const struct certdir_cli_status *status, const struct certdir_cli_options *options)
{
	bool ok;

	if (status->list_error[0])
		fprintf(stderr, "certdir: %s\n", status->list_error);
	ok = options->prometheus ? certdir_cli_status_print_prometheus(status)
	     : options->json	 ? certdir_cli_status_print_json(status)
				 : certdir_cli_status_print(status);
	if (fflush(stdout) != 0 || ferror(stdout))
		ok = false;
	if (!ok)
		return certdir_cli_fail(EX_SOFTWARE, NULL, "the status cannot be printed");
	/* Metrics tell of failures themselves, and have to reach the collector then most of all. */
	return options->prometheus ? 0 : exit_code(status);
}

int certdir_cli_status(const struct certdir_cli_options *options)
{
	struct certdir_cli_status status;
	int code;

	if (options->json && options->prometheus)
		return certdir_cli_misuse(options, "--prometheus", "--json or --prometheus, not both");
	code = certdir_cli_status_gather(&status, options->conf, options->sessions);
	if (code == 0)
		code = show(&status, options);
	certdir_cli_status_clear(&status);
	return code;
}
