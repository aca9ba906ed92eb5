/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "accounting.h"

#include <arpa/inet.h>
#include <string.h>
#include <time.h>

#include "again.h"
#include "das.h"
#include "directory/list.h"
#include "raddb_section.h"
#include "sessions/sessions.h"

struct certdir_accounting {
	struct certdir_raddb const *raddb;
	char const *instance;
	struct certdir_class_key key;
	struct certdir_das *das;
	struct certdir_sessions *sessions;
};

/* ---- judging ---- */

static uint64_t edition(void *context)
{
	struct certdir_accounting const *self = context;
	struct certdir_checker const *checker = &self->raddb->checker;
	uint64_t sum = 0;

	for (size_t i = 0; i < checker->directory_count; i++)
		if (!checker->directories[i]->is_live)
			sum += certdir_directory_list_edition(checker->directories[i]);
	return sum;
}

static void judge(void *context, char const *text, bool live, struct certdir_judgement *judgement)
{
	struct certdir_accounting const *self = context;
	struct certdir_class class;
	struct certdir_check check;

	if (!certdir_class_open(&class, text, strlen(text), &self->key, self->instance))
		return;
	memset(&check, 0, sizeof(check));
	certdir_check_again(&check, &self->raddb->checker, &class, live, (int64_t)time(NULL));
	judgement->reason = check.decision.reason;
	judgement->verdict = certdir_reason_verdict(check.decision.reason);
	/* Who only observes ends nobody's session, and moves none. */
	if (self->raddb->observe || certdir_class_stays(&class, &check))
		judgement->verdict = CERTDIR_ALLOW;
	/* What the Class would be by now, so that the next look finds nothing changed. It stays that of the same login. */
	if (!self->raddb->observe && judgement->verdict == CERTDIR_ALLOW && certdir_class_changed(&class, &check)) {
		certdir_class_renew(&class, &check);
		judgement->changed = certdir_class_seal(&class, &self->key, judgement->class);
	}
	certdir_check_clear(&check);
}

bool certdir_accounting_class(struct certdir_accounting const *self, struct certdir_check const *check,
			      char text[CERTDIR_CLASS_MAX + 1])
{
	struct certdir_class class;

	if (self->raddb->observe && certdir_reason_verdict(check->decision.reason) != CERTDIR_ALLOW)
		certdir_class_of_observed(&class, check, self->instance, (int64_t)time(NULL));
	else
		certdir_class_of(&class, check, self->instance, (int64_t)time(NULL));
	return class.id_count > 0 && certdir_class_seal(&class, &self->key, text);
}

/* ---- packets ---- */

/* The numbers of the attributes of enum certdir_session_field. */
static unsigned const numbers[CERTDIR_SESSION_ATTRIBUTES] = {
	[CERTDIR_SESSION_ID] = PW_ACCT_SESSION_ID,
	[CERTDIR_SESSION_MULTI_ID] = PW_ACCT_MULTI_SESSION_ID,
	[CERTDIR_SESSION_STATION] = PW_CALLING_STATION_ID,
	[CERTDIR_SESSION_USER] = PW_USER_NAME,
	[CERTDIR_SESSION_NAS_IDENTIFIER] = PW_NAS_IDENTIFIER,
	[CERTDIR_SESSION_NAS_IP] = PW_NAS_IP_ADDRESS,
	[CERTDIR_SESSION_NAS_IPV6] = PW_NAS_IPV6_ADDRESS,
	[CERTDIR_SESSION_NAS_PORT] = PW_NAS_PORT,
	[CERTDIR_SESSION_NAS_PORT_ID] = PW_NAS_PORT_ID,
	[CERTDIR_SESSION_CALLED_STATION] = PW_CALLED_STATION_ID,
	[CERTDIR_SESSION_FRAMED_IP] = PW_FRAMED_IP_ADDRESS,
	[CERTDIR_SESSION_FRAMED_IPV6] = PW_FRAMED_IPV6_ADDRESS,
};

enum { TEXT_SIZE = 254 }; /* an attribute's value, and a NUL */

/*
 * A value as it came, before policies of the site rewrote it (rewrite_calling_station_id): the NAS knows its session by what it wrote itself.
 */
static bool find_raw(RADIUS_PACKET const *packet, unsigned number, uint8_t const **value, size_t *length)
{
	enum { HEADER = 20 };
	uint8_t const *at = packet->data, *end;

	if (!at || packet->data_len < HEADER)
		return false;
	end = at + packet->data_len;
	for (at += HEADER; end - at >= 2 && at[1] >= 2 && at[1] <= end - at; at += at[1])
		if (at[0] == number) {
			*value = at + 2;
			*length = (size_t)at[1] - 2;
			return true;
		}
	return false;
}

/* A text that is empty or has a NUL says nothing. */
static char const *copy_text(char text[TEXT_SIZE], void const *bytes, size_t length)
{
	if (length == 0 || length >= TEXT_SIZE || memchr(bytes, '\0', length))
		return NULL;
	memcpy(text, bytes, length);
	text[length] = '\0';
	return text;
}

static char const *print_value(VALUE_PAIR const *vp, char text[TEXT_SIZE])
{
	switch (vp->da->type) {
	case PW_TYPE_STRING:
		return copy_text(text, vp->vp_strvalue, vp->vp_length);
	case PW_TYPE_INTEGER:
		snprintf(text, TEXT_SIZE, "%u", vp->vp_integer);
		return text;
	case PW_TYPE_IPV4_ADDR:
		return inet_ntop(AF_INET, &vp->vp_ipaddr, text, TEXT_SIZE);
	case PW_TYPE_IPV6_ADDR:
		return inet_ntop(AF_INET6, &vp->vp_ipv6addr, text, TEXT_SIZE);
	default:
		return NULL;
	}
}

static char const *read_attribute(REQUEST *request, unsigned number, char text[TEXT_SIZE])
{
	VALUE_PAIR const *vp = fr_pair_find_by_num(request->packet->vps, number, 0, TAG_ANY);
	uint8_t const *raw;
	size_t length;

	if (!vp)
		return NULL;
	if (vp->da->type == PW_TYPE_STRING && find_raw(request->packet, number, &raw, &length))
		return copy_text(text, raw, length);
	return print_value(vp, text);
}

/*
 * A packet may have several Class attributes, others' among them, and those of logins before: the last login's counts. Its text, and when it
 * was issued; NULL: none is ours.
 */
static char const *find_class(struct certdir_accounting const *self, REQUEST *request, int64_t *issued,
			      char text[TEXT_SIZE])
{
	struct certdir_class class;
	char const *found = NULL;

	for (VALUE_PAIR const *vp = request->packet->vps; vp; vp = vp->next)
		if (vp->da->attr == PW_CLASS && vp->da->vendor == 0 &&
		    certdir_class_open(&class, (char const *)vp->vp_octets, vp->vp_length, &self->key,
				       self->instance) &&
		    (!found || class.issued > *issued)) {
			found = copy_text(text, vp->vp_octets, vp->vp_length);
			*issued = class.issued;
		}
	return found;
}

static int64_t number_of(REQUEST *request, unsigned number)
{
	VALUE_PAIR const *vp = fr_pair_find_by_num(request->packet->vps, number, 0, TAG_ANY);

	if (!vp)
		return 0;
	return vp->da->type == PW_TYPE_DATE ? (int64_t)vp->vp_date : (int64_t)vp->vp_integer;
}

static void read_client(REQUEST *request, struct sockaddr_storage *client)
{
	fr_ipaddr_t const *from = &request->packet->src_ipaddr;

	memset(client, 0, sizeof(*client));
	client->ss_family = (sa_family_t)from->af;
	if (from->af == AF_INET)
		((struct sockaddr_in *)client)->sin_addr = from->ipaddr.ip4addr;
	else
		((struct sockaddr_in6 *)client)->sin6_addr = from->ipaddr.ip6addr;
}

rlm_rcode_t certdir_accounting_take(struct certdir_accounting *self, REQUEST *request)
{
	enum { RADIUS_REQUEST = 1 }; /* Termination-Action: it logs in again, and the session goes on */
	char texts[CERTDIR_SESSION_ATTRIBUTES][TEXT_SIZE];
	struct certdir_packet packet = {.kind = (enum certdir_packet_kind)number_of(request, PW_ACCT_STATUS_TYPE),
					.received = (int64_t)time(NULL),
					.delay = number_of(request, PW_ACCT_DELAY_TIME),
					.event = number_of(request, PW_EVENT_TIMESTAMP)};

	for (unsigned i = 0; i < CERTDIR_SESSION_ATTRIBUTES; i++)
		if (i != CERTDIR_SESSION_CLASS)
			packet.session.text[i] = read_attribute(request, numbers[i], texts[i]);
	packet.session.text[CERTDIR_SESSION_CLASS] =
		find_class(self, request, &packet.session.issued, texts[CERTDIR_SESSION_CLASS]);
	if (number_of(request, PW_TERMINATION_ACTION) != RADIUS_REQUEST)
		packet.timeout = number_of(request, PW_SESSION_TIMEOUT);
	read_client(request, &packet.session.client);
	if (certdir_sessions_take(self->sessions, &packet) != CERTDIR_TOOK_IT)
		return RLM_MODULE_NOOP;
	certdir_das_heard(self->das, request);
	return RLM_MODULE_OK;
}

struct certdir_sessions *certdir_accounting_sessions(struct certdir_accounting const *self)
{
	return self->sessions;
}

/* ---- open and close ---- */

void certdir_accounting_close(struct certdir_accounting *self)
{
	if (!self)
		return;
	certdir_sessions_stop(self->sessions);
	certdir_das_close(self->das);
	certdir_sessions_close(self->sessions);
	explicit_bzero(&self->key, sizeof(self->key));
	free(self);
}

static bool open_all(struct certdir_accounting *self, CONF_SECTION *cs, struct certdir_error *error)
{
	struct certdir_raddb_sessions const *options = &self->raddb->sessions;
	struct certdir_sessions_config config = {.filename = options->filename,
						 .max_sessions = options->max_sessions,
						 .max_disconnect = options->max_disconnect,
						 .judge = {.judge = judge, .edition = edition, .context = self},
						 .sender = {.send = self->raddb->observe ? NULL : certdir_das_send}};
	bool const shared = options->key_file[0];

	for (size_t i = 0; i < self->raddb->checker.directory_count; i++)
		config.judge.live |= self->raddb->checker.directories[i]->is_live;
	if (shared ? !certdir_class_key_read(&self->key, options->key_file, error)
		   : !certdir_class_key_make(&self->key)) {
		if (!shared)
			certdir_error_set(error, "the system gives no random numbers");
		return false;
	}
	self->das = certdir_das_open(cs, error);
	if (!self->das)
		return false;
	config.sender.context = self->das;
	self->sessions = certdir_sessions_open(&config, shared ? NULL : &self->key, error);
	return self->sessions && certdir_sessions_start(self->sessions, error);
}

struct certdir_accounting *certdir_accounting_open(CONF_SECTION *cs, struct certdir_raddb const *raddb,
						   struct certdir_error *error)
{
	struct certdir_accounting *self = calloc(1, sizeof(*self));

	if (!self) {
		certdir_error_set(error, "out of memory");
		return NULL;
	}
	self->raddb = raddb;
	self->instance = section_instance(cs);
	if (open_all(self, cs, error))
		return self;
	certdir_accounting_close(self);
	return NULL;
}

bool certdir_accounting_check(CONF_SECTION *cs, struct certdir_raddb const *raddb, struct certdir_error *error)
{
	char const *key_file = raddb->sessions.key_file;
	struct certdir_class_key key;
	bool const right = !key_file[0] || certdir_class_key_read(&key, key_file, error);

	explicit_bzero(&key, sizeof(key));
	return right && certdir_das_check(cs, error);
}
