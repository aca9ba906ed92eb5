/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an access token says that its application may do: for messages, which name all that is missing at once. */
#ifndef CERTDIR_SYNC_PERMISSION_H
#define CERTDIR_SYNC_PERMISSION_H

#include "sync/config.h"

enum { CERTDIR_PERMISSIONS_TEXT = 128 };

struct certdir_permissions {
	bool known; /* the token could be read; it need not be readable for us */
	uint32_t granted; /* CERTDIR_BIT(i) of those that a sync can need */
};

/*
 * Reads the claim `roles` of a JWT (RFC 7519; https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference)
 * without verifying anything. A token that is none leaves them unknown.
 */
void certdir_permissions_read(struct certdir_permissions *permissions, const char *token);

/*
 * After Graph refused what needs `refused`: that one, unless it is granted, and all others that `config` needs and that are known not
 * to be granted, "A, B" in `missing`. False: the refused one is granted, so it is not what is missing.
 */
bool certdir_permissions_missing(const struct certdir_permissions *permissions,
				 const struct certdir_tenant_config *config, const char *refused,
				 char missing[CERTDIR_PERMISSIONS_TEXT]);

#endif
