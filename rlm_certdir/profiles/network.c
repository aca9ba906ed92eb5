/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Wi-Fi and wired profiles, and the server that they expect. */
#include <string.h>
#include <strings.h>

#include "profiles/check.h"
#include "text/dn.h"

/* ---- the client's certificate ---- */

/* The machine's certificate is not to be had by a login of the user, nor the other way round. */
static void tell_login(const struct certdir_profile_check *check, const struct certdir_profile *identity)
{
	const char *login = check->profile->login;

	if (!login ||
	    !(strcmp(login, "machine") == 0 ? identity->user : strcmp(login, "user") == 0 && identity->machine))
		return;
	certdir_check_add(
		check, false, "login", NULL,
		"logs in as the %s with certificates of \"%s\", which are the %s's: choose a profile for the %s, or "
		"another authentication mode",
		login, identity->name, identity->machine ? "device" : "user",
		strcmp(login, "user") == 0 ? "user" : "device");
}

/* ---- the server's certificate ---- */

/* Two certificates may have one name: a CA that was renewed with another key is another. */
static bool is_issuer(const struct certdir_certificate *ca, const struct certdir_certificate *certificate)
{
	return ca->subject && certificate->issuer && certdir_dn_equal(ca->subject, certificate->issuer) &&
	       (!ca->ski || !certificate->issuer_key || strcmp(ca->ski, certificate->issuer_key) == 0);
}

static bool is_same(const struct certdir_certificate *a, const struct certdir_certificate *b)
{
	return a->subject && b->subject && certdir_dn_equal(a->subject, b->subject) && a->public_key_sha1 &&
	       b->public_key_sha1 && strcmp(a->public_key_sha1, b->public_key_sha1) == 0;
}

static bool leads_to(const struct certdir_profiles_world *world, const struct certdir_certificate *root)
{
	for (size_t i = 0; i < world->server_count; i++)
		if (is_issuer(root, &world->server[i]) || is_same(root, &world->server[i]))
			return true;
	return false;
}

static void tell_root(const struct certdir_profile_check *check)
{
	const struct certdir_profiles_world *world = check->world;
	const struct certdir_profile *profile = check->profile, *root = NULL;
	const char *last = world->server[world->server_count - 1].issuer;

	for (size_t i = 0; i < profile->root_count; i++) {
		root = certdir_profiles_find(check->profiles, profile->roots[i]);
		/* What cannot be read may be the right one. */
		if (!root || !root->certificate.subject || leads_to(world, &root->certificate))
			return;
	}
	if (root)
		certdir_check_add(
			check, false, "other-root", NULL,
			"trusts RADIUS servers below \"%s\" (%s), and this one's certificate is issued by %s: devices "
			"break off the login; name the profile of that root, or let the server send the "
			"intermediate CAs along",
			root->name, root->certificate.subject, last ? last : "somebody else");
}

/* Apple's and Windows' "*" stands for one label; Android takes the end of a name for a domain. */
static bool name_fits(const char *wanted, const char *name, enum certdir_platform platform)
{
	const size_t wanted_length = strlen(wanted), length = strlen(name);
	const char *dot = strchr(name, '.');

	if (strcasecmp(wanted, name) == 0 || (strncmp(wanted, "*.", 2) == 0 && dot && strcasecmp(wanted + 1, dot) == 0))
		return true;
	return platform >= CERTDIR_PLATFORM_ANDROID && length > wanted_length &&
	       name[length - wanted_length - 1] == '.' && strcasecmp(wanted, name + length - wanted_length) == 0;
}

static bool is_called(const struct certdir_certificate *server, const char *wanted, enum certdir_platform platform)
{
	for (size_t i = 0; i < server->count; i++) {
		const struct certdir_identity *identity = &server->identities[i];

		if ((identity->type == CERTDIR_ID_DNS || identity->type == CERTDIR_ID_NAME) &&
		    name_fits(wanted, identity->value, platform))
			return true;
	}
	return false;
}

/* Windows takes several names in one text, and regular expressions, which are not tried here. */
static bool is_called_any(const struct certdir_certificate *server, const char *wanted, enum certdir_platform platform)
{
	char name[CERTDIR_VALUE_MAX + 1];

	if (strpbrk(wanted, "[]()|^$+?\\"))
		return true;
	for (size_t length; *wanted; wanted += length + (wanted[length] == ';')) {
		length = strcspn(wanted, ";");
		if (length >= sizeof(name))
			continue;
		memcpy(name, wanted, length);
		name[length] = '\0';
		if (is_called(server, name + strspn(name, " "), platform))
			return true;
	}
	return false;
}

static void tell_name(const struct certdir_profile_check *check)
{
	const struct certdir_certificate *server = &check->world->server[0];
	const struct certdir_profile *profile = check->profile;

	for (size_t i = 0; i < profile->server_name_count; i++)
		if (is_called_any(server, profile->server_names[i], profile->platform))
			return;
	if (profile->server_name_count)
		certdir_check_add(check, false, "server-name", NULL,
				  "expects a RADIUS server called %s%s, and this one's certificate (%s) has no such "
				  "name: devices "
				  "break off the login; add one of its names to the profile",
				  profile->server_names[0], profile->server_name_count > 1 ? " or otherwise" : "",
				  server->subject ? server->subject : "without a subject");
}

void certdir_check_network(const struct certdir_profile_check *check)
{
	const struct certdir_profile *profile = check->profile, *identity;

	if (profile->kind != CERTDIR_PROFILE_NETWORK || !profile->tls)
		return;
	if (profile->related && !profile->identity)
		certdir_check_add(
			check, false, "no-certificate", NULL,
			"logs in with a certificate and names no certificate profile: devices have none to show; "
			"choose one as client authentication");
	identity = profile->identity ? certdir_profiles_find(check->profiles, profile->identity) : NULL;
	if (identity)
		tell_login(check, identity);
	if (check->world->server_count > 0) {
		tell_root(check);
		tell_name(check);
	}
}
