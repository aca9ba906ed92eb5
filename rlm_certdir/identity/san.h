/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The subjectAltName extension (RFC 5280, 4.2.1.6), walked by our own reader. */
#ifndef CERTDIR_IDENTITY_SAN_H
#define CERTDIR_IDENTITY_SAN_H

#include "identity/place.h"

/* Reads the value of the subjectAltName extension. */
bool certdir_san_read(struct certdir_reading *reading, struct certdir_der value);

#endif
