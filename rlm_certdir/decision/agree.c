/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agreement rule: which one device do all the names of a certificate mean? */
#include "decision/decision.h"

#include <string.h>
#include <strings.h>

static uint64_t bit(size_t i)
{
	return UINT64_C(1) << i;
}

/* Whether this directory knows devices by such identities at all; a bare GUID may be of either namespace. */
static bool holds(const struct certdir_answer *answer, enum certdir_identity_type type)
{
	uint32_t types = CERTDIR_BIT(type);

	if (type == CERTDIR_ID_GUID)
		types |= CERTDIR_BIT(CERTDIR_ID_ENTRA) | CERTDIR_BIT(CERTDIR_ID_INTUNE);
	return (answer->holds & types) != 0;
}

/* The identities that may select a device: everything asked for but the SID that the requester wrote. */
static uint64_t selecting(const struct certdir_certificate *certificate, uint64_t ask)
{
	for (size_t i = 0; i < certificate->count; i++)
		if (certificate->identities[i].type == CERTDIR_ID_SID_URI)
			ask &= ~bit(i);
	return ask;
}

static void __attribute__((format(printf, 3, 4)))
conclude(struct certdir_decision *decision, enum certdir_reason reason, const char *format, ...)
{
	va_list ap;

	decision->reason = reason;
	decision->match = NULL;
	decision->matched_by = NULL;
	va_start(ap, format);
	certdir_vsay(decision->detail, format, ap);
	va_end(ap);
}

/* An id that this directory would know if it knew the device, and does not: names never outvote it. */
static const struct certdir_identity *unknown_id(const struct certdir_certificate *certificate, uint64_t select,
						 uint64_t found, const struct certdir_answer *answer)
{
	for (size_t i = 0; i < certificate->count; i++) {
		const struct certdir_identity *id = &certificate->identities[i];

		if ((select & bit(i)) && !(found & bit(i)) && id->immutable && !id->tentative &&
		    holds(answer, id->type))
			return id;
	}
	return NULL;
}

static const struct certdir_identity *strongest(const struct certdir_certificate *certificate, uint64_t by)
{
	const struct certdir_identity *first = NULL;

	for (size_t i = 0; i < certificate->count; i++) {
		const struct certdir_identity *id = &certificate->identities[i];

		if (!(by & bit(i)))
			continue;
		if (id->immutable)
			return id;
		if (!first)
			first = id;
	}
	return first;
}

/* The SID URI confirms: it denies when the device has another SID, or when the SID is another device's. */
static void confirm_sid(const struct certdir_certificate *certificate, uint64_t ask,
			const struct certdir_answer *answer, struct certdir_decision *decision)
{
	for (size_t i = 0; i < certificate->count; i++) {
		const struct certdir_identity *id = &certificate->identities[i];
		const char *name = decision->match->device.id;

		if (id->type != CERTDIR_ID_SID_URI || !(ask & bit(i)))
			continue;
		if (decision->match->device.sid && strcmp(decision->match->device.sid, id->value) != 0) {
			conclude(decision, CERTDIR_SID_MISMATCH,
				 "the certificate's SAN URI says %s, the SID of %s is another", id->value, name);
			return;
		}
		for (size_t m = 0; m < answer->count; m++)
			if ((answer->matches[m].by & bit(i)) && &answer->matches[m] != decision->match) {
				conclude(decision, CERTDIR_CONFLICT,
					 "the SID %s in the SAN URI belongs to %s, not to %s", id->value,
					 answer->matches[m].device.id, name);
				return;
			}
	}
}

/* Entra's own extension names the tenant: a device of another tenant is not this one. */
static void confirm_tenant(const struct certdir_certificate *certificate, struct certdir_decision *decision)
{
	const char *tenant = decision->match->device.tenant;

	if (certificate->tenant && tenant && strcasecmp(certificate->tenant, tenant) != 0)
		conclude(decision, CERTDIR_CONFLICT, "the certificate names tenant %s, %s is of tenant %s",
			 certificate->tenant, decision->match->device.id, tenant);
}

void certdir_agree(const struct certdir_certificate *certificate, uint64_t ask, const struct certdir_answer *answer,
		   struct certdir_decision *decision)
{
	const uint64_t select = selecting(certificate, ask);
	const struct certdir_match *first = NULL, *second = NULL;
	const struct certdir_identity *unknown;
	uint64_t found = 0;

	for (size_t m = 0; m < answer->count; m++)
		found |= answer->matches[m].by & select;
	for (size_t m = 0; m < answer->count; m++)
		if (found && (answer->matches[m].by & found) == found) {
			if (!first)
				first = &answer->matches[m];
			else if (!second)
				second = &answer->matches[m];
		}
	unknown = unknown_id(certificate, select, found, answer);
	if (unknown) {
		conclude(decision, CERTDIR_NOT_FOUND, "%s %s is unknown", certdir_identity_type_name(unknown->type),
			 unknown->value);
	} else if (!found && !(answer->truncated & select)) {
		conclude(decision, CERTDIR_NOT_FOUND, "none of the certificate's names is known");
	} else if (!(found & ~answer->truncated)) {
		conclude(decision, CERTDIR_AMBIGUOUS, "too many devices carry these names");
	} else if (!first) {
		conclude(decision, CERTDIR_CONFLICT, "no device carries all the names that are known");
	} else if (second) {
		conclude(decision, CERTDIR_AMBIGUOUS, "%s and %s both carry these names", first->device.id,
			 second->device.id);
	} else {
		decision->reason = CERTDIR_ALLOWED;
		decision->match = first;
		decision->matched_by = strongest(certificate, first->by & select);
		confirm_sid(certificate, ask, answer, decision);
		if (decision->match)
			confirm_tenant(certificate, decision);
	}
}
