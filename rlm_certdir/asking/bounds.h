/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much of a tenant's Graph anybody can use up by asking for devices that are none. */
#ifndef CERTDIR_ASKING_BOUNDS_H
#define CERTDIR_ASKING_BOUNDS_H

#include "asking/line.h"

/* One request a second, and 30 at once after a rest. All zero at the beginning. Moments are certdir_monotonic()'s. */
struct certdir_rate {
	int64_t spent_until;
};
/* Takes so many requests at once; false, and nothing is taken, when there are not so many. */
bool certdir_rate_take(struct certdir_rate *rate, unsigned requests, int64_t now);
/* Gives back what was taken and not made. */
void certdir_rate_return(struct certdir_rate *rate, unsigned requests);

enum { CERTDIR_UNKNOWN_MAX = 4096 };

/* Ids that Graph did not know, each for a minute. One may push out another: it is asked for again then, as far as the rate allows. */
struct certdir_unknown {
	uint64_t start; /* of the hash, so that nobody can choose whom he pushes out */
	struct {
		struct certdir_question question;
		int64_t until;
	} entries[CERTDIR_UNKNOWN_MAX];
};
void certdir_unknown_add(struct certdir_unknown *unknown, const struct certdir_question *question, int64_t now);
bool certdir_unknown_has(const struct certdir_unknown *unknown, const struct certdir_question *question, int64_t now);

/* Whether both ask for the same. */
bool certdir_question_same(const struct certdir_question *a, const struct certdir_question *b);

#endif
