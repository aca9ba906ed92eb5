/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/list_source.h"

#include <string.h>

bool certdir_list_source_concerns(const struct certdir_list_source *source, const char *tenant)
{
	return !tenant[0] || !source->tenant || strcmp(source->tenant, tenant) == 0;
}

/* GUIDs of all kinds are one name space: who asks for one asks all tenants. Intune ids and the hardware's come with Intune's part. */
static uint32_t kept_by(const struct certdir_list_source *source)
{
	const uint32_t keeps = CERTDIR_BIT(CERTDIR_ID_GUID) | CERTDIR_BIT(CERTDIR_ID_ENTRA) |
			       CERTDIR_BIT(CERTDIR_ID_SID) | CERTDIR_BIT(CERTDIR_ID_SID_URI) |
			       CERTDIR_BIT(CERTDIR_ID_NAME) | CERTDIR_BIT(CERTDIR_ID_DNS);

	if (source->kind != CERTDIR_SOURCE_TENANT)
		return source->holds;
	return source->intune_synced ? keeps | CERTDIR_BIT(CERTDIR_ID_INTUNE) | CERTDIR_BIT(CERTDIR_ID_SERIAL) |
					       CERTDIR_BIT(CERTDIR_ID_PERMANENT) | CERTDIR_BIT(CERTDIR_ID_IMEI) |
					       CERTDIR_BIT(CERTDIR_ID_MEID) | CERTDIR_BIT(CERTDIR_ID_WIFI_MAC)
				     : keeps;
}

struct certdir_source certdir_list_source_describe(const struct certdir_list_source *source)
{
	struct certdir_source described = {
		.kind = source->kind,
		.name = source->name,
		.tenant = source->tenant,
		.synced = {[CERTDIR_PART_OF_DEVICES] = source->synced,
			   [CERTDIR_PART_OF_INTUNE] = source->intune_synced,
			   [CERTDIR_PART_OF_GROUPS] = source->groups_synced,
			   [CERTDIR_PART_OF_CERTIFICATES] = source->certificates_synced},
		.interval = {[CERTDIR_PART_OF_INTUNE] = source->intune_interval,
			     [CERTDIR_PART_OF_CERTIFICATES] = source->certificates_interval},
		.good_for = source->good_for,
		.keeps = kept_by(source),
		.domain = source->domain,
		.says_enabled = source->says_enabled,
	};

	/* One listing brings all that an LDAP directory says. */
	for (int part = 0; source->kind == CERTDIR_SOURCE_LDAP && part < CERTDIR_PART_OF_CERTIFICATES; part++) {
		described.listed = true;
		described.synced[part] = source->synced;
		described.interval[part] = source->interval;
	}
	return described;
}

struct certdir_source certdir_list_source_describe_people(const struct certdir_list_source *source)
{
	return (struct certdir_source){.kind = source->kind,
				       .name = source->name,
				       .tenant = source->tenant,
				       .synced = {[CERTDIR_PART_OF_DEVICES] = source->users_synced,
						  [CERTDIR_PART_OF_GROUPS] = source->groups_synced,
						  [CERTDIR_PART_OF_CERTIFICATES] = source->certificates_synced},
				       .interval = {[CERTDIR_PART_OF_CERTIFICATES] = source->certificates_interval},
				       .good_for = source->good_for,
				       .keeps = source->users_synced ? CERTDIR_PERSONS : 0,
				       .says_enabled = true};
}
