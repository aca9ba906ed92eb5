/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/ldap_group.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/ascii.h"
#include "base/array.h"
#include "text/canonical.h"
#include "text/hex.h"

/* ---- distinguished names (RFC 4514) ---- */

/* Reads one byte of a value, which may be escaped as \xx or \c; returns what is behind it. */
static const char *read_byte(const char *dn, char *byte, bool *escaped)
{
	int value;

	*escaped = dn[0] == '\\' && dn[1];
	if (!*escaped) {
		*byte = dn[0];
		return dn + 1;
	}
	value = certdir_hex_byte(dn + 1);
	if (value >= 0) {
		*byte = (char)value;
		return dn + 3;
	}
	*byte = dn[1];
	return dn + 2;
}

static bool is_separator(char c)
{
	return c == ',' || c == '=' || c == '+';
}

char *certdir_ldap_dn_normal(const char *dn)
{
	char *normal = malloc(3 * strlen(dn) + 1), *out = normal, byte;
	bool escaped;

	if (!normal)
		return NULL;
	while (*dn) {
		dn = read_byte(dn, &byte, &escaped);
		byte = certdir_ascii_lower(byte);
		if (escaped && !(byte >= 'a' && byte <= 'z') && !(byte >= '0' && byte <= '9')) {
			*out++ = '\\';
			out = certdir_hex_put(out, (unsigned char)byte);
			continue;
		}
		/* What was a blank or a separator by an escape is not one here any more. */
		if (is_separator(byte))
			while (out > normal && out[-1] == ' ')
				out--;
		if (byte != ' ' || (out > normal && !is_separator(out[-1])))
			*out++ = byte;
	}
	while (out > normal && out[-1] == ' ')
		out--;
	*out = '\0';
	return normal;
}

/* Whether `dn` is below `base`, which is normal. *memory tells whether there was enough of it. */
static bool is_below(const char *dn, const char *base, bool *memory)
{
	char *normal = certdir_ldap_dn_normal(dn);
	const size_t length = normal ? strlen(normal) : 0, end = strlen(base);
	const bool below =
		length > end + 1 && normal[length - end - 1] == ',' && strcmp(normal + length - end, base) == 0;

	*memory = normal;
	free(normal);
	return below;
}

/* The value of a DN's first RDN, unescaped, as a new string; NULL when there is none or memory is out. */
static char *rdn_value(const char *dn, bool *memory)
{
	const char *from = strchr(dn, '=');
	size_t length = 0;
	char *value = from ? malloc(strlen(from)) : NULL;
	bool escaped;

	*memory = !from || value;
	if (!value)
		return NULL;
	for (from++; *from && *from != ',' && *from != '+';)
		from = read_byte(from, &value[length++], &escaped);
	value[length] = '\0';
	if (!certdir_ldap_text_valid(value, length)) {
		free(value);
		return NULL;
	}
	return value;
}

/* ---- groups ---- */

static void clear_group(struct certdir_group *group)
{
	free(group->id);
	free(group->name);
	free(group->sid);
}

void certdir_ldap_group_forget(struct certdir_device *device, size_t count)
{
	while (device->group_count > count)
		clear_group(&device->groups[--device->group_count]);
}

static struct certdir_group *find_group(const struct certdir_device *device, const char *dn, size_t length)
{
	for (size_t i = 0; i < device->group_count; i++)
		if (strncasecmp(device->groups[i].id, dn, length) == 0 && !device->groups[i].id[length])
			return &device->groups[i];
	return NULL;
}

/* The group with this DN, which is text; a new one when it is not there. NULL with *ok: there is no room for it. */
static struct certdir_group *take_group(struct certdir_device *device, const char *dn, size_t length, const char *base,
					bool *ok)
{
	struct certdir_group *group = find_group(device, dn, length);

	*ok = true;
	if (group || device->group_count == CERTDIR_LDAP_GROUPS_MAX)
		return group;
	group = certdir_array_next(&device->groups, device->group_count, sizeof(*group));
	*ok = group && (group->id = strndup(dn, length));
	if (!group)
		return NULL;
	if (*ok && base && is_below(group->id, base, ok) && *ok)
		group->name = rdn_value(group->id, ok);
	if (!*ok) {
		clear_group(group);
		return NULL;
	}
	device->group_count++;
	return group;
}

bool certdir_ldap_group_read(struct certdir_device *device, const struct certdir_ldap_entry *entry, const char *base,
			     bool *cut)
{
	const struct certdir_ldap_value *value;
	size_t i = 0;
	bool ok;

	while ((value = certdir_ldap_entry_next(entry, "memberOf", &i)) != NULL) {
		if (!certdir_ldap_text_valid((const char *)value->bytes, value->length))
			continue;
		if (!take_group(device, (const char *)value->bytes, value->length, base, &ok)) {
			*cut = ok;
			return ok;
		}
	}
	return true;
}

bool certdir_ldap_group_add(struct certdir_device *device, const struct certdir_ldap_entry *group, const char *base,
			    bool *cut)
{
	struct certdir_group *taken;
	const struct certdir_ldap_value *sid;
	char text[CERTDIR_VALUE_MAX + 1];
	size_t count;
	bool ok;

	if (!group->dn || !certdir_ldap_text_valid(group->dn, group->dn_length))
		return true;
	taken = take_group(device, group->dn, group->dn_length, base, &ok);
	if (!taken) {
		*cut = ok;
		return ok;
	}
	sid = certdir_ldap_entry_only(group, "objectSid", &count);
	if (taken->sid || !sid || !certdir_sid_from_bytes(sid->bytes, sid->length, text))
		return true;
	taken->sid = strdup(text);
	return taken->sid;
}

bool certdir_ldap_primary_group(const struct certdir_ldap_entry *entry, unsigned char sid[68], size_t *length)
{
	size_t count;
	const struct certdir_ldap_value *own = certdir_ldap_entry_only(entry, "objectSid", &count);
	const struct certdir_ldap_value *primary = certdir_ldap_entry_only(entry, "primaryGroupID", &count);
	char text[CERTDIR_VALUE_MAX + 1];
	int64_t id;

	*length = 0;
	if (!own || !certdir_sid_from_bytes(own->bytes, own->length, text))
		return false;
	if (!primary || !certdir_ldap_integer(primary, &id) || id < 0 || id > UINT32_MAX)
		return true;
	/* The last part of a SID is the account's own, little-endian; what stands before it is the domain's. */
	memcpy(sid, own->bytes, own->length);
	for (size_t i = 0; i < 4; i++)
		sid[own->length - 4 + i] = (unsigned char)(id >> 8 * i);
	*length = own->length;
	return true;
}
