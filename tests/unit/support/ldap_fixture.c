/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ldap_fixture.h"

struct certdir_ldap_map map_of(const char *sid, const char *dns, const char *name, const char *entra)
{
	const char *const attributes[CERTDIR_ID_TYPES] = {
		[CERTDIR_ID_SID] = sid, [CERTDIR_ID_DNS] = dns, [CERTDIR_ID_NAME] = name, [CERTDIR_ID_ENTRA] = entra};
	struct certdir_ldap_map map;
	struct certdir_error error = {.text = ""};

	if (!certdir_ldap_map_init(&map, attributes, &error))
		fail_msg("%s", error.text);
	return map;
}

struct certdir_ldap_map ad_map(void)
{
	struct certdir_ldap_map map;
	struct certdir_error error = {.text = ""};

	assert_true(certdir_ldap_map_init(&map, certdir_ldap_default_attributes, &error));
	return map;
}
