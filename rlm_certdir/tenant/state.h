/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of a tenant's part of the list: what the parts in devices.c, entries.c, intune.c, users.c and groups.c share.
 *
 * A part is one transaction. While it runs, bitmaps by row id hold what it did to the devices, so that the guard can count
 * and the change log can be written at its end: removals wait until then, because objects come back and replay.
 */
#ifndef CERTDIR_TENANT_STATE_H
#define CERTDIR_TENANT_STATE_H

#include "list/text.h"
#include "list/writer.h"
#include "tenant/bitmap.h"
#include "tenant/tenant.h"

enum certdir_tenant_kind {
	CERTDIR_PART_NONE,
	CERTDIR_PART_DEVICES,
	CERTDIR_PART_ENTRIES,
	CERTDIR_PART_INTUNE,
	CERTDIR_PART_USERS,
	CERTDIR_PART_GROUP,
	CERTDIR_PART_CERTIFICATES
};

/* The Intune part: records are numbered in the order in which they come, from 1. */
struct certdir_tenant_staged {
	int64_t count;
	int64_t waited; /* the last row of intune_waiting from before that is not in this listing */
	struct certdir_bitmap superseded; /* a later one of the same device, or the same record again, counts */
	struct certdir_bitmap joined; /* to some device's row */
	struct certdir_bitmap known; /* were there before: their device had a record, or they waited */
	struct certdir_bitmap unjoined; /* rows of devices that had a record, and have none in this listing */
};

/* The part of one group. */
struct certdir_tenant_group {
	int64_t row;
	bool users; /* bitmaps are of rows of table user */
	char name[CERTDIR_LIST_TEXT_MAX + 1]; /* what a change calls it */
	struct certdir_bitmap members; /* at the beginning */
	struct certdir_bitmap leavers; /* of them those that have left, and that the guard keeps */
	size_t strangers; /* members that are no known device */
};

/* What a part has done so far. Bitmaps are of rows of table device where nothing else is said; all zero at the beginning. */
struct certdir_tenant_part {
	enum certdir_tenant_kind kind;
	unsigned failures; /* of the writer, at the beginning */
	bool refused; /* the answer is not believed: it can only be abandoned */
	bool full; /* the listing is of all there is */
	bool quiet; /* the first of its kind: what it brings is no change */
	bool unfiltered; /* devices that the filter does not take stay listed: the guard keeps them */
	int64_t newest; /* the last row at the beginning; what was added since and is to be deleted was never there */
	struct certdir_bitmap seen; /* the listing has them; Intune: it has a record of them */
	struct certdir_bitmap removed; /* to be deleted at the end */
	struct certdir_bitmap unconfirmed; /* they were removed by an earlier part, and the guard keeps them */
	struct certdir_bitmap listed, unlisted; /* they are now and were not at the beginning; the reverse */
	struct certdir_bitmap changed;
	struct certdir_bitmap
		known_elsewhere; /* of Intune alone until Entra ID came to know the device: to delete them loses none */
	bool first; /* devices: a first listing without indexes */
	bool asked; /* devices: those that somebody asked for, and no listing */
	struct certdir_bitmap met; /* of it: hashes of the objects that were put */
	struct certdir_tenant_staged staged;
	struct certdir_tenant_group group;
	unsigned warnings; /* objects with texts that are not fit to store */
	bool warned; /* of the present object */
};

struct certdir_tenant {
	struct certdir_list_writer *writer;
	struct certdir_tenant_options options;
	char guid[CERTDIR_VALUE_MAX + 1];
	char *filter; /* options.filter as text */
	bool takes_all; /* options.filter */
	char attributes[40]; /* options.extension_attributes as text, "1 7" */

	/* as stored; renewed at the end of each part */
	int64_t source; /* row, 0 = not made yet */
	struct certdir_tenant_state state;
	char *delta_link, *users_link;
	size_t unlisted;
	bool refilter; /* `listed` was made with another filter */

	struct certdir_tenant_part part; /* that runs */
};

/* As certdir_list_writer_next() where there must be a row. */
bool certdir_tenant_row(struct certdir_tenant *tenant, sqlite3_stmt *stmt, struct certdir_error *error);

/* ---- parts ---- */

/* Begins a transaction and makes the source if it is new. False with `error`: no part runs. */
bool certdir_tenant_begin(struct certdir_tenant *tenant, enum certdir_tenant_kind kind, struct certdir_error *error);
/* Whether that part runs; else `error`. */
bool certdir_tenant_in(const struct certdir_tenant *tenant, enum certdir_tenant_kind kind, struct certdir_error *error);
/* Ends the part as `how` says: FAILED abandons it. */
enum certdir_tenant_ended certdir_tenant_finish(struct certdir_tenant *tenant, enum certdir_tenant_ended how,
						struct certdir_error *error);
/* Memory is out; always false. */
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
/*
 * The id by which an object of the answer is known, which begins with that. False with `error` when it is no GUID, or there is none:
 * `missing` says so.
 */
bool certdir_tenant_guid(struct certdir_tenant *tenant, const char *id, const char *missing,
			 char out[CERTDIR_LIST_TEXT_MAX + 1], struct certdir_error *error);
/* Takes removals that wait for removals, unless the device comes again, and notes which rows there are at the beginning. */
bool certdir_tenant_await(struct certdir_tenant *tenant, struct certdir_error *error);
/* The device is there: if it was to be removed, it is not any more. */
bool certdir_tenant_confirm(struct certdir_tenant *tenant, int64_t row, struct certdir_error *error);
/* The row of the Entra object, 0 when it is not known. */
bool certdir_tenant_find_object(struct certdir_tenant *tenant, const char *object_id, int64_t *row,
				struct certdir_error *error);
/* Rows that `sql` gives of a source (?1), and that a full listing did not name, are gone. */
bool certdir_tenant_sweep(struct certdir_tenant *tenant, const char *sql, struct certdir_error *error);
/* Notes that a row was added, or that `listed` of a row changed. */
bool certdir_tenant_account(struct certdir_tenant *tenant, int64_t row, bool listed, bool added,
			    struct certdir_error *error);
/* Whether the row is listed now. False with `error`. */
bool certdir_tenant_is_listed(struct certdir_tenant *tenant, int64_t row, bool *listed, struct certdir_error *error);
/* Whether a device that Intune alone knows is enabled, for the filter. */
enum certdir_tristate certdir_tenant_in_use(const char *management_state);
/* Lists or unlists a row as the filter says. */
bool certdir_tenant_relist(struct certdir_tenant *tenant, int64_t row, struct certdir_error *error);
/* Before the first change of a row: remembers what the change log tells of. */
bool certdir_tenant_save(struct certdir_tenant *tenant, int64_t row, struct certdir_error *error);
/* Keeps the former name of a device, NULL = it had none, as it gets another. False with `error`. */
bool certdir_tenant_rename(struct certdir_tenant *tenant, int64_t row, const char *before, const char *after,
			   struct certdir_error *error);
/*
 * Asks the guard about the rows that are to be removed, unless they are in `known_elsewhere`, and those that the filter took away. SHRUNK
 * with `error`: it kept them, *kept of those that were listed.
 */
enum certdir_tenant_ended certdir_tenant_guard_devices(struct certdir_tenant *tenant, size_t *kept,
						       struct certdir_error *error);
/* Counts `removed` rows, writes the change log, and fills what `counts` tells of devices. */
bool certdir_tenant_account_all(struct certdir_tenant *tenant, struct certdir_tenant_counts *counts,
				struct certdir_error *error);
/* Deletes what stands of the row in other tables: its DNS names, values and groups. */
bool certdir_tenant_forget_names(struct certdir_tenant *tenant, int64_t row, struct certdir_error *error);
/* Deletes the `removed` rows, counts what has no trustType, and stores the counts of the source. */
bool certdir_tenant_purge(struct certdir_tenant *tenant, struct certdir_tenant_counts *counts,
			  struct certdir_error *error);
/* A line of the change log: what of the row was `before` and is `after`. False with `error`. */
bool certdir_tenant_log(struct certdir_tenant *tenant, int64_t row, const char *what, const char *before,
			const char *after, struct certdir_error *error);

#endif
