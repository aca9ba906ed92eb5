/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ldap/handle.h"

#include "background.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sasl/sasl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>
#include <unistd.h>

static bool is_set(const char *value)
{
	return value && *value;
}

/* ---- configuration ---- */

char *certdir_ldap_uri(const char *server, uint16_t port)
{
	const char *colon = strchr(server, ':');
	const char *scheme = port == LDAPS_PORT ? "ldaps" : "ldap";
	const unsigned number = port ? port : LDAP_PORT;
	char *uri = NULL;
	int length;

	if (strstr(server, "://"))
		return strdup(server);
	if (colon && strchr(colon + 1, ':') && server[0] != '[')
		length = asprintf(&uri, "%s://[%s]:%u", scheme, server, number);
	else if (colon && server[0] != '[')
		length = asprintf(&uri, "%s://%s", scheme, server);
	else
		length = asprintf(&uri, "%s://%s:%u", scheme, server, number);
	return length < 0 ? NULL : uri;
}

static bool is_loopback(const LDAPURLDesc *url)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (strcasecmp(url->lud_scheme, "ldapi") == 0 || !is_set(url->lud_host) ||
	    strcasecmp(url->lud_host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, url->lud_host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, url->lud_host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static bool uri_acceptable(const char *uri, const struct certdir_ldap_config *config, struct certdir_error *error)
{
	LDAPURLDesc *url = NULL;
	bool ok = false;

	if (strpbrk(uri, " ,;\t\n") || ldap_url_parse(uri, &url) != LDAP_URL_SUCCESS) {
		certdir_error_set(error, "ldap: server \"%s\" is neither a host name nor one URI like ldaps://host:636",
				  uri);
	} else if (strcasecmp(url->lud_scheme, "ldap") != 0 && strcasecmp(url->lud_scheme, "ldaps") != 0 &&
		   strcasecmp(url->lud_scheme, "ldapi") != 0) {
		certdir_error_set(error, "ldap: server \"%s\": only ldap://, ldaps:// and ldapi:// are known", uri);
	} else if (is_set(url->lud_dn)) {
		certdir_error_set(error, "ldap: server \"%s\": write \"%s\" as base_dn, not into the URI", uri,
				  url->lud_dn);
	} else if (config->start_tls && strcasecmp(url->lud_scheme, "ldap") != 0) {
		certdir_error_set(error, "ldap: server \"%s\": start_tls is for ldap:// only; set start_tls = no", uri);
	} else if (is_set(config->password) && !certdir_ldap_uses_tls(uri, config) && !is_loopback(url)) {
		certdir_error_set(error,
				  "ldap: server \"%s\" would get the password in clear text: use ldaps:// or "
				  "start_tls = yes",
				  uri);
	} else if (config->bind == CERTDIR_LDAP_BIND_EXTERNAL && strcasecmp(url->lud_scheme, "ldapi") != 0 &&
		   !(certdir_ldap_uses_tls(uri, config) && is_set(config->certificate_file) &&
		     is_set(config->private_key_file))) {
		certdir_error_set(error,
				  "ldap: server \"%s\": bind = external is for ldapi://, or for TLS with "
				  "certificate_file and private_key_file",
				  uri);
	} else {
		ok = true;
	}
	if (url)
		ldap_free_urldesc(url);
	return ok;
}

static bool require_cert_parse(const char *word, int *value)
{
	static const struct {
		const char *word;
		int value;
	} words[] = {
		{"never", LDAP_OPT_X_TLS_NEVER},   {"allow", LDAP_OPT_X_TLS_ALLOW}, {"try", LDAP_OPT_X_TLS_TRY},
		{"demand", LDAP_OPT_X_TLS_DEMAND}, {"hard", LDAP_OPT_X_TLS_HARD},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i].word) == 0) {
			*value = words[i].value;
			return true;
		}
	return false;
}

/* libldap says only that TLS cannot be set up; this says which file. */
static bool tls_files_readable(const struct certdir_ldap_config *config, struct certdir_error *error)
{
	const struct {
		const char *option;
		const char *path;
	} files[] = {
		{"ca_file", config->ca_file},
		{"ca_path", config->ca_path},
		{"certificate_file", config->certificate_file},
		{"private_key_file", config->private_key_file},
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (is_set(files[i].path) && access(files[i].path, R_OK) != 0) {
			certdir_error_set(error, "ldap: %s \"%s\" cannot be read: %s", files[i].option, files[i].path,
					  strerror(errno));
			return false;
		}
	return true;
}

static bool set_options(LDAP *handle, const struct certdir_ldap_config *config)
{
	/* Half a minute to notice that an idle connection's peer is gone without a word. */
	const int version = LDAP_VERSION3, deref = LDAP_DEREF_NEVER, idle = 15, probes = 3, interval = 5;
	const int limit = (int)config->srv_timelimit;
	const struct timeval net = {.tv_sec = (time_t)config->net_timeout},
			     res = {.tv_sec = (time_t)config->res_timeout};
	const struct {
		int option;
		const void *value;
	} options[] = {
		{LDAP_OPT_PROTOCOL_VERSION, &version},	{LDAP_OPT_REFERRALS, LDAP_OPT_OFF},
		{LDAP_OPT_RESTART, LDAP_OPT_OFF},	{LDAP_OPT_DEREF, &deref},
		{LDAP_OPT_NETWORK_TIMEOUT, &net},	{LDAP_OPT_TIMEOUT, &res},
		{LDAP_OPT_TIMELIMIT, &limit},		{LDAP_OPT_X_KEEPALIVE_IDLE, &idle},
		{LDAP_OPT_X_KEEPALIVE_PROBES, &probes}, {LDAP_OPT_X_KEEPALIVE_INTERVAL, &interval},
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (ldap_set_option(handle, options[i].option, options[i].value) != LDAP_OPT_SUCCESS)
			return false;
	return true;
}

static bool set_tls_options(LDAP *handle, const struct certdir_ldap_config *config)
{
	const struct {
		int option;
		const char *path;
	} files[] = {
		{LDAP_OPT_X_TLS_CACERTFILE, config->ca_file},
		{LDAP_OPT_X_TLS_CACERTDIR, config->ca_path},
		{LDAP_OPT_X_TLS_CERTFILE, config->certificate_file},
		{LDAP_OPT_X_TLS_KEYFILE, config->private_key_file},
	};
	const int client = 0;
	int require = LDAP_OPT_X_TLS_DEMAND;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (is_set(files[i].path) &&
		    ldap_set_option(handle, files[i].option, files[i].path) != LDAP_OPT_SUCCESS)
			return false;
	if (is_set(config->require_cert) && !require_cert_parse(config->require_cert, &require))
		return false;
	/* The context is made from the options above, so it comes last. */
	return ldap_set_option(handle, LDAP_OPT_X_TLS_REQUIRE_CERT, &require) == LDAP_OPT_SUCCESS &&
	       ldap_set_option(handle, LDAP_OPT_X_TLS_NEWCTX, &client) == LDAP_OPT_SUCCESS;
}

/* A handle with all its options; libldap connects when it is first used. */
static enum certdir_ldap_status prepare(struct certdir_ldap_connection *connection, struct certdir_error *error)
{
	int code = ldap_initialize(&connection->handle, connection->uri);

	if (code != LDAP_SUCCESS) {
		connection->handle = NULL;
		return certdir_ldap_conclude(connection, code, NULL, error);
	}
	if (!set_options(connection->handle, connection->config)) {
		certdir_error_set(error, "%s: the LDAP library refused its options", connection->uri);
		return CERTDIR_LDAP_LOST;
	}
	if (certdir_ldap_uses_tls(connection->uri, connection->config) &&
	    !set_tls_options(connection->handle, connection->config)) {
		certdir_error_set(error,
				  "%s: TLS cannot be set up: check ca_file, ca_path, certificate_file and "
				  "private_key_file",
				  connection->uri);
		return CERTDIR_LDAP_LOST;
	}
	return CERTDIR_LDAP_OK;
}

bool certdir_ldap_connection_check(const char *uri, const struct certdir_ldap_config *config,
				   struct certdir_error *error)
{
	struct certdir_ldap_connection trial = {.uri = uri, .config = config};
	int require;
	bool ok = false;

	if (!uri_acceptable(uri, config, error) || !tls_files_readable(config, error))
		goto out;
	if (is_set(config->require_cert) && !require_cert_parse(config->require_cert, &require)) {
		certdir_error_set(error, "ldap: require_cert = \"%s\": write never, allow, try, demand or hard",
				  config->require_cert);
		goto out;
	}
	ok = prepare(&trial, error) == CERTDIR_LDAP_OK;
out:
	if (trial.handle)
		(void)ldap_unbind_ext(trial.handle, NULL, NULL);
	return ok;
}

/* ---- open ---- */

/* libldap connected a socket; TLS comes after this. */
static int socket_added(LDAP *handle, Sockbuf *socket, LDAPURLDesc *url, struct sockaddr *address,
			struct ldap_conncb *context)
{
	struct certdir_ldap_connection *connection = context->lc_arg;
	ber_socket_t fd = -1;

	(void)handle, (void)url, (void)address;
	if (ber_sockbuf_ctrl(socket, LBER_SB_OPT_GET_FD, &fd) == 1)
		certdir_watched_socket(&connection->watched, fd);
	return 0;
}

/* It is about to close it. */
static void socket_deleted(LDAP *handle, Sockbuf *socket, struct ldap_conncb *context)
{
	struct certdir_ldap_connection *connection = context->lc_arg;

	(void)handle, (void)socket;
	certdir_watched_socket(&connection->watched, -1);
}

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

static enum certdir_ldap_status start_tls(struct certdir_ldap_connection *connection, struct certdir_error *error)
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

/* Binds even when anonymous: this is where libldap connects and where a server that is not one shows. */
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

static bool is_ldapi(const char *uri)
{
	return strncasecmp(uri, "ldapi:", 6) == 0;
}

/* Why a server may not take us for whom TLS or the socket says that we are. */
static const char *external_advice(const struct certdir_ldap_connection *connection)
{
	if (is_ldapi(connection->uri))
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
	{"No Kerberos credentials available", CERTDIR_LDAP_REFUSED,
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

static enum certdir_ldap_status conclude_kerberos(const struct certdir_ldap_connection *connection, int code,
						  struct certdir_error *error)
{
	char words[CERTDIR_TEXT_MAX];

	certdir_ldap_words(connection, code, words);
	for (size_t i = 0; i < sizeof(kerberos_outcomes) / sizeof(kerberos_outcomes[0]); i++)
		if (strstr(words, kerberos_outcomes[i].words)) {
			certdir_error_set(error, "%s: %s: %s", connection->uri, words, kerberos_outcomes[i].advice);
			return kerberos_outcomes[i].status;
		}
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

/* Nobody is asked: whom we are is in Kerberos' credentials, and all else has a default. */
static int interact(LDAP *handle, unsigned flags, void *defaults, void *prompts)
{
	(void)handle, (void)flags, (void)defaults;
	for (sasl_interact_t *prompt = prompts; prompt->id != SASL_CB_LIST_END; prompt++) {
		const char *answer = prompt->defresult ? prompt->defresult : "";

		prompt->result = answer;
		prompt->len = (unsigned)strlen(answer);
	}
	return LDAP_SUCCESS;
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
static enum certdir_ldap_status bind_gssapi(struct certdir_ldap_connection *connection, struct certdir_error *error)
{
	enum certdir_ldap_status status = CERTDIR_LDAP_OK;
	LDAPMessage *message = NULL;
	const char *mechanism = NULL;
	int id, code;

	if (!set_sasl_options(connection)) {
		certdir_error_set(error, "%s: the LDAP library refused its SASL options", connection->uri);
		return CERTDIR_LDAP_LOST;
	}
	do {
		code = ldap_sasl_interactive_bind(connection->handle, NULL, "GSSAPI", NULL, NULL, LDAP_SASL_QUIET,
						  interact, NULL, message, &mechanism, &id);
		(void)ldap_msgfree(message);
		message = NULL;
		if (code == LDAP_SASL_BIND_IN_PROGRESS)
			status = certdir_ldap_await(connection, id, LDAP_MSG_ONE, &message, error);
	} while (code == LDAP_SASL_BIND_IN_PROGRESS && status == CERTDIR_LDAP_OK);
	return status == CERTDIR_LDAP_OK ? conclude_kerberos(connection, code, error) : status;
}

static enum certdir_ldap_status bind_connection(struct certdir_ldap_connection *connection, struct certdir_error *error)
{
	switch (connection->config->bind) {
	case CERTDIR_LDAP_BIND_EXTERNAL:
		return bind_external(connection, error);
	case CERTDIR_LDAP_BIND_GSSAPI:
		return bind_gssapi(connection, error);
	case CERTDIR_LDAP_BIND_SIMPLE:
		break;
	}
	return bind_simple(connection, error);
}

enum certdir_ldap_status certdir_ldap_connection_open(struct certdir_ldap_connection **connection, const char *uri,
						      const struct certdir_ldap_config *config,
						      struct certdir_watchdog *watchdog, struct certdir_error *error)
{
	struct certdir_ldap_connection *opened = calloc(1, sizeof(*opened));
	enum certdir_ldap_status status;

	*connection = NULL;
	if (!opened) {
		certdir_error_set(error, "out of memory");
		return CERTDIR_LDAP_LOST;
	}
	opened->uri = uri;
	opened->config = config;
	opened->callbacks = (struct ldap_conncb){socket_added, socket_deleted, opened};
	certdir_watched_init(&opened->watched, watchdog);
	certdir_ldap_begin(opened, certdir_ldap_deadline(opened));
	status = prepare(opened, error);
	if (status == CERTDIR_LDAP_OK &&
	    ldap_set_option(opened->handle, LDAP_OPT_CONNECT_CB, &opened->callbacks) != LDAP_OPT_SUCCESS)
		status = certdir_ldap_conclude(opened, LDAP_NO_MEMORY, NULL, error);
	if (status == CERTDIR_LDAP_OK && config->start_tls)
		status = start_tls(opened, error);
	if (status == CERTDIR_LDAP_OK)
		status = bind_connection(opened, error);
	/* Kerberos may have waited for its KDC for longer than the watchdog: its words say more. */
	if (status != CERTDIR_LDAP_REFUSED && status != CERTDIR_LDAP_FAILED)
		status = certdir_ldap_end(opened, status, error);
	if (status == CERTDIR_LDAP_OK)
		*connection = opened;
	else
		certdir_ldap_connection_close(opened);
	return status;
}

void certdir_ldap_connection_close(struct certdir_ldap_connection *connection)
{
	if (!connection)
		return;
	/* Saying good-bye writes to a socket whose peer may have stopped reading. */
	certdir_ldap_begin(connection, certdir_monotonic() + (int64_t)connection->config->net_timeout * 1000000);
	if (connection->handle)
		(void)ldap_unbind_ext(connection->handle, NULL, NULL);
	certdir_watched_clear(&connection->watched);
	free(connection);
}

/* ---- search ---- */

enum certdir_ldap_status
certdir_ldap_connection_search(struct certdir_ldap_connection *connection, const struct certdir_ldap_query *query,
			       bool (*each)(void *context, const struct certdir_ldap_entry *entry), void *context,
			       struct certdir_error *error)
{
	struct certdir_ldap_search search = {
		.base = query->base,
		.scope = query->scope,
		.filter = query->filter,
		.attributes = query->attributes,
		.size_limit = query->size_limit,
		.until = query->until ? query->until : certdir_ldap_deadline(connection),
		.each = each,
		.context = context,
	};
	enum certdir_ldap_status status = certdir_ldap_search_run(connection, &search, error);

	ldap_controls_free(search.controls);
	return status;
}
