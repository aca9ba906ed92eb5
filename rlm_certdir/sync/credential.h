/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A credential of our own making: an RSA key and a certificate that it has signed itself, in one file, so that both are replaced at
 * once. The key never leaves this machine; Entra ID gets the certificate.
 */
#ifndef CERTDIR_SYNC_CREDENTIAL_H
#define CERTDIR_SYNC_CREDENTIAL_H

#include "base/certdir.h"

enum { CERTDIR_CREDENTIAL_LIFE = 365 * 86400 /* seconds; Graph takes a certificate for a year at most */ };

struct certdir_own_credential {
	char *pem; /* private key, certificate */
	char *certificate; /* in PEM, without the key */
	char *der; /* of the certificate, in base64, as Graph takes it */
	char digest[65]; /* of the certificate: SHA-256, in hexadecimal digits */
	char key_id[37]; /* what Entra ID calls it, "" = not known */
	int64_t not_before, not_after; /* Unix seconds */
};

/* Makes a key of 3072 bits and a certificate for it, good for a year. name: its CN. False with `error`, nothing is owned. */
bool certdir_own_credential_make(struct certdir_own_credential *credential, const char *name, int64_t now,
				 struct certdir_error *error);
/* Reads one that was saved. False with `error`, nothing is owned. */
bool certdir_own_credential_read(struct certdir_own_credential *credential, const char *filename,
				 struct certdir_error *error);
/*
 * Puts it into a file with mode 0600, which a power cut leaves as it was or as it is now; root gives it to the owner of the directory.
 * False with `error`.
 */
bool certdir_own_credential_save(const struct certdir_own_credential *credential, const char *filename,
				 struct certdir_error *error);
/* For who reads and replaces one: a descriptor, which ends the lock when it is closed; -1 when another has it, or there is no such file. */
int certdir_own_credential_lock(const char *filename);
void certdir_own_credential_clear(struct certdir_own_credential *credential); /* and wipes */

#endif
