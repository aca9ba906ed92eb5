/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/token_error.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "sync/graph_error.h"
#include "text/excerpt.h"

static const struct {
	long code;
	bool transient;
	const char *advice;
} aadsts[] = {
	/* https://learn.microsoft.com/entra/identity-platform/reference-error-codes, and https://login.microsoftonline.com/error */
	{50196, false, "too many requests for tokens in a short time: is something restarting certdir over and over?"},
	{53003, false,
	 "a Conditional Access policy blocks the application: exclude it, or allow this machine's address"},
	{500011, false, "the tenant does not know this Graph: cloud (or graph) is not the one of the tenant"},
	{65001, false, "consent is missing: grant admin consent to the application's permissions"},
	{70001, false, "the application is disabled or not in this tenant: check client_id and tenant_id"},
	{70011, false, "the scope is wrong: cloud (or graph) is not the one of the tenant"},
	{70021, false, "no federated credential of the application matches the token's issuer, subject and audience"},
	{700016, false, "no such application in this tenant: check client_id and tenant_id"},
	{700024, false,
	 "the assertion is not within its time: check this machine's clock, and that the federated token is fresh"},
	{700027, false,
	 "the certificate is not one of the application's, or has expired: upload certificate_file to it"},
	{700211, false, "no federated credential of the application has the token's issuer"},
	{700212, false, "no federated credential of the application has the token's audience"},
	{700213, false, "no federated credential of the application has the token's subject"},
	{7000112, false, "the application is disabled: enable its enterprise application"},
	{7000215, false, "the client secret is wrong: client_secret_file needs the secret's value, not its ID"},
	{7000218, false, "the application wants a secret or an assertion, and got none"},
	{7000222, false, "the client secret has expired: make a new one under Certificates & secrets"},
	{7000229, false, "the application has no service principal in this tenant: grant admin consent there"},
	{90002, false, "no such tenant: check tenant_id, and that cloud is the tenant's"},
	{900023, false, "tenant_id is no tenant's id"},
	{90038, false, "the tenant belongs to another cloud: check cloud"},
	{900382, false, "the application belongs to another cloud than the tenant: check cloud"},
	{900432, false, "the application belongs to another cloud than the tenant: check cloud"},
	{1002016, false, "TLS 1.2 is needed: does a proxy in between speak an older one?"},
	{50033, true, "Entra ID has a passing trouble"},
	{90024, true, "Entra ID has a passing trouble"},
	{90033, true, "Entra ID's directory is not available just now"},
	{90055, true, "the tenant sends too many requests"},
	{90090, true, "Entra ID is not available just now"},
};

/* The number of "AADSTS7000215: ..", 0 = none. */
static long code_of(const char *description)
{
	static const char prefix[] = "AADSTS";

	if (strncmp(description, prefix, sizeof(prefix) - 1) != 0)
		return 0;
	return strtol(description + sizeof(prefix) - 1, NULL, 10);
}

void certdir_token_error_read(struct certdir_token_error *said, const char *body, size_t length)
{
	json_t *root = json_loadb(body ? body : "", length, 0, NULL);
	const char *description = json_string_value(json_object_get(root, "error_description"));
	const char *trace = description ? strstr(description, " Trace ID:") : NULL;
	const json_t *first = json_array_get(json_object_get(root, "error_codes"), 0);

	*said = (struct certdir_token_error){0};
	certdir_graph_excerpt(said->error, sizeof(said->error), json_object_get(root, "error"));
	if (description) {
		size_t line = strcspn(description, "\r\n");

		if (trace && (size_t)(trace - description) < line)
			line = (size_t)(trace - description);
		(void)certdir_excerpt(said->description, sizeof(said->description), description, line);
		said->code = code_of(description);
	}
	if (said->code <= 0)
		said->code = json_is_integer(first) ? (long)json_integer_value(first) : 0;
	json_decref(root);
}

static const char *advice_of(long code, bool *transient)
{
	*transient = false;
	for (size_t i = 0; i < sizeof(aadsts) / sizeof(aadsts[0]); i++) {
		if (aadsts[i].code != code)
			continue;
		*transient = aadsts[i].transient;
		return aadsts[i].advice;
	}
	return NULL;
}

bool certdir_token_error_transient(long status, const struct certdir_token_error *said, bool managed)
{
	bool transient;

	(void)advice_of(said->code, &transient);
	if (transient || strcmp(said->error, "temporarily_unavailable") == 0)
		return true;
	/* https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token#error-handling */
	if (managed && (status == 404 || status == 410))
		return true;
	return status == 408 || status == 429 || (status >= 500 && status <= 599);
}

void certdir_token_error_explain(long status, const struct certdir_token_error *said,
				 const struct certdir_tenant_config *config, const char *host,
				 struct certdir_error *error)
{
	const char *id = config->client_id ? config->client_id : "(none)";
	bool transient;
	const char *advice = advice_of(said->code, &transient);
	char quoted[sizeof(said->error) + sizeof(said->description) + 8];

	certdir_graph_quote(quoted, sizeof(quoted), said->error, said->description);
	if (config->credential == CERTDIR_CREDENTIAL_MANAGED_IDENTITY && status == 400)
		certdir_error_set(
			error,
			"the managed identity endpoint %s has no token for client_id %s: assign that identity to this "
			"machine; 400%s",
			host, id, quoted);
	else if (config->credential == CERTDIR_CREDENTIAL_MANAGED_IDENTITY &&
		 (status == 401 || status == 403 || status == 404))
		certdir_error_set(
			error,
			"%s gives no token to client_id %s: is this a machine in Azure, or in Azure Arc, that has a "
			"managed identity? %ld%s",
			host, id, status, quoted);
	else if (advice)
		certdir_error_set(error, "%s gives no token to client_id %s in tenant_id %s: AADSTS%ld: %s", host, id,
				  config->tenant_id, said->code, advice);
	else
		certdir_error_set(error, "%s gives no token to client_id %s in tenant_id %s: %ld%s", host, id,
				  config->tenant_id, status, quoted);
}
