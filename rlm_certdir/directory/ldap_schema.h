/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which LDAP attribute holds which kind of identity, and how the identity is written there. Pure. */
#ifndef CERTDIR_DIRECTORY_LDAP_SCHEMA_H
#define CERTDIR_DIRECTORY_LDAP_SCHEMA_H

#include "base/certdir.h"

/* Active Directory, for an ldap section that says nothing else. gMSAs are computers to AD; users are not. */
#define CERTDIR_LDAP_DEFAULT_FILTER "(objectClass=computer)"
#define CERTDIR_LDAP_DEFAULT_SCOPE "sub"
#define CERTDIR_LDAP_USER_FILTER "(&(objectCategory=person)(objectClass=user))"
/*
 * One string for each identity type, for certdir_ldap_directory_config.attributes: common_name "cn sAMAccountName", dns_name
 * "dNSHostName servicePrincipalName", sid "objectSid", upn "userPrincipalName", mapping "altSecurityIdentities",
 * user_sid "objectSid", user_name "sAMAccountName", mail "mail", all others "".
 */
extern const char *const certdir_ldap_default_attributes[CERTDIR_ID_TYPES];

/* How an identity is written in an attribute; known by the attribute's name ([MS-ADA1], [MS-ADA3]). */
enum certdir_ldap_form {
	CERTDIR_LDAP_PLAIN, /* as it is */
	CERTDIR_LDAP_SID, /* objectSid: binary, MS-DTYP 2.4.2.2 */
	CERTDIR_LDAP_SPN, /* servicePrincipalName: HOST/<value>, which every domain member has */
	CERTDIR_LDAP_SAM, /* sAMAccountName: <value>$, a computer account's */
	CERTDIR_LDAP_MAC /* macAddress: colons between the bytes (RFC 2307) */
};

struct certdir_ldap_column {
	enum certdir_identity_type type;
	enum certdir_ldap_form form;
	char *attribute; /* owned */
};

struct certdir_ldap_map {
	struct certdir_ldap_column *columns;
	size_t count;
	uint32_t keeps; /* CERTDIR_BIT(type) for each type that has a column; with any GUID CERTDIR_ID_GUID, too */
};

/*
 * Reads the lists of attributes (blank-separated; NULL and "" are none). Those of sid_uri are not read: a SID is looked
 * up where sid says, whatever place of the certificate it comes from. False with `error` when a word is no attribute
 * name or objectSid shall hold something else than a SID.
 */
bool certdir_ldap_map_init(struct certdir_ldap_map *map, const char *const attributes[CERTDIR_ID_TYPES],
			   struct certdir_error *error);
void certdir_ldap_map_clear(struct certdir_ldap_map *map);

/* Characters that Active Directory keeps of a computer's name in sAMAccountName, by NetBIOS' limit. */
enum { CERTDIR_LDAP_SAM_MAX = 15 };

enum { CERTDIR_LDAP_VALUE_MAX = CERTDIR_VALUE_MAX + 8 };

/* Writes `identity` as `column` holds it; returns the length in bytes, 0 when it cannot stand there (no SID). */
size_t certdir_ldap_column_value(const struct certdir_ldap_column *column, const char *identity,
				 unsigned char value[CERTDIR_LDAP_VALUE_MAX]);

#endif
