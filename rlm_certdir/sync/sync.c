/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/sync.h"

#include "background.h"
#include "sync/part.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *certdir_sync_part_name(enum certdir_sync_part part)
{
	static const char *const names[CERTDIR_SYNC_PARTS] = {
		[CERTDIR_SYNC_DEVICES] = "devices", [CERTDIR_SYNC_INTUNE] = "intune", [CERTDIR_SYNC_GROUPS] = "groups"};

	return names[part];
}

const char *certdir_sync_result_name(enum certdir_sync_result result)
{
	static const char *const names[] = {[CERTDIR_SYNC_DONE] = "done",
					    [CERTDIR_SYNC_SKIPPED] = "skipped",
					    [CERTDIR_SYNC_SHRUNK] = "shrunk",
					    [CERTDIR_SYNC_FAILED] = "failed",
					    [CERTDIR_SYNC_STOPPED] = "stopped"};

	return names[result];
}

static bool stopped(const struct certdir_sync_options *options)
{
	return options->stop && *options->stop;
}

/* ---- one tenant ---- */

static const char not_tried[] = "not tried, since the devices failed";

static void end_parts(struct certdir_sync_tenant *tenant, enum certdir_sync_part from, enum certdir_sync_result result,
		      const char *note)
{
	for (tenant->part = from; tenant->part < CERTDIR_SYNC_PARTS; tenant->part++)
		certdir_sync_part_end(tenant, result, "%s", note);
}

/*
 * The parts in the order in which they lean on each other. When the devices could not be listed, the others would fail for the
 * same reason; after a refusal by the shrink guard they go on with the devices that are there.
 */
static void run_parts(struct certdir_sync_tenant *tenant)
{
	static void (*const parts[CERTDIR_SYNC_PARTS])(struct certdir_sync_tenant *) = {
		[CERTDIR_SYNC_DEVICES] = certdir_sync_devices,
		[CERTDIR_SYNC_INTUNE] = certdir_sync_intune,
		[CERTDIR_SYNC_GROUPS] = certdir_sync_groups};

	for (enum certdir_sync_part part = 0; part < CERTDIR_SYNC_PARTS; part++) {
		tenant->part = part;
		if (stopped(tenant->options)) {
			end_parts(tenant, part, CERTDIR_SYNC_STOPPED, "stopped on request");
			return;
		}
		parts[part](tenant);
		if (part == CERTDIR_SYNC_DEVICES && tenant->report->parts[part].result == CERTDIR_SYNC_FAILED) {
			end_parts(tenant, CERTDIR_SYNC_INTUNE, CERTDIR_SYNC_SKIPPED, not_tried);
			return;
		}
	}
}

/* A tenant's list options, out of what the file and the command line say. */
static struct certdir_list_tenant_options list_options(const struct certdir_sync_config *config,
						       const struct certdir_tenant_config *tenant,
						       const struct certdir_sync_options *options, int64_t now)
{
	return (struct certdir_list_tenant_options){.name = tenant->name,
						    .tenant = tenant->tenant_id,
						    .filter = tenant->filter,
						    .now = now,
						    .former_names = config->former_names,
						    .changes = config->changes,
						    .max_shrink = options->force ? 100 : config->max_shrink,
						    .intune_interval = tenant->intune_interval,
						    .extension_attributes = tenant->extension_attributes};
}

static void run_tenant(const struct certdir_sync_config *config, const struct certdir_tenant_config *tenant_config,
		       const struct certdir_sync_options *options, struct certdir_list_writer *writer,
		       struct certdir_sync_report_tenant *report)
{
	const int64_t began = certdir_monotonic();
	const struct certdir_graph_limits limits = {.deadline = began + tenant_config->deadline * 1000000,
						    .stop = options->stop};
	struct certdir_sync_tenant tenant = {
		.config = tenant_config, .options = options, .report = report, .now = (int64_t)time(NULL)};
	const struct certdir_list_tenant_options list = list_options(config, tenant_config, options, tenant.now);
	struct certdir_graph_counts counts = {0};
	struct certdir_error error;

	report->name = tenant_config->name;
	tenant.graph = certdir_graph_open(tenant_config, &limits, &error);
	if (tenant.graph)
		tenant.list = certdir_list_tenant_open(writer, &list, &error);
	if (tenant.list) {
		report->credential_expires = certdir_graph_credential_expires(tenant.graph);
		run_parts(&tenant);
	} else {
		tenant.part = CERTDIR_SYNC_DEVICES;
		certdir_sync_part_end(&tenant, CERTDIR_SYNC_FAILED, "%s", error.text);
		end_parts(&tenant, CERTDIR_SYNC_INTUNE, CERTDIR_SYNC_SKIPPED, not_tried);
	}
	if (tenant.graph)
		certdir_graph_counts(tenant.graph, &counts);
	report->requests = counts.requests;
	report->throttled = counts.throttled;
	report->bytes = counts.bytes;
	certdir_list_tenant_close(tenant.list);
	certdir_graph_close(tenant.graph);
	report->seconds = (certdir_monotonic() - began) / 1000000;
}

/* ---- the run ---- */

static bool any_done(const struct certdir_sync_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		for (int part = 0; part < CERTDIR_SYNC_PARTS; part++)
			if (report->tenants[i].parts[part].result == CERTDIR_SYNC_DONE)
				return true;
	return false;
}

static bool all_well(const struct certdir_sync_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		for (int part = 0; part < CERTDIR_SYNC_PARTS; part++)
			if (report->tenants[i].parts[part].result != CERTDIR_SYNC_DONE &&
			    report->tenants[i].parts[part].result != CERTDIR_SYNC_SKIPPED)
				return false;
	return !report->error[0];
}

static bool fail(struct certdir_sync_report *report, const struct certdir_error *error)
{
	certdir_say(report->error, "%s", error->text);
	return false;
}

/* Publishes what ended well. Somebody who asked to stop gets the list as it was. */
static void publish(const struct certdir_sync_options *options, struct certdir_list_writer *writer,
		    struct certdir_sync_report *report)
{
	struct certdir_error error;

	if (options->dry_run || stopped(options) || !any_done(report)) {
		if (options->dry_run && options->change &&
		    !certdir_list_write_changes(writer, report->started, options->change, options->context, &error))
			fail(report, &error);
		certdir_list_write_abort(writer);
		return;
	}
	report->published = certdir_list_write_publish(writer, &error);
	if (!report->published)
		fail(report, &error);
}

bool certdir_sync_run(const struct certdir_sync_config *config, const struct certdir_sync_options *options,
		      struct certdir_sync_report *report)
{
	struct certdir_list_writer *writer;
	struct certdir_error error;

	*report = (struct certdir_sync_report){.started = (int64_t)time(NULL)};
	report->tenants = calloc(config->count ? config->count : 1, sizeof(*report->tenants));
	if (!report->tenants) {
		certdir_error_set(&error, "out of memory");
		return fail(report, &error);
	}
	writer = certdir_list_write_begin(config->list, false, &error);
	if (!writer)
		return fail(report, &error);
	report->count = config->count;
	for (size_t i = 0; i < config->count; i++)
		run_tenant(config, &config->tenants[i], options, writer, &report->tenants[i]);
	publish(options, writer, report);
	return all_well(report);
}

void certdir_sync_report_clear(struct certdir_sync_report *report)
{
	free(report->tenants);
	memset(report, 0, sizeof(*report));
}
