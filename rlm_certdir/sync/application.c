/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/application.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/background.h"
#include "sync/retry.h"
#include "text/canonical.h"
#include "text/timestamp.h"

/* https://learn.microsoft.com/graph/permissions-reference */
const struct certdir_permission_name certdir_permission_names[CERTDIR_PERMISSIONS] = {
	[CERTDIR_PERMISSION_DEVICES] = {"Device.Read.All", "7438b122-aefc-4978-80ed-43db9fcc7715"},
	[CERTDIR_PERMISSION_INTUNE] = {"DeviceManagementManagedDevices.Read.All",
				       "2f51be20-0bb4-4fed-bf7b-db946066c75e"},
	[CERTDIR_PERMISSION_GROUPS] = {"GroupMember.Read.All", "98830695-27a2-44f7-8c18-0c3ebc9698f6"},
	[CERTDIR_PERMISSION_USERS] = {"User.Read.All", "df021288-bdef-4463-88db-98f22de89214"},
	[CERTDIR_PERMISSION_CONFIGURATION] = {"DeviceManagementConfiguration.Read.All",
					      "dc377aa6-52d8-4e23-b271-2a7ae04cedf3"},
};

enum {
	/* What one of Entra ID's servers was told, others learn within seconds, rarely minutes. */
	REPLICATION = 120, /* seconds */
	PAUSE = 2, /* seconds */
	PATH_SIZE = 200
};

static const char roles_needed[] =
	"sign in as Application Administrator, Cloud Application Administrator or Global Administrator, or have one of "
	"them run what certdir setup --print powershell (or az) prints";

static bool take_guid(char out[37], const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	bool zero;

	if (!text || !certdir_guid_is(text, &zero) || zero)
		return false;
	(void)snprintf(out, 37, "%.36s", text);
	return true;
}

static bool says(const struct certdir_admin_answer *answer, const char *word)
{
	return strcasestr(answer->said.message, word) || strcasestr(answer->said.codes[0], word);
}

/*
 * Asks until Graph knows of what it has just made: before that, it is not found, or not yet a valid reference. Takes no body: `make` gives
 * a new one each time, NULL for a GET.
 */
static bool ask_patiently(const struct certdir_admin *admin, const char *path, json_t *(*make)(const void *context),
			  const void *context, struct certdir_admin_answer *answer, struct certdir_error *error)
{
	const int64_t until = certdir_monotonic() + REPLICATION * CERTDIR_SECOND;

	for (;;) {
		if (certdir_admin_ask(admin, NULL, path, make ? make(context) : NULL, NULL, answer, error))
			return true;
		if (answer->status != 404 && !says(answer, "NoBackingApplicationObject") &&
		    !says(answer, "does not reference a valid") && !says(answer, "does not exist"))
			return false;
		if (certdir_monotonic() >= until ||
		    !certdir_retry_sleep(admin->limits, certdir_monotonic() + PAUSE * CERTDIR_SECOND))
			return false;
	}
}

/* ---- the application ---- */

static json_t *key_of(const struct certdir_own_credential *credential)
{
	char from[CERTDIR_TIMESTAMP_SIZE], to[CERTDIR_TIMESTAMP_SIZE];

	certdir_timestamp_print(credential->not_before, from);
	certdir_timestamp_print(credential->not_after, to);
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "type", "AsymmetricX509Cert", "usage", "Verify", "key",
			 credential->der, "displayName", "certdir", "startDateTime", from, "endDateTime", to);
}

static bool has_role(const json_t *roles, const char *id)
{
	const json_t *role;
	size_t index;

	json_array_foreach(roles, index, role)
	{
		const char *had = json_string_value(json_object_get(role, "id"));

		if (had && strcasecmp(had, id) == 0)
			return true;
	}
	return false;
}

/* Adds what is missing of `wanted`; what is there, and what others added for other services, stays. NULL when memory is out. */
static json_t *required_access(const json_t *before, uint32_t wanted)
{
	json_t *all = json_is_array(before) ? json_deep_copy(before) : json_array(), *one, *roles = NULL;
	size_t index;

	json_array_foreach(all, index, one)
	{
		const char *id = json_string_value(json_object_get(one, "resourceAppId"));

		if (id && strcasecmp(id, CERTDIR_GRAPH_APPLICATION) == 0)
			roles = json_object_get(one, "resourceAccess");
	}
	if (!json_is_array(roles)) {
		roles = json_array();
		(void)json_array_append_new(all, json_pack("{s:s,s:o}", "resourceAppId", CERTDIR_GRAPH_APPLICATION,
							   "resourceAccess", roles));
	}
	for (int i = 0; i < CERTDIR_PERMISSIONS; i++)
		if (wanted & CERTDIR_BIT(i) && !has_role(roles, certdir_permission_names[i].id))
			(void)json_array_append_new(
				roles, json_pack("{s:s,s:s}", "id", certdir_permission_names[i].id, "type", "Role"));
	return all;
}

/* The key among those of an application that is the credential's. */
static const json_t *find_key(const json_t *application, const struct certdir_own_credential *credential)
{
	const json_t *key;
	size_t index;

	json_array_foreach(json_object_get(application, "keyCredentials"), index, key)
	{
		const char *text = json_string_value(json_object_get(key, "key"));

		if (text && strcmp(text, credential->der) == 0)
			return key;
	}
	return NULL;
}

static bool take_application(struct certdir_application *application, struct certdir_own_credential *credential,
			     const json_t *body, struct certdir_error *error)
{
	const json_t *key = find_key(body, credential);

	if (key)
		(void)take_guid(credential->key_id, key, "keyId");
	if (take_guid(application->client_id, body, "appId") && take_guid(application->object_id, body, "id"))
		return true;
	certdir_error_set(error, "Graph did not give the id of the application");
	return false;
}

static bool read_application(const struct certdir_admin *admin, struct certdir_application *application,
			     struct certdir_own_credential *credential, const char *path, json_t **body,
			     struct certdir_error *error)
{
	struct certdir_admin_answer answer;
	bool ok = ask_patiently(admin, path, NULL, NULL, &answer, error) &&
		  take_application(application, credential, answer.body, error);

	*body = answer.body;
	return ok;
}

static bool explain(const struct certdir_admin_answer *answer, const char *what, struct certdir_error *error)
{
	char why[CERTDIR_TEXT_MAX];

	certdir_say(why, "%s", error->text);
	if (answer->status == 403 || says(answer, "Authorization_RequestDenied"))
		certdir_error_set(error, "this account may not %s: %s; %s", what, roles_needed, why);
	else if (says(answer, "CredentialLifetime") || says(answer, "policy"))
		certdir_error_set(
			error,
			"a policy of the tenant for applications does not let us %s (certificate of a year): have "
			"it make an exception, or make the certificate by hand, as certdir.conf(5) says; %s",
			what, why);
	else if (says(answer, "quota"))
		certdir_error_set(error, "this account has registered as many applications as it may: %s; %s",
				  roles_needed, why);
	else
		certdir_error_set(error, "could not %s: %s", what, why);
	return false;
}

/* The certificate tells which one is ours: a second run changes the same application (Graph's upsert) and makes no other. */
static bool make_application(const struct certdir_admin *admin, struct certdir_own_credential *credential,
			     uint32_t wanted, struct certdir_application *application, struct certdir_error *error)
{
	struct certdir_admin_answer answer;
	char path[PATH_SIZE];
	json_t *body = json_pack("{s:s,s:s,s:o,s:[o]}", "displayName", "certdir", "signInAudience", "AzureADMyOrg",
				 "requiredResourceAccess", required_access(NULL, wanted), "keyCredentials",
				 key_of(credential));
	bool ok;

	(void)snprintf(path, sizeof(path), "/applications(uniqueName='certdir-%.32s')", credential->digest);
	if (!certdir_admin_ask(admin, "PATCH", path, body, "Prefer: create-if-missing", &answer, error))
		return explain(&answer, "register an application", error);
	application->made = answer.status == 201;
	ok = !answer.body || take_application(application, credential, answer.body, error);
	json_decref(answer.body);
	if (!ok || (application->client_id[0] && credential->key_id[0]))
		return ok;
	(void)snprintf(path, sizeof(path), "/applications(uniqueName='certdir-%.32s')?$select=id,appId,keyCredentials",
		       credential->digest);
	ok = read_application(admin, application, credential, path, &body, error);
	json_decref(body);
	return ok;
}

/* What an application lacks, as the body of a PATCH, which may be empty. */
static json_t *lack_of(const json_t *before, const struct certdir_own_credential *credential, uint32_t wanted)
{
	const json_t *had = json_object_get(before, "requiredResourceAccess");
	json_t *lack = json_object(), *access = required_access(had, wanted), *keys;

	if (!json_equal(access, had))
		(void)json_object_set(lack, "requiredResourceAccess", access);
	json_decref(access);
	if (find_key(before, credential))
		return lack;
	/* They are replaced as a whole: those of others are sent back as they came. */
	keys = json_deep_copy(json_object_get(before, "keyCredentials"));
	if (!json_is_array(keys))
		keys = json_array();
	(void)json_array_append_new(keys, key_of(credential));
	(void)json_object_set_new(lack, "keyCredentials", keys);
	return lack;
}

/* The application as it is; NULL with `error`. */
static json_t *read_by_client_id(const struct certdir_admin *admin, const char *client_id, struct certdir_error *error)
{
	struct certdir_admin_answer answer;
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path),
		       "/applications(appId='%s')?$select=id,appId,requiredResourceAccess,keyCredentials", client_id);
	if (certdir_admin_ask(admin, NULL, path, NULL, NULL, &answer, error))
		return answer.body;
	if (answer.status == 404)
		certdir_error_set(
			error,
			"the tenant has no application with the client_id %s of certdir.conf: take client_id out "
			"of it to have a new one registered",
			client_id);
	else
		(void)explain(&answer, "read the application", error);
	return NULL;
}

static bool mend_application(const struct certdir_admin *admin, struct certdir_own_credential *credential,
			     const char *client_id, uint32_t wanted, struct certdir_application *application,
			     struct certdir_error *error)
{
	json_t *before = read_by_client_id(admin, client_id, error), *lack;
	struct certdir_admin_answer answer;
	char path[PATH_SIZE];
	bool ok = before && take_application(application, credential, before, error);

	if (!ok) {
		json_decref(before);
		return false;
	}
	lack = lack_of(before, credential, wanted);
	json_decref(before);
	(void)snprintf(path, sizeof(path), "/applications/%s", application->object_id);
	if (json_object_size(lack) > 0) {
		ok = certdir_admin_ask(admin, "PATCH", path, json_incref(lack), NULL, &answer, error) ||
		     explain(&answer, "change the application", error);
		json_decref(answer.body);
	}
	json_decref(lack);
	return ok;
}

bool certdir_application_ensure(const struct certdir_admin *admin, struct certdir_own_credential *credential,
				const char *client_id, uint32_t wanted, struct certdir_application *application,
				struct certdir_error *error)
{
	memset(application, 0, sizeof(*application));
	return client_id ? mend_application(admin, credential, client_id, wanted, application, error)
			 : make_application(admin, credential, wanted, application, error);
}

/* ---- its permissions ---- */

static json_t *principal_body(const void *client_id)
{
	return json_pack("{s:s}", "appId", client_id);
}

/* The id of the service principal of an application; made when there is none and `make` says so. */
static bool find_principal(const struct certdir_admin *admin, const char *client_id, bool make, char id[37],
			   struct certdir_error *error)
{
	struct certdir_admin_answer answer;
	char path[PATH_SIZE];
	bool ok;

	(void)snprintf(path, sizeof(path), "/servicePrincipals(appId='%s')?$select=id", client_id);
	ok = certdir_admin_ask(admin, NULL, path, NULL, NULL, &answer, error);
	if (!ok && answer.status == 404 && make) {
		ok = ask_patiently(admin, "/servicePrincipals", principal_body, client_id, &answer, error);
		/* Somebody, or an answer that was lost, was faster. */
		if (!ok && answer.status == 409)
			ok = ask_patiently(admin, path, NULL, NULL, &answer, error);
	}
	if (!ok)
		return explain(&answer, "make the service principal of the application", error);
	ok = take_guid(id, answer.body, "id");
	if (!ok)
		certdir_error_set(error, "Graph did not give the id of the service principal");
	json_decref(answer.body);
	return ok;
}

struct grant {
	const char *principal, *resource, *role;
};

static json_t *grant_body(const void *context)
{
	const struct grant *grant = context;

	return json_pack("{s:s,s:s,s:s}", "principalId", grant->principal, "resourceId", grant->resource, "appRoleId",
			 grant->role);
}

/* What is granted already, as bits of certdir_permission. */
static bool read_granted(const struct certdir_admin *admin, const char *principal, uint32_t *granted,
			 struct certdir_error *error)
{
	struct certdir_admin_answer answer;
	char path[PATH_SIZE];
	const json_t *one;
	size_t index;

	(void)snprintf(path, sizeof(path), "/servicePrincipals/%s/appRoleAssignments", principal);
	if (!ask_patiently(admin, path, NULL, NULL, &answer, error))
		return explain(&answer, "read what the application may do", error);
	*granted = 0;
	json_array_foreach(json_object_get(answer.body, "value"), index, one)
	{
		const char *id = json_string_value(json_object_get(one, "appRoleId"));

		for (int i = 0; id && i < CERTDIR_PERMISSIONS; i++)
			if (strcasecmp(id, certdir_permission_names[i].id) == 0)
				*granted |= CERTDIR_BIT(i);
	}
	json_decref(answer.body);
	return true;
}

/* One of them. *refused as above. */
static bool grant_one(const struct certdir_admin *admin, const struct grant *grant, bool *refused,
		      struct certdir_error *error)
{
	struct certdir_admin_answer answer;
	char path[PATH_SIZE];
	bool ok;

	(void)snprintf(path, sizeof(path), "/servicePrincipals/%s/appRoleAssignedTo", grant->resource);
	ok = ask_patiently(admin, path, grant_body, grant, &answer, error);
	json_decref(answer.body);
	*refused = answer.status == 403;
	return ok || *refused || says(&answer, "already exists") ||
	       explain(&answer, "grant the application its permissions", error);
}

bool certdir_application_grant(const struct certdir_admin *admin, const struct certdir_application *application,
			       uint32_t wanted, bool *refused, struct certdir_error *error)
{
	char principal[37], graph[37];
	uint32_t granted = 0;

	*refused = false;
	if (!find_principal(admin, application->client_id, true, principal, error) ||
	    !find_principal(admin, CERTDIR_GRAPH_APPLICATION, false, graph, error) ||
	    !read_granted(admin, principal, &granted, error))
		return false;
	for (int i = 0; i < CERTDIR_PERMISSIONS && !*refused; i++) {
		const struct grant grant = {principal, graph, certdir_permission_names[i].id};

		if (wanted & ~granted & CERTDIR_BIT(i) && !grant_one(admin, &grant, refused, error))
			return false;
	}
	return true;
}
