/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device list as a directory: the edition in use, the thread that looks for a new one, and what a search makes of it. */
#include "directory/list.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "asking/client.h"
#include "base/background.h"
#include "base/permissions.h"
#include "base/signature.h"
#include "list/list.h"
#include "text/canonical.h"
#include "text/timestamp.h"

/* A file that was refused and has not changed since is read again each so many seconds, in case it was not the file. */
enum { RETRY_UNCHANGED = 10 };

/* So many sources are watched for growing stale; a list with more is found out by the logins. */
enum { SOURCES_TOLD = 32 };

/* The same for groups that nobody is in. */
enum { GROUPS_TOLD = 32 };

/* What is told of a source: that a part is stale, that its users are, and that it is ahead of us. */
enum { USERS_ARE_STALE = CERTDIR_PARTS, IS_AHEAD, SOURCE_FINDINGS };

struct people {
	struct certdir_directory base; /* first */
	struct list_directory *list;
};

struct list_directory {
	struct certdir_directory base; /* first */
	struct people people;
	const char *filename;
	char tenant[CERTDIR_VALUE_MAX + 1]; /* canonical, "" = any */
	const char *const *groups; /* as configured */
	atomic_uint_fast64_t editions; /* that came into use */

	pthread_mutex_t mutex; /* guards the next four */
	pthread_cond_t wake;
	bool stop;
	struct certdir_list_snapshot *snapshot; /* the edition in use, NULL = none was good yet */
	struct certdir_error why; /* there is none */

	struct certdir_asker *asker; /* NULL: nobody is asked */
	uint64_t wanted, looked; /* looks that somebody waits for, and how many of these have ended; under the mutex */
	pthread_cond_t seen_now;
	bool watching;
	pthread_t watcher;
	struct certdir_signature seen[2]; /* of the list and of its changes; from here on the watcher's own */
	bool failed; /* what was seen last could not be loaded */
	unsigned waited;
	struct certdir_error permissions; /* what was logged last of who can change the file */
	bool told[SOURCES_TOLD][SOURCE_FINDINGS];
	char complaint[sizeof(((struct certdir_error *)0)->text)]; /* what was logged last, not to log it each second */
	bool told_tenant; /* that the edition in use has nothing of our tenant */
	bool told_groups[GROUPS_TOLD]; /* that nobody is in it */
};

/* ---- sources and their age ---- */

/* A source that names another tenant has nothing to say about ours; one that names none may hold some of its devices. */
static bool considered(const struct list_directory *list, const struct certdir_list_source *source)
{
	return !list->tenant[0] || !source->tenant || strcmp(source->tenant, list->tenant) == 0;
}

/* GUIDs of all kinds are one name space: who asks for one asks all tenants. Intune ids and the hardware's come with Intune's part. */
static uint32_t kept_by(const struct certdir_list_source *source)
{
	const uint32_t keeps = CERTDIR_BIT(CERTDIR_ID_GUID) | CERTDIR_BIT(CERTDIR_ID_ENTRA) |
			       CERTDIR_BIT(CERTDIR_ID_SID) | CERTDIR_BIT(CERTDIR_ID_SID_URI) |
			       CERTDIR_BIT(CERTDIR_ID_NAME) | CERTDIR_BIT(CERTDIR_ID_DNS);

	if (source->kind != CERTDIR_SOURCE_TENANT)
		return source->holds;
	return source->intune_synced ? keeps | CERTDIR_BIT(CERTDIR_ID_INTUNE) | CERTDIR_BIT(CERTDIR_ID_SERIAL) |
					       CERTDIR_BIT(CERTDIR_ID_PERMANENT) | CERTDIR_BIT(CERTDIR_ID_IMEI) |
					       CERTDIR_BIT(CERTDIR_ID_MEID) | CERTDIR_BIT(CERTDIR_ID_WIFI_MAC)
				     : keeps;
}

static struct certdir_source describe(const struct certdir_list_source *source)
{
	struct certdir_source described = {
		.kind = source->kind,
		.name = source->name,
		.tenant = source->tenant,
		.synced = {[CERTDIR_PART_OF_DEVICES] = source->synced,
			   [CERTDIR_PART_OF_INTUNE] = source->intune_synced,
			   [CERTDIR_PART_OF_GROUPS] = source->groups_synced,
			   [CERTDIR_PART_OF_CERTIFICATES] = source->certificates_synced},
		.interval = {[CERTDIR_PART_OF_INTUNE] = source->intune_interval,
			     [CERTDIR_PART_OF_CERTIFICATES] = source->certificates_interval},
		.good_for = source->good_for,
		.keeps = kept_by(source),
		.domain = source->domain,
		.says_enabled = source->says_enabled,
	};

	/* One listing brings all that an LDAP directory says. */
	for (int part = 0; source->kind == CERTDIR_SOURCE_LDAP && part < CERTDIR_PART_OF_CERTIFICATES; part++) {
		described.listed = true;
		described.synced[part] = source->synced;
		described.interval[part] = source->interval;
	}
	return described;
}

static struct certdir_source describe_people(const struct certdir_list_source *source)
{
	return (struct certdir_source){.kind = source->kind,
				       .name = source->name,
				       .tenant = source->tenant,
				       .synced = {[CERTDIR_PART_OF_DEVICES] = source->users_synced,
						  [CERTDIR_PART_OF_GROUPS] = source->groups_synced,
						  [CERTDIR_PART_OF_CERTIFICATES] = source->certificates_synced},
				       .interval = {[CERTDIR_PART_OF_CERTIFICATES] = source->certificates_interval},
				       .good_for = source->good_for,
				       .keeps = source->users_synced ? CERTDIR_PERSONS : 0,
				       .says_enabled = true};
}

static int64_t age_of(const struct certdir_list_source *source, int64_t now)
{
	return now > source->synced ? now - source->synced : 0;
}

/* ---- watching ---- */

/* Of the list, and of its changes. */
static void look_at_both(const char *filename, struct certdir_signature signatures[2])
{
	char *changes = certdir_list_changes_name(filename);

	certdir_signature_take(&signatures[0], filename);
	certdir_signature_take(&signatures[1], changes ? changes : filename);
	free(changes);
}

static void log_loaded(const struct list_directory *list, const struct certdir_list_snapshot *snapshot)
{
	const struct certdir_list_source *sources;
	char text[600] = "";
	size_t count, used = 0;
	int64_t now = (int64_t)time(NULL);

	sources = certdir_list_sources(snapshot, &count);
	for (size_t i = 0; i < count && used + 160 < sizeof(text); i++) {
		char synced[40] = "never synced";

		if (sources[i].synced)
			(void)snprintf(synced, sizeof(synced), "synced %lld s ago",
				       (long long)age_of(&sources[i], now));
		used += (size_t)snprintf(text + used, 160, "%s \"%.80s\" %zu, %s", i ? ";" : "; source",
					 sources[i].name, sources[i].devices, synced);
	}
	certdir_log(CERTDIR_LOG_INFO, "%s: %zu devices%s%s", list->filename, certdir_list_device_count(snapshot), text,
		    used + 160 < sizeof(text) ? "" : "; ..");
}

/* Says once what is wrong, and again when it is something else. Only the watcher changes `snapshot`: no lock to read it. */
static void complain(struct list_directory *list, const char *why)
{
	char published[CERTDIR_TIMESTAMP_SIZE];

	if (strcmp(list->complaint, why) == 0)
		return;
	(void)snprintf(list->complaint, sizeof(list->complaint), "%s", why);
	if (!list->snapshot) {
		certdir_log(CERTDIR_LOG_ERROR, "%s. No device can be looked up there until it is", why);
		return;
	}
	certdir_timestamp_print(certdir_list_published(list->snapshot), published);
	certdir_log(list->seen[0].inode ? CERTDIR_LOG_ERROR : CERTDIR_LOG_WARN,
		    "%s. Keeping the list of %s with %zu devices", why, published,
		    certdir_list_device_count(list->snapshot));
}

/* What was in the damaged file and not in what stands in for it is lost, and that may be a "no". */
static void tell_damage(struct list_directory *list, const struct certdir_list_snapshot *last, const char *damage)
{
	const int64_t age = (int64_t)time(NULL) - certdir_list_published(last);

	(void)snprintf(list->complaint, sizeof(list->complaint), "%s", damage);
	certdir_log(CERTDIR_LOG_ERROR,
		    "list %s: damaged (%s): using the last good one, %s, %lld minutes old, until it is mended: what "
		    "was disabled or removed since then comes in",
		    list->filename, damage, certdir_list_files(last), (long long)(age > 0 ? age / 60 : 0));
}

/* Whoever put an old copy there may have meant to; what was disabled since comes in either way. */
static void tell_older(const struct list_directory *list, const struct certdir_list_snapshot *fresh,
		       const struct certdir_list_snapshot *old)
{
	char is[CERTDIR_TIMESTAMP_SIZE], was[CERTDIR_TIMESTAMP_SIZE];

	if (!old || !certdir_list_is_older(fresh, old))
		return;
	certdir_timestamp_print(certdir_list_published(fresh), is);
	certdir_timestamp_print(certdir_list_published(old), was);
	certdir_log(
		CERTDIR_LOG_WARN,
		"%s: the list of %s takes the place of the newer one of %s: what was disabled or removed since then "
		"comes in, until it is synced or copied again",
		list->filename, is, was);
}

/* Says once that others can change the list, and again when it is something else. */
static void tell_permissions(struct list_directory *list)
{
	struct certdir_error finding = {.text = ""};

	(void)certdir_list_permissions_check(list->filename, &finding);
	if (finding.text[0] && strcmp(list->permissions.text, finding.text) != 0)
		certdir_log(CERTDIR_LOG_WARN, "%s", finding.text);
	list->permissions = finding;
}

/* Whether to say now what is so: once, and again only when it was not so in between. */
static bool to_tell(bool *told, bool is_so)
{
	const bool tell = is_so && !*told;

	*told = is_so;
	return tell;
}

static void tell_stale_part(const struct list_directory *list, const struct certdir_source *source, size_t devices,
			    enum certdir_part part, int64_t now, bool *told)
{
	static const char *const names[CERTDIR_PARTS] = {"devices", "intune", "groups", "certificates"};
	const int64_t limit = certdir_source_limit(source, part, list->base.max_age);
	const int64_t age = now - source->synced[part];

	if (!to_tell(told, limit != 0 && source->synced[part] != 0 && age > limit))
		return;
	if (source->kind == CERTDIR_SOURCE_LDAP)
		certdir_log(CERTDIR_LOG_WARN,
			    "%s: LDAP directory \"%.80s\" was last listed %lld s ago, more than %lld: its %zu devices "
			    "count "
			    "as stale until it is synced again",
			    list->filename, source->name, (long long)age, (long long)limit, devices);
	else if (source->kind == CERTDIR_SOURCE_TENANT)
		certdir_log(
			CERTDIR_LOG_WARN,
			"%s: the %s part of tenant \"%.80s\" was last synced %lld s ago, more than %lld: what it says "
			"of %zu devices counts as stale until it is synced again",
			list->filename, names[part], source->name, (long long)age, (long long)limit, devices);
	else
		certdir_log(CERTDIR_LOG_WARN,
			    "%s: source \"%.80s\" was last synced %lld s ago, more than %s = %lld: its %zu devices "
			    "count as stale until it is imported again",
			    list->filename, source->name, (long long)age, source->good_for ? "--good-for" : "max_age",
			    (long long)limit, devices);
}

static void tell_stale_users(const struct list_directory *list, const struct certdir_list_source *source, int64_t now,
			     bool *told)
{
	const struct certdir_source described = describe_people(source);
	const int64_t limit = certdir_source_limit(&described, CERTDIR_PART_OF_DEVICES, list->base.max_age);
	const int64_t age = now - source->users_synced;

	if (to_tell(told, limit != 0 && source->users_synced != 0 && age > limit))
		certdir_log(
			CERTDIR_LOG_WARN,
			"%s: the users part of tenant \"%.80s\" was last synced %lld s ago, more than %lld: what it "
			"says of %zu users counts as stale until it is synced again",
			list->filename, source->name, (long long)age, (long long)limit, source->users);
}

static void tell_source(struct list_directory *list, const struct certdir_list_source *source,
			bool told[SOURCE_FINDINGS], int64_t now)
{
	const struct certdir_source described = describe(source);
	bool ahead = source->users_synced > now + CERTDIR_AHEAD;

	tell_stale_users(list, source, now, &told[USERS_ARE_STALE]);
	for (int part = 0; part < (described.listed ? 1 : CERTDIR_PARTS); part++) {
		tell_stale_part(list, &described, source->devices, (enum certdir_part)part, now, &told[part]);
		ahead |= described.synced[part] > now + CERTDIR_AHEAD;
	}
	if (to_tell(&told[IS_AHEAD], ahead))
		certdir_log(
			CERTDIR_LOG_WARN,
			"%s: source \"%.80s\" was synced in the future: check the clock of the sync host, and the one "
			"here",
			list->filename, source->name);
}

/* Says when devices stop being decided on, before the first of them asks why. */
static void tell_stale(struct list_directory *list)
{
	const struct certdir_list_source *sources;
	const int64_t now = (int64_t)time(NULL);
	size_t count = 0;

	if (!list->snapshot)
		return;
	sources = certdir_list_sources(list->snapshot, &count);
	for (size_t i = 0; i < count && i < SOURCES_TOLD; i++)
		if (considered(list, &sources[i]))
			tell_source(list, &sources[i], list->told[i], now);
}

static void tell_groups(struct list_directory *list)
{
	struct certdir_error error;
	struct certdir_list_reader *reader = certdir_list_reader_get(list->snapshot, &error);
	bool has;

	for (size_t g = 0; reader && g < GROUPS_TOLD && list->groups[g]; g++)
		if (certdir_list_has_group(reader, list->groups[g], &has, &error) &&
		    to_tell(&list->told_groups[g], !has))
			certdir_log(CERTDIR_LOG_WARN,
				    "%s: require_group = \"%s\": no device is in a group of that name or object id",
				    list->filename, list->groups[g]);
	if (reader)
		certdir_list_reader_put(reader);
}

/* What the configuration asks for and the edition in use has of nobody: a misspelt name there keeps everybody out. */
static void tell_unknown(struct list_directory *list)
{
	const struct certdir_list_source *sources;
	bool known = !list->tenant[0];
	size_t count = 0;

	sources = certdir_list_sources(list->snapshot, &count);
	/* An import without a tenant may name one with each of its devices. */
	for (size_t i = 0; i < count; i++)
		known |= considered(list, &sources[i]);
	if (to_tell(&list->told_tenant, !known))
		certdir_log(CERTDIR_LOG_WARN, "%s: tenant = %s: no source is of that tenant", list->filename,
			    list->tenant);
	if (list->groups)
		tell_groups(list);
}

/* Loads the file when it is not the one that was seen last. The edition in use stays until the new one is verified. */
static void look(struct list_directory *list)
{
	struct certdir_list_snapshot *fresh, *old;
	struct certdir_error why, damage = {.text = ""};
	struct certdir_signature now[2];

	look_at_both(list->filename, now);
	if (certdir_signature_same(&now[0], &list->seen[0]) && certdir_signature_same(&now[1], &list->seen[1]) &&
	    (!list->failed || ++list->waited < RETRY_UNCHANGED))
		return;
	memcpy(list->seen, now, sizeof(now)); /* before it is read: a change meanwhile is seen as one next time */
	list->waited = 0;
	fresh = list->snapshot ? certdir_list_reload(list->filename, list->snapshot, &why)
			       : certdir_list_load_last(list->filename, &damage, &why);
	list->failed = !fresh || damage.text[0];
	if (!fresh)
		complain(list, why.text);
	(void)pthread_mutex_lock(&list->mutex);
	old = list->snapshot;
	if (fresh) {
		list->snapshot = fresh;
		atomic_fetch_add(&list->editions, 1);
	} else {
		list->why = why;
	}
	(void)pthread_mutex_unlock(&list->mutex);
	if (fresh) {
		list->complaint[0] = '\0';
		if (damage.text[0])
			tell_damage(list, fresh, damage.text);
		tell_older(list, fresh, old);
		log_loaded(list, fresh);
		tell_unknown(list);
		certdir_list_release(old);
	}
	tell_permissions(list);
}

/* Once a second by the monotonic clock, until told to stop; close() does not wait for the second to end. */
static void *watch(void *context)
{
	struct list_directory *list = context;

	(void)pthread_mutex_lock(&list->mutex);
	while (!list->stop) {
		const int64_t next = certdir_monotonic() + CERTDIR_SECOND;

		uint64_t wanted;

		while (!list->stop && list->wanted == list->looked &&
		       certdir_condition_wait(&list->wake, &list->mutex, next))
			;
		if (list->stop)
			break;
		wanted = list->wanted;
		(void)pthread_mutex_unlock(&list->mutex);
		look(list);
		tell_stale(list);
		(void)pthread_mutex_lock(&list->mutex);
		list->looked = wanted;
		(void)pthread_cond_broadcast(&list->seen_now);
	}
	(void)pthread_mutex_unlock(&list->mutex);
	return NULL;
}

/* ---- asking ---- */

/* Waits until the watcher has looked at what is published now, but not for long. */
static void look_now(struct list_directory *list)
{
	const int64_t until = certdir_monotonic() + CERTDIR_SECOND;
	uint64_t mine;

	(void)pthread_mutex_lock(&list->mutex);
	mine = ++list->wanted;
	(void)pthread_cond_signal(&list->wake);
	while (list->looked < mine && certdir_condition_wait(&list->seen_now, &list->mutex, until))
		;
	(void)pthread_mutex_unlock(&list->mutex);
}

static bool ask_sync(struct certdir_directory *directory, enum certdir_identity_type type, const char *id,
		     const char *tenant)
{
	struct list_directory *list = (struct list_directory *)directory;
	struct certdir_question question = {.what = CERTDIR_ASKING_DEVICE, .type = type};

	if (list->tenant[0])
		tenant = list->tenant;
	if (strlen(id) >= sizeof(question.id) || strlen(tenant) >= sizeof(question.tenant))
		return false;
	strcpy(question.id, id);
	strcpy(question.tenant, tenant);
	if (certdir_asker_ask(list->asker, &question) != CERTDIR_REPLY_KNOWN)
		return false;
	look_now(list);
	return true;
}

/* ---- searching ---- */

/* What an answer holds is a reader, which holds its edition of the list: a login ends on the one that it began with. */
static void release(void *held)
{
	certdir_list_reader_put(held);
}

/*
 * The sources in scope, and what the list knows devices by. As long as nothing was loaded that it is there for (of its tenant, where
 * it is limited to one), that may be anything: no name may stand in for an id that could not be found yet.
 */
static bool take_sources(const struct list_directory *list, const struct certdir_list_snapshot *snapshot, bool people,
			 struct certdir_answer *answer)
{
	const struct certdir_list_source *sources;
	bool loaded = false;
	size_t count;

	sources = certdir_list_sources(snapshot, &count);
	answer->sources = calloc(count + 1, sizeof(*answer->sources));
	if (!answer->sources)
		return false;
	answer->keeps = 0;
	for (size_t i = 0; i < count; i++) {
		if (!considered(list, &sources[i]))
			continue;
		loaded |= !list->tenant[0] || sources[i].tenant;
		answer->sources[answer->source_count] = people ? describe_people(&sources[i]) : describe(&sources[i]);
		answer->keeps |= answer->sources[answer->source_count++].keeps;
	}
	if (!loaded)
		answer->keeps = UINT32_MAX;
	return true;
}

struct certdir_list_snapshot *certdir_list_directory_edition(struct certdir_directory *directory)
{
	struct list_directory *list = (struct list_directory *)directory;
	struct certdir_list_snapshot *snapshot;

	(void)pthread_mutex_lock(&list->mutex);
	snapshot = list->snapshot ? certdir_list_retain(list->snapshot) : NULL;
	(void)pthread_mutex_unlock(&list->mutex);
	return snapshot;
}

uint64_t certdir_directory_list_edition(const struct certdir_directory *directory)
{
	return atomic_load(&((const struct list_directory *)directory)->editions);
}

/* The first search of a login. Until the list is seen, it may know devices by anything. */
static bool begin(struct list_directory *list, bool people, struct certdir_answer *answer)
{
	struct certdir_list_snapshot *snapshot;
	struct certdir_error error = {.text = ""};

	answer->keeps = UINT32_MAX;
	(void)pthread_mutex_lock(&list->mutex);
	snapshot = list->snapshot ? certdir_list_retain(list->snapshot) : NULL;
	if (!snapshot)
		error = list->why;
	(void)pthread_mutex_unlock(&list->mutex);
	if (!snapshot) {
		certdir_answer_fail(answer, CERTDIR_ANSWER_MISSING, error.text);
		return false;
	}
	answer->held = certdir_list_reader_get(snapshot, &error);
	answer->release = release;
	if (!answer->held)
		certdir_answer_fail(answer, CERTDIR_ANSWER_UNAVAILABLE, error.text);
	else if (take_sources(list, snapshot, people, answer))
		answer->state = CERTDIR_ANSWERED;
	else
		certdir_answer_fail(answer, CERTDIR_ANSWER_UNAVAILABLE, "out of memory");
	certdir_list_release(snapshot);
	return answer->state == CERTDIR_ANSWERED;
}

static bool is_known(const struct certdir_answer *answer, int64_t row)
{
	for (size_t i = 0; i < answer->count; i++)
		if (answer->records[i].row == row)
			return true;
	return false;
}

/* Names of sources are borrowed from the edition, so the pointer tells which it is. */
static size_t place_of(const struct certdir_answer *answer, const struct certdir_list_source *source)
{
	size_t i;

	for (i = 0; i < answer->source_count && answer->sources[i].name != source->name; i++)
		;
	return i;
}

static bool add_record(const struct list_directory *list, int64_t row, struct certdir_answer *answer)
{
	const struct certdir_list_source *source;
	const char *only_against;
	struct certdir_device device;
	struct certdir_record *record;
	struct certdir_error error;

	if (!certdir_list_device(answer->held, row, &device, &source, &only_against, &error)) {
		certdir_answer_fail(answer, CERTDIR_ANSWER_UNAVAILABLE, error.text);
		return false;
	}
	record = certdir_answer_add(answer);
	if (!record) {
		certdir_device_clear(&device);
		return false;
	}
	record->device = device;
	if (!certdir_list_values(answer->held, row, &record->values, &record->value_count, &error)) {
		certdir_answer_fail(answer, CERTDIR_ANSWER_UNAVAILABLE, error.text);
		return false;
	}
	record->source = place_of(answer, source);
	record->row = row;
	record->only_against = only_against;
	if (!only_against && list->tenant[0] && !device.tenant)
		record->only_against = "of no tenant, and the list is limited to one";
	return true;
}

/* The row of a certificate becomes a record, which takes what it holds. False: the answer says why. */
static bool add_issued(struct certdir_list_issued *row, const char *thumbprint, struct certdir_answer *answer)
{
	struct certdir_record *record = certdir_answer_add(answer);
	const struct certdir_issued *issued = &row->issued;
	const char *id = issued->intune_device_id  ? issued->intune_device_id
			 : issued->entra_device_id ? issued->entra_device_id
			 : issued->upn		   ? issued->upn
						   : thumbprint;

	if (!record)
		return false;
	record->source = place_of(answer, row->source);
	record->only_against = "a certificate that was issued to it is no device";
	record->issued = malloc(sizeof(*record->issued));
	record->values = calloc(1, sizeof(*record->values));
	if (record->issued) {
		*record->issued = row->issued;
		memset(&row->issued, 0, sizeof(row->issued));
		issued = record->issued;
	}
	record->device.id = strdup(id);
	record->device.intune_device_id = issued->intune_device_id ? strdup(issued->intune_device_id) : NULL;
	record->device.entra_device_id = issued->entra_device_id ? strdup(issued->entra_device_id) : NULL;
	if (record->values) {
		record->values[0] = (struct certdir_value){CERTDIR_ID_CERTIFICATE, strdup(thumbprint)};
		record->value_count = record->values[0].value != NULL;
	}
	if (record->issued && record->device.id && record->value_count &&
	    !record->device.intune_device_id == !issued->intune_device_id &&
	    !record->device.entra_device_id == !issued->entra_device_id)
		return true;
	certdir_answer_fail(answer, CERTDIR_ANSWER_UNAVAILABLE, "out of memory");
	return false;
}

/* What is not looked at might be a "no": the answer is full then. */
static bool search_tables(const struct list_directory *list, const struct certdir_sought *sought,
			  struct certdir_answer *answer)
{
	struct certdir_list_issued rows[CERTDIR_LIST_FIND_MAX];
	struct certdir_error error;
	bool more, ok = true;
	const int count = certdir_list_issued_find(answer->held, list->tenant[0] ? list->tenant : NULL,
						   sought->certificate, rows, &more, &error);

	if (count < 0) {
		certdir_answer_fail(answer, CERTDIR_ANSWER_UNAVAILABLE, error.text);
		return false;
	}
	answer->full |= more;
	for (int i = 0; i < count; i++) {
		ok = ok && add_issued(&rows[i], sought->value, answer);
		certdir_issued_clear(&rows[i].issued);
	}
	return ok;
}

static bool search_for(const struct list_directory *list, struct certdir_sought *sought, struct certdir_answer *answer)
{
	const char *tenant = list->tenant[0] ? list->tenant : NULL;
	int64_t rows[CERTDIR_LIST_FIND_MAX];
	struct certdir_error error;
	bool more;
	int count;

	if (sought->type == CERTDIR_ID_CERTIFICATE)
		return search_tables(list, sought, answer);
	count = certdir_list_find(answer->held, tenant, sought->type, sought->value, rows, &more, &error);
	if (count < 0) {
		certdir_answer_fail(answer, CERTDIR_ANSWER_UNAVAILABLE, error.text);
		return false;
	}
	sought->many |= more;
	for (int i = 0; i < count; i++)
		if (!is_known(answer, rows[i]) && !add_record(list, rows[i], answer))
			return false;
	return true;
}

static void search_list(struct certdir_directory *directory, struct certdir_sought *sought, size_t count,
			struct certdir_answer *answer)
{
	struct list_directory *list = (struct list_directory *)directory;

	if (answer->state == CERTDIR_NOT_ASKED && !begin(list, false, answer))
		return;
	for (size_t i = 0; i < count && answer->state == CERTDIR_ANSWERED; i++)
		if (!search_for(list, &sought[i], answer))
			return;
}

/* ---- people ---- */

static bool add_person(int64_t row, struct certdir_answer *answer)
{
	const struct certdir_list_source *source;
	struct certdir_list_person person;
	struct certdir_record *record;
	struct certdir_error error;

	if (!certdir_list_user(answer->held, row, &person, &source, &error)) {
		certdir_answer_fail(answer, CERTDIR_ANSWER_UNAVAILABLE, error.text);
		return false;
	}
	record = certdir_answer_add(answer);
	if (record) {
		*record = (struct certdir_record){.device = person.person,
						  .source = place_of(answer, source),
						  .values = person.values,
						  .value_count = person.value_count,
						  .row = row};
		return true;
	}
	certdir_record_clear(&(struct certdir_record){
		.device = person.person, .values = person.values, .value_count = person.value_count});
	return false;
}

static void search_people(struct certdir_directory *directory, struct certdir_sought *sought, size_t count,
			  struct certdir_answer *answer)
{
	struct list_directory *list = ((struct people *)directory)->list;
	const char *tenant = list->tenant[0] ? list->tenant : NULL;

	if (answer->state == CERTDIR_NOT_ASKED && !begin(list, true, answer))
		return;
	for (size_t i = 0; i < count && answer->state == CERTDIR_ANSWERED; i++) {
		int64_t rows[CERTDIR_LIST_FIND_MAX];
		struct certdir_error error;
		bool more = false;
		int found;

		if (sought[i].type == CERTDIR_ID_CERTIFICATE) {
			(void)search_tables(list, &sought[i], answer);
			continue;
		}
		found = certdir_list_find_user(answer->held, tenant, sought[i].type, sought[i].value, rows, &more,
					       &error);

		if (found < 0)
			certdir_answer_fail(answer, CERTDIR_ANSWER_UNAVAILABLE, error.text);
		sought[i].many |= more;
		for (int r = 0; r < found; r++)
			if (!is_known(answer, rows[r]) && !add_person(rows[r], answer))
				return;
	}
}

/* It is a part of the list, which frees it. */
static void close_people(struct certdir_directory *directory)
{
	(void)directory;
}

struct certdir_directory *certdir_list_directory_people(struct certdir_directory *directory)
{
	static const struct certdir_directory_type people_type = {search_people, close_people};
	struct list_directory *list = (struct list_directory *)directory;

	list->people = (struct people){.base = *directory, .list = list};
	list->people.base.type = &people_type;
	list->people.base.ask = NULL;
	return &list->people.base;
}

/* ---- open, close ---- */

static void close_list(struct certdir_directory *directory)
{
	struct list_directory *list = (struct list_directory *)directory;

	if (list->watching) {
		(void)pthread_mutex_lock(&list->mutex);
		list->stop = true;
		(void)pthread_cond_signal(&list->wake);
		(void)pthread_mutex_unlock(&list->mutex);
		(void)pthread_join(list->watcher, NULL);
	}
	certdir_list_release(list->snapshot);
	certdir_asker_close(list->asker);
	(void)pthread_cond_destroy(&list->seen_now);
	(void)pthread_cond_destroy(&list->wake);
	(void)pthread_mutex_destroy(&list->mutex);
	free(list);
}

static const struct certdir_directory_type list_type = {search_list, close_list};

struct certdir_directory *certdir_list_directory_open(const struct certdir_list_config *config, bool watch_file,
						      struct certdir_error *error)
{
	struct list_directory *list = calloc(1, sizeof(*list));

	if (!list || !certdir_condition_init(&list->wake) || !certdir_condition_init(&list->seen_now)) {
		certdir_error_set(error, "%s: out of memory", config->filename);
		free(list);
		return NULL;
	}
	(void)pthread_mutex_init(&list->mutex, NULL);
	list->base.type = &list_type;
	list->filename = config->filename;
	list->base.max_age = config->max_age;
	if (watch_file && config->ask && (list->asker = certdir_asker_open(config->filename, config->askers)) != NULL)
		list->base.ask = ask_sync;
	list->groups = config->groups;
	if (config->tenant && *config->tenant &&
	    !certdir_canonical(CERTDIR_ID_GUID, config->tenant, strlen(config->tenant), list->tenant)) {
		certdir_error_set(error, "tenant = \"%s\" is not a GUID: give the tenant's id, not its domain",
				  config->tenant);
		goto out;
	}
	list->failed = true; /* nothing was seen yet, and no file is as good a reason to say so as a bad one */
	list->waited = RETRY_UNCHANGED;
	look(list);
	tell_stale(list);
	list->watching = watch_file && certdir_background_start(&list->watcher, watch, list, error);
	if (list->watching || !watch_file)
		return &list->base;
out:
	close_list(&list->base);
	return NULL;
}
