/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ldap/connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>
#include <unistd.h>

#include <openldap.h>

#include "base/background.h"
#include "ldap/bind.h"
#include "ldap/handle.h"
#include "ldap/socket.h"
#include "ldap/srv.h"

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

/* Whether others could read what is sent: ldap:// to another machine. */
static bool is_open(const char *uri, const LDAPURLDesc *url, const struct certdir_ldap_config *config)
{
	return !certdir_ldap_uses_tls(uri, config) && (is_set(url->lud_dn) || !is_loopback(url));
}

static bool uri_acceptable(const char *uri, const struct certdir_ldap_config *config, struct certdir_error *error)
{
	char domain[CERTDIR_DOMAIN_MAX + 1];
	const bool is_domain = certdir_ldap_srv_domain(uri, domain);
	LDAPURLDesc *url = NULL;
	bool ok = false;

	if ((!is_domain && strpbrk(uri, " ,;\t\n")) || ldap_url_parse(uri, &url) != LDAP_URL_SUCCESS) {
		certdir_error_set_about(error, "server",
					"server \"%s\" is neither a host name nor one URI like ldaps://host:636", uri);
	} else if (strcasecmp(url->lud_scheme, "ldap") != 0 && strcasecmp(url->lud_scheme, "ldaps") != 0 &&
		   strcasecmp(url->lud_scheme, "ldapi") != 0) {
		certdir_error_set_about(error, "server", "server \"%s\": only ldap://, ldaps:// and ldapi:// are known",
					uri);
	} else if (is_set(url->lud_dn) && !is_domain) {
		certdir_error_set_about(
			error, "server",
			"server \"%s\": write \"%s\" as base_dn, not into the URI; only a domain "
			"stands there, as in ldap:///dc=example,dc=com, whose servers are found in the DNS",
			uri, url->lud_dn);
	} else if (config->start_tls && strcasecmp(url->lud_scheme, "ldap") != 0) {
		certdir_error_set_about(error, "server",
					"server \"%s\": start_tls is for ldap:// only; set start_tls = no", uri);
	} else if (is_set(config->password) && is_open(uri, url, config)) {
		certdir_error_set_about(error, "server",
					"server \"%s\" would get the password in clear text: use ldaps:// or "
					"start_tls = yes",
					uri);
	} else if (config->bind == CERTDIR_LDAP_BIND_EXTERNAL && strcasecmp(url->lud_scheme, "ldapi") != 0 &&
		   !(certdir_ldap_uses_tls(uri, config) && is_set(config->certificate_file) &&
		     is_set(config->private_key_file))) {
		certdir_error_set_about(error, "server",
					"server \"%s\": EXTERNAL is for ldapi://, or for TLS with "
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
		{"keytab", config->keytab},
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (is_set(files[i].path) && access(files[i].path, R_OK) != 0) {
			certdir_error_set_about(error, files[i].option, "%s \"%s\" cannot be read: %s", files[i].option,
						files[i].path, strerror(errno));
			return false;
		}
	return true;
}

static bool set_options(LDAP *handle, const struct certdir_ldap_config *config)
{
	const int version = LDAP_VERSION3, deref = LDAP_DEREF_NEVER;
	const int limit = (int)config->srv_timelimit;
	const struct timeval res = {.tv_sec = (time_t)config->res_timeout};
	const struct {
		int option;
		const void *value;
	} options[] = {
		{LDAP_OPT_PROTOCOL_VERSION, &version},
		{LDAP_OPT_REFERRALS, LDAP_OPT_OFF},
		{LDAP_OPT_RESTART, LDAP_OPT_OFF},
		/* A connection that broke stays broken: libldap would make another one by itself, and not bind it. */
		{LDAP_OPT_KEEPCONN, LDAP_OPT_ON},
		{LDAP_OPT_DEREF, &deref},
		{LDAP_OPT_NETWORK_TIMEOUT, &res}, /* of the TLS handshake: connected it is already */
		{LDAP_OPT_TIMEOUT, &res},
		{LDAP_OPT_TIMELIMIT, &limit},
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

static enum certdir_ldap_status set_all_options(const struct certdir_ldap_connection *connection,
						struct certdir_error *error)
{
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
		certdir_error_set_about(error, "require_cert",
					"require_cert = \"%s\": write never, allow, try, demand or hard",
					config->require_cert);
		goto out;
	}
	if (ldap_create(&trial.handle) != LDAP_SUCCESS)
		certdir_error_set(error, "out of memory");
	else
		ok = set_all_options(&trial, error) == CERTDIR_LDAP_OK;
out:
	if (trial.handle)
		(void)ldap_unbind_ext(trial.handle, NULL, NULL);
	return ok;
}

/* ---- open ---- */

/* Bytes of one message, an entry: a group of a million members has some 70 MiB. libldap would make room for whatever is announced. */
enum { MESSAGE_MAX = 256 << 20 };

/*
 * libldap reads the head of each message, and then the rest: an entry and the result are four reads and two waits. With
 * a layer that reads ahead below TLS and SASL what has come is read at once, most often both messages.
 */
static void set_reading(struct certdir_ldap_connection *connection)
{
	ber_len_t most = MESSAGE_MAX;
	Sockbuf *socket;

	if (ldap_get_option(connection->handle, LDAP_OPT_SOCKBUF, &socket) != LDAP_OPT_SUCCESS)
		return;
	(void)ber_sockbuf_ctrl(socket, LBER_SB_OPT_SET_MAX_INCOMING, &most);
	(void)ber_sockbuf_add_io(socket, &ber_sockbuf_io_readahead, LBER_SBIOD_LEVEL_PROVIDER, NULL);
}

static enum certdir_ldap_status connect_handle(struct certdir_ldap_connection *connection, struct certdir_error *error)
{
	const int protocol = certdir_ldap_is_local(connection->uri) ? LDAP_PROTO_IPC : LDAP_PROTO_TCP;
	enum certdir_ldap_status status;
	int fd, code;

	status = certdir_ldap_socket_connect(&fd, connection->uri, (int64_t)connection->config->net_timeout * 1000000,
					     &connection->watched, error);
	if (status != CERTDIR_LDAP_OK)
		return status;
	/* The host's name in the URI is what TLS and Kerberos look for in what the server shows. */
	code = ldap_init_fd(fd, protocol, connection->uri, &connection->handle);
	if (code == LDAP_SUCCESS) {
		set_reading(connection);
		return CERTDIR_LDAP_OK;
	}
	(void)close(fd);
	connection->handle = NULL;
	return certdir_ldap_conclude(connection, code, NULL, error);
}

/* TLS and the bind, which have res_timeout together. */
static enum certdir_ldap_status greet(struct certdir_ldap_connection *connection, struct certdir_kerberos *kerberos,
				      struct certdir_error *error)
{
	enum certdir_ldap_status status;

	certdir_ldap_begin(connection, certdir_ldap_deadline(connection));
	status = set_all_options(connection, error);
	if (status == CERTDIR_LDAP_OK && connection->config->start_tls)
		status = certdir_ldap_start_tls(connection, error);
	else if (status == CERTDIR_LDAP_OK && certdir_ldap_uses_tls(connection->uri, connection->config))
		status = certdir_ldap_conclude(connection, ldap_install_tls(connection->handle), NULL, error);
	if (status == CERTDIR_LDAP_OK)
		status = certdir_ldap_bind(connection, kerberos, error);
	/* Kerberos may have waited for its KDC for longer than the watchdog: its words say more. */
	if (status != CERTDIR_LDAP_REFUSED && status != CERTDIR_LDAP_FAILED)
		status = certdir_ldap_end(connection, status, error);
	return status;
}

enum certdir_ldap_status certdir_ldap_connection_open(struct certdir_ldap_connection **connection, const char *uri,
						      const struct certdir_ldap_config *config,
						      struct certdir_watchdog *watchdog, struct certdir_error *error)
{
	struct certdir_ldap_connection *opened = calloc(1, sizeof(*opened) + strlen(uri) + 1);
	struct certdir_kerberos kerberos = {.context = NULL};
	enum certdir_ldap_status status;

	*connection = NULL;
	if (!opened) {
		certdir_error_set(error, "out of memory");
		return CERTDIR_LDAP_LOST;
	}
	opened->uri = strcpy(opened->own_uri, uri);
	opened->config = config;
	certdir_watched_init(&opened->watched, watchdog);
	status = connect_handle(opened, error);
	if (status == CERTDIR_LDAP_OK)
		status = certdir_ldap_prepare(opened, &kerberos, error);
	if (status == CERTDIR_LDAP_OK)
		status = greet(opened, &kerberos, error);
	certdir_kerberos_clear(&kerberos);
	opened->open = status == CERTDIR_LDAP_OK;
	if (opened->open)
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

unsigned char *certdir_ldap_connection_certificate(const struct certdir_ldap_connection *connection, size_t *length)
{
	struct berval shown = {0, NULL};
	unsigned char *der;

	if (!certdir_ldap_uses_tls(connection->uri, connection->config) ||
	    ldap_get_option(connection->handle, LDAP_OPT_X_TLS_PEERCERT, &shown) != LDAP_OPT_SUCCESS || !shown.bv_val)
		return NULL;
	*length = shown.bv_len;
	der = malloc(shown.bv_len);
	if (der)
		memcpy(der, shown.bv_val, shown.bv_len);
	ldap_memfree(shown.bv_val);
	return der;
}

/* ---- search ---- */

enum certdir_ldap_status certdir_ldap_connection_search(struct certdir_ldap_connection *connection,
							const struct certdir_ldap_query *query, certdir_ldap_take each,
							void *context, struct certdir_error *error)
{
	struct certdir_ldap_search search = {
		.query = query,
		.until = query->until ? query->until : certdir_ldap_deadline(connection),
		.each = each,
		.context = context,
	};
	enum certdir_ldap_status status = certdir_ldap_search_run(connection, &search, error);

	ldap_controls_free(search.controls);
	return status;
}
