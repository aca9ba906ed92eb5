/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ldap/handle.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#include "base/background.h"

bool certdir_ldap_is_local(const char *uri)
{
	return strncasecmp(uri, "ldapi:", 6) == 0;
}

bool certdir_ldap_uses_tls(const char *uri, const struct certdir_ldap_config *config)
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
	{LDAP_NO_SUCH_OBJECT, CERTDIR_LDAP_NO_OBJECT, "check base_dn, and that identity may read it"},
	{LDAP_ALREADY_EXISTS, CERTDIR_LDAP_EXISTS, NULL},
	{LDAP_INSUFFICIENT_ACCESS, CERTDIR_LDAP_DENIED, "let identity read the devices under base_dn"},
	{LDAP_REFERRAL, CERTDIR_LDAP_READ_ONLY,
	 "another server holds base_dn, and referrals are not followed: name that one"},
	{LDAP_UNWILLING_TO_PERFORM, CERTDIR_LDAP_READ_ONLY, NULL},
	{LDAP_CONSTRAINT_VIOLATION, CERTDIR_LDAP_CONSTRAINT, NULL},
	{LDAP_INVALID_SYNTAX, CERTDIR_LDAP_CONSTRAINT, NULL},
	{LDAP_NAMING_VIOLATION, CERTDIR_LDAP_CONSTRAINT, NULL},
	{LDAP_OBJECT_CLASS_VIOLATION, CERTDIR_LDAP_CONSTRAINT, NULL},
	{LDAP_NOT_ALLOWED_ON_NONLEAF, CERTDIR_LDAP_NOT_LEAF, NULL},
	{LDAP_NO_SUCH_ATTRIBUTE, CERTDIR_LDAP_CHANGED, NULL},
	{LDAP_TYPE_OR_VALUE_EXISTS, CERTDIR_LDAP_CHANGED, NULL},
	{LDAP_OPERATIONS_ERROR, CERTDIR_LDAP_FAILED, "Active Directory wants identity and password"},
	{LDAP_FILTER_ERROR, CERTDIR_LDAP_FAILED, "check filter"},
	{LDAP_TIMELIMIT_EXCEEDED, CERTDIR_LDAP_FAILED,
	 "index the attributes that are searched, or raise srv_timelimit"},
	{LDAP_ADMINLIMIT_EXCEEDED, CERTDIR_LDAP_FAILED,
	 "index the attributes that are searched, or raise the server's limit"},
};

static const struct outcome *find_outcome(int code)
{
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
		if (outcomes[i].code == code)
			return &outcomes[i];
	return NULL;
}

enum certdir_ldap_status certdir_ldap_status_of(int code)
{
	const struct outcome *outcome = find_outcome(code);

	if (outcome)
		return outcome->status;
	/* Negative codes are libldap's own; those that are not in the table leave the connection in no known state. */
	return code < 0 ? CERTDIR_LDAP_LOST : CERTDIR_LDAP_FAILED;
}

/* The server's or libldap's own words; "" when there are none. */
static void diagnostic_of(const struct certdir_ldap_connection *connection, char text[CERTDIR_TEXT_MAX])
{
	char *message = NULL;

	text[0] = '\0';
	if (!connection->handle ||
	    ldap_get_option(connection->handle, LDAP_OPT_DIAGNOSTIC_MESSAGE, &message) != LDAP_OPT_SUCCESS || !message)
		return;
	for (char *c = message; *c; c++) {
		/* Active Directory's words are of several lines. */
		if (*c == '\n' || *c == '\r' || *c == '\t')
			*c = ' ';
		else if (*c < ' ' || *c > '~')
			*c = '?';
	}
	certdir_say(text, "%s", message);
	ldap_memfree(message);
}

void certdir_ldap_words(const struct certdir_ldap_connection *connection, int code, char text[CERTDIR_TEXT_MAX])
{
	char words[CERTDIR_TEXT_MAX];

	diagnostic_of(connection, words);
	/* GnuTLS's words for a certificate that is not trusted, among others. */
	if (strcmp(words, "(unknown error code)") == 0)
		words[0] = '\0';
	certdir_say(text, "%s%s%s%s", ldap_err2string(code), words[0] ? " (" : "", words, words[0] ? ")" : "");
}

/* Seconds that the operation has, to the tenth. */
static double patience(const struct certdir_ldap_connection *connection)
{
	return (double)((connection->until - connection->begun + 50000) / 100000) / 10;
}

enum certdir_ldap_status certdir_ldap_conclude(const struct certdir_ldap_connection *connection, int code,
					       const char *base, struct certdir_error *error)
{
	const enum certdir_ldap_status status = certdir_ldap_status_of(code);
	const struct outcome *outcome = find_outcome(code);
	const char *advice = outcome ? outcome->advice : NULL;
	char words[CERTDIR_TEXT_MAX];

	if (status == CERTDIR_LDAP_OK || status == CERTDIR_LDAP_SIZE_LIMIT)
		return status;
	if (status == CERTDIR_LDAP_TIMEOUT) {
		certdir_error_set(error, "%s: no answer within %g s", connection->uri, patience(connection));
		return status;
	}
	/* How to connect and bind is the same for everybody. */
	if (base && status != CERTDIR_LDAP_LOST && status != CERTDIR_LDAP_REFUSED)
		advice = NULL;
	/*
	 * With ldaps:// a handshake that fails is no more than a server that is down, except that there
	 * are words for it. There are also when a server goes down later, and then TLS did not fail.
	 */
	diagnostic_of(connection, words);
	if (code == LDAP_SERVER_DOWN && words[0] && certdir_ldap_uses_tls(connection->uri, connection->config))
		advice = tls_advice;
	if (advice == tls_advice && connection->open)
		advice = "the connection was lost: the server went down, or something on the way cut it";
	certdir_ldap_words(connection, code, words);
	certdir_error_set(error, "%s: %s%s%s%s%s%s", connection->uri, base ? "\"" : "", base ? base : "",
			  base ? "\": " : "", words, advice ? ": " : "", advice ? advice : "");
	return status;
}

/* ---- waiting ---- */

/* Microseconds between the end of waiting and the watchdog: the words of who waits say more. */
enum { SLACK = 50000 };

void certdir_ldap_begin(struct certdir_ldap_connection *connection, int64_t until)
{
	connection->begun = certdir_monotonic();
	connection->until = until;
	certdir_watched_begin(&connection->watched, until + SLACK);
}

enum certdir_ldap_status certdir_ldap_end(struct certdir_ldap_connection *connection, enum certdir_ldap_status status,
					  struct certdir_error *error)
{
	if (!certdir_watched_end(&connection->watched))
		return status;
	certdir_error_set(error,
			  "%s: no answer within %g s: it stopped in the middle of the TLS handshake or of a message",
			  connection->uri, patience(connection));
	return CERTDIR_LDAP_TIMEOUT;
}

int64_t certdir_ldap_deadline(const struct certdir_ldap_connection *connection)
{
	return certdir_monotonic() + (int64_t)connection->config->res_timeout * 1000000;
}

enum certdir_ldap_status certdir_ldap_await(struct certdir_ldap_connection *connection, int id, int all,
					    LDAPMessage **message, struct certdir_error *error)
{
	const int64_t left = connection->until - certdir_monotonic();
	struct timeval patience = {.tv_sec = (time_t)(left / 1000000), .tv_usec = (suseconds_t)(left % 1000000)};
	int type, code = LDAP_SUCCESS;

	*message = NULL;
	if (left <= 0)
		return certdir_ldap_conclude(connection, LDAP_TIMEOUT, NULL, error);
	type = ldap_result(connection->handle, id, all, &patience, message);
	if (type > 0)
		return CERTDIR_LDAP_OK;
	if (type == 0)
		return certdir_ldap_conclude(connection, LDAP_TIMEOUT, NULL, error);
	(void)ldap_get_option(connection->handle, LDAP_OPT_RESULT_CODE, &code);
	return certdir_ldap_conclude(connection, code == LDAP_SUCCESS ? LDAP_SERVER_DOWN : code, NULL, error);
}

/* ---- search ---- */

struct entry_values {
	struct certdir_ldap_value *values;
	size_t count, room;
	struct berval ranged; /* an attribute that came in pieces; bv_val NULL = none */
};

/* Whether an attribute with these options (";range=0-1499") is to be read; notes one that came in pieces. */
static bool is_wanted(const struct certdir_ldap_search *search, struct entry_values *all,
		      const struct berval *attribute, const char *options)
{
	static const char range[] = ";range=";
	const char *end = attribute->bv_val + attribute->bv_len;

	if (!search->whole || !options)
		return true;
	for (; (size_t)(end - options) >= sizeof(range) - 1; options++)
		if (strncasecmp(options, range, sizeof(range) - 1) == 0)
			all->ranged = *attribute;
	return false;
}

static bool add_value(struct entry_values *all, const struct certdir_ldap_value *value)
{
	if (all->count == all->room) {
		const size_t room = all->room ? 2 * all->room : 16;
		struct certdir_ldap_value *grown = realloc(all->values, room * sizeof(*grown));

		if (!grown)
			return false;
		all->values = grown;
		all->room = room;
	}
	all->values[all->count++] = *value;
	return true;
}

/* Bytes of the entry that are not read yet. */
static ber_len_t left_of(BerElement *ber)
{
	ber_len_t left = 0;

	(void)ber_get_option(ber, LBER_OPT_REMAINING_BYTES, &left);
	return left;
}

/*
 * Reads a PartialAttribute (RFC 4511 4.1.7). ldap_get_attribute_ber() would allocate an array for each, which was 6 % of the
 * module's instructions in a login.
 */
static int read_attribute(const struct certdir_ldap_search *search, BerElement *ber, struct entry_values *all)
{
	struct certdir_ldap_value value;
	struct berval attribute, bytes;
	ber_len_t length, end;
	const char *options;
	bool wanted;

	if (ber_skip_tag(ber, &length) != LBER_SEQUENCE || ber_skip_element(ber, &attribute) != LBER_OCTETSTRING ||
	    ber_skip_tag(ber, &length) != LBER_SET || length > left_of(ber))
		return LDAP_DECODING_ERROR;
	options = memchr(attribute.bv_val, ';', attribute.bv_len);
	wanted = is_wanted(search, all, &attribute, options);
	value.attribute = attribute.bv_val;
	value.attribute_length = options ? (size_t)(options - attribute.bv_val) : attribute.bv_len;
	end = left_of(ber) - length;
	while (left_of(ber) > end) {
		if (ber_skip_element(ber, &bytes) != LBER_OCTETSTRING)
			return LDAP_DECODING_ERROR;
		value.bytes = (const unsigned char *)bytes.bv_val;
		value.length = bytes.bv_len;
		if (wanted && !add_value(all, &value))
			return LDAP_NO_MEMORY;
	}
	return left_of(ber) == end ? LDAP_SUCCESS : LDAP_DECODING_ERROR;
}

/* Reads an entry in place: the strings stay in the message, only the table of them is allocated. */
static int read_entry(const struct certdir_ldap_connection *connection, const struct certdir_ldap_search *search,
		      LDAPMessage *message, struct certdir_ldap_entry *entry, struct entry_values *all)
{
	struct berval dn = {0, NULL};
	BerElement *ber = NULL;
	int code = ldap_get_dn_ber(connection->handle, message, &ber, &dn);

	while (code == LDAP_SUCCESS && left_of(ber) > 0)
		code = read_attribute(search, ber, all);
	if (ber)
		ber_free(ber, 0);
	entry->dn = dn.bv_val;
	entry->dn_length = dn.bv_len;
	entry->values = all->values;
	entry->count = all->count;
	entry->pieces = all->ranged.bv_val;
	entry->pieces_length = all->ranged.bv_len;
	return code;
}

/* What messages of a listing name. */
static const char *base_of(const struct certdir_ldap_search *search)
{
	return search->whole ? search->query->base : NULL;
}

static enum certdir_ldap_status deliver(struct certdir_ldap_connection *connection, LDAPMessage *message,
					struct certdir_ldap_search *search, struct entry_values *all,
					struct certdir_error *error)
{
	struct certdir_ldap_entry entry;
	enum certdir_ldap_status status;

	/* A server need not heed the limit it is asked to keep. */
	if (search->query->size_limit && search->count >= search->query->size_limit)
		return CERTDIR_LDAP_SIZE_LIMIT;
	search->count++;
	all->count = 0;
	all->ranged.bv_val = NULL;
	status = certdir_ldap_conclude(connection, read_entry(connection, search, message, &entry, all),
				       base_of(search), error);
	if (status == CERTDIR_LDAP_OK) {
		error->text[0] = '\0';
		if (!search->each(search->context, &entry)) {
			if (!error->text[0])
				certdir_error_set(error, "out of memory");
			status = CERTDIR_LDAP_FAILED;
		}
	}
	return status;
}

static enum certdir_ldap_status read_result(struct certdir_ldap_connection *connection, LDAPMessage *message,
					    struct certdir_ldap_search *search, struct certdir_error *error)
{
	int code = LDAP_SUCCESS;
	const int parsed =
		ldap_parse_result(connection->handle, message, &code, NULL, NULL, NULL, &search->controls, 0);

	return certdir_ldap_conclude(connection, parsed == LDAP_SUCCESS ? code : parsed, base_of(search), error);
}

/* Takes messages until the final one. `*final` tells whether it came: without it an answer is not the whole truth. */
static enum certdir_ldap_status receive(struct certdir_ldap_connection *connection, int id,
					struct certdir_ldap_search *search, bool *final, struct certdir_error *error)
{
	struct entry_values all = {.values = NULL}; /* one table for all entries, one after the other */
	enum certdir_ldap_status status;

	*final = false;
	do {
		LDAPMessage *message;

		status = certdir_ldap_await(connection, id, LDAP_MSG_ONE, &message, error);
		if (status != CERTDIR_LDAP_OK)
			break;
		switch (ldap_msgtype(message)) {
		case LDAP_RES_SEARCH_ENTRY:
			status = deliver(connection, message, search, &all, error);
			break;
		case LDAP_RES_SEARCH_REFERENCE:
			/* Active Directory sends some for other partitions below the base; devices are not in them. */
			break;
		case LDAP_RES_SEARCH_RESULT:
			*final = true;
			status = read_result(connection, message, search, error);
			break;
		default:
			status = certdir_ldap_conclude(connection, LDAP_DECODING_ERROR, NULL, error);
			break;
		}
		(void)ldap_msgfree(message);
	} while (status == CERTDIR_LDAP_OK && !*final);
	free(all.values);
	return status;
}

enum certdir_ldap_status certdir_ldap_search_send(struct certdir_ldap_connection *connection,
						  struct certdir_ldap_search *search, int *id,
						  struct certdir_error *error)
{
	static const int scopes[] = {
		[CERTDIR_LDAP_BASE] = LDAP_SCOPE_BASE,
		[CERTDIR_LDAP_ONE] = LDAP_SCOPE_ONELEVEL,
		[CERTDIR_LDAP_SUBTREE] = LDAP_SCOPE_SUBTREE,
	};
	const struct certdir_ldap_query *query = search->query;
	LDAPControl *controls[] = {search->control, NULL};
	int code;

	search->count = 0;
	search->controls = NULL;
	certdir_ldap_begin(connection, search->until);
	/* libldap takes the names as char **, and does not write to them. */
	code = ldap_search_ext(connection->handle, query->base, scopes[query->scope], query->filter,
			       (char **)(uintptr_t)query->attributes, 0, controls, NULL, NULL, query->size_limit, id);
	return certdir_ldap_end(connection, certdir_ldap_conclude(connection, code, base_of(search), error), error);
}

enum certdir_ldap_status certdir_ldap_search_receive(struct certdir_ldap_connection *connection,
						     struct certdir_ldap_search *search, int id,
						     struct certdir_error *error)
{
	enum certdir_ldap_status status;
	bool final = false;

	certdir_ldap_begin(connection, search->until);
	status = receive(connection, id, search, &final, error);
	/* What still comes of a search that was broken off must not be kept for ever. */
	if (!final && (status == CERTDIR_LDAP_SIZE_LIMIT || status == CERTDIR_LDAP_FAILED))
		(void)ldap_abandon_ext(connection->handle, id, NULL, NULL);
	return certdir_ldap_end(connection, status, error);
}

enum certdir_ldap_status certdir_ldap_search_run(struct certdir_ldap_connection *connection,
						 struct certdir_ldap_search *search, struct certdir_error *error)
{
	enum certdir_ldap_status status;
	int id;

	status = certdir_ldap_search_send(connection, search, &id, error);
	return status == CERTDIR_LDAP_OK ? certdir_ldap_search_receive(connection, search, id, error) : status;
}
