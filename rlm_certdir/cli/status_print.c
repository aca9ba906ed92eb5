/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/status_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/color.h"
#include "cli/json.h"
#include "cli/list.h"
#include "cli/words.h"
#include "text/timestamp.h"

/* ---- for people ---- */

static const char *headline(const struct certdir_cli_status *status, const struct certdir_cli_tenant_status *tenant)
{
	if (!tenant->configured)
		return "not in certdir.conf any more; its devices stay, and turn stale";
	if (tenant->up == CERTDIR_NO)
		return "the last attempt failed";
	if (!tenant->has_numbers)
		return "no list";
	if (tenant->synced[CERTDIR_SYNC_DEVICES] == 0)
		return "never synced";
	if (certdir_cli_tenant_needs_help(status, tenant))
		return "not synced for long";
	return "ok";
}

static void print_headline(const struct certdir_cli_status *status, const struct certdir_cli_tenant_status *tenant)
{
	const char *words = headline(status, tenant);

	printf("%s%s%s\n", certdir_cli_color(strcmp(words, "ok") == 0 ? CERTDIR_CLI_GREEN : CERTDIR_CLI_RED), words,
	       certdir_cli_color(CERTDIR_CLI_PLAIN));
}

static void print_expiry(const struct certdir_cli_status *status, const struct certdir_cli_tenant_status *tenant)
{
	char at[CERTDIR_TIMESTAMP_SIZE], when[CERTDIR_CLI_EXPIRY_SIZE];
	const bool soon = certdir_cli_expires_soon(tenant->credential_expires, status->now, when);

	certdir_timestamp_print(tenant->credential_expires, at);
	printf("  credential  expires %s (%s)%s%s\n", at, when, soon ? ": " : "",
	       soon ? certdir_cli_expiry_advice(tenant->renews) : "");
}

static void print_list_part(const struct certdir_cli_status *status, const struct certdir_cli_tenant_status *tenant)
{
	if (tenant->ldap)
		printf("  devices     %zu: %zu disabled\n", tenant->numbers.devices, tenant->numbers.disabled);
	else
		printf("  devices     %zu: %zu compliant, %zu disabled, %zu with an Intune record\n",
		       tenant->numbers.devices, tenant->numbers.compliant, tenant->numbers.disabled,
		       tenant->numbers.intune);
	for (enum certdir_sync_part part = 0; part < CERTDIR_SYNC_PARTS; part++) {
		char every[CERTDIR_CLI_AGE_SIZE];

		if (!tenant->wanted[part])
			continue;
		printf("  synced      %s ", certdir_sync_part_name(part));
		certdir_cli_print_when(tenant->synced[part], status->now);
		if (part == CERTDIR_SYNC_CERTIFICATES && tenant->synced[part])
			printf(": %zu", tenant->certificates);
		if (tenant->interval[part])
			printf(", each %s", certdir_cli_age(tenant->interval[part], every));
		putchar('\n');
	}
	if (tenant->delta_since == 0 || tenant->ldap)
		return;
	printf("  delta link  ");
	certdir_cli_print_when(tenant->delta_since, status->now);
	puts(status->now - tenant->delta_since > CERTDIR_CLI_DELTA_OLD
		     ? ": Graph forgets it after 7 days, and the next sync is a full one"
		     : "");
}

static void print_tenant(const struct certdir_cli_status *status, const struct certdir_cli_tenant_status *tenant)
{
	if (tenant->ldap)
		printf("ldap %s: ", tenant->name);
	else
		printf("tenant %s (%s): ", tenant->name, certdir_cli_text_or(tenant->tenant_id, "-"));
	print_headline(status, tenant);
	if (tenant->has_numbers)
		print_list_part(status, tenant);
	if (tenant->attempted) {
		printf("  last run    ");
		certdir_cli_print_when(tenant->attempted, status->now);
		puts(tenant->up == CERTDIR_NO ? ": failed" : ": ok");
	}
	if (!tenant->configured)
		printf("  note        certdir list remove --source %s takes them out\n", tenant->name);
	if (tenant->note[0])
		printf("  %-10s  %s\n", tenant->up == CERTDIR_NO ? "error" : "note", tenant->note);
	if (tenant->credential_expires)
		print_expiry(status, tenant);
}

static void print_run(const struct certdir_cli_status *status, const char *name, const json_t *run)
{
	const char *why = *certdir_cli_section_text(run, "error") ? certdir_cli_section_text(run, "error")
								  : certdir_cli_section_text(run, "refused");
	const char *outcome = certdir_cli_section_text(run, "outcome");
	const bool is_problems = strcmp(outcome, "problems") == 0;
	const int64_t problems = certdir_cli_section_number(run, "problems");

	printf("  last %-5s  ", name);
	certdir_cli_print_when(certdir_cli_section_time(run), status->now);
	if (json_is_null(run)) {
		putchar('\n');
		return;
	}
	if (is_problems && problems > 0)
		printf(": %" PRId64 " problem%s", problems, certdir_cli_plural((size_t)problems));
	else
		printf(": %s", outcome);
	for (size_t i = 0; i < CERTDIR_CLI_SECTION_KINDS; i++)
		if (certdir_cli_section_number(run, certdir_cli_section_kinds[i]) > 0)
			printf(", %s %" PRId64, certdir_cli_section_kinds[i],
			       certdir_cli_section_number(run, certdir_cli_section_kinds[i]));
	if (!is_problems)
		printf("; %" PRId64 " problem%s", problems, certdir_cli_plural((size_t)problems));
	if (strcmp(name, "apply") == 0)
		printf("; %" PRId64 " done, %" PRId64 " begun, %" PRId64 " set aside, %" PRId64 " not tried",
		       certdir_cli_section_number(run, "done"), certdir_cli_section_number(run, "begun"),
		       certdir_cli_section_number(run, "aside"), certdir_cli_section_number(run, "not_tried"));
	printf("%s%s\n", *why ? "\n  error       " : "", why);
}

static void print_sections(const struct certdir_cli_status *status)
{
	for (size_t i = 0; i < json_array_size(status->sections); i++) {
		const json_t *section = json_array_get(status->sections, i);

		printf("placeholders %s:\n", certdir_cli_section_text(section, "name"));
		for (size_t run = 0; run < CERTDIR_CLI_SECTION_RUNS; run++)
			print_run(status, certdir_cli_section_runs[run],
				  json_object_get(section, certdir_cli_section_runs[run]));
	}
}

static void print_import(const struct certdir_cli_status *status, const struct certdir_list_source *source)
{
	char good_for[CERTDIR_CLI_AGE_SIZE];

	printf("import %s: %zu device%s, imported ", source->name, source->devices,
	       certdir_cli_plural(source->devices));
	certdir_cli_print_when(source->synced, status->now);
	if (source->certificates_synced) {
		printf(", %zu certificate%s ", source->certificates, certdir_cli_plural(source->certificates));
		certdir_cli_print_when(source->certificates_synced, status->now);
	}
	puts(certdir_cli_good_for(source->good_for, good_for));
}

static void print_sessions(const struct certdir_cli_status *status)
{
	if (status->sessions_error[0])
		printf("sessions: not known: %s\n", status->sessions_error);
	else if (status->held)
		printf("sessions: %zu are held: their devices are denied, and go on until `certdir sessions release`, "
		       "or until few are left\n",
		       status->held);
	else if (status->sessions)
		puts("sessions: none is held");
}

/* null where there is no file. */
static json_t *sessions_json(const struct certdir_cli_status *status)
{
	if (!status->sessions)
		return json_null();
	if (status->sessions_error[0])
		return json_pack("{s:n,s:s}", "held", "error", status->sessions_error);
	return json_pack("{s:I,s:n}", "held", (json_int_t)status->held, "error");
}

bool certdir_cli_status_print(const struct certdir_cli_status *status)
{
	if (status->list_error[0]) {
		printf("%s: %sthere is no usable list%s\n", status->list, certdir_cli_color(CERTDIR_CLI_RED),
		       certdir_cli_color(CERTDIR_CLI_PLAIN));
		if (status->last_good) {
			fputs("  last good   published ", stdout);
			certdir_cli_print_when(status->last_good, status->now);
			puts(": a server that starts now uses it; what was disabled or removed since then comes in");
		}
	} else {
		printf("%s: %zu device%s, published ", status->list, status->devices,
		       certdir_cli_plural(status->devices));
		certdir_cli_print_when(status->published, status->now);
		printf("\n  shared      %zu name%s by %zu devices, %zu serial number%s\n", status->shared.names,
		       certdir_cli_plural(status->shared.names), status->shared.devices, status->shared.serials,
		       certdir_cli_plural(status->shared.serials));
		certdir_cli_list_print_laid(status->snapshot);
	}
	if (status->run_error[0])
		printf("the last run published nothing: %s\n", status->run_error);
	for (size_t i = 0; i < status->tenant_count; i++)
		print_tenant(status, &status->tenants[i]);
	for (size_t i = 0; i < status->source_count; i++)
		if (status->sources[i].kind == CERTDIR_SOURCE_IMPORT)
			print_import(status, &status->sources[i]);
	print_sections(status);
	print_sessions(status);
	return !ferror(stdout);
}

/* ---- as JSON ---- */

static json_t *age_json(const struct certdir_cli_status *status, int64_t seconds)
{
	return seconds == 0 ? json_null() : json_integer(status->now > seconds ? status->now - seconds : 0);
}

static json_t *parts_json(const struct certdir_cli_status *status, const struct certdir_cli_tenant_status *tenant)
{
	json_t *parts = json_object();

	for (enum certdir_sync_part part = 0; part < CERTDIR_SYNC_PARTS; part++)
		if (tenant->wanted[part] &&
		    json_object_set_new(parts, certdir_sync_part_name(part),
					json_pack("{s:o,s:o,s:I}", "last_success",
						  certdir_cli_json_time(tenant->synced[part]), "age",
						  age_json(status, tenant->synced[part]), "interval",
						  (json_int_t)tenant->interval[part])) != 0) {
			json_decref(parts);
			return NULL;
		}
	if (tenant->wanted[CERTDIR_SYNC_CERTIFICATES])
		(void)json_object_set_new(json_object_get(parts, certdir_sync_part_name(CERTDIR_SYNC_CERTIFICATES)),
					  "count", json_integer((json_int_t)tenant->certificates));
	return parts;
}

static json_t *tenant_json(const struct certdir_cli_status *status, const struct certdir_cli_tenant_status *tenant)
{
	json_t *object = json_pack("{s:s,s:s,s:s?,s:b,s:b,s:o,s:o,s:s,s:o}", "name", tenant->name, "kind",
				   tenant->ldap ? "ldap" : "tenant", "tenant", tenant->tenant_id, "configured",
				   tenant->configured, "ok", !certdir_cli_tenant_needs_help(status, tenant),
				   "last_attempt", certdir_cli_json_time(tenant->attempted), "last_attempt_ok",
				   certdir_cli_json_tristate(tenant->up), "note", tenant->note, "credential_expires",
				   certdir_cli_json_time(tenant->credential_expires));
	json_t *numbers;

	if (!object || !tenant->has_numbers)
		return object;
	numbers = json_pack("{s:I,s:I,s:I,s:I,s:o,s:o,s:o}", "devices", (json_int_t)tenant->numbers.devices,
			    "compliant", (json_int_t)tenant->numbers.compliant, "disabled",
			    (json_int_t)tenant->numbers.disabled, "intune_records", (json_int_t)tenant->numbers.intune,
			    "delta_link", certdir_cli_json_time(tenant->delta_since), "delta_link_age",
			    age_json(status, tenant->delta_since), "parts", parts_json(status, tenant));
	if (!numbers || json_object_update(object, numbers) != 0) {
		json_decref(object);
		object = NULL;
	}
	json_decref(numbers);
	return object;
}

/* Of an import's table of issued certificates; null where it has none. */
static json_t *table_json(const struct certdir_cli_status *status, const struct certdir_list_source *source)
{
	if (!source->certificates_synced)
		return json_null();
	return json_pack("{s:o,s:o,s:I}", "synced", certdir_cli_json_time(source->certificates_synced), "age",
			 age_json(status, source->certificates_synced), "count", (json_int_t)source->certificates);
}

static json_t *import_json(const struct certdir_cli_status *status, const struct certdir_list_source *source)
{
	return json_pack("{s:s,s:s?,s:I,s:o,s:o,s:o,s:o}", "name", source->name, "tenant", source->tenant, "devices",
			 (json_int_t)source->devices, "imported", certdir_cli_json_time(source->synced), "age",
			 age_json(status, source->synced), "good_for",
			 source->good_for ? json_integer(source->good_for) : json_null(), "certificates",
			 table_json(status, source));
}

bool certdir_cli_status_print_json(const struct certdir_cli_status *status)
{
	json_t *tenants = json_array(), *imports = json_array(), *object;
	bool ok = true;

	for (size_t i = 0; i < status->tenant_count; i++)
		ok = ok && json_array_append_new(tenants, tenant_json(status, &status->tenants[i])) == 0;
	for (size_t i = 0; i < status->source_count; i++)
		if (status->sources[i].kind == CERTDIR_SOURCE_IMPORT)
			ok = ok && json_array_append_new(imports, import_json(status, &status->sources[i])) == 0;
	object = json_pack("{s:s,s:s,s:o,s:o,s:o,s:I,s:o,s:{s:I,s:I,s:I},s:s,s:o,s:o,s:O,s:o}", "list", status->list,
			   "list_error", status->list_error, "last_good", certdir_cli_json_time(status->last_good),
			   "published", certdir_cli_json_time(status->published), "age",
			   age_json(status, status->published), "devices", (json_int_t)status->devices, "changes",
			   certdir_cli_list_laid_json(status->list_error[0] ? NULL : status->snapshot), "shared",
			   "names", (json_int_t)status->shared.names, "devices", (json_int_t)status->shared.devices,
			   "serials", (json_int_t)status->shared.serials, "run_error", status->run_error, "tenants",
			   tenants, "imports", imports, "placeholders", status->sections, "sessions",
			   sessions_json(status));
	if (ok)
		return certdir_cli_json_print(object);
	json_decref(object);
	return certdir_cli_json_print(NULL);
}
