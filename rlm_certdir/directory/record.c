/* SPDX-License-Identifier: GPL-2.0-or-later */
/* By which values is a record known? Pure. */
#include <string.h>
#include <strings.h>

#include "directory/directory.h"
#include "directory/ldap_schema.h"
#include "text/canonical.h"

int64_t certdir_source_limit(const struct certdir_source *source, enum certdir_part part, uint32_t max_age)
{
	const int64_t twice = 2 * source->interval[part];

	if (source->good_for)
		return source->good_for;
	return max_age && max_age < twice ? twice : max_age;
}

static bool same(const char *a, const char *b)
{
	return a && strcmp(a, b) == 0;
}

static bool same_name(const char *a, const char *b)
{
	return a && strcasecmp(a, b) == 0;
}

/* Among the values beside the device's fields; GUIDs of all types are one name space. */
static bool has_value(const struct certdir_record *record, enum certdir_identity_type type, const char *value)
{
	for (size_t i = 0; i < record->value_count; i++) {
		const struct certdir_value *has = &record->values[i];

		if ((has->type == type || (certdir_type_is_guid(has->type) && certdir_type_is_guid(type))) &&
		    same_name(has->value, value))
			return true;
	}
	return false;
}

static bool has_guid(const struct certdir_record *record, const char *value)
{
	const struct certdir_device *device = &record->device;

	return same(device->entra_device_id, value) || same(device->intune_device_id, value) ||
	       same(device->object_id, value) || same(device->udid, value) || has_value(record, CERTDIR_ID_GUID, value);
}

static bool has_sid(const struct certdir_record *record, const char *value)
{
	char guid[37];

	if (certdir_sid_object_id(value, guid))
		return has_guid(record, guid);
	return same(record->device.sid, value) || has_value(record, CERTDIR_ID_SID, value);
}

bool certdir_record_has_dns_name(const struct certdir_record *record, const char *value)
{
	for (size_t i = 0; i < record->device.dns_name_count; i++)
		if (same_name(record->device.dns_names[i], value))
			return true;
	return has_value(record, CERTDIR_ID_DNS, value);
}

/* A tenant's device is called what its owner likes: with a dot it would pass for a full name. */
static bool is_name(const char *name, const char *value, enum certdir_source_kind kind)
{
	return same_name(name, value) && !(kind == CERTDIR_SOURCE_TENANT && strchr(name, '.'));
}

/* Of a name that is longer than sAMAccountName holds, the cut one is there; a DNS name has to tell the rest. */
static bool has_cut_name(const struct certdir_record *record, const char *value, size_t length)
{
	const struct certdir_device *device = &record->device;
	bool cut = false;

	if (length <= CERTDIR_LDAP_SAM_MAX)
		return false;
	for (size_t i = 0; i < record->value_count && !cut; i++)
		cut = record->values[i].type == CERTDIR_ID_NAME &&
		      strlen(record->values[i].value) == CERTDIR_LDAP_SAM_MAX &&
		      strncasecmp(record->values[i].value, value, CERTDIR_LDAP_SAM_MAX) == 0;
	for (size_t i = 0; i < device->dns_name_count && cut; i++)
		if (strncasecmp(device->dns_names[i], value, length) == 0 && device->dns_names[i][length] == '.')
			return true;
	return false;
}

static bool has_name(const struct certdir_record *record, enum certdir_source_kind kind, const char *value)
{
	return is_name(record->device.name, value, kind) || is_name(record->device.intune_name, value, kind) ||
	       has_value(record, CERTDIR_ID_NAME, value) || has_cut_name(record, value, strlen(value));
}

static bool had_name(const struct certdir_device *device, const char *value, enum certdir_source_kind kind)
{
	for (size_t i = 0; i < device->former_name_count; i++)
		if (is_name(device->former_names[i].name, value, kind))
			return true;
	return false;
}

static enum certdir_carries carries_dns(const struct certdir_record *record, enum certdir_source_kind kind,
					const char *value)
{
	char label[CERTDIR_VALUE_MAX + 1];
	const size_t length = strcspn(value, ".");

	if (certdir_record_has_dns_name(record, value) || has_name(record, kind, value))
		return CERTDIR_CARRIES_YES;
	memcpy(label, value, length);
	label[length] = '\0';
	return has_name(record, kind, label) ? CERTDIR_CARRIES_LABEL : CERTDIR_CARRIES_NOT;
}

enum certdir_carries certdir_record_carries(const struct certdir_record *record, enum certdir_source_kind kind,
					    enum certdir_identity_type type, const char *value)
{
	bool carries = false;

	switch (type) {
	case CERTDIR_ID_ENTRA:
	case CERTDIR_ID_INTUNE:
	case CERTDIR_ID_GUID:
	case CERTDIR_ID_UDID:
		carries = has_guid(record, value);
		break;
	case CERTDIR_ID_USER_ID:
		carries = same(record->device.object_id, value);
		break;
	case CERTDIR_ID_SID:
	case CERTDIR_ID_SID_URI:
	case CERTDIR_ID_USER_SID:
		carries = has_sid(record, value);
		break;
	case CERTDIR_ID_DNS:
		return carries_dns(record, kind, value);
	case CERTDIR_ID_NAME:
		if (!has_name(record, kind, value) && had_name(&record->device, value, kind))
			return CERTDIR_CARRIES_FORMER;
		carries = has_name(record, kind, value);
		break;
	case CERTDIR_ID_SERIAL:
		carries = same(record->device.serial_number, value) || has_value(record, type, value);
		break;
	case CERTDIR_ID_IMEI:
		carries = same(record->device.imei, value) || has_value(record, type, value);
		break;
	case CERTDIR_ID_MEID:
		carries = same(record->device.meid, value) || has_value(record, type, value);
		break;
	case CERTDIR_ID_WIFI_MAC:
		carries = same(record->device.wifi_mac, value) || has_value(record, type, value);
		break;
	case CERTDIR_ID_PERMANENT:
		carries = same(record->device.serial_number, value) || same(record->device.udid, value) ||
			  has_value(record, type, value);
		break;
	case CERTDIR_ID_UPN:
	case CERTDIR_ID_USER_NAME:
	case CERTDIR_ID_MAIL:
	case CERTDIR_ID_CERTIFICATE:
	case CERTDIR_ID_MAPPING:
		carries = has_value(record, type, value);
		break;
	case CERTDIR_ID_TYPES:
		break;
	}
	return carries ? CERTDIR_CARRIES_YES : CERTDIR_CARRIES_NOT;
}
