/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/memory_store.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
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
	return (struct certdir_moment){certdir_monotonic(), (int64_t)wall.tv_sec * 1000000 + wall.tv_nsec / 1000};
}

int64_t certdir_moment_since(const struct certdir_moment *then, const struct certdir_moment *now)
{
	const int64_t one = now->monotonic - then->monotonic, other = now->wall - then->wall;
	const int64_t more = one > other ? one : other;

	return more > 0 ? more : 0;
}

/* ---- what was told ---- */

struct certdir_told *certdir_told_new(size_t count, size_t value_count)
{
	struct certdir_told *told = calloc(1, sizeof(*told) + count * sizeof(told->records[0]) + value_count);

	if (!told)
		return NULL;
	atomic_init(&told->references, 1);
	told->count = count;
	told->value_count = value_count;
	told->many = (bool *)&told->records[count];
	return told;
}

struct certdir_told *certdir_told_retain(struct certdir_told *told)
{
	atomic_fetch_add_explicit(&told->references, 1, memory_order_relaxed);
	return told;
}

void certdir_told_release(struct certdir_told *told)
{
	if (!told || atomic_fetch_sub_explicit(&told->references, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t r = 0; r < told->count; r++)
		certdir_packed_release(told->records[r]);
	free(told);
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

struct remembered {
	struct remembered *newer, *older; /* by last use */
	unsigned char *key;
	size_t key_length;
	struct certdir_told *told; /* all but its records, which are those of the slots */
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
	struct remembered *newest, *oldest;
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

	if (store) {
		store->answers_max = answers_max;
		store->bytes_max = bytes_max;
	}
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

/* The record goes out of the tree and out of the count; the slot stays. */
static void take_out(struct certdir_store *store, struct slot *slot)
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

static bool put_in(struct certdir_store *store, struct slot *slot, struct certdir_packed *record)
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

static void let_go(struct certdir_store *store, struct slot *slot)
{
	store->bytes -= size_of_slot(slot);
	if (--slot->answers > 0)
		return;
	take_out(store, slot);
	free(slot);
}

/* No answer that has it holds any more. */
static void forget(struct certdir_store *store, struct slot *slot)
{
	take_out(store, slot);
	slot->gone = true;
}

/* ---- answers ---- */

static size_t size_of_entry(const struct remembered *entry)
{
	return sizeof(*entry) + entry->count * sizeof(entry->slots[0]) + entry->key_length + sizeof(*entry->told) +
	       entry->told->value_count + 3 * WHAT_NODES_TAKE;
}

static struct remembered *find_entry(const struct certdir_store *store, const struct certdir_question *question)
{
	const struct remembered sought = {.key = question->key, .key_length = question->key_length};
	struct remembered *const *found = tfind(&sought, &store->entries, compare_entries);

	return found ? *found : NULL;
}

static void unlink_entry(struct certdir_store *store, struct remembered *entry)
{
	*(entry->newer ? &entry->newer->older : &store->newest) = entry->older;
	*(entry->older ? &entry->older->newer : &store->oldest) = entry->newer;
}

static void link_newest(struct certdir_store *store, struct remembered *entry)
{
	entry->newer = NULL;
	entry->older = store->newest;
	*(store->newest ? &store->newest->newer : &store->oldest) = entry;
	store->newest = entry;
}

static struct remembered *new_entry(const struct certdir_question *question, const struct certdir_told *told)
{
	struct remembered *entry = calloc(1, sizeof(*entry) + told->count * sizeof(entry->slots[0]));

	if (!entry)
		return NULL;
	entry->key = malloc(question->key_length + 1);
	entry->told = certdir_told_new(0, told->value_count);
	if (!entry->key || !entry->told) {
		certdir_told_release(entry->told);
		free(entry->key);
		free(entry);
		return NULL;
	}
	memcpy(entry->key, question->key, question->key_length);
	entry->key_length = question->key_length;
	entry->told->asked = told->asked;
	entry->told->full = told->full;
	entry->told->partial = told->partial;
	memcpy(entry->told->many, told->many, told->value_count * sizeof(*told->many));
	return entry;
}

static void free_entry(struct certdir_store *store, struct remembered *entry)
{
	for (size_t r = 0; r < entry->count; r++)
		let_go(store, entry->slots[r]);
	certdir_told_release(entry->told);
	free(entry->key);
	free(entry);
}

static void drop_entry(struct certdir_store *store, struct remembered *entry)
{
	unlink_entry(store, entry);
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
	link_newest(store, entry);
	store->count++;
	store->bytes += size_of_entry(entry);
}

void certdir_store_free(struct certdir_store *store)
{
	while (store && store->newest)
		drop_entry(store, store->newest);
	free(store);
}

/* ---- putting ---- */

/* By its id, which is its first identity. */
static bool stands_in(const struct certdir_told *told, const struct slot *slot)
{
	for (size_t r = 0; r < told->count; r++)
		if (strcmp(told->records[r]->identities, slot->record->identities) == 0)
			return true;
	return false;
}

static bool is_missing(const struct slot *slot, const struct certdir_told *told)
{
	return slot && slot->record && !stands_in(told, slot);
}

static void forget_gone(struct certdir_store *store, struct slot *slot, const struct certdir_told *told)
{
	if (!is_missing(slot, told) || slot->asked.monotonic > told->asked.monotonic)
		return;
	forget(store, slot);
	store->gone_at = certdir_monotonic();
}

/* What has an id that was asked for would have come, unless so many have it that not all of them came. */
static void forget_sought(struct certdir_store *store, const struct certdir_question *question,
			  const struct certdir_told *told)
{
	const char *at = (const char *)question->key;

	for (size_t i = 0; i < question->count; i++) {
		const enum certdir_identity_type type = (enum certdir_identity_type) * at++;

		if (!told->many[i] &&
		    (certdir_type_is_guid(type) || type == CERTDIR_ID_SID || type == CERTDIR_ID_SID_URI))
			forget_gone(store, find_slot(store, at), told);
		at += strlen(at) + 1;
	}
}

/*
 * An account that was moved has another DN and the same SID: what was known of it where it was holds no more. False: it was moved since
 * this was asked.
 */
static bool forget_namesakes(struct certdir_store *store, const struct certdir_packed *record,
			     const struct certdir_told *told)
{
	const char *identity = record->identities;

	for (size_t i = 0; i < record->identity_count; i++, identity += strlen(identity) + 1) {
		struct slot *slot = find_slot(store, identity);

		if (is_missing(slot, told) && slot->asked.monotonic > told->asked.monotonic)
			return false;
		if (is_missing(slot, told))
			forget(store, slot);
	}
	return true;
}

/* The r-th record as it is to be kept, to be released: with the groups that could not be asked for, as old as they are. */
static struct certdir_packed *whole(const struct slot *slot, const struct certdir_told *told, size_t r)
{
	struct certdir_packed *kept = NULL;
	int64_t said; /* by the clock as it is now: it may have been set back */

	if (slot && told->partial) {
		said = told->asked.wall - certdir_moment_since(&slot->asked, &told->asked);
		kept = certdir_packed_keep_groups(told->records[r], slot->record, said / 1000000);
	}
	return kept ? kept : certdir_packed_retain(told->records[r]);
}

/*
 * What is heard of the r-th record now holds for all answers that have it. `make`: also when none has. NULL: there is none.
 */
static struct slot *renew_slot(struct certdir_store *store, const struct certdir_told *told, size_t r, bool make)
{
	struct certdir_packed *record = told->records[r];
	struct slot *slot = find_slot(store, record->identities);
	bool in;

	/* An id that is written like a DN finds another. */
	if (slot && strcmp(slot->record->identities, record->identities) != 0)
		return NULL;
	if (slot && slot->asked.monotonic > told->asked.monotonic)
		return slot;
	record = whole(slot, told, r);
	if (slot)
		take_out(store, slot);
	else if (make)
		slot = calloc(1, sizeof(*slot));
	in = slot && put_in(store, slot, record);
	certdir_packed_release(record);
	if (!slot)
		return NULL;
	slot->asked = told->asked;
	if (in)
		return slot;
	slot->gone = true;
	if (slot->answers == 0)
		free(slot);
	return NULL;
}

/* False: `entry` (NULL: none is made) has not all of the records. */
static bool take_records(struct certdir_store *store, const struct certdir_told *told, struct remembered *entry)
{
	bool all = true;

	for (size_t r = 0; r < told->count; r++) {
		struct slot *slot = NULL;

		if (forget_namesakes(store, told->records[r], told))
			slot = renew_slot(store, told, r, entry != NULL);
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
		       const struct certdir_told *told)
{
	struct remembered *before = find_entry(store, question), *entry = NULL;
	/* More records than an id can have are nobody's, and would push others out. */
	const bool keep =
		told->count > 0 && told->count <= CERTDIR_CARRIERS_MAX && told->asked.monotonic >= store->gone_at;
	bool all;

	if (before && before->told->asked.monotonic > told->asked.monotonic)
		return;
	for (size_t r = 0; before && r < before->count; r++)
		forget_gone(store, before->slots[r], told);
	if (keep)
		entry = new_entry(question, told);
	forget_sought(store, question, told);
	all = take_records(store, told, entry);
	if (before)
		drop_entry(store, before);
	if (entry && all)
		add_entry(store, entry);
	else if (entry)
		free_entry(store, entry);
	while (store->oldest && (store->count > store->answers_max || store->bytes > store->bytes_max))
		drop_entry(store, store->oldest);
}

/* ---- getting ---- */

static bool holds(const struct remembered *entry)
{
	for (size_t r = 0; r < entry->count; r++)
		if (entry->slots[r]->gone)
			return false;
	return true;
}

static struct certdir_told *tell(const struct remembered *entry)
{
	struct certdir_told *told = certdir_told_new(entry->count, entry->told->value_count);

	if (!told)
		return NULL;
	told->asked = entry->told->asked;
	told->full = entry->told->full;
	told->partial = entry->told->partial;
	memcpy(told->many, entry->told->many, told->value_count * sizeof(*told->many));
	for (size_t r = 0; r < entry->count; r++)
		told->records[r] = certdir_packed_retain(entry->slots[r]->record);
	return told;
}

struct certdir_told *certdir_store_get(struct certdir_store *store, const struct certdir_question *question)
{
	struct remembered *entry = find_entry(store, question);

	if (!entry)
		return NULL;
	if (!holds(entry)) {
		drop_entry(store, entry);
		return NULL;
	}
	unlink_entry(store, entry);
	link_newest(store, entry);
	return tell(entry);
}

void certdir_store_each(const struct certdir_store *store, certdir_store_take take, void *context)
{
	for (const struct remembered *entry = store->oldest; entry; entry = entry->newer) {
		struct certdir_told *told = holds(entry) ? tell(entry) : NULL;

		if (told)
			take(context, entry->key, entry->key_length, told);
		certdir_told_release(told);
	}
}
