/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Client assertions: read back and verified by OpenSSL; and the certificates and keys that are refused. */
#include "sync/assertion.h"

#include <jansson.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW INT64_C(1770000000)
#define DAY 86400
#define AUDIENCE "https://login.microsoftonline.com/33333333-3333-4333-8333-333333333333/oauth2/v2.0/token"
#define CLIENT "44444444-4444-4444-8444-444444444444"

static char directory[] = "/tmp/certdir-assertion-XXXXXX";
static EVP_PKEY *rsa, *other, *small, *ec;

static const char *path(const char *name)
{
	static char paths[4][64];
	static unsigned turn;
	char *out = paths[turn++ % 4];

	(void)snprintf(out, sizeof(paths[0]), "%s/%s", directory, name);
	return out;
}

static FILE *create(const char *name)
{
	FILE *file = fopen(path(name), "w");

	assert_non_null(file);
	assert_int_equal(fchmod(fileno(file), 0600), 0);
	return file;
}

static X509 *certificate_of(EVP_PKEY *key, EVP_PKEY *signer, int64_t not_before, int64_t not_after)
{
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);

	assert_int_equal(X509_set_version(certificate, X509_VERSION_3), 1);
	assert_int_equal(
		X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"certdir", -1, -1, 0), 1);
	assert_int_equal(X509_set_issuer_name(certificate, name), 1);
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(certificate), not_before));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(certificate), not_after));
	assert_int_equal(X509_set_pubkey(certificate, key), 1);
	assert_true(X509_sign(certificate, signer, EVP_sha256()) > 0);
	return certificate;
}

static void put_certificate(const char *name, EVP_PKEY *key, int64_t not_before, int64_t not_after)
{
	FILE *file = create(name);
	X509 *certificate = certificate_of(key, rsa, not_before, not_after);

	assert_int_equal(PEM_write_X509(file, certificate), 1);
	assert_int_equal(fclose(file), 0);
	X509_free(certificate);
}

static void put_key(const char *name, EVP_PKEY *key, const char *password)
{
	FILE *file = create(name);

	assert_int_equal(PEM_write_PrivateKey(file, key, password ? EVP_aes_128_cbc() : NULL, NULL, 0, NULL,
					      (void *)(uintptr_t)password),
			 1);
	assert_int_equal(fclose(file), 0);
}

/* Adds to a file: a certificate of the key when it ends after `days`, the key when there are none; the password encrypts it. */
static void add(FILE *file, EVP_PKEY *key, int days, const char *password)
{
	X509 *certificate = days ? certificate_of(key, rsa, NOW - DAY, NOW + days * DAY) : NULL;

	if (certificate)
		assert_int_equal(PEM_write_X509(file, certificate), 1);
	else
		assert_int_equal(PEM_write_PrivateKey(file, key, password ? EVP_aes_256_cbc() : NULL, NULL, 0, NULL,
						      (void *)(uintptr_t)password),
				 1);
	X509_free(certificate);
}

static void put_pfx(const char *name, const char *password, int cipher, int mac)
{
	FILE *file = create(name);
	X509 *certificate = certificate_of(rsa, rsa, NOW - DAY, NOW + 20 * DAY);
	X509 *ca = certificate_of(other, other, NOW - DAY, NOW + 40 * DAY);
	STACK_OF(X509) *more = sk_X509_new_null();
	PKCS12 *pfx;

	assert_true(sk_X509_push(more, ca) > 0);
	pfx = PKCS12_create(password, "certdir", rsa, certificate, more, cipher, cipher, 0, mac, 0);
	assert_non_null(pfx);
	assert_int_equal(i2d_PKCS12_fp(file, pfx), 1);
	assert_int_equal(fclose(file), 0);
	PKCS12_free(pfx);
	sk_X509_pop_free(more, X509_free);
	X509_free(certificate);
}

static void put_text(const char *name, const char *text)
{
	FILE *file = create(name);

	(void)fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

/* All that administrators have in files. */
static void put_forms(void)
{
	X509 *certificate = certificate_of(rsa, rsa, NOW - DAY, NOW + 20 * DAY);
	FILE *file;

	file = create("chain.pem"); /* the CA stands first */
	add(file, other, 40, NULL);
	add(file, rsa, 20, NULL);
	(void)fclose(file);
	file = create("mixed.pem"); /* text, a CA, the key, a former certificate, the present one */
	(void)fputs("Bag Attributes\n    friendlyName: certdir\n", file);
	add(file, other, 40, NULL);
	add(file, rsa, 0, NULL);
	add(file, rsa, 5, NULL);
	add(file, rsa, 20, NULL);
	(void)fclose(file);
	file = create("locked.pem");
	add(file, rsa, 0, "password");
	add(file, rsa, 20, NULL);
	(void)fclose(file);
	file = create("good.cer");
	assert_int_equal(i2d_X509_fp(file, certificate), 1);
	(void)fclose(file);
	file = create("good.der");
	assert_int_equal(i2d_PrivateKey_fp(file, rsa), 1);
	(void)fclose(file);
	put_pfx("good.pfx", "password", NID_aes_256_cbc, 2048);
	put_pfx("open.pfx", "", NID_aes_256_cbc, 2048);
	put_text("request.csr", "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n");
	put_text("noise", "\033[31mhello");
	put_text("password", "password\n");
	put_text("wrong", "not it\n");
	X509_free(certificate);
}

static int set_up(void **state)
{
	FILE *both;
	X509 *certificate;

	(void)state;
	if (!mkdtemp(directory))
		return -1;
	rsa = EVP_RSA_gen(2048);
	other = EVP_RSA_gen(2048);
	small = EVP_RSA_gen(1024);
	ec = EVP_EC_gen("P-256");
	put_certificate("good.pem", rsa, NOW - DAY, NOW + 20 * DAY);
	put_certificate("expired.pem", rsa, NOW - 2 * DAY, NOW - DAY);
	put_certificate("early.pem", rsa, NOW + DAY, NOW + 2 * DAY);
	put_certificate("small.pem", small, NOW - DAY, NOW + DAY);
	put_certificate("ec.pem", ec, NOW - DAY, NOW + DAY);
	put_key("good.key", rsa, NULL);
	put_key("other.key", other, NULL);
	put_key("small.key", small, NULL);
	put_key("ec.key", ec, NULL);
	put_key("encrypted.key", rsa, "password");
	both = create("both.pem");
	certificate = certificate_of(rsa, rsa, NOW - DAY, NOW + DAY);
	(void)PEM_write_PrivateKey(both, rsa, NULL, NULL, 0, NULL, NULL);
	(void)PEM_write_X509(both, certificate);
	X509_free(certificate);
	(void)fclose(both);
	put_key("open.key", rsa, NULL);
	put_forms();
	return chmod(path("open.key"), 0644);
}

static int tear_down(void **state)
{
	static const char *const names[] = {"good.pem", "expired.pem", "early.pem", "small.pem", "ec.pem",
					    "good.key", "other.key",   "small.key", "ec.key",	 "encrypted.key",
					    "both.pem", "open.key",    "chain.pem", "mixed.pem", "locked.pem",
					    "good.cer", "good.der",    "good.pfx",  "open.pfx",	 "request.csr",
					    "noise",	"password",    "wrong"};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		(void)unlink(path(names[i]));
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(other);
	EVP_PKEY_free(small);
	EVP_PKEY_free(ec);
	return rmdir(directory);
}

static const struct {
	const char *certificate, *key;
	const char *why; /* NULL: good */
	const char *password; /* the file that holds it, or NULL */
} pairs[] = {
	{"good.pem", "good.key", NULL, NULL},
	{"both.pem", "both.pem", NULL, NULL},
	{"good.pem", "other.key", "is not the key of the certificate", NULL},
	{"expired.pem", "good.key", "expired at 2026-02-01T02:40:00Z", NULL},
	{"early.pem", "good.key", "not valid before 2026-02-03T02:40:00Z", NULL},
	{"small.pem", "small.key", "1024 bits", NULL},
	{"ec.pem", "ec.key", "type EC", NULL},
	{"chain.pem", "good.key", NULL, NULL},
	{"chain.pem", "other.key", NULL, NULL}, /* the CA's own, if somebody has it */
	{"chain.pem", "small.key", "1024 bits", NULL},
	{"mixed.pem", "mixed.pem", NULL, NULL},
	{"mixed.pem", "good.key", NULL, NULL},
	{"good.cer", "good.der", NULL, NULL},
	{"good.pfx", "good.pfx", NULL, "password"},
	{"good.pem", "good.pfx", NULL, "password"},
	{"good.pfx", "good.key", NULL, "password"},
	{"open.pfx", "open.pfx", NULL, NULL},
	{"open.pfx", "open.pfx", NULL, "password"},
	{"good.pem", "encrypted.key", NULL, "password"},
	{"locked.pem", "locked.pem", NULL, "password"},
	{"good.pfx", "good.pfx", "good.pfx is encrypted: write its password", NULL},
	{"good.pfx", "good.pfx", "does not open with the password in private_key_password_file", "wrong"},
	{"locked.pem", "locked.pem", "locked.pem is encrypted", NULL},
	{"locked.pem", "locked.pem", "does not open with the password", "wrong"},
	{"good.pem", "encrypted.key", "does not open with the password", "wrong"},
	{"good.pem", "encrypted.key", "No such file", "none"},
	{"chain.pem", "encrypted.key", "is encrypted", NULL},
	{"request.csr", "good.key", "holds no certificate; what stands in it is called CERTIFICATE REQUEST", NULL},
	{"noise", "good.key", "it is no file in PEM, DER or PKCS #12 (PFX)", NULL},
	{"good.pem", "chain.pem", "holds no private key; what stands in it is called CERTIFICATE", NULL},
	{"good.pem", "open.key", "chmod o-rwx", NULL},
	{"good.pem", "good.pem", "no private key", NULL},
	{"good.key", "good.key", "no certificate; what stands in it is called PRIVATE KEY", NULL},
	{"none.pem", "good.key", "cannot be read", NULL},
	{"good.pem", "none.key", "No such file", NULL},
};

static void test_pairs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		struct certdir_error error = {.text = ""};
		struct certdir_assertion *assertion =
			certdir_assertion_open(path(pairs[i].certificate), path(pairs[i].key),
					       pairs[i].password ? path(pairs[i].password) : NULL, NOW, &error);

		if ((assertion != NULL) != (pairs[i].why == NULL))
			fail_msg("%s, %s: %s", pairs[i].certificate, pairs[i].key, assertion ? "taken" : error.text);
		if (!assertion && !strstr(error.text, pairs[i].why))
			fail_msg("%s, %s: \"%s\" does not say \"%s\"", pairs[i].certificate, pairs[i].key, error.text,
				 pairs[i].why);
		certdir_assertion_close(assertion);
	}
}

/* Of several certificates of the key, the one that is good for longest. */
static void test_choice(void **state)
{
	struct certdir_error error = {.text = ""};
	struct certdir_assertion *assertion =
		certdir_assertion_open(path("mixed.pem"), path("mixed.pem"), NULL, NOW, &error);

	(void)state;
	assert_non_null(assertion);
	assert_int_equal(certdir_assertion_expires(assertion), NOW + 20 * DAY);
	certdir_assertion_close(assertion);
}

/* Bytes of base64url without padding; fails on any other character. */
static size_t decode(const char *text, size_t length, unsigned char *out)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t bits = 0;
	int have = 0;
	size_t bytes = 0;

	for (size_t i = 0; i < length; i++) {
		const char *digit = memchr(alphabet, text[i], sizeof(alphabet) - 1);

		assert_non_null(digit);
		bits = bits << 6 | (uint32_t)(digit - alphabet);
		have += 6;
		if (have >= 8)
			out[bytes++] = (unsigned char)(bits >> (have -= 8));
	}
	return bytes;
}

static json_t *decode_json(const char *text, size_t length)
{
	unsigned char bytes[2048];
	json_t *object;

	assert_true(length < sizeof(bytes));
	object = json_loadb((const char *)bytes, decode(text, length, bytes), JSON_REJECT_DUPLICATES, NULL);
	assert_true(json_is_object(object));
	return object;
}

static void check_header(const json_t *header)
{
	unsigned char expected[EVP_MAX_MD_SIZE], found[64];
	const char *thumbprint = json_string_value(json_object_get(header, "x5t#S256"));
	FILE *file = fopen(path("good.pem"), "r");
	X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
	unsigned length;

	assert_string_equal(json_string_value(json_object_get(header, "alg")), "PS256");
	assert_string_equal(json_string_value(json_object_get(header, "typ")), "JWT");
	assert_non_null(thumbprint);
	assert_int_equal(X509_digest(certificate, EVP_sha256(), expected, &length), 1);
	assert_int_equal(decode(thumbprint, strlen(thumbprint), found), length);
	assert_memory_equal(found, expected, length);
	X509_free(certificate);
	(void)fclose(file);
}

static void check_claims(const json_t *claims)
{
	assert_string_equal(json_string_value(json_object_get(claims, "aud")), AUDIENCE);
	assert_string_equal(json_string_value(json_object_get(claims, "iss")), CLIENT);
	assert_string_equal(json_string_value(json_object_get(claims, "sub")), CLIENT);
	assert_int_equal(json_integer_value(json_object_get(claims, "nbf")), NOW);
	assert_int_equal(json_integer_value(json_object_get(claims, "iat")), NOW);
	assert_int_equal(json_integer_value(json_object_get(claims, "exp")), NOW + 600);
	assert_true(json_string_length(json_object_get(claims, "jti")) >= 22);
}

static bool verifies(EVP_PKEY *key, const char *text, size_t signed_length, const unsigned char *signature,
		     size_t length)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options;
	int good;

	assert_int_equal(EVP_DigestVerifyInit(context, &options, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, 32), 1);
	good = EVP_DigestVerify(context, signature, length, (const unsigned char *)text, signed_length);
	EVP_MD_CTX_free(context);
	return good == 1;
}

static void test_jwt(void **state)
{
	struct certdir_error error = {.text = ""};
	struct certdir_assertion *assertion =
		certdir_assertion_open(path("good.pem"), path("good.key"), NULL, NOW, &error);
	char *first, *second, *dot, *last;
	unsigned char signature[512];
	json_t *header, *claims, *again;
	size_t length;

	(void)state;
	assert_non_null(assertion);
	assert_int_equal(certdir_assertion_expires(assertion), NOW + 20 * DAY);
	first = certdir_assertion_make(assertion, AUDIENCE, CLIENT, NOW, &error);
	second = certdir_assertion_make(assertion, AUDIENCE, CLIENT, NOW, &error);
	assert_non_null(first);
	assert_non_null(second);
	dot = strchr(first, '.');
	last = strrchr(first, '.');
	assert_true(dot && last > dot);
	header = decode_json(first, (size_t)(dot - first));
	claims = decode_json(dot + 1, (size_t)(last - dot - 1));
	check_header(header);
	check_claims(claims);
	length = decode(last + 1, strlen(last + 1), signature);
	assert_int_equal(length, 256);
	assert_true(verifies(rsa, first, (size_t)(last - first), signature, length));
	assert_false(verifies(other, first, (size_t)(last - first), signature, length));
	assert_false(verifies(rsa, first, (size_t)(last - first) - 1, signature, length));
	/* No two have the same id. */
	dot = strchr(second, '.');
	again = decode_json(dot + 1, (size_t)(strrchr(second, '.') - dot - 1));
	assert_string_not_equal(json_string_value(json_object_get(claims, "jti")),
				json_string_value(json_object_get(again, "jti")));
	json_decref(header);
	json_decref(claims);
	json_decref(again);
	free(first);
	free(second);
	certdir_assertion_close(assertion);
}

/* ---- two threads that read the first keys of a process ---- */

enum { PROCESSES = 300 };

static pthread_barrier_t both_are_there;
static char both_file[256];

static void *open_both(void *opened)
{
	struct certdir_error error;
	struct certdir_assertion *assertion;

	(void)pthread_barrier_wait(&both_are_there);
	assertion = certdir_assertion_open(both_file, both_file, NULL, NOW, &error);
	*(bool *)opened = assertion;
	certdir_assertion_close(assertion);
	return NULL;
}

/* Exits with 0 when both threads could. */
static void open_twice(void)
{
	bool mine = false, others = false;
	pthread_t thread;

	certdir_assertion_prepare();
	if (pthread_barrier_init(&both_are_there, NULL, 2) != 0 ||
	    pthread_create(&thread, NULL, open_both, &others) != 0)
		_exit(2);
	(void)open_both(&mine);
	(void)pthread_join(thread, NULL);
	_exit(mine && others ? 0 : 1);
}

/* This program anew, which has read no key yet: its children have neither. Returns the exit status. */
static int open_in_processes(const char *filename)
{
	int failed = 0, status;

	(void)snprintf(both_file, sizeof(both_file), "%s", filename);
	for (int i = 0; i < PROCESSES; i++) {
		const pid_t child = fork();

		if (child == 0)
			open_twice();
		failed += child < 0 || waitpid(child, &status, 0) != child || status != 0;
	}
	return failed ? 1 : 0;
}

static void test_first_keys_in_two_threads(void **state)
{
	const pid_t child = fork();
	int status;

	(void)state;
	if (child == 0) {
		(void)execl("/proc/self/exe", "test_assertion", path("mixed.pem"), (char *)NULL);
		_exit(2);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_pairs), cmocka_unit_test(test_choice),
					   cmocka_unit_test(test_jwt),
					   cmocka_unit_test(test_first_keys_in_two_threads)};

	if (argc > 1)
		return open_in_processes(argv[1]);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
