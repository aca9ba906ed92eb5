/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/ldap_schema.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "text/canonical.h"

const char *const certdir_ldap_default_attributes[CERTDIR_ID_TYPES] = {
	[CERTDIR_ID_ENTRA] = "",
	[CERTDIR_ID_INTUNE] = "",
	[CERTDIR_ID_GUID] = "",
	[CERTDIR_ID_SID] = "objectSid",
	[CERTDIR_ID_DNS] = "dNSHostName servicePrincipalName",
	[CERTDIR_ID_NAME] = "cn sAMAccountName",
	[CERTDIR_ID_SERIAL] = "",
	[CERTDIR_ID_UPN] = "userPrincipalName",
	[CERTDIR_ID_MAPPING] = "altSecurityIdentities",
	[CERTDIR_ID_SID_URI] = "",
	[CERTDIR_ID_UDID] = "",
	[CERTDIR_ID_USER_ID] = "",
	[CERTDIR_ID_USER_SID] = "objectSid",
	[CERTDIR_ID_USER_NAME] = "sAMAccountName",
	[CERTDIR_ID_MAIL] = "mail",
	[CERTDIR_ID_IMEI] = "",
	[CERTDIR_ID_MEID] = "",
	[CERTDIR_ID_WIFI_MAC] = "",
	[CERTDIR_ID_PERMANENT] = "",
};

/* A person's sAMAccountName has no "$". */
static enum certdir_ldap_form form_of(const char *attribute, enum certdir_identity_type type)
{
	if (type == CERTDIR_ID_WIFI_MAC && strcasecmp(attribute, "macAddress") == 0)
		return CERTDIR_LDAP_MAC;
	if (strcasecmp(attribute, "objectSid") == 0)
		return CERTDIR_LDAP_SID;
	if (strcasecmp(attribute, "servicePrincipalName") == 0)
		return CERTDIR_LDAP_SPN;
	if (strcasecmp(attribute, "sAMAccountName") == 0 && type != CERTDIR_ID_USER_NAME)
		return CERTDIR_LDAP_SAM;
	return CERTDIR_LDAP_PLAIN;
}

/* A short name or a dotted OID (RFC 4512 2.5), without options: what may stand in a filter unescaped. */
static bool is_attribute(const char *word, size_t length)
{
	static const char characters[] = "-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	if (strspn(word, "-0123456789") == 0)
		return strspn(word, characters) >= length;
	return strspn(word, ".0123456789") >= length && memchr(word, '.', length);
}

static bool add_column(struct certdir_ldap_map *map, enum certdir_identity_type type, const char *word, size_t length,
		       struct certdir_error *error)
{
	struct certdir_ldap_column *column;

	if (!is_attribute(word, length)) {
		certdir_error_set(error, "ldap: \"%.*s\" for %s is not the name of an LDAP attribute", (int)length,
				  word, certdir_identity_type_name(type));
		return false;
	}
	column = certdir_array_next(&map->columns, map->count, sizeof(*column));
	if (!column || !(column->attribute = strndup(word, length))) {
		certdir_error_set(error, "out of memory");
		return false;
	}
	map->count++;
	column->type = type;
	column->form = form_of(column->attribute, type);
	if (column->form == CERTDIR_LDAP_SID && type != CERTDIR_ID_SID && type != CERTDIR_ID_USER_SID) {
		certdir_error_set(error, "ldap: objectSid holds SIDs, not %s: name another attribute",
				  certdir_identity_type_name(type));
		return false;
	}
	map->keeps |= CERTDIR_BIT(certdir_type_is_guid(type) ? CERTDIR_ID_GUID : type) | CERTDIR_BIT(type);
	return true;
}

static bool add_words(struct certdir_ldap_map *map, enum certdir_identity_type type, const char *words,
		      struct certdir_error *error)
{
	static const char blanks[] = " \t\n";
	const char *word = words ? words : "";

	while (*(word += strspn(word, blanks))) {
		const size_t length = strcspn(word, blanks);

		if (!add_column(map, type, word, length, error))
			return false;
		word += length;
	}
	return true;
}

bool certdir_ldap_map_init(struct certdir_ldap_map *map, const char *const attributes[CERTDIR_ID_TYPES],
			   struct certdir_error *error)
{
	bool ok = true;

	memset(map, 0, sizeof(*map));
	for (unsigned type = 0; ok && type < CERTDIR_ID_TYPES; type++)
		if (type != CERTDIR_ID_SID_URI)
			ok = add_words(map, type, attributes[type], error);
	if (ok && map->count == 0) {
		certdir_error_set(error, "ldap: no attribute is named for any kind of identity");
		ok = false;
	}
	if (!ok)
		certdir_ldap_map_clear(map);
	return ok;
}

void certdir_ldap_map_clear(struct certdir_ldap_map *map)
{
	for (size_t i = 0; i < map->count; i++)
		free(map->columns[i].attribute);
	free(map->columns);
	memset(map, 0, sizeof(*map));
}

/* "00A0C91E2F3D" with colons. */
static size_t put_mac(const char *mac, unsigned char value[CERTDIR_LDAP_VALUE_MAX])
{
	size_t length = 0;

	for (size_t i = 0; mac[i]; i++) {
		if (i > 0 && i % 2 == 0)
			value[length++] = ':';
		value[length++] = (unsigned char)mac[i];
	}
	return length;
}

size_t certdir_ldap_column_value(const struct certdir_ldap_column *column, const char *identity,
				 unsigned char value[CERTDIR_LDAP_VALUE_MAX])
{
	const char *before = column->form == CERTDIR_LDAP_SPN ? "HOST/" : "";
	const char *after = column->form == CERTDIR_LDAP_SAM ? "$" : "";
	const size_t length = strlen(before) + strlen(identity) + strlen(after);

	if (column->form == CERTDIR_LDAP_SID)
		return certdir_sid_to_bytes(identity, value);
	if (column->form == CERTDIR_LDAP_MAC)
		return put_mac(identity, value);
	if (length >= CERTDIR_LDAP_VALUE_MAX)
		return 0;
	(void)stpcpy(stpcpy(stpcpy((char *)value, before), identity), after);
	return length;
}
