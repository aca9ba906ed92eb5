/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/status_prometheus.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A label's value: backslash, quote and newline are escaped. */
static void print_label(const char *name, const char *value)
{
	printf("%s=\"", name);
	for (; *value; value++)
		if (*value == '\n')
			fputs("\\n", stdout);
		else {
			if (*value == '\\' || *value == '"')
				putchar('\\');
			putchar(*value);
		}
	putchar('"');
}

static void print_head(const char *metric, const char *help)
{
	printf("# HELP %s %s\n# TYPE %s gauge\n", metric, help, metric);
}

static void print_one(const char *metric, const char *help, int64_t value)
{
	print_head(metric, help);
	printf("%s %" PRId64 "\n", metric, value);
}

static void print_sample(const char *metric, const char *label, const char *value, int64_t number)
{
	printf("%s{", metric);
	print_label(label, value);
	printf("} %" PRId64 "\n", number);
}

/* ---- tenants ---- */

enum { METRICS = 9 };

static const struct {
	const char *name, *help;
} metrics[METRICS] = {
	{"certdir_tenant_up", "Whether the last sync of the tenant went well."},
	{"certdir_tenant_last_attempt_timestamp_seconds", "When the tenant was last synced, well or not."},
	{"certdir_tenant_devices", "Devices of the tenant in the list."},
	{"certdir_tenant_devices_compliant", "Devices of the tenant that are compliant."},
	{"certdir_tenant_devices_disabled", "Devices of the tenant that are disabled."},
	{"certdir_tenant_devices_intune", "Devices of the tenant that have an Intune record."},
	{"certdir_tenant_certificates", "Certificates in the tenant's table of issued ones."},
	{"certdir_tenant_delta_link_timestamp_seconds",
	 "When Graph gave the delta link that the next sync goes on from."},
	{"certdir_tenant_credential_expires_timestamp_seconds", "When the tenant's client certificate expires."},
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

static void print_tenants(const struct certdir_cli_status *status)
{
	for (size_t i = 0; i < METRICS; i++) {
		bool head = false;

		for (size_t j = 0; j < status->tenant_count; j++) {
			int64_t values[METRICS];

			measure(&status->tenants[j], values);
			if (values[i] < 0)
				continue;
			if (!head)
				print_head(metrics[i].name, metrics[i].help);
			head = true;
			print_sample(metrics[i].name, "tenant", status->tenants[j].name, values[i]);
		}
	}
}

static void print_successes(const struct certdir_cli_status *status)
{
	static const char metric[] = "certdir_tenant_last_success_timestamp_seconds";
	bool head = false;

	for (size_t i = 0; i < status->tenant_count; i++) {
		const struct certdir_cli_tenant_status *tenant = &status->tenants[i];

		for (enum certdir_sync_part part = 0; part < CERTDIR_SYNC_PARTS; part++) {
			if (!tenant->has_numbers || !tenant->wanted[part])
				continue;
			if (!head)
				print_head(metric, "When the part of the tenant was last listed whole; 0 is never.");
			head = true;
			printf("%s{", metric);
			print_label("tenant", tenant->name);
			printf(",part=\"%s\"} %" PRId64 "\n", certdir_sync_part_name(part), tenant->synced[part]);
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
static void print_imports(const struct certdir_cli_status *status, const char *metric, const char *help,
			  int64_t (*measured)(const struct certdir_list_source *source))
{
	bool head = false;

	for (size_t i = 0; i < status->source_count; i++) {
		const struct certdir_list_source *source = &status->sources[i];

		if (source->kind != CERTDIR_SOURCE_IMPORT || measured(source) < 0)
			continue;
		if (!head)
			print_head(metric, help);
		head = true;
		print_sample(metric, "source", source->name, measured(source));
	}
}

/* ---- sections of placeholders ---- */

static void print_run_sample(const char *metric, const char *section, const char *run, const char *label,
			     const char *value, int64_t number)
{
	printf("%s{", metric);
	print_label("section", section);
	putchar(',');
	print_label("run", run);
	putchar(',');
	print_label(label, value);
	printf("} %" PRId64 "\n", number);
}

/* One metric of all sections and runs that are known of: a sample for each of `keys`, or one for the outcome when there are none. */
static void print_metric(const struct certdir_cli_status *status, const char *metric, const char *help,
			 const char *label, const char *const *keys, size_t count)
{
	print_head(metric, help);
	for (size_t i = 0; i < CERTDIR_CLI_SECTION_RUNS * json_array_size(status->sections); i++) {
		const json_t *section = json_array_get(status->sections, i / CERTDIR_CLI_SECTION_RUNS);
		const char *name = certdir_cli_section_text(section, "name");
		const char *key = certdir_cli_section_runs[i % CERTDIR_CLI_SECTION_RUNS];
		const json_t *run = json_object_get(section, key);

		if (json_is_null(run))
			continue;
		if (!keys)
			print_run_sample(metric, name, key, label, certdir_cli_section_text(run, label),
					 certdir_cli_section_time(run));
		for (size_t k = 0; k < count; k++)
			print_run_sample(metric, name, key, label, keys[k], certdir_cli_section_number(run, keys[k]));
	}
}

static void print_sections(const struct certdir_cli_status *status)
{
	static const char *const results[] = {"problems", "done", "begun", "aside", "not_tried"};

	if (json_array_size(status->sections) == 0)
		return;
	print_metric(status, "certdir_placeholders_timestamp_seconds",
		     "When the section was planned or applied last, with what outcome.", "outcome", NULL, 0);
	print_metric(status, "certdir_placeholders_actions", "What was planned.", "kind", certdir_cli_section_kinds,
		     CERTDIR_CLI_SECTION_KINDS);
	print_metric(status, "certdir_placeholders_results", "What came of it.", "result", results,
		     sizeof(results) / sizeof(results[0]));
}

/* ---- all of it ---- */

bool certdir_cli_status_print_prometheus(const struct certdir_cli_status *status)
{
	print_one("certdir_list_up", "Whether there is a usable device list.", !status->list_error[0]);
	if (status->last_good)
		print_one("certdir_list_last_good_timestamp_seconds",
			  "When the list was published that a server which starts now uses, as the present one is "
			  "damaged.",
			  status->last_good);
	if (!status->list_error[0]) {
		print_one("certdir_list_published_timestamp_seconds", "When the list was published.",
			  status->published);
		print_one("certdir_list_devices", "Devices in the list.", (int64_t)status->devices);
	}
	print_tenants(status);
	print_successes(status);
	print_imports(status, "certdir_import_devices", "Devices of the import in the list.", import_devices);
	print_imports(status, "certdir_import_timestamp_seconds", "When the import was made.", import_time);
	print_imports(status, "certdir_import_certificates", "Certificates in the import's table of issued ones.",
		      import_certificates);
	print_imports(status, "certdir_import_certificates_timestamp_seconds", "When that table was made.",
		      import_certificates_time);
	print_sections(status);
	return !ferror(stdout);
}
