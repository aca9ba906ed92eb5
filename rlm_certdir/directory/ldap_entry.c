/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/ldap_entry.h"

#include "directory/mark.h"
#include "identity/canonical.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* altSecurityIdentities is not read: no kind of identity stands there, and nothing is decided by it. */
const char *const certdir_ldap_entry_attributes[] = {
	"cn",
	"name",
	"objectSid",
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

/* The next value of an attribute at or after *i, or NULL. */
static const struct certdir_ldap_value *next_value(const struct certdir_ldap_entry *entry, const char *attribute,
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

/* The value of a single-valued attribute: *count tells how many there are, and only of exactly one it is returned. */
static const struct certdir_ldap_value *only_value(const struct certdir_ldap_entry *entry, const char *attribute,
						   size_t *count)
{
	const struct certdir_ldap_value *value, *only = NULL;
	size_t i = 0;

	*count = 0;
	while ((value = next_value(entry, attribute, &i)) != NULL) {
		only = value;
		(*count)++;
	}
	return *count == 1 ? only : NULL;
}

/* Like certdir_text_valid(), for text of any length: DNs may be long. */
static bool is_text(const char *bytes, size_t length)
{
	const char *why;

	while (length > CERTDIR_VALUE_MAX) {
		size_t piece = CERTDIR_VALUE_MAX;

		while (piece > CERTDIR_VALUE_MAX - 4 && ((unsigned char)bytes[piece] & 0xc0) == 0x80)
			piece--;
		if (!certdir_text_valid(bytes, piece, &why))
			return false;
		bytes += piece;
		length -= piece;
	}
	return certdir_text_valid(bytes, length, &why);
}

/* Copies a value that is text; leaves *out NULL when it is none. False when memory is out. */
static bool copy_text(char **out, const struct certdir_ldap_value *value)
{
	if (!value || !is_text((const char *)value->bytes, value->length))
		return true;
	*out = strndup((const char *)value->bytes, value->length);
	return *out != NULL;
}

static bool copy_first(char **out, const struct certdir_ldap_entry *entry, const char *attribute)
{
	size_t i = 0;

	return copy_text(out, next_value(entry, attribute, &i));
}

/* A decimal number as RFC 4517 3.3.16 writes it; false for anything else, too large ones included. */
static bool parse_integer(const struct certdir_ldap_value *value, int64_t *number)
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

/* ---- which identities stand in an entry ---- */

static unsigned char lower(unsigned char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte + ('a' - 'A')) : byte;
}

static bool is_value(const struct certdir_ldap_value *value, const unsigned char *wanted, size_t length, bool binary)
{
	if (value->length != length)
		return false;
	for (size_t i = 0; i < length; i++)
		if (binary ? value->bytes[i] != wanted[i] : lower(value->bytes[i]) != lower(wanted[i]))
			return false;
	return true;
}

static bool stands_in(const struct certdir_ldap_entry *entry, const struct certdir_ldap_column *column,
		      const char *identity)
{
	unsigned char wanted[CERTDIR_LDAP_VALUE_MAX];
	const size_t length = certdir_ldap_column_value(column, identity, wanted);
	const struct certdir_ldap_value *value;
	size_t i = 0;

	while (length && (value = next_value(entry, column->attribute, &i)) != NULL)
		if (is_value(value, wanted, length, column->form == CERTDIR_LDAP_SID))
			return true;
	return false;
}

uint64_t certdir_ldap_entry_found_by(const struct certdir_ldap_entry *entry, const struct certdir_ldap_map *map,
				     const struct certdir_certificate *certificate, uint64_t ask)
{
	uint64_t by = 0;

	for (size_t i = 0; i < certificate->count; i++)
		for (size_t c = 0; c < map->count && (ask >> i & 1); c++)
			if (map->columns[c].type == certificate->identities[i].type &&
			    stands_in(entry, &map->columns[c], certificate->identities[i].value))
				by |= UINT64_C(1) << i;
	return by;
}

/* ---- the device ---- */

/* Active Directory counts 100 ns since 1601-01-01 (MS-DTYP 2.3.3); Unix seconds, not below 1 for any true time. */
static int64_t unix_time(int64_t filetime)
{
	const int64_t seconds = filetime / 10000000 - INT64_C(11644473600);

	return seconds > 0 ? seconds : 1;
}

/* "20260131120000.0Z" (RFC 4517 3.3.13, as Active Directory writes it); 0 when it is anything else. */
static int64_t generalized_time(const struct certdir_ldap_value *value)
{
	static const unsigned char widths[] = {4, 2, 2, 2, 2, 2};
	int parts[6] = {0};
	size_t at = 0;
	struct tm tm = {0};

	if (value->length < 15 || value->length > 20 || value->bytes[value->length - 1] != 'Z' ||
	    (value->length > 15 && value->bytes[14] != '.'))
		return 0;
	for (size_t p = 0; p < 6; p++)
		for (size_t i = 0; i < widths[p]; i++, at++) {
			if (value->bytes[at] < '0' || value->bytes[at] > '9')
				return 0;
			parts[p] = parts[p] * 10 + value->bytes[at] - '0';
		}
	if (parts[0] < 1970 || parts[1] < 1 || parts[1] > 12 || parts[2] < 1 || parts[2] > 31 || parts[3] > 23 ||
	    parts[4] > 59 || parts[5] > 60)
		return 0;
	tm.tm_year = parts[0] - 1900;
	tm.tm_mon = parts[1] - 1;
	tm.tm_mday = parts[2];
	tm.tm_hour = parts[3];
	tm.tm_min = parts[4];
	tm.tm_sec = parts[5];
	return timegm(&tm);
}

/*
 * Enabled or not. userAccountControl bit 2 is ACCOUNTDISABLE (MS-ADTS 2.2.16). A directory that is not Active
 * Directory has no such attribute, and its entries are enabled by being there; an Active Directory account always
 * has it, so when it was not sent we were not allowed to see it, and must not guess.
 */
static enum certdir_ldap_entry_state read_enabled(struct certdir_device *device, const struct certdir_ldap_entry *entry)
{
	const struct certdir_ldap_value *value;
	size_t count, sids, names;
	int64_t flags;

	(void)only_value(entry, "objectSid", &sids);
	(void)only_value(entry, "sAMAccountName", &names);
	value = only_value(entry, "userAccountControl", &count);
	device->join_type = count || sids || names ? CERTDIR_JOIN_AD : CERTDIR_JOIN_UNKNOWN;
	if (count == 0 && (sids || names)) {
		device->enabled = CERTDIR_UNKNOWN;
		return CERTDIR_LDAP_ENTRY_HIDDEN;
	}
	if (count == 0)
		device->enabled = CERTDIR_YES;
	else if (value && parse_integer(value, &flags) && flags >= 0 && flags <= UINT32_MAX && !(flags & 2))
		device->enabled = CERTDIR_YES;
	else
		device->enabled = CERTDIR_NO;
	return CERTDIR_LDAP_ENTRY_OK;
}

/*
 * The mark of `certdir placeholders`: what it does not want any more must not come in, also where there is no
 * userAccountControl to say so. It is never in favour of the device, so it does not matter who wrote it.
 */
static void read_marks(struct certdir_device *device, const struct certdir_ldap_entry *entry)
{
	static const char *const attributes[] = {"adminDescription", "description"};
	const struct certdir_ldap_value *value;
	struct certdir_mark mark;

	for (size_t a = 0; a < sizeof(attributes) / sizeof(attributes[0]); a++)
		for (size_t i = 0; (value = next_value(entry, attributes[a], &i)) != NULL;)
			if (certdir_mark_parse((const char *)value->bytes, value->length, &mark) &&
			    mark.state != CERTDIR_MARK_WANTED)
				device->enabled = CERTDIR_NO;
}

static void read_times(struct certdir_device *device, const struct certdir_ldap_entry *entry)
{
	const struct certdir_ldap_value *value;
	size_t count;
	int64_t time;

	value = only_value(entry, "accountExpires", &count);
	if (count && (!value || !parse_integer(value, &time) || time < 0))
		device->enabled = CERTDIR_NO;
	else if (count && time != 0 && time != INT64_MAX)
		device->expires = unix_time(time);
	value = only_value(entry, "lastLogonTimestamp", &count);
	if (value && parse_integer(value, &time) && time > 0)
		device->last_seen = unix_time(time);
	value = only_value(entry, "whenCreated", &count);
	if (value)
		device->registered = generalized_time(value);
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

/* Fills an identity's field, in canonical form, from an attribute with one value. False when memory is out. */
static bool copy_identity(char **field, enum certdir_identity_type type, const struct certdir_ldap_entry *entry,
			  const char *attribute)
{
	char text[CERTDIR_VALUE_MAX + 1];
	size_t count;
	const struct certdir_ldap_value *value = only_value(entry, attribute, &count);

	if (*field || !value || !certdir_canonical(type, (const char *)value->bytes, value->length, text))
		return true;
	*field = strdup(text);
	return *field != NULL;
}

/* The fields that are identities: from whatever attribute the map names for them. */
static bool read_ids(struct certdir_device *device, const struct certdir_ldap_entry *entry,
		     const struct certdir_ldap_map *map)
{
	char **const fields[CERTDIR_ID_TYPES] = {
		[CERTDIR_ID_ENTRA] = &device->entra_device_id,
		[CERTDIR_ID_INTUNE] = &device->intune_device_id,
		[CERTDIR_ID_SID] = &device->sid,
		[CERTDIR_ID_SERIAL] = &device->serial_number,
	};
	const struct certdir_ldap_value *value;
	char text[CERTDIR_VALUE_MAX + 1];
	size_t count;

	value = only_value(entry, "objectSid", &count);
	if (value && certdir_sid_from_bytes(value->bytes, value->length, text) && !(device->sid = strdup(text)))
		return false;
	for (size_t c = 0; c < map->count; c++) {
		const struct certdir_ldap_column *column = &map->columns[c];

		if (column->form == CERTDIR_LDAP_PLAIN && fields[column->type] &&
		    !copy_identity(fields[column->type], column->type, entry, column->attribute))
			return false;
	}
	return copy_identity(&device->serial_number, CERTDIR_ID_SERIAL, entry, "serialNumber");
}

static bool add_dns_name(struct certdir_device *device, const unsigned char *bytes, size_t length)
{
	char name[CERTDIR_VALUE_MAX + 1], **names;

	if (!memchr(bytes, '.', length) || !certdir_canonical(CERTDIR_ID_DNS, (const char *)bytes, length, name))
		return true;
	for (size_t i = 0; i < device->dns_name_count; i++)
		if (strcmp(device->dns_names[i], name) == 0)
			return true;
	names = realloc(device->dns_names, (device->dns_name_count + 1) * sizeof(*names));
	if (!names)
		return false;
	device->dns_names = names;
	names[device->dns_name_count] = strdup(name);
	return names[device->dns_name_count] && ++device->dns_name_count;
}

static bool read_dns_names(struct certdir_device *device, const struct certdir_ldap_entry *entry)
{
	const struct certdir_ldap_value *value;
	size_t i = 0;

	while ((value = next_value(entry, "dNSHostName", &i)) != NULL)
		if (!add_dns_name(device, value->bytes, value->length))
			return false;
	i = 0;
	while ((value = next_value(entry, "servicePrincipalName", &i)) != NULL)
		if (value->length > 5 && strncasecmp((const char *)value->bytes, "HOST/", 5) == 0 &&
		    !add_dns_name(device, value->bytes + 5, value->length - 5))
			return false;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The value of a DN's first RDN, unescaped (RFC 4514 3), as a new string; NULL when there is none or memory is out. */
static char *rdn_value(const char *dn, bool *memory)
{
	const char *from = strchr(dn, '=');
	size_t length = 0;
	char *value = from ? malloc(strlen(from)) : NULL;

	*memory = !from || value;
	if (!value)
		return NULL;
	for (from++; *from && *from != ',' && *from != '+'; from++) {
		if (from[0] == '\\' && hex_digit(from[1]) >= 0 && hex_digit(from[2]) >= 0) {
			value[length++] = (char)(hex_digit(from[1]) << 4 | hex_digit(from[2]));
			from += 2;
		} else if (from[0] == '\\' && from[1]) {
			value[length++] = *++from;
		} else {
			value[length++] = *from;
		}
	}
	value[length] = '\0';
	if (!is_text(value, length)) {
		free(value);
		return NULL;
	}
	return value;
}

static bool read_groups(struct certdir_device *device, const struct certdir_ldap_entry *entry)
{
	const struct certdir_ldap_value *value;
	size_t i = 0;

	while ((value = next_value(entry, "memberOf", &i)) != NULL) {
		struct certdir_group *groups, group = {NULL, NULL};
		bool memory;

		if (!copy_text(&group.id, value))
			return false;
		if (!group.id)
			continue;
		group.name = rdn_value(group.id, &memory);
		groups = memory ? realloc(device->groups, (device->group_count + 1) * sizeof(*groups)) : NULL;
		if (!groups) {
			free(group.id);
			free(group.name);
			return false;
		}
		device->groups = groups;
		groups[device->group_count++] = group;
	}
	return true;
}

enum certdir_ldap_entry_state certdir_ldap_entry_device(struct certdir_device *device,
							const struct certdir_ldap_entry *entry,
							const struct certdir_ldap_map *map)
{
	enum certdir_ldap_entry_state state;

	memset(device, 0, sizeof(*device));
	if (!entry->dn || !is_text(entry->dn, entry->dn_length))
		return CERTDIR_LDAP_ENTRY_BAD;
	state = read_enabled(device, entry);
	read_times(device, entry);
	read_marks(device, entry);
	device->id = strndup(entry->dn, entry->dn_length);
	if (device->id && read_name(device, entry) && read_ids(device, entry, map) && read_dns_names(device, entry) &&
	    read_groups(device, entry) && copy_first(&device->operating_system, entry, "operatingSystem"))
		return state;
	certdir_device_clear(device);
	return CERTDIR_LDAP_ENTRY_MEMORY;
}
