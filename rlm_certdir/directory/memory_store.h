/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers that a live directory gave, by the values that were asked for. A record that stands in several answers is kept once, so what
 * was said of it last holds for all of them. Not thread-safe: memory.c has the lock.
 */
#ifndef CERTDIR_DIRECTORY_MEMORY_STORE_H
#define CERTDIR_DIRECTORY_MEMORY_STORE_H

#include "directory/packed.h"

/* The values of one search, in an order of its own: two searches for the same values have the same question. */
struct certdir_question {
	unsigned char *key; /* owned: for each value a byte with its type, the value, NUL */
	size_t key_length;
	size_t count;
	unsigned char order[256]; /* of these, which was the i-th in the search */
};

/* False when memory is out, or there are more values than a login asks for. */
bool certdir_question_init(struct certdir_question *question, const struct certdir_sought *sought, size_t count);
void certdir_question_clear(struct certdir_question *question);

/* When something was asked, by both clocks: one goes on while the system's time is set, the other while nothing of us runs. In microseconds. */
struct certdir_moment {
	int64_t monotonic; /* certdir_monotonic() */
	int64_t wall; /* since 1970 */
};

/* Now, by both clocks. */
struct certdir_moment certdir_moment_now(void);
/* Microseconds from one to the other, by the clock that says more; never below 0. */
int64_t certdir_moment_since(const struct certdir_moment *then, const struct certdir_moment *now);

/* What the directory replied to a question. It does not change any more, and is shared. */
struct certdir_reply {
	atomic_size_t references;
	struct certdir_moment asked; /* when the search for it began */
	bool full, partial; /* as in the answer */
	size_t value_count;
	bool *many; /* for each value of the question, in its order */
	size_t count;
	struct certdir_packed *records[];
};

/* Room for `count` records, which the caller sets before anybody else sees it. NULL when memory is out. */
struct certdir_reply *certdir_reply_new(size_t count, size_t value_count);
/* One reference more, and one less. Thread-safe. Returns `reply`. */
struct certdir_reply *certdir_reply_retain(struct certdir_reply *reply);
void certdir_reply_release(struct certdir_reply *reply); /* NULL is allowed */

/*
 * How much is kept at most. A device takes some 700 bytes, more with many groups: enough for the computers of a large domain, and
 * little beside what radiusd needs for them in other places.
 */
enum { CERTDIR_STORE_ANSWERS_MAX = 100000, CERTDIR_STORE_BYTES_MAX = 64 << 20 };

struct certdir_store;

/* An empty one that keeps at most so many answers and bytes. NULL when memory is out. */
struct certdir_store *certdir_store_new(size_t answers_max, size_t bytes_max);
void certdir_store_free(struct certdir_store *store);

/*
 * Takes what the directory says now. What stood in the last answer to this question and does not stand in this one is gone, and so is
 * what has an id that was asked for and does not come any more: no answer that has it is given again. An answer that is older than
 * what is known already changes nothing, and one that found nothing takes no room. Where it is `partial`, groups that were known before
 * stay, as old as they are. What was used last is kept longest.
 */
void certdir_store_put(struct certdir_store *store, const struct certdir_question *question,
		       const struct certdir_reply *reply);

/*
 * The last answer to this question, its records as the directory described them last; the caller releases it. NULL: none, or one of its records
 * is gone.
 */
struct certdir_reply *certdir_store_get(struct certdir_store *store, const struct certdir_question *question);

/* How many answers are kept, and how many bytes they take. */
size_t certdir_store_count(const struct certdir_store *store);
size_t certdir_store_bytes(const struct certdir_store *store);

/* Calls `take` for each answer, from the one that was used longest ago on. `reply` is borrowed. */
typedef void (*certdir_store_take)(void *context, const unsigned char *key, size_t key_length,
				   const struct certdir_reply *reply);
void certdir_store_each(const struct certdir_store *store, certdir_store_take take, void *context);

#endif
