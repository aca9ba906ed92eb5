/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/status.h"

#include "cli/commands.h"
#include "cli/conf_file.h"
#include "cli/placeholders_kept.h"
#include "cli/sync_status.h"
#include "text/timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

/* Where all of it comes from. */
struct origin {
	struct certdir_cli_conf conf;
	struct certdir_list_snapshot *snapshot; /* NULL when there is no list */
	struct certdir_list_reader *reader;
	json_t *last; /* the report of the last run, or NULL */
};

bool certdir_cli_tenant_needs_help(const struct certdir_cli_status *status,
				   const struct certdir_cli_tenant_status *tenant)
{
	if (!tenant->configured)
		return false;
	return tenant->up == CERTDIR_NO ||
	       (tenant->has_numbers &&
		(tenant->synced[CERTDIR_SYNC_DEVICES] == 0 ||
		 status->now - (tenant->ldap ? tenant->synced[CERTDIR_SYNC_DEVICES] : tenant->delta_since) >
			 CERTDIR_CLI_DELTA_OLD));
}

/* ---- from the last report ---- */

static int64_t time_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	int64_t seconds;

	return text && certdir_timestamp_parse(text, &seconds) ? seconds : 0;
}

/* The first part that failed gives the note; else the first that was skipped although it is wanted. */
static void take_note(struct certdir_cli_tenant_status *tenant, const json_t *report)
{
	const json_t *parts = json_object_get(report, "parts");

	for (int pass = 0; pass < 2 && !tenant->note[0]; pass++)
		for (enum certdir_sync_part part = 0; part < CERTDIR_SYNC_PARTS && !tenant->note[0]; part++) {
			const char *name = certdir_sync_part_name(part);
			const json_t *object = json_object_get(parts, name);
			const char *result = json_string_value(json_object_get(object, "result"));
			const char *note = json_string_value(json_object_get(object, "note"));
			bool skipped = result && strcmp(result, certdir_sync_result_name(CERTDIR_SYNC_SKIPPED)) == 0;
			bool done = result && strcmp(result, certdir_sync_result_name(CERTDIR_SYNC_DONE)) == 0;

			if (result && note && note[0] && !done && (pass == 0 ? !skipped : tenant->wanted[part]))
				certdir_say(tenant->note, "%s %s: %s", name, result, note);
		}
}

static void take_report(struct certdir_cli_status *status, struct certdir_cli_tenant_status *tenant, const json_t *last)
{
	const json_t *report = certdir_cli_sync_status_tenant(last, tenant->name);

	if (report) {
		tenant->attempted = time_of(report, "attempted");
		tenant->credential_expires = time_of(report, "credential_expires");
		tenant->up = json_is_true(json_object_get(report, "ok")) ? CERTDIR_YES : CERTDIR_NO;
		take_note(tenant, report);
	}
	if (!status->run_error[0])
		return;
	/* The whole run failed, and each tenant with it; what it says about one may be from an earlier run. */
	if (!tenant->note[0] || json_is_true(json_object_get(report, "earlier")))
		certdir_say(tenant->note, "%s", status->run_error);
	tenant->attempted = time_of(last, "started");
	tenant->up = CERTDIR_NO;
}

/* ---- from the list ---- */

static const struct certdir_list_source *find_source(const struct certdir_cli_status *status, const char *name)
{
	for (size_t i = 0; i < status->source_count; i++)
		if (status->sources[i].kind != CERTDIR_SOURCE_IMPORT && strcmp(status->sources[i].name, name) == 0)
			return &status->sources[i];
	return NULL;
}

static bool take_source(struct certdir_cli_tenant_status *tenant, const struct certdir_list_source *source,
			const struct origin *origin, struct certdir_error *error)
{
	tenant->has_numbers = origin->reader != NULL;
	if (!source)
		return true;
	tenant->synced[CERTDIR_SYNC_DEVICES] = source->synced;
	tenant->synced[CERTDIR_SYNC_INTUNE] = source->intune_synced;
	tenant->synced[CERTDIR_SYNC_GROUPS] = source->groups_synced;
	tenant->delta_since = source->delta_since;
	return certdir_list_numbers(origin->reader, source->id, &tenant->numbers, error);
}

static bool add_configured(struct certdir_cli_status *status, const struct origin *origin, struct certdir_error *error)
{
	for (size_t i = 0; i < origin->conf.config.count; i++) {
		const struct certdir_tenant_config *config = &origin->conf.config.tenants[i];
		struct certdir_cli_tenant_status *tenant = &status->tenants[status->tenant_count++];

		tenant->name = config->name;
		tenant->tenant_id = config->tenant_id;
		tenant->configured = true;
		tenant->ldap = config->ldap;
		tenant->wanted[CERTDIR_SYNC_DEVICES] = true;
		tenant->wanted[CERTDIR_SYNC_INTUNE] = config->intune;
		tenant->wanted[CERTDIR_SYNC_GROUPS] = config->groups[0] != NULL;
		take_report(status, tenant, origin->last);
		if (!take_source(tenant, find_source(status, tenant->name), origin, error))
			return false;
	}
	return true;
}

/* Tenants that were synced once and that certdir.conf does not name any more: their devices stay, and turn stale. */
static bool add_forgotten(struct certdir_cli_status *status, const struct origin *origin, struct certdir_error *error)
{
	const size_t configured = status->tenant_count;

	for (size_t i = 0; i < status->source_count; i++) {
		const struct certdir_list_source *source = &status->sources[i];
		struct certdir_cli_tenant_status *tenant = &status->tenants[status->tenant_count];
		bool known = source->kind == CERTDIR_SOURCE_IMPORT;

		for (size_t j = 0; j < configured && !known; j++)
			known = strcmp(status->tenants[j].name, source->name) == 0;
		if (known)
			continue;
		status->tenant_count++;
		tenant->name = source->name;
		tenant->tenant_id = source->tenant;
		tenant->ldap = source->kind == CERTDIR_SOURCE_LDAP;
		for (int part = 0; part < CERTDIR_SYNC_PARTS; part++)
			tenant->wanted[part] = part == CERTDIR_SYNC_DEVICES || !tenant->ldap;
		if (!take_source(tenant, source, origin, error))
			return false;
	}
	return true;
}

static void load_last(struct certdir_cli_status *status)
{
	struct certdir_error damage, error;
	struct certdir_list_snapshot *last = certdir_list_load_last(status->list, &damage, &error);

	if (last && damage.text[0])
		status->last_good = certdir_list_published(last);
	certdir_list_release(last);
}

static void load_list(struct certdir_cli_status *status, struct origin *origin)
{
	struct certdir_error error;

	origin->snapshot = certdir_list_load(status->list, &error);
	if (origin->snapshot)
		origin->reader = certdir_list_reader_get(origin->snapshot, &error);
	if (!origin->reader || !certdir_list_shared(origin->reader, &status->shared, &error)) {
		certdir_say(status->list_error, "%s", error.text);
		load_last(status);
		return;
	}
	status->published = certdir_list_published(origin->snapshot);
	status->devices = certdir_list_device_count(origin->snapshot);
	status->sources = certdir_list_sources(origin->snapshot, &status->source_count);
}

static bool gather(struct certdir_cli_status *status, struct origin *origin, struct certdir_error *error)
{
	const char *run_error;

	status->list = origin->conf.config.list;
	status->now = (int64_t)time(NULL);
	load_list(status, origin);
	origin->last = certdir_cli_sync_status_load(status->list);
	run_error = json_string_value(json_object_get(origin->last, "error"));
	if (run_error)
		certdir_say(status->run_error, "%s", run_error);
	status->tenants = calloc(origin->conf.config.count + status->source_count + 1, sizeof(*status->tenants));
	if (!status->tenants) {
		certdir_error_set(error, "out of memory");
		return false;
	}
	return add_configured(status, origin, error) && add_forgotten(status, origin, error);
}

/* ---- the command ---- */

static int exit_code(const struct certdir_cli_status *status)
{
	if (status->list_error[0])
		return EX_NOINPUT;
	for (size_t i = 0; i < status->tenant_count; i++)
		if (certdir_cli_tenant_needs_help(status, &status->tenants[i]))
			return 1;
	for (size_t i = 0; i < json_array_size(status->sections); i++)
		if (certdir_cli_status_section_needs_help(json_array_get(status->sections, i)))
			return 1;
	return 0;
}

/* A mistake in [placeholders ..] is told, and no reason not to tell the rest. */
static void load_sections(struct certdir_cli_status *status, const char *conf)
{
	struct certdir_cli_conf loaded;

	if (!certdir_cli_conf_load(conf, true, &loaded)) {
		status->sections = json_array();
		return;
	}
	status->sections = certdir_cli_placeholders_kept(&loaded.placeholders);
	certdir_cli_conf_clear(&loaded);
}

static int show_status(const char *conf, bool json, bool prometheus)
{
	struct certdir_cli_status status = {0};
	struct origin origin = {0};
	struct certdir_error error;
	int code = EX_SOFTWARE;
	bool ok;

	if (!certdir_cli_conf_load(conf, false, &origin.conf))
		return EX_CONFIG;
	load_sections(&status, conf);
	if (!gather(&status, &origin, &error)) {
		fprintf(stderr, "certdir: %s\n", error.text);
		goto out;
	}
	if (status.list_error[0])
		fprintf(stderr, "certdir: %s\n", status.list_error);
	ok = prometheus ? certdir_cli_status_print_prometheus(&status)
	     : json	? certdir_cli_status_print_json(&status)
			: certdir_cli_status_print(&status);
	if (fflush(stdout) != 0 || ferror(stdout))
		ok = false;
	if (!ok)
		fprintf(stderr, "certdir: the status cannot be printed\n");
	/* Metrics tell of failures themselves, and have to reach the collector then most of all. */
	else
		code = prometheus ? 0 : exit_code(&status);
out:
	free(status.tenants);
	json_decref(status.sections);
	json_decref(origin.last);
	certdir_list_reader_put(origin.reader);
	certdir_list_release(origin.snapshot);
	certdir_cli_conf_clear(&origin.conf);
	return code;
}

int certdir_cli_status(const struct certdir_cli_options *options)
{
	if (options->json && options->prometheus)
		return certdir_cli_misuse(options, "--json or --prometheus, not both");
	return show_status(options->conf, options->json, options->prometheus);
}
