/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/conf_file.h"
#include "cli/failure.h"
#include "cli/placeholders_certificates.h"
#include "cli/placeholders_export.h"
#include "cli/placeholders_kept.h"
#include "cli/placeholders_report.h"
#include "cli/placeholders_undo.h"
#include "cli/progress.h"
#include "cli/visible.h"

/* ---- apply ---- */

static volatile int stop;

static void take_signal(int number)
{
	(void)number;
	stop = 1;
}

/* What is in flight is awaited, so that nobody has to guess what became of it. */
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
	certdir_cli_progress_show(run->placeholders->config->rules.name, what, steps);
}

/* False: what was set aside could not be printed. */
static bool apply(struct certdir_placeholders *placeholders, struct certdir_cli_placeholders_run *run)
{
	const struct certdir_apply_options options = {
		.stop = &stop, .done = tell_done, .left = tell_left, .progress = tell_progress, .context = run};

	run->tried = true;
	certdir_cli_progress_begin();
	run->ok = certdir_placeholders_apply(placeholders, &options, &run->report, &run->error);
	certdir_cli_progress_end();
	if (run->ok || run->report.stopped)
		run->error.text[0] = '\0';
	return certdir_cli_alike_print(&run->left);
}

/* ---- one section, all sections ---- */

/* That the list was read is no news, and what stands on stderr becomes mail. */
static void log_problems(enum certdir_log_level level, const char *text)
{
	if (level != CERTDIR_LOG_INFO)
		fprintf(stderr, "certdir: %s%s\n", level == CERTDIR_LOG_WARN ? "warning: " : "", text);
}

static int run_section(const struct certdir_cli_options *options, const char *list,
		       const struct certdir_placeholders_config *config)
{
	struct certdir_placeholders placeholders;
	struct certdir_cli_placeholders_run run = {
		.placeholders = &placeholders, .apply = options->apply, .force = options->force, .json = options->json};
	enum certdir_cli_placeholders_exit status;
	bool printed = true;
	int lock = -1;

	certdir_log_set(log_problems);
	if (options->apply && !certdir_placeholders_lock(config, &lock, &run.error))
		return certdir_cli_fail(stop ? CERTDIR_CLI_PLACEHOLDERS_STOPPED : CERTDIR_CLI_PLACEHOLDERS_FAILED, NULL,
					"%s: %s", config->rules.name, run.error.text);
	run.outcome = certdir_placeholders_plan(&placeholders, config, list, certdir_cli_placeholders_certificates,
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
			printed = apply(&placeholders, &run);
	}
	printed &= certdir_cli_placeholders_print_summary(&run);
	if (!config->adopt)
		certdir_cli_placeholders_keep(&run);
	status = certdir_cli_placeholders_exit(&run);
	certdir_placeholders_close(&placeholders);
	if (lock >= 0)
		(void)close(lock);
	if (!printed) {
		fprintf(stderr, "certdir: %s: standard output cannot be written: %s\n", config->rules.name,
			strerror(errno));
		return CERTDIR_CLI_PLACEHOLDERS_FAILED;
	}
	return status;
}

/* Of several sections the worst counts. */
static int worse(int a, int b)
{
	static const int order[] = {EX_USAGE,
				    CERTDIR_CLI_PLACEHOLDERS_FAILED,
				    CERTDIR_CLI_PLACEHOLDERS_STOPPED,
				    CERTDIR_CLI_PLACEHOLDERS_REFUSED,
				    CERTDIR_CLI_PLACEHOLDERS_TO_DO,
				    CERTDIR_CLI_PLACEHOLDERS_PROBLEMS,
				    CERTDIR_CLI_PLACEHOLDERS_NOTHING};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return a;
}

/* The section as it is, but for what its accounts are looked for by. */
static int adopt_section(const struct certdir_cli_options *options, const char *list,
			 const struct certdir_placeholders_config *config)
{
	struct certdir_placeholders_config adopting = *config;
	struct certdir_template pattern;
	struct certdir_error why;

	if (config->rules.kind != CERTDIR_PLACEHOLDER_COMPUTER) {
		certdir_error_set(&why, "adopting is for kind = computer");
	} else if (certdir_template_init(&pattern, options->pattern, false, &why)) {
		adopting.adopt = &pattern;
		adopting.certificates = NULL;
		if (strchr(options->pattern, '{'))
			return run_section(options, list, &adopting);
		certdir_error_set(&why, "this is no template, such as {entra_device_id}");
	}
	return certdir_cli_fail_option(EX_USAGE, "--pattern", "%s: --pattern: %s", config->rules.name, why.text);
}

/* What `plan`, `adopt` and `export` do with one section; a signal ends the others. */
typedef int (*section_function)(const struct certdir_cli_options *options, const char *list,
				const struct certdir_placeholders_config *config);

static int export_section(const struct certdir_cli_options *options, const char *list,
			  const struct certdir_placeholders_config *config)
{
	(void)list;
	return certdir_cli_placeholders_export_section(config, options->json);
}

static int run_sections(const struct certdir_cli_options *options, const struct certdir_cli_conf *loaded,
			section_function run)
{
	int status = CERTDIR_CLI_PLACEHOLDERS_NOTHING;

	if (options->sids && !options->json) {
		certdir_cli_visible_end();
		certdir_cli_placeholders_export_header();
	}
	for (size_t i = 0; i < loaded->placeholders.count && !stop; i++) {
		const struct certdir_placeholders_config *config = &loaded->placeholders.sections[i];

		if (!options->operands[0] || strcmp(options->operands[0], config->rules.name) == 0)
			status = worse(status, run(options, loaded->config.list, config));
	}
	return stop ? worse(status, CERTDIR_CLI_PLACEHOLDERS_STOPPED) : status;
}

static bool has_section(const struct certdir_cli_conf *loaded, const char *name)
{
	for (size_t i = 0; i < loaded->placeholders.count; i++)
		if (!name || strcmp(loaded->placeholders.sections[i].rules.name, name) == 0)
			return true;
	return false;
}

static int run(const struct certdir_cli_options *options, section_function section)
{
	const char *name = options->operands[0];
	struct certdir_cli_conf loaded;
	int status = EX_CONFIG;

	if (!certdir_cli_conf_load(options->conf, true, &loaded))
		return EX_CONFIG;
	if (options->apply)
		catch_signals();
	if (has_section(&loaded, name))
		status = run_sections(options, &loaded, section);
	else
		(void)certdir_cli_fail(status, options->conf,
				       "%s has no [placeholders %s]: there is nothing to keep; see certdir.conf(5)",
				       options->conf, name ? name : "NAME");
	certdir_cli_conf_clear(&loaded);
	return status;
}

int certdir_cli_placeholders_plan(const struct certdir_cli_options *options)
{
	return run(options, run_section);
}

int certdir_cli_placeholders_apply(const struct certdir_cli_options *options)
{
	struct certdir_cli_options applying = *options;

	applying.apply = true;
	return run(&applying, run_section);
}

int certdir_cli_placeholders_adopt(const struct certdir_cli_options *options)
{
	return run(options, adopt_section);
}

int certdir_cli_placeholders_export(const struct certdir_cli_options *options)
{
	return run(options, export_section);
}

int certdir_cli_placeholders_undo(const struct certdir_cli_options *options)
{
	catch_signals();
	return certdir_cli_placeholders_undo_file(options->conf, options->operands[0], options->json, options->dry_run,
						  &stop);
}
