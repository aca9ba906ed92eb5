/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/device_json.h"

#include "timestamp.h"

#include <stdlib.h>
#include <string.h>

/* The order of certdir_device_json_write(), which is the order of the columns in CSV. */
const char *const certdir_device_json_columns[] = {
	"id",
	"deviceId",
	"intuneDeviceId",
	"tenantId",
	"displayName",
	"serialNumber",
	"wiFiMacAddress",
	"ethernetMacAddress",
	"onPremisesSecurityIdentifier",
	"userPrincipalName",
	"deviceOwnership",
	"operatingSystem",
	"complianceState",
	"accountEnabled",
	"isManaged",
	"trustType",
	"approximateLastSignInDateTime",
	"registrationDateTime",
	"accountExpirationDate",
	"dnsNames",
	"formerNames",
	"groupIds",
	"groupNames",
	NULL,
};

/* What is not known is not written. */
static bool put_text(json_t *object, const char *key, const char *text)
{
	return !text || json_object_set_new(object, key, json_string(text)) == 0;
}

static bool put_yes_no(json_t *object, const char *key, enum certdir_tristate value)
{
	return value == CERTDIR_UNKNOWN || json_object_set_new(object, key, json_boolean(value == CERTDIR_YES)) == 0;
}

static bool put_time(json_t *object, const char *key, int64_t seconds)
{
	char text[CERTDIR_TIMESTAMP_SIZE];

	if (seconds == 0)
		return true;
	certdir_timestamp_print(seconds, text);
	return put_text(object, key, text);
}

/* Graph's words for Graph's types. */
static const char *trust_type(enum certdir_join_type type)
{
	switch (type) {
	case CERTDIR_JOIN_ENTRA:
		return "AzureAd";
	case CERTDIR_JOIN_HYBRID:
		return "ServerAd";
	case CERTDIR_JOIN_REGISTERED:
		return "Workplace";
	case CERTDIR_JOIN_AD:
		return "ad";
	case CERTDIR_JOIN_UNKNOWN:
	case CERTDIR_JOIN_TYPES:
		break;
	}
	return NULL;
}

/* ["a","b|c"] -> "a|b\|c"; an array's null is an empty value. NULL when memory is out. */
static json_t *flatten(const json_t *list)
{
	size_t size = 1, index;
	char *text, *out;
	json_t *item, *flat;

	json_array_foreach((json_t *)list, index, item) size += 2 * json_string_length(item) + 1;
	text = out = malloc(size);
	if (!text)
		return NULL;
	json_array_foreach((json_t *)list, index, item)
	{
		if (index)
			*out++ = '|';
		for (const char *c = json_is_string(item) ? json_string_value(item) : ""; *c; c++) {
			if (*c == '|' || *c == '\\')
				*out++ = '\\';
			*out++ = *c;
		}
	}
	*out = '\0';
	flat = json_string(text);
	free(text);
	return flat;
}

/* Takes `list` over; an empty one is not written. */
static bool put_list(json_t *object, const char *key, json_t *list, bool flat)
{
	json_t *value = list;
	bool ok;

	if (json_array_size(list) == 0) {
		json_decref(list);
		return list != NULL;
	}
	if (flat) {
		value = flatten(list);
		json_decref(list);
	}
	ok = value && json_object_set_new(object, key, value) == 0;
	return ok;
}

static json_t *names(char *const *items, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, json_string(items[i]));
	return list;
}

static bool put_groups(json_t *object, const struct certdir_device *device, bool flat)
{
	json_t *ids = json_array(), *titles = json_array(), *groups = json_array();

	for (size_t i = 0; i < device->group_count; i++) {
		const struct certdir_group *group = &device->groups[i];
		json_t *entry = json_object();

		(void)json_array_append_new(ids, group->id ? json_string(group->id) : json_null());
		(void)json_array_append_new(titles, group->name ? json_string(group->name) : json_null());
		(void)put_text(entry, "id", group->id);
		(void)put_text(entry, "displayName", group->name);
		(void)json_array_append_new(groups, entry);
	}
	if (!flat) {
		json_decref(ids);
		json_decref(titles);
		return put_list(object, "groups", groups, false);
	}
	json_decref(groups);
	return put_list(object, "groupIds", ids, true) & put_list(object, "groupNames", titles, true);
}

json_t *certdir_device_json_write(const struct certdir_device *device, char *const *former_names, bool flat)
{
	json_t *object = json_object();
	size_t former = 0;
	bool ok;

	for (; former_names && former_names[former]; former++)
		;
	ok = object && put_text(object, "id", device->object_id) &&
	     put_text(object, "deviceId", device->entra_device_id) &&
	     put_text(object, "intuneDeviceId", device->intune_device_id) &&
	     put_text(object, "tenantId", device->tenant) && put_text(object, "displayName", device->name) &&
	     put_text(object, "serialNumber", device->serial_number) &&
	     put_text(object, "wiFiMacAddress", device->wifi_mac) &&
	     put_text(object, "ethernetMacAddress", device->ethernet_mac) &&
	     put_text(object, "onPremisesSecurityIdentifier", device->sid) &&
	     put_text(object, "userPrincipalName", device->owner) &&
	     put_text(object, "deviceOwnership", device->ownership) &&
	     put_text(object, "operatingSystem", device->operating_system) &&
	     put_text(object, "complianceState", device->compliance) &&
	     put_yes_no(object, "accountEnabled", device->enabled) &&
	     put_yes_no(object, "isManaged", device->managed) &&
	     put_text(object, "trustType", trust_type(device->join_type)) &&
	     put_time(object, "approximateLastSignInDateTime", device->last_seen) &&
	     put_time(object, "registrationDateTime", device->registered) &&
	     put_time(object, "accountExpirationDate", device->expires) &&
	     put_list(object, "dnsNames", names(device->dns_names, device->dns_name_count), flat) &&
	     put_list(object, "formerNames", names(former_names, former), flat) && put_groups(object, device, flat);
	if (ok)
		return object;
	json_decref(object);
	return NULL;
}
