/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `certdir list show` and `find`: devices by any of their identities, looked up the way certificates are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/json.h"
#include "cli/list.h"
#include "cli/list_table.h"
#include "cli/words.h"
#include "import/device_json.h"
#include "text/canonical.h"
#include "text/timestamp.h"

static const enum certdir_identity_type types[] = {CERTDIR_ID_GUID, CERTDIR_ID_UDID,	CERTDIR_ID_SID, CERTDIR_ID_NAME,
						   CERTDIR_ID_DNS,  CERTDIR_ID_SERIAL,	CERTDIR_ID_UPN, CERTDIR_ID_IMEI,
						   CERTDIR_ID_MEID, CERTDIR_ID_WIFI_MAC};

enum { SHOWN_MAX = sizeof(types) / sizeof(types[0]) * CERTDIR_LIST_FIND_MAX };

struct hits {
	int64_t rows[SHOWN_MAX];
	enum certdir_identity_type by[SHOWN_MAX]; /* the strongest kind of identity that found it */
	size_t count;
	bool more;
	char guid[CERTDIR_VALUE_MAX + 1]; /* what is looked for, if it is one */
};

static void add_hits(struct hits *hits, enum certdir_identity_type by, const int64_t *rows, int count)
{
	for (int i = 0; i < count; i++) {
		size_t at;

		for (at = 0; at < hits->count && hits->rows[at] != rows[i]; at++)
			continue;
		if (at == hits->count) {
			hits->rows[at] = rows[i];
			hits->by[at] = by;
			hits->count++;
		}
	}
}

static bool find_hits(struct certdir_list_reader *reader, const char *value, struct hits *hits,
		      struct certdir_error *error)
{
	char canonical[CERTDIR_VALUE_MAX + 1];
	int64_t rows[CERTDIR_LIST_FIND_MAX];
	bool more;
	int count;

	memset(hits, 0, sizeof(*hits));
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!certdir_canonical(types[i], value, strlen(value), canonical))
			continue;
		if (types[i] == CERTDIR_ID_GUID)
			strcpy(hits->guid, canonical);
		count = certdir_list_find(reader, NULL, types[i], canonical, rows, &more, error);
		if (count < 0)
			return false;
		add_hits(hits, types[i], rows, count);
		hits->more |= more;
	}
	return true;
}

/* Which of its ids is the GUID? */
static const char *found_by(const struct hits *hits, size_t hit, const struct certdir_device *device)
{
	if (hits->by[hit] != CERTDIR_ID_GUID)
		return certdir_identity_type_name(hits->by[hit]);
	if (device->entra_device_id && strcmp(device->entra_device_id, hits->guid) == 0)
		return certdir_identity_type_name(CERTDIR_ID_ENTRA);
	if (device->intune_device_id && strcmp(device->intune_device_id, hits->guid) == 0)
		return certdir_identity_type_name(CERTDIR_ID_INTUNE);
	if (device->udid && strcmp(device->udid, hits->guid) == 0)
		return certdir_identity_type_name(CERTDIR_ID_UDID);
	return "object_id";
}

/* ---- one device ---- */

static void fact(const char *what, const char *value)
{
	if (value)
		printf("  %-18s %s\n", what, value);
}

static void fact_time(const char *what, int64_t seconds)
{
	char text[CERTDIR_TIMESTAMP_SIZE];

	if (seconds == 0)
		return;
	certdir_timestamp_print(seconds, text);
	fact(what, text);
}

/* "1=a|7=b" as a line each. */
static void print_extensions(const char *text)
{
	while (text && *text) {
		char *item;

		if (!certdir_device_json_split(&text, &item))
			return;
		fact("extension", item);
		free(item);
	}
}

static void print_names(const struct certdir_device *device)
{
	fact("entra_device_id", device->entra_device_id);
	fact("intune_device_id", device->intune_device_id);
	fact("object_id", device->object_id);
	fact("udid", device->udid);
	fact("sid", device->sid);
	fact("serial_number", device->serial_number);
	fact("imei", device->imei);
	fact("meid", device->meid);
	for (size_t i = 0; i < device->dns_name_count; i++)
		fact("dns_name", device->dns_names[i]);
	fact("name in Intune", device->intune_name);
	for (size_t i = 0; i < device->former_name_count; i++) {
		char until[CERTDIR_TIMESTAMP_SIZE];

		certdir_timestamp_print(device->former_names[i].since, until);
		printf("  %-18s %s%s%s\n", "former name", device->former_names[i].name,
		       device->former_names[i].since ? ", until " : "", device->former_names[i].since ? until : "");
	}
}

static void print_device(const struct certdir_device *device, const struct certdir_list_source *source,
			 const struct certdir_value *values, size_t count, const char *only_against)
{
	char synced[CERTDIR_TIMESTAMP_SIZE];

	puts(certdir_cli_device_name(device, device->id));
	fact("only speaks against", only_against);
	fact_time("kept as of", device->own.as_of);
	fact_time("record kept as of", device->intune.as_of);
	if (source->kind == CERTDIR_SOURCE_LDAP)
		fact("DN", device->id);
	print_names(device);
	for (size_t i = 0; i < count; i++)
		fact(certdir_identity_type_name(values[i].type), values[i].value);
	fact("enabled", certdir_cli_yes_no(device->enabled, "unknown"));
	fact("managed", certdir_cli_yes_no(device->managed, "unknown"));
	fact("management state", device->management_state);
	fact("management agent", device->management_agent);
	fact("compliance", certdir_cli_text_or(device->compliance, "unknown"));
	fact("join type", certdir_join_type_name(device->join_type));
	fact("owner", device->owner);
	fact("ownership", device->ownership);
	fact("operating system", device->operating_system);
	fact("category", device->category);
	fact("enrolment profile", device->enrollment_profile);
	print_extensions(device->extension_attributes);
	fact("Wi-Fi MAC", device->wifi_mac);
	fact("Ethernet MAC", device->ethernet_mac);
	fact_time("last seen", device->last_seen);
	fact_time("registered", device->registered);
	fact_time("account expires", device->expires);
	for (size_t i = 0; i < device->group_count; i++)
		printf("  %-18s %s%s%s%s\n", "group", device->groups[i].name ? device->groups[i].name : "",
		       device->groups[i].name ? " (" : "", device->groups[i].id ? device->groups[i].id : "no id",
		       device->groups[i].name ? ")" : "");
	fact("tenant", device->tenant);
	certdir_timestamp_print(source->synced, synced);
	printf("  %-18s %s, %s %s\n", "source", source->name,
	       source->kind == CERTDIR_SOURCE_IMPORT ? "imported" : "synced", synced);
}

/* ---- the commands ---- */

static bool print_hit(const struct certdir_cli_options *options, struct certdir_list_reader *reader,
		      const struct hits *hits, size_t hit, const struct certdir_cli_columns *table,
		      struct certdir_error *error)
{
	const struct certdir_list_source *source;
	struct certdir_value *values = NULL;
	struct certdir_device device;
	size_t count = 0;
	const char *only_against;
	bool ok = true;

	if (!certdir_list_device(reader, hits->rows[hit], &device, &source, &only_against, error))
		return false;
	if (!table && !options->json && !certdir_list_values(reader, hits->rows[hit], &values, &count, error)) {
		certdir_device_clear(&device);
		return false;
	}
	if (options->json)
		ok = certdir_cli_list_table_print_json(&device, source, found_by(hits, hit, &device), only_against);
	else if (!table)
		print_device(&device, source, values, count, only_against);
	else
		certdir_cli_list_table_print(table, &device, found_by(hits, hit, &device), only_against);
	if (!ok)
		certdir_error_set(error, "device %s cannot be printed", device.id);
	for (size_t i = 0; i < count; i++)
		free(values[i].value);
	free(values);
	certdir_device_clear(&device);
	return ok;
}

/* Returns the exit code, with `error` when it is 66. Lines of a table, or all about each device. */
static int look_up(const struct certdir_cli_options *options, struct certdir_list_reader *reader, bool lines,
		   struct certdir_error *error)
{
	struct certdir_cli_columns table;
	struct hits hits;

	if (!find_hits(reader, options->operands[0], &hits, error))
		return EX_NOINPUT;
	if (hits.count && lines && !options->json)
		certdir_cli_list_table_begin(&table, true);
	for (size_t i = 0; i < hits.count; i++)
		if (!print_hit(options, reader, &hits, i, lines ? &table : NULL, error))
			return EX_NOINPUT;
	if (hits.more)
		fprintf(stderr, "certdir: %d devices of a kind are shown, and there are more\n", CERTDIR_LIST_FIND_MAX);
	if (hits.count == 0)
		fprintf(stderr,
			"certdir: %s has no device with \"%s\" as id, name, DNS name, SID, serial number, IMEI, "
			"MEID or Wi-Fi MAC address\n",
			options->list, options->operands[0]);
	return hits.count ? 0 : 1;
}

int certdir_cli_list_show(const struct certdir_cli_options *options)
{
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader;
	struct certdir_error error;
	int status;

	if (!certdir_cli_list_open(options, &snapshot, &reader))
		return EX_NOINPUT;
	status = look_up(options, reader, false, &error);
	if (status == EX_NOINPUT)
		fprintf(stderr, "certdir: %s\n", error.text);
	certdir_cli_list_close(snapshot, reader);
	return status;
}

/* All, those that begin so, or those that have the very value. */
static int find(const struct certdir_cli_options *options, struct certdir_list_reader *reader,
		struct certdir_error *error)
{
	const char *value = options->all ? "" : options->operands[0];
	const size_t length = strlen(value);
	int status;

	if (!options->all && (length == 0 || value[length - 1] != '*'))
		return look_up(options, reader, true, error);
	status = certdir_cli_list_table_each(reader, value, options->all ? 0 : length - 1, options->json, error);
	if (status == 1 && options->all)
		fprintf(stderr, "certdir: %s has no devices\n", options->list);
	else if (status == 1)
		fprintf(stderr, "certdir: %s has no device whose name, serial number or id begins with \"%.*s\"\n",
			options->list, (int)(length - 1), value);
	return status;
}

int certdir_cli_list_find(const struct certdir_cli_options *options)
{
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader;
	struct certdir_error error;
	int status;

	if (options->operand_count == 0 && !options->all)
		return certdir_cli_misuse(options, "an operand is missing");
	if (options->operand_count && options->all)
		return certdir_cli_misuse(options, "--all stands alone, without a value");
	if (!certdir_cli_list_open(options, &snapshot, &reader))
		return EX_NOINPUT;
	status = find(options, reader, &error);
	if (status == EX_NOINPUT)
		fprintf(stderr, "certdir: %s\n", error.text);
	certdir_cli_list_close(snapshot, reader);
	return status;
}
