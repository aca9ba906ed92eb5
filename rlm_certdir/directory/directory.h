/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of a certificate, and ids learnt, -> records. One small table of functions; list.c and ldap.c stand behind it. */
#ifndef CERTDIR_DIRECTORY_H
#define CERTDIR_DIRECTORY_H

#include "base/certdir.h"

/* ---- what a directory knows ---- */

/* What a source brings at different times. An import and an LDAP directory have the first alone. */
enum certdir_part {
	CERTDIR_PART_OF_DEVICES,
	CERTDIR_PART_OF_INTUNE,
	CERTDIR_PART_OF_GROUPS,
	CERTDIR_PART_OF_CERTIFICATES, /* the table of issued ones, which an import may have, too */
	CERTDIR_PARTS
};

/* A tenant, an import, an LDAP directory. Strings are borrowed and live as long as the answer. */
struct certdir_source {
	enum certdir_source_kind kind;
	const char *name;
	const char *tenant; /* canonical GUID, or NULL */
	/*
	 * Unix seconds of the part's last success, 0 = never. LDAP: of all of it in the first alone, where `listed`; else 0 = this is what
	 * the directory says now, or when it said so, which is out of its memory.
	 */
	int64_t synced[CERTDIR_PARTS];
	int64_t interval[CERTDIR_PARTS]; /* seconds from one success to the next as configured, 0 = not known */
	int64_t good_for; /* seconds: an import that stays fresh for so long, 0 = as long as max_age says */
	uint32_t keeps; /* as that of the answer, for this source alone */
	const char *domain; /* LDAP, `listed`: the DNS domain whose computers are there, lower case, or NULL */
	bool listed; /* LDAP: not asked itself, but as a sync has put it into a list: what it says has an age */
	bool says_enabled; /* false: an import without such a column, whose devices are enabled by being there */
};

/* What one directory says of one device: a row of a list, an LDAP entry. */
struct certdir_record {
	struct certdir_device device;
	size_t source; /* in the answer's sources */
	/*
	 * Static text, or NULL. Set: the record can only speak against its device, and why: kept out by the sync's filter, an Intune
	 * record whose Entra device is gone, of no tenant where the list is limited to one.
	 */
	const char *only_against;
	struct certdir_value *values; /* LDAP: names, mappings and ids of attributes that the device has no field for */
	size_t value_count;
	int64_t row; /* the directory's own mark to know it again; 0 for LDAP, where it is device.id, and of an issued certificate */
	/*
	 * Owned, or NULL. Set: it is no device, but what a table of issued certificates says of the one that logs in. It carries that
	 * certificate and the ids of the device that it was issued to, and so joins that one's records, but never stands for it alone.
	 */
	struct certdir_issued *issued;
};

enum certdir_answer_state {
	CERTDIR_NOT_ASKED, /* nothing was searched for yet */
	CERTDIR_ANSWERED, /* `records` is the whole truth as of now */
	/* could not ask; `detail` says why. Records, if there are any, are what a live directory said last, as old as its source says */
	CERTDIR_ANSWER_UNAVAILABLE,
	CERTDIR_ANSWER_MISSING /* the list has no usable file; `detail` says why */
};

/* What one directory said in one login, from its first search to the last. */
struct certdir_answer {
	enum certdir_answer_state state;
	char detail[CERTDIR_TEXT_MAX];
	/*
	 * CERTDIR_BIT(type) for each kind of value that this directory would know a device by; CERTDIR_ID_GUID stands for all GUIDs.
	 * A list that was never loaded may know all of them.
	 */
	uint32_t keeps;
	struct certdir_source *sources; /* those in scope */
	size_t source_count;
	struct certdir_record *records;
	size_t count;
	bool full; /* there was more than CERTDIR_RECORDS_MAX: what is here is true, but not all of it */
	bool partial; /* LDAP: a record's nested groups could not be asked for: it may be in more groups than it has here */
	void *held; /* the directory's own: what keeps borrowed strings alive, and the work of one search for the next */
	void (*release)(void *held); /* ends that; NULL = nothing to do */
};

enum { CERTDIR_RECORDS_MAX = 128 }; /* of an answer */

/* Frees all of it. A zeroed one is empty. */
void certdir_answer_clear(struct certdir_answer *answer);
/*
 * Adds an empty record and returns it. NULL when there are too many (the answer is `full`, and what is there stays: a "no" among it must
 * not get lost), or when memory is out (the answer becomes UNAVAILABLE).
 */
struct certdir_record *certdir_answer_add(struct certdir_answer *answer);
/* Forgets what was found and says why there is no answer. What `held` keeps stays until the answer is cleared. */
void certdir_answer_fail(struct certdir_answer *answer, enum certdir_answer_state state, const char *why);

/* Frees what it owns, and zeroes it. */
void certdir_record_clear(struct certdir_record *record);

/* How a record carries a value. */
enum certdir_carries {
	CERTDIR_CARRIES_NOT,
	CERTDIR_CARRIES_FORMER, /* as a name that it had before */
	CERTDIR_CARRIES_LABEL, /* its short name is the first label of the DNS name, and it has no DNS name of that value */
	CERTDIR_CARRIES_YES
};

/*
 * Whether a record carries a canonical value. GUIDs of every type are looked for among all ids. A DNS name: among DNS names and names that
 * are written so, else by its first label among short names. Short names compare without regard to ASCII case; a sAMAccountName of 15
 * characters is also that of a longer name, where the record has a DNS name that begins with it. A tenant's display name with a dot is no
 * name.
 */
enum certdir_carries certdir_record_carries(const struct certdir_record *record, enum certdir_source_kind kind,
					    enum certdir_identity_type type, const char *value);

/* Whether it is one of its DNS names, and not only called so. */
bool certdir_record_has_dns_name(const struct certdir_record *record, const char *value);

/* A value to search for. */
struct certdir_sought {
	enum certdir_identity_type type;
	const char *value; /* canonical; borrowed */
	bool many; /* out: more records carry it than were added to the answer */
	const struct certdir_certificate *certificate; /* of type certificate: itself; borrowed */
};

enum { CERTDIR_AHEAD = 300 }; /* seconds that a clock may be ahead of ours and still mean now */

/* The age up to which a part is fresh: good_for, or else max_age, but twice the interval at which it is brought. 0: any. */
int64_t certdir_source_limit(const struct certdir_source *source, enum certdir_part part, uint32_t max_age);

enum { CERTDIR_MEASURED_SERVERS_MAX = 16 };
enum { CERTDIR_CARRIERS_MAX = 16 }; /* an id that more records carry is none */

/* How a live directory fares: its servers, and what did not need them. Counted since it was opened. */
struct certdir_measured {
	size_t server_count;
	struct certdir_measured_server {
		char uri[CERTDIR_VALUE_MAX + 1];
		bool sick;
		uint64_t answered, unanswered; /* searches */
	} servers[CERTDIR_MEASURED_SERVERS_MAX];
	bool remembers; /* the next three are counted */
	uint64_t remembered; /* answers of a moment ago */
	uint64_t shared; /* of another login's search for the same */
	uint64_t outage; /* of before the directory was down */
};

struct certdir_directory;

struct certdir_directory_type {
	/*
	 * Adds to `answer` the records that carry any of the `count` values and are not in it yet. Searched several times in a login, on
	 * the same answer, which is zeroed before the first time. With count 0 it fills in keeps and sources alone (a list) or does
	 * nothing (LDAP). Sets `many` where it applies, and leaves it otherwise. Records that can only speak against are added, too.
	 * Of one value at most CERTDIR_CARRIERS_MAX records are added. Never blocks on a broken file. Thread-safe. A failure is the
	 * answer's state.
	 */
	void (*search)(struct certdir_directory *directory, struct certdir_sought *sought, size_t count,
		       struct certdir_answer *answer);
	void (*close)(struct certdir_directory *directory);
};

/* First member of each kind's own structure. */
struct certdir_directory {
	const struct certdir_directory_type *type;
	/*
	 * Asks for a device that the directory does not have, by a canonical Entra or Intune id, of a tenant (canonical, "" = any). True when it
	 * has it now: a new search finds it. Waits two seconds at most, and not for who does not answer. NULL: there is nobody to ask.
	 */
	bool (*ask)(struct certdir_directory *directory, enum certdir_identity_type type, const char *id,
		    const char *tenant);
	/* Fills in `measured`, which is zeroed. Thread-safe. NULL: there is nothing to tell. */
	void (*measure)(struct certdir_directory *directory, struct certdir_measured *measured);
	const char *name; /* as it stands in `directories`; borrowed from the configuration */
	const char *const
		*issuers; /* DNs, NULL-terminated; only certificates of these CAs, or NULL for all; borrowed */
	bool is_live; /* LDAP: costs a round trip, is asked when it has to be, and what it says has no age */
	uint32_t keeps; /* LDAP: as in its answers, known before it is asked */
	uint32_t max_age; /* seconds, 0 = never stale; of a live directory, for what is out of its memory */
	const char *const
		*domains; /* DNS domains whose computers are here, lower case, NULL-terminated, or NULL; LDAP */
};

#endif
