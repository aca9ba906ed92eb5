/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tenant's part of the list while it is synced: what Graph says about its devices, Intune records and groups, one object
 * at a time, in any order, repeated at will.
 *
 * Each listing is a part, from .._begin() to .._end(). Nothing of a part counts before its end: the end is called when the
 * listing is known to be complete, and a part that is abandoned leaves what was there.
 * Several parts, of several tenants, make one edition: certdir_list_write_publish() publishes what ended well.
 */
#ifndef CERTDIR_TENANT_TENANT_H
#define CERTDIR_TENANT_TENANT_H

#include "list/list.h"

/* Which of a tenant's devices enter the list. The others are kept, unlisted: a change may bring them in. */
struct certdir_tenant_filter {
	uint32_t join_types; /* CERTDIR_BIT(enum certdir_join_type), 0 = all */
	const char *const *operating_systems; /* NULL-terminated, without regard to case; NULL = all */
	const char *const *ownerships; /* the same: "company", "personal" */
	bool only_enabled; /* only those known to be enabled */
};

struct certdir_tenant_options {
	const char *name; /* of the source */
	const char *tenant; /* GUID */
	struct certdir_tenant_filter filter; /* borrowed while the tenant is open */
	int64_t now; /* Unix seconds */
	int64_t former_names; /* seconds that a former name counts */
	int64_t changes; /* seconds that the change log keeps a change */
	unsigned max_shrink; /* per cent of what was there that a part may lose; 100 = any */
	int64_t intune_interval; /* seconds from one Intune listing to the next, 0 = not known */
	int64_t certificates_interval; /* the same of the table of issued certificates */
	uint32_t extension_attributes; /* CERTDIR_BIT(1..15) of those that devices are listed with, 0 = none */
	/* An LDAP directory: no tenant, no filter and no Intune. NULL: a tenant. Borrowed while the source is open. */
	const struct certdir_tenant_ldap *ldap;
};

struct certdir_tenant_ldap {
	const char *
		question; /* what its entries are the answer to, in the caller's words: another one is another listing */
	uint32_t keeps; /* CERTDIR_BIT(type) of the values that its entries are known by */
	const char *domain; /* DNS domain of its computers, lower case, or NULL */
	int64_t interval; /* seconds from one listing of all entries to the next */
};

/* Where a tenant stands. Strings are owned by the tenant and live as long as it. */
struct certdir_tenant_state {
	const char *
		delta_link; /* LDAP: the cursor of its changes. NULL = to be listed whole: never was, or not with these extension attributes */
	bool other; /* LDAP: the entries that are there are the answer to another question */
	int64_t delta_since; /* when the delta link came, 0 = none */
	int64_t synced; /* last success of the devices part, 0 = never */
	int64_t intune_synced; /* 0 = never */
	int64_t groups_synced; /* 0 = never */
	int64_t certificates_synced; /* 0 = never */
	size_t devices; /* listed ones */
	size_t intune_records; /* joined or not */
	size_t certificates;
	const char *users_link; /* of the users; NULL = to be listed whole */
	int64_t users_synced; /* 0 = never, or they are not wanted */
	size_t users;
};

/* What a part did. "lost" are devices, records or members that were there before and are not at the end. */
struct certdir_tenant_counts {
	size_t before;
	size_t added;
	size_t changed; /* devices, whatever the part */
	size_t lost;
	size_t kept; /* would be lost, too, and wait until the shrink guard lets them go */
	size_t after;
	size_t listed; /* devices in the list then, whatever the part; groups: not counted */
	size_t unlisted; /* devices: known, kept out by the filter; Intune records: of devices that Entra does not know */
	size_t untyped; /* devices that the filter keeps out and that have no trustType, which it does not take; groups: not counted */
	size_t duplicates; /* Intune: records of a device that has a later one; groups: members that are no known device */
};

/*
 * Opens the source `options->name` for syncing; makes it when it is new. A source of that name that was imported, or is of
 * another tenant, is an error that says so. NULL with `error`. One tenant at a time. The writer outlives it.
 */
struct certdir_tenant *certdir_tenant_open(struct certdir_list_writer *writer,
					   const struct certdir_tenant_options *options, struct certdir_error *error);

/* What the list knows of the source, the parts among it that have ended since it was opened. Texts are borrowed until the next part ends. */
void certdir_tenant_state(const struct certdir_tenant *tenant, struct certdir_tenant_state *state);
/* Abandons an unended part. Frees the tenant. */
void certdir_tenant_close(struct certdir_tenant *tenant);

/* ---- devices ---- */

/* The properties of an Entra device that an object can carry, as bits of `present`. */
enum certdir_tenant_property {
	CERTDIR_PROPERTY_DEVICE_ID, /* entra_device_id */
	CERTDIR_PROPERTY_NAME,
	CERTDIR_PROPERTY_SID,
	CERTDIR_PROPERTY_OPERATING_SYSTEM,
	CERTDIR_PROPERTY_OWNERSHIP,
	CERTDIR_PROPERTY_JOIN_TYPE,
	CERTDIR_PROPERTY_ENABLED,
	CERTDIR_PROPERTY_COMPLIANT, /* compliance: "compliant", "noncompliant" or NULL, from isCompliant */
	CERTDIR_PROPERTY_MANAGED,
	CERTDIR_PROPERTY_LAST_SEEN,
	CERTDIR_PROPERTY_REGISTERED,
	CERTDIR_PROPERTY_EXTENSION_ATTRIBUTES,
	CERTDIR_PROPERTIES
};

/* Begins the devices part. full: every device that does not appear until the end is gone (mark and sweep). */
bool certdir_tenant_devices_begin(struct certdir_tenant *tenant, bool full, struct certdir_error *error);

/*
 * One object: `device->object_id` names it, properties in `present` (CERTDIR_BIT of certdir_tenant_property) take the value in
 * `device` (NULL, UNKNOWN and 0 clear), the others keep theirs. An object that was removed before and comes again is there.
 * A new object is a device with what it carries. Extension attributes that are not asked for are cleared. When the value of
 * CERTDIR_PROPERTY_COMPLIANT becomes another, that is remembered as of now; a "compliant" that is there from the start, as of long ago,
 * or it would outdate an Intune that said "no" before the first sync. False with `error`: the part can only be abandoned.
 */
bool certdir_tenant_devices_put(struct certdir_tenant *tenant, const struct certdir_device *device, uint32_t present,
				struct certdir_error *error);
/* @removed, of either reason. An object that is not known is none. */
bool certdir_tenant_devices_remove(struct certdir_tenant *tenant, const char *object_id, struct certdir_error *error);

enum certdir_tenant_ended {
	CERTDIR_ENDED, /* applied */
	/*
	 * Applied but for what would be lost, which is too much to believe; `error` says how much. It stays as it was last known, with the age
	 * that it has since then, until it comes again or a later run may let it go: that a delta tells of a removal but once is no matter.
	 */
	CERTDIR_ENDED_SHRUNK,
	CERTDIR_ENDED_FAILED /* `error`; nothing of the part was applied */
};

/*
 * Ends the devices part: removals and the sweep happen, `delta_link` is kept for the next time, the tenant is synced now. After a full
 * listing that shrunk no link is kept, so that the next one is full again: a device that it left out would come by no delta.
 */
enum certdir_tenant_ended certdir_tenant_devices_end(struct certdir_tenant *tenant, const char *delta_link,
						     struct certdir_tenant_counts *counts, struct certdir_error *error);

/* ---- devices that somebody asked for ---- */

/* Seconds for which what a listing took away is not taken from who asks: longer than Graph's servers differ from each other. */
enum { CERTDIR_TENANT_REMOVED_LATELY = 900 };

/*
 * Between listings: begins a part of single devices, which certdir_tenant_devices_put() and certdir_tenant_asked_record() take. Ages and
 * delta links stay. A device that is new so is as old as now by itself until a listing brings it, and goes when two that began after it do not.
 * One that is there stays as it is, and one that a listing took away lately is not taken, as long as the list's changes tell of that. False
 * with `error`, also when the devices were never listed.
 */
bool certdir_tenant_asked_begin(struct certdir_tenant *tenant, struct certdir_error *error);
/*
 * The Intune record of a device that is in the list, or was put before. One of a device that Entra does not know, or that enrolled before
 * the one that is there, is left to the next listing.
 */
bool certdir_tenant_asked_record(struct certdir_tenant *tenant, const struct certdir_device *record,
				 struct certdir_error *error);
enum certdir_tenant_ended certdir_tenant_asked_end(struct certdir_tenant *tenant, struct certdir_tenant_counts *counts,
						   struct certdir_error *error);
/* Whether a listed device has that Entra or Intune id, a canonical GUID. */
bool certdir_tenant_knows(struct certdir_tenant *tenant, const char *id, bool *known, struct certdir_error *error);

/* ---- entries of an LDAP directory ---- */

/* An entry. Strings are text (certdir_ldap_text_valid()), values canonical. */
struct certdir_tenant_entry {
	const char *
		key; /* what the directory itself knows it by, whatever becomes of its names: objectGUID, entryUUID, else its DN */
	const struct certdir_device *device; /* `id` is its DN */
	const struct certdir_value *values;
	size_t value_count;
};

/*
 * Begins the entries' part. all: every entry that does not appear until the end is gone, and all that the directory says is as of now;
 * else what is put are changes, which leave the age of all as it is.
 */
bool certdir_tenant_entries_begin(struct certdir_tenant *tenant, bool all, struct certdir_error *error);
/* One entry as it is now. False with `error`: the part can only be abandoned. */
bool certdir_tenant_entries_put(struct certdir_tenant *tenant, const struct certdir_tenant_entry *entry,
				struct certdir_error *error);
/*
 * Ends it: entries that are gone go, as far as the guard lets them; `cursor` (or NULL: none) is kept for the next time. After a
 * listing that shrunk none is kept, so that the next one is whole again.
 */
enum certdir_tenant_ended certdir_tenant_entries_end(struct certdir_tenant *tenant, const char *cursor,
						     struct certdir_tenant_counts *counts, struct certdir_error *error);

/* ---- Intune ---- */

/* Begins the Intune part, which is always the whole listing. */
bool certdir_tenant_intune_begin(struct certdir_tenant *tenant, struct certdir_error *error);
/*
 * One managedDevice: intune_device_id (needed), entra_device_id (azureADDeviceId as it is; zero, or the Intune id again, is
 * none), intune_name, serial_number, compliance, owner, ownership, operating_system, last_seen, registered (enrolled), MACs,
 * management_state, management_agent, category, enrollment_profile. The same record again takes the place of the former.
 */
bool certdir_tenant_intune_put(struct certdir_tenant *tenant, const struct certdir_device *record,
			       struct certdir_error *error);
/*
 * Joins the records to the devices by Entra device id. Of several for one device the one that enrolled last counts (a wiped laptop that was
 * set up anew), then the one that synced last. A record of a device that Entra does not know waits, unlisted, until it does; one without a
 * device id is a device of its own. But a record that named an Entra device before, or was joined to one, is unlisted (once_entra): that
 * somebody deleted the Entra object, or that Graph left out its id, must not let the device in. This is remembered for 400 days after such
 * a record is gone.
 */
enum certdir_tenant_ended certdir_tenant_intune_end(struct certdir_tenant *tenant, struct certdir_tenant_counts *counts,
						    struct certdir_error *error);

/* ---- users ---- */

/* A user of Entra ID. Strings are borrowed, NULL = none. */
struct certdir_tenant_user {
	const char *user_id; /* its object id, always there */
	const char *upn;
	const char *sid; /* on-premises, as what follows */
	const char *sam_account_name;
	const char *dn;
	const char *mail;
	enum certdir_tristate enabled;
};

/* The properties that an object can carry, as bits of `present`. */
enum certdir_tenant_user_property {
	CERTDIR_USER_UPN,
	CERTDIR_USER_ENABLED,
	CERTDIR_USER_SID,
	CERTDIR_USER_SAM,
	CERTDIR_USER_DN,
	CERTDIR_USER_MAIL
};

/* As the devices part, of a table of its own: begin, put and remove in any order and at will, end. */
bool certdir_tenant_users_begin(struct certdir_tenant *tenant, bool full, struct certdir_error *error);
bool certdir_tenant_users_put(struct certdir_tenant *tenant, const struct certdir_tenant_user *user, uint32_t present,
			      struct certdir_error *error);
bool certdir_tenant_users_remove(struct certdir_tenant *tenant, const char *user_id, struct certdir_error *error);
enum certdir_tenant_ended certdir_tenant_users_end(struct certdir_tenant *tenant, const char *delta_link,
						   struct certdir_tenant_counts *counts, struct certdir_error *error);
/* Users are not wanted any more: all of them go, whatever the guard. */
bool certdir_tenant_users_forget(struct certdir_tenant *tenant, struct certdir_error *error);

/* ---- groups ---- */

/* Begins the part of one group; members are devices by object id. A changed display name is taken over. */
bool certdir_tenant_group_begin(struct certdir_tenant *tenant, const char *object_id, const char *name,
				struct certdir_error *error);
/* The same of its members that are users, by their ids, before that of the devices; put and end are the same. */
bool certdir_tenant_group_begin_users(struct certdir_tenant *tenant, const char *object_id, const char *name,
				      struct certdir_error *error);
bool certdir_tenant_group_put(struct certdir_tenant *tenant, const char *member, struct certdir_error *error);
enum certdir_tenant_ended certdir_tenant_group_end(struct certdir_tenant *tenant, struct certdir_tenant_counts *counts,
						   struct certdir_error *error);
/* Says that `object_ids` (NULL-terminated) are all groups of the tenant now: memberships in others end. Not within a part. */
bool certdir_tenant_groups_keep(struct certdir_tenant *tenant, const char *const *object_ids,
				struct certdir_error *error);

/* ---- issued certificates ---- */

/* Begins the table of issued certificates, which is always the whole of it. */
bool certdir_tenant_certificates_begin(struct certdir_tenant *tenant, struct certdir_error *error);
/*
 * One row of it, of which nothing is owned. *taken is false, with the reason in `error`, when it cannot be stored as it is: that is the
 * row's fault, and the next one may be put. False with `error`: the part can only be abandoned.
 */
bool certdir_tenant_certificates_put(struct certdir_tenant *tenant, const struct certdir_issued *row, bool *taken,
				     struct certdir_error *error);
/*
 * Ends it: what the table has no more goes, as far as the guard lets it, but for a revoked certificate, which stays while it is valid.
 * What stays has the age of when it was last there. What is not valid any more is no loss. `as_of`: when the table was made, Unix seconds.
 */
enum certdir_tenant_ended certdir_tenant_certificates_end(struct certdir_tenant *tenant, int64_t as_of,
							  struct certdir_tenant_counts *counts,
							  struct certdir_error *error);

/* Ends the part that is begun as if it had not been. Nothing when there is none. */
void certdir_tenant_part_abandon(struct certdir_tenant *tenant);

#endif
