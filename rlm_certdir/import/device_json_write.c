/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/device_json.h"

#include "base/words.h"
#include "text/timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The order of certdir_device_json_write(), which is the order of the columns in CSV. */
const char *const certdir_device_json_columns[] = {
	"id",
	"deviceId",
	"intuneDeviceId",
	"udid",
	"tenantId",
	"displayName",
	"deviceName",
	"serialNumber",
	"wiFiMacAddress",
	"ethernetMacAddress",
	"onPremisesSecurityIdentifier",
	"userPrincipalName",
	"deviceOwnership",
	"operatingSystem",
	"complianceState",
	"managementState",
	"managementAgent",
	"deviceCategoryDisplayName",
	"enrollmentProfileName",
	"extensionAttributes",
	"accountEnabled",
	"isManaged",
	"trustType",
	"approximateLastSignInDateTime",
	"registrationDateTime",
	"accountExpirationDate",
	"dnsNames",
	"formerNames",
	"formerNamesSince",
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

/* Graph's word, or our own for the join type that Graph does not have. */
static const char *trust_type(enum certdir_join_type type)
{
	return type == CERTDIR_JOIN_AD ? certdir_join_type_name(type) : certdir_word_of_join_type(type);
}

json_t *certdir_device_json_flatten(const json_t *list)
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
		value = certdir_device_json_flatten(list);
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

/* Two lists of one order, so that the names can be read by who does not know of their times; null where one is not known. */
static bool put_former_names(json_t *object, const struct certdir_device *device, bool flat)
{
	json_t *list = json_array(), *times = json_array();
	bool any = false;

	for (size_t i = 0; i < device->former_name_count; i++) {
		const struct certdir_former_name *former = &device->former_names[i];
		char text[CERTDIR_TIMESTAMP_SIZE];

		if (former->since)
			certdir_timestamp_print(former->since, text);
		any |= former->since != 0;
		(void)json_array_append_new(list, json_string(former->name));
		(void)json_array_append_new(times, former->since ? json_string(text) : json_null());
	}
	if (!any)
		(void)json_array_clear(times);
	return put_list(object, "formerNames", list, flat) & put_list(object, "formerNamesSince", times, flat);
}

/* "1=a|7=b" as Graph has it: {"extensionAttribute1":"a",..}. */
static bool put_attributes(json_t *object, const char *attributes, bool flat)
{
	json_t *values = NULL;
	const char *at = attributes;
	char *item, name[40];

	if (!attributes || flat)
		return put_text(object, "extensionAttributes", attributes);
	values = json_object();
	while (values && certdir_device_json_split(&at, &item)) {
		char *value = strchr(item, '=');

		if (value && value - item <= 2) {
			(void)snprintf(name, sizeof(name), "extensionAttribute%.*s", (int)(value - item), item);
			(void)put_text(values, name, value + 1);
		}
		free(item);
	}
	return values && json_object_set_new(object, "extensionAttributes", values) == 0;
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

json_t *certdir_device_json_write(const struct certdir_device *device, bool flat)
{
	json_t *object = json_object();
	bool ok;

	ok = object && put_text(object, "id", device->object_id) &&
	     put_text(object, "deviceId", device->entra_device_id) &&
	     put_text(object, "intuneDeviceId", device->intune_device_id) && put_text(object, "udid", device->udid) &&
	     put_text(object, "tenantId", device->tenant) && put_text(object, "displayName", device->name) &&
	     put_text(object, "deviceName", device->intune_name) &&
	     put_text(object, "serialNumber", device->serial_number) &&
	     put_text(object, "wiFiMacAddress", device->wifi_mac) &&
	     put_text(object, "ethernetMacAddress", device->ethernet_mac) &&
	     put_text(object, "onPremisesSecurityIdentifier", device->sid) &&
	     put_text(object, "userPrincipalName", device->owner) &&
	     put_text(object, "deviceOwnership", device->ownership) &&
	     put_text(object, "operatingSystem", device->operating_system) &&
	     put_text(object, "complianceState", device->compliance) &&
	     put_text(object, "managementState", device->management_state) &&
	     put_text(object, "managementAgent", device->management_agent) &&
	     put_text(object, "deviceCategoryDisplayName", device->category) &&
	     put_text(object, "enrollmentProfileName", device->enrollment_profile) &&
	     put_attributes(object, device->extension_attributes, flat) &&
	     put_yes_no(object, "accountEnabled", device->enabled) &&
	     put_yes_no(object, "isManaged", device->managed) &&
	     put_text(object, "trustType", trust_type(device->join_type)) &&
	     put_time(object, "approximateLastSignInDateTime", device->last_seen) &&
	     put_time(object, "registrationDateTime", device->registered) &&
	     put_time(object, "accountExpirationDate", device->expires) &&
	     put_list(object, "dnsNames", names(device->dns_names, device->dns_name_count), flat) &&
	     put_former_names(object, device, flat) && put_groups(object, device, flat);
	if (ok)
		return object;
	json_decref(object);
	return NULL;
}
