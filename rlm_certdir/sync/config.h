/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What certdir.conf says about the list and the tenants that fill it. */
#ifndef CERTDIR_SYNC_CONFIG_H
#define CERTDIR_SYNC_CONFIG_H

#include "conf/conf.h"
#include "directory/ldap_schema.h"
#include "ldap/connection.h"
#include "tenant/tenant.h"

/* How the application proves to Entra ID who it is: one of them. */
enum certdir_credential {
	CERTDIR_CREDENTIAL_SECRET, /* client_secret_file */
	CERTDIR_CREDENTIAL_CERTIFICATE, /* certificate_file, private_key_file, and private_key_password_file if need be */
	CERTDIR_CREDENTIAL_MANAGED_IDENTITY, /* managed_identity = yes; client_id only for a user-assigned one */
	CERTDIR_CREDENTIAL_FEDERATED /* federated_token_file */
};

/* [ldap NAME]. Strings are borrowed from the conf. */
struct certdir_ldap_source {
	struct certdir_ldap_config server; /* without the password */
	const char *password_file;
	const char *base_dn;
	const char *filter;
	const char *group_base_dn; /* or NULL */
	char *group_base; /* the same as certdir_ldap_group_read() wants it, owned, or NULL */
	char **domains; /* of base_dn, owned, or NULL */
	struct certdir_ldap_map map; /* owned */
	char *question; /* owned */
	struct certdir_tenant_ldap list; /* borrows from here */
};

/* What a sync lists: a tenant, or an LDAP directory. Strings are borrowed from the conf. */
struct certdir_tenant_config {
	struct certdir_ldap_source *
		ldap; /* owned; NULL: a tenant. Then what follows of tenants is not used, but for name, line, deadline */
	const char *name; /* of [tenant NAME] or [ldap NAME] and of the source in the list */
	int line;
	const char *tenant_id; /* GUID */
	const char *client_id; /* GUID, or NULL with a system-assigned managed identity */
	const char *object_id; /* GUID of the same application as Graph's object, or NULL */
	const char *authority; /* "https://login.microsoftonline.com", no slash at the end */
	const char *graph; /* "https://graph.microsoft.com" */
	const char *ca_file; /* PEM, or NULL: the system's */
	enum certdir_credential credential;
	const char *client_secret_file;
	const char *certificate_file;
	const char *private_key_file;
	const char *private_key_password_file;
	bool renew; /* the certificate, before it ends; then both files are one, and object_id is there */
	const char *federated_token_file;
	const char *arc_keys; /* where Azure Arc's agent puts its keys; NULL, but in tests: where it does */
	bool intune;
	bool users;
	int64_t intune_interval; /* seconds */
	int64_t groups_interval; /* seconds; of a sync that stays, others list them each time */
	bool certificates;
	int64_t certificates_interval; /* seconds */
	const char *const *
		report_hosts; /* where reports may be fetched from, NULL-terminated, as certdir_link_host_check() has them */
	int64_t deadline; /* seconds that one sync of this tenant may take */
	uint32_t extension_attributes; /* CERTDIR_BIT(1..15) */
	const char **groups; /* names or object ids, NULL-terminated; none with `ldap` */
	struct certdir_tenant_filter filter;
};

struct certdir_sync_config {
	const char *list; /* file name */
	const char *signing_key; /* file name of the private key that it is signed with, NULL = it is not */
	int64_t former_names; /* seconds */
	int64_t changes; /* seconds */
	unsigned max_shrink; /* per cent */
	struct certdir_tenant_config *tenants;
	size_t count;
};

/* Takes [list], every [tenant ..] and every [ldap ..] out of `conf`, which must outlive it. False with `error`, nothing is owned. */
bool certdir_sync_config_read(struct certdir_conf *conf, struct certdir_sync_config *config,
			      struct certdir_error *error);
void certdir_sync_config_clear(struct certdir_sync_config *config);

/* Takes where Graph is out of a section: cloud, or authority and graph; ca_file. */
void certdir_sync_config_place(struct certdir_conf_section *section, struct certdir_tenant_config *tenant);

#endif
