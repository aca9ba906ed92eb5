/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The extensions that say something about a device: Microsoft's SID, Entra ID's and the MDM's ids; and about the certificate: its
 * template, SKI, AKI and EKU.
 */
#include "identity/extension.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "identity/san.h"
#include "text/canonical.h"
#include "text/dn.h"
#include "text/hex.h"

struct extension {
	const char *oid; /* content of the OBJECT IDENTIFIER */
	size_t oid_length;
	bool names; /* read when it is known which section the certificate fits */
	struct certdir_field field;
	bool (*read)(struct certdir_reading *reading, const struct extension *extension, struct certdir_der value);
};

static bool refuse_extension(struct certdir_reading *reading, const struct extension *extension, const char *why)
{
	const struct certdir_place place = {.field = &extension->field};

	return certdir_reading_refuse(reading, &place, "%s", why);
}

static bool set_text(struct certdir_reading *reading, const struct extension *extension, char **text, const char *value)
{
	free(*text);
	*text = strdup(value);
	return *text || refuse_extension(reading, extension, "out of memory");
}

static bool read_san(struct certdir_reading *reading, const struct extension *extension, struct certdir_der value)
{
	(void)extension;
	reading->certificate->has_san = true;
	return certdir_san_read(reading, value);
}

/* SubjectKeyIdentifier ::= OCTET STRING (RFC 5280, 4.2.1.2). OpenSSL lets a broken one pass: then there is none. */
static bool read_ski(struct certdir_reading *reading, const struct extension *extension, struct certdir_der value)
{
	struct certdir_der content;

	if (!certdir_der_expect(&value, CERTDIR_DER_OCTETS, &content))
		return true;
	reading->certificate->ski = certdir_hex_copy(content.bytes, content.length);
	return reading->certificate->ski || refuse_extension(reading, extension, "out of memory");
}

/* AuthorityKeyIdentifier ::= SEQUENCE { keyIdentifier [0] IMPLICIT OCTET STRING OPTIONAL, .. } (RFC 5280, 4.2.1.1) */
static bool read_aki(struct certdir_reading *reading, const struct extension *extension, struct certdir_der value)
{
	struct certdir_der parts, key;

	if (!certdir_der_expect(&value, CERTDIR_DER_SEQUENCE, &parts) ||
	    !certdir_der_expect(&parts, CERTDIR_DER_KEY_ID, &key) || key.length == 0)
		return true;
	reading->certificate->issuer_key = certdir_hex_copy(key.bytes, key.length);
	return reading->certificate->issuer_key || refuse_extension(reading, extension, "out of memory");
}

/* Writes the purposes as dotted text into `ekus`, which has room for them. False when they are broken. */
static bool read_purposes(struct certdir_der purposes, char *ekus, size_t size, bool *client_auth)
{
	static const char client[] = "\x2b\x06\x01\x05\x05\x07\x03\x02", any[] = "\x55\x1d\x25\x00";
	struct certdir_der purpose;
	size_t used = 0;

	ekus[0] = '\0';
	while (purposes.length > 0) {
		if (!certdir_der_expect(&purposes, CERTDIR_DER_OID, &purpose))
			return false;
		if (certdir_der_equal(purpose, client, sizeof(client) - 1) ||
		    certdir_der_equal(purpose, any, sizeof(any) - 1))
			*client_auth = true;
		if (used > 0)
			ekus[used++] = ' ';
		if (!certdir_der_oid(purpose, ekus + used, size - used))
			ekus[used] = '\0';
		used += strlen(ekus + used);
	}
	return true;
}

/* ExtKeyUsageSyntax ::= SEQUENCE OF OBJECT IDENTIFIER (RFC 5280, 4.2.1.12). A broken one is good for nothing. */
static bool read_eku(struct certdir_reading *reading, const struct extension *extension, struct certdir_der value)
{
	struct certdir_certificate *certificate = reading->certificate;
	struct certdir_der purposes;
	size_t size;

	certificate->client_auth = false;
	if (!certdir_der_expect(&value, CERTDIR_DER_SEQUENCE, &purposes))
		return true;
	/* At most three digits and a dot for each byte. */
	size = 4 * purposes.length + 1;
	certificate->ekus = malloc(size);
	if (!certificate->ekus)
		return refuse_extension(reading, extension, "out of memory");
	if (!read_purposes(purposes, certificate->ekus, size, &certificate->client_auth)) {
		certificate->client_auth = false;
		certificate->ekus[0] = '\0';
	}
	return true;
}

/*
 * SEQUENCE { [0] { OID 1.3.6.1.4.1.311.25.2.1, [0] OCTET STRING "S-1-5-21-.." } } (MS-WCCE 2.2.2.7.7.4). Many CAs copy
 * it from the request, so it only confirms, unless a section says that this CA writes it. Nothing in it is guessed.
 */
static bool read_sid(struct certdir_reading *reading, const struct extension *extension, struct certdir_der value)
{
	static const char oid_sid[] = "\x2b\x06\x01\x04\x01\x82\x37\x19\x02\x01";
	const struct certdir_place place = {.field = &extension->field};
	struct certdir_der names, name, oid, explicit, text;
	char sid[CERTDIR_VALUE_MAX + 1];

	if (!certdir_der_only(value, CERTDIR_DER_SEQUENCE, &names) ||
	    !certdir_der_only(names, CERTDIR_DER_CONTEXT_0, &name) ||
	    !certdir_der_expect(&name, CERTDIR_DER_OID, &oid) ||
	    !certdir_der_equal(oid, oid_sid, sizeof(oid_sid) - 1) ||
	    !certdir_der_only(name, CERTDIR_DER_CONTEXT_0, &explicit) ||
	    !certdir_der_only(explicit, CERTDIR_DER_OCTETS, &text))
		return refuse_extension(reading, extension, "broken encoding");
	if (!certdir_canonical(CERTDIR_ID_SID, (const char *)text.bytes, text.length, sid))
		return refuse_extension(reading, extension, "its text is no SID");
	return certdir_reading_put(reading, &place, CERTDIR_ID_SID, sid, CERTDIR_RANK_CONFIRMING);
}

/* Sixteen bytes, in an OCTET STRING or bare: both are out there. False when it is neither; "" for the all-zero GUID. */
static bool read_guid(struct certdir_der value, char guid[CERTDIR_VALUE_MAX + 1])
{
	char text[37];

	if (value.length != 16 && (!certdir_der_only(value, CERTDIR_DER_OCTETS, &value) || value.length != 16))
		return false;
	certdir_guid_from_bytes(value.bytes, text);
	if (!certdir_canonical(CERTDIR_ID_GUID, text, 36, guid))
		guid[0] = '\0';
	return true;
}

struct own_ca {
	const char *const *names;
	bool found;
};

static bool is_own_ca(void *context, const char *type, const char *value)
{
	struct own_ca *own = context;

	for (const char *const *name = own->names; strcasecmp(type, "CN") == 0 && *name; name++)
		own->found = own->found || strcmp(value, *name) == 0;
	return true;
}

/*
 * True when what stands in this extension is the CA's own word. Any request can carry Entra ID's and the MDM's extensions; the
 * CAs that Entra ID and Intune run themselves write them and copy nothing.
 */
static bool is_vouched(const struct certdir_reading *reading, const struct extension *extension)
{
	static const char *const entra[] = {"MS-Organization-Access", NULL};
	static const char *const mdm[] = {"Microsoft Intune MDM Device CA", "SC_Online_Issuing", NULL};
	struct own_ca own = {strcmp(extension->field.from, "ext.entra") == 0 ? entra : mdm, false};

	if (reading->section)
		return certdir_section_vouches(reading->section, extension->field.from);
	(void)certdir_dn_each(reading->certificate->issuer, is_own_ca, &own);
	return own.found;
}

static bool put_id(struct certdir_reading *reading, const struct extension *extension, struct certdir_der value,
		   enum certdir_identity_type type)
{
	const struct certdir_place place = {.field = &extension->field};
	char guid[CERTDIR_VALUE_MAX + 1];

	if (!read_guid(value, guid))
		return refuse_extension(reading, extension, "neither 16 bytes nor an OCTET STRING of 16 bytes");
	return !guid[0] ||
	       certdir_reading_put(reading, &place, type, guid,
				   is_vouched(reading, extension) ? CERTDIR_RANK_VOUCHED : CERTDIR_RANK_CONFIRMING);
}

static bool read_entra(struct certdir_reading *reading, const struct extension *extension, struct certdir_der value)
{
	return put_id(reading, extension, value, CERTDIR_ID_ENTRA);
}

static bool read_mdm(struct certdir_reading *reading, const struct extension *extension, struct certdir_der value)
{
	return put_id(reading, extension, value, CERTDIR_ID_INTUNE);
}

static bool read_tenant(struct certdir_reading *reading, const struct extension *extension, struct certdir_der value)
{
	char **tenant = &reading->certificate->tenant, guid[CERTDIR_VALUE_MAX + 1];

	if (!read_guid(value, guid))
		return refuse_extension(reading, extension, "neither 16 bytes nor an OCTET STRING of 16 bytes");
	/* It would shut out the rows of the other tenants: not on a requester's word. */
	if (!guid[0] || !is_vouched(reading, extension))
		return true;
	if (*tenant && strcmp(*tenant, guid) != 0)
		return refuse_extension(reading, extension, "another tenant than the certificate's other tenant id");
	return set_text(reading, extension, tenant, guid);
}

/* SEQUENCE { OBJECT IDENTIFIER, INTEGER major OPTIONAL, INTEGER minor OPTIONAL } (MS-WCCE 2.2.2.7.7.2) */
static bool read_template(struct certdir_reading *reading, const struct extension *extension, struct certdir_der value)
{
	struct certdir_der content, oid, number;
	char text[CERTDIR_VALUE_MAX + 1];

	if (!certdir_der_only(value, CERTDIR_DER_SEQUENCE, &content) ||
	    !certdir_der_expect(&content, CERTDIR_DER_OID, &oid))
		return refuse_extension(reading, extension, "broken encoding");
	for (int i = 0; i < 2 && content.length > 0; i++)
		if (!certdir_der_expect(&content, CERTDIR_DER_INTEGER, &number))
			return refuse_extension(reading, extension, "broken encoding");
	if (content.length > 0)
		return refuse_extension(reading, extension, "broken encoding");
	if (!certdir_der_oid(oid, text, sizeof(text)))
		return refuse_extension(reading, extension, "no object identifier of a template");
	return set_text(reading, extension, &reading->certificate->template, text);
}

/* ADCS' own templates that are for users (MS-CRTD names them so in every forest). */
static bool is_for_users(const char *template)
{
	static const char *const names[] = {"User",	      "UserSignature", "SmartcardUser",
					    "SmartcardLogon", "ClientAuth",    "EFS"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(template, names[i]) == 0)
			return true;
	return false;
}

static bool is_like_oid(const char *text)
{
	return strchr(text, '.') && text[strspn(text, "0123456789.")] == '\0';
}

/* The older one: a name. It gives way to the newer one; what passes for the newer one's OID is no name. */
static bool read_template_name(struct certdir_reading *reading, const struct extension *extension,
			       struct certdir_der value)
{
	char text[CERTDIR_VALUE_MAX + 1];
	struct certdir_der content;
	const char *why;
	unsigned tag;
	size_t length;

	if (!certdir_der_take(&value, &tag, &content) || value.length > 0)
		return refuse_extension(reading, extension, "broken encoding");
	if (!certdir_der_text(tag, content, text, &length, &why) || !certdir_text_valid(text, length, &why))
		return refuse_extension(reading, extension, why);
	text[length] = '\0';
	if (is_for_users(text))
		reading->certificate->person = true;
	return reading->certificate->template || is_like_oid(text) ||
	       set_text(reading, extension, &reading->certificate->template, text);
}

#define OID(bytes) bytes, sizeof(bytes) - 1
#define MICROSOFT "\x2b\x06\x01\x04\x01\x82\x37" /* 1.3.6.1.4.1.311 */
#define MICROSOFT_AD "\x2a\x86\x48\x86\xf7\x14" /* 1.2.840.113556 */

static const struct extension extensions[] = {
	{OID("\x55\x1d\x11"), true, {"san", "SAN", CERTDIR_MEANS_NOTHING, false}, read_san},
	{OID("\x55\x1d\x0e"),
	 false,
	 {"ext.ski", "extension 2.5.29.14 (subject key identifier)", CERTDIR_MEANS_NOTHING, false},
	 read_ski},
	{OID("\x55\x1d\x23"),
	 false,
	 {"ext.aki", "extension 2.5.29.35 (authority key identifier)", CERTDIR_MEANS_NOTHING, false},
	 read_aki},
	{OID("\x55\x1d\x25"),
	 false,
	 {"ext.eku", "extension 2.5.29.37 (extended key usage)", CERTDIR_MEANS_NOTHING, false},
	 read_eku},
	{OID(MICROSOFT "\x19\x02"),
	 true,
	 {"ext.sid", "extension 1.3.6.1.4.1.311.25.2 (SID)", CERTDIR_MEANS_NOTHING, false},
	 read_sid},
	{OID(MICROSOFT_AD "\x01\x05\x82\x1c\x02"),
	 true,
	 {"ext.entra", "extension 1.2.840.113556.1.5.284.2 (Entra device id)", CERTDIR_MEANS_NOTHING, false},
	 read_entra},
	{OID(MICROSOFT_AD "\x01\x05\x82\x1c\x05"),
	 true,
	 {"ext.entra", "extension 1.2.840.113556.1.5.284.5 (Entra tenant id)", CERTDIR_MEANS_NOTHING, false},
	 read_tenant},
	{OID(MICROSOFT_AD "\x05\x04"),
	 true,
	 {"ext.mdm", "extension 1.2.840.113556.5.4 (MDM device id)", CERTDIR_MEANS_NOTHING, false},
	 read_mdm},
	{OID(MICROSOFT_AD "\x05\x0e"),
	 true,
	 {"ext.mdm", "extension 1.2.840.113556.5.14 (MDM tenant id)", CERTDIR_MEANS_NOTHING, false},
	 read_tenant},
	{OID(MICROSOFT "\x15\x07"),
	 false,
	 {"ext.template", "extension 1.3.6.1.4.1.311.21.7 (template)", CERTDIR_MEANS_NOTHING, false},
	 read_template},
	{OID(MICROSOFT "\x14\x02"),
	 false,
	 {"ext.template", "extension 1.3.6.1.4.1.311.20.2 (template name)", CERTDIR_MEANS_NOTHING, false},
	 read_template_name},
};

bool certdir_extension_read(struct certdir_reading *reading, bool names, struct certdir_der oid,
			    struct certdir_der value, uint32_t *seen)
{
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
		if (extensions[i].names != names ||
		    !certdir_der_equal(oid, extensions[i].oid, extensions[i].oid_length))
			continue;
		if (*seen & UINT32_C(1) << i)
			return refuse_extension(reading, &extensions[i], "stands there twice");
		*seen |= UINT32_C(1) << i;
		/* The SAN is no field but holds some: when it is broken, nobody knows what stands in them. */
		return extensions[i].read(reading, &extensions[i], value) ||
		       (extensions[i].read != read_san && certdir_reading_ignores(reading, extensions[i].field.from));
	}
	return true;
}
