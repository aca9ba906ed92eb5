/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates -> strong mappings: the forms themselves, and whose they are. */
#include "identity/windows_name.h"
#include "identity/certificate.h"
#include "identity/mapping.h"
#include "mappings_fixture.h"

static const int64_t late = 2208988800; /* 2040-01-01: cn-name is valid, the others have ended */

static void parse(const char *name, struct certdir_certificate *certificate)
{
	static struct der der;
	struct certdir_error error;

	load_der(name, &der);
	if (!certdir_certificate_parse(certificate, der.bytes, der.length, NULL, &error))
		fail_msg("%s: %s", name, error.text);
}

static void hand_in(struct certdir_mappings *mappings, const char *name, int64_t now)
{
	struct certdir_certificate certificate;
	struct certdir_error error;

	parse(name, &certificate);
	if (!certdir_mappings_add(mappings, &certificate, name, false, now, &error))
		fail_msg("%s", error.text);
	certdir_certificate_clear(&certificate);
}

static void finish(struct certdir_mappings *mappings, size_t certificates, size_t matched, size_t ended)
{
	struct certdir_mappings_report report;
	struct certdir_error error;

	if (!certdir_mappings_finish(mappings, &report, &error))
		fail_msg("%s", error.text);
	assert_int_equal(report.certificates, certificates);
	assert_int_equal(report.matched, matched);
	assert_int_equal(report.ended, ended);
	assert_int_equal(report.unmatched, certificates - matched - ended);
}

/* ---- the forms ---- */

static const struct {
	const char *name, *windows; /* NULL: none */
} names[] = {
	{"CN=CA", "CN=CA"},
	{"CN=CONTOSO-DC-CA,DC=contoso,DC=com", "DC=com,DC=contoso,CN=CONTOSO-DC-CA"},
	{"CN=CONTOSO-DC-CA, DC=contoso, DC=com", "DC=com,DC=contoso,CN=CONTOSO-DC-CA"},
	{"cn = a b ; o = c", "O=c,CN=a b"},
	{"CN=a  b", "CN=a  b"},
	{"CN=CA,O=Example\\, Inc.,C=US", "C=US,O=\"Example, Inc.\",CN=CA"},
	{"CN=CA, O=\"Example, Inc.\", C=US", "C=US,O=\"Example, Inc.\",CN=CA"},
	{"CN=CA,O=Example\\2C Inc.", "O=\"Example, Inc.\",CN=CA"},
	{"CN=a\\\"b\\\"", "CN=\"a\"\"b\"\"\""},
	{"CN=\"a\"\"b\"\"\"", "CN=\"a\"\"b\"\"\""},
	{"CN=\\#1", "CN=\"#1\""},
	{"CN=a#1", "CN=\"a#1\""},
	{"CN=a\\+b\\;c\\<d\\>e=f", "CN=\"a+b;c<d>e=f\""},
	{"CN=\\ a", "CN=\" a\""},
	{"CN=a\\ ", "CN=\"a \""},
	{"CN=", "CN=\"\""},
	{"CN=a\\\\b'c", "CN=a\\b'c"},
	{"CN=K\\C3\\B6ln", "CN=K\303\266ln"},
	{"CN=a\\0Ab", "CN=\"a,b\""}, /* MS-PKCA: line ends become commas */
	{"CN=a\\0Db", "CN=a,b"},
	{"ST=Bayern", "S=Bayern"},
	{"S=Bayern", "S=Bayern"},
	{"emailAddress=a@b", "E=a@b"},
	{"E=a@b", "E=a@b"},
	{"serialNumber=1", "SERIALNUMBER=1"},
	{"title=x+GN=y+SN=z+initials=i", "I=i + SN=z + G=y + T=x"},
	{"street=x,postalCode=1,description=d,dnQualifier=q", "dnQualifier=q,Description=d,PostalCode=1,STREET=x"},
	{"UID=x", "OID.0.9.2342.19200300.100.1.1=x"},
	{"organizationIdentifier=x", "OID.2.5.4.97=x"},
	{"OID.2.5.4.97=x", "OID.2.5.4.97=x"},
	{"2.5.4.8=x", "S=x"},
	{"x121Address=1+2.5.4.20=2", "Phone=2 + X21Address=1"},
	{"1.2.3.4=#0C0161", "OID.1.2.3.4=a"},
	{"1.2.3.4=#0C03612C62", "OID.1.2.3.4=\"a,b\""},
	{"1.2.3.4=#1E020061", "OID.1.2.3.4=a"},
	{"1.2.3.4=#020101", "OID.1.2.3.4=#020101"}, /* no text */
	{"1.2.3.4=#0C05", "OID.1.2.3.4=#0C05"},
	{"nobody=x", NULL},
	{"CN", NULL},
	{"", NULL},
	{"CN=a,", NULL},
	{"CN=a\\01b", NULL},
	{"CN=\\FF", NULL},
	{"/C=US/CN=CA", NULL}, /* nobody knows which end that starts from */
};

static void test_windows_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *text;

		assert_true(certdir_windows_name(names[i].name, &text));
		if (!text != !names[i].windows || (text && strcmp(text, names[i].windows) != 0))
			fail_msg("%s: expected %s, found %s", names[i].name, names[i].windows ? names[i].windows : "-",
				 text ? text : "-");
		free(text);
	}
}

/* A number whose top bit is set has a zero in front that some count in and some do not. */
static const struct {
	const char *certificate, *mapping, *zero; /* "" = not looked at; NULL = none */
} issuers[] = {
	{"cn-name", "X509:<I>CN=certdir test CA<SR>EEFFC0", "X509:<I>CN=certdir test CA<SR>EEFFC000"},
	{"serial-high-bit", "X509:<I>CN=certdir test CA<SR>01FF", "X509:<I>CN=certdir test CA<SR>01FF00"},
	{"serial-zero", "X509:<I>CN=certdir test CA<SR>00", NULL},
	{"issuer-t61", "X509:<I>O=K\303\266ln,X21Address=123,CN=K\303\266ln<SR>01FF",
	 "X509:<I>O=K\303\266ln,X21Address=123,CN=K\303\266ln<SR>01FF00"},
	{"issuer-windows",
	 "X509:<I>C=DE,S=Bayern,O=\"Example, Inc.\",OU=\"say \"\"hi\"\"\",L=b + "
	 "OU=a,E=ca@example.com,OID.2.5.4.97=VATDE-1,"
	 "OID.0.9.2342.19200300.100.1.1=u1,OID.1.3.6.1.4.1.99999.1=\"x,y\",CN=\" #CA \"<SR>01FF",
	 ""},
};

static void test_issuer_serial(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(issuers) / sizeof(*issuers); i++) {
		struct certdir_certificate certificate;
		char *mapping;

		parse(issuers[i].certificate, &certificate);
		assert_true(certdir_mapping_issuer_serial(&certificate, false, &mapping));
		assert_string_equal(mapping, issuers[i].mapping);
		free(mapping);
		assert_true(certdir_mapping_issuer_serial(&certificate, true, &mapping));
		if (!issuers[i].zero)
			assert_null(mapping);
		else if (*issuers[i].zero)
			assert_string_equal(mapping, issuers[i].zero);
		free(mapping);
		certdir_certificate_clear(&certificate);
	}
}

/* What we write is what a login by mapping looks for, in every form. */
static void test_same_as_login(void **state)
{
	static const char *const certificates[] = {"cn-name",	      "dns",	 "rsa", "issuer-long",
						   "serial-high-bit", "ski-none"};
	const uint32_t all = (1 << CERTDIR_MAPPING_FORMS) - 1;

	(void)state;
	for (size_t c = 0; c < sizeof(certificates) / sizeof(*certificates); c++) {
		struct certdir_mappings *mappings = mappings_begin_forms(all);
		struct certdir_certificate certificate;
		size_t looked_for = 0, own_word = 0;

		hand_in(mappings, certificates[c], early);
		finish(mappings, 1, 1, 0);
		parse(certificates[c], &certificate);
		assert_true(certdir_mapping_add(&certificate));
		for (size_t i = 0; i < certificate.count; i++) {
			const struct certdir_identity *id = &certificate.identities[i];
			bool found = id->type != CERTDIR_ID_MAPPING;

			looked_for += !found;
			for (size_t k = 0; k < devices[0].mappings.count && !found; k++)
				found = strcmp(devices[0].mappings.items[k].bytes, id->value) == 0;
			if (!found)
				fail_msg("%s: %s is looked for and not written", certificates[c], id->value);
		}
		/* A key identifier that is not the key's SHA-1 may be anything that its requester wrote. */
		own_word = certificate.ski && strcmp(certificate.ski, certificate.public_key_sha1) != 0;
		assert_int_equal(devices[0].mappings.count, looked_for + own_word);
		certdir_certificate_clear(&certificate);
	}
}

/* ---- whose they are ---- */

static void test_valid_and_ended(void **state)
{
	struct certdir_mappings *mappings = mappings_begin(CERTDIR_MAPPING_SKI);

	(void)state;
	/* A key of its own, then the vectors' common one; at `late` the second has ended. */
	hand_in(mappings, "cn-name", late);
	hand_in(mappings, "dns", late);
	hand_in(mappings, "dns", late);
	finish(mappings, 3, 1, 2);
	assert_int_equal(devices[0].mappings.count, 1);
	assert_string_equal(devices[0].mappings.items[0].bytes, "X509:<SKI>0102030405");
	assert_non_null(strstr(outcome(), "1 ended X509:<SKI>"));
	assert_string_equal(said, "");
	/* Not valid yet is valid: the mapping comes before the certificate is needed. */
	mappings = mappings_begin(CERTDIR_MAPPING_ISSUER_SERIAL);
	hand_in(mappings, "cn-name", early);
	finish(mappings, 1, 1, 0);
	assert_string_equal(outcome(),
			    "1 X509:<I>CN=certdir test CA<SR>EEFFC0;1 X509:<I>CN=certdir test CA<SR>EEFFC000;");
}

/* A form that is not asked for any more is known not to be needed, so that it may go without anybody wondering. */
static void test_forms(void **state)
{
	static const uint32_t ski = CERTDIR_BIT(CERTDIR_MAPPING_SKI),
			      serial = CERTDIR_BIT(CERTDIR_MAPPING_ISSUER_SERIAL);
	struct certdir_mappings *mappings = mappings_begin_forms(ski | serial);
	struct certdir_mappings_report report;
	struct certdir_error error;

	(void)state;
	hand_in(mappings, "dns", early);
	hand_in(mappings, "ski-none", early);
	assert_true(certdir_mappings_finish(mappings, &report, &error));
	assert_string_equal(said, "");
	assert_int_equal(report.matched, 2);
	assert_int_equal(report.forms[CERTDIR_MAPPING_SKI], 1);
	assert_int_equal(report.forms[CERTDIR_MAPPING_SHA1_PUKEY], 0);
	assert_int_equal(report.forms[CERTDIR_MAPPING_ISSUER_SERIAL], 2);
	assert_null(strstr(outcome(), "ended"));
	assert_int_equal(devices[0].ended.count, 1); /* the two have one key */
	assert_int_equal(strncmp(devices[0].ended.items[0].bytes, "X509:<SHA1-PUKEY>", 17), 0);
}

static void test_revoked(void **state)
{
	struct certdir_mappings *mappings = mappings_begin(CERTDIR_MAPPING_ISSUER_SERIAL);
	struct certdir_certificate certificate;
	struct certdir_error error;

	(void)state;
	parse("serial-zero", &certificate);
	assert_true(certdir_mappings_add(mappings, &certificate, "x", true, early, &error));
	certdir_certificate_clear(&certificate);
	finish(mappings, 1, 0, 1);
	assert_string_equal(outcome(), "1 ended X509:<I>CN=certdir test CA<SR>00;");
}

static void test_renewed_with_the_same_key(void **state)
{
	struct certdir_mappings *mappings = mappings_begin(CERTDIR_MAPPING_SHA1_PUKEY);

	(void)state;
	hand_in(mappings, "dns", late);
	hand_in(mappings, "cn-name", late);
	hand_in(mappings, "serial-high-bit", late);
	finish(mappings, 3, 1, 2);
	assert_int_equal(devices[0].mappings.count, 1);
	assert_null(strstr(outcome(), "ended"));
}

static void test_sorted(void **state)
{
	struct certdir_mappings *mappings = mappings_begin(CERTDIR_MAPPING_ISSUER_SERIAL);

	(void)state;
	hand_in(mappings, "cn-name", early);
	hand_in(mappings, "serial-high-bit", early);
	hand_in(mappings, "serial-zero", early);
	hand_in(mappings, "cn-name", early);
	finish(mappings, 4, 4, 0);
	assert_string_equal(outcome(), "1 X509:<I>CN=certdir test CA<SR>00;1 X509:<I>CN=certdir test CA<SR>01FF;"
				       "1 X509:<I>CN=certdir test CA<SR>01FF00;1 X509:<I>CN=certdir test CA<SR>EEFFC0;"
				       "1 X509:<I>CN=certdir test CA<SR>EEFFC000;");
}

/* One key, two devices: whoever has it could log in as the other. */
static void test_shared(void **state)
{
	struct certdir_mappings *mappings = mappings_begin(CERTDIR_MAPPING_SHA1_PUKEY);

	(void)state;
	hand_in(mappings, "cn-name", early);
	hand_in(mappings, "cn-guid", early);
	hand_in(mappings, "rsa", early);
	finish(mappings, 3, 1, 0);
	assert_int_equal(devices[0].mappings.count, 1); /* of the other key */
	assert_int_equal(devices[4].mappings.count, 0);
	assert_non_null(strstr(said, "certificates of several devices have it, of " KEY_PC01 " and " KEY_CN));
	/* Valid on one and ended on the other: the one gets nothing new, and the other's is known to have ended. */
	mappings = mappings_begin(CERTDIR_MAPPING_SHA1_PUKEY);
	hand_in(mappings, "cn-name", late);
	hand_in(mappings, "cn-guid", late);
	finish(mappings, 2, 0, 1);
	assert_int_equal(devices[0].mappings.count, 0);
	assert_int_equal(devices[4].mappings.count, 0);
	assert_int_equal(strncmp(outcome(), "5 ended X509:<SHA1-PUKEY>", 25), 0);
}

static void test_unmatched(void **state)
{
	static const struct {
		const char *certificate, *said;
	} cases[] = {
		{"uri-aad-device-id", "uri-aad-device-id: no mapping: not-found: entra_device_id "
				      "a1b2c3d4-e5f6-4711-8899-aabbccddeeff is unknown"},
		{"cn-umlaut", "cn-umlaut: no mapping: not-found: common_name"},
		{"cn-none", "cn-none: no mapping: no-identity: subject O=Example"},
		{"ext-entra-short",
		 "ext-entra-short: no mapping: conflict: 5f0e3b0a-6c1d-4a57-9b1e-0d3c2a4b5c6d in ext.entra belongs to"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct certdir_mappings *mappings = mappings_begin(CERTDIR_MAPPING_ISSUER_SERIAL);

		hand_in(mappings, cases[i].certificate, early);
		finish(mappings, 1, 0, 0);
		assert_string_equal(outcome(), "");
		if (!strstr(said, cases[i].said))
			fail_msg("%s: said \"%s\"", cases[i].certificate, said);
	}
}

/* An export of a whole CA has thousands of them, in each run. */
static void test_many_unmatched(void **state)
{
	struct certdir_mappings *mappings = mappings_begin(CERTDIR_MAPPING_ISSUER_SERIAL);

	(void)state;
	hand_in(mappings, "uri-aad-device-id", early);
	for (int i = 0; i < 29; i++)
		hand_in(mappings, "cn-umlaut", early);
	finish(mappings, 30, 0, 0);
	assert_string_equal(said,
			    "30 certificates are of no device of the list (uri-aad-device-id, cn-umlaut, cn-umlaut, "
			    "cn-umlaut, cn-umlaut, ..): no mapping; the first: not-found: entra_device_id "
			    "a1b2c3d4-e5f6-4711-8899-aabbccddeeff is unknown\n");
}

static void test_no_key_identifier(void **state)
{
	struct certdir_mappings *mappings = mappings_begin(CERTDIR_MAPPING_SKI);

	(void)state;
	hand_in(mappings, "ski-none", early);
	finish(mappings, 1, 0, 0);
	assert_int_equal(devices[0].ended.count, 0); /* what it has in other forms must not go for nothing */
	assert_string_equal(said,
			    "ski-none: no mapping: it has no subject key identifier: add issuer_serial or sha1_pukey "
			    "to mapping\n");
}

static void test_many_remarks(void **state)
{
	struct certdir_mappings *mappings = mappings_begin(CERTDIR_MAPPING_SKI);
	size_t lines = 0;

	(void)state;
	for (int i = 0; i < 30; i++)
		certdir_mappings_refuse(mappings, "file", "malformed-certificate: %s", "odd");
	finish(mappings, 30, 0, 0);
	for (const char *c = said; *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, 21);
	assert_non_null(strstr(said, "file: no mapping: malformed-certificate: odd\n"));
	assert_non_null(strstr(said, "and 10 more certificates without a mapping\n"));
}

static void test_too_long(void **state)
{
	struct certdir_mappings *mappings = mappings_begin(CERTDIR_MAPPING_ISSUER_SERIAL);
	struct certdir_certificate certificate;
	struct certdir_error error;

	(void)state;
	parse("cn-name", &certificate);
	free(certificate.issuer);
	certificate.issuer = malloc(40001);
	assert_non_null(certificate.issuer);
	memset(certificate.issuer, 'x', 40000);
	memcpy(certificate.issuer, "CN=", 3);
	certificate.issuer[40000] = '\0';
	assert_true(certdir_mappings_add(mappings, &certificate, "long", false, early, &error));
	certdir_certificate_clear(&certificate);
	finish(mappings, 1, 0, 0);
	assert_non_null(strstr(
		said, "long: no mapping: its issuer's name cannot be written in altSecurityIdentities, or only in "
		      "more than the 32767 characters"));
}

static void test_no_list(void **state)
{
	struct certdir_certificate certificate;
	struct certdir_mappings_report report;
	struct certdir_mappings *mappings;
	struct certdir_error error;

	(void)state;
	certdir_arena_clear(&arena);
	mappings = certdir_mappings_begin(&config, "/nonexistent/list", &wanted, &arena, &error);
	assert_non_null(mappings);
	parse("cn-name", &certificate);
	assert_false(certdir_mappings_add(mappings, &certificate, "x", false, early, &error));
	assert_non_null(strstr(error.text, "/nonexistent/list"));
	certdir_certificate_clear(&certificate);
	(void)certdir_mappings_finish(mappings, &report, &error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows_names),
		cmocka_unit_test(test_issuer_serial),
		cmocka_unit_test(test_same_as_login),
		cmocka_unit_test(test_valid_and_ended),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_revoked),
		cmocka_unit_test(test_renewed_with_the_same_key),
		cmocka_unit_test(test_sorted),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_unmatched),
		cmocka_unit_test(test_many_unmatched),
		cmocka_unit_test(test_no_key_identifier),
		cmocka_unit_test(test_many_remarks),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_no_list),
	};
	const int failed = cmocka_run_group_tests(tests, mappings_setup, fixture_teardown);

	certdir_arena_clear(&arena);
	return failed;
}
