/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flow: each tenant's Graph -> its part of the list -> one published edition. */
#ifndef CERTDIR_SYNC_SYNC_H
#define CERTDIR_SYNC_SYNC_H

#include "sync/config.h"

/* One listing of one tenant. */
enum certdir_sync_part { CERTDIR_SYNC_DEVICES, CERTDIR_SYNC_INTUNE, CERTDIR_SYNC_GROUPS, CERTDIR_SYNC_PARTS };
const char *certdir_sync_part_name(enum certdir_sync_part part); /* "devices", "intune", "groups" */

enum certdir_sync_result {
	CERTDIR_SYNC_DONE,
	CERTDIR_SYNC_SKIPPED, /* not configured, not due, or not applicable: `note` says which */
	CERTDIR_SYNC_SHRUNK, /* the shrink guard refused it */
	CERTDIR_SYNC_FAILED,
	CERTDIR_SYNC_STOPPED
};
const char *
certdir_sync_result_name(enum certdir_sync_result result); /* "done", "skipped", "shrunk", "failed", "stopped" */

struct certdir_sync_report_part {
	enum certdir_sync_result result;
	bool full; /* devices: a full sync, not a delta */
	size_t pages;
	size_t objects;
	struct certdir_list_tally tally;
	char note[CERTDIR_TEXT_MAX]; /* why it failed or was skipped, or "" */
};

struct certdir_sync_report_tenant {
	const char *name; /* borrowed from the config */
	struct certdir_sync_report_part parts[CERTDIR_SYNC_PARTS];
	int64_t credential_expires; /* Unix seconds, 0 = not known */
	int64_t seconds; /* that it took */
	size_t requests;
	size_t throttled;
	uint64_t bytes;
};

struct certdir_sync_report {
	struct certdir_sync_report_tenant *tenants;
	size_t count;
	int64_t started; /* Unix seconds */
	bool published;
	char error[CERTDIR_TEXT_MAX]; /* why nothing could be published, or "" */
};

/* Where a listing is, for a terminal. objects and pages of this part so far. */
typedef void (*certdir_sync_progress)(void *context, const char *tenant, enum certdir_sync_part part, size_t pages,
				      size_t objects);

struct certdir_sync_options {
	bool full; /* list everything anew, Intune too */
	bool force; /* without the shrink guard */
	bool dry_run; /* publish nothing */
	const volatile int *stop;
	certdir_sync_progress progress; /* or NULL */
	certdir_list_change_function change; /* dry run: called for each change that would be, or NULL */
	void *context; /* of both */
};

/*
 * Syncs all tenants of `config` and publishes once. A tenant, or a part of one, that fails keeps what it had; the others go
 * on. True when everything that was due ended well; false otherwise, with the reasons in `report`, whatever was published.
 * certdir_sync_report_clear() frees what `report` owns, in both cases.
 */
bool certdir_sync_run(const struct certdir_sync_config *config, const struct certdir_sync_options *options,
		      struct certdir_sync_report *report);
void certdir_sync_report_clear(struct certdir_sync_report *report);

#endif
