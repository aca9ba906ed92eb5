/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/device_json.h"

#include "list/text.h"
#include "timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum kind {
	TEXT,
	GUID,
	SID,
	USER_NAME, /* names and serial numbers: left out when not fit */
	USER_SERIAL,
	WORD, /* lower case */
	COMPLIANCE,
	COMPLIANT,
	YES_NO,
	JOIN,
	TIME,
	RECORD_ID, /* object id of a Graph device, Intune id of a managedDevice */
	DNS_NAMES,
	FORMER_NAMES,
	GROUPS,
	GROUP_IDS,
	GROUP_NAMES
};

#define AT(field) offsetof(struct certdir_device, field)

static const struct property {
	const char *name;
	enum kind kind;
	size_t offset;
} properties[] = {
	{"id", RECORD_ID, 0},
	{"deviceId", GUID, AT(entra_device_id)},
	{"azureADDeviceId", GUID, AT(entra_device_id)},
	{"intuneDeviceId", GUID, AT(intune_device_id)},
	{"tenantId", GUID, AT(tenant)},
	{"displayName", USER_NAME, AT(name)},
	{"deviceName", USER_NAME, AT(name)},
	{"serialNumber", USER_SERIAL, AT(serial_number)},
	{"wiFiMacAddress", TEXT, AT(wifi_mac)},
	{"ethernetMacAddress", TEXT, AT(ethernet_mac)},
	{"onPremisesSecurityIdentifier", SID, AT(sid)},
	{"userPrincipalName", TEXT, AT(owner)},
	{"deviceOwnership", WORD, AT(ownership)},
	{"managedDeviceOwnerType", WORD, AT(ownership)},
	{"operatingSystem", TEXT, AT(operating_system)},
	{"complianceState", COMPLIANCE, AT(compliance)},
	{"isCompliant", COMPLIANT, AT(compliance)},
	{"accountEnabled", YES_NO, AT(enabled)},
	{"isManaged", YES_NO, AT(managed)},
	{"trustType", JOIN, AT(join_type)},
	{"approximateLastSignInDateTime", TIME, AT(last_seen)},
	{"lastSyncDateTime", TIME, AT(last_seen)},
	{"registrationDateTime", TIME, AT(registered)},
	{"enrolledDateTime", TIME, AT(registered)},
	{"accountExpirationDate", TIME, AT(expires)},
	{"dnsNames", DNS_NAMES, 0},
	{"formerNames", FORMER_NAMES, 0},
	{"groups", GROUPS, 0},
	{"groupIds", GROUP_IDS, 0},
	{"groupNames", GROUP_NAMES, 0},
};

/* What others head the same columns with in their CSV exports. */
static const struct alias {
	const char *name, *property;
} aliases[] = {
	/* Windows Autopilot, Get-WindowsAutopilotInfo */
	{"Device Serial Number", "serialNumber"},
	{"Assigned User", "userPrincipalName"},
	/* Jamf Pro, computers and mobile devices */
	{"Computer Name", "displayName"},
	{"Display Name", "displayName"},
	{"Serial Number", "serialNumber"},
	{"Managed", "isManaged"},
	{"Operating System", "operatingSystem"},
	{"Computer Azure Active Directory ID", "deviceId"},
	{"Wi-Fi MAC Address", "wiFiMacAddress"},
	/* the Intune admin center */
	{"Device Name", "displayName"},
	{"Azure AD Device ID", "deviceId"},
	{"Microsoft Entra Device ID", "deviceId"},
};

struct reading {
	struct certdir_device_record *record;
	const char *label; /* what errors call the device by */
	bool intune; /* a managedDevice */
	struct certdir_error *error;
};

static const struct property *property_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (strcasecmp(aliases[i].name, name) == 0)
			name = aliases[i].property;
	for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++)
		if (strcasecmp(properties[i].name, name) == 0)
			return &properties[i];
	return NULL;
}

/* The value of `name` whatever its case, or NULL; a JSON null is NULL. */
static const json_t *get(const json_t *object, const char *name)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key,
			    value) if (strcasecmp(key, name) == 0 && !json_is_null(value)) return value;
	return NULL;
}

static bool has(const json_t *object, const char *name)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value) if (strcasecmp(key, name) == 0) return true;
	return false;
}

/* Names the device, the property and the value. */
static bool refuse(const struct reading *reading, const char *name, const json_t *value, const char *why)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

	certdir_error_set(reading->error, "device \"%.100s\": %s %.100s%s %s", reading->label, name,
			  text ? text : "(too long)", text && strlen(text) > 100 ? ".." : "", why);
	free(text);
	return false;
}

static bool out_of_memory(const struct reading *reading)
{
	certdir_error_set(reading->error, "device \"%.100s\": out of memory", reading->label);
	return false;
}

/* Two properties may say the same (deviceId, azureADDeviceId), but not different things. Takes `made` over. */
static bool put_text(const struct reading *reading, const char *name, const json_t *value, size_t offset, char *made)
{
	char **field = (char **)((char *)&reading->record->device + offset);
	bool same = !made || !*field || strcasecmp(*field, made) == 0;

	if (!same)
		refuse(reading, name, value, "contradicts another property of the same device");
	else if (made && !*field) {
		*field = made;
		made = NULL;
	}
	free(made);
	return same;
}

static bool make_text(const struct reading *reading, const char *name, const json_t *value, enum certdir_list_form form,
		      char **made)
{
	*made = NULL;
	if (!json_is_string(value))
		return refuse(reading, name, value, "is not a text");
	return certdir_list_text_make(reading->label, name, form, json_string_value(value), made, reading->error);
}

static bool take_text(const struct reading *reading, const struct property *property, const json_t *value,
		      enum certdir_list_form form)
{
	char *made;

	return make_text(reading, property->name, value, form, &made) &&
	       put_text(reading, property->name, value, property->offset, made);
}

static bool take_user_text(const struct reading *reading, const struct property *property, const json_t *value,
			   enum certdir_list_form form)
{
	char *made;

	if (!json_is_string(value))
		return refuse(reading, property->name, value, "is not a text");
	if (!make_text(reading, property->name, value, form, &made)) {
		reading->record->warning = *reading->error;
		return true;
	}
	return put_text(reading, property->name, value, property->offset, made);
}

static bool take_word(const struct reading *reading, const struct property *property, const json_t *value)
{
	char *made;

	if (!make_text(reading, property->name, value, CERTDIR_FORM_TEXT, &made))
		return false;
	for (char *c = made; c && *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return put_text(reading, property->name, value, property->offset, made);
}

/* Intune's own spelling of a state, since policies compare it; a word that is newer than this program stays as it is. */
static bool take_compliance(const struct reading *reading, const struct property *property, const json_t *value)
{
	static const char *const states[] = {"unknown", "compliant",	 "noncompliant", "conflict",
					     "error",	"inGracePeriod", "configManager"};
	char *made;

	if (!make_text(reading, property->name, value, CERTDIR_FORM_TEXT, &made))
		return false;
	for (size_t i = 0; made && i < sizeof(states) / sizeof(states[0]); i++)
		if (strcasecmp(made, states[i]) == 0)
			memcpy(made, states[i], strlen(made));
	if (!made)
		return true;
	/* isCompliant is the coarser of the two and may have come first. */
	free(reading->record->device.compliance);
	reading->record->device.compliance = made;
	return true;
}

static bool is_one_of(const char *text, const char *const *words)
{
	for (; text && *words; words++)
		if (strcasecmp(text, *words) == 0)
			return true;
	return false;
}

/* true, false, or a text for it; "" is "not known". Jamf's "Managed" is Managed or Unmanaged. */
static bool read_yes_no(const struct reading *reading, const struct property *property, const json_t *value,
			enum certdir_tristate *out)
{
	static const char *const yes[] = {"true", "1", "yes", NULL}, *const no[] = {"false", "0", "no", NULL};
	const bool managed = property->offset == AT(managed);
	const char *text = json_string_value(value);

	if (json_is_true(value) || is_one_of(text, yes) || (managed && text && strcasecmp(text, "managed") == 0))
		*out = CERTDIR_YES;
	else if (json_is_false(value) || is_one_of(text, no) || (managed && text && strcasecmp(text, "unmanaged") == 0))
		*out = CERTDIR_NO;
	else if (text && text[strspn(text, " ")] == '\0')
		*out = CERTDIR_UNKNOWN;
	else
		return refuse(reading, property->name, value, "is neither true nor false");
	return true;
}

static bool take_yes_no(const struct reading *reading, const struct property *property, const json_t *value)
{
	return read_yes_no(reading, property, value,
			   (enum certdir_tristate *)((char *)&reading->record->device + property->offset));
}

static bool take_compliant(const struct reading *reading, const struct property *property, const json_t *value)
{
	struct certdir_device *device = &reading->record->device;
	enum certdir_tristate compliant;

	if (!read_yes_no(reading, property, value, &compliant))
		return false;
	if (compliant == CERTDIR_UNKNOWN || device->compliance)
		return true;
	device->compliance = strdup(compliant == CERTDIR_YES ? "compliant" : "noncompliant");
	return device->compliance || out_of_memory(reading);
}

static bool take_join_type(const struct reading *reading, const struct property *property, const json_t *value)
{
	static const struct {
		const char *word;
		enum certdir_join_type type;
	} words[] = {{"AzureAd", CERTDIR_JOIN_ENTRA},
		     {"ServerAd", CERTDIR_JOIN_HYBRID},
		     {"Workplace", CERTDIR_JOIN_REGISTERED},
		     {"entra", CERTDIR_JOIN_ENTRA},
		     {"hybrid", CERTDIR_JOIN_HYBRID},
		     {"registered", CERTDIR_JOIN_REGISTERED},
		     {"unknown", CERTDIR_JOIN_UNKNOWN},
		     {"ad", CERTDIR_JOIN_AD},
		     {"", CERTDIR_JOIN_UNKNOWN}};
	const char *text = json_string_value(value);

	for (size_t i = 0; text && i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(text, words[i].word) == 0) {
			reading->record->device.join_type = words[i].type;
			return true;
		}
	return refuse(reading, property->name, value, "is none of AzureAd, ServerAd, Workplace, ad");
}

/* Entra and Intune each have their own time for the same thing: the later counts. */
static bool take_time(const struct reading *reading, const struct property *property, const json_t *value)
{
	int64_t *field = (int64_t *)((char *)&reading->record->device + property->offset), seconds = 0;
	const char *text = json_string_value(value);

	if (!text || (text[strspn(text, " ")] && !certdir_timestamp_parse(text, &seconds)))
		return refuse(reading, property->name, value,
			      "is not a time: write it like 2024-05-01T10:00:00Z, PowerShell's format \"o\"");
	if (seconds > *field)
		*field = seconds;
	return true;
}

/* ---- lists ---- */

/* Takes the next value out of "a|b\|c" into *item, which the caller frees; false at the end or when memory is out. */
static bool split_next(const char **at, char **item)
{
	char *out;

	*item = NULL;
	if (!*at || !(*item = out = malloc(strlen(*at) + 1)))
		return false;
	for (;; (*at)++) {
		if (**at == '\\' && (*at)[1])
			(*at)++;
		else if (**at == '|' || !**at)
			break;
		*out++ = **at;
	}
	*out = '\0';
	*at = **at ? *at + 1 : NULL;
	return true;
}

/* A list as an array of texts, whichever way it is written; "" is an empty one. The caller decrefs it. */
static json_t *list_of(const json_t *value)
{
	const char *at = json_string_value(value);
	json_t *list;
	char *item;

	if (json_is_array(value))
		return json_incref((json_t *)value);
	list = at ? json_array() : NULL;
	if (at && !*at)
		at = NULL;
	while (list && split_next(&at, &item)) {
		(void)json_array_append_new(list, json_string(item));
		free(item);
	}
	return list;
}

static bool append_name(char ***names, size_t *count, char *made)
{
	char **grown = realloc(*names, (*count + 2) * sizeof(*grown));

	if (!grown) {
		free(made);
		return false;
	}
	*names = grown;
	grown[(*count)++] = made;
	grown[*count] = NULL;
	return true;
}

static bool take_names(const struct reading *reading, const struct property *property, const json_t *value)
{
	struct certdir_device_record *record = reading->record;
	const bool dns = property->kind == DNS_NAMES;
	json_t *list = list_of(value), *item;
	size_t index, former = 0;
	bool ok = list || refuse(reading, property->name, value, "is not a list");

	for (char **name = record->former_names; !dns && name && *name; name++)
		former++;
	json_array_foreach(list, index, item)
	{
		const char *text = json_string_value(item);
		char *made = NULL;

		if (!text)
			ok = refuse(reading, property->name, value, "is not a list of texts");
		else if (dns)
			ok = certdir_list_dns_name_make(reading->label, text, &made, reading->error);
		else
			ok = certdir_list_text_make(reading->label, property->name, CERTDIR_FORM_NAME, text, &made,
						    reading->error);
		if (made && !append_name(dns ? &record->device.dns_names : &record->former_names,
					 dns ? &record->device.dns_name_count : &former, made))
			ok = out_of_memory(reading);
		if (!ok)
			break;
	}
	json_decref(list);
	return ok;
}

/* The group at `index`, made when there are fewer. */
static struct certdir_group *group_at(struct certdir_device *device, size_t index)
{
	while (device->group_count <= index) {
		struct certdir_group *groups = realloc(device->groups, (device->group_count + 1) * sizeof(*groups));

		if (!groups)
			return NULL;
		device->groups = groups;
		groups[device->group_count++] = (struct certdir_group){NULL, NULL};
	}
	return &device->groups[index];
}

static bool set_group(const struct reading *reading, const char *name, size_t index, bool is_id, const json_t *value)
{
	struct certdir_group *group = group_at(&reading->record->device, index);
	char *made;

	if (!group)
		return out_of_memory(reading);
	if (!value || json_is_null(value))
		return true;
	if (!make_text(reading, name, value, CERTDIR_FORM_TEXT, &made))
		return false;
	free(is_id ? group->id : group->name);
	*(is_id ? &group->id : &group->name) = made;
	return true;
}

static bool take_groups(const struct reading *reading, const struct property *property, const json_t *value)
{
	json_t *list = property->kind == GROUPS && !json_is_array(value) ? NULL : list_of(value), *item;
	bool ok = list || refuse(reading, property->name, value, "is not a list");
	size_t index;

	json_array_foreach(list, index, item)
	{
		if (property->kind != GROUPS)
			ok = set_group(reading, property->name, index, property->kind == GROUP_IDS, item);
		else if (!json_is_object(item))
			ok = refuse(reading, property->name, value, "is not a list of {\"id\":..,\"displayName\":..}");
		else
			ok = set_group(reading, "groups.id", index, true, get(item, "id")) &&
			     set_group(reading, "groups.displayName", index, false, get(item, "displayName"));
		if (!ok)
			break;
	}
	json_decref(list);
	return ok;
}

/* ---- a whole device ---- */

static bool take_id(const struct reading *reading, const struct property *property, const json_t *value)
{
	const struct property id = {property->name, GUID, reading->intune ? AT(intune_device_id) : AT(object_id)};

	return take_text(reading, &id, value, CERTDIR_FORM_GUID);
}

static bool take(const struct reading *reading, const struct property *property, const json_t *value)
{
	switch (property->kind) {
	case TEXT:
		return take_text(reading, property, value, CERTDIR_FORM_TEXT);
	case GUID:
		return take_text(reading, property, value, CERTDIR_FORM_GUID);
	case SID:
		return take_text(reading, property, value, CERTDIR_FORM_SID);
	case USER_NAME:
		return take_user_text(reading, property, value, CERTDIR_FORM_NAME);
	case USER_SERIAL:
		return take_user_text(reading, property, value, CERTDIR_FORM_SERIAL);
	case WORD:
		return take_word(reading, property, value);
	case COMPLIANCE:
		return take_compliance(reading, property, value);
	case COMPLIANT:
		return take_compliant(reading, property, value);
	case YES_NO:
		return take_yes_no(reading, property, value);
	case JOIN:
		return take_join_type(reading, property, value);
	case TIME:
		return take_time(reading, property, value);
	case RECORD_ID:
		return take_id(reading, property, value);
	case DNS_NAMES:
	case FORMER_NAMES:
		return take_names(reading, property, value);
	case GROUPS:
	case GROUP_IDS:
	case GROUP_NAMES:
		return take_groups(reading, property, value);
	}
	return true;
}

static const char *label_of(const json_t *object)
{
	static const char *const names[] = {"displayName",  "deviceName",    "Computer Name",	     "Display Name",
					    "Device Name",  "deviceId",	     "azureADDeviceId",	     "id",
					    "serialNumber", "Serial Number", "Device Serial Number", NULL};
	struct certdir_error unfit;

	for (size_t i = 0; names[i]; i++) {
		const char *label = json_string_value(get(object, names[i]));

		if (label && certdir_list_text_check("", names[i], label, &unfit))
			return label;
	}
	return "without a name";
}

bool certdir_device_json_read(struct certdir_device_record *record, const json_t *object, json_t *ignored,
			      struct certdir_error *error)
{
	struct reading reading = {record, "without a name", false, error};
	const char *key;
	json_t *value;

	memset(record, 0, sizeof(*record));
	if (!json_is_object(object))
		return refuse(&reading, "record", object, "is not a device: an object with properties was expected");
	reading.label = label_of(object);
	reading.intune = !get(object, "deviceId") && has(object, "azureADDeviceId");
	json_object_foreach((json_t *)object, key, value)
	{
		const struct property *property = property_by_name(key);

		if (!property && ignored)
			(void)json_object_set_new(ignored, key, json_null());
		if (property && !json_is_null(value) && !take(&reading, property, value)) {
			certdir_device_record_clear(record);
			return false;
		}
	}
	/* What Intune lists, Intune manages. */
	if (reading.intune && record->device.managed == CERTDIR_UNKNOWN)
		record->device.managed = CERTDIR_YES;
	return true;
}

void certdir_device_record_clear(struct certdir_device_record *record)
{
	certdir_device_clear(&record->device);
	for (char **name = record->former_names; name && *name; name++)
		free(*name);
	free(record->former_names);
	record->former_names = NULL;
}
