/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of the sync: a part of a tenant on its way from Graph into the list.
 *
 * A job is begun by the main thread, which also opens what it needs; its own thread fetches pages into the spool and
 * touches nothing else than the job; when that has ended, the main thread applies the pages to an edition of the list.
 */
#ifndef CERTDIR_SYNC_PART_H
#define CERTDIR_SYNC_PART_H

#include "tenant/tenant.h"
#include "sync/listing.h"
#include "sync/sync.h"

#include <pthread.h>

enum certdir_sync_step {
	CERTDIR_SYNC_DUE, /* for a thread */
	CERTDIR_SYNC_FETCHING,
	CERTDIR_SYNC_READY, /* to be applied */
	CERTDIR_SYNC_LINGERING, /* applied, and to be applied again after the devices */
	CERTDIR_SYNC_ENDED
};

struct certdir_sync_job {
	const struct certdir_sync_config *config;
	const struct certdir_tenant_config *tenant; /* of `config` */
	const struct certdir_sync_options *options;
	enum certdir_sync_part part;
	bool all; /* list everything, whatever is due */
	bool paced; /* groups: only when they are due */
	int64_t now; /* Unix seconds, when it was begun */
	int64_t started; /* certdir_monotonic() */
	char *delta_link; /* devices, users: of the list when the job was begun, or NULL; LDAP: the cursor, NULL = all is to be listed */
	bool moved; /* devices: that link leads to another host */
	size_t records; /* Intune, certificates: that the list had then */

	struct certdir_http_limits limits;
	struct certdir_graph *graph; /* NULL: there is nothing to fetch, or it is LDAP's */
	struct certdir_spool *spool; /* the same */
	size_t at; /* the spool's page that comes next */
	struct certdir_sync_report_part report;
	bool fetched; /* all of it, and it is to be applied; else the report says how it ended */

	enum certdir_sync_step step; /* of the main thread, as what follows */
	bool again; /* it follows one that went on with the pages of an earlier run */
	bool applied; /* to the edition that is being made */
	int event; /* the engine's */
	pthread_t thread;
	struct certdir_sync_job *next;

	pthread_mutex_t mutex; /* of what follows */
	bool over; /* the thread has done its work */
	size_t pages, objects;
	char waiting[CERTDIR_TEXT_MAX]; /* for what, "" = nothing */
};

/* What differs from part to part. */
struct certdir_sync_kind {
	/*
	 * Looks at what the list has. False: nothing is to be done, and the report says why. *fetch: whether there is something to ask
	 * Graph for, and not only to apply.
	 */
	bool (*plan)(struct certdir_sync_job *job, const struct certdir_tenant_state *state, bool *fetch);
	/* What the job would list, and of which tenant, for the spool; the caller frees it. NULL when memory is out. */
	char *(*of)(const struct certdir_sync_job *job);
	/* The same of another listing whose pages are as good a start; NULL: there is none. */
	char *(*instead)(const struct certdir_sync_job *job);
	/* In a thread of its own: sets `fetched`, or ends the part. */
	void (*fetch)(struct certdir_sync_job *job);
	/* Applies what was fetched and ends the part; what failed left the list's part as it was. */
	void (*apply)(struct certdir_sync_job *job, struct certdir_tenant *list);
};
extern const struct certdir_sync_kind certdir_sync_devices, certdir_sync_intune, certdir_sync_users,
	certdir_sync_groups, certdir_sync_certificates;
/* The devices part of an LDAP directory, which has no other. */
extern const struct certdir_sync_kind certdir_sync_ldap;

/* Sets the job's result and its note (`format` may be NULL: none). */
void certdir_sync_part_end(struct certdir_sync_job *job, enum certdir_sync_result result, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/*
 * What the shrink guard would say of a part that a dry run has applied without it, to show what would be lost: SHRUNK with
 * `error`. Else `ended`. what: "devices".
 */
enum certdir_tenant_ended certdir_sync_part_guard(const struct certdir_sync_job *job, enum certdir_tenant_ended ended,
						  const struct certdir_tenant_counts *counts, const char *what,
						  struct certdir_error *error);
/* Ends it with what the list said. */
void certdir_sync_part_ended(struct certdir_sync_job *job, enum certdir_tenant_ended ended,
			     const struct certdir_tenant_counts *counts, const struct certdir_error *error);
/* Ends it with a request that did not come to a good end; `error` may have no text when it was stopped. */
void certdir_sync_part_broken(struct certdir_sync_job *job, enum certdir_graph_outcome outcome,
			      const struct certdir_error *error);
/* It has all pages. */
void certdir_sync_part_fetched(struct certdir_sync_job *job);

/* Begins the job's spool anew, with what it will list. `of` is taken over; NULL: memory is out. False with `error`. */
bool certdir_sync_part_begin(struct certdir_sync_job *job, char *of, struct certdir_error *error);

/* Whether changes can be applied: those since a certain link are nothing to a list that has another. False with `error`. */
bool certdir_sync_part_follows(const struct certdir_sync_job *job, const struct certdir_tenant *list,
			       struct certdir_error *error);

/*
 * Runs a listing, adding its pages and objects to the report, with progress. It begins anew when a token of
 * its pages is gone on the way, or when the link that an earlier run left is not taken any more. `url` is taken over; NULL: memory
 * is out.
 */
enum certdir_graph_outcome certdir_sync_part_fetch(struct certdir_sync_job *job, struct certdir_listing listing,
						   char *url, struct certdir_listed *listed,
						   struct certdir_error *error);
/* Throws away what was fetched: the next run is not to go on with it. */
void certdir_sync_part_forget(struct certdir_sync_job *job);
/* Runs one over the pages that were fetched. */
enum certdir_graph_outcome certdir_sync_part_replay(struct certdir_sync_job *job, struct certdir_listing listing,
						    struct certdir_listed *listed, struct certdir_error *error);

/* Adds what another part, or attempt, did. */
void certdir_sync_counts_add(struct certdir_tenant_counts *sum, const struct certdir_tenant_counts *counts);

/* Graph's address + the formatted rest; the caller frees it. NULL when memory is out. */
char *certdir_sync_url(const struct certdir_sync_job *job, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
