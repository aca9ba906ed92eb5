/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last plan and apply of each section of placeholders, for people and as metrics. */
#include "cli/status.h"
#include "text/timestamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const runs[] = {"plan", "apply"};
static const char *const kinds[] = {"create", "move", "change", "enable", "disable", "remove"};

/* 0 when it is no number: the file may be anybody's work. */
static int64_t number_of(const json_t *run, const char *key)
{
	return json_integer_value(json_object_get(run, key));
}

static const char *text_of(const json_t *run, const char *key)
{
	const char *text = json_string_value(json_object_get(run, key));

	return text ? text : "";
}

static int64_t time_of(const json_t *run)
{
	int64_t seconds;

	return certdir_timestamp_parse(text_of(run, "time"), &seconds) ? seconds : 0;
}

bool certdir_cli_status_section_needs_help(const json_t *section)
{
	const char *outcome = text_of(json_object_get(section, "apply"), "outcome");

	return strcmp(outcome, "failed") == 0 || strcmp(outcome, "refused") == 0;
}

/* ---- for people ---- */

static void print_run(const struct certdir_cli_status *status, const char *name, const json_t *run)
{
	const char *why = *text_of(run, "error") ? text_of(run, "error") : text_of(run, "refused");

	printf("  last %-5s  ", name);
	certdir_cli_status_print_when(status, time_of(run));
	if (json_is_null(run)) {
		putchar('\n');
		return;
	}
	printf(": %s", text_of(run, "outcome"));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (number_of(run, kinds[i]) > 0)
			printf(", %s %" PRId64, kinds[i], number_of(run, kinds[i]));
	printf("; %" PRId64 " problems", number_of(run, "problems"));
	if (strcmp(name, "apply") == 0)
		printf("; %" PRId64 " done, %" PRId64 " begun, %" PRId64 " set aside, %" PRId64 " not tried",
		       number_of(run, "done"), number_of(run, "begun"), number_of(run, "aside"),
		       number_of(run, "not_tried"));
	printf("%s%s\n", *why ? "\n  error       " : "", why);
}

void certdir_cli_status_print_sections(const struct certdir_cli_status *status)
{
	for (size_t i = 0; i < json_array_size(status->sections); i++) {
		const json_t *section = json_array_get(status->sections, i);

		printf("placeholders %s:\n", text_of(section, "name"));
		for (size_t run = 0; run < 2; run++)
			print_run(status, runs[run], json_object_get(section, runs[run]));
	}
}

/* ---- as metrics ---- */

static void print_sample(const char *metric, const char *section, const char *run, const char *label, const char *value,
			 int64_t number)
{
	printf("%s{", metric);
	certdir_cli_status_print_label("section", section);
	putchar(',');
	certdir_cli_status_print_label("run", run);
	putchar(',');
	certdir_cli_status_print_label(label, value);
	printf("} %" PRId64 "\n", number);
}

/* One metric of all sections and runs that are known of: a sample for each of `keys`. */
static void print_metric(const struct certdir_cli_status *status, const char *metric, const char *help,
			 const char *label, const char *const *keys, size_t count)
{
	certdir_cli_status_print_metric_head(metric, help);
	for (size_t i = 0; i < 2 * json_array_size(status->sections); i++) {
		const json_t *section = json_array_get(status->sections, i / 2);
		const json_t *run = json_object_get(section, runs[i % 2]);

		for (size_t k = 0; !json_is_null(run) && k < count; k++)
			print_sample(metric, text_of(section, "name"), runs[i % 2], label, keys[k],
				     number_of(run, keys[k]));
	}
}

void certdir_cli_status_print_section_metrics(const struct certdir_cli_status *status)
{
	static const char *const results[] = {"problems", "done", "begun", "aside", "not_tried"};
	static const char when[] = "certdir_placeholders_timestamp_seconds";

	if (json_array_size(status->sections) == 0)
		return;
	certdir_cli_status_print_metric_head(when, "When the section was planned or applied last, with what outcome.");
	for (size_t i = 0; i < 2 * json_array_size(status->sections); i++) {
		const json_t *section = json_array_get(status->sections, i / 2);
		const json_t *run = json_object_get(section, runs[i % 2]);

		if (!json_is_null(run))
			print_sample(when, text_of(section, "name"), runs[i % 2], "outcome", text_of(run, "outcome"),
				     time_of(run));
	}
	print_metric(status, "certdir_placeholders_actions", "What was planned.", "kind", kinds,
		     sizeof(kinds) / sizeof(kinds[0]));
	print_metric(status, "certdir_placeholders_results", "What came of it.", "result", results,
		     sizeof(results) / sizeof(results[0]));
}
