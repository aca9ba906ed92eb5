/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policy + device -> decision and reason. Pure: no I/O, the time is a parameter. */
#ifndef CERTDIR_DECISION_H
#define CERTDIR_DECISION_H

#include "certdir.h"
#include "directory/directory.h"

struct certdir_policy {
	bool require_managed;
	bool require_compliant;
	bool compliance_unknown_allow; /* compliance_unknown = allow */
	bool allow_stale; /* on_unavailable = stale: a list past max_age still decides */
	bool match_user_name; /* user_name = match: the outer User-Name must be a name of the certificate */
	uint32_t enrollment_grace; /* seconds after registration in which managed and compliant are not asked for */
	uint32_t max_inactive; /* seconds since last seen, 0 = not asked */
	uint32_t join_types; /* CERTDIR_BIT(join type); all of them = not asked, unknown included */
	const char *const *groups; /* names or ids, any of them; NULL-terminated; NULL = not asked; borrowed */
};

struct certdir_decision {
	enum certdir_reason reason;
	char detail[CERTDIR_TEXT_MAX]; /* for people: the values that decided */
	const char *directory; /* whose answer decided, or NULL; borrowed */
	const struct certdir_match *match; /* the one device, or NULL; points into the answer */
	const struct certdir_identity *matched_by; /* the strongest identity that found it, or NULL */
};

/*
 * The agreement rule on one directory's answer (CERTDIR_ANSWERED): sets reason to CERTDIR_ALLOWED with match and
 * matched_by when exactly one device remains, else to not-found, ambiguous, conflict or sid-mismatch.
 */
void certdir_agree(const struct certdir_certificate *certificate, uint64_t ask, const struct certdir_answer *answer,
		   struct certdir_decision *decision);

/* The policy on the device that was agreed on; changes reason and detail of a decision that stands at CERTDIR_ALLOWED. */
void certdir_judge(const struct certdir_policy *policy, int64_t now, struct certdir_decision *decision);

/* True when the outer User-Name (untrusted bytes, `host/` or `$` or `@realm` around it) is one of the certificate's names. */
bool certdir_user_name_matches(const struct certdir_certificate *certificate, const char *name, size_t length);

#endif
