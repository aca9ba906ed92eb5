/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which values of the certificate decide? */
#include "decision/world.h"

static bool is_carried(const struct certdir_known *known, const struct certdir_identity *id)
{
	for (size_t d = 0; d < known->count; d++) {
		const struct certdir_answer *answer = &known->answers[d];

		for (size_t r = 0; known->in_scope[d] && r < answer->count; r++)
			if (certdir_record_carries(&answer->records[r], answer->sources[answer->records[r].source].kind,
						   id->type, id->value) == CERTDIR_CARRIES_YES)
				return true;
	}
	return false;
}

bool certdir_keeps(uint32_t keeps, enum certdir_identity_type type)
{
	if (type == CERTDIR_ID_ENTRA || type == CERTDIR_ID_INTUNE)
		type = CERTDIR_ID_GUID;
	else if (type == CERTDIR_ID_SID_URI)
		type = CERTDIR_ID_SID;
	return keeps & CERTDIR_BIT(type);
}

static bool is_kept(const struct certdir_known *known, const struct certdir_identity *id)
{
	for (size_t d = 0; d < known->count; d++)
		if (known->in_scope[d] && certdir_keeps(known->answers[d].keeps, id->type))
			return true;
	return false;
}

/* Intune ids are asked for as GUIDs, but Entra devices without Intune's part do not tell whether one is still there. */
static bool keeps_kind(const struct certdir_known *known, enum certdir_identity_type type)
{
	for (size_t d = 0; d < known->count; d++)
		if (known->in_scope[d] && (known->answers[d].keeps & CERTDIR_BIT(type)))
			return true;
	return false;
}

/* Whether some table of issued certificates says to which device it was issued, by an id that some directory keeps. */
static bool is_issued(const struct certdir_known *known)
{
	for (size_t d = 0; d < known->count; d++) {
		const struct certdir_answer *answer = &known->answers[d];

		for (size_t r = 0; known->in_scope[d] && r < answer->count; r++) {
			const struct certdir_record *record = &answer->records[r];

			if (record->issued &&
			    ((record->issued->intune_device_id && keeps_kind(known, CERTDIR_ID_INTUNE)) ||
			     (record->issued->entra_device_id && keeps_kind(known, CERTDIR_ID_ENTRA))) &&
			    !certdir_is_foreign(known->certificate, &answer->sources[record->source], record))
				return true;
		}
	}
	return false;
}

/*
 * A strong mapping is not what the certificate says of its device but a mark of the certificate itself: where no account has it, it
 * says nothing, and so it decides only when it is found. So is the certificate, where no table of issued ones says whose it is.
 */
static bool may_decide(const struct certdir_known *known, const struct certdir_identity *id)
{
	if (id->type == CERTDIR_ID_CERTIFICATE)
		return is_issued(known);
	return is_kept(known, id) && (id->type != CERTDIR_ID_MAPPING || is_carried(known, id));
}

uint64_t certdir_deciding(const struct certdir_known *known, enum certdir_rank *rank)
{
	const struct certdir_certificate *certificate = known->certificate;
	uint64_t deciding = 0;

	*rank = CERTDIR_RANK_NONE;
	for (size_t i = 0; i < certificate->count; i++) {
		const struct certdir_identity *id = &certificate->identities[i];

		if (!(known->accepted >> i & 1) || id->rank < CERTDIR_RANK_CHOSEN || id->rank < *rank ||
		    !may_decide(known, id))
			continue;
		if (id->rank > *rank)
			deciding = 0;
		*rank = id->rank;
		deciding |= UINT64_C(1) << i;
	}
	return deciding;
}
