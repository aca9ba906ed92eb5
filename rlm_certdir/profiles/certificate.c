/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wrong with a certificate profile whatever device gets it. */
#include <inttypes.h>
#include <string.h>

#include "profiles/check.h"
#include "profiles/specimen.h"

/* Days: who comes back from two weeks of holidays must not find the certificate expired, which nothing over the air renews then. */
enum { RENEWAL_LEAST = 14 };

static void tell_unknown(const struct certdir_profile_check *check)
{
	for (size_t i = 0; i < check->profile->name_count; i++) {
		const char *text = check->profile->names[i].text, *name;
		size_t length;

		while (certdir_variable_next(&text, &name, &length))
			if (!certdir_variable_find(name, length))
				certdir_check_add(
					check, true, "unknown-variable", NULL,
					"has {{%.*s}} in %s, which is no variable that is known here: one that "
					"Intune does not know either never resolves; see how it is spelled",
					(int)length, name, check->profile->names[i].from);
	}
}

/* Whether some device or person can be found by a name that comes from a variable. */
static bool names_somebody(const struct certdir_certificate *certificate)
{
	for (size_t i = 0; i < certificate->count; i++) {
		const struct certdir_identity *identity = &certificate->identities[i];
		const struct certdir_variable *variable = certdir_variable_of(identity->value);

		if (identity->rank >= CERTDIR_RANK_CHOSEN && variable && certdir_specimen_is(identity, variable))
			return true;
	}
	return certificate->person;
}

/* The server's sections may read what certdir does not read by itself. */
static bool is_read_by_server(const struct certdir_profile_check *check)
{
	struct certdir_certificate certificate;
	struct certdir_error error;
	bool is = false;

	if (!check->world->rules)
		return false;
	if (certdir_specimen_read(&certificate, check->profile,
				  certdir_specimen_issuer(check->profiles, check->profile), check->world->rules,
				  &error))
		is = names_somebody(&certificate);
	certdir_certificate_clear(&certificate);
	return is;
}

static void tell_identity(const struct certdir_profile_check *check)
{
	struct certdir_certificate certificate;
	struct certdir_error error;

	if (!certdir_specimen_read(&certificate, check->profile, NULL, NULL, &error))
		certdir_check_add(check, false, "malformed", NULL,
				  "makes certificates that certdir refuses: %s; mend it in the profile", error.text);
	else if (!names_somebody(&certificate) && !is_read_by_server(check))
		certdir_check_add(
			check, false, "no-identity", NULL,
			"makes certificates that name no device, so that certdir finds none by them: add a SAN "
			"URI IntuneDeviceId://{{DeviceId}}, or paste the section below if it reads them");
	certdir_certificate_clear(&certificate);
}

static void tell_ekus(const struct certdir_profile_check *check)
{
	const struct certdir_profile *profile = check->profile;

	for (size_t i = 0; i < profile->eku_count; i++)
		if (strcmp(profile->ekus[i], "1.3.6.1.5.5.7.3.2") == 0 || strcmp(profile->ekus[i], "2.5.29.37.0") == 0)
			return;
	if (profile->eku_count)
		certdir_check_add(
			check, false, "eku", NULL,
			"makes certificates that are not for client authentication, which every TLS handshake "
			"refuses: add the extended key usage 1.3.6.1.5.5.7.3.2");
}

static void tell_validity(const struct certdir_profile_check *check)
{
	const struct certdir_profile *profile = check->profile;
	const int64_t left = profile->validity * profile->renewal / 100;

	if (profile->validity > 0 && profile->renewal > 0 && left < RENEWAL_LEAST)
		certdir_check_add(check, false, "renewal", NULL,
				  "leaves no time to renew: %" PRId64 " %% of %" PRId64 " days are %" PRId64
				  " days, and a device that is off for so long comes back with an expired certificate; "
				  "make the validity or the renewal threshold larger (%d days at least)",
				  profile->renewal, profile->validity, left, RENEWAL_LEAST);
}

static void tell_device_id(const struct certdir_profile_check *check)
{
	const enum certdir_platform platform = check->profile->platform;

	if (!certdir_profile_uses(check->profile, "subject.cn", CERTDIR_ID_INTUNE))
		return;
	if (platform == CERTDIR_PLATFORM_WINDOWS)
		certdir_check_add(
			check, false, "device-id", NULL,
			"has CN={{DeviceId}}, with which Windows fails to sync with Intune, as Microsoft warns: put "
			"{{DeviceId}} into a SAN URI, and {{AAD_Device_ID}} into the CN");
	else if (platform == CERTDIR_PLATFORM_ANDROID_CORPORATE)
		certdir_check_add(
			check, false, "device-id", NULL,
			"has CN={{DeviceId}}, which corporate Android devices do not resolve: put it into a SAN "
			"URI");
}

void certdir_check_certificate(const struct certdir_profile_check *check)
{
	if (!certdir_profile_issues(check->profile))
		return;
	tell_unknown(check);
	tell_identity(check);
	tell_ekus(check);
	tell_validity(check);
	tell_device_id(check);
}
