/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys (Ed25519, PEM) that a list and its changes are signed with, so that a server knows that what was copied to it is its publisher's.
 * What is signed is 16 bytes, "certdir list" or "certdir changes" with zeros behind it, and the digest that all of the file hangs on.
 */
#ifndef CERTDIR_LIST_KEYS_H
#define CERTDIR_LIST_KEYS_H

#include "list/list.h"
#include "list/seal.h"

enum certdir_signed { CERTDIR_SIGNED_LIST, CERTDIR_SIGNED_CHANGES };

/* Signs with a private key. False: OpenSSL cannot. */
bool certdir_list_keys_sign(const struct certdir_list_keys *keys, enum certdir_signed what,
			    const unsigned char digest[CERTDIR_SEAL_DIGEST],
			    unsigned char signature[CERTDIR_SEAL_SIGNATURE]);
/* Whether one of the keys has signed that. */
bool certdir_list_keys_hold(const struct certdir_list_keys *keys, enum certdir_signed what,
			    const unsigned char digest[CERTDIR_SEAL_DIGEST],
			    const unsigned char signature[CERTDIR_SEAL_SIGNATURE]);

#endif
