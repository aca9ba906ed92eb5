/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ldap/bind.h"

#include <stdlib.h>
#include <string.h>

#include <sasl/sasl.h>

/* Waits for the one message that answers an operation and takes its result code. */
static enum certdir_ldap_status answer_of(struct certdir_ldap_connection *connection, int id, int *code,
					  struct certdir_error *error)
{
	LDAPMessage *message;
	enum certdir_ldap_status status = certdir_ldap_await(connection, id, LDAP_MSG_ONE, &message, error);
	int parsed;

	if (status == CERTDIR_LDAP_OK) {
		parsed = ldap_parse_result(connection->handle, message, code, NULL, NULL, NULL, NULL, 0);
		if (parsed != LDAP_SUCCESS)
			*code = parsed;
	}
	(void)ldap_msgfree(message);
	return status;
}

static enum certdir_ldap_status outcome_of(struct certdir_ldap_connection *connection, int id,
					   struct certdir_error *error)
{
	int code;
	enum certdir_ldap_status status = answer_of(connection, id, &code, error);

	return status == CERTDIR_LDAP_OK ? certdir_ldap_conclude(connection, code, NULL, error) : status;
}

enum certdir_ldap_status certdir_ldap_start_tls(struct certdir_ldap_connection *connection, struct certdir_error *error)
{
	enum certdir_ldap_status status;
	int id, code = ldap_start_tls(connection->handle, NULL, NULL, &id);

	if (code != LDAP_SUCCESS)
		return certdir_ldap_conclude(connection, code, NULL, error);
	status = outcome_of(connection, id, error);
	if (status != CERTDIR_LDAP_OK)
		return status;
	return certdir_ldap_conclude(connection, ldap_install_tls(connection->handle), NULL, error);
}

/* Binds even when anonymous: this is where a server that is not one shows. */
static enum certdir_ldap_status bind_simple(struct certdir_ldap_connection *connection, struct certdir_error *error)
{
	const char *password = connection->config->password;
	const char *identity = connection->config->identity;
	struct berval credentials = {0, NULL};
	char *copy = strdup(password ? password : "");
	int id, code;

	if (!copy)
		return certdir_ldap_conclude(connection, LDAP_NO_MEMORY, NULL, error);
	credentials.bv_len = strlen(copy);
	credentials.bv_val = copy;
	code = ldap_sasl_bind(connection->handle, identity ? identity : "", LDAP_SASL_SIMPLE, &credentials, NULL, NULL,
			      &id);
	explicit_bzero(copy, credentials.bv_len);
	free(copy);
	if (code != LDAP_SUCCESS)
		return certdir_ldap_conclude(connection, code, NULL, error);
	return outcome_of(connection, id, error);
}

/* Why a server may not take us for whom TLS or the socket says that we are. */
static const char *external_advice(const struct certdir_ldap_connection *connection)
{
	if (certdir_ldap_is_local(connection->uri))
		return "the server does not take the user of an ldapi socket";
	/* Active Directory takes a certificate on ldaps:// without a bind, and refuses this one (MS-ADTS 5.1.1.2). */
	if (!connection->config->start_tls)
		return "the server does not take the certificate in certificate_file: it must ask for one, trust its "
		       "CA and know whose it is; Active Directory wants ldap:// with start_tls = yes for this";
	return "the server does not take the certificate in certificate_file: it must ask for one, trust its CA and "
	       "know whose it is";
}

static enum certdir_ldap_status bind_external(struct certdir_ldap_connection *connection, struct certdir_error *error)
{
	static char nobody[] = "";
	struct berval credentials = {0, nobody};
	char words[CERTDIR_TEXT_MAX];
	enum certdir_ldap_status status;
	int id, code = ldap_sasl_bind(connection->handle, NULL, "EXTERNAL", &credentials, NULL, NULL, &id);

	if (code != LDAP_SUCCESS)
		return certdir_ldap_conclude(connection, code, NULL, error);
	status = answer_of(connection, id, &code, error);
	if (status == CERTDIR_LDAP_OK)
		status = certdir_ldap_conclude(connection, code, NULL, error);
	if (status == CERTDIR_LDAP_OK || status == CERTDIR_LDAP_LOST || status == CERTDIR_LDAP_TIMEOUT)
		return status;
	certdir_ldap_words(connection, code, words);
	certdir_error_set(error, "%s: %s: %s", connection->uri, words, external_advice(connection));
	return CERTDIR_LDAP_REFUSED;
}

/*
 * What SASL and Kerberos say, who put all of it into one result code. The words are MIT Kerberos's. Never LOST or
 * TIMEOUT, which are about the connection to this server.
 */
static const struct kerberos_outcome {
	const char *words;
	enum certdir_ldap_status status;
	const char *advice;
} kerberos_outcomes[] = {
	{"No worthy mechs", CERTDIR_LDAP_REFUSED,
	 "install SASL's GSSAPI plugin (Debian: libsasl2-modules-gssapi-mit, RHEL: cyrus-sasl-gssapi)"},
	{"is nonexistent or empty", CERTDIR_LDAP_REFUSED,
	 "check keytab: the file must be there, be readable and hold a key"},
	{"Preauthentication failed", CERTDIR_LDAP_REFUSED,
	 "the key in keytab is not the account's: export it again, it changes with the password"},
	{"Client '", CERTDIR_LDAP_REFUSED, "the domain has no account of the name that stands in keytab"},
	{"have been revoked", CERTDIR_LDAP_REFUSED, "the account in keytab is disabled, locked or expired"},
	{"Password has expired", CERTDIR_LDAP_REFUSED,
	 "the password of the account in keytab has expired: set one that does not, and export the keytab again"},
	{"not found in Kerberos database", CERTDIR_LDAP_FAILED,
	 "the domain knows no such server: write its full name in server, as it stands in the domain"},
	{"Clock skew too great", CERTDIR_LDAP_FAILED, "set the clocks of this machine and of the domain controller"},
	{"Cannot contact any KDC", CERTDIR_LDAP_FAILED,
	 "no domain controller answers Kerberos: check the network, port 88"},
	{"Cannot find KDC", CERTDIR_LDAP_FAILED, "name the realm's domain controllers in /etc/krb5.conf or in the DNS"},
};

/* The words with the advice that goes with them; NULL when nobody knows one. */
static const struct kerberos_outcome *advise(const struct certdir_ldap_connection *connection, const char *words,
					     struct certdir_error *error)
{
	for (size_t i = 0; i < sizeof(kerberos_outcomes) / sizeof(kerberos_outcomes[0]); i++)
		if (strstr(words, kerberos_outcomes[i].words)) {
			certdir_error_set(error, "%s: %s: %s", connection->uri, words, kerberos_outcomes[i].advice);
			return &kerberos_outcomes[i];
		}
	return NULL;
}

static enum certdir_ldap_status conclude_kerberos(const struct certdir_ldap_connection *connection, int code,
						  struct certdir_error *error)
{
	const struct kerberos_outcome *outcome;
	char words[CERTDIR_TEXT_MAX];

	certdir_ldap_words(connection, code, words);
	outcome = advise(connection, words, error);
	if (outcome)
		return outcome->status;
	if (code == LDAP_LOCAL_ERROR || code == LDAP_INVALID_CREDENTIALS) {
		certdir_error_set(error, "%s: %s: check keytab", connection->uri, words);
		return code == LDAP_LOCAL_ERROR ? CERTDIR_LDAP_FAILED : CERTDIR_LDAP_REFUSED;
	}
	/* Samba's "ldap server require strong auth = yes", for one. */
	if (code == LDAP_STRONG_AUTH_REQUIRED && certdir_ldap_uses_tls(connection->uri, connection->config)) {
		certdir_error_set(error,
				  "%s: %s: the server wants no GSSAPI inside TLS: use ldap:// without start_tls, it is "
				  "sealed by GSSAPI itself",
				  connection->uri, words);
		return CERTDIR_LDAP_REFUSED;
	}
	return certdir_ldap_conclude(connection, code, NULL, error);
}

/*
 * Nobody is asked: who we are is in the credentials, and all else has a default. This is also the one moment when libldap
 * takes credentials: it makes a new SASL context for each bind, and SASL asks before it looks for any.
 */
static int interact(LDAP *handle, unsigned flags, void *kerberos, void *prompts)
{
	(void)flags;
	for (sasl_interact_t *prompt = prompts; prompt->id != SASL_CB_LIST_END; prompt++) {
		const char *answer = prompt->defresult ? prompt->defresult : "";

		prompt->result = answer;
		prompt->len = (unsigned)strlen(answer);
	}
	return ldap_set_option(handle, LDAP_OPT_X_SASL_GSS_CREDS, ((struct certdir_kerberos *)kerberos)->credentials) ==
			       LDAP_OPT_SUCCESS
		       ? LDAP_SUCCESS
		       : LDAP_LOCAL_ERROR;
}

/*
 * Without TLS everything is sealed (56 is DES; what Kerberos agrees on is far above). With TLS it is not sealed twice:
 * Active Directory refuses that (MS-ADTS 5.1.1.1.2); but the bind belongs to this TLS and no other (RFC 5929 4), which
 * Active Directory may ask for. The host's name is taken as it was written, not as the DNS turns it round.
 */
static bool set_sasl_options(const struct certdir_ldap_connection *connection)
{
	const bool tls = certdir_ldap_uses_tls(connection->uri, connection->config);
	const int binding = LDAP_OPT_X_SASL_CBINDING_TLS_ENDPOINT;

	return ldap_set_option(connection->handle, LDAP_OPT_X_SASL_SECPROPS, tls ? "maxssf=0" : "minssf=56") ==
		       LDAP_OPT_SUCCESS &&
	       ldap_set_option(connection->handle, LDAP_OPT_X_SASL_NOCANON, LDAP_OPT_ON) == LDAP_OPT_SUCCESS &&
	       (!tls || ldap_set_option(connection->handle, LDAP_OPT_X_SASL_CBINDING, &binding) == LDAP_OPT_SUCCESS);
}

/*
 * Kerberos speaks to its KDC inside these calls, with timeouts of its own (some seconds for each KDC) that nobody can
 * shorten from here.
 */
static enum certdir_ldap_status negotiate(struct certdir_ldap_connection *connection, struct certdir_kerberos *kerberos,
					  struct certdir_error *error)
{
	enum certdir_ldap_status status = CERTDIR_LDAP_OK;
	LDAPMessage *message = NULL;
	const char *mechanism = NULL;
	int id, code;

	do {
		code = ldap_sasl_interactive_bind(connection->handle, NULL, "GSSAPI", NULL, NULL, LDAP_SASL_QUIET,
						  interact, kerberos, message, &mechanism, &id);
		(void)ldap_msgfree(message);
		message = NULL;
		if (code == LDAP_SASL_BIND_IN_PROGRESS)
			status = certdir_ldap_await(connection, id, LDAP_MSG_ONE, &message, error);
	} while (code == LDAP_SASL_BIND_IN_PROGRESS && status == CERTDIR_LDAP_OK);
	return status == CERTDIR_LDAP_OK ? conclude_kerberos(connection, code, error) : status;
}

static enum certdir_ldap_status bind_gssapi(struct certdir_ldap_connection *connection,
					    struct certdir_kerberos *kerberos, struct certdir_error *error)
{
	if (set_sasl_options(connection))
		return negotiate(connection, kerberos, error);
	certdir_error_set(error, "%s: the LDAP library refused its SASL options", connection->uri);
	return CERTDIR_LDAP_LOST;
}

/* A new ticket for each bind: binds are rare, and a ticket that is kept outlives the password and the server's key. */
enum certdir_ldap_status certdir_ldap_prepare(const struct certdir_ldap_connection *connection,
					      struct certdir_kerberos *kerberos, struct certdir_error *error)
{
	const struct kerberos_outcome *outcome;
	char words[CERTDIR_TEXT_MAX];

	if (connection->config->bind != CERTDIR_LDAP_BIND_GSSAPI ||
	    certdir_kerberos_init(kerberos, connection->config->keytab, words))
		return CERTDIR_LDAP_OK;
	outcome = advise(connection, words, error);
	if (outcome)
		return outcome->status;
	certdir_error_set(error, "%s: %s: check keytab", connection->uri, words);
	return CERTDIR_LDAP_FAILED;
}

enum certdir_ldap_status certdir_ldap_bind(struct certdir_ldap_connection *connection,
					   struct certdir_kerberos *kerberos, struct certdir_error *error)
{
	switch (connection->config->bind) {
	case CERTDIR_LDAP_BIND_EXTERNAL:
		return bind_external(connection, error);
	case CERTDIR_LDAP_BIND_GSSAPI:
		return bind_gssapi(connection, kerberos, error);
	case CERTDIR_LDAP_BIND_SIMPLE:
		break;
	}
	return bind_simple(connection, error);
}
