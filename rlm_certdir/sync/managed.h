/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a machine asks for the token of its own identity: Azure's instance metadata service, the agent of Azure Arc, or App Service
 * and Container Apps. https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token,
 * https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication,
 * https://learn.microsoft.com/azure/app-service/overview-managed-identity
 */
#ifndef CERTDIR_SYNC_MANAGED_H
#define CERTDIR_SYNC_MANAGED_H

#include "sync/config.h"

struct certdir_managed;

/* Looks for the endpoint in the environment, as Microsoft's own libraries do. NULL with `error`. `config` is borrowed. */
struct certdir_managed *certdir_managed_open(const struct certdir_tenant_config *config, struct certdir_error *error);
void certdir_managed_close(struct certdir_managed *managed);

/* What to GET, and with which headers (NULL-terminated). They live as long as `managed`. */
const char *certdir_managed_url(const struct certdir_managed *managed);
const char *const *certdir_managed_headers(const struct certdir_managed *managed);
/* Who is asked, for people: "http://169.254.169.254". */
const char *certdir_managed_host(const struct certdir_managed *managed);

/*
 * Arc's agent answers 401 first, and names a file (WWW-Authenticate: Basic realm=FILE) that only those may read whom it trusts. The
 * header "Authorization: Basic .." with what stands in it, which certdir_secret_free() wipes; NULL with `error`. The name came over
 * http, so nothing but a .key file of the agent's, in its own directory, is read.
 */
char *certdir_managed_answer(const struct certdir_managed *managed, const char *challenge, struct certdir_error *error);

#endif
