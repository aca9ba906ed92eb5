/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/certdir.h"

#include <stdlib.h>
#include <string.h>

void certdir_device_clear(struct certdir_device *device)
{
	char **const strings[] = {&device->id,
				  &device->object_id,
				  &device->entra_device_id,
				  &device->intune_device_id,
				  &device->udid,
				  &device->name,
				  &device->serial_number,
				  &device->sid,
				  &device->owner,
				  &device->ownership,
				  &device->operating_system,
				  &device->tenant,
				  &device->compliance,
				  &device->wifi_mac,
				  &device->ethernet_mac,
				  &device->intune_name,
				  &device->management_state,
				  &device->management_agent,
				  &device->category,
				  &device->enrollment_profile,
				  &device->extension_attributes};

	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		free(*strings[i]);
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
