/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of certificates: PEM, DER, CSV, whole, cut and hostile. The CLI is no library, so its file is compiled in here. */
#include "cli/placeholders_certificates.c"
#include "import/certificates_value.h"

#include "mappings_fixture.h"

/* ---- values in CSV ---- */

static void test_serial_numbers(void **state)
{
	static const struct {
		const char *text;
		bool hexadecimal;
		const char *serial; /* "-" and a part of the reason when it is refused */
	} cases[] = {
		{"1a2b", false, "1A2B"},
		{"0x1A2B", false, "1A2B"},
		{"0X1A2B", false, "1A2B"},
		{"1a:2b:3C", false, "1A2B3C"},
		{"1a 2b 3c", false, "1A2B3C"},
		{"12:34", false, "1234"},
		{"a", false, "0A"},
		{"0x123", false, "0123"},
		{"a12", false, "0A12"},
		{"00c0ffee", false, "C0FFEE"}, /* as the identity room writes cn-name's */
		{"00ff01", false, "FF01"},
		{"ff01", false, "FF01"},
		{"0000", false, "00"},
		{"00", false, "00"},
		{"0", false, "00"},
		{"0012", false, "12"},
		{"0x1234", false, "1234"},
		{"1234", false, "-nothing in the file shows"},
		{"1234", true, "1234"},
		{"123", true, "-a spreadsheet may have changed it"},
		{"1234567890123456", true, "1234567890123456"},
		{"123456789012345000", true, "-a spreadsheet may have changed it"},
		{"0x123456789012345000", true, "123456789012345000"},
		{"1.23E+20", true, "-a spreadsheet has rounded it"},
		{"1,23E+20", true, "-a spreadsheet has rounded it"},
		{"1E+20", true, "-a spreadsheet has rounded it"},
		{"12 345 678", false, "-nothing in the file shows"},
		{"12g4", true, "-no hexadecimal number"},
		{"0x", true, "-no number"},
		{":", true, "-no number"},
		{"a1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4", true, "-too long"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *why = "";
		char serial[48];
		const bool ok = certdir_serial_parse(cases[i].text, cases[i].hexadecimal, serial, sizeof(serial), &why);

		if (ok ? strcmp(serial, cases[i].serial) != 0
		       : cases[i].serial[0] != '-' || !strstr(why, cases[i].serial + 1))
			fail_msg("\"%s\": expected %s, found %s", cases[i].text, cases[i].serial, ok ? serial : why);
	}
}

static void test_validity(void **state)
{
	enum { NEW_YEAR_2027 = 1798761600, HALF = 43200 };
	static const struct {
		const char *text;
		int64_t seconds; /* 0: refused */
	} cases[] = {
		{"2027-01-01T00:00:00Z", NEW_YEAR_2027},
		{"2027-01-01T02:00:00+02:00", NEW_YEAR_2027},
		{"/Date(1798761600000)/", NEW_YEAR_2027},
		/* Of no zone: as late as it can mean. */
		{"2027-01-01T00:00:00", NEW_YEAR_2027 + HALF},
		{"2027-01-01 00:00", NEW_YEAR_2027 + HALF},
		{"2027-01-01", NEW_YEAR_2027 + HALF + 86400},
		{"01.01.2027", NEW_YEAR_2027 + HALF + 86400},
		{"1.1.2027 0:00", NEW_YEAR_2027 + HALF},
		{"01.01.2027 00:00:07", NEW_YEAR_2027 + HALF + 7},
		{"31.01.2027 10:30:00", NEW_YEAR_2027 + HALF + 30 * 86400 + 37800},
		{"1/31/2027 10:30:00 AM", NEW_YEAR_2027 + HALF + 30 * 86400 + 37800},
		{"1/31/2027 10:30 PM", NEW_YEAR_2027 + HALF + 30 * 86400 + 37800 + HALF},
		{"1/1/2027 12:00 AM", NEW_YEAR_2027 + HALF},
		{"1/1/2027 12:00 pm", NEW_YEAR_2027 + HALF + HALF},
		{"1/1/2027 12:00:00\xe2\x80\xaf"
		 "AM",
		 NEW_YEAR_2027 + HALF},
		{"1/31/2027 10:30:00", 0},
		{"1/31/2027", 0},
		{"31/1/2027 10:30:00 AM", 0},
		{"1/1/2027 13:00 PM", 0},
		{"1/1/2027 0:00 AM", 0},
		{"32.1.2027", 0},
		{"29.2.2027", 0},
		{"1.13.2027", 0},
		{"1.1.27", 0},
		{"1.1.2027 25:00", 0},
		{"1.1.2027 10", 0},
		{"1.1.2027 10:00 x", 0},
		{"0001-01-01T00:00:00", 0},
		{"46388", 0},
		{"", 0},
		{"soon", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int64_t seconds = 0;
		const char *why = NULL;
		const bool ok = certdir_validity_parse(cases[i].text, &seconds, &why);

		if (ok != (cases[i].seconds != 0) || (ok && seconds != cases[i].seconds) || (!ok && !why))
			fail_msg("\"%s\": expected %lld, found %lld", cases[i].text, (long long)cases[i].seconds,
				 ok ? (long long)seconds : 0);
	}
}

/* ---- files ---- */

static void write_file(const char *name, const void *bytes, size_t length, char path[128])
{
	FILE *out;

	(void)snprintf(path, 128, "%s/%s", fixture_directory, name);
	out = fopen(path, "wb");
	assert_non_null(out);
	assert_int_equal(fwrite(bytes, 1, length, out), length);
	assert_int_equal(fclose(out), 0);
}

/* Reads one path. The outcome, or "!" and the error, of which the directory's name is cut. */
static const char *read_path(const char *path, enum certdir_mapping_form form, int64_t now)
{
	static char text[CERTDIR_TEXT_MAX + 1];
	const char *paths[] = {path, NULL};
	struct certdir_mappings *mappings = mappings_begin(form);
	struct certdir_mappings_report report;
	struct certdir_error error, ignored;
	const size_t prefix = strlen(fixture_directory) + 1;
	bool ok;

	config.certificates = paths;
	ok = certdir_cli_placeholders_certificates(&config, mappings, now, &error);
	assert_true(certdir_mappings_finish(mappings, &report, &ignored));
	if (ok)
		return outcome();
	(void)snprintf(text, sizeof(text), "!%s",
		       strncmp(error.text, fixture_directory, prefix - 1) == 0 ? error.text + prefix : error.text);
	return text;
}

static const char *read_bytes(const char *name, const void *bytes, size_t length, enum certdir_mapping_form form)
{
	char path[128];

	write_file(name, bytes, length, path);
	return read_path(path, form, early);
}

static const char *read_text(const char *name, const char *text)
{
	return read_bytes(name, text, strlen(text), CERTDIR_MAPPING_ISSUER_SERIAL);
}

#define SPKI CERTDIR_MAPPING_SHA1_PUKEY
#define HEAD "SerialNumber,Issuer,CommonName,NotAfter\n"
#define ISSUER "\"CN=CA, DC=example, DC=com\""
#define MAPPED "X509:<I>DC=com,DC=example,CN=CA<SR>"
#define UNTIL "2030-01-01T00:00:00Z"

static const struct {
	const char *csv, *outcome; /* after "!" a part of the error */
} tables[] = {
	{HEAD "1a2b," ISSUER ",PC01," UNTIL "\n", "1 " MAPPED "2B1A;"},
	{HEAD "1a2b," ISSUER ",PC01,2020-01-01\n", "1 ended " MAPPED "2B1A;"},
	{HEAD "1a2b," ISSUER ",PC01," UNTIL "\r\n3c4d," ISSUER ",PC02," UNTIL "\r\n",
	 "1 " MAPPED "2B1A;2 " MAPPED "4D3C;"},
	/* a decimal one is hexadecimal when another shows it */
	{HEAD "1234," ISSUER ",PC01," UNTIL "\n3c4d," ISSUER ",PC02," UNTIL "\n", "1 " MAPPED "3412;2 " MAPPED "4D3C;"},
	{HEAD "1234," ISSUER ",PC01," UNTIL "\n", "!line 2: serial number \"1234\" has decimal digits only"},
	{HEAD "1.23E+20," ISSUER ",PC01," UNTIL "\n",
	 "!line 2: serial number \"1.23E+20\" a spreadsheet has rounded it"},
	/* certutil, in English; EMPTY is none; a request that was denied has no certificate */
	{"\"Serial Number\",\"Issued Common Name\",\"Certificate Expiration Date\"\n\"1a2b\",\"PC01\",\"1/31/2030 "
	 "10:00 "
	 "AM\"\n\"EMPTY\",\"PC02\",\"EMPTY\"\n",
	 "1 X509:<I>DC=net,CN=From Config<SR>2B1A;"},
	/* PowerShell's Export-Csv as it is, German, with what it writes in place of lists */
	{"#TYPE "
	 "System.Security.Cryptography.X509Certificates.X509Certificate2\r\n\"DnsNameList\";\"IssuerName\";"
	 "\"NotAfter\";"
	 "\"RawData\";\"SerialNumber\";\"Issuer\";\"Subject\"\r\n\"System.Collections.Generic.List`1[Microsoft.X]\";"
	 "\"System.Security.Cryptography.X509Certificates.X500DistinguishedName\";\"31.01.2030 "
	 "10:00:00\";\"System.Byte[]\";"
	 "\"1A2B\";\"CN=CA, DC=example, DC=com\";\"CN=PC01, O=Example\"\r\n",
	 "1 " MAPPED "2B1A;"},
	{"serial number;issuer distinguished name;subject;expires\n1a2b;CN=CA,DC=example,DC=com;CN=PC01;" UNTIL "\n",
	 "1 " MAPPED "2B1A;"},
	/* what the CA's database says of it; of a request no certificate came; a word that nobody knows maps nothing, and takes nothing away */
	{"Disposition," HEAD "\"21 -- Revoked\",1a2b," ISSUER ",PC01," UNTIL "\n20 -- Issued,3c4d," ISSUER
	 ",PC02," UNTIL "\n",
	 "1 ended " MAPPED "2B1A;2 " MAPPED "4D3C;"},
	{"Request Disposition," HEAD "0x15 (21) -- Gesperrt,1a2b," ISSUER ",PC01," UNTIL
	 "\n0x14 (20) -- Ausgestellt,3c4d," ISSUER ",PC02," UNTIL "\n30 -- Failed,5e6f," ISSUER ",OTHER," UNTIL "\n",
	 "1 ended " MAPPED "2B1A;2 " MAPPED "4D3C;"},
	{"Status," HEAD "REVOKED (key compromise),1a2b," ISSUER ",PC01," UNTIL "\nvalid,3c4d," ISSUER ",PC02," UNTIL
	 "\n,5e6f," ISSUER ",OTHER," UNTIL "\nunrevoked,7a8b," ISSUER ",PC01," UNTIL "\n",
	 "1 ended " MAPPED "2B1A;2 " MAPPED "4D3C;5 " MAPPED "6F5E;"},
	/* issued before the device was registered: an older one's, unless it names the device by its id */
	{"NotBefore," HEAD "2027-05-30T23:59:59Z,1a2b," ISSUER ",LATE," UNTIL "\n2027-05-31T00:00:01Z,3c4d," ISSUER
	 ",LATE," UNTIL "\n",
	 "6 " MAPPED "4D3C;"},
	{"NotBefore," HEAD "2027-05-31 11:59,1a2b," ISSUER ",LATE," UNTIL "\n2027-05-31 12:01,3c4d," ISSUER
	 ",LATE," UNTIL "\n2026-01-01,5e6f," ISSUER ",LATE," UNTIL "\n,7a8b," ISSUER ",LATE," UNTIL "\n",
	 "6 " MAPPED "4D3C;6 " MAPPED "6F5E;6 " MAPPED "8B7A;"},
	{"SerialNumber,SubjectAlternativeName,NotAfter,NotBefore\n1a2b,URL=AAD_Device_ID:" KEY_LATE "," UNTIL
	 ",2025-01-01T00:00:00Z\n",
	 "6 X509:<I>DC=net,CN=From Config<SR>2B1A;"},
	{"NotBefore," HEAD "1/2/2027 10:00,1a2b," ISSUER ",PC01," UNTIL "\n",
	 "!line 2: beginning of validity \"1/2/2027 10:00\" does not say which is the month"},
	/* names */
	{"SerialNumber,DnsNames,NotAfter\n1a2b,\"pc01.example.com, pc01\"," UNTIL "\n",
	 "1 X509:<I>DC=net,CN=From Config<SR>2B1A;"},
	{"SerialNumber,SubjectAlternativeName,NotAfter\n1a2b,\"URL=AAD_Device_ID:" KEY_CN ", DNS Name=other\"," UNTIL
	 "\n",
	 "5 X509:<I>DC=net,CN=From Config<SR>2B1A;"},
	{"SerialNumber,SubjectAlternativeName,NotAfter\n1a2b,\"Other Name:\r\n     Principal Name=host/pc02\r\nIP "
	 "Address=192.0.2.1\r\n\"," UNTIL "\n",
	 "2 X509:<I>DC=net,CN=From Config<SR>2B1A;"},
	{"SerialNumber,CommonName,NotAfter\n1a2b,\"Example GmbH\nPC02\"," UNTIL "\n",
	 "2 X509:<I>DC=net,CN=From Config<SR>2B1A;"},
	{HEAD "1a2b," ISSUER ",TWIN," UNTIL "\n", ""},
	{HEAD "1a2b," ISSUER ",PC\\30," UNTIL "\n", ""},
	{"SerialNumber,Subject,NotAfter\n1a2b,PC01," UNTIL "\n", ""},
	/* issuers */
	{HEAD "1a2b,\"CN=CA, O=\"\"Example, Inc.\"\", S=Bayern\",PC01," UNTIL "\n",
	 "1 X509:<I>S=Bayern,O=\"Example, Inc.\",CN=CA<SR>2B1A;"},
	{HEAD "1a2b,\"DC=com, DC=example, CN=CA\",PC01," UNTIL "\n",
	 "!line 2: issuer \"DC=com, DC=example, CN=CA\" is written"},
	{HEAD "1a2b,My CA,PC01," UNTIL "\n", "!line 2: issuer \"My CA\" is no distinguished name"},
	/* what is not there, or not whole */
	{"", "!is empty"},
	{HEAD, "!has no certificate below its header"},
	{"a,b\n1,2\n", "!line 1: no column with certificates"},
	{"SerialNumber,NotAfter\n1a2b," UNTIL "\n", "!line 1: no column with names"},
	{"SerialNumber,CommonName\n1a2b,PC01\n", "!line 1: no column with the end of validity"},
	{"SerialNumber,Serial Number,CommonName,NotAfter\n", "!line 1: column \"Serial Number\" stands twice"},
	{HEAD "1a2b," ISSUER ",PC01\n", "!line 2: has 3 fields, the header has 4: is the file cut short?"},
	{HEAD "1a2b,\"CN=CA", "!line 2: field 2: its quote is not closed"},
	{HEAD "\n\n1a2b," ISSUER ",PC01,1/2/2030\n",
	 "!line 4: end of validity \"1/2/2030\" does not say which is the month"},
	{HEAD "1a2b," ISSUER ",PC01,\n", "!line 2: no end of validity"},
	{HEAD "," ISSUER ",PC01," UNTIL "\n", "!line 2: no serial number"},
	{"SerialNumber,CommonName,NotAfter,RawCertificate\n1a2b,PC01," UNTIL ",AAAA\n",
	 "!line 2: is no X.509 certificate"},
	{"RawCertificate\n-----BEGIN CERTIFICATE-----MIIB\n", "!line 2: the certificate that begins here is damaged"},
};

static void test_csv(void **state)
{
	(void)state;
	config.certificate_issuer = "CN=From Config,DC=net";
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		const char *found = read_text("table.csv", tables[i].csv), *expected = tables[i].outcome;

		if (expected[0] == '!') {
			if (strncmp(found, "!table.csv", 10) != 0 || !strstr(found + 10, expected + 1))
				fail_msg("%s\n  expected %s\n  found    %s", tables[i].csv, expected, found);
		} else if (strcmp(found, expected) != 0) {
			fail_msg("%s\n  expected %s\n  found    %s\n  said %s", tables[i].csv, expected, found, said);
		}
	}
	config.certificate_issuer = NULL;
	assert_non_null(strstr(read_text("t.csv", "SerialNumber,CommonName,NotAfter\n1a2b,PC01," UNTIL "\n"),
			       "t.csv line 2: no issuer: export the column Issuer, too, or set certificate_issuer"));
	assert_non_null(strstr(read_bytes("t.csv", HEAD, strlen(HEAD), SPKI),
			       "t.csv line 1: has no certificates, only their serial numbers"));
}

static const char *const read_as[] = {"certificate.cer", "certificate.pem", "table.csv", "noname"};

static char *base64(const unsigned char *bytes, size_t length)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *text = malloc(length / 3 * 4 + 5), *at = text;

	assert_non_null(text);
	for (size_t i = 0; i < length; i += 3) {
		const unsigned bits = (unsigned)bytes[i] << 16 | (i + 1 < length ? (unsigned)bytes[i + 1] << 8 : 0) |
				      (i + 2 < length ? bytes[i + 2] : 0);

		*at++ = digits[bits >> 18];
		*at++ = digits[bits >> 12 & 63];
		*at++ = i + 1 < length ? digits[bits >> 6 & 63] : '=';
		*at++ = i + 2 < length ? digits[bits & 63] : '=';
	}
	*at = '\0';
	return text;
}

/* The first "@" of `form` becomes cn-name in base64. */
static char *with_certificate(const char *form)
{
	static struct der der;
	const char *at = strchr(form, '@');
	char *encoded, *text;

	load_der("cn-name", &der);
	encoded = base64(der.bytes, der.length);
	assert_non_null(at);
	assert_true(asprintf(&text, "%.*s%s%s", (int)(at - form), form, encoded, at + 1) > 0);
	free(encoded);
	return text;
}

static void test_certificates(void **state)
{
	static const char *const forms[] = {
		"-----BEGIN CERTIFICATE-----\n@\n-----END CERTIFICATE-----\n",
		"Schema:\r\n  Column Name\r\n  ------\r\n\r\nRow 1:\r\n  Binary Certificate:\r\n-----BEGIN "
		"CERTIFICATE-----\r\n@\r\n-----END CERTIFICATE-----\r\n\r\nCertUtil: -view command completed "
		"successfully.\r\n",
		"Name,RawCertificate\nx,@\n",
		"\"Request ID\",\"Binary Certificate\"\n\"1\",\"-----BEGIN CERTIFICATE-----\r\n@\r\n-----END "
		"CERTIFICATE-----\r\n\"\n\"2\",\"EMPTY\"\n",
		"SerialNumber;RawData;CommonName\n1234;@;PC02\n",
	};
	/* The top bit of its serial number is set. */
	static const char expected[] =
		"1 X509:<I>CN=certdir test CA<SR>EEFFC0;1 X509:<I>CN=certdir test CA<SR>EEFFC000;";
	static struct der der;

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		char *text = with_certificate(forms[i]);

		for (size_t n = i < 2 ? 0 : 2; n < (i < 2 ? 2 : 4); n++)
			assert_string_equal(read_text(read_as[n], text), expected);
		free(text);
	}
	load_der("cn-name", &der);
	assert_string_equal(read_bytes("certificate.der", der.bytes, der.length, CERTDIR_MAPPING_ISSUER_SERIAL),
			    expected);
	assert_non_null(strstr(read_bytes("certificate.der", der.bytes, der.length - 1, CERTDIR_MAPPING_ISSUER_SERIAL),
			       "!certificate.der: is no X.509 certificate, or one that is cut short"));
	/* A device's odd name is that device's, and not the end of all. */
	load_der("cn-nul", &der);
	assert_string_equal(read_bytes("odd.der", der.bytes, der.length, CERTDIR_MAPPING_ISSUER_SERIAL), "");
	assert_non_null(strstr(said, "odd.der: no mapping: malformed-certificate: subject CN 1: NUL byte inside"));
	load_der("cn-bmp-odd", &der);
	assert_string_equal(read_bytes("odd.der", der.bytes, der.length, CERTDIR_MAPPING_ISSUER_SERIAL), "");
	assert_non_null(strstr(said, "odd.der: no mapping: malformed-certificate: certificate: not an X.509"));
}

/* UTF-16 as Windows PowerShell's ">" writes it. */
static void test_utf16(void **state)
{
	char *text = with_certificate("-----BEGIN CERTIFICATE-----\r\n@\r\n-----END CERTIFICATE-----\r\n");
	const size_t length = strlen(text);
	char *wide = malloc(2 * length + 2);

	(void)state;
	assert_non_null(wide);
	memcpy(wide, "\xff\xfe", 2);
	for (size_t i = 0; i < length; i++) {
		wide[2 * i + 2] = text[i];
		wide[2 * i + 3] = '\0';
	}
	assert_string_equal(read_bytes("a.txt", wide, 2 * length + 2, CERTDIR_MAPPING_SKI), "1 X509:<SKI>0102030405;");
	free(wide);
	free(text);
}

/*
 * A certificate and another that is cut anywhere: an error, unless the cut lies behind the first one, where nobody can see
 * it. Never more than is there, never a crash; valgrind and the sanitizers look on.
 */
static void test_cut_pem(void **state)
{
	char *one = with_certificate("-----BEGIN CERTIFICATE-----\n@\n-----END CERTIFICATE-----\n");
	const size_t first = strlen(one);
	char *two;

	(void)state;
	assert_true(asprintf(&two, "%s%s", one, one) > 0);
	for (size_t length = first - 1; length < 2 * first; length++) {
		const bool whole = length == first || length == first - 1 || length == 2 * first - 1;
		const char *found = read_bytes("cut.pem", two, length, CERTDIR_MAPPING_SKI);

		if (whole ? strcmp(found, "1 X509:<SKI>0102030405;") != 0 : strncmp(found, "!cut.pem", 8) != 0)
			fail_msg("cut at %zu of %zu: %s", length, 2 * first, found);
	}
	free(two);
	free(one);
}

/* A table cut anywhere, with every byte once something else: an outcome or an error, never a mapping of somebody else. */
static void test_hostile_csv(void **state)
{
	static const char table[] = "Serial Number,Issuer,Common Name,Subject,DnsNames,NotAfter,RawCertificate\r\n"
				    "0x1a2b," ISSUER ",PC01,\"CN=PC01,O=\"\"x\"\"\",\"DNS Name=pc01, URL=a:b\"," UNTIL
				    ",\r\n3c:4d," ISSUER ",PC02,,pc02;pc02.example.com,1/31/2030 1:00 PM,EMPTY\r\n";
	static const char bytes[] = {'\0', '"', ',', '\xff'};
	char *copy = malloc(sizeof(table));

	(void)state;
	assert_non_null(copy);
	assert_string_equal(read_text("table.csv", table), "1 " MAPPED "2B1A;2 " MAPPED "4D3C;");
	for (size_t length = 0; length < sizeof(table) - 1; length++) {
		const char *found = read_bytes("table.csv", table, length, CERTDIR_MAPPING_ISSUER_SERIAL);

		if (found[0] == '!' ? strncmp(found, "!table.csv", 10) != 0
				    : strncmp(found, "1 " MAPPED "2B1A;", 30) != 0)
			fail_msg("cut at %zu: %s", length, found);
	}
	for (size_t at = 0; at < sizeof(table) - 1; at++)
		for (size_t b = 0; b < sizeof(bytes); b++) {
			const char *found;

			memcpy(copy, table, sizeof(table));
			copy[at] = bytes[b];
			found = read_bytes("table.csv", copy, sizeof(table) - 1, CERTDIR_MAPPING_ISSUER_SERIAL);
			assert_true(found[0] == '!' ||
				    !(strstr(found, "3 X509") || strstr(found, "4 X509") || strstr(found, "5 X509")));
		}
	free(copy);
}

static void test_directory(void **state)
{
	char directory[96], path[128], *text;

	(void)state;
	(void)snprintf(directory, sizeof(directory), "%s/certs", fixture_directory);
	assert_int_equal(mkdir(directory, 0700), 0);
	assert_non_null(strstr(read_path(directory, CERTDIR_MAPPING_SKI, early), "certs: no files in this directory"));
	(void)snprintf(path, sizeof(path), "%s/deeper", directory);
	assert_int_equal(mkdir(path, 0700), 0);
	write_file("certs/.hidden", "junk", 4, path);
	write_file("certs/deeper/x", "junk", 4, path);
	assert_non_null(strstr(read_path(directory, CERTDIR_MAPPING_SKI, early), "certs: no files in this directory"));
	text = with_certificate("-----BEGIN CERTIFICATE-----\n@\n-----END CERTIFICATE-----\n");
	write_file("certs/b.pem", text, strlen(text), path);
	write_file("certs/a.csv", HEAD "1a2b," ISSUER ",PC02," UNTIL "\n", strlen(HEAD ISSUER UNTIL) + 12, path);
	assert_string_equal(read_path(directory, CERTDIR_MAPPING_ISSUER_SERIAL, early),
			    "1 X509:<I>CN=certdir test CA<SR>EEFFC0;1 X509:<I>CN=certdir test CA<SR>EEFFC000;2 " MAPPED
			    "2B1A;");
	write_file("certs/c.txt", "README\n", 7, path);
	assert_non_null(strstr(read_path(directory, CERTDIR_MAPPING_ISSUER_SERIAL, early),
			       "!certs/c.txt: holds no certificate"));
	write_file("certs/c.txt", "", 0, path);
	assert_non_null(strstr(read_path(directory, CERTDIR_MAPPING_ISSUER_SERIAL, early),
			       "!certs/c.txt: holds no certificate"));
	assert_non_null(strstr(read_path("/nonexistent/x", CERTDIR_MAPPING_SKI, early),
			       "!certificates = /nonexistent/x cannot be read: No such file or directory"));
	assert_non_null(strstr(read_path("/dev/null", CERTDIR_MAPPING_SKI, early), "neither a file nor a directory"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_serial_numbers), cmocka_unit_test(test_validity),	 cmocka_unit_test(test_csv),
		cmocka_unit_test(test_certificates),   cmocka_unit_test(test_utf16),	 cmocka_unit_test(test_cut_pem),
		cmocka_unit_test(test_hostile_csv),    cmocka_unit_test(test_directory),
	};
	const int failed = cmocka_run_group_tests(tests, mappings_setup, fixture_teardown);

	certdir_arena_clear(&arena);
	return failed;
}
