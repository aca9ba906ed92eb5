/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The public names of identity types and join types. They stay: configurations, logs and JSON carry them. */
#include <string.h>

#include "base/certdir.h"

static const char *const identity_names[CERTDIR_ID_TYPES] = {
	[CERTDIR_ID_ENTRA] = "entra_device_id",
	[CERTDIR_ID_INTUNE] = "intune_device_id",
	[CERTDIR_ID_GUID] = "device_guid",
	[CERTDIR_ID_SID] = "sid",
	[CERTDIR_ID_SID_URI] = "sid_uri",
	[CERTDIR_ID_DNS] = "dns_name",
	[CERTDIR_ID_NAME] = "common_name",
	[CERTDIR_ID_SERIAL] = "serial_number",
	[CERTDIR_ID_UPN] = "upn",
	[CERTDIR_ID_UDID] = "udid",
	[CERTDIR_ID_CERTIFICATE] = "certificate",
	[CERTDIR_ID_IMEI] = "imei",
	[CERTDIR_ID_MEID] = "meid",
	[CERTDIR_ID_WIFI_MAC] = "wifi_mac",
	[CERTDIR_ID_PERMANENT] = "permanent_id",
	[CERTDIR_ID_MAPPING] = "mapping",
	[CERTDIR_ID_USER_ID] = "user_id",
	[CERTDIR_ID_USER_SID] = "user_sid",
	[CERTDIR_ID_USER_NAME] = "user_name",
	[CERTDIR_ID_MAIL] = "mail",
};

static const char *const rank_names[CERTDIR_RANKS] = {
	[CERTDIR_RANK_NONE] = "none", [CERTDIR_RANK_CONFIRMING] = "confirming", [CERTDIR_RANK_CHOSEN] = "chosen",
	[CERTDIR_RANK_ID] = "id",     [CERTDIR_RANK_VOUCHED] = "vouched",
};

static const char *const join_names[CERTDIR_JOIN_TYPES] = {
	[CERTDIR_JOIN_UNKNOWN] = "unknown",	  [CERTDIR_JOIN_ENTRA] = "entra", [CERTDIR_JOIN_HYBRID] = "hybrid",
	[CERTDIR_JOIN_REGISTERED] = "registered", [CERTDIR_JOIN_AD] = "ad",
};

const char *certdir_identity_type_name(enum certdir_identity_type type)
{
	return identity_names[type];
}

bool certdir_identity_type_parse(const char *name, enum certdir_identity_type *type)
{
	for (unsigned i = 0; i < CERTDIR_ID_TYPES; i++)
		if (strcmp(name, identity_names[i]) == 0) {
			*type = (enum certdir_identity_type)i;
			return true;
		}
	return false;
}

const char *certdir_rank_name(enum certdir_rank rank)
{
	return rank_names[rank];
}

const char *certdir_join_type_name(enum certdir_join_type type)
{
	return join_names[type];
}

bool certdir_join_type_parse(const char *name, enum certdir_join_type *type)
{
	for (unsigned i = 0; i < CERTDIR_JOIN_TYPES; i++)
		if (strcmp(name, join_names[i]) == 0) {
			*type = (enum certdir_join_type)i;
			return true;
		}
	return false;
}
