/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the logins of a server came to, counted by its workers: relaxed atomic additions to a table of fixed size, no lock, no allocation. */
#ifndef CERTDIR_METRICS_TALLY_H
#define CERTDIR_METRICS_TALLY_H

#include <stdatomic.h>

#include "metrics/metric.h"

enum {
	CERTDIR_TALLY_DIRECTORIES = 9, /* those of a configuration, and none */
	CERTDIR_TALLY_BUCKETS = 16 /* and what took longer */
};

/* Zeroed, nothing is counted yet. */
struct certdir_tally {
	const char *directories[CERTDIR_TALLY_DIRECTORIES -
				1]; /* borrowed; those of the configuration, NULL behind the last */
	atomic_uint_fast64_t decisions[CERTDIR_TALLY_DIRECTORIES][CERTDIR_REASONS]; /* the first row: no directory's */
	atomic_uint_fast64_t buckets[CERTDIR_TALLY_BUCKETS + 1];
	atomic_uint_fast64_t microseconds; /* of all of them */
	atomic_uint_fast64_t asks[2]; /* in vain, and not */
};

/* A login ends. `directory`: its name, or NULL; of one that the tally does not know it is counted as none's. From any thread. */
void certdir_tally_add(struct certdir_tally *tally, enum certdir_reason reason, const char *directory,
		       int64_t microseconds);
/* `known`: the device that was asked for is known now. From any thread. */
void certdir_tally_add_ask(struct certdir_tally *tally, bool known);

/* `module`: the instance's name, a label of all of them. */
void certdir_tally_print(struct certdir_tally *tally, const char *module, struct certdir_exposition *to);

#endif
