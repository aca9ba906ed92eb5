/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `certdir doctor`: the whole way from the network device to the decision. It gathers and prints; what is right, others decide. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "cli/color.h"
#include "cli/commands.h"
#include "cli/doctor.h"
#include "cli/json.h"
#include "cli/judge.h"
#include "cli/words.h"

enum { MARGIN = 22, COLUMNS = 80 };

/* ---- what all checks look at ---- */

static void keep_quiet(enum certdir_log_level level, const char *text)
{
	(void)level, (void)text;
}

static void read_raddb(void *context)
{
	struct certdir_doctor *doctor = context;

	doctor->raddb = raddb_file_look(doctor->directory, NULL);
}

static void read_conf(void *context)
{
	struct certdir_doctor *doctor = context;

	doctor->conf_read = certdir_cli_conf_load(doctor->options->conf, true, &doctor->conf);
}

/* A host may have the server alone, or the sync alone: what is not there, and was not asked for, is no fault. */
static void find(struct certdir_doctor *doctor)
{
	const struct certdir_cli_options *options = doctor->options;

	doctor->directory = options->raddb ? options->raddb : certdir_cli_default_raddb();
	doctor->has_conf =
		strcmp(options->conf, CERTDIR_CONF_DEFAULT) != 0 || access(options->conf, F_OK) == 0 || errno != ENOENT;
}

static void read_both(struct certdir_doctor *doctor)
{
	if (doctor->directory && !doctor->raddb_stuck)
		certdir_doctor_listen(read_raddb, doctor, doctor->raddb_error);
	if (doctor->has_conf && !doctor->conf_stuck)
		certdir_doctor_listen(read_conf, doctor, doctor->conf_error);
}

struct plan {
	const struct certdir_doctor *doctor;
	struct certdir_doctor_jobs jobs;
};

static void make_plan(void *context)
{
	struct plan *plan = context;

	certdir_doctor_server(plan->doctor, &plan->jobs);
	certdir_doctor_certificates(plan->doctor, &plan->jobs);
	certdir_doctor_lists(plan->doctor, &plan->jobs);
	certdir_doctor_directories(plan->doctor, &plan->jobs);
	certdir_doctor_sync(plan->doctor, &plan->jobs);
	certdir_doctor_tenants(plan->doctor, &plan->jobs);
	certdir_doctor_sessions(plan->doctor, &plan->jobs);
}

/* A section with a mistake is left out here; the checks of the configuration tell it. */
static struct certdir_doctor_jobs plan_all(const struct certdir_doctor *doctor)
{
	struct plan plan = {.doctor = doctor};
	char said[CERTDIR_TEXT_MAX];

	certdir_doctor_listen(make_plan, &plan, said);
	return plan.jobs;
}

/* In a process that can be ended: does reading and planning come to an end? */
static void try_raddb(const struct certdir_doctor *doctor, const void *subject,
		      struct certdir_doctor_findings *findings)
{
	struct certdir_doctor trial = *doctor;

	(void)subject, (void)findings;
	trial.conf_stuck = true;
	read_both(&trial);
	(void)plan_all(&trial);
}

static void try_conf(const struct certdir_doctor *doctor, const void *subject, struct certdir_doctor_findings *findings)
{
	struct certdir_doctor trial = *doctor;

	(void)subject, (void)findings;
	trial.raddb_stuck = true;
	read_both(&trial);
	(void)plan_all(&trial);
}

static bool gets_stuck(const struct certdir_doctor *doctor, const char *group, certdir_doctor_look look,
		       struct certdir_doctor_findings *findings)
{
	const size_t before = json_array_size(findings->checks);
	struct certdir_doctor_jobs jobs = {NULL, 0};

	certdir_doctor_add(&jobs, group, NULL, look, NULL);
	certdir_doctor_run(doctor, &jobs, CERTDIR_DOCTOR_SECONDS, findings);
	return json_array_size(findings->checks) > before;
}

static void clear(struct certdir_doctor *doctor)
{
	if (doctor->raddb)
		raddb_file_close(doctor->raddb);
	if (doctor->conf_read)
		certdir_cli_conf_clear(&doctor->conf);
}

/* ---- for people ---- */

/* Prints `text` in lines of 80 columns, all but the first of which begin at the margin. A word is never cut: it may be a command. */
static void print_wrapped(const char *text)
{
	size_t column = MARGIN;

	while (*text) {
		const size_t length = strcspn(text, " ");

		if (column > MARGIN && column + 1 + length > COLUMNS) {
			printf("\n%*s", (int)MARGIN, "");
			column = MARGIN;
		} else if (column > MARGIN) {
			putchar(' ');
			column++;
		}
		printf("%.*s", (int)length, text);
		column += length;
		text += length + strspn(text + length, " ");
	}
	putchar('\n');
}

static const char *text_of(const json_t *check, const char *key)
{
	return json_string_value(json_object_get(check, key));
}

static enum certdir_cli_color color_of(const char *state)
{
	if (strcmp(state, "wrong") == 0)
		return CERTDIR_CLI_RED;
	if (strcmp(state, "warning") == 0)
		return CERTDIR_CLI_YELLOW;
	return strcmp(state, "right") == 0 ? CERTDIR_CLI_GREEN : CERTDIR_CLI_PLAIN;
}

static void print_check(const json_t *check)
{
	const char *state = text_of(check, "state"), *remedy = text_of(check, "remedy");

	printf("  %s%-7s%s %-11s ", certdir_cli_color(color_of(state)), strcmp(state, "wrong") == 0 ? "WRONG" : state,
	       certdir_cli_color(CERTDIR_CLI_PLAIN), text_of(check, "name"));
	print_wrapped(text_of(check, "detail"));
	if (!remedy[0])
		return;
	printf("%*s", (int)MARGIN, "-> ");
	print_wrapped(remedy);
}

static void print_text(const json_t *checks, const size_t counts[CERTDIR_DOCTOR_STATES])
{
	const char *group = "";
	const json_t *check;
	size_t index;

	json_array_foreach(checks, index, check)
	{
		if (strcmp(group, text_of(check, "group")) != 0)
			printf("%s%s\n", index ? "\n" : "", text_of(check, "group"));
		group = text_of(check, "group");
		print_check(check);
	}
	printf("\n%zu right, %zu wrong, %zu warning%s, %zu not looked at\n", counts[CERTDIR_DOCTOR_RIGHT],
	       counts[CERTDIR_DOCTOR_WRONG], counts[CERTDIR_DOCTOR_WARNING],
	       certdir_cli_plural(counts[CERTDIR_DOCTOR_WARNING]), counts[CERTDIR_DOCTOR_SKIPPED]);
}

/* ---- all ---- */

static void count(const json_t *checks, size_t counts[CERTDIR_DOCTOR_STATES])
{
	const json_t *check;
	size_t index;

	json_array_foreach(checks, index, check)
	{
		for (unsigned state = 0; state < CERTDIR_DOCTOR_STATES; state++)
			counts[state] += strcmp(text_of(check, "state"),
						certdir_doctor_state_name((enum certdir_doctor_state)state)) == 0;
	}
}

/* Takes `checks`. */
static int report(const struct certdir_cli_options *options, json_t *checks)
{
	size_t counts[CERTDIR_DOCTOR_STATES] = {0};
	int status;

	count(checks, counts);
	status = counts[CERTDIR_DOCTOR_WRONG] ? 1 : counts[CERTDIR_DOCTOR_WARNING] ? 2 : 0;
	if (!options->json)
		print_text(checks, counts);
	else if (!certdir_cli_json_print(json_pack("{s:O}", "checks", checks)))
		status = EX_IOERR;
	json_decref(checks);
	return status;
}

int certdir_cli_doctor(const struct certdir_cli_options *options)
{
	struct certdir_doctor doctor = {.options = options, .now = (int64_t)time(NULL)};
	struct certdir_doctor_findings findings = {json_array(), "", -1};
	struct certdir_doctor_jobs jobs;

	(void)signal(SIGPIPE, SIG_IGN);
	/* A DNS server that is silent shall be told of as what it is, before a job's time is over. */
	(void)setenv("RES_OPTIONS", "timeout:1 attempts:2", 0);
	certdir_log_set(keep_quiet);
	find(&doctor);
	doctor.raddb_stuck = gets_stuck(&doctor, "configuration", try_raddb, &findings);
	doctor.conf_stuck = gets_stuck(&doctor, "sync", try_conf, &findings);
	read_both(&doctor);
	jobs = plan_all(&doctor);
	certdir_doctor_run(&doctor, &jobs, CERTDIR_DOCTOR_SECONDS, &findings);
	clear(&doctor);
	return report(options, findings.checks);
}
