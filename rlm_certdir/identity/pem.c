/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity/pem.h"

#include <limits.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

static bool is_certificate(const char *name)
{
	return strcmp(name, PEM_STRING_X509) == 0 || strcmp(name, PEM_STRING_X509_OLD) == 0;
}

/* PFX of RFC 7292: a SEQUENCE that begins with version 3. A certificate's begins with another SEQUENCE. */
static bool is_pkcs12(const char *bytes, size_t length)
{
	const unsigned char *at = (const unsigned char *)bytes;
	const size_t header = length > 1 && at[1] > 0x80 ? 2 + (at[1] & 0x7f) : 2;

	return length > header + 3 && at[0] == 0x30 && memcmp(at + header, "\x02\x01\x03", 3) == 0;
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

	if (is_pkcs12(bytes, length)) {
		certdir_error_set(
			error,
			"a PKCS#12 file (.p12, .pfx), whose certificate is locked with a password: take it out with "
			"`openssl pkcs12 -in FILE -clcerts -nokeys -out cert.pem` first, and give cert.pem");
		return false;
	}
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
