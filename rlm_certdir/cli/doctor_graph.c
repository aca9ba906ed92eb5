/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tenants: a token, what it allows, and whether Graph answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/background.h"
#include "cli/doctor.h"
#include "cli/words.h"
#include "sync/token.h"

enum { PATIENCE = 8 /* seconds, of token, Graph and profiles together: less than a job has */ };

/* What is wrong with reaching somebody, by what libcurl says. */
static const char *reach_remedy(const char *text)
{
	if (strstr(text, "resolve"))
		return "ask the DNS server that /etc/resolv.conf names; behind a proxy, set https_proxy";
	if (strstr(text, "cannot be trusted") || strstr(text, "SSL"))
		return "ca_file = the CA of the proxy that opens TLS";
	if (strstr(text, "proxy"))
		return "set https_proxy and no_proxy where certdir-sync.service sees them";
	return "let this machine reach that host at port 443; behind a proxy, set https_proxy";
}

/* Where Entra ID's own words were given, the text has the advice behind the last colon. */
static void check_token(const char *name, enum certdir_http_result result, const struct certdir_error *error,
			struct certdir_doctor_findings *findings)
{
	if (result == CERTDIR_HTTP_ANSWERED)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "token", "", "%s: Entra ID gives a token", name);
	else
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "token",
				   strstr(error->text, "AADSTS") || strstr(error->text, "invalid_")
					   ? "look at the application in Entra ID, or make one: certdir-setup(1)"
					   : reach_remedy(error->text),
				   "%s: %s", name, error->text);
}

static void check_roles(const struct certdir_tenant_config *tenant, const struct certdir_roles *roles,
			struct certdir_doctor_findings *findings)
{
	char missing[CERTDIR_ROLES_TEXT], remedy[CERTDIR_TEXT_MAX];

	(void)certdir_roles_missing(roles, tenant, "", missing);
	certdir_say(remedy, "grant %s, type Application, with admin consent", missing);
	if (!roles->known)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_SKIPPED, "permissions", "",
				   "%s: the token does not show them", tenant->name);
	else if (missing[0])
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "permissions", remedy,
				   "%s: the application lacks %s", tenant->name, missing);
	else
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "permissions", "",
				   "%s: the application has all that the options need", tenant->name);
}

static void check_expiry(const struct certdir_tenant_config *tenant, int64_t expires, int64_t now,
			 struct certdir_doctor_findings *findings)
{
	char when[CERTDIR_CLI_EXPIRY_SIZE], date[CERTDIR_CLI_DATE_SIZE];
	const bool soon = certdir_cli_expires_soon(expires, now, when);

	if (expires)
		certdir_doctor_say(findings,
				   expires < now ? CERTDIR_DOCTOR_WRONG
				   : soon	 ? CERTDIR_DOCTOR_WARNING
						 : CERTDIR_DOCTOR_RIGHT,
				   "credential", soon ? certdir_cli_expiry_advice(tenant->renew) : "",
				   "%s: the client certificate ends on %s", tenant->name,
				   certdir_cli_date(expires, date));
}

/* Without a token Graph answers 401: it is reached all the same, and tells its time. */
static void check_graph(const struct certdir_tenant_config *tenant, struct certdir_http *http, const char *header,
			struct certdir_doctor_findings *findings)
{
	const char *const headers[] = {header, NULL};
	char *url = certdir_print("%s/v1.0/devices?$top=1&$select=id", tenant->graph);
	const struct certdir_http_request request = {.url = url, .headers = header ? headers : NULL};
	struct certdir_http_answer answer = {0};
	struct certdir_error error = {.text = ""};
	enum certdir_http_result result =
		url ? certdir_http_send(http, &request, &answer, &error) : CERTDIR_HTTP_FAILED;

	if (result != CERTDIR_HTTP_ANSWERED)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "graph", reach_remedy(error.text), "%s: %s",
				   tenant->name, error.text[0] ? error.text : "Graph does not answer in time");
	else if (answer.status == 200)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "graph", "", "%s: %s shows devices", tenant->name,
				   tenant->graph);
	else if (header)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "graph",
				   answer.status == 403 ? "grant Device.Read.All, type Application, with admin consent"
				   : answer.status == 429 ? "wait; is something else asking Graph all the time?"
							  : "certdir sync --now says more",
				   "%s: %s answers %ld", tenant->name, tenant->graph, answer.status);
	else
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "graph", "", "%s: %s is reached", tenant->name,
				   tenant->graph);
	if (answer.date)
		certdir_doctor_clock(answer.date, tenant->graph, findings);
	certdir_http_answer_clear(&answer);
	free(url);
}

static bool is_hidden(const struct certdir_tenant_config *tenant)
{
	return certdir_doctor_is_hidden(tenant->client_secret_file) ||
	       certdir_doctor_is_hidden(tenant->private_key_file) || certdir_doctor_is_hidden(tenant->ca_file);
}

static void look_at_tenant(const struct certdir_doctor *doctor, const void *subject,
			   struct certdir_doctor_findings *findings)
{
	const struct certdir_tenant_config *tenant = subject;
	const struct certdir_http_limits limits = {.deadline = certdir_monotonic() + PATIENCE / 2 * CERTDIR_SECOND},
					 later = {.deadline = certdir_monotonic() + PATIENCE * CERTDIR_SECOND};
	struct certdir_error error = {.text = ""};
	struct certdir_http *http, *graph;
	struct certdir_token *token;
	enum certdir_http_result result = CERTDIR_HTTP_FAILED;
	const char *header = NULL;

	if (is_hidden(tenant)) {
		certdir_doctor_say(findings, CERTDIR_DOCTOR_SKIPPED, "token", "run certdir doctor as root",
				   "%s: only others may read its credential, or its ca_file", tenant->name);
		return;
	}
	http = certdir_http_open(tenant->ca_file, &limits, &error);
	graph = certdir_http_open(tenant->ca_file, &later, &error);
	token = http ? certdir_token_open(tenant, http, &limits, &error) : NULL;
	if (token)
		result = certdir_token_get(token, &header, &error);
	check_token(tenant->name, result, &error, findings);
	if (token)
		check_expiry(tenant, certdir_token_credential_expires(token), doctor->now, findings);
	if (result == CERTDIR_HTTP_ANSWERED)
		check_roles(tenant, certdir_token_roles(token), findings);
	else
		header = NULL;
	if (graph)
		check_graph(tenant, graph, header, findings);
	certdir_token_close(token);
	certdir_http_close(http);
	certdir_http_close(graph);
	if (result == CERTDIR_HTTP_ANSWERED)
		certdir_doctor_profiles(doctor, tenant->name, (later.deadline - certdir_monotonic()) / CERTDIR_SECOND,
					findings);
}

void certdir_doctor_tenants(const struct certdir_doctor *doctor, struct certdir_doctor_jobs *jobs)
{
	for (size_t i = 0; doctor->conf_read && i < doctor->conf.config.count; i++) {
		struct certdir_tenant_config *copy = malloc(sizeof(*copy));

		if (!copy || doctor->conf.config.tenants[i].ldap) {
			free(copy);
			continue;
		}
		*copy = doctor->conf.config.tenants[i];
		certdir_doctor_add(jobs, "graph", copy->name, look_at_tenant, copy);
	}
}
