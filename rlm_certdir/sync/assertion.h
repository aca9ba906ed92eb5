/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client says of itself with a certificate instead of a secret: a JWT signed PS256 with x5t#S256. It has one form and one
 * signature, so no library for JWTs is needed.
 * https://learn.microsoft.com/entra/identity-platform/certificate-credentials, RFC 7515, RFC 7523.
 */
#ifndef CERTDIR_SYNC_ASSERTION_H
#define CERTDIR_SYNC_ASSERTION_H

#include "base/certdir.h"

enum { CERTDIR_ASSERTION_SECONDS = 600 /* that an assertion is good for */ };

struct certdir_assertion;

/*
 * Has OpenSSL decode a key once, before there are threads. OpenSSL 3.0 fetches its decoders at their first use; two threads that come
 * first at the same time may find none, and then a certificate has no public key: seen 44 times in 1,500.
 */
void certdir_assertion_prepare(void);

/*
 * Reads a certificate and its private key, each from a file in PEM, DER or PKCS #12 (.pfx, .p12); both may be one file, in any order
 * and beside others: of the certificates in the file the one that fits the key counts, of several that do the one that is good for
 * longest. The key is RSA with 2048 bits or more, in a file that certdir_secret_read() would accept. password_file: holds the
 * password of files that are encrypted, or NULL. NULL with `error`, also when they do not belong together or `now` is not within
 * the certificate's time.
 */
struct certdir_assertion *certdir_assertion_open(const char *certificate_file, const char *private_key_file,
						 const char *password_file, int64_t now, struct certdir_error *error);
void certdir_assertion_close(struct certdir_assertion *assertion);

/* The certificate's notAfter in Unix seconds. */
int64_t certdir_assertion_expires(const struct certdir_assertion *assertion);

/*
 * A proof that we have the key, for changing the keys of the application whose object id this is
 * (https://learn.microsoft.com/graph/application-rollkey-prooftoken). The caller frees it. NULL with `error`.
 */
char *certdir_assertion_prove(const struct certdir_assertion *assertion, const char *object_id, int64_t now,
			      struct certdir_error *error);

/* A new assertion for the token URL `audience`. The caller frees it. NULL with `error`. */
char *certdir_assertion_make(const struct certdir_assertion *assertion, const char *audience, const char *client_id,
			     int64_t now, struct certdir_error *error);

#endif
