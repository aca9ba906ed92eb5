/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ldap/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/secret.h"
#include "ldap/operation.h"
#include "ldap/srv.h"

/* The search for a server that can be used. */
struct choice {
	struct certdir_ldap_session *session;
	const char *ou; /* where it has to take changes, or NULL */
	bool several; /* there may be another one that takes changes; else the first change shows it */
	bool over; /* no other server is to be tried */
	struct certdir_error *error; /* what each of them said */
};

static void note(struct choice *choice, const struct certdir_error *why)
{
	const struct certdir_error former = *choice->error;

	certdir_error_set(choice->error, "%s%s%s", former.text, former.text[0] ? "; " : "", why->text);
}

/* ---- does it take changes ---- */

static bool find_capability(void *context, const struct certdir_ldap_entry *entry)
{
	static const char read_only[] = "1.2.840.113556.1.4.1920"; /* MS-ADTS 3.1.1.3.4.3 */

	for (size_t i = 0; i < entry->count; i++)
		if (entry->values[i].length == sizeof(read_only) - 1 &&
		    memcmp(entry->values[i].bytes, read_only, sizeof(read_only) - 1) == 0)
			*(bool *)context = true;
	return true;
}

/*
 * Takes a value from an entry that is not there: who takes changes says that there is none, and who does not says so first. Only
 * the latter is of interest here.
 */
static enum certdir_ldap_status try_change(const struct choice *choice, struct certdir_error *error)
{
	static const struct certdir_ldap_bytes value = {"certdir", 7};
	const struct certdir_ldap_change change = {.attribute = "description", .deleted = {&value, 1}};
	struct certdir_ldap_operation operation = {.verb = CERTDIR_LDAP_VERB_MODIFY, .changes = &change, .count = 1};
	struct certdir_ldap_answer answer;
	enum certdir_ldap_status status;
	char *dn = NULL;
	int id;

	if (asprintf(&dn, "cn=certdir asks whether changes are taken,%s", choice->ou) < 0) {
		certdir_error_set(error, "out of memory");
		return CERTDIR_LDAP_LOST;
	}
	operation.dn = dn;
	status = certdir_ldap_send(choice->session->connection, &operation, &id, error);
	if (status == CERTDIR_LDAP_OK)
		status = certdir_ldap_receive(choice->session->connection, &answer, error);
	free(dn);
	if (status != CERTDIR_LDAP_OK || answer.status != CERTDIR_LDAP_READ_ONLY)
		return status;
	certdir_error_set(error, "%s takes no changes: %s", choice->session->uri, answer.text);
	return CERTDIR_LDAP_READ_ONLY;
}

static enum certdir_ldap_status writable(const struct choice *choice, struct certdir_error *error)
{
	static const char *const attributes[] = {"supportedCapabilities", NULL};
	const struct certdir_ldap_query root = {
		.base = "", .scope = CERTDIR_LDAP_BASE, .filter = "(objectClass=*)", .attributes = attributes};
	bool read_only = false;
	enum certdir_ldap_status status =
		certdir_ldap_connection_search(choice->session->connection, &root, find_capability, &read_only, error);

	if (status == CERTDIR_LDAP_LOST || status == CERTDIR_LDAP_TIMEOUT)
		return status;
	if (!read_only)
		return choice->several ? try_change(choice, error) : CERTDIR_LDAP_OK;
	certdir_error_set(error, "%s is a read-only domain controller", choice->session->uri);
	return CERTDIR_LDAP_READ_ONLY;
}

/* ---- one after another ---- */

/* Anything but OK leaves it closed, with a note. */
static void try_server(struct choice *choice, const char *server)
{
	struct certdir_ldap_session *session = choice->session;
	enum certdir_ldap_status status;
	struct certdir_error why;

	free(session->uri);
	session->uri = certdir_ldap_uri(server, 0);
	if (!session->uri) {
		certdir_error_set(choice->error, "out of memory");
		choice->over = true;
		return;
	}
	status = certdir_ldap_connection_open(&session->connection, session->uri, &session->ldap, session->watchdog,
					      &why);
	choice->over = status == CERTDIR_LDAP_OK || status == CERTDIR_LDAP_REFUSED;
	if (status == CERTDIR_LDAP_OK && choice->ou)
		status = writable(choice, &why);
	if (status == CERTDIR_LDAP_OK)
		return;
	note(choice, &why);
	if (!session->connection)
		return;
	certdir_ldap_connection_close(session->connection);
	session->connection = NULL;
	choice->over = false;
}

static void try_domain(struct choice *choice, const char *server)
{
	struct certdir_ldap_target targets[CERTDIR_LDAP_TARGETS_MAX];
	struct certdir_error why;
	size_t count;

	if (!certdir_ldap_srv_find(server, targets, &count, &why)) {
		note(choice, &why);
		return;
	}
	for (size_t i = 0; i < count && !choice->over; i++)
		try_server(choice, targets[i].uri);
}

static bool choose_server(struct certdir_ldap_session *session, const char *ou, struct certdir_error *error)
{
	const char *const *servers = session->ldap.servers;
	struct choice choice = {.session = session, .ou = ou, .error = error};
	char domain[CERTDIR_DOMAIN_MAX + 1];

	error->text[0] = '\0';
	choice.several = servers[0] && (servers[1] || certdir_ldap_srv_domain(servers[0], domain));
	for (const char *const *server = servers; *server && !choice.over; server++)
		if (certdir_ldap_srv_domain(*server, domain))
			try_domain(&choice, *server);
		else
			try_server(&choice, *server);
	return session->connection;
}

/* ---- open and close ---- */

bool certdir_ldap_session_open(struct certdir_ldap_session *session, const struct certdir_ldap_config *ldap,
			       const char *password_file, const char *ou, struct certdir_error *error)
{
	*session = (struct certdir_ldap_session){.ldap = *ldap};
	if (password_file && !(session->password = certdir_secret_read(password_file, CERTDIR_SECRET_CLIENT, error)))
		return false;
	session->ldap.password = session->password;
	session->watchdog = certdir_watchdog_start(error);
	return session->watchdog && choose_server(session, ou, error);
}

void certdir_ldap_session_close(struct certdir_ldap_session *session)
{
	certdir_ldap_connection_close(session->connection);
	certdir_watchdog_stop(session->watchdog);
	free(session->uri);
	certdir_secret_free(session->password);
	*session = (struct certdir_ldap_session){.connection = NULL};
}
