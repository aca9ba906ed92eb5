/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/credential.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/replace.h"
#include "conf/secret.h"
#include "identity/asn1_time.h"
#include "text/canonical.h"
#include "text/hex.h"

enum {
	KEY_BITS = 3072,
	FILE_MODE = 0600,
	SERIAL_BITS = 126,
	/* Before now: the clocks of Entra ID and of this machine need not agree. */
	SLACK = 300 /* seconds */
};

/* A line before the PEM, where its readers take what stands there for a comment. */
static const char key_id_line[] = "Key-Id: ";

static void wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void certdir_own_credential_clear(struct certdir_own_credential *credential)
{
	wipe(credential->pem);
	free(credential->certificate);
	free(credential->der);
	memset(credential, 0, sizeof(*credential));
}

/* ---- what is said of a certificate ---- */

/* What a memory BIO holds, as a string. NULL when memory is out. */
static char *text_of(BIO *memory)
{
	char *bytes = NULL;
	const long length = BIO_get_mem_data(memory, &bytes);

	return length > 0 ? strndup(bytes, (size_t)length) : NULL;
}

static char *base64_of(const X509 *certificate)
{
	unsigned char *der = NULL;
	const int length = i2d_X509(certificate, &der);
	char *text = length > 0 ? malloc(((size_t)length + 2) / 3 * 4 + 1) : NULL;

	if (text)
		(void)EVP_EncodeBlock((unsigned char *)text, der, length);
	OPENSSL_free(der);
	return text;
}

static bool describe(struct certdir_own_credential *credential, X509 *certificate)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	BIO *memory = BIO_new(BIO_s_mem());

	if (memory && PEM_write_bio_X509(memory, certificate) == 1)
		credential->certificate = text_of(memory);
	BIO_free(memory);
	credential->der = base64_of(certificate);
	if (!credential->certificate || !credential->der ||
	    X509_digest(certificate, EVP_sha256(), digest, &length) != 1 || length != 32)
		return false;
	certdir_hex_print(digest, length, credential->digest);
	return certdir_asn1_time_read(X509_get0_notBefore(certificate), &credential->not_before) &&
	       certdir_asn1_time_read(X509_get0_notAfter(certificate), &credential->not_after);
}

/* ---- make ---- */

static bool set_serial(X509 *certificate)
{
	BIGNUM *number = BN_new();
	const bool ok = number && BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
			BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));

	BN_free(number);
	return ok;
}

static X509 *make_certificate(EVP_PKEY *key, const char *name, int64_t now)
{
	const unsigned char *cn = (const unsigned char *)name;
	X509 *certificate = X509_new();
	X509_NAME *subject = certificate ? X509_get_subject_name(certificate) : NULL;

	if (subject && X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
	    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, cn, -1, -1, 0) == 1 &&
	    X509_set_issuer_name(certificate, subject) == 1 &&
	    ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)(now - SLACK)) &&
	    ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)(now - SLACK + CERTDIR_CREDENTIAL_LIFE)) &&
	    X509_set_pubkey(certificate, key) == 1 && X509_sign(certificate, key, EVP_sha256()) > 0)
		return certificate;
	X509_free(certificate);
	return NULL;
}

/* Secure memory is not to be had for a BIO that grows: it is wiped by hand. */
static bool write_pem(struct certdir_own_credential *credential, EVP_PKEY *key, X509 *certificate)
{
	BIO *memory = BIO_new(BIO_s_mem());
	char *bytes = NULL;
	long length;

	if (memory && PEM_write_bio_PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL) == 1 &&
	    PEM_write_bio_X509(memory, certificate) == 1)
		credential->pem = text_of(memory);
	length = memory ? BIO_get_mem_data(memory, &bytes) : 0;
	if (length > 0)
		explicit_bzero(bytes, (size_t)length);
	BIO_free(memory);
	return credential->pem != NULL;
}

bool certdir_own_credential_make(struct certdir_own_credential *credential, const char *name, int64_t now,
				 struct certdir_error *error)
{
	EVP_PKEY *key = EVP_RSA_gen(KEY_BITS);
	X509 *certificate = key ? make_certificate(key, name, now) : NULL;
	const char *reason;
	bool ok;

	memset(credential, 0, sizeof(*credential));
	ok = certificate && write_pem(credential, key, certificate) && describe(credential, certificate);
	X509_free(certificate);
	EVP_PKEY_free(key);
	if (ok)
		return true;
	reason = ERR_reason_error_string(ERR_peek_last_error());
	ERR_clear_error();
	certdir_error_set(error, "no key and certificate could be made: %s", reason ? reason : "out of memory");
	certdir_own_credential_clear(credential);
	return false;
}

/* ---- files ---- */

/* What Entra ID calls it, if the file says so. */
static void read_key_id(struct certdir_own_credential *credential, const char *text)
{
	char id[sizeof(credential->key_id)];
	bool zero;

	if (strncmp(text, key_id_line, sizeof(key_id_line) - 1) != 0)
		return;
	(void)snprintf(id, sizeof(id), "%s", text + sizeof(key_id_line) - 1);
	if (certdir_guid_is(id, &zero) && !zero)
		memcpy(credential->key_id, id, sizeof(id));
}

bool certdir_own_credential_read(struct certdir_own_credential *credential, const char *filename,
				 struct certdir_error *error)
{
	X509 *certificate = NULL;
	size_t length;
	BIO *memory;
	bool ok;

	memset(credential, 0, sizeof(*credential));
	credential->pem = certdir_secret_read_bytes(filename, &length, error);
	if (!credential->pem)
		return false;
	read_key_id(credential, credential->pem);
	memory = BIO_new_mem_buf(credential->pem, (int)length);
	if (memory)
		certificate = PEM_read_bio_X509(memory, NULL, NULL, NULL);
	ok = certificate && strstr(credential->pem, "PRIVATE KEY-----") && describe(credential, certificate);
	BIO_free(memory);
	X509_free(certificate);
	ERR_clear_error();
	if (ok)
		return true;
	certdir_error_set(error, "%s is not what certdir setup makes: a private key and its certificate, in PEM",
			  filename);
	certdir_own_credential_clear(credential);
	return false;
}

static bool sync_directory_of(const char *filename)
{
	char *directory = certdir_file_directory(filename);
	const bool ok = directory && certdir_file_sync_directory(directory);

	free(directory);
	return ok;
}

bool certdir_own_credential_save(const struct certdir_own_credential *credential, const char *filename,
				 struct certdir_error *error)
{
	const char *begin = strstr(credential->pem, "-----BEGIN ");
	char *text = credential->key_id[0] && begin ? certdir_print("%s%s\n%s", key_id_line, credential->key_id, begin)
						    : strdup(credential->pem);
	bool ok;

	errno = ENOMEM;
	ok = text && certdir_replace(filename, text, FILE_MODE) && sync_directory_of(filename);
	if (!ok)
		certdir_error_set(error, "%s cannot be written: %s", filename, strerror(errno));
	wipe(text);
	return ok;
}

int certdir_own_credential_lock(const char *filename)
{
	/* O_NONBLOCK: a FIFO in its place must not hold us. */
	const int file = open(filename, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat ours, there;

	/* Who waited for nothing may hold a file that is not the one of that name any more. */
	if (file >= 0 && flock(file, LOCK_EX | LOCK_NB) == 0 && fstat(file, &ours) == 0 &&
	    stat(filename, &there) == 0 && ours.st_ino == there.st_ino && ours.st_dev == there.st_dev)
		return file;
	if (file >= 0)
		(void)close(file);
	return -1;
}
