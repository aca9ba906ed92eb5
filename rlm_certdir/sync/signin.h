/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An administrator signs in, on whatever computer has a browser: OAuth 2.0 device authorization grant, RFC 8628,
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code. Nothing of it is kept.
 */
#ifndef CERTDIR_SYNC_SIGNIN_H
#define CERTDIR_SYNC_SIGNIN_H

#include "sync/config.h"
#include "sync/http.h"

/* Where, and over what. Borrowed. */
struct certdir_signin_place {
	const struct certdir_tenant_config *tenant; /* authority, graph */
	const char *tenant_id; /* GUID, or a domain of the tenant */
	struct certdir_http *http;
	const struct certdir_http_limits *limits;
};

struct certdir_signin {
	char url[256]; /* where the administrator goes */
	char code[64]; /* what he types in there */
	char *device_code; /* owned: what the token is asked for with */
	int64_t interval; /* seconds between two questions */
	int64_t ends; /* certdir_monotonic() */
};

/* The GUID of the tenant that has this domain or id, which the caller frees. NULL with `error`. */
char *certdir_signin_tenant(const struct certdir_signin_place *place, struct certdir_error *error);

/* Asks for a code to show. False with `error`. */
bool certdir_signin_begin(struct certdir_signin *signin, const struct certdir_signin_place *place,
			  struct certdir_error *error);
/*
 * Waits until somebody has signed in: "Authorization: Bearer ..", for registering an application and granting it permissions. The caller
 * frees it by certdir_secret_free(). NULL with `error`.
 */
char *certdir_signin_wait(struct certdir_signin *signin, const struct certdir_signin_place *place,
			  struct certdir_error *error);
void certdir_signin_clear(struct certdir_signin *signin); /* and wipes */

#endif
