/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profiles/specimen.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "text/canonical.h"
#include "text/dn.h"

static bool add(struct certdir_certificate *certificate, const struct certdir_profile_name *name,
		const struct certdir_rules *rules, struct certdir_error *error)
{
	char *value = certdir_variable_fill(name->text);
	bool ok = true;

	certdir_error_set(error, "out of memory");
	if (value && *value)
		ok = certdir_certificate_add(certificate, name->from, value, strlen(value), rules, error);
	else if (!value)
		ok = false;
	free(value);
	return ok;
}

/* Common names first: a mail address behind them may say that they are a person's. */
static bool add_all(struct certdir_certificate *certificate, const struct certdir_profile *profile,
		    const struct certdir_rules *rules, struct certdir_error *error)
{
	for (int subject = 1; subject >= 0; subject--)
		for (size_t i = 0; i < profile->name_count; i++)
			if ((strcmp(profile->names[i].from, "subject.cn") == 0) == subject &&
			    !add(certificate, &profile->names[i], rules, error))
				return false;
	return true;
}

/* For a section that goes by purposes. */
static char *join_ekus(const struct certdir_profile *profile)
{
	char *all = profile->eku_count ? certdir_print("%s", profile->ekus[0]) : NULL;

	for (size_t i = 1; all && i < profile->eku_count; i++) {
		char *longer = certdir_print("%s %s", all, profile->ekus[i]);

		free(all);
		all = longer;
	}
	return all;
}

bool certdir_specimen_read(struct certdir_certificate *certificate, const struct certdir_profile *profile,
			   const char *issuer, const struct certdir_rules *rules, struct certdir_error *error)
{
	*certificate = (struct certdir_certificate){0};
	if (issuer)
		certificate->issuer = strdup(issuer);
	certificate->ekus = join_ekus(profile);
	if ((issuer && !certificate->issuer) || (profile->eku_count && !certificate->ekus)) {
		certdir_error_set(error, "out of memory");
		return false;
	}
	if (!add_all(certificate, profile, rules, error))
		return false;
	certdir_certificate_rank(certificate, rules);
	return true;
}

static bool is_common_name(void *context, const char *type, const char *value)
{
	const char **name = context;

	if (strcasecmp(type, "CN") == 0 && *name && strcasecmp(value, *name) == 0)
		*name = NULL;
	return true;
}

/* The CA of a PKCS profile, of which that knows the common name alone, among those that are given to devices. */
static const char *known_ca(const struct certdir_profiles *profiles, const char *ca)
{
	for (size_t i = 0; ca && i < profiles->count; i++) {
		const char *name = ca, *subject = profiles->items[i].certificate.subject;

		if (subject && certdir_dn_each(subject, is_common_name, &name) && !name)
			return subject;
	}
	return NULL;
}

const char *certdir_specimen_issuer(const struct certdir_profiles *profiles, const struct certdir_profile *profile)
{
	const struct certdir_profile *root =
		profile->root_count ? certdir_profiles_find(profiles, profile->roots[0]) : NULL;

	return root ? root->certificate.subject : known_ca(profiles, profile->ca);
}

static bool is_host(enum certdir_identity_type type)
{
	return type == CERTDIR_ID_NAME || type == CERTDIR_ID_DNS;
}

bool certdir_specimen_is(const struct certdir_identity *identity, const struct certdir_variable *variable)
{
	const enum certdir_identity_type type = identity->type, wanted = variable->type;

	return wanted < CERTDIR_ID_TYPES &&
	       (type == wanted || (certdir_type_is_guid(type) && certdir_type_is_guid(wanted)) ||
		(is_host(type) && is_host(wanted)) || (type == CERTDIR_ID_USER_SID && wanted == CERTDIR_ID_SID_URI));
}
