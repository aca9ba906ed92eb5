/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an access token says that its application may do, its roles, as Graph calls granted application permissions: for messages,
 * which name all that is missing at once.
 */
#ifndef CERTDIR_SYNC_ROLES_H
#define CERTDIR_SYNC_ROLES_H

#include "sync/config.h"

enum { CERTDIR_ROLES_TEXT = 256 };

struct certdir_roles {
	bool known; /* the token could be read; it need not be readable for us */
	uint32_t granted; /* CERTDIR_BIT(i) of those that a sync can need */
};

/*
 * Reads the claim `roles` of a JWT (RFC 7519; https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference)
 * without verifying anything. A token that is none leaves them unknown.
 */
void certdir_roles_read(struct certdir_roles *roles, const char *token);

/*
 * After Graph refused what needs `refused`: that one, unless it is granted, and all others that `config` needs and that are known not
 * to be granted, "A, B" in `missing`. False: the refused one is granted, so it is not what is missing.
 */
bool certdir_roles_missing(const struct certdir_roles *roles, const struct certdir_tenant_config *config,
			   const char *refused, char missing[CERTDIR_ROLES_TEXT]);

#endif
