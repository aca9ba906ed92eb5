/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "checker.h"

#include "identity/canonical.h"
#include "identity/mapping.h"

#include <stdlib.h>
#include <string.h>

void certdir_checker_clear(struct certdir_checker *checker)
{
	for (size_t i = 0; i < checker->directory_count; i++)
		checker->directories[i]->type->close(checker->directories[i]);
	for (size_t i = 0; i < checker->form_count; i++)
		certdir_form_clear(&checker->forms[i]);
	free(checker->forms);
	memset(checker, 0, sizeof(*checker));
}

void certdir_check_clear(struct certdir_check *check)
{
	for (size_t i = 0; i < CERTDIR_DIRECTORIES_MAX; i++)
		certdir_answer_clear(&check->answers[i]);
	if (check->parsed)
		certdir_certificate_clear(&check->certificate);
	memset(check, 0, sizeof(*check));
}

/* The identities to look up. The SID URI is asked for whenever SIDs are accepted: it can only deny. */
static uint64_t choose(const struct certdir_certificate *certificate, uint32_t accepted, bool *selects)
{
	uint64_t ask = 0;

	*selects = false;
	for (size_t i = 0; i < certificate->count; i++) {
		const enum certdir_identity_type type = certificate->identities[i].type;

		if (type == CERTDIR_ID_SID_URI) {
			if (accepted & (CERTDIR_BIT(CERTDIR_ID_SID) | CERTDIR_BIT(CERTDIR_ID_SID_URI)))
				ask |= UINT64_C(1) << i;
		} else if (accepted & CERTDIR_BIT(type)) {
			ask |= UINT64_C(1) << i;
			*selects = true;
		}
	}
	return ask;
}

static bool serves_issuer(const struct certdir_directory *directory, const char *issuer)
{
	if (!directory->issuers || !directory->issuers[0])
		return true;
	for (const char *const *dn = directory->issuers; *dn; dn++)
		if (certdir_dn_equal(*dn, issuer))
			return true;
	return false;
}

/* What one directory says, as a decision of its own. */
static void consult(struct certdir_check *check, const struct certdir_checker *checker, size_t d, int64_t now,
		    struct certdir_decision *decision)
{
	struct certdir_directory *directory = checker->directories[d];
	struct certdir_answer *answer = &check->answers[d];

	memset(decision, 0, sizeof(*decision));
	decision->directory = directory->name;
	directory->type->search(directory, &check->certificate, check->asked, now, answer);
	check->consulted[d] = true;
	if (answer->state != CERTDIR_ANSWERED) {
		decision->reason =
			answer->state == CERTDIR_ANSWER_MISSING ? CERTDIR_LIST_MISSING : CERTDIR_DIRECTORY_UNAVAILABLE;
		certdir_say(decision->detail, "%s", answer->detail);
		return;
	}
	certdir_agree(&check->certificate, check->asked, answer, decision);
	if (decision->reason == CERTDIR_ALLOWED) {
		certdir_judge(&checker->policy, now, decision);
	} else if (decision->reason == CERTDIR_NOT_FOUND && answer->stale) {
		/* A list that is behind does not know the newest devices. */
		decision->reason = CERTDIR_LIST_STALE;
		certdir_say(decision->detail, "not in a list last synced %lld s ago", (long long)answer->age);
	}
}

/*
 * Asks the directories in order until one knows. One that cannot answer, or only from a stale list, does not stop the
 * others from being asked, so that a known device is not kept out because something else is down; but when no other knows the
 * device either, the outcome is the first one's failure, not "not found".
 */
static void ask_directories(struct certdir_check *check, const struct certdir_checker *checker, int64_t now)
{
	struct certdir_decision *kept = &check->decision, decision;
	bool served = false;

	kept->reason = CERTDIR_NOT_FOUND;
	for (size_t d = 0; d < checker->directory_count; d++) {
		if (!serves_issuer(checker->directories[d], check->certificate.issuer))
			continue;
		consult(check, checker, d, now, &decision);
		if (decision.reason != CERTDIR_NOT_FOUND && decision.reason != CERTDIR_ALLOWED_STALE &&
		    certdir_reason_verdict(decision.reason) != CERTDIR_UNSURE) {
			*kept = decision;
			return;
		}
		/* Of the answers that do not end it: allowed-stale before unsure before not-found, the first of each. */
		if (!served || (decision.reason == CERTDIR_ALLOWED_STALE && kept->reason != CERTDIR_ALLOWED_STALE) ||
		    (decision.reason != CERTDIR_NOT_FOUND && kept->reason == CERTDIR_NOT_FOUND))
			*kept = decision;
		served = true;
	}
	if (!served) {
		kept->reason = CERTDIR_ISSUER;
		certdir_say(kept->detail, "no directory serves certificates of %s", check->certificate.issuer);
	}
}

void certdir_check_names(struct certdir_check *check, const struct certdir_checker *checker,
			 const struct certdir_login *login)
{
	struct certdir_decision *decision = &check->decision;
	bool selects;

	check->parsed = true;
	check->asked = choose(&check->certificate, checker->accepted, &selects);
	if (!selects) {
		decision->reason = CERTDIR_NO_IDENTITY;
		certdir_say(decision->detail, "subject \"%s\"", check->certificate.subject);
		return;
	}
	ask_directories(check, checker, login->now);
	if (certdir_reason_verdict(decision->reason) == CERTDIR_ALLOW && checker->policy.match_user_name &&
	    login->user_name &&
	    !certdir_user_name_matches(&check->certificate, login->user_name, login->user_name_length)) {
		decision->reason = CERTDIR_NAME_MISMATCH;
		certdir_say(decision->detail, "User-Name is none of the certificate's names");
	}
}

/* What follows when the certificate was read, or was refused with `error`. */
static void check_read(struct certdir_check *check, const struct certdir_checker *checker, bool read,
		       const struct certdir_error *error, const struct certdir_login *login)
{
	struct certdir_decision *decision = &check->decision;

	check->parsed = true;
	if (!read) {
		decision->reason = CERTDIR_MALFORMED_CERTIFICATE;
		certdir_say(decision->detail, "%s", error->text);
	} else if ((checker->accepted & CERTDIR_BIT(CERTDIR_ID_MAPPING)) && !certdir_mapping_add(&check->certificate)) {
		decision->reason = CERTDIR_MALFORMED_CERTIFICATE;
		certdir_say(decision->detail, "no room for the certificate's mappings beside its %zu names",
			    check->certificate.count);
	} else {
		certdir_check_names(check, checker, login);
	}
}

void certdir_check_x509(struct certdir_check *check, const struct certdir_checker *checker, struct x509_st *x509,
			const struct certdir_login *login)
{
	struct certdir_error error;
	bool read;

	memset(check, 0, sizeof(*check));
	read = certdir_certificate_read(&check->certificate, x509, checker->forms, checker->form_count, &error);
	check_read(check, checker, read, &error, login);
}

void certdir_check_der(struct certdir_check *check, const struct certdir_checker *checker, const unsigned char *der,
		       size_t length, const struct certdir_login *login)
{
	struct certdir_error error;
	bool read;

	memset(check, 0, sizeof(*check));
	read = certdir_certificate_parse(&check->certificate, der, length, checker->forms, checker->form_count, &error);
	check_read(check, checker, read, &error, login);
}
