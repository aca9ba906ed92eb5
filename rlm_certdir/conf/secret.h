/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that hold secrets: read only when nobody else can read, or have written, them. */
#ifndef CERTDIR_SECRET_H
#define CERTDIR_SECRET_H

#include "base/certdir.h"

enum certdir_secret_kind {
	CERTDIR_SECRET_CLIENT, /* a client secret: one line, at most 4 KiB */
	CERTDIR_SECRET_PASSWORD, /* a password: one line of UTF-8, at most 4 KiB */
	CERTDIR_SECRET_KEY, /* a file with a private key, at most 64 KiB: certdir_secret_read_bytes() */
	CERTDIR_SECRET_TOKEN /* a federated token: one line, at most 64 KiB; may be read by all */
};

/*
 * The content of `filename` without the newlines at its end, NUL-terminated; certdir_secret_free() wipes it. It has to be a
 * regular file (after symbolic links, as which Kubernetes mounts its secrets) which its group cannot write and others can neither
 * read nor write. It belongs to root or to the user that we run as; root reads any user's, so that what works for a service's
 * user works for the administrator, too. NULL with `error`, which never shows what the file holds.
 */
char *certdir_secret_read(const char *filename, enum certdir_secret_kind kind, struct certdir_error *error);
/* The same of kind KEY, of any bytes. The caller wipes and frees them. */
char *certdir_secret_read_bytes(const char *filename, size_t *length, struct certdir_error *error);
void certdir_secret_free(char *secret);

#endif
