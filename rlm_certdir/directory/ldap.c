/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The LDAP directory: connections kept between searches, and a search that asks for all names of a
 * certificate at once.
 */
#include "directory/directory.h"
#include "directory/ldap_connection.h"
#include "directory/ldap_entry.h"
#include "directory/ldap_filter.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* Enough to see that there are two; more are as good as these. */
enum { SIZE_LIMIT = 10 };
/* Seconds. Servers and firewalls drop what is idle, some without a word. */
enum { IDLE_MAX = 60 };
/* Seconds in which a server that did not answer in time is asked after all others: not every login is to wait for it. */
enum { UNWELL_TIME = 30 };
enum { SERVERS_MAX = 16 };

struct session {
	struct certdir_ldap_connection *connection;
	size_t server; /* index */
	struct session *next;
	time_t idle_since;
};

struct ldap_directory {
	struct certdir_directory directory;
	struct certdir_ldap_config config;
	const char *filter;
	char **uris; /* NULL-terminated */
	size_t server_count;
	atomic_llong *well_again; /* for each of them: until then it counts as unwell */
	struct certdir_ldap_map map;
	const char **attributes; /* NULL-terminated; the names are the map's and static ones */
	struct certdir_watchdog *watchdog;
	pthread_mutex_t lock; /* guards `idle` */
	struct session *idle; /* the last one given back first */
	atomic_flag hidden_told;
	atomic_flag unconfirmed_told;
};

/* ---- sessions: each search has one to itself, so there are never more than worker threads ---- */

static time_t monotonic(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void end_sessions(struct session *session)
{
	while (session) {
		struct session *next = session->next;

		certdir_ldap_connection_close(session->connection);
		free(session);
		session = next;
	}
}

static bool is_unwell(struct ldap_directory *self, size_t server)
{
	return atomic_load(&self->well_again[server]) > monotonic();
}

static void note_timeout(struct ldap_directory *self, size_t server)
{
	atomic_store(&self->well_again[server], monotonic() + UNWELL_TIME);
}

/*
 * An idle session, or NULL. The stack is in order of time: when one has been idle too long, all below it have, too.
 * Those with a server that is unwell are of no use while there are others.
 */
static struct session *take_idle(struct ldap_directory *self)
{
	const time_t oldest = monotonic() - IDLE_MAX;
	struct session *taken = NULL, **tail, *old, *unwell = NULL;

	(void)pthread_mutex_lock(&self->lock);
	for (tail = &self->idle; *tail && (*tail)->idle_since >= oldest; tail = &(*tail)->next)
		;
	old = *tail;
	*tail = NULL;
	while ((taken = self->idle) != NULL) {
		self->idle = taken->next;
		if (self->server_count < 2 || !is_unwell(self, taken->server))
			break;
		taken->next = unwell;
		unwell = taken;
	}
	(void)pthread_mutex_unlock(&self->lock);
	end_sessions(unwell);
	end_sessions(old);
	if (taken)
		taken->next = NULL;
	return taken;
}

static void give_back(struct ldap_directory *self, struct session *session)
{
	session->idle_since = monotonic();
	(void)pthread_mutex_lock(&self->lock);
	session->next = self->idle;
	self->idle = session;
	(void)pthread_mutex_unlock(&self->lock);
}

/* The server to try as number `turn`: those that are well, in order, then the others. */
static size_t in_turn(const bool *unwell, size_t count, size_t turn)
{
	for (size_t pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < count; i++)
			if (unwell[i] == (pass == 1) && turn-- == 0)
				return i;
	return 0;
}

/* A new session with the first server that takes us. `error` says what each of them said. */
static struct session *connect_one(struct ldap_directory *self, struct certdir_error *error)
{
	struct session *session = calloc(1, sizeof(*session));
	struct certdir_error all = {""};
	bool unwell[SERVERS_MAX];
	size_t used = 0;

	for (size_t i = 0; i < self->server_count; i++)
		unwell[i] = is_unwell(self, i);
	for (size_t turn = 0; session && turn < self->server_count; turn++) {
		const size_t server = in_turn(unwell, self->server_count, turn);
		enum certdir_ldap_status status = certdir_ldap_connection_open(&session->connection, self->uris[server],
									       &self->config, self->watchdog, error);

		session->server = server;
		if (status == CERTDIR_LDAP_OK)
			return session;
		if (status == CERTDIR_LDAP_TIMEOUT)
			note_timeout(self, server);
		/* A wrong password is wrong everywhere, and each trial counts towards the account's lockout. */
		if (status == CERTDIR_LDAP_REFUSED) {
			free(session);
			return NULL;
		}
		if (used < sizeof(all.text) - 1)
			used += (size_t)snprintf(all.text + used, sizeof(all.text) - used, "%s%s", used ? "; " : "",
						 error->text);
	}
	certdir_error_set(error, "%s", session ? all.text : "out of memory");
	free(session);
	return NULL;
}

/* ---- search ---- */

struct lookup {
	struct ldap_directory *self;
	const struct certdir_certificate *certificate;
	uint64_t ask;
	struct certdir_answer *answer;
	bool unconfirmed; /* the server found an entry by a name that does not stand in it */
};

/* Speaks once in the life of the directory: a permission that is missing is missing at every login. */
static void tell_once(struct ldap_directory *self, atomic_flag *told, const char *dn, const char *what)
{
	if (!atomic_flag_test_and_set(told))
		certdir_log(CERTDIR_LOG_WARN, "directory %s: %s: %s",
			    self->directory.name ? self->directory.name : "ldap", dn, what);
}

static bool is_listed(const struct certdir_answer *answer, const char *id)
{
	for (size_t m = 0; m < answer->count; m++)
		if (strcmp(answer->matches[m].device.id, id) == 0)
			return true;
	return false;
}

/*
 * Takes one entry into the answer. Which identities found it is decided by the values in the entry itself, byte for
 * byte but for ASCII case: a server may match more loosely (Active Directory ignores accents),
 * or find by an attribute that it will not show us. Such an entry is not accepted, or a stranger could come in by a
 * similar name; and it is not passed over, or a name that two devices share could look like one device's. It makes
 * the identities it was asked by unfit to select (`truncated`), and others must settle which device it is.
 */
static bool take_entry(void *context, const struct certdir_ldap_entry *entry)
{
	struct lookup *lookup = context;
	struct ldap_directory *self = lookup->self;
	const uint64_t by = certdir_ldap_entry_found_by(entry, &self->map, lookup->certificate, lookup->ask);
	struct certdir_device device;
	struct certdir_match *match;

	switch (certdir_ldap_entry_device(&device, entry, &self->map)) {
	case CERTDIR_LDAP_ENTRY_OK:
		break;
	case CERTDIR_LDAP_ENTRY_HIDDEN:
		tell_once(self, &self->hidden_told, device.id,
			  "userAccountControl is not shown to us, so accounts count as not enabled: "
			  "let the identity of this directory read it");
		break;
	case CERTDIR_LDAP_ENTRY_BAD:
		lookup->unconfirmed = true;
		return true;
	case CERTDIR_LDAP_ENTRY_MEMORY:
		return false;
	}
	if (!by) {
		lookup->unconfirmed = true;
		tell_once(self, &self->unconfirmed_told, device.id,
			  "the server found it by a name that does not stand in the attributes it shows: "
			  "let the identity of this directory read the attributes that are searched");
	}
	if (!by || is_listed(lookup->answer, device.id)) {
		certdir_device_clear(&device);
		return true;
	}
	match = certdir_answer_add(lookup->answer);
	if (!match) {
		certdir_device_clear(&device);
		return false;
	}
	match->device = device;
	match->by = by;
	return true;
}

static void forget_matches(struct certdir_answer *answer)
{
	const uint32_t holds = answer->holds;

	certdir_answer_clear(answer);
	answer->holds = holds;
}

/*
 * Runs one query. A connection that was idle may be dead without our knowing: then, once, a fresh one is tried (an
 * entry that came before the break and comes again is listed once).
 * The session is kept for the next query of the same search, or NULL when it is of no more use.
 */
static enum certdir_ldap_status run_query(struct lookup *lookup, struct session **session,
					  const struct certdir_ldap_query *query, struct certdir_error *error)
{
	struct ldap_directory *self = lookup->self;
	bool again = *session != NULL || self->server_count > 1;
	enum certdir_ldap_status status;

	for (;; again = false) {
		if (!*session && !(*session = connect_one(self, error)))
			return CERTDIR_LDAP_LOST;
		status = certdir_ldap_connection_search((*session)->connection, query, take_entry, lookup, error);
		if (status != CERTDIR_LDAP_LOST && status != CERTDIR_LDAP_TIMEOUT)
			return status;
		if (status == CERTDIR_LDAP_TIMEOUT)
			note_timeout(self, (*session)->server);
		end_sessions(*session);
		*session = NULL;
		/* After a timeout only another server is worth the wait. */
		if (!again || (status == CERTDIR_LDAP_TIMEOUT && self->server_count < 2))
			return status;
		lookup->unconfirmed = false;
	}
}

/* Asks for the identities in `only` with one query. False: the answer says that the directory is unavailable. */
static bool look_up(struct lookup *lookup, struct session **session, uint64_t only)
{
	struct ldap_directory *self = lookup->self;
	struct certdir_ldap_query query = {.attributes = self->attributes, .size_limit = SIZE_LIMIT};
	struct certdir_error error = {"out of memory"};
	enum certdir_ldap_status status = CERTDIR_LDAP_FAILED;
	char *filter;

	lookup->unconfirmed = false;
	if (certdir_ldap_filter_build(&filter, self->filter, &self->map, lookup->certificate, only) == 0)
		return true;
	if (filter) {
		query.filter = filter;
		status = run_query(lookup, session, &query, &error);
		free(filter);
	}
	if (status == CERTDIR_LDAP_SIZE_LIMIT || (status == CERTDIR_LDAP_OK && lookup->unconfirmed)) {
		lookup->answer->truncated |= only;
		return true;
	}
	if (status == CERTDIR_LDAP_OK)
		return true;
	forget_matches(lookup->answer);
	lookup->answer->state = CERTDIR_ANSWER_UNAVAILABLE;
	certdir_say(lookup->answer->detail, "%s", error.text);
	return false;
}

/* The identities that some attribute of this directory holds. */
static uint64_t held(const struct ldap_directory *self, const struct certdir_certificate *certificate, uint64_t ask)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < certificate->count; i++)
		if (self->map.holds & CERTDIR_BIT(certificate->identities[i].type))
			bits |= ask & UINT64_C(1) << i;
	return bits;
}

/*
 * One query for all identities. When that is cut at the size limit, it does not tell which identity has the many
 * devices: then each is asked for alone, so that an id still settles what a name like "iPhone" cannot.
 */
static void search(struct certdir_directory *directory, const struct certdir_certificate *certificate, uint64_t ask,
		   int64_t now, struct certdir_answer *answer)
{
	struct ldap_directory *self = (struct ldap_directory *)directory;
	struct lookup lookup = {.self = self, .certificate = certificate, .answer = answer};
	struct session *session;
	bool ok;

	(void)now; /* a live answer has no age */
	answer->holds = self->map.holds;
	lookup.ask = held(self, certificate, ask);
	if (!lookup.ask)
		return;
	session = take_idle(self);
	ok = look_up(&lookup, &session, lookup.ask);
	if (ok && answer->truncated && (lookup.ask & (lookup.ask - 1))) {
		forget_matches(answer);
		for (size_t i = 0; ok && i < certificate->count; i++)
			if (lookup.ask >> i & 1)
				ok = look_up(&lookup, &session, UINT64_C(1) << i);
	}
	if (session)
		give_back(self, session);
}

/* ---- open and close ---- */

static void close_directory(struct certdir_directory *directory)
{
	struct ldap_directory *self = (struct ldap_directory *)directory;

	end_sessions(self->idle);
	certdir_watchdog_stop(self->watchdog);
	for (char **uri = self->uris; uri && *uri; uri++)
		free(*uri);
	free(self->uris);
	free(self->well_again);
	free(self->attributes);
	certdir_ldap_map_clear(&self->map);
	(void)pthread_mutex_destroy(&self->lock);
	free(self);
}

static bool is_set(const char *value)
{
	return value && *value;
}

static bool config_acceptable(const struct certdir_ldap_config *config, struct certdir_error *error)
{
	const char *scope = is_set(config->scope) ? config->scope : CERTDIR_LDAP_DEFAULT_SCOPE;
	const char *wrong = NULL;

	if (!config->servers || !config->servers[0])
		wrong = "server is not set: name the LDAP server, e.g. ldaps://dc1.corp.example";
	else if (!is_set(config->base_dn))
		wrong = "base_dn is not set: name the subtree that holds the devices, e.g. dc=corp,dc=example";
	else if (is_set(config->identity) && !is_set(config->password))
		wrong = "identity is set but password is not: servers take that for an anonymous bind";
	else if (!is_set(config->identity) && is_set(config->password))
		wrong = "password is set but identity is not: name the account to bind as";
	else if (is_set(config->certificate_file) != is_set(config->private_key_file))
		wrong = "certificate_file and private_key_file go together: set both or none";
	else if (config->net_timeout < 1 || config->net_timeout > 3600)
		wrong = "net_timeout is not between 1 and 3600 seconds";
	else if (config->res_timeout < 1 || config->res_timeout > 3600)
		wrong = "res_timeout is not between 1 and 3600 seconds";
	else if (config->srv_timelimit > 3600)
		wrong = "srv_timelimit is not between 0 (none) and 3600 seconds";
	if (wrong)
		certdir_error_set(error, "ldap: %s", wrong);
	if (!wrong && strcmp(scope, "sub") != 0 && strcmp(scope, "one") != 0 && strcmp(scope, "base") != 0) {
		certdir_error_set(error, "ldap: scope = \"%s\": write sub, one or base", scope);
		return false;
	}
	return !wrong;
}

static bool make_uris(struct ldap_directory *self, struct certdir_error *error)
{
	size_t count = 0;

	while (self->config.servers[count])
		count++;
	if (count > SERVERS_MAX) {
		certdir_error_set(error, "ldap: %zu servers are too many: name at most %d", count, SERVERS_MAX);
		return false;
	}
	self->server_count = count;
	self->well_again = calloc(count, sizeof(*self->well_again));
	self->uris = calloc(count + 1, sizeof(*self->uris));
	for (size_t i = 0; i < count; i++) {
		if (!self->well_again || !self->uris ||
		    !(self->uris[i] = certdir_ldap_uri(self->config.servers[i], self->config.port))) {
			certdir_error_set(error, "out of memory");
			return false;
		}
		if (!certdir_ldap_connection_check(self->uris[i], &self->config, error))
			return false;
	}
	return true;
}

/* Some servers refuse an attribute that is asked for twice. */
static bool is_asked(const char *const *attributes, const char *name)
{
	for (; *attributes; attributes++)
		if (strcasecmp(*attributes, name) == 0)
			return true;
	return false;
}

static bool make_attributes(struct ldap_directory *self, struct certdir_error *error)
{
	size_t count = 0;

	while (certdir_ldap_entry_attributes[count])
		count++;
	self->attributes = calloc(count + self->map.count + 1, sizeof(*self->attributes));
	if (!self->attributes) {
		certdir_error_set(error, "out of memory");
		return false;
	}
	memcpy(self->attributes, certdir_ldap_entry_attributes, count * sizeof(*self->attributes));
	for (size_t c = 0; c < self->map.count; c++)
		if (!is_asked(self->attributes, self->map.columns[c].attribute))
			self->attributes[count++] = self->map.columns[c].attribute;
	return true;
}

struct certdir_directory *certdir_ldap_directory_open(const struct certdir_ldap_config *config,
						      struct certdir_error *error)
{
	static const struct certdir_directory_type type = {search, close_directory};
	struct ldap_directory *self;

	if (!config_acceptable(config, error))
		return NULL;
	self = calloc(1, sizeof(*self));
	if (!self || pthread_mutex_init(&self->lock, NULL) != 0) {
		free(self);
		certdir_error_set(error, "out of memory");
		return NULL;
	}
	self->directory.type = &type;
	self->config = *config;
	self->filter = is_set(config->filter) ? config->filter : CERTDIR_LDAP_DEFAULT_FILTER;
	atomic_flag_clear(&self->hidden_told);
	atomic_flag_clear(&self->unconfirmed_told);
	if (certdir_ldap_filter_valid(self->filter, error) &&
	    certdir_ldap_map_init(&self->map, config->attributes, error) && make_attributes(self, error) &&
	    make_uris(self, error)) {
		self->watchdog = certdir_watchdog_start(error);
		if (self->watchdog)
			return &self->directory;
	}
	close_directory(&self->directory);
	return NULL;
}
