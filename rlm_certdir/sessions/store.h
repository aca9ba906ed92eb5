/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sessions in a file, over a restart: SQLite in WAL mode. One thread of the server writes; `certdir sessions` reads beside it, and leaves
 * a word for the server in there. What is committed survives the end of the process at once, and a power cut but for the last moments.
 */
#ifndef CERTDIR_SESSIONS_STORE_H
#define CERTDIR_SESSIONS_STORE_H

#include "sessions/class.h"
#include "sessions/session.h"

struct certdir_session_store;

/*
 * Opens the file, or makes it, mode 0640. One that is damaged, or of another version, is set aside as FILENAME.damaged, which is an ERROR line, and
 * an empty one takes its place. NULL with `error`: it cannot be read or written, or another one has it open so.
 */
struct certdir_session_store *certdir_session_store_open(const char *filename, struct certdir_error *error);
/* The same for who only looks, whether a server has it open or not. NULL with `error`. */
struct certdir_session_store *certdir_session_store_look(const char *filename, struct certdir_error *error);
void certdir_session_store_close(struct certdir_session_store *store); /* NULL is allowed */

/* Gives the key that is kept there; one that keeps none takes `key` as it is. False with `error`. */
bool certdir_session_store_key(struct certdir_session_store *store, struct certdir_class_key *key,
			       struct certdir_error *error);
/* Keeps this one, whatever was there. */
bool certdir_session_store_set_key(struct certdir_session_store *store, const struct certdir_class_key *key,
				   struct certdir_error *error);

/* Calls `take` for each session, by id; it is borrowed. False with `error`: not all of them could be read. */
typedef void (*certdir_session_take)(void *context, const struct certdir_session *session);
bool certdir_session_store_each(struct certdir_session_store *store, certdir_session_take take, void *context,
				struct certdir_error *error);

/*
 * A transaction: begin, any number of the others, commit. Who fails has rolled it back: nothing of it is there. False with `error`.
 */
bool certdir_session_store_begin(struct certdir_session_store *store, struct certdir_error *error);
bool certdir_session_store_clear(struct certdir_session_store *store, struct certdir_error *error);
bool certdir_session_store_put(struct certdir_session_store *store, const struct certdir_session *session,
			       struct certdir_error *error);
bool certdir_session_store_remove(struct certdir_session_store *store, uint64_t id, struct certdir_error *error);
bool certdir_session_store_commit(struct certdir_session_store *store, struct certdir_error *error);

/* `certdir sessions release`: leaves the word in `filename`, which a server has made. False with `error`. */
bool certdir_session_store_ask_release(const char *filename, struct certdir_error *error);
/* Whether somebody did since this was asked last. */
bool certdir_session_store_release_asked(struct certdir_session_store *store);
/* Whether the word is there still: no server has read it. */
bool certdir_session_store_release_waits(struct certdir_session_store *store);

#endif
