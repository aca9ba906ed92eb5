/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `certdir list show` and `find`: devices by any of their identities, looked up the way certificates are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/failure.h"
#include "cli/list.h"
#include "cli/list_filter.h"
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

struct look {
	const struct certdir_cli_options *options;
	struct certdir_list_reader *reader;
	bool lines; /* of a table, and not all about each device */
	struct certdir_cli_list_filter filter;
	struct certdir_cli_columns table;
	size_t shown;
};

static bool print_all(struct look *look, int64_t row, const struct certdir_device *device,
		      const struct certdir_list_source *source, const char *only_against, struct certdir_error *error)
{
	struct certdir_value *values = NULL;
	size_t count = 0;

	if (!certdir_list_values(look->reader, row, &values, &count, error))
		return false;
	print_device(device, source, values, count, only_against);
	for (size_t i = 0; i < count; i++)
		free(values[i].value);
	free(values);
	return true;
}

static bool print_fitting(struct look *look, int64_t row, const char *by, const struct certdir_device *device,
			  const struct certdir_list_source *source, const char *only_against,
			  struct certdir_error *error)
{
	if (look->options->json) {
		if (certdir_cli_list_table_print_json(device, source, by, only_against))
			return true;
		certdir_error_set(error, "device %s cannot be printed", device->id);
		return false;
	}
	if (!look->lines)
		return print_all(look, row, device, source, only_against, error);
	if (look->shown == 0)
		certdir_cli_list_table_begin(&look->table, true);
	certdir_cli_list_table_print(&look->table, device, by, only_against);
	return true;
}

static bool print_hit(struct look *look, const struct hits *hits, size_t hit, struct certdir_error *error)
{
	const struct certdir_list_source *source;
	struct certdir_device device;
	const char *only_against;
	bool ok = true;

	if (!certdir_list_device(look->reader, hits->rows[hit], &device, &source, &only_against, error))
		return false;
	if (certdir_cli_list_filter_fits(&look->filter, &device, source)) {
		ok = print_fitting(look, hits->rows[hit], found_by(hits, hit, &device), &device, source, only_against,
				   error);
		look->shown++;
	}
	certdir_device_clear(&device);
	return ok;
}

/* What is added to "there is none" where options leave out some. */
static const char *of_those(const struct look *look)
{
	return certdir_cli_list_filter_any(&look->filter) ? " that the options ask for" : "";
}

/* Returns the exit code, with `error` when it is 66. */
static int look_up(struct look *look, struct certdir_error *error)
{
	const char *value = look->options->operands[0];
	struct hits hits;

	if (!find_hits(look->reader, value, &hits, error))
		return EX_NOINPUT;
	for (size_t i = 0; i < hits.count; i++)
		if (!print_hit(look, &hits, i, error))
			return EX_NOINPUT;
	if (hits.more)
		fprintf(stderr, "certdir: %d devices of a kind are shown, and there are more\n", CERTDIR_LIST_FIND_MAX);
	if (look->shown)
		return 0;
	return certdir_cli_fail(
		1, NULL,
		"%s has no device%s with \"%s\" as id, name, DNS name, SID, serial number, IMEI, MEID or "
		"Wi-Fi MAC address",
		look->options->list, of_those(look), value);
}

/* All, or those that begin so. */
static int look_through(struct look *look, struct certdir_error *error)
{
	const struct certdir_cli_options *options = look->options;
	const char *value = options->operand_count ? options->operands[0] : "*";
	const int length = (int)strlen(value) - 1;
	const int status =
		certdir_cli_list_table_each(look->reader, value, (size_t)length, &look->filter, options->json, error);

	if (status == 1 && length == 0)
		return certdir_cli_fail(1, NULL, "%s has no devices%s", options->list, of_those(look));
	if (status == 1)
		return certdir_cli_fail(1, NULL,
					"%s has no device%s whose name, serial number or id begins with \"%.*s\"",
					options->list, of_those(look), length, value);
	return status;
}

static int run(struct look *look, int (*by)(struct look *look, struct certdir_error *error))
{
	struct certdir_list_snapshot *snapshot;
	struct certdir_error error;
	int status;

	if (!certdir_cli_list_open(look->options, &snapshot, &look->reader))
		return EX_NOINPUT;
	status = by(look, &error);
	if (status == EX_NOINPUT)
		(void)certdir_cli_fail(status, look->options->list, "%s", error.text);
	certdir_cli_list_close(snapshot, look->reader);
	return status;
}

int certdir_cli_list_show(const struct certdir_cli_options *options)
{
	struct look look = {.options = options};

	return run(&look, look_up);
}

int certdir_cli_list_find(const struct certdir_cli_options *options)
{
	struct look look = {.options = options, .lines = true};
	const char *value = options->operands[0];

	if (!certdir_cli_list_filter_read(&look.filter, options))
		return EX_USAGE;
	if (!value && !options->all && !certdir_cli_list_filter_any(&look.filter))
		return certdir_cli_misuse(options, NULL, "an operand is missing");
	if (value && options->all)
		return certdir_cli_misuse(options, "--all", "--all stands alone, without a value");
	return run(&look, value && (!*value || value[strlen(value) - 1] != '*') ? look_up : look_through);
}
