/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of the table; for table*.c alone. table.c has the sessions, in trees and queues; table_packets.c is what network devices
 * say of them, table_orders.c what the judge finds and what is asked of network devices.
 */
#ifndef CERTDIR_SESSIONS_TABLE_NODE_H
#define CERTDIR_SESSIONS_TABLE_NODE_H

#include <sys/queue.h>

#include "sessions/counted.h"
#include "sessions/table.h"

/* A session, in its trees and queues. */
struct certdir_node {
	TAILQ_ENTRY(certdir_node) all;
	TAILQ_ENTRY(certdir_node) changed;
	TAILQ_ENTRY(certdir_node) asked;
	TAILQ_ENTRY(certdir_node) wanted;
	struct certdir_session *session; /* owned */
	struct certdir_counted *device;
	enum certdir_reason overruled; /* what lists say against it, and not everybody; CERTDIR_REASONS = nothing */
	bool is_changed, is_asked, is_wanted; /* in which of the queues it stands */
	bool live; /* asked for by an Interim-Update */
	bool undecided; /* whether it is to be held, if it is */
	bool under_way; /* an order is */
	bool overtaken; /* by a later login: what comes back of that order is not about it */
	enum certdir_order_kind kind; /* of that one */
};

TAILQ_HEAD(certdir_nodes, certdir_node);

/* Balanced trees of the C library, as a NAS chooses the keys. Ids count up and so does `all`. */
struct certdir_table {
	void *by_key; /* of struct certdir_node */
	void *by_id;
	void *devices; /* of struct certdir_counted */
	uint64_t count; /* how often certdir_table_count() was called */
	struct certdir_nodes all; /* by id */
	struct certdir_nodes changed;
	struct certdir_nodes asked;
	struct certdir_nodes wanted; /* in the states TO_CHANGE and WANTED_OUT */
	size_t most;
	size_t known, ended;
	uint64_t last_id;
	bool noting;
	uint64_t *gone; /* since somebody asked */
	size_t gone_count;
};

/* The session of this key, or of this id, or of this id unless it is ended; NULL: there is none. */
struct certdir_node *certdir_node_find(const struct certdir_table *table, struct certdir_session session);
struct certdir_node *certdir_node_find_id(const struct certdir_table *table, uint64_t id);
struct certdir_node *certdir_node_find_running(const struct certdir_table *table, uint64_t id);

/* Puts a copy of `session` into the table. NULL when memory is out. */
struct certdir_node *certdir_node_add(struct certdir_table *table, const struct certdir_session *session);
/* Takes it out of the table and frees it. */
void certdir_node_drop(struct certdir_table *table, struct certdir_node *node);
/* It is ended, and stays for some minutes; dropped where too many are ended. */
void certdir_node_end(struct certdir_table *table, struct certdir_node *node, int64_t now);
/* Every change of a state comes through here, so that queues and counts go with it. */
void certdir_node_set_state(struct certdir_table *table, struct certdir_node *node, enum certdir_session_state state);
/* The file has to learn of it. */
void certdir_node_note(struct certdir_table *table, struct certdir_node *node);
/* It is to be judged; `live`: by everybody. */
void certdir_node_ask(struct certdir_table *table, struct certdir_node *node, bool live);

#endif
