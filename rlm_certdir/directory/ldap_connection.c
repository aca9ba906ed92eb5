/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/ldap_connection.h"

#include "background.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>
#include <unistd.h>

struct certdir_ldap_connection {
	LDAP *handle;
	const char *uri;
	const struct certdir_ldap_config *config;
	struct certdir_watched watched;
	struct ldap_conncb callbacks; /* libldap tells the socket through them */
};

static bool is_set(const char *value)
{
	return value && *value;
}

static bool uses_tls(const char *uri, const struct certdir_ldap_config *config)
{
	return config->start_tls || strncasecmp(uri, "ldaps:", 6) == 0;
}

/* ---- what went wrong, in one place ---- */

static const char tls_advice[] =
	"TLS failed: check the port, ca_file, require_cert and the names in the server's certificate";

static const struct outcome {
	int code;
	enum certdir_ldap_status status;
	const char *advice;
} outcomes[] = {
	{LDAP_SUCCESS, CERTDIR_LDAP_OK, NULL},
	{LDAP_SIZELIMIT_EXCEEDED, CERTDIR_LDAP_SIZE_LIMIT, NULL},
	{LDAP_SERVER_DOWN, CERTDIR_LDAP_LOST, NULL},
	{LDAP_CONNECT_ERROR, CERTDIR_LDAP_LOST, tls_advice},
	{LDAP_UNAVAILABLE, CERTDIR_LDAP_LOST, NULL},
	{LDAP_BUSY, CERTDIR_LDAP_LOST, NULL},
	{LDAP_DECODING_ERROR, CERTDIR_LDAP_LOST, "what answers there does not speak LDAP"},
	{LDAP_TIMEOUT, CERTDIR_LDAP_TIMEOUT, NULL},
	{LDAP_INVALID_CREDENTIALS, CERTDIR_LDAP_REFUSED, "check identity and password"},
	{LDAP_INAPPROPRIATE_AUTH, CERTDIR_LDAP_REFUSED, "check identity and password"},
	{LDAP_STRONG_AUTH_REQUIRED, CERTDIR_LDAP_REFUSED, "the server wants TLS: use ldaps:// or start_tls = yes"},
	{LDAP_CONFIDENTIALITY_REQUIRED, CERTDIR_LDAP_REFUSED, "the server wants TLS: use ldaps:// or start_tls = yes"},
	{LDAP_INVALID_DN_SYNTAX, CERTDIR_LDAP_FAILED, "check that identity and base_dn are DNs"},
	{LDAP_NO_SUCH_OBJECT, CERTDIR_LDAP_FAILED, "check base_dn, and that identity may read it"},
	{LDAP_INSUFFICIENT_ACCESS, CERTDIR_LDAP_FAILED, "let identity read the devices under base_dn"},
	{LDAP_OPERATIONS_ERROR, CERTDIR_LDAP_FAILED, "Active Directory wants identity and password"},
	{LDAP_FILTER_ERROR, CERTDIR_LDAP_FAILED, "check filter"},
	{LDAP_TIMELIMIT_EXCEEDED, CERTDIR_LDAP_FAILED,
	 "index the attributes that are searched, or raise srv_timelimit"},
	{LDAP_ADMINLIMIT_EXCEEDED, CERTDIR_LDAP_FAILED,
	 "index the attributes that are searched, or raise the server's limit"},
	{LDAP_REFERRAL, CERTDIR_LDAP_FAILED,
	 "another server holds base_dn, and referrals are not followed: name that one"},
};

/* The server's or libldap's own words, made fit for a log line. */
static void diagnostic_of(const struct certdir_ldap_connection *connection, char *text, size_t size)
{
	char *message = NULL;

	text[0] = '\0';
	if (!connection->handle ||
	    ldap_get_option(connection->handle, LDAP_OPT_DIAGNOSTIC_MESSAGE, &message) != LDAP_OPT_SUCCESS || !message)
		return;
	(void)snprintf(text, size, "%s", message);
	for (char *c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	ldap_memfree(message);
}

static const struct outcome *find_outcome(int code)
{
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
		if (outcomes[i].code == code)
			return &outcomes[i];
	return NULL;
}

/* Folds a result code; for anything but success and size limit `error` gets the server, the words and an advice. */
static enum certdir_ldap_status conclude(const struct certdir_ldap_connection *connection, int code,
					 struct certdir_error *error)
{
	const struct outcome *outcome = find_outcome(code);
	/* Negative codes are libldap's own; those that are not in the table leave the connection in no known state. */
	const enum certdir_ldap_status status = outcome	   ? outcome->status
						: code < 0 ? CERTDIR_LDAP_LOST
							   : CERTDIR_LDAP_FAILED;
	const char *advice = outcome ? outcome->advice : NULL;
	char words[200];

	if (status == CERTDIR_LDAP_OK || status == CERTDIR_LDAP_SIZE_LIMIT)
		return status;
	if (status == CERTDIR_LDAP_TIMEOUT) {
		certdir_error_set(error, "%s: no answer within %" PRIu32 " s", connection->uri,
				  connection->config->res_timeout);
		return status;
	}
	diagnostic_of(connection, words, sizeof(words));
	/*
	 * With ldaps:// a handshake that fails is no more than a server that is down, except that there
	 * are words for it.
	 */
	if (code == LDAP_SERVER_DOWN && words[0] && uses_tls(connection->uri, connection->config))
		advice = tls_advice;
	/* GnuTLS's words for a certificate that is not trusted, among others. */
	if (strcmp(words, "(unknown error code)") == 0)
		words[0] = '\0';
	certdir_error_set(error, "%s: %s%s%s%s%s%s", connection->uri, ldap_err2string(code), words[0] ? " (" : "",
			  words, words[0] ? ")" : "", advice ? ": " : "", advice ? advice : "");
	return status;
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
	} else if (is_set(config->password) && !uses_tls(uri, config) && !is_loopback(url)) {
		certdir_error_set(error,
				  "ldap: server \"%s\" would get the password in clear text: use ldaps:// or "
				  "start_tls = yes",
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
		return conclude(connection, code, error);
	}
	if (!set_options(connection->handle, connection->config)) {
		certdir_error_set(error, "%s: the LDAP library refused its options", connection->uri);
		return CERTDIR_LDAP_LOST;
	}
	if (uses_tls(connection->uri, connection->config) && !set_tls_options(connection->handle, connection->config)) {
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

/* ---- operations ---- */

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

/*
 * Between these two the watchdog has an eye on the connection. Its deadline is behind libldap's own, whose messages are
 * better where they hold.
 */
static void begin(struct certdir_ldap_connection *connection, uint32_t seconds)
{
	certdir_watched_begin(&connection->watched, ((int64_t)seconds + 1) * 1000000);
}

static enum certdir_ldap_status end(struct certdir_ldap_connection *connection, enum certdir_ldap_status status,
				    uint32_t seconds, struct certdir_error *error)
{
	if (!certdir_watched_end(&connection->watched))
		return status;
	certdir_error_set(error, "%s: stopped in the middle of the TLS handshake or of a message for %" PRIu32 " s",
			  connection->uri, seconds + 1);
	return CERTDIR_LDAP_TIMEOUT;
}

static int64_t deadline_of(const struct certdir_ldap_connection *connection)
{
	return certdir_monotonic() + (int64_t)connection->config->res_timeout * 1000000;
}

/* Waits for the next message of an operation. On OK the caller frees *message. */
static enum certdir_ldap_status await(struct certdir_ldap_connection *connection, int id, int64_t deadline,
				      LDAPMessage **message, struct certdir_error *error)
{
	const int64_t left = deadline - certdir_monotonic();
	struct timeval patience = {.tv_sec = (time_t)(left / 1000000), .tv_usec = (suseconds_t)(left % 1000000)};
	int type, code = LDAP_SUCCESS;

	*message = NULL;
	if (left <= 0)
		return conclude(connection, LDAP_TIMEOUT, error);
	type = ldap_result(connection->handle, id, LDAP_MSG_ONE, &patience, message);
	if (type > 0)
		return CERTDIR_LDAP_OK;
	if (type == 0)
		return conclude(connection, LDAP_TIMEOUT, error);
	(void)ldap_get_option(connection->handle, LDAP_OPT_RESULT_CODE, &code);
	return conclude(connection, code == LDAP_SUCCESS ? LDAP_SERVER_DOWN : code, error);
}

/* The result code inside a final message. */
static enum certdir_ldap_status result_of(struct certdir_ldap_connection *connection, LDAPMessage *message,
					  struct certdir_error *error)
{
	int code = LDAP_SUCCESS;
	int parsed = ldap_parse_result(connection->handle, message, &code, NULL, NULL, NULL, NULL, 0);

	return conclude(connection, parsed == LDAP_SUCCESS ? code : parsed, error);
}

/* Waits for the one message that answers an operation and gives its result code. */
static enum certdir_ldap_status outcome_of(struct certdir_ldap_connection *connection, int id,
					   struct certdir_error *error)
{
	LDAPMessage *message;
	enum certdir_ldap_status status = await(connection, id, deadline_of(connection), &message, error);

	if (status == CERTDIR_LDAP_OK)
		status = result_of(connection, message, error);
	(void)ldap_msgfree(message);
	return status;
}

static enum certdir_ldap_status start_tls(struct certdir_ldap_connection *connection, struct certdir_error *error)
{
	enum certdir_ldap_status status;
	int id, code = ldap_start_tls(connection->handle, NULL, NULL, &id);

	if (code != LDAP_SUCCESS)
		return conclude(connection, code, error);
	status = outcome_of(connection, id, error);
	if (status != CERTDIR_LDAP_OK)
		return status;
	return conclude(connection, ldap_install_tls(connection->handle), error);
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
		return conclude(connection, LDAP_NO_MEMORY, error);
	credentials.bv_len = strlen(copy);
	credentials.bv_val = copy;
	code = ldap_sasl_bind(connection->handle, identity ? identity : "", LDAP_SASL_SIMPLE, &credentials, NULL, NULL,
			      &id);
	explicit_bzero(copy, credentials.bv_len);
	free(copy);
	if (code != LDAP_SUCCESS)
		return conclude(connection, code, error);
	return outcome_of(connection, id, error);
}

enum certdir_ldap_status certdir_ldap_connection_open(struct certdir_ldap_connection **connection, const char *uri,
						      const struct certdir_ldap_config *config,
						      struct certdir_watchdog *watchdog, struct certdir_error *error)
{
	const uint32_t patience = config->net_timeout + config->res_timeout;
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
	begin(opened, patience);
	status = prepare(opened, error);
	if (status == CERTDIR_LDAP_OK &&
	    ldap_set_option(opened->handle, LDAP_OPT_CONNECT_CB, &opened->callbacks) != LDAP_OPT_SUCCESS)
		status = conclude(opened, LDAP_NO_MEMORY, error);
	if (status == CERTDIR_LDAP_OK && config->start_tls)
		status = start_tls(opened, error);
	if (status == CERTDIR_LDAP_OK)
		status = bind_simple(opened, error);
	status = end(opened, status, patience, error);
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
	begin(connection, connection->config->net_timeout);
	if (connection->handle)
		(void)ldap_unbind_ext(connection->handle, NULL, NULL);
	certdir_watched_clear(&connection->watched);
	free(connection);
}

/* ---- search ---- */

struct entry_values {
	struct certdir_ldap_value *values;
	size_t count;
};

static bool add_values(struct entry_values *all, const struct berval *attribute, const struct berval *values)
{
	const char *options = memchr(attribute->bv_val, ';', attribute->bv_len);
	struct certdir_ldap_value *grown;
	size_t count = 0;

	while (values && values[count].bv_val)
		count++;
	if (count == 0)
		return true;
	grown = realloc(all->values, (all->count + count) * sizeof(*grown));
	if (!grown)
		return false;
	all->values = grown;
	for (size_t i = 0; i < count; i++)
		all->values[all->count++] = (struct certdir_ldap_value){
			.attribute = attribute->bv_val,
			.attribute_length = options ? (size_t)(options - attribute->bv_val) : attribute->bv_len,
			.bytes = (const unsigned char *)values[i].bv_val,
			.length = values[i].bv_len,
		};
	return true;
}

/* Reads an entry in place: the strings stay in the message, only the table of them is allocated. */
static int read_entry(LDAP *handle, LDAPMessage *message, struct certdir_ldap_entry *entry, struct entry_values *all)
{
	struct berval dn = {0, NULL}, attribute = {0, NULL}, *values = NULL;
	BerElement *ber = NULL;
	int code = ldap_get_dn_ber(handle, message, &ber, &dn);

	while (code == LDAP_SUCCESS) {
		code = ldap_get_attribute_ber(handle, message, ber, &attribute, &values);
		if (code != LDAP_SUCCESS || !attribute.bv_val)
			break;
		if (!add_values(all, &attribute, values))
			code = LDAP_NO_MEMORY;
		ldap_memfree(values);
		values = NULL;
	}
	if (ber)
		ber_free(ber, 0);
	entry->dn = dn.bv_val;
	entry->dn_length = dn.bv_len;
	entry->values = all->values;
	entry->count = all->count;
	return code;
}

struct delivery {
	bool (*each)(void *context, const struct certdir_ldap_entry *entry);
	void *context;
	int room; /* how many entries more */
};

static enum certdir_ldap_status deliver(struct certdir_ldap_connection *connection, LDAPMessage *message,
					struct delivery *delivery, struct certdir_error *error)
{
	struct entry_values all = {NULL, 0};
	struct certdir_ldap_entry entry;
	enum certdir_ldap_status status;

	/* A server need not heed the limit it is asked to keep. */
	if (delivery->room-- <= 0)
		return CERTDIR_LDAP_SIZE_LIMIT;
	status = conclude(connection, read_entry(connection->handle, message, &entry, &all), error);
	if (status == CERTDIR_LDAP_OK && !delivery->each(delivery->context, &entry)) {
		certdir_error_set(error, "out of memory");
		status = CERTDIR_LDAP_FAILED;
	}
	free(all.values);
	return status;
}

/* Takes messages until the final one. `*final` tells whether it came: without it an answer is not the whole truth. */
static enum certdir_ldap_status receive(struct certdir_ldap_connection *connection, int id, struct delivery *delivery,
					bool *final, struct certdir_error *error)
{
	const int64_t deadline = deadline_of(connection);
	enum certdir_ldap_status status;

	*final = false;
	do {
		LDAPMessage *message;

		status = await(connection, id, deadline, &message, error);
		if (status != CERTDIR_LDAP_OK)
			return status;
		switch (ldap_msgtype(message)) {
		case LDAP_RES_SEARCH_ENTRY:
			status = deliver(connection, message, delivery, error);
			break;
		case LDAP_RES_SEARCH_REFERENCE:
			/* Active Directory sends some for other partitions below base_dn; devices are not in them. */
			break;
		case LDAP_RES_SEARCH_RESULT:
			*final = true;
			status = result_of(connection, message, error);
			break;
		default:
			status = conclude(connection, LDAP_DECODING_ERROR, error);
			break;
		}
		(void)ldap_msgfree(message);
	} while (status == CERTDIR_LDAP_OK && !*final);
	return status;
}

static int scope_of(const struct certdir_ldap_config *config)
{
	if (is_set(config->scope) && strcmp(config->scope, "one") == 0)
		return LDAP_SCOPE_ONELEVEL;
	if (is_set(config->scope) && strcmp(config->scope, "base") == 0)
		return LDAP_SCOPE_BASE;
	return LDAP_SCOPE_SUBTREE;
}

enum certdir_ldap_status
certdir_ldap_connection_search(struct certdir_ldap_connection *connection, const struct certdir_ldap_query *query,
			       bool (*each)(void *context, const struct certdir_ldap_entry *entry), void *context,
			       struct certdir_error *error)
{
	const struct certdir_ldap_config *config = connection->config;
	struct delivery delivery = {each, context, query->size_limit};
	enum certdir_ldap_status status;
	bool final = false;
	int id, code;

	begin(connection, config->res_timeout);
	/* libldap takes the names as char **, and does not write to them. */
	code = ldap_search_ext(connection->handle, config->base_dn, scope_of(config), query->filter,
			       (char **)(uintptr_t)query->attributes, 0, NULL, NULL, NULL, query->size_limit, &id);
	if (code != LDAP_SUCCESS)
		return end(connection, conclude(connection, code, error), config->res_timeout, error);
	status = receive(connection, id, &delivery, &final, error);
	/* What still comes of a search that was broken off must not be kept for ever. */
	if (!final && (status == CERTDIR_LDAP_SIZE_LIMIT || status == CERTDIR_LDAP_FAILED))
		(void)ldap_abandon_ext(connection->handle, id, NULL, NULL);
	return end(connection, status, config->res_timeout, error);
}
