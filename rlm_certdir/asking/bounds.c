/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "asking/bounds.h"

#include <string.h>

#include "base/background.h"
#include "base/hash.h"

enum { BURST = 30, REMEMBERED = 60 /* seconds */ };

bool certdir_rate_take(struct certdir_rate *rate, unsigned requests, int64_t now)
{
	const int64_t from = rate->spent_until > now ? rate->spent_until : now;
	const int64_t to = from + requests * CERTDIR_SECOND;

	if (to > now + BURST * CERTDIR_SECOND)
		return false;
	rate->spent_until = to;
	return true;
}

void certdir_rate_return(struct certdir_rate *rate, unsigned requests)
{
	rate->spent_until -= requests * CERTDIR_SECOND;
}

bool certdir_question_same(const struct certdir_question *a, const struct certdir_question *b)
{
	return a->type == b->type && strcmp(a->id, b->id) == 0 && strcmp(a->tenant, b->tenant) == 0;
}

static size_t place_of(const struct certdir_unknown *unknown, const struct certdir_question *question)
{
	uint64_t hash = unknown->start ^ CERTDIR_HASH_START;

	for (const char *at = question->id; *at; at++)
		hash = certdir_hash_byte(hash, (unsigned char)*at);
	return (size_t)((hash ^ hash >> 32) % CERTDIR_UNKNOWN_MAX);
}

void certdir_unknown_add(struct certdir_unknown *unknown, const struct certdir_question *question, int64_t now)
{
	const size_t place = place_of(unknown, question);

	unknown->entries[place].question = *question;
	unknown->entries[place].until = now + REMEMBERED * CERTDIR_SECOND;
}

bool certdir_unknown_has(const struct certdir_unknown *unknown, const struct certdir_question *question, int64_t now)
{
	const size_t place = place_of(unknown, question);

	return unknown->entries[place].until > now &&
	       certdir_question_same(&unknown->entries[place].question, question);
}
