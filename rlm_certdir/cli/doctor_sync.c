/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What keeps the list: certdir.conf, its secrets, the service, and how the last run went. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/permissions.h"
#include "cli/doctor.h"
#include "cli/status_gather.h"
#include "cli/words.h"
#include "conf/secret.h"

/* ---- files ---- */

static void check_secret(const char *filename, enum certdir_secret_kind kind, struct certdir_doctor_findings *findings)
{
	struct certdir_error error;
	size_t length;
	char *secret;

	if (!filename)
		return;
	secret = kind == CERTDIR_SECRET_KEY ? certdir_secret_read_bytes(filename, &length, &error)
					    : certdir_secret_read(filename, kind, &error);
	if (secret)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "secret", "",
				   "%s can be read by those who are meant to", filename);
	else
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "secret", NULL, "%s", error.text);
	if (secret && kind == CERTDIR_SECRET_KEY)
		explicit_bzero(secret, length);
	else if (secret)
		explicit_bzero(secret, strlen(secret));
}

static void check_secrets(const struct certdir_cli_conf *conf, struct certdir_doctor_findings *findings)
{
	for (size_t i = 0; i < conf->config.count; i++) {
		const struct certdir_tenant_config *tenant = &conf->config.tenants[i];

		if (tenant->ldap) {
			check_secret(tenant->ldap->password_file, CERTDIR_SECRET_CLIENT, findings);
			check_secret(tenant->ldap->server.private_key_file, CERTDIR_SECRET_KEY, findings);
			continue;
		}
		check_secret(tenant->client_secret_file, CERTDIR_SECRET_CLIENT, findings);
		check_secret(tenant->private_key_file, CERTDIR_SECRET_KEY, findings);
		check_secret(tenant->private_key_password_file, CERTDIR_SECRET_PASSWORD, findings);
		check_secret(tenant->federated_token_file, CERTDIR_SECRET_TOKEN, findings);
	}
	for (size_t i = 0; i < conf->placeholders.count; i++)
		check_secret(conf->placeholders.sections[i].password_file, CERTDIR_SECRET_CLIENT, findings);
}

static void check_conf(const struct certdir_doctor *doctor, struct certdir_doctor_findings *findings)
{
	const char *filename = doctor->options->conf;
	struct certdir_error error;

	if (!certdir_permissions_check(filename, &error))
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "permissions", NULL, "%s", error.text);
	if (!doctor->conf_read)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "conf",
				   "mend that line; certdir.conf(5) explains each option", "%s", doctor->conf_error);
	else
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "conf", "", "%s has no mistakes", filename);
}

/* ---- the server reads what the sync writes ---- */

struct search {
	const char *list;
	bool any, found;
};

static bool is_same(const char *a, const char *b)
{
	struct stat one, other;

	return strcmp(a, b) == 0 ||
	       (stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino);
}

static void compare_list(void *context, const struct raddb_directory *directory)
{
	struct search *search = context;

	if (!directory->list)
		return;
	search->any = true;
	search->found |= is_same(directory->list->filename, search->list);
}

static void check_same_list(const struct certdir_doctor *doctor, struct certdir_doctor_findings *findings)
{
	struct search search = {doctor->conf.config.list, false, false};

	if (!doctor->raddb)
		return;
	raddb_file_each_directory(doctor->raddb, compare_list, &search);
	if (search.any && !search.found)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WARNING, "same list",
				   "write the same file into list { filename } of certdir { }",
				   "the server of this machine does not read %s, which the sync writes", search.list);
}

/* ---- the service, the last run ---- */

static void check_service(struct certdir_doctor_findings *findings)
{
	static const char *const units[] = {"certdir-sync.service", "certdir-sync.timer", NULL};
	char state[CERTDIR_TEXT_MAX];

	certdir_doctor_unit(units, state);
	if (!state[0])
		certdir_doctor_say(findings, CERTDIR_DOCTOR_SKIPPED, "service", "",
				   "whether certdir sync runs: there is no systemd here");
	else if (strcmp(state, "active") == 0)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "service", "", "certdir sync runs");
	else
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "service", "systemctl enable --now certdir-sync",
				   "certdir-sync.service is %s", state);
}

static void check_tenant(const struct certdir_cli_status *status, const struct certdir_cli_tenant_status *tenant,
			 struct certdir_doctor_findings *findings)
{
	char age[CERTDIR_CLI_AGE_SIZE], when[CERTDIR_CLI_EXPIRY_SIZE];

	if (!tenant->configured)
		return;
	if (certdir_cli_tenant_needs_help(status, tenant))
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "last run",
				   "see what is said of it below; then: certdir sync --now", "%s: %s", tenant->name,
				   tenant->note[0] ? tenant->note : "it was never listed whole, or long ago");
	else if (tenant->up == CERTDIR_YES)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "last run", "", "%s: it went well %s ago",
				   tenant->name, certdir_cli_age(status->now - tenant->attempted, age));
	else
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WARNING, "last run", "certdir sync --now",
				   "%s: no run is known of", tenant->name);
	if (certdir_cli_expires_soon(tenant->credential_expires, status->now, when))
		certdir_doctor_say(findings,
				   tenant->credential_expires < status->now ? CERTDIR_DOCTOR_WRONG
									    : CERTDIR_DOCTOR_WARNING,
				   "credential", "make a new certificate and upload it to the application",
				   "%s: the client certificate expires %s", tenant->name, when);
}

static void check_section(const json_t *section, struct certdir_doctor_findings *findings)
{
	const json_t *apply = json_object_get(section, "apply");

	if (certdir_cli_section_needs_help(section))
		certdir_doctor_say(
			findings, CERTDIR_DOCTOR_WRONG, "last apply", "certdir placeholders plan shows why",
			"placeholders %s: the last apply %s%s: %s", certdir_cli_section_text(section, "name"),
			certdir_cli_section_text(apply, "outcome")[0] == 'r' ? "was " : "",
			certdir_cli_section_text(apply, "outcome"), certdir_cli_section_text(apply, "error"));
}

static void check_runs(const struct certdir_doctor *doctor, struct certdir_doctor_findings *findings)
{
	struct certdir_cli_status status;

	if (certdir_cli_status_gather(&status, doctor->options->conf, NULL) == 0) {
		if (status.list_error[0])
			certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "list", "certdir sync", "%s",
					   status.list_error);
		for (size_t i = 0; i < status.tenant_count; i++)
			check_tenant(&status, &status.tenants[i], findings);
		for (size_t i = 0; i < json_array_size(status.sections); i++)
			check_section(json_array_get(status.sections, i), findings);
	}
	certdir_cli_status_clear(&status);
}

static void look_at_sync(const struct certdir_doctor *doctor, const void *subject,
			 struct certdir_doctor_findings *findings)
{
	(void)subject;
	check_conf(doctor, findings);
	if (!doctor->conf_read)
		return;
	check_secrets(&doctor->conf, findings);
	check_same_list(doctor, findings);
	check_service(findings);
	check_runs(doctor, findings);
}

static void tell_none(const struct certdir_doctor *doctor, const void *subject,
		      struct certdir_doctor_findings *findings)
{
	(void)subject;
	certdir_doctor_say(findings, CERTDIR_DOCTOR_SKIPPED, "conf", "name it with -c FILE if there is one",
			   "there is no %s: nothing is synced on this machine", doctor->options->conf);
}

void certdir_doctor_sync(const struct certdir_doctor *doctor, struct certdir_doctor_jobs *jobs)
{
	certdir_doctor_add(jobs, "sync", NULL, doctor->has_conf ? look_at_sync : tell_none, NULL);
}
