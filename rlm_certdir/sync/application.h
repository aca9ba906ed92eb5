/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * certdir's application in a tenant: it is registered, or mended, and gets the permissions that are chosen. All of it may be done again,
 * after whatever interruption, and makes no second application.
 */
#ifndef CERTDIR_SYNC_APPLICATION_H
#define CERTDIR_SYNC_APPLICATION_H

#include "sync/admin.h"
#include "sync/credential.h"

/* What an application may be allowed to do. */
enum certdir_permission {
	CERTDIR_PERMISSION_DEVICES, /* always needed */
	CERTDIR_PERMISSION_INTUNE,
	CERTDIR_PERMISSION_GROUPS,
	CERTDIR_PERMISSION_USERS,
	CERTDIR_PERMISSION_CONFIGURATION, /* issued certificates, profiles */
	CERTDIR_PERMISSIONS
};

/* Names as Graph has them, and the ids of the application roles, which are the same in each tenant. */
struct certdir_permission_name {
	const char *name, *id;
};
extern const struct certdir_permission_name certdir_permission_names[CERTDIR_PERMISSIONS];

#define CERTDIR_GRAPH_APPLICATION "00000003-0000-0000-c000-000000000000"

struct certdir_application {
	char client_id[37];
	char object_id[37];
	bool made; /* it was not there before */
};

/*
 * Has an application with the credential's certificate and the permissions of `wanted` (CERTDIR_BIT) as those that it asks for. client_id:
 * of the one that is to be mended, or NULL: then it is known by the certificate. Notes the key's id in `credential` where Graph tells it.
 * False with `error`.
 */
bool certdir_application_ensure(const struct certdir_admin *admin, struct certdir_own_credential *credential,
				const char *client_id, uint32_t wanted, struct certdir_application *application,
				struct certdir_error *error);

/*
 * Grants them, as far as they are not granted. *refused: whoever has signed in may not; all else is in order. False with `error` for any
 * other failure.
 */
bool certdir_application_grant(const struct certdir_admin *admin, const struct certdir_application *application,
			       uint32_t wanted, bool *refused, struct certdir_error *error);

#endif
