/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `certdir list stats` */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <jansson.h>

#include "cli/failure.h"
#include "cli/json.h"
#include "cli/list.h"
#include "cli/list_sources.h"
#include "cli/words.h"
#include "text/timestamp.h"

/* Everything is counted into one JSON object, which is printed either as it is or for people. */
static bool count_up(json_t *counts, const char *group, const char *key)
{
	json_t *object = json_object_get(counts, group);
	json_t *number;

	if (!object) {
		object = json_object();
		if (json_object_set_new(counts, group, object) != 0)
			return false;
	}
	number = json_object_get(object, key);
	if (number)
		return json_integer_set(number, json_integer_value(number) + 1) == 0;
	return json_object_set_new(object, key, json_integer(1)) == 0;
}

static bool count_device(void *context, int64_t row, const struct certdir_device *device,
			 const struct certdir_list_source *source)
{
	json_t *counts = context;
	const struct {
		const char *name;
		bool there;
	} identities[] = {{"entra_device_id", device->entra_device_id},
			  {"intune_device_id", device->intune_device_id},
			  {"udid", device->udid},
			  {"sid", device->sid},
			  {"dns_name", device->dns_name_count > 0},
			  {"common_name", device->name},
			  {"serial_number", device->serial_number}};

	(void)row;
	(void)source;
	for (size_t i = 0; i < sizeof(identities) / sizeof(identities[0]); i++)
		if (identities[i].there && !count_up(counts, "identities", identities[i].name))
			return false;
	return count_up(counts, "enabled", certdir_cli_yes_no(device->enabled, "unknown")) &&
	       count_up(counts, "managed", certdir_cli_yes_no(device->managed, "unknown")) &&
	       count_up(counts, "compliance", certdir_cli_text_or(device->compliance, "unknown")) &&
	       count_up(counts, "join_type", certdir_join_type_name(device->join_type)) &&
	       (device->group_count == 0 || count_up(counts, "groups", "in any"));
}

/* Names and serial numbers that do not tell a device from others of its source. */
static json_t *count_shared(struct certdir_list_reader *reader, struct certdir_error *error)
{
	struct certdir_list_shared shared;

	if (!certdir_list_shared(reader, &shared, error))
		return NULL;
	return json_pack("{s:I,s:I,s:I}", "names", (json_int_t)shared.names, "devices", (json_int_t)shared.devices,
			 "serials", (json_int_t)shared.serials);
}

static void print_text(const json_t *counts, const struct certdir_list_snapshot *snapshot)
{
	static const char *const groups[] = {"enabled",	   "managed", "compliance", "join_type",
					     "identities", "groups",  "shared"};
	const json_int_t devices = json_integer_value(json_object_get(counts, "devices"));
	const char *key;
	json_t *value;

	printf("%s: %lld device%s, published %s\n", json_string_value(json_object_get(counts, "list")),
	       (long long)devices, certdir_cli_plural((size_t)devices),
	       json_string_value(json_object_get(counts, "published")));
	certdir_cli_list_sources_print(snapshot);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		const char *separator = "";

		if (!json_object_get(counts, groups[i]))
			continue;
		printf("  %-11s", groups[i]);
		json_object_foreach(json_object_get(counts, groups[i]), key, value)
		{
			printf("%s %s %lld", separator, key, (long long)json_integer_value(value));
			separator = ",";
		}
		putchar('\n');
	}
}

int certdir_cli_list_stats(const struct certdir_cli_options *options)
{
	char published[CERTDIR_TIMESTAMP_SIZE];
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader;
	struct certdir_error error = {.text = "out of memory"};
	int status = EX_NOINPUT;
	json_t *counts;

	if (!certdir_cli_list_open(options, &snapshot, &reader))
		return EX_NOINPUT;
	certdir_timestamp_print(certdir_list_published(snapshot), published);
	counts = json_pack("{s:s,s:I,s:s,s:o}", "list", options->list, "devices",
			   (json_int_t)certdir_list_device_count(snapshot), "published", published, "sources",
			   certdir_cli_list_sources_json(snapshot));
	if (counts && certdir_list_each(reader, count_device, counts, &error) &&
	    json_object_set_new(counts, "shared", count_shared(reader, &error)) == 0)
		status = 0;
	if (status != 0)
		(void)certdir_cli_fail(status, options->list, "%s", error.text);
	else if (!options->json)
		print_text(counts, snapshot);
	else
		(void)certdir_cli_json_print(json_incref(counts));
	json_decref(counts);
	certdir_cli_list_close(snapshot, reader);
	return status;
}
