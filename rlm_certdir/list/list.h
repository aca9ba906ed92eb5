/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device list: one SQLite file, published whole.
 *
 * On disk: an SQLite database image, followed by a seal (SHA-256 of each chunk of it, and a footer over those: seal.h). The seal is the
 * complete mark: a file that is cut, half copied, overwritten in place or changed by anything but a publisher does not
 * carry a true one and is refused. sqlite3(1) opens the file all the same, since it believes the size in the header.
 *
 * Of a large list what changes stands in a second file, `filename`.changes, until that is worth writing the list whole: changes.h.
 */
#ifndef CERTDIR_LIST_H
#define CERTDIR_LIST_H

#include "base/certdir.h"

enum { CERTDIR_LIST_EXTENSION_ATTRIBUTES = 15 }; /* of a device in Entra ID: extensionAttribute1 to 15 */

/* ---- reading: a snapshot is a verified image in memory that any number of threads share ---- */

struct certdir_list_snapshot;

/* Keys that lists are signed with. Where a function that reads takes them, the list and its changes have to be signed with one of them; NULL asks nothing. */
struct certdir_list_keys;
/* Public keys, from files in PEM; NULL-terminated. certdir_list_keys_close() ends it. NULL with `error`, which names the file. */
struct certdir_list_keys *certdir_list_keys_public(const char *const *filenames, struct certdir_error *error);
/* A private key, to sign with, in a file as certdir_secret_read() asks for. NULL with `error`, which names the file. */
struct certdir_list_keys *certdir_list_keys_private(const char *filename, struct certdir_error *error);
void certdir_list_keys_close(struct certdir_list_keys *keys); /* NULL is allowed */

/*
 * Reads `filename` and the changes beside it once into memory and verifies them: seals, application id, schema version. No lock, read
 * permission is enough. NULL with `error` (file named, what to do) when it is missing or not acceptable. Reference count 1.
 */
struct certdir_list_snapshot *certdir_list_load(const char *filename, struct certdir_error *error);
/*
 * The same for who has one already: what both have in common is in memory once. A list that is `present` but for its changes, and is
 * older, is refused: files that belong together were copied apart. With keys any older one is: whoever holds signed lists back, or brings
 * one again, has no say in what is in use. present: NULL = none; it was read with the same keys.
 */
struct certdir_list_snapshot *certdir_list_reload(const char *filename, const struct certdir_list_keys *keys,
						  const struct certdir_list_snapshot *present,
						  struct certdir_error *error);
/*
 * The same for who has no list yet. Where the file is damaged, it is the edition before, which its publisher verified and kept as
 * `filename`.last; where its changes are, the list with those before the damage, or without any. Then `damage` says what
 * is wrong, else its text is empty. A file that is missing, may not be read or is
 * whole, but of another version, is not damaged: an old edition must not stand in for what somebody took away or put there.
 */
struct certdir_list_snapshot *certdir_list_load_last(const char *filename, const struct certdir_list_keys *keys,
						     struct certdir_error *damage, struct certdir_error *error);
/* The name of the file of changes of a list, which stands beside the file that a symbolic link leads to. NULL when memory is out. */
char *certdir_list_changes_name(const char *filename);
/* certdir_permissions_check() and _warn() of both. */
bool certdir_list_permissions_check(const char *filename, struct certdir_error *finding);
void certdir_list_permissions_warn(const char *filename);
/* Whether one was published before the other. */
bool certdir_list_is_older(const struct certdir_list_snapshot *snapshot, const struct certdir_list_snapshot *other);
/* Which files it was read from, for messages. */
const char *certdir_list_files(const struct certdir_list_snapshot *snapshot);

/* The file of changes that is laid over a list. */
struct certdir_list_laid {
	size_t pages;
	uint64_t bytes; /* of the file, as far as it counts */
	uint64_t behind; /* bytes behind that: of an edition that is being written, or was cut */
	int64_t made; /* when, Unix seconds */
};
/* What is laid over this edition; false when it was read from the list alone. */
bool certdir_list_laid(const struct certdir_list_snapshot *snapshot, struct certdir_list_laid *laid);

/* One reference more, and one less: the last one frees it. Thread-safe; release takes NULL. */
struct certdir_list_snapshot *certdir_list_retain(struct certdir_list_snapshot *snapshot);
void certdir_list_release(struct certdir_list_snapshot *snapshot);

/* A connection to the snapshot for one thread at a time, with its statements prepared; kept for reuse when given back. */
struct certdir_list_reader;
/* NULL with `error`: it cannot be opened, or memory is out. */
struct certdir_list_reader *certdir_list_reader_get(struct certdir_list_snapshot *snapshot,
						    struct certdir_error *error);
/* Gives it back; NULL is allowed. */
void certdir_list_reader_put(struct certdir_list_reader *reader);

/* How many devices are listed, of all sources. */
size_t certdir_list_device_count(const struct certdir_list_snapshot *snapshot);
/* When this edition was published, Unix seconds. */
int64_t certdir_list_published(const struct certdir_list_snapshot *snapshot);

/* A source is a tenant, an LDAP directory or a named import; each has its own age, and a tenant one for each part. */
struct certdir_list_source {
	int64_t id;
	const char *name;
	const char *tenant; /* or NULL */
	enum certdir_source_kind kind;
	int64_t synced; /* Unix seconds of the last success: of the devices, when it is a tenant */
	int64_t intune_synced; /* tenants: of the last Intune listing, 0 = never */
	int64_t intune_interval; /* tenants: seconds from one Intune listing to the next, 0 = not known */
	int64_t groups_synced; /* tenants: of the last listing of all groups, 0 = never */
	int64_t certificates_synced; /* of the table of issued certificates, 0 = never */
	int64_t certificates_interval; /* seconds from one to the next, 0 = not known */
	size_t certificates;
	int64_t delta_since; /* tenants: when the delta link came, 0 = none */
	int64_t users_synced; /* tenants: of the last listing of users, or of their changes, 0 = never */
	size_t users;
	const char *domain; /* LDAP: DNS domain of its computers, lower case, or NULL */
	int64_t interval; /* LDAP: seconds from one listing of all entries to the next, 0 = not known */
	int64_t good_for; /* imports: seconds for which it stays fresh whatever max_age is, 0 = not set */
	bool says_enabled; /* false: an import that says of no device whether it is enabled */
	size_t devices; /* listed ones */
	uint32_t holds; /* CERTDIR_BIT(type) of each kind of identity that some listed device of it has */
};
/* The sources, owned by the snapshot. */
const struct certdir_list_source *certdir_list_sources(const struct certdir_list_snapshot *snapshot, size_t *count);

/*
 * Rows are numbered as in table device; those of intune_waiting, Intune's records of devices that Entra ID does not know or not
 * any more, by the negative of theirs.
 */
enum { CERTDIR_LIST_FIND_MAX = 16 }; /* rows of one find */

/*
 * Rows that carry the canonical identity `value` of `type`: listed or not, of every source; with `tenant` (a canonical GUID, or
 * NULL) none that is another tenant's. At most CERTDIR_LIST_FIND_MAX, and whether there are more.
 * GUIDs of any type are looked for among all ids, UDIDs included, and so is a SID that Entra ID made of an object id.
 * common_name: by name or Intune's name; by former name when no row has it now. dns_name: by DNS name or an import's
 * name, and by name or Intune's name when that is the first label; `more` is not set for the sake of these when there
 * are rows of the first kind. Waiting records, which come last, are looked for by their ids, serial number and
 * Intune's name: what Intune says against a device must be heard by any of them.
 * Returns how many, or -1 with `error`.
 */
int certdir_list_find(struct certdir_list_reader *reader, const char *tenant, enum certdir_identity_type type,
		      const char *value, int64_t rows[CERTDIR_LIST_FIND_MAX], bool *more, struct certdir_error *error);

/*
 * Reads one device whole and where it is from. *only_against (static text, or NULL) says why it can only speak against its device:
 * because it is unlisted, or its Entra object is gone. False with `error`, and nothing is owned.
 * `id` is its DN in an LDAP directory, or its Entra id, else the first that it has of Intune id, object id, UDID, SID, serial number, name, row.
 */
bool certdir_list_device(struct certdir_list_reader *reader, int64_t row, struct certdir_device *device,
			 const struct certdir_list_source **source, const char **only_against,
			 struct certdir_error *error);

/*
 * The values that a row is known by beside the fields of its device: those of entries of an LDAP directory. The caller frees each value
 * and the array, NULL where there are none. False with `error`, and nothing is owned.
 */
bool certdir_list_values(struct certdir_list_reader *reader, int64_t row, struct certdir_value **values, size_t *count,
			 struct certdir_error *error);

/*
 * The same of people: rows of table user that carry a user_id, user_sid, user_name, upn or mail. As certdir_list_find(), -1 with
 * `error`.
 */
int certdir_list_find_user(struct certdir_list_reader *reader, const char *tenant, enum certdir_identity_type type,
			   const char *value, int64_t rows[CERTDIR_LIST_FIND_MAX], bool *more,
			   struct certdir_error *error);

/* A person, in the fields that devices have: `id` and object_id are the user's id, name is the UPN. The caller frees what it holds. */
struct certdir_list_person {
	struct certdir_device person;
	struct certdir_value *values; /* upn, user_name, mail */
	size_t value_count;
};
/* Reads one. False with `error`, and nothing is owned. */
bool certdir_list_user(struct certdir_list_reader *reader, int64_t row, struct certdir_list_person *person,
		       const struct certdir_list_source **source, struct certdir_error *error);

/* A certificate of a table, and of which source's. The strings of `issued` are owned. */
struct certdir_list_issued {
	struct certdir_issued issued;
	const struct certdir_list_source *source;
};

/*
 * The rows of a certificate in the tables of issued ones: by its thumbprint, and by issuer and serial number where a row has no
 * thumbprint; with `tenant` (or NULL) none that is another tenant's. At most CERTDIR_LIST_FIND_MAX, and whether there are more, or may be.
 * The caller clears the `issued` of each. Returns how many, or -1 with `error`, and nothing is owned.
 */
int certdir_list_issued_find(struct certdir_list_reader *reader, const char *tenant,
			     const struct certdir_certificate *certificate,
			     struct certdir_list_issued rows[CERTDIR_LIST_FIND_MAX], bool *more,
			     struct certdir_error *error);
/* Calls `each` for every row of these tables, until it returns false. False with `error` when reading failed. */
bool certdir_list_issued_each(struct certdir_list_reader *reader,
			      bool (*each)(void *context, const struct certdir_list_issued *row), void *context,
			      struct certdir_error *error);

/* Calls `each` for every listed device in order of name; stops when it returns false. False with `error` when reading failed. */
bool certdir_list_each(struct certdir_list_reader *reader,
		       bool (*each)(void *context, int64_t row, const struct certdir_device *device,
				    const struct certdir_list_source *source),
		       void *context, struct certdir_error *error);

/*
 * Looks for what a true seal does not rule out: a damaged database image, and immutable ids (Entra, Intune, SID, UDID) and serial
 * numbers that several listed devices of one source carry. Calls `problem` with a sentence for each, and for the first
 * few devices of each kind only. Returns how many there are, or -1 with `error`.
 */
int64_t certdir_list_verify(struct certdir_list_reader *reader, void (*problem)(void *context, const char *text),
			    void *context, struct certdir_error *error);

/* Numbers of one source's listed devices, for `certdir status`. */
struct certdir_list_numbers {
	size_t devices;
	size_t compliant;
	size_t disabled;
	size_t intune; /* devices with an Intune record */
};
/* Counts those of one source, by its id. False with `error`. */
bool certdir_list_numbers(struct certdir_list_reader *reader, int64_t source, struct certdir_list_numbers *numbers,
			  struct certdir_error *error);

/* Whether any device is in a group that has this name or object id, in any case. False with `error` when it cannot be told. */
bool certdir_list_has_group(struct certdir_list_reader *reader, const char *group, bool *has,
			    struct certdir_error *error);
/* Whether a group of this name, object id or SID was listed, be it that nobody is in it; those of imports have members. */
bool certdir_list_knows_group(struct certdir_list_reader *reader, const char *group, bool *knows,
			      struct certdir_error *error);

/* What listed devices share with others of their source: names that do not tell which device is meant. */
struct certdir_list_shared {
	size_t names;
	size_t devices; /* that carry such a name */
	size_t serials;
};
/* Counts those of all sources. False with `error`. */
bool certdir_list_shared(struct certdir_list_reader *reader, struct certdir_list_shared *shared,
			 struct certdir_error *error);

/* One line of the change log. Strings live during the call. */
struct certdir_list_change {
	int64_t at; /* Unix seconds */
	const char *source;
	const char *device; /* Entra device id, else Intune id, object id, UDID, serial number, SID; or NULL */
	const char *name; /* of the device then, or NULL */
	const char *what; /* "added", "removed", "enabled", "compliance", "renamed", "group" */
	const char *before; /* "yes"/"no", a compliance state, a name, a group that it left; or NULL */
	const char *after;
};
typedef bool (*certdir_list_change_function)(void *context, const struct certdir_list_change *change);

/* Calls `each` for the changes at or after `since`, oldest first, until it returns false. False with `error`. */
bool certdir_list_changes(struct certdir_list_reader *reader, int64_t since, certdir_list_change_function each,
			  void *context, struct certdir_error *error);

/* ---- writing: copy, change, seal, fsync, rename ---- */

struct certdir_list_writer;

/*
 * Starts a new edition of `filename` in a temporary file beside it, with the content of the present one if there is a
 * good one, or with none when `fresh`. A present one that is not acceptable is an error, so that a damaged list is never
 * quietly replaced by a smaller one; nor is a file replaced that is no device list at all. Holds a lock (`filename`.lock) until it
 * ends: a second writer waits two minutes for it, which the log says with the holder's pid, or until a signal is caught. Removes what
 * writers that were killed left behind. What root makes beside the list belongs to the owner and group of the directory.
 * signing_key: a file with the private key that it is signed with, NULL = it is not, which is an error where the present one is. One that was
 * not signed, or with another key, is written whole.
 */
struct certdir_list_writer *certdir_list_write_begin(const char *filename, bool fresh, const char *signing_key,
						     struct certdir_error *error);
/*
 * The same for a look at what would change, in a copy among the temporary files ($TMPDIR): nothing is written beside the list, nobody
 * is waited for, and reading the list has to be allowed and no more. It ends with certdir_list_write_abort().
 */
struct certdir_list_writer *certdir_list_write_private(const char *filename, bool fresh, struct certdir_error *error);
/*
 * The published list, only to be looked at: where a source stands (tenant/tenant.h), and what follows here. Takes
 * no lock, copies nothing, and needs read permission only; a list that is not there is an empty one. certdir_list_write_abort()
 * ends it. NULL with `error`: the list is not acceptable. Its content is verified when it is copied, not here.
 */
struct certdir_list_writer *certdir_list_look(const char *filename, struct certdir_error *error);
/* Calls `each` for the name of each source in it that a sync fills. False with `error`. */
bool certdir_list_look_tenants(struct certdir_list_writer *looker, void (*each)(void *context, const char *name),
			       void *context, struct certdir_error *error);

/*
 * Removes the source `name` with all that is of it, and notes in the change log that its devices are gone. *devices: how many of them
 * were listed, -1 when the list has no such source. False with `error`.
 */
bool certdir_list_write_remove(struct certdir_list_writer *writer, const char *name, int64_t *devices,
			       struct certdir_error *error);

/*
 * Names the source that following devices belong to and forgets the devices it had. tenant (a GUID) may be NULL: then
 * each device may name its own. A source that is synced is an error.
 */
bool certdir_list_write_source(struct certdir_list_writer *writer, const char *name, const char *tenant, int64_t synced,
			       struct certdir_error *error);

/*
 * How many seconds the current source stays fresh, whatever max_age is; 0 = as long as max_age says. When it is not called, a source keeps
 * what it has.
 */
bool certdir_list_write_good_for(struct certdir_list_writer *writer, int64_t seconds, struct certdir_error *error);

/*
 * Adds a device to the current source. Identities are brought into canonical form here; one that cannot be (a bad GUID)
 * is an error that names the device and the field, and so is an Entra id that the source has already. `id` and the statements are
 * not used, tenant need not be set. A source none of whose devices is known to be enabled or not says nothing of it. After an error
 * the writer can only be aborted.
 */
bool certdir_list_write_device(struct certdir_list_writer *writer, const struct certdir_device *device,
			       struct certdir_error *error);

/* Says that the current source tells of its devices whether they are enabled, though it may do so of none. */
void certdir_list_write_says_enabled(struct certdir_list_writer *writer);

/* The devices of a source before and now. */
struct certdir_list_compared {
	size_t listed; /* devices of all sources before */
	size_t before;
	size_t lost; /* of these: not among those written since */
	size_t added;
	size_t changed; /* renamed, enabled or disabled, of another compliance */
};

/*
 * Compares the devices that the current source had with those written since. A device is known by its Entra id, or if it has none
 * by its Intune id, object id, UDID, serial number, SID or name. Call it after the last device.
 */
bool certdir_list_write_compare(struct certdir_list_writer *writer, struct certdir_list_compared *compared,
				struct certdir_error *error);
/* Writes what that has found into the change log, as of `at`: added, removed, enabled, renamed, compliance. */
bool certdir_list_write_log(struct certdir_list_writer *writer, int64_t at, struct certdir_error *error);
/*
 * Calls `problem` with a sentence for each id or serial number that several devices of the current source carry, as
 * certdir_list_verify() does. Call it after the last device. False with `error`.
 */
bool certdir_list_write_twins(struct certdir_list_writer *writer, void (*problem)(void *context, const char *text),
			      void *context, struct certdir_error *error);

/* What a table of issued certificates has changed. */
struct certdir_list_issued_counts {
	size_t before; /* but for those that are not valid any more, and are not in the new table */
	size_t lost; /* of these: valid ones that are not in the new table */
	size_t kept; /* of the lost: those that stay */
	size_t added;
	size_t changed;
	size_t after;
};

/*
 * A table of issued certificates that was downloaded by hand, or comes from another CA's database: the source `name`, an import, has the
 * rows put from here to the end instead of those that it had. Its devices, if it has any, stay, as its certificates do when devices are
 * imported. A tenant's own table is the sync's alone, since two writers would disagree about its age: what was downloaded for a tenant is an
 * import of that tenant beside it. tenant (a GUID) may be NULL. Not while another source is being written. As elsewhere in an import, the
 * writer can only be aborted after an error.
 */
bool certdir_list_write_certificates_begin(struct certdir_list_writer *writer, const char *name, const char *tenant,
					   struct certdir_error *error);
/* One row, as certdir_tenant_certificates_put() takes it. */
bool certdir_list_write_certificate(struct certdir_list_writer *writer, const struct certdir_issued *row, bool *taken,
				    struct certdir_error *error);
/* What its end would do, were nothing kept by a guard. now: Unix seconds. */
bool certdir_list_write_certificates_compare(struct certdir_list_writer *writer, int64_t now,
					     struct certdir_list_issued_counts *counts, struct certdir_error *error);
/* Ends it. A revoked certificate that is valid at `now` stays, though it is lost. as_of: when the table was made. */
bool certdir_list_write_certificates_end(struct certdir_list_writer *writer, int64_t now, int64_t as_of,
					 struct certdir_list_issued_counts *counts, struct certdir_error *error);

/* The changes that this edition has logged, as of `since` or later: what a dry run prints. */
bool certdir_list_write_changes(struct certdir_list_writer *writer, int64_t since, certdir_list_change_function each,
				void *context, struct certdir_error *error);

/* Whether a failure was the disk's, or memory's, and not of what was to be written: the same may succeed another time. */
bool certdir_list_write_failed(const struct certdir_list_writer *writer);

/* Seals and publishes; the writer is gone either way. On false what is published is as it was. */
bool certdir_list_write_publish(struct certdir_list_writer *writer, struct certdir_error *error);
/* Gives up: nothing was changed. */
void certdir_list_write_abort(struct certdir_list_writer *writer);

#endif
