/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of issued certificates -> strong mappings: what a row gives, whose it is, and beside certificates that are handed in. */
#include "mappings_fixture.h"
#include "placeholders/issued.h"

#define NOW INT64_C(1767225600)
#define CA "CN=CA, DC=example, DC=com"
#define MAPPED "X509:<I>DC=com,DC=example,CN=CA<SR>"

/* ---- a row alone ---- */

static const struct {
	const char *issuer;
	enum certdir_unmapped why;
} issuers[] = {
	{"CN=CA", CERTDIR_UNMAPPED_NOT},
	{CA, CERTDIR_UNMAPPED_NOT},
	{"CN=Contoso CA, O=Contoso, C=US", CERTDIR_UNMAPPED_NOT},
	{"CN=CA, O=\"Example, Inc.\", S=Bayern, C=DE", CERTDIR_UNMAPPED_NOT},
	{"CN=\"a + b; c#1 = d\", O=x", CERTDIR_UNMAPPED_NOT},
	{"CN=Zertifizierungsstelle K\303\266ln, C=DE", CERTDIR_UNMAPPED_NOT},
	{"E=pki@example.com, CN=CA, C=DE", CERTDIR_UNMAPPED_NOT},
	{"OU=Issuing, O=Contoso, C=US", CERTDIR_UNMAPPED_NOT},
	{"OU=Issuing, DC=example, DC=com", CERTDIR_UNMAPPED_NOT},
	/* from the root down, or nobody knows from where */
	{"C=US, O=Contoso, CN=Contoso CA", CERTDIR_UNMAPPED_ISSUER},
	{"DC=com, DC=example, CN=CA", CERTDIR_UNMAPPED_ISSUER},
	{"CN=a, O=b, CN=c", CERTDIR_UNMAPPED_ISSUER},
	{"C=US, O=Contoso, OU=Issuing", CERTDIR_UNMAPPED_ISSUER},
	{"DC=example, DC=com", CERTDIR_UNMAPPED_ISSUER},
	{"O=Contoso, OU=Issuing", CERTDIR_UNMAPPED_ISSUER},
	{"/C=US/CN=CA", CERTDIR_UNMAPPED_ISSUER},
	/* more than one in an RDN, other separators, escapes, hex */
	{"CN=CA + OU=x, C=US", CERTDIR_UNMAPPED_ISSUER},
	{"CN=a=b, C=US", CERTDIR_UNMAPPED_ISSUER},
	{"CN=CA; C=US", CERTDIR_UNMAPPED_ISSUER},
	{"CN=a\\, b, C=US", CERTDIR_UNMAPPED_ISSUER},
	{"CN=a\\b, C=US", CERTDIR_UNMAPPED_ISSUER},
	{"CN=#0C0141, C=US", CERTDIR_UNMAPPED_ISSUER},
	/* letters that were lost, types that nobody knows, no name */
	{"CN=K?ln, C=DE", CERTDIR_UNMAPPED_ISSUER},
	{"CN=K\357\277\275ln, C=DE", CERTDIR_UNMAPPED_ISSUER},
	{"CN=CA, PA\303\215S=ES", CERTDIR_UNMAPPED_ISSUER},
	{"CN=CA, O=a\302\205b, C=DE", CERTDIR_UNMAPPED_ISSUER},
	{"Contoso CA", CERTDIR_UNMAPPED_ISSUER},
	{"CN=\"CA, C=DE", CERTDIR_UNMAPPED_ISSUER},
	{"CN=\"a<SR>00\", C=DE", CERTDIR_UNMAPPED_ISSUER},
	{"CN=<SR>00, X509:<I>CN=CA", CERTDIR_UNMAPPED_ISSUER},
	{"", CERTDIR_UNMAPPED_ISSUER},
};

static void test_issuers(void **state)
{
	const uint32_t forms = CERTDIR_BIT(CERTDIR_MAPPING_SKI) | CERTDIR_BIT(CERTDIR_MAPPING_ISSUER_SERIAL);

	(void)state;
	for (size_t i = 0; i < sizeof(issuers) / sizeof(*issuers); i++) {
		const struct certdir_issued row = {.issuer = (char *)issuers[i].issuer, .serial = "01"};
		const enum certdir_unmapped why = certdir_issued_judge(&row, forms, NOW);

		if (why != issuers[i].why)
			fail_msg("%s: %d", issuers[i].issuer, why);
	}
}

static void test_judge(void **state)
{
	const uint32_t form = CERTDIR_BIT(CERTDIR_MAPPING_ISSUER_SERIAL);
	struct certdir_issued row = {.issuer = "CN=CA", .serial = "01", .not_after = NOW};

	(void)state;
	assert_int_equal(certdir_issued_judge(&row, form, NOW), CERTDIR_UNMAPPED_NOT);
	assert_int_equal(certdir_issued_judge(&row, form, NOW + 1), CERTDIR_UNMAPPED_EXPIRED);
	assert_int_equal(certdir_issued_judge(&row, CERTDIR_BIT(CERTDIR_MAPPING_SKI), NOW), CERTDIR_UNMAPPED_FORM);
	row.not_after = 0;
	assert_int_equal(certdir_issued_judge(&row, form, NOW), CERTDIR_UNMAPPED_NOT);
	row.serial = NULL;
	assert_int_equal(certdir_issued_judge(&row, form, NOW), CERTDIR_UNMAPPED_NUMBER);
	row.revoked = true;
	assert_int_equal(certdir_issued_judge(&row, form, NOW), CERTDIR_UNMAPPED_REVOKED);
}

/* ---- tables ---- */

#define INTUNE_1 "00000001-0000-4000-8000-c00000000000"
#define INTUNE_2 "00000002-0000-4000-8000-c00000000000"
#define GONE "00000009-0000-4000-8000-c00000000000"

/* PC01 and PC02 of tenant A, and a device of tenant B; an import has a table, too. */
static const char sources[] =
	"INSERT INTO source(id,name,kind,tenant,synced,intune_synced,certificates_synced,certificates_interval) VALUES"
	"(1,'a','tenant','" TENANT_A "',1767225590,1767225590,%lld,3600),"
	"(2,'b','tenant','" TENANT_B "',1767225590,1767225590,1767225590,3600);"
	"INSERT INTO source(id,name,kind,synced,certificates_synced) VALUES(3,'file','import',0,1000);"
	"INSERT INTO device(source,object_id,entra_device_id,intune_device_id,name,enabled) VALUES"
	"(1,'" G1 "','" KEY_PC01 "','" INTUNE_1 "','PC01',1),(1,'" G2 "','" KEY_PC02 "','" INTUNE_2 "','PC02',1),"
	"(2,'" G3 "','" KEY_CN "','00000005-0000-4000-8000-c00000000000','PC05',1);";

/* source, thumbprint, issuer, serial, Intune id, not_after, revoked */
#define ROW_OF(source, number, issuer, serial, device, rest)                                                           \
	"(" source ",printf('%040d'," number "),'" issuer "','" serial "','" device "'," rest ")"
#define ROW(number, serial, device) ROW_OF("1", number, CA, serial, device, "NULL,0")
#define REVOKED(number, serial, device) ROW_OF("1", number, CA, serial, device, "NULL,1")
#define EXPIRED(number, serial, device) ROW_OF("1", number, CA, serial, device, "1767225599,0")
#define BY_SERIAL(source, serial, device, revoked)                                                                     \
	"(" source ",NULL,'" CA "','" serial "','" device "',NULL," revoked ")"

static void make_list(const char *rows, int64_t synced)
{
	struct certdir_list_writer *writer;
	struct certdir_error error;
	char sql[4096];

	(void)unlink(fixture_file);
	writer = certdir_list_write_begin(fixture_file, false, NULL, &error);
	assert_non_null(writer);
	(void)snprintf(sql, sizeof(sql), sources, (long long)synced);
	fixture_run(writer, sql);
	(void)snprintf(
		sql, sizeof(sql),
		"INSERT INTO certificate(source,thumbprint,issuer,serial,intune_device_id,not_after,revoked) VALUES%s",
		rows);
	fixture_run(writer, sql);
	fixture_publish(writer);
}

static struct certdir_mappings *begin(const char *rows, uint32_t forms)
{
	make_list(rows, NOW - 10);
	config.max_age = 86400;
	return mappings_begin_forms(forms);
}

static void end(struct certdir_mappings *mappings, struct certdir_mappings_report *report)
{
	struct certdir_error error;

	if (!certdir_mappings_add_issued(mappings, NOW, &error) || !certdir_mappings_finish(mappings, report, &error))
		fail_msg("%s", error.text);
}

static const struct {
	const char *rows, *outcome;
	enum certdir_unmapped why; /* of PC01 */
	const char *said; /* a part of it */
} tables[] = {
	{ROW("1", "1A2B", INTUNE_1), "1 " MAPPED "2B1A;", CERTDIR_UNMAPPED_NOT, ""},
	{ROW("1", "8A2B", INTUNE_1), "1 " MAPPED "2B8A;1 " MAPPED "2B8A00;", CERTDIR_UNMAPPED_NOT, ""},
	/* a renewal: both, as long as both are valid */
	{ROW("1", "1A", INTUNE_1) "," ROW("2", "2B", INTUNE_1), "1 " MAPPED "1A;1 " MAPPED "2B;", CERTDIR_UNMAPPED_NOT,
	 ""},
	{EXPIRED("1", "1A", INTUNE_1) "," ROW("2", "2B", INTUNE_1), "1 " MAPPED "2B;1 ended " MAPPED "1A;",
	 CERTDIR_UNMAPPED_EXPIRED, ""},
	{REVOKED("1", "1A", INTUNE_1) "," ROW("2", "2B", INTUNE_2), "1 ended " MAPPED "1A;2 " MAPPED "2B;",
	 CERTDIR_UNMAPPED_REVOKED, ""},
	/* one that is revoked by one table is, whatever others say */
	{ROW("1", "1A", INTUNE_1) "," ROW_OF("3", "1", CA, "1A", INTUNE_1, "NULL,1"), "1 ended " MAPPED "1A;",
	 CERTDIR_UNMAPPED_REVOKED, ""},
	{BY_SERIAL("1", "1A", INTUNE_1, "0") "," BY_SERIAL("3", "1A", INTUNE_1, "1"), "1 ended " MAPPED "1A;",
	 CERTDIR_UNMAPPED_REVOKED, ""},
	/* devices that are gone, of another tenant, and no device's */
	{ROW("1", "1A", GONE), "", CERTDIR_UNMAPPED_NOT, ""},
	{ROW_OF("2", "1", CA, "1A", INTUNE_1, "NULL,0"), "", CERTDIR_UNMAPPED_NOT, ""},
	{"(1,printf('%040d',1),'" CA "','1A',NULL,NULL,0)", "", CERTDIR_UNMAPPED_NOT, ""},
	{ROW_OF("3", "1", CA, "1A", INTUNE_1, "NULL,0"), "1 " MAPPED "1A;", CERTDIR_UNMAPPED_NOT, ""},
	{BY_SERIAL("3", "1A", INTUNE_1, "0"), "1 " MAPPED "1A;", CERTDIR_UNMAPPED_NOT, ""},
	/* two CAs of one name are told apart by the rest of it; two devices have one certificate */
	{ROW_OF("1", "1", "CN=CA, DC=a", "1A", INTUNE_1, "NULL,0") "," ROW_OF("1", "2", "CN=CA, DC=b", "1A", INTUNE_2,
									      "NULL,0"),
	 "1 X509:<I>DC=a,CN=CA<SR>1A;2 X509:<I>DC=b,CN=CA<SR>1A;", CERTDIR_UNMAPPED_NOT, ""},
	{ROW("1", "1A", INTUNE_1) "," ROW("2", "1A", INTUNE_2), "", CERTDIR_UNMAPPED_SHARED, "none of them gets it"},
	{ROW("1", "1A", INTUNE_1) "," ROW("1", "1A", INTUNE_2), "", CERTDIR_UNMAPPED_NOT, "no mapping: conflict"},
	/* what cannot be written exactly is told once; revoked, it takes away what it may have given */
	{ROW_OF("1", "1", "C=US, CN=CA", "1A", INTUNE_1, "NULL,0") "," ROW_OF("1", "2", "C=US, CN=CA", "2B", INTUNE_2,
									      "NULL,0"),
	 "", CERTDIR_UNMAPPED_ISSUER,
	 "the table of issued certificates has an issuer whose name in Active Directory cannot be told for certain, "
	 "\"C=US, CN=CA\""},
	{"(1,printf('%040d',1),NULL,NULL,'" INTUNE_1 "',NULL,0)", "", CERTDIR_UNMAPPED_NUMBER, ""},
};

static void test_tables(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		struct certdir_mappings_report report;

		end(begin(tables[i].rows, CERTDIR_BIT(CERTDIR_MAPPING_ISSUER_SERIAL)), &report);
		if (strcmp(outcome(), tables[i].outcome) != 0 || devices[0].unmapped != tables[i].why ||
		    (*tables[i].said ? !strstr(said, tables[i].said) : *said))
			fail_msg("%zu: %s (%d): %s", i, outcome(), devices[0].unmapped, said);
	}
}

static void test_report(void **state)
{
	struct certdir_mappings_report report;

	(void)state;
	end(begin(ROW("1", "1A", INTUNE_1) "," REVOKED("2", "2B", INTUNE_1) "," ROW("3", "3C", GONE) "," EXPIRED(
			  "4", "4D", INTUNE_2),
		  CERTDIR_BIT(CERTDIR_MAPPING_ISSUER_SERIAL)),
	    &report);
	assert_int_equal(report.certificates, 0);
	assert_int_equal(report.issued.certificates, 4);
	assert_int_equal(report.issued.matched, 1);
	assert_int_equal(report.issued.ended, 2);
	assert_int_equal(report.issued.unmatched, 1);
	end(begin(ROW("1", "1A", INTUNE_1), CERTDIR_BIT(CERTDIR_MAPPING_SKI)), &report);
	assert_int_equal(devices[0].unmapped, CERTDIR_UNMAPPED_FORM);
	assert_int_equal(devices[0].mappings.count, 0);
	assert_int_equal(report.issued.unmatched, 1);
}

static void test_old_table(void **state)
{
	struct certdir_mappings_report report;

	(void)state;
	make_list(ROW("1", "1A", INTUNE_1), NOW - 86401);
	end(mappings_begin(CERTDIR_MAPPING_ISSUER_SERIAL), &report);
	assert_string_equal(outcome(), "1 " MAPPED "1A;");
	assert_non_null(strstr(said, "the certificates of tenant \"a\" were last synced 24 hours ago"));
}

/* ---- beside what is handed in ---- */

static const struct {
	const char *rows,
		*outcome; /* of a certificate that is PC01's by its name, and whose issuer the file has exactly */
	bool thumbprint;
} beside[] = {
	{ROW("9", "2B", INTUNE_2), "1 X509:<I>DC=com,CN=CA<SR>1A;2 " MAPPED "2B;", true},
	/* The row is of the same certificate, and its issuer is written otherwise. */
	{ROW_OF("1", "1", "C=US, CN=CA", "1A", INTUNE_1, "NULL,0"), "1 X509:<I>DC=com,CN=CA<SR>1A;", true},
	{ROW_OF("1", "1", "CN=ca,dc=COM", "1A", INTUNE_1, "NULL,0"), "1 X509:<I>DC=com,CN=CA<SR>1A;", false},
	/* Another CA's certificate of that number */
	{ROW_OF("1", "2", "CN=CA, DC=net", "1A", INTUNE_1, "NULL,0"),
	 "1 X509:<I>DC=com,CN=CA<SR>1A;1 X509:<I>DC=net,CN=CA<SR>1A;", true},
	{ROW_OF("1", "2", "CN=CA, DC=net", "1A", INTUNE_1, "NULL,0"),
	 "1 X509:<I>DC=com,CN=CA<SR>1A;1 X509:<I>DC=net,CN=CA<SR>1A;", false},
	/* revoked, and expired by the table alone */
	{ROW_OF("1", "1", "CN=CA, DC=com", "1A", INTUNE_1, "NULL,1"), "1 ended X509:<I>DC=com,CN=CA<SR>1A;", true},
	{ROW_OF("1", "1", "CN=CA, DC=com", "1A", INTUNE_1, "NULL,1"), "1 ended X509:<I>DC=com,CN=CA<SR>1A;", false},
	{"(1,printf('%040d',1),'CN=CA, DC=com','1A',NULL,NULL,1)", "1 ended X509:<I>DC=com,CN=CA<SR>1A;", true},
	{ROW_OF("1", "1", "CN=CA, DC=com", "1A", INTUNE_1, "1,0"), "1 X509:<I>DC=com,CN=CA<SR>1A;", true},
	/* It was issued to another device than its name says; and to one that is gone, where names decide as before. */
	{ROW_OF("1", "1", "CN=CA, DC=com", "1A", INTUNE_2, "NULL,0"), "2 X509:<I>DC=com,CN=CA<SR>1A;", true},
	{ROW_OF("1", "1", "CN=CA, DC=com", "1A", INTUNE_2, "NULL,0"), "2 X509:<I>DC=com,CN=CA<SR>1A;", false},
	{ROW_OF("1", "1", "CN=CA, DC=com", "1A", GONE, "NULL,0"), "", true},
	{ROW_OF("1", "1", "CN=CA, DC=com", "1A", GONE, "NULL,0"), "1 X509:<I>DC=com,CN=CA<SR>1A;", false},
};

static void test_beside(void **state)
{
	struct certdir_certificate certificate = {.identities = {{.type = CERTDIR_ID_NAME,
								  .value = "pc01",
								  .from = "subject.cn",
								  .rank = CERTDIR_RANK_CHOSEN}},
						  .count = 1,
						  .issuer = "CN=CA,DC=com",
						  .serial = "1A",
						  .not_after = NOW,
						  .client_auth = true};

	(void)state;
	for (size_t i = 0; i < sizeof(beside) / sizeof(*beside); i++) {
		struct certdir_mappings *mappings = begin(beside[i].rows, CERTDIR_BIT(CERTDIR_MAPPING_ISSUER_SERIAL));
		struct certdir_mappings_report report;
		struct certdir_error error;

		certificate.thumbprint = beside[i].thumbprint ? "0000000000000000000000000000000000000001" : NULL;
		if (!certdir_mappings_add(mappings, &certificate, "file", false, NOW, &error))
			fail_msg("%s", error.text);
		end(mappings, &report);
		if (strcmp(outcome(), beside[i].outcome) != 0)
			fail_msg("%zu: %s: %s", i, outcome(), said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_issuers), cmocka_unit_test(test_judge),	  cmocka_unit_test(test_tables),
		cmocka_unit_test(test_report),	cmocka_unit_test(test_old_table), cmocka_unit_test(test_beside),
	};
	const int failed = cmocka_run_group_tests(tests, mappings_setup, fixture_teardown);

	certdir_arena_clear(&arena);
	return failed;
}
