/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/ldap_entry.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/ascii.h"
#include "base/array.h"
#include "directory/mark.h"
#include "text/canonical.h"
#include "text/timestamp.h"
#include "text/utf8.h"

const char *const certdir_ldap_entry_attributes[] = {
	"cn",
	"name",
	"objectSid",
	"primaryGroupID",
	"sAMAccountName",
	"dNSHostName",
	"servicePrincipalName",
	"memberOf",
	"serialNumber",
	"operatingSystem",
	"userAccountControl",
	"accountExpires",
	"lastLogonTimestamp",
	"whenCreated",
	"adminDescription",
	"description",
	NULL,
};

/* ---- values ---- */

const struct certdir_ldap_value *certdir_ldap_entry_next(const struct certdir_ldap_entry *entry, const char *attribute,
							 size_t *i)
{
	const size_t length = strlen(attribute);

	for (; *i < entry->count; (*i)++) {
		const struct certdir_ldap_value *value = &entry->values[*i];

		if (value->attribute_length == length && strncasecmp(value->attribute, attribute, length) == 0)
			return &entry->values[(*i)++];
	}
	return NULL;
}

const struct certdir_ldap_value *certdir_ldap_entry_only(const struct certdir_ldap_entry *entry, const char *attribute,
							 size_t *count)
{
	const struct certdir_ldap_value *value, *only = NULL;
	size_t i = 0;

	*count = 0;
	while ((value = certdir_ldap_entry_next(entry, attribute, &i)) != NULL) {
		only = value;
		(*count)++;
	}
	return *count == 1 ? only : NULL;
}

bool certdir_ldap_text_valid(const char *bytes, size_t length)
{
	return length > 0 && certdir_text_fault(bytes, length) == CERTDIR_TEXT_CLEAN;
}

/* Copies a value that is text; leaves *out NULL when it is none. False when memory is out. */
static bool copy_text(char **out, const struct certdir_ldap_value *value)
{
	if (!value || !certdir_ldap_text_valid((const char *)value->bytes, value->length))
		return true;
	*out = strndup((const char *)value->bytes, value->length);
	return *out != NULL;
}

static bool copy_first(char **out, const struct certdir_ldap_entry *entry, const char *attribute)
{
	size_t i = 0;

	return copy_text(out, certdir_ldap_entry_next(entry, attribute, &i));
}

bool certdir_ldap_integer(const struct certdir_ldap_value *value, int64_t *number)
{
	const bool negative = value->length > 1 && value->bytes[0] == '-';
	int64_t n = 0;

	if (value->length == 0)
		return false;
	for (size_t i = negative; i < value->length; i++) {
		if (value->bytes[i] < '0' || value->bytes[i] > '9' || __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, value->bytes[i] - '0', &n))
			return false;
	}
	*number = negative ? -n : n;
	return true;
}

int64_t certdir_ldap_unix_time(int64_t filetime)
{
	const int64_t seconds = filetime / 10000000 - INT64_C(11644473600);

	return seconds > 0 ? seconds : 1;
}

int64_t certdir_ldap_generalized_time(const struct certdir_ldap_value *value)
{
	const char *at = (const char *)value->bytes;
	char text[32];
	int64_t seconds;

	if (value->length < 15 || value->length > 20 || value->bytes[value->length - 1] != 'Z' ||
	    (value->length > 15 && value->bytes[14] != '.'))
		return 0;
	(void)snprintf(text, sizeof(text), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", at, at + 4, at + 6, at + 8, at + 10,
		       at + 12);
	return certdir_timestamp_parse(text, &seconds) ? seconds : 0;
}

/* ---- which terms stand in an entry ---- */

static bool is_value(const struct certdir_ldap_value *value, const struct certdir_ldap_term *term)
{
	const bool binary = term->column->form == CERTDIR_LDAP_SID;

	if (value->length != term->length)
		return false;
	for (size_t i = 0; i < term->length; i++)
		if (binary ? value->bytes[i] != term->value[i]
			   : certdir_ascii_lower((char)value->bytes[i]) != certdir_ascii_lower((char)term->value[i]))
			return false;
	return true;
}

bool certdir_ldap_entry_has(const struct certdir_ldap_entry *entry, const struct certdir_ldap_terms *terms)
{
	for (size_t t = 0; t < terms->count; t++) {
		const struct certdir_ldap_value *value;
		size_t i = 0;

		while ((value = certdir_ldap_entry_next(entry, terms->items[t].column->attribute, &i)) != NULL)
			if (is_value(value, &terms->items[t]))
				return true;
	}
	return false;
}

/* ---- the device ---- */

/*
 * Enabled or not. userAccountControl bit 2 is ACCOUNTDISABLE (MS-ADTS 2.2.16). A directory that is not Active
 * Directory has no such attribute, and its entries are enabled by being there; an Active Directory account always
 * has it, so when it was not sent we were not allowed to see it, and must not guess.
 */
static void read_enabled(struct certdir_device *device, const struct certdir_ldap_entry *entry, bool *hidden)
{
	const struct certdir_ldap_value *value;
	size_t count, sids, names;
	int64_t flags;

	(void)certdir_ldap_entry_only(entry, "objectSid", &sids);
	(void)certdir_ldap_entry_only(entry, "sAMAccountName", &names);
	value = certdir_ldap_entry_only(entry, "userAccountControl", &count);
	device->join_type = count || sids || names ? CERTDIR_JOIN_AD : CERTDIR_JOIN_UNKNOWN;
	*hidden = count == 0 && (sids || names);
	if (*hidden)
		device->enabled = CERTDIR_UNKNOWN;
	else if (count == 0)
		device->enabled = CERTDIR_YES;
	else if (value && certdir_ldap_integer(value, &flags) && flags >= 0 && flags <= UINT32_MAX && !(flags & 2))
		device->enabled = CERTDIR_YES;
	else
		device->enabled = CERTDIR_NO;
}

static void read_times(struct certdir_device *device, const struct certdir_ldap_entry *entry)
{
	const struct certdir_ldap_value *value;
	size_t count;
	int64_t time;

	value = certdir_ldap_entry_only(entry, "accountExpires", &count);
	if (count && (!value || !certdir_ldap_integer(value, &time) || time < 0))
		device->enabled = CERTDIR_NO;
	else if (count && time != 0 && time != INT64_MAX)
		device->expires = certdir_ldap_unix_time(time);
	value = certdir_ldap_entry_only(entry, "lastLogonTimestamp", &count);
	if (value && certdir_ldap_integer(value, &time) && time > 0)
		device->last_seen = certdir_ldap_unix_time(time);
	value = certdir_ldap_entry_only(entry, "whenCreated", &count);
	if (value)
		device->registered = certdir_ldap_generalized_time(value);
	device->own = (struct certdir_statement){
		.is = true, .last_seen = device->last_seen, .registered = device->registered};
}

static bool read_name(struct certdir_device *device, const struct certdir_ldap_entry *entry)
{
	size_t length;

	if (!copy_first(&device->name, entry, "cn") || (!device->name && !copy_first(&device->name, entry, "name")))
		return false;
	if (device->name)
		return true;
	if (!copy_first(&device->name, entry, "sAMAccountName"))
		return false;
	length = device->name ? strlen(device->name) : 0;
	if (length > 1 && device->name[length - 1] == '$')
		device->name[length - 1] = '\0';
	return true;
}

/* ---- what it is known by ---- */

struct reading {
	const struct certdir_ldap_entry *entry;
	const struct certdir_ldap_map *map;
	struct certdir_record *record;
	struct certdir_ldap_remarks *remarks;
};

/* Adds a canonical value. False when memory is out. */
static bool add_value(struct reading *reading, enum certdir_identity_type type, const char *value)
{
	struct certdir_record *record = reading->record;
	struct certdir_value *added;

	for (size_t i = 0; i < record->value_count; i++)
		if (record->values[i].type == type && strcmp(record->values[i].value, value) == 0)
			return true;
	if (record->value_count == CERTDIR_LDAP_ENTRY_VALUES_MAX) {
		reading->remarks->cut = true;
		return true;
	}
	added = certdir_array_next(&record->values, record->value_count, sizeof(*added));
	if (!added || !(added->value = strdup(value)))
		return false;
	added->type = type;
	record->value_count++;
	return true;
}

static bool add_dns_name(struct reading *reading, const unsigned char *bytes, size_t length)
{
	struct certdir_device *device = &reading->record->device;
	char name[CERTDIR_VALUE_MAX + 1], **added;

	if (!memchr(bytes, '.', length) || !certdir_canonical(CERTDIR_ID_DNS, (const char *)bytes, length, name))
		return true;
	for (size_t i = 0; i < device->dns_name_count; i++)
		if (strcmp(device->dns_names[i], name) == 0)
			return true;
	if (device->dns_name_count == CERTDIR_LDAP_ENTRY_VALUES_MAX) {
		reading->remarks->cut = true;
		return true;
	}
	added = certdir_array_next(&device->dns_names, device->dns_name_count, sizeof(*added));
	if (!added || !(*added = strdup(name)))
		return false;
	device->dns_name_count++;
	return true;
}

static bool read_dns_names(struct reading *reading, const char *attribute)
{
	const struct certdir_ldap_value *value;
	size_t i = 0;

	while ((value = certdir_ldap_entry_next(reading->entry, attribute, &i)) != NULL)
		if (!add_dns_name(reading, value->bytes, value->length))
			return false;
	return true;
}

static bool read_principals(struct reading *reading)
{
	const struct certdir_ldap_value *value;
	size_t i = 0;

	while ((value = certdir_ldap_entry_next(reading->entry, "servicePrincipalName", &i)) != NULL)
		if (value->length > 5 && strncasecmp((const char *)value->bytes, "HOST/", 5) == 0 &&
		    !add_dns_name(reading, value->bytes + 5, value->length - 5))
			return false;
	return true;
}

/* The canonical form of one value of an attribute. A mapping is compared as it is written. */
static bool canonical(enum certdir_identity_type type, const struct certdir_ldap_value *value,
		      char text[CERTDIR_VALUE_MAX + 1])
{
	const char *bytes = (const char *)value->bytes, *why;

	if (type != CERTDIR_ID_MAPPING)
		return certdir_canonical(type, bytes, value->length, text);
	if (!certdir_text_valid(bytes, value->length, &why))
		return false;
	memcpy(text, bytes, value->length);
	text[value->length] = '\0';
	return true;
}

static bool read_values(struct reading *reading, enum certdir_identity_type type, const char *attribute)
{
	const struct certdir_ldap_value *value;
	char text[CERTDIR_VALUE_MAX + 1];
	size_t i = 0;

	while ((value = certdir_ldap_entry_next(reading->entry, attribute, &i)) != NULL)
		if (canonical(type, value, text) && !add_value(reading, type, text))
			return false;
	return true;
}

/*
 * An id goes into the device's field for it when there is one such value and no other attribute was before, else among
 * the values.
 */
static bool read_id(struct reading *reading, char **field, enum certdir_identity_type type, const char *attribute)
{
	char text[CERTDIR_VALUE_MAX + 1];
	size_t count;
	const struct certdir_ldap_value *only = certdir_ldap_entry_only(reading->entry, attribute, &count);

	if (*field || count > 1)
		return read_values(reading, type, attribute);
	if (!only || !certdir_canonical(type, (const char *)only->bytes, only->length, text))
		return true;
	*field = strdup(text);
	return *field != NULL;
}

/* From the attribute that the map names for a kind of identity. */
static bool read_column(struct reading *reading, const struct certdir_ldap_column *column)
{
	struct certdir_device *device = &reading->record->device;

	if (column->form != CERTDIR_LDAP_PLAIN && column->form != CERTDIR_LDAP_MAC)
		return true; /* objectSid, servicePrincipalName and sAMAccountName are read in any case */
	switch (column->type) {
	case CERTDIR_ID_DNS:
		return read_dns_names(reading, column->attribute);
	case CERTDIR_ID_ENTRA:
		return read_id(reading, &device->entra_device_id, column->type, column->attribute);
	case CERTDIR_ID_INTUNE:
		return read_id(reading, &device->intune_device_id, column->type, column->attribute);
	case CERTDIR_ID_UDID:
		return read_id(reading, &device->udid, column->type, column->attribute);
	case CERTDIR_ID_USER_ID:
		return read_id(reading, &device->object_id, column->type, column->attribute);
	case CERTDIR_ID_SID:
		return read_id(reading, &device->sid, column->type, column->attribute);
	case CERTDIR_ID_SERIAL:
		return read_id(reading, &device->serial_number, column->type, column->attribute);
	default:
		return read_values(reading, column->type, column->attribute);
	}
}

static bool read_ids(struct reading *reading)
{
	struct certdir_device *device = &reading->record->device;
	const struct certdir_ldap_value *value;
	char text[CERTDIR_VALUE_MAX + 1];
	bool serial = false;
	size_t count;

	value = certdir_ldap_entry_only(reading->entry, "objectSid", &count);
	if (value && certdir_sid_from_bytes(value->bytes, value->length, text) && !(device->sid = strdup(text)))
		return false;
	for (size_t c = 0; c < reading->map->count; c++) {
		const struct certdir_ldap_column *column = &reading->map->columns[c];

		if (!read_column(reading, column))
			return false;
		serial = serial || strcasecmp(column->attribute, "serialNumber") == 0;
	}
	return serial || read_id(reading, &device->serial_number, CERTDIR_ID_SERIAL, "serialNumber");
}

/* The first CN, as it is written: for people, and a name. All of them are names, and the account's is. */
static bool read_names(struct reading *reading)
{
	return read_name(&reading->record->device, reading->entry) && read_values(reading, CERTDIR_ID_NAME, "cn") &&
	       read_values(reading, CERTDIR_ID_NAME, "sAMAccountName") && read_dns_names(reading, "dNSHostName") &&
	       read_principals(reading);
}

/*
 * The mark of `certdir placeholders`: what it does not want any more must not come in, also where there is no
 * userAccountControl to say so, and so must not what only means to be a mark. A "no" counts whoever wrote it. Which
 * device the entry stands for is believed in adminDescription, and in description only where there are no accounts: in
 * Active Directory whoever joined a computer may write its description (the computer class's defaultSecurityDescriptor,
 * MS-ADSC). Two marks are as good as none.
 */
static bool read_marks(struct reading *reading)
{
	static const char *const attributes[] = {"adminDescription", "description"};
	struct certdir_device *device = &reading->record->device;
	const bool account = device->join_type == CERTDIR_JOIN_AD;
	const struct certdir_ldap_value *value;
	char key[CERTDIR_VALUE_MAX + 1];
	struct certdir_mark mark;
	size_t keys = 0;

	for (size_t a = 0; a < sizeof(attributes) / sizeof(attributes[0]); a++)
		for (size_t i = 0; (value = certdir_ldap_entry_next(reading->entry, attributes[a], &i)) != NULL;) {
			const char *bytes = (const char *)value->bytes;
			const bool parsed = certdir_mark_parse(bytes, value->length, &mark);

			if (parsed ? mark.state != CERTDIR_MARK_WANTED : certdir_mark_begins(bytes, value->length))
				device->enabled = CERTDIR_NO;
			if (parsed && !(account && a == 1) &&
			    certdir_canonical(CERTDIR_ID_GUID, mark.key, strlen(mark.key), key))
				keys++;
		}
	return keys != 1 || add_value(reading, CERTDIR_ID_GUID, key);
}

bool certdir_ldap_entry_read(struct certdir_record *record, const struct certdir_ldap_entry *entry,
			     const struct certdir_ldap_map *map, struct certdir_ldap_remarks *remarks)
{
	struct reading reading = {entry, map, record, remarks};
	struct certdir_device *device = &record->device;

	memset(remarks, 0, sizeof(*remarks));
	read_enabled(device, entry, &remarks->hidden);
	read_times(device, entry);
	device->id = strndup(entry->dn, entry->dn_length);
	return device->id && read_marks(&reading) && read_names(&reading) && read_ids(&reading) &&
	       copy_first(&device->operating_system, entry, "operatingSystem");
}
