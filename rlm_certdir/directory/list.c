/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device list as a directory: the edition in use, the thread that looks for a new one, and what a search makes of it. */
#include "directory/directory.h"

#include "background.h"
#include "identity/canonical.h"
#include "list/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* By what a new file is told from the one that was read; all zero when there is none. */
struct signature {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified;
	struct timespec changed;
};

/* A file that was refused and has not changed since is read again each so many seconds, in case it was not the file. */
enum { RETRY_UNCHANGED = 10 };

struct list_directory {
	struct certdir_directory base; /* first */
	const char *filename;
	char tenant[CERTDIR_VALUE_MAX + 1]; /* canonical, "" = any */
	uint32_t max_age;

	pthread_mutex_t mutex; /* guards the next four */
	pthread_cond_t wake;
	bool stop;
	struct certdir_list_snapshot *snapshot; /* the edition in use, NULL = none was good yet */
	struct certdir_error why; /* there is none */

	bool watching;
	pthread_t watcher;
	struct signature seen; /* from here on the watcher's own */
	bool failed; /* what was seen last could not be loaded */
	unsigned waited;
	bool stale_told; /* that the edition in use is past max_age */
	char complaint[sizeof(((struct certdir_error *)0)->text)]; /* what was logged last, not to log it each second */
};

/* ---- sources and their age ---- */

/* A source that names another tenant has nothing to say about ours; one that names none may hold some of its devices. */
static bool considered(const struct list_directory *list, const struct certdir_list_source *source)
{
	return !list->tenant[0] || !source->tenant || strcmp(source->tenant, list->tenant) == 0;
}

static int64_t age_of(const struct certdir_list_source *source, int64_t now)
{
	return now > source->synced ? now - source->synced : 0;
}

static bool is_stale(const struct list_directory *list, int64_t age)
{
	return list->max_age != 0 && age > (int64_t)list->max_age;
}

/* ---- watching ---- */

static void look_at(const char *filename, struct signature *signature)
{
	struct stat status;

	memset(signature, 0, sizeof(*signature));
	if (stat(filename, &status) != 0)
		return;
	signature->device = status.st_dev;
	signature->inode = status.st_ino;
	signature->size = status.st_size;
	signature->modified = status.st_mtim;
	signature->changed = status.st_ctim;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_file(const struct signature *a, const struct signature *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       same_time(&a->modified, &b->modified) && same_time(&a->changed, &b->changed);
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
	struct tm tm;
	time_t published;
	char when[32];

	if (strcmp(list->complaint, why) == 0)
		return;
	(void)snprintf(list->complaint, sizeof(list->complaint), "%s", why);
	if (!list->snapshot) {
		certdir_log(CERTDIR_LOG_ERROR, "%s. No device can be looked up there until it is", why);
		return;
	}
	published = (time_t)certdir_list_published(list->snapshot);
	(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&published, &tm));
	certdir_log(list->seen.inode ? CERTDIR_LOG_ERROR : CERTDIR_LOG_WARN,
		    "%s. Keeping the list of %s with %zu devices", why, when,
		    certdir_list_device_count(list->snapshot));
}

/* Says when devices stop being decided on, before the first of them asks why. */
static void tell_stale(struct list_directory *list)
{
	const struct certdir_list_source *sources;
	const int64_t now = (int64_t)time(NULL);
	size_t count = 0;

	if (!list->snapshot || list->stale_told)
		return;
	sources = certdir_list_sources(list->snapshot, &count);
	for (size_t i = 0; i < count; i++) {
		if (!considered(list, &sources[i]) || !is_stale(list, age_of(&sources[i], now)))
			continue;
		certdir_log(CERTDIR_LOG_WARN,
			    "%s: source \"%.80s\" was last synced %lld s ago, more than max_age = %u: its %zu devices "
			    "count as stale until it is synced or imported again",
			    list->filename, sources[i].name, (long long)age_of(&sources[i], now), list->max_age,
			    sources[i].devices);
		list->stale_told = true;
	}
}

/* Loads the file when it is not the one that was seen last. The edition in use stays until the new one is verified. */
static void look(struct list_directory *list)
{
	struct certdir_list_snapshot *fresh, *old;
	struct certdir_error why;
	struct signature now;

	look_at(list->filename, &now);
	if (same_file(&now, &list->seen) && (!list->failed || ++list->waited < RETRY_UNCHANGED))
		return;
	list->seen = now; /* before it is read: a change meanwhile is seen as one next time */
	list->waited = 0;
	fresh = certdir_list_load(list->filename, &why);
	list->failed = !fresh;
	if (!fresh)
		complain(list, why.text);
	(void)pthread_mutex_lock(&list->mutex);
	old = list->snapshot;
	if (fresh)
		list->snapshot = fresh;
	else
		list->why = why;
	(void)pthread_mutex_unlock(&list->mutex);
	if (fresh) {
		list->complaint[0] = '\0';
		list->stale_told = false;
		log_loaded(list, fresh);
		certdir_list_release(old);
	}
}

/* Once a second by the monotonic clock, until told to stop; close() does not wait for the second to end. */
static void *watch(void *context)
{
	struct list_directory *list = context;
	struct timespec next;

	(void)pthread_mutex_lock(&list->mutex);
	while (!list->stop) {
		(void)clock_gettime(CLOCK_MONOTONIC, &next);
		next.tv_sec++;
		while (!list->stop && pthread_cond_timedwait(&list->wake, &list->mutex, &next) == 0)
			;
		if (list->stop)
			break;
		(void)pthread_mutex_unlock(&list->mutex);
		look(list);
		tell_stale(list);
		(void)pthread_mutex_lock(&list->mutex);
	}
	(void)pthread_mutex_unlock(&list->mutex);
	return NULL;
}

/* ---- searching ---- */

struct found {
	int64_t row;
	uint64_t by;
};

struct search {
	const struct list_directory *list;
	const struct certdir_certificate *certificate;
	const struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader;
	struct certdir_answer *answer;
	struct found found[CERTDIR_IDENTITIES_MAX * CERTDIR_LIST_FIND_MAX];
	size_t count;
};

/* What holds for the answer as a whole: kinds of identities, age of the oldest source. */
static void describe_sources(const struct search *search, int64_t now)
{
	struct certdir_answer *answer = search->answer;
	const struct certdir_list_source *sources;
	size_t count;

	sources = certdir_list_sources(search->snapshot, &count);
	for (size_t i = 0; i < count; i++) {
		int64_t age = age_of(&sources[i], now);

		if (!considered(search->list, &sources[i]))
			continue;
		answer->holds |= sources[i].holds;
		if (age > answer->age)
			answer->age = age;
	}
	answer->stale = is_stale(search->list, answer->age);
}

static void note(struct search *search, int64_t row, uint64_t bit)
{
	size_t i;

	for (i = 0; i < search->count && search->found[i].row != row; i++)
		;
	if (i == search->count)
		search->found[search->count++] = (struct found){row, 0};
	search->found[i].by |= bit;
}

static bool find_all(struct search *search, uint64_t ask, struct certdir_error *error)
{
	int64_t rows[CERTDIR_LIST_FIND_MAX];

	for (size_t i = 0; i < search->certificate->count; i++) {
		const struct certdir_identity *identity = &search->certificate->identities[i];
		uint64_t bit = UINT64_C(1) << i;
		int count;

		if (!(ask & bit) || !(search->answer->holds & CERTDIR_BIT(identity->type)))
			continue;
		count = certdir_list_find(search->reader, identity->type, identity->value, rows, error);
		if (count < 0)
			return false;
		if (count == CERTDIR_LIST_FIND_MAX)
			search->answer->truncated |= bit;
		for (int r = 0; r < count; r++)
			note(search, rows[r], bit);
	}
	return true;
}

/* A device that an id found is not among the first of 5,000 "iPhone"s, but it may be an "iPhone" all the same. */
static bool complete_truncated(struct search *search, struct certdir_error *error)
{
	for (size_t i = 0; i < search->certificate->count; i++) {
		const struct certdir_identity *identity = &search->certificate->identities[i];
		uint64_t bit = UINT64_C(1) << i;

		if (!(search->answer->truncated & bit))
			continue;
		for (size_t f = 0; f < search->count; f++) {
			int carries = search->found[f].by & bit
					      ? 1
					      : certdir_list_carries(search->reader, identity->type, identity->value,
								     search->found[f].row, error);

			if (carries < 0)
				return false;
			if (carries)
				search->found[f].by |= bit;
		}
	}
	return true;
}

static const struct certdir_list_source *source_by_id(const struct search *search, int64_t id)
{
	const struct certdir_list_source *sources;
	size_t count;

	sources = certdir_list_sources(search->snapshot, &count);
	for (size_t i = 0; i < count; i++)
		if (sources[i].id == id)
			return &sources[i];
	return NULL;
}

static bool add_match(struct search *search, const struct found *found, int64_t now, struct certdir_error *error)
{
	const struct list_directory *list = search->list;
	const struct certdir_list_source *source;
	struct certdir_device device;
	struct certdir_match *match;
	int64_t id;

	if (!certdir_list_device(search->reader, found->row, &device, &id, error))
		return false;
	source = source_by_id(search, id);
	if (!source || (list->tenant[0] && (!device.tenant || strcmp(device.tenant, list->tenant) != 0))) {
		certdir_device_clear(&device);
		return true;
	}
	match = certdir_answer_add(search->answer);
	if (!match) {
		certdir_device_clear(&device);
		certdir_error_set(error, "%s: out of memory", list->filename);
		return false;
	}
	match->device = device;
	match->by = found->by;
	match->age = age_of(source, now);
	match->stale = is_stale(list, match->age);
	return true;
}

static bool run_search(struct search *search, uint64_t ask, int64_t now, struct certdir_error *error)
{
	describe_sources(search, now);
	if (!find_all(search, ask, error) || !complete_truncated(search, error))
		return false;
	for (size_t i = 0; i < search->count; i++)
		if (!add_match(search, &search->found[i], now, error))
			return false;
	return true;
}

static void give_up(struct certdir_answer *answer, enum certdir_answer_state state, const struct certdir_error *why)
{
	certdir_answer_clear(answer);
	answer->state = state;
	certdir_say(answer->detail, "%s", why->text);
}

static void search_list(struct certdir_directory *directory, const struct certdir_certificate *certificate,
			uint64_t ask, int64_t now, struct certdir_answer *answer)
{
	struct list_directory *list = (struct list_directory *)directory;
	struct certdir_list_snapshot *snapshot;
	struct certdir_error error = {""};
	struct search search;

	(void)pthread_mutex_lock(&list->mutex);
	snapshot = list->snapshot ? certdir_list_retain(list->snapshot) : NULL;
	if (!snapshot)
		error = list->why;
	(void)pthread_mutex_unlock(&list->mutex);
	if (!snapshot) {
		give_up(answer, CERTDIR_ANSWER_MISSING, &error);
		return;
	}
	search.list = list;
	search.certificate = certificate;
	search.snapshot = snapshot;
	search.answer = answer;
	search.count = 0; /* found[] is filled as far as count says, no more: it is too long to clear each time */
	search.reader = certdir_list_reader_get(snapshot, &error);
	if (!search.reader || !run_search(&search, ask, now, &error))
		give_up(answer, CERTDIR_ANSWER_UNAVAILABLE, &error);
	certdir_list_reader_put(search.reader);
	certdir_list_release(snapshot);
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
	(void)pthread_cond_destroy(&list->wake);
	(void)pthread_mutex_destroy(&list->mutex);
	free(list);
}

static const struct certdir_directory_type list_type = {search_list, close_list};

struct certdir_directory *certdir_list_directory_open(const struct certdir_list_config *config, bool watch_file,
						      struct certdir_error *error)
{
	struct list_directory *list = calloc(1, sizeof(*list));

	if (!list || !certdir_condition_init(&list->wake)) {
		certdir_error_set(error, "%s: out of memory", config->filename);
		free(list);
		return NULL;
	}
	(void)pthread_mutex_init(&list->mutex, NULL);
	list->base.type = &list_type;
	list->filename = config->filename;
	list->max_age = config->max_age;
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
