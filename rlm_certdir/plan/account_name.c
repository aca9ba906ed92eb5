/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/account_name.h"

#include <string.h>

#include "base/ascii.h"
#include "base/hash.h"

enum { LENGTH = CERTDIR_ACCOUNT_NAME_SIZE - 2, KEPT = 8, MADE = 6 };

_Static_assert(KEPT + 1 + MADE == LENGTH, "the parts of a made name fill it");

/* Writes at most `room` characters of `cn`; a character outside ASCII is one "-", however many bytes it has. */
static size_t legal(const char *cn, char *out, size_t room)
{
	size_t length = 0;

	for (; *cn && length < room; cn++) {
		if (((unsigned char)*cn & 0xc0) == 0x80)
			continue;
		if (*cn <= ' ' || *cn > '~' || strchr("\"/\\[]:;|=,+*?<>@", *cn))
			out[length++] = '-';
		else
			out[length++] = certdir_ascii_upper(*cn);
	}
	return length;
}

/* With a finish that lets every bit of the input reach every bit of the result. */
static uint64_t hash(const char *key, unsigned attempt)
{
	uint64_t h = certdir_hash_text(key);

	h ^= attempt * UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93);
	h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93);
	return h ^ h >> 32;
}

void certdir_account_name(const char *cn, const char *key, unsigned attempt, char out[CERTDIR_ACCOUNT_NAME_SIZE])
{
	/* Without letters that are taken for digits. */
	static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
	size_t length = legal(cn, out, attempt ? KEPT : LENGTH);

	if (attempt) {
		uint64_t h = hash(key, attempt);

		out[length++] = '-';
		for (int i = 0; i < MADE; i++, h >>= 5)
			out[length++] = letters[h & 31];
	}
	out[length++] = '$';
	out[length] = '\0';
}
