/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * subjectAltName (RFC 5280, 4.2.1.6), name by name. Not with a library: one directoryName or x400Address that it does not
 * like must not cost the names beside it, and what follows the sequence must be seen.
 */
#include "identity/san.h"

/* GeneralName's tags: context-specific, constructed where the content is. */
enum {
	SAN_OTHER = 0xa0,
	SAN_EMAIL = 0x81,
	SAN_DNS = 0x82,
	SAN_X400 = 0xa3,
	SAN_DIRECTORY = 0xa4,
	SAN_EDI = 0xa5,
	SAN_URI = 0x86,
	SAN_IP = 0x87,
	SAN_REGISTERED = 0x88,
	SAN_KINDS = 9
};

static const char oid_upn[] = "\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03"; /* 1.3.6.1.4.1.311.20.2.3 */

static const char oid_permanent[] = "\x2b\x06\x01\x05\x05\x07\x08\x03"; /* 1.3.6.1.5.5.7.8.3 */

static const struct certdir_field san = {"san", "SAN", CERTDIR_MEANS_NOTHING, false};
static const struct certdir_field san_entry = {"san", "SAN entry", CERTDIR_MEANS_NOTHING, false};

struct counters {
	size_t entries, kind[SAN_KINDS], upn, permanent;
};

static bool read_text(struct certdir_reading *reading, const char *from, size_t position, struct certdir_der content)
{
	const struct certdir_place place = {.field = certdir_field_find(from), .position = position};

	return certdir_place_text(reading, &place, (const char *)content.bytes, content.length);
}

/*
 * PermanentIdentifier (RFC 4043): a UTF8String and who assigned it, each of them optional. A CA that has devices attested puts it there
 * (draft-ietf-acme-device-attest). One that cannot be read says nothing: it is new, and no reason to keep a device out.
 */
static bool read_permanent(struct certdir_reading *reading, size_t position, struct certdir_der explicit)
{
	const struct certdir_place place = {.field = certdir_field_find("san.permanentIdentifier"),
					    .position = position};
	struct certdir_der sequence, value;
	unsigned tag;

	if (!certdir_der_only(explicit, CERTDIR_DER_SEQUENCE, &sequence) ||
	    !certdir_der_take(&sequence, &tag, &value) || !certdir_der_is_text(tag))
		return true;
	return certdir_place_string(reading, &place, tag, value);
}

/* OtherName: OBJECT IDENTIFIER, [0] EXPLICIT value. */
static bool read_other(struct certdir_reading *reading, struct counters *count, struct certdir_der content)
{
	struct certdir_place place = {.field = certdir_field_find("san.other"), .position = count->kind[0]};
	struct certdir_der oid, explicit, value;
	unsigned tag;

	if (!certdir_der_expect(&content, CERTDIR_DER_OID, &oid) ||
	    !certdir_der_only(content, CERTDIR_DER_CONTEXT_0, &explicit))
		return certdir_reading_refuse(reading, &place, "broken encoding");
	if (certdir_der_equal(oid, oid_upn, sizeof(oid_upn) - 1)) {
		place = (struct certdir_place){.field = certdir_field_find("san.upn"), .position = ++count->upn};
		if (!certdir_der_take(&explicit, &tag, &value) || explicit.length > 0)
			return certdir_reading_refuse(reading, &place, "broken encoding");
		return certdir_place_string(reading, &place, tag, value);
	}
	if (certdir_der_equal(oid, oid_permanent, sizeof(oid_permanent) - 1))
		return read_permanent(reading, ++count->permanent, explicit);
	/* Whatever else there is matters to forms only, and to them only when it is a text. */
	if ((!certdir_place_has_form(reading, "san.other") && !reading->rules->see) ||
	    !certdir_der_take(&explicit, &tag, &value) || explicit.length > 0 || !certdir_der_is_text(tag))
		return true;
	return certdir_place_string(reading, &place, tag, value);
}

static bool read_name(struct certdir_reading *reading, struct counters *count, unsigned tag, struct certdir_der content)
{
	const struct certdir_place place = {.field = &san_entry, .position = ++count->entries};
	unsigned kind = tag & 0x1f;
	size_t position = kind < SAN_KINDS ? ++count->kind[kind] : 0;

	switch (tag) {
	case SAN_OTHER:
		return read_other(reading, count, content);
	case SAN_EMAIL:
		return read_text(reading, "san.email", position, content);
	case SAN_DNS:
		return read_text(reading, "san.dns", position, content);
	case SAN_URI:
		return read_text(reading, "san.uri", position, content);
	case SAN_X400:
	case SAN_DIRECTORY:
	case SAN_EDI:
	case SAN_IP:
	case SAN_REGISTERED:
		return true;
	default:
		return certdir_reading_refuse(reading, &place, "tag 0x%02x is no kind of name", tag);
	}
}

bool certdir_san_read(struct certdir_reading *reading, struct certdir_der value)
{
	const struct certdir_place place = {.field = &san};
	struct counters count = {0};
	struct certdir_der names, name;
	unsigned tag;

	if (!certdir_der_expect(&value, CERTDIR_DER_SEQUENCE, &names))
		return certdir_reading_refuse(reading, &place, "broken encoding");
	if (value.length > 0)
		return certdir_reading_refuse(reading, &place, "%zu bytes behind its end", value.length);
	while (names.length > 0) {
		if (!certdir_der_take(&names, &tag, &name))
			return certdir_reading_refuse(reading, &place, "broken encoding behind entry %zu",
						      count.entries);
		if (!read_name(reading, &count, tag, name))
			return false;
	}
	return true;
}
