/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything that is known + policy -> decision and reason. Pure: no I/O, the time is a parameter. */
#ifndef CERTDIR_DECISION_H
#define CERTDIR_DECISION_H

#include "base/certdir.h"
#include "directory/directory.h"

enum { CERTDIR_DIRECTORIES_MAX = 8, CERTDIR_FILLERS_MAX = 16 };

struct certdir_policy {
	bool require_managed;
	bool require_compliant;
	bool compliance_unknown_allow; /* compliance_unknown = allow */
	bool allow_stale; /* on_unavailable = stale: parts past max_age still decide while they are younger than stale_for */
	bool match_user_name; /* user_name = match: the outer User-Name must be a name of the certificate */
	bool require_known_certificate; /* some table of issued certificates must have the one that logs in */
	bool names_must_agree; /* a name that others carry and the device does not denies, where an id decides */
	bool require_enabled_owner; /* the person that a device is of, where one is noted, has to be enabled as well */
	bool twins_deny; /* twins = deny: dates do not settle which of several devices of one name it is */
	uint32_t stale_for; /* seconds, with allow_stale */
	uint32_t enrollment_grace; /* seconds after registration in which managed and compliant are not asked for */
	uint32_t
		known_certificate_grace; /* seconds before a table's date in which it may not have what was issued, yet */
	uint32_t max_inactive; /* seconds since last seen, 0 = not asked */
	uint32_t join_types; /* CERTDIR_BIT(join type); all of them = not asked, unknown included */
	const char *const
		*groups; /* names, ids, DNs or SIDs, any of them; NULL-terminated; NULL = not asked; borrowed */
	const char *const *ownerships; /* the same: "company", "personal" */
	const char *const
		*operating_systems; /* the same: "Windows", .. as the directory writes them, without regard to case */
};

/* Everything that was asked and found in one login. What is here is borrowed, the answers are written by the directories. */
struct certdir_known {
	const struct certdir_certificate *certificate;
	uint64_t accepted; /* bit i: identities[i] may be used: its type stands in `identities`, or it confirms */
	size_t count;
	const struct certdir_directory *directories[CERTDIR_DIRECTORIES_MAX];
	struct certdir_answer answers[CERTDIR_DIRECTORIES_MAX];
	bool in_scope
		[CERTDIR_DIRECTORIES_MAX]; /* serves the certificate's issuer; what is out of scope neither helps nor harms */
	uint64_t many[CERTDIR_DIRECTORIES_MAX]; /* bit i: more records carry identities[i] there than were found */
	/* owned by the check */
	char *fillers
		[CERTDIR_FILLERS_MAX]; /* ids that more records carry somewhere than an id can have: they are none */
	size_t filler_count;
	bool persons; /* it is about people, which are the only records then: for texts */
	bool wrong_user_name; /* the outer User-Name is none of the certificate's names, and has to be */
};

/* Whether a record (or NULL: all) of a source is of another tenant than the certificate names itself, and so out of scope. */
bool certdir_is_foreign(const struct certdir_certificate *certificate, const struct certdir_source *source,
			const struct certdir_record *record);

/* Whether a directory that keeps these types would know a device by a value of `type`. */
bool certdir_keeps(uint32_t keeps, enum certdir_identity_type type);

/*
 * The values that decide: those of the highest rank among the accepted ones of kinds that some directory in scope keeps (rule 2).
 * *rank is CERTDIR_RANK_NONE and the result 0 when there are none.
 */
uint64_t certdir_deciding(const struct certdir_known *known, enum certdir_rank *rank);

enum { CERTDIR_DEVICE_RECORDS_MAX = 16 };

struct certdir_decision {
	enum certdir_reason reason;
	char detail[CERTDIR_TEXT_MAX]; /* for people: the values that decided */
	/* The records of the one device, those that describe it best first; they point into the answers. */
	const struct certdir_record *records[CERTDIR_DEVICE_RECORDS_MAX];
	size_t record_count;
	/*
	 * What others may go by, of parts that are fresh: bit r, the groups of records[r], but not those that the device was last known to be in
	 * before member_since[r]; the compliance, in Intune's words, or NULL.
	 */
	uint32_t member;
	int64_t member_since[CERTDIR_DEVICE_RECORDS_MAX];
	const char *compliance;
	const char *directory; /* of the first record, or whose answer decided, or NULL; borrowed */
	const struct certdir_identity *matched_by; /* the strongest identity that found it, or NULL */
	bool groups_behind; /* the groups of some record are not among those, as their part is too old */
	bool by_dates; /* of several devices of that name, dates told which */
	bool says_no; /* some record of the device does: nobody else's "yes" ends it */
	bool only_compliance; /* denied for its compliance, and nothing else in the policy stands against the device */
	int64_t age; /* seconds: of the fact that decided, the oldest of those that were needed; 0 when live or none */
};

/* Sets reason and detail. Always false, so that it can be returned. */
bool certdir_conclude(struct certdir_decision *decision, enum certdir_reason reason, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * What is decided from all that `known` has of the directories in `use` (bit d). Always ends in a reason. no-identity, issuer and
 * malformed certificates are the caller's.
 */
void certdir_decide(const struct certdir_known *known, uint32_t use, const struct certdir_policy *policy, int64_t now,
		    struct certdir_decision *decision);

/*
 * The policy on one record of `source` by itself, however old its parts are: what is selected by the same rules as logins are. Sets
 * reason and detail.
 */
void certdir_decide_record(const struct certdir_record *record, const struct certdir_source *source,
			   const struct certdir_policy *policy, int64_t now, struct certdir_decision *decision);

/*
 * What of the policy is asked of a person: what a device has and a person has not, such as compliance, is not. holder: the certificate is
 * the person's, so that what is asked of certificates and groups is asked, too.
 */
struct certdir_policy certdir_policy_of_person(const struct certdir_policy *policy, bool holder);

/*
 * Of a person on a device, both of which have to be fine, who is in a group that is required: each policy's group may be met by the
 * person or by the device. Each decision is given with that asked of it and without, and is left as it counts.
 */
void certdir_decide_both(struct certdir_decision *device, const struct certdir_decision *device_without_groups,
			 struct certdir_decision *person, const struct certdir_decision *person_without_groups);
/*
 * Puts that of a person beside a device's: the worse one counts, and of two that allow the older one's age. What describes the device
 * stays. whose: "the user", before the detail.
 */
void certdir_decision_take(struct certdir_decision *decision, const struct certdir_decision *person, const char *whose);

/*
 * Ids by which the records that were decided on are found again, borrowed: of each record the first that is one. *needed of them, which stand
 * first, are enough: what shares ids has one of them. 0: some record has none. Rows of issued certificates are found by the certificate.
 */
size_t certdir_decision_ids(const struct certdir_known *known, const struct certdir_decision *decision,
			    struct certdir_sought ids[CERTDIR_DEVICE_RECORDS_MAX], size_t *needed);

/*
 * Whether the device of these records was registered only after a certificate of this notBefore (0 = not known: false) was issued, with the
 * day of slack that logins have, too. By a name such a certificate finds a device that it was not issued to.
 */
bool certdir_registered_later(const struct certdir_record *const *records, size_t count, int64_t not_before);

/* True when the outer User-Name (untrusted bytes, `host/` or `$` or `@realm` around it) is one of the certificate's names. */
bool certdir_user_name_matches(const struct certdir_certificate *certificate, const char *name, size_t length);

#endif
