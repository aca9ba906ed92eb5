/* SPDX-License-Identifier: GPL-2.0-or-later */
/* certdir check: what would the server decide about this certificate, and why? */
#include "cli/check.h"

#include "cli/explain.h"
#include "cli/raddb_file.h"
#include "identity/pem.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
	"usage: certdir check [--raddb DIR] [--module NAME] [--list FILE] [--json] [--name HOST] [--user-name NAME] "
	"CERT...\n"
	"\n"
	"CERT is a PEM or DER file, or a PEM file of several client certificates, or - for standard input.\n"
	"\n"
	"  --raddb DIR       judge as the RADIUS server with this configuration does (/etc/freeradius/3.0, "
	"/etc/raddb)\n"
	"  --module NAME     the instance, where there are several: certdir NAME { }\n"
	"  --list FILE       judge by this device list and the default policy, without a server's configuration\n"
	"  --user-name NAME  the outer identity of the login, for policy { user_name = match }\n"
	"  --name HOST       also tell whether ConfigMgr's client would take the certificate on the computer HOST\n"
	"  --json            one JSON object a certificate and line\n"
	"\n"
	"exit status: 0 all allowed, 1 some denied, 2 some undecided because a directory cannot answer, 64 usage,\n"
	"             65 a certificate cannot be read, 78 the configuration has mistakes\n";

struct options {
	const char *raddb;
	const char *module;
	const char *list;
	const char *name;
	const char *user_name;
	bool json;
};

struct run {
	const struct options *options;
	const struct certdir_checker *checker;
	const char *file;
	bool denied, unsure, failed;
};

static void check_one(void *context, const unsigned char *der, size_t length)
{
	struct run *run = context;
	const char *user = run->options->user_name;
	const struct certdir_login login = {user, user ? strlen(user) : 0, (int64_t)time(NULL)};
	struct certdir_check check;

	certdir_check_der(&check, run->checker, der, length, &login);
	if (!run->options->json)
		explain_text(run->file, run->checker, &check, run->options->name, login.now);
	else if (!explain_json(run->file, &check, run->options->name))
		run->failed = true;
	run->denied |= certdir_reason_verdict(check.decision.reason) == CERTDIR_DENY;
	run->unsure |= certdir_reason_verdict(check.decision.reason) == CERTDIR_UNSURE;
	certdir_check_clear(&check);
}

enum { FILE_MAX = 16 << 20 };

/* The whole file; NULL with `error`. A certificate is small, a bundle of a fleet still fits. */
static char *read_file(const char *name, size_t *length, struct certdir_error *error)
{
	FILE *stream = strcmp(name, "-") == 0 ? stdin : fopen(name, "rb");
	char *bytes = NULL;

	*length = 0;
	if (stream)
		bytes = malloc(FILE_MAX);
	if (bytes)
		*length = fread(bytes, 1, FILE_MAX, stream);
	if (!bytes || ferror(stream)) {
		certdir_error_set(error, "%s", strerror(errno));
		free(bytes);
		bytes = NULL;
	} else if (*length == FILE_MAX) {
		certdir_error_set(error, "larger than %d bytes", (int)FILE_MAX);
		free(bytes);
		bytes = NULL;
	}
	if (stream && stream != stdin)
		fclose(stream);
	return bytes;
}

static void check_file(struct run *run, const char *name)
{
	struct certdir_error error;
	size_t length;
	char *bytes;

	run->file = name;
	bytes = read_file(name, &length, &error);
	if (!bytes || !certdir_pem_each(bytes, length, check_one, run, &error)) {
		fprintf(stderr, "certdir: %s: %s\n", name, error.text);
		run->failed = true;
	}
	free(bytes);
}

/* What a directory has to say while it is opened stands in the explanation, too. */
static void keep_quiet(enum certdir_log_level level, const char *text)
{
	(void)level, (void)text;
}

static int check_files(const struct options *options, const struct certdir_checker *checker, char **files)
{
	struct run run = {.options = options, .checker = checker};

	for (; *files; files++)
		check_file(&run, *files);
	return run.failed ? EX_DATAERR : run.denied ? 1 : run.unsure ? 2 : 0;
}

/* What a server with an empty certdir { } section and this list would do. */
static int check_by_list(const struct options *options, char **files)
{
	const struct certdir_list_config config = {.filename = options->list, .max_age = 3600};
	struct certdir_checker checker = {.policy = {.join_types = UINT32_MAX, .stale_for = 86400}};
	struct certdir_error error;
	int status;

	checker.accepted =
		~(CERTDIR_BIT(CERTDIR_ID_SID_URI) | CERTDIR_BIT(CERTDIR_ID_UPN) | CERTDIR_BIT(CERTDIR_ID_MAPPING));
	checker.directories[0] = certdir_list_directory_open(&config, false, &error);
	if (!checker.directories[0]) {
		fprintf(stderr, "certdir: %s\n", error.text);
		return EX_SOFTWARE;
	}
	checker.directories[0]->name = "list";
	checker.directory_count = 1;
	status = check_files(options, &checker, files);
	certdir_checker_clear(&checker);
	return status;
}

/* Debian and Ubuntu, then RHEL and its kin. */
static const char *default_raddb(void)
{
	static const char *const places[] = {"/etc/freeradius/3.0", "/etc/raddb"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (access(places[i], F_OK) == 0)
			return places[i];
	return NULL;
}

static int check_by_raddb(const struct options *options, char **files)
{
	const char *directory = options->raddb ? options->raddb : default_raddb();
	struct raddb_file *raddb;
	int status;

	if (!directory) {
		fprintf(stderr, "certdir: no FreeRADIUS configuration found: name it with --raddb DIR, or a list with "
				"--list FILE\n");
		return EX_USAGE;
	}
	raddb = raddb_file_open(directory, options->module);
	if (!raddb)
		return EX_CONFIG;
	status = check_files(options, raddb_file_checker(raddb), files);
	raddb_file_close(raddb);
	return status;
}

int certdir_cli_check(int argc, char **argv)
{
	static const struct option longs[] = {
		{"raddb", required_argument, NULL, 'r'}, {"module", required_argument, NULL, 'm'},
		{"list", required_argument, NULL, 'l'},	 {"json", no_argument, NULL, 'j'},
		{"name", required_argument, NULL, 'n'},	 {"user-name", required_argument, NULL, 'u'},
		{"help", no_argument, NULL, 'h'},	 {NULL, 0, NULL, 0}};
	struct options options = {NULL};
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1)
		switch (option) {
		case 'r':
			options.raddb = optarg;
			break;
		case 'm':
			options.module = optarg;
			break;
		case 'l':
			options.list = optarg;
			break;
		case 'n':
			options.name = optarg;
			break;
		case 'u':
			options.user_name = optarg;
			break;
		case 'j':
			options.json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return EX_USAGE;
		}
	if (optind == argc || (options.list && (options.raddb || options.module))) {
		fprintf(stderr, "certdir: %s\n",
			optind == argc ? "name at least one certificate"
				       : "--list stands alone, without --raddb and --module");
		fputs(usage, stderr);
		return EX_USAGE;
	}
	certdir_log_set(keep_quiet);
	return options.list ? check_by_list(&options, argv + optind) : check_by_raddb(&options, argv + optind);
}
