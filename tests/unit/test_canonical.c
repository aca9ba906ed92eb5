/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Canonical forms, binary GUIDs and SIDs, distinguished names: from tables. */
#include "text/canonical.h"
#include "text/dn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(text) text, sizeof(text) - 1

static void test_text_valid(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		const char *why;
	} cases[] = {
		{BYTES("a"), NULL},
		{BYTES("B\303\274ro \360\237\222\273"), NULL},
		{BYTES("\302\240"), NULL}, /* U+00A0, right behind C1 */
		{BYTES("\355\237\277\356\200\200\364\217\277\277"), NULL}, /* around the surrogates; the last one */
		{BYTES(""), "empty"},
		{BYTES("a\0b"), "NUL byte inside"},
		{BYTES("\0"), "NUL byte inside"},
		{BYTES("\377\0"), "NUL byte inside"},
		{BYTES("a\tb"), "control character"},
		{BYTES("a\n"), "control character"},
		{BYTES("\177"), "control character"},
		{BYTES("\302\200"), "control character"},
		{BYTES("\302\237"), "control character"},
		{BYTES("\200"), "not UTF-8"},
		{BYTES("\303"), "not UTF-8"},
		{BYTES("\303("), "not UTF-8"},
		{BYTES("\300\257"), "not UTF-8"}, /* overlong */
		{BYTES("\340\200\257"), "not UTF-8"}, /* overlong */
		{BYTES("\360\200\200\257"), "not UTF-8"}, /* overlong */
		{BYTES("\355\240\200"), "not UTF-8"}, /* surrogate */
		{BYTES("\364\220\200\200"), "not UTF-8"}, /* above U+10FFFF */
		{BYTES("\370\210\200\200\200"), "not UTF-8"},
		{BYTES("\342\202"), "not UTF-8"},
	};
	char longest[CERTDIR_VALUE_MAX + 1];
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool valid = certdir_text_valid(cases[i].bytes, cases[i].length, &why);

		if (valid != !cases[i].why || (!valid && strcmp(why, cases[i].why) != 0))
			fail_msg("case %zu: %s", i, valid ? "valid" : why);
	}
	memset(longest, 'a', sizeof longest);
	assert_true(certdir_text_valid(longest, CERTDIR_VALUE_MAX, &why));
	assert_false(certdir_text_valid(longest, CERTDIR_VALUE_MAX + 1, &why));
	assert_string_equal(why, "longer than 255 bytes");
	/* Clean is without regard to the length. */
	assert_true(certdir_text_clean(longest, CERTDIR_VALUE_MAX + 1, &why));
	assert_true(certdir_text_clean("", 0, &why));
	longest[CERTDIR_VALUE_MAX] = '\n';
	assert_false(certdir_text_clean(longest, CERTDIR_VALUE_MAX + 1, &why));
	assert_string_equal(why, "control character");
}

#define GUID "5f0e3b0a-6c1d-4a57-9b1e-0d3c2a4b5c6d"
#define LABEL63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	enum certdir_identity_type type;
	const char *value;
	const char *canonical; /* NULL: none */
} canonicals[] = {
	{CERTDIR_ID_ENTRA, GUID, GUID},
	{CERTDIR_ID_INTUNE, "{5F0E3B0A-6C1D-4A57-9B1E-0D3C2A4B5C6D}", GUID},
	{CERTDIR_ID_GUID, " " GUID "  ", GUID},
	{CERTDIR_ID_UDID, " {5F0E3B0A-6C1D-4A57-9B1E-0D3C2A4B5C6D}", GUID},
	{CERTDIR_ID_UDID, "00008103-001A2B3C4D5E6F70", "00008103-001a2b3c4d5e6f70"},
	{CERTDIR_ID_UDID, " A1B2C3D4E5F60718293a4b5c6d7e8f9001122334", "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334"},
	{CERTDIR_ID_UDID, "00008103-001A2B3C4D5E6F7", NULL},
	{CERTDIR_ID_UDID, "00008103001A2B3C4D5E6F700", NULL},
	{CERTDIR_ID_UDID, "00008103-001A2B3C4D5E6F7G", NULL},
	{CERTDIR_ID_UDID, "a1b2c3d4-5f60718293a4b5c6d7e8f9001122334", NULL},
	{CERTDIR_ID_UDID, "00000000-0000000000000000", NULL},
	{CERTDIR_ID_UDID, "0000000000000000000000000000000000000000", NULL},
	{CERTDIR_ID_UDID, "00000000-0000-0000-0000-000000000000", NULL},
	{CERTDIR_ID_UDID, "C02ABC1DEF23", NULL},
	{CERTDIR_ID_GUID, "{" GUID, NULL},
	{CERTDIR_ID_GUID, GUID "}", NULL},
	{CERTDIR_ID_GUID, "{{" GUID "}}", NULL},
	{CERTDIR_ID_GUID, "(" GUID ")", NULL},
	{CERTDIR_ID_GUID, "5f0e3b0a6c1d4a579b1e0d3c2a4b5c6d", NULL},
	{CERTDIR_ID_GUID, "5f0e3b0a-6c1d-4a57-9b1e-0d3c2a4b5c6", NULL},
	{CERTDIR_ID_GUID, "5f0e3b0a-6c1d-4a57-9b1e-0d3c2a4b5c6dd", NULL},
	{CERTDIR_ID_GUID, "5f0e3b0a-6c1d-4a57-9b1e-0d3c2a4b5c6g", NULL},
	{CERTDIR_ID_GUID, "5f0e3b0a--6c1d4a57-9b1e-0d3c2a4b5c6d", NULL},
	{CERTDIR_ID_GUID, "00000000-0000-0000-0000-000000000000", NULL},
	{CERTDIR_ID_GUID, "{00000000-0000-0000-0000-000000000000}", NULL},
	{CERTDIR_ID_GUID, "", NULL},
	{CERTDIR_ID_SID, "S-1-5-21-1-2-3-500", "S-1-5-21-1-2-3-500"},
	{CERTDIR_ID_SID_URI, "s-01-005-0021-1-2-3-00500", "S-1-5-21-1-2-3-500"},
	{CERTDIR_ID_SID, "S-1-5-4294967295", "S-1-5-4294967295"},
	{CERTDIR_ID_SID, "S-1-5-4294967296", NULL},
	{CERTDIR_ID_SID, "S-1-4294967295-1", "S-1-4294967295-1"},
	{CERTDIR_ID_SID, "S-1-4294967296-1", "S-1-0x000100000000-1"},
	{CERTDIR_ID_SID, "S-1-0xAbCdEf123456-1", "S-1-0xABCDEF123456-1"},
	{CERTDIR_ID_SID, "S-1-0x5-1", "S-1-5-1"},
	{CERTDIR_ID_SID, "S-1-0x1000000000000-1", NULL},
	{CERTDIR_ID_SID, "S-1-281474976710656-1", NULL},
	{CERTDIR_ID_SID, "S-1-0x-1", NULL},
	{CERTDIR_ID_SID, "S-1-5", NULL},
	{CERTDIR_ID_SID, "S-1-5-", NULL},
	{CERTDIR_ID_SID, "S-1-5--1", NULL},
	{CERTDIR_ID_SID, "S-1-5-1-", NULL},
	{CERTDIR_ID_SID, "S-1-5-1 ", NULL},
	{CERTDIR_ID_SID, "S-1-5-0x1", NULL},
	{CERTDIR_ID_SID, "S-2-5-1", NULL},
	{CERTDIR_ID_SID, "S-0-5-1", NULL},
	{CERTDIR_ID_SID, "S-1", NULL},
	{CERTDIR_ID_SID, "S", NULL},
	{CERTDIR_ID_SID, "", NULL},
	{CERTDIR_ID_SID, "X-1-5-1", NULL},
	{CERTDIR_ID_SID, "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15", "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15"},
	{CERTDIR_ID_SID, "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16", NULL},
	{CERTDIR_ID_SID, "S-1-5-99999999999999999999999999999999", NULL},
	{CERTDIR_ID_DNS, "PC01.Example.COM.", "pc01.example.com"},
	{CERTDIR_ID_DNS, "pc", "pc"},
	{CERTDIR_ID_DNS, "_x-1_.y", "_x-1_.y"},
	{CERTDIR_ID_DNS, LABEL63 ".b", LABEL63 ".b"},
	{CERTDIR_ID_DNS, LABEL63 "a.b", NULL},
	{CERTDIR_ID_DNS,
	 LABEL63 "." LABEL63 "." LABEL63 ".bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.",
	 LABEL63 "." LABEL63 "." LABEL63 ".bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"},
	{CERTDIR_ID_DNS,
	 LABEL63 "." LABEL63 "." LABEL63 ".bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", NULL},
	{CERTDIR_ID_DNS, "", NULL},
	{CERTDIR_ID_DNS, ".", NULL},
	{CERTDIR_ID_DNS, "a..", NULL},
	{CERTDIR_ID_DNS, ".a", NULL},
	{CERTDIR_ID_DNS, "a..b", NULL},
	{CERTDIR_ID_DNS, "a b", NULL},
	{CERTDIR_ID_DNS, " a", NULL},
	{CERTDIR_ID_DNS, "*.a", NULL},
	{CERTDIR_ID_DNS, "b\303\274ro", NULL},
	{CERTDIR_ID_NAME, "PC01", "pc01"},
	{CERTDIR_ID_NAME, "HOST/PC01$", "pc01"},
	{CERTDIR_ID_NAME, " PC 01 ", "pc 01"},
	{CERTDIR_ID_NAME, "B\303\234RO", "b\303\234ro"},
	{CERTDIR_ID_NAME, "hosta", "hosta"},
	{CERTDIR_ID_NAME, "$x", "$x"},
	{CERTDIR_ID_NAME, "host/", NULL},
	{CERTDIR_ID_NAME, "$", NULL},
	{CERTDIR_ID_NAME, "host/host/x", NULL},
	{CERTDIR_ID_NAME, "x$$", NULL},
	{CERTDIR_ID_NAME, "x$ $", NULL},
	{CERTDIR_ID_NAME, "host/ x", "x"},
	{CERTDIR_ID_NAME, "   ", NULL},
	{CERTDIR_ID_NAME, "a\nb", NULL},
	{CERTDIR_ID_NAME, "\377", NULL},
	{CERTDIR_ID_SERIAL, " ab-1 c ", "AB-1 C"},
	{CERTDIR_ID_SERIAL, "\303\244", "\303\244"},
	{CERTDIR_ID_SERIAL, " ", NULL},
	{CERTDIR_ID_SERIAL, "", NULL},
	/* what boards have before anybody writes a serial number into them */
	{CERTDIR_ID_SERIAL, "Default string", NULL},
	{CERTDIR_ID_SERIAL, " default  STRING ", NULL},
	{CERTDIR_ID_SERIAL, "To be filled by O.E.M.", NULL},
	{CERTDIR_ID_SERIAL, "System Serial Number", NULL},
	{CERTDIR_ID_SERIAL, "Not Specified", NULL},
	{CERTDIR_ID_SERIAL, "None", NULL},
	{CERTDIR_ID_SERIAL, "N/A", NULL},
	{CERTDIR_ID_SERIAL, "na", NULL},
	{CERTDIR_ID_SERIAL, "INVALID", NULL},
	{CERTDIR_ID_SERIAL, "Unknown", NULL},
	{CERTDIR_ID_SERIAL, "Chassis Serial Number", NULL},
	{CERTDIR_ID_SERIAL, "0", NULL},
	{CERTDIR_ID_SERIAL, "000000000000", NULL},
	{CERTDIR_ID_SERIAL, "xxxx", NULL},
	{CERTDIR_ID_SERIAL, "........", NULL},
	{CERTDIR_ID_SERIAL, "123456789", NULL},
	{CERTDIR_ID_SERIAL, "1234567890", NULL},
	{CERTDIR_ID_SERIAL, "0123456789", NULL},
	{CERTDIR_ID_SERIAL, "111", "111"},
	{CERTDIR_ID_SERIAL, "7", "7"},
	{CERTDIR_ID_SERIAL, "00000001", "00000001"},
	{CERTDIR_ID_SERIAL, "12345678", "12345678"},
	{CERTDIR_ID_SERIAL, "default string 2", "DEFAULT STRING 2"},
	{CERTDIR_ID_SERIAL, "a  b", "A  B"}, /* only a filler is compared without them */
	{CERTDIR_ID_SERIAL, "Not Available", NULL},
	{CERTDIR_ID_SERIAL, "To Be Filled By O.E.M", NULL},
	{CERTDIR_ID_SERIAL, "SYS-1234567890", NULL},
	{CERTDIR_ID_SERIAL, "Base Board Serial Number", NULL},
	{CERTDIR_ID_NAME, "none", "none"},
	/* one phone, however it is written: 3GPP TS 23.003, annex B has its check digit */
	{CERTDIR_ID_IMEI, "26053179311383", "260531793113837"},
	{CERTDIR_ID_IMEI, "260531793113837", "260531793113837"},
	{CERTDIR_ID_IMEI, "260531793113830", "260531793113837"},
	{CERTDIR_ID_IMEI, "2605317931138301", "260531793113837"},
	{CERTDIR_ID_IMEI, " 26 053179 311383 7 ", "260531793113837"},
	{CERTDIR_ID_IMEI, "26-053179-311383-7", "260531793113837"},
	{CERTDIR_ID_IMEI, "260531/79/311383/7", "260531793113837"},
	{CERTDIR_ID_IMEI, "2605317931138", NULL},
	{CERTDIR_ID_IMEI, "26053179311383011", NULL},
	{CERTDIR_ID_IMEI, "2605317931138a", NULL},
	{CERTDIR_ID_IMEI, "2.60532E+14", NULL},
	{CERTDIR_ID_IMEI, "000000000000000", NULL},
	{CERTDIR_ID_IMEI, "012345678901234", NULL},
	{CERTDIR_ID_IMEI, "123456789012347", NULL},
	{CERTDIR_ID_IMEI, "004999010640000", NULL},
	{CERTDIR_ID_IMEI, "", NULL},
	{CERTDIR_ID_MEID, "af0123450abcde", "AF0123450ABCDE"},
	{CERTDIR_ID_MEID, "AF 012345 0ABCDE C", "AF0123450ABCDE"},
	{CERTDIR_ID_MEID, "293608736500703710", "AF0123450ABCDE"},
	{CERTDIR_ID_MEID, "29360-87365-0070-3710-0", "AF0123450ABCDE"},
	{CERTDIR_ID_MEID, "429496729616777215", NULL},
	{CERTDIR_ID_MEID, "429496729516777216", NULL},
	{CERTDIR_ID_MEID, "429496729516777214", "FFFFFFFFFFFFFE"},
	{CERTDIR_ID_MEID, "29360873650070371A", NULL},
	{CERTDIR_ID_MEID, "AF0123450ABCD", NULL},
	{CERTDIR_ID_MEID, "00000000000000", NULL},
	{CERTDIR_ID_MEID, "FFFFFFFFFFFFFF", NULL},
	{CERTDIR_ID_WIFI_MAC, "00a0c91e2f3d", "00A0C91E2F3D"},
	{CERTDIR_ID_WIFI_MAC, "00:A0:c9:1e:2F:3D", "00A0C91E2F3D"},
	{CERTDIR_ID_WIFI_MAC, "00-A0-C9-1E-2F-3D", "00A0C91E2F3D"},
	{CERTDIR_ID_WIFI_MAC, "00a0.c91e.2f3d", "00A0C91E2F3D"},
	{CERTDIR_ID_WIFI_MAC, "00A0C9-1E2F3D", "00A0C91E2F3D"},
	{CERTDIR_ID_WIFI_MAC, "00A0C91E2F3", NULL},
	{CERTDIR_ID_WIFI_MAC, "00A0C91E2F3D0", NULL},
	{CERTDIR_ID_WIFI_MAC, "00A0C91E2F3G", NULL},
	{CERTDIR_ID_WIFI_MAC, "02A0C91E2F3D", NULL}, /* made up for a network */
	{CERTDIR_ID_WIFI_MAC, "DAA0C91E2F3D", NULL},
	{CERTDIR_ID_WIFI_MAC, "01005E000001", NULL}, /* a group's */
	{CERTDIR_ID_WIFI_MAC, "000000000000", NULL},
	{CERTDIR_ID_WIFI_MAC, "", NULL},
	{CERTDIR_ID_PERMANENT, " c02abc1def23", "C02ABC1DEF23"},
	{CERTDIR_ID_PERMANENT, "00008103-001A2B3C4D5E6F70", "00008103-001a2b3c4d5e6f70"},
	{CERTDIR_ID_PERMANENT, "{5F0E3B0A-6C1D-4A57-9B1E-0D3C2A4B5C6D}", GUID},
	{CERTDIR_ID_PERMANENT, "None", NULL},
	{CERTDIR_ID_UPN, "Anna@Example.COM", "anna@example.com"},
	{CERTDIR_ID_UPN, "", NULL},
};

static void test_canonical(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof canonicals / sizeof *canonicals; i++) {
		char out[CERTDIR_VALUE_MAX + 1], again[CERTDIR_VALUE_MAX + 1];
		const char *value = canonicals[i].value, *expected = canonicals[i].canonical;
		bool good = certdir_canonical(canonicals[i].type, value, strlen(value), out);

		if (good != (expected != NULL) || (good && strcmp(out, expected) != 0))
			fail_msg("\"%s\" as type %d: \"%s\"", value, (int)canonicals[i].type, good ? out : "none");
		/* One spelling: its canonical form is itself. */
		if (good) {
			assert_true(certdir_canonical(canonicals[i].type, out, strlen(out), again));
			assert_string_equal(again, out);
		}
	}
}

static void test_canonical_limits(void **state)
{
	char value[CERTDIR_VALUE_MAX + 2], out[CERTDIR_VALUE_MAX + 1];

	(void)state;
	memset(value, 'A', sizeof value);
	for (int type = 0; type < CERTDIR_ID_TYPES; type++) {
		assert_false(certdir_canonical((enum certdir_identity_type)type, value, CERTDIR_VALUE_MAX + 1, out));
		/* A NUL is no end. */
		assert_false(certdir_canonical((enum certdir_identity_type)type, "S-1-5-1\0", 8, out));
		assert_false(certdir_canonical((enum certdir_identity_type)type, GUID "\0", 37, out));
	}
	assert_true(certdir_canonical(CERTDIR_ID_NAME, value, CERTDIR_VALUE_MAX, out));
	assert_int_equal(strlen(out), CERTDIR_VALUE_MAX);
	assert_false(certdir_canonical(CERTDIR_ID_TYPES, "a", 1, out));
}

static void test_guid_bytes(void **state)
{
	/* MS-DTYP 2.3.4.2: three little-endian fields, then eight bytes as they come. */
	static const unsigned char bytes[16] = {0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66,
						0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
	char out[37];

	(void)state;
	certdir_guid_from_bytes(bytes, out);
	assert_string_equal(out, "00112233-4455-6677-8899-aabbccddeeff");
}

static void test_sid_bytes(void **state)
{
	/* S-1-5-32-544, BUILTIN\Administrators */
	static const unsigned char administrators[] = {1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0};
	unsigned char bytes[68], longest[72] = {1, 15, 0, 0, 0, 0, 0, 5};
	char out[CERTDIR_VALUE_MAX + 1];

	(void)state;
	assert_true(certdir_sid_from_bytes(administrators, sizeof administrators, out));
	assert_string_equal(out, "S-1-5-32-544");
	assert_int_equal(certdir_sid_to_bytes(out, bytes), sizeof administrators);
	assert_memory_equal(bytes, administrators, sizeof administrators);
	for (size_t length = 0; length < sizeof administrators; length++)
		assert_false(certdir_sid_from_bytes(administrators, length, out));
	memset(longest + 8, 0xff, 60);
	assert_true(certdir_sid_from_bytes(longest, 68, out));
	assert_int_equal(certdir_sid_to_bytes(out, bytes), 68);
	assert_memory_equal(bytes, longest, 68);
	longest[1] = 16;
	assert_false(certdir_sid_from_bytes(longest, 72, out));
	longest[1] = 0;
	assert_false(certdir_sid_from_bytes(longest, 8, out));
	longest[0] = 2;
	longest[1] = 15;
	assert_false(certdir_sid_from_bytes(longest, 68, out));
	assert_int_equal(certdir_sid_to_bytes("nobody", bytes), 0);
	assert_int_equal(certdir_sid_to_bytes("", bytes), 0);
}

static void test_sid_object_id(void **state)
{
	/* As .NET does it: the four little-endian words of Guid.ToByteArray(). */
	static const struct {
		const char *sid, *guid;
	} cases[] = {
		{"S-1-12-1-1943430372-1249052806-2496021943-3034400218", "73d664e4-0886-4a73-b745-c694da45ddb4"},
		{"S-1-12-1-1-0-0-0", "00000001-0000-0000-0000-000000000000"},
		{"S-1-12-1-4294967295-4294967295-4294967295-4294967295", "ffffffff-ffff-ffff-ffff-ffffffffffff"},
		{"S-1-12-1-0-0-0-0", NULL}, /* no object's */
		{"S-1-12-1-1-2-3", NULL},
		{"S-1-12-1-1-2-3-4-5", NULL},
		{"S-1-12-2-1-2-3-4", NULL},
		{"S-1-5-21-1-2-3-4", NULL},
		{"S-1-5-1-1-2-3-4", NULL},
		{"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char guid[37];

		assert_int_equal(certdir_sid_object_id(cases[i].sid, guid), cases[i].guid != NULL);
		if (cases[i].guid)
			assert_string_equal(guid, cases[i].guid);
	}
}

static const struct {
	const char *a, *b;
	bool equal;
} names[] = {
	{"CN=CA,O=Example,C=DE", "CN=CA,O=Example,C=DE", true},
	{"CN=CA,O=Example,C=DE", "C=DE, O=Example, CN=CA", true},
	{"CN=CA,O=Example,C=DE", "C = de, o = EXAMPLE, cn = ca", true},
	{"CN=CA,O=Example,C=DE", "CN=CA;O=Example;C=DE", true},
	{"CN=CA,O=Example,C=DE", "/C=DE/O=Example/CN=CA", true},
	{"CN=CA,O=A/S b,C=DE", "/C=DE/O=A/S b/CN=CA", true},
	{"CN=CA,O=Example,C=DE", "CN=CA,O=Example", false},
	{"CN=CA,O=Example", "CN=CA,O=Example,C=DE", false},
	{"CN=CA,O=Example,C=DE", "O=Example,CN=CA,C=DE", false},
	{"CN=CA,O=Example,C=DE", "CN=CB,O=Example,C=DE", false},
	{"CN=CA,O=Example,C=DE", "OU=CA,O=Example,C=DE", false},
	{"CN=CA", "CN=CA ", true},
	{"CN=CA", "CN=CA\\ ", false},
	{"CN=CA", "CN=CAA", false},
	{"CN=", "CN=", true},
	{"CN=a+O=b", "O=B+CN=A", true},
	{"CN=a+O=b", "CN=a,O=b", false},
	{"CN=a+O=b,C=x", "C=x, O=b + CN=a", true},
	{"CN=a+CN=a", "CN=a+CN=b", false},
	{"O=Example\\, Inc.,C=US", "C=US, O=\"Example, Inc.\"", true},
	{"O=Example\\, Inc.,C=US", "O=Example\\2C Inc.,C=US", true},
	{"O=Example\\, Inc.,C=US", "O=Example, Inc.,C=US", false},
	{"CN=K\\C3\\B6ln", "CN=K\303\266ln", true},
	{"CN=a\\+b", "CN=\"a+b\"", true},
	{"CN=a=b", "CN=a\\=b", true},
	{"CN=a\\\\", "CN=\"a\\\\\"", true},
	{"emailAddress=a@b,CN=x", "E=a@b, CN=x", true},
	{"CN=x,ST=Bayern", "CN=x, S=Bayern", true},
	{"2.5.4.3=x", "OID.2.5.4.3=x", true},
	{"CN=x", "OID.2.5.4.3=x", true},
	{"", "", false}, /* no name is nobody's name */
	{"CA", "CA", false},
	{"=x", "=x", false},
	{"CN=x,", "CN=x,", false},
	{"CN=x,", "CN=x", false},
	{"CN=\"x", "CN=x", false},
	{"CN=x\\", "CN=x\\", false},
	{"CN=x\\00y", "CN=x\\00y", false}, /* a NUL in a name is no name */
	{"/", "/", false},
	{"/CN", "/CN", false},
};

static void test_dn(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (certdir_dn_equal(names[i].a, names[i].b) != names[i].equal ||
		    certdir_dn_equal(names[i].b, names[i].a) != names[i].equal)
			fail_msg("\"%s\" and \"%s\": expected %s", names[i].a, names[i].b,
				 names[i].equal ? "equal" : "unequal");
}

static void test_dn_long(void **state)
{
	char name[65 * 5 + 1] = "";

	(void)state;
	for (int i = 0; i < 65; i++)
		strcat(name, i ? ",CN=x" : "CN=x");
	assert_false(certdir_dn_equal(name, name)); /* 65 pairs: more than any CA has */
	name[64 * 5 - 1] = '\0';
	assert_true(certdir_dn_equal(name, name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_valid),
		cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_canonical_limits),
		cmocka_unit_test(test_guid_bytes),
		cmocka_unit_test(test_sid_bytes),
		cmocka_unit_test(test_sid_object_id),
		cmocka_unit_test(test_dn),
		cmocka_unit_test(test_dn_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
