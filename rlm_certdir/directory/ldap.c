/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The LDAP directory: a search that asks for all values at once, and once more for the groups of an account of Active
 * Directory. All of a login's searches have to be done by one deadline.
 */
#include "directory/ldap.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/background.h"
#include "directory/ldap_domain.h"
#include "directory/ldap_entry.h"
#include "directory/ldap_filter.h"
#include "directory/ldap_group.h"
#include "ldap/pool.h"

/* What the administrator has to mend in the directory. Each is logged once: a permission that is missing is missing at every login. */
enum remark { HIDDEN, UNCONFIRMED, CUT, NO_GROUPS, REMARKS };

struct ldap_directory {
	struct certdir_directory directory;
	struct certdir_ldap_directory_config config;
	const char *filter;
	enum certdir_ldap_scope scope;
	struct certdir_ldap_map map;
	const char **attributes; /* NULL-terminated; the names are the map's and static ones */
	struct certdir_ldap_pool *pool;
	int64_t deadline; /* microseconds from the first search of a login */
	char *group_base; /* config.group_base_dn as a normal DN, or NULL */
	const char *group_root; /* where groups are searched; inside config.base_dn */
	char **domains;
	atomic_llong groups_again; /* microseconds of certdir_monotonic(): no search for groups until then */
	atomic_bool logged[REMARKS];
};

/* ---- search ---- */

/*
 * Records of Active Directory that a search added: how many, and of the last of them where it is and the SID of its
 * primary group.
 */
struct accounts {
	size_t count;
	size_t record;
	unsigned char primary[68];
	size_t primary_length;
};

/* One call of search(). */
struct lookup {
	struct ldap_directory *self;
	struct certdir_answer *answer;
	const struct certdir_ldap_terms *terms; /* of the query that runs */
	bool unconfirmed; /* the server found an entry by a name that does not stand in it */
	const struct certdir_sought *sought;
	size_t sought_count;
	int64_t deadline; /* of all that is asked here, in microseconds of certdir_monotonic() */
	struct accounts meant; /* carry one of the values */
	struct accounts alike; /* were found by the first label of a DNS name, or a cut name, alone */
};

static const char *name_of(const struct ldap_directory *self)
{
	return self->config.name ? self->config.name : "ldap";
}

static void log_once(struct ldap_directory *self, enum remark remark, const char *about, const char *what)
{
	if (!atomic_exchange(&self->logged[remark], true))
		certdir_log(CERTDIR_LOG_WARN, "directory %s: %s: %s", name_of(self), about, what);
}

static bool is_listed(const struct certdir_answer *answer, const struct certdir_ldap_entry *entry)
{
	for (size_t r = 0; r < answer->count; r++) {
		const char *id = answer->records[r].device.id;

		if (strlen(id) == entry->dn_length && memcmp(id, entry->dn, entry->dn_length) == 0)
			return true;
	}
	return false;
}

/*
 * Whose groups may have to be known: not of those that only share a short name with the one that is meant, if there is
 * one.
 */
static void note_account(struct lookup *lookup, const struct certdir_record *record,
			 const struct certdir_ldap_entry *entry)
{
	struct accounts *accounts = &lookup->alike, with;

	for (size_t i = 0; i < lookup->sought_count; i++)
		if (certdir_record_carries(record, CERTDIR_SOURCE_LDAP, lookup->sought[i].type,
					   lookup->sought[i].value) == CERTDIR_CARRIES_YES)
			accounts = &lookup->meant;
	if (certdir_ldap_primary_group(entry, with.primary, &with.primary_length)) {
		with.count = accounts->count + 1;
		with.record = lookup->answer->count - 1;
		*accounts = with;
	}
}

static bool add_record(struct lookup *lookup, const struct certdir_ldap_entry *entry)
{
	struct ldap_directory *self = lookup->self;
	struct certdir_record *record = certdir_answer_add(lookup->answer);
	struct certdir_ldap_remarks remarks;

	/* What is there may hold a "no", so it stays. */
	if (!record)
		return lookup->answer->full;
	if (!certdir_ldap_entry_read(record, entry, &self->map, &remarks) ||
	    !certdir_ldap_group_read(&record->device, entry, self->group_base, &remarks.cut))
		return false;
	if (remarks.hidden)
		log_once(self, HIDDEN, record->device.id,
			 "userAccountControl is not shown to us, so accounts count as not enabled: "
			 "let the identity of this directory read it");
	if (remarks.cut)
		log_once(self, CUT, record->device.id,
			 "it has more than 1000 groups, names or ids, and those beyond are not seen: remove some");
	note_account(lookup, record, entry);
	return true;
}

/*
 * Takes one entry into the answer. That it was asked for is decided by the values in the entry itself, byte for
 * byte but for ASCII case: a server may match more loosely (Active Directory ignores accents),
 * or find by an attribute that it will not show us. Such an entry is not accepted, or a stranger could come in by a
 * similar name; and it is not passed over, or a name that two devices share could look like one device's. It makes
 * the values it was asked by unfit to select (`many`), and others must decide which device it is.
 */
static bool take_entry(void *context, const struct certdir_ldap_entry *entry)
{
	struct lookup *lookup = context;

	if (!entry->dn || !certdir_ldap_text_valid(entry->dn, entry->dn_length)) {
		lookup->unconfirmed = true;
		return true;
	}
	if (!certdir_ldap_entry_has(entry, lookup->terms)) {
		char about[CERTDIR_TEXT_MAX];

		lookup->unconfirmed = true;
		certdir_say(about, "%.*s", (int)entry->dn_length, entry->dn);
		log_once(lookup->self, UNCONFIRMED, about,
			 "the server found it by a name that does not stand in the attributes it shows: "
			 "let the identity of this directory read the attributes that are searched");
		return true;
	}
	return is_listed(lookup->answer, entry) || add_record(lookup, entry);
}

/* Up to 8 values are cut only when one of them has more carriers than count. */
static int size_limit(size_t count)
{
	return count < CERTDIR_RECORDS_MAX / CERTDIR_CARRIERS_MAX ? (int)count * CERTDIR_CARRIERS_MAX
								  : CERTDIR_RECORDS_MAX;
}

/*
 * Looks up values with one query, but for those that are known to have many carriers. *many becomes true when there are
 * more entries than were added. Not OK: the answer says that the directory is unavailable.
 */
static enum certdir_ldap_status look_up(struct lookup *lookup, const struct certdir_sought *sought, size_t count,
					bool optional, bool *many)
{
	struct ldap_directory *self = lookup->self;
	struct certdir_ldap_query query = {.base = self->config.base_dn,
					   .scope = self->scope,
					   .attributes = self->attributes,
					   .size_limit = size_limit(count),
					   .optional = optional};
	struct certdir_error error = {.text = "out of memory"};
	enum certdir_ldap_status status = CERTDIR_LDAP_FAILED;
	struct certdir_ldap_terms terms;
	char *filter = NULL;

	*many = false;
	lookup->unconfirmed = false;
	if (certdir_ldap_terms_make(&terms, &self->map, sought, count)) {
		lookup->terms = &terms;
		if (terms.count == 0)
			status = CERTDIR_LDAP_OK;
		else if ((filter = certdir_ldap_filter_build(self->filter, &terms)) != NULL) {
			query.filter = filter;
			status = certdir_ldap_pool_search(self->pool, &query, lookup->deadline, take_entry, lookup,
							  &error);
		}
		certdir_ldap_terms_clear(&terms);
	}
	free(filter);
	*many = status == CERTDIR_LDAP_SIZE_LIMIT || lookup->unconfirmed || lookup->answer->full;
	if (status == CERTDIR_LDAP_OK || status == CERTDIR_LDAP_SIZE_LIMIT)
		return CERTDIR_LDAP_OK;
	/* certdir_answer_add() has said more when it was the one that failed. */
	if (lookup->answer->state != CERTDIR_ANSWER_UNAVAILABLE && !(optional && status == CERTDIR_LDAP_TIMEOUT))
		certdir_answer_fail(lookup->answer, CERTDIR_ANSWER_UNAVAILABLE, error.text);
	return status;
}

/* How many records carry a value; those that have its first label alone give way to those that have all of it. */
static size_t carriers_of(const struct certdir_answer *answer, const struct certdir_sought *sought)
{
	size_t by[CERTDIR_CARRIES_YES + 1] = {0};

	for (size_t r = 0; r < answer->count; r++)
		by[certdir_record_carries(&answer->records[r], CERTDIR_SOURCE_LDAP, sought->type, sought->value)]++;
	return by[CERTDIR_CARRIES_YES] ? by[CERTDIR_CARRIES_YES] : by[CERTDIR_CARRIES_LABEL];
}

/* True when there is one that was not known to have many carriers. */
static bool note_carriers(const struct certdir_answer *answer, struct certdir_sought *sought, size_t count)
{
	bool new = false;

	for (size_t i = 0; i < count && answer->count > CERTDIR_CARRIERS_MAX; i++)
		if (!sought[i].many && carriers_of(answer, &sought[i]) > CERTDIR_CARRIERS_MAX)
			sought[i].many = new = true;
	return new;
}

/*
 * Each value alone, while there is time: a value that is not asked for, or whose answer does not come in time, counts as
 * one that many carry. False: there is no answer.
 */
static bool look_up_each(struct lookup *lookup, struct certdir_sought *sought, size_t count)
{
	bool late = false;

	for (size_t i = 0; i < count; i++) {
		enum certdir_ldap_status status = CERTDIR_LDAP_OK;
		bool many = true;

		if (sought[i].many)
			continue;
		late |= certdir_monotonic() >= lookup->deadline;
		if (!late && !lookup->answer->full)
			status = look_up(lookup, &sought[i], 1, true, &many);
		late |= status == CERTDIR_LDAP_TIMEOUT;
		if (status != CERTDIR_LDAP_OK && !late)
			return false;
		sought[i].many = many || late;
	}
	return true;
}

/*
 * One query for all values. When that is cut, most often by one name that many devices have ("iPhone"), a second query asks for all
 * but those that were seen to have many. When that does not settle it either, or an entry does not show why it was found, no query
 * for several tells which value is to blame: then each is asked for alone, so that an id still settles what a name cannot.
 */
static bool look_up_all(struct lookup *lookup, struct certdir_sought *sought, size_t count)
{
	bool many, fewer;

	if (look_up(lookup, sought, count, false, &many) != CERTDIR_LDAP_OK)
		return false;
	fewer = note_carriers(lookup->answer, sought, count);
	if (!many)
		return true;
	if (count == 1) {
		sought->many = true;
		return true;
	}
	if (fewer && !lookup->answer->full && certdir_monotonic() < lookup->deadline &&
	    look_up(lookup, sought, count, true, &many) == CERTDIR_LDAP_OK) {
		(void)note_carriers(lookup->answer, sought, count);
		if (!many)
			return true;
	}
	return lookup->answer->state != CERTDIR_ANSWER_UNAVAILABLE && look_up_each(lookup, sought, count);
}

/* ---- groups ---- */

struct membership {
	struct ldap_directory *self;
	struct certdir_device *device;
	bool cut;
};

static bool take_group(void *context, const struct certdir_ldap_entry *entry)
{
	struct membership *membership = context;

	return certdir_ldap_group_add(membership->device, entry, membership->self->group_base, &membership->cut);
}

/* Seconds for which a server that takes long over groups is not asked: not every login is to wait for it. */
enum { GROUPS_PAUSE = 30 };

/* `patience`: microseconds that there were. What there is left of a login behind a slow search may be too little for anybody. */
static void note_groups(struct ldap_directory *self, enum certdir_ldap_status status, int64_t patience, const char *why)
{
	if (status == CERTDIR_LDAP_TIMEOUT && patience >= self->deadline / 2)
		atomic_store(&self->groups_again, certdir_monotonic() + (int64_t)GROUPS_PAUSE * 1000000);
	log_once(self, NO_GROUPS, "nested groups and the primary group are not seen", why);
}

/*
 * The groups of the only account that was found: nested ones and the primary group, which memberOf does not have. Those
 * of several are not worth a search for each, as there is no one device yet. A failure does not fail the answer: then
 * the device is known to be only where memberOf says so.
 */
static void look_up_groups(struct lookup *lookup, const struct accounts *account)
{
	static const char *const attributes[] = {"objectSid", NULL};
	struct ldap_directory *self = lookup->self;
	struct certdir_device *device = &lookup->answer->records[account->record].device;
	const size_t before = device->group_count;
	struct membership membership = {.self = self, .device = device};
	struct certdir_error error = {.text = "out of memory"};
	struct certdir_ldap_query query = {.base = self->group_root,
					   .scope = CERTDIR_LDAP_SUBTREE,
					   .attributes = attributes,
					   .size_limit = CERTDIR_LDAP_GROUPS_MAX,
					   .optional = true};
	const int64_t patience = lookup->deadline - certdir_monotonic();
	enum certdir_ldap_status status = CERTDIR_LDAP_FAILED;
	char *filter = certdir_ldap_filter_groups(device->id, account->primary, account->primary_length);

	if (filter) {
		query.filter = filter;
		status =
			certdir_ldap_pool_search(self->pool, &query, lookup->deadline, take_group, &membership, &error);
		free(filter);
	}
	if (status == CERTDIR_LDAP_SIZE_LIMIT || membership.cut)
		log_once(self, CUT, device->id,
			 "it is in more than 1000 groups, and those beyond are not seen: remove it from some");
	if (status == CERTDIR_LDAP_OK || status == CERTDIR_LDAP_SIZE_LIMIT)
		return;
	certdir_ldap_group_forget(device, before);
	/* A refusal is the same the next time, and no answer is not. */
	lookup->answer->partial = status == CERTDIR_LDAP_TIMEOUT || status == CERTDIR_LDAP_LOST;
	note_groups(self, status, patience, error.text);
}

/* ---- the answer ---- */

static bool begin_answer(struct ldap_directory *self, struct certdir_answer *answer)
{
	if (answer->sources)
		return true;
	answer->keeps = self->map.keeps;
	answer->sources = calloc(1, sizeof(*answer->sources));
	if (!answer->sources) {
		certdir_answer_fail(answer, CERTDIR_ANSWER_UNAVAILABLE, "out of memory");
		return false;
	}
	answer->sources[0] = (struct certdir_source){
		.kind = CERTDIR_SOURCE_LDAP, .name = name_of(self), .keeps = self->map.keeps, .says_enabled = true};
	answer->source_count = 1;
	return true;
}

static void search(struct certdir_directory *directory, struct certdir_sought *sought, size_t count,
		   struct certdir_answer *answer)
{
	struct ldap_directory *self = (struct ldap_directory *)directory;
	struct lookup lookup = {.self = self,
				.answer = answer,
				.sought = sought,
				.sought_count = count,
				.deadline = certdir_monotonic() + self->deadline};
	const struct accounts *account;

	/* What could not be asked once in a login is not waited for again. */
	if (count == 0 || answer->state == CERTDIR_ANSWER_UNAVAILABLE || !begin_answer(self, answer))
		return;
	if (look_up_all(&lookup, sought, count)) {
		answer->state = CERTDIR_ANSWERED;
		account = lookup.meant.count ? &lookup.meant : &lookup.alike;
		if (account->count == 1 && certdir_monotonic() >= atomic_load(&self->groups_again))
			look_up_groups(&lookup, account);
		else if (account->count == 1)
			answer->partial = true;
	}
}

/* ---- open and close ---- */

static void close_directory(struct certdir_directory *directory)
{
	struct ldap_directory *self = (struct ldap_directory *)directory;

	certdir_ldap_pool_close(self->pool);
	free(self->attributes);
	free(self->group_base);
	certdir_ldap_domains_free(self->domains);
	certdir_ldap_map_clear(&self->map);
	free(self);
}

static void measure_server(void *context, const struct certdir_ldap_pool_server *server)
{
	struct certdir_measured *measured = context;
	struct certdir_measured_server *to = &measured->servers[measured->server_count];

	if (measured->server_count >= CERTDIR_MEASURED_SERVERS_MAX)
		return;
	measured->server_count++;
	(void)snprintf(to->uri, sizeof(to->uri), "%s", server->uri);
	to->sick = server->sick;
	to->answered = server->answered;
	to->unanswered = server->unanswered;
}

static void measure(struct certdir_directory *directory, struct certdir_measured *measured)
{
	certdir_ldap_pool_each(((struct ldap_directory *)directory)->pool, measure_server, measured);
}

static bool is_set(const char *value)
{
	return value && *value;
}

static int64_t microseconds(struct timeval time)
{
	return (int64_t)time.tv_sec * 1000000 + time.tv_usec;
}

static bool config_acceptable(const struct certdir_ldap_directory_config *config, struct certdir_error *error)
{
	const char *wrong = NULL;

	if (!config->server.servers || !config->server.servers[0])
		wrong = "server is not set: name the LDAP server, e.g. ldaps://dc1.corp.example";
	else if (!config->base_dn || (!is_set(config->base_dn) && !is_set(config->domains)))
		wrong = "base_dn is not set: name the subtree that holds the devices, e.g. dc=corp,dc=example; for a "
			"Global Catalog write base_dn = \"\" together with domains = \"corp.example\"";
	else if (is_set(config->server.identity) && !is_set(config->server.password))
		wrong = "identity is set but password is not: servers take that for an anonymous bind";
	else if (!is_set(config->server.identity) && is_set(config->server.password))
		wrong = "password is set but identity is not: name the account to bind as";
	else if (is_set(config->server.certificate_file) != is_set(config->server.private_key_file))
		wrong = "certificate_file and private_key_file go together: set both or none";
	else if (config->server.net_timeout < 1 || config->server.net_timeout > 3600)
		wrong = "net_timeout is not between 1 and 3600 seconds";
	else if (config->server.res_timeout < 1 || config->server.res_timeout > 3600)
		wrong = "res_timeout is not between 1 and 3600 seconds";
	else if (microseconds(config->deadline) < 100000 || microseconds(config->deadline) > 60000000)
		wrong = "deadline is not between 0.1 and 60 seconds";
	else if (config->server.srv_timelimit > 3600)
		wrong = "srv_timelimit is not between 0 (none) and 3600 seconds";
	if (wrong)
		certdir_error_set(error, "ldap: %s", wrong);
	return !wrong;
}

static bool make_scope(struct ldap_directory *self, struct certdir_error *error)
{
	static const char *const scopes[] = {
		[CERTDIR_LDAP_BASE] = "base", [CERTDIR_LDAP_ONE] = "one", [CERTDIR_LDAP_SUBTREE] = "sub"};
	const char *scope = is_set(self->config.scope) ? self->config.scope : CERTDIR_LDAP_DEFAULT_SCOPE;

	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++)
		if (strcmp(scope, scopes[i]) == 0) {
			self->scope = (enum certdir_ldap_scope)i;
			return true;
		}
	certdir_error_set(error, "ldap: scope = \"%s\": write sub, one or base", scope);
	return false;
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

static bool make_places(struct ldap_directory *self, struct certdir_error *error)
{
	if (is_set(self->config.group_base_dn) &&
	    !(self->group_base = certdir_ldap_dn_normal(self->config.group_base_dn))) {
		certdir_error_set(error, "out of memory");
		return false;
	}
	self->group_root = certdir_ldap_domain_root(self->config.base_dn);
	return certdir_ldap_domains_make(&self->domains, self->config.domains, self->config.base_dn, error);
}

static bool prepare(struct ldap_directory *self, struct certdir_error *error)
{
	if (!make_scope(self, error) || !certdir_ldap_filter_valid(self->filter, error) ||
	    !certdir_ldap_map_init(&self->map, self->config.attributes, error) || !make_attributes(self, error) ||
	    !make_places(self, error))
		return false;
	self->pool = certdir_ldap_pool_open(&(struct certdir_ldap_pool_config){.name = name_of(self),
									       .server = &self->config.server,
									       .probe = self->config.base_dn,
									       .most = self->config.most},
					    error);
	self->directory.is_live = true;
	self->directory.keeps = self->map.keeps;
	self->directory.domains = (const char *const *)self->domains;
	return self->pool;
}

struct certdir_directory *certdir_ldap_directory_open(const struct certdir_ldap_directory_config *config,
						      struct certdir_error *error)
{
	static const struct certdir_directory_type type = {search, close_directory};
	struct ldap_directory *self;

	if (!config_acceptable(config, error))
		return NULL;
	self = calloc(1, sizeof(*self));
	if (!self) {
		certdir_error_set(error, "out of memory");
		return NULL;
	}
	self->directory.type = &type;
	self->directory.measure = measure;
	self->config = *config;
	self->deadline = microseconds(config->deadline);
	self->filter = is_set(config->filter) ? config->filter : CERTDIR_LDAP_DEFAULT_FILTER;
	if (prepare(self, error))
		return &self->directory;
	close_directory(&self->directory);
	return NULL;
}
