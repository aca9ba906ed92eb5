/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times of certificates, for all who read one. */
#ifndef CERTDIR_IDENTITY_ASN1_TIME_H
#define CERTDIR_IDENTITY_ASN1_TIME_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <openssl/asn1.h>

/* A time in Unix seconds. False: it is none. */
static inline bool certdir_asn1_time_read(const ASN1_TIME *asn1, int64_t *seconds)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(asn1, &tm) != 1)
		return false;
	*seconds = (int64_t)timegm(&tm);
	return true;
}

#endif
