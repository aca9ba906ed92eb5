/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file of certificates -> DER, one by one. */
#ifndef CERTDIR_IDENTITY_PEM_H
#define CERTDIR_IDENTITY_PEM_H

#include "base/certdir.h"

/*
 * Calls `each` for every certificate in `bytes`: one in DER, or any number in PEM (RFC 7468; other PEM blocks are skipped).
 * `each` borrows `der`. False with `error` when there is no certificate in it, or a PEM block is broken.
 */
bool certdir_pem_each(const char *bytes, size_t length,
		      void (*each)(void *context, const unsigned char *der, size_t length), void *context,
		      struct certdir_error *error);

#endif
