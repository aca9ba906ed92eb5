/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CAs that the server trusts: files and directories of certificates, as OpenSSL reads them. */
#ifndef CERTDIR_AUTHORITIES_H
#define CERTDIR_AUTHORITIES_H

#include "base/certdir.h"

/* How many certificates a PEM file has; 0 also when it cannot be read. */
size_t certdir_authorities_in_file(const char *filename);
/* How many a directory offers; 0 also when it cannot be read. */
size_t certdir_authorities_in_directory(const char *path);
/* Whether a PEM file has a CA of this name. True also for a file that cannot be read, since the server says so itself. */
bool certdir_authorities_have(const char *filename, const char *issuer);

#endif
