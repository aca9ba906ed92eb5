/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/list.h"

#include "cli/json.h"
#include "base/permissions.h"
#include "text/timestamp.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum operand { NONE, OPTIONAL, REQUIRED };

/* Letters are getopt_long's values, not options that a user could type. */
static const struct command {
	const char *name;
	const char *options;
	enum operand operand;
	int (*run)(const struct certdir_cli_list_options *options);
	const char *usage;
} commands[] = {
	{"show", "lj", REQUIRED, certdir_cli_list_show,
	 "usage: certdir list show [--list FILE] [--json] ID|NAME\n"
	 "\n"
	 "Prints everything that the list knows about each device with this id, name, DNS name, SID or serial "
	 "number.\n"},
	{"find", "lj", REQUIRED, certdir_cli_list_find,
	 "usage: certdir list find [--list FILE] [--json] VALUE\n"
	 "\n"
	 "Prints a line for each device that carries VALUE as any of its identities, the way certificates are looked "
	 "up.\n"},
	{"stats", "lj", NONE, certdir_cli_list_stats,
	 "usage: certdir list stats [--list FILE] [--json]\n"
	 "\n"
	 "Counts devices: by source and age, enabled, managed, compliant, join type, and which identities they "
	 "have.\n"},
	{"sources", "lj", NONE, certdir_cli_list_sources,
	 "usage: certdir list sources [--list FILE] [--json]\n"
	 "\n"
	 "Prints a line for each source: a tenant or an import, how many devices it has, and how old each part is.\n"},
	{"remove", "ljsd", NONE, certdir_cli_list_remove,
	 "usage: certdir list remove --source NAME [--list FILE] [--dry-run] [--json]\n"
	 "\n"
	 "Removes a source and all its devices: a tenant that certdir.conf no longer names, an import that nobody "
	 "needs.\n"},
	{"changes", "ljS", NONE, certdir_cli_list_changes,
	 "usage: certdir list changes [--list FILE] [--since 2d|2026-11-01T00:00:00Z] [--json]\n"
	 "\n"
	 "Prints what changed since then (24h ago): devices added, removed, enabled, renamed, compliance, groups.\n"},
	{"import", "ljstGfrFd", REQUIRED, certdir_cli_list_import,
	 "usage: certdir list import [--list FILE] [--source NAME] [--tenant GUID] [--good-for 30d]\n"
	 "                           [--format json|csv] [--replace] [--force] [--dry-run] [--json] FILE|-\n"
	 "\n"
	 "Puts the devices of FILE in the place of those that the source had; other sources stay as they are.\n"
	 "FILE is JSON as Microsoft Graph or `Get-MgDevice -All | ConvertTo-Json` write it, or CSV with a header of "
	 "the\n"
	 "same names, or an export of Jamf Pro, Intune, Entra ID, Windows Autopilot or Google. A file that lacks more "
	 "than a\n"
	 "tenth of the devices that the source has is not published: exit code 3.\n"
	 "\n"
	 "  --source NAME   whose devices these are (import)\n"
	 "  --tenant GUID   the Entra tenant that all of them are of\n"
	 "  --good-for T    they stay fresh for so long, whatever max_age says; kept until it is given anew, 0 ends "
	 "it\n"
	 "  --format F      json or csv; told by the name or the content when not given\n"
	 "  --replace       start from an empty list: other sources, and a damaged list, are gone\n"
	 "  --force         publish it, however many devices are gone\n"
	 "  --dry-run       read and check everything, publish nothing\n"},
	{"export", "lf", NONE, certdir_cli_list_export,
	 "usage: certdir list export [--list FILE] [--format json|csv]\n"
	 "\n"
	 "Prints all devices in the form that import reads; json when --format is not given.\n"},
	{"verify", "lj", NONE, certdir_cli_list_verify,
	 "usage: certdir list verify [--list FILE] [--json]\n"
	 "\n"
	 "Checks the seal, the database image, and that no id or serial number stands in several devices of one "
	 "source.\n"
	 "Exit code 1 when something is wrong.\n"},
};

static const char usage[] =
	"usage: certdir list show|find|stats|sources|changes|import|remove|export|verify [--list FILE] ..\n"
	"\n"
	"show ID|NAME   everything about a device\n"
	"find VALUE     devices by any identity\n"
	"stats          how many, of which kind, how old\n"
	"sources        tenants and imports, and their ages\n"
	"changes        what changed, and when\n"
	"import FILE    fill the list from JSON or CSV\n"
	"remove         take a source out of the list\n"
	"export         write it as JSON or CSV\n"
	"verify         check seal, database and ids\n"
	"\n"
	"The list is " CERTDIR_CLI_LIST_DEFAULT " when --list does not say otherwise.\n"
	"`certdir list COMMAND --help` tells more; so does certdir-list(1).\n";

static int misuse(const struct command *command, const char *what, const char *which)
{
	fprintf(stderr, "certdir list %s: %s%s\n%s", command->name, what, which, command->usage);
	return EX_USAGE;
}

/* Takes one option; false when its value makes no sense. */
static bool take_option(struct certdir_cli_list_options *options, int option)
{
	switch (option) {
	case 'l':
		options->list = optarg;
		break;
	case 'j':
		options->json = true;
		break;
	case 's':
		options->source = optarg;
		break;
	case 't':
		options->tenant = optarg;
		break;
	case 'G':
		options->good_for = optarg;
		break;
	case 'S':
		options->since = optarg;
		break;
	case 'f':
		options->format = optarg;
		return strcmp(optarg, "json") == 0 || strcmp(optarg, "csv") == 0;
	case 'r':
		options->replace = true;
		break;
	case 'F':
		options->force = true;
		break;
	default:
		options->dry_run = true;
		break;
	}
	return true;
}

static int run(const struct command *command, int argc, char **argv)
{
	static const struct option longs[] = {
		{"list", required_argument, NULL, 'l'},	    {"json", no_argument, NULL, 'j'},
		{"source", required_argument, NULL, 's'},   {"tenant", required_argument, NULL, 't'},
		{"good-for", required_argument, NULL, 'G'}, {"format", required_argument, NULL, 'f'},
		{"replace", no_argument, NULL, 'r'},	    {"force", no_argument, NULL, 'F'},
		{"dry-run", no_argument, NULL, 'd'},	    {"since", required_argument, NULL, 'S'},
		{"help", no_argument, NULL, 'h'},	    {NULL, 0, NULL, 0}};
	struct certdir_cli_list_options options = {.list = CERTDIR_CLI_LIST_DEFAULT};
	int option, index = 0;

	optind = 1;
	while ((option = getopt_long(argc, argv, "", longs, &index)) != -1) {
		if (option == 'h') {
			fputs(command->usage, stdout);
			return 0;
		}
		if (option == '?')
			return misuse(command, "see above", "");
		if (!strchr(command->options, option))
			return misuse(command, "does not take --", longs[index].name);
		if (!take_option(&options, option))
			return misuse(command, "--format is json or csv, not ", optarg);
	}
	if (command->operand == REQUIRED && optind == argc)
		return misuse(command, "an operand is missing", "");
	if (argc - optind > (command->operand == NONE ? 0 : 1))
		return misuse(command, "one operand too many: ", argv[argc - 1]);
	if (command->run == certdir_cli_list_remove && !options.source)
		return misuse(command, "--source NAME is missing", "");
	if (!options.source)
		options.source = "import";
	options.operand = optind < argc ? argv[optind] : NULL;
	return command->run(&options);
}

int certdir_cli_list(int argc, char **argv)
{
	if (argc >= 2)
		for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
			if (strcmp(argv[1], commands[i].name) == 0)
				return run(&commands[i], argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
		fputs(usage, stdout);
		return 0;
	}
	if (argc >= 2)
		fprintf(stderr, "certdir list: there is no command \"%s\"\n", argv[1]);
	fputs(usage, stderr);
	return EX_USAGE;
}

bool certdir_cli_list_open(const struct certdir_cli_list_options *options, struct certdir_list_snapshot **snapshot,
			   struct certdir_list_reader **reader)
{
	struct certdir_error error;

	*reader = NULL;
	*snapshot = certdir_list_load(options->list, &error);
	if (*snapshot)
		*reader = certdir_list_reader_get(*snapshot, &error);
	if (*reader) {
		certdir_permissions_warn(options->list);
		return true;
	}
	fprintf(stderr, "certdir: %s\n", error.text);
	certdir_list_release(*snapshot);
	*snapshot = NULL;
	return false;
}

void certdir_cli_list_close(struct certdir_list_snapshot *snapshot, struct certdir_list_reader *reader)
{
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
}

/* ---- verify ---- */

static void print_problem(void *context, const char *text)
{
	json_t *problems = context;

	if (problems)
		(void)json_array_append_new(problems, json_string(text));
	else
		printf("%s\n", text);
}

static int print_verdict(const struct certdir_cli_list_options *options, size_t devices, json_t *problems,
			 int64_t count)
{
	if (!options->json) {
		if (count == 0)
			printf("%s: %zu devices, seal, database and ids are in order\n", options->list, devices);
		return count == 0 ? 0 : 1;
	}
	if (!certdir_cli_json_print(json_pack("{s:s,s:b,s:I,s:o}", "file", options->list, "ok", count == 0, "devices",
					      (json_int_t)devices, "problems", problems)))
		return 1;
	return count == 0 ? 0 : 1;
}

/* What a server has that starts now. */
static void tell_last(const char *filename, json_t *problems)
{
	struct certdir_error damage, error;
	struct certdir_list_snapshot *last = certdir_list_load_last(filename, &damage, &error);
	char text[CERTDIR_TEXT_MAX], at[CERTDIR_TIMESTAMP_SIZE];

	if (last && damage.text[0]) {
		certdir_timestamp_print(certdir_list_published(last), at);
		certdir_say(text, "%s.last is good, of %s, with %zu devices: a server that starts now uses it",
			    filename, at, certdir_list_device_count(last));
		print_problem(problems, text);
	}
	certdir_list_release(last);
}

int certdir_cli_list_verify(const struct certdir_cli_list_options *options)
{
	json_t *problems = options->json ? json_array() : NULL;
	struct certdir_list_snapshot *snapshot = NULL;
	struct certdir_list_reader *reader = NULL;
	struct certdir_error error;
	int64_t count = 1;
	size_t devices = 0;

	snapshot = certdir_list_load(options->list, &error);
	if (snapshot)
		reader = certdir_list_reader_get(snapshot, &error);
	if (reader) {
		certdir_permissions_warn(options->list);
		devices = certdir_list_device_count(snapshot);
		count = certdir_list_verify(reader, print_problem, problems, &error);
	}
	if (!reader || count < 0)
		print_problem(problems, error.text);
	if (!snapshot)
		tell_last(options->list, problems);
	certdir_cli_list_close(snapshot, reader);
	return print_verdict(options, devices, problems, count);
}
