/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FNV-1a with 64 bits (draft-eastlake-fnv): spreads what is no secret over the places of a table. It is no digest: whoever wants to, finds
 * two of a kind.
 */
#ifndef CERTDIR_HASH_H
#define CERTDIR_HASH_H

#include <stdint.h>

#include "base/ascii.h"

#define CERTDIR_HASH_START UINT64_C(0xcbf29ce484222325)

/* `hash`, CERTDIR_HASH_START at first, with one more byte in it. */
static inline uint64_t certdir_hash_byte(uint64_t hash, unsigned char byte)
{
	return (hash ^ byte) * UINT64_C(0x100000001b3);
}

/* The hash of a text alone. */
static inline uint64_t certdir_hash_text(const char *text)
{
	uint64_t hash = CERTDIR_HASH_START;

	for (; *text; text++)
		hash = certdir_hash_byte(hash, (unsigned char)*text);
	return hash;
}

/* The same of a text; ASCII letters count as small ones. */
static inline uint64_t certdir_hash_folded(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = certdir_hash_byte(hash, (unsigned char)certdir_ascii_lower(*text));
	return hash;
}

#endif
