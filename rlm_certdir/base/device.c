/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/certdir.h"

#define TEXT(field) offsetof(struct certdir_device, field)

char **certdir_device_text(struct certdir_device *device, size_t i)
{
	static const size_t texts[] = {
		TEXT(id),
		TEXT(object_id),
		TEXT(entra_device_id),
		TEXT(intune_device_id),
		TEXT(udid),
		TEXT(name),
		TEXT(serial_number),
		TEXT(sid),
		TEXT(owner),
		TEXT(ownership),
		TEXT(operating_system),
		TEXT(tenant),
		TEXT(intune_name),
		TEXT(management_state),
		TEXT(management_agent),
		TEXT(category),
		TEXT(enrollment_profile),
		TEXT(extension_attributes),
		TEXT(wifi_mac),
		TEXT(ethernet_mac),
		TEXT(compliance),
		TEXT(imei),
		TEXT(meid),
	};

	return i < sizeof(texts) / sizeof(texts[0]) ? (char **)((char *)device + texts[i]) : NULL;
}

void certdir_device_clear(struct certdir_device *device)
{
	char **text;

	for (size_t i = 0; (text = certdir_device_text(device, i)) != NULL; i++)
		free(*text);
	for (size_t i = 0; i < device->dns_name_count; i++)
		free(device->dns_names[i]);
	free(device->dns_names);
	for (size_t i = 0; i < device->group_count; i++) {
		free(device->groups[i].id);
		free(device->groups[i].name);
		free(device->groups[i].sid);
	}
	free(device->groups);
	for (size_t i = 0; i < device->former_name_count; i++)
		free(device->former_names[i].name);
	free(device->former_names);
	memset(device, 0, sizeof(*device));
}

void certdir_issued_clear(struct certdir_issued *issued)
{
	char *const texts[] = {issued->thumbprint,	issued->issuer,	 issued->serial, issued->intune_device_id,
			       issued->entra_device_id, issued->user_id, issued->upn,	 issued->status,
			       issued->profile};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	memset(issued, 0, sizeof(*issued));
}

/* ---- what Entra ID and Intune say together ---- */

static enum certdir_tristate either(enum certdir_tristate a, enum certdir_tristate b)
{
	return a == CERTDIR_YES || b == CERTDIR_YES ? CERTDIR_YES
	       : a == CERTDIR_NO || b == CERTDIR_NO ? CERTDIR_NO
						    : CERTDIR_UNKNOWN;
}

/* No Entra id, or the Intune id once more (Apple). */
static bool is_of_intune_alone(const struct certdir_device *device)
{
	return device->intune_device_id && !device->object_id &&
	       (!device->entra_device_id || strcmp(device->entra_device_id, device->intune_device_id) == 0);
}

void certdir_device_merge(struct certdir_device *device)
{
	if (device->intune.is)
		device->intune.managed = certdir_managed(device->management_state, device->management_agent);
	device->managed = either(device->intune.managed, device->own.managed);
	if (device->enabled == CERTDIR_UNKNOWN && is_of_intune_alone(device) &&
	    certdir_management(device->management_state) == CERTDIR_MANAGEMENT_IN_USE)
		device->enabled = CERTDIR_YES;
}
