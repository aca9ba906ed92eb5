/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer over an LDAP entry as a lying server may send it: the DN, then NAME:VALUE, each ended by a byte 0xff, which no text has and
 * seldom a SID. What becomes of it must be fit for a log line, and found again by the names that it says it has.
 */
#include "directory/ldap_entry.h"
#include "directory/ldap_group.h"
#include "holds.h"
#include "text/canonical.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES = 256 };

/* The bytes up to the next 0xff; *at moves behind it. */
static const unsigned char *take(const unsigned char **at, const unsigned char *end, size_t *length)
{
	const unsigned char *from = *at, *stop = from == end ? NULL : memchr(from, 0xff, (size_t)(end - from));

	*length = (size_t)((stop ? stop : end) - from);
	*at = stop ? stop + 1 : end;
	return from;
}

static size_t read_values(const unsigned char *at, const unsigned char *end, struct certdir_ldap_value *values)
{
	size_t count = 0, length;

	while (at < end && count < VALUES) {
		const unsigned char *line = take(&at, end, &length), *colon = memchr(line, ':', length);

		if (!colon)
			continue;
		values[count++] = (struct certdir_ldap_value){.attribute = (const char *)line,
							      .attribute_length = (size_t)(colon - line),
							      .bytes = colon + 1,
							      .length = (size_t)(line + length - colon - 1)};
	}
	return count;
}

static void check_text(const char *text)
{
	HOLDS(!text || certdir_ldap_text_valid(text, strlen(text)));
}

static void check_device(const struct certdir_device *device)
{
	char canonical[CERTDIR_VALUE_MAX + 1];

	check_text(device->id);
	check_text(device->name);
	check_text(device->serial_number);
	check_text(device->operating_system);
	check_text(device->owner);
	if (device->sid)
		HOLDS(certdir_canonical(CERTDIR_ID_SID, device->sid, strlen(device->sid), canonical) &&
		      strcmp(canonical, device->sid) == 0);
	HOLDS(device->group_count <= CERTDIR_LDAP_GROUPS_MAX);
	for (size_t i = 0; i < device->group_count; i++) {
		check_text(device->groups[i].id);
		check_text(device->groups[i].name);
	}
	for (size_t i = 0; i < device->dns_name_count; i++)
		check_text(device->dns_names[i]);
}

static void check_record(const struct certdir_record *record)
{
	char canonical[CERTDIR_VALUE_MAX + 1];

	check_device(&record->device);
	HOLDS(record->value_count <= CERTDIR_LDAP_ENTRY_VALUES_MAX);
	for (size_t i = 0; i < record->value_count; i++) {
		const struct certdir_value *value = &record->values[i];

		check_text(value->value);
		if (certdir_canonical(value->type, value->value, strlen(value->value), canonical))
			HOLDS(certdir_record_carries(record, CERTDIR_SOURCE_LDAP, value->type, canonical) !=
			      CERTDIR_CARRIES_NOT);
	}
}

static void clear_record(struct certdir_record *record)
{
	certdir_device_clear(&record->device);
	for (size_t i = 0; i < record->value_count; i++)
		free(record->values[i].value);
	free(record->values);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const char *const base = "ou=groups,dc=corp,dc=example";
	static struct certdir_ldap_map map;
	const unsigned char *at = data;
	struct certdir_ldap_value values[VALUES];
	struct certdir_ldap_remarks remarks = {0};
	struct certdir_record record = {0};
	struct certdir_ldap_entry entry;
	struct certdir_error error;
	unsigned char sid[68];
	size_t length;
	bool cut = false;

	if (!map.columns)
		HOLDS(certdir_ldap_map_init(&map, certdir_ldap_default_attributes, &error));
	entry.dn = (const char *)take(&at, data + size, &entry.dn_length);
	entry.count = read_values(at, data + size, values);
	entry.values = values;
	HOLDS(!certdir_ldap_primary_group(&entry, sid, &length) || length <= sizeof(sid));
	if (!certdir_ldap_text_valid(entry.dn, entry.dn_length))
		return 0;
	HOLDS(certdir_ldap_entry_read(&record, &entry, &map, &remarks));
	HOLDS(certdir_ldap_group_read(&record.device, &entry, base, &cut));
	HOLDS(certdir_ldap_group_add(&record.device, &entry, base, &cut));
	check_record(&record);
	clear_record(&record);
	return 0;
}
