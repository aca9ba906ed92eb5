/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a text means, by the field it stands in. Every text here is valid and not empty. */
#include <string.h>
#include <strings.h>

#include "identity/canonical.h"
#include "identity/reading.h"

/* True when a canonical DNS name looks like a host's full name: dots, host labels, not an address or a version number. */
static bool is_fqdn(const char *dns)
{
	bool dot = false, letter = false;

	for (const char *at = dns; *at; at++) {
		bool edge = at == dns || at[-1] == '.' || at[1] == '.' || at[1] == '\0';

		if (*at == '_' || (*at == '-' && edge))
			return false;
		dot = dot || *at == '.';
		letter = letter || (*at >= 'a' && *at <= 'z');
	}
	return dot && letter;
}

/* Puts a device_guid when the value is a bare GUID. */
static bool put_guid(struct certdir_reading *reading, const struct certdir_place *place, const char *value,
		     size_t length, bool tentative)
{
	char guid[CERTDIR_VALUE_MAX + 1];

	return certdir_reading_fit(CERTDIR_ID_GUID, value, length, guid) != CERTDIR_FITS ||
	       certdir_reading_put(reading, place, CERTDIR_ID_GUID, guid, true, tentative);
}

/* Puts a dns_name when a plain name is a full one. */
static bool put_fqdn(struct certdir_reading *reading, const struct certdir_place *place, const char *name)
{
	char dns[CERTDIR_VALUE_MAX + 1];

	return !certdir_canonical(CERTDIR_ID_DNS, name, strlen(name), dns) || !is_fqdn(dns) ||
	       certdir_reading_put(reading, place, CERTDIR_ID_DNS, dns, false, false);
}

static bool common_name(struct certdir_reading *reading, const struct certdir_place *place, const char *value,
			size_t length)
{
	char name[CERTDIR_VALUE_MAX + 1];

	/* Nothing left behind "host/": a variable that did not resolve. It names nobody. */
	if (!certdir_canonical(CERTDIR_ID_NAME, value, length, name))
		return true;
	return certdir_reading_put(reading, place, CERTDIR_ID_NAME, name, false, false) &&
	       put_guid(reading, place, name, strlen(name), place->several) && put_fqdn(reading, place, name);
}

static bool serial_number(struct certdir_reading *reading, const struct certdir_place *place, const char *value,
			  size_t length)
{
	char serial[CERTDIR_VALUE_MAX + 1];

	return !certdir_canonical(CERTDIR_ID_SERIAL, value, length, serial) ||
	       certdir_reading_put(reading, place, CERTDIR_ID_SERIAL, serial, false, false);
}

static bool dns_name(struct certdir_reading *reading, const struct certdir_place *place, const char *value,
		     size_t length)
{
	char dns[CERTDIR_VALUE_MAX + 1];
	size_t good;

	/* A wildcard, a blank, a "(": no device's name, and nothing to be carried into a filter or a log line. */
	for (good = 0; good < length; good++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", value[good]))
			break;
	if (good < length && (unsigned char)value[good] >= 0x80)
		return certdir_reading_refuse(reading, place, "not ASCII");
	if (good < length)
		return certdir_reading_refuse(reading, place, "character \"%c\" is not allowed in a DNS name",
					      value[good]);
	if (!certdir_canonical(CERTDIR_ID_DNS, value, length, dns))
		return certdir_reading_refuse(reading, place, "\"%.*s\" is no DNS name", (int)length, value);
	return certdir_reading_put(reading, place, CERTDIR_ID_DNS, dns, false, false) &&
	       put_guid(reading, place, dns, strcspn(dns, "."), false);
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
	char canonical[CERTDIR_VALUE_MAX + 1];

	for (; length > 0 && value[0] == ' '; length--)
		value++;
	while (length > 0 && value[length - 1] == ' ')
		length--;
	if (length > 0 && value[length - 1] == '/')
		length--;
	switch (certdir_reading_fit(type, value, length, canonical)) {
	case CERTDIR_FITS:
		return certdir_reading_put(reading, place, type, canonical, type != CERTDIR_ID_SID_URI, false);
	case CERTDIR_NOTHING:
		return true;
	case CERTDIR_UNFIT:
		break;
	}
	return certdir_reading_refuse(reading, place, "\"%.*s\" is no %s", (int)length, value,
				      type == CERTDIR_ID_SID_URI ? "SID" : "GUID");
}

static bool uri(struct certdir_reading *reading, const struct certdir_place *place, const char *value, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)value[i] >= 0x80)
			return certdir_reading_refuse(reading, place, "not ASCII");
	for (size_t i = 0; i < sizeof uri_prefixes / sizeof *uri_prefixes; i++) {
		size_t prefix = strlen(uri_prefixes[i].prefix);

		if (length >= prefix && strncasecmp(value, uri_prefixes[i].prefix, prefix) == 0)
			return uri_value(reading, place, uri_prefixes[i].type, value + prefix, length - prefix);
	}
	return put_guid(reading, place, value, length, false);
}

/* host/NAME as a UPN: what CN host/NAME means. A realm behind it makes it somebody else's language. */
static bool host_upn(struct certdir_reading *reading, const struct certdir_place *place, const char *value)
{
	char name[CERTDIR_VALUE_MAX + 1], guid[CERTDIR_VALUE_MAX + 1];

	if (strchr(value, '@') || !certdir_canonical(CERTDIR_ID_NAME, value, strlen(value), name))
		return true;
	if (certdir_reading_fit(CERTDIR_ID_GUID, name, strlen(name), guid) != CERTDIR_UNFIT)
		return put_guid(reading, place, name, strlen(name), false);
	if (strchr(name, '.'))
		return put_fqdn(reading, place, name);
	return certdir_reading_put(reading, place, CERTDIR_ID_NAME, name, false, false);
}

static bool upn(struct certdir_reading *reading, const struct certdir_place *place, const char *value, size_t length)
{
	char canonical[CERTDIR_VALUE_MAX + 1], name[CERTDIR_VALUE_MAX + 1];
	const char *realm;

	if (!certdir_canonical(CERTDIR_ID_UPN, value, length, canonical))
		return true;
	if (!certdir_reading_put(reading, place, CERTDIR_ID_UPN, canonical, false, false))
		return false;
	if (strncmp(canonical, "host/", 5) == 0)
		return host_upn(reading, place, canonical);
	realm = strchr(canonical, '@');
	if (!realm)
		return put_guid(reading, place, canonical, strlen(canonical), false);
	if (realm == canonical || realm[-1] != '$' ||
	    !certdir_canonical(CERTDIR_ID_NAME, canonical, (size_t)(realm - canonical), name))
		return true;
	return certdir_reading_put(reading, place, CERTDIR_ID_NAME, name, false, false);
}

static const struct certdir_field fields[] = {
	{"subject.cn", "subject CN", common_name},
	{"subject.ou", "subject OU", NULL},
	{"subject.o", "subject O", NULL},
	{"subject.serialNumber", "subject serialNumber", serial_number},
	{"subject.emailAddress", "subject emailAddress", NULL},
	{"subject.uid", "subject UID", NULL},
	{"san.dns", "SAN dNSName", dns_name},
	{"san.uri", "SAN URI", uri},
	{"san.upn", "SAN UPN", upn},
	{"san.email", "SAN rfc822Name", NULL},
	{"san.other", "SAN otherName", NULL},
};

const struct certdir_field *certdir_field_find(const char *from)
{
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (strcmp(fields[i].from, from) == 0)
			return &fields[i];
	return NULL;
}
