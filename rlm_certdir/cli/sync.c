/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/sync.h"

#include "background.h"
#include "cli/change.h"
#include "cli/conf_file.h"
#include "cli/progress.h"
#include "cli/sync_report.h"
#include "cli/sync_status.h"

#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const char usage[] =
	"usage: certdir sync [-c FILE] [--full] [--force] [--dry-run] [--interval DURATION] [--json]\n"
	"\n"
	"Fills the device list from Entra ID and Intune, as certdir.conf(5) says.\n"
	"\n"
	"  -c FILE              the configuration (" CERTDIR_CONF_DEFAULT ")\n"
	"  --full               list everything anew instead of what changed\n"
	"  --force              publish although many devices would be lost\n"
	"  --dry-run            show what would change, publish nothing\n"
	"  --interval DURATION  stay, and sync each DURATION (15m, 1h)\n"
	"  --json               print the report as one JSON object\n";

struct options {
	const char *conf;
	bool full, force, dry_run, json;
	int64_t interval; /* seconds, 0 = once */
};

/* ---- certdir.conf ---- */

static bool load(const struct options *options, struct certdir_cli_conf *loaded)
{
	if (!certdir_cli_conf_load(options->conf, false, loaded))
		return false;
	if (loaded->config.count > 0)
		return true;
	fprintf(stderr, "certdir: %s has no [tenant NAME]: there is nothing to sync; see certdir.conf(5)\n",
		options->conf);
	certdir_cli_conf_clear(loaded);
	return false;
}

/* A file that is broken now is no reason to stop: the last good one stays in use. */
static void reload(const struct options *options, struct certdir_cli_conf *loaded)
{
	struct certdir_cli_conf fresh;

	if (!load(options, &fresh)) {
		fprintf(stderr, "certdir: going on with %s as it was\n", options->conf);
		return;
	}
	certdir_cli_conf_clear(loaded);
	*loaded = fresh;
}

/* ---- signals ---- */

static volatile int stop; /* SIGTERM, SIGINT */
static volatile int hurry; /* SIGHUP while waiting: sync now */
static bool staying;

static void take_signal(int number)
{
	if (number == SIGHUP && staying)
		hurry = 1;
	else
		stop = 1;
}

static void catch_signals(bool stay)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
	struct sigaction action = {.sa_handler = take_signal}; /* no SA_RESTART: a wait shall end */

	staying = stay;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		(void)sigaction(numbers[i], &action, NULL);
	/* A reader of stdout, or a server, that went away is an error and not the end. */
	(void)signal(SIGPIPE, SIG_IGN);
}

/* Until `when` (certdir_monotonic), or a signal. */
static void wait_until(int64_t when)
{
	sigset_t all, before;
	int64_t left;

	/* Signals get through in ppoll() alone, so that none comes between the look and the wait. */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	while (!stop && !hurry && (left = when - certdir_monotonic()) > 0) {
		struct timespec timeout = {.tv_sec = left / 1000000, .tv_nsec = left % 1000000 * 1000};

		(void)ppoll(NULL, 0, &timeout, &before);
	}
	hurry = 0;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
}

/* ---- one run ---- */

static bool print_change(void *context, const struct certdir_list_change *change)
{
	const struct options *options = context;

	certdir_cli_progress_clear();
	if (options->json)
		return certdir_cli_change_print_json(change);
	certdir_cli_change_print_would(change);
	return !ferror(stdout);
}

/* A certdir_sync_progress. */
static void show_progress(void *context, const char *tenant, enum certdir_sync_part part, size_t pages, size_t objects)
{
	char topic[80], what[80];

	(void)context;
	(void)snprintf(topic, sizeof(topic), "%s: %s", tenant, certdir_sync_part_name(part));
	(void)snprintf(what, sizeof(what), "%zu %s, %zu %s", pages, pages == 1 ? "page" : "pages", objects,
		       objects == 1 ? "object" : "objects");
	certdir_cli_progress_show(topic, what, objects);
}

static void keep_report(const struct certdir_cli_sync_run *run, const struct options *options)
{
	json_t *report = certdir_cli_sync_json(run);
	struct certdir_error error;

	if (!report) {
		fprintf(stderr, "certdir: the report cannot be made: out of memory\n");
		return;
	}
	if (options->json && (json_dumpf(report, stdout, JSON_COMPACT) != 0 || putchar('\n') == EOF))
		fprintf(stderr, "certdir: the report cannot be printed\n");
	if (!run->dry_run && !certdir_cli_sync_status_save(run->config, report, &error))
		fprintf(stderr, "certdir: warning: %s\n", error.text);
	json_decref(report);
}

static int run_once(const struct options *options, const struct certdir_sync_config *config)
{
	const struct certdir_sync_options sync = {.full = options->full,
						  .force = options->force,
						  .dry_run = options->dry_run,
						  .stop = &stop,
						  .progress = show_progress,
						  .change = print_change,
						  .context = (void *)options};
	struct certdir_sync_report report;
	struct certdir_cli_sync_run run = {.config = config, .report = &report, .dry_run = options->dry_run};
	int64_t began = certdir_monotonic();
	int status;

	certdir_cli_progress_begin();
	run.ok = certdir_sync_run(config, &sync, &report);
	certdir_cli_progress_end();
	run.milliseconds = (certdir_monotonic() - began) / 1000;
	run.stopped = stop;
	status = certdir_cli_sync_exit(&run);
	certdir_cli_sync_print(&run, options->json);
	/* Who was stopped has nothing to tell. */
	if (status != CERTDIR_CLI_SYNC_STOPPED)
		keep_report(&run, options);
	certdir_sync_report_clear(&report);
	(void)fflush(stdout);
	return status;
}

static int run_each(const struct options *options, struct certdir_cli_conf *loaded)
{
	int64_t next = certdir_monotonic();

	while (!stop) {
		(void)run_once(options, &loaded->config);
		next += options->interval * 1000000;
		if (next < certdir_monotonic())
			next = certdir_monotonic();
		wait_until(next);
		if (next > certdir_monotonic())
			next = certdir_monotonic(); /* SIGHUP */
		if (!stop)
			reload(options, loaded);
	}
	return 0;
}

/* ---- the command line ---- */

static int misuse(const char *what)
{
	fprintf(stderr, "certdir sync: %s\n%s", what, usage);
	return EX_USAGE;
}

/* Takes one option; false with a sentence. */
static bool take_option(struct options *options, int option, const char **why)
{
	*why = "see above";
	switch (option) {
	case 'c':
		options->conf = optarg;
		return true;
	case 'F':
		return options->full = true;
	case 'f':
		return options->force = true;
	case 'd':
		return options->dry_run = true;
	case 'j':
		return options->json = true;
	case 'i':
		*why = "--interval is a number with s, m, h or d, from 1s to 30d";
		return certdir_duration_parse(optarg, &options->interval) && options->interval >= 1 &&
		       options->interval <= 30 * 86400;
	default:
		return false;
	}
}

int certdir_cli_sync(int argc, char **argv)
{
	static const struct option longs[] = {{"full", no_argument, NULL, 'F'},
					      {"force", no_argument, NULL, 'f'},
					      {"dry-run", no_argument, NULL, 'd'},
					      {"interval", required_argument, NULL, 'i'},
					      {"json", no_argument, NULL, 'j'},
					      {"help", no_argument, NULL, 'h'},
					      {NULL, 0, NULL, 0}};
	struct options options = {.conf = CERTDIR_CONF_DEFAULT};
	struct certdir_cli_conf loaded;
	const char *why;
	int option, status;

	while ((option = getopt_long(argc, argv, "c:", longs, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (!take_option(&options, option, &why))
			return misuse(why);
	}
	if (optind < argc)
		return misuse("takes no operand");
	if (options.interval && (options.force || options.dry_run))
		return misuse("--force and --dry-run are for one run, without --interval");
	if (!load(&options, &loaded))
		return EX_CONFIG;
	catch_signals(options.interval != 0);
	status = options.interval ? run_each(&options, &loaded) : run_once(&options, &loaded.config);
	certdir_cli_conf_clear(&loaded);
	return status;
}
