/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/assertion.h"
#include "secret.h"
#include "timestamp.h"

#include <jansson.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEY_BITS_MIN = 2048 };

struct certdir_assertion {
	EVP_PKEY *key;
	char thumbprint[48]; /* base64url of the certificate's SHA-256 */
	int64_t not_before, not_after;
};

/* What OpenSSL says last, fit for a terminal: its reasons are literals. */
static const char *openssl_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return reason ? reason : "unknown error";
}

/* RFC 4648, 5, without padding. NULL when memory is out. */
static char *base64url(const unsigned char *bytes, size_t length)
{
	char *text = malloc((length + 2) / 3 * 4 + 1);

	if (!text)
		return NULL;
	(void)EVP_EncodeBlock((unsigned char *)text, bytes, (int)length);
	for (char *at = text; *at; at++)
		*at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
	text[strcspn(text, "=")] = '\0';
	return text;
}

/* ---- certificate and key ---- */

static bool certificate_time(const ASN1_TIME *time, int64_t *seconds)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) != 1)
		return false;
	*seconds = (int64_t)timegm(&tm);
	return true;
}

static X509 *certificate_read(const char *filename, struct certdir_error *error)
{
	BIO *file = BIO_new_file(filename, "r");
	X509 *certificate = file ? PEM_read_bio_X509(file, NULL, NULL, NULL) : NULL;

	if (!file)
		certdir_error_set(error, "certificate_file %s cannot be read: %s", filename, openssl_reason());
	else if (!certificate)
		certdir_error_set(error, "certificate_file %s has no certificate in PEM: %s", filename,
				  openssl_reason());
	BIO_free(file);
	return certificate;
}

static int no_password(char *out, int size, int writing, void *asked)
{
	(void)out;
	(void)size;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

static EVP_PKEY *key_read(const char *filename, struct certdir_error *error)
{
	char *text = certdir_secret_read(filename, CERTDIR_SECRET_KEY, error);
	EVP_PKEY *key = NULL;
	bool encrypted = false;
	BIO *memory;

	if (!text)
		return NULL;
	memory = BIO_new_mem_buf(text, -1);
	if (memory)
		key = PEM_read_bio_PrivateKey(memory, NULL, no_password, &encrypted);
	if (!key && encrypted)
		certdir_error_set(
			error,
			"private_key_file %s is encrypted, and nobody is there to ask for its password: store it "
			"without one (openssl pkey -in %s)",
			filename, filename);
	else if (!key)
		certdir_error_set(error, "private_key_file %s has no private key in PEM: %s", filename,
				  openssl_reason());
	ERR_clear_error();
	BIO_free(memory);
	certdir_secret_free(text);
	return key;
}

static bool key_check(EVP_PKEY *key, const char *filename, struct certdir_error *error)
{
	if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) {
		const char *name = EVP_PKEY_get0_type_name(key);

		certdir_error_set(error, "private_key_file %s holds a key of type %s: Entra ID takes RSA only",
				  filename, name ? name : "unknown");
		return false;
	}
	if (EVP_PKEY_get_bits(key) < KEY_BITS_MIN) {
		certdir_error_set(error, "private_key_file %s holds a key of %d bits: at least %d are needed", filename,
				  EVP_PKEY_get_bits(key), KEY_BITS_MIN);
		return false;
	}
	return true;
}

static bool times_check(const struct certdir_assertion *assertion, const char *filename, int64_t now,
			struct certdir_error *error)
{
	char day[CERTDIR_TIMESTAMP_SIZE];
	const bool expired = now > assertion->not_after;

	if (!expired && now >= assertion->not_before)
		return true;
	certdir_timestamp_print(expired ? assertion->not_after : assertion->not_before, day);
	if (expired)
		certdir_error_set(
			error,
			"certificate_file %s expired at %s: make a new certificate and upload it to the application "
			"in Entra ID",
			filename, day);
	else
		certdir_error_set(error, "certificate_file %s is not valid before %s: is the clock right?", filename,
				  day);
	return false;
}

static bool certificate_take(struct certdir_assertion *assertion, X509 *certificate, const char *filename,
			     struct certdir_error *error)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	char *thumbprint = NULL;

	if (X509_digest(certificate, EVP_sha256(), digest, &length) == 1)
		thumbprint = base64url(digest, length);
	if (!thumbprint || !certificate_time(X509_get0_notBefore(certificate), &assertion->not_before) ||
	    !certificate_time(X509_get0_notAfter(certificate), &assertion->not_after)) {
		certdir_error_set(error, "certificate_file %s cannot be used: %s", filename, openssl_reason());
		free(thumbprint);
		return false;
	}
	(void)snprintf(assertion->thumbprint, sizeof(assertion->thumbprint), "%s", thumbprint);
	free(thumbprint);
	return true;
}

struct certdir_assertion *certdir_assertion_open(const char *certificate_file, const char *private_key_file,
						 int64_t now, struct certdir_error *error)
{
	struct certdir_assertion *assertion = calloc(1, sizeof(*assertion));
	X509 *certificate = NULL;
	bool ok = false;

	if (!assertion) {
		certdir_error_set(error, "out of memory");
		return NULL;
	}
	certificate = certificate_read(certificate_file, error);
	if (!certificate || !certificate_take(assertion, certificate, certificate_file, error))
		goto out;
	assertion->key = key_read(private_key_file, error);
	if (!assertion->key || !key_check(assertion->key, private_key_file, error))
		goto out;
	if (X509_check_private_key(certificate, assertion->key) != 1) {
		ERR_clear_error();
		certdir_error_set(error, "private_key_file %s is not the key of the certificate in certificate_file %s",
				  private_key_file, certificate_file);
		goto out;
	}
	ok = times_check(assertion, certificate_file, now, error);
out:
	X509_free(certificate);
	if (ok)
		return assertion;
	certdir_assertion_close(assertion);
	return NULL;
}

void certdir_assertion_close(struct certdir_assertion *assertion)
{
	if (!assertion)
		return;
	EVP_PKEY_free(assertion->key); /* which wipes it */
	free(assertion);
}

int64_t certdir_assertion_expires(const struct certdir_assertion *assertion)
{
	return assertion->not_after;
}

/* ---- the JWT ---- */

/* Takes `object`. NULL when it could not be made. */
static char *part_of(json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	char *part = text ? base64url((const unsigned char *)text, strlen(text)) : NULL;

	free(text);
	json_decref(object);
	return part;
}

static char *header_part(const struct certdir_assertion *assertion)
{
	return part_of(json_pack("{s:s, s:s, s:s}", "alg", "PS256", "typ", "JWT", "x5t#S256", assertion->thumbprint));
}

static char *claims_part(const char *audience, const char *client_id, int64_t now)
{
	unsigned char random[16];
	char *id, *part;

	if (RAND_bytes(random, sizeof(random)) != 1)
		return NULL;
	id = base64url(random, sizeof(random));
	if (!id)
		return NULL;
	part = part_of(json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "aud", audience, "iss", client_id, "sub",
				 client_id, "jti", id, "nbf", (json_int_t)now, "iat", (json_int_t)now, "exp",
				 (json_int_t)(now + CERTDIR_ASSERTION_SECONDS)));
	free(id);
	return part;
}

/* PS256 (RFC 7518, 3.5): RSASSA-PSS with SHA-256, MGF1 with SHA-256, a salt as long as the digest. */
static char *signature_part(EVP_PKEY *key, const char *input)
{
	const unsigned char *bytes = (const unsigned char *)input;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char *signature = NULL;
	EVP_PKEY_CTX *options = NULL;
	size_t length = 0;
	char *part = NULL;

	if (!context || EVP_DigestSignInit(context, &options, EVP_sha256(), NULL, key) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) != 1 ||
	    EVP_DigestSign(context, NULL, &length, bytes, strlen(input)) != 1)
		goto out;
	signature = malloc(length);
	if (signature && EVP_DigestSign(context, signature, &length, bytes, strlen(input)) == 1)
		part = base64url(signature, length);
out:
	free(signature);
	EVP_MD_CTX_free(context);
	return part;
}

char *certdir_assertion_make(const struct certdir_assertion *assertion, const char *audience, const char *client_id,
			     int64_t now, struct certdir_error *error)
{
	char *header = header_part(assertion), *claims = claims_part(audience, client_id, now);
	char *input = NULL, *signature = NULL, *text = NULL;

	if (header && claims && asprintf(&input, "%s.%s", header, claims) < 0)
		input = NULL;
	if (input)
		signature = signature_part(assertion->key, input);
	if (signature && asprintf(&text, "%s.%s", input, signature) < 0)
		text = NULL;
	if (!text)
		certdir_error_set(error, "the client assertion cannot be signed: %s", openssl_reason());
	free(header);
	free(claims);
	free(input);
	free(signature);
	return text;
}
