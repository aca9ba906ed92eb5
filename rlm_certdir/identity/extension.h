/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The extensions of a certificate that say something of a device or of the certificate. */
#ifndef CERTDIR_IDENTITY_EXTENSION_H
#define CERTDIR_IDENTITY_EXTENSION_H

#include "identity/place.h"

/*
 * Reads the value of the extension whose OBJECT IDENTIFIER has this content; one that says nothing about devices is skipped.
 * Those that tell which section the certificate fits are read first, those with names (`names`) then. `seen` (0 at first)
 * keeps what was there already: a second one of a kind is refused.
 */
bool certdir_extension_read(struct certdir_reading *reading, bool names, struct certdir_der oid,
			    struct certdir_der value, uint32_t *seen);

#endif
