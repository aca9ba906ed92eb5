/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/sync_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "cli/failure.h"
#include "cli/json.h"
#include "cli/words.h"
#include "text/timestamp.h"

/* ---- the exit code ---- */

static size_t count_parts(const struct certdir_sync_report *report, enum certdir_sync_result result)
{
	size_t count = 0;

	for (size_t i = 0; i < report->count; i++)
		for (int part = 0; part < CERTDIR_SYNC_PARTS; part++)
			count += report->tenants[i].parts[part].result == result;
	return count;
}

enum certdir_cli_sync_exit certdir_cli_sync_exit(const struct certdir_cli_sync_run *run)
{
	const struct certdir_sync_report *report = run->report;
	const size_t done = count_parts(report, CERTDIR_SYNC_DONE), shrunk = count_parts(report, CERTDIR_SYNC_SHRUNK);
	const size_t stopped = count_parts(report, CERTDIR_SYNC_STOPPED);

	/* A signal that came when all was done changes nothing. */
	if (run->stopped && (stopped > 0 || count_parts(report, CERTDIR_SYNC_RUNNING) > 0))
		return CERTDIR_CLI_SYNC_STOPPED;
	if (report->error[0] && !report->published)
		return CERTDIR_CLI_SYNC_NONE;
	if (shrunk > 0)
		return CERTDIR_CLI_SYNC_SHRUNK;
	if (count_parts(report, CERTDIR_SYNC_FAILED) + stopped == 0 && !report->error[0])
		return CERTDIR_CLI_SYNC_DONE;
	return done == 0 || (!report->published && !run->dry_run) ? CERTDIR_CLI_SYNC_NONE : CERTDIR_CLI_SYNC_SOME;
}

/* ---- for people ---- */

static void print_if_any(size_t count, const char *what)
{
	if (count > 0)
		printf(", %zu %s", count, what);
}

static void print_done(const char *tenant, bool ldap, enum certdir_sync_part part,
		       const struct certdir_sync_report_part *report)
{
	const struct certdir_tenant_counts *counts = &report->counts;

	printf("%s: %s: ", tenant, certdir_sync_part_name(part));
	if (part == CERTDIR_SYNC_DEVICES)
		printf("%s, %zu changed, ", report->full ? "full" : ldap ? "changes" : "delta", counts->changed);
	printf("%zu added, %zu removed, ", counts->added, counts->lost);
	if (counts->kept > 0)
		printf("%zu kept, ", counts->kept);
	printf("%zu ", counts->after);
	switch (part) {
	case CERTDIR_SYNC_DEVICES:
		printf("in the list");
		print_if_any(counts->unlisted, "kept out by the filter");
		print_if_any(counts->untyped, "of them without a trustType (\"none\" in trust_types)");
		break;
	case CERTDIR_SYNC_INTUNE:
		printf("record%s, %zu device%s changed, %zu in the list", certdir_cli_plural(counts->after),
		       counts->changed, certdir_cli_plural(counts->changed), counts->listed);
		print_if_any(counts->untyped, "kept out without a trustType (\"none\" in trust_types)");
		print_if_any(counts->unlisted, "of devices that Entra does not know");
		print_if_any(counts->duplicates, "duplicates");
		break;
	case CERTDIR_SYNC_CERTIFICATES:
		printf("certificates, %zu changed", counts->changed);
		break;
	case CERTDIR_SYNC_USERS:
		printf("users, %s", report->full ? "full" : "delta");
		break;
	default:
		printf("members");
		print_if_any(counts->duplicates, "that are nobody known");
		break;
	}
	if (report->resumed > 0)
		printf("; %zu of %zu pages were there from an earlier run", report->resumed, report->pages);
	if (report->result == CERTDIR_SYNC_DONE && report->note[0])
		printf("; %s", report->note);
	printf("\n");
}

static void print_part(const char *tenant, bool ldap, enum certdir_sync_part part,
		       const struct certdir_sync_report_part *report, bool json)
{
	const char *name = certdir_sync_part_name(part);

	switch (report->result) {
	case CERTDIR_SYNC_DONE:
		if (!json)
			print_done(tenant, ldap, part, report);
		break;
	case CERTDIR_SYNC_SKIPPED:
		if (!json)
			printf("%s: %s: skipped: %s\n", tenant, name, report->note);
		break;
	case CERTDIR_SYNC_SHRUNK:
		if (!json)
			print_done(tenant, ldap, part, report);
		fprintf(stderr, "certdir: %s: %s: %s\n", tenant, name, report->note);
		break;
	case CERTDIR_SYNC_FAILED:
		fprintf(stderr, "certdir: %s: %s: failed: %s\n", tenant, name, report->note);
		break;
	case CERTDIR_SYNC_STOPPED:
	case CERTDIR_SYNC_RUNNING:
		break;
	}
}

static void warn_of_expiry(const char *tenant, bool renews, int64_t expires)
{
	const int64_t now = (int64_t)time(NULL);
	char at[CERTDIR_TIMESTAMP_SIZE], when[CERTDIR_CLI_EXPIRY_SIZE];

	if (!certdir_cli_expires_soon(expires, now, when))
		return;
	certdir_timestamp_print(expires, at);
	fprintf(stderr, "certdir: warning: %s: the client certificate %s %s (%s): %s\n", tenant,
		expires < now ? "expired" : "expires", at, when, certdir_cli_expiry_advice(renews));
}

/* Whether the configuration asks for a part: what it does not ask for is no news. */
static bool is_wanted(const struct certdir_sync_config *config, size_t tenant, enum certdir_sync_part part)
{
	if (part == CERTDIR_SYNC_INTUNE)
		return config->tenants[tenant].intune;
	if (part == CERTDIR_SYNC_CERTIFICATES)
		return config->tenants[tenant].certificates;
	if (part == CERTDIR_SYNC_USERS)
		return config->tenants[tenant].users;
	return part == CERTDIR_SYNC_DEVICES || config->tenants[tenant].groups[0];
}

/* Whether a part that has ended is worth a line: a journal of a line a minute that says nothing hides those that do. */
static bool is_told(const struct certdir_cli_sync_run *run, size_t tenant, enum certdir_sync_part part)
{
	const struct certdir_sync_report_part *report = &run->report->tenants[tenant].parts[part];
	const struct certdir_tenant_counts *counts = &report->counts;

	if (!report->news)
		return false;
	if (report->result == CERTDIR_SYNC_SKIPPED)
		return !run->quiet && is_wanted(run->config, tenant, part);
	/* What is not wanted may still fail: taking away what was there before `intune = no`, for example. */
	return !run->quiet || report->result != CERTDIR_SYNC_DONE || report->full || report->note[0] ||
	       counts->added + counts->changed + counts->lost + counts->kept > 0;
}

/* Once all of a tenant has ended, its requests are told, too. True when anything was. */
static bool print_tenant(const struct certdir_cli_sync_run *run, size_t index, bool json)
{
	const struct certdir_sync_report_tenant *tenant = &run->report->tenants[index];
	bool news = false, told = false;

	for (enum certdir_sync_part part = 0; part < CERTDIR_SYNC_PARTS; part++) {
		news |= tenant->parts[part].news;
		if (!is_told(run, index, part))
			continue;
		told = true;
		print_part(tenant->name, run->config->tenants[index].ldap, part, &tenant->parts[part], json);
	}
	if (!(run->quiet ? told : news) || certdir_sync_busy(run->sync, tenant->name))
		return told;
	warn_of_expiry(tenant->name, run->config->tenants[index].renew, tenant->credential_expires);
	if (!json && run->config->tenants[index].ldap)
		printf("%s: %" PRId64 " s\n", tenant->name, tenant->seconds);
	else if (!json)
		printf("%s: %zu requests, %zu throttled, %" PRIu64 " bytes, %" PRId64 " s\n", tenant->name,
		       tenant->requests, tenant->throttled, tenant->bytes, tenant->seconds);
	return told;
}

static void print_list(const struct certdir_cli_sync_run *run)
{
	printf("%s: %s, %" PRId64 ".%01" PRId64 " s\n", run->config->list,
	       run->report->published ? "published"
	       : run->dry_run	      ? "a dry run, as it was"
				      : "as it was",
	       run->milliseconds / 1000, run->milliseconds % 1000 / 100);
}

/* What nobody asked for any more stays in the list, and nobody else would say so. */
static void warn_of_forgotten(const struct certdir_sync_report *report)
{
	for (char **name = report->forgotten; name && *name; name++)
		fprintf(stderr,
			"certdir: warning: the list has devices of source %s, which certdir.conf does not name any "
			"more: they stay, and turn stale; certdir list remove --source %s takes them out\n",
			*name, *name);
}

void certdir_cli_sync_print(const struct certdir_cli_sync_run *run, bool json)
{
	const struct certdir_sync_report *report = run->report;
	bool told = !run->quiet || report->error[0];

	for (size_t i = 0; i < report->count; i++)
		told |= print_tenant(run, i, json);
	if (!json && told && (report->edition || (run->idle && !report->published)))
		print_list(run);
	(void)fflush(stdout);
	if (report->error[0] && (report->edition || run->idle))
		fprintf(stderr, "certdir: %s\n", report->error);
	if (!run->idle)
		return;
	if (!run->quiet)
		warn_of_forgotten(report);
	if (certdir_cli_sync_exit(run) == CERTDIR_CLI_SYNC_STOPPED)
		(void)certdir_cli_fail(CERTDIR_CLI_SYNC_STOPPED, NULL, "stopped by a signal%s",
				       report->published ? "; what was complete before is published"
							 : ", nothing was changed");
}

/* ---- for programs ---- */

static json_t *part_json(const struct certdir_sync_report_part *part)
{
	const struct certdir_tenant_counts *counts = &part->counts;

	return json_pack("{s:s,s:s,s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "result",
			 certdir_sync_result_name(part->result), "note", part->note, "full", part->full, "pages",
			 (json_int_t)part->pages, "resumed", (json_int_t)part->resumed, "objects",
			 (json_int_t)part->objects, "before", (json_int_t)counts->before, "added",
			 (json_int_t)counts->added, "changed", (json_int_t)counts->changed, "removed",
			 (json_int_t)counts->lost, "kept", (json_int_t)counts->kept, "after", (json_int_t)counts->after,
			 "listed", (json_int_t)counts->listed, "untyped", (json_int_t)counts->untyped, "unlisted",
			 (json_int_t)counts->unlisted, "duplicates", (json_int_t)counts->duplicates);
}

static json_t *tenant_json(const struct certdir_sync_report *report, size_t index)
{
	const struct certdir_sync_report_tenant *tenant = &report->tenants[index];
	json_t *parts = json_object();
	bool ok = true;

	for (enum certdir_sync_part part = 0; part < CERTDIR_SYNC_PARTS; part++) {
		ok &= tenant->parts[part].result == CERTDIR_SYNC_DONE ||
		      tenant->parts[part].result == CERTDIR_SYNC_SKIPPED ||
		      tenant->parts[part].result == CERTDIR_SYNC_RUNNING;
		if (json_object_set_new(parts, certdir_sync_part_name(part), part_json(&tenant->parts[part])) != 0) {
			json_decref(parts);
			return NULL;
		}
	}
	return json_pack("{s:s,s:b,s:o,s:o,s:I,s:I,s:I,s:I,s:o}", "name", tenant->name, "ok", ok, "attempted",
			 certdir_cli_json_time(tenant->attempted), "credential_expires",
			 certdir_cli_json_time(tenant->credential_expires), "seconds", (json_int_t)tenant->seconds,
			 "requests", (json_int_t)tenant->requests, "throttled", (json_int_t)tenant->throttled, "bytes",
			 (json_int_t)tenant->bytes, "parts", parts);
}

json_t *certdir_cli_sync_json(const struct certdir_cli_sync_run *run)
{
	const struct certdir_sync_report *report = run->report;
	json_t *tenants = json_array(), *forgotten = json_array();
	bool ok = true;

	for (size_t i = 0; i < report->count; i++)
		ok &= json_array_append_new(tenants, tenant_json(report, i)) == 0;
	for (char **name = report->forgotten; name && *name; name++)
		ok &= json_array_append_new(forgotten, json_string(*name)) == 0;
	if (!ok) {
		json_decref(tenants);
		json_decref(forgotten);
		return NULL;
	}
	return json_pack("{s:s,s:o,s:f,s:b,s:b,s:i,s:s,s:o,s:o}", "list", run->config->list, "started",
			 certdir_cli_json_time(report->started), "seconds", (double)run->milliseconds / 1000, "dry_run",
			 run->dry_run, "published", report->published, "exit_code", (int)certdir_cli_sync_exit(run),
			 "error", report->error, "tenants", tenants, "forgotten", forgotten);
}
