/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include "base/background.h"
#include "base/permissions.h"
#include "directory/memory_file.h"

enum { SAVE_INTERVAL = 60 }; /* seconds: so much of the memory is lost when the server is killed */

/* A search that is in flight. It lives on the stack of who began it, who waits until all others have its reply. */
struct flight {
	LIST_ENTRY(flight) others;
	const struct certdir_question *question; /* of whom began it */
	size_t waiting;
	bool done;
	struct certdir_reply *reply; /* once done; or NULL and why there is none */
	char why[CERTDIR_TEXT_MAX];
};

struct memory {
	struct certdir_directory directory; /* first */
	struct certdir_directory *live;
	struct certdir_memory_config config;

	pthread_mutex_t lock; /* guards all that follows */
	pthread_cond_t done; /* a flight is, or the last who waited for one has its reply */
	pthread_cond_t wake;
	struct certdir_store *store;
	LIST_HEAD(, flight) flights;
	size_t waiting; /* in all flights */
	uint64_t remembered, shared, outage; /* answers that needed no search */
	bool stop;
	bool changed; /* since the file was written */

	bool keeping;
	pthread_t keeper;
	char complaint[CERTDIR_TEXT_MAX]; /* the keeper's own: what was logged last of a file that cannot be written */
};

static const char *name_of(const struct memory *self)
{
	return self->directory.name ? self->directory.name : "ldap";
}

/* ---- a reply -> an answer ---- */

/* `synced`: when it was said, 0 = now. */
static bool add_source(const struct memory *self, struct certdir_answer *answer, int64_t synced)
{
	if (!answer->sources)
		answer->sources = calloc(1, sizeof(*answer->sources));
	if (!answer->sources)
		return false;
	answer->keeps = self->directory.keeps;
	answer->source_count = 1;
	answer->sources[0] = (struct certdir_source){.kind = CERTDIR_SOURCE_LDAP,
						     .name = name_of(self),
						     .synced = {[CERTDIR_PART_OF_DEVICES] = synced},
						     .keeps = self->directory.keeps,
						     .says_enabled = true};
	return true;
}

static bool add_records(struct certdir_answer *answer, const struct certdir_reply *reply)
{
	for (size_t r = 0; r < reply->count; r++) {
		struct certdir_record *record = certdir_answer_add(answer);

		if (!record)
			return false;
		if (!certdir_record_unpack(reply->records[r]->bytes, reply->records[r]->length, record)) {
			answer->count--;
			return false;
		}
	}
	return true;
}

/* Puts it into the answer, whose state stays as it is, but when memory is out: half an answer could lack a "no". */
static void put_reply(const struct memory *self, const struct certdir_question *question,
		      const struct certdir_reply *reply, int64_t synced, struct certdir_sought *sought,
		      struct certdir_answer *answer)
{
	if (!add_source(self, answer, synced) || !add_records(answer, reply)) {
		certdir_answer_fail(answer, CERTDIR_ANSWER_UNAVAILABLE, "out of memory");
		return;
	}
	answer->full = reply->full;
	answer->partial = reply->partial;
	for (size_t i = 0; i < question->count && i < reply->value_count; i++)
		sought[question->order[i]].many |= reply->many[i];
}

/* ---- an answer -> a reply ---- */

/* NULL when memory is out, or the directory could not answer. */
static struct certdir_reply *reply_of(const struct certdir_question *question, const struct certdir_sought *sought,
				      const struct certdir_answer *answer, const struct certdir_moment *asked)
{
	struct certdir_reply *reply;

	if (answer->state != CERTDIR_ANSWERED)
		return NULL;
	reply = certdir_reply_new(answer->count, question->count);
	if (!reply)
		return NULL;
	reply->asked = *asked;
	reply->full = answer->full;
	reply->partial = answer->partial;
	for (size_t i = 0; i < question->count; i++)
		reply->many[i] = sought[question->order[i]].many;
	for (size_t r = 0; r < answer->count; r++) {
		reply->records[r] = certdir_record_pack(&answer->records[r]);
		if (!reply->records[r]) {
			certdir_reply_release(reply);
			return NULL;
		}
	}
	return reply;
}

/* ---- searches in flight; the lock is held ---- */

static struct flight *find_flight(const struct memory *self, const struct certdir_question *question)
{
	struct flight *flight;

	LIST_FOREACH(flight, &self->flights, others)
		if (flight->question->key_length == question->key_length &&
		    memcmp(flight->question->key, question->key, question->key_length) == 0)
			return flight;
	return NULL;
}

/* Its answer, to be released; or NULL and why there is none. */
static struct certdir_reply *wait_for(struct memory *self, struct flight *flight, char why[CERTDIR_TEXT_MAX])
{
	const int64_t until = certdir_monotonic() + self->config.patience;
	struct certdir_reply *reply = NULL;

	flight->waiting++;
	self->waiting++;
	while (!flight->done && certdir_condition_wait(&self->done, &self->lock, until))
		;
	flight->waiting--;
	self->waiting--;
	if (!flight->done)
		certdir_say(why, "no answer yet to the same question of another login");
	else if (flight->reply)
		reply = certdir_reply_retain(flight->reply);
	else
		certdir_say(why, "%s", flight->why);
	if (flight->done && flight->waiting == 0)
		(void)pthread_cond_broadcast(&self->done);
	return reply;
}

/* Wakes those who wait, and waits until they have its reply. */
static void finish(struct memory *self, struct flight *flight)
{
	LIST_REMOVE(flight, others);
	flight->done = true;
	if (flight->waiting > 0)
		(void)pthread_cond_broadcast(&self->done);
	while (flight->waiting > 0)
		(void)pthread_cond_wait(&self->done, &self->lock);
}

/* ---- search ---- */

/* NULL: an answer that cannot be kept. It may hold a "no", so what was said before is not so any more; the lock is held. */
static void keep_reply(struct memory *self, const struct certdir_question *question, struct certdir_reply *reply,
		       const struct certdir_moment *asked)
{
	struct certdir_reply *nothing = reply ? NULL : certdir_reply_new(0, question->count);

	if (nothing)
		nothing->asked = *asked;
	if (reply || nothing)
		certdir_store_put(self->store, question, reply ? reply : nothing);
	self->changed = true;
	certdir_reply_release(nothing);
}

static void ask(struct memory *self, const struct certdir_question *question, struct certdir_sought *sought,
		struct certdir_answer *answer)
{
	struct flight flight = {.question = question};
	const struct certdir_moment asked = certdir_moment_now();

	LIST_INSERT_HEAD(&self->flights, &flight, others);
	(void)pthread_mutex_unlock(&self->lock);
	self->live->type->search(self->live, sought, question->count, answer);
	flight.reply = reply_of(question, sought, answer, &asked);
	if (!flight.reply)
		certdir_say(flight.why, "%s",
			    answer->state == CERTDIR_ANSWERED ? "its answer is too large to be shared"
							      : answer->detail);
	(void)pthread_mutex_lock(&self->lock);
	if (answer->state == CERTDIR_ANSWERED)
		keep_reply(self, question, flight.reply, &asked);
	finish(self, &flight);
	(void)pthread_mutex_unlock(&self->lock);
	certdir_reply_release(flight.reply);
}

/*
 * The last answer to the question, and how old it is; the lock is held. NULL: none, or it is older than `seconds` (0 = of any age), or
 * not all that the directory would say by now.
 */
static struct certdir_reply *remembered(struct memory *self, const struct certdir_question *question, uint32_t seconds,
					int64_t *age)
{
	const struct certdir_moment now = certdir_moment_now();
	struct certdir_reply *reply = certdir_store_get(self->store, question);

	*age = reply ? certdir_moment_since(&reply->asked, &now) : 0;
	if (!reply || !seconds || (*age < (int64_t)seconds * CERTDIR_SECOND && !reply->partial))
		return reply;
	certdir_reply_release(reply);
	return NULL;
}

static int64_t said_at(int64_t age)
{
	return (int64_t)time(NULL) - age / CERTDIR_SECOND;
}

/* What the directory said before; the answer keeps saying that it cannot be asked. */
static void fall_back(struct memory *self, const struct certdir_question *question, struct certdir_sought *sought,
		      struct certdir_answer *answer)
{
	struct certdir_reply *reply;
	int64_t age;

	(void)pthread_mutex_lock(&self->lock);
	reply = remembered(self, question, 0, &age);
	self->outage += reply != NULL;
	(void)pthread_mutex_unlock(&self->lock);
	if (reply)
		put_reply(self, question, reply, said_at(age), sought, answer);
	certdir_reply_release(reply);
}

static void answer_question(struct memory *self, const struct certdir_question *question, struct certdir_sought *sought,
			    struct certdir_answer *answer)
{
	struct certdir_reply *reply = NULL;
	struct flight *flight;
	char why[CERTDIR_TEXT_MAX];
	int64_t age = 0;

	(void)pthread_mutex_lock(&self->lock);
	if (self->config.remember)
		reply = remembered(self, question, self->config.remember, &age);
	flight = reply ? NULL : find_flight(self, question);
	if (!reply && (!flight || self->waiting >= self->config.waiting_max)) {
		ask(self, question, sought, answer); /* gives the lock back */
		return;
	}
	if (flight)
		reply = wait_for(self, flight, why);
	self->shared += flight && reply;
	self->remembered += !flight;
	(void)pthread_mutex_unlock(&self->lock);
	if (reply) {
		answer->state = CERTDIR_ANSWERED;
		put_reply(self, question, reply, flight ? 0 : said_at(age), sought, answer);
	} else {
		certdir_answer_fail(answer, CERTDIR_ANSWER_UNAVAILABLE, why);
	}
	certdir_reply_release(reply);
}

static void search(struct certdir_directory *directory, struct certdir_sought *sought, size_t count,
		   struct certdir_answer *answer)
{
	struct memory *self = (struct memory *)directory;
	struct certdir_question question;

	/* A live directory is asked once in a login. */
	if (count == 0 || answer->state != CERTDIR_NOT_ASKED)
		return;
	if (!certdir_question_init(&question, sought, count)) {
		self->live->type->search(self->live, sought, count, answer);
		return;
	}
	answer_question(self, &question, sought, answer);
	if (answer->state == CERTDIR_ANSWER_UNAVAILABLE && self->config.when_unavailable)
		fall_back(self, &question, sought, answer);
	certdir_question_clear(&question);
}

static void measure(struct certdir_directory *directory, struct certdir_measured *measured)
{
	struct memory *self = (struct memory *)directory;

	if (self->live->measure)
		self->live->measure(self->live, measured);
	(void)pthread_mutex_lock(&self->lock);
	measured->remembers = true;
	measured->remembered = self->remembered;
	measured->shared = self->shared;
	measured->outage = self->outage;
	(void)pthread_mutex_unlock(&self->lock);
}

/* ---- the file ---- */

/* Says once what is wrong, and again when it is something else or was well in between. */
static void complain(struct memory *self, const char *why)
{
	if (strcmp(self->complaint, why) == 0)
		return;
	certdir_say(self->complaint, "%s", why);
	if (why[0])
		certdir_log(CERTDIR_LOG_WARN,
			    "directory %s: %s. What it says is not known after a restart until this is mended "
			    "(`memory` in its options { })",
			    name_of(self), why);
}

static void save(struct memory *self)
{
	struct certdir_bytes bytes = {0};
	struct certdir_error error = {.text = ""};
	size_t room;
	bool ok;

	(void)pthread_mutex_lock(&self->lock);
	room = certdir_store_bytes(self->store);
	ok = !self->changed;
	(void)pthread_mutex_unlock(&self->lock);
	if (ok)
		return;
	/* Nine tenths of the time that packing takes are the kernel's, for memory; and all logins wait for the lock. */
	certdir_bytes_reserve(&bytes, room);
	(void)pthread_mutex_lock(&self->lock);
	certdir_memory_pack(&bytes, self->store, self->config.origin);
	self->changed = false;
	(void)pthread_mutex_unlock(&self->lock);
	if (bytes.failed)
		certdir_error_set(&error, "out of memory");
	ok = !bytes.failed && certdir_memory_save(self->config.filename, &bytes, &error);
	free(bytes.bytes);
	complain(self, error.text);
	if (ok)
		return;
	(void)pthread_mutex_lock(&self->lock);
	self->changed = true;
	(void)pthread_mutex_unlock(&self->lock);
}

static void *keep(void *context)
{
	struct memory *self = context;
	bool stop = false;

	while (!stop) {
		const int64_t next = certdir_monotonic() + SAVE_INTERVAL * CERTDIR_SECOND;

		(void)pthread_mutex_lock(&self->lock);
		while (!self->stop && certdir_condition_wait(&self->wake, &self->lock, next))
			;
		stop = self->stop;
		(void)pthread_mutex_unlock(&self->lock);
		save(self);
	}
	return NULL;
}

/* What is no good is said, and there is none then: a server has to start. */
static bool load(struct memory *self, struct certdir_error *error)
{
	const char *filename = self->config.filename;
	struct certdir_error why = {.text = ""};

	certdir_permissions_warn(filename);
	if (certdir_memory_load(filename, self->store, self->config.origin, &why)) {
		certdir_log(CERTDIR_LOG_INFO, "directory %s: %s: %zu answers of it are remembered", name_of(self),
			    filename, certdir_store_count(self->store));
		return true;
	}
	if (why.text[0])
		certdir_log(CERTDIR_LOG_WARN,
			    "directory %s: %s is not used: %s. What the directory says from now on "
			    "takes its place",
			    name_of(self), filename, why.text);
	certdir_store_free(self->store);
	self->store = certdir_store_new(CERTDIR_STORE_ANSWERS_MAX, CERTDIR_STORE_BYTES_MAX);
	/* Written at once: that it cannot be is better known at the start than after the first outage. */
	self->changed = true;
	if (!self->store)
		certdir_error_set(error, "out of memory");
	return self->store;
}

/* ---- open and close ---- */

static void close_memory(struct certdir_directory *directory)
{
	struct memory *self = (struct memory *)directory;

	if (self->keeping) {
		(void)pthread_mutex_lock(&self->lock);
		self->stop = true;
		(void)pthread_cond_signal(&self->wake);
		(void)pthread_mutex_unlock(&self->lock);
		(void)pthread_join(self->keeper, NULL);
	}
	self->live->type->close(self->live);
	certdir_store_free(self->store);
	free(self->config.origin);
	(void)pthread_cond_destroy(&self->done);
	(void)pthread_cond_destroy(&self->wake);
	(void)pthread_mutex_destroy(&self->lock);
	free(self);
}

static bool begin_keeping(struct memory *self, struct certdir_error *error)
{
	if (!self->config.filename)
		return true;
	if (!load(self, error))
		return false;
	save(self);
	self->keeping = certdir_background_start(&self->keeper, keep, self, error);
	return self->keeping;
}

struct certdir_directory *certdir_memory_open(struct certdir_directory *live,
					      const struct certdir_memory_config *config, struct certdir_error *error)
{
	static const struct certdir_directory_type type = {search, close_memory};
	struct memory *self = calloc(1, sizeof(*self));

	if (!self || !certdir_condition_init(&self->done) || !certdir_condition_init(&self->wake) ||
	    pthread_mutex_init(&self->lock, NULL) != 0) {
		certdir_error_set(error, "out of memory");
		live->type->close(live);
		free(config->origin);
		free(self);
		return NULL;
	}
	LIST_INIT(&self->flights);
	self->directory = *live;
	self->directory.type = &type;
	self->directory.measure = measure;
	/* What it said within that time is fresh; 0 would mean for ever. */
	self->directory.max_age = config->remember ? config->remember : 1;
	self->live = live;
	self->config = *config;
	if (!config->when_unavailable)
		self->config.filename = NULL;
	self->store = certdir_store_new(CERTDIR_STORE_ANSWERS_MAX, CERTDIR_STORE_BYTES_MAX);
	if (!self->store)
		certdir_error_set(error, "out of memory");
	else if (begin_keeping(self, error))
		return &self->directory;
	close_memory(&self->directory);
	return NULL;
}
