/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that hold secrets: read only when nobody else can read, or have written, them. */
#ifndef CERTDIR_SECRET_H
#define CERTDIR_SECRET_H

#include "certdir.h"

enum certdir_secret_kind {
	CERTDIR_SECRET_CLIENT, /* a client secret: one line, at most 4 KiB */
	CERTDIR_SECRET_KEY, /* a private key in PEM, at most 64 KiB */
	CERTDIR_SECRET_TOKEN /* a federated token: one line, at most 64 KiB; may be read by all */
};

/*
 * The content of `filename` without the newlines at its end, NUL-terminated; certdir_secret_free() wipes it. It has to be a
 * regular file (after symbolic links, as which Kubernetes mounts its secrets) of root or of the user we run as, which its
 * group cannot write and others can neither read nor write. NULL with `error`, which never shows what the file holds.
 */
char *certdir_secret_read(const char *filename, enum certdir_secret_kind kind, struct certdir_error *error);
void certdir_secret_free(char *secret);

#endif
