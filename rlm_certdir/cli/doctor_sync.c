/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What keeps the list: certdir.conf, its secrets, the service, and how the last run went. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/permissions.h"
#include "cli/doctor.h"
#include "cli/status_gather.h"
#include "cli/words.h"
#include "conf/secret.h"

#define UNIT "certdir-sync.service"

/* ---- files ---- */

/* A property of the sync's unit. */
static void show(const char *property, char value[CERTDIR_TEXT_MAX])
{
	certdir_doctor_systemctl((const char *const[]){"systemctl", "show", "-p", property, "--value", UNIT, NULL},
				 value);
}

/* As whom the sync's unit runs. NULL: there is no such unit, or it is root's. */
static const struct passwd *unit_user(char name[CERTDIR_TEXT_MAX])
{
	show("User", name);
	return name[0] ? getpwnam(name) : NULL;
}

/* False with a finding. The user of the sync's unit, as whom look_at_files() has us look, has to see it; any other user need not. */
static bool is_visible(const char *filename, struct certdir_doctor_findings *findings)
{
	char name[CERTDIR_TEXT_MAX];
	const struct passwd *account;

	if (!certdir_doctor_is_hidden(filename))
		return true;
	account = unit_user(name);
	if (account && account->pw_uid == geteuid())
		return certdir_doctor_readable(filename, "secret", findings);
	certdir_doctor_say(findings, CERTDIR_DOCTOR_SKIPPED, "secret", "run certdir doctor as root",
			   "%s: only others may read it", filename);
	return false;
}

static void check_secret(const char *filename, enum certdir_secret_kind kind, struct certdir_doctor_findings *findings)
{
	struct certdir_error error;
	size_t length;
	char *secret;

	if (!filename || !is_visible(filename, findings))
		return;
	secret = kind == CERTDIR_SECRET_KEY ? certdir_secret_read_bytes(filename, &length, &error)
					    : certdir_secret_read(filename, kind, &error);
	if (secret)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "secret", "",
				   "%s can be read by those who are meant to", filename);
	else
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "secret",
				   strstr(error.text, "; do: ")
					   ? NULL
					   : "put the secret there, or the file's right name into certdir.conf",
				   "%s", error.text);
	if (secret && kind == CERTDIR_SECRET_KEY)
		explicit_bzero(secret, length); /* which may have a NUL in it */
	certdir_secret_free(secret);
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
	if (!doctor->conf_read && strstr(doctor->conf_error, "${CREDENTIALS_DIRECTORY}"))
		certdir_doctor_say(findings, CERTDIR_DOCTOR_SKIPPED, "conf", "systemctl start " UNIT ", and ask again",
				   "%s", doctor->conf_error);
	else if (!doctor->conf_read)
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
				   "credential", certdir_cli_expiry_advice(tenant->renews),
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

static void check_timers(const struct certdir_placeholders_configs *configs, struct certdir_doctor_findings *findings)
{
	char unit[CERTDIR_TEXT_MAX], what[CERTDIR_TEXT_MAX];

	for (size_t i = 0; i < configs->count; i++) {
		certdir_say(unit, "certdir-placeholders@%s.timer", configs->sections[i].rules.name);
		certdir_say(what, "[placeholders %s]", configs->sections[i].rules.name);
		certdir_doctor_unit(unit, what, CERTDIR_DOCTOR_WARNING, findings);
	}
}

static void look_at_sync(const struct certdir_doctor *doctor, const void *subject,
			 struct certdir_doctor_findings *findings)
{
	(void)subject;
	if (certdir_doctor_is_hidden(doctor->options->conf)) {
		certdir_doctor_say(findings, CERTDIR_DOCTOR_SKIPPED, "conf", "run certdir doctor as root",
				   "%s: only others may read it", doctor->options->conf);
		return;
	}
	check_conf(doctor, findings);
	if (!doctor->conf_read)
		return;
	check_same_list(doctor, findings);
	certdir_doctor_unit(UNIT, "certdir sync", CERTDIR_DOCTOR_WARNING, findings);
	check_timers(&doctor->conf.placeholders, findings);
	check_runs(doctor, findings);
}

/* As `make install` leaves it: root's. Its group is the server's, which only reads what is in there. */
static bool is_roots(const char *directory)
{
	struct stat status;

	return access(directory, W_OK | X_OK) != 0 && stat(directory, &status) == 0 && status.st_uid == 0;
}

/* What the sync writes: the list, and what stands beside it. */
static void check_directory(const char *list, struct certdir_doctor_findings *findings)
{
	char *directory = certdir_file_directory(list), remedy[CERTDIR_TEXT_MAX];

	if (directory && is_roots(directory)) {
		certdir_say(remedy, "chown -R %s %s", certdir_doctor_user(), directory);
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "writable", remedy, "%s may not write into %s",
				   certdir_doctor_user(), directory);
	} else if (directory && certdir_doctor_writable(directory, "writable", findings))
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "writable", "", "%s can write into %s",
				   certdir_doctor_user(), directory);
	free(directory);
}

/* False: we are not root, or the unit has no user, and we stay who we are. */
static bool become_sync(void)
{
	char name[CERTDIR_TEXT_MAX], group[CERTDIR_TEXT_MAX];
	const struct passwd *account = geteuid() == 0 ? unit_user(name) : NULL;
	const struct group *own;
	gid_t id;

	if (!account)
		return false;
	show("Group", group);
	own = group[0] ? getgrnam(group) : NULL;
	id = own ? own->gr_gid : account->pw_gid;
	return initgroups(name, id) == 0 && setgid(id) == 0 && setuid(account->pw_uid) == 0;
}

static void look_at_files(const struct certdir_doctor *doctor, const void *subject,
			  struct certdir_doctor_findings *findings)
{
	(void)subject;
	if (become_sync()) {
		(void)certdir_doctor_readable(doctor->options->conf, "secret", findings);
		check_directory(doctor->conf.config.list, findings);
	}
	check_secrets(&doctor->conf, findings);
}

static void tell_none(const struct certdir_doctor *doctor, const void *subject,
		      struct certdir_doctor_findings *findings)
{
	(void)subject;
	certdir_doctor_say(findings, CERTDIR_DOCTOR_SKIPPED, "conf",
			   "certdir setup writes it; name one that stands elsewhere with -c FILE",
			   "there is no %s: nothing is synced on this machine", doctor->options->conf);
}

void certdir_doctor_sync(const struct certdir_doctor *doctor, struct certdir_doctor_jobs *jobs)
{
	if (!doctor->conf_stuck)
		certdir_doctor_add(jobs, "sync", NULL, doctor->has_conf ? look_at_sync : tell_none, NULL);
	if (doctor->conf_read)
		certdir_doctor_add(jobs, "sync", NULL, look_at_files, NULL);
}
