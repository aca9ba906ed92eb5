/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Canonical forms: one spelling for each identity, so that equal means equal in every room.
 * For certificates, and for what goes into a list.
 */
#ifndef CERTDIR_CANONICAL_H
#define CERTDIR_CANONICAL_H

#include "base/certdir.h"

/*
 * True when the bytes are well-formed UTF-8 (RFC 3629), 1..CERTDIR_VALUE_MAX long, without NUL, C0/C1 controls or DEL.
 * Otherwise `why` points at a static text ("NUL byte inside", "not UTF-8", "control character", "empty",
 * "longer than 255 bytes").
 */
bool certdir_text_valid(const char *bytes, size_t length, const char **why);

/* The same but for the length: true for any number of bytes, none included, that are clean text. */
bool certdir_text_clean(const char *bytes, size_t length, const char **why);

/*
 * Writes the canonical form of `value` for `type` into out[CERTDIR_VALUE_MAX + 1]; false when it cannot be one
 * (not a GUID, not a SID, not a DNS name..). GUIDs: braces and case; SIDs: case, leading zeros; DNS: case, trailing
 * dot; names: ASCII case, "host/", trailing "$"; serial numbers: ASCII upper case; UPN: ASCII case; UDIDs: a GUID, 40
 * hex digits, or 8, a dash and 16, lower case; certificates: the 40 hex digits of a thumbprint that is not zero, lower case,
 * without blanks and colons; IMEI, MEID and MAC address: as text/radio.h says. Blanks around GUIDs, UDIDs, names, serial
 * numbers and UPNs are
 * dropped. The canonical form of a canonical form is itself, so "host/host/x" and "x$$" are no names. The all-zero
 * GUID (Graph's "none") is no identity: false. Nor is a UDID of zeros. Nor is what a board has for a serial number
 * before anybody writes one into it ("To be filled by O.E.M.", zeros, four and more of one character): it would
 * select whoever holds one.
 */
bool certdir_canonical(enum certdir_identity_type type, const char *value, size_t length, char *out);

/* Whether it is one of the types whose values are GUIDs, or may be as a UDID may: these are one name space. */
bool certdir_type_is_guid(enum certdir_identity_type type);

/* Whether it is one of the types whose values makers put into hardware, and where there may be anything instead. */
bool certdir_type_is_hardware(enum certdir_identity_type type);

/* Whether all of `text` is a GUID, of either case and without braces; *zero tells that it is the all-zero one. */
bool certdir_guid_is(const char *text, bool *zero);
/* Reads a 16-byte GUID as Windows stores it (first three fields little-endian, MS-DTYP 2.3.4.2) into out[37]. */
void certdir_guid_from_bytes(const unsigned char bytes[16], char out[37]);
/* Reads a binary SID (MS-DTYP 2.4.2.2) into out[CERTDIR_VALUE_MAX + 1]; false when it is none. */
bool certdir_sid_from_bytes(const unsigned char *bytes, size_t length, char *out);
/* The reverse, for LDAP filters: writes at most 68 bytes, returns how many, 0 when `sid` is none. */
size_t certdir_sid_to_bytes(const char *sid, unsigned char bytes[68]);
/*
 * Entra ID makes SIDs of object ids: S-1-12-1-a-b-c-d has the GUID's sixteen bytes as four little-endian words. True when
 * `sid` is such a one; writes the object id in canonical form.
 */
bool certdir_sid_object_id(const char *sid, char guid[37]);

#endif
