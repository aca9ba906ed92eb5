/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/check.h"
#include "cli/list.h"
#include "cli/placeholders.h"
#include "cli/status.h"
#include "cli/sync.h"
#include "cli/visible.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const char usage[] =
	"usage: certdir check [--raddb DIR] [--module NAME] [--list FILE] [--json] CERT...\n"
	"       certdir list show|find|stats|sources|changes|import|remove|export|verify [--list FILE] ...\n"
	"       certdir sync [-c FILE] [--full] [--force] [--dry-run] [--interval DURATION] [--json]\n"
	"       certdir placeholders plan|apply|export [-c FILE] [--force] [--json] [NAME]\n"
	"       certdir status [-c FILE] [--json|--prometheus]\n"
	"\n"
	"check         explain what the RADIUS server would decide about a client certificate, and why\n"
	"list          look into the device list, fill it, verify it\n"
	"sync          fill the device list from Entra ID and Intune\n"
	"placeholders  keep computer accounts, or other entries, for the devices of the list\n"
	"status        tell when each tenant was synced, and what went wrong\n"
	"\n"
	"certdir COMMAND --help tells more; so does certdir(1).\n";

static int run(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} commands[] = {{"check", certdir_cli_check},
			{"list", certdir_cli_list},
			{"sync", certdir_cli_sync},
			{"placeholders", certdir_cli_placeholders},
			{"status", certdir_cli_status}};

	certdir_cli_visible_begin();
	if (argc >= 2)
		for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
			if (strcmp(argv[1], commands[i].name) == 0)
				return commands[i].run(argc - 1, argv + 1);
	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
		fputs(usage, stdout);
		return 0;
	}
	if (argc >= 2)
		fprintf(stderr, "certdir: there is no command \"%s\"\n", argv[1]);
	fputs(usage, stderr);
	return EX_USAGE;
}

/* Whoever reads what was printed must not take the half of it for all: no command looks at that by itself. */
int main(int argc, char **argv)
{
	const int code = run(argc, argv);
	const bool failed = ferror(stdout);

	if (fflush(stdout) == 0 && !failed)
		return code;
	fprintf(stderr, "certdir: standard output cannot be written%s%s\n", failed ? "" : ": ",
		failed ? "" : strerror(errno));
	return EX_IOERR;
}
