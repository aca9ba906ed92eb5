/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity/rank.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Of the room for identities, so many for names; a certificate for sixty web sites must not lose its id. */
enum { CHOSEN_MAX = 48 };

static void drop(struct certdir_certificate *certificate, size_t at)
{
	struct certdir_identity *identity = &certificate->identities[at];

	free(identity->value);
	certificate->count--;
	memmove(identity, identity + 1, (certificate->count - at) * sizeof(*identity));
}

bool certdir_rank_room(struct certdir_certificate *certificate, enum certdir_rank rank)
{
	size_t chosen = 0, shown = CERTDIR_NAMES_MAX;

	for (size_t i = 0; i < certificate->count; i++) {
		chosen += certificate->identities[i].rank == CERTDIR_RANK_CHOSEN;
		if (certificate->identities[i].rank == CERTDIR_RANK_NONE)
			shown = i;
	}
	if (rank == CERTDIR_RANK_CHOSEN && chosen >= CHOSEN_MAX)
		return false;
	if (certificate->count < CERTDIR_NAMES_MAX)
		return true;
	if (rank == CERTDIR_RANK_NONE || shown == CERTDIR_NAMES_MAX)
		return false;
	drop(certificate, shown);
	return true;
}

/* ---- persons ---- */

static bool is_common_name(const struct certdir_identity *identity)
{
	return (identity->type == CERTDIR_ID_NAME || identity->type == CERTDIR_ID_DNS) &&
	       strcmp(identity->from, "subject.cn") == 0;
}

void certdir_rank_person(struct certdir_certificate *certificate, const struct certdir_section *section,
			 const char *address, size_t length)
{
	const char *at = memrchr(address, '@', length);
	const size_t local = at ? (size_t)(at - address) : length;

	certificate->person = true;
	for (size_t i = 0; !section && i < certificate->count; i++) {
		struct certdir_identity *identity = &certificate->identities[i];

		if (is_common_name(identity) && strlen(identity->value) == local &&
		    strncasecmp(identity->value, address, local) == 0)
			identity->rank = CERTDIR_RANK_NONE;
	}
}

/*
 * The CN that is the local part of a person's UPN or address, where a section has both stand for somebody. All else there, "pc01.corp.x"
 * as well as "max.mustermann", is a device's, as the section says: one that is passed over would not be asked for.
 */
static void disown_local(struct certdir_certificate *certificate)
{
	for (size_t p = 0; p < certificate->count; p++) {
		const struct certdir_identity *person = &certificate->identities[p];
		const size_t local = strcspn(person->value, "@");

		if (person->type != CERTDIR_ID_UPN && person->type != CERTDIR_ID_MAIL)
			continue;
		for (size_t i = 0; i < certificate->count; i++)
			if (is_common_name(&certificate->identities[i]) &&
			    certificate->identities[i].rank == CERTDIR_RANK_CHOSEN &&
			    strlen(certificate->identities[i].value) == local &&
			    strncasecmp(certificate->identities[i].value, person->value, local) == 0)
				certificate->identities[i].rank = CERTDIR_RANK_NONE;
	}
}

/* An address may be anybody's by tomorrow, and is not what a person is called by in a directory: it counts where no UPN does. */
static void weaken_mail(struct certdir_certificate *certificate)
{
	bool upn = false;

	for (size_t i = 0; i < certificate->count; i++)
		upn |= certificate->identities[i].type == CERTDIR_ID_UPN &&
		       certificate->identities[i].rank != CERTDIR_RANK_NONE;
	for (size_t i = 0; upn && i < certificate->count; i++)
		if (certificate->identities[i].type == CERTDIR_ID_MAIL &&
		    certificate->identities[i].rank == CERTDIR_RANK_CHOSEN)
			certificate->identities[i].rank = CERTDIR_RANK_NONE;
}

/* "max.mustermann" looks like a host's full name; a certificate for both a person and a host has a dNSName. */
static void disown_dotted(struct certdir_certificate *certificate)
{
	for (size_t i = 0; i < certificate->count; i++)
		if (strcmp(certificate->identities[i].from, "san.dns") == 0)
			return;
	for (size_t i = 0; i < certificate->count; i++) {
		struct certdir_identity *identity = &certificate->identities[i];

		if (is_common_name(identity) && strchr(identity->value, '.'))
			identity->rank = CERTDIR_RANK_NONE;
	}
}

/* ---- all together ---- */

/* The place that says the most counts. */
static void merge(struct certdir_certificate *certificate)
{
	for (size_t i = 0; i < certificate->count; i++) {
		struct certdir_identity *kept = &certificate->identities[i];

		for (size_t k = i + 1; k < certificate->count;) {
			const struct certdir_identity *other = &certificate->identities[k];

			if (other->type != kept->type || strcmp(other->value, kept->value) != 0) {
				k++;
				continue;
			}
			if (other->rank > kept->rank) {
				kept->rank = other->rank;
				kept->exact = other->exact;
				kept->from = other->from;
			}
			drop(certificate, k);
		}
	}
}

void certdir_rank_settle(struct certdir_certificate *certificate, const struct certdir_section *section)
{
	certificate->section = section ? section->name : NULL;
	certificate->holder = section ? section->holder : CERTDIR_HOLDER_DEVICE;
	for (size_t i = 0; section && i < certificate->count; i++)
		certdir_section_place(section, &certificate->identities[i]);
	if (certificate->person && certificate->holder == CERTDIR_HOLDER_BOTH)
		disown_local(certificate);
	if (certificate->person && !section)
		disown_dotted(certificate);
	weaken_mail(certificate);
	merge(certificate);
}
