/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/memory_store.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include "base/background.h"
#include "text/canonical.h"

enum { WHAT_NODES_TAKE = 64 }; /* bytes: of a node of a tree, and what malloc() adds to each piece */

/* ---- questions ---- */

static int by_value(const void *a, const void *b, void *context)
{
	const struct certdir_sought *sought = context;
	const struct certdir_sought *left = &sought[*(const unsigned char *)a];
	const struct certdir_sought *right = &sought[*(const unsigned char *)b];

	return left->type != right->type ? (int)left->type - (int)right->type : strcmp(left->value, right->value);
}

bool certdir_question_init(struct certdir_question *question, const struct certdir_sought *sought, size_t count)
{
	struct certdir_bytes key = {0};

	memset(question, 0, sizeof(*question));
	if (count > sizeof(question->order))
		return false;
	for (size_t i = 0; i < count; i++)
		question->order[i] = (unsigned char)i;
	qsort_r(question->order, count, 1, by_value, (void *)(uintptr_t)sought);
	for (size_t i = 0; i < count; i++) {
		const struct certdir_sought *one = &sought[question->order[i]];
		const unsigned char type = (unsigned char)one->type;

		certdir_bytes_put(&key, &type, 1);
		certdir_bytes_put(&key, one->value, strlen(one->value) + 1);
	}
	if (key.failed)
		free(key.bytes);
	question->key = key.failed ? NULL : key.bytes;
	question->key_length = key.length;
	question->count = count;
	return question->key;
}

void certdir_question_clear(struct certdir_question *question)
{
	free(question->key);
	question->key = NULL;
}

/* ---- moments ---- */

struct certdir_moment certdir_moment_now(void)
{
	struct timespec wall;

	(void)clock_gettime(CLOCK_REALTIME, &wall);
	return (struct certdir_moment){certdir_monotonic(),
				       (int64_t)wall.tv_sec * CERTDIR_SECOND + wall.tv_nsec / 1000};
}

int64_t certdir_moment_since(const struct certdir_moment *then, const struct certdir_moment *now)
{
	const int64_t one = now->monotonic - then->monotonic, other = now->wall - then->wall;
	const int64_t more = one > other ? one : other;

	return more > 0 ? more : 0;
}

/* ---- replies ---- */

struct certdir_reply *certdir_reply_new(size_t count, size_t value_count)
{
	struct certdir_reply *reply = calloc(1, sizeof(*reply) + count * sizeof(reply->records[0]) + value_count);

	if (!reply)
		return NULL;
	atomic_init(&reply->references, 1);
	reply->count = count;
	reply->value_count = value_count;
	reply->many = (bool *)&reply->records[count];
	return reply;
}

/* One that says the same as `other`, but for its records. */
static struct certdir_reply *reply_like(const struct certdir_reply *other, size_t count)
{
	struct certdir_reply *reply = certdir_reply_new(count, other->value_count);

	if (!reply)
		return NULL;
	reply->asked = other->asked;
	reply->full = other->full;
	reply->partial = other->partial;
	memcpy(reply->many, other->many, reply->value_count * sizeof(*reply->many));
	return reply;
}

struct certdir_reply *certdir_reply_retain(struct certdir_reply *reply)
{
	atomic_fetch_add_explicit(&reply->references, 1, memory_order_relaxed);
	return reply;
}

void certdir_reply_release(struct certdir_reply *reply)
{
	if (!reply || atomic_fetch_sub_explicit(&reply->references, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t r = 0; r < reply->count; r++)
		certdir_packed_release(reply->records[r]);
	free(reply);
}

/* ---- the store ---- */

struct slot;

/* A node of the tree in which a record is found by its id (a DN), or by one of its ids. */
struct name {
	const char *text; /* of the slot's record */
	struct slot *slot;
};

/* One record, shared by all answers in which it stands. */
struct slot {
	size_t answers; /* that have it */
	bool gone; /* the directory has it no more: no answer with it holds */
	struct certdir_moment asked; /* when `record` was */
	struct certdir_packed *record;
	struct name *names; /* for each of its identities */
};

/* The last reply to a question. */
struct remembered {
	TAILQ_ENTRY(remembered) by_use;
	unsigned char *key; /* the question's */
	size_t key_length;
	struct certdir_reply *reply; /* all but its records, which are those of the slots */
	size_t count;
	struct slot *slots[];
};

/*
 * Balanced trees of the C library and no hash: whoever chooses the names in certificates chooses the keys here, and could choose
 * such that collide.
 */
struct certdir_store {
	void *entries; /* tree of struct remembered, by key */
	void *names; /* tree of struct name, by text */
	TAILQ_HEAD(, remembered) by_use; /* the one that was used longest ago first */
	size_t count;
	size_t bytes; /* a record counts in each answer that has it, as it does in a file */
	size_t answers_max;
	size_t bytes_max;
	int64_t gone_at; /* certdir_monotonic(): what was asked before may have seen what is gone by now */
};

static int compare_entries(const void *a, const void *b)
{
	const struct remembered *left = a, *right = b;
	const size_t length = left->key_length < right->key_length ? left->key_length : right->key_length;
	const int order = memcmp(left->key, right->key, length);

	return order != 0 ? order : (left->key_length > right->key_length) - (left->key_length < right->key_length);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

struct certdir_store *certdir_store_new(size_t answers_max, size_t bytes_max)
{
	struct certdir_store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	TAILQ_INIT(&store->by_use);
	store->answers_max = answers_max;
	store->bytes_max = bytes_max;
	return store;
}

size_t certdir_store_count(const struct certdir_store *store)
{
	return store->count;
}

size_t certdir_store_bytes(const struct certdir_store *store)
{
	return store->bytes;
}

/* ---- records ---- */

static size_t size_of_slot(const struct slot *slot)
{
	const struct certdir_packed *record = slot->record;

	return record ? sizeof(*slot) + sizeof(*record) + record->length + WHAT_NODES_TAKE +
				record->identity_count * (sizeof(struct name) + WHAT_NODES_TAKE)
		      : 0;
}

static struct slot *find_slot(const struct certdir_store *store, const char *identity)
{
	const struct name sought = {identity, NULL};
	struct name *const *found = tfind(&sought, &store->names, compare_names);

	return found ? (*found)->slot : NULL;
}

/* Takes the slot's record out of the tree and out of the count; the slot stays, without one. */
static void unindex(struct certdir_store *store, struct slot *slot)
{
	if (!slot->record)
		return;
	for (size_t i = 0; i < slot->record->identity_count; i++) {
		struct name *const *found = tfind(&slot->names[i], &store->names, compare_names);

		if (found && *found == &slot->names[i])
			(void)tdelete(&slot->names[i], &store->names, compare_names);
	}
	store->bytes -= slot->answers * size_of_slot(slot);
	free(slot->names);
	certdir_packed_release(slot->record);
	slot->names = NULL;
	slot->record = NULL;
}

/* Makes `record` the slot's, to be found by each of its identities. False when memory is out. */
static bool index_record(struct certdir_store *store, struct slot *slot, struct certdir_packed *record)
{
	const char *text;

	slot->names = calloc(record->identity_count, sizeof(*slot->names));
	if (!slot->names)
		return false;
	slot->record = certdir_packed_retain(record);
	store->bytes += slot->answers * size_of_slot(slot);
	text = record->identities;
	/* An id that another record of the same answer has, too, is found by that one. */
	for (size_t i = 0; i < record->identity_count; i++, text += strlen(text) + 1) {
		slot->names[i] = (struct name){text, slot};
		(void)tsearch(&slot->names[i], &store->names, compare_names);
	}
	return true;
}

/* One answer less has it; without any it is freed. */
static void release_slot(struct certdir_store *store, struct slot *slot)
{
	store->bytes -= size_of_slot(slot);
	if (--slot->answers > 0)
		return;
	unindex(store, slot);
	free(slot);
}

/* The directory has it no more, so no answer with it holds. */
static void forget(struct certdir_store *store, struct slot *slot)
{
	unindex(store, slot);
	slot->gone = true;
}

/* ---- answers ---- */

static size_t size_of_entry(const struct remembered *entry)
{
	return sizeof(*entry) + entry->count * sizeof(entry->slots[0]) + entry->key_length + sizeof(*entry->reply) +
	       entry->reply->value_count + 3 * WHAT_NODES_TAKE;
}

static struct remembered *find_entry(const struct certdir_store *store, const struct certdir_question *question)
{
	const struct remembered sought = {.key = question->key, .key_length = question->key_length};
	struct remembered *const *found = tfind(&sought, &store->entries, compare_entries);

	return found ? *found : NULL;
}

static struct remembered *new_entry(const struct certdir_question *question, const struct certdir_reply *reply)
{
	struct remembered *entry = calloc(1, sizeof(*entry) + reply->count * sizeof(entry->slots[0]));

	if (!entry)
		return NULL;
	entry->key = malloc(question->key_length + 1);
	entry->reply = reply_like(reply, 0);
	if (!entry->key || !entry->reply) {
		certdir_reply_release(entry->reply);
		free(entry->key);
		free(entry);
		return NULL;
	}
	memcpy(entry->key, question->key, question->key_length);
	entry->key_length = question->key_length;
	return entry;
}

static void free_entry(struct certdir_store *store, struct remembered *entry)
{
	for (size_t r = 0; r < entry->count; r++)
		release_slot(store, entry->slots[r]);
	certdir_reply_release(entry->reply);
	free(entry->key);
	free(entry);
}

static void drop_entry(struct certdir_store *store, struct remembered *entry)
{
	TAILQ_REMOVE(&store->by_use, entry, by_use);
	(void)tdelete(entry, &store->entries, compare_entries);
	store->count--;
	store->bytes -= size_of_entry(entry);
	free_entry(store, entry);
}

static void add_entry(struct certdir_store *store, struct remembered *entry)
{
	if (!tsearch(entry, &store->entries, compare_entries)) {
		free_entry(store, entry);
		return;
	}
	TAILQ_INSERT_TAIL(&store->by_use, entry, by_use);
	store->count++;
	store->bytes += size_of_entry(entry);
}

void certdir_store_free(struct certdir_store *store)
{
	while (store && !TAILQ_EMPTY(&store->by_use))
		drop_entry(store, TAILQ_FIRST(&store->by_use));
	free(store);
}

/* ---- putting ---- */

/* By its id, which is its first identity. */
static bool stands_in(const struct certdir_reply *reply, const struct slot *slot)
{
	for (size_t r = 0; r < reply->count; r++)
		if (strcmp(reply->records[r]->identities, slot->record->identities) == 0)
			return true;
	return false;
}

static bool is_missing(const struct slot *slot, const struct certdir_reply *reply)
{
	return slot && slot->record && !stands_in(reply, slot);
}

static void forget_gone(struct certdir_store *store, struct slot *slot, const struct certdir_reply *reply)
{
	if (!is_missing(slot, reply) || slot->asked.monotonic > reply->asked.monotonic)
		return;
	forget(store, slot);
	store->gone_at = certdir_monotonic();
}

/* What has an id that was asked for would have come, unless so many have it that not all of them came. */
static void forget_sought(struct certdir_store *store, const struct certdir_question *question,
			  const struct certdir_reply *reply)
{
	const char *at = (const char *)question->key;

	for (size_t i = 0; i < question->count; i++) {
		const enum certdir_identity_type type = (enum certdir_identity_type) * at++;

		if (!reply->many[i] &&
		    (certdir_type_is_guid(type) || type == CERTDIR_ID_SID || type == CERTDIR_ID_SID_URI))
			forget_gone(store, find_slot(store, at), reply);
		at += strlen(at) + 1;
	}
}

/*
 * An account that was moved has another DN and the same SID: what was known of it where it was holds no more. False: it was moved since
 * this was asked.
 */
static bool forget_moved(struct certdir_store *store, const struct certdir_packed *record,
			 const struct certdir_reply *reply)
{
	const char *identity = record->identities;

	for (size_t i = 0; i < record->identity_count; i++, identity += strlen(identity) + 1) {
		struct slot *slot = find_slot(store, identity);

		if (is_missing(slot, reply) && slot->asked.monotonic > reply->asked.monotonic)
			return false;
		if (is_missing(slot, reply))
			forget(store, slot);
	}
	return true;
}

/* The r-th record as it is to be kept, to be released: with the groups that could not be asked for, as old as they are. */
static struct certdir_packed *with_known_groups(const struct slot *slot, const struct certdir_reply *reply, size_t r)
{
	struct certdir_packed *kept = NULL;
	int64_t said; /* by the clock as it is now: it may have been set back */

	if (slot && reply->partial) {
		said = reply->asked.wall - certdir_moment_since(&slot->asked, &reply->asked);
		kept = certdir_packed_keep_groups(reply->records[r], slot->record, said / 1000000);
	}
	return kept ? kept : certdir_packed_retain(reply->records[r]);
}

/*
 * What is said of the r-th record now holds for all answers that have it. `make`: also when none has. NULL: there is none.
 */
static struct slot *renew_slot(struct certdir_store *store, const struct certdir_reply *reply, size_t r, bool make)
{
	struct certdir_packed *record = reply->records[r];
	struct slot *slot = find_slot(store, record->identities);
	bool in;

	/* An id that is written like a DN finds another. */
	if (slot && strcmp(slot->record->identities, record->identities) != 0)
		return NULL;
	if (slot && slot->asked.monotonic > reply->asked.monotonic)
		return slot;
	record = with_known_groups(slot, reply, r);
	if (slot)
		unindex(store, slot);
	else if (make)
		slot = calloc(1, sizeof(*slot));
	in = slot && index_record(store, slot, record);
	certdir_packed_release(record);
	if (!slot)
		return NULL;
	slot->asked = reply->asked;
	if (in)
		return slot;
	slot->gone = true;
	if (slot->answers == 0)
		free(slot);
	return NULL;
}

/* False: `entry` (NULL: none is made) has not all of the records. */
static bool take_records(struct certdir_store *store, const struct certdir_reply *reply, struct remembered *entry)
{
	bool all = true;

	for (size_t r = 0; r < reply->count; r++) {
		struct slot *slot = NULL;

		if (forget_moved(store, reply->records[r], reply))
			slot = renew_slot(store, reply, r, entry != NULL);
		all &= slot != NULL;
		if (!entry || !slot)
			continue;
		slot->answers++;
		store->bytes += size_of_slot(slot);
		entry->slots[entry->count++] = slot;
	}
	return all;
}

void certdir_store_put(struct certdir_store *store, const struct certdir_question *question,
		       const struct certdir_reply *reply)
{
	struct remembered *before = find_entry(store, question), *entry = NULL;
	/* More records than an id can have are nobody's, and would push others out. */
	const bool keep =
		reply->count > 0 && reply->count <= CERTDIR_CARRIERS_MAX && reply->asked.monotonic >= store->gone_at;
	bool all;

	if (before && before->reply->asked.monotonic > reply->asked.monotonic)
		return;
	for (size_t r = 0; before && r < before->count; r++)
		forget_gone(store, before->slots[r], reply);
	if (keep)
		entry = new_entry(question, reply);
	forget_sought(store, question, reply);
	all = take_records(store, reply, entry);
	if (before)
		drop_entry(store, before);
	if (entry && all)
		add_entry(store, entry);
	else if (entry)
		free_entry(store, entry);
	while (store->count > 0 && (store->count > store->answers_max || store->bytes > store->bytes_max))
		drop_entry(store, TAILQ_FIRST(&store->by_use));
}

/* ---- getting ---- */

static bool holds(const struct remembered *entry)
{
	for (size_t r = 0; r < entry->count; r++)
		if (entry->slots[r]->gone)
			return false;
	return true;
}

static struct certdir_reply *reply_of(const struct remembered *entry)
{
	struct certdir_reply *reply = reply_like(entry->reply, entry->count);

	for (size_t r = 0; reply && r < entry->count; r++)
		reply->records[r] = certdir_packed_retain(entry->slots[r]->record);
	return reply;
}

struct certdir_reply *certdir_store_get(struct certdir_store *store, const struct certdir_question *question)
{
	struct remembered *entry = find_entry(store, question);

	if (!entry)
		return NULL;
	if (!holds(entry)) {
		drop_entry(store, entry);
		return NULL;
	}
	TAILQ_REMOVE(&store->by_use, entry, by_use);
	TAILQ_INSERT_TAIL(&store->by_use, entry, by_use);
	return reply_of(entry);
}

void certdir_store_each(const struct certdir_store *store, certdir_store_take take, void *context)
{
	const struct remembered *entry;

	TAILQ_FOREACH(entry, &store->by_use, by_use) {
		struct certdir_reply *reply = holds(entry) ? reply_of(entry) : NULL;

		if (reply)
			take(context, entry->key, entry->key_length, reply);
		certdir_reply_release(reply);
	}
}
