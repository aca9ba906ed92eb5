/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profiles/profile.h"

#include <stdlib.h>
#include <string.h>

#include "identity/certificate.h"
#include "profiles/check.h"
#include "profiles/variable.h"

void certdir_profile_clear(struct certdir_profile *profile)
{
	certdir_certificate_clear(&profile->certificate);
	*profile = (struct certdir_profile){0};
}

void certdir_profiles_clear(struct certdir_profiles *profiles)
{
	for (size_t i = 0; i < profiles->count; i++)
		certdir_profile_clear(&profiles->items[i]);
	free(profiles->items);
	free(profiles->unread);
	certdir_arena_clear(&profiles->arena);
	*profiles = (struct certdir_profiles){0};
}

const struct certdir_profile *certdir_profiles_find(const struct certdir_profiles *profiles, const char *id)
{
	for (size_t i = 0; i < profiles->count; i++)
		if (strcmp(profiles->items[i].id, id) == 0)
			return &profiles->items[i];
	return NULL;
}

bool certdir_profile_issues(const struct certdir_profile *profile)
{
	return profile->kind == CERTDIR_PROFILE_SCEP || profile->kind == CERTDIR_PROFILE_PKCS;
}

bool certdir_profile_uses(const struct certdir_profile *profile, const char *from, enum certdir_identity_type type)
{
	for (size_t i = 0; i < profile->name_count; i++)
		if ((!from || strcmp(profile->names[i].from, from) == 0) &&
		    certdir_variable_in(profile->names[i].text, type))
			return true;
	return false;
}

bool certdir_profile_has(const struct certdir_profile *profile, const char *from)
{
	for (size_t i = 0; i < profile->name_count; i++)
		if (strcmp(profile->names[i].from, from) == 0)
			return true;
	return false;
}

size_t certdir_profile_needs(const struct certdir_profile *profile)
{
	return profile->root_count + (profile->identity ? 1 : 0);
}

const struct certdir_profile *certdir_profile_needed(const struct certdir_profiles *profiles,
						     const struct certdir_profile *profile, size_t i)
{
	return certdir_profiles_find(profiles, i < profile->root_count ? profile->roots[i] : profile->identity);
}
