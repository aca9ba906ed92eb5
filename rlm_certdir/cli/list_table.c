/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/list_table.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "cli/json.h"
#include "cli/words.h"
#include "import/device_json.h"
#include "text/timestamp.h"

static const struct certdir_cli_column columns[] = {
	{"ID", 36, 0},		{"NAME", 20, 15},      {"SERIAL", 16, 8},     {"ENABLED", 8, 8},
	{"COMPLIANCE", 12, 12}, {"JOIN TYPE", 10, 10}, {"LAST SEEN", 20, 20}, {"FOUND BY", 60, 16},
};

enum { COLUMN_COUNT = sizeof(columns) / sizeof(columns[0]) };

void certdir_cli_list_table_begin(struct certdir_cli_columns *table, bool found)
{
	certdir_cli_columns_begin(table, columns, COLUMN_COUNT - !found);
}

void certdir_cli_list_table_print(const struct certdir_cli_columns *table, const struct certdir_device *device,
				  const char *by, const char *only_against)
{
	static const char *const enabled[] = {
		[CERTDIR_UNKNOWN] = "unknown", [CERTDIR_NO] = "disabled", [CERTDIR_YES] = "enabled"};
	char seen[CERTDIR_TIMESTAMP_SIZE] = "-", found[CERTDIR_TEXT_MAX];

	if (device->last_seen)
		certdir_timestamp_print(device->last_seen, seen);
	certdir_say(found, "%s%s%s", by, only_against ? "; only speaks against: " : "",
		    certdir_cli_text_or(only_against, ""));
	certdir_cli_columns_print(table,
				  (const char *[COLUMN_COUNT]){device->id, certdir_cli_device_name(device, "-"),
							       certdir_cli_text_or(device->serial_number, "-"),
							       enabled[device->enabled],
							       certdir_cli_text_or(device->compliance, "unknown"),
							       certdir_join_type_name(device->join_type), seen, found});
}

bool certdir_cli_list_table_print_json(const struct certdir_device *device, const struct certdir_list_source *source,
				       const char *by, const char *only_against)
{
	char synced[CERTDIR_TIMESTAMP_SIZE];
	json_t *object = certdir_device_json_write(device, false);

	certdir_timestamp_print(source->synced, synced);
	if (object && json_object_set_new(object, "source", json_string(source->name)) == 0 &&
	    json_object_set_new(object, "synced", json_string(synced)) == 0 &&
	    json_object_set_new(object, "foundBy", certdir_cli_json_text(by)) == 0 &&
	    (!only_against || json_object_set_new(object, "onlyAgainst", json_string(only_against)) == 0))
		return certdir_cli_json_print(object);
	json_decref(object);
	return certdir_cli_json_print(NULL);
}

/* ---- many ---- */

struct listing {
	struct certdir_cli_columns table;
	const char *prefix;
	size_t length;
	const struct certdir_cli_list_filter *filter;
	bool json, failed;
	size_t count;
};

/* What begins so, by the names that `certdir list find` has for it; "" with no prefix, NULL when nothing does. */
static const char *begins(const struct listing *listing, const struct certdir_device *device)
{
	const struct {
		const char *text, *by;
	} values[] = {{device->name, "common_name"},
		      {device->intune_name, "common_name"},
		      {device->serial_number, "serial_number"},
		      {device->entra_device_id, "entra_device_id"},
		      {device->intune_device_id, "intune_device_id"},
		      {device->udid, "udid"},
		      {device->object_id, "object_id"},
		      {device->id, "id"}};

	if (listing->length == 0)
		return "";
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (values[i].text && strncasecmp(values[i].text, listing->prefix, listing->length) == 0)
			return values[i].by;
	return NULL;
}

static bool take(void *context, int64_t row, const struct certdir_device *device,
		 const struct certdir_list_source *source)
{
	struct listing *listing = context;
	const char *by = begins(listing, device);

	(void)row;
	if (!by || !certdir_cli_list_filter_fits(listing->filter, device, source))
		return true;
	if (listing->count++ == 0 && !listing->json)
		certdir_cli_list_table_begin(&listing->table, *by != '\0');
	if (listing->json)
		listing->failed |= !certdir_cli_list_table_print_json(device, source, *by ? by : NULL, NULL);
	else
		certdir_cli_list_table_print(&listing->table, device, by, NULL);
	return !listing->failed && !ferror(stdout);
}

int certdir_cli_list_table_each(struct certdir_list_reader *reader, const char *prefix, size_t length,
				const struct certdir_cli_list_filter *filter, bool json, struct certdir_error *error)
{
	struct listing listing = {.prefix = prefix, .length = length, .filter = filter, .json = json};

	if (!certdir_list_each(reader, take, &listing, error))
		return EX_NOINPUT;
	if (listing.failed)
		return EX_IOERR;
	return listing.count ? 0 : 1;
}
