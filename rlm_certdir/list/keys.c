/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/permissions.h"
#include "conf/secret.h"

enum { PREFIX = 16 };

struct certdir_list_keys {
	size_t count;
	EVP_PKEY *items[];
};

static struct certdir_list_keys *allocate(size_t count, struct certdir_error *error)
{
	struct certdir_list_keys *keys = calloc(1, sizeof(*keys) + count * sizeof(EVP_PKEY *));

	if (!keys)
		certdir_error_set(error, "out of memory");
	return keys;
}

void certdir_list_keys_close(struct certdir_list_keys *keys)
{
	if (!keys)
		return;
	for (size_t i = 0; i < keys->count; i++)
		EVP_PKEY_free(keys->items[i]);
	free(keys);
}

/* Takes the key that was read, if it is one of the only kind that there is. */
static bool add(struct certdir_list_keys *keys, EVP_PKEY *key, const char *filename, const char *what, const char *make,
		struct certdir_error *error)
{
	if (key && EVP_PKEY_id(key) == EVP_PKEY_ED25519) {
		keys->items[keys->count++] = key;
		return true;
	}
	ERR_clear_error(); /* or the server would log it as some other session's */
	EVP_PKEY_free(key);
	certdir_error_set(error, "%s holds no %s key of Ed25519 in PEM: make one by `%s`", filename, what, make);
	return false;
}

/* A key with a password would have OpenSSL ask for it at the terminal. */
static int refuse_password(char *buffer, int size, int writing, void *context)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

static bool add_public(struct certdir_list_keys *keys, const char *filename, struct certdir_error *error)
{
	BIO *in = BIO_new_file(filename, "r");
	EVP_PKEY *key;

	if (!in) {
		certdir_error_set(error, "%s cannot be read: %s", filename, strerror(errno));
		return false;
	}
	certdir_permissions_warn(filename);
	key = PEM_read_bio_PUBKEY(in, NULL, refuse_password, NULL);
	BIO_free(in);
	return add(keys, key, filename, "public", "openssl pkey -in list.key -pubout -out list.pub", error);
}

struct certdir_list_keys *certdir_list_keys_public(const char *const *filenames, struct certdir_error *error)
{
	struct certdir_list_keys *keys;
	size_t count = 0;

	while (filenames[count])
		count++;
	keys = allocate(count, error);
	for (size_t i = 0; keys && i < count; i++)
		if (!add_public(keys, filenames[i], error)) {
			certdir_list_keys_close(keys);
			return NULL;
		}
	return keys;
}

struct certdir_list_keys *certdir_list_keys_private(const char *filename, struct certdir_error *error)
{
	struct certdir_list_keys *keys = NULL;
	size_t length;
	char *text = certdir_secret_read_bytes(filename, &length, error);
	BIO *in = text ? BIO_new_mem_buf(text, (int)length) : NULL;

	if (in && (keys = allocate(1, error)) != NULL &&
	    !add(keys, PEM_read_bio_PrivateKey(in, NULL, refuse_password, NULL), filename, "private",
		 "openssl genpkey -algorithm ed25519 -out list.key", error)) {
		certdir_list_keys_close(keys);
		keys = NULL;
	}
	BIO_free(in);
	if (text)
		explicit_bzero(text, length);
	free(text);
	return keys;
}

enum { MESSAGE = PREFIX + CERTDIR_SEAL_DIGEST };

/* A signature for one kind of file is none for the other, and neither is for what else the key may sign. */
static void make_message(enum certdir_signed what, const unsigned char digest[CERTDIR_SEAL_DIGEST],
			 unsigned char message[MESSAGE])
{
	static const char prefixes[][PREFIX] = {
		[CERTDIR_SIGNED_LIST] = "certdir list", [CERTDIR_SIGNED_CHANGES] = "certdir changes"};

	memcpy(message, prefixes[what], PREFIX);
	memcpy(message + PREFIX, digest, CERTDIR_SEAL_DIGEST);
}

bool certdir_list_keys_sign(const struct certdir_list_keys *keys, enum certdir_signed what,
			    const unsigned char digest[CERTDIR_SEAL_DIGEST],
			    unsigned char signature[CERTDIR_SEAL_SIGNATURE])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t size = CERTDIR_SEAL_SIGNATURE;
	unsigned char message[MESSAGE];
	bool ok;

	make_message(what, digest, message);
	ok = context && EVP_DigestSignInit(context, NULL, NULL, NULL, keys->items[0]) == 1 &&
	     EVP_DigestSign(context, signature, &size, message, sizeof(message)) == 1 && size == CERTDIR_SEAL_SIGNATURE;
	EVP_MD_CTX_free(context);
	return ok;
}

bool certdir_list_keys_hold(const struct certdir_list_keys *keys, enum certdir_signed what,
			    const unsigned char digest[CERTDIR_SEAL_DIGEST],
			    const unsigned char signature[CERTDIR_SEAL_SIGNATURE])
{
	unsigned char message[MESSAGE];
	bool holds = false;

	make_message(what, digest, message);
	for (size_t i = 0; i < keys->count && !holds; i++) {
		EVP_MD_CTX *context = EVP_MD_CTX_new();

		holds = context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, keys->items[i]) == 1 &&
			EVP_DigestVerify(context, signature, CERTDIR_SEAL_SIGNATURE, message, sizeof(message)) == 1;
		EVP_MD_CTX_free(context);
	}
	ERR_clear_error();
	return holds;
}
