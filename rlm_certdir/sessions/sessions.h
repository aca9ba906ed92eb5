/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions are known by their accounting, judged again when a list or they themselves give a reason to, and ended where they are denied. Two
 * threads: one judges and hands out orders, one keeps the file. Workers put packets into memory and wait for nobody.
 */
#ifndef CERTDIR_SESSIONS_H
#define CERTDIR_SESSIONS_H

#include "sessions/class.h"
#include "sessions/guard.h"

/* What a second look at a session says. */
struct certdir_judgement {
	enum certdir_verdict
		verdict; /* CERTDIR_UNSURE changes nothing; quarantine for one that is in quarantine is an allow */
	enum certdir_reason reason;
	bool changed; /* it may stay, and belongs elsewhere by now */
	char class[CERTDIR_CLASS_MAX + 1]; /* where it changed: as its Class would be now */
};

struct certdir_judge {
	/* `class`: the session's. Without `live`, lists alone are asked. May take as long as a login. */
	void (*judge)(void *context, const char *class, bool live, struct certdir_judgement *judgement);
	/* Another number than before: there is a new edition of a list. */
	uint64_t (*edition)(void *context);
	bool live; /* some directories are no lists */
	void *context;
};

/* Texts are borrowed. */
struct certdir_sessions_config {
	const char *filename;
	uint32_t max_sessions;
	uint32_t max_disconnect; /* percent */
	struct certdir_judge judge;
	struct certdir_order_sender
		sender; /* send == NULL: nobody can end sessions; they are known and judged all the same */
};

struct certdir_sessions;

/*
 * Opens the file, loads what it has and starts the threads. A file that cannot be used is an ERROR line, and sessions are known until the
 * server ends. NULL with `error` when memory or threads are out. `key` takes the key that the file keeps where it keeps one, and is kept
 * there otherwise; NULL: there is a key file.
 */
struct certdir_sessions *certdir_sessions_open(const struct certdir_sessions_config *config,
					       struct certdir_class_key *key, struct certdir_error *error);
/* From then on sessions are judged, and orders given. False with `error`. */
bool certdir_sessions_start(struct certdir_sessions *sessions, struct certdir_error *error);
/* No order is given any more when this returns; answers are still taken, and change nothing. NULL is allowed. */
void certdir_sessions_stop(struct certdir_sessions *sessions);
/* Stops, writes what is left and frees. No answer may come any more. NULL is allowed. */
void certdir_sessions_close(struct certdir_sessions *sessions);

/* Puts an accounting packet into memory; from any thread. */
enum certdir_took certdir_sessions_take(struct certdir_sessions *sessions, const struct certdir_packet *packet);

/* What came back of an order: certdir_order_answered. */
void certdir_sessions_ordered(void *sessions, uint64_t id, enum certdir_order_outcome outcome, uint32_t cause);

/* What the server did about its sessions, counted since they were opened. */
struct certdir_sessions_measured {
	size_t states[CERTDIR_SESSION_STATES]; /* now */
	uint64_t orders[CERTDIR_ORDER_KINDS];
	uint64_t answers[CERTDIR_ORDER_KINDS][CERTDIR_ORDER_OUTCOMES];
};
/* From any thread. */
void certdir_sessions_measure(struct certdir_sessions *sessions, struct certdir_sessions_measured *measured);

#endif
