/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LDAP servers, each for itself: of the server's directories, of the sync's, and of placeholders. Nothing is changed there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "cli/doctor.h"
#include "cli/words.h"
#include "conf/secret.h"
#include "directory/ldap_entry.h"
#include "identity/certificate.h"
#include "ldap/srv.h"

enum {
	PATIENCE = 4 /* seconds to connect, and for an answer, at most: less than a job has */,
	DOMAIN_PATIENCE = 7 /* for all servers of a domain, at once: the DNS has a few seconds before */
};

/* What is asked of one server. All is borrowed from the configuration. */
struct subject {
	const char *name; /* of the directory, or of the section */
	const char *server; /* as it is configured: perhaps a domain */
	struct certdir_ldap_config ldap;
	const char *password_file; /* or NULL */
	const char *base_dn;
	const char *filter; /* NULL: an OU for placeholders */
	bool as_server; /* it is the RADIUS server that asks */
};

struct probe {
	const struct subject *subject;
	const char *uri;
	struct certdir_ldap_connection *connection;
	struct certdir_doctor_findings *findings;
	int64_t time; /* by the server's clock, 0 = it does not say */
	size_t entries;
	bool has_classes, may_create;
};

/* ---- what entries say ---- */

static bool is(const struct certdir_ldap_value *value, const char *attribute)
{
	return value->attribute_length == strlen(attribute) &&
	       strncasecmp(value->attribute, attribute, value->attribute_length) == 0;
}

static bool take_entry(void *context, const struct certdir_ldap_entry *entry)
{
	struct probe *probe = context;

	probe->entries++;
	for (size_t i = 0; i < entry->count; i++) {
		const struct certdir_ldap_value *value = &entry->values[i];

		if (is(value, "currentTime"))
			probe->time = certdir_ldap_generalized_time(value);
		if (!is(value, "allowedChildClassesEffective"))
			continue;
		probe->has_classes = true;
		probe->may_create |= value->length == 8 && strncasecmp((const char *)value->bytes, "computer", 8) == 0;
	}
	return true;
}

static enum certdir_ldap_status ask(struct probe *probe, const char *base, enum certdir_ldap_scope scope,
				    const char *filter, const char *attribute, struct certdir_error *error)
{
	const char *const attributes[] = {attribute, NULL};
	const struct certdir_ldap_query query = {
		.base = base, .scope = scope, .filter = filter, .attributes = attributes, .size_limit = 1};

	probe->entries = 0;
	return certdir_ldap_connection_search(probe->connection, &query, take_entry, probe, error);
}

/* ---- in the order of a search ---- */

static const char *connect_remedy(enum certdir_ldap_status status)
{
	switch (status) {
	case CERTDIR_LDAP_REFUSED:
		return "compare identity and password with the account; is it locked or expired?";
	case CERTDIR_LDAP_TIMEOUT:
		return "look whether the server, or a firewall on the way, is stuck";
	default:
		return "look at the name, the port, a firewall, and the CA in ca_file";
	}
}

static bool check_connection(struct probe *probe, struct certdir_watchdog *watchdog,
			     const struct certdir_ldap_config *ldap)
{
	struct certdir_error error;
	const enum certdir_ldap_status status =
		certdir_ldap_connection_open(&probe->connection, probe->uri, ldap, watchdog, &error);

	if (status == CERTDIR_LDAP_OK)
		certdir_doctor_say(probe->findings, CERTDIR_DOCTOR_RIGHT, "bind", "", "%s: %s takes us",
				   probe->subject->name, probe->uri);
	else
		certdir_doctor_say(probe->findings, CERTDIR_DOCTOR_WRONG,
				   status == CERTDIR_LDAP_REFUSED ? "bind" : "connection", connect_remedy(status),
				   "%s: %s", probe->subject->name, error.text);
	return status == CERTDIR_LDAP_OK;
}

/* A certificate that has ended is refused before, or was not asked for. */
static void check_certificate(const struct probe *probe)
{
	struct certdir_certificate shown;
	struct certdir_error error;
	char when[CERTDIR_CLI_EXPIRY_SIZE], date[CERTDIR_CLI_DATE_SIZE];
	size_t length = 0;
	unsigned char *der = certdir_ldap_connection_certificate(probe->connection, &length);

	if (!der)
		return;
	/* What certdir would refuse of a client is of no harm here. */
	(void)certdir_certificate_parse(&shown, der, length, NULL, &error);
	if (shown.not_after) {
		const bool soon = certdir_cli_expires_soon(shown.not_after, (int64_t)time(NULL), when);

		certdir_doctor_say(probe->findings, soon ? CERTDIR_DOCTOR_WARNING : CERTDIR_DOCTOR_RIGHT, "certificate",
				   soon ? "renew that server's certificate" : "",
				   "%s: the certificate of %s ends on %s", probe->subject->name, probe->uri,
				   certdir_cli_date(shown.not_after, date));
	}
	certdir_certificate_clear(&shown);
	free(der);
}

static bool check_base(struct probe *probe)
{
	const struct subject *subject = probe->subject;
	struct certdir_error error;
	const enum certdir_ldap_status status =
		ask(probe, subject->base_dn, CERTDIR_LDAP_BASE, "(objectClass=*)",
		    subject->filter ? "objectClass" : "allowedChildClassesEffective", &error);

	if (status == CERTDIR_LDAP_OK && probe->entries)
		certdir_doctor_say(probe->findings, CERTDIR_DOCTOR_RIGHT, "base", "", "%s: %s is there", subject->name,
				   subject->base_dn);
	else if (status == CERTDIR_LDAP_OK)
		certdir_doctor_say(probe->findings, CERTDIR_DOCTOR_WRONG, "base",
				   "give the account the right to read there", "%s: the account may not read %s",
				   subject->name, subject->base_dn);
	else
		certdir_doctor_say(probe->findings, CERTDIR_DOCTOR_WRONG, "base",
				   status == CERTDIR_LDAP_NO_OBJECT ? "compare it with the directory's tree"
								    : "look into the server's log",
				   "%s: %s: %s", subject->name, subject->base_dn, error.text);
	return status == CERTDIR_LDAP_OK && probe->entries;
}

static void check_devices(struct probe *probe)
{
	const struct subject *subject = probe->subject;
	struct certdir_error error;
	const enum certdir_ldap_status status =
		ask(probe, subject->base_dn, CERTDIR_LDAP_SUBTREE, subject->filter, "memberOf", &error);

	if (status != CERTDIR_LDAP_OK && status != CERTDIR_LDAP_SIZE_LIMIT)
		certdir_doctor_say(probe->findings, CERTDIR_DOCTOR_WRONG, "search",
				   "look at filter, and at the server's limits and indexes", "%s: %s", subject->name,
				   error.text);
	else if (probe->entries)
		certdir_doctor_say(probe->findings, CERTDIR_DOCTOR_RIGHT, "search", "", "%s: the account finds devices",
				   subject->name);
	else
		certdir_doctor_say(probe->findings, CERTDIR_DOCTOR_WARNING, "search",
				   "compare filter with an entry; may the account read those?",
				   "%s: nothing below %s fits %s", subject->name, subject->base_dn, subject->filter);
}

/* Only Active Directory says what an account may make. */
static void check_rights(struct probe *probe)
{
	const struct subject *subject = probe->subject;

	if (probe->may_create)
		certdir_doctor_say(probe->findings, CERTDIR_DOCTOR_RIGHT, "rights", "",
				   "%s: the account may make computers in %s", subject->name, subject->base_dn);
	else if (probe->has_classes)
		certdir_doctor_say(probe->findings, CERTDIR_DOCTOR_WRONG, "rights",
				   "delegate it there: certdir-placeholders(1), under RIGHTS",
				   "%s: the account may not make computers in %s", subject->name, subject->base_dn);
	else
		certdir_doctor_say(probe->findings, CERTDIR_DOCTOR_SKIPPED, "rights",
				   "certdir placeholders plan shows more",
				   "%s: the server does not say whether the account may make entries in %s",
				   subject->name, subject->base_dn);
}

static void look_at(struct probe *probe, struct certdir_watchdog *watchdog, const struct certdir_ldap_config *ldap)
{
	struct certdir_error error;

	if (!check_connection(probe, watchdog, ldap))
		return;
	check_certificate(probe);
	if (ask(probe, "", CERTDIR_LDAP_BASE, "(objectClass=*)", "currentTime", &error) == CERTDIR_LDAP_OK &&
	    probe->time)
		certdir_doctor_clock(probe->time, probe->uri, probe->findings);
	if (check_base(probe)) {
		if (probe->subject->filter)
			check_devices(probe);
		else
			check_rights(probe);
	}
	certdir_ldap_connection_close(probe->connection);
}

/* ---- which servers ---- */

struct target {
	const struct subject *subject;
	const struct certdir_ldap_config *ldap;
	char uri[]; /* of one server */
};

static void look_at_target(const struct certdir_doctor *doctor, const void *context,
			   struct certdir_doctor_findings *findings)
{
	const struct target *target = context;
	struct certdir_error error;
	struct certdir_watchdog *watchdog = certdir_watchdog_start(&error);

	(void)doctor;
	if (watchdog)
		look_at(&(struct probe){.subject = target->subject, .uri = target->uri, .findings = findings}, watchdog,
			target->ldap);
	else
		certdir_doctor_say(findings, CERTDIR_DOCTOR_SKIPPED, "connection", "", "%s", error.text);
	certdir_watchdog_stop(watchdog);
}

static void add_target(struct certdir_doctor_jobs *jobs, const char *group, const struct subject *subject,
		       const struct certdir_ldap_config *ldap, const char *uri)
{
	struct target *target = malloc(sizeof(*target) + strlen(uri) + 1);

	if (!target)
		return;
	*target = (struct target){subject, ldap};
	strcpy(target->uri, uri);
	certdir_doctor_add(jobs, group, target->uri, look_at_target, target);
}

/* All at once, each in a process of its own: some that are dead cost no more time than one. */
static void look_at_domain(const struct certdir_doctor *doctor, const struct subject *subject,
			   const struct certdir_ldap_config *ldap, struct certdir_doctor_findings *findings)
{
	struct certdir_doctor_jobs jobs = {NULL, 0};
	struct certdir_ldap_target targets[CERTDIR_LDAP_TARGETS_MAX];
	struct certdir_error error;
	size_t count;

	if (!certdir_ldap_srv_find(subject->server, targets, &count, &error)) {
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "dns",
				   "ask the DNS server that /etc/resolv.conf names", "%s: %s", subject->name,
				   error.text);
		return;
	}
	for (size_t i = 0; i < count; i++)
		add_target(&jobs, findings->group, subject, ldap, targets[i].uri);
	certdir_doctor_run(doctor, &jobs, DOMAIN_PATIENCE, findings);
}

static void look_at_servers(const struct certdir_doctor *doctor, const struct subject *subject,
			    const struct certdir_ldap_config *ldap, struct certdir_doctor_findings *findings)
{
	char domain[CERTDIR_DOMAIN_MAX + 1], *uri;
	struct certdir_error error;
	struct certdir_watchdog *watchdog;

	if (certdir_ldap_srv_domain(subject->server, domain)) {
		look_at_domain(doctor, subject, ldap, findings);
		return;
	}
	uri = certdir_ldap_uri(subject->server, ldap->port);
	watchdog = certdir_watchdog_start(&error);
	if (!uri || !watchdog)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_SKIPPED, "connection", "", "out of memory or threads");
	else if (!certdir_ldap_connection_check(uri, ldap, &error))
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "connection", "mend that option", "%s: %s",
				   subject->name, error.text);
	else
		look_at(&(struct probe){.subject = subject, .uri = uri, .findings = findings}, watchdog, ldap);
	certdir_watchdog_stop(watchdog);
	free(uri);
}

static void look_at_ldap(const struct certdir_doctor *doctor, const void *context,
			 struct certdir_doctor_findings *findings)
{
	const struct subject *subject = context;
	struct certdir_ldap_config ldap = subject->ldap;
	struct certdir_error error;
	char *password = NULL;

	if (ldap.net_timeout > PATIENCE)
		ldap.net_timeout = PATIENCE;
	if (ldap.res_timeout > PATIENCE)
		ldap.res_timeout = PATIENCE;
	if (subject->as_server && !certdir_doctor_become_server(doctor, "connection", findings))
		return;
	if (certdir_doctor_is_hidden(subject->password_file)) {
		certdir_doctor_say(findings, CERTDIR_DOCTOR_SKIPPED, "password", "run certdir doctor as root",
				   "%s: %s: only others may read it", subject->name, subject->password_file);
		return;
	}
	if (subject->password_file) {
		password = certdir_secret_read(subject->password_file, CERTDIR_SECRET_CLIENT, &error);
		if (!password) {
			certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "password", NULL, "%s: %s", subject->name,
					   error.text);
			return;
		}
		ldap.password = password;
	}
	look_at_servers(doctor, subject, &ldap, findings);
	certdir_secret_free(password);
}

static void add(struct certdir_doctor_jobs *jobs, const char *group, const struct subject *subject)
{
	for (const char *const *server = subject->ldap.servers; server && *server; server++) {
		struct subject *copy = malloc(sizeof(*copy));

		if (!copy)
			return;
		*copy = *subject;
		copy->server = *server;
		certdir_doctor_add(jobs, group, *server, look_at_ldap, copy);
	}
}

static void take_directory(void *context, const struct raddb_directory *directory)
{
	const struct certdir_ldap_directory_config *ldap = directory->ldap;

	if (ldap)
		add(context, "ldap",
		    &(struct subject){.name = directory->name,
				      .ldap = ldap->server,
				      .base_dn = ldap->base_dn ? ldap->base_dn : "",
				      .filter = ldap->filter,
				      .as_server = true});
}

static void add_sources(const struct certdir_sync_config *config, struct certdir_doctor_jobs *jobs)
{
	for (size_t i = 0; i < config->count; i++) {
		const struct certdir_ldap_source *ldap = config->tenants[i].ldap;

		if (ldap)
			add(jobs, "ldap",
			    &(struct subject){.name = config->tenants[i].name,
					      .ldap = ldap->server,
					      .password_file = ldap->password_file,
					      .base_dn = ldap->base_dn,
					      .filter = ldap->filter});
	}
}

static void add_placeholders(const struct certdir_placeholders_configs *configs, struct certdir_doctor_jobs *jobs)
{
	for (size_t i = 0; i < configs->count; i++) {
		const struct certdir_placeholders_config *config = &configs->sections[i];

		for (size_t ou = 0; ou < config->ou_count; ou++)
			add(jobs, "placeholders",
			    &(struct subject){.name = config->rules.name,
					      .ldap = config->ldap,
					      .password_file = config->password_file,
					      .base_dn = config->ous[ou]});
	}
}

void certdir_doctor_directories(const struct certdir_doctor *doctor, struct certdir_doctor_jobs *jobs)
{
	if (doctor->raddb)
		raddb_file_each_directory(doctor->raddb, take_directory, jobs);
	if (!doctor->conf_read)
		return;
	add_sources(&doctor->conf.config, jobs);
	add_placeholders(&doctor->conf.placeholders, jobs);
}
