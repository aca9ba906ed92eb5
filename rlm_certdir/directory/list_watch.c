/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/list_watch.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/background.h"
#include "base/permissions.h"
#include "base/signature.h"
#include "directory/list_source.h"
#include "text/timestamp.h"

/* A file that was refused and has not changed since is read again each so many seconds, in case it was not the file. */
enum { RETRY_UNCHANGED = 10 };

/* So many sources are watched for growing stale; a list with more is found out by the logins. */
enum { SOURCES_TOLD = 32 };

/* The same for groups that nobody is in. */
enum { GROUPS_TOLD = 32 };

/* What is told of a source: that a part is stale, that its users are, and that it is ahead of us. */
enum { USERS_ARE_STALE = CERTDIR_PARTS, IS_AHEAD, SOURCE_FINDINGS };

struct certdir_list_watch {
	const char *filename;
	const char *tenant; /* canonical, "" = any */
	struct certdir_list_keys *keys; /* owned; NULL = lists need no signature */
	uint32_t max_age;
	const char *const *groups; /* as configured */
	atomic_uint_fast64_t editions; /* that came into use */

	pthread_mutex_t mutex; /* guards the next four */
	pthread_cond_t wake;
	bool stop;
	struct certdir_list_snapshot *snapshot; /* the edition in use, NULL = none was good yet */
	struct certdir_error why; /* there is none */

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

static int64_t age_of(const struct certdir_list_source *source, int64_t now)
{
	return now > source->synced ? now - source->synced : 0;
}

/* Of the list, and of its changes. */
static void look_at_both(const char *filename, struct certdir_signature signatures[2])
{
	char *changes = certdir_list_changes_name(filename);

	certdir_signature_take(&signatures[0], filename);
	certdir_signature_take(&signatures[1], changes ? changes : filename);
	free(changes);
}

static void log_loaded(const struct certdir_list_watch *list, const struct certdir_list_snapshot *snapshot)
{
	const size_t devices = certdir_list_device_count(snapshot);
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
	certdir_log(CERTDIR_LOG_INFO, "%s: %zu device%s%s%s", list->filename, devices, devices == 1 ? "" : "s", text,
		    used + 160 < sizeof(text) ? "" : "; ..");
}

/* Says once what is wrong, and again when it is something else. Only the watcher changes `snapshot`: no lock to read it. */
static void complain(struct certdir_list_watch *list, const char *why)
{
	char published[CERTDIR_TIMESTAMP_SIZE];
	size_t devices;

	if (strcmp(list->complaint, why) == 0)
		return;
	(void)snprintf(list->complaint, sizeof(list->complaint), "%s", why);
	if (!list->snapshot) {
		certdir_log(CERTDIR_LOG_ERROR, "%s. No device can be looked up there until it is", why);
		return;
	}
	devices = certdir_list_device_count(list->snapshot);
	certdir_timestamp_print(certdir_list_published(list->snapshot), published);
	certdir_log(list->seen[0].inode ? CERTDIR_LOG_ERROR : CERTDIR_LOG_WARN,
		    "%s. Keeping the list of %s with %zu device%s", why, published, devices, devices == 1 ? "" : "s");
}

/* What was in the damaged file and not in what stands in for it is lost, and that may be a "no". */
static void tell_damage(struct certdir_list_watch *list, const struct certdir_list_snapshot *last, const char *damage)
{
	const int64_t age = (int64_t)time(NULL) - certdir_list_published(last);

	(void)snprintf(list->complaint, sizeof(list->complaint), "%s", damage);
	certdir_log(CERTDIR_LOG_ERROR,
		    "list %s: damaged (%s): using the last good one, %s, %lld minutes old, until it is mended: what "
		    "was disabled or removed since then comes in",
		    list->filename, damage, certdir_list_files(last), (long long)(age > 0 ? age / 60 : 0));
}

/* Whoever put an old copy there may have meant to; what was disabled since comes in either way. */
static void tell_older(const struct certdir_list_watch *list, const struct certdir_list_snapshot *fresh,
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
static void tell_permissions(struct certdir_list_watch *list)
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

static void tell_stale_part(const struct certdir_list_watch *list, const struct certdir_source *source, size_t devices,
			    enum certdir_part part, int64_t now, bool *told)
{
	static const char *const names[CERTDIR_PARTS] = {"devices", "intune", "groups", "certificates"};
	const int64_t limit = certdir_source_limit(source, part, list->max_age);
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

static void tell_stale_users(const struct certdir_list_watch *list, const struct certdir_list_source *source,
			     int64_t now, bool *told)
{
	const struct certdir_source described = certdir_list_source_describe_people(source);
	const int64_t limit = certdir_source_limit(&described, CERTDIR_PART_OF_DEVICES, list->max_age);
	const int64_t age = now - source->users_synced;

	if (to_tell(told, limit != 0 && source->users_synced != 0 && age > limit))
		certdir_log(
			CERTDIR_LOG_WARN,
			"%s: the users part of tenant \"%.80s\" was last synced %lld s ago, more than %lld: what it "
			"says of %zu users counts as stale until it is synced again",
			list->filename, source->name, (long long)age, (long long)limit, source->users);
}

static void tell_source(struct certdir_list_watch *list, const struct certdir_list_source *source,
			bool told[SOURCE_FINDINGS], int64_t now)
{
	const struct certdir_source described = certdir_list_source_describe(source);
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
static void tell_stale(struct certdir_list_watch *list)
{
	const struct certdir_list_source *sources;
	const int64_t now = (int64_t)time(NULL);
	size_t count = 0;

	if (!list->snapshot)
		return;
	sources = certdir_list_sources(list->snapshot, &count);
	for (size_t i = 0; i < count && i < SOURCES_TOLD; i++)
		if (certdir_list_source_concerns(&sources[i], list->tenant))
			tell_source(list, &sources[i], list->told[i], now);
}

static void tell_groups(struct certdir_list_watch *list)
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
static void tell_unknown(struct certdir_list_watch *list)
{
	const struct certdir_list_source *sources;
	bool known = !list->tenant[0];
	size_t count = 0;

	sources = certdir_list_sources(list->snapshot, &count);
	/* An import without a tenant may name one with each of its devices. */
	for (size_t i = 0; i < count; i++)
		known |= certdir_list_source_concerns(&sources[i], list->tenant);
	if (to_tell(&list->told_tenant, !known))
		certdir_log(CERTDIR_LOG_WARN, "%s: tenant = %s: no source is of that tenant", list->filename,
			    list->tenant);
	if (list->groups)
		tell_groups(list);
}

/* Loads the file when it is not the one that was seen last. The edition in use stays until the new one is verified. */
static void look(struct certdir_list_watch *list)
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
	fresh = list->snapshot ? certdir_list_reload(list->filename, list->keys, list->snapshot, &why)
			       : certdir_list_load_last(list->filename, list->keys, &damage, &why);
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
	struct certdir_list_watch *list = context;

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

/* ---- the edition in use ---- */

struct certdir_list_snapshot *certdir_list_watch_edition(struct certdir_list_watch *list, struct certdir_error *why)
{
	struct certdir_list_snapshot *snapshot;

	(void)pthread_mutex_lock(&list->mutex);
	snapshot = list->snapshot ? certdir_list_retain(list->snapshot) : NULL;
	if (!snapshot)
		*why = list->why;
	(void)pthread_mutex_unlock(&list->mutex);
	return snapshot;
}

uint64_t certdir_list_watch_editions(const struct certdir_list_watch *list)
{
	return atomic_load(&list->editions);
}

void certdir_list_watch_look_now(struct certdir_list_watch *list)
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

/* ---- open, close ---- */

void certdir_list_watch_close(struct certdir_list_watch *list)
{
	if (!list)
		return;
	if (list->watching) {
		(void)pthread_mutex_lock(&list->mutex);
		list->stop = true;
		(void)pthread_cond_signal(&list->wake);
		(void)pthread_mutex_unlock(&list->mutex);
		(void)pthread_join(list->watcher, NULL);
	}
	certdir_list_release(list->snapshot);
	certdir_list_keys_close(list->keys);
	(void)pthread_cond_destroy(&list->seen_now);
	(void)pthread_cond_destroy(&list->wake);
	(void)pthread_mutex_destroy(&list->mutex);
	free(list);
}

struct certdir_list_watch *certdir_list_watch_open(const struct certdir_list_config *config, const char *tenant,
						   bool thread, struct certdir_error *error)
{
	struct certdir_list_watch *list = calloc(1, sizeof(*list));

	if (!list || !certdir_condition_init(&list->wake) || !certdir_condition_init(&list->seen_now)) {
		certdir_error_set(error, "%s: out of memory", config->filename);
		free(list);
		return NULL;
	}
	(void)pthread_mutex_init(&list->mutex, NULL);
	list->filename = config->filename;
	list->tenant = tenant;
	list->max_age = config->max_age;
	list->groups = config->groups;
	if (config->public_keys && !(list->keys = certdir_list_keys_public(config->public_keys, error))) {
		certdir_list_watch_close(list);
		return NULL;
	}
	list->failed = true; /* nothing was seen yet, and no file is as good a reason to say so as a bad one */
	list->waited = RETRY_UNCHANGED;
	look(list);
	tell_stale(list);
	list->watching = thread && certdir_background_start(&list->watcher, watch, list, error);
	if (list->watching || !thread)
		return list;
	certdir_list_watch_close(list);
	return NULL;
}
