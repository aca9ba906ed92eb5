/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/device_json.h"

#include "base/words.h"
#include "text/timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Beside the kinds of single values: those that take more than a field of the device. */
enum { ATTRIBUTES = CERTDIR_KINDS, DNS_NAMES, FORMER_NAMES, GROUPS, WITH_FORMER };

#define SINGLE(name, kind, field) COLUMN(name, CERTDIR_KIND_##kind, offsetof(struct certdir_device, field))

/* In the order of the columns in CSV, which is that of certdir_device_json_write(). */
#define COLUMNS                                                                                                        \
	SINGLE("id", TEXT, object_id)                                                                                  \
	SINGLE("deviceId", TEXT, entra_device_id)                                                                      \
	SINGLE("intuneDeviceId", TEXT, intune_device_id)                                                               \
	SINGLE("udid", TEXT, udid)                                                                                     \
	SINGLE("tenantId", TEXT, tenant)                                                                               \
	SINGLE("displayName", TEXT, name)                                                                              \
	SINGLE("deviceName", TEXT, intune_name)                                                                        \
	SINGLE("serialNumber", TEXT, serial_number)                                                                    \
	SINGLE("wiFiMacAddress", TEXT, wifi_mac)                                                                       \
	SINGLE("ethernetMacAddress", TEXT, ethernet_mac)                                                               \
	SINGLE("imei", TEXT, imei)                                                                                     \
	SINGLE("meid", TEXT, meid)                                                                                     \
	SINGLE("onPremisesSecurityIdentifier", TEXT, sid)                                                              \
	SINGLE("userPrincipalName", TEXT, owner)                                                                       \
	SINGLE("deviceOwnership", TEXT, ownership)                                                                     \
	SINGLE("operatingSystem", TEXT, operating_system)                                                              \
	SINGLE("complianceState", TEXT, compliance)                                                                    \
	SINGLE("managementState", TEXT, management_state)                                                              \
	SINGLE("managementAgent", TEXT, management_agent)                                                              \
	SINGLE("deviceCategoryDisplayName", TEXT, category)                                                            \
	SINGLE("enrollmentProfileName", TEXT, enrollment_profile)                                                      \
	COLUMN("extensionAttributes", ATTRIBUTES, 0)                                                                   \
	SINGLE("accountEnabled", YES_NO, enabled)                                                                      \
	SINGLE("isManaged", YES_NO, managed)                                                                           \
	SINGLE("trustType", JOIN_TYPE, join_type)                                                                      \
	SINGLE("approximateLastSignInDateTime", TIME, last_seen)                                                       \
	SINGLE("registrationDateTime", TIME, registered)                                                               \
	SINGLE("accountExpirationDate", TIME, expires)                                                                 \
	COLUMN("dnsNames", DNS_NAMES, 0)                                                                               \
	COLUMN("formerNames", FORMER_NAMES, 0)                                                                         \
	COLUMN("formerNamesSince", WITH_FORMER, 0)                                                                     \
	COLUMN("groupIds", GROUPS, 0)                                                                                  \
	COLUMN("groupNames", WITH_FORMER, 0)

#define COLUMN(name, kind, offset) name,
const char *const certdir_device_json_columns[] = {COLUMNS NULL};
#undef COLUMN

#define COLUMN(name, kind, offset) {name, kind, offset},
static const struct column {
	const char *name;
	unsigned kind; /* WITH_FORMER: it is written with the one before it */
	size_t offset;
} columns[] = {COLUMNS};

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

static bool put_column(json_t *object, const struct column *column, const struct certdir_device *device, bool flat)
{
	const void *field = (const char *)device + column->offset;

	switch (column->kind) {
	case CERTDIR_KIND_TEXT:
		return put_text(object, column->name, *(char *const *)field);
	case CERTDIR_KIND_YES_NO:
		return put_yes_no(object, column->name, *(const enum certdir_tristate *)field);
	case CERTDIR_KIND_JOIN_TYPE:
		return put_text(object, column->name, trust_type(*(const enum certdir_join_type *)field));
	case CERTDIR_KIND_TIME:
		return put_time(object, column->name, *(const int64_t *)field);
	case ATTRIBUTES:
		return put_attributes(object, device->extension_attributes, flat);
	case DNS_NAMES:
		return put_list(object, column->name, names(device->dns_names, device->dns_name_count), flat);
	case FORMER_NAMES:
		return put_former_names(object, device, flat);
	case GROUPS:
		return put_groups(object, device, flat);
	default:
		return true;
	}
}

json_t *certdir_device_json_write(const struct certdir_device *device, bool flat)
{
	json_t *object = json_object();

	for (size_t i = 0; object && i < sizeof(columns) / sizeof(columns[0]); i++) {
		if (put_column(object, &columns[i], device, flat))
			continue;
		json_decref(object);
		object = NULL;
	}
	return object;
}
