/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `certificates` sections: which one a certificate fits, what it makes of the names, and which ones cannot be meant. */
#include "identity_fixture.h"

#define OTHER "a1b2c3d4-e5f6-4711-8899-aabbccddeeff" /* in another URI and the MDM's extension */
#define SID "S-1-5-21-1004336348-1177238915-682003330-512" /* in a URI and the extension */
#define ISSUERS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define CONTOSO_CA "CN=Contoso CA, DC=com"
#define CONTOSO ISSUERS(CONTOSO_CA)

/* What all of section-many is where nothing is placed; in order: what a case expects differs in a few ranks. */
static const struct {
	enum certdir_identity_type type;
	const char *value, *from;
} section_many[] = {
	{CERTDIR_ID_NAME, GUID, "subject.cn"},
	{CERTDIR_ID_GUID, GUID, "subject.cn"},
	{CERTDIR_ID_NAME, "pc01", "subject.cn"},
	{CERTDIR_ID_SERIAL, "PF-7", "subject.serialNumber"},
	{CERTDIR_ID_DNS, "pc01.corp.example", "san.dns"},
	{CERTDIR_ID_ENTRA, GUID, "san.uri"},
	{CERTDIR_ID_GUID, OTHER, "san.uri"},
	{CERTDIR_ID_UPN, "anna@corp.example", "san.upn"},
	{CERTDIR_ID_SID_URI, SID, "san.uri"},
	{CERTDIR_ID_SID, SID, "ext.sid"},
	{CERTDIR_ID_INTUNE, OTHER, "ext.mdm"},
};

enum { MANY = sizeof section_many / sizeof *section_many, SECTIONS = 3 };

static const struct {
	struct certdir_section sections[SECTIONS];
	const char *section; /* that holds, or NULL */
	const char *ranks; /* of section_many: - none, c confirming, n chosen, i id, v vouched, = vouched and exact */
} section_cases[] = {
	/* which section: issuer by name and perhaps key, template, purposes; the first that fits */
	{{{.name = "a", .issuers = CONTOSO, .places = {[CERTDIR_ID_NAME] = "subject.cn"}}}, "a", "n-n--------"},
	{{{.name = "a", .places = {[CERTDIR_ID_NAME] = "subject.cn"}}}, "a", "n-n--------"},
	{{{.name = "a", .issuers = ISSUERS("CN=Other CA"), .places = {[CERTDIR_ID_NAME] = "subject.cn"}}},
	 NULL,
	 "ni-nnvvnccc"},
	{{{.name = "a", .issuers = ISSUERS("CN=x", "00:AB:12"), .places = {[CERTDIR_ID_DNS] = "san.dns"}},
	  {.name = "b", .issuers = ISSUERS("00 ab 12"), .places = {[CERTDIR_ID_DNS] = "san.dns"}}},
	 NULL,
	 "ni-nnvvnccc"},
	{{{.name = "a", .issuers = ISSUERS("00:AB:12", CONTOSO_CA), .places = {[CERTDIR_ID_DNS] = "san.dns"}}},
	 "a",
	 "----n------"},
	{{{.name = "a",
	   .issuers = ISSUERS("CN=x", CONTOSO_CA, "00ab13", "00 ab 12"),
	   .places = {[CERTDIR_ID_DNS] = "san.dns"}}},
	 "a",
	 "----n------"},
	{{{.name = "a", .issuers = ISSUERS(CONTOSO_CA, "00ab"), .places = {[CERTDIR_ID_DNS] = "san.dns"}},
	  {.name = "b", .issuers = ISSUERS(CONTOSO_CA, "00ab1200"), .places = {[CERTDIR_ID_DNS] = "san.dns"}},
	  {.name = "c", .issuers = ISSUERS("00ab13", CONTOSO_CA), .places = {[CERTDIR_ID_DNS] = "san.dns"}}},
	 NULL,
	 "ni-nnvvnccc"},
	{{{.name = "a", .issuers = CONTOSO, .template = "Machine", .places = {[CERTDIR_ID_NAME] = "subject.cn"}},
	  {.name = "b",
	   .issuers = CONTOSO,
	   .template = "1.3.6.1.4.1.311.21.8.77",
	   .places = {[CERTDIR_ID_SERIAL] = "subject.serialNumber"}},
	  {.name = "c", .issuers = CONTOSO, .places = {[CERTDIR_ID_NAME] = "subject.cn"}}},
	 "b",
	 "---n-------"},
	{{{.name = "a",
	   .issuers = CONTOSO,
	   .ekus = "1.3.6.1.4.1.99999 1.2.3",
	   .places = {[CERTDIR_ID_NAME] = "subject.cn"}},
	  {.name = "b",
	   .issuers = CONTOSO,
	   .ekus = "1.2.3  1.3.6.1.4.1.99999.7",
	   .template = "",
	   .places = {[CERTDIR_ID_UPN] = "san.upn"}}},
	 "b",
	 "-------n---"},
	{{{.name = "a", .issuers = ISSUERS("CN=x"), .places = {[CERTDIR_ID_NAME] = "subject.cn"}},
	  {.name = "b", .issuers = CONTOSO, .places = {[CERTDIR_ID_UPN] = "san.upn"}},
	  {.name = "c", .issuers = CONTOSO, .places = {[CERTDIR_ID_NAME] = "subject.cn"}}},
	 "b",
	 "-------n---"},
	/* ranks: the types of GUIDs are one, the same GUID counts where it is placed */
	{{{.name = "a", .places = {[CERTDIR_ID_ENTRA] = "san.uri"}, .vouched = "san.uri"}}, "a", "-----vv----"},
	{{{.name = "a", .places = {[CERTDIR_ID_GUID] = "san.uri"}}}, "a", "-----ii----"},
	{{{.name = "a", .places = {[CERTDIR_ID_INTUNE] = "subject.cn"}}}, "a", "-i---------"},
	{{{.name = "a",
	   .places = {[CERTDIR_ID_ENTRA] = "san.uri", [CERTDIR_ID_INTUNE] = "subject.cn ext.mdm"},
	   .vouched = "ext.mdm"}},
	 "a",
	 "-i---ii---v"},
	{{{.name = "a", .places = {[CERTDIR_ID_GUID] = "san.uri san.dns"}, .vouched = "san.dns"}}, "a", "-----ii----"},
	/* a name placed twice, one of the places vouched for; exact is a DNS name alone */
	{{{.name = "a",
	   .places = {[CERTDIR_ID_DNS] = "subject.cn\tsan.dns", [CERTDIR_ID_NAME] = "subject.cn"},
	   .vouched = "san.dns subject.cn"}},
	 "a",
	 "v-v-=------"},
	{{{.name = "a", .places = {[CERTDIR_ID_SID] = "ext.sid", [CERTDIR_ID_SID_URI] = "san.uri"}}},
	 "a",
	 "--------cc-"},
	{{{.name = "a", .places = {[CERTDIR_ID_SID] = "ext.sid"}, .vouched = "ext.sid"}}, "a", "---------v-"},
	{{{.name = "a", .places = {[CERTDIR_ID_SERIAL] = "subject.serialNumber"}, .vouched = "subject.serialNumber"}},
	 "a",
	 "---v-------"},
	{{{.name = "a", .places = {[CERTDIR_ID_NAME] = "subject.c"}}}, "a", "-----------"},
};

static char rank_letter(const struct certdir_identity *identity)
{
	static const char letters[CERTDIR_RANKS] = {[CERTDIR_RANK_NONE] = '-',
						    [CERTDIR_RANK_CONFIRMING] = 'c',
						    [CERTDIR_RANK_CHOSEN] = 'n',
						    [CERTDIR_RANK_ID] = 'i',
						    [CERTDIR_RANK_VOUCHED] = 'v'};

	if (identity->exact)
		assert_int_equal(identity->rank, CERTDIR_RANK_VOUCHED);
	return identity->exact ? '=' : letters[identity->rank];
}

static void run_section(size_t at, const struct certdir_certificate *certificate)
{
	const char *expected = section_cases[at].section;
	char ranks[MANY + 1] = "";

	if (!certificate->section != !expected || (expected && strcmp(certificate->section, expected) != 0))
		fail_msg("case %zu: section %s", at, certificate->section ? certificate->section : "-");
	assert_int_equal(certificate->count, MANY);
	for (size_t i = 0; i < MANY; i++) {
		const struct certdir_identity *identity = &certificate->identities[i];

		assert_int_equal(identity->type, section_many[i].type);
		assert_string_equal(identity->value, section_many[i].value);
		assert_string_equal(identity->from, section_many[i].from);
		ranks[i] = rank_letter(identity);
	}
	if (strcmp(ranks, section_cases[at].ranks) != 0)
		fail_msg("case %zu: expected %s, found %s", at, section_cases[at].ranks, ranks);
	/* A section says what is whose; the person is there all the same. */
	assert_true(certificate->person);
	assert_null(certificate->tenant);
}

static void test_sections(void **state)
{
	struct certdir_error error;
	struct der der;

	(void)state;
	load_der("section-many", &der);
	for (size_t i = 0; i < sizeof section_cases / sizeof *section_cases; i++) {
		struct certdir_rules rules = {.sections = section_cases[i].sections};
		struct certdir_certificate certificate;

		while (rules.section_count < SECTIONS && rules.sections[rules.section_count].name)
			rules.section_count++;
		if (!certdir_certificate_parse(&certificate, der.bytes, der.length, &rules, &error))
			fail_msg("case %zu: %s", i, error.text);
		run_section(i, &certificate);
		/* Ranked again, it is the same. */
		certdir_certificate_rank(&certificate, &rules);
		run_section(i, &certificate);
		certdir_certificate_clear(&certificate);
	}
}

/* One certificate, one section: its identities as identities_text() writes them. */
static void expect_in_section(const char *name, const struct certdir_section *section, const struct certdir_form *form,
			      const char *expected, size_t left_out)
{
	const struct certdir_rules rules = {
		.forms = form, .form_count = form ? 1 : 0, .sections = section, .section_count = 1};
	struct certdir_certificate certificate;
	struct certdir_error error;
	struct der der;

	load_der(name, &der);
	if (!certdir_certificate_parse(&certificate, der.bytes, der.length, &rules, &error))
		fail_msg("%s: %s", name, error.text);
	if (!strstr(identities_text(&certificate), expected))
		fail_msg("%s: expected %s in\n%s", name, expected, identities_text(&certificate));
	assert_int_equal(certificate.left_out, left_out);
	certdir_certificate_clear(&certificate);
}

static void test_section_places(void **state)
{
	const struct certdir_section dns = {
		.name = "dns", .places = {[CERTDIR_ID_DNS] = "subject.cn san.dns"}, .vouched = "san.dns"};
	const struct certdir_section cn = {.name = "cn", .places = {[CERTDIR_ID_GUID] = "subject.cn"}};
	const struct certdir_section entra = {.name = "entra", .places = {[CERTDIR_ID_ENTRA] = "ext.entra"}};
	const struct certdir_section template = {.name = "template",
						 .issuers = ISSUERS("CN=certdir test CA"),
						 .template = "SmartcardLogon",
						 .places = {[CERTDIR_ID_DNS] = "subject.cn"}};
	const struct certdir_section names = {.name = "names", .places = {[CERTDIR_ID_NAME] = "subject.cn san.upn"}};
	const struct certdir_section ou = {
		.name = "ou", .places = {[CERTDIR_ID_INTUNE] = "subject.ou"}, .vouched = "subject.ou"};
	const struct certdir_section udid = {.name = "udid", .places = {[CERTDIR_ID_UDID] = "subject.cn"}};
	const struct certdir_section imei = {.name = "imei", .places = {[CERTDIR_ID_IMEI] = "subject.cn"}};
	const struct certdir_section serial = {.name = "serial", .places = {[CERTDIR_ID_SERIAL] = "subject.cn"}};
	const struct certdir_section either = {
		.name = "either", .places = {[CERTDIR_ID_SERIAL] = "subject.cn", [CERTDIR_ID_NAME] = "subject.cn"}};
	const struct certdir_section attested = {.name = "attested",
						 .places = {[CERTDIR_ID_PERMANENT] = "san.permanentIdentifier"},
						 .vouched = "san.permanentIdentifier"};
	struct certdir_error error;
	struct certdir_form form;

	(void)state;
	/* The same name at a place that is vouched for and at one that is not. */
	expect_in_section("person-dotted-dns", &dns, NULL, "dns_name=pc01.corp.example:vouched=;", 0);
	/* The same id where it is placed and where it is not, in both orders. */
	expect_in_section("cn-two-strengthened", &cn, NULL, "device_guid=" GUID ":id;", 0);
	expect_in_section("ext-entra-and-uri", &entra, NULL, "entra_device_id=" GUID ":id;", 0);
	/* A UDID of either kind, where one is placed. */
	expect_in_section("cn-udid", &udid, NULL, "udid=00008103-001a2b3c4d5e6f70:id;", 0);
	expect_in_section("cn-udid", &names, NULL, "common_name=00008103-001a2b3c4d5e6f70:chosen;", 0);
	expect_in_section("cn-guid", &udid, NULL, "device_guid=" GUID ":id;", 0);
	/* A number of hardware, where one is placed; the names there are then none's. */
	expect_in_section("cn-imei", &imei, NULL, "imei=260531793113837:chosen;", 0);
	expect_in_section("cn-udid", &imei, NULL, "", 0);
	expect_in_section("cn-imei", &serial, NULL, "serial_number=260531793113837:chosen;", 0);
	expect_in_section("cn-imei", &either, NULL, "common_name=260531793113837:chosen;", 0);
	expect_in_section("san-permanent", &attested, NULL,
			  "permanent_id=C02ABC1DEF23:vouched;permanent_id=00008103-001a2b3c4d5e6f70:vouched;"
			  "permanent_id=ASSIGNED-7:vouched;",
			  0);
	/* A name where the administrator says that a device's stands is no person's. */
	expect_in_section("person-dotted", &names, NULL, "common_name=max.mustermann:chosen;", 0);
	expect_in_section("person-local-part-mail", &names, NULL, "common_name=anna:chosen;", 0);
	/* Templates are compared as Windows compares them; a person's template is what it is. */
	expect_in_section("person-dotted-template", &template, NULL, "dns_name=max.mustermann:chosen;", 0);
	/* What is not placed takes no room from what is, and is not missed. */
	expect_in_section("section-crowded", &dns, NULL, "dns_name=pc01.corp.example:vouched=;", 0);
	expect_in_section("section-crowded", &names, NULL, "common_name=n47:chosen;", 32);
	/* A form's identities stand in the form's field. */
	assert_true(certdir_form_compile(&form, "id", "subject.ou", "^id=(.{36})$", CERTDIR_ID_INTUNE, &error));
	expect_in_section("form-ou", &ou, &form, "intune_device_id=" GUID ":vouched;", 0);
	expect_in_section("form-ou", &cn, &form, "intune_device_id=" GUID ":none;", 0);
	certdir_form_clear(&form);
}

/* Of a person's certificate: what is a device's has to be asked for, too, whatever it looks like; but not what is the person's. */
static void test_section_persons(void **state)
{
	const struct certdir_section both = {.name = "both",
					     .holder = CERTDIR_HOLDER_BOTH,
					     .places = {[CERTDIR_ID_DNS] = "subject.cn",
							[CERTDIR_ID_NAME] = "subject.cn",
							[CERTDIR_ID_UPN] = "san.upn",
							[CERTDIR_ID_MAIL] = "san.email"}};
	const struct certdir_section user = {
		.name = "user",
		.holder = CERTDIR_HOLDER_USER,
		.places = {[CERTDIR_ID_USER_NAME] = "subject.cn", [CERTDIR_ID_MAIL] = "san.email"}};
	const struct certdir_section people = {.name = "people",
					       .holder = CERTDIR_HOLDER_BOTH,
					       .places = {[CERTDIR_ID_UPN] = "san.upn",
							  [CERTDIR_ID_USER_SID] = "ext.sid",
							  [CERTDIR_ID_USER_ID] = "subject.cn"}};

	(void)state;
	expect_in_section("person-dotted", &both, NULL,
			  "common_name=max.mustermann:chosen;dns_name=max.mustermann:chosen;upn=mm@corp.example:chosen;"
			  "mail=m@corp.example:none;",
			  0);
	expect_in_section("person-dotted-dns", &both, NULL,
			  "common_name=pc01.corp.example:chosen;dns_name=pc01.corp.example:chosen;", 0);
	expect_in_section("person-dotted-dns", &both, NULL, "mail=m@corp.example:chosen;", 0);
	expect_in_section("person-local-part-mail", &both, NULL, "common_name=anna:none;", 0);
	expect_in_section("person-local-part-mail", &user, NULL, "user_name=anna:chosen;", 0);
	/* A SID in an extension confirms, and a GUID is whose the section says. */
	expect_in_section("section-many", &people, NULL, "user_id=" GUID ":id;", 0);
	expect_in_section("section-many", &people, NULL, "user_sid=" SID ":confirming;", 0);
	expect_in_section("section-many", &people, NULL, "entra_device_id=" GUID ":none;", 0);
}

/* Who vouches for Entra's extensions vouches for the tenant in them; in a section, their own CA's name is nothing. */
static void test_section_tenant(void **state)
{
	static const struct {
		const char *certificate, *vouched, *tenant;
	} cases[] = {
		{"section-many", "ext.entra", "0b9f6a52-1f2e-4d3c-8b7a-665544332211"},
		{"section-many", "ext.mdm", NULL},
		{"ext-entra-own-ca", "", NULL},
		{"ext-tenant-differ", "ext.entra", "0b9f6a52-1f2e-4d3c-8b7a-665544332211"},
		{"ext-tenant-differ", "ext.mdm", OTHER},
		{"ext-tenant-differ", "ext.entra ext.mdm", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct certdir_section section = {
			.name = "s", .places = {[CERTDIR_ID_ENTRA] = "ext.entra ext.mdm"}, .vouched = cases[i].vouched};
		const struct certdir_rules rules = {.sections = &section, .section_count = 1};
		struct certdir_certificate certificate;
		struct certdir_error error;
		struct der der;
		bool read;

		load_der(cases[i].certificate, &der);
		read = certdir_certificate_parse(&certificate, der.bytes, der.length, &rules, &error);
		assert_int_equal(read, !cases[i].tenant || cases[i].tenant[0]);
		if (!read)
			assert_string_equal(error.text,
					    "extension 1.2.840.113556.5.14 (MDM tenant id): another tenant than the "
					    "certificate's other tenant id");
		else if (!cases[i].tenant)
			assert_null(certificate.tenant);
		else
			assert_string_equal(certificate.tenant, cases[i].tenant);
		certdir_certificate_clear(&certificate);
	}
}

/* Any request can carry the older extension: a name in it must not pass for the OID of a template. */
static void test_template_name(void **state)
{
	static const struct {
		const char *certificate, *template;
		bool fits;
	} cases[] = {
		{"template-name-oid", "1.3.6.1.4.1.311.21.8.77", false},
		{"section-many", "1.3.6.1.4.1.311.21.8.77", true},
		{"template-name", "machine", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct certdir_section section = {.name = "s",
							.issuers = ISSUERS("CN=certdir test CA", CONTOSO_CA),
							.template = cases[i].template,
							.places = {[CERTDIR_ID_NAME] = "subject.cn"}};
		const struct certdir_rules rules = {.sections = &section, .section_count = 1};
		struct certdir_certificate certificate;
		struct certdir_error error;
		struct der der;

		load_der(cases[i].certificate, &der);
		assert_true(certdir_certificate_parse(&certificate, der.bytes, der.length, &rules, &error));
		assert_int_equal(certificate.section != NULL, cases[i].fits);
		certdir_certificate_clear(&certificate);
	}
}

/* Each is refused where its field is placed; what is broken around the fields is refused in any case. */
static const struct {
	const char *certificate;
	const char *from; /* the field in which something is wrong; NULL = no field's, always refused */
	const char *kept; /* what is read all the same */
} section_broken[] = {
	{"upn-bad-utf8", "san.upn", "common_name=pc01:none;"},
	{"upn-octets", "san.upn", "common_name=pc01:none;"},
	{"upn-nul", "san.upn", "common_name=pc01:none;upn=a@b:none;"},
	{"ext-sid-text", "ext.sid", "common_name=pc01:none;"},
	{"ext-sid-bare", "ext.sid", "common_name=pc01:none;"},
	{"ext-entra-short-content", "ext.entra", "common_name=pc01:none;"},
	{"ext-entra-long-content", "ext.entra", "common_name=pc01:none;"},
	{"ext-mdm-text", "ext.mdm", "common_name=pc01:none;"},
	{"serial-number-300", "subject.serialNumber", "common_name=pc01:none;"},
	{"serial-bits", "subject.serialNumber", "common_name=pc01:none;"},
	{"cn-nul", "subject.cn", ""},
	{"cn-second-nul", "subject.cn", "common_name=pc01:none;"},
	{"dns-nul", "san.dns", "common_name=pc01:none;dns_name=a.example.com:none;"},
	{"uri-bad-guid", "san.uri", "common_name=pc01:none;"},
	{"ext-sid-twice", NULL, NULL},
	{"san-twice", NULL, NULL},
	{"san-trailing", NULL, NULL},
	{"san-truncated", NULL, NULL},
	{"san-other-broken", NULL, NULL},
	{"san-universal", NULL, NULL},
	{"san-not-sequence", NULL, NULL},
};

static bool read_in_section(const char *name, const struct certdir_section *section,
			    struct certdir_certificate *certificate)
{
	const struct certdir_rules rules = {.sections = section, .section_count = 1};
	struct certdir_error error;
	struct der der;

	load_der(name, &der);
	return certdir_certificate_parse(certificate, der.bytes, der.length, &rules, &error);
}

static void test_unplaced(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof section_broken / sizeof *section_broken; i++) {
		const char *name = section_broken[i].certificate, *from = section_broken[i].from;
		const struct certdir_section other = {.name = "other", .places = {[CERTDIR_ID_SERIAL] = "subject.uid"}};
		const struct certdir_section placed = {.name = "placed", .places = {[CERTDIR_ID_SERIAL] = from}};
		struct certdir_certificate certificate;

		if (read_in_section(name, &other, &certificate) != (from != NULL))
			fail_msg("%s: %s", name, from ? "refused" : "taken");
		if (from && !strstr(identities_text(&certificate), section_broken[i].kept))
			fail_msg("%s: expected %s in\n%s", name, section_broken[i].kept, identities_text(&certificate));
		certdir_certificate_clear(&certificate);
		if (from && read_in_section(name, &placed, &certificate))
			fail_msg("%s: taken though %s is placed", name, from);
		certdir_certificate_clear(&certificate);
	}
}

/* A form's field is like any other. */
static void test_unplaced_form(void **state)
{
	const struct certdir_section section = {.name = "s", .places = {[CERTDIR_ID_NAME] = "subject.cn"}};
	struct certdir_error error;
	struct certdir_form form;

	(void)state;
	assert_true(certdir_form_compile(&form, "id", "san.uri", "^urn:x:(.+)$", CERTDIR_ID_ENTRA, &error));
	expect_in_section("form-unfit", &section, &form, "common_name=pc01:chosen;", 0);
	certdir_form_clear(&form);
}

#define FIELDS                                                                                                         \
	"subject.cn, subject.ou, subject.o, subject.serialNumber, subject.emailAddress, subject.uid, san.dns, "        \
	"san.uri, san.upn, san.email, san.permanentIdentifier, san.other, ext.sid, ext.entra, ext.mdm"

static const struct {
	struct certdir_section section;
	const char *error; /* behind "certificates s"; NULL = good */
} section_checks[] = {
	{{.places = {[CERTDIR_ID_DNS] = "san.dns"}}, NULL},
	{{.issuers = ISSUERS("CN=CA", "/C=DE/CN=CA", "00:aB 12"),
	  .template = "Machine",
	  .ekus = "1.3.6.1.5.5.7.3.2 2.999",
	  .places = {[CERTDIR_ID_SID] = "ext.sid", [CERTDIR_ID_ENTRA] = " san.uri  ext.entra ext.mdm "},
	  .vouched = "ext.sid san.uri"},
	 NULL},
	{{.issuers = ISSUERS("Contoso CA"), .places = {[CERTDIR_ID_DNS] = "san.dns"}},
	 ": issuer \"Contoso CA\" is neither a distinguished name (as `certdir check` prints it) nor a key identifier "
	 "in "
	 "hex"},
	{{.issuers = ISSUERS("CN=CA", "00ab1"), .places = {[CERTDIR_ID_DNS] = "san.dns"}},
	 ": issuer \"00ab1\" is neither a distinguished name (as `certdir check` prints it) nor a key identifier in "
	 "hex"},
	{{.issuers = ISSUERS(""), .places = {[CERTDIR_ID_DNS] = "san.dns"}},
	 ": issuer \"\" is neither a distinguished name (as `certdir check` prints it) nor a key identifier in hex"},
	{{.issuers = ISSUERS("00ab12", "00 ab 13"), .places = {[CERTDIR_ID_DNS] = "san.dns"}},
	 ": issuer \"00ab12\" is a key identifier, which any certificate may claim: add an issuer with the CA's "
	 "distinguished name"},
	{{.issuers = ISSUERS("00ab12"), .template = "Machine", .places = {[CERTDIR_ID_DNS] = "san.dns"}},
	 ": issuer \"00ab12\" is a key identifier, which any certificate may claim: add an issuer with the CA's "
	 "distinguished name"},
	{{.template = "Machine", .places = {[CERTDIR_ID_DNS] = "san.dns"}},
	 ": template says something only of a known CA: add its issuer"},
	{{.ekus = "1.2.3", .places = {[CERTDIR_ID_DNS] = "san.dns"}},
	 ": ekus says something only of a known CA: add its issuer"},
	{{.issuers = CONTOSO, .ekus = "1.2.3 clientAuth", .places = {[CERTDIR_ID_DNS] = "san.dns"}},
	 ": ekus: \"clientAuth\" is no object identifier: give it as digits and dots, 1.3.6.1.5.5.7.3.2"},
	{{.issuers = CONTOSO, .ekus = "1.2..3", .places = {[CERTDIR_ID_DNS] = "san.dns"}},
	 ": ekus: \"1.2..3\" is no object identifier: give it as digits and dots, 1.3.6.1.5.5.7.3.2"},
	{{.issuers = CONTOSO, .ekus = "1.2.", .places = {[CERTDIR_ID_DNS] = "san.dns"}},
	 ": ekus: \"1.2.\" is no object identifier: give it as digits and dots, 1.3.6.1.5.5.7.3.2"},
	{{.issuers = CONTOSO}, " names no place where an identity stands: e.g. dns_name = \"san.dns\""},
	{{.places = {[CERTDIR_ID_DNS] = " "}}, " names no place where an identity stands: e.g. dns_name = \"san.dns\""},
	{{.places = {[CERTDIR_ID_DNS] = "san.dns san.ip"}},
	 ": dns_name: no field \"san.ip\" in a certificate: use one of " FIELDS},
	{{.places = {[CERTDIR_ID_DNS] = "san.dns"}, .vouched = "san.dnsx"},
	 ": vouched: no field \"san.dnsx\" in a certificate: use one of " FIELDS},
	{{.places = {[CERTDIR_ID_DNS] = "san.dns"}, .vouched = "san.dns san.uri"},
	 ": vouched: no identity stands in san.uri: say which one, e.g. entra_device_id = \"san.uri\""},
	{{.places = {[CERTDIR_ID_DNS] = "san.dns", [CERTDIR_ID_MAPPING] = "ext.sid"}},
	 ": a mapping is made of the whole certificate: drop \"mapping\""},
	/* whose it is: nobody would be looked up by these */
	{{.places = {[CERTDIR_ID_UPN] = "san.upn"}}, NULL},
	{{.holder = CERTDIR_HOLDER_USER, .places = {[CERTDIR_ID_UPN] = "san.upn", [CERTDIR_ID_USER_SID] = "ext.sid"}},
	 NULL},
	{{.holder = CERTDIR_HOLDER_BOTH, .places = {[CERTDIR_ID_MAIL] = "san.email", [CERTDIR_ID_DNS] = "san.dns"}},
	 NULL},
	{{.holder = CERTDIR_HOLDER_USER, .places = {[CERTDIR_ID_USER_SID] = "ext.sid"}, .vouched = "ext.sid"}, NULL},
	{{.places = {[CERTDIR_ID_DNS] = "san.dns", [CERTDIR_ID_MAIL] = "san.email"}},
	 ": mail names a person, and with holder = device nobody is looked up by it: say holder = user, or both"},
	{{.places = {[CERTDIR_ID_DNS] = "san.dns", [CERTDIR_ID_USER_ID] = "subject.uid"}},
	 ": user_id names a person, and with holder = device nobody is looked up by it: say holder = user, or both"},
	{{.holder = CERTDIR_HOLDER_USER, .places = {[CERTDIR_ID_UPN] = "san.upn", [CERTDIR_ID_DNS] = "san.dns"}},
	 ": dns_name names a device, and with holder = user nobody is looked up by it: say holder = both, or device"},
	{{.holder = CERTDIR_HOLDER_USER, .places = {[CERTDIR_ID_UPN] = "san.upn", [CERTDIR_ID_SID] = "ext.sid"}},
	 ": sid names a device, and with holder = user nobody is looked up by it: say holder = both, or device"},
	{{.holder = CERTDIR_HOLDER_BOTH, .places = {[CERTDIR_ID_DNS] = "san.dns"}},
	 ": holder = both, and no place where a person's name stands: e.g. upn = \"san.upn\""},
	{{.holder = CERTDIR_HOLDER_BOTH, .places = {[CERTDIR_ID_DNS] = "san.dns", [CERTDIR_ID_USER_SID] = "ext.sid"}},
	 ": holder = both, and no place where a person's name stands: e.g. upn = \"san.upn\""},
};

static void test_section_check(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof section_checks / sizeof *section_checks; i++) {
		struct certdir_section section = section_checks[i].section;
		struct certdir_error error = {.text = ""};
		char expected[CERTDIR_TEXT_MAX] = "";

		section.name = "s";
		if (section_checks[i].error)
			snprintf(expected, sizeof expected, "certificates s%s", section_checks[i].error);
		assert_int_equal(certdir_section_check(&section, &error), !section_checks[i].error);
		assert_string_equal(error.text, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sections),       cmocka_unit_test(test_section_places),
		cmocka_unit_test(test_section_tenant), cmocka_unit_test(test_template_name),
		cmocka_unit_test(test_unplaced),       cmocka_unit_test(test_unplaced_form),
		cmocka_unit_test(test_section_check),  cmocka_unit_test(test_section_persons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
