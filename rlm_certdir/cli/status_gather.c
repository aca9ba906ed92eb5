/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/status_gather.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "cli/failure.h"
#include "cli/placeholders_kept.h"
#include "cli/sessions.h"
#include "sync/last_run.h"
#include "text/timestamp.h"

/* ---- sections of placeholders ---- */

const char *const certdir_cli_section_runs[CERTDIR_CLI_SECTION_RUNS] = {"plan", "apply"};
const char *const certdir_cli_section_kinds[CERTDIR_CLI_SECTION_KINDS] = {"create", "move",    "change",
									  "enable", "disable", "remove"};

int64_t certdir_cli_section_number(const json_t *run, const char *key)
{
	return json_integer_value(json_object_get(run, key));
}

const char *certdir_cli_section_text(const json_t *run, const char *key)
{
	const char *text = json_string_value(json_object_get(run, key));

	return text ? text : "";
}

int64_t certdir_cli_section_time(const json_t *run)
{
	int64_t seconds;

	return certdir_timestamp_parse(certdir_cli_section_text(run, "time"), &seconds) ? seconds : 0;
}

bool certdir_cli_section_needs_help(const json_t *section)
{
	const char *outcome = certdir_cli_section_text(json_object_get(section, "apply"), "outcome");

	return strcmp(outcome, "failed") == 0 || strcmp(outcome, "refused") == 0;
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

/* ---- tenants ---- */

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
	const json_t *report = certdir_sync_last_run_tenant(last, tenant->name);

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
			struct certdir_list_reader *reader, struct certdir_error *error)
{
	tenant->has_numbers = reader != NULL;
	if (!source)
		return true;
	tenant->synced[CERTDIR_SYNC_DEVICES] = source->synced;
	tenant->synced[CERTDIR_SYNC_INTUNE] = source->intune_synced;
	tenant->synced[CERTDIR_SYNC_USERS] = source->users_synced;
	tenant->synced[CERTDIR_SYNC_GROUPS] = source->groups_synced;
	tenant->synced[CERTDIR_SYNC_CERTIFICATES] = source->certificates_synced;
	tenant->certificates = source->certificates;
	tenant->delta_since = source->delta_since;
	return certdir_list_numbers(reader, source->id, &tenant->numbers, error);
}

static bool add_configured(struct certdir_cli_status *status, struct certdir_error *error)
{
	for (size_t i = 0; i < status->conf.config.count; i++) {
		const struct certdir_tenant_config *config = &status->conf.config.tenants[i];
		struct certdir_cli_tenant_status *tenant = &status->tenants[status->tenant_count++];

		tenant->name = config->name;
		tenant->tenant_id = config->tenant_id;
		tenant->configured = true;
		tenant->ldap = config->ldap;
		tenant->renews = config->renew;
		tenant->wanted[CERTDIR_SYNC_DEVICES] = true;
		tenant->wanted[CERTDIR_SYNC_INTUNE] = config->intune;
		tenant->wanted[CERTDIR_SYNC_USERS] = config->users;
		tenant->wanted[CERTDIR_SYNC_GROUPS] = config->groups[0] != NULL;
		tenant->wanted[CERTDIR_SYNC_CERTIFICATES] = config->certificates;
		tenant->interval[CERTDIR_SYNC_DEVICES] = config->ldap ? config->ldap->list.interval : 0;
		tenant->interval[CERTDIR_SYNC_INTUNE] = config->intune_interval;
		tenant->interval[CERTDIR_SYNC_GROUPS] = config->groups_interval;
		tenant->interval[CERTDIR_SYNC_CERTIFICATES] = config->certificates_interval;
		take_report(status, tenant, status->last);
		if (!take_source(tenant, find_source(status, tenant->name), status->reader, error))
			return false;
	}
	return true;
}

/* Tenants that were synced once and that certdir.conf does not name any more: their devices stay, and turn stale. */
static bool add_forgotten(struct certdir_cli_status *status, struct certdir_error *error)
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
		tenant->wanted[CERTDIR_SYNC_CERTIFICATES] = source->certificates_synced != 0;
		if (!take_source(tenant, source, status->reader, error))
			return false;
	}
	return true;
}

static void load_last(struct certdir_cli_status *status)
{
	struct certdir_error damage, error;
	struct certdir_list_snapshot *last = certdir_list_load_last(status->list, NULL, &damage, &error);

	if (last && damage.text[0])
		status->last_good = certdir_list_published(last);
	certdir_list_release(last);
}

static void load_list(struct certdir_cli_status *status)
{
	struct certdir_error error;

	status->snapshot = certdir_list_load(status->list, &error);
	if (status->snapshot)
		status->reader = certdir_list_reader_get(status->snapshot, &error);
	if (!status->reader || !certdir_list_shared(status->reader, &status->shared, &error)) {
		certdir_say(status->list_error, "%s", error.text);
		load_last(status);
		return;
	}
	status->published = certdir_list_published(status->snapshot);
	status->devices = certdir_list_device_count(status->snapshot);
	status->sources = certdir_list_sources(status->snapshot, &status->source_count);
}

static bool gather_list(struct certdir_cli_status *status, struct certdir_error *error)
{
	const char *run_error;

	status->list = status->conf.config.list;
	status->now = (int64_t)time(NULL);
	load_list(status);
	status->last = certdir_sync_last_run_load(status->list);
	run_error = json_string_value(json_object_get(status->last, "error"));
	if (run_error)
		certdir_say(status->run_error, "%s", run_error);
	status->tenants = calloc(status->conf.config.count + status->source_count + 1, sizeof(*status->tenants));
	if (!status->tenants) {
		certdir_error_set(error, "out of memory");
		return false;
	}
	return add_configured(status, error) && add_forgotten(status, error);
}

/* ---- sessions ---- */

static void look_at_sessions(struct certdir_cli_status *status, const char *filename)
{
	const char *name = filename ? filename : CERTDIR_CLI_SESSIONS_DEFAULT;
	size_t counts[CERTDIR_SESSION_STATES];
	struct certdir_error error;

	if (!filename && access(name, F_OK) != 0 && errno == ENOENT)
		return;
	status->sessions = true;
	if (certdir_cli_sessions_count(name, counts, &error))
		status->held = counts[CERTDIR_SESSION_HELD];
	else
		certdir_say(status->sessions_error, "%s", error.text);
}

int certdir_cli_status_gather(struct certdir_cli_status *status, const char *conf, const char *sessions)
{
	struct certdir_error error;

	memset(status, 0, sizeof(*status));
	if (!certdir_cli_conf_load(conf, false, &status->conf))
		return EX_CONFIG;
	load_sections(status, conf);
	look_at_sessions(status, sessions);
	if (gather_list(status, &error))
		return 0;
	return certdir_cli_fail(EX_SOFTWARE, NULL, "%s", error.text);
}

void certdir_cli_status_clear(struct certdir_cli_status *status)
{
	free(status->tenants);
	json_decref(status->sections);
	json_decref(status->last);
	certdir_list_reader_put(status->reader);
	certdir_list_release(status->snapshot);
	certdir_cli_conf_clear(&status->conf);
}
