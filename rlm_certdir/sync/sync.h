/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flow: each tenant's Graph -> its parts of the list -> published editions.
 *
 * Each part of each tenant is fetched by a thread of its own, into a spool beside the list. The thread that calls the functions
 * here applies what is complete and publishes it: a part that is slow, or hangs, keeps no other one waiting, and the list's lock is
 * held only while an edition is written.
 */
#ifndef CERTDIR_SYNC_SYNC_H
#define CERTDIR_SYNC_SYNC_H

#include "sync/config.h"

#include <stdatomic.h>

/* One listing of one tenant. */
enum certdir_sync_part {
	CERTDIR_SYNC_DEVICES,
	CERTDIR_SYNC_INTUNE,
	CERTDIR_SYNC_USERS,
	CERTDIR_SYNC_GROUPS,
	CERTDIR_SYNC_CERTIFICATES,
	CERTDIR_SYNC_PARTS
};
/* "devices", "intune", "users", "groups", "certificates" */
const char *certdir_sync_part_name(enum certdir_sync_part part);

enum certdir_sync_result {
	CERTDIR_SYNC_RUNNING, /* it has not ended yet, for the first time */
	CERTDIR_SYNC_DONE,
	CERTDIR_SYNC_SKIPPED, /* not configured, not due, not applicable, or another process does it: `note` says which */
	CERTDIR_SYNC_SHRUNK, /* taken, but for what the shrink guard keeps: `note` says how much */
	CERTDIR_SYNC_FAILED,
	CERTDIR_SYNC_STOPPED
};
/* "running", "done", "skipped", "shrunk", "failed", "stopped" */
const char *certdir_sync_result_name(enum certdir_sync_result result);

struct certdir_sync_report_part {
	enum certdir_sync_result result; /* of the last time that it ended */
	bool news; /* it ended in the last step */
	bool full; /* devices: a full sync, not a delta */
	size_t pages;
	size_t resumed; /* of these, pages that an earlier run had fetched */
	size_t objects;
	struct certdir_tenant_counts counts;
	char note[CERTDIR_TEXT_MAX]; /* why it failed or was skipped, or "" */
};

/* Numbers of requests are those of the round, as far as its parts have ended. */
struct certdir_sync_report_tenant {
	const char *name; /* borrowed from the config */
	struct certdir_sync_report_part parts[CERTDIR_SYNC_PARTS];
	bool listed; /* its devices were listed whole once */
	unsigned
		again; /* CERTDIR_BIT(part) of those that went on with pages of an earlier run: what happened since follows */
	int64_t attempted; /* Unix seconds, when a round last began it */
	int64_t credential_expires; /* Unix seconds, 0 = not known, or it has no date */
	int64_t seconds; /* that it took */
	size_t requests;
	size_t throttled;
	uint64_t bytes;
};

struct certdir_sync_report {
	struct certdir_sync_report_tenant *tenants; /* of the configuration, in its order */
	size_t count;
	char **forgotten; /* tenants of the list that the configuration does not name, NULL-terminated; or NULL */
	int64_t started; /* Unix seconds, when the round began */
	bool edition; /* one was made in the last step, well or not */
	bool published; /* one was published in this round */
	char error[CERTDIR_TEXT_MAX]; /* why one could not be published, or nothing could be begun; or "" */
};

struct certdir_sync_options {
	bool full; /* list everything anew, Intune too */
	bool force; /* without the shrink guard */
	bool dry_run; /* publish nothing; needs no lock and no right to write */
	const atomic_int *stop; /* nonzero: end soon; what was fetched stays for the next time */
	certdir_list_change_function change; /* dry run: called for each change that would be, or NULL */
	void *context; /* of it */
};

struct certdir_sync;

/* NULL with `error`. `options` are copied. */
struct certdir_sync *certdir_sync_open(const struct certdir_sync_options *options, struct certdir_error *error);
/*
 * After the first round has begun: answers servers that ask for devices which their list does not have, on the socket beside the list. hurry is
 * set, and certdir_sync_event() readable, when somebody asks for a round. False with `error`: the socket cannot be had, and all else works.
 */
bool certdir_sync_answer(struct certdir_sync *sync, atomic_int *hurry, struct certdir_error *error);
/* Waits for threads that still run: set the stop flag before. */
void certdir_sync_close(struct certdir_sync *sync);

/*
 * A round: begins every part of every tenant of `config` that is due and not under way. Tenants that it does not name leave the
 * report. `config` is borrowed until certdir_sync_uses() says no. paced: one round of many, in which groups are listed at their own
 * pace, or when there are new devices; else they are listed in any case.
 */
void certdir_sync_begin(struct certdir_sync *sync, const struct certdir_sync_config *config, bool paced);
/* Whether anything still needs this configuration, which is not to be freed then. */
bool certdir_sync_uses(const struct certdir_sync *sync, const struct certdir_sync_config *config);

/*
 * Takes what has ended and publishes what is complete; returns at once when there is neither, and else may take as long as an
 * edition does. True when the report has news.
 */
bool certdir_sync_step(struct certdir_sync *sync);
/* Nothing is under way. */
bool certdir_sync_idle(const struct certdir_sync *sync);
/* Becomes readable when a step is worth while; and so does the time certdir_sync_next(), in certdir_monotonic() microseconds. */
int certdir_sync_event(const struct certdir_sync *sync);
int64_t certdir_sync_next(const struct certdir_sync *sync);

/* It lives until the next step or begin. */
const struct certdir_sync_report *certdir_sync_report(const struct certdir_sync *sync);
/* Whether something of a tenant is under way. */
bool certdir_sync_busy(const struct certdir_sync *sync, const char *tenant);

/* What is being fetched, for a terminal. */
struct certdir_sync_view {
	const char *tenant;
	enum certdir_sync_part part;
	size_t pages, objects; /* so far */
	int64_t microseconds; /* since it began */
	char waiting[CERTDIR_TEXT_MAX]; /* for what, or "" */
};
/* Calls `each` for each part that is being fetched; what it is given lives during the call. */
void certdir_sync_watch(struct certdir_sync *sync, void (*each)(void *context, const struct certdir_sync_view *view),
			void *context);

#endif
