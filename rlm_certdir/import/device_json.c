/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/device_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/ascii.h"
#include "base/array.h"
#include "base/words.h"
#include "list/list.h"
#include "list/text.h"
#include "text/suggest.h"
#include "text/timestamp.h"

/* Kinds that only files have, behind Graph's own. */
enum {
	UDID = CERTDIR_KINDS,
	RECORD_ID, /* object id of a Graph device, Intune id of a managedDevice */
	ATTRIBUTES,
	DNS_NAMES,
	FORMER_NAMES,
	FORMER_TIMES,
	GROUPS,
	GROUP_IDS,
	GROUP_NAMES
};

#define AT(field) offsetof(struct certdir_device, field)
#define GRAPHS(name, kind, field, ...) {name, CERTDIR_KIND_##kind, AT(field)},

static const struct property {
	const char *name;
	unsigned kind;
	size_t offset;
} properties[] = {{"id", RECORD_ID, 0},
		  {"intuneDeviceId", CERTDIR_KIND_GUID, AT(intune_device_id)},
		  {"udid", UDID, AT(udid)},
		  {"tenantId", CERTDIR_KIND_GUID, AT(tenant)},
		  {"accountExpirationDate", CERTDIR_KIND_TIME, AT(expires)},
		  {"extensionAttributes", ATTRIBUTES, 0},
		  {"dnsNames", DNS_NAMES, 0},
		  {"formerNames", FORMER_NAMES, 0},
		  {"formerNamesSince", FORMER_TIMES, 0},
		  {"groups", GROUPS, 0},
		  {"groupIds", GROUP_IDS, 0},
		  {"groupNames", GROUP_NAMES, 0},
		  CERTDIR_DEVICE_PROPERTIES(GRAPHS) CERTDIR_MANAGED_DEVICE_PROPERTIES(GRAPHS)};

struct reading {
	struct certdir_device_record *record;
	const char *label; /* what errors call the device by */
	bool intune; /* a managedDevice */
	struct certdir_error *error;
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const struct property *property_by_name(const char *name)
{
	for (size_t i = 0; i < LENGTH(properties); i++)
		if (strcasecmp(properties[i].name, name) == 0)
			return &properties[i];
	return NULL;
}

const char *certdir_device_json_property(const char *name)
{
	const struct property *property = property_by_name(name);

	return property ? property->name : NULL;
}

enum { SQUEEZED = 64 };

/* The name without what spreadsheets and people put between its words; false when it is too long to be like one of ours. */
static bool squeeze(const char *name, char out[SQUEEZED])
{
	size_t used = 0;

	for (; *name && used < SQUEEZED - 1; name++)
		if (!strchr(" _-.", *name))
			out[used++] = *name;
	out[used] = '\0';
	return *name == '\0';
}

const char *certdir_device_json_near(const char *name)
{
	char squeezed[SQUEEZED];

	if (!squeeze(name, squeezed))
		return NULL;
	/* Get-ADComputer's, and others'. Passed over, it would enable what it says is disabled. */
	if (strcasecmp(squeezed, "enabled") == 0 || strcasecmp(squeezed, "isEnabled") == 0)
		return "accountEnabled";
	for (size_t i = 0; i < LENGTH(properties); i++) {
		const size_t length = strlen(properties[i].name);
		const size_t near = length >= 10 ? 2 : length >= 6 ? 1 : 0;

		if (certdir_word_distance(squeezed, properties[i].name) <= near)
			return properties[i].name;
	}
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

/* Intune's own spelling of a word, since policies compare it. */
static bool make_word(const struct reading *reading, const struct property *property, const json_t *value, char **made)
{
	const char *word;

	if (!make_text(reading, property->name, value, CERTDIR_FORM_TEXT, made))
		return false;
	word = *made ? certdir_word_spelled(property->kind, *made) : NULL;
	if (word) {
		memmove(*made, word, strlen(word));
	} else {
		free(*made);
		*made = NULL;
	}
	return true;
}

static bool take_word(const struct reading *reading, const struct property *property, const json_t *value)
{
	char *made;

	return make_word(reading, property, value, &made) &&
	       put_text(reading, property->name, value, property->offset, made);
}

static bool take_compliance(const struct reading *reading, const struct property *property, const json_t *value)
{
	char *made;

	if (!make_word(reading, property, value, &made))
		return false;
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

/* true, false, or a text for it; "" is "not known". */
static bool read_yes_no(const struct reading *reading, const struct property *property, const json_t *value,
			enum certdir_tristate *out)
{
	static const char *const yes[] = {"true", "1", "yes", NULL}, *const no[] = {"false", "0", "no", NULL};
	const char *text = json_string_value(value);

	if (json_is_true(value) || is_one_of(text, yes))
		*out = CERTDIR_YES;
	else if (json_is_false(value) || is_one_of(text, no))
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
	enum certdir_tristate compliant = CERTDIR_UNKNOWN;

	if (!read_yes_no(reading, property, value, &compliant))
		return false;
	if (compliant == CERTDIR_UNKNOWN || device->compliance)
		return true;
	device->compliance = strdup(compliant == CERTDIR_YES ? "compliant" : "noncompliant");
	return device->compliance || out_of_memory(reading);
}

/* Graph's words, and our own. One that is newer than this program must not keep a whole tenant out: it is not known. */
static bool take_join_type(const struct reading *reading, const struct property *property, const json_t *value)
{
	enum certdir_join_type *join_type = &reading->record->device.join_type;
	char *text;

	if (!make_text(reading, property->name, value, CERTDIR_FORM_TEXT, &text))
		return false;
	*join_type = text ? certdir_word_trust_type(text) : CERTDIR_JOIN_UNKNOWN;
	for (char *c = text; c && *c; c++)
		*c = certdir_ascii_lower(*c);
	if (text && *join_type == CERTDIR_JOIN_UNKNOWN && !certdir_join_type_parse(text, join_type))
		certdir_error_set(&reading->record->warning, "device \"%.100s\": %s \"%.100s\" is not known here",
				  reading->label, property->name, json_string_value(value));
	free(text);
	return true;
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

bool certdir_device_json_split(const char **at, char **item)
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
	while (list && certdir_device_json_split(&at, &item)) {
		(void)json_array_append_new(list, json_string(item));
		free(item);
	}
	return list;
}

/*
 * The item at `index` of a list that has `count` of them, made when there are fewer: names and times come in any order. NULL when memory
 * is out.
 */
static void *item_at(void *list, size_t *count, size_t index, size_t size)
{
	char *items;

	for (; *count <= index; ++*count)
		if (!certdir_array_next(list, *count, size))
			return NULL;
	memcpy(&items, list, sizeof(items));
	return items + index * size;
}

static bool take_dns_name(const struct reading *reading, const json_t *item)
{
	struct certdir_device *device = &reading->record->device;
	char *made, **name;

	if (!certdir_list_dns_name_make(reading->label, json_string_value(item), &made, reading->error))
		return false;
	name = item_at(&device->dns_names, &device->dns_name_count, device->dns_name_count, sizeof(*name));
	if (name)
		*name = made;
	else
		free(made);
	return name || out_of_memory(reading);
}

static struct certdir_former_name *former_at(const struct reading *reading, size_t index)
{
	struct certdir_device *device = &reading->record->device;

	return item_at(&device->former_names, &device->former_name_count, index, sizeof(*device->former_names));
}

static bool take_former_name(const struct reading *reading, const json_t *item, size_t index)
{
	struct certdir_former_name *former = former_at(reading, index);

	if (!former)
		return out_of_memory(reading);
	free(former->name);
	former->name = NULL;
	return certdir_list_text_make(reading->label, "formerNames", CERTDIR_FORM_NAME, json_string_value(item),
				      &former->name, reading->error);
}

/* When each of formerNames became one; null or "" where that is not known. */
static bool take_former_time(const struct reading *reading, const struct property *property, const json_t *value,
			     const json_t *item, size_t index)
{
	struct certdir_former_name *former = former_at(reading, index);
	const char *text = json_is_null(item) ? "" : json_string_value(item);

	if (!former)
		return out_of_memory(reading);
	return (text && (!*text || certdir_timestamp_parse(text, &former->since))) ||
	       refuse(reading, property->name, value, "is not a list of times");
}

static bool set_group(const struct reading *reading, const char *name, size_t index, bool is_id, const json_t *value)
{
	struct certdir_device *device = &reading->record->device;
	struct certdir_group *group = item_at(&device->groups, &device->group_count, index, sizeof(*group));
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

static bool take_item(const struct reading *reading, const struct property *property, const json_t *value,
		      const json_t *item, size_t index)
{
	switch (property->kind) {
	case FORMER_TIMES:
		return take_former_time(reading, property, value, item, index);
	case GROUP_IDS:
	case GROUP_NAMES:
		return set_group(reading, property->name, index, property->kind == GROUP_IDS, item);
	case GROUPS:
		if (!json_is_object(item))
			return refuse(reading, property->name, value,
				      "is not a list of {\"id\":..,\"displayName\":..}");
		return set_group(reading, "groups.id", index, true, get(item, "id")) &&
		       set_group(reading, "groups.displayName", index, false, get(item, "displayName"));
	default:
		if (!json_is_string(item))
			return refuse(reading, property->name, value, "is not a list of texts");
		return property->kind == DNS_NAMES ? take_dns_name(reading, item)
						   : take_former_name(reading, item, index);
	}
}

static bool take_list(const struct reading *reading, const struct property *property, const json_t *value)
{
	json_t *list = property->kind == GROUPS && !json_is_array(value) ? NULL : list_of(value), *item;
	bool ok = list || refuse(reading, property->name, value, "is not a list");
	size_t index;

	json_array_foreach(list, index, item) ok = ok && take_item(reading, property, value, item, index);
	json_decref(list);
	return ok;
}

/* A time has no name, or a name that is none: nothing to remember. */
static void drop_nameless(struct certdir_device *device)
{
	size_t kept = 0;

	for (size_t i = 0; i < device->former_name_count; i++)
		if (device->former_names[i].name)
			device->former_names[kept++] = device->former_names[i];
	device->former_name_count = kept;
}

/* ---- extension attributes ---- */

/* 7 of "7" or "extensionAttribute7"; 0 when it is none. */
static unsigned attribute_number(const char *name)
{
	static const char prefix[] = "extensionAttribute";
	const char *digits = strncasecmp(name, prefix, strlen(prefix)) == 0 ? name + strlen(prefix) : name;
	const int number = strlen(digits) <= 2 && strspn(digits, "0123456789") == strlen(digits) ? atoi(digits) : 0;

	return number >= 1 && number <= CERTDIR_LIST_EXTENSION_ATTRIBUTES ? (unsigned)number : 0;
}

/*
 * {"extensionAttribute1":"a",..}, or the text "1=a|7=b", as values by number; other keys are PowerShell's, and so is a text without
 * any "=", which names a type. The caller decrefs it; NULL: it is none of that.
 */
static json_t *attributes_of(const json_t *value)
{
	const char *at = json_string_value(value), *key;
	json_t *values = json_object(), *one;
	bool ok = values && (json_is_object(value) || at);
	char *item, number[4];

	if (at && !strchr(at, '='))
		at = NULL;
	while (ok && certdir_device_json_split(&at, &item)) {
		char *equals = strchr(item, '=');

		if (equals)
			*equals = '\0';
		ok = equals && attribute_number(item);
		(void)snprintf(number, sizeof(number), "%u", attribute_number(item));
		ok = ok && json_object_set_new(values, number, json_string(equals + 1)) == 0;
		free(item);
	}
	json_object_foreach((json_t *)value, key, one)
	{
		(void)snprintf(number, sizeof(number), "%u", attribute_number(key));
		if (ok && attribute_number(key) && !json_is_null(one))
			ok = json_is_string(one) && json_object_set(values, number, one) == 0;
	}
	if (ok)
		return values;
	json_decref(values);
	return NULL;
}

static bool take_attributes(const struct reading *reading, const struct property *property, const json_t *value)
{
	json_t *values = attributes_of(value), *text = NULL, *list;
	bool ok = false;
	char key[4];

	if (!values)
		return refuse(reading, property->name, value,
			      "is neither {\"extensionAttribute1\":\"..\",..}, up to 15, nor a text 1=..|7=..");
	list = json_array();
	for (unsigned number = 1; number <= CERTDIR_LIST_EXTENSION_ATTRIBUTES; number++) {
		const char *one;

		(void)snprintf(key, sizeof(key), "%u", number);
		one = json_string_value(json_object_get(values, key));
		if (one && *one)
			(void)json_array_append_new(list, json_sprintf("%u=%s", number, one));
	}
	text = json_array_size(list) ? certdir_device_json_flatten(list) : json_string("");
	ok = text ? certdir_list_text_make(reading->label, property->name, CERTDIR_FORM_TEXT, json_string_value(text),
					   &reading->record->device.extension_attributes, reading->error)
		  : out_of_memory(reading);
	json_decref(text);
	json_decref(list);
	json_decref(values);
	return ok;
}

/* ---- a whole device ---- */

static bool take_id(const struct reading *reading, const struct property *property, const json_t *value)
{
	const struct property id = {property->name, CERTDIR_KIND_GUID,
				    reading->intune ? AT(intune_device_id) : AT(object_id)};

	return take_text(reading, &id, value, CERTDIR_FORM_GUID);
}

static bool take(const struct reading *reading, const struct property *property, const json_t *value)
{
	switch (property->kind) {
	case CERTDIR_KIND_TEXT:
		return take_text(reading, property, value, CERTDIR_FORM_TEXT);
	case CERTDIR_KIND_GUID:
		return take_text(reading, property, value, CERTDIR_FORM_GUID);
	case CERTDIR_KIND_SID:
		return take_text(reading, property, value, CERTDIR_FORM_SID);
	case CERTDIR_KIND_NAME:
		return take_user_text(reading, property, value, CERTDIR_FORM_NAME);
	case CERTDIR_KIND_SERIAL:
		return take_user_text(reading, property, value, CERTDIR_FORM_SERIAL);
	case CERTDIR_KIND_IMEI:
		return take_user_text(reading, property, value, CERTDIR_FORM_IMEI);
	case CERTDIR_KIND_MEID:
		return take_user_text(reading, property, value, CERTDIR_FORM_MEID);
	case CERTDIR_KIND_MAC:
		return take_user_text(reading, property, value, CERTDIR_FORM_MAC);
	case CERTDIR_KIND_OWNERSHIP:
	case CERTDIR_KIND_STATE:
	case CERTDIR_KIND_AGENT:
		return take_word(reading, property, value);
	case CERTDIR_KIND_COMPLIANCE:
		return take_compliance(reading, property, value);
	case CERTDIR_KIND_COMPLIANT:
		return take_compliant(reading, property, value);
	case CERTDIR_KIND_YES_NO:
		return take_yes_no(reading, property, value);
	case CERTDIR_KIND_JOIN_TYPE:
		return take_join_type(reading, property, value);
	case CERTDIR_KIND_TIME:
		return take_time(reading, property, value);
	case UDID:
		return take_text(reading, property, value, CERTDIR_FORM_UDID);
	case RECORD_ID:
		return take_id(reading, property, value);
	case ATTRIBUTES:
		return take_attributes(reading, property, value);
	default:
		return take_list(reading, property, value);
	}
}

static const char *label_of(const json_t *object)
{
	static const char *const names[] = {"displayName", "deviceName",   "deviceId", "azureADDeviceId",
					    "id",	   "serialNumber", "udid",     NULL};
	struct certdir_error unfit;

	for (size_t i = 0; names[i]; i++) {
		const char *label = json_string_value(get(object, names[i]));

		if (label && certdir_list_text_check("", names[i], label, &unfit))
			return label;
	}
	return "without a name";
}

/* A misspelt accountEnabled that is passed over would let disabled devices in. */
static bool ignore(const struct reading *reading, const char *name, json_t *ignored)
{
	const char *near;

	if (json_object_get(ignored, name))
		return true;
	near = certdir_device_json_near(name);
	if (near)
		certdir_error_set(
			reading->error,
			"\"%.100s\" is nothing that is read here: did you mean %s? Call it so, or leave it out", name,
			near);
	else if (ignored)
		(void)json_object_set_new(ignored, name, json_null());
	return !near;
}

/* In a page of a delta query, what was deleted stands beside what is there. */
static bool refuse_deleted(const struct reading *reading, const json_t *object)
{
	const json_t *removed = get(object, "@removed");

	return !removed || refuse(reading, "@removed", removed,
				  "says that it was deleted: what a delta query gives is no list of devices");
}

/* One name in two spellings: which of the two values counts is anybody's guess. */
static bool take_once(const struct reading *reading, const struct property *property, const json_t *value,
		      bool taken[LENGTH(properties)])
{
	if (taken[property - properties])
		return refuse(reading, property->name, value, "stands twice");
	taken[property - properties] = true;
	return json_is_null(value) || take(reading, property, value);
}

bool certdir_device_json_read(struct certdir_device_record *record, const json_t *object, json_t *ignored,
			      struct certdir_error *error)
{
	struct reading reading = {record, "without a name", false, error};
	bool taken[LENGTH(properties)] = {false};
	const char *key;
	json_t *value;

	memset(record, 0, sizeof(*record));
	if (!json_is_object(object))
		return refuse(&reading, "record", object, "is not a device: an object with properties was expected");
	reading.label = label_of(object);
	if (!refuse_deleted(&reading, object))
		return false;
	reading.intune = !get(object, "deviceId") && has(object, "azureADDeviceId");
	json_object_foreach((json_t *)object, key, value)
	{
		const struct property *property = property_by_name(key);

		if (property && property->offset == AT(enabled))
			record->says_enabled = true;
		if (property ? !take_once(&reading, property, value, taken) : !ignore(&reading, key, ignored)) {
			certdir_device_record_clear(record);
			return false;
		}
	}
	drop_nameless(&record->device);
	if (!record->device.name && record->device.intune_name) {
		record->device.name = strdup(record->device.intune_name);
		if (!record->device.name) {
			(void)out_of_memory(&reading);
			certdir_device_record_clear(record);
			return false;
		}
	}
	/* An export of Intune without a column for the state lists what Intune manages. */
	if (reading.intune && record->device.managed == CERTDIR_UNKNOWN)
		record->device.managed =
			record->device.management_state
				? certdir_managed(record->device.management_state, record->device.management_agent)
				: CERTDIR_YES;
	return true;
}

void certdir_device_record_clear(struct certdir_device_record *record)
{
	certdir_device_clear(&record->device);
}
