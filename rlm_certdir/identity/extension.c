/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The extensions that say something about a device: Microsoft's SID, Entra ID's and the MDM's ids, the template; SKI and EKU. */
#include <openssl/objects.h>
#include <openssl/asn1.h>
#include <stdlib.h>
#include <string.h>

#include "identity/canonical.h"
#include "identity/reading.h"

struct extension {
	const char *oid; /* content of the OBJECT IDENTIFIER */
	size_t oid_length;
	struct certdir_field field;
	bool (*read)(struct certdir_reading *reading, const struct extension *extension, struct certdir_der value);
};

static bool refuse(struct certdir_reading *reading, const struct extension *extension, const char *why)
{
	const struct certdir_place place = {.field = &extension->field};

	return certdir_reading_refuse(reading, &place, "%s", why);
}

static bool set_text(struct certdir_reading *reading, const struct extension *extension, char **text, const char *value)
{
	free(*text);
	*text = strdup(value);
	return *text || refuse(reading, extension, "out of memory");
}

static bool read_san(struct certdir_reading *reading, const struct extension *extension, struct certdir_der value)
{
	(void)extension;
	reading->certificate->has_san = true;
	return certdir_san_read(reading, value);
}

/* SubjectKeyIdentifier ::= OCTET STRING (RFC 5280, 4.2.1.2) */
static bool read_ski(struct certdir_reading *reading, const struct extension *extension, struct certdir_der value)
{
	struct certdir_der content;

	if (!certdir_der_only(value, CERTDIR_DER_OCTETS, &content))
		return refuse(reading, extension, "broken encoding");
	reading->certificate->ski = certdir_hex(content.bytes, content.length);
	return reading->certificate->ski || refuse(reading, extension, "out of memory");
}

/* ExtKeyUsageSyntax ::= SEQUENCE OF OBJECT IDENTIFIER (RFC 5280, 4.2.1.12) */
static bool read_eku(struct certdir_reading *reading, const struct extension *extension, struct certdir_der value)
{
	static const char client_auth[] = "\x2b\x06\x01\x05\x05\x07\x03\x02", any[] = "\x55\x1d\x25\x00";
	struct certdir_der purposes, purpose;

	if (!certdir_der_only(value, CERTDIR_DER_SEQUENCE, &purposes))
		return refuse(reading, extension, "broken encoding");
	reading->certificate->client_auth = false;
	while (purposes.length > 0) {
		if (!certdir_der_expect(&purposes, CERTDIR_DER_OID, &purpose))
			return refuse(reading, extension, "broken encoding");
		if (certdir_der_equal(purpose, client_auth, sizeof client_auth - 1) ||
		    certdir_der_equal(purpose, any, sizeof any - 1))
			reading->certificate->client_auth = true;
	}
	return true;
}

/*
 * SEQUENCE { [0] { OID 1.3.6.1.4.1.311.25.2.1, [0] OCTET STRING "S-1-5-21-.." } } (MS-WCCE 2.2.2.7.7.4). The CA vouches for
 * it, so nothing in it is guessed.
 */
static bool read_sid(struct certdir_reading *reading, const struct extension *extension, struct certdir_der value)
{
	static const char oid_sid[] = "\x2b\x06\x01\x04\x01\x82\x37\x19\x02\x01";
	const struct certdir_place place = {.field = &extension->field};
	struct certdir_der names, name, oid, explicit, text;
	char sid[CERTDIR_VALUE_MAX + 1];

	if (!certdir_der_only(value, CERTDIR_DER_SEQUENCE, &names) ||
	    !certdir_der_only(names, CERTDIR_DER_CONTEXT_0, &name) ||
	    !certdir_der_expect(&name, CERTDIR_DER_OID, &oid) || !certdir_der_equal(oid, oid_sid, sizeof oid_sid - 1) ||
	    !certdir_der_only(name, CERTDIR_DER_CONTEXT_0, &explicit) ||
	    !certdir_der_only(explicit, CERTDIR_DER_OCTETS, &text))
		return refuse(reading, extension, "broken encoding");
	if (!certdir_canonical(CERTDIR_ID_SID, (const char *)text.bytes, text.length, sid))
		return refuse(reading, extension, "its text is no SID");
	return certdir_reading_put(reading, &place, CERTDIR_ID_SID, sid, true, false);
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

static bool put_id(struct certdir_reading *reading, const struct extension *extension, struct certdir_der value,
		   enum certdir_identity_type type)
{
	const struct certdir_place place = {.field = &extension->field};
	char guid[CERTDIR_VALUE_MAX + 1];

	if (!read_guid(value, guid))
		return refuse(reading, extension, "neither 16 bytes nor an OCTET STRING of 16 bytes");
	return !guid[0] || certdir_reading_put(reading, &place, type, guid, true, false);
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
		return refuse(reading, extension, "neither 16 bytes nor an OCTET STRING of 16 bytes");
	if (!guid[0])
		return true;
	if (*tenant && strcmp(*tenant, guid) != 0)
		return refuse(reading, extension, "another tenant than the certificate's other tenant id");
	return set_text(reading, extension, tenant, guid);
}

/* SEQUENCE { OBJECT IDENTIFIER, INTEGER major OPTIONAL, INTEGER minor OPTIONAL } (MS-WCCE 2.2.2.7.7.2) */
static bool read_template(struct certdir_reading *reading, const struct extension *extension, struct certdir_der value)
{
	struct certdir_der content, oid, number;
	char text[CERTDIR_VALUE_MAX + 1];
	ASN1_OBJECT *object = NULL;
	const unsigned char *at;
	int length;

	if (!certdir_der_only(value, CERTDIR_DER_SEQUENCE, &content))
		return refuse(reading, extension, "broken encoding");
	at = content.bytes;
	if (!certdir_der_expect(&content, CERTDIR_DER_OID, &oid))
		return refuse(reading, extension, "broken encoding");
	for (int i = 0; i < 2 && content.length > 0; i++)
		if (!certdir_der_expect(&content, CERTDIR_DER_INTEGER, &number))
			return refuse(reading, extension, "broken encoding");
	if (content.length > 0)
		return refuse(reading, extension, "broken encoding");
	object = d2i_ASN1_OBJECT(NULL, &at, (long)(content.bytes - at));
	length = object ? OBJ_obj2txt(text, sizeof text, object, 1) : 0;
	ASN1_OBJECT_free(object);
	if (length <= 0 || length >= (int)sizeof text)
		return refuse(reading, extension, "no object identifier of a template");
	return set_text(reading, extension, &reading->certificate->template, text);
}

/* The older one: a name. It gives way to the newer one. */
static bool read_template_name(struct certdir_reading *reading, const struct extension *extension,
			       struct certdir_der value)
{
	char text[CERTDIR_VALUE_MAX + 1];
	struct certdir_der content;
	const char *why;
	unsigned tag;
	size_t length;

	if (!certdir_der_take(&value, &tag, &content) || value.length > 0)
		return refuse(reading, extension, "broken encoding");
	if (!certdir_der_text(tag, content, text, &length, &why) || !certdir_text_valid(text, length, &why))
		return refuse(reading, extension, why);
	text[length] = '\0';
	return reading->certificate->template || set_text(reading, extension, &reading->certificate->template, text);
}

#define OID(bytes) bytes, sizeof bytes - 1
#define MICROSOFT "\x2b\x06\x01\x04\x01\x82\x37" /* 1.3.6.1.4.1.311 */
#define MICROSOFT_AD "\x2a\x86\x48\x86\xf7\x14" /* 1.2.840.113556 */

static const struct extension extensions[] = {
	{OID("\x55\x1d\x11"), {"san", "SAN", NULL}, read_san},
	{OID("\x55\x1d\x0e"), {"ext.ski", "extension 2.5.29.14 (subject key identifier)", NULL}, read_ski},
	{OID("\x55\x1d\x25"), {"ext.eku", "extension 2.5.29.37 (extended key usage)", NULL}, read_eku},
	{OID(MICROSOFT "\x19\x02"), {"ext.sid", "extension 1.3.6.1.4.1.311.25.2 (SID)", NULL}, read_sid},
	{OID(MICROSOFT_AD "\x01\x05\x82\x1c\x02"),
	 {"ext.entra", "extension 1.2.840.113556.1.5.284.2 (Entra device id)", NULL},
	 read_entra},
	{OID(MICROSOFT_AD "\x01\x05\x82\x1c\x05"),
	 {"ext.entra", "extension 1.2.840.113556.1.5.284.5 (Entra tenant id)", NULL},
	 read_tenant},
	{OID(MICROSOFT_AD "\x05\x04"), {"ext.mdm", "extension 1.2.840.113556.5.4 (MDM device id)", NULL}, read_mdm},
	{OID(MICROSOFT_AD "\x05\x0e"), {"ext.mdm", "extension 1.2.840.113556.5.14 (MDM tenant id)", NULL}, read_tenant},
	{OID(MICROSOFT "\x15\x07"), {"ext.template", "extension 1.3.6.1.4.1.311.21.7 (template)", NULL}, read_template},
	{OID(MICROSOFT "\x14\x02"),
	 {"ext.template", "extension 1.3.6.1.4.1.311.20.2 (template name)", NULL},
	 read_template_name},
};

bool certdir_extension_read(struct certdir_reading *reading, struct certdir_der oid, struct certdir_der value,
			    uint32_t *seen)
{
	for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++) {
		if (!certdir_der_equal(oid, extensions[i].oid, extensions[i].oid_length))
			continue;
		if (*seen & UINT32_C(1) << i)
			return refuse(reading, &extensions[i], "stands there twice");
		*seen |= UINT32_C(1) << i;
		return extensions[i].read(reading, &extensions[i], value);
	}
	return true;
}
