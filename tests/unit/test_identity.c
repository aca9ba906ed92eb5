/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Certificates to identities, from tests/vectors/certificates.json and the certificates that
 * `tests/testenv/certificates.py vectors` makes of it in CERTDIR_TEST_CERTS (build/certs).
 */
#include "identity/canonical.h"
#include "identity/certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <openssl/err.h>

enum { DER_MAX = 65536, FORMS_MAX = 8 };

static json_t *vectors; /* never without content: see main() */

struct der {
	unsigned char bytes[DER_MAX];
	size_t length;
};

static void load_der(const char *name, struct der *der)
{
	const char *directory = getenv("CERTDIR_TEST_CERTS");
	char path[4096];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s.der", directory ? directory : "build/certs", name);
	file = fopen(path, "rb");
	if (!file)
		fail_msg("%s is missing: run tests/testenv/certificates.py vectors tests/vectors/certificates.json DIR",
			 path);
	der->length = fread(der->bytes, 1, sizeof der->bytes, file);
	fclose(file);
	assert_in_range(der->length, 1, sizeof der->bytes - 1);
}

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
		json_t *object = json_pack("{ss ss ss sb}", "type", certdir_identity_type_name(identity->type), "value",
					   identity->value, "from", identity->from, "immutable", identity->immutable);

		if (identity->tentative)
			json_object_set_new(object, "tentative", json_true());
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *certificate_json(const struct certdir_certificate *c)
{
	return json_pack("{so ss ss ss ss? ss ss? ss? sI sI sb}", "identities", identities_json(c), "subject",
			 c->subject, "issuer", c->issuer, "serial", c->serial, "ski", c->ski, "public_key_sha1",
			 c->public_key_sha1, "template", c->template, "tenant", c->tenant, "not_before",
			 (json_int_t)c->not_before, "not_after", (json_int_t)c->not_after, "client_auth",
			 c->client_auth);
}

/* Compares whatever the vector tells; returns how much of it is wrong. */
static int compare(const json_t *vector, json_t *found)
{
	static const char *const keys[] = {"identities", "subject", "issuer",	  "serial",    "ski",
					   "template",	 "tenant",  "not_before", "not_after", "client_auth"};
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
	struct certdir_certificate certificate;
	struct certdir_error error = {""};
	struct der der;
	int wrong = 0;

	load_der(name, &der);
	/* Each vector says what is expected of it. */
	assert_true(!malformed == json_is_array(json_object_get(vector, "identities")));
	if (certdir_certificate_parse(&certificate, der.bytes, der.length, forms, form_count, &error)) {
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
	assert_true(certdir_certificate_parse(&certificate, der.bytes, der.length, NULL, 0, &error));
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
		assert_false(certdir_certificate_parse(&certificate, cut, length, NULL, 0, &error));
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
	assert_false(certdir_certificate_parse(&certificate, (const unsigned char *)"x", 1, NULL, 0, &error));
	/* What was there stays, and nothing is added. */
	assert_int_equal(ERR_peek_last_error(), before);
	assert_int_equal(ERR_get_error(), before);
	assert_int_equal(ERR_get_error(), 0);
}

/* ---- attributes ---- */

static const struct {
	const char *from, *value;
	bool several;
	const char *expected; /* "type=value!?;..": ! immutable, ? tentative; or the error after "-" */
} attributes[] = {
	{"subject.cn", "host/PC01.example.com", false, "common_name=pc01.example.com;dns_name=pc01.example.com;"},
	{"subject.cn", "5F0E3B0A-6C1D-4A57-9B1E-0D3C2A4B5C6D", false,
	 "common_name=5f0e3b0a-6c1d-4a57-9b1e-0d3c2a4b5c6d;device_guid=5f0e3b0a-6c1d-4a57-9b1e-0d3c2a4b5c6d!;"},
	{"subject.cn", "5f0e3b0a-6c1d-4a57-9b1e-0d3c2a4b5c6d", true,
	 "common_name=5f0e3b0a-6c1d-4a57-9b1e-0d3c2a4b5c6d;device_guid=5f0e3b0a-6c1d-4a57-9b1e-0d3c2a4b5c6d!?;"},
	{"subject.serialNumber", "abc", false, "serial_number=ABC;"},
	{"san.dns", "PC01.example.com.", false, "dns_name=pc01.example.com;"},
	{"san.uri", "AAD_Device_ID:5f0e3b0a-6c1d-4a57-9b1e-0d3c2a4b5c6d", false,
	 "entra_device_id=5f0e3b0a-6c1d-4a57-9b1e-0d3c2a4b5c6d!;"},
	{"san.upn", "PC01$@example.com", false, "upn=pc01$@example.com;common_name=pc01;"},
	{"san.email", "pc01@example.com", false, ""},
	{"subject.ou", "computers", false, ""},
	{"san.uri", "https://example.com/", false, ""},
	{"subject.cn", "", false, ""},
	{"subject.cn", "PC01\\000", false,
	 "-subject CN: \\ or % inside: attributes cannot carry it, use certificate = session"},
	{"san.uri", "a:b%20c", false,
	 "-SAN URI: \\ or % inside: attributes cannot carry it, use certificate = session"},
	{"subject.cn", "PC01\n", false, "-subject CN: control character"},
	{"subject.cn", "\xc3", false, "-subject CN: not UTF-8"},
	{"san.dns", "*.example.com", false, "-SAN dNSName: character \"*\" is not allowed in a DNS name"},
	{"san.uri", "DeviceId:7", false, "-SAN URI: \"7\" is no GUID"},
	{"san.ip", "192.0.2.1", false,
	 "-no field \"san.ip\" in a certificate: use one of subject.cn, subject.ou, subject.o, subject.serialNumber, "
	 "subject.emailAddress, subject.uid, san.dns, san.uri, san.upn, san.email, san.other"},
};

static void test_attributes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
		struct certdir_certificate certificate = {0};
		struct certdir_error error;
		char found[1024] = "";

		if (!certdir_certificate_add(&certificate, attributes[i].from, attributes[i].value,
					     strlen(attributes[i].value), attributes[i].several, NULL, 0, &error))
			snprintf(found, sizeof found, "-%s", error.text);
		for (size_t k = 0; k < certificate.count; k++) {
			const struct certdir_identity *identity = &certificate.identities[k];
			size_t used = strlen(found);

			snprintf(found + used, sizeof found - used, "%s=%s%s%s;",
				 certdir_identity_type_name(identity->type), identity->value,
				 identity->immutable ? "!" : "", identity->tentative ? "?" : "");
			assert_string_equal(identity->from, attributes[i].from);
		}
		assert_string_equal(found, attributes[i].expected);
		certdir_certificate_clear(&certificate);
	}
}

static void test_attributes_nul(void **state)
{
	struct certdir_certificate certificate = {0};
	struct certdir_error error;

	(void)state;
	assert_false(certdir_certificate_add(&certificate, "subject.cn", "PC\0", 3, false, NULL, 0, &error));
	assert_string_equal(error.text, "subject CN: NUL byte inside");
	assert_int_equal(certificate.count, 0);
}

static void test_attributes_form(void **state)
{
	struct certdir_certificate certificate = {0};
	struct certdir_error error;
	struct certdir_form form;

	(void)state;
	assert_true(certdir_form_compile(&form, "asset", "san.uri", "^urn:x:(.+)$", CERTDIR_ID_SERIAL, &error));
	assert_true(certdir_certificate_add(&certificate, "san.uri", "urn:x:a1", 8, false, &form, 1, &error));
	assert_int_equal(certificate.count, 1);
	assert_string_equal(certificate.identities[0].value, "A1");
	assert_false(certificate.identities[0].immutable);
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
		 "san.other"},
		{"san.uri", "^(.)$", CERTDIR_ID_SID, "form \"f\": type sid is the SID extension's alone: use sid_uri"},
		{"san.uri", "^urn:x$", CERTDIR_ID_NAME,
		 "form \"f\": pattern \"^urn:x$\", at character 7: no group: put ( ) around what is to be taken"},
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
		cmocka_unit_test(test_attributes),
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
