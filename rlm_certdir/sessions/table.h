/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sessions that are known, in memory: what accounting packets do to them (RFC 2866), in whatever order these come, and what was found
 * and ordered since. Pure: time is a parameter, in Unix seconds. Not thread-safe: sessions.c has the lock.
 */
#ifndef CERTDIR_SESSIONS_TABLE_H
#define CERTDIR_SESSIONS_TABLE_H

#include "sessions/order.h"

enum {
	CERTDIR_TABLE_GRACE =
		600, /* seconds: an ended session is kept for so long, and what was wanted out counts as recent */
	CERTDIR_TABLE_SLACK = 300, /* seconds that a packet may be late */
	CERTDIR_TABLE_DAY = 86400 /* a session without Interim-Updates is known for so long */
};

/* Acct-Status-Type. */
enum certdir_packet_kind {
	CERTDIR_PACKET_START = 1,
	CERTDIR_PACKET_STOP = 2,
	CERTDIR_PACKET_INTERIM = 3,
	CERTDIR_PACKET_ON = 7,
	CERTDIR_PACKET_OFF = 8
};

/* An accounting packet. Of `session`, client, texts and `issued` are read; texts are borrowed. On and Off need no Class. */
struct certdir_packet {
	enum certdir_packet_kind kind;
	struct certdir_session session;
	int64_t received;
	int64_t delay; /* Acct-Delay-Time */
	int64_t event; /* Event-Timestamp, 0 = none */
	int64_t timeout; /* Session-Timeout of a session that ends then; 0 = none, or it logs in again (Termination-Action) */
};

enum certdir_took {
	CERTDIR_TOOK_NOTHING, /* late, repeated, or nothing that is known */
	CERTDIR_TOOK_IT,
	CERTDIR_TOOK_NO_MORE /* a new session, and there is no room */
};

struct certdir_table;

/* `most`: sessions that are not ended. NULL when memory is out. */
struct certdir_table *certdir_table_new(size_t most);
void certdir_table_free(struct certdir_table *table);

enum certdir_took certdir_table_take(struct certdir_table *table, const struct certdir_packet *packet);
/*
 * One that was kept: as it was, but for its id where that one or a later one was given since, and asked to end again where the NAS could not.
 * False when it is not a whole one, is there
 * already, there is no room, or memory is out.
 */
bool certdir_table_load(struct certdir_table *table, const struct certdir_session *session);
/* Forgets what nobody has heard of for too long. */
void certdir_table_expire(struct certdir_table *table, int64_t now);

/* Borrowed until the table changes; NULL: there is none (any more). */
const struct certdir_session *certdir_table_find(const struct certdir_table *table, uint64_t id);
/* The id of each session that is not ended, oldest first. malloc(3)'s; NULL when memory is out. */
uint64_t *certdir_table_ids(const struct certdir_table *table, size_t *count);

/* That are not ended. */
size_t certdir_table_known(const struct certdir_table *table);
/* How many there are. A device counts once, however many sessions it has. Lately: in the last CERTDIR_TABLE_GRACE seconds. */
struct certdir_counts {
	size_t states[CERTDIR_SESSION_STATES]; /* sessions; ended ones, too, while they are kept */
	size_t held; /* sessions */
	size_t undecided; /* of these, those that were denied since certdir_table_hold() */
	size_t devices; /* that have a session which is not ended, or was denied lately */
	size_t denied; /* devices of which one is held, or was denied lately, ended or not */
	size_t lately; /* devices of which one was denied lately, but for those that came back after they were put out for the same reason */
};
struct certdir_counts certdir_table_count(struct certdir_table *table, int64_t now);

/* ---- judged again ---- */

/* Sessions that were heard of, to be judged: in the order in which they were first. False: none. *live: by an Interim-Update, so in full. */
bool certdir_table_next_asked(struct certdir_table *table, uint64_t *id, bool *live);

/*
 * What lists alone say against a session that was allowed all the same when everybody was asked: while they say no other thing, that has
 * not to be asked again. CERTDIR_REASONS = nothing.
 */
void certdir_table_overrule(struct certdir_table *table, uint64_t id, enum certdir_reason reason);
enum certdir_reason certdir_table_overruled(const struct certdir_table *table, uint64_t id);

/* Everybody who can be asked allows it: see certdir_counted_agree(). */
void certdir_table_agree(struct certdir_table *table, uint64_t id);
/* It may stay, as it is. */
void certdir_table_allow(struct certdir_table *table, uint64_t id);
/* It may stay, elsewhere: `next` as in CERTDIR_SESSION_NEXT. */
void certdir_table_change(struct certdir_table *table, uint64_t id, const char *next, int64_t now);
/* It may not stay. True: it was not denied before; it is held then, undecided. */
bool certdir_table_deny(struct certdir_table *table, uint64_t id, enum certdir_reason reason, int64_t now);
enum certdir_release { CERTDIR_RELEASE_UNDECIDED, CERTDIR_RELEASE_ALL, CERTDIR_RELEASE_ALL_AT_ONCE };
/*
 * Lets orders go for those that are held: at once, or, but for the last kind of release, when certdir_counted_when() says. Returns how many
 * wait so.
 */
size_t certdir_table_release(struct certdir_table *table, enum certdir_release which, int64_t now);
/* Those that are undecided stay held until all are released. So is what was loaded. */
void certdir_table_hold(struct certdir_table *table);

/* ---- orders ---- */

/*
 * The next order that is due: the session, borrowed, and *kind. It is under way then, until certdir_table_answered(). NULL: none is. Without
 * `changes`, those that change a session wait.
 */
const struct certdir_session *certdir_table_next_order(struct certdir_table *table, int64_t now, bool changes,
						       enum certdir_order_kind *kind);
/*
 * What came back of it. The session as it is now, borrowed, and *kind of what was asked; NULL: it is not known any more, nothing was asked of
 * it, or it logged in anew since.
 */
const struct certdir_session *certdir_table_answered(struct certdir_table *table, uint64_t id,
						     enum certdir_order_outcome outcome, uint32_t cause, int64_t now,
						     enum certdir_order_kind *kind);

/* ---- what a file has to learn ---- */

/*
 * From now on changes are noted; before, there is nobody who would take them. `all`: each session counts as changed, and the file has
 * no other.
 */
void certdir_table_note(struct certdir_table *table, bool all);
/*
 * The next change: *id, and the session as it is now, borrowed, or NULL: it is gone. False: there is none.
 */
bool certdir_table_next_change(struct certdir_table *table, uint64_t *id, const struct certdir_session **session);
bool certdir_table_has_changes(const struct certdir_table *table);

#endif
