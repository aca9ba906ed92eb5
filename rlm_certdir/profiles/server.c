/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the RADIUS server takes the certificates of a profile. */
#include <string.h>

#include "profiles/check.h"
#include "profiles/specimen.h"
#include "text/dn.h"

static bool has_issuer(const struct certdir_section *section, const char *issuer)
{
	for (const char *const *one = section->issuers; one && *one; one++)
		if (certdir_dn_equal(*one, issuer))
			return true;
	return false;
}

/* Whether some section is for a CA that is no root of a profile: it may be the one below this root that signs. */
static bool has_others(const struct certdir_profile_check *check)
{
	const struct certdir_rules *rules = check->world->rules;

	for (size_t i = 0; i < rules->section_count; i++) {
		bool root = false;

		for (size_t p = 0; p < check->profiles->count; p++) {
			const char *subject = check->profiles->items[p].certificate.subject;

			root |= subject && has_issuer(&rules->sections[i], subject);
		}
		if (!root)
			return true;
	}
	return false;
}

enum verdict { TAKEN, NO_IDENTITY, NO_SECTION };

/* What the server's certdir makes of a certificate that `issuer` signs. */
static enum verdict judge(const struct certdir_profile_check *check, const char *issuer)
{
	const struct certdir_profiles_world *world = check->world;
	enum verdict verdict = NO_IDENTITY;
	uint32_t accepted = world->accepted;
	struct certdir_certificate certificate;
	struct certdir_error error;

	if (!certdir_specimen_read(&certificate, check->profile, issuer, world->rules, &error))
		verdict = TAKEN; /* what is wrong was told already */
	else if (world->rules->section_count && !certificate.section)
		verdict = NO_SECTION;
	/* People are looked up by what a section for them places, whatever `identities` says. */
	if (certificate.holder != CERTDIR_HOLDER_DEVICE)
		accepted |= CERTDIR_PERSONS;
	for (size_t i = 0; verdict == NO_IDENTITY && i < certificate.count; i++)
		if (certificate.identities[i].rank >= CERTDIR_RANK_CHOSEN &&
		    (accepted & CERTDIR_BIT(certificate.identities[i].type)))
			verdict = TAKEN;
	certdir_certificate_clear(&certificate);
	return verdict;
}

/* The root itself may sign, or one of the CAs below it that the server knows. */
static enum verdict judge_all(const struct certdir_profile_check *check, const char *root)
{
	enum verdict verdict = judge(check, root);

	for (size_t i = 0; verdict && i < check->world->authority_count; i++) {
		const struct certdir_certificate *ca = &check->world->authorities[i];
		const enum verdict other = ca->subject && ca->issuer && certdir_dn_equal(ca->issuer, root)
						   ? judge(check, ca->subject)
						   : verdict;

		verdict = other < verdict ? other : verdict;
	}
	return verdict;
}

static void tell_authority(const struct certdir_profile_check *check, const char *root)
{
	const struct certdir_profiles_world *world = check->world;

	for (size_t i = 0; i < world->authority_count; i++) {
		const struct certdir_certificate *ca = &world->authorities[i];

		if ((ca->subject && certdir_dn_equal(ca->subject, root)) ||
		    (ca->issuer && certdir_dn_equal(ca->issuer, root)))
			return;
	}
	if (world->authority_count > 0)
		certdir_check_add(check, false, "server-ca", NULL,
				  "makes certificates below %s, which is not among the CAs that the server trusts: it "
				  "refuses them "
				  "all; add it to ca_file of eap",
				  root);
}

void certdir_check_server(const struct certdir_profile_check *check)
{
	const char *root = certdir_specimen_issuer(check->profiles, check->profile);

	if (!check->world->rules || !certdir_profile_issues(check->profile) || !root)
		return;
	tell_authority(check, root);
	switch (judge_all(check, root)) {
	case TAKEN:
		break;
	case NO_SECTION:
		certdir_check_add(check, has_others(check), "server-issuer", NULL,
				  "makes certificates below %s, which fit no `certificates` section of the server: it "
				  "refuses them "
				  "(issuer); add one for the CA that signs, as is printed below",
				  root);
		break;
	case NO_IDENTITY:
		certdir_check_add(
			check, false, "server-identity", NULL,
			"makes certificates in which the server's certdir reads no identity that it looks up: mend its "
			"`certificates` section or `identities`, as is printed below");
	}
}
