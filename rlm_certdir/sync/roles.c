/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/roles.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEVICES, INTUNE, GROUPS, USERS, REPORTS, NEW_REPORTS, PERMISSIONS, OTHERS_MAX = 5, PAYLOAD_MAX = 64 << 10 };

/* The least that is needed comes first; the others allow it, too (https://learn.microsoft.com/graph/permissions-reference). */
static const char *const names[PERMISSIONS][1 + OTHERS_MAX + 1] = {
	[DEVICES] = {"Device.Read.All", "Device.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
	[INTUNE] = {"DeviceManagementManagedDevices.Read.All", "DeviceManagementManagedDevices.ReadWrite.All"},
	[GROUPS] = {"GroupMember.Read.All", "GroupMember.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All",
		    "Directory.Read.All", "Directory.ReadWrite.All"},
	[REPORTS] = {"DeviceManagementConfiguration.Read.All", "DeviceManagementConfiguration.ReadWrite.All",
		     "DeviceManagementManagedDevices.ReadWrite.All", "DeviceManagementApps.ReadWrite.All"},
	/* Documented for creating a report; the first of those before is enough in most tenants. */
	[NEW_REPORTS] = {"DeviceManagementConfiguration.ReadWrite.All", "DeviceManagementManagedDevices.ReadWrite.All",
			 "DeviceManagementApps.ReadWrite.All"},
	[USERS] = {"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
};

/* RFC 4648, 5, without padding. The caller frees it; NULL when it is none. */
static char *base64url_read(const char *text, size_t length, size_t *size)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char *bytes = length > 0 && length <= PAYLOAD_MAX ? malloc(length) : NULL;
	uint32_t held = 0;
	unsigned bits = 0;

	*size = 0;
	for (size_t i = 0; bytes && i < length; i++) {
		const char *digit = text[i] ? strchr(digits, text[i]) : NULL;

		if (!digit) {
			free(bytes);
			return NULL;
		}
		held = held << 6 | (uint32_t)(digit - digits);
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		bytes[(*size)++] = (char)(held >> bits & 0xff);
	}
	return bytes;
}

static bool allows(const char *role, int permission)
{
	for (size_t i = 0; names[permission][i]; i++)
		if (strcmp(role, names[permission][i]) == 0)
			return true;
	return false;
}

void certdir_roles_read(struct certdir_roles *roles, const char *token)
{
	const char *payload = strchr(token, '.'), *end = payload ? strchr(payload + 1, '.') : NULL;
	json_t *claims = NULL, *role;
	char *text = NULL;
	size_t size, index;

	*roles = (struct certdir_roles){false, 0};
	if (end)
		text = base64url_read(payload + 1, (size_t)(end - payload - 1), &size);
	if (text)
		claims = json_loadb(text, size, 0, NULL);
	free(text);
	roles->known = json_is_object(claims);
	json_array_foreach(json_object_get(claims, "roles"), index, role)
	{
		for (int i = 0; json_is_string(role) && i < PERMISSIONS; i++)
			if (allows(json_string_value(role), i))
				roles->granted |= CERTDIR_BIT(i);
	}
	json_decref(claims);
}

bool certdir_roles_missing(const struct certdir_roles *roles, const struct certdir_tenant_config *config,
			   const char *refused, char missing[CERTDIR_ROLES_TEXT])
{
	const bool needed[PERMISSIONS] = {true, config->intune, config->groups[0] != NULL, config->users,
					  config->certificates};
	bool is_missing = true;
	size_t used = 0;

	missing[0] = '\0';
	for (int i = 0; i < PERMISSIONS; i++) {
		const bool granted = roles->granted & CERTDIR_BIT(i), it = strcmp(refused, names[i][0]) == 0;

		is_missing = is_missing && !(it && granted);
		if (!granted && (it || (roles->known && needed[i])))
			used += (size_t)snprintf(missing + used, CERTDIR_ROLES_TEXT - used, "%s%s", used ? ", " : "",
						 names[i][0]);
	}
	return is_missing;
}
