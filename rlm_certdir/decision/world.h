/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All records of a login as one picture, for the files of this room; nobody else includes it. */
#ifndef CERTDIR_DECISION_WORLD_H
#define CERTDIR_DECISION_WORLD_H

#include "decision/decision.h"

enum { CERTDIR_VIEWS_MAX = CERTDIR_DIRECTORIES_MAX * CERTDIR_RECORDS_MAX };

/* A record, and what the decision thinks of it. */
struct certdir_view {
	const struct certdir_record *record;
	const struct certdir_source *source;
	size_t directory;
	size_t device; /* index of a view: records that are of one device have the same */
	const char *only_against; /* NULL, or why it can only speak against its device */
	uint64_t by; /* bit i: carries identities[i], which decides */
	uint64_t label; /* of these: only by the first label of a DNS name */
};

struct certdir_world {
	const struct certdir_known *known;
	const struct certdir_policy *policy;
	uint32_t use; /* bit d: directories[d] */
	int64_t now;
	bool stale_is_fresh; /* on_unavailable = stale: parts younger than stale_for count */
	uint64_t deciding;
	enum certdir_rank rank;
	bool silenced; /* the device was found, but only by records that cannot speak for it */
	struct certdir_view views[CERTDIR_VIEWS_MAX];
	size_t count;
};

/* Takes the records in, joins those that share an id, and finds out which values decide and who carries them. */
void certdir_world_fill(struct certdir_world *world);

/* Each record of a device. */
#define FOR_EACH_VIEW_OF(_world, _device, _view)                                                                       \
	for (const struct certdir_view *_view = (_world)->views; _view < (_world)->views + (_world)->count; _view++)   \
		if (_view->device == (_device))

/*
 * Whether a part, or the record in it, which may be older, is young enough for a "yes". *age is in seconds: 0 = live or as of now, -1 = it
 * was never brought, or by a clock that is far ahead of ours.
 */
bool certdir_part_fresh(const struct certdir_world *world, const struct certdir_view *view, enum certdir_part part,
			int64_t *age);
/* That age alone. */
int64_t certdir_part_age(const struct certdir_world *world, const struct certdir_view *view, enum certdir_part part);
/* The same of what a part said last at `as_of`, 0 = when it was brought. */
bool certdir_fresh_since(const struct certdir_world *world, const struct certdir_view *view, enum certdir_part part,
			 int64_t as_of, int64_t *age);
/* As of when a "yes" of the part is fresh: Unix seconds, 0 = at any time. */
int64_t certdir_yes_since(const struct certdir_world *world, const struct certdir_view *view, enum certdir_part part);
/* The same as certdir_part_fresh() for a source itself, of an answer of `directory`. */
bool certdir_source_fresh(const struct certdir_world *world, const struct certdir_source *source,
			  const struct certdir_directory *directory, enum certdir_part part, int64_t *age);

/* An id that more records carry, in one directory or in all, than an id can have: somebody wrote it into all of them. */
bool certdir_is_filler(const struct certdir_world *world, const char *value);

/* "devices" or "users", "Intune", "groups" */
const char *certdir_part_name(const struct certdir_world *world, enum certdir_part part);

/* Whether any record of the device has a SID, a serial number or a DNS name, as `type` says. */
bool certdir_device_has(const struct certdir_world *world, size_t device, enum certdir_identity_type type);
/* How a record carries a value. */
enum certdir_carries certdir_view_carries(const struct certdir_view *view, const struct certdir_identity *id);
/* The same for all records of a device: the most that one of them does. */
enum certdir_carries certdir_device_carries(const struct certdir_world *world, size_t device,
					    const struct certdir_identity *id);
/* Why no record of the device can speak for it, but only against it; NULL when one can. */
const char *certdir_device_silenced(const struct certdir_world *world, size_t device);
/* Whether two devices have different values of one kind of id; with `serials`, serial numbers count as well. */
bool certdir_devices_differ(const struct certdir_world *world, size_t a, size_t b, bool serials);
/* Whether two devices have records of one source. */
bool certdir_devices_share_source(const struct certdir_world *world, size_t a, size_t b);
/* Makes b's records those of a. */
void certdir_devices_join(struct certdir_world *world, size_t a, size_t b);

/* The reason for which a record says "no": CERTDIR_RETIRED or CERTDIR_DISABLED with `detail`; CERTDIR_ALLOWED: it does not. */
enum certdir_reason certdir_view_no(const struct certdir_world *world, const struct certdir_view *view,
				    char detail[CERTDIR_TEXT_MAX]);

/*
 * Which device it is, by the values that decide: true with *device (the index that its views have), or false with reason and detail.
 * not-found is final only after the caller has looked for a directory that could not answer.
 */
bool certdir_find_by_ids(struct certdir_world *world, size_t *device, struct certdir_decision *decision);
bool certdir_find_by_names(struct certdir_world *world, size_t *device, struct certdir_decision *decision);

/* Whether its serial numbers or DNS names say that it is another than the one whose names the certificate carries. */
bool certdir_device_is_other(const struct certdir_world *world, size_t device);

/*
 * Of several devices that carry the same names: leaves out those that, by their dates, the certificate was not issued to. `devices`
 * keeps the others; returns how many. *why (static text) tells why dates leave out nobody, where they do.
 */
size_t certdir_twins_by_dates(const struct certdir_world *world, size_t *devices, size_t count, const char **why);

/* The policy on the device; sets reason, detail, age. */
void certdir_judge(struct certdir_world *world, size_t device, struct certdir_decision *decision);

#endif
