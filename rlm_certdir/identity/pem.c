/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity/pem.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

static bool is_certificate(const char *name)
{
	return strcmp(name, PEM_STRING_X509) == 0 || strcmp(name, PEM_STRING_X509_OLD) == 0;
}

bool certdir_pem_each(const char *bytes, size_t length,
		      void (*each)(void *context, const unsigned char *der, size_t length), void *context,
		      struct certdir_error *error)
{
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	unsigned long why;
	size_t count = 0;
	long size = 0;
	BIO *bio;

	/* A DER certificate is a SEQUENCE; PEM is text. */
	if (length > 0 && bytes[0] == 0x30) {
		each(context, (const unsigned char *)bytes, length);
		return true;
	}
	bio = length <= INT_MAX ? BIO_new_mem_buf(bytes, (int)length) : NULL;
	if (!bio) {
		certdir_error_set(error, "too large to be a certificate");
		return false;
	}
	ERR_clear_error();
	while (PEM_read_bio(bio, &name, &header, &der, &size) == 1) {
		if (is_certificate(name)) {
			each(context, der, (size_t)size);
			count++;
		}
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(der);
	}
	why = ERR_peek_last_error();
	ERR_clear_error();
	BIO_free(bio);
	if (ERR_GET_LIB(why) == ERR_LIB_PEM && ERR_GET_REASON(why) != PEM_R_NO_START_LINE) {
		certdir_error_set(error, "PEM block %zu is broken: %s", count + 1, ERR_reason_error_string(why));
		return false;
	}
	if (!count)
		certdir_error_set(error, "no certificate in it: give a PEM or DER certificate");
	return count > 0;
}
