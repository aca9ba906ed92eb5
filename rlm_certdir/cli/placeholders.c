/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/placeholders.h"

#include "cli/conf_file.h"
#include "cli/placeholders_certificates.h"
#include "cli/placeholders_export.h"
#include "cli/placeholders_kept.h"
#include "cli/placeholders_report.h"
#include "cli/placeholders_undo.h"
#include "cli/progress.h"
#include "cli/visible.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
	"usage: certdir placeholders plan|apply [-c FILE] [--force] [--json] [NAME]\n"
	"       certdir placeholders adopt [-c FILE] [--apply] [--json] --pattern TEMPLATE NAME\n"
	"       certdir placeholders export --sids [-c FILE] [--json] [NAME]\n"
	"       certdir placeholders undo [-c FILE] [--json] UNDO-FILE\n"
	"\n"
	"Keeps an entry in a directory for each device of the list, as [placeholders NAME] of certdir.conf(5) says:\n"
	"computer accounts of Active Directory for NPS, or entries that RADIUS servers read over LDAP.\n"
	"\n"
	"plan   show what is to be done, and why; change nothing\n"
	"apply  show it and do it\n"
	"adopt  show which computers that something else made are accounts of devices; with --apply make them ours\n"
	"export print CSV with the SID of each device's account, for a CA that writes it into certificates\n"
	"undo   take back what an apply did, as far as the entries are still what it left\n"
	"\n"
	"  -c FILE   the configuration (" CERTDIR_CONF_DEFAULT ")\n"
	"  --force   go on although more would be lost, renamed or moved than max_remove allows\n"
	"  --apply   adopt: do it\n"
	"  --pattern TEMPLATE   adopt: what the computers are called, such as {entra_device_id}\n"
	"  --json    print one JSON object a line\n"
	"  NAME      only this section\n";

struct options {
	const char *conf, *name, *pattern;
	bool apply, adopt, export, force, json, sids;
};

/* ---- apply ---- */

static volatile int stop;

static void take_signal(int number)
{
	(void)number;
	stop = 1;
}

/* What is on the way is awaited, so that nobody has to guess what became of it. */
static void catch_signals(void)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
	struct sigaction action = {.sa_handler = take_signal, .sa_flags = SA_RESTART};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		(void)sigaction(numbers[i], &action, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

static void tell_done(void *context, const struct certdir_action *action)
{
	certdir_cli_progress_clear();
	(void)certdir_cli_placeholders_print_done(context, action);
}

static void tell_left(void *context, const struct certdir_action *action, const char *why, const char *left)
{
	struct certdir_cli_placeholders_run *run = context;

	if (!run->aside.text[0])
		certdir_say(run->aside.text, "%s", why);
	certdir_cli_progress_clear();
	(void)certdir_cli_placeholders_print_left(run, action, why, left);
}

static void tell_progress(void *context, size_t steps, size_t of)
{
	const struct certdir_cli_placeholders_run *run = context;
	char what[80];

	(void)snprintf(what, sizeof(what), "%zu of %zu operations", steps, of);
	certdir_cli_progress_show(run->placeholders->config->name, what, steps);
}

static void apply(struct certdir_placeholders *placeholders, struct certdir_cli_placeholders_run *run)
{
	const struct certdir_apply_options options = {
		.stop = &stop, .done = tell_done, .left = tell_left, .progress = tell_progress, .context = run};

	run->tried = true;
	certdir_cli_progress_begin();
	run->ok = certdir_placeholders_apply(placeholders, &options, &run->report, &run->error);
	certdir_cli_progress_end();
	if (run->ok || run->report.stopped)
		run->error.text[0] = '\0';
}

/* ---- one section, all sections ---- */

/* That the list was read is no news, and what stands on stderr becomes mail. */
static void log_problems(enum certdir_log_level level, const char *text)
{
	if (level != CERTDIR_LOG_INFO)
		fprintf(stderr, "certdir: %s%s\n", level == CERTDIR_LOG_WARN ? "warning: " : "", text);
}

static enum certdir_cli_placeholders_exit run_section(const struct options *options, const char *list,
						      const struct certdir_placeholders_config *config)
{
	struct certdir_placeholders placeholders;
	struct certdir_cli_placeholders_run run = {
		.placeholders = &placeholders, .apply = options->apply, .force = options->force, .json = options->json};
	enum certdir_cli_placeholders_exit status;
	bool printed = true;
	int lock = -1;

	certdir_log_set(log_problems);
	if (options->apply && !certdir_placeholders_lock(config, &lock, &run.error)) {
		fprintf(stderr, "certdir: %s: %s\n", config->name, run.error.text);
		return stop ? CERTDIR_CLI_PLACEHOLDERS_STOPPED : CERTDIR_CLI_PLACEHOLDERS_FAILED;
	}
	run.outcome = certdir_placeholders_plan(&placeholders, config, list, certdir_certificates_read,
						(int64_t)time(NULL), &run.error);
	/* A signal ends what is waited for, and what comes of that is no error of the server. */
	run.report.stopped = run.outcome == CERTDIR_PLACEHOLDERS_FAILED && stop;
	if (run.outcome == CERTDIR_PLACEHOLDERS_OK || run.report.stopped)
		run.error.text[0] = '\0';
	if (run.outcome == CERTDIR_PLACEHOLDERS_OK) {
		printed = certdir_cli_placeholders_print_plan(&run);
		/* Nothing is done that could not be shown. */
		if (printed && options->apply && placeholders.plan.action_count > 0 &&
		    (!placeholders.plan.refused || options->force))
			apply(&placeholders, &run);
	}
	printed &= certdir_cli_placeholders_print_summary(&run);
	if (!config->adopt)
		certdir_cli_placeholders_keep(&run);
	status = certdir_cli_placeholders_exit(&run);
	certdir_placeholders_close(&placeholders);
	if (lock >= 0)
		(void)close(lock);
	if (!printed) {
		fprintf(stderr, "certdir: %s: standard output cannot be written: %s\n", config->name, strerror(errno));
		return CERTDIR_CLI_PLACEHOLDERS_FAILED;
	}
	return status;
}

/* Of several sections the worst counts. */
static int worse(int a, int b)
{
	static const int order[] = {CERTDIR_CLI_PLACEHOLDERS_FAILED,   CERTDIR_CLI_PLACEHOLDERS_STOPPED,
				    CERTDIR_CLI_PLACEHOLDERS_REFUSED,  CERTDIR_CLI_PLACEHOLDERS_TO_DO,
				    CERTDIR_CLI_PLACEHOLDERS_PROBLEMS, CERTDIR_CLI_PLACEHOLDERS_NOTHING};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return a;
}

/* The section as it is, but for what its accounts are looked for by. */
static int adopt_section(const struct options *options, const char *list,
			 const struct certdir_placeholders_config *config)
{
	struct certdir_placeholders_config adopting = *config;
	struct certdir_template pattern;
	struct certdir_error why;

	if (config->kind != CERTDIR_PLACEHOLDER_COMPUTER) {
		certdir_error_set(&why, "adopting is for kind = computer");
	} else if (certdir_template_init(&pattern, options->pattern, false, &why)) {
		adopting.adopt = &pattern;
		adopting.certificates = NULL;
		if (strchr(options->pattern, '{'))
			return run_section(options, list, &adopting);
		certdir_error_set(&why, "this is no template, such as {entra_device_id}");
	}
	fprintf(stderr, "certdir: %s: --pattern: %s\n", config->name, why.text);
	return EX_USAGE;
}

static int run_sections(const struct options *options, const struct certdir_cli_conf *loaded)
{
	int status = CERTDIR_CLI_PLACEHOLDERS_NOTHING;

	if (options->apply)
		catch_signals();
	if (options->export && !options->json) {
		certdir_cli_visible_end();
		certdir_cli_placeholders_export_header();
	}
	for (size_t i = 0; i < loaded->placeholders.count && !stop; i++) {
		const struct certdir_placeholders_config *config = &loaded->placeholders.sections[i];

		if (options->name && strcmp(options->name, config->name) != 0)
			continue;
		if (options->export)
			status = worse(status, certdir_cli_placeholders_export(config, options->json));
		else if (options->adopt)
			return adopt_section(options, loaded->config.list, config);
		else
			status = worse(status, run_section(options, loaded->config.list, config));
	}
	return stop ? worse(status, CERTDIR_CLI_PLACEHOLDERS_STOPPED) : status;
}

/* ---- the command line ---- */

static int misuse(const char *what)
{
	fprintf(stderr, "certdir placeholders: %s\n%s", what, usage);
	return EX_USAGE;
}

static bool has_section(const struct certdir_cli_conf *loaded, const char *name)
{
	for (size_t i = 0; i < loaded->placeholders.count; i++)
		if (!name || strcmp(loaded->placeholders.sections[i].name, name) == 0)
			return true;
	return false;
}

static int run(const struct options *options)
{
	struct certdir_cli_conf loaded;
	int status = EX_CONFIG;

	if (!certdir_cli_conf_load(options->conf, true, &loaded))
		return EX_CONFIG;
	if (has_section(&loaded, options->name))
		status = run_sections(options, &loaded);
	else
		fprintf(stderr, "certdir: %s has no [placeholders %s]: there is nothing to keep; see certdir.conf(5)\n",
			options->conf, options->name ? options->name : "NAME");
	certdir_cli_conf_clear(&loaded);
	return status;
}

int certdir_cli_placeholders(int argc, char **argv)
{
	static const struct option longs[] = {{"force", no_argument, NULL, 'f'},
					      {"sids", no_argument, NULL, 's'},
					      {"apply", no_argument, NULL, 'a'},
					      {"pattern", required_argument, NULL, 'p'},
					      {"json", no_argument, NULL, 'j'},
					      {"help", no_argument, NULL, 'h'},
					      {NULL, 0, NULL, 0}};
	struct options options = {.conf = CERTDIR_CONF_DEFAULT};
	int option;

	while ((option = getopt_long(argc, argv, "c:", longs, NULL)) != -1)
		switch (option) {
		case 'c':
			options.conf = optarg;
			break;
		case 'f':
			options.force = true;
			break;
		case 'j':
			options.json = true;
			break;
		case 's':
			options.sids = true;
			break;
		case 'a':
			options.apply = true;
			break;
		case 'p':
			options.pattern = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			return misuse("see above");
		}
	if (optind == argc)
		return misuse("say plan, apply, adopt, undo or export");
	if (strcmp(argv[optind], "undo") == 0) {
		if (argc - optind != 2 || options.force || options.sids || options.apply || options.pattern)
			return misuse("undo takes the name of one undo file, and no options but -c and --json");
		catch_signals();
		return certdir_cli_placeholders_undo(options.conf, argv[optind + 1], options.json, &stop);
	}
	options.adopt = strcmp(argv[optind], "adopt") == 0;
	if (options.apply && !options.adopt)
		return misuse("--apply is for adopt");
	options.apply |= strcmp(argv[optind], "apply") == 0;
	options.export = strcmp(argv[optind], "export") == 0;
	if (!options.apply && !options.adopt && !options.export && strcmp(argv[optind], "plan") != 0)
		return misuse("the first operand is plan, apply, adopt, undo or export");
	if (options.export != options.sids)
		return misuse(options.export ? "say what: export --sids" : "--sids is for export");
	if (argc - optind > 2)
		return misuse("takes the name of one section at most");
	options.name = argv[optind + 1];
	if (options.adopt != (options.pattern != NULL) || (options.adopt && !options.name))
		return misuse(options.adopt ? "adopt takes --pattern TEMPLATE and the name of a section"
					    : "--pattern is for adopt");
	return run(&options);
}
