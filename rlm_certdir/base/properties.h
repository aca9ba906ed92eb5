/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Graph tells of a device, and what each property means: for a sync, which reads pages, and for an import, which reads what
 * others made of them. https://learn.microsoft.com/graph/api/resources/device, .../intune-devices-manageddevice.
 */
#ifndef CERTDIR_BASE_PROPERTIES_H
#define CERTDIR_BASE_PROPERTIES_H

#include "base/certdir.h"

/* What a value is. The kinds from TEXT to AGENT are texts, and fields of struct certdir_device that are `char *`. */
enum certdir_kind {
	CERTDIR_KIND_TEXT,
	CERTDIR_KIND_GUID,
	CERTDIR_KIND_SID,
	CERTDIR_KIND_NAME, /* as the device's user chose it */
	CERTDIR_KIND_SERIAL, /* as the device's maker wrote it */
	CERTDIR_KIND_IMEI,
	CERTDIR_KIND_MEID,
	CERTDIR_KIND_MAC,
	CERTDIR_KIND_OWNERSHIP,
	CERTDIR_KIND_COMPLIANCE, /* one of Intune's words */
	CERTDIR_KIND_STATE,
	CERTDIR_KIND_AGENT,
	CERTDIR_KIND_COMPLIANT, /* yes or no, to the field of COMPLIANCE */
	CERTDIR_KIND_JOIN_TYPE, /* enum certdir_join_type */
	CERTDIR_KIND_YES_NO, /* enum certdir_tristate */
	CERTDIR_KIND_TIME, /* Unix seconds */
	CERTDIR_KINDS
};

/*
 * PROPERTY(name, kind, field of struct certdir_device, its CERTDIR_PROPERTY_.. of tenant/tenant.h), in the order in which Graph is
 * asked for them. Beside these each object has an "id".
 */
#define CERTDIR_DEVICE_PROPERTIES(PROPERTY)                                                                            \
	PROPERTY("deviceId", GUID, entra_device_id, DEVICE_ID)                                                         \
	PROPERTY("displayName", NAME, name, NAME)                                                                      \
	PROPERTY("onPremisesSecurityIdentifier", SID, sid, SID)                                                        \
	PROPERTY("operatingSystem", TEXT, operating_system, OPERATING_SYSTEM)                                          \
	PROPERTY("deviceOwnership", OWNERSHIP, ownership, OWNERSHIP)                                                   \
	PROPERTY("trustType", JOIN_TYPE, join_type, JOIN_TYPE)                                                         \
	PROPERTY("accountEnabled", YES_NO, enabled, ENABLED)                                                           \
	PROPERTY("isCompliant", COMPLIANT, compliance, COMPLIANT)                                                      \
	PROPERTY("isManaged", YES_NO, managed, MANAGED)                                                                \
	PROPERTY("approximateLastSignInDateTime", TIME, last_seen, LAST_SEEN)                                          \
	PROPERTY("registrationDateTime", TIME, registered, REGISTERED)

/* PROPERTY(name, kind, field) */
#define CERTDIR_MANAGED_DEVICE_PROPERTIES(PROPERTY)                                                                    \
	PROPERTY("azureADDeviceId", GUID, entra_device_id)                                                             \
	PROPERTY("deviceName", NAME, intune_name)                                                                      \
	PROPERTY("serialNumber", SERIAL, serial_number)                                                                \
	PROPERTY("complianceState", COMPLIANCE, compliance)                                                            \
	PROPERTY("userPrincipalName", TEXT, owner)                                                                     \
	PROPERTY("managedDeviceOwnerType", OWNERSHIP, ownership)                                                       \
	PROPERTY("operatingSystem", TEXT, operating_system)                                                            \
	PROPERTY("wiFiMacAddress", MAC, wifi_mac)                                                                      \
	PROPERTY("ethernetMacAddress", TEXT, ethernet_mac)                                                             \
	PROPERTY("lastSyncDateTime", TIME, last_seen)                                                                  \
	PROPERTY("enrolledDateTime", TIME, registered)                                                                 \
	PROPERTY("managementState", STATE, management_state)                                                           \
	PROPERTY("managementAgent", AGENT, management_agent)                                                           \
	PROPERTY("deviceCategoryDisplayName", TEXT, category)                                                          \
	PROPERTY("enrollmentProfileName", TEXT, enrollment_profile)                                                    \
	PROPERTY("imei", IMEI, imei)                                                                                   \
	PROPERTY("meid", MEID, meid)

#endif
