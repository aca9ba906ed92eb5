/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a text means, by the field it stands in. It is never empty, and valid where the field is not for `any`. */
#include "identity/meaning.h"

#include <string.h>
#include <strings.h>

#include "identity/rank.h"
#include "text/canonical.h"

/* True when a canonical DNS name looks like a host's full name: dots, host labels, not an address or a version number. */
static bool is_fqdn(const char *dns)
{
	bool dot = false, letter = false;

	for (const char *at = dns; *at; at++) {
		bool edge = at == dns || at[-1] == '.' || at[1] == '.' || at[1] == '\0';

		if (*at == '-' && edge)
			return false;
		dot = dot || *at == '.';
		letter = letter || (*at >= 'a' && *at <= 'z');
	}
	return dot && letter;
}

/*
 * Puts a device_guid when the value is a bare GUID. A UDID that is none, of an iPhone, is one only where a `certificates` section
 * says so: 40 hex digits may be anything.
 */
static bool put_guid(struct certdir_reading *reading, const struct certdir_place *place, const char *value,
		     size_t length)
{
	char guid[CERTDIR_VALUE_MAX + 1];

	if (certdir_reading_fit(CERTDIR_ID_GUID, value, length, guid) == CERTDIR_FITS)
		return certdir_reading_put(reading, place, CERTDIR_ID_GUID, guid, CERTDIR_RANK_ID);
	return certdir_reading_fit(CERTDIR_ID_UDID, value, length, guid) != CERTDIR_FITS ||
	       certdir_reading_put(reading, place, CERTDIR_ID_UDID, guid, CERTDIR_RANK_NONE);
}

static bool put_name(struct certdir_reading *reading, const struct certdir_place *place,
		     enum certdir_identity_type type, const char *canonical)
{
	return certdir_reading_put(reading, place, type, canonical, CERTDIR_RANK_CHOSEN);
}

/* Puts a canonical DNS name, and the GUID that is its first label. */
static bool put_dns(struct certdir_reading *reading, const struct certdir_place *place, const char *dns)
{
	return put_name(reading, place, CERTDIR_ID_DNS, dns) && put_guid(reading, place, dns, strcspn(dns, "."));
}

/* Puts a dns_name when a plain name is a full one. */
static bool put_fqdn(struct certdir_reading *reading, const struct certdir_place *place, const char *name)
{
	char dns[CERTDIR_VALUE_MAX + 1];

	return !certdir_canonical(CERTDIR_ID_DNS, name, strlen(name), dns) || !is_fqdn(dns) ||
	       put_dns(reading, place, dns);
}

static bool common_name(struct certdir_reading *reading, const struct certdir_place *place, const char *value,
			size_t length)
{
	char name[CERTDIR_VALUE_MAX + 1];

	/* Nothing left behind "host/": a variable that did not resolve. It names nobody. */
	if (!certdir_canonical(CERTDIR_ID_NAME, value, length, name))
		return true;
	return put_name(reading, place, CERTDIR_ID_NAME, name) && put_guid(reading, place, name, strlen(name)) &&
	       put_fqdn(reading, place, name);
}

static bool serial_number(struct certdir_reading *reading, const struct certdir_place *place, const char *value,
			  size_t length)
{
	char serial[CERTDIR_VALUE_MAX + 1];

	return !certdir_canonical(CERTDIR_ID_SERIAL, value, length, serial) ||
	       put_name(reading, place, CERTDIR_ID_SERIAL, serial);
}

/* "Anna's MacBook Air", "*.example.com": in use, and no host's name. Nobody is looked up by it, so it harms nobody. */
static bool dns_name(struct certdir_reading *reading, const struct certdir_place *place, const char *value,
		     size_t length)
{
	char dns[CERTDIR_VALUE_MAX + 1];
	const char *why;

	if (!certdir_text_clean(value, length, &why))
		return certdir_reading_refuse(reading, place, "%s", why);
	return !certdir_canonical(CERTDIR_ID_DNS, value, length, dns) || put_dns(reading, place, dns);
}

/* URIs that say of which kind their value is; Microsoft's, Jamf's and the NAC vendors'. */
static const struct {
	const char *prefix;
	enum certdir_identity_type type;
} uri_prefixes[] = {
	/* Intune's id by Microsoft's text, but vendors tell their users to put the Entra id there. */
	{"IntuneDeviceId://", CERTDIR_ID_GUID}, {"ID:Microsoft Endpoint Manager:GUID:", CERTDIR_ID_INTUNE},
	{"ID:Intune:GUID:", CERTDIR_ID_INTUNE}, {"DeviceId:", CERTDIR_ID_INTUNE},
	{"AAD_Device_ID:", CERTDIR_ID_ENTRA},	{"tag:microsoft.com,2022-09-14:sid:", CERTDIR_ID_SID_URI},
};

static bool uri_value(struct certdir_reading *reading, const struct certdir_place *place,
		      enum certdir_identity_type type, const char *value, size_t length)
{
	const bool sid = type == CERTDIR_ID_SID_URI;
	char canonical[CERTDIR_VALUE_MAX + 1];

	for (; length > 0 && value[0] == ' '; length--)
		value++;
	while (length > 0 && value[length - 1] == ' ')
		length--;
	if (length > 0 && value[length - 1] == '/')
		length--;
	switch (certdir_reading_fit(type, value, length, canonical)) {
	case CERTDIR_FITS:
		return certdir_reading_put(reading, place, type, canonical,
					   sid ? CERTDIR_RANK_CONFIRMING : CERTDIR_RANK_VOUCHED);
	case CERTDIR_NOTHING:
		return true;
	case CERTDIR_UNFIT:
		break;
	}
	/* Empty: a variable that did not resolve. What is no SID confirms nothing; an id that cannot be read is doubtful. */
	return length == 0 || sid || certdir_reading_refuse(reading, place, "\"%.*s\" is no GUID", (int)length, value);
}

static bool uri(struct certdir_reading *reading, const struct certdir_place *place, const char *value, size_t length)
{
	for (size_t i = 0; i < sizeof(uri_prefixes) / sizeof(uri_prefixes[0]); i++) {
		const enum certdir_identity_type type = uri_prefixes[i].type;
		const size_t prefix = strlen(uri_prefixes[i].prefix);
		const char *why;

		if (length < prefix || strncasecmp(value, uri_prefixes[i].prefix, prefix) != 0)
			continue;
		if (!certdir_text_clean(value, length, &why) ||
		    (type != CERTDIR_ID_SID_URI && !certdir_text_valid(value, length, &why)))
			return certdir_reading_refuse(reading, place, "%s", why);
		return uri_value(reading, place, type, value + prefix, length - prefix);
	}
	return put_guid(reading, place, value, length);
}

/* host/NAME as a UPN: what CN host/NAME means. A realm behind it makes it somebody else's language. */
static bool host_upn(struct certdir_reading *reading, const struct certdir_place *place, const char *value)
{
	char name[CERTDIR_VALUE_MAX + 1], guid[CERTDIR_VALUE_MAX + 1];

	if (strchr(value, '@') || !certdir_canonical(CERTDIR_ID_NAME, value, strlen(value), name))
		return true;
	if (certdir_reading_fit(CERTDIR_ID_GUID, name, strlen(name), guid) != CERTDIR_UNFIT)
		return put_guid(reading, place, name, strlen(name));
	if (strchr(name, '.'))
		return put_fqdn(reading, place, name);
	return put_name(reading, place, CERTDIR_ID_NAME, name);
}

static bool upn(struct certdir_reading *reading, const struct certdir_place *place, const char *value, size_t length)
{
	char canonical[CERTDIR_VALUE_MAX + 1], name[CERTDIR_VALUE_MAX + 1];
	const char *realm;

	if (!certdir_canonical(CERTDIR_ID_UPN, value, length, canonical))
		return true;
	realm = strchr(canonical, '@');
	/* Nobody's: what reads it up to the first and what reads it up to the last would see two names. */
	if (realm && strchr(realm + 1, '@'))
		return true;
	if (!put_name(reading, place, CERTDIR_ID_UPN, canonical))
		return false;
	if (strncmp(canonical, "host/", 5) == 0)
		return host_upn(reading, place, canonical);
	if (!realm && certdir_reading_fit(CERTDIR_ID_GUID, canonical, strlen(canonical), name) != CERTDIR_UNFIT)
		return put_guid(reading, place, canonical, strlen(canonical));
	if (!realm || realm == canonical || realm[-1] != '$') {
		certdir_rank_person(reading->certificate, reading->section, canonical, strlen(canonical));
		return true;
	}
	return !certdir_canonical(CERTDIR_ID_NAME, canonical, (size_t)(realm - canonical), name) ||
	       put_name(reading, place, CERTDIR_ID_NAME, name);
}

/* Whether some section has addresses stand for people, which are looked up where a section says so. */
static bool is_mail_placed(const struct certdir_rules *rules)
{
	for (size_t i = 0; i < rules->section_count; i++)
		if (rules->sections[i].places[CERTDIR_ID_MAIL] && rules->sections[i].places[CERTDIR_ID_MAIL][0])
			return true;
	return false;
}

/* A mail address is a person's; of the device it says nothing. One that is no text is nobody's. */
static bool mail(struct certdir_reading *reading, const struct certdir_place *place, const char *value, size_t length)
{
	char canonical[CERTDIR_VALUE_MAX + 1];

	certdir_rank_person(reading->certificate, reading->section, value, length);
	return !is_mail_placed(reading->rules) || !certdir_canonical(CERTDIR_ID_MAIL, value, length, canonical) ||
	       certdir_reading_put(reading, place, CERTDIR_ID_MAIL, canonical, CERTDIR_RANK_NONE);
}

/* Nobody's where it is no text of ours: others write here. */
static bool permanent_id(struct certdir_reading *reading, const struct certdir_place *place, const char *value,
			 size_t length)
{
	char canonical[CERTDIR_VALUE_MAX + 1];

	return !certdir_canonical(CERTDIR_ID_PERMANENT, value, length, canonical) ||
	       put_name(reading, place, CERTDIR_ID_PERMANENT, canonical);
}

bool certdir_meaning_put(struct certdir_reading *reading, const struct certdir_place *place, const char *value,
			 size_t length)
{
	switch (place->field->means) {
	case CERTDIR_MEANS_COMMON_NAME:
		return common_name(reading, place, value, length);
	case CERTDIR_MEANS_SERIAL_NUMBER:
		return serial_number(reading, place, value, length);
	case CERTDIR_MEANS_MAIL:
		return mail(reading, place, value, length);
	case CERTDIR_MEANS_DNS_NAME:
		return dns_name(reading, place, value, length);
	case CERTDIR_MEANS_URI:
		return uri(reading, place, value, length);
	case CERTDIR_MEANS_UPN:
		return upn(reading, place, value, length);
	case CERTDIR_MEANS_PERMANENT_ID:
		return permanent_id(reading, place, value, length);
	case CERTDIR_MEANS_NOTHING:
		break;
	}
	return true;
}
