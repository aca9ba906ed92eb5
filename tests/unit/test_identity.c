/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Certificates to identities, from tests/vectors/certificates.json and the certificates that
 * `tests/testenv/certificates.py vectors` makes of it in CERTDIR_TEST_CERTS (build/certs).
 */
#include "text/canonical.h"
#include "identity/mapping.h"
#include "identity_fixture.h"

#include <jansson.h>
#include <openssl/err.h>

enum { FORMS_MAX = 8 };

static json_t *vectors; /* never without content: see main() */

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* ---- vectors ---- */

static size_t load_forms(const json_t *vector, struct certdir_form *forms)
{
	const json_t *array = json_object_get(vector, "forms"), *form;
	struct certdir_error error;
	size_t i;

	assert_in_range(json_array_size(array), 0, FORMS_MAX);
	json_array_foreach(array, i, form)
	{
		enum certdir_identity_type type;

		assert_true(certdir_identity_type_parse(text_of(form, "type"), &type));
		if (!certdir_form_compile(&forms[i], text_of(form, "name"), text_of(form, "from"),
					  text_of(form, "pattern"), type, &error))
			fail_msg("%s: %s", text_of(vector, "name"), error.text);
	}
	return json_array_size(array);
}

static json_t *identities_json(const struct certdir_certificate *certificate)
{
	json_t *array = json_array();

	for (size_t i = 0; i < certificate->count; i++) {
		const struct certdir_identity *identity = &certificate->identities[i];

		/* Only a section can make it so. */
		assert_false(identity->exact);
		json_array_append_new(array,
				      json_pack("{ss ss ss ss}", "type", certdir_identity_type_name(identity->type),
						"value", identity->value, "from", identity->from, "rank",
						certdir_rank_name(identity->rank)));
	}
	return array;
}

static json_t *certificate_json(const struct certdir_certificate *c)
{
	assert_null(c->section);
	return json_pack("{so ss ss ss ss? ss ss? ss? sI sI sb ss? ss? sI sb}", "identities", identities_json(c),
			 "subject", c->subject, "issuer", c->issuer, "serial", c->serial, "ski", c->ski,
			 "public_key_sha1", c->public_key_sha1, "template", c->template, "tenant", c->tenant,
			 "not_before", (json_int_t)c->not_before, "not_after", (json_int_t)c->not_after, "client_auth",
			 c->client_auth, "issuer_key", c->issuer_key, "ekus", c->ekus, "left_out",
			 (json_int_t)c->left_out, "person", c->person);
}

/* Compares whatever the vector tells; returns how much of it is wrong. */
static int compare(const json_t *vector, json_t *found)
{
	static const char *const keys[] = {"identities", "subject", "issuer",	  "serial",    "ski",
					   "template",	 "tenant",  "not_before", "not_after", "client_auth",
					   "issuer_key", "ekus",    "left_out",	  "person"};
	int wrong = 0;

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		json_t *expected = json_object_get(vector, keys[i]), *value = json_object_get(found, keys[i]);
		char *a, *b;

		if (!expected || json_equal(expected, value))
			continue;
		a = json_dumps(expected, JSON_ENCODE_ANY);
		b = json_dumps(value, JSON_ENCODE_ANY);
		print_error("%s: %s:\n  expected %s\n  found    %s\n", text_of(vector, "name"), keys[i], a, b);
		free(a);
		free(b);
		wrong++;
	}
	return wrong;
}

static int run_vector(const json_t *vector)
{
	const char *name = text_of(vector, "name"), *malformed = text_of(vector, "malformed");
	struct certdir_form forms[FORMS_MAX];
	size_t form_count = load_forms(vector, forms);
	const struct certdir_rules rules = {.forms = forms, .form_count = form_count};
	struct certdir_certificate certificate;
	struct certdir_error error = {.text = ""};
	struct der der;
	int wrong = 0;

	load_der(name, &der);
	/* Each vector says what is expected of it. */
	assert_true(!malformed == json_is_array(json_object_get(vector, "identities")));
	if (certdir_certificate_parse(&certificate, der.bytes, der.length, &rules, &error)) {
		json_t *found = certificate_json(&certificate);

		if (malformed) {
			char *text = json_dumps(json_object_get(found, "identities"), 0);

			print_error("%s: taken, but \"%s\":\n  %s\n", name, malformed, text);
			free(text);
			wrong++;
		} else {
			wrong += compare(vector, found);
		}
		json_decref(found);
	} else if (!malformed || strcmp(error.text, malformed) != 0) {
		print_error("%s: refused:\n  expected %s\n  found    %s\n", name, malformed ? malformed : "identities",
			    error.text);
		wrong++;
	} else {
		/* To find it by; a certificate that OpenSSL itself refuses says nothing. */
		assert_true(!certificate.issuer || certificate.subject);
		assert_int_equal(certificate.count, 0);
	}
	certdir_certificate_clear(&certificate);
	assert_int_equal(ERR_peek_error(), 0);
	for (size_t i = 0; i < form_count; i++)
		certdir_form_clear(&forms[i]);
	return wrong;
}

static void test_vectors(void **state)
{
	json_t *vector;
	int wrong = 0;
	size_t i;

	(void)state;
	json_array_foreach(vectors, i, vector) wrong += run_vector(vector);
	assert_int_equal(wrong, 0);
}

/* ---- the certificate as a whole ---- */

static void test_public_key(void **state)
{
	/* openssl x509 -in .. -pubkey -noout | openssl ec -pubin -outform der | tail -c 65 | sha1sum, by the SKI of RFC 5280. */
	struct certdir_certificate certificate;
	struct certdir_error error;
	struct der der;

	(void)state;
	load_der("everything", &der);
	assert_true(certdir_certificate_parse(&certificate, der.bytes, der.length, NULL, &error));
	assert_int_equal(strlen(certificate.public_key_sha1), 40);
	/* The recipes' default SKI is that very digest. */
	assert_string_equal(certificate.public_key_sha1, certificate.ski);
	certdir_certificate_clear(&certificate);
	assert_int_equal(certificate.count, 0);
	assert_null(certificate.subject);
	certdir_certificate_clear(&certificate);
}

static void test_cut(void **state)
{
	struct certdir_certificate certificate;
	struct certdir_error error;
	struct der der;

	(void)state;
	load_der("everything", &der);
	for (size_t length = 0; length < der.length; length++) {
		/* A block of its own, so that a read behind the end is seen. */
		unsigned char *cut = malloc(length + 1);

		assert_non_null(cut);
		memcpy(cut, der.bytes, length);
		assert_false(certdir_certificate_parse(&certificate, cut, length, NULL, &error));
		assert_int_equal(certificate.count, 0);
		certdir_certificate_clear(&certificate);
		free(cut);
	}
}

static void test_error_queue(void **state)
{
	struct certdir_certificate certificate;
	struct certdir_error error;
	unsigned long before;

	(void)state;
	ERR_clear_error();
	ERR_put_error(ERR_LIB_USER, 0, 1, "test", 1);
	before = ERR_peek_last_error();
	assert_false(certdir_certificate_parse(&certificate, (const unsigned char *)"x", 1, NULL, &error));
	/* What was there stays, and nothing is added. */
	assert_int_equal(ERR_peek_last_error(), before);
	assert_int_equal(ERR_get_error(), before);
	assert_int_equal(ERR_get_error(), 0);
}

/* ---- mappings ---- */

static void test_mappings(void **state)
{
	/* The key identifier is the requester's word unless it is the key's own. */
	static const struct {
		const char *certificate;
		size_t mappings;
		bool ski;
	} cases[] = {{"aki", 3, true}, {"cn-name", 2, false}, {"ski-none", 2, false}, {"section-crowded", 3, true}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct certdir_certificate certificate;
		struct certdir_error error;
		struct der der;
		bool ski = false;
		size_t count;

		load_der(cases[i].certificate, &der);
		assert_true(certdir_certificate_parse(&certificate, der.bytes, der.length, NULL, &error));
		count = certificate.count;
		assert_true(certdir_mapping_add(&certificate));
		/* With and without the zero before a serial number whose top bit is set. */
		assert_int_equal(certificate.count,
				 count + cases[i].mappings + !!strchr("89ABCDEF", certificate.serial[0]));
		for (size_t k = count; k < certificate.count; k++) {
			assert_int_equal(certificate.identities[k].type, CERTDIR_ID_MAPPING);
			assert_int_equal(certificate.identities[k].rank, CERTDIR_RANK_VOUCHED);
			ski = ski || strcmp(certificate.identities[k].from, "ext.ski") == 0;
		}
		assert_int_equal(ski, cases[i].ski);
		certdir_certificate_clear(&certificate);
	}
}

static void test_mappings_without_room(void **state)
{
	struct certdir_certificate certificate;
	struct certdir_error error;
	struct der der;

	(void)state;
	load_der("ids-63", &der);
	assert_true(certdir_certificate_parse(&certificate, der.bytes, der.length, NULL, &error));
	assert_false(certdir_mapping_add(&certificate));
	certdir_certificate_clear(&certificate);
}

/* ---- attributes ---- */

static const struct {
	const char *from, *value;
	const char *expected; /* as above; or the error after "-" */
} attributes[] = {
	{"subject.cn", "host/PC01.example.com",
	 "common_name=pc01.example.com:chosen;dns_name=pc01.example.com:chosen;"},
	{"subject.cn", "5F0E3B0A-6C1D-4A57-9B1E-0D3C2A4B5C6D", "common_name=" GUID ":chosen;device_guid=" GUID ":id;"},
	{"subject.cn", GUID ".corp.example",
	 "common_name=" GUID ".corp.example:chosen;dns_name=" GUID ".corp.example:chosen;device_guid=" GUID ":id;"},
	{"subject.cn", "PC_01.corp.example",
	 "common_name=pc_01.corp.example:chosen;dns_name=pc_01.corp.example:chosen;"},
	{"subject.serialNumber", "abc", "serial_number=ABC:chosen;"},
	{"subject.serialNumber", "To be filled by O.E.M.", ""},
	{"san.dns", "PC01.example.com.", "dns_name=pc01.example.com:chosen;"},
	{"san.uri", "AAD_Device_ID:" GUID, "entra_device_id=" GUID ":vouched;"},
	{"san.uri", GUID, "device_guid=" GUID ":id;"},
	{"san.upn", "PC01$@example.com", "upn=pc01$@example.com:chosen;common_name=pc01:chosen;"},
	{"san.upn", "SALES-02$@corp@example", ""},
	{"san.upn", "host/" GUID, "upn=host/" GUID ":chosen;device_guid=" GUID ":id;"},
	{"san.email", "pc01@example.com", ""},
	{"subject.ou", "computers", ""},
	{"subject.ou", "comp\nuters", ""},
	{"san.uri", "https://example.com/", ""},
	{"subject.cn", "", ""},
	{"subject.cn", "PC01\\000",
	 "-subject CN: \\ or % inside: attributes cannot carry it, use certificate = session"},
	{"san.uri", "a:b%20c", "-SAN URI: \\ or % inside: attributes cannot carry it, use certificate = session"},
	{"subject.cn", "PC01\n", "-subject CN: control character"},
	{"subject.cn", "\xc3", "-subject CN: not UTF-8"},
	{"san.dns", "*.example.com", ""},
	{"san.dns", "pc01\n", "-SAN dNSName: control character"},
	{"san.uri", "DeviceId:7", "-SAN URI: \"7\" is no GUID"},
	{"san.ip", "192.0.2.1",
	 "-no field \"san.ip\" in a certificate: use one of subject.cn, subject.ou, subject.o, subject.serialNumber, "
	 "subject.emailAddress, subject.uid, san.dns, san.uri, san.upn, san.email, san.permanentIdentifier, san.other"},
};

static void test_attributes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
		struct certdir_certificate certificate = {0};
		struct certdir_error error;
		char found[1024] = "";

		if (!certdir_certificate_add(&certificate, attributes[i].from, attributes[i].value,
					     strlen(attributes[i].value), NULL, &error))
			snprintf(found, sizeof found, "-%s", error.text);
		else
			snprintf(found, sizeof found, "%s", identities_text(&certificate));
		for (size_t k = 0; k < certificate.count; k++)
			assert_string_equal(certificate.identities[k].from, attributes[i].from);
		assert_string_equal(found, attributes[i].expected);
		certdir_certificate_clear(&certificate);
	}
}

static void add(struct certdir_certificate *certificate, const char *from, const char *value,
		const struct certdir_rules *rules)
{
	struct certdir_error error;

	if (!certdir_certificate_add(certificate, from, value, strlen(value), rules, &error))
		fail_msg("%s %s: %s", from, value, error.text);
}

/* Several attributes of one certificate mean what the certificate means, once they are ranked. */
static void test_attributes_ranked(void **state)
{
	static const char *const issuers[] = {"CN=CA", NULL};
	const struct certdir_section section = {
		.name = "s",
		.issuers = issuers,
		.places = {[CERTDIR_ID_NAME] = "subject.cn", [CERTDIR_ID_DNS] = "san.dns"},
		.vouched = "san.dns"};
	const struct certdir_rules rules = {.sections = &section, .section_count = 1};
	struct certdir_certificate certificate = {0};

	(void)state;
	for (int issuer = 0; issuer < 3; issuer++) {
		add(&certificate, "subject.cn", "pc01", &rules);
		add(&certificate, "subject.cn", "Anna", &rules);
		add(&certificate, "san.dns", "pc01.example", &rules);
		add(&certificate, "san.email", "anna@example", &rules);
		add(&certificate, "san.upn", "anna@example", &rules);
		/* The issuer may be known last, or never. */
		certificate.issuer = issuer == 0 ? NULL : strdup(issuer == 1 ? "/CN=CB" : "/CN=CA");
		certdir_certificate_rank(&certificate, &rules);
		assert_true(certificate.person);
		if (issuer < 2) {
			assert_null(certificate.section);
			assert_string_equal(
				identities_text(&certificate),
				"common_name=pc01:chosen;common_name=anna:none;dns_name=pc01.example:chosen;"
				"upn=anna@example:chosen;");
		} else {
			assert_string_equal(certificate.section, "s");
			assert_string_equal(identities_text(&certificate),
					    "common_name=pc01:chosen;common_name=anna:chosen;"
					    "dns_name=pc01.example:vouched=;upn=anna@example:none;");
		}
		certdir_certificate_clear(&certificate);
	}
	certdir_certificate_rank(&certificate, NULL);
	assert_int_equal(certificate.count, 0);
}

static void test_attributes_nul(void **state)
{
	struct certdir_certificate certificate = {0};
	struct certdir_error error;

	(void)state;
	assert_false(certdir_certificate_add(&certificate, "subject.cn", "PC\0", 3, NULL, &error));
	assert_string_equal(error.text, "subject CN: NUL byte inside");
	assert_int_equal(certificate.count, 0);
}

static void test_attributes_form(void **state)
{
	struct certdir_certificate certificate = {0};
	struct certdir_error error;
	struct certdir_form form;
	const struct certdir_rules rules = {.forms = &form, .form_count = 1};

	(void)state;
	assert_true(certdir_form_compile(&form, "asset", "san.uri", "^urn:x:(.+)$", CERTDIR_ID_SERIAL, &error));
	add(&certificate, "san.uri", "urn:x:a1", &rules);
	add(&certificate, "san.uri", "urn:x:Default  string", &rules);
	assert_string_equal(identities_text(&certificate), "serial_number=A1:chosen;");
	/* A form reads this field now: what could pretend to be for it is judged, what is too long is not for it. */
	assert_false(certdir_certificate_add(&certificate, "san.uri", "urn:y\0", 6, &rules, &error));
	assert_string_equal(error.text, "SAN URI: NUL byte inside");
	certdir_certificate_clear(&certificate);
	certdir_form_clear(&form);
}

/* ---- forms that cannot be ---- */

static void test_forms_refused(void **state)
{
	static const struct {
		const char *from, *pattern;
		enum certdir_identity_type type;
		const char *error;
	} cases[] = {
		{"san.ip", "^(.)$", CERTDIR_ID_NAME,
		 "form \"f\": no field \"san.ip\" in a certificate: use one of subject.cn, subject.ou, subject.o, "
		 "subject.serialNumber, subject.emailAddress, subject.uid, san.dns, san.uri, san.upn, san.email, "
		 "san.permanentIdentifier, "
		 "san.other"},
		{"san.uri", "^(.)$", CERTDIR_ID_SID, "form \"f\": type sid is the SID extension's alone: use sid_uri"},
		{"san.uri", "^urn:x$", CERTDIR_ID_NAME,
		 "form \"f\": pattern \"^urn:x$\": it has no group: put what is to be taken between ( and )"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct certdir_error error;
		struct certdir_form form;

		assert_false(certdir_form_compile(&form, "f", cases[i].from, cases[i].pattern, cases[i].type, &error));
		assert_string_equal(error.text, cases[i].error);
		certdir_form_clear(&form);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_public_key),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_error_queue),
		cmocka_unit_test(test_mappings),
		cmocka_unit_test(test_mappings_without_room),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_attributes_ranked),
		cmocka_unit_test(test_attributes_nul),
		cmocka_unit_test(test_attributes_form),
		cmocka_unit_test(test_forms_refused),
	};
	const char *directory = getenv("CERTDIR_TEST_VECTORS");
	json_error_t error;
	char path[4096];
	int failed;

	snprintf(path, sizeof path, "%s/certificates.json", directory ? directory : "tests/vectors");
	/* Recipes have NULs in names. */
	vectors = json_load_file(path, JSON_ALLOW_NUL, &error);
	if (json_array_size(vectors) == 0) {
		fprintf(stderr, "%s:%d: %s\n", path, error.line, error.text);
		return 1;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	json_decref(vectors);
	return failed;
}
