/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of a tenant's part of the list: what tenant.c, devices.c, entries.c, intune.c and groups.c share.
 *
 * A part is one transaction. While it runs, bitmaps by row id hold what it did to the devices, so that the guard can count
 * and the change log can be written at its end: removals wait until then, because objects come back and replay.
 */
#ifndef CERTDIR_TENANT_STATE_H
#define CERTDIR_TENANT_STATE_H

#include "tenant/bitmap.h"
#include "tenant/tenant.h"
#include "list/text.h"
#include "list/sql.h"
#include "list/writer.h"

enum certdir_tenant_part {
	CERTDIR_PART_NONE,
	CERTDIR_PART_DEVICES,
	CERTDIR_PART_ENTRIES,
	CERTDIR_PART_INTUNE,
	CERTDIR_PART_GROUP
};

enum certdir_tenant_statement {
	/* tenant.c */
	CERTDIR_TENANT_FIND_OBJECT,
	CERTDIR_TENANT_READ_FILTERED,
	CERTDIR_TENANT_SET_LISTED,
	CERTDIR_TENANT_SAVE,
	CERTDIR_TENANT_SAVED,
	CERTDIR_TENANT_LOG,
	CERTDIR_TENANT_FORMER,
	CERTDIR_TENANT_FORMER_BACK,
	CERTDIR_TENANT_FORGET_NAMES,
	CERTDIR_TENANT_FORGET_GROUPS,
	CERTDIR_TENANT_FORGET_DNS_NAMES,
	CERTDIR_TENANT_FORGET_VALUES,
	CERTDIR_TENANT_FORGET_DEVICE,
	CERTDIR_TENANT_PRUNE_CHANGES,
	CERTDIR_TENANT_STORE_COUNTS,
	CERTDIR_TENANT_UNTYPED,
	CERTDIR_TENANT_KEEP,
	CERTDIR_TENANT_KEEP_RECORD,
	CERTDIR_TENANT_KEEP_LISTED,
	CERTDIR_TENANT_HAS_ENTRA,
	CERTDIR_TENANT_HAS_INTUNE,
	CERTDIR_TENANT_HAS_SID,
	CERTDIR_TENANT_HAS_NAME,
	CERTDIR_TENANT_HAS_SERIAL,
	/* devices.c */
	CERTDIR_TENANT_UNCONFIRMED,
	CERTDIR_TENANT_NEWEST,
	CERTDIR_TENANT_CONFIRM,
	CERTDIR_TENANT_READ,
	CERTDIR_TENANT_ADD,
	CERTDIR_TENANT_SET_FACTS,
	CERTDIR_TENANT_SET_IDS,
	CERTDIR_TENANT_PUT_OFF,
	CERTDIR_TENANT_AGAIN,
	CERTDIR_TENANT_OBJECTS,
	CERTDIR_TENANT_ALL,
	CERTDIR_TENANT_JOINED_ID,
	CERTDIR_TENANT_JOIN_WAITING,
	CERTDIR_TENANT_JOIN_TWIN,
	CERTDIR_TENANT_JOIN_OWN,
	CERTDIR_TENANT_NO_MORE_WAITING,
	CERTDIR_TENANT_FIND_OWN,
	CERTDIR_TENANT_OWN_ID,
	CERTDIR_TENANT_OTHERS,
	CERTDIR_TENANT_LET_WAIT,
	CERTDIR_TENANT_CLEAR_RECORD,
	CERTDIR_TENANT_PRUNE_FORMER,
	CERTDIR_TENANT_STORE_SYNC,
	/* entries.c */
	CERTDIR_TENANT_FIND_ENTRY,
	CERTDIR_TENANT_ADD_ENTRY,
	CERTDIR_TENANT_SET_ENTRY,
	CERTDIR_TENANT_ADD_DNS_NAME,
	CERTDIR_TENANT_ADD_VALUE,
	CERTDIR_TENANT_ADD_LDAP_GROUP,
	CERTDIR_TENANT_SET_LDAP_GROUP,
	CERTDIR_TENANT_PRUNE_GROUPS,
	CERTDIR_TENANT_STORE_ENTRIES,
	/* intune.c */
	CERTDIR_TENANT_STAGE,
	CERTDIR_TENANT_STAGED_BY_ID,
	CERTDIR_TENANT_STAGED_BY_KEY,
	CERTDIR_TENANT_ONCE,
	CERTDIR_TENANT_ONCE_STAGED,
	CERTDIR_TENANT_ONCE_WAITING,
	CERTDIR_TENANT_ONCE_OUTLIVED,
	CERTDIR_TENANT_KEEP_ONCE,
	CERTDIR_TENANT_PRUNE_ONCE,
	CERTDIR_TENANT_PAIR,
	CERTDIR_TENANT_PAIRS,
	CERTDIR_TENANT_OWN_PAIR,
	CERTDIR_TENANT_STAGED,
	CERTDIR_TENANT_SET_RECORD,
	CERTDIR_TENANT_SET_RECORD_FACTS,
	CERTDIR_TENANT_WITH_RECORD,
	CERTDIR_TENANT_ALL_OWN,
	CERTDIR_TENANT_STILL_WAITING,
	CERTDIR_TENANT_STOP_WAITING,
	CERTDIR_TENANT_FORGET_WAITING,
	CERTDIR_TENANT_LAST_WAITING,
	CERTDIR_TENANT_KEEP_WAITING,
	CERTDIR_TENANT_COUNT_KEPT,
	CERTDIR_TENANT_STAGED_OF,
	CERTDIR_TENANT_WAIT,
	CERTDIR_TENANT_ADD_OWN,
	CERTDIR_TENANT_SET_OWN,
	CERTDIR_TENANT_SET_ONCE,
	CERTDIR_TENANT_STORE_INTUNE,
	/* groups.c */
	CERTDIR_TENANT_GROUPS,
	CERTDIR_TENANT_FIND_GROUP,
	CERTDIR_TENANT_ADD_GROUP,
	CERTDIR_TENANT_NAME_GROUP,
	CERTDIR_TENANT_MEMBERS,
	CERTDIR_TENANT_JOIN_GROUP,
	CERTDIR_TENANT_LEAVE_GROUP,
	CERTDIR_TENANT_KEEP_MEMBER,
	CERTDIR_TENANT_CONFIRM_MEMBER,
	CERTDIR_TENANT_GROUP_SYNCED,
	CERTDIR_TENANT_DROP_GROUP,
	CERTDIR_TENANT_STORE_GROUPS,
	CERTDIR_TENANT_STATEMENTS
};
extern const char *const certdir_tenant_sql[CERTDIR_TENANT_STATEMENTS];

struct certdir_tenant {
	struct certdir_list_writer *writer;
	struct certdir_tenant_options options;
	char guid[CERTDIR_VALUE_MAX + 1];
	char *filter; /* options.filter as text */
	bool takes_all; /* options.filter */
	char attributes[40]; /* options.extension_attributes as text, "1 7" */
	sqlite3_stmt *statements[CERTDIR_TENANT_STATEMENTS]; /* made at need */

	/* as stored; renewed at the end of each part */
	int64_t source; /* row, 0 = not made yet */
	struct certdir_tenant_state state;
	char *delta_link;
	size_t unlisted;
	uint32_t holds; /* CERTDIR_BIT(type) */
	bool refilter; /* `listed` was made with another filter */

	/* the part that runs */
	enum certdir_tenant_part part;
	bool broken; /* something failed: it can only be abandoned */
	bool full;
	bool unfiltered; /* devices that the filter does not take stay listed: the guard keeps them */
	bool quiet; /* the first of its kind: what it brings is no change */
	struct certdir_bitmap seen; /* devices: rows of the listing; Intune: rows that have a record */
	struct certdir_bitmap removed; /* rows to delete at the end */
	int64_t newest; /* devices: the last row at the beginning; what came since and is to be deleted was never there */
	struct certdir_bitmap fresh, lost; /* rows that are listed now and were not at the beginning; the reverse */
	struct certdir_bitmap changed;
	bool first; /* devices: a first listing without indexes */
	struct certdir_bitmap met; /* of it: hashes of the objects that were put */
	struct certdir_bitmap
		unconfirmed; /* devices: removals that wait; Intune: without a record now; group: leavers that wait */
	struct certdir_bitmap
		own; /* of Intune alone, but Entra may know them now; Intune: it does, so that they are no loss */
	struct certdir_bitmap dead; /* Intune: staged records that a later one took the place of */
	struct certdir_bitmap used, kept; /* Intune: staged records that were joined; whose device had one before */
	struct certdir_bitmap before; /* group: its members */
	size_t duplicates;
	int64_t staged; /* Intune: how many records; group: row of the group */
	char group[CERTDIR_LIST_TEXT_MAX + 1]; /* what a change calls it */
	unsigned warned;
	bool warned_object;
};

/* ---- SQL ---- */

/* The statement with its parameters bound, ready for certdir_tenant_next(); NULL with `error`. */
sqlite3_stmt *certdir_tenant_ask(struct certdir_tenant *tenant, enum certdir_tenant_statement which,
				 struct certdir_error *error, struct certdir_sql_values values);
/* "tenant" or "ldap": what messages call the source, before its name. */
const char *certdir_tenant_kind(const struct certdir_tenant *tenant);

/* 1: a row, to be read until the next call; 0: no more, -1: `error`; the statement is reset then. */
int certdir_tenant_next(struct certdir_tenant *tenant, sqlite3_stmt *stmt, struct certdir_error *error);
/* The same where there must be a row. */
bool certdir_tenant_row(struct certdir_tenant *tenant, sqlite3_stmt *stmt, struct certdir_error *error);
/* Runs one that gives nothing. */
bool certdir_tenant_do(struct certdir_tenant *tenant, enum certdir_tenant_statement which, struct certdir_error *error,
		       struct certdir_sql_values values);
/* Runs one that gives a whole number: 0 when it gives no row. */
bool certdir_tenant_number(struct certdir_tenant *tenant, int64_t *number, enum certdir_tenant_statement which,
			   struct certdir_error *error, struct certdir_sql_values values);

/* ---- parts ---- */

/* Begins a transaction and makes the source if it is new. False with `error`: no part runs. */
bool certdir_tenant_begin(struct certdir_tenant *tenant, enum certdir_tenant_part part, struct certdir_error *error);
/* Whether that part runs; else `error`. */
bool certdir_tenant_in(const struct certdir_tenant *tenant, enum certdir_tenant_part part, struct certdir_error *error);
/* Ends the part as `how` says: FAILED abandons it. */
enum certdir_tenant_ended certdir_tenant_finish(struct certdir_tenant *tenant, enum certdir_tenant_ended how,
						struct certdir_error *error);
bool certdir_tenant_no_memory(struct certdir_error *error);
/* CERTDIR_ENDED when the guard lets so many go; SHRUNK with `error`: they are to be kept. what: "devices"; check: where to look. */
enum certdir_tenant_ended certdir_tenant_guard(const struct certdir_tenant *tenant, size_t before, size_t lost,
					       const char *what, const char *check, struct certdir_error *error);

/* ---- devices of a part ---- */

/*
 * Brings an untrusted text into form: *made is `out`, or NULL when it is none or not fit to store, which is logged once an
 * object. False with `error` for a GUID that is none: a server that sends such does not tell the truth.
 */
bool certdir_tenant_text(struct certdir_tenant *tenant, const char *label, const char *field,
			 enum certdir_list_form form, const char *text, char out[CERTDIR_LIST_TEXT_MAX + 1],
			 char **made, struct certdir_error *error);
/* Takes removals that wait for removals, unless the device comes again, and notes which rows there are at the beginning. */
bool certdir_tenant_await(struct certdir_tenant *tenant, struct certdir_error *error);
/* The device is there: if it was to be removed, it is not any more. */
bool certdir_tenant_confirm(struct certdir_tenant *tenant, int64_t row, struct certdir_error *error);
/* Rows of `which` (all of the source, or its objects) that a full listing did not name are gone. */
bool certdir_tenant_sweep(struct certdir_tenant *tenant, enum certdir_tenant_statement which,
			  struct certdir_error *error);
/* Notes that a row was added, or that `listed` of a row changed. */
bool certdir_tenant_account(struct certdir_tenant *tenant, int64_t row, bool listed, bool added,
			    struct certdir_error *error);
/* Whether a device that Intune alone knows is enabled, for the filter. */
enum certdir_tristate certdir_tenant_in_use(const char *management_state);
/* Lists or unlists a row as the filter says. */
bool certdir_tenant_relist(struct certdir_tenant *tenant, int64_t row, struct certdir_error *error);
/* Before the first change of a row: remembers what the change log tells of. */
bool certdir_tenant_save(struct certdir_tenant *tenant, int64_t row, struct certdir_error *error);
bool certdir_tenant_rename(struct certdir_tenant *tenant, int64_t row, const char *before, const char *after,
			   struct certdir_error *error);
/*
 * Asks the guard about the rows that are to be removed, unless they are in `own`, and those that the filter took away. SHRUNK with `error`:
 * it kept them, *kept of those that were listed.
 */
enum certdir_tenant_ended certdir_tenant_guard_devices(struct certdir_tenant *tenant, size_t *kept,
						       struct certdir_error *error);
/* Counts `removed` rows, writes the change log, and fills what `counts` tells of devices. */
bool certdir_tenant_settle(struct certdir_tenant *tenant, struct certdir_tenant_counts *counts,
			   struct certdir_error *error);
/* Deletes the `removed` rows, counts what has no trustType, and stores the counts of the source. */
bool certdir_tenant_purge(struct certdir_tenant *tenant, struct certdir_tenant_counts *counts,
			  struct certdir_error *error);
bool certdir_tenant_log(struct certdir_tenant *tenant, int64_t row, const char *what, const char *before,
			const char *after, struct certdir_error *error);

#endif
