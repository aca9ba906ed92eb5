/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of issued certificates: columns, rows, what is cut; and the zip that a report comes in. */
#include "import/csv.h"
#include "import/issued.h"
#include "import/zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEADER "Thumbprint,SerialNumber,IssuerName,DeviceId,UserId,UPN,ValidFrom,ValidTo,CertificateStatus,PolicyId\r\n"
#define PRINT_A "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define DEVICE "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
#define TIMES "2026-01-01 10:00:00.0000000,2027-01-01 10:00:00.0000000"
#define ROW PRINT_A ",4D01,\"CN=CA, O=Contoso\"," DEVICE ",,a@b.example," TIMES ",issued,p\r\n"

/* ---- reading, and what came of it as a text ---- */

struct read {
	bool ok;
	char rows[4096]; /* "thumbprint|issuer|serial|device|upn|from|to|status|revoked;" */
	struct certdir_issued_counts counts;
	struct certdir_error error;
	const char *refuses; /* a thumbprint that is not stored */
};

static const char *or_none(const char *text)
{
	return text ? text : "-";
}

static bool take(void *context, const struct certdir_issued *row, bool *taken, struct certdir_error *error)
{
	struct read *read = context;
	const size_t used = strlen(read->rows);

	*taken = !read->refuses || strcmp(read->refuses, row->thumbprint) != 0;
	if (!*taken)
		certdir_error_set(error, "not that one");
	else
		(void)snprintf(read->rows + used, sizeof(read->rows) - used, "%.4s|%s|%s|%.8s|%s|%lld|%lld|%s|%d;",
			       or_none(row->thumbprint), or_none(row->issuer), or_none(row->serial),
			       or_none(row->intune_device_id), or_none(row->upn), (long long)row->not_before,
			       (long long)row->not_after, or_none(row->status), row->revoked);
	return true;
}

/* piece: bytes that are handed in at a time. */
static void read_pieces(struct read *read, const char *text, size_t length, size_t piece)
{
	struct certdir_issued_reader *reader = certdir_issued_open(take, read, &read->error);

	read->ok = true;
	for (size_t at = 0; at < length && read->ok; at += piece)
		read->ok = certdir_issued_bytes(reader, text + at, at + piece < length ? piece : length - at,
						&read->error);
	read->ok = read->ok && certdir_issued_end(reader, &read->counts, &read->error);
	certdir_issued_close(reader);
}

static void read_text(struct read *read, const char *text)
{
	read_pieces(read, text, strlen(text), strlen(text) + 1);
}

#define CA "CN=CA, O=Contoso"
#define READ "AAAA|" CA "|4D01|3f2504e0|a@b.example|1767261600|1798797600|"

static void test_tables(void **state)
{
	static const struct {
		const char *text, *rows, *remarks; /* rows NULL: refused, and remarks is in the error */
	} cases[] = {
		{HEADER ROW, READ "issued|0;", ""},
		{"\xef\xbb\xbf" HEADER ROW, READ "issued|0;", ""},
		{HEADER, "", ""},
		{"CertificateStatus_loc;CertificateStatus;Valid To;Device ID;THUMBPRINT\nRevoked;3;2027-01-01;" DEVICE
		 ";" PRINT_A "\n",
		 "AAAA|-|-|3f2504e0|-|0|1798761600|revoked|1;", ""},
		{"CertificateStatus,ValidTo,DeviceId,Thumbprint\nfailed,2027-01-01,," PRINT_A "\n",
		 "AAAA|-|-|-|-|0|1798761600|failed|1;", ""},
		{"CertificateStatus,ValidTo,DeviceId,Thumbprint\nRevokePending,2027-01-01,," PRINT_A "\n",
		 "AAAA|-|-|-|-|0|1798761600|revokePending|1;", ""},
		{"CertificateStatus,ValidTo,DeviceId,Thumbprint\nwhat,2027-01-01," DEVICE "," PRINT_A "\n",
		 "AAAA|-|-|3f2504e0|-|0|1798761600|what|0;", "1 rows have a status that is not known (\"what\")"},
		{"CertificateStatus,ValidTo,DeviceId,Thumbprint\nissued,2027-01-01,," PRINT_A "\n", "",
		 "1 rows name no device and no user"},
		{"CertificateStatus,ValidTo,DeviceId,Thumbprint\nissued,soon," DEVICE "," PRINT_A "\nissued\n"
		 "issued,2027-01-01," DEVICE "," PRINT_A "\n",
		 "AAAA|-|-|3f2504e0|-|0|1798761600|issued|0;",
		 "2 rows were left out, the first: line 2: ValidTo \"soon\""},
		{"SerialNumber,Issuer,DeviceId,ValidTo,Status\n12:34,CN=CA," DEVICE ",2027-01-01,valid\n",
		 "-|CN=CA|1234|3f2504e0|-|0|1798761600|valid|0;", ""},
		{"SerialNumber,Issuer,DeviceId,ValidTo,Status\n1.2E+10,CN=CA," DEVICE ",2027-01-01,valid\n", "",
		 "a spreadsheet has rounded it"},
		{"", NULL, "is empty"},
		{"Thumbprint,ValidTo,CertificateStatus\n", NULL, "no column DeviceId"},
		{"DeviceId,ValidTo,CertificateStatus\n", NULL, "no column Thumbprint"},
		{"DeviceId,SerialNumber,ValidTo,CertificateStatus\n", NULL, "no column IssuerName"},
		{"DeviceId,Thumbprint,CertificateStatus\n", NULL, "no column ValidTo"},
		{"DeviceId,Thumbprint,ValidTo\n", NULL, "no column CertificateStatus"},
		{HEADER "\"" PRINT_A, NULL, "is the file cut short?"},
		{HEADER PRINT_A ",4D01", NULL, "line 2, the last, is cut short"},
		{HEADER "\"a\"b,\r\n" ROW, NULL, "line 2: field 1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct read read = {.ok = false};
		char remarks[CERTDIR_TEXT_MAX];

		read_text(&read, cases[i].text);
		if (!cases[i].rows) {
			assert_false(read.ok);
			assert_non_null(strstr(read.error.text, cases[i].remarks));
			continue;
		}
		assert_string_equal(read.ok ? read.rows : read.error.text, cases[i].rows);
		assert_non_null(strstr(certdir_issued_remarks(&read.counts, remarks), cases[i].remarks));
		assert_int_equal(!*cases[i].remarks, !*remarks);
	}
}

/* CertificateStatus and its word for people, what is stored, whether it is a "no", what is told. */
static void test_states(void **state)
{
	static const struct {
		const char *own, *shown, *stored;
		bool no;
		const char *told;
	} cases[] = {
		{"0", "", "unknown", false, ""},
		{"1", "", "challengeIssued", false, ""},
		{"2", "", "challengeIssueFailed", true, ""},
		{"3", "", "requestCreationFailed", true, ""},
		{"4", "", "requestSubmitFailed", true, ""},
		{"5", "", "challengeValidationSucceeded", false, ""},
		{"6", "", "challengeValidationFailed", true, ""},
		{"7", "", "issueFailed", true, ""},
		{"8", "", "issuePending", false, ""},
		{"9", "", "issued", false, ""},
		{"10", "", "responseProcessingFailed", false, ""},
		{"11", "", "responsePending", false, ""},
		{"12", "", "enrollmentSucceeded", false, ""},
		{"13", "", "enrollmentNotNeeded", false, ""},
		{"14", "", "revoked", true, ""},
		{"15", "", "removedFromCollection", false, ""},
		{"16", "", "renewVerified", false, ""},
		{"17", "", "installFailed", false, ""},
		{"18", "", "installed", false, ""},
		{"19", "", "deleteFailed", false, ""},
		{"20", "", "deleted", true, ""},
		{"21", "", "renewalRequested", false, ""},
		{"22", "", "requested", false, ""},
		{"23", "", "23", false, "(\"23\")"},
		{"99999999999999999999", "", "99999999999999999999", false, "(\"99999999999999999999\")"},
		{"revoked", "Widerrufen", "revoked", true, ""},
		{"issued", "Ausgestellt", "issued", false, ""},
		{"ISSUEFAILED", "", "issueFailed", true, ""},
		{"Challenge Validation Failed", "", "challengeValidationFailed", true, ""},
		{"14", "Widerrufen", "revoked", true, ""},
		{"9", "Ausgestellt", "issued", false, ""},
		/* Another numbering than the one above: the word says what is meant. */
		{"4", "Revoked", "revoked", true, ""},
		{"2", "Issued", "issued", false, ""},
		{"", "Revoked", "revoked", true, ""},
		{"Active", "", "Active", false, ""},
		{"Failed", "", "failed", true, ""},
		{"on hold", "", "on hold", true, ""},
		{"Widerrufen", "", "Widerrufen", false, "(\"Widerrufen\") and count as issued"},
		{"99", "Fini", "Fini", false, "(\"Fini\")"},
		{"revoked?", "", "revoked?", true, ""},
		{"not revoked", "", "not revoked", false, "(\"not revoked\")"},
		{"did not fail", "", "did not fail", false, "(\"did not fail\")"},
		{"issue\x1b[m", "", "issue\x1b[m", false, "(\"issue"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct read read = {.ok = false};
		char text[300], wanted[100], remarks[CERTDIR_TEXT_MAX];

		(void)snprintf(
			text, sizeof(text),
			"CertificateStatus,CertificateStatus_loc,ValidTo,DeviceId,Thumbprint\n%s,%s,2027-01-01," DEVICE
			"," PRINT_A "\n",
			cases[i].own, cases[i].shown);
		(void)snprintf(wanted, sizeof(wanted), "|%s|%d;", cases[i].stored, cases[i].no);
		read_text(&read, text);
		assert_true(read.ok);
		assert_string_equal(read.rows + strlen(read.rows) - strlen(wanted), wanted);
		assert_non_null(strstr(certdir_issued_remarks(&read.counts, remarks), cases[i].told));
		assert_int_equal(!*cases[i].told, !*remarks);
		assert_null(strchr(remarks, 0x1b));
	}
}

/* Numbers of a CA's database are not Intune's: 20 is issued there, and deleted here; 21 is revoked. */
static void test_states_of_a_ca(void **state)
{
	struct read read = {.ok = false};

	(void)state;
	read_text(&read, "Status,ValidTo,DeviceId,Thumbprint\n20,2027-01-01," DEVICE "," PRINT_A
			 "\n21,2027-01-01," DEVICE "," PRINT_A "\n");
	assert_string_equal(read.rows, "AAAA|-|-|3f2504e0|-|0|1798761600|20|0;AAAA|-|-|3f2504e0|-|0|1798761600|21|1;");
}

/* Each word that is not known is told, once. */
static void test_words_that_are_not_known(void **state)
{
	struct read read = {.ok = false};
	char text[4096] = HEADER, remarks[CERTDIR_TEXT_MAX];
	static const char *const words[] = {"Widerrufen", "Fini", "Widerrufen", "Fin"};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
			       PRINT_A ",4D01,CN=CA," DEVICE ",,," TIMES ",%s,p\r\n", words[i]);
	read_text(&read, text);
	assert_string_equal(
		certdir_issued_remarks(&read.counts, remarks),
		"4 rows have a status that is not known (\"Widerrufen\", \"Fini\", \"Fin\") and count as issued");
}

static void test_a_row_that_is_not_stored(void **state)
{
	struct read read = {.refuses = PRINT_A};

	(void)state;
	read_text(&read, HEADER ROW ROW);
	assert_true(read.ok);
	assert_int_equal(read.counts.rows, 2);
	assert_int_equal(read.counts.refused, 2);
	assert_string_equal(read.counts.why, "line 2: not that one");
}

/* A window's end may be anywhere: in a quote, between CR and LF. A million rows need no more than a window. */
static void test_windows(void **state)
{
	enum { ROWS = 30000 };
	const size_t head = strlen(HEADER), row = strlen(ROW);
	char *text = malloc(head + ROWS * row + 1), *at = stpcpy(text, HEADER);

	(void)state;
	for (int i = 0; i < ROWS; i++)
		at = stpcpy(at, ROW);
	for (size_t piece = 1; piece < 100000; piece = piece * 7 + 1) {
		struct read read = {.ok = false};

		read_pieces(&read, text, head + ROWS * row, piece);
		assert_true(read.ok);
		assert_int_equal(read.counts.rows, ROWS);
		assert_int_equal(read.counts.refused, 0);
	}
	free(text);
}

static void test_which_text_is_one(void **state)
{
	(void)state;
	assert_true(certdir_issued_is(HEADER, strlen(HEADER)));
	assert_true(certdir_issued_is("device id;serial number\n", 24));
	assert_false(certdir_issued_is("Serial Number,Issuer\n", 21));
	assert_false(certdir_issued_is("", 0));
}

/* ---- zips ---- */

struct zipped {
	char bytes[8192];
	size_t length;
};

static void zip_begin(struct zipped *zipped, struct archive **archive)
{
	*archive = archive_write_new();
	assert_int_equal(archive_write_set_format_zip(*archive), ARCHIVE_OK);
	assert_int_equal(archive_write_set_bytes_per_block(*archive, 0), ARCHIVE_OK);
	assert_int_equal(archive_write_open_memory(*archive, zipped->bytes, sizeof(zipped->bytes), &zipped->length),
			 ARCHIVE_OK);
}

static void zip_add(struct archive *archive, const char *name, const char *content)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, name);
	archive_entry_set_size(entry, (la_int64_t)strlen(content));
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
	assert_int_equal(archive_write_data(archive, content, strlen(content)), strlen(content));
	archive_entry_free(entry);
}

static void zip_one(struct zipped *zipped, const char *name, const char *content)
{
	struct archive *archive;

	zip_begin(zipped, &archive);
	zip_add(archive, name, content);
	assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
}

static bool read_zip(struct read *read, const char *bytes, size_t length)
{
	struct certdir_zip_memory memory = {bytes, length};
	const struct certdir_zip_source source = {length, certdir_zip_memory_read, &memory};
	struct certdir_issued_reader *reader = certdir_issued_open(take, read, &read->error);

	read->error.text[0] = '\0';
	read->ok = certdir_zip_read(&source, certdir_issued_bytes, reader, &read->error) &&
		   certdir_issued_end(reader, &read->counts, &read->error);
	certdir_issued_close(reader);
	return read->ok;
}

static void test_zip(void **state)
{
	struct zipped zipped;
	struct read read = {.ok = false};

	(void)state;
	zip_one(&zipped, "AllDeviceCertificates_1.csv", HEADER ROW);
	assert_true(certdir_zip_is(zipped.bytes, zipped.length));
	assert_true(read_zip(&read, zipped.bytes, zipped.length));
	assert_string_equal(read.rows, READ "issued|0;");
}

/* Cut anywhere, it is refused; changed anywhere, it is refused or says the same. */
static void test_zip_cut_and_changed(void **state)
{
	struct zipped zipped;

	(void)state;
	zip_one(&zipped, "a.csv", HEADER ROW);
	for (size_t length = 0; length < zipped.length; length++) {
		struct read read = {.ok = false};

		assert_false(read_zip(&read, zipped.bytes, length));
		assert_true(read.error.text[0]);
	}
	for (size_t at = 0; at < zipped.length; at++) {
		struct read read = {.ok = false};

		zipped.bytes[at] ^= 0x10;
		if (read_zip(&read, zipped.bytes, zipped.length))
			assert_string_equal(read.rows, READ "issued|0;");
		zipped.bytes[at] ^= 0x10;
	}
}

static void test_zip_entries(void **state)
{
	static const char *const names[] = {"../a.csv", "/a.csv", "d/a.csv", "..\\a.csv", "a.json", ".cs", "csv"};
	struct archive *archive;
	struct zipped zipped;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct read read = {.ok = false};

		zip_one(&zipped, names[i], HEADER ROW);
		assert_false(read_zip(&read, zipped.bytes, zipped.length));
		assert_non_null(strstr(read.error.text, "where one file NAME.csv belongs"));
		assert_string_equal(read.rows, "");
	}
	zip_begin(&zipped, &archive);
	assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
	assert_false(read_zip(&(struct read){.ok = false}, zipped.bytes, zipped.length));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_states_of_a_ca),
		cmocka_unit_test(test_words_that_are_not_known),
		cmocka_unit_test(test_a_row_that_is_not_stored),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_which_text_is_one),
		cmocka_unit_test(test_zip),
		cmocka_unit_test(test_zip_cut_and_changed),
		cmocka_unit_test(test_zip_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
