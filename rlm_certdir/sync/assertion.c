/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/assertion.h"
#include "base/file.h"
#include "conf/secret.h"
#include "identity/asn1_time.h"
#include "text/timestamp.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEY_BITS_MIN = 2048, FILE_MAX = 1 << 20 /* bytes of certificates */, LABELS_SIZE = 128 };

struct certdir_assertion {
	EVP_PKEY *key;
	char thumbprint[48]; /* base64url of the certificate's SHA-256 */
	char old_thumbprint[32]; /* the same of its SHA-1 */
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

/* ---- what a file holds ---- */

struct holding {
	const char *option, *filename; /* where it was read from */
	STACK_OF(X509) * certificates;
	EVP_PKEY *key; /* the first one */
	const char *password; /* that was there, or NULL */
	bool asked; /* for it */
	const char *reason; /* why something in it could not be read, or NULL */
	char labels[LABELS_SIZE]; /* "CERTIFICATE, PRIVATE KEY": of PEM; "" = it is none */
};

static void holding_clear(struct holding *holding)
{
	sk_X509_pop_free(holding->certificates, X509_free);
	EVP_PKEY_free(holding->key);
	holding->certificates = NULL;
	holding->key = NULL;
}

static int give_password(char *out, int size, int writing, void *context)
{
	struct holding *holding = context;
	const size_t length = holding->password ? strlen(holding->password) : 0;

	(void)writing;
	holding->asked = true;
	if (!holding->password || length > (size_t)size)
		return -1;
	memcpy(out, holding->password, length);
	return (int)length;
}

/* Of a file that does not give what it should, people want to know what it is. */
static void read_labels(struct holding *holding, const char *bytes, size_t length)
{
	static const char begin[] = "-----BEGIN ", known[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ";
	const char *at = bytes, *end = bytes + length;
	size_t used = 0, size;
	char label[32];

	while ((at = memmem(at, (size_t)(end - at), begin, sizeof(begin) - 1))) {
		at += sizeof(begin) - 1;
		for (size = 0; at + size < end && at[size] && strchr(known, at[size]); size++)
			;
		if (size == 0 || size >= sizeof(label))
			continue;
		memcpy(label, at, size);
		label[size] = '\0';
		if (!strstr(holding->labels, label) && used + size + 3 < LABELS_SIZE)
			used += (size_t)snprintf(holding->labels + used, LABELS_SIZE - used, "%s%s", used ? ", " : "",
						 label);
	}
}

static void take(struct holding *holding, OSSL_STORE_INFO *info)
{
	X509 *certificate = OSSL_STORE_INFO_get1_CERT(info);

	if (certificate && !sk_X509_push(holding->certificates, certificate))
		X509_free(certificate);
	if (!holding->key)
		holding->key = OSSL_STORE_INFO_get1_PKEY(info);
	ERR_clear_error(); /* of asking an object for what it is not */
}

/* Takes whatever OpenSSL finds in the bytes. False when memory is out. */
static bool take_all(struct holding *holding, const char *bytes, size_t length)
{
	BIO *memory = BIO_new_mem_buf(bytes, (int)length);
	UI_METHOD *ask = UI_UTIL_wrap_read_pem_callback(give_password, 0);
	OSSL_STORE_CTX *store = NULL;

	holding->certificates = sk_X509_new_null();
	if (memory && ask && holding->certificates)
		store = OSSL_STORE_attach(memory, "file", NULL, NULL, ask, holding, NULL, NULL, NULL);
	while (store && !OSSL_STORE_eof(store)) {
		OSSL_STORE_INFO *info = OSSL_STORE_load(store);

		if (info)
			take(holding, info);
		else if (ERR_peek_last_error())
			holding->reason = openssl_reason();
		OSSL_STORE_INFO_free(info);
	}
	(void)OSSL_STORE_close(store);
	UI_destroy_method(ask);
	BIO_free(memory);
	ERR_clear_error();
	return store != NULL;
}

static char *read_certificates(const char *filename, size_t *length, struct certdir_error *error)
{
	const int file = open(filename, O_RDONLY | O_CLOEXEC);
	char *bytes = file >= 0 ? certdir_file_load(file, FILE_MAX, length) : NULL;

	if (!bytes && errno == EFBIG)
		certdir_error_set(error, "certificate_file %s has more than %d bytes: is it the right file?", filename,
				  FILE_MAX);
	else if (!bytes)
		certdir_error_set(error, "certificate_file %s cannot be read: %s", filename, strerror(errno));
	if (file >= 0)
		(void)close(file);
	return bytes;
}

/* holding->option is certificate_file or private_key_file: only the latter is a secret. */
static bool holding_read(struct holding *holding, struct certdir_error *error)
{
	size_t length = 0;
	char *bytes = strcmp(holding->option, "private_key_file") == 0
			      ? certdir_secret_read_bytes(holding->filename, &length, error)
			      : read_certificates(holding->filename, &length, error);
	bool ok;

	if (!bytes)
		return false;
	read_labels(holding, bytes, length);
	ok = take_all(holding, bytes, length);
	explicit_bzero(bytes, length);
	free(bytes);
	if (!ok)
		certdir_error_set(error, "%s %s cannot be read: out of memory", holding->option, holding->filename);
	return ok;
}

/* It does not hold `what`, as far as could be seen. */
static void holding_lacks(const struct holding *holding, const char *what, struct certdir_error *error)
{
	const char *option = holding->option, *filename = holding->filename;

	if (holding->asked && !holding->password)
		certdir_error_set(error,
				  "%s %s is encrypted: write its password alone into a file that nobody else can read, "
				  "and name that one as private_key_password_file",
				  option, filename);
	else if (holding->asked && holding->reason && strcmp(holding->reason, "unsupported") == 0)
		certdir_error_set(
			error,
			"%s %s is encrypted in a way that OpenSSL has given up, as old PFX files are: export it "
			"again (AES256-SHA256)",
			option, filename);
	else if (holding->asked)
		certdir_error_set(error, "%s %s does not open with the password in private_key_password_file: %s",
				  option, filename, holding->reason ? holding->reason : "unknown error");
	else if (holding->labels[0])
		certdir_error_set(error, "%s %s holds no %s; what stands in it is called %s", option, filename, what,
				  holding->labels);
	else
		certdir_error_set(error, "%s %s holds no %s: it is no file in PEM, DER or PKCS #12 (PFX)", option,
				  filename, what);
}

/* ---- certificate and key ---- */

/* The certificate of the key, NULL with `error`: a file may hold those of CAs, and former ones, too. */
static X509 *choose_certificate(const struct holding *certificates, const struct holding *key,
				struct certdir_error *error)
{
	const int count = sk_X509_num(certificates->certificates);
	X509 *best = NULL;

	for (int i = 0; i < count; i++) {
		X509 *certificate = sk_X509_value(certificates->certificates, i);

		if (X509_check_private_key(certificate, key->key) == 1 &&
		    (!best || ASN1_TIME_compare(X509_get0_notAfter(certificate), X509_get0_notAfter(best)) > 0))
			best = certificate;
	}
	ERR_clear_error();
	if (!best && count == 1)
		certdir_error_set(error, "private_key_file %s is not the key of the certificate in certificate_file %s",
				  key->filename, certificates->filename);
	else if (!best)
		certdir_error_set(
			error,
			"private_key_file %s is not the key of any of the %d certificates in certificate_file "
			"%s",
			key->filename, count, certificates->filename);
	return best;
}

static bool key_check(EVP_PKEY *key, const char *filename, struct certdir_error *error)
{
	if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) {
		const char *name = EVP_PKEY_get0_type_name(key);

		certdir_error_set(error,
				  "private_key_file %s holds a key of type %s: Entra ID takes RSA keys only for this; "
				  "certdir.conf(5) shows how to make one",
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

static bool take_thumbprint(const X509 *certificate, const EVP_MD *hash, char *out, size_t size)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	char *thumbprint = X509_digest(certificate, hash, digest, &length) == 1 ? base64url(digest, length) : NULL;

	(void)snprintf(out, size, "%s", thumbprint ? thumbprint : "");
	free(thumbprint);
	return out[0];
}

static bool certificate_take(struct certdir_assertion *assertion, X509 *certificate, const char *filename,
			     struct certdir_error *error)
{
	if (take_thumbprint(certificate, EVP_sha256(), assertion->thumbprint, sizeof(assertion->thumbprint)) &&
	    take_thumbprint(certificate, EVP_sha1(), assertion->old_thumbprint, sizeof(assertion->old_thumbprint)) &&
	    certdir_asn1_time_read(X509_get0_notBefore(certificate), &assertion->not_before) &&
	    certdir_asn1_time_read(X509_get0_notAfter(certificate), &assertion->not_after))
		return true;
	certdir_error_set(error, "certificate_file %s cannot be used: %s", filename, openssl_reason());
	return false;
}

static bool pair_take(struct certdir_assertion *assertion, struct holding *certificates, struct holding *key,
		      int64_t now, struct certdir_error *error)
{
	X509 *certificate;

	if (!holding_read(certificates, error))
		return false;
	if (sk_X509_num(certificates->certificates) == 0) {
		holding_lacks(certificates, "certificate", error);
		return false;
	}
	if (certificates != key && !holding_read(key, error))
		return false;
	if (!key->key) {
		holding_lacks(key, "private key", error);
		return false;
	}
	if (!key_check(key->key, key->filename, error) ||
	    !(certificate = choose_certificate(certificates, key, error)) ||
	    !certificate_take(assertion, certificate, certificates->filename, error) ||
	    !times_check(assertion, certificates->filename, now, error))
		return false;
	assertion->key = key->key;
	key->key = NULL;
	return true;
}

void certdir_assertion_prepare(void)
{
	enum { SMALLEST = 512 }; /* of no use but this: two milliseconds */
	EVP_PKEY *key = EVP_RSA_gen(SMALLEST);
	unsigned char *der = NULL;
	const int length = key ? i2d_PUBKEY(key, &der) : 0;
	const unsigned char *at = der;

	EVP_PKEY_free(key);
	EVP_PKEY_free(length > 0 ? d2i_PUBKEY(NULL, &at, length) : NULL);
	OPENSSL_free(der);
	ERR_clear_error();
}

struct certdir_assertion *certdir_assertion_open(const char *certificate_file, const char *private_key_file,
						 const char *password_file, int64_t now, struct certdir_error *error)
{
	struct certdir_assertion *assertion = calloc(1, sizeof(*assertion));
	struct holding certificates = {.option = "certificate_file", .filename = certificate_file};
	struct holding key = {.option = "private_key_file", .filename = private_key_file};
	char *password = NULL;
	bool ok = false;

	if (!assertion) {
		certdir_error_set(error, "out of memory");
		return NULL;
	}
	if (!password_file || (password = certdir_secret_read(password_file, CERTDIR_SECRET_PASSWORD, error))) {
		certificates.password = key.password = password;
		/* Both in one file are read at once: it may be replaced, and then neither fits the other's. */
		ok = pair_take(assertion, strcmp(certificate_file, private_key_file) == 0 ? &key : &certificates, &key,
			       now, error);
	}
	holding_clear(&certificates);
	holding_clear(&key);
	certdir_secret_free(password);
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
				 (json_int_t)now + CERTDIR_ASSERTION_SECONDS));
	free(id);
	return part;
}

/* PS256 (RFC 7518, 3.5): RSASSA-PSS with SHA-256, MGF1 with SHA-256, a salt as long as the digest. */
static bool sign_by_pss(EVP_PKEY_CTX *options)
{
	return EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1;
}

/* pss: PS256; else RS256 (3.3), which is PKCS #1's and what OpenSSL does without being told. */
static char *signature_part(EVP_PKEY *key, const char *input, bool pss)
{
	const unsigned char *bytes = (const unsigned char *)input;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char *signature = NULL;
	EVP_PKEY_CTX *options = NULL;
	size_t length = 0;
	char *part = NULL;

	if (!context || EVP_DigestSignInit(context, &options, EVP_sha256(), NULL, key) != 1 ||
	    (pss && !sign_by_pss(options)) || EVP_DigestSign(context, NULL, &length, bytes, strlen(input)) != 1)
		goto out;
	signature = malloc(length);
	if (signature && EVP_DigestSign(context, signature, &length, bytes, strlen(input)) == 1)
		part = base64url(signature, length);
out:
	free(signature);
	EVP_MD_CTX_free(context);
	return part;
}

/* header.claims.signature; takes both parts, NULL with `error`. */
static char *sign(EVP_PKEY *key, char *header, char *claims, bool pss, struct certdir_error *error)
{
	char *input = NULL, *signature = NULL, *text = NULL;

	if (header && claims)
		input = certdir_print("%s.%s", header, claims);
	if (input)
		signature = signature_part(key, input, pss);
	if (signature)
		text = certdir_print("%s.%s", input, signature);
	if (!text)
		certdir_error_set(error, "the client assertion cannot be signed: %s", openssl_reason());
	free(header);
	free(claims);
	free(input);
	free(signature);
	return text;
}

char *certdir_assertion_make(const struct certdir_assertion *assertion, const char *audience, const char *client_id,
			     int64_t now, struct certdir_error *error)
{
	return sign(assertion->key, header_part(assertion), claims_part(audience, client_id, now), true, error);
}

/* RS256, as Microsoft's sample has it: nobody says that a proof may be signed otherwise. */
char *certdir_assertion_prove(const struct certdir_assertion *assertion, const char *object_id, int64_t now,
			      struct certdir_error *error)
{
	char *header =
		part_of(json_pack("{s:s, s:s, s:s}", "alg", "RS256", "typ", "JWT", "x5t", assertion->old_thumbprint));
	char *claims = part_of(json_pack("{s:s, s:s, s:I, s:I, s:I}", "aud", "00000002-0000-0000-c000-000000000000",
					 "iss", object_id, "nbf", (json_int_t)now, "iat", (json_int_t)now, "exp",
					 (json_int_t)now + CERTDIR_ASSERTION_SECONDS));

	return sign(assertion->key, header, claims, false, error);
}
