/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `certdir list sources` and `certdir list remove` */
#include "cli/list_sources.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "cli/failure.h"
#include "cli/json.h"
#include "cli/list.h"
#include "cli/words.h"

static const char *const kinds[] = {
	[CERTDIR_SOURCE_TENANT] = "tenant", [CERTDIR_SOURCE_IMPORT] = "import", [CERTDIR_SOURCE_LDAP] = "ldap"};

/* {"synced":"2026-11-22T10:00:00Z","age":300}, with nulls when that never was */
static json_t *part_json(int64_t synced, int64_t now)
{
	return json_pack("{s:o,s:o}", "synced", certdir_cli_json_time(synced), "age",
			 synced == 0 ? json_null() : json_integer(now > synced ? now - synced : 0));
}

static json_t *source_json(const struct certdir_list_source *source, int64_t now)
{
	json_t *holds = json_array(), *object, *times = part_json(source->synced, now);
	json_t *parts = json_null(), *table = json_null();

	for (unsigned type = 0; type < CERTDIR_ID_TYPES; type++)
		if (source->holds & CERTDIR_BIT(type))
			(void)json_array_append_new(
				holds, json_string(certdir_identity_type_name((enum certdir_identity_type)type)));
	if (source->kind == CERTDIR_SOURCE_TENANT)
		parts = json_pack("{s:o,s:o}", "intune", part_json(source->intune_synced, now), "groups",
				  part_json(source->groups_synced, now));
	if (source->certificates_synced) {
		table = part_json(source->certificates_synced, now);
		(void)json_object_set_new(table, "count", json_integer((json_int_t)source->certificates));
	}
	object = json_pack("{s:s,s:s,s:s?,s:I,s:o,s:o,s:o,s:o}", "name", source->name, "kind", kinds[source->kind],
			   "tenant", source->tenant, "devices", (json_int_t)source->devices, "identities", holds,
			   "parts", parts, "certificates", table, "good_for",
			   source->good_for ? json_integer(source->good_for) : json_null());
	(void)json_object_update(object, times);
	json_decref(times);
	return object;
}

json_t *certdir_cli_list_sources_json(const struct certdir_list_snapshot *snapshot)
{
	const struct certdir_list_source *sources;
	int64_t now = (int64_t)time(NULL);
	json_t *list = json_array();
	size_t count;

	sources = certdir_list_sources(snapshot, &count);
	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, source_json(&sources[i], now));
	return list;
}

static void print_part(const char *part, int64_t synced, int64_t now)
{
	printf("    %-12s  ", part);
	certdir_cli_print_when(synced, now);
	putchar('\n');
}

/* "  tenant contoso: 2 devices, synced 2026-11-22T10:00:00Z (5 min ago)", and below it a line for each of its parts */
static void print_source(const struct certdir_list_source *source, int64_t now)
{
	char good_for[CERTDIR_CLI_AGE_SIZE];

	printf("  %s %s: %zu device%s, %s ", kinds[source->kind], source->name, source->devices,
	       certdir_cli_plural(source->devices), source->kind == CERTDIR_SOURCE_IMPORT ? "imported" : "synced");
	certdir_cli_print_when(source->synced, now);
	puts(certdir_cli_good_for(source->good_for, good_for));
	if (source->kind == CERTDIR_SOURCE_TENANT) {
		print_part("intune", source->intune_synced, now);
		print_part("groups", source->groups_synced, now);
	}
	if (source->certificates_synced) {
		printf("    %-12s  %zu, ", "certificates", source->certificates);
		certdir_cli_print_when(source->certificates_synced, now);
		putchar('\n');
	}
	if (source->tenant)
		printf("    %-12s  %s\n", "tenant", source->tenant);
}

void certdir_cli_list_sources_print(const struct certdir_list_snapshot *snapshot)
{
	const int64_t now = (int64_t)time(NULL);
	size_t count;
	const struct certdir_list_source *sources = certdir_list_sources(snapshot, &count);

	for (size_t i = 0; i < count; i++)
		print_source(&sources[i], now);
}

int certdir_cli_list_sources(const struct certdir_cli_options *options)
{
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader;
	int status = 0;
	size_t count;

	if (!certdir_cli_list_open(options, &snapshot, &reader))
		return EX_NOINPUT;
	(void)certdir_list_sources(snapshot, &count);
	if (options->json)
		status = certdir_cli_json_exit(json_pack("{s:s,s:o}", "list", options->list, "sources",
							 certdir_cli_list_sources_json(snapshot)));
	else if (count == 0)
		printf("%s has no sources\n", options->list);
	else
		certdir_cli_list_sources_print(snapshot);
	certdir_cli_list_close(snapshot, reader);
	return status;
}

/* ---- remove ---- */

static int print_removed(const struct certdir_cli_options *options, int64_t devices)
{
	if (options->json)
		return certdir_cli_json_exit(json_pack("{s:s,s:s,s:I,s:b}", "list", options->list, "source",
						       options->source, "devices", (json_int_t)devices, "dry_run",
						       options->dry_run));
	printf("source \"%s\" and its %lld device%s %s %s\n", options->source, (long long)devices,
	       certdir_cli_plural((size_t)devices), options->dry_run ? "would be removed from" : "are removed from",
	       options->list);
	return 0;
}

int certdir_cli_list_remove(const struct certdir_cli_options *options)
{
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_writer *writer;
	struct certdir_list_reader *reader;
	struct certdir_error error;
	int64_t devices;

	if (!certdir_cli_list_open(options, &snapshot, &reader))
		return EX_NOINPUT;
	certdir_cli_list_close(snapshot, reader);
	writer = certdir_cli_list_change(options, false, &error);
	if (!writer)
		goto out;
	if (!certdir_list_write_remove(writer, options->source, &devices, &error)) {
		certdir_list_write_abort(writer);
		goto out;
	}
	if (devices < 0) {
		certdir_list_write_abort(writer);
		return certdir_cli_fail_option(
			1, "--source", "%s has no source \"%s\": `certdir list sources` names those that it has",
			options->list, options->source);
	}
	if (options->dry_run)
		certdir_list_write_abort(writer);
	else if (!certdir_list_write_publish(writer, &error))
		goto out;
	return print_removed(options, devices);
out:
	return certdir_cli_fail(EX_CANTCREAT, options->list, "%s; nothing was changed", error.text);
}
