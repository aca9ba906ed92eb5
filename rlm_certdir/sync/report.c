/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a sync has done so far, tenant by tenant and part by part. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/background.h"
#include "sync/engine.h"
#include "text/excerpt.h"

const char *certdir_sync_part_name(enum certdir_sync_part part)
{
	static const char *const names[CERTDIR_SYNC_PARTS] = {[CERTDIR_SYNC_DEVICES] = "devices",
							      [CERTDIR_SYNC_INTUNE] = "intune",
							      [CERTDIR_SYNC_USERS] = "users",
							      [CERTDIR_SYNC_GROUPS] = "groups",
							      [CERTDIR_SYNC_CERTIFICATES] = "certificates"};

	return names[part];
}

const char *certdir_sync_result_name(enum certdir_sync_result result)
{
	static const char *const names[] = {[CERTDIR_SYNC_RUNNING] = "running", [CERTDIR_SYNC_DONE] = "done",
					    [CERTDIR_SYNC_SKIPPED] = "skipped", [CERTDIR_SYNC_SHRUNK] = "shrunk",
					    [CERTDIR_SYNC_FAILED] = "failed",	[CERTDIR_SYNC_STOPPED] = "stopped"};

	return names[result];
}

enum certdir_sync_part certdir_sync_parts(const struct certdir_tenant_config *tenant)
{
	return tenant->ldap ? CERTDIR_SYNC_INTUNE : CERTDIR_SYNC_PARTS;
}

struct certdir_sync_report_tenant *certdir_sync_report_of(struct certdir_sync *sync, const char *name)
{
	for (size_t i = 0; i < sync->report.count; i++)
		if (strcmp(sync->report.tenants[i].name, name) == 0)
			return &sync->report.tenants[i];
	return NULL;
}

void certdir_sync_report_clear_news(struct certdir_sync_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		for (int part = 0; part < CERTDIR_SYNC_PARTS; part++)
			report->tenants[i].parts[part].news = false;
}

bool certdir_sync_report_renew(struct certdir_sync *sync, const struct certdir_sync_config *config)
{
	struct certdir_sync_report_tenant *tenants = calloc(config->count + 1, sizeof(*tenants));

	if (!tenants)
		return false;
	for (size_t i = 0; i < config->count; i++) {
		const struct certdir_sync_report_tenant *former = certdir_sync_report_of(sync, config->tenants[i].name);

		if (former)
			tenants[i] = *former;
		tenants[i].name = config->tenants[i].name;
		for (enum certdir_sync_part part = certdir_sync_parts(&config->tenants[i]); part < CERTDIR_SYNC_PARTS;
		     part++)
			tenants[i].parts[part].result = CERTDIR_SYNC_SKIPPED;
	}
	free(sync->report.tenants);
	sync->report.tenants = tenants;
	sync->report.count = config->count;
	return true;
}

const struct certdir_sync_report *certdir_sync_report(const struct certdir_sync *sync)
{
	return &sync->report;
}

/* It was listed twice in one round: what both did is told as one. */
static void merge(struct certdir_sync_report_part *report, const struct certdir_sync_report_part *before)
{
	struct certdir_tenant_counts counts = before->counts;

	report->pages += before->pages;
	report->resumed += before->resumed;
	report->objects += before->objects;
	report->full |= before->full;
	counts.added += report->counts.added;
	counts.changed += report->counts.changed;
	counts.lost += report->counts.lost;
	counts.after = report->counts.after;
	counts.unlisted = report->counts.unlisted;
	counts.duplicates = report->counts.duplicates;
	if (report->result == CERTDIR_SYNC_DONE || report->result == CERTDIR_SYNC_SHRUNK)
		report->counts = counts;
}

void certdir_sync_report_job(struct certdir_sync *sync, const struct certdir_sync_job *job)
{
	struct certdir_sync_report_tenant *tenant = certdir_sync_report_of(sync, job->tenant->name);
	const int64_t seconds = (certdir_monotonic() - job->started) / 1000000;
	struct certdir_sync_report_part *report;

	if (!tenant)
		return;
	report = &tenant->parts[job->part];
	tenant->seconds = seconds > tenant->seconds ? seconds : tenant->seconds;
	sync->news = true;
	/* Intune that was gone on with, and is not due again. */
	if (job->again && job->report.result == CERTDIR_SYNC_SKIPPED)
		return;
	if (job->again) {
		struct certdir_sync_report_part before = *report;

		*report = job->report;
		merge(report, &before);
	} else {
		*report = job->report;
	}
	report->news = true;
}

/* ---- tenants that the configuration does not name ---- */

struct names {
	const struct certdir_sync_config *config;
	char **names;
	size_t count;
};

static void note_forgotten(void *context, const char *name)
{
	struct names *names = context;
	char shown[CERTDIR_VALUE_MAX + 1];

	for (size_t i = 0; i < names->config->count; i++)
		if (strcmp(names->config->tenants[i].name, name) == 0)
			return;
	/* One more, for the NULL at the end. */
	if (!certdir_array_next(&names->names, names->count + 1, sizeof(*names->names)))
		return;
	names->names[names->count++] = strdup(certdir_excerpt(shown, sizeof(shown), name, strlen(name)));
}

static void free_names(char **names)
{
	for (char **name = names; name && *name; name++)
		free(*name);
	free(names);
}

bool certdir_sync_report_look(struct certdir_sync *sync, struct certdir_list_writer *looker,
			      struct certdir_error *error)
{
	struct names names = {.config = sync->config};
	const bool ok = certdir_list_look_tenants(looker, note_forgotten, &names, error);

	free_names(ok ? sync->report.forgotten : names.names);
	if (ok)
		sync->report.forgotten = names.names;
	return ok;
}

void certdir_sync_report_clear(struct certdir_sync_report *report)
{
	free_names(report->forgotten);
	free(report->tenants);
}
