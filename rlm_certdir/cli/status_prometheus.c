/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/status_prometheus.h"

#include <stdio.h>
#include <string.h>

#include "metrics/metric.h"

/* ---- tenants ---- */

enum { METRICS = 9 };

static const enum certdir_metric metrics[METRICS] = {
	CERTDIR_METRIC_TENANT_UP,	    CERTDIR_METRIC_TENANT_ATTEMPT,    CERTDIR_METRIC_TENANT_DEVICES,
	CERTDIR_METRIC_TENANT_COMPLIANT,    CERTDIR_METRIC_TENANT_DISABLED,   CERTDIR_METRIC_TENANT_INTUNE,
	CERTDIR_METRIC_TENANT_CERTIFICATES, CERTDIR_METRIC_TENANT_DELTA_LINK, CERTDIR_METRIC_TENANT_CREDENTIAL,
};

/* The tenant's value of each metric, in their order; -1 for what is not known, which has no sample. */
static void measure(const struct certdir_cli_tenant_status *tenant, int64_t values[METRICS])
{
	const bool has = tenant->has_numbers;
	const int64_t all[METRICS] = {
		tenant->up == CERTDIR_UNKNOWN ? -1 : tenant->up == CERTDIR_YES,
		tenant->attempted ? tenant->attempted : -1,
		has ? (int64_t)tenant->numbers.devices : -1,
		has ? (int64_t)tenant->numbers.compliant : -1,
		has ? (int64_t)tenant->numbers.disabled : -1,
		has ? (int64_t)tenant->numbers.intune : -1,
		has && tenant->synced[CERTDIR_SYNC_CERTIFICATES] ? (int64_t)tenant->certificates : -1,
		tenant->delta_since ? tenant->delta_since : -1,
		tenant->credential_expires ? tenant->credential_expires : -1,
	};

	memcpy(values, all, sizeof(all));
}

static void print_tenants(const struct certdir_cli_status *status, struct certdir_exposition *to)
{
	for (size_t i = 0; i < METRICS; i++)
		for (size_t j = 0; j < status->tenant_count; j++) {
			const struct certdir_label labels[] = {{"tenant", status->tenants[j].name}, {NULL, NULL}};
			int64_t values[METRICS];

			measure(&status->tenants[j], values);
			if (values[i] >= 0)
				certdir_metric_print(to, metrics[i], labels, values[i]);
		}
}

static void print_successes(const struct certdir_cli_status *status, struct certdir_exposition *to)
{
	for (size_t i = 0; i < status->tenant_count; i++) {
		const struct certdir_cli_tenant_status *tenant = &status->tenants[i];

		for (enum certdir_sync_part part = 0; part < CERTDIR_SYNC_PARTS; part++) {
			const struct certdir_label labels[] = {
				{"tenant", tenant->name}, {"part", certdir_sync_part_name(part)}, {NULL, NULL}};

			if (tenant->has_numbers && tenant->wanted[part])
				certdir_metric_print(to, CERTDIR_METRIC_TENANT_SUCCESS, labels, tenant->synced[part]);
		}
	}
}

static int64_t import_devices(const struct certdir_list_source *source)
{
	return (int64_t)source->devices;
}

static int64_t import_time(const struct certdir_list_source *source)
{
	return source->synced;
}

static int64_t import_certificates(const struct certdir_list_source *source)
{
	return source->certificates_synced ? (int64_t)source->certificates : -1;
}

static int64_t import_certificates_time(const struct certdir_list_source *source)
{
	return source->certificates_synced ? source->certificates_synced : -1;
}

/* What `measured` says of each import; -1 has no sample. */
static void print_imports(const struct certdir_cli_status *status, struct certdir_exposition *to,
			  enum certdir_metric metric, int64_t (*measured)(const struct certdir_list_source *source))
{
	for (size_t i = 0; i < status->source_count; i++) {
		const struct certdir_list_source *source = &status->sources[i];
		const struct certdir_label labels[] = {{"source", source->name}, {NULL, NULL}};

		if (source->kind == CERTDIR_SOURCE_IMPORT && measured(source) >= 0)
			certdir_metric_print(to, metric, labels, measured(source));
	}
}

/* ---- sections of placeholders ---- */

/* One metric of all sections and runs that are known of: a sample for each of `keys`, or one for the outcome when there are none. */
static void print_runs(const struct certdir_cli_status *status, struct certdir_exposition *to,
		       enum certdir_metric metric, const char *label, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < CERTDIR_CLI_SECTION_RUNS * json_array_size(status->sections); i++) {
		const json_t *section = json_array_get(status->sections, i / CERTDIR_CLI_SECTION_RUNS);
		const char *key = certdir_cli_section_runs[i % CERTDIR_CLI_SECTION_RUNS];
		const json_t *run = json_object_get(section, key);
		struct certdir_label labels[] = {{"section", certdir_cli_section_text(section, "name")},
						 {"run", key},
						 {label, certdir_cli_section_text(run, label)},
						 {NULL, NULL}};

		if (json_is_null(run))
			continue;
		if (!keys)
			certdir_metric_print(to, metric, labels, certdir_cli_section_time(run));
		for (size_t k = 0; k < count; k++) {
			labels[2].value = keys[k];
			certdir_metric_print(to, metric, labels, certdir_cli_section_number(run, keys[k]));
		}
	}
}

static void print_sections(const struct certdir_cli_status *status, struct certdir_exposition *to)
{
	static const char *const results[] = {"problems", "done", "begun", "aside", "not_tried"};

	print_runs(status, to, CERTDIR_METRIC_PLACEHOLDERS_TIME, "outcome", NULL, 0);
	print_runs(status, to, CERTDIR_METRIC_PLACEHOLDERS_ACTIONS, "kind", certdir_cli_section_kinds,
		   CERTDIR_CLI_SECTION_KINDS);
	print_runs(status, to, CERTDIR_METRIC_PLACEHOLDERS_RESULTS, "result", results,
		   sizeof(results) / sizeof(results[0]));
}

/* ---- all of it ---- */

bool certdir_cli_status_print_prometheus(const struct certdir_cli_status *status)
{
	struct certdir_exposition to = {.out = stdout};

	certdir_metric_print(&to, CERTDIR_METRIC_LIST_UP, NULL, !status->list_error[0]);
	if (status->last_good)
		certdir_metric_print(&to, CERTDIR_METRIC_LIST_LAST_GOOD, NULL, status->last_good);
	if (!status->list_error[0]) {
		certdir_metric_print(&to, CERTDIR_METRIC_LIST_PUBLISHED, NULL, status->published);
		certdir_metric_print(&to, CERTDIR_METRIC_LIST_DEVICES, NULL, (int64_t)status->devices);
	}
	print_tenants(status, &to);
	print_successes(status, &to);
	print_imports(status, &to, CERTDIR_METRIC_IMPORT_DEVICES, import_devices);
	print_imports(status, &to, CERTDIR_METRIC_IMPORT_TIME, import_time);
	print_imports(status, &to, CERTDIR_METRIC_IMPORT_CERTIFICATES, import_certificates);
	print_imports(status, &to, CERTDIR_METRIC_IMPORT_CERTIFICATES_TIME, import_certificates_time);
	print_sections(status, &to);
	if (status->sessions && !status->sessions_error[0])
		certdir_metric_print(&to, CERTDIR_METRIC_SESSIONS_HELD, NULL, (int64_t)status->held);
	return !ferror(stdout);
}
